"""Tables that print on the terminal and in Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rich.table
from rich.text import Text

from evaluation.counts import DASH


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; all columns but the first ``left`` are aligned to the right."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    left: int = 1

    def markdown(self) -> str:
        rule = ["---" if i < self.left else "---:" for i in range(len(self.header))]
        lines = [self.header, rule, *([cell.replace("|", "\\|") for cell in r] for r in self.rows)]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        note = f"{self.note}\n\n" if self.note else ""
        return f"## {self.title}\n\n{note}{table}\n"

    def rich(self) -> rich.table.Table:
        table = rich.table.Table(title=self.title, caption=self.note or None)
        for i, name in enumerate(self.header):
            table.add_column(name, justify="left" if i < self.left else "right")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table


def number(value: float | None) -> str:
    """Three digits after the point; a dash for 0/0."""
    return DASH if value is None else f"{value:.3f}"
