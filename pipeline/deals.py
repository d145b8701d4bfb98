"""Which mentions make which deal: candidates, the evidence for each link, and the decision.

A deal hangs on an anchor: a sum of kind ``deal`` (one deal for each sum and company), a sentence
that tells an operation of a company without a sum, or a worth that is told without a deal.
Everything else (worth, dates, totals, shares, sources) is tied to the anchors by one pairwise
question, *does this mention belong to that deal?*, answered by a logistic regression for each
label over the same evidence: distance, what stands between, whose company is near. Of investors
it is asked for each party, with all its mentions: *does it invest in that deal?*
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from operator import itemgetter

from pipeline.attributes import DEED, attribute_features, likeness, mean
from pipeline.codes import GROUP, NOM_COMPANY, NOM_INVESTOR
from pipeline.linear import NO, YES, LinearModels, most_probable, stepped
from pipeline.mention_network import COMPANY, INVESTOR, SHARED, link_chance, within_reach
from pipeline.mention_network import LINKS as LINK_NAMES
from pipeline.schema import NAME_LABELS, AmountKind, Commitment, Label
from pipeline.view import (
    Item,
    View,
    clause_features,
    counterparts,
    cue_features,
    distance,
    governing_cues,
    nearest,
    role_features,
    sentence_features,
    words_around,
)

OPERATION_CUES = frozenset(
    [
        "financing",
        "debt",
        "convertible",
        "grant",
        "crowdfunding",
        "secondary",
        "acquisition",
        "sale",
        "lbo",
        "ipo",
        "fund",
    ]
)
"""Cue categories that may tell an operation without a sum."""


@dataclass(slots=True)
class Draft:
    """A deal in the making. ``anchors`` are in text order and never empty."""

    kind: str  # amount, operation or valuation
    anchors: list[Item]
    company: int
    score: float = 1.0
    company_score: float = 1.0
    links: dict[str, list[tuple[Item, float]]] = field(default_factory=dict)
    attributes: dict[str, tuple[str, float]] = field(default_factory=dict)
    investor_attributes: dict[int, dict[str, tuple[str, float]]] = field(default_factory=dict)

    def linked(self, role: str) -> list[Item]:
        return [item for item, _ in self.links.get(role, ())]


def _signed(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


def _far(tokens: int) -> str:
    return "a" if tokens <= 3 else "b" if tokens <= 8 else "c" if tokens <= 16 else "d"


# ---- what the network over the mentions reads -------------------------------------------------


_CHANCES = (2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
_LEADS = (-60, -30, -10, 10, 30, 60)
_TENTHS = tuple(range(10))


def chances_read(
    view: View, asked: Mapping[str, tuple[Sequence[Item], Sequence[Item], int]]
) -> list[str]:
    """What the network reads between two lots of mentions, as evidence, by the name of each."""
    return [
        feature
        for name, (ones, others, question) in asked.items()
        for feature in stepped(name, link_chance(view, ones, others, question), _CHANCES)
    ]


def rival_features(name: str, chances: Mapping[int, int], own: int) -> list[str]:
    """The chance of the one of several rivals that ``own`` names, by itself and beside theirs."""
    chance = chances[own]
    others = max((other for rival, other in chances.items() if rival != own), default=-1)
    lead = chance - max(others, 0)
    return [
        *stepped(name, chance, _CHANCES),
        f"{name}:best={chance >= others}",
        *stepped(f"{name}:lead", lead, _LEADS),
    ]


# ---- the company of an anchor -----------------------------------------------------------------


POSSIBLE = 0.15
"""A label less probable than this is not considered for a role in a deal."""

_MENTIONS_READ = 6

_NEVER_A_COMPANY = frozenset({Label.PERSON, Label.MEDIA})


def company_parties(view: View) -> list[int]:
    """Parties that may be a deal's company: those that may be one, else any organisation."""
    found = [party for party, items in view.parties.items() if may_be_company(items)]
    return found or [
        party
        for party, items in view.parties.items()
        if any(item.label not in _NEVER_A_COMPANY for item in items)
    ]


def may_be_company(items: Sequence[Item]) -> bool:
    """Whether one of a party's mentions may be that of a deal's company."""
    return any(i.label == NOM_COMPANY or i.chance(Label.COMPANY) >= POSSIBLE for i in items)


def _share(probability: float) -> int:
    return min(int(probability * 5), 4)


_NEAR = 6
"""Of how many companies one is chosen: those that stand nearest, in a long article."""

_NEAR_DEALS = 3
"""The same for the deals of a mention."""

_LOOKED_AT = 24
"""Mentions of companies on each side among which the nearest are looked for."""

_ANCHORS = 12
"""The same for the anchors of deals, which stand less close."""


class Candidates:
    """The parties that may be a deal's company, and what is asked of them for every anchor."""

    def __init__(self, view: View, parties: Sequence[int], most: int = _NEAR) -> None:
        self.view = view
        self.parties = parties
        self.order = {party: place for place, party in enumerate(parties)}
        self._most = most
        self.labels = {party: view.party_labels(party) for party in parties}
        self.chance = {
            party: _share(max(item.chance(Label.COMPANY) for item in view.parties[party]))
            for party in parties
        }
        self.main = max(
            parties,
            key=lambda p: (self.labels[p][Label.COMPANY], -view.parties[p][0].start),
            default=None,
        )
        self._items = [item for item in view.items if item.party in self.labels]
        self._starts = [item.start for item in self._items]

    def nearest(self, anchor: Item) -> list[tuple[int, Item]]:
        """The candidates nearest to ``anchor`` with their nearest mention, the nearest first."""
        parties = self.parties
        if len(parties) > self._most:
            at = bisect_left(self._starts, anchor.start)
            beside = self._items[max(0, at - _LOOKED_AT) : at + _LOOKED_AT]
            parties = [party for item in beside if (party := item.party) is not None]
        near = {party: nearest(self.view.parties[party], anchor) for party in parties}
        ranked = sorted(near, key=lambda party: (distance(near[party], anchor), party))
        return [(party, near[party]) for party in ranked[: self._most]]

    def last_before(self, anchor: Item) -> int | None:
        """The candidate that was named or described last."""
        at = bisect_left(self._starts, anchor.start)
        return self._items[at - 1].party if at else None


def company_features(among: Candidates, anchor: Item) -> Iterator[tuple[int, list[str]]]:
    """For each candidate near ``anchor`` the evidence that the deal that hangs on it is its own."""
    view = among.view
    here = view.by_sent[anchor.sent]
    before = {i.party for i in here if i.start < anchor.start and i.party in among.labels}
    last = among.last_before(anchor)
    ranked = among.nearest(anchor)
    read = {
        name: {party: link_chance(view, view.parties[party], [anchor], at) for party, _ in ranked}
        for at, name in enumerate(LINK_NAMES)
    }
    for place, (party, near) in enumerate(ranked):
        features = _of_candidate(among, anchor, party, near, min(place, 3))
        for name, chances in read.items():
            features += rival_features(name, chances, party)
        features += chances_read(view, {"near:company": ([near], [anchor], COMPANY)})
        features.append(f"only_before={before == {party}}")
        features.append(f"last_before={party == last}")
        yield party, features


def _of_candidate(among: Candidates, anchor: Item, party: int, near: Item, rank: int) -> list[str]:
    view = among.view
    main = party == among.main
    labels = among.labels[party]
    chance = among.chance[party]
    delta = _signed(near.sent - anchor.sent, 3)
    side = "before" if near.start < anchor.start else "after"
    here = [item for item in view.by_sent[anchor.sent] if item.party == party]
    between = {
        other.label
        for other in view.by_sent[anchor.sent]
        if min(near.start, anchor.start) < other.start < max(near.start, anchor.start)
        and other.party != party
    }
    same_line = view.lines[near.start] == view.lines[anchor.start]
    out = [
        f"rank={rank}",
        f"delta={delta}",
        f"side={side}",
        f"rank&side&delta={rank}{side}{delta}",
        f"far={side}{_far(distance(near, anchor))}",
        f"near={near.label}",
        f"near&rank={near.label}{rank}",
        f"n={min(len(among.parties), 4)}",
        f"main={main}",
        f"main&rank={main}{rank}",
        f"main&here={main}{bool(here)}",
        f"first={min(view.parties[party][0].sent, 3)}",
        f"company={min(labels[Label.COMPANY], 3)}",
        f"investor={min(labels[Label.INVESTOR], 2)}",
        f"chance={chance}",
        f"chance&rank={chance}{rank}",
        f"near_chance={_share(near.chance(Label.COMPANY))}&near={near.label}",
        f"part={near.part}",
        f"same_line={same_line}",
        f"line&rank={same_line}{rank}",
    ]
    level = {item.party for item in counterparts(view, anchor)} & among.labels.keys()
    if level:
        out.append(f"counterpart={party in level}")
    out += near.read
    out += likeness(near.attributes, anchor.attributes)
    out += [f"between={label}" for label in sorted(between)]
    out += [f"here={label}" for label in Counter(item.label for item in here)]
    if here:
        first_here = next(i for i in view.by_sent[anchor.sent] if i.party is not None)
        out.append(f"subject={first_here.party == party}")
        word = view.tokens[near.start - 1] if near.start else "#"
        out.append(f"prep={word}")
    out += _ties(view, anchor, {party}, among.labels)
    return out


def _ties(view: View, item: Item, own: Container[int], rivals: Container[int]) -> list[str]:
    """How one firing of a relation rule ties a mention to a party, or to one of its rivals.

    ``rivals`` may hold ``own`` too.

    A match speaks of the sums, names and dates in its slots together.
    """
    slots = {role.match: role.slot for role in view.roles.get(item.index, ())}
    if not slots:
        return []
    out = set()
    for other in view.by_sent[item.sent]:
        if other.party is None or (other.party not in own and other.party not in rivals):
            continue
        for role in view.roles.get(other.index, ()):
            if role.match in slots:
                whose = "own" if other.party in own else "other"
                out.add(f"tie:{slots[role.match]}:{whose}:{role.slot}")
    return sorted(out)


# ---- links of mentions to deals ---------------------------------------------------------------


class Deals:
    """The drafts of an article, and what is asked of them for every mention."""

    def __init__(self, view: View, drafts: Sequence[Draft]) -> None:
        self.view = view
        self.drafts = drafts
        self.companies: Counter[int] = Counter()
        self.nth: list[int] = []
        """For each draft the number of those before it that are of the same company."""
        self.anchored: dict[int, set[int]] = {}
        """By the index of an anchor the places of the drafts that hang on it."""
        for at, draft in enumerate(drafts):
            self.nth.append(self.companies[draft.company])
            self.companies[draft.company] += 1
            for anchor in draft.anchors:
                self.anchored.setdefault(anchor.index, set()).add(at)
        self.main = max(self.companies, key=lambda party: self.companies[party], default=None)
        self.recalled = [_is_recalled(view, draft.anchors[0]) for draft in drafts]
        self.fresh = self.recalled.count(False)
        self.in_sentence: dict[int, set[int]] = defaultdict(set)
        """By sentence the places of the drafts of which an anchor stands there."""
        for index, places in self.anchored.items():
            self.in_sentence[view.items[index].sent] |= places
        self._dates: dict[int, list[Item]] = {}
        self._attributes: dict[int, list[float]] = {}
        self._sentences: dict[int, tuple[set[int], list[str]]] = {}
        self._beside: dict[int, tuple[int, Counter[int]]] = {}
        self._near: dict[int, dict[int, tuple[int, Item]]] = {}
        self._evidence: dict[int, list[tuple[int, list[str]]]] = {}
        self._anchors = [view.items[index] for index in sorted(self.anchored)]
        self._starts = [anchor.start for anchor in self._anchors]
        named = [item for item in view.items if item.party in self.companies]
        self._named = [item.index for item in named]
        self._named_parties = [item.party for item in named]

    def nearest(self, item: Item) -> dict[int, tuple[int, Item]]:
        """The places of the drafts that stand nearest to ``item``, the nearest first.

        With each come the tokens in between and the nearest anchor.
        """
        if item.index not in self._near:
            self._near[item.index] = self._nearest(item)
        return self._near[item.index]

    def _nearest(self, item: Item) -> dict[int, tuple[int, Item]]:
        at = bisect_left(self._starts, item.start)
        near: dict[int, tuple[int, Item]] = {}
        for anchor in self._anchors[max(0, at - _ANCHORS) : at + _ANCHORS]:
            gap = distance(anchor, item)
            for place in self.anchored[anchor.index]:
                if place not in near or gap < near[place][0]:
                    near[place] = (gap, anchor)
        ranked = sorted((gap, place) for place, (gap, _) in near.items())
        return {place: near[place] for _, place in ranked[:_NEAR_DEALS]}

    def evidence(self, item: Item) -> list[tuple[int, list[str]]]:
        """What :func:`link_features` says of an item; several roles ask."""
        if item.index not in self._evidence:
            self._evidence[item.index] = list(link_features(self, item))
        return self._evidence[item.index]

    def named_beside(self, party: int) -> tuple[int, Counter[int]]:
        """In how many sentences a party is named, in how many with an anchor of each draft."""
        if party not in self._beside:
            sents = {item.sent for item in self.view.parties[party]}
            places = (place for sent in sents for place in self.in_sentence.get(sent, ()))
            self._beside[party] = len(sents), Counter(places)
        return self._beside[party]

    def sentence(self, sent: int) -> tuple[set[int], list[str]]:
        """The companies of drafts that a sentence names, and which of the noted cues it holds."""
        if sent not in self._sentences:
            parties = {item.party for item in self.view.by_sent[sent] if item.party is not None}
            cues = {cue.category for cue in self.view.cues[sent]}
            noted = [category for category in _NOTED if category in cues]
            self._sentences[sent] = parties & self.companies.keys(), noted
        return self._sentences[sent]

    def attributes(self, place: int) -> list[float]:
        """What the encoder reads at the anchors of a draft, on the average."""
        if place not in self._attributes:
            anchors = self.drafts[place].anchors
            self._attributes[place] = mean([anchor.attributes for anchor in anchors])
        return self._attributes[place]

    def sents(self, place: int) -> dict[int, None]:
        """The sentences with an anchor of a draft, in their order."""
        return {anchor.sent: None for anchor in self.drafts[place].anchors}

    def dates(self, place: int) -> list[Item]:
        """The dates that stand in a sentence with an anchor of a draft."""
        if place not in self._dates:
            items = (item for sent in self.sents(place) for item in self.view.by_sent[sent])
            self._dates[place] = [item for item in items if item.label == Label.DATE]
        return self._dates[place]

    def is_company_of(self, item: Item, place: int) -> bool:
        """Whether ``item`` is the very company of a draft."""
        return item.party is not None and item.party == self.drafts[place].company

    def last_before(self, item: Item) -> set[int]:
        """The places of the drafts of the anchor that stands last up to ``item``."""
        at = bisect_right(self._starts, item.start)
        return self.anchored[self._anchors[at - 1].index] if at else set()

    def last_named(self, item: Item) -> int | None:
        """The company that was named or described last, up to ``item`` and with it."""
        at = bisect_right(self._named, item.index)
        return self._named_parties[at - 1] if at else None

    def others_between(self, place: int, low: int, high: int) -> int:
        """The anchors of other drafts that begin between two tokens."""
        anchors = self._anchors[bisect_right(self._starts, low) : bisect_left(self._starts, high)]
        return sum(len(self.anchored[anchor.index] - {place}) for anchor in anchors)

    def tied(self, item: Item) -> set[int]:
        """The places of the drafts of whose sum a relation rule speaks together with ``item``."""
        matches = {role.match for role in self.view.roles.get(item.index, ())}
        out: set[int] = set()
        for other in self.view.by_sent[item.sent] if matches else ():
            if other.index in self.anchored and not matches.isdisjoint(
                role.match for role in self.view.roles.get(other.index, ())
            ):
                out |= self.anchored[other.index]
        return out


def link_features(deals: Deals, item: Item) -> Iterator[tuple[int, list[str]]]:
    """For each draft near ``item``, by place, the evidence that the item belongs to it.

    A company is never tied to its own deal, nor a name to another deal than that of the sum in
    the brackets behind it.
    """
    view = deals.view
    near = deals.nearest(item)
    bracketed = _bracketed_sum(view, item)
    bound = deals.anchored.get(bracketed.index) if bracketed is not None else None
    asked = [
        at
        for at in sorted(near)
        if (not bound or at in bound) and not deals.is_company_of(item, at)
    ]
    if not asked:
        return
    standing = _Standing(deals, item)
    ranks = {place: min(rank, 3) for rank, place in enumerate(near)}
    own = [*cue_features(view, item), *words_around(view, item), *role_features(view, item)]
    own += item.read
    if item.party is not None:
        own += governing_cues(view, item)
    own = [f"x{feature}" for feature in own]
    if item.label == Label.DATE:
        moods = sentence_features(view, item.sent, "")
        own += [f"when={item.when}", *(f"when={item.when}&{told}" for told in moods)]
    read = _links_read(deals, item, near)
    for at in asked:
        told = _draft_features(standing, at, ranks[at], *near[at])
        for name, chances in read.items():
            told += rival_features(name, chances, at)
        told += likeness(item.attributes, deals.attributes(at))
        if item.party is not None:
            told += _party_features(standing, at, ranks[at], near[at][1])
        yield at, told + own


def _links_read(deals: Deals, item: Item, places: Iterable[int]) -> dict[str, dict[int, int]]:
    """What the network reads of an item and the anchors, and the companies, of some drafts."""
    view, out = deals.view, {}
    for question in (SHARED, INVESTOR) if item.party is not None else (SHARED,):
        for name, of in (("anchor", _anchors_of), ("company", _company_of)):
            out[f"{name}:{LINK_NAMES[question]}"] = {
                at: link_chance(view, [item], of(view, deals.drafts[at]), question) for at in places
            }
    return out


def _anchors_of(view: View, draft: Draft) -> list[Item]:
    return draft.anchors


def _company_of(view: View, draft: Draft) -> list[Item]:
    return view.parties[draft.company]


def _is_recalled(view: View, anchor: Item) -> bool:
    """Whether the words or the date of a past deal stand before a sum, or after it in its clause.

    No other sum stands in between.
    """
    low, high = view.sents[anchor.sent]
    for item in view.by_sent[anchor.sent]:
        if item.money is not None and item.end <= anchor.start:
            low = item.end
        elif item.money is not None and item.start >= anchor.end:
            high = min(high, item.start)
    clause = view.tokens[anchor.end : high]
    high = anchor.end + (clause.index(",") if "," in clause else len(clause))
    return any(
        cue.category == "background" and low <= cue.start < high for cue in view.cues[anchor.sent]
    ) or any(
        item.when in _LONG_AGO and low <= item.start < high for item in view.by_sent[anchor.sent]
    )


_LONG_AGO = frozenset({"months", "years"})


class _Standing:
    """Where a mention stands among the deals."""

    def __init__(self, deals: Deals, item: Item) -> None:
        view = deals.view
        self.deals = deals
        self.item = item
        self.here, self.noted = deals.sentence(item.sent)
        self.last = deals.last_before(item)
        self.named = deals.last_named(item)
        self.tied = deals.tied(item)
        self.whole = view.wholes.get(item.index)
        self.head = view.items[item.list_head] if item.list_head >= 0 else item
        """The first of the item's enumeration."""
        near = deals.nearest(self.head) if self.head is not item else ()
        self.head_ranks = {place: min(rank, 3) for rank, place in enumerate(near)}
        self.head_last = deals.last_before(self.head)


_NOTED = ("background", "returning", "total_raised", "previous_worth", "new")


def _draft_features(standing: _Standing, at: int, rank: int, gap: int, near: Item) -> list[str]:
    """What the draft at ``at`` is to a mention, beside the other drafts."""
    deals, item = standing.deals, standing.item
    view, draft = deals.view, deals.drafts[at]
    company_here = draft.company in standing.here
    named = standing.named
    out = [
        *_place_features(
            rank,
            min(len(deals.drafts), 4),
            _signed(item.sent - near.sent, 3),
            company_here,
            len(standing.here) > company_here,
            at == 0,
            "none" if named is None else "own" if named == draft.company else "other",
            at in standing.last,
            view.lines[item.start] == view.lines[near.start],
            min(deals.companies[draft.company], 3),
        ),
        f"kind={draft.kind}",
        f"label={item.label}",
        f"tied={at in standing.tied}&other={bool(standing.tied)}&rank={min(rank, 1)}",
    ]
    if item.chances:
        chance = _share(item.chance(Label.INVESTOR))
        out += [f"chance={chance}", f"chance&rank={chance}{min(rank, 1)}"]
        out.append(f"chance&company={chance}{company_here}")
    if item.sent == near.sent:
        side = "before" if item.start < near.start else "after"
        out.append(f"far={side}{_far(gap)}")
        out.append(f"far&rank={side}{_far(gap)}{min(rank, 2)}")
        rivals = deals.others_between(at, *sorted((item.start, near.start)))
        out.append(f"rivals={min(rivals, 2)}")
    for category in standing.noted:
        out.append(f"{category}&first={at == 0}")
        out.append(f"{category}&rank={min(rank, 2)}")
    past = deals.recalled[at]
    rivals_past = len(deals.drafts) - deals.fresh - past > 0
    if item.when:
        out.append(f"when={item.when}&past={past}&same={item.sent == near.sent}")
        out.append(f"when={item.when}&rank={min(rank, 2)}&first={at == 0}")
    out += [
        f"past={past}&rival={rivals_past}",
        f"past={past}&rank={min(rank, 2)}",
        f"past={past}&delta={_signed(item.sent - near.sent, 3)}",
        f"past={past}&same={item.sent == near.sent}&fresh={min(deals.fresh, 2)}",
    ]
    if standing.head is not item:
        out.append(f"head={standing.head_ranks.get(at, 9)}&rank={min(rank, 2)}")
    out.append(f"head_last={at in standing.head_last}&last={at in standing.last}")
    if standing.whole is not None:
        told = {anchor.money.value for anchor in draft.anchors if anchor.money is not None}
        out.append(f"whole={standing.whole in told}")
    return out + _ties(view, item, {draft.company}, deals.companies)


def _party_features(standing: _Standing, at: int, rank: int, near: Item) -> list[str]:
    """The same for a party: mood and date of its sentence, and where else it is named."""
    deals, item = standing.deals, standing.item
    view = deals.view
    past, first = deals.recalled[at], at == 0
    out = [*_crossed(sentence_features(view, item.sent, ""), f"past={past}&first={first}")]
    dates = [other for other in view.by_sent[item.sent] if other.label == Label.DATE]
    if dates:
        date = nearest(dates, item)
        out.append(f"dated={date.when}&past={past}&first={first}")
        out.append(f"dated={date.when}&past={past}&same={item.sent == near.sent}")
        if told := deals.dates(at):
            same = any(other.date == date.date for other in told)
            alike = any(other.when == date.when for other in told)
            out += [f"same_date={same}", f"same_when={alike}&first={first}"]
    sents, places = deals.named_beside(item.party or 0)
    if sents > 1:
        here = deals.in_sentence.get(item.sent, ())
        own = places[at] > (at in here)
        other = places.total() - places[at] > len(here) - (at in here)
        out += [f"kin={own}{other}", f"kin={own}{other}&rank={min(rank, 2)}"]
    return out


@lru_cache(maxsize=4096)
def _crossed(told: tuple[str, ...], other: str) -> tuple[str, ...]:
    return tuple(f"{feature}&{other}" for feature in told)


@lru_cache(maxsize=4096)
def _place_features(
    rank: int,
    count: int,
    delta: int,
    company_here: bool,
    other_here: bool,
    first: bool,
    topic: str,
    is_last: bool,
    same_line: bool,
    same_company: int,
) -> tuple[str, ...]:
    """The evidence of place; a few hundred cases make up most of it."""
    near = min(rank, 2)
    return (
        f"rank={rank}",
        f"n={count}",
        f"rank&n={rank}{count}",
        f"delta={delta}",
        f"rank&delta={near}{delta}",
        f"single&delta={count == 1}{delta}",
        f"company={company_here}",
        f"company&other={company_here}{other_here}",
        f"company&rank={company_here}{near}",
        f"first={first}",
        f"first&rank={first}{near}",
        f"topic={topic}",
        f"topic&rank={topic}{near}",
        f"last={is_last}",
        f"last&topic={is_last}{topic}",
        f"last&line={is_last}{same_line}",
        f"line&rank={same_line}{near}",
        f"same_company={same_company}&rank={near}",
        f"same_company={same_company}&first={first}",
    )


INVESTORS = frozenset({Label.INVESTOR, GROUP, NOM_INVESTOR})
"""Labels of mentions that may stand for an investor."""

LINKS: Mapping[str, frozenset[str]] = {
    "valuation": frozenset({Label.VALUATION}),
    "date": frozenset({Label.DATE}),
    "round": frozenset({Label.ROUND}),
    "instrument": frozenset({Label.INSTRUMENT}),
    "source": frozenset({Label.MEDIA, Label.PERSON, Label.ORG}),
    "total_raised": frozenset({AmountKind.TOTAL_RAISED}),
    "component": frozenset({AmountKind.COMPONENT}),
}
"""The roles that a mention plays in a deal where it stands, with the labels (for sums: the kinds)
that may. Who invests is not asked of a mention but of a party: see :func:`investor_evidence`."""


def may_link(item: Item, role: str) -> bool:
    """Whether the label (for a sum: the kind) of ``item`` lets it play ``role``."""
    if item.money is not None and item.label == Label.AMOUNT:
        return item.money.kind in LINKS[role]
    return item.label in LINKS[role]


def may_invest(item: Item) -> bool:
    """Whether ``item`` may stand for an investor.

    A name that was only just not taken for one may be one all the same.
    """
    if item.party is None:
        return False
    return item.chance(Label.INVESTOR) >= POSSIBLE if item.chances else item.label in INVESTORS


def investor_evidence(deals: Deals) -> Iterator[tuple[list[Item], dict[int, list[str]]]]:
    """For each party that may invest the mentions that let it and, for each draft near one of
    them, by place, the evidence that it invests there.

    All mentions speak together; the one that stands nearest to the draft speaks twice.
    """
    for items in deals.view.parties.values():
        mentions = [item for item in items if may_invest(item)]
        spoken: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
        for item in mentions:
            near = deals.nearest(item)
            for at, features in deals.evidence(item):
                gap, _ = near[at]
                spoken[at].append((gap, features))
        if spoken:
            count = f"mentions={min(len(mentions), 3)}"
            yield mentions, {at: [*_together(told), count] for at, told in spoken.items()}


def _together(spoken: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    """The evidence of several mentions, and that of the nearest once more with a star."""
    _, closest = min(spoken, key=itemgetter(0))
    yield from dict.fromkeys(chain.from_iterable(features for _, features in spoken))
    yield from map("*".__add__, closest)


def speaking_of(deals: Deals, mentions: Sequence[Item], place: int) -> list[Item]:
    """The mentions of an investor that speak of one of its deals.

    They are those to which no deal stands nearer, else the one that stands nearest to it.
    """
    gaps = {}
    own = []
    for item in mentions:
        near = deals.nearest(item)
        if next(iter(near)) == place:
            own.append(item)
        elif place in near:
            gaps[item.index], _ = near[place]
    return own or [deals.view.items[min(gaps, key=lambda index: (gaps[index], index))]]


# ---- an operation that is told without a sum --------------------------------------------------


class Told:
    """What the drafts with a sum tell already, and what is asked of every other sentence."""

    def __init__(self, view: View, drafts: Sequence[Draft]) -> None:
        self.view = view
        self.deals = len(drafts)
        self.companies = Counter(draft.company for draft in drafts)
        self.sents = {anchor.sent for draft in drafts for anchor in draft.anchors}
        self.own_sents = {(d.company, anchor.sent) for d in drafts for anchor in d.anchors}
        self.any_investor = any(item.label in INVESTORS for item in view.items)


def operation_features(told: Told, party: int, sent: int) -> list[str]:
    """Evidence that the sentence tells a deal of ``party`` that no sum anchors."""
    view = told.view
    own = told.companies[party]
    items = [item for item in view.by_sent[sent] if item.party == party]
    low, _ = view.sents[sent]
    out = [
        f"deals={min(told.deals, 3)}",
        f"own={min(own, 2)}",
        f"sent={min(sent, 4)}",
        f"anchor_here={sent in told.sents}",
        f"own_anchor_here={(party, sent) in told.own_sents}",
        f"company={min(view.party_labels(party)[Label.COMPANY], 3)}",
        f"chance={_share(max(item.chance(Label.COMPANY) for item in view.parties[party]))}",
        f"first={view.parties[party][0].sent == sent}",
        f"kinds={items[0].label}",
    ]
    out += [f"own&{feature}" if own else feature for feature in sentence_features(view, sent, "s")]
    for item in items[:2]:
        out += cue_features(view, item)
        out += words_around(view, item)
        out += clause_features(view, item)
        out += role_features(view, item)
    out += attribute_features("party", mean([item.attributes for item in items]))
    out += stepped("deed", max(item.reads(DEED) for item in items), _TENTHS)
    rest = [item for item in within_reach(view.items, items) if item.party != party]
    here = [item for item in rest if item.sent == sent]
    sums = [item for item in rest if item.money is not None]
    partners = [item for item in here if item.party is not None]
    out += chances_read(
        view,
        {
            "company:here": (items, here, COMPANY),
            "company": (items, rest, COMPANY),
            "company:sum": (items, sums, COMPANY),
            "investor:here": (partners, items, INVESTOR),
        },
    )
    investors = sum(1 for i in view.by_sent[sent] if i.label in INVESTORS)
    out.append(f"investors={min(investors, 3)}&own={bool(own)}")
    out.append(f"investors_in_doc={told.any_investor}")
    out += [f"start={word}" for word in view.tokens[low : low + 2]]
    return list(dict.fromkeys(out))


def operation_sentences(view: View, party: int) -> list[int]:
    """The sentences that name or describe ``party`` and may tell an operation."""
    return sorted({item.sent for item in view.parties[party] if _may_tell(view, item)})


def _may_tell(view: View, item: Item) -> bool:
    """Whether the sentence holds the word of an operation, or the encoder reads one there."""
    return item.reads(DEED) > 0 or any(
        cue.category in OPERATION_CUES for cue in view.cues[item.sent]
    )


# ---- attributes -------------------------------------------------------------------------------


def deal_features(deals: Deals, at: int) -> list[str]:
    """Evidence for type, focus, status, certainty and instrument of the draft at ``at``."""
    view, draft = deals.view, deals.drafts[at]
    out: set[str] = {
        f"kind={draft.kind}",
        f"n={min(len(deals.drafts), 4)}",
        f"first={at == 0}",
        f"sent={min(draft.anchors[0].sent, 4)}",
        f"anchors={min(len(draft.anchors), 3)}",
        f"first&sent={at == 0}{min(draft.anchors[0].sent, 3)}",
    }
    out.add(f"nth={min(deals.nth[at], 2)}of{min(deals.companies[draft.company], 3)}")
    out.add(f"companies={min(len(deals.companies), 4)}")
    out.add(f"main={draft.company == deals.main}&first={at == 0}")
    for role, linked in draft.links.items():
        out.add(f"has={role}")
        out.add(f"first&has={at == 0}{role}")
        if role in ("round", "instrument"):
            out |= {f"{role}={item.text.lower()}" for item, _ in linked}
            out |= {f"{role}:{word}" for item, _ in linked
                    for word in view.tokens[item.start : item.end]}  # fmt: skip
        if role in ("date", "expected_close"):
            out |= {f"{role}={item.when}" for item, _ in linked}
    for attributes in draft.investor_attributes.values():
        out |= {f"inv:{name}={value}" for name, (value, _) in attributes.items()}
    for item in [*draft.anchors[:4], *view.parties[draft.company][:_MENTIONS_READ]]:
        out |= {f"r{feature}" for feature in role_features(view, item)}
    own = [item for item in view.parties[draft.company] if item.sent in deals.sents(at)]
    tied = [item for links in draft.links.values() for item, _ in links]
    for prefix, speaking in (("c", own), ("m", [*draft.anchors, *own, *tied])):
        read = mean([item.attributes for item in speaking])
        out |= {f"{prefix}{feature}" for feature in attribute_features("deal", read)}
    for nth, anchor in enumerate(draft.anchors[:4]):
        prefix = "a0" if nth == 0 else "a"
        out |= {f"{prefix}{feature}" for feature in anchor.read}
        for p in {prefix, "a"}:
            out |= {f"{p}{f}" for f in words_around(view, anchor)}
            out |= {f"{p}{f}" for f in cue_features(view, anchor)}
            out.update(sentence_features(view, anchor.sent, f"{p}s"))
        low, high = view.sents[anchor.sent]
        window = range(max(low, anchor.start - 8), min(high, anchor.end + 6))
        out |= {f"word={view.tokens[i]}" for i in window if i not in view.item_at}
        out |= {f"{prefix}when={item.when}" for item in view.by_sent[anchor.sent] if item.when}
        if anchor.sent + 1 < len(view.sents):
            out.update(sentence_features(view, anchor.sent + 1, "n"))
        if anchor.sent:
            out.update(sentence_features(view, anchor.sent - 1, "p"))
    out.update(sentence_features(view, 0, "d"))
    if draft.kind == "operation":
        low, high = view.sents[draft.anchors[0].sent]
        out |= {f"op={view.tokens[i]}" for i in range(low, high) if i not in view.item_at}
    return sorted(out)


def investor_features(view: View, draft: Draft, items: Sequence[Item]) -> list[str]:
    """Evidence for role, commitment and history of an investor, from all its mentions."""
    out: set[str] = {f"kind={draft.kind}", f"mentions={min(len(items), 3)}"}
    anchor_sents = {anchor.sent for anchor in draft.anchors}
    for item in items:
        out.update(governing_cues(view, item))
        out.update(words_around(view, item))
        out.update(cue_features(view, item))
        out.update(clause_features(view, item))
        out.update(role_features(view, item))
        out.update(sentence_features(view, item.sent, "s"))
        out.update(item.read)
        out.add(f"label={item.label}")
        out.add(f"anchor_here={item.sent in anchor_sents}")
        out |= {f"has={word}" for word in view.tokens[item.start : item.end]}
        listed = [i for i in view.by_sent[item.sent] if i.list_head == item.list_head]
        out.add(f"listed={min(len(listed), 4)}")
        out.add(f"place={min(listed.index(item), 3)}")
    read = attribute_features("party", mean([item.attributes for item in items]))
    out |= {f"m{feature}" for feature in read}
    for anchor in draft.anchors[:3]:
        out.update(sentence_features(view, anchor.sent, "d"))
        out |= {f"a{feature}" for feature in anchor.read}
    return sorted(out)


class Worths:
    """The worths of an article, for the choice of their bases."""

    def __init__(self, view: View) -> None:
        worths = [i for i in view.items if i.label == Label.VALUATION and i.money is not None]
        values = [i.money.value for i in worths if i.money and i.money.value is not None]
        self.place = {item.index: place for place, item in enumerate(worths)}
        self.largest = max(values) if len(values) > 1 else None


def worth_features(view: View, draft: Draft, item: Item, worths: Worths) -> list[str]:
    """Evidence for the basis of a valuation, ``worths`` being those of the view."""
    out = [f"kind={draft.kind}", *words_around(view, item), *role_features(view, item)]
    out += cue_features(view, item)
    out += sentence_features(view, item.sent, "s")
    out.append(f"worths={min(len(worths.place), 3)}&place={min(worths.place[item.index], 2)}")
    if worths.largest is not None and item.money is not None and item.money.value is not None:
        out.append(f"largest={item.money.value == worths.largest}")
    here = [i for i in view.by_sent[item.sent] if i.index in worths.place]
    out.append(f"here={len(here)}&place={here.index(item)}")
    out.append(f"anchor_here={any(a.sent == item.sent for a in draft.anchors)}")
    return out


def share_features(view: View, share: Item, investor: Item) -> list[str]:
    """Evidence that a partial sum is what ``investor`` puts in."""
    rivals = [
        i for i in view.by_sent[share.sent]
        if i.label in INVESTORS and i.party != investor.party
    ]  # fmt: skip
    gap = distance(investor, share)
    side = "before" if investor.start < share.start else "after"
    low, high = sorted((investor.start, share.start))
    nearer = sum(1 for i in rivals if distance(i, share) < gap)
    other_sums = sum(
        1 for i in view.by_sent[share.sent] if i.money is not None and low < i.start < high
    )
    out = [
        f"side={side}",
        f"far={side}{_far(gap)}",
        f"nearer={min(nearer, 2)}",
        f"nearer&side={min(nearer, 2)}{side}",
        f"rivals={min(len(rivals), 3)}",
        f"sums={min(other_sums, 2)}",
        f"label={investor.label}",
    ]
    out += _ties(view, share, {investor.party or 0}, {i.party or 0 for i in rivals})
    out += [f"x{f}" for f in cue_features(view, share)]
    out += [f"x{f}" for f in words_around(view, share)]
    level = {item.party for item in counterparts(view, share)}
    if level:
        out.append(f"counterpart={investor.party in level}")
    between = view.tokens[min(investor.end, share.end) : max(investor.start, share.start)]
    out += [f"between={word}" for word in dict.fromkeys(between[:6])]
    return out


# ---- the decision -----------------------------------------------------------------------------


_ATTRIBUTES = ("type", "focus", "status", "certainty", "instrument_kind")
_INVESTOR_ATTRIBUTES = ("investor_role", "commitment", "returning")
_JUDGES = ("real", "tells")


REAL = 0.25
"""Drafts that the last model finds less probable than this are no deals: chosen by
cross-validation over the training text."""

TELLS = 0.3
"""An article of which no draft is this probable tells no deal at all: over the training text, by
cross-validation, better than 0.35 and 0.4; at 0.25 more than one in a hundred items of general
press get an event. Models that learnt from no general press have no say in it."""


def read_deals(view: View, models: LinearModels) -> list[Draft]:
    """The deals of a document whose mentions carry their final labels and kinds."""
    kept = list(kept_deals(draft_deals(view, models), models).drafts)
    for draft in kept:
        for item in draft.linked("investor"):
            if item.label in NAME_LABELS:
                item.label = Label.INVESTOR
    view.relabelled()
    return kept


def kept_deals(deals: Deals, models: LinearModels) -> Deals:
    """Those of the drafts that are deals, with their links and attributes.

    A draft that is judged to be no deal is taken out and the mentions are tied anew, so that
    what it held can go to the deals that remain.
    """
    view, drafts = deals.view, deals.drafts
    evidence = [judge_features(deals, at) for at in range(len(drafts))]
    judged = [models.probabilities(_JUDGES, features) for features in evidence]
    tells = "tells" not in models or any(
        chances["tells"].get(YES, 0.0) >= TELLS for chances in judged
    )
    kept = []
    for draft, chances in zip(drafts, judged, strict=True):
        score = chances["real"].get(YES, 0.0)
        if tells and score >= REAL:
            draft.score = score
            kept.append(draft)
    changed = len(kept) < len(drafts)
    for draft in kept:
        for anchor in draft.anchors if draft.kind == "amount" else ():
            if anchor.money is None or anchor.money.kind != AmountKind.DEAL:
                anchor.set_kind(AmountKind.DEAL)
                changed = True
    if changed:
        view.relabelled()
        deals = Deals(view, kept)
        _complete(deals, models)
    return deals


def judge_features(deals: Deals, at: int) -> list[str]:
    """Evidence that the draft at ``at`` is a deal at all: what it says, how sure each part is."""
    view, draft = deals.view, deals.drafts[at]
    out = deal_features(deals, at)
    labels = view.party_labels(draft.company)
    out.append(f"company_score={int(draft.company_score * 5)}&kind={draft.kind}")
    out.append(f"score={int(draft.score * 5)}&kind={draft.kind}")
    out += [f"{name}={value}" for name, (value, _) in draft.attributes.items()]
    out += [f"{name}:{int(p * 4)}" for name, (_, p) in draft.attributes.items()]
    chance = max(item.chance(Label.COMPANY) for item in view.parties[draft.company])
    out.append(f"chance={_share(chance)}&kind={draft.kind}")
    own = within_reach(view.parties[draft.company], draft.anchors)
    others = [
        item for item in within_reach(view.items, draft.anchors) if item.party != draft.company
    ]
    out += chances_read(
        view,
        {
            f"anchored&{draft.kind}": (own, draft.anchors, COMPANY),
            f"company&{draft.kind}": (own, others, COMPANY),
            f"shared&{draft.kind}": (others, draft.anchors, SHARED),
        },
    )
    out += dict.fromkeys(f"a{feature}" for anchor in draft.anchors for feature in anchor.parts)
    out.append(f"named={min(labels[Label.COMPANY], 3)}")
    out.append(f"named&kind={min(labels[Label.COMPANY], 1)}{draft.kind}")
    out.append(f"investors={min(len(draft.investor_attributes), 3)}")
    return out


def draft_deals(view: View, models: LinearModels) -> Deals:
    """Every candidate deal, with its links and attributes."""
    candidates = Candidates(view, company_parties(view))
    drafts = _amount_drafts(candidates, models)
    drafts += _operation_drafts(view, models, drafts)
    drafts += _valuation_drafts(candidates, models, drafts)
    drafts.sort(key=lambda draft: (draft.anchors[0].start, draft.company))
    deals = Deals(view, drafts)
    _complete(deals, models)
    return deals


def _complete(deals: Deals, models: LinearModels) -> None:
    """Ties the mentions to the drafts and decides the attributes."""
    view, drafts = deals.view, deals.drafts
    for draft in drafts:
        draft.links.clear()
        draft.investor_attributes.clear()
    for item in view.items if drafts else ():
        for role in LINKS:
            if may_link(item, role):
                _link(deals, models, item, role)
    for mentions, evidence in investor_evidence(deals) if drafts else ():
        _link_investor(deals, models, mentions, evidence)
    for draft in drafts:
        _share_in_lists(view, draft)
        decide_investors(view, models, draft)
    for at, draft in enumerate(drafts):
        draft.attributes |= models.answers(_ATTRIBUTES, deal_features(deals, at))


def _companies(among: Candidates, models: LinearModels, anchor: Item) -> dict[int, float]:
    """How probably the deal that hangs on ``anchor`` is that of each candidate near it."""
    return {
        party: models["company"].probabilities(features).get(YES, 0.0)
        for party, features in company_features(among, anchor)
    }


def _choose_company(among: Candidates, scores: Mapping[int, float]) -> tuple[int, float] | None:
    """The most probable company; of equal ones the first."""
    best = max(scores, key=lambda party: (scores[party], -among.order[party]), default=None)
    return None if best is None else (best, scores[best])


_POSSIBLE_SUM = 0.25
"""A sum that is less probably a whole deal than this never makes one."""

_POSSIBLE_DEED = 0.25
"""The same for a sentence without a sum, and for a worth that is told for itself."""


def _amount_drafts(among: Candidates, models: LinearModels) -> list[Draft]:
    """One draft for each company and sum that may be a whole deal."""
    told: dict[object, list[tuple[Item, float, dict[int, float]]]] = defaultdict(list)
    for item in among.view.items:
        if item.money is None or item.money.converts is not None:
            continue
        chance = item.chance(AmountKind.DEAL)
        if chance >= _POSSIBLE_SUM and (scores := _companies(among, models, item)):
            told[item.money.same_sum()].append((item, chance, scores))
    drafts = []
    for anchors in told.values():
        drafts += _of_one_sum(among, anchors)
    return drafts


_FIRM = 0.95
"""Where one sum is told twice, it is that of one company, unless another is this probable."""


def _of_one_sum(
    among: Candidates, anchors: Sequence[tuple[Item, float, dict[int, float]]]
) -> list[Draft]:
    """The drafts of all mentions of one sum.

    ``anchors`` are the mentions, how probably each is a whole deal, and how probably it is the
    deal of each company.
    """
    summed: Counter[int] = Counter()
    for _, _, scores in anchors:
        summed.update(scores)
    leader = max(summed, key=lambda party: (summed[party], -among.order[party]))
    drafts: dict[int, Draft] = {}
    for item, chance, scores in anchors:
        chosen = _choose_company(among, scores)
        assert chosen is not None
        company, score = chosen
        if score < _FIRM:
            company, score = leader, scores.get(leader, 0.0)
        if company in drafts:
            drafts[company].anchors.append(item)
            drafts[company].company_score = max(drafts[company].company_score, score)
            drafts[company].score = max(drafts[company].score, chance)
        else:
            drafts[company] = Draft("amount", [item], company, chance, score)
    return list(drafts.values())


def _operation_drafts(view: View, models: LinearModels, drafts: Sequence[Draft]) -> list[Draft]:
    """At most one draft for each company, at its most probable sentence."""
    out = []
    told = Told(view, drafts)
    for party, items in view.parties.items():
        if not may_be_company(items):
            continue
        best: tuple[float, int] | None = None
        for sent in operation_sentences(view, party):
            features = operation_features(told, party, sent)
            score = models["operation"].probabilities(features).get(YES, 0.0)
            if score >= _POSSIBLE_DEED and (best is None or score > best[0]):
                best = (score, sent)
        if best is not None:
            anchor = next(item for item in items if item.sent == best[1])
            out.append(Draft("operation", [anchor], party, score=best[0]))
    return out


def own_worth_features(told: Told, item: Item) -> list[str]:
    """Evidence that a worth is told for itself and belongs to no deal."""
    view = told.view
    out = [*words_around(view, item), f"deals={min(told.deals, 3)}", *cue_features(view, item)]
    out += item.read
    here = item.sent in told.sents
    out.append(f"anchor_here={here}")
    parties = {i.party for i in view.by_sent[item.sent] if i.party is not None}
    own = {party for party in parties if party in told.companies}
    out.append(f"company_here={bool(own)}&other={len(parties) > len(own)}")
    out.append(f"deals&here={min(told.deals, 2)}{here}")
    return out


def _valuation_drafts(
    among: Candidates, models: LinearModels, drafts: Sequence[Draft]
) -> list[Draft]:
    out: dict[int, Draft] = {}
    told = Told(among.view, drafts)
    for item in among.view.items:
        if item.label != Label.VALUATION or (item.money and item.money.converts is not None):
            continue
        features = own_worth_features(told, item)
        score = models["own_worth"].probabilities(features).get(YES, 0.0)
        chosen = _choose_company(among, _companies(among, models, item))
        if score < _POSSIBLE_DEED or chosen is None:
            continue
        company, company_score = chosen
        if company in out:
            out[company].anchors.append(item)
        else:
            out[company] = Draft("valuation", [item], company, score, company_score)
    return list(out.values())


_COORDINATION = frozenset(
    [",", "et", "ou", "ainsi", "que", "&", "le", "la", "l'", "les", "du", "de", "des", "d'"]
)
_LIST_CHANCE = 0.05


def _share_in_lists(view: View, draft: Draft) -> None:
    """Lets the members of a plain coordination share what one of them is: "A, B et C suivent".

    Only names that may be investors at all take part, and only commas, "et" and articles may
    stand between one and the next.
    """
    links = draft.links.get("investor", [])
    linked = {item.index: probability for item, probability in links}
    for item, probability in list(links):
        here = [i for i in view.by_sent[item.sent] if i.party is not None and not i.nominal]
        at = here.index(item) if item in here else -1
        for step in (-1, 1):
            neighbour = at + step
            while at >= 0 and 0 <= neighbour < len(here):
                left, right = sorted((here[neighbour], here[neighbour - step]), key=_start)
                joined = set(view.tokens[left.end : right.start]) <= _COORDINATION
                other = here[neighbour]
                if not joined or other.label in _NEVER_AN_INVESTOR or other.party == draft.company:
                    break
                if other.index not in linked and other.chance(Label.INVESTOR) >= _LIST_CHANCE:
                    linked[other.index] = probability
                    links.append((other, probability))
                neighbour += step
    links.sort(key=lambda link: link[0].start)


def _start(item: Item) -> int:
    return item.start


_NEVER_AN_INVESTOR = frozenset({Label.MEDIA})

_MANY = "source"
"""The role in which one mention may serve several deals."""


def _link(deals: Deals, models: LinearModels, item: Item, role: str) -> None:
    """Ties a mention to the drafts in which it plays ``role``."""
    scores = []
    for at, features in deals.evidence(item):
        probabilities = models[role].probabilities(features)
        value, _ = most_probable(probabilities)
        scores.append((1 - probabilities.get(NO, 0.0), value, at))
    if not scores:
        return
    best = max(scores, key=lambda score: (score[0], -score[2]))
    for score in scores:
        probability, value, at = score
        if probability < 0.5 or not (role == _MANY or score == best) or value == NO:
            continue
        name = role if value == YES else value
        deals.drafts[at].links.setdefault(name, []).append((item, probability))


def _link_investor(
    deals: Deals,
    models: LinearModels,
    mentions: Sequence[Item],
    evidence: Mapping[int, list[str]],
) -> None:
    """Ties a party, by the mentions that speak of them, to the drafts in which it invests."""
    chances = {
        at: models["investor"].probabilities(features).get(YES, 0.0)
        for at, features in evidence.items()
    }
    for at in invested_in(mentions, chances):
        links = deals.drafts[at].links.setdefault("investor", [])
        links += [(item, chances[at]) for item in speaking_of(deals, mentions, at)]


_INVESTS_SOMEWHERE = frozenset({Label.INVESTOR, GROUP})

_LIKELIEST = 0.35


def invested_in(mentions: Sequence[Item], chances: Mapping[int, float]) -> list[int]:
    """The places of the deals in which a party invests: those where that is likelier than not.

    An investor of none is one of its likeliest deal, if that is likely enough.
    """
    likely = [at for at, chance in chances.items() if chance >= 0.5]
    if likely or not any(item.label in _INVESTS_SOMEWHERE for item in mentions):
        return likely
    best = max(chances, key=lambda at: chances[at])
    return [best] if chances[best] >= _LIKELIEST else []


def _bracketed_sum(view: View, item: Item) -> Item | None:
    """The sum in the brackets that follow a name: "Alpha (3 millions), Bêta (2 millions)".

    Where it is a deal of its own, what the name does belongs to that deal and to no other.
    """
    if item.party is None or view.tokens[item.end : item.end + 1] != ["("]:
        return None
    beside = view.item_at.get(item.end + 1)
    return beside if beside is not None and beside.money is not None else None


def decide_investors(view: View, models: LinearModels, draft: Draft) -> None:
    """Role, commitment and history of every investor of a draft, by party."""
    for party, items in investor_items(draft):
        features = investor_features(view, draft, items)
        decided = models.answers(_INVESTOR_ATTRIBUTES, features)
        if any(_turns_down(view, item) for item in items):
            decided["commitment"] = (Commitment.DECLINED, 1.0)
        draft.investor_attributes[party] = decided


def _turns_down(view: View, item: Item) -> bool:
    """Whether the words that follow a name, up to the next, say that it turned the deal down."""
    after = [i.start for i in view.by_sent[item.sent] if i.start >= item.end]
    end = min(after, default=view.sents[item.sent][1])
    return any(
        cue.category == "declined" and item.end <= cue.start and cue.end <= end
        for cue in view.cues[item.sent]
    )


def investor_items(draft: Draft) -> Iterator[tuple[int, list[Item]]]:
    """The investors of a draft with their mentions, in order of first mention."""
    by_party: dict[int, list[Item]] = {}
    for item in draft.linked("investor"):
        if item.party is not None:
            by_party.setdefault(item.party, []).append(item)
    yield from by_party.items()
