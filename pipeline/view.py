"""A document as the relation models see it: mentions, cues and sentences as plain indices.

The view is read once from the ``Doc`` (its ents, its nominals, its cues), so that the feature
functions touch no spaCy object in their loops.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, wraps
from itertools import accumulate, pairwise

from spacy.attrs import LOWER, ORTH, SENT_START, SPACY
from spacy.tokens import Doc

from pipeline.attributes import COLUMN_OF, attribute_features
from pipeline.codes import (
    GROUP,
    NOM_COMPANY,
    NOM_INVESTOR,
    NOMINALS,
    MoneyCode,
    read_money,
    read_odds,
    with_kind,
)
from pipeline.cues import Cue, CueMatcher
from pipeline.lexicon import Row, Text, load
from pipeline.linear import LinearModel
from pipeline.normalise.edtf import bounds
from pipeline.schema import MONEY_LABELS, NAME_LABELS, AmountKind, Label

PARTY_LABELS = frozenset({*NAME_LABELS, GROUP, NOM_COMPANY, NOM_INVESTOR})
"""Labels of items that stand for a party, descriptions included."""

_JOINS = frozenset({",", "et", "ou", "(", ")", ";", "&", "/", "ainsi", "puis"})
_LIST_GAP = 9
_NUMBER = re.compile(r"\d")


@dataclass(slots=True, eq=False)  # an item is itself: comparing all its fields takes long
class Item:
    """A mention in token indices. ``party`` is ``None`` where it stands for no party."""

    index: int
    start: int
    end: int
    label: str
    text: str
    sent: int
    char_start: int
    char_end: int
    party: int | None = None
    money: MoneyCode | None = None
    date: str | None = None
    when: str = ""
    """Where a date lies, seen from the day of the article."""
    nominal: bool = False
    list_head: int = -1
    series: list[Item] = field(default_factory=list)
    """The parties, or the sums, of its sentence that are coordinated with it, itself among them."""
    code: str = ""
    ner: str = ""
    """What the NER took the mention for, before the role models had their say."""
    odds: dict[str, int] = field(default_factory=dict)
    """How probable the NER found each label, in tenths."""
    attributes: list[int] = field(default_factory=list)
    """What the encoder reads at its first token, one column an answer of
    :mod:`pipeline.attributes`, in tenths."""
    read: list[str] = field(default_factory=list)
    """The same as evidence, of what is asked of its sort of mention."""
    chances: dict[str, float] = field(default_factory=dict)
    """How probable each label (for a sum: each kind) was when the role models decided."""
    parts: list[str] = field(default_factory=list)
    """What :mod:`pipeline.mention_network` takes it for, as evidence."""
    part: str = ""
    """What its party is taken for in the whole article."""

    def reads(self, answer: str) -> int:
        """How probable an answer is to the encoder, in tenths."""
        return self.attributes[COLUMN_OF[answer]] if self.attributes else 0

    def chance(self, label: str) -> float:
        """How probable a label was; 1 where it was never in doubt."""
        return self.chances.get(label, 0.0) if self.chances else float(self.label == label)

    def set_kind(self, kind: str) -> None:
        """Says what a sum counts: an AmountKind, VALUATION, or NONE where it is no sum."""
        assert self.money is not None
        self.label = Label.AMOUNT if kind in list(AmountKind) else kind
        self.code = with_kind(self.code, kind if kind in list(AmountKind) else "")
        self.money = read_money(self.code)


@dataclass(frozen=True, slots=True)
class Role:
    """That a relation rule found an item in one of its slots. A match is one firing of a rule."""

    match: int
    rule: str
    slot: str


_Known = dict[tuple[str, int], tuple[str, ...]]


@dataclass(slots=True)
class View:
    """Mentions in text order, cues and sentence bounds of one document (token indices)."""

    text: str
    tokens: list[str]
    texts: list[str]
    sents: list[tuple[int, int]]
    bounds: list[tuple[int, int]]
    """The sentences in code points, without the white space around them."""
    items: list[Item]
    cues: list[list[Cue]]
    """The cues of each sentence."""
    lines: list[int] = field(default_factory=list)
    """For each token the number of line ends before it."""
    parties: dict[int, list[Item]] = field(default_factory=dict)
    by_sent: dict[int, list[Item]] = field(default_factory=dict)
    item_at: dict[int, Item] = field(default_factory=dict)
    roles: dict[int, list[Role]] = field(default_factory=dict)
    """What the relation rules say of each item, by its index."""

    wholes: dict[int, Decimal] = field(default_factory=dict)
    """Of each sum that is a part of another one, by its index, what it adds up to."""
    known: _Known = field(default_factory=dict)
    """What :func:`_once` keeps."""
    known_labelled: _Known = field(default_factory=dict)
    """What :func:`_once_labelled` keeps."""
    links: bytes = b""
    """What :mod:`pipeline.mention_network` reads of each pair of mentions; none without it."""

    def relabelled(self) -> None:
        """To be called where a label has changed: forgets what hung on it."""
        self.known_labelled.clear()

    def party_labels(self, party: int) -> Counter[str]:
        return Counter(item.label for item in self.parties[party])


def read_view(doc: Doc, find_cues: CueMatcher) -> View:
    """The view of a document that went through ``fr_deals_mentions``."""
    # As arrays: to ask token by token, and doc.sents does, takes several times as long.
    *keys, spaces, begins = doc.to_array([LOWER, ORTH, SPACY, SENT_START]).T.tolist()
    spelt = {key: doc.vocab.strings[key] for key in {*keys[0], *keys[1]}}
    tokens, texts = ([spelt[key] for key in attribute] for attribute in keys)
    pieces = [word + " " if space else word for word, space in zip(texts, spaces, strict=True)]
    text = "".join(pieces)
    offsets = [*accumulate(map(len, pieces), initial=0)]
    starts = [at for at, begin in enumerate(begins) if at == 0 or begin == 1]
    sents = list(pairwise([*starts, len(doc)]))
    cues: list[list[Cue]] = [[] for _ in sents]
    for cue in find_cues(doc):
        cues[bisect_right(starts, cue.start) - 1].append(cue)
    spans = sorted([*doc.ents, *doc.spans.get(NOMINALS, ())], key=lambda span: span.start)
    stretches = _bounds(text, [offsets[at] for at in (*starts, len(doc))])
    view = View(text, tokens, texts, sents, stretches, [], cues)
    parties: dict[int, list[Item]] = defaultdict(list)
    by_sent: dict[int, list[Item]] = defaultdict(list)
    rows = doc._.attributes
    for index, span in enumerate(spans):
        label, id_ = span.label_, span.id_
        start, end = span.start, span.end
        low, high = offsets[start], offsets[end - 1] + len(texts[end - 1])
        sent = bisect_right(starts, start) - 1
        item = Item(index, start, end, label, text[low:high], sent, low, high)
        if rows is not None:
            item.attributes = rows[start].tolist()
        if label in PARTY_LABELS:
            item.party = int(id_) if id_ else None
            item.nominal = label in (NOM_COMPANY, NOM_INVESTOR)
            item.read = attribute_features("party", item.attributes)
        elif label in MONEY_LABELS:
            item.money, item.code = read_money(id_), id_
            item.read = attribute_features("money", item.attributes)
        elif label == Label.DATE:
            item.date = id_ or None
            item.when = _when(item.date, doc._.published)
            item.read = attribute_features("date", item.attributes)
        item.ner, item.odds = label, read_odds(span.kb_id_)
        view.items.append(item)
        by_sent[item.sent].append(item)
        if item.party is not None:
            parties[item.party].append(item)
        for position in range(item.start, item.end):
            view.item_at[position] = item
    unnamed = 1 + max(parties, default=0)
    for part in (NOM_COMPANY, NOM_INVESTOR):  # parties that the article never names
        described = [i for i in view.items if i.label == part and i.party is None]
        if described:
            for item in described:
                item.party = unnamed
            parties[unnamed] = described
            unnamed += 1
    line = 0
    for word in view.texts:
        view.lines.append(line)
        line += word.count("\n")
    view.parties = dict(parties)
    view.by_sent = dict(by_sent)
    _chain_lists(view)
    _chain_series(view)
    view.wholes = _wholes(view.items)
    return view


_AGES = ((10, "days"), (70, "weeks"), (400, "months"))
"""How long ago a date lies, by the most days."""

AGES = ("unresolved", "undated", "future", "now", *(age for _, age in _AGES), "years")
"""Where a date may lie, seen from the day of the article."""


def _when(value: str | None, published: str | None) -> str:
    if value is None or published is None:
        return "unresolved" if value is None else "undated"
    (first, last), (day, night) = bounds(value), bounds(published)
    if first > night:
        return "future"
    if last >= day:
        return "now"
    ago = (day - last).days
    return next((name for most, name in _AGES if ago <= most), "years")


def _bounds(text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    out = []
    for low, high in pairwise(starts):
        told = text[low:high]
        start = low + len(told) - len(told.lstrip())
        out.append((start, start + len(told.strip())))
    return out


def _chain_lists(view: View) -> None:
    """Marks the items of an enumeration with the index of its first item.

    "mené par A, avec B (fonds de C), D et E": neighbours with a comma, a bracket or "et"
    between them and few words, so that a cue before the first speaks for all.
    """
    previous: Item | None = None
    for item in view.items:
        if item.label not in PARTY_LABELS:
            continue
        item.list_head = item.index
        if previous is not None and previous.sent == item.sent:
            gap = view.tokens[previous.end : item.start]
            if len(gap) <= _LIST_GAP and any(word in _JOINS for word in gap):
                item.list_head = previous.list_head
        previous = item


def _chain_series(view: View) -> None:
    """Gives each party and each sum the series of those that are coordinated with it."""
    for here in view.by_sent.values():
        for alike in (
            [item for item in here if item.party is not None],
            [item for item in here if item.money is not None],
        ):
            for place, item in enumerate(alike):
                joined = place > 0 and _coordinated(view, alike[place - 1], item)
                item.series = alike[place - 1].series if joined else []
                item.series.append(item)


_JOIN = frozenset([",", "et", "ou", "&", "puis"])
_BETWEEN = _JOIN | {"le", "la", "l'", "les", "du", "de", "des", "d'"}


def _coordinated(view: View, left: Item, right: Item) -> bool:
    """Whether only a comma or "et" and small words stand between two items."""
    between = set(view.tokens[left.end : right.start][:4])
    return between <= _BETWEEN and not between.isdisjoint(_JOIN)


def counterparts(view: View, item: Item) -> list[Item]:
    """Where a sentence coordinates as many names as sums: the items at the place of ``item``.

    "Alpha et Bêta ont levé respectivement 4 et 10 millions": of the first sum the first name.
    """
    own = item.series
    if len(own) < 2:
        return []
    return [
        other.series[own.index(item)]
        for other in view.by_sent[item.sent]
        if (other.money is None) != (item.money is None)
        and other.series[:1] == [other]
        and len(other.series) == len(own)
    ]


def shape_word(view: View, position: int, low: int, high: int) -> str:
    """The lower-cased word at ``position``; a mention's label for a mention, 0 for digits."""
    if not low <= position < high:
        return "#"
    item = view.item_at.get(position)
    if item is not None:
        return f"<{item.label}>"
    word = view.tokens[position]
    return "0" if _NUMBER.search(word) else word


_Reading = Callable[[View, Item], tuple[str, ...]]


def _once(read: _Reading) -> _Reading:
    """Reads each item once: several models ask, and what no label plays a part in stays."""
    return _kept(read, lambda view: view.known)


def _once_labelled(read: _Reading) -> _Reading:
    """The same for what stays until :meth:`View.relabelled`."""
    return _kept(read, lambda view: view.known_labelled)


def _kept(read: _Reading, of: Callable[[View], _Known]) -> _Reading:
    @wraps(read)
    def known(view: View, item: Item) -> tuple[str, ...]:
        kept, key = of(view), (read.__name__, item.index)
        found = kept.get(key)
        if found is None:
            found = kept[key] = read(view, item)
        return found

    return known


def _bucket(distance: int) -> str:
    return "0" if distance <= 1 else "1" if distance <= 3 else "2" if distance <= 7 else "3"


@_once_labelled
def words_around(view: View, item: Item) -> tuple[str, ...]:
    """The three words on each side, in place and as bigrams."""
    low, high = view.sents[item.sent]
    left: list[str] = []
    position = item.start - 1
    while len(left) < 3:
        left.append(shape_word(view, position, low, high))
        inside = view.item_at.get(position)
        position = (inside.start if inside is not None else position) - 1
    right: list[str] = []
    position = item.end
    while len(right) < 3:
        right.append(shape_word(view, position, low, high))
        inside = view.item_at.get(position)
        position = inside.end if inside is not None else position + 1
    out = [f"w-{i + 1}={word}" for i, word in enumerate(left)]
    out += [f"w+{i + 1}={word}" for i, word in enumerate(right)]
    out += [f"b-={left[1]}_{left[0]}", f"b+={right[0]}_{right[1]}", f"lr={left[0]}_{right[0]}"]
    out += [f"t-={left[2]}_{left[1]}_{left[0]}", f"t+={'_'.join(right)}"]
    return tuple(out)


@_once
def cue_features(view: View, item: Item) -> tuple[str, ...]:
    """Which cues stand left and right of an item in its sentence, and how near."""
    start, end = item.start, item.end
    out: set[str] = set()
    nearest_left: tuple[int, str] | None = None
    nearest_right: tuple[int, str] | None = None
    for cue in view.cues[item.sent]:
        if cue.end <= start:
            distance, side = start - cue.end, "L"
            if nearest_left is None or distance <= nearest_left[0]:
                nearest_left = (distance, cue.category)
        elif cue.start >= end:
            distance, side = cue.start - end, "R"
            if nearest_right is None or distance < nearest_right[0]:
                nearest_right = (distance, cue.category)
        else:
            continue
        out.add(f"{side}{_bucket(distance)}:{cue.category}")
        out.add(f"{side}:{cue.category}")
        out.add(f"{side}:{cue.rule}")
    if nearest_left:
        out.add(f"nL:{nearest_left[1]}")
    if nearest_right:
        out.add(f"nR:{nearest_right[1]}")
    return tuple(sorted(out))


_INVESTOR_PART = frozenset(
    [
        "lead_next",
        "lead_prev",
        "participant_next",
        "investor_next",
        "investor_prev",
        "returning",
        "new",
        "lender",
        "buyer_next",
        "seller_next",
        "declined",
        "potential",
        "adviser",
        "bystander",
        "executive",
        "sale",
        "acquisition",
        "financing",
    ]
)


_DEEDS = _INVESTOR_PART | {"ipo", "fund", "lbo", "debt", "valuation"}


@_once
def governing_cues(view: View, item: Item) -> tuple[str, ...]:
    """The cues that may govern an enumeration: the nearest before its first item and before it."""
    head = view.items[item.list_head] if item.list_head >= 0 else item
    out: set[str] = set()
    best: dict[str, int] = {}
    for cue in view.cues[item.sent]:
        if cue.category in _INVESTOR_PART and cue.end <= item.start:
            best[cue.category] = max(best.get(cue.category, -1), cue.start)
    order = sorted(best, key=lambda category: -best[category])
    for rank, category in enumerate(order[:3]):
        out.add(f"g{rank}:{category}")
    if len(order) > 1:
        out.add(f"g01:{order[0]}_{order[1]}")
    if order:
        # how many parties stand between the governing cue and this one
        between = sum(
            1
            for other in view.by_sent.get(item.sent, ())
            if other.party is not None and best[order[0]] < other.start < item.start
        )
        out.add(f"g0:{order[0]}+{min(between, 3)}")
    before_head = [
        cue.category
        for cue in view.cues[item.sent]
        if cue.category in _INVESTOR_PART and cue.end <= head.start
    ]
    out.update(f"h:{category}" for category in before_head)
    if before_head:
        out.add(f"h0:{before_head[-1]}")
    out.add("inlist" if head is not item else "headlist")
    return tuple(sorted(out))


# fmt: off
_SMALL = frozenset([
    "a", "ont", "est", "sont", "été", "avait", "avaient", "était", "étaient", "avoir", "être",
    "aurait", "serait", "va", "vont", "vient", "sera", "seront", "doit", "veut", "se", "s'",
    "ne", "n'", "pas", "la", "le", "l'", "son", "sa", "ses", "leur", "un", "une", "par", "de",
    "du", "des", "d'", "à", "au", "aux", "avec", "auprès", "chez", "dans", "en", "pour",
    "contre", "sur", "et", "dont", "entre", "selon", "que", "qu'", "sans", "depuis", ",", "(",
    ")", ":", ";", ".",
])
# fmt: on
"""Auxiliaries, articles, prepositions and marks: the words that tell who does what to whom."""


@_once
def clause_features(view: View, item: Item) -> tuple[str, ...]:
    """Which verb or noun of a deal stands next on each side, in which voice, and the preposition.

    "N a été racheté par N": of the second name it says that *racheté* stands to the left, between
    *été* and *par*, with no other party in between.
    """
    small, head = _preposition(view, item), item
    if item.list_head >= 0:
        head = view.items[item.list_head]
    of_list = _preposition(view, head)
    out = [f"pi={small}", f"ph={of_list}", f"pp={small}_{of_list}"]
    parties = [i.start for i in view.by_sent[item.sent] if i.party is not None and i is not item]
    deeds = [cue for cue in view.cues[item.sent] if cue.category in _DEEDS]
    left = [cue for cue in deeds if cue.end <= item.start][:-3:-1]
    right = [cue for cue in deeds if cue.start >= item.end][:2]
    for side, cues in (("L", left), ("R", right)):
        for rank, cue in enumerate(cues):
            low, high = (cue.end, item.start) if side == "L" else (item.end, cue.start)
            rivals = min(sum(low <= start < high for start in parties), 2)
            before, after = _beside(view, cue.start - 1), _beside(view, cue.end)
            text = "_".join(view.tokens[cue.start : cue.end])
            out += [
                f"v{side}{rank}={text}",
                f"v{side}={text}|{rivals}",
                f"vt{side}={before}_{text}_{after}|{min(rivals, 1)}",
                f"vb{side}={before}_{cue.category}|{rivals}",
                f"va{side}={cue.category}_{after}|{rivals}",
                f"vc{side}={before}_{cue.category}_{after}|{rivals}",
                f"vp{side}{rank}={cue.category}|{small}|{rivals}",
                f"vh{side}{rank}={cue.category}|{of_list}",
            ]
    return tuple(dict.fromkeys(out))


def _preposition(view: View, item: Item) -> str:
    """The small word or mention that stands at most four tokens before an item."""
    low = view.sents[item.sent][0]
    for position in range(item.start - 1, max(low, item.start - 5) - 1, -1):
        if position in view.item_at:
            return "<>"
        if view.tokens[position] in _SMALL:
            return view.tokens[position]
    return "?"


def _beside(view: View, position: int) -> str:
    """A token beside a cue: its word if it is a small one, else only that there is one."""
    if not 0 <= position < len(view.tokens):
        return "#"
    item = view.item_at.get(position)
    if item is not None:
        return "<N>" if item.party is not None else "<S>" if item.money is not None else "<D>"
    return view.tokens[position] if view.tokens[position] in _SMALL else "*"


@_once
def role_features(view: View, item: Item) -> tuple[str, ...]:
    """The slots in which the relation rules found an item, and the rules."""
    roles = view.roles.get(item.index, ())
    out = {f"slot:{role.slot}" for role in roles}
    out |= {f"rule:{role.rule}:{role.slot}" for role in roles}
    out.add("slots=" + ",".join(sorted({role.slot for role in roles})))
    return tuple(sorted(out))


def sentence_features(view: View, sent: int, prefix: str) -> tuple[str, ...]:
    """What the sentence holds: cue categories, labels, mood and tense, a question mark."""
    key = ("sentence", sent)
    if key not in view.known:
        low, high = view.sents[sent]
        told = {f"c:{cue.category}" for cue in view.cues[sent]}
        told |= {f"m:{mood}" for mood in moods(view.tokens[low:high])}
        view.known[key] = tuple(sorted(told))
    kept = (prefix, sent)
    if kept not in view.known_labelled:
        labels = sorted({f"i:{item.label}" for item in view.by_sent.get(sent, ())})
        view.known_labelled[kept] = tuple(f"{prefix}{told}" for told in (*view.known[key], *labels))
    return view.known_labelled[kept]


_CONDITIONAL = re.compile(r"\w{2,}r(?:ais|ait|aient|ions|iez)\Z")
_FUTURE = re.compile(r"\w{2,}r(?:a|ont)\Z")
_PARTICIPLE = re.compile(r"\w{2,}(?:é|ée|és|ées|i|u|is|us|it|ert)\Z")
_NOT_MOOD = frozenset(
    ["vrai", "vrais", "frais", "sera", "fera", "contrat", "format", "mira", "paira"]
)


def moods(tokens: Sequence[str]) -> set[str]:
    """Mood and tense by form: conditional, future, perfect, pluperfect, infinitive, question."""
    out = set()
    previous = ""
    for token in tokens:
        if token not in _NOT_MOOD:
            if _CONDITIONAL.match(token):
                out.add("conditional")
            elif _FUTURE.match(token):
                out.add("future")
        if _PARTICIPLE.match(token):
            if previous in ("a", "ont", "vient", "est", "sont"):
                out.add("perfect")
            elif previous in ("avait", "avaient", "était", "étaient"):
                out.add("pluperfect")
            elif previous in ("aurait", "auraient", "serait", "seraient"):
                out.add("conditional_perfect")
        if token not in ("n'", "pas", "déjà", "été", "également", "ainsi", "aussi"):
            previous = token
    if "?" in tokens:
        out.add("question")
    return out


class FirstNames(Row):
    """First names; ``example`` is a full name that begins with one of them."""

    names: tuple[Text, ...]


@cache
def first_names() -> frozenset[str]:
    """The first names of the lexicon, in lower case."""
    rows = load("first_names", FirstNames, "first_names")
    return frozenset(name.lower() for row in rows for name in row.names)


class _Names:
    """What is asked of the names for two models; good for as long as no label changes."""

    def __init__(self, view: View) -> None:
        self.labels = {party: view.party_labels(party) for party in view.parties}
        self.most_mentions = max(map(len, view.parties.values()), default=0)
        self.features: dict[int, list[str]] = {}


def name_features(view: View, item: Item, names: _Names) -> list[str]:
    """Evidence for the part that a name plays where it stands."""
    if item.index not in names.features:
        names.features[item.index] = _by_labels(view, item, names)
    out = [f"part={item.part}", f"ner&part={item.ner}{item.part}"]
    neighbours = [other for other in view.by_sent[item.sent] if other.party is not None]
    at = neighbours.index(item)
    if at:
        out.append(f"n-1part={neighbours[at - 1].part}")
    if at + 1 < len(neighbours):
        out.append(f"n+1part={neighbours[at + 1].part}")
    return out + names.features[item.index]


def _by_labels(view: View, item: Item, names: _Names) -> list[str]:
    """The evidence that hangs on no :attr:`Item.part`."""
    out = [f"ner={item.ner}", *words_around(view, item), *cue_features(view, item), *item.read]
    out += item.parts
    out += _odds_features(item)
    if counterparts(view, item):
        out.append("counterpart")
    out += [f"{item.label}&{feature}" for feature in governing_cues(view, item)]
    out += governing_cues(view, item)
    out += sentence_features(view, item.sent, "s")
    out += clause_features(view, item)
    out += role_features(view, item)
    assert item.party is not None
    labels = names.labels[item.party]
    out += [f"party={label}{min(count, 2)}" for label, count in labels.items()]
    out += [f"other={label}" for label, count in labels.items() if count > (label == item.label)]
    out.append(f"top={max(labels, key=lambda label: labels[label])}")
    words = view.tokens[item.start : item.end]
    out += [f"has={word}" for word in dict.fromkeys(words)]
    out += [f"ends={word[-3:]}" for word in words[-1:]]
    if words[0] in first_names():
        out.append(f"first_name&len={min(len(words), 3)}")
    texts = view.texts[item.start : item.end]
    out.append(f"shape={'A' if texts[0].isupper() else 'a' if texts[0].islower() else 'Aa'}")
    out.append(f"len={min(len(words), 4)}")
    out.append(f"sent={min(item.sent, 3)}")
    if view.parties[item.party][0] is item:
        out.append("first")
    neighbours = [other for other in view.by_sent[item.sent] if other.party is not None]
    at = neighbours.index(item)
    for offset in (-1, 1):
        if 0 <= at + offset < len(neighbours):
            other = neighbours[at + offset]
            same_list = "list" if other.list_head == item.list_head else "far"
            out.append(f"n{offset:+d}={other.label}_{same_list}")
    in_list = Counter(
        o.label for o in neighbours if o.list_head == item.list_head and o is not item
    )
    out += [f"list={label}" for label in in_list]
    cues = {cue.category for cue in view.cues[item.sent]}
    money = [o for o in view.by_sent[item.sent] if o.money is not None]
    place = "0" if at == 0 else "1" if at == 1 else "2"
    side = "none" if not money else "before" if item.start < money[0].start else "after"
    out.append(f"place={place}&money={side}")
    out.append(f"place={place}&sent={min(item.sent, 2)}")
    out += [f"place={place}&{cue}" for cue in cues]
    out += [f"money={side}&{cue}" for cue in cues]
    out.append(f"place={place}&neighbours={min(len(neighbours), 4)}")
    if at == 0:
        out.append("first_in_sentence")
    if any(o.label == Label.COMPANY for o in neighbours[:at]):
        out.append("company_before")
    return out


_STEPS = (0, 1, 3, 5, 7, 9)
"""Of odds in tenths: a model of yes and no learns how much each step up counts."""


def _odds_features(item: Item) -> list[str]:
    """How sure the NER was, and between which two labels it wavered."""
    likely = sorted(item.odds, key=lambda label: (-item.odds[label], label))[:2]
    steps = [f"odds:{label}>{k}" for label in item.odds for k in _STEPS if item.odds[label] > k]
    return [*steps, f"odds={'>'.join(likely)}"]


class _Sums:
    """What is asked of every sum."""

    def __init__(self, view: View) -> None:
        sums = [item.money for item in view.items if item.money is not None]
        places = (item.index for item in view.items if item.money is not None)
        self.order = {place: order for order, place in enumerate(places)}
        self.values = Counter(money.value for money in sums if money.value is not None)
        self.largest = max(self.values, default=Decimal(0))


_MOST_PARTS = 4


def _wholes(items: Sequence[Item]) -> dict[int, Decimal]:
    """The sums that add up: by the index of each part, what it makes with its neighbours.

    "500 millions tout de suite, puis 1,5 milliard" are parts where the article also tells a sum
    of 2 billion; a part may stand before it or after.
    """
    told = [
        (item, item.money.value)
        for item in items
        if item.money is not None and item.money.converts is None and item.money.value is not None
    ]
    values = {value for _, value in told}
    out: dict[int, Decimal] = {}
    for first in range(len(told)):
        run = told[first : first + _MOST_PARTS]
        total = run[0][1]
        for place, (_, value) in enumerate(run[1:], 2):
            total += value
            if total in values:
                out.update((item.index, total) for item, _ in run[:place])
    return out


def money_features(view: View, item: Item, sums: _Sums) -> list[str]:
    """Evidence for what a sum counts."""
    assert item.money is not None
    out = [*words_around(view, item), *cue_features(view, item), *item.read, *item.parts]
    out += sentence_features(view, item.sent, "s")
    out += role_features(view, item)
    out.append(f"now={item.money.kind or item.label}")
    out += _odds_features(item)
    out.append(f"qualifier={item.money.qualifier}")
    if item.money.inferred:
        out.append("inferred")
    value = item.money.value if item.money.value is not None else item.money.maximum
    assert value is not None
    out.append(f"magnitude={value.adjusted()}")
    out.append(f"sent={min(item.sent, 4)}")
    out.append(f"repeated={min(sums.values[value], 3)}")
    out.append(f"order={min(sums.order[item.index], 3)}")
    if item.index in view.wholes:
        out.append("part")
    if value in view.wholes.values():
        out.append("whole")
    if sums.values:
        out.append("largest" if value >= sums.largest else "smaller")
    in_sentence = [
        other.money.value
        for other in view.by_sent[item.sent]
        if other.money is not None and other.money.value is not None and other is not item
    ]
    if in_sentence:
        out.append("largest_here" if value >= max(in_sentence) else "smaller_here")
        if value == sum(in_sentence):
            out.append("sum_of_others")
    else:
        out.append("only_here")
    for offset, name in ((-1, "prev"), (1, "next")):
        position = item.index + offset
        if 0 <= position < len(view.items) and view.items[position].sent == item.sent:
            other = view.items[position]
            gap = abs(other.start - item.end) if offset > 0 else abs(item.start - other.end)
            out.append(f"{name}={other.label}{_bucket(gap)}")
    here = Counter(o.label for o in view.by_sent[item.sent] if o is not item)
    return out + [f"here={label}" for label in here]


def distance(a: Item, b: Item) -> int:
    """Tokens between two items, 0 where they touch."""
    return max(0, b.start - a.end if a.start <= b.start else a.start - b.end)


def nearest(items: Sequence[Item], to: Item) -> Item:
    """The item of a non-empty, text-ordered sequence that stands nearest to another."""
    at = bisect_left(items, to.start, key=lambda item: item.start)
    return min(items[max(0, at - 1) : at + 1], key=lambda item: distance(item, to))


PASSES = ("party", "name", "kind")
"""The models that relabel, in order: what a party is in the whole article, which part each of
its mentions plays where it stands, what each sum counts."""


def party_features(view: View, party: int, named: Sequence[Item], names: _Names) -> list[str]:
    """Evidence for what a party is in the whole article, from its mentions by name."""
    items = view.parties[party]
    out: set[str] = {f"mentions={min(len(items), 4)}"}
    for item in named[:_MENTIONS_READ]:
        out.update(name_features(view, item, names))
    for label in NAME_LABELS:
        mean = sum(item.odds.get(label, 0) for item in named) / len(named)
        out |= {f"mean:{label}>{k}" for k in _STEPS if mean > k}
        out.add(f"max:{label}={max(item.odds.get(label, 0) for item in named) // 2}")
    is_most = len(items) == names.most_mentions
    out.add(f"most={is_most}&many={names.most_mentions > 2}")
    nominals = sum(1 for item in items if item.nominal)
    out.add(f"described={min(nominals, 2)}")
    out.add(f"first={min(named[0].sent, 3)}&most={is_most}")
    return sorted(out)


_MENTIONS_READ = 6


def pass_items(
    view: View, model: str, names: _Names | None = None
) -> list[tuple[list[Item], list[str]]]:
    """What a model decides on: the items that share one answer, and the evidence.

    ``names`` is what an earlier pass worked out, where no label has changed since.
    """
    if model == "kind":
        sums = _Sums(view)
        return [([i], money_features(view, i, sums)) for i in view.items if i.money is not None]
    if names is None:
        names = _Names(view)
    if model == "party":
        return [
            (named, party_features(view, party, named, names))
            for party, items in view.parties.items()
            if (named := [item for item in items if item.ner in NAME_LABELS])
        ]
    return [
        ([item], name_features(view, item, names))
        for item in view.items
        if item.ner in NAME_LABELS and item.party is not None
    ]


def relabel(view: View, models: Mapping[str, LinearModel], passes: Sequence[str] = PASSES) -> None:
    """Gives names their final part and sums their kind; what is no mention loses its label."""
    names: _Names | None = _Names(view)
    for model in passes:
        decided = [
            (items, models[model].probabilities(features))
            for items, features in pass_items(view, model, names)
        ]
        for items, chances in decided:
            answer = max(chances, key=lambda label: chances[label])
            for item in items:
                if model == "party":
                    item.part = answer
                    continue
                item.chances = chances
                if model == "kind":
                    item.set_kind(answer)
                else:
                    item.label = answer
        if model != "party":
            names = None
            view.relabelled()
