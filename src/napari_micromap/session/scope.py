"""Which micrographs take part: filters, and single ones left out with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.session.history import Undoable

REASONS = ("charging", "crack", "out of focus", "wrong place", "duplicate", "other")
MISSING = "(missing)"  # stands for no value in the values of a filter
_TELLING = ("magnification", "detector", "vendor", "folder")  # columns whose values need no name in front


@dataclass(frozen=True)
class Filter:
    """Keeps micrographs whose value in one column is one of some, lies in a range, or contains a text.

    Parameters
    ----------
    column : str
    values : texts
        Values to keep, as shown; :data:`MISSING` for none. Empty: not asked.
    low, high : float
        Ends of the range, both included; infinite where open.
    text : str
        To be found anywhere in the value, whatever its case; "" for not asked.
    """

    column: str
    values: tuple[str, ...] = ()
    low: float = -np.inf
    high: float = np.inf
    text: str = ""

    def mask(self, atlas: Atlas) -> NDArray[np.bool_]:
        """Return (n,) True for what it keeps; a column that is gone keeps everything."""
        if self.column not in atlas.columns:
            return np.ones(len(atlas), bool)
        series = atlas.columns[self.column]
        kept = np.ones(len(atlas), bool)
        if self.values:
            kept &= shown_values(series).isin(self.values).to_numpy(bool)
        if np.isfinite([self.low, self.high]).any():
            numbers = pd.to_numeric(series, errors="coerce").to_numpy(float, na_value=np.nan)
            kept &= (numbers >= self.low) & (numbers <= self.high)
        if self.text:
            kept &= series.astype(str).str.contains(self.text, case=False, regex=False).to_numpy(bool)
        return kept

    @property
    def label(self) -> str:
        """What stands on its chip."""
        if self.values:
            shown = [_pretty(self.column, value) for value in self.values[:3]]
            said = ", ".join(shown) + (f" + {len(self.values) - 3}" if len(self.values) > 3 else "")
            return said if self.column in _TELLING else f"{self.column}: {said}"
        if self.text:
            return f"“{self.text}” in {self.column}"
        low = f"{self.low:.4g}" if np.isfinite(self.low) else "…"
        high = f"{self.high:.4g}" if np.isfinite(self.high) else "…"
        return f"{self.column} {low}–{high}"


@dataclass(frozen=True)
class Exclusion:
    """Why a micrograph is left out.

    Parameters
    ----------
    reason : str
        One of :data:`REASONS`, or the user's own words.
    after_property : bool
        Whether a property had been shown by then, so that the choice may have followed it.
    """

    reason: str
    after_property: bool = False


Kept: TypeAlias = tuple[tuple[Filter, ...], Mapping[str, Exclusion]]


class Scope(Undoable[Kept]):
    """What takes part in map, gallery, counts and tests; speaks only when that changes.

    Filters (*Use only…*) hide what they do not keep. Excluded micrographs stay visible, crossed out, but take no part
    in layout and tests. They are known by id, so they survive growth and reopening.
    """

    changed = Signal()
    stepped = Signal()  # there is one more step to undo; told before `changed`

    def __init__(self) -> None:
        super().__init__()
        self._mask: tuple[tuple[Filter, ...], pd.DataFrame, NDArray[np.bool_]] | None = None
        self._out: tuple[Mapping[str, Exclusion], NDArray[np.str_], NDArray[np.bool_]] | None = None
        self._filters: tuple[Filter, ...] = ()
        self._exclusions: Mapping[str, Exclusion] = MappingProxyType({})

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters, one a column, in the order they were made."""
        return self._filters

    @property
    def exclusions(self) -> Mapping[str, Exclusion]:
        """Micrograph id to why it is left out."""
        return self._exclusions

    # ------------------------------------------------------------------ verbs

    def use_only(self, wanted: Filter) -> None:
        """Keep what this filter keeps; it takes the place of one on the same column."""
        others = tuple(f for f in self._filters if f.column != wanted.column)
        self._set((*others, wanted), self._exclusions)

    def drop_filter(self, column: str) -> None:
        """Use all values of a column again."""
        self._set(tuple(f for f in self._filters if f.column != column), self._exclusions)

    def drop_filters(self) -> None:
        """Use everything that is not excluded."""
        self._set((), self._exclusions)

    def exclude(self, ids: Iterable[str], reason: str, after_property: bool = False) -> None:
        """Leave micrographs out; ones that are out already get the new reason.

        Raises
        ------
        Problem
            If no reason is given.
        """
        if not reason.strip():
            raise Problem("Say why these images are left out; the reason stands in every report.")
        new = {str(i): Exclusion(reason.strip(), after_property) for i in ids}
        self._set(self._filters, MappingProxyType({**self._exclusions, **new}))

    def include(self, ids: Iterable[str]) -> None:
        """Take excluded micrographs back."""
        back = {str(i) for i in ids}
        kept = {i: e for i, e in self._exclusions.items() if i not in back}
        self._set(self._filters, MappingProxyType(kept))

    def forget(self) -> None:
        """Use everything, and drop the history: another collection is open now."""
        had = bool(self._filters or self._exclusions)
        self._filters, self._exclusions = (), MappingProxyType({})
        self._forget_steps()
        if had:
            self.changed.emit()

    # ------------------------------------------------------------------ what follows from it

    def shown(self, atlas: Atlas) -> NDArray[np.bool_]:
        """Return (n,) True where all filters keep a micrograph; not to be written to."""
        if self._mask is None or self._mask[0] != self._filters or self._mask[1] is not atlas.columns:
            kept = np.ones(len(atlas), bool)
            for one in self._filters:
                kept &= one.mask(atlas)
            kept.setflags(write=False)
            self._mask = self._filters, atlas.columns, kept  # texts of a large table are slow to look through
        return self._mask[2]

    def excluded(self, atlas: Atlas) -> NDArray[np.bool_]:
        """Return (n,) True for micrographs that are left out with a reason; not to be written to."""
        if self._out is None or self._out[0] is not self._exclusions or self._out[1] is not atlas.ids:
            out = np.zeros(len(atlas), bool)
            if self._exclusions:
                out[atlas.rows_of(list(self._exclusions))] = True
            out.setflags(write=False)
            self._out = self._exclusions, atlas.ids, out  # many ask, and names of many take long to find
        return self._out[2]

    def used(self, atlas: Atlas) -> Rows:
        """Return the rows that take part in layout and tests."""
        rows: Rows = np.flatnonzero(self.shown(atlas) & ~self.excluded(atlas)).astype(np.intp)
        return rows

    def after_property(self, atlas: Atlas) -> int:
        """Count the excluded micrographs of this atlas that were left out after a property had been shown."""
        here = set(map(str, atlas.ids))
        return sum(e.after_property for i, e in self._exclusions.items() if i in here)

    def reasons(self, atlas: Atlas) -> dict[str, int]:
        """Count the excluded micrographs of this atlas by reason, most first."""
        here = set(map(str, atlas.ids))
        told = pd.Series([e.reason for i, e in self._exclusions.items() if i in here], dtype=object)
        return {str(reason): int(count) for reason, count in told.value_counts().items()}

    # ------------------------------------------------------------------ kept on disk

    def state(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        filters = [asdict(f) for f in self._filters]
        for one in filters:  # JSON has no infinity
            one.update({k: None for k in ("low", "high") if not np.isfinite(one[k])})
        return {"filters": filters, "exclusions": {i: asdict(e) for i, e in self._exclusions.items()}}

    def restore(self, state: object) -> None:
        """Take over what :meth:`state` gave; what does not fit is left out."""
        told = state if isinstance(state, dict) else {}
        filters = [f for f in map(_filter_from, told.get("filters") or []) if f is not None]
        written = told.get("exclusions")
        exclusions = {
            str(i): Exclusion(str(e.get("reason") or "other"), e.get("after_property") is True)
            for i, e in (written if isinstance(written, dict) else {}).items()
            if isinstance(e, dict)
        }
        self._set(tuple(filters), MappingProxyType(exclusions))
        self._forget_steps()

    def _set(self, filters: tuple[Filter, ...], exclusions: Mapping[str, Exclusion]) -> None:
        if filters == self._filters and dict(exclusions) == dict(self._exclusions):
            return
        self._note_step((self._filters, self._exclusions), (filters, exclusions))
        self._filters, self._exclusions = filters, exclusions
        self.stepped.emit()
        self.changed.emit()

    def _put(self, state: Kept) -> None:
        self._filters, self._exclusions = state
        self.changed.emit()


def _filter_from(written: object) -> Filter | None:
    if not isinstance(written, dict) or not isinstance(written.get("column"), str):
        return None
    low, high = (written.get(k) for k in ("low", "high"))
    values = written.get("values")
    return Filter(
        written["column"],
        tuple(map(str, values)) if isinstance(values, list) else (),
        float(low) if isinstance(low, int | float) else -np.inf,
        float(high) if isinstance(high, int | float) else np.inf,
        str(written.get("text") or ""),
    )


def _pretty(column: str, value: str) -> str:
    """Write a magnification as microscopists do: 10 kx."""
    if column != "magnification" or value == MISSING:
        return value
    try:
        times = float(value)
    except ValueError:
        return value
    return f"{times / 1000:g} kx" if times >= 1000 else f"{times:g}x"


def shown_values(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values as texts, as a filter and its list of choices show them."""
    texts = series.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v), na_action="ignore")
    return texts.astype(object).where(series.notna().to_numpy(), MISSING)


def rows_as_ids(atlas: Atlas, rows: ArrayLike) -> list[str]:
    """Return the ids of some rows."""
    return [str(i) for i in atlas.ids[np.asarray(rows, np.intp)]]
