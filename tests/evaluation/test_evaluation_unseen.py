"""The names test: lists that training never sees, and what a renaming must change and leave."""

from __future__ import annotations

import re
import shutil
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from handmade import SOURCE, reads_novalune, write_project

from evaluation import report, unseen
from evaluation.floors import Floors, SetFloors, failures
from evaluation.render import markdown
from evaluation.report import F1, NamesTest
from evaluation.sets import ANNOTATIONS, ROOT
from evaluation.unseen import SORTS, Names, read_names, renamed
from pipeline.errors import DealReaderError
from pipeline.markup import GoldArticle, parse, parse_folder, render
from pipeline.schema import NAME_LABELS

LEAST = {"companies": 150, "funds": 100, "people": 80, "media": 30}

ROUND = """+++
[[event]]
type = "financing"
company = "c1"
amount = "a1"
investors = [{ref = "i1", role = "lead"}, {ref = "i2"}, {ref = "i3"}, {ref = "i4"}]
sources = ["m1"]
+++
[Ovalie Robotics](COMPANY c1) ([la pépite de Dax](COMPANY c1 nom)) lève \
[12 M€](AMOUNT a1 value=12000000 currency=EUR kind=deal). Le tour d’[Ovalie](COMPANY c1) est mené \
par la [Banque Adour Littoral](INVESTOR i1) ([BAL](INVESTOR i1)), avec \
[Jean-Loup Darrigade](INVESTOR i2), [plusieurs business angels](INVESTOR i3 unnamed) et \
[AZUR PATRIMOINE](INVESTOR i4), révèle [Sifted](MEDIA m1).
« On y croit », dit [Inès Lartigue](PERSON p1). [Lartigue](PERSON p1), ou [Inès](PERSON p1), \
a travaillé chez [VitiScan](ORG o1), autrefois [Sarment](ORG o1).
"""


@pytest.fixture(scope="module")
def names() -> Names:
    return read_names(ROOT)


def body(text: str) -> GoldArticle:
    return parse(f"+++\n+++\n{text}")


def said(article: GoldArticle, names: Names, draw: int = 0) -> dict[str, list[str]]:
    """The new texts of each party that has a name."""
    chains = renamed(article, names, draw).by_id()
    return {
        id_: [m.text for m in chain if m.label in NAME_LABELS and not m.nom and not m.unnamed]
        for id_, chain in chains.items()
    }


def plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("’", "'").casefold()


@cache
def trained_on() -> str:
    """All that the model may have seen: training text, seeds and the lists that training uses."""
    folder = ROOT / ANNOTATIONS
    files = [*folder.glob("train/**/*.md"), *folder.glob("seeds/**/*.md")]
    files += [file for file in folder.glob("names/*.txt") if not file.name.startswith("unseen_")]
    return plain("\n".join(file.read_text(encoding="utf-8") for file in sorted(files)))


class TestLists:
    @pytest.mark.parametrize("sort", SORTS)
    def test_are_long_sorted_and_clean(self, names: Names, sort: str) -> None:
        listed = names.unseen[sort]
        assert len(listed) >= LEAST[sort]
        assert list(listed) == sorted(set(listed))
        assert all(name and name == " ".join(name.split()) for name in listed)
        assert all(name == unicodedata.normalize("NFC", name) for name in listed)

    def test_no_name_stands_in_two_lists(self, names: Names) -> None:
        everything = [plain(name) for listed in names.unseen.values() for name in listed]
        assert len(everything) == len(set(everything))

    @pytest.mark.parametrize("sort", SORTS)
    def test_no_name_stands_where_the_model_learns(self, names: Names, sort: str) -> None:
        seen = [
            name
            for name in names.unseen[sort]
            if plain(name) in trained_on()
            and re.search(rf"(?<!\w){re.escape(plain(name))}(?!\w)", trained_on())
        ]
        assert seen == []

    def test_what_the_model_learns_from_was_looked_at(self) -> None:
        assert "anthropic" in trained_on()
        assert len(trained_on().split()) > 100_000

    def test_a_missing_list_is_one_error(self, tmp_path: Path) -> None:
        with pytest.raises(DealReaderError, match=r"heads\.toml is missing"):
            read_names(tmp_path)


class TestEveryName:
    @pytest.mark.parametrize("draw", range(5))
    def test_is_replaced_by_an_unseen_one(self, names: Names, draw: int) -> None:
        articles = [parse(ROUND), *parse_folder(ROOT / ANNOTATIONS / "seeds")]
        unseen_texts = {plain(name) for listed in names.unseen.values() for name in listed}
        for article in articles:
            copy = renamed(article, names, draw)
            for old, new in zip(article.mentions, copy.mentions, strict=True):
                assert copy.text[new.start : new.end] == new.text
                if old.label in NAME_LABELS and not old.nom and not old.unnamed:
                    assert new.text != old.text
                    begun = any(name.startswith(plain(new.text)) for name in unseen_texts)
                    ended = any(name.endswith(plain(new.text)) for name in unseen_texts)
                    assert begun or ended or (new.text.isupper() and len(new.text) <= 5)
                else:
                    assert new.text == old.text

    def test_what_stands_between_marks_and_in_the_head_stays(self, names: Names) -> None:
        article = parse(ROUND)
        copy = renamed(article, names)
        assert copy.head == article.head
        again = parse(render(copy))
        assert again.text == copy.text
        assert "([la pépite de Dax](COMPANY c1 nom)) lève [12 M€](AMOUNT" in render(copy)

    def test_each_draw_gives_other_names_and_the_same_draw_the_same(self, names: Names) -> None:
        texts = [renamed(parse(ROUND), names, draw).text for draw in range(10)]
        assert len(set(texts)) == 10
        assert renamed(parse(ROUND), names, 3).text == texts[3]

    def test_no_two_parties_get_one_name(self, names: Names) -> None:
        article = body(" et ".join(f"[Maison{n}x](MEDIA m{n})" for n in range(LEAST["media"])))
        new = [mention.text for mention in renamed(article, names).mentions]
        assert len(set(new)) == len(new)

    def test_more_parties_than_names_is_an_error(self, names: Names) -> None:
        article = body(" et ".join(f"[Maison{n}x](MEDIA m{n})" for n in range(200)))
        with pytest.raises(DealReaderError, match="more names than unseen_media"):
            renamed(article, names)


class TestWhichName:
    @pytest.mark.parametrize("draw", range(20))
    def test_parts_of_a_name_stay_parts(self, names: Names, draw: int) -> None:
        parties = said(parse(ROUND), names, draw)
        full, short = parties["c1"][0], parties["c1"][-1]
        assert full in names.unseen["companies"]
        assert full == short or full.startswith(f"{short} ")
        whole, last, first = parties["p1"]
        assert whole in names.unseen["people"]
        assert (first, last) == (whole.split()[0], whole.split()[-1])

    @pytest.mark.parametrize("draw", range(20))
    def test_an_acronym_is_made_anew_and_an_alias_gets_its_own(
        self, names: Names, draw: int
    ) -> None:
        parties = said(parse(ROUND), names, draw)
        bank, acronym = parties["i1"]
        capitals = "".join(word[0] for word in bank.split() if word[0].isupper())
        assert acronym == capitals or acronym in names.unseen["funds"]
        assert set(parties["o1"]) <= set(names.unseen["companies"])
        assert len(set(parties["o1"])) == 2

    @pytest.mark.parametrize("draw", range(20))
    def test_each_sort_of_party_gets_its_sort_of_name(self, names: Names, draw: int) -> None:
        parties = said(parse(ROUND), names, draw)
        assert parties["i1"][0] in names.unseen["funds"]
        assert parties["i2"][0] in names.unseen["people"]
        assert parties["m1"][0] in names.unseen["media"]

    def test_a_company_with_a_first_name_is_no_person(self, names: Names) -> None:
        first = sorted(names.first_names)[0]
        article = parse(
            '+++\n[[event]]\ntype = "financing"\ncompany = "c1"\namount = "a1"\n+++\n'
            f"[{first} Santé](COMPANY c1) lève [9 M€](AMOUNT a1 value=9000000 currency=EUR "
            f"kind=deal) avec [{first} Ventures](INVESTOR i1)."
        )
        parties = said(article, names)
        assert parties["c1"][0] in names.unseen["companies"]
        assert parties["i1"][0] in names.unseen["funds"]

    def test_a_fund_that_closes_gets_the_name_of_a_fund(self, names: Names) -> None:
        article = parse(
            '+++\n[[event]]\ntype = "fund_close"\ncompany = "c1"\namount = "a1"\n+++\n'
            "[Carmin II](COMPANY c1) réunit [9 M€](AMOUNT a1 value=9000000 currency=EUR kind=deal)."
        )
        assert said(article, names)["c1"][0] in names.unseen["funds"]

    def test_capitals_stay_capitals(self, names: Names) -> None:
        assert all(text.isupper() for text in said(parse(ROUND), names)["i4"])


class TestAgreement:
    @pytest.mark.parametrize("draw", range(10))
    @pytest.mark.parametrize(
        ("before", "pattern"),
        [
            ("d’", "[aeiouœæ]"),
            ("qu'", "[aeiouœæ]"),
            ("de ", "[^aeiouœæ]"),
            ("les ", "(ateliers|etablissements|laboratoires) "),
        ],
    )
    def test_of_a_name_with_the_word_before(
        self, names: Names, draw: int, before: str, pattern: str
    ) -> None:
        article = body(f"Ici {before}[Ternelle](ORG o1) dit.")
        ((text,),) = said(article, names, draw).values()
        bare = unicodedata.normalize("NFD", text).casefold().replace("\u0301", "")
        assert re.match(pattern, bare)

    @pytest.mark.parametrize(("before", "gender"), [("la", "feminine"), ("du", "masculine")])
    def test_of_an_article_with_the_head(self, names: Names, before: str, gender: str) -> None:
        for draw in range(10):
            ((text,),) = said(body(f"Voici {before} [Cnil](ORG o1)."), names, draw).values()
            assert text.split()[0].casefold() in names.heads[gender]

    def test_a_short_form_is_no_mere_head(self, names: Names) -> None:
        article = body("Au [Groupe Adour](ORG o1). [Groupe](ORG o1) dit que [Tern](ORG o2) dort.")
        for draw in range(20):
            full, short = said(article, names, draw)["o1"]
            assert short.casefold() != "groupe"
            assert full.startswith(short)


def test_the_cost_is_the_difference_of_the_role_f1() -> None:
    def f1(value: float) -> F1:
        return F1(precision=value, recall=value, f1=value, tp=1, fp=0, fn=0)

    made = NamesTest(name="heldout", draws=1, before={"roles": f1(0.8)}, after={"roles": f1(0.77)})
    assert made.cost == pytest.approx(0.03)


def with_heldout(root: Path) -> Path:
    """The made-up project with a held-out passage and the real lists of names."""
    write_project(root)
    folder = root / "annotations/heldout/h1"
    folder.mkdir(parents=True)
    (folder / "one.md").write_text(SOURCE, encoding="utf-8")
    shutil.copytree(ROOT / unseen.FOLDER, root / unseen.FOLDER)
    return root


def test_a_reader_that_knows_a_name_by_heart_is_caught(tmp_path: Path) -> None:
    made = report.evaluate({"whole": lambda: reads_novalune}, with_heldout(tmp_path))
    assert made.names is not None
    assert (made.names.name, made.names.draws) == ("heldout", unseen.DRAWS)
    before, after = made.names.before, made.names.after
    assert (before["roles"].tp, before["roles"].fn) == (2, 1)
    assert (after["roles"].tp, after["roles"].fn) == (0, 3 * unseen.DRAWS)
    assert made.names.cost == pytest.approx(0.8)
    pinned = Floors({"seeds": SetFloors(gold=made.sets[0].gold, floors={})})
    told = f"heldout: unseen names cost 80.0 points, at most {100 * unseen.LARGEST_COST:g}"
    assert told in failures(made, pinned)
    assert "| roles | 0.800 2/0/1 | 0.000 0/0/12 | +80.0 |" in markdown(made)
