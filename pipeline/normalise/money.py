"""Sums of money in French text: where they stand and what they are worth, exactly.

:func:`find_money` reads a whole article, because a sum may take its scale or its currency from
elsewhere in it ("40 et 104 millions d'euros", "malgré des revenus d'environ 3,7 milliards");
:func:`parse_money` reads one sum alone. Both are pure, use Decimal only, and take time linear in
the text. Conventions: ISO 4217 codes; "billion" is 10^12 (10^9 where the sum is typed the
English way, "$1.5 billion"); coins are hundredths of a currency; a sign before the number is no
part of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from itertools import pairwise
from typing import Literal, NamedTuple

from pipeline.lexicon import load
from pipeline.normalise.currencies import Currency, Places, SharedName
from pipeline.normalise.ellipsis import (
    COUNT_CUES,
    GOALS,
    Bond,
    Stems,
    any_form,
    any_stem,
    bond,
)
from pipeline.normalise.numbers import plain
from pipeline.normalise.patterns import any_of
from pipeline.normalise.quantities import (
    MILLION,
    ONE,
    THOUSAND,
    Forms,
    Quantity,
    find_headings,
    find_quantities,
    times,
)
from pipeline.schema import Qualifier


class MoneySpan(NamedTuple):
    """A sum of money at ``text[start:end]``: number, scale and currency, without qualifier words.

    ``value`` is in whole currency units; for a range it is ``None`` and ``minimum`` and
    ``maximum`` speak. ``currency`` is an ISO 4217 code, or ``None`` where the text does not tell.
    ``currency_inferred``: the currency stands outside the span. ``conversion_of``: the index, in
    the list that :func:`find_money` returned, of the sum that this one restates in another
    currency ("335 M$ (293 M€)").
    """

    start: int
    end: int
    value: Decimal | None
    minimum: Decimal | None
    maximum: Decimal | None
    currency: str | None
    qualifier: Qualifier
    currency_inferred: bool
    conversion_of: int | None = None


class QualifierRow(Forms):
    """Words beside a sum, and what they say of it."""

    qualifier: Literal[Qualifier.APPROXIMATE, Qualifier.AT_LEAST, Qualifier.AT_MOST]


BEFORE = load("qualifiers", QualifierRow, "before")
AFTER = load("qualifiers", QualifierRow, "after")
CHANGES = load("qualifiers", Stems, "change")
NOUNS = load("money_nouns", Forms, "noun")
CONTINUATIONS = load("money_nouns", Forms, "continuation")
CUES = load("money_nouns", Stems, "cue")
PAYING = load("money_nouns", Stems, "paying")
SHARES = load("money_nouns", Forms, "share")
COUNTED = load("money_nouns", Forms, "counted")
BETWEEN = load("qualifiers", Forms, "between")


def _starting_with(rows: Iterable[Stems]) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){any_stem(rows)}")


def _by_qualifier(rows: Iterable[QualifierRow], pattern_of: Callable[[Iterable[str]], str]) -> str:
    """One group for each qualifier, of its name, over all its forms."""
    forms: dict[Qualifier, list[str]] = {}
    for row in rows:
        forms.setdefault(row.qualifier, []).extend(row.forms)
    return "|".join(f"(?P<{name}>{pattern_of(own)})" for name, own in forms.items())


_BETWEEN = rf"(?:,? {any_form(BETWEEN)},?)?"


def _leaning_on_the_sum(forms: Iterable[str]) -> str:
    """The forms as they lean on what follows: "plus de" is also "plus d'" and "plus des"."""
    heads: dict[str, list[str]] = {}
    for form in forms:
        if form.endswith(" de"):
            head, tail = form[:-2], "(?:de |d'|des |du )"
        elif form.endswith("à"):
            head, tail = form[:-1], "(?:à |aux? )"
        else:
            head, tail = form, rf"{_BETWEEN} (?:les? )?" if form[-1].isalpha() else " ?"
        heads.setdefault(tail, []).append(head)
    return "|".join(f"{any_of(own)}{tail}" for tail, own in heads.items())


def _as_whole_words(forms: Iterable[str]) -> str:
    return "|".join(
        re.escape(form) + (r"(?![^\W_])" if form[-1].isalpha() else "") for form in forms
    )


# Searched in the words before a sum: the leftmost match that reaches the end is the longest form.
_BEFORE = re.compile(rf"(?<![^\W_])(?i:{_by_qualifier(BEFORE, _leaning_on_the_sum)})[\"“«]? ?\Z")
_ANY_BEFORE = rf"(?i:{_leaning_on_the_sum(form for row in BEFORE for form in row.forms)})"
_LONGEST_BEFORE = 48
# "au plus tard" speaks of time, and "au moins 5 ans" of the years.
_AFTER = re.compile(
    rf" ?(?i:{_by_qualifier(AFTER, _as_whole_words)})"
    r"(?! ?[0-9]| (?:tard|tôt|vite|haut|bas|de)\b| d')"
)

_OPENER = re.compile(r"(?<![^\W_])(?i:(?P<between>entre )|(?P<of>de |d'))[\"“«]? ?\Z")
_LINK = re.compile(
    r"(?:,? (?P<and>et)(?: de| d(?='))?|,? (?P<then>puis|voire|ou même)(?: de)?|(?P<comma>,)"
    rf"| (?P<or>ou)| (?P<to>à|jusqu'à)| ?(?P<dash>[-–—]))[ ']?(?P<qualified>{_ANY_BEFORE})?",
    re.IGNORECASE,
)
_LONGEST_LINK = 40
# "iPhone 15 à 900 euros", "le numéro 2 et 5 M€": the number belongs to what stands before it.
_NAME_BEFORE = re.compile(
    r"(?:[^\s.!?…:«\"(] \S*[A-ZÀ-Þ]\S*|[a-zà-ÿ]+[A-ZÀ-Þ]\S*|\b(?i:numéro|n°|no|article|page)) ?\Z"
)
_LONGEST_NAME = 40

_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"»)]|[^\W\d_]|\Z)|\n")
_CHANGE = _starting_with(CHANGES)
_CHANGE_REACH = 80
_CUE = _starting_with(CUES)
_COUNT_CUE = _starting_with(COUNT_CUES)
_CUE_REACH = 80
_COUNT_REACH = 300

_COMPLEMENT = re.compile(
    r"(?: ?[\"»”])?(?: environ| supplémentaires?)? [dD](?:[eE] |')"
    r"(?:(?:nouve(?:aux|lles)|premiers|premières|futur(?:e?s)|autres) )?(?P<noun>[^\W\d_]\w*)"
)
# "un tour de 180 M$ à 1,2 milliard" is priced at the second sum; tickets come in a range.
_ROUND_OF = re.compile(r"\b(?:tour|levée|ronde|série [A-H]) de \Z")
_TICKETS_OF = re.compile(r"\b(?:tickets?|chèques?|montants?|sommes|mises?) de \Z")
_AT_A_VALUE = re.compile(r" de (?:valeur|valorisation|capitalisation)\b")
_WORD_FOLLOWS = re.compile(r" ?(?:[^\W\d_]|\+)")
_GOAL_AFTER = re.compile(rf" (?:d'abord |initialement )?{any_stem(GOALS)}e?s?(?![^\W_])")
_ODDS = re.compile(r"\b(?:1|une?|chances?) sur (?:environ |près de )?\Z")
_NOUN = re.compile(any_form(NOUNS))
_MONEY_NOUN = re.compile(any_form([*NOUNS, *CONTINUATIONS]))
_SHARE = re.compile(any_form(SHARES))
_PART_BEFORE = re.compile(r"(?<![^\W_])(?:dont|composée?s? de|mêl(?:e|ant|ait)) \Z")
_COUNTED = re.compile(any_form(COUNTED))
_PAYING_BEFORE = re.compile(
    rf"(?<![^\W_]){any_stem(PAYING)}[a-zéèê]*(?: (?:donc|encore|ainsi|déjà|même))?"
    rf" (?:{_ANY_BEFORE})?\Z"
)

_RESTATEMENT = re.compile(
    rf"(?: ?[/=≈] ?|,? ou |, (?={_ANY_BEFORE})|, (?P<at_a_rate>\Z)"
    r"|(?P<aside>[^.,;:!?()]{0,50}?) ?[(\[] ?"
    r"|[^.;:!?()]{0,60}?[ ,(–—-] ?(?=soit |l'équivalent d))"
    r"(?:(?:soit|ou|l'équivalent de|équivalant à) |l'équivalent d')?"
    rf"(?:(?:un peu |bien |légèrement )?{_ANY_BEFORE})?(?:entre |de |d')?",
    re.IGNORECASE,
)
_AT_A_RATE = re.compile(r" (?:au cours|au taux|au change)\b")
_LONGEST_RESTATEMENT = 90
_AMERICAN = re.compile(r"US|U\.S|am[ée]ricain|[ée]tats-unis", re.IGNORECASE)
_RESTATED_AGAIN = (", ", " ou ", " / ", "/", " et ")
_OTHER_SUM = re.compile(r" (?:et|contre|puis|dont) ")
_BOUNDS = (Qualifier.AT_LEAST, Qualifier.AT_MOST)
# A number that goes on from a sum is not so many times greater or smaller.
_LOAN_RATIO = 50
# Currencies that have always been worth between a third and three of each other.
_PEERS = {"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD"}
_PEER_RATIO = 3


class _Kind(Enum):
    MONEY = auto()
    """It has a currency, of its own or lent by its neighbour."""
    SCALED = auto()
    """Millions of something that the text does not say here: money or a count."""
    COUNT = auto()
    """Millions of something that is not money."""
    BARE = auto()
    """A mere number."""
    MERGED = auto()
    """Part of the range to its left."""


_SUMS = (_Kind.MONEY, _Kind.SCALED)
_LENDERS = 6
"""So many sums on either side may lend their unit to a number that is told to be a sum."""


@dataclass(slots=True)
class _Candidate:
    """A quantity on its way to a sum; ``floor`` is where the quantity before it ends."""

    start: int
    end: int
    floor: int
    number: Decimal
    scale: Decimal | None
    currency: Currency | None
    kind: _Kind
    approximate: bool
    source: Quantity
    minimum: Decimal | None = None
    lent: bool = False
    part: bool = False
    told: bool = False

    @property
    def value(self) -> Decimal:
        return times(self.number, self.scale or ONE)

    def borrow(self, lender: _Candidate) -> None:
        """Take from ``lender`` the scale and currency that this one does not state."""
        if self.source.scale is None:
            self.scale = _scale_lent(self.number, lender)
        self.currency = lender.currency
        self.kind = lender.kind
        self.lent = True


def find_money(text: str, told: Sequence[tuple[int, int]] = ()) -> list[MoneySpan]:
    """Every sum of money of an article, in order, without overlap; offsets are code points.

    A number with a scale and no currency ("3,7 milliards") is a sum only in an article that
    names a currency, and where neither its own words nor its neighbours count something else;
    it takes the currency of the nearest explicit sum before it, or else after it.

    ``told``: stretches of the text, in order and without overlap, that a reader of the whole
    sentence took for a sum. What is a mere number there ("puis Bêta (31)") takes the scale and
    currency of a sum beside it, in an article that names a currency.
    """
    smooth = plain(text)
    candidates = _candidates(smooth)
    _couple(smooth, candidates, alone=False)
    _lend_onward(smooth, candidates)
    if told:
        _lend_where_told(smooth, candidates, told)
    return _settle(smooth, candidates)


def parse_money(text: str) -> MoneySpan | None:
    """The one sum that ``text`` is, or ``None``; qualifier words may stand around it.

    A bare number, or one with a scale, is accepted (``currency`` is then ``None``), and so are
    the two ends of a range without what opens it ("10 et 15 millions d'euros").
    """
    smooth = plain(text)
    candidates = _candidates(smooth, alone=True)
    _couple(smooth, candidates, alone=True)
    left = [candidate for candidate in candidates if candidate.kind is not _Kind.MERGED]
    if len(left) != 1:
        return None
    candidate = left[0]
    before, after = smooth[: candidate.start].lstrip(), smooth[candidate.end :].rstrip()
    if len(before) > 2 * _LONGEST_BEFORE:
        return None
    while (qualifier := _BEFORE.search(before)) is not None:
        before = before[: qualifier.start()]
    opener = _OPENER.search(before)
    if before and (opener is None or opener.start() > 0):
        return None
    if after and _AFTER.fullmatch(after) is None:
        return None
    code = _code(candidate, Places(smooth))
    return _span(smooth, candidate, code, inferred=False, conversion_of=None)


def _candidates(text: str, *, alone: bool = False) -> list[_Candidate]:
    found: list[_Candidate] = []
    floor = 0
    quantities = find_quantities(text)
    for quantity in quantities if alone else _without_books(quantities):
        found.append(_candidate(quantity, _kind(text, quantity, found), floor))
        floor = quantity.end
    return found


def _candidate(quantity: Quantity, kind: _Kind, floor: int = 0) -> _Candidate:
    return _Candidate(
        quantity.start,
        quantity.end,
        floor,
        quantity.number,
        quantity.scale,
        quantity.currency,
        kind,
        quantity.approximate,
        quantity,
    )


def _without_books(quantities: list[Quantity]) -> list[Quantity]:
    """The quantities, "une livre" being a book unless pounds are spoken of."""
    doubtful = [quantity for quantity in quantities if quantity.doubtful]
    sure = (quantity for quantity in quantities if not quantity.doubtful)
    if not doubtful or any(_is_pounds(quantity.currency) for quantity in sure):
        return quantities
    return [
        quantity._replace(end=quantity.number_end, currency=None, doubtful=False)
        if quantity.doubtful
        else quantity
        for quantity in quantities
    ]


def _is_pounds(currency: Currency | None) -> bool:
    return currency == "GBP" or (isinstance(currency, SharedName) and currency.needs_scale)


def _kind(text: str, quantity: Quantity, before: list[_Candidate]) -> _Kind:
    if quantity.currency is not None:
        return _Kind.MONEY
    if quantity.is_coins:
        return _Kind.SCALED
    if not quantity.is_big:
        return _Kind.BARE
    return _Kind.COUNT if _counts_something(text, quantity, before) else _Kind.SCALED


def _counts_something(text: str, quantity: Quantity, earlier: list[_Candidate]) -> bool:
    """Whether the words around "500 millions" say of what, and that is not money."""
    before = text[max(0, quantity.start - _CUE_REACH) : quantity.start]
    if _ODDS.search(before) is not None:
        return True
    complement = _COMPLEMENT.match(text, quantity.end)
    if complement is None or _MONEY_NOUN.match(text, complement.start("noun")):
        return False
    if _SHARE.match(text, complement.start("noun")):
        return not (_PART_BEFORE.search(before) and _is_within_a_sum(text, quantity, earlier))
    if _PAYING_BEFORE.search(before):
        return _COUNTED.match(text, complement.start("noun")) is not None
    # A name may be the giver ("a reçu 100 millions de Google"), no people ("de Français").
    is_name = complement["noun"].istitle() and not complement["noun"].endswith("s")
    return not (is_name and (_CUE.search(before) or _is_within_a_sum(text, quantity, earlier)))


def _is_within_a_sum(text: str, quantity: Quantity, earlier: list[_Candidate]) -> bool:
    """Whether the last number of the sentence before ``quantity`` is a sum and no smaller."""
    if not earlier or earlier[-1].kind not in (_Kind.MONEY, _Kind.SCALED):
        return False
    last = earlier[-1]
    if quantity.start - last.end > _CUE_REACH or last.value < quantity.value:
        return False
    return _SENTENCE_END.search(text, last.end, quantity.start) is None


def _couple(text: str, candidates: list[_Candidate], *, alone: bool) -> None:
    """Join neighbours, right to left: ranges, and numbers that share their neighbour's unit.

    ``alone``: the text is one sum, so that "et" can only join the ends of a range.
    """
    for left, right in reversed(list(pairwise(candidates))):
        if right.kind is _Kind.BARE or right.minimum is not None:
            continue
        near = right.start - left.end <= _LONGEST_LINK
        link = _LINK.fullmatch(text, left.end, right.start) if near else None
        if link is None:
            continue
        if right.kind is _Kind.COUNT and left.kind is _Kind.SCALED:
            left.kind = _Kind.COUNT
        elif right.kind in (_Kind.MONEY, _Kind.SCALED):
            _couple_pair(text, left, right, link, alone)


def _couple_pair(
    text: str, left: _Candidate, right: _Candidate, link: re.Match[str], alone: bool
) -> None:
    opener = _opener(text, left)
    if left.kind is _Kind.COUNT or not _may_share(text, left, right, link, opener):
        return
    scale = left.scale or (_scale_lent(left.number, right) if left.kind is _Kind.BARE else None)
    minimum = times(left.number, scale or ONE)
    if minimum < right.value and _is_range(text, left, right, link, opener, alone):
        left.minimum = minimum
        left.end, left.number, left.scale = right.end, right.number, right.scale
        left.currency = right.currency or left.currency
        left.kind = _Kind.MONEY if left.currency is not None else right.kind
        left.lent = right.lent
        right.kind = _Kind.MERGED
    elif _shares_unit(left, right, link, opener):
        left.borrow(right)


def _opener(text: str, candidate: _Candidate) -> str | None:
    """The word that opens a range, perhaps before a qualifier: ``between``, ``of`` or none."""
    window = text[max(candidate.floor, candidate.start - _LONGEST_BEFORE) : candidate.start]
    qualifier = _BEFORE.search(window)
    opener = _OPENER.search(window[: qualifier.start()]) if qualifier else None
    if opener is None and (qualifier is None or qualifier.lastgroup != Qualifier.APPROXIMATE):
        # "un salaire minimum de 10 à 15 euros"
        opener = _OPENER.search(window)
    return opener.lastgroup if opener else None


def _may_share(
    text: str, left: _Candidate, right: _Candidate, link: re.Match[str], opener: str | None
) -> bool:
    """Whether ``left`` can be money by its neighbour: no year, no "iPhone 15 à 900 euros"."""
    if left.kind is not _Kind.BARE:
        return True
    source = left.source
    if source.like_a_year and (right.scale is not None or opener is None):
        return False
    if source.alone and link["to"] is None and link["or"] is None:
        return False
    if source.scale is not None:
        # "10 M à 15 M€": the abbreviation leans on the abbreviation beside it.
        return not right.source.firm and right.scale is not None and source.scale <= right.scale
    name_before = text[max(0, left.start - _LONGEST_NAME) : left.start]
    return opener is not None or _NAME_BEFORE.search(name_before) is None


def _is_range(
    text: str,
    left: _Candidate,
    right: _Candidate,
    link: re.Match[str],
    opener: str | None,
    alone: bool,
) -> bool:
    """Whether a smaller and a greater number are the ends of one range."""
    stated = {left.currency, right.currency} - {None}
    if link["qualified"] or len(stated) > 1:
        return False
    if link["and"]:
        return alone or opener == "between"
    if link["or"]:
        return left.kind is _Kind.BARE and _are_alternatives_by_guess(left.number, right.number)
    if link["to"]:
        if _AT_A_VALUE.match(text, right.end):
            return False
        before = text[max(0, left.start - _LONGEST_NAME) : left.start]
        if left.scale is not None and _ROUND_OF.search(before):
            return left.value * _PEER_RATIO >= right.value
        if opener != "of" or _TICKETS_OF.search(before) is not None:
            return True
        return not _tells_a_change(text, left)
    return link["dash"] is not None


def _are_alternatives_by_guess(low: Decimal, high: Decimal) -> bool:
    """Whether "2 ou 3", "10 ou 15" means about so many; "2.000 ou 4.000" are two prices."""
    return high - low == 1 or (high <= 100 and high <= 2 * low and low % 5 == high % 5 == 0)


def _tells_a_change(text: str, candidate: _Candidate) -> bool:
    """Whether a verb before it makes "de 95 à 150 millions" a change: "passer", "bondir"."""
    window = text[max(0, candidate.start - _CHANGE_REACH) : candidate.start]
    ends = [match.end() for match in _SENTENCE_END.finditer(window)]
    return _CHANGE.search(window, ends[-1] if ends else 0) is not None


def _shares_unit(
    left: _Candidate, right: _Candidate, link: re.Match[str], opener: str | None
) -> bool:
    """Whether ``left``, though no end of a range, has its unit from ``right``."""
    if left.kind is _Kind.MONEY or link["dash"]:
        return False
    if left.kind is _Kind.SCALED:
        return right.kind is _Kind.MONEY
    if link["comma"]:
        return right.lent
    return opener == "of" if link["to"] else not link["qualified"]


def _scale_lent(number: Decimal, lender: _Candidate) -> Decimal | None:
    """The scale that a bare number takes from its neighbour.

    None where the number is written out ("de 500 000 à 2 millions"). A neighbour without scale
    may lend its three noughts: "10 à 15.000 euros" begins at ten thousand.
    """
    if lender.scale is not None:
        return None if number >= 1000 > lender.number else lender.scale
    lends_noughts = lender.number % 1000 == 0 and lender.number / 10 <= number * 1000
    return THOUSAND if lends_noughts and number * 1000 < lender.number else None


def _lend_onward(text: str, candidates: list[_Candidate]) -> None:
    """Give bare numbers the unit of the sum before them, where the words call for it.

    A number of another kind in between breaks most bonds (see :mod:`.ellipsis`).
    """
    lender: _Candidate | None = None
    end = 0
    interrupted = False
    for candidate in candidates:
        if candidate.kind in (_Kind.MONEY, _Kind.SCALED, _Kind.COUNT):
            if lender is None or not _converts(text, lender, end, candidate):
                lender = candidate
            end, interrupted = candidate.end, False
        elif (
            candidate.kind is _Kind.BARE
            and not candidate.source.like_a_year
            and not candidate.source.alone
        ):
            if lender is not None and _take(text, lender, end, candidate, interrupted):
                lender, end, interrupted = candidate, candidate.end, False
            else:
                interrupted = True


def _lend_where_told(
    text: str, candidates: list[_Candidate], told: Sequence[tuple[int, int]]
) -> None:
    """Make sums of the numbers in the stretches ``told``, by the unit of a table or a neighbour."""
    starts = [start for start, _ in told]
    before: deque[_Candidate] = deque(maxlen=_LENDERS)
    headings = deque(_candidate(quantity, _Kind.MONEY) for quantity in find_headings(text))
    heading: _Candidate | None = None
    for index, candidate in enumerate(candidates):
        while headings and headings[0].end < candidate.start:
            heading = headings.popleft()
        at = bisect_right(starts, candidate.start) - 1
        if at >= 0 and candidate.end <= told[at][1] and _may_be_told(text, candidate):
            after = candidates[index + 1 : index + 1 + _LENDERS]
            sums = [*before, *(c for c in after if c.kind in _SUMS)]
            lender = heading or _lender(candidate, sums)
            if candidate.source.scale is not None:
                candidate.kind, candidate.told = _Kind.SCALED, True
            elif lender is not None:
                candidate.borrow(lender)
                candidate.told = True
        if candidate.kind in _SUMS and not (
            before and _converts(text, before[0], before[0].end, candidate)
        ):
            before.appendleft(candidate)


def _may_be_told(text: str, candidate: _Candidate) -> bool:
    """Whether a number may be a sum on the word of another reader: no count but of shares."""
    if candidate.kind is not _Kind.COUNT:
        return candidate.kind in (_Kind.BARE, _Kind.SCALED)
    complement = _COMPLEMENT.match(text, candidate.end)
    return complement is not None and _SHARE.match(text, complement.start("noun")) is not None


def _lender(candidate: _Candidate, sums: Sequence[_Candidate]) -> _Candidate | None:
    """The first of ``sums`` that makes of a bare number one of its own size, else the first."""
    for lender in sums:
        value = times(candidate.number, _scale_lent(candidate.number, lender) or ONE)
        low, high = sorted((value, lender.value))
        if lender.scale is not None and high <= low * _LOAN_RATIO:
            return lender
    return next(iter(sums), None)


def _converts(text: str, original: _Candidate, end: int, candidate: _Candidate) -> bool:
    """Whether ``candidate`` restates the sum ``original``, which ends at ``end``."""
    if candidate.lent or None in (original.currency, candidate.currency):
        return False
    return original.currency != candidate.currency and _is_restatement(text, end, candidate)


def _take(text: str, lender: _Candidate, end: int, taker: _Candidate, interrupted: bool) -> bool:
    """Let ``taker`` borrow from ``lender``, if the words bind them and the sizes agree.

    ``end``: where the lender ends, with its conversion.
    """
    if taker.scale is not None:
        return False
    bound = bond(
        text,
        end,
        taker.start,
        taker.end,
        after_part=lender.part,
        millions=lender.value >= MILLION,
        interrupted=interrupted,
    )
    if bound is None:
        return False
    value = times(taker.number, _scale_lent(taker.number, lender) or ONE)
    if bound is Bond.PART and value > lender.value:
        return False
    if value * _LOAN_RATIO < lender.value or value > lender.value * _LOAN_RATIO:
        return False
    taker.borrow(lender)
    taker.part = bound is Bond.PART or lender.part
    return True


def _settle(text: str, candidates: list[_Candidate]) -> list[MoneySpan]:
    """The sums among the candidates, each with its currency."""
    places = Places(text)
    explicit = [candidate for candidate in candidates if candidate.kind is _Kind.MONEY]
    if not explicit:
        return []
    _read_canadian_dollars(text, explicit)
    nearest_code = _code(explicit[0], places)
    spans: list[MoneySpan] = []
    last_count: _Candidate | None = None
    for candidate in candidates:
        stated = candidate.kind is _Kind.MONEY
        if candidate.kind is _Kind.COUNT or _is_a_count(text, candidate, spans, last_count):
            last_count = candidate
        elif stated or candidate.kind is _Kind.SCALED:
            last_count = None
            code = _code(candidate, places) if stated else nearest_code
            original = _original(text, spans, candidate, code) if stated else None
            spans.append(
                _span(
                    text,
                    candidate,
                    code,
                    inferred=candidate.lent or not stated,
                    conversion_of=original,
                    original=None if original is None else spans[original],
                )
            )
            if stated and original is None:
                nearest_code = code
    return spans


def _read_canadian_dollars(text: str, explicit: list[_Candidate]) -> None:
    """Read a bare "dollars" as Canadian where the article names those and no American ones."""
    dollars = [candidate for candidate in explicit if candidate.currency == "USD"]
    canadian = [candidate for candidate in explicit if candidate.currency == "CAD"]
    if not dollars or not canadian:
        return
    for one, other in pairwise(explicit):
        if {one.currency, other.currency} == {"USD", "CAD"} and _is_restatement(
            text, one.end, other
        ):
            return
    if any(_AMERICAN.search(text, dollar.start, dollar.end) for dollar in dollars):
        return
    for dollar in dollars:
        dollar.currency = "CAD"


def _code(candidate: _Candidate, places: Places) -> str | None:
    if candidate.currency is None:
        return None
    return places.resolve(candidate.currency, candidate.start)


def _is_a_count(
    text: str, candidate: _Candidate, spans: list[MoneySpan], count: _Candidate | None
) -> bool:
    """Whether the words before "600 millions" tell that it is no sum of money.

    The word nearest to it decides: one of money ("valorisation") or one of a count
    ("utilisateurs"). Without either, a count in the same sentence or the one before goes on:
    "Elle a 500 millions d'utilisateurs et en vise 600 millions."
    """
    if candidate.kind is not _Kind.SCALED or candidate.told:
        return False
    start = max(spans[-1].end if spans else 0, candidate.start - _CUE_REACH)
    for ending in _SENTENCE_END.finditer(text, start, candidate.start):
        start = ending.end()
    if candidate.source.is_coins or _CUE.match(text, candidate.end + 1) is not None:
        return False
    complement = _COMPLEMENT.match(text, candidate.end)
    if complement is not None and _NOUN.match(text, complement.start("noun")) is not None:
        return False
    cue, count_cue = _last(_CUE, text, start, candidate), _last(_COUNT_CUE, text, start, candidate)
    if cue != count_cue:
        return count_cue > cue
    if count is None or candidate.start - count.end > _COUNT_REACH:
        return False
    return len(_SENTENCE_END.findall(text, count.end, candidate.start)) <= 1


def _last(pattern: re.Pattern[str], text: str, start: int, candidate: _Candidate) -> int:
    """Where the last match before the candidate begins; -1 without any."""
    found = pattern.finditer(text, start, candidate.start)
    return max((match.start() for match in found), default=-1)


def _original(
    text: str, spans: list[MoneySpan], candidate: _Candidate, code: str | None
) -> int | None:
    """The index of the sum right before that ``candidate`` restates in another currency."""
    if not spans or code is None or spans[-1].currency in (None, code):
        return None
    previous = spans[-1]
    if candidate.start - previous.end > _LONGEST_RESTATEMENT:
        return None
    gap = text[previous.end : candidate.start]
    if previous.conversion_of is not None and gap in _RESTATED_AGAIN:
        return previous.conversion_of
    if not _is_restatement(text, previous.end, candidate):
        return None
    return len(spans) - 1 if _same_order(previous, candidate, code) else None


def _is_restatement(text: str, end: int, candidate: _Candidate) -> bool:
    """Whether the words between a sum that ends at ``end`` and ``candidate`` bind the two."""
    if candidate.start - end > _LONGEST_RESTATEMENT:
        return False
    link = _RESTATEMENT.fullmatch(text, end, candidate.start)
    if link is None or (link["aside"] and _OTHER_SUM.search(link["aside"] + " ")):
        return False
    return link["at_a_rate"] is None or _AT_A_RATE.match(text, candidate.end) is not None


def _same_order(previous: MoneySpan, candidate: _Candidate, code: str) -> bool:
    """Whether two sums can be the same one, as far as their currencies let one tell."""
    if not {previous.currency, code} <= _PEERS:
        return True
    one = previous.minimum if previous.value is None else previous.value
    other = candidate.value if candidate.minimum is None else candidate.minimum
    return one is not None and one <= other * _PEER_RATIO and other <= one * _PEER_RATIO


def _span(
    text: str,
    candidate: _Candidate,
    code: str | None,
    *,
    inferred: bool,
    conversion_of: int | None,
    original: MoneySpan | None = None,
) -> MoneySpan:
    """The finished sum; a conversion is bounded as its ``original`` is."""
    is_range = candidate.minimum is not None
    qualifier = Qualifier.RANGE if is_range else _qualifier(text, candidate)
    if original is not None and qualifier is Qualifier.EXACT and original.qualifier in _BOUNDS:
        qualifier = original.qualifier
    value = candidate.value
    return MoneySpan(
        candidate.start,
        candidate.end,
        None if is_range else value,
        candidate.minimum,
        value if is_range else None,
        code,
        qualifier,
        inferred and code is not None,
        conversion_of,
    )


def _qualifier(text: str, candidate: _Candidate) -> Qualifier:
    """What the words around the sum say: a bound counts more than "environ".

    "au-delà des 50 visés" measures another sum by this one, which is exact.
    """
    word_follows = _WORD_FOLLOWS.match(text, candidate.end) is not None
    if word_follows and _GOAL_AFTER.match(text, candidate.end) is not None:
        return Qualifier.EXACT
    said = [Qualifier.APPROXIMATE] if candidate.approximate else []
    window = text[max(candidate.floor, candidate.start - _LONGEST_BEFORE) : candidate.start]
    while window and (before := _BEFORE.search(window)) is not None:
        said.append(Qualifier(before.lastgroup or ""))
        window = window[: before.start()]
    after = _AFTER.match(text, candidate.end) if word_follows else None
    if after is not None:
        said.append(Qualifier(after.lastgroup or ""))
    if not said:
        return Qualifier.EXACT
    bounds = [qualifier for qualifier in said if qualifier is not Qualifier.APPROXIMATE]
    return (bounds or said)[0]
