"""French tokenisation that keeps sums of money and glued sentences apart.

spaCy's French rules keep ``100M$.`` and ``335M$/293M€`` as one token, and ``voiture.Cette``
where paragraphs were glued when a page was collected. A mark or a match that begins or ends
inside a token cannot be a ``Span``, so those tokens are split here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_lowercase
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex

_SYMBOL = "€$£¥"
_UPPER = "A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ"
_LOWER = "a-zàâäçéèêëîïôöùûüÿœ"

_PREFIXES = (
    r"[dDlL]['’](?=\d)",
    rf"ex-(?=[{_UPPER}])",
    r"[«»“”‘’]",
    r"\\(?=[\[\]])",
    r"[~≈><=+](?=\d)",
    rf"(?:US|CA|C|A|HK|S)?[{_SYMBOL}](?=\d)",
    rf"[.?!…](?=[{_UPPER}][{_LOWER}’'])",
)
_SUFFIXES = (
    rf"(?<=[{_SYMBOL}])[.:;,!?…]",
    rf"(?<=[{_LOWER}])\.(?=$)",
    r"(?<=\d)(?:%|‰)",
    r"[«»“”]",
    r"(?<=['’]s)\.",
    rf"(?<=[{_LOWER}][{_UPPER}])\.",
    rf"(?<=^[{_UPPER}])\.",  # "en série B.": spaCy takes the letter for an initial
)
_INFIXES = (
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


_LETTERS = frozenset(f"{letter}." for letter in ascii_lowercase)


def _without_ex(token_match: Any) -> Callable[[str], object]:
    """French hyphenated words stay whole, but "ex-Thales" holds the name of a firm."""
    pattern: str = token_match.__self__.pattern
    flags, rest = pattern[: pattern.index(")") + 1], pattern[pattern.index(")") + 1 :]
    return re.compile(rf"{flags}(?!ex-)(?:{rest})").match


@spacy.registry.tokenizers("fr_deals.Tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """spaCy's French tokenizer with the splits that this module adds."""

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        defaults = nlp.Defaults
        return Tokenizer(
            nlp.vocab,
            # "s." and the like are the end of "Moody's." more often than abbreviations
            rules={k: v for k, v in defaults.tokenizer_exceptions.items() if k not in _LETTERS},
            prefix_search=compile_prefix_regex([*(defaults.prefixes or ()), *_PREFIXES]).search,
            suffix_search=compile_suffix_regex([*(defaults.suffixes or ()), *_SUFFIXES]).search,
            infix_finditer=compile_infix_regex([*(defaults.infixes or ()), *_INFIXES]).finditer,
            token_match=_without_ex(defaults.token_match),
            url_match=defaults.url_match,
        )

    return tokenizer_factory
