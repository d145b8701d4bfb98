"""Proposes names by their shape, in the place of the trained NER."""

from __future__ import annotations

from spacy.language import Language
from spacy.tokens import Doc, Span

from pipeline.shape import find_names


@Language.component("fr_deals_shapes", assigns=["doc.ents"], requires=["token.sent_start"])
def shapes(doc: Doc) -> Doc:
    """Sets ``doc.ents`` to the names that :func:`pipeline.shape.find_names` finds.

    A word with a vector counts as common: without vectors the text alone is asked.
    """
    tokens = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    starts = [bool(token.is_sent_start) for token in doc]
    found = find_names(tokens, spaces, starts, doc.vocab.has_vector)
    doc.ents = [Span(doc, name.start, name.end, label=name.label) for name in found]
    return doc
