"""Selections that are kept under a name and in a color."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from psygnal import Signal

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem

How: TypeAlias = Literal["and", "or", "not"]

INSIDE, OUTSIDE = "inside", "outside"
# Okabe and Ito's, which stay apart for all eyes; https://jfly.uni-koeln.de/color/
COLORS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")


@dataclass(frozen=True)
class Named:
    """A selection under a name.

    Parameters
    ----------
    name : str
    ids : set of texts
        Of micrographs; they survive growth and reopening.
    color : str
        As ``#rrggbb``.
    as_column : bool
        Whether there is a column that says of each micrograph whether it is inside.
    """

    name: str
    ids: frozenset[str]
    color: str
    as_column: bool = False

    @property
    def column(self) -> str:
        """Name of that column."""
        return f"in {self.name}"

    def rows(self, atlas: Atlas) -> Rows:
        """Return its rows."""
        return atlas.rows_of(list(self.ids))

    def values(self, atlas: Atlas) -> pd.Series[Any]:
        """Return (n,) inside or outside."""
        inside = np.zeros(len(atlas), bool)
        inside[self.rows(atlas)] = True
        return pd.Series(np.where(inside, INSIDE, OUTSIDE), dtype=object, index=atlas.columns.index)


class NamedSelections:
    """The named selections, in the order they were made; speaks only when one really changes."""

    changed = Signal()

    def __init__(self) -> None:
        self._named: Mapping[str, Named] = {}

    def __len__(self) -> int:
        return len(self._named)

    def __iter__(self) -> Iterator[Named]:
        return iter(self._named.values())

    def __contains__(self, name: object) -> bool:
        return name in self._named

    def __getitem__(self, name: str) -> Named:
        if name not in self._named:
            raise Problem(f"No selection is called “{name}”; there are: {', '.join(self._named) or 'none'}.")
        return self._named[name]

    def free_name(self) -> str:
        """Return a name that is not taken yet: "A", "B", …, and then "selection 27"."""
        letters = (chr(ord("A") + k) for k in range(26))
        numbered = (f"selection {k}" for k in range(27, 10_000))
        return next(name for name in (*letters, *numbered) if name not in self._named)

    # ------------------------------------------------------------------ verbs

    def keep(self, name: str, ids: Iterable[str], color: str = "") -> Named:
        """Keep micrographs under a name; one of that name is replaced, in its color and place."""
        name = _checked(name)
        before = self._named.get(name)
        color = color or (before.color if before else self._free_color())
        new = Named(name, frozenset(map(str, ids)), color, before is not None and before.as_column)
        self._set({**self._named, name: new})
        return new

    def rename(self, old: str, new: str) -> None:
        """Give another name."""
        named, new = self[old], _checked(new)
        if new != old and new in self._named:
            raise Problem(f"Another selection is called “{new}” already; take another name.")
        renamed = replace(named, name=new)
        self._set({one.name: one for one in (renamed if one.name == old else one for one in self)})

    def recolor(self, name: str, color: str) -> None:
        """Give another color, as ``#rrggbb``."""
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            raise Problem(f"“{color}” is no color; write it as #rrggbb.")
        self._set({**self._named, name: replace(self[name], color=color)})

    def show_as_column(self, name: str, shown: bool = True) -> None:
        """Make a column of it, or no longer."""
        self._set({**self._named, name: replace(self[name], as_column=shown)})

    def drop(self, name: str) -> None:
        """Forget it; the micrographs stay."""
        self._set({one.name: one for one in self if one.name != self[name].name})

    def forget(self) -> None:
        """Forget all."""
        self._set({})

    # ------------------------------------------------------------------ kept on disk

    def state(self) -> list[dict[str, Any]]:
        """Return all of them, ready for JSON."""
        return [
            {"name": one.name, "ids": sorted(one.ids), "color": one.color, "as_column": one.as_column} for one in self
        ]

    def restore(self, state: object) -> None:
        """Take over what :meth:`state` gave; what does not fit is left out."""
        told = [_named_from(written) for written in (state if isinstance(state, list) else [])]
        self._set({one.name: one for one in told if one is not None})

    def _free_color(self) -> str:
        taken = {one.color for one in self}
        return next((color for color in COLORS if color not in taken), COLORS[len(self) % len(COLORS)])

    def _set(self, named: Mapping[str, Named]) -> None:
        if list(named.values()) != list(self._named.values()):
            self._named = named
            self.changed.emit()


def with_named_columns(atlas: Atlas, named: NamedSelections, shown: frozenset[str]) -> tuple[Atlas, frozenset[str]]:
    """Let the columns of named selections say what these are now; also returns which columns they have.

    ``shown`` are those that they had. A column of a user's table stays, whatever it is called.
    """
    asked = [one for one in named if one.as_column and one.column not in atlas.tables]
    wanted = {one.column: one.values(atlas) for one in asked}
    before = atlas.columns
    gone = [name for name in shown - wanted.keys() if name in before]
    new = {name: v for name, v in wanted.items() if name not in before or not v.equals(before[name].astype(object))}
    if gone or new:
        kept = before.drop(columns=[*gone, *(name for name in new if name in before)])
        columns = pd.concat([kept, pd.DataFrame(new, index=kept.index)], axis=1)
        atlas = atlas.with_columns(columns, dict.fromkeys(new, "other"))
    return atlas, frozenset(wanted)


def combined(one: Rows, how: How, other: Rows) -> Rows:
    """Return the rows that are in both, in either, or in the first and not in the other."""
    if how == "or":
        return np.union1d(one, other)
    return np.intersect1d(one, other) if how == "and" else np.setdiff1d(one, other)


def _checked(name: str) -> str:
    if not name.strip():
        raise Problem("Give the selection a name, such as “coarse grains”.")
    return name.strip()


def _named_from(written: object) -> Named | None:
    if not isinstance(written, dict) or not str(written.get("name") or "").strip():
        return None
    ids, color = written.get("ids"), str(written.get("color"))
    return Named(
        str(written["name"]).strip(),
        frozenset(map(str, ids)) if isinstance(ids, list) else frozenset(),
        color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else COLORS[0],
        written.get("as_column") is True,
    )
