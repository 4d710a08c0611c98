"""Plots of a test for paper: predictions, null, imaging."""

from __future__ import annotations

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
        axes.set_xlabel(f"{quantity} measured{behind}")
        axes.set_ylabel(f"{quantity} predicted{behind}")
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
        figure, axes = _axes(54, 46)
        texts = [str(v) for v in values] if any(isinstance(v, str) for v in values) else None
        if texts is not None:
            names, codes = np.unique(texts, return_inverse=True)
            jitter = np.random.default_rng(0).uniform(-0.12, 0.12, len(codes))
            axes.scatter(codes + jitter, measured, s=7, color=_DOT, linewidths=0)
            axes.set_xticks(range(len(names)), [n[:10] for n in names], rotation=30 if len(names) > 3 else 0)
        else:
            numbers = np.array([np.nan if v is None else float(v) for v in values])
            axes.scatter(numbers, measured, s=7, color=_DOT, linewidths=0)
            finite = numbers[np.isfinite(numbers)]
            if len(finite) and finite.min() > 0 and finite.max() / finite.min() > 20:
                axes.set_xscale("log")
        axes.set_xlabel(column)
        axes.set_ylabel(quantity)
    return figure


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
    axes = figure.add_axes((0.19, 0.17, 0.77, 0.79))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(width=0.5, length=2)
    return figure, axes


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    rim = 0.06 * (high - low) or 1.0
    return low - rim, high + rim
