"""What figures for paper have in common: sheet, type, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_INCH = 25.4
MM_PER_PT = MM_PER_INCH / 72
TYPE_PT = 7.0
LINE_MM = 3.4  # from one line of type to the next
INK = "#222222"
FAINT = "#6b6b6b"
FORMATS = ("png", "svg", "pdf")

# The same figure whatever the user's matplotlibrc says; text stays text, to be found and corrected.
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"], "font.size": TYPE_PT, "text.color": INK, "axes.linewidth": 0.5,
    "svg.fonttype": "none", "svg.hashsalt": "napari-micromap", "pdf.fonttype": 42,
}  # fmt: skip


@contextmanager
def paper_style() -> Iterator[None]:
    """Set type and lines for what is drawn or saved meanwhile."""
    from matplotlib import style

    with style.context(["default", _STYLE]):
        yield


def blank(width_mm: float, height_mm: float) -> Figure:
    """Return an empty white sheet that belongs to no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def field(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes without frame at a place on the sheet, whose coordinates are millimeters from their lower left."""
    across, up = (side * MM_PER_INCH for side in figure.get_size_inches())
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


def width_of(figure: Figure, text: str, size: float = TYPE_PT) -> float:
    """Return how wide a line of type is, in millimeters."""
    probe = figure.text(0, 0, text, fontsize=size)
    wide = probe.get_window_extent(figure.canvas.get_renderer()).width  # type: ignore[attr-defined]
    probe.remove()
    return float(wide / figure.dpi * MM_PER_INCH)


def fitted(figure: Figure, text: str, room_mm: float) -> str:
    """Cut a text in its middle until it fits."""
    if width_of(figure, text) <= room_mm:
        return text
    keep = len(text) - 1
    while keep > 4 and width_of(figure, _shortened(text, keep)) > room_mm:
        keep -= 1
    return _shortened(text, keep)


def _shortened(text: str, keep: int) -> str:
    return f"{text[: keep - keep // 2].rstrip()}…{text[len(text) - keep // 2 :].lstrip()}"


def without_unit(quantity: str) -> str:
    """Return the name of a quantity without its unit: "Jc" for "Jc (MA/cm²)"."""
    return re.sub(r"\s*[\[(][^\[\]()]*[\])]\s*$", "", quantity).strip() or quantity


def save_figure(figure: Figure, path: Path, dpi: int = 600) -> Path:
    """Write a figure as PNG, SVG or PDF, by the ending of the name."""
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise Problem(
            f"Name the figure with one of the endings .{', .'.join(FORMATS)}; “{path.name}” has none of them."
        )
    # Without the time of day, so that the same map is the same file.
    metadata = {"png": {"Software": "napari-micromap"}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[ending]
    with paper_style():
        try:
            figure.savefig(path, format=ending, dpi=dpi, metadata=metadata, facecolor="white")
        except OSError as error:
            raise Problem(f"The figure cannot be written to {path} ({error.strerror}).") from error
    return path
