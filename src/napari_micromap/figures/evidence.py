"""Plots of a test for paper: predictions, null, imaging."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.colors import colors_of_signed
from napari_micromap.figures.paper import FAINT, INK, blank, paper_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOT = "#2c728e"
_LINE = "#c0003c"
_NAMED = 5  # settings whose names have room below an axis


def prediction_figure(
    measured: NDArray[np.float64], predicted: NDArray[np.float64], quantity: str, unit: str, errors: Any = None
) -> Figure:
    """Draw (S,) predictions for samples not used in training against measured values; errors of measuring if known."""
    with paper_style():
        figure, axes = _axes(78, 72)
        low, high = _limits(np.concatenate([measured, predicted]))
        axes.plot([low, high], [low, high], color=FAINT, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        axes.axhline(float(measured.mean()), color=FAINT, linewidth=0.4, zorder=1)
        if errors is not None:
            axes.errorbar(measured, predicted, xerr=errors, fmt="none", ecolor=FAINT, elinewidth=0.5, zorder=2)
        axes.scatter(measured, predicted, s=16, color=_DOT, edgecolors=INK, linewidths=0.3, zorder=3)
        behind = f" ({unit})" if unit else ""
        axes.set_xlabel(_short(f"{quantity} measured{behind}", 52))
        axes.set_ylabel(_short(f"{quantity} predicted{behind}", 46))
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
    return figure


def null_figure(null: NDArray[np.float64], reshuffles: str) -> Figure:
    """Draw where the observed statistic, the first, lies among those of the reshuffles."""
    with paper_style():
        figure, axes = _axes(78, 72)
        axes.hist(null[1:], bins=40, color="#c9c9c9")
        axes.axvline(float(null[0]), color=_LINE, linewidth=1.0)
        axes.annotate("observed", (float(null[0]), 0.97), xycoords=("data", "axes fraction"), color=_LINE,
                      xytext=(-3, 0), textcoords="offset points", rotation=90, va="top", ha="right")  # fmt: skip
        axes.set_xlabel("test statistic (in spreads of the reshuffles)")
        axes.set_ylabel(reshuffles)
    return figure


def imaging_figure(values: NDArray[Any], measured: NDArray[np.float64], column: str, quantity: str) -> Figure:
    """Draw (n,) values of an acquisition column against the property of each micrograph."""
    with paper_style():
        figure = blank(54, 48)
        figure.set_layout_engine("constrained")  # names of columns and settings have any length
        axes = _bare(figure.add_subplot())
        if any(isinstance(v, str) for v in values):
            _draw_settings(axes, [str(v) for v in values], measured)
        else:
            numbers = np.array([np.nan if v is None else float(v) for v in values])
            axes.scatter(numbers, measured, s=7, color=_DOT, linewidths=0)
            finite = numbers[np.isfinite(numbers)]
            if len(finite) and finite.min() > 0 and finite.max() / finite.min() > 20:
                axes.set_xscale("log")
        axes.set_xlabel(_short(column, 32))
        axes.set_ylabel(_short(quantity, 28))
    return figure


def _draw_settings(axes: Axes, texts: list[str], measured: NDArray[np.float64]) -> None:
    """Draw dates along time, other settings side by side; of many only the first and the last are named."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    days = [_day(text) for text in texts]
    if len(set(texts)) > _NAMED and sum(day is not None for day in days) > len(days) / 2:
        known = [(day, value) for day, value in zip(days, measured) if day is not None]
        axes.scatter(date2num([day for day, _ in known]), [value for _, value in known], s=7, color=_DOT, linewidths=0)
        locator = AutoDateLocator(minticks=2, maxticks=4)
        axes.xaxis_date()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        return
    names, codes = np.unique(texts, return_inverse=True)
    jitter = np.random.default_rng(0).uniform(-0.12, 0.12, len(codes))
    axes.scatter(codes + jitter, measured, s=7, color=_DOT, linewidths=0)
    ticks = range(len(names)) if len(names) <= _NAMED else (0, len(names) - 1)
    axes.set_xticks(ticks, [_short(str(names[tick]), 11) for tick in ticks], rotation=20 if len(names) > 2 else 0)
    axes.set_xlim(-0.5, len(names) - 0.5)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shares_bar(strongest: float, what: str) -> Figure:
    """Draw the scale of signed shares, from −``strongest`` to ``strongest``, with its quantity and unit."""
    with paper_style():
        figure = blank(78, 14)
        axes = figure.add_axes((0.06, 0.62, 0.88, 0.26))
        ramp = colors_of_signed(np.linspace(-strongest, strongest, 256), strongest)[None]
        axes.imshow(ramp, extent=(-strongest, strongest, 0, 1), aspect="auto")
        axes.set_yticks([])
        end = f"{strongest:.2g}" if strongest < 100 else f"{strongest:,.0f}"
        axes.set_xticks([-strongest, 0, strongest], [f"−{end}", "0", f"+{end}"])
        axes.set_xlabel(f"lowers  ·  {what}  ·  raises")
        axes.tick_params(width=0.5, length=2)
    return figure


def _axes(width_mm: float, height_mm: float) -> tuple[Figure, Axes]:
    figure = blank(width_mm, height_mm)
    return figure, _bare(figure.add_axes((0.19, 0.17, 0.77, 0.79)))


def _bare(axes: Axes) -> Axes:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(width=0.5, length=2)
    return axes


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    rim = 0.06 * (high - low) or 1.0
    return low - rim, high + rim
