"""The date normaliser. Expected values were decided by reading the French.

2026-01-20 is a Tuesday, 2023-10-30 a Monday, 2025-06-15 a Sunday.
"""

from __future__ import annotations

import re
import time
import tomllib
from datetime import date
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.normalise.dates import DateSpan, find_dates, interval, parse_date

TUESDAY = "2026-01-20"
MONDAY = "2023-10-30"
SUNDAY = "2025-06-15"
NONE = "-"


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its « » and the offsets that they stood around."""
    plain, spans = "", []
    for part in re.split(r"(«[^»]*»)", text):
        if part.startswith("«"):
            spans.append((len(plain), len(plain) + len(part) - 2))
            part = part[1:-1]
        plain += part
    return plain, spans


def expected(value: str) -> tuple[str | None, str | None, str | None]:
    """``value``, or ``value first last`` where the days are not those of the value."""
    if value == NONE:
        return None, None, None
    parts = value.split()
    if len(parts) == 1:
        return (value, *interval(value))
    return parts[0], parts[1], parts[2]


def check(text: str, published: str | None, values: tuple[str, ...]) -> None:
    plain, spans = marked(text)
    found = find_dates(plain, published)
    assert [plain[it.start : it.end] for it in found] == [plain[a:b] for a, b in spans]
    assert [(it.start, it.end) for it in found] == spans
    got = [(it.value, it.first, it.last) for it in found]
    assert got == [expected(value) for value in values]


def rows(table: list[tuple[str, ...]]) -> list[object]:
    return [pytest.param(row[0], row[1], row[2:], id=row[0]) for row in table]


# ---- interval --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2023", "2023-01-01", "2023-12-31"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-12", "2023-12-01", "2023-12-31"),
        ("2023-09-04", "2023-09-04", "2023-09-04"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2023-21", "2023-03-01", "2023-05-31"),
        ("2023-22", "2023-06-01", "2023-08-31"),
        ("2023-23", "2023-09-01", "2023-11-30"),
        ("2023-24", "2023-12-01", "2024-02-29"),
        ("199X", "1990-01-01", "1999-12-31"),
        ("2026-01/2026-06", "2026-01-01", "2026-06-30"),
        ("2026-01-12/2026-01-18", "2026-01-12", "2026-01-18"),
        ("2022/2023", "2022-01-01", "2023-12-31"),
    ],
)
def test_interval(value: str, first: str, last: str) -> None:
    assert interval(value) == (first, last)


@pytest.mark.parametrize(
    "value",
    [
        "", "23", "2023-13", "2023-00", "2023-25", "2023-02-30", "2023-Q5", "2023-Q0", "2023-9",
        "2023-09-4", "2024/2023", "2023/", "/2023", "2023/2024/2025", "19XX", "mars 2023",
        "0000", "2023 ", "２０２３",
    ],
)  # fmt: skip
def test_interval_refuses(value: str) -> None:
    with pytest.raises(ValueError):
        interval(value)


# ---- Absolute --------------------------------------------------------------------------------

ABSOLUTE = [
    # years
    ("créée en «2021»", None, "2021"),
    ("En «2021», année de sa création", None, "2021"),
    ("depuis «2019»", None, "2019"),
    ("dès «2027»", None, "2027"),
    ("jusqu'en «2030»", None, "2030"),
    ("à l'horizon «2030»", None, "2030"),
    ("d'ici «2030», le groupe", None, "2030"),
    ("d'ici à «2028»", None, "2028"),
    ("avant «2027»", None, "2027"),
    ("après «2022».", None, "2022"),
    ("une levée (2021 n'en fut pas une) en «2022»", None, "2022"),
    ("Mistral («2023»)", None, "2023"),
    ("un premier tour (Paris, «2021»)", None, "2021"),
    ("dirigeant («2015-2019»)", None, "2015/2019"),
    ("dirigeant («2015» à «2019»)", None, "2015", "2019"),
    ("l'exercice «2024»", None, "2024"),
    ("son chiffre d'affaires «2024»", None, "2024"),
    ("l'«année 2023»", None, "2023"),
    ("pour l'«année 2025»", None, "2025"),
    ("en l'«an 2000»", None, "2000"),
    ("les pertes de «2022» ont doublé", None, "2022"),
    ("la levée de «2019» portait sur l'amorçage", None, "2019"),
    ("une loi de «2014» visant les fonds", None, "2014"),
    ("de «2019» à «2021»", None, "2019", "2021"),
    ("entre «2019» et «2023»", None, "2019", "2023"),
    ("en «2021», «2022» et «2023»", None, "2021", "2022", "2023"),
    ("par rapport à «2019»", None, "2019"),
    ("plus qu'en «2020»", None, "2020"),
    ("courant «2024»", None, "2024"),
    ("En «2022» les investisseurs", None, "2022"),
    ("«2025» sera l'année des fusions", None, "2025"),
    ("la saison «2022-2023»", None, "2022/2023"),
    ("l'exercice «2022-23»", None, "2022/2023"),
    ("en «2022/2023»", None, "2022/2023"),
    ("la crise de «2008», puis celle de «2020»", None, "2008", "2020"),
    # decades
    ("dans les «années 1990»", None, "199X"),
    ("les «années 2000»", None, "200X"),
    ("depuis les «années 80»", None, "198X"),
    ("à «la fin des années 1990»", None, "199X 1996-09-01 1999-12-31"),
    # months
    ("en «mai 2023»", None, "2023-05"),
    ("en «mars 2024»", None, "2024-03"),
    ("en «Mars 2024»", None, "2024-03"),
    ("«Septembre 2022»", None, "2022-09"),
    ("au «mois de mai 2023»", None, "2023-05"),
    ("au «mois d'août 2023»", None, "2023-08"),
    ("en «aout 2023»", None, "2023-08"),
    ("en «AVRIL 2022»", None, "2022-04"),
    ("(«févr. 2021»)", None, "2021-02"),
    ("en «sept. 2022» déjà", None, "2022-09"),
    ("en «déc. 2020»", None, "2020-12"),
    ("en «mars de l'année 2022»", None, "2022-03"),
    ("le «03/2022»", None, "2022-03"),
    ("de «mars» à «juin 2023»", None, "2023-03", "2023-06"),
    ("entre «novembre» et «février 2024»", None, "2023-11", "2024-02"),
    ("«septembre»-«octobre 2023»", None, "2023-09", "2023-10"),
    ("en «avril 2022», puis en «mai 2023»", None, "2022-04", "2023-05"),
    # days
    ("le «15 mars 2022»", None, "2022-03-15"),
    ("le «1er mars 2022»", None, "2022-03-01"),
    ("le «premier mars 2022»", None, "2022-03-01"),
    ("le «29 février 2024»", None, "2024-02-29"),
    ("le «15 Mars 2022»", None, "2022-03-15"),
    ("le «15 sept. 2022»", None, "2022-09-15"),
    ("«mardi 12 janvier 2021»", None, "2021-01-12"),
    ("le «mardi 12 janvier 2021»", None, "2021-01-12"),
    ("«ce mardi 20 janvier 2026»", None, "2026-01-20"),
    ("le «15/03/2022»", None, "2022-03-15"),
    ("le «15.03.2022»", None, "2022-03-15"),
    ("le «15-03-2022»", None, "2022-03-15"),
    ("le «5/3/2022»", None, "2022-03-05"),
    ("le «15/03/22»", None, "2022-03-15"),
    ("le «2022-03-15»", None, "2022-03-15"),
    ("le «2022/03/15»", None, "2022-03-15"),
    ("du «3 au 15 mars 2022»", None, "2022-03-03/2022-03-15"),
    ("les «3 et 4 mai 2023»", None, "2023-05-03/2023-05-04"),
    ("les «3, 4 et 5 mai 2023»", None, "2023-05-03/2023-05-05"),
    ("entre le «3 et le 15 mars 2022»", None, "2022-03-03/2022-03-15"),
    ("du «28 mai» au «3 juin 2024»", None, "2024-05-28", "2024-06-03"),
    ("du «20 décembre» au «3 janvier 2024»", None, "2023-12-20", "2024-01-03"),
    ("Paris, le «4 mai 2023».Le groupe", None, "2023-05-04"),
    # quarters and half-years
    ("au «premier trimestre 2026»", None, "2026-Q1"),
    ("au «deuxième trimestre 2024»", None, "2024-Q2"),
    ("au «2e trimestre 2024»", None, "2024-Q2"),
    ("au «2ème trimestre 2024»", None, "2024-Q2"),
    ("au «1er trimestre 2024»", None, "2024-Q1"),
    ("au «troisième trimestre de 2024»", None, "2024-Q3"),
    ("au «quatrième trimestre de l'année 2024»", None, "2024-Q4"),
    ("au «dernier trimestre 2023»", None, "2023-Q4"),
    ("«T1 2026»", None, "2026-Q1"),
    ("au «T3 2025»", None, "2025-Q3"),
    ("au «Q2 2025»", None, "2025-Q2"),
    ("au «T1-2026»", None, "2026-Q1"),
    ("au «1T23»", None, "2023-Q1"),
    ("au «second semestre 2026»", None, "2026-07/2026-12"),
    ("au «premier semestre 2026»", None, "2026-01/2026-06"),
    ("au «S1 2026»", None, "2026-01/2026-06"),
    ("au «H2 2025»", None, "2025-07/2025-12"),
    ("d'ici «la fin du premier trimestre 2026»", None, "2026-Q1 2026-03-01 2026-03-31"),
    ("«La fin du premier trimestre 2026» sera", None, "2026-Q1 2026-03-01 2026-03-31"),
    ("d'ici à «fin T2 2025»", None, "2025-Q2 2025-06-01 2025-06-30"),
    ("sur les «neuf premiers mois de 2023»", None, "2023-01/2023-09"),
    ("sur les «9 premiers mois 2023»", None, "2023-01/2023-09"),
    # seasons
    ("au «printemps 2023»", None, "2023-21"),
    ("à l'«été 2023»", None, "2023-22"),
    ("l'«été 2023»", None, "2023-22"),
    ("à l'«automne 2022»", None, "2022-23"),
    ("durant l'«hiver 2022»", None, "2022-24"),
    ("l'«hiver 2022-2023»", None, "2022-24"),
    ("les soldes d'«été 2023»", None, "2023-22"),
    ("à «la fin de l'été 2023»", None, "2023-22 2023-08-01 2023-08-31"),
    # parts
    ("«fin 2024»", None, "2024 2024-09-01 2024-12-31"),
    ("«début 2024»", None, "2024 2024-01-01 2024-04-30"),
    ("«mi-2024»", None, "2024 2024-05-01 2024-08-31"),
    ("à «la mi-2024»", None, "2024 2024-05-01 2024-08-31"),
    ("à «la fin de 2019»", None, "2019 2019-09-01 2019-12-31"),
    ("depuis «le début de l'année 2023»", None, "2023 2023-01-01 2023-04-30"),
    ("au «milieu de l'année 2023»", None, "2023 2023-05-01 2023-08-31"),
    ("au «début de 2024»", None, "2024 2024-01-01 2024-04-30"),
    ("à «la fin de l'année 2024»", None, "2024 2024-09-01 2024-12-31"),
    ("«fin septembre 2023»", None, "2023-09 2023-09-21 2023-09-30"),
    ("«mi-mars 2024»", None, "2024-03 2024-03-11 2024-03-20"),
    ("«mi mars 2024»", None, "2024-03 2024-03-11 2024-03-20"),
    ("«début février 2024»", None, "2024-02 2024-02-01 2024-02-10"),
    ("à «la fin du mois de mai 2023»", None, "2023-05 2023-05-21 2023-05-31"),
    ("«fin 2023»-«début 2024»", None, "2023 2023-09-01 2023-12-31", "2024 2024-01-01 2024-04-30"),
    ("«la première moitié de 2023»", None, "2023 2023-01-01 2023-06-30"),
    ("au cours de «la seconde moitié de l'année 2023»", None, "2023 2023-07-01 2023-12-31"),
    ("dans «la première quinzaine de mars 2024»", None, "2024-03 2024-03-01 2024-03-15"),
    ("«fin 2024» pour certains", None, "2024 2024-09-01 2024-12-31"),
    ("prévue «fin juin 2026»", None, "2026-06 2026-06-21 2026-06-30"),
]


@pytest.mark.parametrize(("text", "published", "values"), rows(ABSOLUTE))
def test_absolute(text: str, published: str | None, values: tuple[str, ...]) -> None:
    check(text, published, values)


@pytest.mark.parametrize(("text", "published", "values"), rows(ABSOLUTE))
def test_absolute_needs_no_article_date(
    text: str, published: str | None, values: tuple[str, ...]
) -> None:
    check(text, "1999-12-31", values)


# ---- Relative --------------------------------------------------------------------------------

RELATIVE = [
    # days
    ("annoncé «hier»", TUESDAY, "2026-01-19"),
    ("annoncé «hier soir»", TUESDAY, "2026-01-19"),
    ("annoncé «avant-hier»", TUESDAY, "2026-01-18"),
    ("«Hier», le groupe a levé", TUESDAY, "2026-01-19"),
    ("la vente ouvre «demain»", TUESDAY, "2026-01-21"),
    ("la vente ouvre «demain matin»", TUESDAY, "2026-01-21"),
    ("la vente ouvre «après-demain»", TUESDAY, "2026-01-22"),
    ("annonce «aujourd'hui» une levée", TUESDAY, "2026-01-20"),
    ("a annoncé «aujourd’hui» une levée", TUESDAY, "2026-01-20"),
    ("dès «aujourd'hui»", TUESDAY, "2026-01-20"),
    ("a annoncé «ce jour» une levée", TUESDAY, "2026-01-20"),
    ("annoncé «ce matin»", TUESDAY, "2026-01-20"),
    ("annoncé «ce soir»", TUESDAY, "2026-01-20"),
    ("«cette nuit»", TUESDAY, "2026-01-20"),
    ("«la nuit dernière»", TUESDAY, "2026-01-19/2026-01-20"),
    ("annoncé «hier»", "2026-01-01", "2025-12-31"),
    ("la vente ouvre «demain»", "2024-02-28", "2024-02-29"),
    # weekdays
    ("a annoncé «mardi»", TUESDAY, "2026-01-20"),
    ("a annoncé «lundi»", TUESDAY, "2026-01-19"),
    ("a annoncé «mercredi»", TUESDAY, "2026-01-14"),
    ("a annoncé «dimanche»", TUESDAY, "2026-01-18"),
    ("«Lundi», le groupe a annoncé", TUESDAY, "2026-01-19"),
    ("a annoncé «vendredi soir»", TUESDAY, "2026-01-16"),
    ("a annoncé «lundi matin»", TUESDAY, "2026-01-19"),
    ("«mardi dernier»", TUESDAY, "2026-01-13"),
    ("«lundi dernier»", TUESDAY, "2026-01-19"),
    ("«vendredi dernier»", TUESDAY, "2026-01-16"),
    ("«mardi prochain»", TUESDAY, "2026-01-27"),
    ("«jeudi prochain»", TUESDAY, "2026-01-22"),
    ("a annoncé «ce mardi»", TUESDAY, "2026-01-20"),
    ("a annoncé «ce lundi»", TUESDAY, "2026-01-19"),
    ("un salon «ce vendredi»", TUESDAY, "2026-01-23"),
    ("a annoncé «ce vendredi»", TUESDAY, "2026-01-16"),
    ("le vote aura lieu «jeudi»", TUESDAY, "2026-01-22"),
    ("la clôture est prévue «vendredi»", TUESDAY, "2026-01-23"),
    ("«Jeudi», le conseil se prononcera", TUESDAY, "2026-01-22"),
    ("d'ici «vendredi»", TUESDAY, "2026-01-23"),
    ("dans «la nuit de lundi»", TUESDAY, "2026-01-19"),
    ("dans «la nuit de lundi à mardi»", TUESDAY, "2026-01-19/2026-01-20"),
    ("«lundi» et «mardi»", TUESDAY, "2026-01-19", "2026-01-20"),
    ("dans la matinée de «lundi»", TUESDAY, "2026-01-19"),
    ("«lundi 12 janvier»", TUESDAY, "2026-01-12"),
    ("«mardi 23 décembre»", TUESDAY, "2025-12-23"),
    ("«lundi 2 février»", TUESDAY, "2026-02-02"),
    ("le «lundi 12 janvier»", TUESDAY, "2026-01-12"),
    ("«mardi 13»", TUESDAY, "2026-01-13"),
    ("«vendredi 13», le groupe", TUESDAY, "2026-02-13"),
    # days of a month
    ("le «12 janvier»", TUESDAY, "2026-01-12"),
    ("le «1er janvier»", TUESDAY, "2026-01-01"),
    ("a levé le «30 décembre»", TUESDAY, "2025-12-30"),
    ("le «12 janvier dernier»", TUESDAY, "2026-01-12"),
    ("le «25 janvier dernier»", TUESDAY, "2025-01-25"),
    ("le «15 mars dernier»", TUESDAY, "2025-03-15"),
    ("le «15 mars prochain»", TUESDAY, "2026-03-15"),
    ("le «15 janvier prochain»", TUESDAY, "2027-01-15"),
    ("la clôture interviendra le «15 mars»", TUESDAY, "2026-03-15"),
    ("la clôture est attendue le «31 mars»", TUESDAY, "2026-03-31"),
    ("jusqu'au «15 février»", TUESDAY, "2026-02-15"),
    ("à partir du «1er mars»", TUESDAY, "2026-03-01"),
    ("depuis le «1er octobre»", TUESDAY, "2025-10-01"),
    ("le «15 août de l'an dernier»", TUESDAY, "2025-08-15"),
    ("du «12 au 16 janvier»", TUESDAY, "2026-01-12/2026-01-16"),
    ("le «15/01»", TUESDAY, "2026-01-15"),
    ("le «29 février dernier»", TUESDAY, "2024-02-29"),
    ("une réunion le «2 février»", TUESDAY, "2026-02-02"),
    # weeks and weekends
    ("«la semaine dernière»", TUESDAY, "2026-01-12/2026-01-18"),
    ("«La semaine passée»", TUESDAY, "2026-01-12/2026-01-18"),
    ("«cette semaine»", TUESDAY, "2026-01-19/2026-01-25"),
    ("«la semaine prochaine»", TUESDAY, "2026-01-26/2026-02-01"),
    ("«la semaine dernière»", SUNDAY, "2025-06-02/2025-06-08"),
    ("En «fin de semaine dernière»", TUESDAY, "2026-01-12/2026-01-18 2026-01-16 2026-01-18"),
    ("à «la fin de la semaine dernière»", TUESDAY, "2026-01-12/2026-01-18 2026-01-16 2026-01-18"),
    ("en «début de semaine»", TUESDAY, "2026-01-19/2026-01-25 2026-01-19 2026-01-20"),
    ("en «milieu de semaine prochaine»", TUESDAY, "2026-01-26/2026-02-01 2026-01-28 2026-01-29"),
    ("d'ici «la fin de la semaine»", TUESDAY, "2026-01-19/2026-01-25 2026-01-23 2026-01-25"),
    ("«le week-end dernier»", TUESDAY, "2026-01-17/2026-01-18"),
    ("annoncé «week-end dernier»", TUESDAY, "2026-01-17/2026-01-18"),
    ("«ce week-end»", TUESDAY, "2026-01-17/2026-01-18"),
    ("«ce week-end»", "2026-01-23", "2026-01-24/2026-01-25"),
    ("«le week-end prochain»", TUESDAY, "2026-01-24/2026-01-25"),
    ("au cours du «week-end dernier»", TUESDAY, "2026-01-17/2026-01-18"),
    # months
    ("«le mois dernier»", TUESDAY, "2025-12"),
    ("«le mois passé»", TUESDAY, "2025-12"),
    ("«ce mois-ci»", TUESDAY, "2026-01"),
    ("«le mois prochain»", TUESDAY, "2026-02"),
    ("«le mois prochain»", "2025-12-05", "2026-01"),
    ("au cours du «mois dernier»", TUESDAY, "2025-12"),
    ("à «la fin du mois»", TUESDAY, "2026-01 2026-01-21 2026-01-31"),
    ("«fin du mois dernier»", TUESDAY, "2025-12 2025-12-21 2025-12-31"),
    ("dans «le courant du mois»", TUESDAY, "2026-01"),
    ("en «février»", MONDAY, "2023-02"),
    ("en «octobre»", MONDAY, "2023-10"),
    ("en «novembre»", MONDAY, "2022-11"),
    ("en «mars»", MONDAY, "2023-03"),
    ("depuis «mars»", MONDAY, "2023-03"),
    ("a levé dès «mars»", MONDAY, "2023-03"),
    ("courant «mars»", MONDAY, "2023-03"),
    ("au «mois de mars»", MONDAY, "2023-03"),
    ("jusqu'en «mars»", MONDAY, "2024-03"),
    ("«mars dernier»", MONDAY, "2023-03"),
    ("en «octobre dernier»", MONDAY, "2022-10"),
    ("en «novembre prochain»", MONDAY, "2023-11"),
    ("en «mars prochain»", MONDAY, "2024-03"),
    ("d'ici «mars»", MONDAY, "2024-03"),
    ("d'ici à «fin juin»", TUESDAY, "2026-06 2026-06-21 2026-06-30"),
    ("«fin septembre»", MONDAY, "2023-09 2023-09-21 2023-09-30"),
    ("«début janvier»", MONDAY, "2023-01 2023-01-01 2023-01-10"),
    ("«mi-mars»", MONDAY, "2023-03 2023-03-11 2023-03-20"),
    ("à «la mi-octobre»", MONDAY, "2023-10 2023-10-11 2023-10-20"),
    ("au «début du mois d'octobre»", MONDAY, "2023-10 2023-10-01 2023-10-10"),
    ("ouvrira ses bureaux en «mars»", MONDAY, "2024-03"),
    ("La clôture est attendue en «novembre»", MONDAY, "2023-11"),
    ("qui sera close «fin janvier»", TUESDAY, "2026-01 2026-01-21 2026-01-31"),
    ("En «mars», le groupe ouvrira un bureau", MONDAY, "2024-03"),
    ("La société, qui ouvrira un bureau, a levé en «mars»", MONDAY, "2023-03"),
    ("Elle ouvrira un bureau. Une levée a eu lieu en «mars»", MONDAY, "2023-03"),
    ("Ce sera plus simple qu'en «février»", MONDAY, "2023-02"),
    ("Depuis «mars», et il sera suivi", MONDAY, "2023-03"),
    ("Depuis «fin juillet», ce qui sera jusqu'ici un record", MONDAY,
     "2023-07 2023-07-21 2023-07-31"),
    ("d'ici au «printemps»", MONDAY, "2024-21"),
    ("d'ici «fin mars»", MONDAY, "2024-03 2024-03-21 2024-03-31"),
    ("en «juin de l'an dernier»", TUESDAY, "2025-06"),
    ("en «mai de cette année»", MONDAY, "2023-05"),
    ("en «mars», «avril» et «mai»", MONDAY, "2023-03", "2023-04", "2023-05"),
    # quarters, half-years
    ("«ce trimestre»", TUESDAY, "2026-Q1"),
    ("«le trimestre dernier»", TUESDAY, "2025-Q4"),
    ("au «trimestre prochain»", TUESDAY, "2026-Q2"),
    ("«le semestre dernier»", TUESDAY, "2025-07/2025-12"),
    ("au «deuxième semestre»", TUESDAY, "2025-07/2025-12"),
    ("au «premier trimestre»", TUESDAY, "2026-Q1"),
    ("au «quatrième trimestre»", TUESDAY, "2025-Q4"),
    ("au «troisième trimestre»", MONDAY, "2023-Q3"),
    ("devrait être rentable au «deuxième trimestre»", TUESDAY, "2026-Q2"),
    ("attendue au «premier semestre»", TUESDAY, "2026-01/2026-06"),
    ("au «premier trimestre de cette année»", MONDAY, "2023-Q1"),
    ("au «dernier trimestre de l'année»", MONDAY, "2023-Q4"),
    ("au «premier trimestre de l'an prochain»", MONDAY, "2024-Q1"),
    ("au «premier trimestre de l'année dernière»", MONDAY, "2022-Q1"),
    ("à «la fin du trimestre»", TUESDAY, "2026-Q1 2026-03-01 2026-03-31"),
    ("au «T3»", MONDAY, "2023-Q3"),
    ("les «neuf premiers mois de l'année»", MONDAY, "2023-01/2023-09"),
    # years
    ("«cette année»", MONDAY, "2023"),
    ("«l'an dernier»", MONDAY, "2022"),
    ("«l’an dernier»", MONDAY, "2022"),
    ("«l'an passé»", MONDAY, "2022"),
    ("«l'année dernière»", MONDAY, "2022"),
    ("«l'année prochaine»", MONDAY, "2024"),
    ("«l'an prochain»", MONDAY, "2024"),
    ("«l'année en cours»", MONDAY, "2023"),
    ("«l'année écoulée»", MONDAY, "2022"),
    ("d'ici «la fin de l'année»", MONDAY, "2023 2023-09-01 2023-12-31"),
    ("en «fin d'année»", MONDAY, "2023 2023-09-01 2023-12-31"),
    ("depuis «le début de l'année»", MONDAY, "2023 2023-01-01 2023-04-30"),
    ("en «fin d'année dernière»", MONDAY, "2022 2022-09-01 2022-12-31"),
    ("au «début de l'année prochaine»", MONDAY, "2024 2024-01-01 2024-04-30"),
    ("d'ici à «la fin de l'année prochaine»", MONDAY, "2024 2024-09-01 2024-12-31"),
    ("«cette fin d'année»", MONDAY, "2023 2023-09-01 2023-12-31"),
    ("«la première moitié de l'année»", MONDAY, "2023 2023-01-01 2023-06-30"),
    # seasons
    ("«cet été»", MONDAY, "2023-22"),
    ("lancé «cet été»", TUESDAY, "2025-22"),
    ("sera lancé «cet été»", TUESDAY, "2026-22"),
    ("a levé «cet automne»", TUESDAY, "2025-23"),
    ("«cet hiver»", TUESDAY, "2025-24"),
    ("«l'été dernier»", MONDAY, "2023-22"),
    ("«l'été dernier»", "2023-07-15", "2022-22"),
    ("«l'hiver dernier»", TUESDAY, "2024-24"),
    ("au «printemps»", MONDAY, "2023-21"),
    ("au «printemps dernier»", MONDAY, "2023-21"),
    ("au «printemps prochain»", MONDAY, "2024-21"),
    ("«le printemps prochain»", MONDAY, "2024-21"),
    ("à l'«été»", MONDAY, "2023-22"),
    ("à l'«automne»", MONDAY, "2023-23"),
    ("avant l'«été»", "2023-10-30", "2023-22"),
    ("devrait ouvrir à l'«automne»", TUESDAY, "2026-23"),
    ("depuis l'«été»", TUESDAY, "2025-22"),
    ("à «la fin de l'été»", MONDAY, "2023-22 2023-08-01 2023-08-31"),
    ("«l'été prochain»", TUESDAY, "2026-22"),
    # so long ago, so far ahead
    ("réalisé «il y a un mois»", MONDAY, "2023-09"),
    ("réalisé «il y a à peine un mois», «fin septembre»", MONDAY, "2023-09",
     "2023-09 2023-09-21 2023-09-30"),
    ("«il y a tout juste un an»", MONDAY, "2022"),
    ("«il y a six mois»", MONDAY, "2023-04"),
    ("«il y a deux ans»", MONDAY, "2021"),
    ("«Il y a dix-huit mois»", MONDAY, "2022-04"),
    ("«il y a 18 mois»", MONDAY, "2022-04"),
    ("«il y a un an et demi»", MONDAY, "2022-04"),
    ("«il y a trois jours»", MONDAY, "2023-10-27"),
    ("«il y a 10 jours»", MONDAY, "2023-10-20"),
    ("«il y a trois semaines»", MONDAY, "2023-10"),
    ("«il y a cinq semaines»", MONDAY, "2023-09"),
    ("«il y a deux ans» déjà", MONDAY, "2021"),
    ("«il y a deux ans» de cela", MONDAY, "2021"),
    ("«dans deux ans»", MONDAY, "2025"),
    ("«dans six mois»", MONDAY, "2024-04"),
    ("«dans trois jours»", MONDAY, "2023-11-02"),
    ("d'ici «six mois»", MONDAY, "2024-04"),
    ("d'ici à «deux ans»", MONDAY, "2025"),
    ("d'ici «trois ans», le groupe", MONDAY, "2026"),
    # no value: vague
    ("«il y a plus d'un an»", MONDAY, NONE),
    ("«il y a moins de deux ans»", MONDAY, NONE),
    ("«il y a près d'un an»", MONDAY, NONE),
    ("«il y a environ deux ans»", MONDAY, NONE),
    ("«il y a quelques mois»", MONDAY, NONE),
    ("«il y a plusieurs années»", MONDAY, NONE),
    ("«il y a une dizaine de jours»", MONDAY, NONE),
    ("d'ici «quelques semaines»", MONDAY, NONE),
    ("dans «les prochains mois»", MONDAY, NONE),
    ("dans «les prochaines semaines»", MONDAY, NONE),
    ("«les prochains jours»", MONDAY, NONE),
    ("«ces derniers mois»", MONDAY, NONE),
    ("«ces trois dernières années»", MONDAY, NONE),
    ("au cours des «douze derniers mois»", MONDAY, NONE),
    ("dans «les années à venir»", MONDAY, NONE),
    ("dans «les semaines qui viennent»", MONDAY, NONE),
    ("a «récemment» levé", MONDAY, NONE),
    ("«Récemment», le groupe", MONDAY, NONE),
    ("«ces jours-ci»", MONDAY, NONE),
    # no value: told from another moment of the story
    ("publié «la veille»", MONDAY, NONE),
    ("«Le lendemain», le titre a bondi", MONDAY, NONE),
    ("«l'année suivante»", MONDAY, NONE),
    ("«le mois précédent»", MONDAY, NONE),
    ("«cette année-là»", MONDAY, NONE),
    ("«ce jour-là»", MONDAY, NONE),
    ("«la même année»", MONDAY, NONE),
    ("contre 2 milliards «un an plus tôt»", MONDAY, NONE),
    ("«six mois plus tard»", MONDAY, NONE),
    # no value: a fiscal quarter is not one of the calendar
    ("au «premier trimestre» fiscal", MONDAY, NONE),
    ("au «premier trimestre» de son exercice décalé", MONDAY, NONE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "published", "values"), rows(RELATIVE))
def test_relative(text: str, published: str | None, values: tuple[str, ...]) -> None:
    check(text, published, values)


@pytest.mark.parametrize(("text", "published", "values"), rows(RELATIVE))
def test_relative_without_an_article_date(
    text: str, published: str | None, values: tuple[str, ...]
) -> None:
    check(text, None, tuple(NONE for _ in values))


PARTLY_DATED = [
    # the article is dated by its month
    ("«cette année»", "2023-10", "2023"),
    ("«l'an dernier»", "2023-10", "2022"),
    ("«le mois dernier»", "2023-10", "2023-09"),
    ("«le mois dernier»", "2023-01", "2022-12"),
    ("«ce mois-ci»", "2023-10", "2023-10"),
    ("«ce trimestre»", "2023-10", "2023-Q4"),
    ("en «février»", "2023-10", "2023-02"),
    ("en «octobre»", "2023-10", "2023-10"),
    ("«fin septembre»", "2023-10", "2023-09 2023-09-21 2023-09-30"),
    ("«cet été»", "2023-10", "2023-22"),
    ("au «premier trimestre»", "2023-10", "2023-Q1"),
    ("«il y a à peine un mois»", "2023-10", "2023-09"),
    ("«il y a deux ans»", "2023-10", "2021"),
    ("a annoncé «hier»", "2023-10", "2023-10"),
    ("annonce «aujourd'hui»", "2023-10", "2023-10"),
    ("«ce matin»", "2023-10", "2023-10"),
    ("«la semaine dernière»", "2023-10", NONE),
    ("En «fin de semaine dernière»", "2023-10", NONE),
    ("«cette semaine»", "2023-10", NONE),
    ("a annoncé «mardi»", "2023-10", NONE),
    ("«mardi dernier»", "2023-10", NONE),
    ("«il y a trois jours»", "2023-10", NONE),
    ("le «12 octobre»", "2023-12", "2023-10-12"),
    # by its year
    ("«cette année»", "2023", "2023"),
    ("«l'an dernier»", "2023", "2022"),
    ("«l'année prochaine»", "2023", "2024"),
    ("«il y a trois ans»", "2023", "2020"),
    ("annonce «aujourd'hui»", "2023", "2023"),
    ("«ce mois-ci»", "2023", "2023"),
    ("«le mois dernier»", "2023", NONE),
    ("en «février»", "2023", NONE),
    ("au «printemps»", "2023", NONE),
    ("a annoncé «mardi»", "2023", NONE),
]


@pytest.mark.parametrize(("text", "published", "values"), rows(PARTLY_DATED))
def test_article_dated_by_month_or_year(
    text: str, published: str | None, values: tuple[str, ...]
) -> None:
    check(text, published, values)


# ---- Traps -----------------------------------------------------------------------------------

TRAPS = [
    # mars, été, mai, avril
    "une barre Mars", "un mars glacé", "la planète Mars", "sur Mars", "vers Mars",
    "le rover Mars 2020", "le Champ-de-Mars", "le Champ de Mars", "Bruno Mars chante",
    "a été levé", "avait été annoncé", "ont été reçus", "aurait été vendu", "a déjà été dit",
    "n'a jamais été aussi haut", "après avoir été cédé", "l'université d'été du Medef",
    "les vacances d'été", "les sports d'hiver", "tous les étés", "chaque été", "l'hiver de l'IA",
    "l'hiver approche", "le printemps arabe", "les magasins du Printemps", "au Printemps Haussmann",
    "mainstream", "maire", "Chiang Mai", "Avril Lavigne", "Gérard Avril", "Simon Janvier",
    # weekdays
    "Sam Altman", "le Journal du Dimanche", "Vivement Dimanche", "le dimanche", "chaque lundi",
    "tous les mardis", "du lundi au vendredi", "Black Friday",
    # numbers
    "6,6 milliards", "2,5 %", "2 000 salariés", "2 021 euros", "2021 euros", "2021 €", "$2021",
    "2000 personnes", "plus de 2000", "près de 2000", "plus de 2000 clients",
    "de 2000 manifestants",
    "pour 1900 salariés", "en 2000 exemplaires", "entre 2000 et 2100 salariés",
    "de 1900 à 2000 euros",
    "quelque 2000 clients", "12 millions", "le 06 12 34 56 78", "01.23.45.67.89", "192.168.20.21",
    "GPT-4", "GPT-2021", "la 5G", "un Boeing 737", "la série 2000", "un moteur de série 2000",
    "Article 2021", "article 12", "l'article 2021", "série A", "Windows 2000", "70%", "20 mardis",
    "le 15e arrondissement", "un score de 3 à 2", "https://example.fr/2021/03/15/levee",
    "version 10.12.2", "le vol AF 2023", "norme ISO 2022", "3/4 des parts", "31/02/2022",
    "en 20211", "en 202", "A320", "Audi Q3", "Galaxy S2", "un fonds T2", "page 2012", "1 2000",
    # units that are no date
    "pendant deux ans", "sur cinq ans", "en six mois", "âgé de 39 ans", "deux fois par an",
    "500 euros par mois", "un an de prison", "les fêtes de fin d'année",
    "les primes de fin d'année",
    "la fin de l'année scolaire", "au jour le jour", "à l'ordre du jour", "mise à jour",
    "la semaine de quatre jours", "les derniers jours de la campagne", "il y a deux ans de retard",
    "il y a des mois", "il y a un problème", "dans une semaine de compétition", "ces années",
    "après dix ans passés en prison", "au fil des ans", "un jour", "le premier jour",
    # words of time that are no date
    "la fin du film", "le début de la fin", "mi-figue mi-raisin", "mi-temps", "à mi-parcours",
    "le monde de demain", "pèsent aujourd'hui 70 % du marché", "L'enjeu est, aujourd'hui, énorme",
    "Aujourd'hui en France", "le Parisien-Aujourd'hui en France", "la dernière levée",
    "le prochain tour", "le dernier investisseur", "à la veille de son introduction en Bourse",
    "au lendemain de l'annonce", "en veille", "une cellule de veille", "le passé", "au passage",
    "rendez-vous", "le second tour", "le premier semestriel",
]  # fmt: skip


@pytest.mark.parametrize("text", TRAPS)
def test_is_not_fooled(text: str) -> None:
    assert [text[it.start : it.end] for it in find_dates(text, TUESDAY)] == []


def test_day_that_no_calendar_has_is_no_day() -> None:
    assert [it.value for it in find_dates("le 31 avril 2023 et le 29 février 2023")] == [
        "2023-04",
        "2023-02",
    ]


# ---- Text as it comes ------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009", "\n", "  "])
def test_any_space_will_do(space: str) -> None:
    text = f"le 15{space}mars{space}2022, au premier{space}trimestre{space}2026"
    first, second = find_dates(text)
    assert (first.value, second.value) == ("2022-03-15", "2026-Q1")
    assert text[first.start : first.end] == f"15{space}mars{space}2022"
    assert text[second.start : second.end] == f"premier{space}trimestre{space}2026"


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_both_apostrophes(apostrophe: str) -> None:
    text = f"d{apostrophe}ici à l{apostrophe}été 2024 ; l{apostrophe}an dernier"
    assert [it.value for it in find_dates(text, TUESDAY)] == ["2024-22", "2025"]


def test_code_points_before_a_date_shift_its_offsets_only() -> None:
    text = "😀 İstanbul ǅ en mai 2023"
    (found,) = find_dates(text)
    assert text[found.start : found.end] == "mai 2023"


def test_paragraphs_do_not_join() -> None:
    text = "une levée en mars\n\n2022 fut calme"
    assert [text[it.start : it.end] for it in find_dates(text)] == ["mars", "2022"]


def test_glued_sentences() -> None:
    text = "une levée en 2020.En mai 2021, le groupe a grandi."
    assert [it.value for it in find_dates(text)] == ["2020", "2021-05"]


# ---- One date alone --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "published", "value"),
    [
        ("mars", MONDAY, "2023-03"),
        ("2021", None, "2021"),
        ("été", MONDAY, "2023-22"),
        ("printemps", MONDAY, "2023-21"),
        ("l'été 2023", None, "2023-22"),
        ("le 15 mars 2022", None, "2022-03-15"),
        (" mai 2023 ", None, "2023-05"),
        ("aujourd'hui", TUESDAY, "2026-01-20"),
        ("Mardi", TUESDAY, "2026-01-20"),
        ("T1", TUESDAY, "2026-Q1"),
        ("15/01", TUESDAY, "2026-01-15"),
        ("six mois", MONDAY, "2024-04"),
        ("dans six mois", MONDAY, "2024-04"),
        ("premier trimestre 2026", None, "2026-Q1"),
        ("la fin du premier trimestre 2026", None, "2026-Q1"),
        ("fin de semaine dernière", TUESDAY, "2026-01-12/2026-01-18"),
        ("les prochains mois", TUESDAY, None),
        ("récemment", TUESDAY, None),
        ("l'an dernier", None, None),
    ],
)
def test_parse_date(text: str, published: str | None, value: str | None) -> None:
    parsed = parse_date(text, published)
    assert parsed is not None
    assert parsed.value == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "OpenAI", "en mai 2023", "mai 2023 et juin 2023", "31 avril 2023", "2023 euros"],
)
def test_parse_date_refuses_what_is_not_one_date(text: str) -> None:
    assert parse_date(text, TUESDAY) is None


def spans(table: list[tuple[str, ...]]) -> list[object]:
    """The rows of one mark, whose values do not hang on their context."""
    return [
        pytest.param(*marked_text(row[0]), row[1], row[2], id=row[0])
        for row in table
        if row[0].count("«") == 1
    ]


def marked_text(text: str) -> tuple[str]:
    plain, ((start, end),) = marked(text)
    return (plain[start:end],)


@pytest.mark.parametrize(("text", "published", "value"), spans(ABSOLUTE))
def test_parse_date_reads_what_find_dates_finds(
    text: str, published: str | None, value: str
) -> None:
    assert parse_date(text, published) == DateSpan(0, len(text), *expected(value))


# ---- Errors, edges, speed --------------------------------------------------------------------


@pytest.mark.parametrize("published", ["", "hier", "2023-13", "20/01/2026", "2026-02-30"])
def test_malformed_article_date_is_an_error(published: str) -> None:
    with pytest.raises(ValueError):
        find_dates("hier", published)
    with pytest.raises(ValueError):
        parse_date("hier", published)


@pytest.mark.parametrize("published", ["0001-01-01", "9999-12-31", "0001", "9999"])
def test_ends_of_the_calendar(published: str) -> None:
    text = "hier, demain, la semaine dernière, il y a 9999 ans, dans deux ans, lundi, cet hiver"
    assert [text[it.start : it.end] for it in find_dates(text, published)] == [
        "hier", "demain", "la semaine dernière", "il y a 9999 ans", "dans deux ans", "lundi",
        "cet hiver",
    ]  # fmt: skip


WORDS = sorted(
    {
        *re.findall(r"[\w'’]+|[-,./()%€]", " ".join(row[0] for row in ABSOLUTE + RELATIVE)),
        "Mars", "\n\n", "\u202f", "99", "0", "31", "9999", "20000",
    }
)  # fmt: skip
PUBLISHED = st.sampled_from([None, TUESDAY, "2023-10", "2023", "2024-02-29", "2023-Q1", "9999-12"])


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text(), PUBLISHED)
@settings(max_examples=400, deadline=None)
def test_never_raises_and_offsets_hold(text: str, published: str | None) -> None:
    found = find_dates(text, published)
    end = 0
    for it in found:
        assert end <= it.start < it.end <= len(text)
        assert text[it.start : it.end].strip() == text[it.start : it.end]
        end = it.end
        assert (it.value is None) == (it.first is None) == (it.last is None)
        if it.value is not None:
            first, last = interval(it.value)
            assert it.first is not None and it.last is not None
            assert first <= it.first <= it.last <= last
    parse_date(text, published)


@given(
    st.dates(min_value=date(1000, 1, 1)),
    st.sampled_from(["le {:%d/%m/%Y}", "le {:%Y-%m-%d}", "le {:%d.%m.%Y}"]),
)
def test_any_day_in_figures(day: date, form: str) -> None:
    text = form.format(day)
    (found,) = find_dates(text)
    assert (found.value, found.start, found.end) == (str(day), 3, len(text))


@pytest.mark.parametrize(
    "unit",
    [
        "en fin de la fin de ", "il y a un un un ", "le ", "1,2,3,4,", "mi-", "15 mars ",
        "la la la ", "2021 et ", "2021-", "l'", "dans un peu plus d'un ", "mardi ", "\n ",
        "12/", "1.", "un-", "la fin de l'année de la ", "mardi 12 ", "cet été ", "hier ", "15/03 ",
        "\n", " ", "a",
    ],
)  # fmt: skip
def test_time_is_linear(unit: str) -> None:
    """Four times the text costs about four times the time, whatever the text."""

    def cost(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            find_dates(text, TUESDAY)
            best = min(best, time.process_time() - begin)
        return best

    cost(1_000)
    short, long = cost(10_000), cost(40_000)
    assert long < 12 * short + 0.01
    # 50 ms on an idle machine. A busy one stretches even processor time: one run in twenty must do.
    assert short < 0.075 or any(cost(10_000) < 0.075 for _ in range(20))


# ---- Lexicon ---------------------------------------------------------------------------------

LEXICON = tomllib.loads(
    resources.files("pipeline").joinpath("lexicons", "dates.toml").read_text("utf-8")
)
REFUSING = {"season_name", "quantity", "counted", "school"}
"""Tables whose words stop a reading: in their examples nothing may be found."""


def lexicon_rows(refusing: bool) -> list[object]:
    return [
        pytest.param(row["example"], row["forms"], id=f"{table}: {row['example']}")
        for table, entries in LEXICON.items()
        for row in entries
        if (table in REFUSING) is refusing
    ]


@pytest.mark.parametrize(("example", "forms"), lexicon_rows(refusing=False))
def test_lexicon_example_fires(example: str, forms: list[str]) -> None:
    assert any(form in example.lower() for form in forms)
    assert len(find_dates(example, TUESDAY)) == 1


@pytest.mark.parametrize(("example", "forms"), lexicon_rows(refusing=True))
def test_lexicon_example_refuses(example: str, forms: list[str]) -> None:
    """It is the row's word that refuses: without it a date is found."""
    word = max((form for form in forms if form in example), key=len)
    assert find_dates(example, TUESDAY) == []
    assert len(find_dates(example.replace(word, ""), TUESDAY)) == 1


EACH_FORM = [
    ("month", "en {} 2023", True),
    ("weekday", "annoncé {}", True),
    ("season", "cet {}", True),
    ("ordinal", "au {} trimestre 2023", True),
    ("part_of_day", "annoncé lundi {}", True),
    ("mars_cue", "{} mars", True),
    ("year_cue", "{} 2021", True),
    ("year_verb", "2025 {} une", True),
    ("year_anchor", "{} à 2021", True),
    ("follower", "pour 2021 {}", True),
    ("announcing", "{} aujourd'hui", True),
    ("counted", "en 2021 {}", False),
    ("quantity", "{} de 2000", False),
    ("season_name", "depuis le printemps {}", False),
    ("school", "à la fin de l'année {} Alpha", False),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(template.format(form).replace("' ", "'"), found, id=f"{table}: {form}")
        for table, template, found in EACH_FORM
        for row in LEXICON[table]
        for form in row["forms"]
    ],
)
def test_each_form_has_its_say(text: str, found: bool) -> None:
    assert bool(find_dates(text, TUESDAY)) is found


def test_each_tense_has_its_say() -> None:
    for row in LEXICON["tense"]:
        for form in row["forms"]:
            # Against the default, which is the past, and against a future farther off.
            lead = "" if row["time"] == "future" else "il ouvrira, "
            (found,) = find_dates(f"{lead}{form} en mars", MONDAY)
            assert found.value == ("2024-03" if row["time"] == "future" else "2023-03"), form


def test_each_open_end_looks_for_the_nearest() -> None:
    for form in LEXICON["open_end"][0]["forms"]:
        (found,) = find_dates(f"{form} à mai".replace("' ", "'"), "2023-12-30")
        assert found.value == "2024-05", form
