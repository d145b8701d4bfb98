"""Texts that no editor would print, for the tests that hold of any text."""

from __future__ import annotations

from hypothesis import strategies as st

DEALS = """
La start-up Ovalie Robotics lève 12 millions d'euros auprès de Fonds Garonne .
Fonds Garonne a investi 3 M€ dans Mirabelle en mai 2023 , un tour mené par Loire Capital .
Bivouac Santé est valorisée 1,5 milliard de dollars ( 1,4 Md€ ) selon La Lettre Bleue .
Tramontane serait en discussions pour lever entre 40 et 50 millions , dont 15 M$ de dette .
Causse Invest rachète l' entreprise , qui a levé au total 30 M€ depuis sa création .
"""
"""Words from which chance makes sentences that tell deals."""

ODD = (
    # emoji, marks upon marks, ligatures, letters that change their length with their case
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1eb\U0001f1f7", "👍🏽",
    "e\u0301", "\u0301", "\u0300\u0302\u0323", "a" + "\u0336" * 40, "\u1100\u1161\u11a8", "ﬁ",
    "İ", "ß", "ŉ", "ΐ", "ﷺ",
    # right to left, other scripts and their figures
    "שלום", "مليون", "\u202e", "\u2067", "\u200f", "中文", "Ж",
    "٣٤", "１２", "½", "²", "Ⅻ", "①", "₂", "৳",
    # controls, line ends of every kind, spaces without width, code points that are no characters
    "\0", "\x07", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u2029", "\x1c", "\x0b", "\f",
    "\n", "\r", "\r\n", "\t", "\u00a0", "\u202f", "\u200b", "\ufeff", "\u00ad", "\u2060", "\u3000",
    "\ue000", "\uffff", "\ufffd", "\U0010ffff", "\U000e0041",
    # what other languages and this project's own take for syntax
    "<b>", "&nbsp;", "{}", "[x](COMPANY c1)", "+++\n", "\\", '"', "'", "’", "«", "»", "|", "%s",
    " date 2026-01-20 ", "date 2026-13\n", "0000", "9999", "../../etc/passwd",
    # very long tokens
    "a" * 20_000, "9" * 20_000, "1." * 10_000, "-" * 20_000, "É" * 20_000, "\u0301" * 20_000,
    " " * 20_000, "\n" * 20_000, "http://" + "a." * 1000, "millionsdeuros" * 1000,
    "€" * 500, "(" * 500, "l'" * 500, "a-" * 1000, "1 2" * 1000,
)  # fmt: skip
"""Characters and tokens at which programs stumble."""

CHARACTERS = st.characters(exclude_categories=["Cs"])
_PIECES = st.one_of(
    st.sampled_from(DEALS.split()),
    st.sampled_from([f"{line}\n" for line in DEALS.strip().splitlines()]),
    st.sampled_from(ODD),
    st.text(CHARACTERS, max_size=8),
)

TEXTS = st.one_of(
    st.text(CHARACTERS),
    st.lists(_PIECES, max_size=15).map(" ".join),
    st.lists(_PIECES, max_size=15).map("".join),
)
"""Any text that UTF-8 can hold."""

SURROGATES = st.characters(categories=["Cs"])
BROKEN = st.builds("{}{}{}".format, TEXTS, SURROGATES, TEXTS)
"""Any text with a lone surrogate in it, as a Python string may hold and UTF-8 may not."""
