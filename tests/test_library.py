"""The shipped pipeline, as a library and in a process that knows spaCy only."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from unicodedata import normalize

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from spacy.language import Language
from spacy.tokens import Doc

import pipeline
from pipeline.errors import InputError, ModelError
from pipeline.library import Reading, extract, plain, read_deals, read_each, readable
from pipeline.model_folder import seal
from pipeline.reader import read_articles
from pipeline.schema import Article, Event, Label, Money, Qualifier


@pytest.fixture(scope="module")
def articles(root: Path) -> Sequence[Article]:
    found = list(read_articles(root / "seeds"))
    return [article for article in found if isinstance(article, Article)]


@pytest.fixture(scope="module")
def readings(nlp: Language, articles: Sequence[Article]) -> Sequence[Reading]:
    return list(read_deals(nlp, articles))


def written(readings: Iterable[Reading]) -> list[str]:
    """What the command line writes."""
    return [
        model.model_dump_json()
        for reading in readings
        for model in (*reading.events, *reading.mentions)
    ]


def mentions(value: object) -> Iterator[dict[str, object]]:
    """Every mention in a dumped model, however deep."""
    if isinstance(value, dict):
        if {"start", "end", "text"} <= value.keys():
            yield value
        for part in value.values():
            yield from mentions(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from mentions(part)


def assert_exact(text: str, models: Iterable[Event]) -> int:
    """Every mention is cut from the text; returns how many there are."""
    count = 0
    for model in models:
        for mention in mentions(model.model_dump()):
            count += 1
            assert text[mention["start"] : mention["end"]] == mention["text"]  # type: ignore[misc]
    return count


# ---- what every event keeps to ----------------------------------------------------------------


def test_every_seed_tells_a_deal(readings: Sequence[Reading]) -> None:
    assert len(readings) == 5
    assert all(reading.events for reading in readings)


def test_every_mention_is_cut_from_its_article(readings: Sequence[Reading]) -> None:
    for reading in readings:
        assert assert_exact(reading.article.text, reading.events) > 10
        for mention in reading.mentions:
            assert reading.article.text[mention.start : mention.end] == mention.text


def test_events_validate_against_the_schema(readings: Sequence[Reading]) -> None:
    schema = Event.model_json_schema()
    for reading in readings:
        for event in reading.events:
            line = event.model_dump_json()
            assert Event.model_validate_json(line) == event
            assert list(json.loads(line)) == list(schema["properties"])
    with pytest.raises(ValidationError):
        Event.model_validate_json(line.replace('"type":"', '"type":"x'))


def sums(event: Event) -> Iterator[Money]:
    yield from (money for money in (event.amount, event.total_raised) if money is not None)
    yield from event.valuations
    yield from (component.amount for component in event.components)
    yield from (i.amount for i in event.investors if i.amount is not None)


def test_sums_are_typed(readings: Sequence[Reading]) -> None:
    found = [money for reading in readings for event in reading.events for money in sums(event)]
    assert len(found) > 10
    for money in found:
        assert money.currency is None or re.fullmatch("[A-Z]{3}", money.currency)
        assert (money.qualifier is Qualifier.RANGE) is (money.value is None)
        if money.value is not None:
            assert money.value > 0
            assert isinstance(json.loads(money.model_dump_json())["value"], int)


def test_references_inside_an_event_hold(readings: Sequence[Reading]) -> None:
    for reading in readings:
        for event in reading.events:
            investors = [investor.id for investor in event.investors]
            assert len(investors) == len(set(investors))
            assert event.company.id not in investors
            assert {c.investor for c in event.components} <= {None, *investors}
            assert event.article == reading.article.ref()
            assert event.trace
            for party in (event.company, *event.investors, *event.sources):
                assert party.mentions


def test_ids_are_unique_and_begin_with_the_article(readings: Sequence[Reading]) -> None:
    ids = [event.id for reading in readings for event in reading.events]
    assert len(ids) == len(set(ids))
    for reading in readings:
        for event in reading.events:
            assert event.id.startswith(f"{reading.article.id}-")


def test_entities_have_the_labels_of_the_contract(
    nlp: Language, articles: Sequence[Article]
) -> None:
    doc = nlp(articles[0].text)
    assert {ent.label_ for ent in doc.ents} <= set(Label)
    assert len(doc.ents) > 10


# ---- the same again ---------------------------------------------------------------------------


def test_reading_twice_gives_the_same_bytes(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading]
) -> None:
    assert written(read_deals(nlp, articles)) == written(readings)


def test_the_batch_size_changes_nothing(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading]
) -> None:
    assert written(read_deals(nlp, articles, batch_size=1)) == written(readings)


def test_two_processes_give_the_same_bytes(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading]
) -> None:
    assert written(read_deals(nlp, articles, n_process=2, batch_size=2)) == written(readings)


def test_one_article_reads_as_among_others(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading]
) -> None:
    for article, reading in zip(articles, readings, strict=True):
        assert written(read_deals(nlp, [article])) == written([reading])


def test_round_trip_to_disk(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading], tmp_path: Path
) -> None:
    nlp.to_disk(tmp_path, exclude=["vectors"])
    assert written(read_deals(pipeline.load(tmp_path), articles)) == written(readings)


def test_round_trip_to_bytes(
    nlp: Language, articles: Sequence[Article], readings: Sequence[Reading]
) -> None:
    copy = type(nlp).from_config(nlp.config)
    copy.from_bytes(nlp.to_bytes(exclude=["vectors"]), exclude=["vectors"])
    assert written(read_deals(copy, articles)) == written(readings)


# ---- many articles ----------------------------------------------------------------------------


def test_forgetting_words_changes_nothing(
    nlp: Language,
    articles: Sequence[Article],
    readings: Sequence[Reading],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline.library, "_KEPT_WORDS", 0)
    assert written(read_deals(nlp, articles, batch_size=2)) == written(readings)


def test_words_are_forgotten_once_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.blank("fr_deals")
    articles = (simple(f"mot{number} nom{number} lieu{number}") for number in range(1_000))
    monkeypatch.setattr(pipeline.library, "_KEPT_WORDS", len(nlp.vocab) + 500)
    strings = len(nlp.vocab.strings)
    assert len(list(read_deals(nlp, articles))) == 1_000
    assert strings + 500 < len(nlp.vocab.strings) < strings + 1_500


def test_reading_inside_a_memory_zone(
    nlp: Language,
    articles: Sequence[Article],
    readings: Sequence[Reading],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline.library, "_KEPT_WORDS", 0)
    with nlp.memory_zone():
        assert written(read_deals(nlp, articles[:1])) == written(readings[:1])


def simple(text: str, name: str = "a") -> Article:
    return Article(id=name, path=f"in/{name}.txt", sha256="0" * 64, text=text)


@Language.component("breaks_on_boom")
def breaks_on_boom(doc: Doc) -> Doc:
    if "boom" in doc.text:
        raise KeyError("boom\nhere")
    return doc


@pytest.fixture
def fragile() -> Language:
    """A pipeline with a fault that some texts bring to light."""
    nlp = spacy.blank("fr_deals")
    nlp.add_pipe("breaks_on_boom")
    return nlp


def test_article_that_breaks_the_pipeline_is_named_and_the_rest_read(fragile: Language) -> None:
    bad = InputError("file is empty", path="in/e.txt")
    items = [simple("un", "a"), simple("boom", "b"), bad, simple("deux", "d")]
    first, second, third, last = read_each(fragile, items)
    assert isinstance(first, Reading)
    assert isinstance(last, Reading)
    assert last.article.id == "d"
    assert third is bad
    assert isinstance(second, InputError)
    assert str(second).startswith("in/b.txt: article b was not read: KeyError: ")
    assert isinstance(second.__cause__, KeyError)


def test_read_deals_raises_what_cannot_be_read_in_its_turn(fragile: Language) -> None:
    bad = InputError("file is empty", path="in/e.txt")
    readings = read_deals(fragile, [simple("un"), bad])
    assert next(readings).article.id == "a"
    with pytest.raises(InputError, match="file is empty"):
        next(readings)
    with pytest.raises(InputError, match="article b was not read"):
        list(read_deals(fragile, [simple("boom", "b")]))


def test_untrained_pipeline_is_no_fault_of_an_article() -> None:
    nlp = spacy.blank("fr_deals")
    nlp.add_pipe("fr_deals_events")
    with pytest.raises(ModelError, match="not trained"):
        list(read_each(nlp, [simple("un"), simple("deux")]))


def test_pipeline_that_no_other_process_knows(fragile: Language) -> None:
    with pytest.raises(ModelError, match="breaks_on_boom"):
        list(read_deals(fragile, [simple("un")], n_process=2))


# ---- spellings of one text --------------------------------------------------------------------


def no_break(space: str) -> Callable[[str], str]:
    """Puts a no-break space where French typography has one."""

    def spell(text: str) -> str:
        text = re.sub(r" (?=[?!:;»%€$])", space, text).replace("« ", f"«{space}")
        return re.sub(r"(?<=\d) (?=\d|M|m)", space, text)

    return spell


SPELLINGS: dict[str, Callable[[str], str]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "old line ends": lambda text: text.replace("\n", "\r"),
    "no-break spaces": no_break("\u00a0"),
    "narrow no-break spaces": no_break("\u202f"),
    "typewriter apostrophes": lambda text: text.replace("’", "'"),
    "typographic apostrophes": lambda text: text.replace("'", "’"),
    "decomposed accents": lambda text: normalize("NFD", text),
}


def facts(value: object) -> object:
    """A dumped model without its places, its article and the ids that hang on the article."""
    if isinstance(value, dict):
        if {"start", "end", "text"} <= value.keys():
            return readable(str(value["text"])).text.split()
        return {key: facts(part) for key, part in value.items() if key not in ("article", "id")}
    if isinstance(value, list | tuple):
        return [facts(part) for part in value]
    return value


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_of_one_text_tell_the_same(nlp: Language, spell: Callable[[str], str]) -> None:
    changed = 0
    for text in TEXTS:
        other = spell(text)
        changed += other != text
        events, same = extract(text, nlp), extract(other, nlp)
        assert len(events) == 1
        assert_exact(other, same)
        assert [facts(e.model_dump()) for e in same] == [facts(e.model_dump()) for e in events]
    assert changed


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_of_the_seeds_tell_the_same(
    nlp: Language, readings: Sequence[Reading], spell: Callable[[str], str]
) -> None:
    articles = [
        reading.article.model_copy(update={"text": spell(reading.article.text)})
        for reading in readings
    ]
    for reading, other in zip(readings, read_deals(nlp, articles), strict=True):
        assert_exact(other.article.text, other.events)
        assert [event.id for event in other.events] == [event.id for event in reading.events]
        assert [facts(e.model_dump()) for e in other.events] == [
            facts(e.model_dump()) for e in reading.events
        ]


TEXTS = (
    "La société lyonnaise Ovalie Robotics lève 12 millions d'euros auprès de Fonds Garonne.\n"
    "L'opération était attendue : « C'est fait », dit la directrice générale.\n",
    "Mirabelle Santé annonce une levée de fonds de 1 500 000 € menée par l’irlandais Aber "
    "Ventures.\nLa start-up est désormais valorisée 9 M€.\n",
)


def test_plain_keeps_the_length() -> None:
    text = "l’an\u00a01\u202f000\n\u2009ʼ"
    assert plain(text) == "l'an 1 000\n '"
    assert len(plain(text)) == len(text)


def test_what_is_read_has_one_spelling() -> None:
    assert (
        readable("un\r\n\r\ndeux\rtrois\u00a0l’e\u0301te\u0301").text == "un\n\ndeux\ntrois l'été"
    )
    assert readable(" date 2026-01-20 Alpha").text == f"{'':17}Alpha"
    assert readable("").text == ""


def test_many_marks_on_one_letter_are_read_in_time() -> None:
    """Unicode's normalisation takes an hour for a million of them."""
    text = "e" + "\u0301\u0323" * 100_000 + " Alpha"
    begun = time.process_time()
    read = readable(text)
    assert time.process_time() - begun < 5
    assert text[slice(*read.original(len(read.text) - 5, len(read.text)))] == "Alpha"
    for few in ("e\u0301\u0323" * 1_000, "━" * 100, "e" + "\u0301\u0323" * 15, "😀" * 100):
        assert "\ufffd" not in readable(few).text


@given(st.lists(st.sampled_from(["a", "e\u0301", "\r\n", "\r", "\n", "\u00a0", "’", "é"])))
def test_what_is_read_leads_back(units: list[str]) -> None:
    text = "".join(units)
    read = readable(text)
    assert "\r" not in read.text
    for start in range(len(read.text)):
        low, high = read.original(start, start + 1)
        original = normalize("NFC", text[low:high])
        assert plain(original).replace("\r\n", "\n").replace("\r", "\n") == read.text[start]
    assert read.original(0, len(read.text)) == (0, len(text))


# ---- extract ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "Bonjour",
        "12 M€",
        "Il pleuvra demain sur la moitié nord du pays.",
        "La recette demande 3 œufs, 200 grammes de farine et un peu de sel.",
        "Ovalie Robotics a réalisé un chiffre d'affaires de 3 millions d'euros en 2024.",
        "Le maire de Lyon a inauguré mardi une piscine qui a coûté 12 millions d'euros.",
        "500 millions d'utilisateurs se servent de l'application, soit 70 % de plus.",
    ],
)
def test_a_text_without_a_deal_gives_none(nlp: Language, text: str) -> None:
    assert extract(text, nlp) == ()


def test_lone_surrogates_are_read_over(nlp: Language) -> None:
    text = "Ovalie Robotics \ud83d lève 12 M€ auprès de Fonds Garonne.\udc00"
    events = extract(text, nlp)
    assert len(events) == 1
    assert_exact(text, events)


def test_a_short_text_with_a_deal(nlp: Language) -> None:
    (event,) = extract("Ovalie Robotics lève 12 M€ auprès de Fonds Garonne.", nlp)
    assert event.company.name == "Ovalie Robotics"
    assert event.amount is not None
    assert (event.amount.value, event.amount.currency) == (12000000, "EUR")
    assert [investor.name for investor in event.investors] == ["Fonds Garonne"]


def test_the_date_of_a_text_is_given_or_stands_at_its_head(nlp: Language) -> None:
    text = "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne."
    assert [e.article.published for e in extract(text, nlp)] == [None]
    assert [e.article.published for e in extract(text, nlp, published="2026-03")] == ["2026-03"]
    headed = extract(f" date 2026-01-20 {text}", nlp)
    assert [e.article.published for e in headed] == ["2026-01-20"]
    assert_exact(f" date 2026-01-20 {text}", headed)


def test_two_texts_have_two_ids(nlp: Language) -> None:
    one, two = (
        extract(f"{name} lève 12 M€ auprès de Fonds Garonne.", nlp)[0]
        for name in ("Ovalie Robotics", "Mirabelle Santé")
    )
    assert one.id != two.id
    assert one.article.sha256 != two.article.sha256


# ---- loading ----------------------------------------------------------------------------------


def test_a_long_article_is_not_refused(nlp: Language) -> None:
    assert nlp.max_length >= 10**8


def test_no_model(tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ModelError, match=r"python -m pipeline\.train"):
            pipeline.load(place)


def test_a_model_that_reads_no_deals(tmp_path: Path) -> None:
    spacy.blank("fr_deals").to_disk(tmp_path)
    with pytest.raises(ModelError, match="it has no fr_deals_events"):
        pipeline.load(tmp_path)
    assert pipeline.load(tmp_path, exclude=["fr_deals_events"]).pipe_names == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.cfg", b"[nlp"),
        ("meta.json", b"{"),
        ("tokenizer", b"\x85"),
        ("fr_deals_events/type.json", b"{"),
        ("fr_deals_events/type.json", b"{}"),
    ],
)
def test_a_damaged_model(tmp_path: Path, file: str, content: bytes) -> None:
    shutil.copytree(pipeline.library.MODEL, tmp_path / "model")
    (tmp_path / "model" / file).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{file}: this file of the model is damaged"):
        pipeline.load(tmp_path / "model")
    (tmp_path / "model" / "SHA256SUMS").unlink()  # as a model that was never sealed
    with pytest.raises(ModelError, match="no model that can be read at"):
        pipeline.load(tmp_path / "model")


def test_a_model_of_another_spacy(tmp_path: Path) -> None:
    spacy.blank("fr_deals").to_disk(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text("utf-8"))
    assert meta["spacy_version"].startswith(">=3.8")
    for wanted in (">=3.7.2,<3.8.0", ">=4.0.1,<4.1.0"):
        text = json.dumps({**meta, "spacy_version": wanted})
        (tmp_path / "meta.json").write_text(text, "utf-8")
        with pytest.raises(ModelError) as caught:
            pipeline.load(tmp_path)
        assert f"was made for spaCy {wanted}, and this is {spacy.__version__}" in str(caught.value)
        assert f'run pip install "spacy{wanted}"' in str(caught.value)


def test_every_file_of_a_sealed_model_counts(tiny: Language, tmp_path: Path) -> None:
    tiny.to_disk(tmp_path)
    seal(tmp_path)
    assert pipeline.load(tmp_path).pipe_names == tiny.pipe_names
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert len(files) > 20
    for path in files:
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], None):
            path.unlink()
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(ModelError, match=r"python -m pipeline\.train") as caught:
                pipeline.load(tmp_path)
            assert path.name in str(caught.value)
            path.write_bytes(whole)
    assert pipeline.load(tmp_path).pipe_names == tiny.pipe_names


def test_spacy_alone_runs_the_model() -> None:
    """Entry points make the components known: nothing of ours is imported by name."""
    script = (
        "import sys, spacy\n"
        "assert not any(name.split('.')[0] == 'pipeline' for name in sys.modules)\n"
        "nlp = spacy.load(sys.argv[1])\n"
        "doc = nlp('Ovalie Robotics lève 12 M€ auprès de Fonds Garonne.')\n"
        "assert 'sklearn' not in sys.modules\n"
        "print(len(doc._.events), doc._.events[0].company.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(pipeline.library.MODEL)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 Ovalie Robotics\n"


def test_the_model_carries_no_vectors_of_its_own() -> None:
    files = [path for path in pipeline.library.MODEL.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name in ("vectors", "key2row")]
    assert sum(path.stat().st_size for path in files) < 60_000_000  # the vectors would make it 80


def test_the_model_holds_no_pickle() -> None:
    for path in pipeline.library.MODEL.rglob("*"):
        if path.is_file():
            assert path.suffix in {".json", ".cfg", ".md", ".bin", ""}
            assert not re.match(rb"\x80[\x02-\x05]", path.read_bytes()), path.name
