"""What the words for rounds and instruments mean."""

from __future__ import annotations

import pytest

from pipeline.lexicon import load
from pipeline.schema import Instrument, RoundName
from pipeline.terms import InstrumentRow, RoundRow, instrument_of, round_of

ROUND_ROWS = load("terms", RoundRow, "round")
INSTRUMENT_ROWS = load("terms", InstrumentRow, "instrument")


@pytest.mark.parametrize("row", ROUND_ROWS, ids=lambda row: row.value)
def test_the_example_of_a_round_row_fires_it(row: RoundRow) -> None:
    assert round_of(row.example) == row.value


@pytest.mark.parametrize("row", INSTRUMENT_ROWS, ids=lambda row: row.value)
def test_the_example_of_an_instrument_row_fires_it(row: InstrumentRow) -> None:
    assert instrument_of(row.example) == row.value


def test_each_value_has_one_row() -> None:
    assert sorted(row.value for row in ROUND_ROWS) == sorted(RoundName)
    # "mixed" is said by no word: it follows from several
    assert sorted(row.value for row in INSTRUMENT_ROWS) == sorted(
        set(Instrument) - {Instrument.MIXED}
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("série A", "series_a"),
        ("Série A", "series_a"),
        ("SÉRIE B", "series_b"),
        ("serie C", "series_c"),
        ("série\u00a0D", "series_d"),
        ("Series E", "series_e"),
        ("tour F", "series_f"),
        ("round G", "series_g"),
        ("séries H", "series_h"),
        ("série I", "series_i"),
        ("série J", "series_j"),
        ("série B2", "series_b"),
        ("série A+", "series_a"),
        ("tour de série C", "series_c"),
        ("B", "series_b"),
        ("série K", None),
        ("seed", "seed"),
        ("tour de seed", "seed"),
        ("amorçage", "seed"),
        ("tour d'amorçage", "seed"),
        ("tour d’amorçage", "seed"),
        ("Amorcage", "seed"),
        ("pré-amorçage", "pre_seed"),
        ("préamorçage", "pre_seed"),
        ("pré-seed", "pre_seed"),
        ("pre-seed", "pre_seed"),
        ("preseed", "pre_seed"),
        ("love money", "pre_seed"),
        ("bridge", "bridge"),
        ("financement relais", "bridge"),
        ("tour relais", "bridge"),
        ("growth", "growth"),
        ("tour de croissance", "growth"),
        ("late stage", "growth"),
        ("extension", "extension"),
        ("extension de série B", "extension"),
        ("extension d'amorçage", "extension"),
        ("rallonge", "extension"),
        ("tour d'investissement", None),
        ("tour de table", None),
        ("premier tour", None),
        ("levée de fonds", None),
        ("", None),
    ],
)
def test_round_of(text: str, expected: str | None) -> None:
    assert round_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("augmentation de capital", "equity"),
        ("capital", "equity"),
        ("fonds propres", "equity"),
        ("actions nouvelles", "equity"),
        ("equity", "equity"),
        ("prêt", "debt"),
        ("prêts bancaires", "debt"),
        ("Prêt garanti par l'État", "debt"),
        ("prêt participatif", "debt"),
        ("PGE", "debt"),
        ("dette senior", "debt"),
        ("dette de capital-risque", "debt"),
        ("venture debt", "debt"),
        ("emprunt obligataire", "debt"),
        ("obligations", "debt"),
        ("ligne de crédit", "debt"),
        ("ligne renouvelable", "debt"),
        ("unitranche", "debt"),
        ("compte courant", "debt"),
        ("avance remboursable", "debt"),
        ("obligations convertibles", "convertible_note"),
        ("OCEANE", "convertible_note"),
        ("OCA", "convertible_note"),
        ("OC", "convertible_note"),
        ("OCABSA", "convertible_note"),
        ("BSA-AIR", "convertible_note"),
        ("BSA AIR", "convertible_note"),
        ("SAFE", "convertible_note"),
        ("obligations à option de conversion en actions existantes", "convertible_note"),
        ("subvention", "grant"),
        ("subventions", "grant"),
        ("aide", "grant"),
        ("don", "grant"),
        ("bourse", "grant"),
        ("financement participatif", "crowdfunding"),
        ("campagne participative", "crowdfunding"),
        ("crowdfunding", "crowdfunding"),
        ("crowdlending", "crowdfunding"),
        ("cession secondaire", "secondary"),
        ("actions existantes", "secondary"),
        ("rachat de titres existants", "secondary"),
        ("levée de fonds", None),
        ("investissement", None),
        ("", None),
    ],
)
def test_instrument_of(text: str, expected: str | None) -> None:
    assert instrument_of(text) == expected
