"""Line plots as SVG text; the same points give the same bytes.

Needs matplotlib, which only the extra ``report`` brings: reading and scoring do without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from typing import Any

from pipeline.errors import DealReaderError

MISSING = "plots need matplotlib: pip install 'fr-deals[report]'"

# Ids come from a fixed salt, and text is measured by the font that matplotlib brings along.
_STYLE: Any = {"svg.hashsalt": "fr-deals", "svg.fonttype": "none", "font.family": "DejaVu Sans"}
_NOTHING_OF_TODAY = {"Date": None, "Creator": None}
_SIZE = (7.0, 4.5)
"""Width and height in inches."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: ``points`` are (x, y) in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """``limits`` are the ends of the axis, left to the points where ``None``."""

    name: str
    limits: tuple[float, float] | None = None
    logarithmic: bool = False


def installed() -> bool:
    """Whether :func:`svg` can draw here."""
    return find_spec("matplotlib") is not None


def svg(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """The plot as an SVG document.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    if not installed():
        raise DealReaderError(MISSING)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot(
            title=title,
            xlabel=x.name,
            ylabel=y.name,
            xscale="log" if x.logarithmic else "linear",
            yscale="log" if y.logarithmic else "linear",
        )
        for line in lines:
            style: Any = {"linestyle": "--", "color": "grey"} if line.dashed else {"marker": "o"}
            axes.plot(*zip(*line.points, strict=True), label=line.name, **style)
        if x.limits is not None:
            axes.set_xlim(*x.limits)
        if y.limits is not None:
            axes.set_ylim(*y.limits)
        axes.grid(alpha=0.3)
        axes.legend()
        out = StringIO()
        figure.savefig(out, format="svg", metadata=_NOTHING_OF_TODAY)
    return out.getvalue()
