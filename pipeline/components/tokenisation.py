"""French tokenisation that keeps sums of money and glued sentences apart.

spaCy's French rules keep ``100M$.`` and ``335M$/293M€`` as one token, and ``voiture.Cette``
where paragraphs were glued when a page was collected. A mark or a match that begins or ends
inside a token cannot be a ``Span``, so those tokens are split here.
"""

from __future__ import annotations

from collections.abc import Callable

import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex

_SYMBOL = "€$£¥"
_UPPER = "A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ"
_LOWER = "a-zàâäçéèêëîïôöùûüÿœ"

_PREFIXES = (r"[«»“”‘’]", r"\\(?=[\[\]])", r"[~≈><=+](?=\d)", rf"(?:US|CA|C|A|HK|S)?[{_SYMBOL}](?=\d)")
_SUFFIXES = (
    rf"(?<=[{_SYMBOL}])[.:;,!?…]",
    rf"(?<=[{_LOWER}])\.(?=$)",
    r"(?<=\d)(?:%|‰)",
    r"[«»“”]",
)
_INFIXES = (
    rf"(?<=[{_SYMBOL}])[/\-–—(](?=\d)",
    rf"(?<=\d)[–—/](?=[\d{_SYMBOL}])",
    rf"(?<=[{_LOWER}\d])[.?!…:](?=[{_UPPER}«][{_LOWER}’' ])",
    rf"(?<=[{_LOWER}»\d])[.?!…](?=[«“])",
    rf"(?<=[\w%{_SYMBOL}])[()«»“”](?=\w)",
    r"(?<=\w)\s*[–—](?=\w)",
)


@spacy.registry.tokenizers("fr_deals.Tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """spaCy's French tokenizer with the splits that this module adds."""

    def tokenizer_factory(nlp: Language) -> Tokenizer:
        defaults = nlp.Defaults
        return Tokenizer(
            nlp.vocab,
            rules=defaults.tokenizer_exceptions,
            prefix_search=compile_prefix_regex([*(defaults.prefixes or ()), *_PREFIXES]).search,
            suffix_search=compile_suffix_regex([*(defaults.suffixes or ()), *_SUFFIXES]).search,
            infix_finditer=compile_infix_regex([*(defaults.infixes or ()), *_INFIXES]).finditer,
            token_match=defaults.token_match,
            url_match=defaults.url_match,
        )

    return tokenizer_factory
