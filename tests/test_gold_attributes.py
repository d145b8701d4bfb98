"""The right answers to what is asked of each mark of a gold article."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.attributes import COLUMNS
from pipeline.gold_attributes import gold_attributes
from pipeline.markup import parse, parse_folder

ROUND = """+++
published = "2026-01-20"
[[event]]
type = "financing"
company = "c1"
amount = "a1"
components = [{amount = "a2", timing = "d2"}]
investors = [{ref = "i1", role = "lead"}, {ref = "i2", commitment = "declined"}]
date = "d1"
sources = ["m1"]
[[event]]
type = "acquisition"
focus = "background"
status = "planned"
certainty = "reported"
company = "c2"
investors = [{ref = "c1", role = "buyer"}]
+++
[Ovalie Robotics](COMPANY c1) a levé [mardi](DATE d1 value=2026-01-20) \
[12 M€](AMOUNT a1 value=12000000 currency=EUR kind=deal) auprès d’[Adour Angels](INVESTOR i1), \
dont [2](AMOUNT a2 value=2000000 currency=EUR inferred kind=component) \
en [mars](DATE d2 value=2026-03), révèle [Sifted](MEDIA m1). [Azur](INVESTOR i2) a refusé.
[Ovalie](INVESTOR c1) veut racheter [Bidache](COMPANY c2) [un jour](DATE). \
[Bidache](COMPANY c2) emploie [Jean Rey](PERSON p1).
"""

DONE = {"type=financing", "status=closed", "certainty=asserted"}
PLANNED = {"type=acquisition", "status=planned", "certainty=reported"}


@pytest.fixture(scope="module")
def told() -> list[tuple[str, set[str]]]:
    article = parse(ROUND)
    answers = gold_attributes(article)
    pairs = zip(article.mentions, answers, strict=True)
    return [(mention.text, {COLUMNS[column] for column in own}) for mention, own in pairs]


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        (0, "Ovalie Robotics", DONE | {"part=COMPANY", "deed=none"}),
        (1, "mardi", DONE | {"when=date"}),
        (2, "12 M€", DONE | {"kind=deal"}),
        (3, "Adour Angels", DONE | {"part=INVESTOR", "deed=none", "role=lead",
                                    "commitment=confirmed"}),
        (4, "2", DONE | {"kind=component"}),
        (5, "mars", {"when=timing"}),
        (6, "Sifted", DONE | {"part=MEDIA", "deed=none", "source=yes"}),
        (7, "Azur", DONE | {"part=INVESTOR", "deed=none", "role=participant",
                            "commitment=declined"}),
        (8, "Ovalie", PLANNED | {"part=COMPANY", "deed=none", "role=buyer",
                                 "commitment=confirmed"}),
        (9, "Bidache", PLANNED | {"part=COMPANY", "deed=here"}),
        (10, "un jour", {"when=none"}),
        (11, "Bidache", PLANNED | {"part=COMPANY", "deed=none"}),
        (12, "Jean Rey", {"part=PERSON", "deed=none", "source=no"}),
    ],
)  # fmt: skip
def test_each_mark_is_told_what_it_is(
    told: list[tuple[str, set[str]]], place: int, text: str, expected: set[str]
) -> None:
    assert told[place] == (text, expected)


def test_every_mark_of_the_seeds_is_told_something_or_is_asked_nothing(root: Path) -> None:
    for article in parse_folder(root / "annotations" / "seeds"):
        for mark, own in zip(article.mentions, gold_attributes(article), strict=True):
            assert own or mark.label in ("ROUND", "INSTRUMENT", "VALUATION"), mark
