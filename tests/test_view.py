"""What the relation models see of a document."""

from __future__ import annotations

import pytest
from spacy.language import Language
from tiny import ROUND, passages

from pipeline.cues import CueMatcher
from pipeline.schema import AmountKind, Label
from pipeline.view import (
    Item,
    View,
    counterparts,
    distance,
    moods,
    nearest,
    read_view,
    sentence_features,
    words_around,
)


def see(tiny: Language, text: str) -> View:
    """The view of a text before the role models have their say."""
    with tiny.select_pipes(disable=["fr_deals_events"]):
        return read_view(tiny(text), CueMatcher(tiny))


def by_text(view: View) -> dict[str, Item]:
    return {item.text: item for item in view.items}


def test_items_stand_in_text_order_with_their_places(tiny: Language) -> None:
    text = passages(ROUND)[0].text
    view = see(tiny, text)
    assert [item.index for item in view.items] == list(range(len(view.items)))
    assert [item.start for item in view.items] == sorted(item.start for item in view.items)
    for item in view.items:
        assert text[item.char_start : item.char_end] == item.text
        low, high = view.sents[item.sent]
        assert low <= item.start < item.end <= high
        assert item in view.by_sent[item.sent]
        assert all(view.item_at[at] is item for at in range(item.start, item.end))


def test_sentence_bounds_leave_out_the_white_space(tiny: Language) -> None:
    text = passages(ROUND)[0].text
    view = see(tiny, text)
    assert [text[low:high] for low, high in view.bounds] == text.strip().split("\n")


def test_names_and_descriptions_of_one_party(tiny: Language) -> None:
    view = see(tiny, passages(ROUND)[0].text)
    items = by_text(view)
    party = items["Ovalie Robotics"].party
    assert party is not None
    assert [item.text for item in view.parties[party]] == ["Ovalie Robotics", "La start-up"]
    assert items["La start-up"].nominal
    assert view.party_labels(party) == {"COMPANY": 1, "NOM_COMPANY": 1}
    assert items["12 millions d'euros"].party is None


def test_a_party_that_is_only_described(tiny: Language) -> None:
    view = see(tiny, "La start-up lève 3 M€ auprès de Loire Capital. Pour la start-up, tant mieux.")
    first, second = (item for item in view.items if item.nominal)
    assert first.party is not None
    assert first.party == second.party
    assert first.party != by_text(view)["Loire Capital"].party


def test_cues_stand_with_their_sentence(tiny: Language) -> None:
    view = see(tiny, "Mirabelle lève 3 M€. Loire Capital mène le tour.")
    categories = [{cue.category for cue in cues} for cues in view.cues]
    assert "lead_prev" not in categories[0]
    assert "lead_prev" in categories[1]


def test_an_enumeration_hangs_on_its_first_name(tiny: Language) -> None:
    view = see(tiny, "Avec Loire Capital, Aber Ventures et Causse Invest. Fonds Garonne part.")
    heads = [item.list_head for item in view.items]
    assert heads == [0, 0, 0, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Mirabelle et Ovalie Robotics lèvent respectivement 3 millions et 8 millions d'euros.",
            {"3 millions": "Mirabelle", "8 millions d'euros": "Ovalie Robotics"},
        ),
        ("Mirabelle et Ovalie Robotics lèvent 3 millions d'euros.", {}),
        ("Mirabelle lève 3 millions et 8 millions d'euros.", {}),
        ("Mirabelle lève 3 millions, puis Ovalie Robotics a reçu 8 millions d'euros.", {}),
    ],
)
def test_names_and_sums_in_the_same_order(
    tiny: Language, text: str, expected: dict[str, str]
) -> None:
    view = see(tiny, text)
    sums = [item for item in view.items if item.money is not None]
    assert sums
    assert {item.text: name.text for item in sums for name in counterparts(view, item)} == expected
    for item in view.items:
        for other in counterparts(view, item):
            assert counterparts(view, other) == [item]


def test_what_hangs_on_labels_is_read_anew_when_one_has_changed(tiny: Language) -> None:
    view = see(tiny, "Mirabelle lève 3 M€ auprès de Loire Capital.")
    items = by_text(view)
    fund, amount = items["Loire Capital"], items["3 M€"]
    before = words_around(view, fund), sentence_features(view, 0, "s")
    assert {"b-=auprès_de", "w-3=<AMOUNT>"} <= set(before[0])
    assert "si:AMOUNT" in before[1]
    amount.set_kind(Label.VALUATION)
    assert (words_around(view, fund), sentence_features(view, 0, "s")) == before
    view.relabelled()
    assert "w-3=<VALUATION>" in words_around(view, fund)
    assert "si:VALUATION" in sentence_features(view, 0, "s")


def test_lines_are_counted(tiny: Language) -> None:
    view = see(tiny, "Mirabelle\nlève 3 M€\n\net Tramontane")
    items = by_text(view)
    lines = [view.lines[items[text].start] for text in ("Mirabelle", "3 M€", "Tramontane")]
    assert lines == [0, 1, 3]


def test_an_empty_document(tiny: Language) -> None:
    view = see(tiny, "")
    assert (view.items, view.cues, view.sents) == ([], [], [])


def test_the_kind_of_a_sum_may_be_said(tiny: Language) -> None:
    (item,) = see(tiny, "Il a 3 M€.").items
    item.set_kind("revenue")
    assert item.money is not None
    assert (item.label, item.money.kind) == (Label.AMOUNT, AmountKind.REVENUE)
    item.set_kind("VALUATION")
    assert (item.label, item.money.kind) == (Label.VALUATION, "")
    item.set_kind("NONE")
    assert (item.label, item.money.kind) == ("NONE", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("elle lève des fonds", set()),
        ("elle a levé des fonds", {"perfect"}),
        ("ils ont déjà investi", {"perfect"}),
        ("elle vient de recevoir", set()),
        ("elle avait levé des fonds", {"pluperfect"}),
        ("elle lèvera des fonds", {"future"}),
        ("ils investiront", {"future"}),
        ("elle lèverait des fonds", {"conditional"}),
        ("elle aurait levé des fonds", {"conditional", "conditional_perfect"}),
        ("ils seraient partis", {"conditional", "conditional_perfect"}),
        ("un contrat à vrai dire", set()),
        ("vraiment ?", {"question"}),
        ("", set()),
    ],
)
def test_moods(text: str, expected: set[str]) -> None:
    assert moods(text.split()) == expected


def item(start: int, end: int) -> Item:
    return Item(0, start, end, "ORG", "x", 0, start, end)


def test_distance_is_in_tokens() -> None:
    assert distance(item(0, 2), item(5, 6)) == 3
    assert distance(item(5, 6), item(0, 2)) == 3
    assert distance(item(0, 2), item(2, 3)) == 0
    assert distance(item(0, 4), item(2, 3)) == 0


def test_nearest() -> None:
    items = [item(0, 1), item(10, 11), item(30, 31)]
    assert nearest(items, item(12, 13)) is items[1]
    assert nearest(items, item(2, 3)) is items[0]
    assert nearest(items, item(90, 91)) is items[2]
    assert nearest(items, items[1]) is items[1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Elle lève 2 milliards d'euros : 500 millions, puis 1,5 milliard.", {"500 millions": 2e9}),
        ("Avec 5 M€, 3 M€ et 4 M€, elle en a 12 M€.", {"5 M€": 12e6, "3 M€": 12e6, "4 M€": 12e6}),
        ("Elle lève 8 M€, après 2 M€ en 2020.", {}),
        ("Elle lève 4 M€, puis 4 M€.", {}),
        ("Elle lève 3 M$ (2,5 M€) et 3 M$, soit 6 M$.", {"3 M$": 6e6}),
    ],
)
def test_sums_that_add_up(tiny: Language, text: str, parts: dict[str, float]) -> None:
    view = see(tiny, text)
    found = {view.items[index].text: float(whole) for index, whole in view.wholes.items()}
    assert {text: found.get(text) for text in parts} == parts
    assert bool(found) == bool(parts)


@pytest.mark.parametrize(
    ("date", "when"),
    [
        ("en juin 2026", "future"),
        ("le 12 mars 2026", "now"),
        ("en mars 2026", "now"),
        ("le 4 mars 2026", "days"),
        ("en février 2026", "weeks"),
        ("en mai 2025", "months"),
        ("en 2021", "years"),
    ],
)
def test_where_a_date_lies(tiny: Language, date: str, when: str) -> None:
    text = f" date 2026-03-12 Mirabelle a levé 3 M€ {date}."
    assert [item.when for item in see(tiny, text).items if item.label == Label.DATE] == [when]


def test_a_date_without_a_day_to_see_it_from(tiny: Language) -> None:
    view = see(tiny, "Mirabelle a levé 3 M€ en 2021 et 4 M€ le mois dernier.")
    assert [item.when for item in view.items if item.label == Label.DATE] == [
        "undated",
        "unresolved",
    ]
