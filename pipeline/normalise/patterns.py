"""Regular expressions over many words that need not try each word in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

_Tree: TypeAlias = "dict[str, _Tree]"


def any_of(words: Iterable[str]) -> str:
    """A pattern of the words in which a common beginning stands once; the longest word wins."""
    tree: _Tree = {}
    for word in words:
        node = tree
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _pattern(tree)


def _pattern(tree: _Tree) -> str:
    branches = [re.escape(head) + _pattern(rest) for head, rest in tree.items() if head]
    if len(branches) == 1 and "" not in tree:
        return branches[0]
    return f"(?:{'|'.join(branches)})" + ("?" if "" in tree else "") if branches else ""
