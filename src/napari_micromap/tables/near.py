"""Names that differ only in zeros and signs between: proposed, never joined unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.tables.names import stem_of

_RUNS = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True)
class NearMiss:
    """A name of the table and one of the images that may mean the same."""

    table: str
    micrograph: str


def loosely(text: str) -> str:
    """Make names equal that differ in case, leading zeros and what stands between letters and digits: F12, f-012."""
    above, slash, last = text.replace("\\", "/").rpartition("/")
    runs = _RUNS.findall(f"{above}{slash}{stem_of(last)}".casefold())
    return " ".join(run.lstrip("0") or "0" if run.isdigit() else run for run in runs)


def near_misses(
    table_texts: Sequence[str | None],
    table_codes: NDArray[np.intp],
    micrograph_texts: Sequence[str | None],
    micrograph_codes: NDArray[np.intp],
) -> tuple[NearMiss, ...]:
    """Return pairs of names without a partner that are alike; none where one is like several."""
    left = _by_loose_form(text for text, code in zip(table_texts, table_codes.tolist()) if code < 0)
    right = _by_loose_form(text for text, code in zip(micrograph_texts, micrograph_codes.tolist()) if code < 0)
    return tuple(
        NearMiss(next(iter(names)), next(iter(right[form])))
        for form, names in left.items()
        if form and len(names) == 1 and len(right.get(form, ())) == 1
    )


def _by_loose_form(texts: Iterable[str | None]) -> dict[str, set[str]]:
    forms: dict[str, set[str]] = {}
    for text in dict.fromkeys(texts):
        if text is not None:
            forms.setdefault(loosely(text), set()).add(text)
    return forms
