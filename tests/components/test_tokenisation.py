"""Tokens: sums, glued sentences and names stand apart, and every gold mark is a span."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import spacy
from clock import cost
from spacy.language import Language

from pipeline.corpus import example
from pipeline.errors import MarkupError
from pipeline.markup import GoldArticle, parse

CASES = {
    # sums with their sign glued on, and what stands behind them
    "levé 100M$.": "levé 100M$ .",
    "levé 1.5M€.": "levé 1.5M€ .",
    "de 5M€-10M€": "de 5M€ - 10M€",
    "335M$/293M€ (soit": "335M$ / 293M€ ( soit",
    "335M$/293M€(soit": "335M$ / 293M€ ( soit",
    "20 M€(soit 22 M$)": "20 M€ ( soit 22 M$ )",
    "2,5Md€, puis": "2,5Md€ , puis",
    "3M€;": "3M€ ;",
    "(20M€).": "( 20M€ ) .",
    "20M€/an": "20M€ / an",
    "10-15 M€": "10 - 15 M€",
    "10–15 M€": "10 – 15 M€",
    "€5m": "€ 5 m",
    "$100m.": "$ 100 m .",
    "US$100": "US$ 100",
    "~3M€": "~ 3M€",
    ">1Md€": "> 1Md€",
    "12%": "12 %",
    "d'1,9 million": "d' 1,9 million",
    "d’1,9 million": "d’ 1,9 million",
    # sentences that were glued when the page was collected
    "la voiture.Cette année": "la voiture . Cette année",
    "fin 2025.La société": "fin 2025 . La société",
    "5 M€.La société": "5 M€ . La société",
    "10%.Le fonds": "10% . Le fonds",
    "chez IBM.Elle part": "chez IBM . Elle part",
    "vraiment!Le fonds": "vraiment ! Le fonds",
    "Lyon).Elle part": "Lyon ) . Elle part",
    "la voiture.« Oui »": "la voiture . « Oui »",
    "« Oui ».Le fonds": "« Oui » . Le fonds",
    "«Oui.»Le fonds": "« Oui . » Le fonds",
    "(Il part.)Elle reste": "( Il part . ) Elle reste",
    "(Tom Jones)--Le fonds": "( Tom Jones ) -- Le fonds",
    # names
    "l'ex-Thales": "l' ex- Thales",
    "ex-Thales": "ex- Thales",
    "l'agence Moody's.": "l' agence Moody' s .",
    "avec DeepL.": "avec DeepL .",
    "«Alpha»": "« Alpha »",
    "“Alpha”": "“ Alpha ”",
    "qu'OpenAI": "qu' OpenAI",
    "Musk(X)": "Musk ( X )",
    "[L'entreprise]": "[ L' entreprise ]",
    "en série B.": "en série B .",
    "lève $12M.": "lève $ 12M .",
    "qu’Alpha.io lève": "qu’ Alpha.io lève",
    "d'Alpha.io": "d' Alpha.io",
    "s'associe": "s' associe",
    # what stays whole
    "X.AI lève": "X.AI lève",
    "Booking.com lève": "Booking.com lève",
    "aujourd'hui": "aujourd'hui",
    "vis-à-vis": "vis-à-vis",
    "post-money": "post-money",
    "M. Dupont": "M. Dupont",
    "etc. Le": "etc. Le",
    "1,9 et 1.500.000": "1,9 et 1.500.000",
    "www.alpha.fr": "www.alpha.fr",
    "jean@alpha.fr": "jean@alpha.fr",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES)
def test_tokens(blank: Language, text: str, expected: str) -> None:
    assert [token.text for token in blank(text)] == expected.split()


@pytest.mark.parametrize("elided", ["d’", "l'", "qu’", "Qu'", "s’", "lorsqu’"])
def test_an_elided_word_is_never_part_of_the_name_behind_it(
    blank: Language, root: Path, elided: str
) -> None:
    lists = sorted((root / "annotations" / "names").glob("*.txt"))
    names = [name for path in lists for name in path.read_text("utf-8").splitlines()]
    open_names = [name for name in names if name[:1] and name[0] in "AEIOUÉÈÊÀÎÔaeiouéèêàîô"]
    assert len(open_names) > 1000
    for name in open_names:
        doc = blank(elided + name)
        assert doc.char_span(len(elided), len(doc.text)) is not None, name


def test_no_character_is_lost(blank: Language) -> None:
    for text in ["", " ", "\n", *CASES, " \u00a0\r\n".join(CASES)]:
        assert blank(text).text == text


RUNS = ["(", "%", "«", "…", "_", "l'", "😀", "€(", "l'«"]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_without_a_space_costs_as_its_length(blank: Language, run: str) -> None:
    short, long = (
        min(cost(blank.tokenizer, run * (length // len(run))) for _ in range(3))
        for length in (2_000, 16_000)
    )
    assert long < 8 * 3 * short + 0.01  # a quadratic step takes 64 times as long


@pytest.mark.parametrize("length", [256, 257, 320, 321, 1000])
def test_a_run_is_cut_and_nothing_around_it(blank: Language, length: int) -> None:
    text = f"Elle lève  {'a' * length} 5M€.\n{'b' * length}\nFin"
    tokens = [token.text for token in blank(text)]
    assert blank(text).text == text
    rest = [token for token in tokens if token.strip("ab")]
    assert rest == ["Elle", "lève", " ", "5M€", ".", "\n", "\n", "Fin"]
    assert (tokens.count("a" * length) == 1) is (length < 257)
    assert length < 257 or max(map(len, tokens)) == 64


def _tokens(nlp: Language) -> list[list[str]]:
    return [[token.text for token in nlp(text)] for text in CASES]


def test_round_trip_to_disk(blank: Language, tmp_path: Path) -> None:
    blank.to_disk(tmp_path)
    assert _tokens(spacy.load(tmp_path)) == _tokens(blank)


def test_round_trip_to_bytes(blank: Language) -> None:
    plain = spacy.blank("fr")
    assert _tokens(plain) != _tokens(blank)
    assert _tokens(plain.from_bytes(blank.to_bytes())) == _tokens(blank)


def test_every_gold_mark_is_a_span(
    blank: Language, seeds: Sequence[GoldArticle], train: Sequence[GoldArticle]
) -> None:
    """Warnings are errors here, so a dropped entity (W030) would fail too."""
    cut = []
    for article in [*seeds, *train]:
        doc = blank.make_doc(article.text)
        cut += [
            f"{article.path}:{mark.line}: {mark.text!r}"
            for mark in article.mentions
            if doc.char_span(mark.start, mark.end) is None
        ]
    assert len(train) > 150
    assert not cut


def test_a_mark_that_cuts_a_token_is_an_error(blank: Language) -> None:
    article = parse("+++\n+++\nFin.\nLe groupe [Alp](ORG o1)ha.", path="x.md")
    with pytest.raises(MarkupError, match=r"x\.md:4: the mark 'Alp' cuts a token"):
        example(blank, article)


def test_a_mark_becomes_an_entity(blank: Language) -> None:
    article = parse("+++\n+++\nLe groupe [Alpha](ORG o1).[Bêta](ORG o2) suit.")
    made = example(blank, article)
    assert [(e.text, e.label_) for e in made.reference.ents] == [("Alpha", "ORG"), ("Bêta", "ORG")]
