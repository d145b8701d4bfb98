"""Which mentions make which deal, on the small made-up model."""

from __future__ import annotations

import re
from typing import ClassVar, cast

import numpy as np
import pytest
from clock import cost
from spacy.language import Language
from tiny import COMPANIES, NO_DEAL, PACKAGE, ROUND, ROUNDUP, TAKEOVER, WORTH, passages, viewed

from pipeline.deals import (
    LINKS,
    Candidates,
    Deals,
    Draft,
    _bracketed_sum,
    _is_recalled,
    _of_one_sum,
    company_features,
    company_parties,
    invested_in,
    investor_evidence,
    investor_items,
    link_features,
    may_invest,
    may_link,
    operation_sentences,
    read_deals,
    rival_features,
    speaking_of,
)
from pipeline.mention_network import COMPANY, REACH, SHARED
from pipeline.mention_network import LINKS as LINK_NAMES
from pipeline.schema import Label
from pipeline.view import Item, View, distance, nearest, relabel


def see(tiny: Language, text: str) -> tuple[View, list[Draft]]:
    reader, view = tiny.get_pipe("fr_deals_events"), viewed(tiny, text)
    relabel(view, reader.models)
    return view, read_deals(view, reader.models)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (ROUND, ["amount"]),
        (PACKAGE, ["amount"]),
        (TAKEOVER, ["operation"]),
        (WORTH, ["valuation"]),
        (NO_DEAL, []),
        (ROUNDUP, ["amount", "amount"]),
    ],
)
def test_kinds_of_drafts(tiny: Language, template: str, expected: list[str]) -> None:
    for article in passages(template):
        _, drafts = see(tiny, article.text)
        assert [draft.kind for draft in drafts] == expected


def test_a_sum_said_twice_is_one_deal(tiny: Language) -> None:
    text = f"{passages(ROUND)[0].text}\n{passages(ROUND)[0].text}"
    _, drafts = see(tiny, text)
    assert [[anchor.text for anchor in draft.anchors] for draft in drafts] == [
        ["12 millions d'euros"] * 2
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mirabelle lève 3 M€, après 2 M€ en 2020.", [False, True]),
        ("Mirabelle avait levé 3 M€. Elle lève 8 M€.", [True, False]),
        ("Mirabelle lève 3 M€.", [False]),
        (" date 2026-03-12 Mirabelle lève 3 M€, 2 M€ en 2020.", [False, True]),
        (" date 2026-03-12 Mirabelle lève 3 M€ en mars 2026.", [False]),
    ],
)
def test_sums_that_are_recalled(tiny: Language, text: str, expected: list[bool]) -> None:
    view = tiny.get_pipe("fr_deals_events").view(tiny(text))
    sums = [item for item in view.items if item.money is not None]
    assert [_is_recalled(view, item) for item in sums] == expected


def test_a_sum_that_is_told_twice_is_that_of_one_company() -> None:
    class Among:
        order: ClassVar = {1: 0, 2: 1}

    item = Item(0, 0, 1, "AMOUNT", "3 M€", 0, 0, 4)

    def companies(*told: dict[int, float]) -> list[tuple[int, int]]:
        drafts = _of_one_sum(cast(Candidates, Among()), [(item, 0.9, scores) for scores in told])
        return [(draft.company, len(draft.anchors)) for draft in drafts]

    assert companies({1: 0.9, 2: 0.3}, {1: 0.4, 2: 0.6}) == [(1, 2)]
    assert companies({1: 0.9, 2: 0.1}, {2: 0.8}) == [(1, 2)]
    assert companies({1: 0.97, 2: 0.1}, {1: 0.1, 2: 0.96}) == [(1, 1), (2, 1)]
    assert companies({1: 0.2}, {2: 0.2}) == [(1, 2)]


def test_every_link_is_of_a_label_that_may(tiny: Language) -> None:
    for template in (ROUND, PACKAGE, TAKEOVER, WORTH, ROUNDUP):
        for article in passages(template):
            _, drafts = see(tiny, article.text)
            for draft in drafts:
                for role, linked in draft.links.items():
                    assert role in {*LINKS, "investor", "expected_close"}
                    for item, probability in linked:
                        if role == "investor":
                            assert may_invest(item)
                        else:
                            assert may_link(item, "date" if role == "expected_close" else role)
                        assert 0.5 <= probability <= 1


def test_a_company_is_no_investor_of_its_own_deal(tiny: Language) -> None:
    for template in (ROUND, PACKAGE, TAKEOVER, WORTH, ROUNDUP):
        _, drafts = see(tiny, passages(template)[0].text)
        for draft in drafts:
            assert draft.company not in dict(investor_items(draft))


def test_scores_are_probabilities(tiny: Language) -> None:
    _, drafts = see(tiny, passages(ROUNDUP)[0].text)
    for draft in drafts:
        assert 0 <= draft.score <= 1
        assert 0 <= draft.company_score <= 1
        assert all(0 <= p <= 1 for _, p in draft.attributes.values())


def test_companies_come_before_other_organisations(tiny: Language) -> None:
    view, _ = see(tiny, passages(ROUND)[0].text)
    names = [view.parties[party][0].text for party in company_parties(view)]
    assert COMPANIES[0] in names
    assert "La Lettre Bleue" not in names


def test_no_party_no_company(tiny: Language) -> None:
    view, drafts = see(tiny, "Une levée de 3 M€.")
    assert company_parties(view) == []
    assert drafts == []


def test_sentences_that_tell_an_operation(tiny: Language) -> None:
    view, _ = see(
        tiny, "Mirabelle existe. Loire Capital rachète Mirabelle. Tramontane rachète des titres."
    )
    party = next(item.party for item in view.items if item.text == "Mirabelle")
    assert party is not None
    assert operation_sentences(view, party) == [1]


def marked(tiny: Language, text: str, **labels: str) -> View:
    """The view of a text of which only the given names, and the sums, are mentions."""
    doc = tiny.make_doc(text)
    doc.ents = [
        doc.char_span(match.start(), match.end(), labels[match.group()])
        for match in re.finditer("|".join(labels), text)
    ]
    for pipe in ("fr_deals_sentences", "fr_deals_mentions"):
        doc = tiny.get_pipe(pipe)(doc)
    view: View = tiny.get_pipe("fr_deals_events").view(doc)
    return view


def by_sums(view: View) -> Deals:
    """One draft for each sum, of the company that is named last before it."""
    drafts = []
    for sum_ in (item for item in view.items if item.money is not None):
        named = [i for i in view.items if i.label == Label.COMPANY and i.start < sum_.start]
        drafts.append(Draft("amount", [sum_], named[-1].party or 0))
    return Deals(view, drafts)


TWO_ROUNDS = (
    "Alpha lève 3 M€ auprès de Bêta. De son côté, Gamma lève 5 M€ avec Delta. Bêta suit aussi."
)
PARTS = {"Alpha": "COMPANY", "Gamma": "COMPANY", "Bêta": "INVESTOR", "Delta": "INVESTOR"}


def test_an_investor_is_asked_about_with_all_its_mentions(tiny: Language) -> None:
    deals = by_sums(marked(tiny, TWO_ROUNDS, **PARTS))
    asked = {items[0].text: (items, evidence) for items, evidence in investor_evidence(deals)}
    assert asked.keys() == {"Bêta", "Delta"}
    items, evidence = asked["Bêta"]
    assert [item.text for item in items] == ["Bêta", "Bêta"]
    assert evidence.keys() == {0, 1}
    assert evidence[0] != evidence[1]
    for place, item in enumerate(items):
        said = dict(deals.evidence(item))
        assert all(set(features) <= set(evidence[at]) for at, features in said.items())
        assert {f"*{feature}" for feature in said[place]} <= set(evidence[place])


def test_which_mentions_speak_of_a_deal(tiny: Language) -> None:
    deals = by_sums(marked(tiny, TWO_ROUNDS, **PARTS))
    (beta, _), (delta, _) = investor_evidence(deals)
    assert [speaking_of(deals, beta, place) for place in (0, 1)] == [beta[:1], beta[1:]]
    assert [speaking_of(deals, delta, place) for place in (0, 1)] == [delta, delta]


@pytest.mark.parametrize(
    ("chances", "of_investor", "of_org"),
    [
        ({0: 0.7, 1: 0.5, 2: 0.4}, [0, 1], [0, 1]),
        ({0: 0.2, 1: 0.4}, [1], []),
        ({0: 0.4, 1: 0.4}, [0], []),
        ({0: 0.3}, [], []),
    ],
)
def test_an_investor_of_no_deal_is_one_of_its_likeliest(
    tiny: Language, chances: dict[int, float], of_investor: list[int], of_org: list[int]
) -> None:
    view = marked(tiny, "Bêta suit Gamma.", Bêta="INVESTOR", Gamma="ORG")
    beta, gamma = ([item] for item in view.items)
    assert invested_in(beta, chances) == of_investor
    assert invested_in(gamma, chances) == of_org


def test_a_name_with_its_sum_in_brackets_invests_in_that_deal_only(tiny: Language) -> None:
    text = "Alpha lève des fonds auprès de Bêta (3 millions d'euros) et de Gamma."
    view = marked(tiny, text, **dict.fromkeys(("Alpha", "Bêta", "Gamma"), "INVESTOR"))
    found = {i.text: _bracketed_sum(view, i) for i in view.items if i.party is not None}
    assert found["Alpha"] is None and found["Gamma"] is None
    assert found["Bêta"] is not None and found["Bêta"].text == "3 millions d'euros"


def long_view(tiny: Language, rounds: int) -> View:
    """Rounds of as many companies, four to a paragraph."""
    text = "".join(
        f"Firme{number} lève {number + 1} M€.{chr(10) if number % 4 == 3 else ' '}"
        for number in range(rounds)
    )
    doc = tiny.make_doc(text)
    doc.ents = [
        doc.char_span(match.start(), match.end(), "COMPANY")
        for match in re.finditer(r"Firme\d+", text)
    ]
    for pipe in ("fr_deals_sentences", "fr_deals_mentions"):
        doc = tiny.get_pipe(pipe)(doc)
    reader = tiny.get_pipe("fr_deals_events")
    view: View = reader.view(doc)
    relabel(view, reader.models)
    return view


def test_in_a_long_article_the_nearest_are_asked(tiny: Language) -> None:
    view = long_view(tiny, 40)
    parties = list(view.parties)
    candidates = Candidates(view, parties)
    drafts = [Draft("amount", [item], view.items[item.index - 1].party or 0)
              for item in view.items if item.money is not None]  # fmt: skip
    deals = Deals(view, drafts)
    for item in view.items:
        gaps = {party: distance(nearest(view.parties[party], item), item) for party in parties}
        expected = sorted(parties, key=lambda party: (gaps[party], party))[:6]
        assert [party for party, _ in candidates.nearest(item)] == expected
        gaps = {at: distance(draft.anchors[0], item) for at, draft in enumerate(drafts)}
        assert list(deals.nearest(item)) == sorted(gaps, key=lambda at: (gaps[at], at))[:3]


def test_a_long_article_costs_as_its_length(tiny: Language) -> None:
    models = tiny.get_pipe("fr_deals_events").models

    def seconds(rounds: int) -> float:
        view = long_view(tiny, rounds)
        return cost(lambda view: read_deals(view, models), view)

    short, long = (min(seconds(rounds) for _ in range(3)) for rounds in (100, 800))
    assert long < 8 * 3 * short  # eight times the text; a quadratic step takes 64 times as long


# ---- what the network reads --------------------------------------------------------------------


def test_a_chance_is_told_beside_those_of_its_rivals() -> None:
    assert rival_features("x", {3: 12, 4: 50}, 3) == ["x>2", "x>5", "x>10", "x:best=False",
                                                      "x:lead>-60"]  # fmt: skip
    assert "x:lead>30" in rival_features("x", {3: 12, 4: 50}, 4)
    assert "x:best=True" in rival_features("x", {3: 12}, 3)


def test_the_network_speaks_for_the_company_and_the_deal_of_a_pair(tiny: Language) -> None:
    view = viewed(tiny, passages(ROUNDUP)[0].text)
    own, total, rival, other = view.items
    seats = np.full((4, 2 * REACH + 1, len(LINK_NAMES)), 255, np.uint8)
    for one, two, question, chance in (
        (own, total, COMPANY, 90), (rival, total, COMPANY, 20),
        (rival, total, SHARED, 15), (rival, other, SHARED, 85),
    ):  # fmt: skip
        seats[one.index, two.index - one.index + REACH, question] = chance
    view.links = seats.tobytes()
    candidates = Candidates(view, company_parties(view))
    evidence = dict(company_features(candidates, total))
    assert own.party is not None
    assert rival.party is not None
    assert {"company>80", "company:best=True", "company:lead>60"} <= set(evidence[own.party])
    assert {"company>10", "company:best=False"} <= set(evidence[rival.party])
    drafts = [Draft("amount", [total], own.party), Draft("amount", [other], -1)]
    view.parties[-1] = []
    told = dict(link_features(Deals(view, drafts), rival))
    assert {"anchor:shared>10", "anchor:shared:best=False"} <= set(told[0])
    assert {"anchor:shared>80", "anchor:shared:best=True"} <= set(told[1])
