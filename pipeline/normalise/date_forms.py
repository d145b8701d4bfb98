"""The forms of French date expressions: a grammar over token letters, and how each is read.

:data:`FORMS` is the grammar. A reader takes a :class:`Match` and gives a :class:`Reading`, or
``None`` where the context makes something else of the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from pipeline.normalise.date_match import (
    Match,
    Reading,
    Resolver,
    shifted,
    weekly,
    yearly,
)
from pipeline.normalise.date_words import (
    ABBREVIATIONS,
    ANNOUNCING,
    APPROXIMATORS,
    COUNTED,
    DAYS,
    EDGES,
    FOLLOWERS,
    LETTERS,
    MARS_CUES,
    MODIFIERS,
    MONTHS,
    NUMBER_WORDS,
    NUMERIC,
    ORDINALS,
    PERIOD_CODE,
    QUANTITIES,
    SCHOOL,
    SEASON_CUES,
    SEASON_NAMES,
    SEASONS,
    UNITS,
    WEEKDAYS,
    YEAR_ANCHORS,
    YEAR_CUES,
    YEAR_VERBS,
    YEARS,
    last_year,
)
from pipeline.normalise.edtf import (
    Aim,
    Part,
    bounds,
    choose,
    in_year,
    months,
    run_value,
    valid,
)
from pipeline.normalise.numbers import read_words

# ---- Days --------------------------------------------------------------------------------


def _read_numeric(m: Match) -> Reading | None:
    match = NUMERIC.fullmatch(m.word("numeric"))
    if match is None:
        return None
    if match["day"]:
        if not m.alone and m.before() not in {"le", "du", "au"}:
            return None
        day, month = int(match["day"]), int(match["of"])
        return m.recurring(f"{{year:04d}}-{month:02d}-{day:02d}")
    if match["month"]:
        value = f"{match['year']}-{match['month']}"
    elif match["Y"]:
        value = f"{match['Y']}-{match['M']}-{match['D']}"
    else:
        century = "20" if len(match["y"]) == 2 else ""
        value = f"{century}{match['y']}-{int(match['m']):02d}-{int(match['d']):02d}"
    return m.reading(value) if valid(value) else None


def _read_days(m: Match) -> Reading | None:
    """ "15 mars 2022", "lundi 12 janvier", "3 au 15 mars"."""
    dated = m.alone or m.has("year", "weekday") or m.before() in {"le", "du", "au"}
    if m.is_name("month") and not dated:
        return None
    month = MONTHS[m.word("month")]
    digits = (re.sub(r"[^0-9]", "", word) for word in m.words("days"))
    numbers = [int(number) for number in digits if number] or [1]  # "premier"
    first, last = (f"{{year:04d}}-{month:02d}-{day:02d}" for day in (numbers[0], numbers[-1]))
    template = first if first == last else f"{first}/{last}"
    if in_year(template, _LEAP_YEAR) is None:
        return None  # "31 avril"
    if m.has("weekday") and not m.has("ref", "mod"):
        return m.reading(_on_weekday(template, WEEKDAYS[m.word("weekday")], m.aim()))
    return m.recurring(template)


_LEAP_YEAR = 2024


def _on_weekday(template: str, weekday: int, aim: Aim) -> Resolver:
    """This year, the last or the next if the day falls on the weekday, else as ``aim`` says."""

    def resolve(day: date) -> str | None:
        years = range(day.year - 1, day.year + 2)
        values = [it for year in years if (it := in_year(template, year))]
        fitting = [value for value in values if bounds(value)[0].isoweekday() == weekday]
        return choose(fitting, day, Aim.NEAREST) or yearly(template, aim)(day)

    return resolve


def _read_weekday(m: Match) -> Reading | None:
    """ "mardi", "mardi dernier", "ce mardi soir"; not the habit of "le mardi"."""
    sure = m.alone or m.has("mod") or m.begins_with("THIS")
    if not sure and (m.is_name("weekday") or m.before() in _HABITS):
        return None
    weekday = WEEKDAYS[m.word("weekday")]
    if m.has("mod") and MODIFIERS[m.word("mod")] == "story":
        return m.reading(None)
    return m.reading(weekly(weekday, 1, m.aim()))


_HABITS = frozenset({"le", "les", "du", "au", "chaque", "tous", "un", "une"})


def _read_weekday_and_day(m: Match) -> Reading | None:
    """ "vendredi 13": the nearest in time."""
    if not m.alone and _is_counted(m, 0):
        return None
    weekday, number = WEEKDAYS[m.word("weekday")], int(m.word("day"))
    return m.reading(lambda day: _weekday_and_day(weekday, number, day))


@lru_cache(maxsize=1 << 10)
def _weekday_and_day(weekday: int, number: int, day: date) -> str | None:
    around = (months(day.year, day.month + shift, 1)[0] for shift in range(-12, 13))
    values = (valid(f"{first.isoformat()[:7]}-{number:02d}") for first in around)
    fitting = [it for it in values if it and bounds(it)[0].isoweekday() == weekday]
    return choose(fitting, day, Aim.NEAREST)


def _read_night(m: Match) -> Reading | None:
    """ "la nuit de lundi à mardi", "la nuit dernière"."""
    if m.has("mod"):
        offset = -1 if MODIFIERS[m.word("mod")] == "last" else 0
        return m.reading(lambda day: run_value(day + timedelta(offset), 2), now=True)
    days = 2 if m.has("last") else 1
    return m.reading(weekly(WEEKDAYS[m.word("weekday")], days, m.aim()))


def _read_day_word(m: Match) -> Reading | None:
    """ "hier", "hier soir", "récemment", "la veille"."""
    row = DAYS[m.word("day")]
    if row.article and (not m.begins_with("THE") or m.is_followed_by("OF")):
        return None
    if not m.alone and (m.is_name("day") or _is_no_day(m)):
        return None
    start = None if row.article else "day"
    if row.offset is None:
        return m.reading(None, start=start)
    return m.reading(shifted("day", row.offset), start=start, now=True)


def _is_no_day(m: Match) -> bool:
    """ "le monde de demain", "pèse aujourd'hui 70 %"."""
    if m.word("day") == "demain":
        return m.before() == "de"
    if m.word("day") != "aujourd'hui":
        return False
    near = range(m.start - 5, m.end + 5)
    return not ANNOUNCING & {m.tokens.word(index) for index in near}


def _read_this_part_of_day(m: Match) -> Reading | None:
    """ "ce matin", "cette nuit"."""
    return m.reading(shifted("day", 0), now=True)


# ---- Months, quarters, seasons, years ----------------------------------------------------


def _read_month(m: Match) -> Reading | None:
    if not m.alone and not _is_month(m):
        return None
    number = MONTHS[m.word("month")]
    return _edged(m, m.recurring(f"{{year:04d}}-{number:02d}"))


def _is_month(m: Match) -> bool:
    """Whether the context makes a month of the word: "mars" is also a planet, "Avril" a name."""
    word, capital = m.word("month"), m.tokens.capital(m.index("month"))
    if word in ABBREVIATIONS:
        return m.has("ref")
    if m.has("ref"):
        return not (word == "mars" and capital) or m.has("edge") or m.before() in MARS_CUES
    if m.has("edge", "half", "named", "mod"):
        return True
    if capital:
        return False
    listed = m.tokens.is_(m.start - 1, "COMMA", "DASH") and m.tokens.is_(m.start - 2, "MONTH")
    return word != "mars" or listed or m.before() in MARS_CUES


def _edged(m: Match, reading: Reading | None) -> Reading | None:
    """``reading``, unless its "courant" is but a preposition ("courant mars")."""
    courant = m.has("edge") and EDGES[m.word("edge")] is Part.WHOLE
    return None if courant and not m.begins_with("THE") else reading


def _read_quarter(m: Match) -> Reading | None:
    """ "premier trimestre 2026", "T1 2026", "second semestre", "dernier trimestre de l'année"."""
    kind, index, year = _period(m)
    count = 2 if kind == "semester" else 4
    if m.word("ordinal") in MODIFIERS:
        if not m.has("ref"):
            return None
        index = count - 1
    if index >= count or (m.has("code") and not m.alone and not _is_period_code(m, year)):
        return None
    if _is_fiscal(m):
        return m.reading(None)
    template = _SEMESTERS[index] if kind == "semester" else f"{{year:04d}}-Q{index + 1}"
    if year is not None:
        return m.reading(in_year(template, year))
    return _edged(m, m.recurring(template))


_SEMESTERS = ("{year:04d}-01/{year:04d}-06", "{year:04d}-07/{year:04d}-12")


def _period(m: Match) -> tuple[str, int, int | None]:
    """Kind, index from 0 and, in "1T23", the year."""
    if not m.has("code"):
        return UNITS[m.word("unit")], ORDINALS.get(m.word("ordinal"), 0) - 1, None
    code = PERIOD_CODE.fullmatch(m.word("code"))
    assert code is not None  # the token's terminal says so
    year = 2000 + int(code["year"]) if code["year"] else None
    if code["half"]:
        return "semester", int(code["of"]) - 1, year
    return "quarter", int(code["number"] or code["n"]) - 1, year


def _is_period_code(m: Match, year: int | None) -> bool:
    """Whether "T1" or "S2" is a time and no model's name."""
    return year is not None or m.has("ref") or m.before() in {"au", "du", "le", "ce"}


def _is_fiscal(m: Match) -> bool:
    following = [m.after(steps) for steps in range(3)]
    return following[0] in {"fiscal", "décalé"} or (
        following[0] in {"de", "d'"} and "exercice" in following
    )


def _read_first_months(m: Match) -> Reading | None:
    """ "neuf premiers mois de 2023"."""
    count = _number(" ".join(m.words("count")))
    if count is None or not 2 <= count <= 11:
        return None
    return m.recurring(f"{{year:04d}}-01/{{year:04d}}-{count:02d}", start="count")


def _read_season(m: Match) -> Reading | None:
    if not m.alone and not _is_season(m):
        return None
    code = SEASONS[m.word("season")]
    whole = m.has("edge", "half", "mod") or m.begins_with("THIS")
    start = None if whole else "season"
    if m.has("years"):
        return m.reading(f"{m.word('years')[:4]}-{code}", start=start)
    return _edged(m, m.recurring(f"{{year:04d}}-{code}", start=start))


def _is_season(m: Match) -> bool:
    """Whether the word is a season ("a été levé") and a time ("l'hiver de l'IA")."""
    the = m.has("the") or m.begins_with("THIS") or m.has("edge", "half")
    if m.word("season") == "été" and not the and m.before() not in _SUMMER_CUES:
        return False
    if m.has("ref", "years"):
        return True
    if m.is_name("season") or m.after() in SEASON_NAMES:
        return False
    if m.begins_with("THIS") or m.has("edge", "half", "mod"):
        return True
    if m.is_followed_by("OF"):
        return False
    return m.before() in SEASON_CUES if m.has("the") else m.before() in {"au", "en"}


_SUMMER_CUES = frozenset({"d'", "en", "et", "ou", "(", "-", "/", "–", "courant"})


def _read_decade(m: Match) -> Reading | None:
    """ "années 1990", "fin des années 90"."""
    number = m.word("decade")
    if m.word("unit") != "années" or not number.endswith("0") or len(number) not in (2, 4):
        return None
    if len(number) == 2 and not "50" <= number <= "90":
        return None
    century = "19" if len(number) == 2 else ""
    listed = m.is_followed_by("AND", "AT", "DASH", "COMMA") and m.tokens.is_(m.end + 1, "YEAR")
    if listed and not m.after(1).endswith("0"):
        return None  # "les années 2020 et 2021"
    return m.reading(f"{century}{number[:-1]}X")


def _read_year(m: Match) -> Reading | None:
    if not m.alone and not _is_year(m):
        return None
    return _edged(m, m.reading(m.word("year")))


def _read_years(m: Match) -> Reading | None:
    """ "2022-2023", "2022/23"."""
    match = YEARS.fullmatch(m.word("years"))
    last = last_year(match) if match else None
    if match is None or last is None or m.after() in COUNTED:
        return None
    if not m.alone and len(match["last"]) == 2 and not _is_year(m):
        return None
    return m.reading(f"{match['first']}/{last}")


def _is_year(m: Match) -> bool:
    """Whether the context makes a year of a number."""
    if m.after() in COUNTED or m.word("unit") == "ans":
        return False
    if m.has("edge", "half", "unit") or m.after_year:
        return True
    linked = m.is_followed_by("AT", "AND", "TO", "DASH")
    if m.before() == "(" and (m.after() in {")", ",", ";"} or linked):
        return True
    if m.before() == "," and m.after() == ")":
        return True
    if m.tokens.begins_sentence(m.start) and m.after() in YEAR_VERBS:
        return True
    if m.before() == "à":
        return m.before(2) in YEAR_ANCHORS and not _is_counted(m, 0)
    sure = YEAR_CUES.get(m.before())
    if sure is None or sure:
        return bool(sure)
    if linked and m.tokens.is_(m.end + 1, "YEAR", "NUMBER"):
        return not _is_counted(m, 2)  # "entre 2000 et 2100 salariés"
    return not (m.before() == "de" and m.before(2) in QUANTITIES) and not _is_counted(m, 0)


def _is_counted(m: Match, steps: int) -> bool:
    """Whether the token so many steps on is what the number before it counts."""
    word = m.after(steps)
    if word in COUNTED:
        return True
    plural = word[-1:] in {"s", "x"} and word not in FOLLOWERS
    return plural and not m.tokens.capital(m.end + steps)


# ---- Relative to the article -------------------------------------------------------------


def _read_unit(m: Match) -> Reading | None:
    """ "la semaine dernière", "cette année", "l'année suivante", "fin de semaine dernière"."""
    unit = m.word("unit")
    kind = UNITS[unit]
    time = MODIFIERS[m.word("mod")] if m.has("mod") else "current"
    determined = m.has("the", "edge", "half") or m.before() in _CONTRACTIONS
    if not (m.alone or determined or kind == "weekend"):
        return None
    if _is_plural(m) or time == "story" or (kind == "day" and time != "current"):
        return _edged(m, m.reading(None))
    return _edged(m, _unit_reading(m, kind, {"last": -1, "next": 1}.get(time, 0)))


_CONTRACTIONS = frozenset({"du", "au", "des", "aux"})


def _is_plural(m: Match) -> bool:
    unit = m.word("unit")
    article = m.tokens.word(m.index("unit") - 1)
    return article in {"les", "ces", "des", "aux"} or (unit.endswith("s") and unit != "mois")


def _unit_reading(m: Match, kind: str, offset: int) -> Reading | None:
    if kind == "weekend":
        return m.reading(weekly(6, 2, m.aim()))
    now = offset == 0 and kind in {"day", "month", "quarter", "semester"}
    return m.reading(shifted(kind, offset), now=now)


def _read_this_unit(m: Match) -> Reading | None:
    """ "cette semaine", "ce mois-ci", "ces jours-ci"; "ce jour-là" and "la même année"."""
    if m.has("same") or m.word("ci") == "là":
        return m.reading(None)
    if _is_plural(m):
        return m.reading(None) if m.has("ci") else None
    return _unit_reading(m, UNITS[m.word("unit")], 0)


def _read_edged_unit(m: Match) -> Reading | None:
    """ "la fin de l'année", "en fin de semaine"; not "les fêtes de fin d'année"."""
    kind = UNITS[m.word("unit")]
    if kind in {"day", "decade"} or _is_plural(m) or m.after() in SCHOOL:
        return None
    if m.before() in {"de", "d'"} and not m.begins_with("THE") and not m.begins_with("THIS"):
        return None
    return _edged(m, _unit_reading(m, kind, 0))


def _read_window(m: Match) -> Reading | None:
    """ "les prochains mois", "ces trois dernières années", "les mois à venir"; too vague."""
    if m.has("mod") and not m.word("mod").endswith("s"):
        return None
    has_article = m.begins_with("THE") or m.begins_with("THIS")
    if not m.alone and not has_article and m.before() not in _CONTRACTIONS:
        return None
    this = m.begins_with("THIS")
    return None if m.is_followed_by("OF") and not this else m.reading(None)


def _read_ago(m: Match) -> Reading | None:
    """ "il y a un mois", "il y a à peine un an et demi"."""
    if m.is_followed_by("OF") and m.after(1) not in {"cela", "ça"}:
        return None
    return _distance(m, -1)


def _read_ahead(m: Match) -> Reading | None:
    """ "dans six mois", "d'ici deux ans" (from the number on)."""
    if not m.alone and _is_counted(m, 0):
        return None
    start = "within" if m.has("within") else "quantity"
    return None if m.is_followed_by("OF") else _distance(m, 1, start=start)


def _read_alone_ahead(m: Match) -> Reading | None:
    """ "deux ans": what stands after "d'ici", handed over alone."""
    return _distance(m, 1) if m.alone else None


def _read_story_shift(m: Match) -> Reading | None:
    """ "un an plus tôt", "quelques mois plus tard"."""
    return m.reading(None)


def _distance(m: Match, sign: int, *, start: str | None = None) -> Reading | None:
    """So many years, months, weeks or days before or after the article."""
    quantity = _quantity(" ".join(m.words("quantity")).replace("' ", "'"))
    if quantity is None:
        return None
    if quantity.count is None:
        return m.reading(None, start=start)
    kind, offset = UNITS[m.word("unit")], sign * quantity.count
    if m.has("demi"):
        half_years = shifted("month", 12 * offset + 6 * sign)
        return m.reading(half_years if kind == "year" else None, start=start)
    if kind == "week":
        return m.reading(lambda day: (day + timedelta(7 * offset)).isoformat()[:7], start=start)
    return m.reading(None if kind == "decade" else shifted(kind, offset), start=start)


@dataclass(frozen=True, slots=True)
class _Quantity:
    """``count`` is ``None`` where the number is only about or more or less than said."""

    count: int | None


def _quantity(phrase: str) -> _Quantity | None:
    """What "à peine un", "près de deux" or "quelques" says; ``None`` for any other words."""
    cut = max((len(form) for form in APPROXIMATORS if phrase.startswith(form)), default=0)
    exact = APPROXIMATORS.get(phrase[:cut], True)
    rest = phrase[cut:].strip()
    if not rest:
        return None if exact else _Quantity(None)
    count = _number(rest)
    if count is None:
        return None
    return _Quantity(count if exact else None)


def _number(phrase: str) -> int | None:
    """A whole number in digits or in words, if the phrase is one and nothing else."""
    if phrase.isdecimal():
        return int(phrase) if len(phrase) <= 4 else None
    if not NUMBER_WORDS.fullmatch(phrase):
        return None
    numbers = read_words(phrase)
    return int(numbers[0].value) if len(numbers) == 1 else None


# ---- Grammar ---------------------------------------------------------------------------------

_MACROS = {
    # "fin", "la fin du", "mi-", "la première moitié de l'"
    "EDGED": "((THE|THIS)? (edge:EDGE (DASH | OF (THE|THIS)?)?"
    " | half:(FIRST|ORDINAL) HALF OF (THE|THIS)?))",
    # "2023", "de 2023", "de l'année 2023", "de l'an dernier", "de cette année"
    "REF": "ref:((DASH | OF | OF? (THE|THIS)? YEAR_UNIT)? year:YEAR"
    " | OF? THE YEAR_UNIT (LAST|NEXT|STORY) | OF (THE|THIS) YEAR_UNIT)",
    "UNIT": "(YEAR_UNIT|MONTH_UNIT|QUARTER|SEMESTER|OTHER_UNIT)",
    "COUNT": "(NUMBER|DAY|FEW)",
    "PART": "(PART_OF_DAY|NIGHT)",
}

_GRAMMAR: tuple[tuple[str, Callable[[Match], Reading | None]], ...] = (
    ("numeric:NUMERIC", _read_numeric),
    (
        "THIS? weekday:WEEKDAY?"
        " days:((FIRST|DAY) ((COMMA DAY){0,3} (AND|TO|AT|DASH) THE? DAY)?)"
        " month:(MONTH|ABBREVIATION) REF? mod:(LAST|NEXT)?",
        _read_days,
    ),
    ("THIS? weekday:WEEKDAY mod:(LAST|NEXT|STORY)? PART?", _read_weekday),
    ("THIS? weekday:WEEKDAY day:DAY", _read_weekday_and_day),
    ("THE? NIGHT (mod:(LAST|NEXT) | OF weekday:WEEKDAY (AT last:WEEKDAY)?)", _read_night),
    ("THE? day:DAY_WORD PART?", _read_day_word),
    ("THIS PART", _read_this_part_of_day),
    (
        "EDGED? named:(THIS? MONTH_UNIT OF)? month:(MONTH|ABBREVIATION) REF? mod:(LAST|NEXT)?",
        _read_month,
    ),
    (
        "EDGED? THIS? (ordinal:(FIRST|ORDINAL|LAST) unit:(QUARTER|SEMESTER) | code:PERIOD_CODE)"
        " REF? mod:(LAST|NEXT)?",
        _read_quarter,
    ),
    ("count:COUNT FIRSTS MONTH_UNIT REF", _read_first_months),
    (
        "EDGED? the:THE? THIS? season:SEASON (REF | years:YEARS)? mod:(LAST|NEXT|STORY)?",
        _read_season,
    ),
    ("EDGED? unit:YEAR_UNIT decade:(YEAR|NUMBER)", _read_decade),
    ("EDGED? (THIS? unit:YEAR_UNIT)? year:YEAR", _read_year),
    ("EDGED? (THIS? unit:YEAR_UNIT)? years:YEARS", _read_years),
    ("EDGED? the:(THE|THIS)? unit:UNIT (mod:(LAST|NEXT|CURRENT|STORY) | IN COURSE)", _read_unit),
    ("EDGED? THIS same:SAME? unit:UNIT (DASH? ci:CI)?", _read_this_unit),
    ("THE same:SAME unit:UNIT", _read_this_unit),
    ("EDGED unit:UNIT", _read_edged_unit),
    ("(THE|THIS)? COUNT? mod:(LAST|NEXT) COUNT? unit:UNIT", _read_window),
    ("THE unit:UNIT (AT|WHO) COME", _read_window),
    ("IL? Y A quantity:(.{1,6}?) unit:UNIT demi:(AND DEMI)?", _read_ago),
    ("within:WITHIN quantity:(.{1,5}?) unit:UNIT demi:(AND DEMI)?", _read_ahead),
    ("OF HERE AT? quantity:(.{1,5}?) unit:UNIT demi:(AND DEMI)?", _read_ahead),
    ("quantity:COUNT unit:UNIT demi:(AND DEMI)?", _read_alone_ahead),
    ("COUNT UNIT (MORE SOON | BEFOREHAND)", _read_story_shift),
)


_SYMBOL = re.compile(r"(?:(?P<name>[a-z]+):)?(?:(?P<group>\()|(?P<symbol>[A-Z_]+))")


def _letters(form: str) -> str:
    """The regular expression over token letters that a form or macro stands for."""

    def expand(match: re.Match[str]) -> str:
        opening = f"(?P<{match['name']}>" if match["name"] else "(?:"
        if match["group"]:
            return opening
        symbol = match["symbol"]
        inner = _letters(_MACROS[symbol]) if symbol in _MACROS else LETTERS[symbol]
        return f"{opening}{inner})"

    return _SYMBOL.sub(expand, form).replace(" ", "")


FORMS = tuple((re.compile(_letters(form)), read) for form, read in _GRAMMAR)
"""Each form of the grammar with its reader."""

_BARE = [re.sub(r"\(\?P<[a-z]+>", "(?:", pattern.pattern) for pattern, _ in FORMS]
ANY_FORM = re.compile("|".join(_BARE))
EACH_FORM = re.compile("".join(f"(?:(?=({form}))|)" for form in _BARE))
"""Matches everywhere, without width; its groups are what each form matches there.

It costs a fraction of what the matches of one form after the other do.
"""

LINKS = frozenset(
    LETTERS[terminal] for terminal in ("AND", "AT", "TO", "DASH", "SLASH", "THE", "IN", "OF")
)
"""Letters of the words between two dates of one year ("de mars à juin 2023")."""
