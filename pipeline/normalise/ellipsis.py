"""Bare numbers that go on from a sum: "38 millions d'euros : 14 en capital, 24 en dette".

French leaves out a unit that was just given. A number takes it only where the construction
leaves no other reading, for a false sum is worse than a missed one. Each rule looks at the words
between the sum and the number and at the few words after it; all are bounded in length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from pipeline.lexicon import Row, Text, load
from pipeline.normalise.patterns import any_of
from pipeline.normalise.quantities import Forms


class Stems(Row):
    """Beginnings of words."""

    stems: tuple[Text, ...]

    def claims(self) -> tuple[str, ...]:
        return self.stems


class Bond(Enum):
    """How the number is related to the sum before it."""

    PART = auto()
    """A part of it: not greater."""
    PEER = auto()
    """A sum of its own, of much the same size."""


INSTRUMENTS = load("money_nouns", Forms, "instrument")
PARTS = load("money_nouns", Stems, "part")
EN_VERBS = load("money_nouns", Stems, "en_verb")
EN_WISHES = load("money_nouns", Stems, "en_wish")
GOALS = load("money_nouns", Stems, "goal")
VALUINGS = load("money_nouns", Stems, "valuing")
COUNT_CUES = load("money_nouns", Stems, "count_cue")

REACH = 160
"""No number is taken farther than so many characters from the sum."""


def any_stem(rows: Iterable[Stems]) -> str:
    """A pattern of the stems, in any case."""
    return f"(?i:{any_of(stem for row in rows for stem in row.stems)})"


def any_form(rows: Iterable[Forms]) -> str:
    """A pattern of the forms as whole words, in any case, longest first."""
    return rf"(?i:{any_of(form for row in rows for form in row.forms)})(?![^\W_])"


@dataclass(frozen=True, slots=True)
class _Rule:
    """``between`` matches all that stands between sum and number; ``after`` what follows."""

    between: re.Pattern[str]
    after: re.Pattern[str]
    bond: Bond
    only_after_part: bool = False
    """The sum is itself a part of another."""
    only_digits: bool = False
    only_after_millions: bool = False
    may_count: bool = True
    """It holds even where a count is spoken of in between ("le nombre de clients")."""
    across_numbers: bool = False
    """It holds even where another number stands in between."""


_ABOUT = r"(?:environ |près de |près d'|quelque |plus de |moins de )?"
_CLAUSE_ENDS = r" ?(?:[,;:)!?»]|\.(?![0-9])|\Z)"
_TIME = (
    r" (?:un an|une année|l'an|l'année|il y a|en [0-9]|en (?:janvier|février|mars|avril|mai|juin"
    r"|juillet|août|septembre|octobre|novembre|décembre)|à l'|au |fin |début |précédemment"
    r"|auparavant|(?:[0-9]{1,2}|deux|trois|quatre|cinq|six|sept|dix) (?:ans|mois|jours)"
    r" (?:plus tôt|auparavant|avant|plus tard)|sur l'(?:exercice|année)|cet |cette )"
)
_INSTRUMENT = any_form(INSTRUMENTS)
_PART = rf" (?:d'ores et déjà |déjà |seulement )?{any_stem(PARTS)}[a-zé]*(?![^\W_])"
_AS_INSTRUMENT = rf",? (?:en |de |d'){_INSTRUMENT}"
_SAME_SENTENCE = r"[^.;:!?\n]{0,100}?"

_AGAINST = re.compile(rf"(?: \(|[^.;:!?()]{{0,150}}\b)(?:contre|au lieu de) {_ABOUT}")
_PERIOD = re.compile(rf"{_CLAUSE_ENDS}|{_TIME}| (?:en|à|pour)\b", re.IGNORECASE)

_EN_ENDS = re.compile(
    rf"{_CLAUSE_ENDS}|{_TIME}"
    r"| (?:à|pour|dans|quand|lorsque|et (?:que|en)|mais|auprès|par|en|sur) "
)


def _after_en(verbs: Iterable[Stems]) -> re.Pattern[str]:
    """The pronoun "en" and one of the verbs before the number."""
    return re.compile(
        r"[^\n]{0,140}?\b[ln]?'?(?i:en) "
        r"(?:(?:a|ont|avait|avaient|aurait|auraient|auront|eut) )?"
        r"(?:(?:déjà|ainsi|encore|donc|même|finalement|alors|vu|jamais) ){0,2}"
        rf"{any_stem(verbs)}[a-zéèê]*(?<!ant)"
        r"(?: (?:déjà|encore|désormais|donc|ainsi|pourtant|aujourd'hui))?"
        rf"(?:,[^,.\n]{{1,20}},)?(?: (?:plus )?que)? {_ABOUT}"
    )


_RULES = (
    # "40 millions de dollars pour l'océan Indien, dont 15 apportés par Proparco"
    _Rule(
        re.compile(rf"{_SAME_SENTENCE}[ (]dont {_ABOUT}"),
        re.compile(rf"{_AS_INSTRUMENT}|{_PART}| (?:par|auprès de|via) "),
        Bond.PART,
    ),
    # "490 millions de dollars, dont 340 à la signature"
    _Rule(
        re.compile(rf"\)?(?: (?:de |d')\w+)?,? dont {_ABOUT}"),
        re.compile(rf" (?:à|au|aux|dès) |{_CLAUSE_ENDS}"),
        Bond.PART,
    ),
    # "dont 16 empruntés au Crédit Agricole et 3 avancés par Pertuis"
    _Rule(
        re.compile(rf"{_SAME_SENTENCE} et {_ABOUT}"),
        re.compile(rf"{_PART}| par "),
        Bond.PEER,
        only_after_part=True,
    ),
    # "650 millions d'euros: 400 signés par Bosch"
    _Rule(re.compile(r"[^.;:!?\n]{0,60} ?: "), re.compile(_PART), Bond.PART),
    # "Les 60 autres prennent la forme d'une dette"
    _Rule(
        re.compile(r"[^\n]{0,120} [Ll]es "),
        re.compile(
            r" (?:autres|restants)"
            rf"(?: (?:sont|prennent|proviennent|viennent|seront|étant|iront)\b|{_CLAUSE_ENDS})"
        ),
        Bond.PEER,
        only_after_part=True,
    ),
    # "14 en capital, 24 en dette"
    _Rule(re.compile(r".*", re.DOTALL), re.compile(_AS_INSTRUMENT), Bond.PEER, across_numbers=True),
    # "ils espéraient 180 000 euros, ils en ont récolté 236 400"
    _Rule(_after_en(EN_VERBS), _EN_ENDS, Bond.PEER),
    # "6 millions d'euros. L'équipe en espérait neuf"
    _Rule(_after_en(EN_WISHES), _EN_ENDS, Bond.PEER, only_after_millions=True),
    # "62 M€, au-delà des 50 visés"
    _Rule(
        re.compile(
            rf"{_SAME_SENTENCE}(?:au-delà des|au-dessus des|en dessous des|au-dessous des"
            rf"|au lieu des|loin des|(?:plus|moins) que les|contre les|face aux) {_ABOUT}"
        ),
        re.compile(
            rf" (?:d'abord |initialement )?{any_stem(GOALS)}s?(?![^\W_])| de la série [A-Z]\b"
        ),
        Bond.PEER,
    ),
    # "7,9 millions de dollars pour un budget estimé à 180"
    _Rule(
        re.compile(rf"{_SAME_SENTENCE}{any_stem(VALUINGS)}[a-zé]* à {_ABOUT}"),
        re.compile(_CLAUSE_ENDS),
        Bond.PEER,
        only_digits=True,
        may_count=False,
    ),
    # "Fonds Garonne, à hauteur de 50 millions, et Rivage, pour 25"
    _Rule(
        re.compile(rf"{_SAME_SENTENCE}(?:,| et )[^.;:!?\n]{{0,60}} pour {_ABOUT}"),
        re.compile(_CLAUSE_ENDS),
        Bond.PEER,
        only_digits=True,
        may_count=False,
    ),
    # "12 millions d'euros, contre 9 un an plus tôt"
    _Rule(_AGAINST, _PERIOD, Bond.PEER),
)
_COUNT_CUE = re.compile(rf"(?<![^\W_]){any_stem(COUNT_CUES)}")
_LISTED = re.compile(
    r"(?:, [^()0-9.;:!?]{1,60})?\)(?:,| et|, et|,? puis)"
    r"(?! (?:[^()]* )?(?:à|au|aux|en|dans|de|du|des) )[^().;:!?0-9]{1,40} \("
)


def bond(
    text: str,
    sum_end: int,
    start: int,
    end: int,
    *,
    after_part: bool,
    millions: bool,
    interrupted: bool,
) -> Bond | None:
    """How the bare number at ``start``–``end`` goes on from the sum that ends at ``sum_end``.

    ``None``: it does not. ``after_part``: that sum is itself such a part; ``millions``: it
    is a million or more; ``interrupted``: another number stands in between. ``text`` is plain
    (:func:`pipeline.normalise.numbers.plain`).
    """
    if start - sum_end > REACH:
        return None
    listed = text[end : end + 1] == ")" and not interrupted
    if listed and _LISTED.fullmatch(text, sum_end, start) is not None:
        return Bond.PEER
    in_digits = text[start].isdigit()
    for rule in _RULES:
        if (
            (rule.only_after_part and not after_part)
            or (rule.only_digits and not in_digits)
            or (rule.only_after_millions and not millions)
            or (interrupted and not rule.across_numbers)
        ):
            continue
        if rule.after.match(text, end) is None:
            continue
        if rule.between.fullmatch(text, sum_end, start) is None:
            continue
        if rule.may_count or _COUNT_CUE.search(text, sum_end, start) is None:
            return rule.bond
    return None
