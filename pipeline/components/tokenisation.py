"""French tokens: sums of money and glued sentences stand apart, compounds stay whole.

spaCy's French rules keep ``100M$.`` and ``335M$/293M€`` as one token, and ``voiture.Cette``
where paragraphs were glued when a page was collected. A mark or a match that begins or ends
inside a token cannot be a ``Span``, so those tokens are split here.

spaCy's ``fr`` also takes seconds to import, because it compiles hundreds of large character
classes. The language ``fr_deals`` has the same rules from ``lexicons/tokens.toml``, in one
expression that compiles in a few hundredths of a second.

spaCy cuts what no space divides affix by affix, and looks through the whole rest each time. What
is longer than any word or address is therefore taken in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from string import ascii_lowercase

import spacy
from spacy.lang.char_classes import (
    ALPHA,
    ALPHA_LOWER,
    ALPHA_UPPER,
    CONCAT_QUOTES,
    CURRENCY,
    LIST_ELLIPSES,
    LIST_PUNCT,
    LIST_QUOTES,
    UNITS,
)
from spacy.lang.punctuation import TOKENIZER_INFIXES, TOKENIZER_PREFIXES
from spacy.lang.tokenizer_exceptions import BASE_EXCEPTIONS, URL_MATCH
from spacy.language import BaseDefaults, Language
from spacy.symbols import ORTH
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
from thinc.api import Config

from pipeline.lexicon import Row, Text, load

_ELISION = "'’"
_HYPHENS = "-–—‐‑"
_SYMBOL = "€$£¥"
_UPPER = "A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ"
_LOWER = "a-zàâäçéèêëîïôöùûüÿœ"
_ENCLITICS = "ce|clés|elle|en|il|ils|je|là|moi|nous|on|t|vous"

# The alternatives are tried in order: spaCy's come first.
_PREFIXES = (
    *TOKENIZER_PREFIXES,
    rf"[dlnDLN][{_ELISION}](?=[{ALPHA}])",
    rf"(?i:[cjmst]|(?:jus|lors|puis)?qu)[{_ELISION}](?=[{ALPHA}]\S*\.\w)",  # "qu'Alpha.io"
    rf"[dDlL][{_ELISION}](?=\d)",
    rf"ex-(?=[{_UPPER}])",
    r"[«»“”‘’]",
    r"\\(?=[\[\]])",
    r"[~≈><=+](?=\d)",
    rf"(?:US|CA|C|A|HK|S)?[{_SYMBOL}](?=\d)",
    rf"[.?!…](?=[{_UPPER}][{_LOWER}’'])",
    r"\d+(?:[.,]\d+)?[MK](?=\.$)",  # "$12M.": "M." would be monsieur
)
_SUFFIXES = (
    *LIST_PUNCT,
    *LIST_ELLIPSES,
    *LIST_QUOTES,
    r"(?<=[0-9])\+",
    r"(?<=°[FfCcKk])\.",
    r"(?<=[0-9])%",
    rf"(?<=[0-9])(?:{CURRENCY})",
    rf"(?<=[0-9])(?:{UNITS})",
    rf"(?<=[0-9{ALPHA_LOWER}%²\-\+(?:{CONCAT_QUOTES})])\.",
    rf"(?<=[{ALPHA_UPPER}][{ALPHA_UPPER}])\.",
    rf"(?<=[{ALPHA}])[{_HYPHENS}](?:{_ENCLITICS}|{_ENCLITICS.upper()})",
    rf"(?<=[{_SYMBOL}])[.:;,!?…]",
    rf"(?<=[{_LOWER}])\.(?=$)",
    r"(?<=\d)(?:%|‰)",
    r"[«»“”]",
    r"(?<=['’]s)\.",
    rf"(?<=[{_LOWER}][{_UPPER}])\.",
    rf"(?<=^[{_UPPER}])\.",  # "en série B.": spaCy takes the letter for an initial
)
_INFIXES = (
    *TOKENIZER_INFIXES,
    rf"(?<=[{ALPHA}][{_ELISION}])(?=[{ALPHA}])",
    rf"(?<=[{_SYMBOL}])[\-–—(](?=\d)",
    rf"(?<=[{_SYMBOL}])/(?=\w)",
    rf"(?<=\d)[–—/](?=[\d{_SYMBOL}])",
    rf"(?<=[{_LOWER}{_SYMBOL}\d%)])[.?!…:](?=[{_UPPER}«][{_LOWER}’' ])",
    rf"(?<=[{_LOWER}{_SYMBOL}\d%])[.?!…](?=[)»”][{_UPPER}«])",
    rf"(?<=[.?!…])[)»”](?=[{_UPPER}«])",
    rf"(?<=[{_UPPER}]{{2}})[.?!…](?=[{_UPPER}][{_LOWER}’'])",  # a firm's initials: "IBM.Elle"
    rf"(?<=[{_LOWER}»\d])[.?!…](?=[«“])",
    rf"(?<=[\w%{_SYMBOL}])[()«»“”](?=[\w\-–—,.])",
    r"(?<=[\w)])(?:--|[–—])(?=\w)",
)

_PIECE = 64
"""Characters of the pieces of what is too long to be a word."""

# At the beginning of a word only, else each of its characters would be tried.
_TOO_LONG = re.compile(r"(?<!\S)\S{257,} ?")

# "s." and the like are the end of "Moody's." more often than abbreviations.
_LETTERS = frozenset(f"{letter}." for letter in ascii_lowercase)


class Words(Row):
    """Words that a rule of the tokenizer is about, without flexion."""

    words: tuple[Text, ...]

    def claims(self) -> Iterable[str]:
        """No two rows of a table hold one word."""
        return self.words


class Cuts(Row):
    """Words with a space where one of their tokens ends: "est -ce"."""

    forms: tuple[Text, ...]

    def claims(self) -> Iterable[str]:
        """No two rows cut one word."""
        return self.forms


def _whole() -> Callable[[str], re.Match[str] | None]:
    """Matches a compound that is one token: "demi-finale", "entr'ouvert", "Aix-en-Provence"."""

    def alternatives(table: str) -> str:
        words = (re.escape(word) for row in load("tokens", Words, table) for word in row.words)
        spelt = "|".join(words).replace(r"\-", f"[{_HYPHENS}]")
        return f"(?:{spelt.replace(chr(39), f'[{_ELISION}]')})"

    opened = rf"{alternatives('opener')}[{_HYPHENS}]|{alternatives('elided')}[{_ELISION}]"
    linked = rf"[{_HYPHENS}]{alternatives('link')}[{_HYPHENS}](?:l[{_ELISION}])?"
    return re.compile(
        rf"(?i)(?:{opened})[{ALPHA_LOWER}][{_HYPHENS}{ALPHA_LOWER}{_ELISION}]*$"
        rf"|[{ALPHA}]+{linked}[{ALPHA}]+$"
        rf"|{alternatives('stem')}[{ALPHA_LOWER}]*$"
        rf"|{alternatives('root')}[{ALPHA_LOWER}]+$"
    ).match


def _exceptions() -> Iterator[tuple[str, list[dict[int, str]]]]:
    """What no rule cuts or joins rightly, with its tokens in spaCy's form."""
    for text, tokens in BASE_EXCEPTIONS.items():
        if text not in _LETTERS:
            yield text, tokens
    for row in load("tokens", Words, "whole"):
        for word in row.words:
            yield word, [{ORTH: word}]
    for cuts in load("tokens", Cuts, "cut"):
        for form in cuts.forms:
            yield form.replace(" ", ""), [{ORTH: token} for token in form.split()]


class PiecewiseTokenizer(Tokenizer):  # type: ignore[misc]  # Cython, without types
    """As spaCy's, in time that is linear in the text whatever it holds."""

    def __call__(self, text: str) -> Doc:
        if _TOO_LONG.search(text) is None:
            doc: Doc = super().__call__(text)
            return doc
        words: list[str] = []
        spaces: list[bool] = []
        for piece in _pieces(text):
            for token in super().__call__(piece):
                words.append(token.text)
                spaces.append(bool(token.whitespace_))
        return Doc(self.vocab, words=words, spaces=spaces)


def _pieces(text: str) -> Iterator[str]:
    """The text with what is too long for a word in pieces; a space stays with what precedes."""
    done = 0
    for match in _TOO_LONG.finditer(text):
        yield text[done : match.start()]
        done = match.end()
        last = match.start() + (len(match[0].rstrip(" ")) - 1) // _PIECE * _PIECE
        for start in range(match.start(), last, _PIECE):
            yield text[start : start + _PIECE]
        yield text[last:done]
    yield text[done:]


@spacy.registry.tokenizers("fr_deals.Tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """spaCy's French tokenizer with the splits that this module adds; for any language."""

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        return PiecewiseTokenizer(
            nlp.vocab,
            rules=dict(_exceptions()),
            prefix_search=compile_prefix_regex(_PREFIXES).search,
            suffix_search=compile_suffix_regex(_SUFFIXES).search,
            infix_finditer=compile_infix_regex(_INFIXES).finditer,
            token_match=_whole(),
            url_match=URL_MATCH,
        )

    return tokenizer_factory


class _Defaults(BaseDefaults):
    config = Config({"nlp": {"tokenizer": {"@tokenizers": "fr_deals.Tokenizer.v1"}}})


@spacy.registry.languages("fr_deals")
class DealFrench(Language):  # type: ignore[no-untyped-call]  # spaCy's hook has no types
    """French with this tokenizer: ``spacy.blank("fr_deals")``."""

    lang = "fr_deals"
    Defaults = _Defaults
