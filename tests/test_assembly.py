"""From drafts of deals to records."""

from __future__ import annotations

from collections.abc import Sequence

from spacy.language import Language
from tiny import PACKAGE, ROUND, ROUNDUP, WORTH, passages

from pipeline.assembly import Assembler, Record
from pipeline.deals import read_deals
from pipeline.schema import AmountKind
from pipeline.view import relabel


def assemble(tiny: Language, text: str, times: int = 1) -> Sequence[Record]:
    """The records of a text, each of its deals ``times`` times."""
    reader = tiny.get_pipe("fr_deals_events")
    with tiny.select_pipes(disable=["fr_deals_events"]):
        view = reader.view(tiny(text))
    relabel(view, reader.models)
    drafts = read_deals(view, reader.models)
    return Assembler(view, reader.models).events(drafts * times)


def mentions(record: object) -> list[Record]:
    """Every mention in a record, however deep."""
    if isinstance(record, dict):
        own = [record] if {"start", "end", "text"} <= record.keys() else []
        return own + [found for part in record.values() for found in mentions(part)]
    if isinstance(record, list):
        return [found for part in record for found in mentions(part)]
    return []


def test_every_mention_is_cut_from_the_text(tiny: Language) -> None:
    for template in (ROUND, PACKAGE, ROUNDUP):
        text = passages(template)[0].text
        found = mentions(list(assemble(tiny, text)))
        assert len(found) > 5
        for mention in found:
            assert text[mention["start"] : mention["end"]] == mention["text"]


def test_sums_are_exact_text(tiny: Language) -> None:
    (record,) = assemble(tiny, passages(ROUND)[0].text)
    assert record["amount"]["value"] == "12000000"
    assert record["amount"]["min"] is None


def test_two_deals_that_look_alike_have_two_ids(tiny: Language) -> None:
    first, second = (r["id"] for r in assemble(tiny, passages(ROUND)[0].text, times=2))
    assert second == f"{first}-2"


def test_ids_follow_company_and_sum_and_not_the_words_around(tiny: Language) -> None:
    text = passages(ROUND)[0].text
    (record,) = assemble(tiny, text)
    (later,) = assemble(tiny, f"Bonjour. {text}")
    assert later["id"] == record["id"]
    (other,) = assemble(tiny, text.replace("12 millions", "13 millions"))
    assert other["id"] != record["id"]
    (rival,) = assemble(tiny, passages(ROUND)[1].text)
    assert rival["id"] != record["id"]


def test_evidence_is_whole_sentences(tiny: Language) -> None:
    text = passages(ROUND)[0].text
    (record,) = assemble(tiny, text)
    lines = text.strip().split("\n")
    assert [evidence["text"] for evidence in record["evidence"]] == lines[:2]


def test_the_fullest_name_is_the_name(tiny: Language) -> None:
    text = passages(ROUND)[0].text
    (record,) = assemble(tiny, text)
    company = record["company"]
    assert (company["name"], company["id"]) == ("Ovalie Robotics", "ovalie-robotics")
    assert company["named"] is True


def test_a_company_that_is_only_described_is_unnamed(tiny: Language) -> None:
    text = passages(ROUND)[0].text.replace("Ovalie Robotics", "La start-up")
    (record,) = assemble(tiny, text)
    assert record["company"]["named"] is False
    assert record["company"]["name"] == "La start-up"


def test_shares_go_to_investors_and_tranches_to_components(tiny: Language) -> None:
    (record,) = assemble(tiny, passages(PACKAGE)[0].text)
    assert [c["amount"]["value"] for c in record["components"]] == ["15000000", "5000000"]
    assert [c["instrument"] for c in record["components"]] == ["equity", "debt"]
    assert [i["amount"]["value"] for i in record["investors"]] == ["2000000"]


def test_a_worth_that_is_the_sum_of_a_deal_is_no_deal_of_its_own(tiny: Language) -> None:
    reader = tiny.get_pipe("fr_deals_events")
    text = passages(WORTH)[0].text
    with tiny.select_pipes(disable=["fr_deals_events"]):
        view = reader.view(tiny(text))
    relabel(view, reader.models)
    (draft,) = read_deals(view, reader.models)
    assert len(Assembler(view, reader.models).events([draft])) == 1
    draft.anchors[0].set_kind(AmountKind.DEAL)
    assert Assembler(view, reader.models).events([draft]) == []


def test_no_draft_no_record(tiny: Language) -> None:
    assert assemble(tiny, "Bonjour.") == []
