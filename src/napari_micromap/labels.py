"""Numbers, lengths, dates and names as short labels."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable

import numpy as np


def number(value: float, span: float = 0.0) -> str:
    """Write a number as short as its scale allows: to about a hundredth of ``span``."""
    if not math.isfinite(value):
        return {True: "∞", False: "−∞"}[value > 0] if not math.isnan(value) else "–"
    size = max(abs(value), abs(span))
    if value == 0 or size == 0:
        return "0"
    if size >= 1e5 or size < 1e-3:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".").replace("-", "−")
        return f"{mantissa}e{int(exponent)}"
    step = abs(span) / 100 if span else abs(value) / 1000
    decimals = max(0, min(6, -math.floor(math.log10(step))))
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def round_length(longest: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is not longer than this."""
    power = 10.0 ** math.floor(math.log10(longest))
    return next(digit * power for digit in (5, 2, 1) if digit * power <= longest * (1 + 1e-9))


def length_label(um: float) -> str:
    """Write a length given in µm: "200 nm", "5 µm", "1 mm"."""
    if um < 1:
        return f"{um * 1000:.3g} nm"
    return f"{um:.3g} µm" if um < 1000 else f"{um / 1000:.3g} mm"


def bytes_label(size: float) -> str:
    """Return a number of bytes as people say it: "1.2 GB", "0 MB"."""
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return "under 0.1 MB" if 0 < size < 1e5 else f"{size / 1e6:,.1f} MB" if 0 < size < 1e7 else f"{size / 1e6:,.0f} MB"


def natural_key(text: str) -> list[tuple[int, float, str]]:
    """Sort key under which "film 2" comes before "film 10"."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts if part]


def exactly(value: float) -> str:
    """Write a number with all digits that say something."""
    return f"{value:.6g}".replace("-", "−") if math.isfinite(value) else number(value)


def round_values(low: float, high: float, log: bool, dates: bool, at_most: int) -> tuple[list[float], list[str]]:
    """Return round values from low to high, and their labels."""
    if high <= low:
        return [low], dates_of([low]) if dates else [number(low)]
    if dates:
        return _round_dates(low, high, at_most)
    if log:
        for digits in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            values = [digit * 10.0**decade for decade in decades for digit in digits]
            values = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
            if len(values) <= at_most:
                break
        values = values[:: math.ceil(len(values) / at_most)] if values else []
        if len(values) >= 2:
            return values, [number(value) for value in values]
    step = _round_step((high - low) / max(1, at_most - 1))
    first = math.ceil(low / step - 1e-9)
    values = [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]
    return values, [number(value, high - low) for value in values]


def _round_step(step: float) -> float:
    decade = 10.0 ** math.floor(math.log10(step))
    return next(digit * decade for digit in (1, 2, 2.5, 5, 10) if digit * decade >= step * (1 - 1e-9))


def _round_dates(low: float, high: float, at_most: int) -> tuple[list[float], list[str]]:
    """Return evenly spaced days, or minutes where all lies within two days."""
    day = 86400.0
    within = high - low < 2 * day
    unit = 60.0 if within else day
    values = np.linspace(low, high, min(at_most, 3))
    values = np.clip(np.round(values / unit) * unit, low, high)
    return values.tolist(), dates_of(values.tolist())


def dates_of(seconds: Iterable[float]) -> list[str]:
    """Write moments, in seconds since 1970; with the time of day only where the day alone would not tell them apart."""
    start = datetime.datetime(1970, 1, 1)
    moments = [start + datetime.timedelta(seconds=float(second)) for second in seconds]
    days = {moment.date() for moment in moments}
    return [moment.strftime("%Y-%m-%d" if len(days) == len(moments) else "%Y-%m-%d %H:%M") for moment in moments]
