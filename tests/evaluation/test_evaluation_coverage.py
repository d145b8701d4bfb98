"""Coverage of a corpus: what is there, what is thin, and the phenomena that must be there."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from handmade import NO_DEAL, SOURCE

from evaluation import coverage, phenomena
from evaluation.coverage import LEAST, LEAST_DEALS
from evaluation.phenomena import MARKS
from evaluation.sets import ANNOTATIONS, ROOT
from evaluation.tables import Table
from pipeline.markup import GoldArticle, parse, parse_folder


def headed(source: str, **head: str) -> GoldArticle:
    lines = "".join(f"{key} = {value}\n" for key, value in head.items())
    return parse(source.replace("+++\n", f"+++\n{lines}", 1))


def table(articles: list[GoldArticle], title: str) -> Table:
    (found,) = [one for one in coverage.tables(articles) if one.title.startswith(title)]
    return found


def row(articles: list[GoldArticle], title: str, *begin: str) -> tuple[str, ...]:
    rows = [tuple(map(str, one)) for one in table(articles, title).rows]
    (found,) = [one for one in rows if one[: len(begin)] == begin]
    return found


ARTICLES = [
    headed(SOURCE, writer='"w1"', desk='"regional"', phenomena='["lead", "ellipsis", "odd"]'),
    headed(NO_DEAL, writer='"w1"', phenomena='["homonym"]'),
]


def test_sizes() -> None:
    assert row(ARTICLES, "Sizes", "all") == ("all", "2", "16", "1", "5", "1 (50%)")


def test_every_value_of_every_field_and_which_are_thin() -> None:
    assert row(ARTICLES, "Every value", "investor role", "lead")[2:] == ("1", "thin")
    assert row(ARTICLES, "Every value", "investor role", "seller")[2:] == ("0", "thin")
    assert row(ARTICLES, "Every value", "label", "COMPANY")[2:] == ("2", "thin")
    many = ARTICLES[:1] * LEAST
    assert row(many, "Every value", "investor role", "lead")[2:] == (str(LEAST), "")


def test_types_by_desk_and_currency_and_which_are_thin() -> None:
    many = ARTICLES[:1] * (LEAST_DEALS - 1)
    by_desk = table(many, "Deals: type by desk")
    assert by_desk.header == ("type", "regional", "all", "")
    assert row(many, "Deals: type by desk", "financing")[1:] == ("39", "39", "thin")
    assert row([*many, ARTICLES[0]], "Deals: type by desk", "financing")[1:] == ("40", "40", "")
    assert row(many, "Deals: type by desk", "ipo")[1:] == ("0", "0", "thin")
    assert table(many, "Deals: type by currency").header == ("type", "EUR", "all", "")


def test_rare_columns_and_rows_are_folded() -> None:
    swiss = headed(SOURCE.replace("EUR", "CHF").replace("euros", "francs suisses"), desk='"radio"')
    dollars = headed(SOURCE.replace("EUR", "USD").replace("d'euros", "de dollars"))
    articles = [*ARTICLES[:1] * LEAST, swiss, dollars]
    assert table(articles, "Deals: type by desk").header[1:] == (
        "regional",
        "others (2)",
        "all",
        "",
    )
    assert row(articles, "Deals: type by currency", "financing")[1:] == ("20", "2", "22", "thin")
    assert table(articles, "Currencies").rows == [("EUR", "20"), ("others (2)", "2")]
    assert table(articles, "Tags of no").rows == [("odd", "20")]


def test_a_phenomenon_is_told_by_tags_or_seen_in_marks() -> None:
    lead = "lead verbs and their scope"
    title = "Phenomena: passages with a deal"
    assert row(ARTICLES, title, lead) == (lead, "1", "1", "1", "1", "0", "0", "0", "0", "thin")
    untagged = headed(SOURCE, desk='"radio"')
    assert row([*ARTICLES, untagged], title, lead)[1:5] == ("1", "2", "2", "2")
    homonyms = row(ARTICLES, title, "homonyms")
    assert homonyms == ("homonyms", "1", "—", "1", "0", "0", "0", "0", "0", "thin")
    by_desk = row([*ARTICLES, untagged], "Phenomena: passages by desk", lead)
    assert by_desk[3:] == ("2", "0", "1", "1", "thin")
    assert row(ARTICLES[:1] * LEAST, title, lead)[-1] == ""


@pytest.fixture(scope="module")
def tags() -> set[str]:
    train = parse_folder(ROOT / ANNOTATIONS / "train")
    return {tag for article in train for tag in article.head.phenomena}


def test_every_pattern_stands_for_a_tag_that_writers_used(tags: set[str]) -> None:
    dead = [
        f"{one.name}: {pattern}"
        for one in phenomena.read()
        for pattern in one.tags
        if not any(fnmatchcase(tag, pattern) for tag in tags)
    ]
    assert dead == []


def test_phenomena_are_told_apart_and_every_test_of_marks_is_used() -> None:
    listed = phenomena.read()
    assert len({one.name for one in listed}) == len(listed) >= 30
    assert sorted(one.marks for one in listed if one.marks) == sorted(MARKS)


EVENT = '[[event]]\ntype = "financing"\ncompany = "c1"\n'


def body(text: str, head: str = "") -> GoldArticle:
    return parse(f"+++\n{head}+++\n{text}")


def amount(text: str, value: str, *flags: str) -> GoldArticle:
    words = ("AMOUNT", "a1", *flags, f"value={value}", "currency=EUR", "kind=other")
    return body(f"[{text}]({' '.join(words)})")


def test_sums_that_show_a_phenomenon() -> None:
    plain = amount("12 M€", "12000000")
    for marks, shown in {
        "bare number": amount("12", "12000000", "inferred"),
        "no digit": amount("douze millions d'euros", "12000000"),
        "glued unit": amount("12M€", "12000000"),
        "grouped digits": amount("12.000.000 euros", "12000000"),
    }.items():
        assert MARKS[marks](shown)
        assert not MARKS[marks](plain)
    assert not MARKS["grouped digits"](amount("12,5 euros", "12.5"))


@pytest.mark.parametrize("name", ["B2Grain", "Pain & Cie", "Ÿmérance", "AZUR PATRIMOINE", "xgo"])
def test_odd_names(name: str) -> None:
    assert MARKS["odd name"](body(f"[{name}](ORG o1) dort."))
    assert not MARKS["odd name"](body("[Novalune](ORG o1) et [BNP](ORG o2) dorment."))


def test_deals_that_show_a_phenomenon() -> None:
    both = EVENT + 'focus = "background"\ndate = "d1"\n' + EVENT + 'date = "d2"\n'
    text = "[Novalune](COMPANY c1) en [2024](DATE d1 value=2024), en [2025](DATE d2 value=2025)."
    assert MARKS["earlier deal"](body(text, both))
    assert not MARKS["earlier deal"](body(text, both.replace("background", "main")))
    two = EVENT + 'investors = [{ref = "i1", role = "lead"}, {ref = "i2", role = "lead"}]\n'
    backed = "[Novalune](COMPANY c1), [Ad](INVESTOR i1), [Be](INVESTOR i2)."
    assert MARKS["several leads"](body(backed, two))
    assert not MARKS["several leads"](body(backed, two.replace("lead", "lender", 1)))
    assert MARKS["lender"](body(backed, two.replace("lead", "lender", 1)))
    assert MARKS["package"](body(backed, two + 'instrument = "mixed"\n'))
    assert not MARKS["package"](body(backed, two + 'instrument = "debt"\n'))
