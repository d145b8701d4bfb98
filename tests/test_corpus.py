"""Names swapped for training: the lists of names, and what a swap must leave alone."""

from __future__ import annotations

import random
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.util import registry

import pipeline.components.tokenisation  # noqa: F401  registers the tokenizer
from pipeline import corpus
from pipeline.corpus import NAMES, SWAP_SHARE, example, fresh_example, swapped
from pipeline.errors import MarkupError
from pipeline.markup import GoldArticle, GoldMention, parse, parse_folder, render
from pipeline.schema import MONEY_LABELS, NAME_LABELS, Label

SEEDS = Path(__file__).resolve().parent.parent / "annotations" / "seeds"
LEAST = {"companies": 1100, "funds": 600, "media": 120, "people": 500}
FILES = {
    "known_companies": 2000, "known_funds": 1000, "known_media": 200, **LEAST
}  # fmt: skip

ROUND = """+++
published = "2026-01-20"
[[event]]
type = "financing"
company = "c1"
amount = "a1"
investors = [{ref = "i1", role = "lead"}, {ref = "i2"}, {ref = "i3"}, {ref = "i4"}]
sources = ["m1"]
+++
[Ovalie Robotics](COMPANY c1) ([la pépite de Dax](COMPANY c1 nom)) lève \
[12 M€](AMOUNT a1 value=12000000 currency=EUR kind=deal). Le tour d’[Ovalie](COMPANY c1) est mené \
par [Adour Angels](INVESTOR i1), avec [Jean-Loup Darrigade](INVESTOR i2), \
[plusieurs business angels](INVESTOR i3 unnamed) et [AZUR PATRIMOINE](INVESTOR i4), révèle \
[Sifted](MEDIA m1).
« On y croit », dit [Inès Lartigue](PERSON p1). [Lartigue](PERSON p1), ou [Inès](PERSON p1), \
a travaillé chez [Thales](ORG o1) \\[sic\\].
"""


def body(text: str) -> GoldArticle:
    return parse(f"+++\n+++\n{text}")


def named(article: GoldArticle, id_: str) -> list[GoldMention]:
    chain = article.by_id()[id_]
    return [m for m in chain if m.label in NAME_LABELS and not m.nom and not m.unnamed]


def swaps(article: GoldArticle, id_: str, runs: int = 200) -> list[list[str]]:
    """The new texts of one party, from every run in which it got another name."""
    old = [mention.text for mention in named(article, id_)]
    copies = (swapped(article, random.Random(seed)) for seed in range(runs))
    texts = ([mention.text for mention in named(copy, id_)] for copy in copies)
    found = [new for new in texts if new != old]
    assert found, f"{id_} was never swapped"
    return found


@cache
def listed(sort: str) -> frozenset[str]:
    """The invented names of a sort and, of all but people, the well-known ones."""
    files = [sort] if sort == "people" else [sort, f"known_{sort}"]
    texts = ((NAMES / f"{file}.txt").read_text(encoding="utf-8") for file in files)
    return frozenset(name for text in texts for name in text.splitlines())


@cache
def blank() -> Language:
    nlp = spacy.blank("fr")
    nlp.tokenizer = registry.get("tokenizers", "fr_deals.Tokenizer.v1")()(nlp)
    return nlp


def vowel(name: str) -> bool:
    return unicodedata.normalize("NFD", name)[0].casefold() in "aeiouœæø"


class TestLists:
    @pytest.mark.parametrize("file", sorted(FILES))
    def test_is_long_sorted_and_clean(self, file: str) -> None:
        text = (NAMES / f"{file}.txt").read_text(encoding="utf-8")
        names = text.splitlines()
        assert len(names) >= FILES[file]
        assert names == sorted(set(names))
        assert text == unicodedata.normalize("NFC", text)
        assert text.endswith("\n")
        assert not [name for name in names if name != " ".join(name.split()) or not name]

    @pytest.mark.parametrize("sort", sorted(LEAST))
    @pytest.mark.parametrize(
        ("before", "after"),
        [("chez ", "."), ("« ", " »"), ("«", "»"), ("(", "),"), ("de ", ", qui"), ("", "\n")],
    )
    def test_every_name_is_made_of_whole_tokens(self, sort: str, before: str, after: str) -> None:
        # A sentence each would be slow: one text holds all, each name on its own line.
        nlp = blank()
        cut = []
        for names in (listed(sort), {name.split()[0] for name in listed(sort)}):
            text, places = "", []
            for name in sorted(names):
                text += before
                places.append((len(text), len(text) + len(name)))
                text += name + after + "\n"
            doc = nlp.make_doc(text)
            cut += [text[a:b] for a, b in places if doc.char_span(a, b) is None]
        assert cut == []

    def test_every_person_has_a_first_name_and_a_name(self) -> None:
        assert [name for name in listed("people") if len(name.split()) < 2] == []

    def test_every_head_begins_a_name(self) -> None:
        heads = tomllib.loads((NAMES / "heads.toml").read_text(encoding="utf-8"))
        firsts = {
            name.split()[0].casefold()
            for sort in ("companies", "funds", "media")
            for name in listed(sort)
        }
        assert {*heads["feminine"], *heads["masculine"]} <= firsts
        assert not set(heads["feminine"]) & set(heads["masculine"])


@pytest.fixture(scope="module")
def articles() -> list[GoldArticle]:
    return [parse(ROUND), *parse_folder(SEEDS)]


class TestInvariants:
    def test_offsets_labels_and_values_hold(self, articles: list[GoldArticle]) -> None:
        for article in articles:
            for seed in range(40):
                copy = swapped(article, random.Random(seed))
                end = 0
                for old, new in zip(article.mentions, copy.mentions, strict=True):
                    assert copy.text[new.start : new.end] == new.text
                    assert new.start >= end
                    end = new.end
                    assert (new.label, new.id, new.nom, new.unnamed, new.line) == (
                        old.label,
                        old.id,
                        old.nom,
                        old.unnamed,
                        old.line,
                    )
                    assert (new.value, new.minimum, new.maximum, new.kind, new.date) == (
                        old.value,
                        old.minimum,
                        old.maximum,
                        old.kind,
                        old.date,
                    )
                    if new.label not in NAME_LABELS or new.nom or new.unnamed:
                        assert new.text == old.text
                assert copy.head == article.head
                assert copy.path == article.path

    def test_text_between_marks_is_untouched(self, articles: list[GoldArticle]) -> None:
        def gaps(article: GoldArticle) -> list[str]:
            edges = [0, *(edge for m in article.mentions for edge in (m.start, m.end))]
            edges.append(len(article.text))
            return [article.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]

        for article in articles:
            for seed in range(10):
                assert gaps(swapped(article, random.Random(seed))) == gaps(article)

    def test_a_copy_is_still_valid_gold(self) -> None:
        for seed in range(50):
            copy = swapped(parse(ROUND), random.Random(seed))
            again = parse(render(copy))
            assert again.text == copy.text
            assert [m.text for m in again.mentions] == [m.text for m in copy.mentions]

    def test_no_name_is_cut_by_the_tokenizer(self, articles: list[GoldArticle]) -> None:
        for article in articles:
            for seed in range(20):
                made = example(blank(), swapped(article, random.Random(seed)))
                assert len(made.reference.ents) == len(article.mentions)

    def test_the_article_itself_is_not_changed(self) -> None:
        article = parse(ROUND)
        swapped(article, random.Random(1))
        assert article == parse(ROUND)

    def test_the_same_generator_gives_the_same_copy(self) -> None:
        article = parse(ROUND)
        first = [swapped(article, random.Random(seed)) for seed in range(20)]
        assert first == [swapped(article, random.Random(seed)) for seed in range(20)]
        assert len({copy.text for copy in first}) > 15

    def test_an_article_without_names_is_returned_as_it_is(self) -> None:
        article = body("Rien à [10 euros](AMOUNT a1 value=10 currency=EUR kind=other) ici.")
        assert swapped(article, random.Random(0)) == article


class TestWhichName:
    def test_about_six_in_ten_parties_get_another_name(self) -> None:
        article = body("Le rival [Quarklane](ORG o1) se tait.")
        runs = 2000
        found = sum(
            swapped(article, random.Random(seed)).text != article.text for seed in range(runs)
        )
        assert abs(found / runs - SWAP_SHARE) < 0.05

    def test_short_form_is_the_beginning_of_the_new_name(self) -> None:
        for full, short in swaps(parse(ROUND), "c1"):
            assert full in listed("companies")
            assert full == short or full.startswith(f"{short} ")

    def test_short_form_of_a_firm_is_no_common_noun(self) -> None:
        article = body("[Adour Amorçage](INVESTOR i1) signe, puis [Adour](INVESTOR i1) se tait.")
        shorts = {short.casefold() for _, short in swaps(article, "i1", 1500)}
        assert not shorts & {"fonds", "banque", "la", "les", "banque de", "caisse", "société"}
        assert any(" " in short for short in shorts)

    def test_a_person_is_called_by_first_name_or_last_word(self) -> None:
        for full, last, first in swaps(parse(ROUND), "p1"):
            assert full in listed("people")
            assert (first, last) == (full.split()[0], full.split()[-1])

    def test_a_person_known_by_the_name_alone_gets_a_name_alone(self) -> None:
        article = body("Selon M. [Lartigue](PERSON p1), tout va.")
        lasts = {name.split()[-1] for name in listed("people")}
        assert all(text in lasts for (text,) in swaps(article, "p1"))

    @pytest.mark.parametrize("name", ["Jean-Loup Darrigade", "Fatoumata Sy", "Marc Le Dantec"])
    def test_an_investor_with_a_first_name_is_a_person(self, name: str) -> None:
        article = body(f"Avec [{name}](INVESTOR i1) au capital.")
        assert all(text in listed("people") for (text,) in swaps(article, "i1"))

    @pytest.mark.parametrize("name", ["Rose Capital", "Martin Ventures", "Adour Angels", "Kolb"])
    def test_any_other_investor_is_a_fund(self, name: str) -> None:
        article = body(f"Avec [{name}](INVESTOR i1) au capital.")
        assert all(text in listed("funds") for (text,) in swaps(article, "i1"))

    def test_an_investor_who_is_a_person_elsewhere_is_a_person(self) -> None:
        article = body("[Zbigniew Oz](INVESTOR i1) paie, dit [Oz](PERSON i1).")
        for full, last in swaps(article, "i1"):
            assert full in listed("people")
            assert last == full.split()[-1]

    def test_a_medium_gets_a_medium(self) -> None:
        assert all(text in listed("media") for (text,) in swaps(parse(ROUND), "m1"))

    def test_an_organisation_gets_a_company_or_a_fund(self) -> None:
        texts = {text for (text,) in swaps(parse(ROUND), "o1")}
        assert texts & listed("companies")
        assert texts & listed("funds")
        assert texts <= listed("companies") | listed("funds")

    def test_a_fund_that_closes_gets_a_fund(self) -> None:
        article = parse(
            '+++\n[[event]]\ntype = "fund_close"\ncompany = "c1"\namount = "a1"\n+++\n'
            "[Carmin II](COMPANY c1) réunit [9 M€](AMOUNT a1 value=9000000 currency=EUR kind=deal)."
        )
        assert all(text in listed("funds") for (text,) in swaps(article, "c1"))

    def test_a_buyer_may_be_called_like_a_company(self) -> None:
        article = parse(
            '+++\n[[event]]\ntype = "acquisition"\ncompany = "c1"\n'
            'investors = [{ref = "i1", role = "buyer"}]\n+++\n'
            "[Sorabel](INVESTOR i1) rachète [Tivane](COMPANY c1)."
        )
        texts = {text for (text,) in swaps(article, "i1")}
        assert texts & listed("companies")
        assert texts & listed("funds")

    def test_capitals_stay_capitals_but_not_for_an_acronym(self) -> None:
        assert all(text.isupper() for (text,) in swaps(parse(ROUND), "i4"))
        acronym = body("Avec [MGX](INVESTOR i1) au capital.")
        assert any(not text.isupper() for (text,) in swaps(acronym, "i1"))

    def test_two_parties_never_get_one_name(self) -> None:
        article = body(" et ".join(f"[Maison{n}x](MEDIA m{n})" for n in range(60)))
        for seed in range(20):
            texts = [m.text for m in swapped(article, random.Random(seed)).mentions]
            assert len(set(texts)) == len(texts)


class TestLeftAlone:
    @pytest.mark.parametrize(
        "text",
        [
            "La [Banque européenne d'investissement](INVESTOR i1) prête ; [BEI](INVESTOR i1).",
            "Avec [VitiScan](INVESTOR i1), autrefois [Sarment](INVESTOR i1).",
            "Les comptes des [Salaisons Barthas](ORG o1) vont mal.",
            "Du côté des frères [Barthas](INVESTOR i1), on se tait.",
            "La famille [Albiges](INVESTOR i1) garde tout.",
            "Un ex-[Thales](ORG o1) la dirige.",
            "L'accord Airbus/[Thales](ORG o1) tient.",
            "Le pacte [Thales](ORG o1)-Airbus tient.",
        ],
    )
    def test_the_party_keeps_its_name(self, text: str) -> None:
        article = body(text)
        for seed in range(60):
            assert swapped(article, random.Random(seed)).text == article.text

    def test_its_neighbours_do_not(self) -> None:
        article = body("Les [Salaisons Barthas](ORG o1) et [Quarklane](ORG o2).")
        assert swaps(article, "o2")


class TestAgreement:
    @pytest.mark.parametrize("before", ["d'", "d’", "l’", "qu'", "lorsqu’", "jusqu'à l'"])
    def test_after_an_elision_a_vowel_or_h(self, before: str) -> None:
        texts = [text for (text,) in swaps(body(f"Ici {before}[Ovalie](ORG o1) dit."), "o1", 400)]
        assert all(vowel(text) or text[0].casefold() in "hyÿ" for text in texts)

    @pytest.mark.parametrize("before", ["de ", "De ", "que ", "lorsque ", "de\u00a0"])
    def test_after_de_or_que_no_vowel(self, before: str) -> None:
        texts = [text for (text,) in swaps(body(f"{before}[Tern](ORG o1) dit."), "o1", 400)]
        assert not [text for text in texts if vowel(text)]

    def test_the_short_form_agrees_too(self) -> None:
        article = body("[Tern Satellite](ORG o1) dit. Le patron de [Tern](ORG o1) se tait.")
        assert not [short for _, short in swaps(article, "o1", 400) if vowel(short)]

    def test_without_elision_anything(self) -> None:
        texts = [text for (text,) in swaps(body("Chez [Tern](ORG o1)."), "o1", 400)]
        assert any(vowel(text) for text in texts)
        assert any(not vowel(text) for text in texts)

    @pytest.mark.parametrize(
        ("before", "gender"),
        [("la ", "feminine"), ("le ", "masculine"), ("du ", "masculine"), ("au ", "masculine")],
    )
    def test_an_article_keeps_its_gender(self, before: str, gender: str) -> None:
        heads = tomllib.loads((NAMES / "heads.toml").read_text(encoding="utf-8"))[gender]
        texts = [text for (text,) in swaps(body(f"Voici {before}[Cnil](INVESTOR i1)."), "i1")]
        assert all(text.split()[0].casefold() in heads for text in texts)

    def test_no_name_with_its_own_le_after_de_or_a(self) -> None:
        for before in ("de", "à"):
            texts = [t for (t,) in swaps(body(f"Dit {before} [Sifted](MEDIA m1)."), "m1", 600)]
            assert not [text for text in texts if text.startswith(("Le ", "Les "))]


def test_money_is_untouched() -> None:
    for article in parse_folder(SEEDS):
        copy = swapped(article, random.Random(5))
        sums = [
            [m.text for m in one.mentions if m.label in MONEY_LABELS] for one in (article, copy)
        ]
        assert sums[0] == sums[1] != []
        assert any(m.label is Label.COMPANY for m in copy.mentions)


def test_a_name_that_cannot_be_parted_from_what_follows_is_not_swapped_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    article = parse('+++\nwriter = "x"\n+++\nAgence ([Agefi](MEDIA m1))--Lyon.')
    other = parse('+++\nwriter = "x"\n+++\nAgence ([Gomet\'](MEDIA m1))--Lyon.')
    with pytest.raises(MarkupError, match="cuts a token"):
        example(blank(), other)
    monkeypatch.setattr(corpus, "swapped", lambda article, rng: other)
    made = fresh_example(blank(), article, random.Random(7))
    assert [(span.text, span.label_) for span in made.reference.ents] == [("Agefi", "MEDIA")]


def test_a_fresh_example_bears_the_names_of_the_copy() -> None:
    article = parse(ROUND)
    made = fresh_example(blank(), article, random.Random(7))
    assert made.reference.text == swapped(article, random.Random(7)).text != article.text
