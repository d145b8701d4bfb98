"""What holds of any text: nothing raises, offsets hold, the output fits its schema, time is linear.

``python -m pytest tests/test_properties.py --hypothesis-profile=thorough`` looks much farther.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import jsonschema
import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from clock import cost
from hypothesis import example, given
from hypothesis import strategies as st
from num2words import num2words
from pydantic import BaseModel
from spacy.language import Language
from texts import BROKEN, CHARACTERS, DEALS, ODD, TEXTS

import pipeline
from pipeline.errors import InputError, MarkupError
from pipeline.library import Reading, read_each
from pipeline.markup import parse, render
from pipeline.normalise.dates import find_dates, parse_date
from pipeline.normalise.money import find_money, parse_money
from pipeline.normalise.names import Name, slug, unite, words
from pipeline.normalise.unicode import compose
from pipeline.schema import Article, Event, TypedMention
from pipeline.writer import event_json, mention_json

# ---- the whole reader -------------------------------------------------------------------------

_PUBLISHED = st.sampled_from([None, "2026", "2026-01", "2026-01-20", "0001", "9999-12-31"])


def schemas(model: type[BaseModel]) -> Sequence[jsonschema.Draft202012Validator]:
    """The schema that is published, and the one of what is written, which is narrower."""
    return [
        jsonschema.Draft202012Validator(model.model_json_schema(mode=mode))
        for mode in ("validation", "serialization")
    ]


_EVENT = schemas(Event)
_MENTION = schemas(TypedMention)


def stretches(value: object) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of every mention inside a JSON value."""
    if isinstance(value, dict):
        if {"start", "end", "text"} <= value.keys():
            yield value["start"], value["end"], value["text"]
        for part in value.values():
            yield from stretches(part)
    elif isinstance(value, list):
        for part in value:
            yield from stretches(part)


def read(nlp: Language, text: str, published: str | None = None) -> Reading:
    article = Article(id="any", sha256="0" * 64, text=text, published=published)
    (reading,) = read_each(nlp, [article])
    if isinstance(reading, InputError):
        raise reading
    return reading


def assert_sound(text: str, reading: Reading) -> None:
    """Whatever was read can be written, fits the schema, and stands in the text where it says."""
    lines = [
        *((event_json(event), _EVENT) for event in reading.events),
        *((mention_json(mention), _MENTION) for mention in reading.mentions),
    ]
    for line, validators in lines:
        assert len(line.splitlines()) == 1
        row = json.loads(line.encode("utf-8"))
        for validator in validators:
            validator.validate(row)
        for start, end, said in stretches(row):
            assert text[start:end] == said
    ids = [event.id for event in reading.events]
    assert len(set(ids)) == len(ids)


@given(TEXTS | BROKEN, _PUBLISHED)
def test_any_text_is_read_and_what_is_read_is_sound(
    nlp: Language, text: str, published: str | None
) -> None:
    assert_sound(text, read(nlp, text, published))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:30])
def test_odd_characters_around_and_inside_a_deal(nlp: Language, odd: str) -> None:
    said = "Ovalie Robotics lève 12 millions d'euros auprès de Fonds Garonne. "
    whole = read(nlp, said)
    assert len(whole.events) == 1
    cut = said.index("ions d'")
    for text in (odd + said, said + odd, said[:cut] + odd + said[cut:], f"{said}{odd} {said}"):
        assert_sound(text, read(nlp, text))


def test_the_words_that_chance_mixes_tell_deals(nlp: Language) -> None:
    """Else the property above would hold of nothing."""
    reading = read(nlp, DEALS)
    assert_sound(DEALS, reading)
    assert len(reading.events) > 1
    assert len(reading.mentions) > 10


# ---- JSONL ------------------------------------------------------------------------------------

_ANY = st.text(st.characters(), max_size=20)


@given(_ANY, _ANY, _ANY, _ANY)
def test_no_field_of_an_article_ends_its_line(
    nlp: Language, id_: str, title: str, outlet: str, url: str
) -> None:
    (event,) = read(nlp, "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne.").events
    fields = {"id": id_, "title": title, "outlet": outlet, "url": url}
    line = event_json(event.model_copy(update={"article": event.article.model_copy(update=fields)}))
    assert len(line.splitlines()) == 1
    back = json.loads(line.encode("utf-8"))["article"]
    assert {name: back[name] for name in fields} == fields


_BYTES = st.one_of(
    st.sampled_from([text.encode() for text in (*ODD, *DEALS.split())]),
    st.sampled_from(
        [
            b'{"text": "',
            b'", "id": "',
            b'", "published": "',
            b'"}\n',
            b"\\ud800",
            b"\\u2028",
            b"\\n",
        ]
    ),
    st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"[" * 5000]),
    st.binary(max_size=8),
)


@given(st.lists(_BYTES, max_size=12).map(b"".join), st.sampled_from([".txt", ".md", ".jsonl"]))
def test_any_bytes_are_an_article_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    file.write_bytes(data)
    items = list(pipeline.read_articles(file))
    assert items
    for item in items:
        assert isinstance(item, Article | InputError)
        if isinstance(item, Article):
            assert item.text.encode("utf-8")
        else:
            assert item.path == file.as_posix()


# ---- the normalisers --------------------------------------------------------------------------


@given(TEXTS | BROKEN, _PUBLISHED)
def test_the_normalisers_take_any_string(text: str, published: str | None) -> None:
    for found in (find_money(text), find_dates(text, published)):
        end = 0
        for span in found:
            assert end <= span.start < span.end <= len(text)
            end = span.end
    for alone in (parse_money(text), parse_date(text, published)):
        assert alone is None or 0 <= alone.start < alone.end <= len(text)
    assert slug(text).isascii()
    assert unite([Name(text, "ORG"), Name(text, "ORG")]) == [0, 0]
    composed = compose(text)
    assert composed.original(0, len(composed.text)) == (0, len(text))


_CURRENCIES = {"EUR": "d'euros", "USD": "de dollars", "CHF": "de francs suisses", "JPY": "de yens"}


@given(st.integers(1, 10**13), st.sampled_from(sorted(_CURRENCIES)))
def test_a_sum_in_figures_is_read_as_it_was_printed(value: int, currency: str) -> None:
    """The Unicode CLDR says how France prints a sum."""
    text = format_currency(value, currency, locale="fr_FR")
    found = parse_money(text)
    assert found is not None
    assert (found.value, found.currency, found.end) == (value, currency, len(text))


@given(
    st.integers(11, 99_999),
    st.sampled_from([("millions", 10**6), ("milliards", 10**9)]),
    st.sampled_from(sorted(_CURRENCIES)),
)
def test_millions_with_a_fraction_stay_exact(
    tenths: int, scale: tuple[str, int], currency: str
) -> None:
    figures = format_decimal(Decimal(tenths) / 10, locale="fr_FR")
    found = parse_money(f"{figures} {scale[0]} {_CURRENCIES[currency]}")
    assert found is not None
    assert (found.value, found.currency) == (tenths * scale[1] // 10, currency)


@given(st.integers(2, 999_999))
def test_a_sum_in_words_is_read_as_it_was_printed(value: int) -> None:
    found = parse_money(f"{num2words(value, lang='fr')} euros")
    assert found is not None
    assert (found.value, found.currency) == (value, "EUR")


@given(
    st.dates(date(1950, 1, 1), date(2049, 12, 31)),
    st.sampled_from(["d MMMM y", "EEEE d MMMM y", "dd/MM/y", "d MMM y", "y-MM-dd"]),
)
def test_a_day_is_read_as_it_was_printed(day: date, form: str) -> None:
    text = format_date(day, form, locale="fr_FR")
    found = parse_date(text)
    assert found is not None
    assert (found.value, found.first, found.last) == (str(day), str(day), str(day))


# ---- the notation -----------------------------------------------------------------------------

_HEADS = st.sampled_from(
    [
        '[[event]]\ntype = "financing"\ncompany = "c1"', "[[event]]", 'type = "financing"',
        'amount = "a1"', 'date = "d1"', 'investors = [{ref = "i1"}]', "event = [1]", "event = 3",
        'published = "2023"', 'published = "2023-13"', "published = 2023-01-01", 'writer = "\'"',
        "+++", "", "#", "x",
    ]
)  # fmt: skip
_BODIES = st.one_of(
    st.sampled_from(
        [
            "[Alpha](COMPANY c1)", "[il](COMPANY c1 nom)", "[Bêta](INVESTOR i1)", "[mai](DATE)",
            "[5 M€](AMOUNT a1 value=5000000 currency=EUR kind=deal)", "[mai](DATE value=2023-13)",
            "[mai](DATE d1 value=2023-05)", "[5 M€](VALUATION v1 value=5 currency=EUR)",
            "[40 à 45](AMOUNT a2 min=40 max=4_5 currency=none kind=other)", "value=NaN", "[x](",
            "[", "]", "(", ")", "\\", "\\[", "\\]", "\n", " ",
        ]
    ),
    st.text(CHARACTERS, max_size=5),
)  # fmt: skip
_SOURCES = st.one_of(
    TEXTS,
    st.builds(
        "+++\n{}\n+++\n{}".format,
        st.lists(_HEADS, max_size=4).map("\n".join),
        st.lists(_BODIES, max_size=8).map("".join),
    ),
)


@given(_SOURCES)
@example("+++\n+++\n[5 M€](VALUATION v1 value=5e999999999999 currency=EUR)")
def test_any_source_is_a_gold_file_or_a_markup_error(source: str) -> None:
    try:
        article = parse(source)
    except MarkupError as error:
        assert 1 <= error.line <= source.count("\n") + 1
        return
    printed = render(article)
    again = parse(printed)
    assert (again.text, again.head) == (article.text, article.head)
    assert render(again) == printed


@given(TEXTS)
def test_any_text_can_be_written_in_the_notation(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    article = parse(f"+++\n+++\n{escaped}")
    assert article.text == text
    assert render(article) == f"+++\n+++\n{escaped}"


# ---- time -------------------------------------------------------------------------------------

_SECONDS = 0.075
"""For 10,000 characters. The limit is 50 ms on a machine that is free; the rest is room for a
busy one, and none for a step that is quadratic."""

_NORMALISERS: dict[str, Callable[[str], object]] = {
    "find_money": find_money,
    "parse_money": parse_money,
    "find_dates": lambda text: find_dates(text, "2024-03-05"),
    "parse_date": lambda text: parse_date(text, "2024-03-05"),
    "compose": compose,
    "words": words,
    "slug": slug,
    "unite": lambda text: unite([Name(line, "COMPANY") for line in text.splitlines()]),
}
_UNITS = [
    "Alpha {} SA\n", "{} Zed\n", "Fonds {} Capital\n", "mai ", "12 M€ ", "1", "a", "(", "e\u0301",
    "\u0301", "ﷺ", "l'", "1 ", "un ", "15 mars {}, ", "de {} à ", "entre {} et ", "{}/", "{}.",
]  # fmt: skip


def assert_linear(name: str, text: str) -> None:
    """``text`` has 40,000 characters."""
    call = _NORMALISERS[name]
    call(text[:100])
    quarter = text[:10_000]
    short = cost(call, quarter)
    if short < 0.005:  # a quadratic step that hides here takes less than 16 times as long there
        assert any(cost(call, text) < 12 * 0.005 + 0.02 for _ in range(20)), name
        return
    # A busy machine stretches even processor time: one run in twenty must keep the limit.
    short = min(short, *(cost(call, quarter) for _ in range(2)))
    assert short < _SECONDS or any(cost(call, quarter) < _SECONDS for _ in range(20)), name
    assert any(cost(call, text) < 12 * short + 0.01 for _ in range(20)), name


@pytest.mark.parametrize("name", _NORMALISERS)
@pytest.mark.parametrize("unit", _UNITS, ids=ascii)
def test_time_is_linear_in_repetitions(name: str, unit: str) -> None:
    """The repetitions are numbered, so that no cache answers."""
    assert_linear(name, "".join(unit.format(n) for n in range(40_000))[:40_000])


@given(st.lists(st.sampled_from([*DEALS.split(), *ODD[:70]]), min_size=1, max_size=5), st.data())
def test_time_is_linear_in_whatever_chance_repeats(pieces: list[str], data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(["", " ", "\n", ", "])).join(pieces)
    name = data.draw(st.sampled_from(sorted(_NORMALISERS)))
    assert_linear(name, (unit * 40_000)[:40_000])
