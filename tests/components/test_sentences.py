"""Sentence boundaries by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from clock import cost
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from pipeline.markup import GoldArticle


@pytest.fixture(scope="module")
def splitter(blank_french: Callable[[], Language]) -> Language:
    nlp = blank_french()
    nlp.add_pipe("fr_deals_sentences")
    return nlp


# One sentence between two bars.
CASES = [
    "Alpha lève 3 M€.| Bêta suit.",
    "Elle a levé 2,5 M€ en 2023.| 30 % vont au fonds.",
    "Vraiment ?| Oui !| Bien sûr.",
    "Quoi ?!| Non !!!| Si.",
    "Il attend...| Puis il part.",
    "Il attend…| Puis il part.",
    # glued when the page was collected
    "La voiture.|Cette année, il part.",
    "Il vaut 3 M€.|La suite.",
    "«Oui.»|Le fonds suit.",
    "(Il part.)|Elle reste.",
    # initials and abbreviations
    "Avec J. Dupont à sa tête.| Il part.",
    "George W. Bush part.| Il revient.",
    "P. J. Martin part.",
    "M. Dupont part.",
    "Des robots, etc. sont livrés.",
    "En série B.| Le fonds suit.",
    "Un tour A.| Bêta suit.",
    "L'agence Moody's.| Le fonds suit.",
    # quotes and brackets stay with what they close
    "« Oui. »| Le fonds suit.",
    "(Il part.)| Elle reste.",
    "Il dit “Oui.”| Elle reste.",
    'Il dit "Oui."| Elle reste.',
    # a straight quote after a space opens
    'Il part.| "Oui", dit-il.',
    "Il part.| 'Oui', dit-il.",
    # line ends
    "Titre sans point\n|Le texte suit.",
    'Titre.\n|"Oui", dit-il.',
    "« Oui.\n|Non. »",
]


@pytest.mark.parametrize("case", CASES)
def test_sentences(splitter: Language, case: str) -> None:
    sentences = [sent.text.strip() for sent in splitter(case.replace("|", "")).sents]
    assert sentences == [part.strip() for part in case.split("|")]


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", " \n "])
def test_a_line_end_ends_a_sentence(splitter: Language, end: str) -> None:
    sentences = [sent.text.strip() for sent in splitter(f"Titre sans point{end}Le texte").sents]
    assert sentences == ["Titre sans point", "Le texte"]


@pytest.mark.parametrize("lead", [" ", "\n", " \r\n\r\n ", "\u00a0"])
def test_white_space_before_the_first_word_is_no_sentence(splitter: Language, lead: str) -> None:
    sentences = [sent.text.strip() for sent in splitter(f"{lead}Alpha lève.\nBêta suit.").sents]
    assert sentences == ["Alpha lève.", "Bêta suit."]


@pytest.mark.parametrize("text", ["", " ", "\n", ".", "Alpha"])
def test_short_texts(splitter: Language, text: str) -> None:
    doc = splitter(text)
    assert doc.has_annotation("SENT_START") or not len(doc)
    assert len(list(doc.sents)) == (1 if text else 0)


def test_a_sentence_without_an_end_is_cut(splitter: Language) -> None:
    doc = splitter("mot " * 600 + ". " + "mot " * 100)
    assert [len(sent) for sent in doc.sents] == [256, 256, 89, 100]


@given(st.text(alphabet="aBÉ .!?…\n\r\u00a0«»\"'’()5€", max_size=60))
def test_the_sentences_cover_the_text(splitter: Language, text: str) -> None:
    doc = splitter(text)
    assert "".join(sent.text_with_ws for sent in doc.sents) == text
    for sent in doc.sents:
        assert sent.start == 0 or sent.text.strip(), "a sentence of white space"


def test_the_sentences_cover_every_seed(splitter: Language, seeds: Sequence[GoldArticle]) -> None:
    for article in seeds:
        sentences = list(splitter(article.text).sents)
        assert "".join(sent.text_with_ws for sent in sentences) == article.text
        assert len(sentences) > 10


def test_a_long_article_costs_as_its_length(splitter: Language) -> None:
    split = splitter.get_pipe("fr_deals_sentences")

    def seconds(repeats: int) -> float:
        doc = splitter.make_doc("La start-up développe des robots. " * repeats)
        return cost(split, doc)

    short, long = (min(seconds(repeats) for _ in range(3)) for repeats in (500, 4000))
    assert long < 8 * 3 * short  # eight times the text; a quadratic step takes 64 times as long


def test_pipe_equals_call(splitter: Language, seeds: Sequence[GoldArticle]) -> None:
    texts = [article.text for article in seeds]
    called = [[sent.start for sent in splitter(text).sents] for text in texts]
    assert [[sent.start for sent in doc.sents] for doc in splitter.pipe(texts)] == called
