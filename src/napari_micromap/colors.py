"""Values to colors, and what their legend says."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.labels import dates_of, exactly, natural_key, number, round_values

Color: TypeAlias = tuple[int, int, int]
Colors: TypeAlias = NDArray[np.uint8]  # (n, 3)
Kind: TypeAlias = Literal["continuous", "steps", "categories", "none"]

FEW_VALUES = 8  # numbers with no more distinct values than this are steps, not a scale
MOST_COLORS = 20  # categories beyond this are too alike
KEPT_LARGEST = 15  # so the largest of them keep a color, and the rest are "others"


def _colors(*hexadecimal: str) -> Colors:
    return np.array([list(bytes.fromhex(digits)) for row in hexadecimal for digits in row.split()], np.uint8)


# viridis (CC0; S. van der Walt, N. Smith) from 0.15 to 0.90 of its length: below, it sinks into napari's dark dock, and
# above, into white paper. Straight lines between these stay within 3 of 255 of it.
_VIRIDIS = _colors(
    "463480 443b84 414487 3e4a89 3b528b 38598c 355f8d 31668e 2f6c8e 2c728e 2a788e 277e8e 25848e 238a8d 21918c 1f968b",
    "1e9c89 1fa287 22a884 28ae80 2fb47c 38b977 44bf70 50c46a 5ec962 6ccd5a 7ad151 8bd646 9bd93c addc30 bddf26",
)
# Blue to orange-red over a light gray, straight lines in CIELAB; for signed quantities.
_DIVERGING = _colors(
    "2c6cd2 547ad4 7089d5 8798d7 9ca7d8 b0b7d9 c3c8d9 d6d8da dbc4bf ddb0a4 dd9c8b dc8871 d87359 d35e40 cd4628"
)
# The seven colors of Okabe and Ito (https://jfly.uni-koeln.de/color/), then thirteen added one by one, each as far as
# can be (CIEDE2000; twice that to a deuteranope or protanope) from those before, from white, napari's dark ground and
# the grays: at least 16 between any two.
CATEGORY_COLORS = _colors(
    "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7",
    "c0003c 6cf0e4 006c6c 906cfc fcb49c cc00a8 9c9c54 7800fc 186c3c 84cc60 9c7854 ccccfc fcb4cc",
)
MISSING: Color = (124, 124, 124)  # of the hollow ring; 3:1 on dark and on light grounds
OTHER: Color = (164, 160, 154)
PLAIN: Color = (86, 146, 190)  # of all dots while nothing colors them

DARK_GROUND: Color = (38, 41, 48)
LIGHT_GROUND: Color = (239, 235, 233)
WHITE: Color = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: a value, its color, and how many micrographs have it."""

    label: str
    color: Color
    count: int


@dataclass(frozen=True, eq=False)
class Coloring:
    """The color of each micrograph, and the legend that goes with it.

    Parameters
    ----------
    quantity : str
        Name of the column, with its unit; "" where nothing colors.
    kind : "continuous", "steps", "categories" or "none"
        A scale with a bar, few ordered values, names, or nothing to color by.
    rgb : (n, 3) uint8
        Color of each micrograph; gray where the value is missing.
    missing : (n,) bool
        Where there is no value: drawn as a hollow ring.
    codes : (n,) int
        The legend entry of each micrograph, -1 where it has none.
    low, high : float
        Values at the ends of the bar (dates: seconds since 1970); NaN where there is no bar.
    log, diverging, dates : bool
        How the bar runs from ``low`` to ``high``.
    ramp : (256, 3) uint8
        Colors along the bar from ``low`` to ``high``.
    entries : tuple of Entry
        Legend of steps and categories, in order.
    """

    quantity: str
    kind: Kind
    rgb: Colors
    missing: NDArray[np.bool_]
    codes: NDArray[np.intp]
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    diverging: bool = False
    dates: bool = False
    ramp: Colors | None = None
    entries: tuple[Entry, ...] = ()

    def __len__(self) -> int:
        return len(self.rgb)

    @property
    def missing_count(self) -> int:
        """How many micrographs have no value."""
        return int(np.count_nonzero(self.missing))

    def ticks(self, at_most: int = 5) -> list[tuple[float, str]]:
        """Return round values for the bar: where each stands (0 at ``low``, 1 at ``high``), and its label."""
        if self.kind != "continuous":
            return []
        values, labels = round_values(self.low, self.high, self.log, self.dates, at_most)
        return list(zip(_fractions(np.array(values), self.low, self.high, self.log).tolist(), labels))

    @property
    def end_labels(self) -> tuple[str, str]:
        """Labels of ``low`` and ``high``, short."""
        if self.dates:
            low, high = dates_of([self.low, self.high])
            return low, high
        span = 0.0 if self.log else self.high - self.low
        return number(self.low, span), number(self.high, span)


def plain(n: int) -> Coloring:
    """Color all micrographs the same, because nothing was chosen to color them by."""
    return Coloring("", "none", _filled(n, PLAIN), np.zeros(n, bool), np.full(n, -1, np.intp))


def colors_of(
    series: pd.Series[Any],
    *,
    kind: Literal["auto", "continuous", "steps", "categories"] = "auto",
    log: bool = False,
    low: float | None = None,
    high: float | None = None,
    reversed: bool = False,
    diverging: bool = False,
) -> Coloring:
    """Color values: numbers and dates on a scale, few-valued numbers in steps, all else by name.

    Parameters
    ----------
    series : Series
        One value a micrograph.
    kind : "auto", "continuous", "steps" or "categories"
        "auto" looks at the values; a kind that they cannot have falls back to it.
    log : bool
        Logarithmic scale; values of zero or below take the color of its low end.
    low, high : float, optional
        Ends of the scale; smallest and largest finite value if left out. Values beyond take the color of the end.
    reversed : bool
        Dark for high values.
    diverging : bool
        Two colors around zero, for quantities with a sign.
    """
    quantity = "" if series.name is None else str(series.name)
    series = _plain_values(series)
    missing = series.isna().to_numpy(bool)
    if missing.all():
        return Coloring(quantity, "none", _filled(len(series), MISSING), missing, np.full(len(series), -1, np.intp))
    numbers = None if kind == "categories" else _numbers(series, missing)
    on_request = log or diverging or low is not None or high is not None or kind == "continuous"
    dates = pd.api.types.is_datetime64_any_dtype(series)
    if numbers is not None and (on_request or not _few(numbers[~missing], kind)):
        scale = _Scale.around(numbers[~missing], low, high, log, diverging)
        return _continuous(quantity, numbers, missing, scale, reversed, dates)
    ordered = isinstance(series.dtype, pd.CategoricalDtype) and bool(series.dtype.ordered)
    if numbers is not None or ordered:
        return _steps(quantity, series if numbers is None else pd.Series(numbers), missing, reversed, dates)
    return _categories(quantity, series, missing)


def luminance(color: Color | Colors) -> float:
    """Relative luminance of an sRGB color (WCAG 2.2), 0 to 1."""
    part = np.asarray(color, float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: Color | Colors, other: Color | Colors) -> float:
    """Contrast of two colors (WCAG 2.2), 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def outline_on(ground: Color) -> Color:
    """Return the color of the thin line around dots: light on a dark ground, dark on a light one."""
    return (232, 232, 232) if luminance(ground) < 0.18 else (56, 58, 64)


# ---------------------------------------------------------------------------- scales


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    log: bool
    diverging: bool

    @classmethod
    def around(cls, values: NDArray[Any], low: float | None, high: float | None, log: bool, diverging: bool) -> _Scale:
        finite = values[np.abs(values) < 1e300]  # spans must not overflow
        log = (
            log
            and not diverging
            and bool((finite > 0).any())
            and (low is None or low > 0)
            and (high is None or high > 0)
        )
        if log:
            finite = finite[finite > 0]
        ends = [float(finite.min()), float(finite.max())] if finite.size else [0.0, 1.0]
        ends = [ends[0] if low is None else float(low), ends[1] if high is None else float(high)]
        if diverging:
            reach = max(abs(end) for end in ends) or 1.0
            ends = [-reach, reach]
        return cls(min(ends), max(ends), log, diverging)


def _continuous(
    quantity: str,
    numbers: NDArray[np.float64],
    missing: NDArray[np.bool_],
    scale: _Scale,
    reversed: bool,
    dates: bool,
) -> Coloring:
    ramp = _ramp(_DIVERGING if scale.diverging else _VIRIDIS, np.linspace(0, 1, 256))
    if reversed:
        ramp = ramp[::-1].copy()
    where = _fractions(numbers, scale.low, scale.high, scale.log)
    where[missing] = 0
    rgb = ramp[np.rint(where * 255).astype(np.intp)]
    rgb[missing] = MISSING
    return Coloring(
        quantity, "continuous", rgb, missing, np.full(len(rgb), -1, np.intp),
        low=scale.low, high=scale.high, log=scale.log, diverging=scale.diverging, dates=dates, ramp=ramp,
    )  # fmt: skip


def _fractions(values: NDArray[Any], low: float, high: float, log: bool) -> NDArray[np.float64]:
    """Return where values stand between low (0) and high (1); the middle where both are the same."""
    values = np.asarray(values, float)
    if high <= low:
        return np.select([values < low, values > high], [0.0, 1.0], 0.5)
    values = np.clip(values, low, high)
    if log:
        # Logarithms first: the quotient of the largest and the smallest number overflows.
        logarithms: NDArray[np.float64] = (np.log(values) - np.log(low)) / (np.log(high) - np.log(low))
        return logarithms
    # Halves first, so that the span of the largest numbers does not overflow.
    return (values / 2 - low / 2) / (high / 2 - low / 2)


def colors_of_signed(values: NDArray[Any], strongest: float) -> Colors:
    """Return (…, 3) colors of signed numbers from −``strongest`` to ``strongest``; 0 is neutral."""
    where = np.clip(0.5 + np.asarray(values, float) / (2 * strongest), 0, 1)
    return _ramp(_DIVERGING, where.ravel()).reshape(*where.shape, 3)


def _ramp(anchors: Colors, where: NDArray[Any]) -> Colors:
    """Return the colors of a map at places from 0 to 1, (n, 3)."""
    places = np.linspace(0, 1, len(anchors))
    parts = [np.interp(where, places, anchors[:, part].astype(float)) for part in range(3)]
    colors: Colors = np.rint(np.stack(parts, axis=-1)).astype(np.uint8)
    return colors


# ---------------------------------------------------------------------------- steps and categories


def _few(values: NDArray[np.float64], kind: str) -> bool:
    return kind == "steps" or len(pd.unique(values)) <= FEW_VALUES


def _steps(quantity: str, series: pd.Series[Any], missing: NDArray[np.bool_], reversed: bool, dates: bool) -> Coloring:
    """Color few ordered values by evenly spaced steps of the map."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        used = series.cat.remove_unused_categories()
        codes, labels = used.cat.codes.to_numpy(), [str(value) for value in used.cat.categories]
    else:
        codes, values = pd.factorize(series, sort=True)
        labels = dates_of(values) if dates else [exactly(float(value)) for value in values]
    places = np.linspace(0, 1, len(labels)) if len(labels) > 1 else np.array([0.5])
    colors = _ramp(_VIRIDIS, places[::-1] if reversed else places)
    return _listed(quantity, "steps", np.asarray(codes, np.intp), missing, labels, colors)


def _categories(quantity: str, series: pd.Series[Any], missing: NDArray[np.bool_]) -> Coloring:
    """Color names in their natural order; the largest only, where there are too many."""
    texts = _texts(series)
    codes, values = pd.factorize(texts)
    labels = [str(value) for value in values]
    order = sorted(range(len(labels)), key=lambda code: natural_key(labels[code]))
    if len(labels) <= MOST_COLORS:
        ranks, names, colors = order, [labels[code] for code in order], CATEGORY_COLORS[: len(order)]
        rest = len(order)
    else:
        counts = np.bincount(codes[codes >= 0], minlength=len(labels))
        ranks = sorted(order, key=lambda code: -counts[code])[:KEPT_LARGEST]
        names = [labels[code] for code in ranks] + [f"{len(labels) - KEPT_LARGEST} others"]
        colors = np.vstack([CATEGORY_COLORS[:KEPT_LARGEST], np.array([OTHER], np.uint8)])
        rest = KEPT_LARGEST
    new_of_old = np.full(len(labels) + 1, rest, np.intp)
    new_of_old[ranks] = np.arange(len(ranks))
    new_of_old[-1] = -1  # missing has code -1
    return _listed(quantity, "categories", np.take(new_of_old, codes), missing, names, colors)


def _listed(
    quantity: str, kind: Kind, codes: NDArray[np.intp], missing: NDArray[np.bool_], labels: list[str], colors: Colors
) -> Coloring:
    rgb = np.vstack([colors, np.array([MISSING], np.uint8)])[codes]
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    entries = tuple(
        Entry(label, (int(color[0]), int(color[1]), int(color[2])), int(count))
        for label, color, count in zip(labels, colors, counts)
    )
    return Coloring(quantity, kind, rgb, missing, codes, entries=entries)


# ---------------------------------------------------------------------------- what the values are


def _plain_values(series: pd.Series[Any]) -> pd.Series[Any]:
    """Bring blank text to missing, dates to dates, and categories that are numbers to numbers."""
    series = series.reset_index(drop=True)
    if isinstance(series.dtype, pd.CategoricalDtype):
        ordered_names = series.dtype.ordered and not pd.api.types.is_numeric_dtype(series.dtype.categories)
        return series if ordered_names else _plain_values(series.astype(series.dtype.categories.dtype))
    if series.dtype == object or isinstance(series.dtype, pd.StringDtype):
        series = series.astype(object)
        different = series.dropna().unique()
        blank = [value for value in different if isinstance(value, str) and not value.strip()]
        if blank:
            series = series.where(~series.isin(blank), None)
        present = pd.Series([value for value in different if value not in blank], dtype=object)
        if len(present) and all(map(_is_date, present)):
            return pd.Series(pd.to_datetime(series, utc=True, format="mixed", errors="coerce"))
    return series


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        return re.match(r"\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d|\s*$)", value) is not None
    return isinstance(value, datetime.date | np.datetime64)


def _numbers(series: pd.Series[Any], missing: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return the values as (n,) numbers, NaN where missing, or None where some are none."""
    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_complex_dtype(series):
        return None
    if pd.api.types.is_datetime64_any_dtype(series):
        as_clocks_showed = series.dt.tz_localize(None)
        return _seconds(as_clocks_showed.to_numpy("datetime64[us]"), missing)
    if pd.api.types.is_timedelta64_dtype(series):
        return _seconds(series.to_numpy("timedelta64[us]"), missing)
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(np.float64, na_value=np.nan)
    if series.dtype != object:
        return None
    of_value = {value: _number_in(value) for value in series[~missing].unique()}
    if any(found is None for found in of_value.values()):
        return None
    return series.map(of_value).to_numpy(np.float64)


def _seconds(moments: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    seconds = moments.view(np.int64) / 1e6
    seconds[missing] = np.nan
    return seconds


def _number_in(value: object) -> float | None:
    """Read a number; a text such as "007" is a name, and so is "nan"."""
    if isinstance(value, bool | np.bool_) or re.match(r"\s*[+-]?0\d", str(value)):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if math.isnan(found) else found


def _texts(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values as text, None where missing."""
    codes, values = pd.factorize(series)
    words = [{True: "yes", False: "no"}[bool(v)] if isinstance(v, bool | np.bool_) else str(v).strip() for v in values]
    return pd.Series(np.array([*words, None], object)[codes])


def _filled(n: int, color: Color) -> Colors:
    return np.tile(np.array([color], np.uint8), (n, 1))
