"""The deal reader as a spaCy component, on a small made-up model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from threadpoolctl import threadpool_info, threadpool_limits
from tiny import (
    NO_DEAL,
    PACKAGE,
    ROUND,
    ROUNDUP,
    TAKEOVER,
    TEMPLATES,
    WORTH,
    passages,
    untrained,
)

from pipeline import mention_network as networks
from pipeline.components import encoding, events, recognition
from pipeline.components.events import DealReader
from pipeline.errors import ModelError
from pipeline.schema import (
    AmountKind,
    Basis,
    Event,
    EventType,
    Instrument,
    InvestorRole,
    Label,
    RoundName,
    TypedMention,
)

TEXTS = [passages(template)[0].text for template in TEMPLATES]


def read(nlp: Language, template: str) -> Sequence[Event]:
    events: Sequence[Event] = nlp(passages(template)[0].text)._.events
    return events


def test_without_models_it_refuses() -> None:
    nlp = untrained()
    for text in (TEXTS[0], ""):
        with pytest.raises(ModelError, match="not trained"):
            nlp(text)


@pytest.mark.parametrize("text", ["", " ", "\n", "Bonjour", "Ovalie", "3 M€", "Ovalie Robotics"])
def test_short_texts_tell_no_deal(tiny: Language, text: str) -> None:
    doc = tiny(text)
    assert doc.text == text
    assert doc._.events == ()


def test_a_doc_that_was_not_read_has_no_events(blank: Language) -> None:
    doc = blank("Alpha lève 3 M€.")
    assert (doc._.events, doc._.mentions) == ((), ())


def test_a_network_without_the_vectors_that_it_reads_says_so(nlp: Language) -> None:
    with (
        nlp.select_pipes(disable=["tok2vec"]),
        pytest.raises(ModelError, match="tok2vec"),
    ):
        nlp("Alpha lève 3 M€.")


@pytest.mark.parametrize(
    ("module", "name"), [(encoding, "means"), (recognition, "_odds"), (events, "read")]
)
def test_blas_takes_one_thread_and_as_many_as_before_afterwards(
    nlp: Language, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    def threads() -> set[int]:
        blas = [one for one in threadpool_info() if one["user_api"] == "blas"]
        return {one["num_threads"] for one in blas if "numpy" in one["filepath"]}

    inside = []
    original = getattr(module, name)

    def watched(*arguments: object) -> object:
        inside.append(threads())
        return original(*arguments)

    monkeypatch.setattr(module, name, watched)
    with threadpool_limits(2):
        nlp("Alpha lève 3 M€.")
        assert threads() == {2}
    assert inside == [{1}] * len(inside) != []


# ---- what it learnt, it reads -----------------------------------------------------------------


def test_a_round(tiny: Language) -> None:
    (event,) = read(tiny, ROUND)
    assert event.type is EventType.FINANCING
    assert event.company.name == "Ovalie Robotics"
    assert [m.text for m in event.company.mentions] == ["Ovalie Robotics", "La start-up"]
    assert event.amount is not None
    assert (event.amount.value, event.amount.currency) == (12000000, "EUR")
    assert event.total_raised is not None
    assert event.total_raised.value == 30000000
    assert [(v.value, v.basis) for v in event.valuations] == [(90000000, Basis.POST_MONEY)]
    assert [(i.name, i.role) for i in event.investors] == [
        ("Fonds Garonne", InvestorRole.LEAD),
        ("Causse Invest", InvestorRole.PARTICIPANT),
    ]
    assert event.round is RoundName.SERIES_B
    assert event.instrument is None
    assert event.date is not None
    assert (event.date.value, event.date.end) == ("2023-05", "2023-05-31")
    assert [source.name for source in event.sources] == ["La Lettre Bleue"]
    assert len(event.evidence) == 2
    assert "lead.par" in event.trace


def test_a_package(tiny: Language) -> None:
    (event,) = read(tiny, PACKAGE)
    assert event.instrument is Instrument.MIXED
    assert [(c.amount.value, c.instrument) for c in event.components] == [
        (15000000, Instrument.EQUITY),
        (5000000, Instrument.DEBT),
    ]
    (investor,) = event.investors
    assert investor.amount is not None
    assert investor.amount.value == 2000000


def test_a_takeover_without_a_sum(tiny: Language) -> None:
    (event,) = read(tiny, TAKEOVER)
    assert (event.type, event.amount) == (EventType.ACQUISITION, None)
    assert event.company.name == "Ovalie Robotics"
    assert [(i.name, i.role) for i in event.investors] == [("Fonds Garonne", InvestorRole.BUYER)]


def test_a_worth_without_a_deal(tiny: Language) -> None:
    (event,) = read(tiny, WORTH)
    assert (event.type, event.amount) == (EventType.VALUATION, None)
    assert [v.value for v in event.valuations] == [2000000000]


def test_two_deals(tiny: Language) -> None:
    found = [(e.company.name, e.amount and e.amount.value) for e in read(tiny, ROUNDUP)]
    assert found == [("Ovalie Robotics", 8000000), ("Tramontane", 4000000)]


def test_no_deal(tiny: Language) -> None:
    assert read(tiny, NO_DEAL) == ()
    doc = tiny(passages(NO_DEAL)[0].text)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Ovalie Robotics", "ORG"),
        ("3 millions d'euros", "AMOUNT"),
    ]
    assert [mention.kind for mention in doc._.mentions] == [None, AmountKind.REVENUE]


# ---- the Doc ----------------------------------------------------------------------------------


def test_entities_have_the_labels_of_the_contract(tiny: Language) -> None:
    for text in TEXTS:
        for ent in tiny(text).ents:
            assert ent.label_ in Label.__members__


def test_typed_mentions(tiny: Language) -> None:
    doc = tiny(TEXTS[0])
    mentions = doc._.mentions
    assert all(isinstance(mention, TypedMention) for mention in mentions)
    assert [(m.text, m.label) for m in mentions] == [(e.text, e.label_) for e in doc.ents]
    by_text = {mention.text: mention for mention in mentions}
    amount = by_text["12 millions d'euros"]
    assert amount.kind is AmountKind.DEAL
    assert amount.money is not None
    assert amount.money.value == 12000000
    assert by_text["90 millions d'euros"].kind is None
    date = by_text["mai 2023"].date
    assert date is not None
    assert date.value == "2023-05"
    assert by_text["Fonds Garonne"].party == "fonds-garonne"
    for mention in mentions:
        assert doc.text[mention.start : mention.end] == mention.text


def test_the_events_of_a_doc_are_of_that_doc(tiny: Language) -> None:
    first, second = (tiny(passages(ROUND)[turn].text) for turn in (0, 1))
    (one,), (two,) = first._.events, second._.events
    assert one.company.name != two.company.name
    assert one.article.sha256 != two.article.sha256
    assert one.id != two.id


def test_the_date_of_the_article_is_in_the_event(tiny: Language) -> None:
    doc = tiny.make_doc(TEXTS[0])
    doc._.published = "2024-01-02"
    assert [event.article.published for event in tiny(doc)._.events] == ["2024-01-02"]


def test_the_same_text_gives_the_same_ids(tiny: Language) -> None:
    for text in TEXTS:
        ids = [event.id for event in tiny(text)._.events]
        assert ids == [event.id for event in tiny(text)._.events]
        assert len(ids) == len(set(ids))


# ---- round trips ------------------------------------------------------------------------------


def dumps(docs: Sequence[Doc]) -> list[str]:
    return [event.model_dump_json() for doc in docs for event in doc._.events]


def test_pipe_equals_call(tiny: Language) -> None:
    called = dumps([tiny(text) for text in TEXTS])
    assert len(called) == 6
    assert dumps(list(tiny.pipe(TEXTS))) == called
    assert dumps(list(tiny.pipe(TEXTS, batch_size=1))) == called


def test_two_processes_equal_one(tiny: Language) -> None:
    called = dumps([tiny(text) for text in TEXTS])
    assert dumps(list(tiny.pipe(TEXTS, n_process=2, batch_size=2))) == called


def test_round_trip_to_disk(tiny: Language, tmp_path: Path) -> None:
    tiny.to_disk(tmp_path)
    assert dumps(list(spacy.load(tmp_path).pipe(TEXTS))) == dumps(list(tiny.pipe(TEXTS)))
    stored = json.loads((tmp_path / "fr_deals_events" / "type.json").read_text(encoding="utf-8"))
    assert sorted(stored) == ["bias", "classes", "weights"]


def test_a_network_goes_along_and_comes_back(tiny: Language, tmp_path: Path) -> None:
    reader = DealReader(tiny)
    reader.models = tiny.get_pipe("fr_deals_events").models
    reader.network = networks.mention_network()
    reader.network.initialize()
    reader.to_disk(tmp_path)
    from_disk = DealReader(tiny).from_disk(tmp_path)
    from_bytes = DealReader(tiny).from_bytes(reader.to_bytes())
    for copy in (from_disk, from_bytes):
        assert copy.network is not None
        assert copy.network.to_bytes() == reader.network.to_bytes()
    reader.network = None
    reader.to_disk(tmp_path)
    assert from_disk.from_disk(tmp_path).network is None


def test_a_network_reads_where_the_encoder_left_its_vectors(tiny: Language) -> None:
    with tiny.select_pipes(disable=["fr_deals_events"]):
        doc = tiny("Mirabelle lève 3 M€.")
    doc.tensor = np.ones((len(doc), 96), np.float32)
    reader = DealReader(tiny)
    assert reader.view(doc).links == b""
    reader.network = networks.mention_network()
    reader.network.initialize()
    view = reader.view(doc)
    assert networks.link_chance(view, view.items[:1], view.items[1:], 0) >= 0
    doc._.links = networks.read(reader.network, networks.see(view, doc.tensor))._replace(
        links=np.full((2, 65, 3), 7, np.uint8)
    )
    view = reader.view(doc)  # what was read before is not read again
    assert networks.link_chance(view, view.items[:1], view.items[1:], 0) == 7


def test_round_trip_to_bytes(tiny: Language) -> None:
    copy = untrained()
    copy.get_pipe("fr_deals_events").from_bytes(tiny.get_pipe("fr_deals_events").to_bytes())
    assert dumps(list(copy.pipe(TEXTS))) == dumps(list(tiny.pipe(TEXTS)))


def test_writing_twice_gives_the_same_bytes(tiny: Language, tmp_path: Path) -> None:
    for name in ("a", "b"):
        tiny.get_pipe("fr_deals_events").to_disk(tmp_path / name)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"
    )
    assert first == second
    assert len(first) > 20


def test_a_doc_keeps_its_events_in_bytes(tiny: Language) -> None:
    doc = tiny(TEXTS[0])
    assert dumps([Doc(tiny.vocab).from_bytes(doc.to_bytes())]) == dumps([doc])
    binned = DocBin(docs=[doc], store_user_data=True).to_bytes()
    assert dumps(list(DocBin().from_bytes(binned).get_docs(tiny.vocab))) == dumps([doc])


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("spacy_factories", {"fr_deals_sentences", "fr_deals_mentions", "fr_deals_events"}),
        ("spacy_tokenizers", {"fr_deals.Tokenizer.v1"}),
        ("spacy_callbacks", {"fr_deals.PackageVectors.v1"}),
    ],
)
def test_entry_points(group: str, names: set[str]) -> None:
    found = {entry.name: entry for entry in entry_points(group=group) if entry.name in names}
    assert set(found) == names
    assert all(callable(entry.load()) for entry in found.values())
