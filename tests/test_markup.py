"""The annotation notation: strict where it reads, and the same again where it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MarkupError
from pipeline.markup import (
    GoldArticle,
    GoldComponent,
    GoldEvent,
    GoldHead,
    GoldInvestor,
    GoldMention,
    GoldValuation,
    parse,
    parse_file,
    parse_folder,
    render,
)
from pipeline.schema import (
    AmountKind,
    Basis,
    Certainty,
    Commitment,
    EventType,
    Focus,
    Instrument,
    InvestorRole,
    Label,
    Qualifier,
    RoundName,
    Status,
)

EVENT = """+++
published = "2026-03-12"
[[event]]
type = "financing"
company = "c1"
amount = "a1"
investors = [{ref = "i1", role = "lead", returning = true, amount = "a2"}]
valuations = [{ref = "v1", basis = "post_money"}]
components = [{amount = "a3", instrument = "debt", timing = "d1"}]
date = "d1"
sources = ["m1"]
+++
"""
BODY = """[Ovalie](COMPANY c1) lève [12 M€](AMOUNT a1 value=12000000 currency=EUR kind=deal),
dont [4 M€](AMOUNT a3 value=4000000 currency=EUR kind=component) de [dette](INSTRUMENT), en
[mai 2023](DATE d1 value=2023-05) : [2](AMOUNT a2 value=2000000 currency=EUR inferred \
kind=component) de [Garonne](INVESTOR i1), selon [La Lettre](MEDIA m1).
Elle vaut [40 M€](VALUATION v1 value=40000000 currency=EUR qualifier=at_least).
"""
GOOD = EVENT + BODY


def same(article: GoldArticle) -> GoldArticle:
    """The article without where it was written down."""
    return replace(
        article, path="", mentions=tuple(replace(mention, line=0) for mention in article.mentions)
    )


def test_an_article_is_read() -> None:
    article = parse(GOOD, path="good.md")
    first = article.mentions[0]
    assert (first.label, first.id, first.start, first.end) == (Label.COMPANY, "c1", 0, 6)
    assert (first.text, first.line) == ("Ovalie", 13)
    amount = article.mentions[1]
    assert (amount.value, amount.currency, amount.kind) == (
        Decimal(12000000),
        "EUR",
        AmountKind.DEAL,
    )
    assert article.text.startswith("Ovalie lève 12 M€,\ndont 4 M€ de dette")
    worth = article.mentions[-1]
    assert (worth.kind, worth.qualifier) == (None, Qualifier.AT_LEAST)
    (event,) = article.events
    assert event.focus is Focus.MAIN
    assert event.status is Status.CLOSED
    assert event.certainty is Certainty.ASSERTED
    assert event.investors == (
        GoldInvestor(ref="i1", role=InvestorRole.LEAD, returning=True, amount="a2"),
    )
    assert event.components[0].instrument is Instrument.DEBT
    assert [m.inferred for m in article.mentions if m.id == "a2"] == [True]


def test_offsets_count_the_article_and_not_the_notation() -> None:
    article = parse("+++\n+++\nUn \\[mot\\] de [A\\]B](ORG o1) et \\\\ [C](ORG o2)")
    assert article.text == "Un [mot] de A]B et \\ C"
    assert [article.text[m.start : m.end] for m in article.mentions] == ["A]B", "C"]


def test_an_article_may_be_without_marks_and_events() -> None:
    article = parse("+++\n+++\nRien (du tout).\r\nFin")
    assert (article.text, article.mentions, article.events) == ("Rien (du tout).\r\nFin", (), ())


# A change to GOOD, the line of the mistake, and what the message says.
ERRORS = {
    "no fence": (GOOD[4:], 1, "begins with a line"),
    "head not closed": ('+++\nwriter = "w"\n', 1, "not closed"),
    "head no TOML": ("+++\nwriter = w\n+++\n", 1, "no TOML"),
    "head key unknown": ('+++\nauthor = "w"\n+++\n', 1, "author"),
    "event key unknown": (GOOD.replace('date = "d1"', 'when = "d1"'), 1, r"event\.0\.when"),
    "event without company": (GOOD.replace('company = "c1"\n', ""), 1, r"event\.0\.company"),
    "event type unknown": (GOOD.replace('"financing"', '"merger"'), 1, r"event\.0\.type"),
    "role unknown": (GOOD.replace('"lead"', '"angel"'), 1, r"investors\.0\.role"),
    "published no date": (GOOD.replace("2026-03-12", "2026-02-30"), 1, "is no date"),
    "unclosed mark": (GOOD.replace("Lettre](", "Lettre("), 16, "unclosed"),
    "unclosed last mark": (GOOD + "[Alpha", 17, "an unclosed mark"),
    "mark in a mark": (GOOD.replace("[Ovalie]", "[[Ovalie]"), 13, "mark inside a mark"),
    "stray bracket": (GOOD.replace("Elle vaut", "Elle] vaut"), 16, "closes nothing"),
    "stray backslash": (GOOD.replace("Elle vaut", "Elle\\ vaut"), 16, "backslash"),
    "backslash in a mark": (GOOD.replace("[Ovalie]", "[Oval\\ie]"), 13, "backslash"),
    "backslash at the end": (GOOD + "\\", 17, "backslash"),
    "no attributes": (GOOD + "[Alpha] suit", 17, "needs"),
    "attributes not closed": (GOOD + "[Alpha](ORG o1", 17, "needs"),
    "empty mark": (GOOD + "[](ORG o1)", 17, "empty"),
    "space at the edge": (GOOD + "[Alpha ](ORG o1)", 17, "space at its edge"),
    "no label": (GOOD + "[Alpha]()", 17, "unknown label"),
    "label unknown": (GOOD + "[Alpha](FIRM o1)", 17, "unknown label 'FIRM'"),
    "label small": (GOOD + "[Alpha](org o1)", 17, "unknown label 'org'"),
    "no id": (GOOD + "[Alpha](ORG)", 17, "needs an id"),
    "flag for an id": (GOOD + "[Alpha](ORG nom)", 17, "needs an id"),
    "id with a capital": (GOOD + "[Alpha](ORG O1)", 17, "needs an id"),
    "flag unknown": (GOOD + "[Alpha](ORG o1 big)", 17, "ORG takes no big"),
    "flag of another label": (GOOD + "[Alpha](ORG o1 inferred)", 17, "ORG takes no inferred"),
    "key of another label": (GOOD + "[Alpha](ORG o1 value=3)", 17, "ORG takes no value"),
    "flag twice": (GOOD + "[Alpha](ORG o1 nom nom)", 17, "given twice"),
    "key twice": (
        GOOD + "[1 €](AMOUNT a9 value=1 value=1 currency=EUR kind=other)",
        17,
        "given twice",
    ),
    "sum without value": (GOOD + "[1 €](AMOUNT a9 currency=EUR kind=other)", 17, "value="),
    "sum with value and max": (
        GOOD + "[1 €](AMOUNT a9 value=1 max=2 currency=EUR kind=other)",
        17,
        "value=",
    ),
    "value no number": (
        GOOD + "[1 €](AMOUNT a9 value=un currency=EUR kind=other)",
        17,
        "plain decimal",
    ),
    "value not finite": (
        GOOD + "[1 €](AMOUNT a9 value=NaN currency=EUR kind=other)",
        17,
        "plain decimal",
    ),
    "sum without currency": (GOOD + "[1 €](AMOUNT a9 value=1 kind=other)", 17, "currency="),
    "currency no code": (
        GOOD + "[1 €](AMOUNT a9 value=1 currency=euro kind=other)",
        17,
        "ISO 4217",
    ),
    "amount without kind": (GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR)", 17, "kind="),
    "kind unknown": (GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR kind=gift)", 17, "kind="),
    "valuation with kind": (
        GOOD + "[1 €](VALUATION v9 value=1 currency=EUR kind=deal)",
        17,
        "VALUATION takes no kind",
    ),
    "qualifier unknown": (
        GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR qualifier=about kind=other)",
        17,
        "qualifier 'about'",
    ),
    "qualifier range without range": (
        GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR qualifier=range kind=other)",
        17,
        "qualifier 'range'",
    ),
    "date no date": (GOOD + "[mai](DATE d9 value=mai)", 17, "'mai' is no date"),
    "date off the calendar": (GOOD + "[mai](DATE d9 value=2026-13)", 17, "is no date"),
    # what the text contradicts
    "another value": (GOOD.replace("value=12000000", "value=13000000"), 13, "'12 M€' is 12000000"),
    "another scale": (GOOD.replace("value=12000000", "value=12000"), 13, "'12 M€' is 12000000"),
    "another currency": (
        GOOD.replace("value=12000000 currency=EUR", "value=12000000 currency=USD"),
        13,
        "'12 M€' says EUR",
    ),
    "no sum at all": (
        GOOD + "[des milliards](AMOUNT a9 value=1000000000 currency=EUR kind=other)",
        17,
        "no sum of money",
    ),
    "another range": (
        GOOD + "[10 à 15 M€](AMOUNT a9 min=10000000 max=16000000 currency=EUR kind=other)",
        17,
        "10000000 to 15000000",
    ),
    "a range that falls": (
        GOOD + "[10 à 15 M€](AMOUNT a9 min=15000000 max=10000000 currency=EUR kind=other)",
        17,
        "does not rise",
    ),
    "a range of another currency": (
        GOOD + "[10 à 15 M€](AMOUNT a9 min=10000000 max=15000000 currency=USD kind=other)",
        17,
        "says EUR",
    ),
    "another year": (GOOD.replace("value=2023-05", "value=2024-05"), 15, "says 2023"),
    # ids
    "company dangles": (GOOD.replace('company = "c1"', 'company = "c2"'), 3, "company: no mention"),
    "amount dangles": (GOOD.replace('amount = "a1"', 'amount = "a8"'), 3, "amount: no mention"),
    "investor dangles": (GOOD.replace('ref = "i1"', 'ref = "i8"'), 3, "investors: no mention"),
    "investor no INVESTOR": (GOOD.replace('ref = "i1"', 'ref = "m1"'), 3, "INVESTOR"),
    "share dangles": (GOOD.replace('amount = "a2"', 'amount = "a8"'), 3, r"investors\.amount"),
    "tranche dangles": (GOOD.replace('amount = "a3"', 'amount = "a8"'), 3, r"components\.amount"),
    "worth dangles": (GOOD.replace('ref = "v1"', 'ref = "v8"'), 3, "valuations: no mention"),
    "source dangles": (GOOD.replace('["m1"]', '["m8"]'), 3, "sources: no mention"),
    "date dangles": (GOOD.replace('date = "d1"', 'date = "d8"'), 3, "date: no mention"),
    "date without value": (GOOD.replace(" value=2023-05", ""), 3, "needs value="),
    "amount of another kind": (
        GOOD.replace('amount = "a1"', 'amount = "a3"'),
        3,
        "amount: a3 is kind=component",
    ),
    "total of another kind": (
        GOOD.replace('date = "d1"\n', 'date = "d1"\ntotal_raised = "a1"\n'),
        3,
        "total_raised: a1 is kind=deal",
    ),
    "also dangles": (
        GOOD + "[1 $](AMOUNT a9 value=1 currency=USD kind=other also=a8)",
        17,
        "also: no mention",
    ),
    "deal not used": (
        GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR kind=deal)",
        17,
        "no event uses it",
    ),
    "component not used": (
        GOOD + "[1 €](AMOUNT a9 value=1 currency=EUR kind=component)",
        17,
        "no event uses it",
    ),
    "company of no event": (GOOD + "[Alpha](COMPANY c9)", 17, "no event's company"),
    "only described": (GOOD + "[le groupe](ORG o9 nom)", 17, "only 'nom' mentions"),
    "two sorts under one id": (GOOD + "[Alpha](ORG a1)", 17, "is both"),
    "two sums under one id": (
        GOOD + "[13 M€](AMOUNT a1 value=13000000 currency=EUR kind=deal)",
        17,
        "different values",
    ),
    "two ranges under one id": (
        GOOD
        + "[1 à 2 €](AMOUNT a9 min=1 max=2 currency=EUR kind=other)\n"
        + "[1 à 3 €](AMOUNT a9 min=1 max=3 currency=EUR kind=other)",
        18,
        "different values",
    ),
    "two dates under one id": (GOOD + "[juin 2023](DATE d1 value=2023-06)", 17, "different values"),
}


@pytest.mark.parametrize(("source", "line", "message"), ERRORS.values(), ids=ERRORS)
def test_a_mistake_is_an_error_with_file_and_line(source: str, line: int, message: str) -> None:
    assert source != GOOD
    with pytest.raises(MarkupError, match=message) as caught:
        parse(source, path="folder/x.md")
    assert (caught.value.path, caught.value.line) == ("folder/x.md", line)
    assert str(caught.value).startswith(f"folder/x.md:{line}: ")


def test_the_line_is_that_of_the_event() -> None:
    second = '[[event]]\ntype = "ipo"\ncompany = "c1"\ndate = "d8"\n+++\n'
    head, _, body = GOOD.rpartition("+++\n")
    with pytest.raises(MarkupError, match="date: no mention") as caught:
        parse(head + second + body)
    assert caught.value.line == 12


@pytest.mark.parametrize(
    "mark",
    [
        # what the context supplies is no contradiction
        "[40](AMOUNT a9 value=40000000 currency=EUR inferred kind=other)",
        "[3,7 milliards](AMOUNT a9 value=3700000000 currency=USD inferred kind=other)",
        "[40 à 45](AMOUNT a9 min=40000000 max=45000000 currency=EUR inferred kind=other)",
        "[10 millions de francs](AMOUNT a9 value=10000000 currency=CHF kind=other)",
        "[12 millions](AMOUNT a9 value=12000000 currency=none kind=other)",
        "[12 millions](AMOUNT a1 value=12000000 currency=EUR inferred kind=deal)",
        "[13 M$](AMOUNT a9 value=13000000 currency=USD kind=deal also=a1)",
        "[hier](DATE value=none)",
        "[fin 2023](DATE value=2023)",
        "[l'exercice 2023-2024](DATE value=2023/2024)",
        "[l'hiver 2023](DATE value=2023-24)",
        "[le fonds](INVESTOR i1 nom)",
        "[Garonne](ORG i1)",
        "[des proches](INVESTOR i9 unnamed)",
        "[série B](ROUND)",
    ],
)
def test_what_is_right_passes(mark: str) -> None:
    text = mark[1 : mark.index("]")]
    assert parse(GOOD + mark).mentions[-1].text == text


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.md").write_bytes(b"+++\n+++\nUn\r\n[Alpha](ORG o1)")
    (tmp_path / "a.md").write_text("+++\n+++\nDeux", encoding="utf-8")
    (tmp_path / "c.txt").write_text("Trois", encoding="utf-8")
    articles = parse_folder(tmp_path)
    assert [article.text for article in articles] == ["Deux", "Un\r\nAlpha"]
    assert articles[1].path == (tmp_path / "b" / "1.md").as_posix()
    (tmp_path / "a.md").write_text("+++\n+++\n]", encoding="utf-8")
    with pytest.raises(MarkupError, match=r"a\.md:3: "):
        parse_file(tmp_path / "a.md")


# ---- printing ---------------------------------------------------------------------------------


def test_printing_gives_the_notation() -> None:
    source = (
        '+++\nwriter = "w1"\n[[event]]\ntype = "financing"\ncompany = "c1"\n'
        'components = [{amount = "a3", instrument = "debt"}, {amount = "a4"}]\n'
        'investors = [{ref = "i1", role = "lead", returning = true}]\nsources = ["m1"]\n'
        "+++\n[A\\]](COMPANY c1) et [le \\[groupe\\]](COMPANY c1 nom) en [2023](DATE value=2023) : "
        "[1 à 2 €](AMOUNT a1 min=1 max=2 currency=EUR kind=other), "
        "[3](AMOUNT a2 inferred value=3 currency=none qualifier=at_most kind=other).\n"
        "[1 €](AMOUNT a3 value=1 currency=EUR kind=component) "
        "[2 €](AMOUNT a4 value=2 currency=EUR kind=component) [B](INVESTOR i1) [L](MEDIA m1)"
    )
    assert render(parse(source)) == source


def test_printing_is_the_inverse_on_the_seeds(seeds: Sequence[GoldArticle]) -> None:
    assert len(seeds) == 5
    for article in seeds:
        assert same(parse(render(article))) == same(article)


def test_printing_is_the_inverse_on_training_text(train: Sequence[GoldArticle]) -> None:
    for article in train[::7]:
        assert same(parse(render(article))) == same(article)


NAME_TEXT = st.text(min_size=1, max_size=12).filter(lambda text: text == text.strip())
FREE_TEXT = st.text(max_size=15)
SUMS = st.sampled_from(
    [
        ("12 M€", Decimal(12000000), None, "EUR"),
        ("deux milliards de dollars", Decimal(2000000000), None, "USD"),
        ("40", Decimal(40000000), None, None),
        ("10 à 15 M€", Decimal(10000000), Decimal(15000000), "EUR"),
    ]
)


@st.composite
def money(draw: st.DrawFn, label: Label, id_: str, kind: AmountKind | None) -> dict[str, object]:
    text, value, maximum, currency = draw(SUMS)
    qualifiers = [q for q in Qualifier if q is not Qualifier.RANGE]
    return {
        "label": label,
        "id": id_,
        "text": text,
        "value": value if maximum is None else None,
        "minimum": None if maximum is None else value,
        "maximum": maximum,
        "currency": currency,
        "qualifier": draw(st.sampled_from(qualifiers)) if maximum is None else Qualifier.RANGE,
        "inferred": draw(st.booleans()),
        "kind": kind,
    }


@st.composite
def articles(draw: st.DrawFn) -> GoldArticle:
    """Articles with one event that uses every sort of mention, and arbitrary text around."""
    marks: list[dict[str, object]] = [
        {"label": Label.COMPANY, "id": "c1", "text": draw(NAME_TEXT)},
        {"label": Label.COMPANY, "id": "c1", "text": draw(NAME_TEXT), "nom": draw(st.booleans())},
        {"label": Label.INVESTOR, "id": "i1", "text": draw(NAME_TEXT)},
        {"label": Label.INVESTOR, "id": "i2", "text": draw(NAME_TEXT), "unnamed": True},
        {"label": Label.MEDIA, "id": "m_1", "text": draw(NAME_TEXT)},
        {"label": Label.DATE, "id": "d1", "text": "mai", "date": "2026-05", "has_date": True},
        {"label": Label.DATE, "id": None, "text": draw(NAME_TEXT), "has_date": True},
        {"label": Label.DATE, "id": None, "text": draw(NAME_TEXT)},
        {"label": Label.ROUND, "id": None, "text": draw(NAME_TEXT)},
        draw(money(Label.AMOUNT, "a1", AmountKind.DEAL)),
        draw(money(Label.AMOUNT, "a2", AmountKind.COMPONENT)),
        draw(money(Label.AMOUNT, "a3", AmountKind.OTHER)),
        {**draw(money(Label.AMOUNT, "a4", AmountKind.OTHER)), "also": "a1"},
        draw(money(Label.VALUATION, "v1", None)),
    ]
    text = draw(FREE_TEXT)
    mentions = []
    for mark in draw(st.permutations(marks)):
        start = len(text)
        said = str(mark["text"])
        text += said
        mentions.append(GoldMention(**mark, start=start, end=len(text), line=0))  # type: ignore[arg-type]
        text += draw(FREE_TEXT)
    event = GoldEvent(
        type=draw(st.sampled_from(EventType)),
        focus=draw(st.sampled_from(Focus)),
        status=draw(st.sampled_from(Status)),
        certainty=draw(st.sampled_from(Certainty)),
        company="c1",
        amount="a1",
        components=(
            GoldComponent(amount="a2", instrument=draw(st.sampled_from(Instrument)), timing="d1"),
        ),
        valuations=(GoldValuation(ref="v1", basis=draw(st.sampled_from(Basis))),),
        investors=(
            GoldInvestor(
                ref="i1",
                role=draw(st.sampled_from(InvestorRole)),
                commitment=draw(st.sampled_from(Commitment)),
                returning=draw(st.sampled_from([None, True, False])),
            ),
            GoldInvestor(ref="i2"),
        ),
        round=draw(st.sampled_from([None, *RoundName])),
        date=draw(st.sampled_from([None, "d1"])),
        sources=("m_1",),
    )
    head = GoldHead(
        published=draw(st.sampled_from([None, "2026", "2026-03", "2026-03-12"])),
        writer=draw(st.none() | FREE_TEXT),
        phenomena=tuple(draw(st.lists(FREE_TEXT, max_size=2))),
        event=(event,),
    )
    return GoldArticle("", text, head, tuple(mentions))


@given(articles())
def test_printing_is_the_inverse(article: GoldArticle) -> None:
    assert same(parse(render(article))) == article


# ---- the files that were marked by hand -------------------------------------------------------


def test_a_stripped_seed_is_its_article_byte_for_byte(
    root: Path, seeds: Sequence[GoldArticle]
) -> None:
    stripped = {Path(article.path).stem: article.text.encode() for article in seeds}
    assert stripped == {path.stem: path.read_bytes() for path in (root / "seeds").glob("*.txt")}


@pytest.mark.parametrize("reader", ["a", "b"])
def test_both_passes_are_well_formed(root: Path, reader: str) -> None:
    passes = parse_folder(root / "annotations" / "passes" / reader)
    assert {Path(article.path).stem: article.text.encode() for article in passes} == {
        path.stem: path.read_bytes() for path in (root / "seeds").glob("*.txt")
    }
    assert all(article.events and article.mentions for article in passes)


def test_a_fifth_of_the_training_text_has_no_deal(train: Sequence[GoldArticle]) -> None:
    without = sum(1 for article in train if not article.events)
    assert len(train) >= 150
    assert 0.15 < without / len(train) < 0.4
