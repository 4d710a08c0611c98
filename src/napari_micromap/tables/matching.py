"""Which row of a table means which micrograph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.tables.keys import (
    MicrographKey,
    fold,
    micrograph_keys,
    part_key,
    path_key,
    same_depth,
    table_keys,
)
from napari_micromap.tables.names import file_names, stem_of
from napari_micromap.tables.near import NearMiss, near_misses
from napari_micromap.tables.origins import origin_of, origins_like
from napari_micromap.tables.roles import names_something
from napari_micromap.wording import counted


@dataclass(frozen=True, eq=False)
class Match:
    """A way in which a table belongs to micrographs.

    Parameters
    ----------
    micrograph_key : str
        What the micrographs are called by, as users read it: "file name", "folder", "piece 2 of the name".
    table_column : str
        The column that says the same in the table; two that do so together are written ``"folder + file"``.
    groups : bool
        Whether the key names a sample, which several micrographs share.
    micrograph_texts : n texts or None
        What each micrograph is called.
    micrograph_codes : (n,) int
        Number of each micrograph's key, −1 where no row of the table says it.
    table_codes : (t,) int
        Number of the key in each row of the table, −1 where no micrograph is called so.
    score : float
        How much speaks for it, up to 1.
    table_texts : t texts or None
        What each row of the table says.
    """

    micrograph_key: str
    table_column: str
    groups: bool
    micrograph_texts: Sequence[str | None]
    micrograph_codes: NDArray[np.intp]
    table_codes: NDArray[np.intp]
    score: float
    table_texts: Sequence[str | None] = ()

    @property
    def matched(self) -> Rows:
        """Rows of the micrographs that have a row in the table."""
        return np.flatnonzero(self.micrograph_codes >= 0)

    @property
    def unmatched_micrographs(self) -> Rows:
        """Rows of the micrographs that have none."""
        return np.flatnonzero(self.micrograph_codes < 0)

    @property
    def unmatched_rows(self) -> Rows:
        """Rows of the table that belong to no micrograph."""
        return np.flatnonzero(self.table_codes < 0)

    @cached_property
    def near_misses(self) -> tuple[NearMiss, ...]:
        """Names left over on both sides that differ only in zeros, case and signs between."""
        return near_misses(self.table_texts, self.table_codes, self.micrograph_texts, self.micrograph_codes)

    def with_near_misses(self) -> Match:
        """Take those that are nearly alike as the same."""
        new = int(max(self.table_codes.max(initial=-1), self.micrograph_codes.max(initial=-1))) + 1
        rows = {near.table: new + k for k, near in enumerate(self.near_misses)}
        images = {near.micrograph: new + k for k, near in enumerate(self.near_misses)}
        codes = [images.get(text or "", c) for text, c in zip(self.micrograph_texts, self.micrograph_codes.tolist())]
        table_codes = [rows.get(text or "", c) for text, c in zip(self.table_texts, self.table_codes.tolist())]
        return replace(self, micrograph_codes=np.array(codes, np.intp), table_codes=np.array(table_codes, np.intp))

    @property
    def repeated(self) -> int:
        """How many keys stand in several rows of the table."""
        return int((np.bincount(self.table_codes[self.table_codes >= 0]) > 1).sum())

    @property
    def sentence(self) -> str:
        """What matched and what did not, for users."""
        return self.told()

    def told(self, taken: str = "the mean of their numbers is taken") -> str:
        """Say what matched and what did not, and what is taken of several rows."""
        n, t = len(self.micrograph_codes), len(self.table_codes)
        said = (
            f"{len(self.matched)} of {n} images have a row of the table ({self.micrograph_key} = “{self.table_column}”)"
        )
        left = []
        if len(self.unmatched_micrographs):
            left.append(counted(len(self.unmatched_micrographs), "image"))
        if len(self.unmatched_rows):
            left.append(f"{len(self.unmatched_rows)} of {t} rows")
        if left:
            said += f"; left over: {' and '.join(left)}"
        if self.repeated:
            said += f"; {self.repeated} stand in several rows: {taken}"
        near = self.near_misses
        if near:
            said += f". Not taken, but alike: {_pairs(near)}"
        return said + "."


def matches(atlas: Atlas, table: pd.DataFrame, table_column: str | None = None, near: bool = False) -> list[Match]:
    """Return all ways in which a table, or one column of it, fits the micrographs, the best first.

    With ``near``, names that differ only in zeros, case and signs between count as the same.
    """
    keys = micrograph_keys(atlas, origins_like(atlas, origin_of(table)))
    found = [
        match
        for column, texts in table_keys(table, table_column).items()
        if table_column in (None, column)
        for match in _matches_of(atlas, keys, column, texts, near)
    ]
    # Python's sort keeps the order of keys among equals: the surest first.
    return sorted(found, key=lambda match: -round(match.score, 6))


def best_match(
    atlas: Atlas,
    table: pd.DataFrame,
    micrograph_column: str | None = None,
    table_column: str | None = None,
    near: bool = False,
) -> Match:
    """Return the best way in which a table fits the micrographs.

    Parameters
    ----------
    atlas, table
    micrograph_column : str, optional
        Take only this name of the micrographs: a column of theirs such as ``"folder"``, or a key such as
        ``"file name"`` or ``"piece 2"``.
    table_column : str, optional
        Take only this column of the table.
    near : bool
        Take names as the same that differ only in zeros, case and signs between: F12, F012, f-12.

    Raises
    ------
    Problem
        If nothing fits; it gives examples from both sides.
    """
    if table_column is not None and table_column not in table and " + " not in table_column:
        raise Problem(f"The table has no column “{table_column}”; it has: {', '.join(map(str, table.columns))}.")
    if micrograph_column is not None:
        _check_micrograph_column(atlas, micrograph_column)
    for match in matches(atlas, table, table_column, near):
        if micrograph_column is None or _means(match.micrograph_key, micrograph_column):
            return match
    raise Problem(_nothing_fits(atlas, table, table_column))


def _means(key: str, column: str) -> bool:
    """Say whether a user's word for a key means it: "file" is the file name, with or without its ending."""
    key, column = key.strip("“”").casefold(), column.casefold()
    return key == column or key.startswith(f"{column} ") or (column == "stem" and key.endswith("without its ending"))


def _check_micrograph_column(atlas: Atlas, column: str) -> None:
    names = [key.name for key in micrograph_keys(atlas)] + ["part of the name"]
    if not any(_means(name, column) for name in names):
        raise Problem(f"Images are not called by “{column}”; they can be found by: {', '.join(names)}.")


def _matches_of(
    atlas: Atlas, keys: Sequence[MicrographKey], column: str, texts: Sequence[str | None], near: bool
) -> Iterator[Match]:
    doubt = _doubt(column)
    if any(text is not None and ("/" in text or "\\" in text) for text in texts):
        path = path_key(atlas, texts)
        if path is not None:
            yield from _matched(path, column, texts, same_depth(texts, path), doubt, near)
    plain = [None if text is None else fold(text) for text in texts]
    for key in keys:
        wanted = [None if text is None else stem_of(text) for text in plain] if "ending" in key.name else plain
        # Counters such as 1.tif in every folder say little; the same name in two folders is no sure key.
        shared = 0.6 if key.column == "file" and _several_files(atlas, key) else 1.0
        yield from _matched(key, column, texts, wanted, doubt * shared, near)
    part = part_key(atlas, texts)
    if part is not None:
        yield from _matched(part, column, texts, plain, doubt * 0.95, False)


def _matched(
    key: MicrographKey, column: str, texts: Sequence[str | None], folded: Sequence[str | None], doubt: float, near: bool
) -> list[Match]:
    known = {text for text in key.folded if text is not None} & {text for text in folded if text is not None}
    if not known and not near:
        return []
    numbers = {text: number for number, text in enumerate(sorted(known))}
    micrographs = np.array([numbers.get(text, -1) if text is not None else -1 for text in key.folded], np.intp)
    rows = np.array([numbers.get(text, -1) if text is not None else -1 for text in folded], np.intp)
    match = Match(key.name, column, key.groups, key.texts, micrographs, rows, 0.0, texts)
    if near and match.near_misses:
        match, doubt = match.with_near_misses(), doubt * 0.97
    said = [text for text in folded if text is not None]
    share = len(match.matched) / max(1, len(micrographs))
    return [replace(match, score=float(share * np.sqrt(len(set(said)) / len(said)) * doubt))] if share else []


def _doubt(column: str) -> float:
    """Return below 1 for a column whose name does not say that it names something."""
    return 1.0 if names_something(column) else 0.9


def _several_files(atlas: Atlas, key: MicrographKey) -> bool:
    files = {(text, path) for text, path in zip(key.folded, atlas.paths.tolist())}
    return len(files) > len({text for text, _ in files})


def _nothing_fits(atlas: Atlas, table: pd.DataFrame, column: str | None) -> str:
    if not len(atlas):
        return "Open the micrographs before adding a table."
    said = table_keys(table, column)
    name = column if column in said else next((c for c in said if names_something(c)), next(iter(said), None))
    examples = "" if name is None else _some([text for text in said[name] if text is not None])
    folders = _some([PurePath(str(folder)).name for folder in atlas.columns["folder"] if str(folder)])
    return (
        "No row of the table belongs to an image. "
        + (f"“{name}” says {examples}; " if examples else "")
        + f"the images are called {_some(file_names(atlas))}"
        + (f" in folders {folders}" if folders else "")
        + _nearly(atlas, table, column)
        + ". Make one column of the table equal to the file name, its folder, or a piece of the name."
    )


def _nearly(atlas: Atlas, table: pd.DataFrame, column: str | None) -> str:
    """Say which names are alike, though none is the same."""
    found = matches(atlas, table, column, near=True)
    if not found:
        return ""
    names = dict(zip(found[0].micrograph_codes.tolist(), found[0].micrograph_texts))
    rows = dict(zip(found[0].table_codes.tolist(), found[0].table_texts))
    pairs = [NearMiss(rows[code] or "", names[code] or "") for code in sorted(rows.keys() & names.keys() - {-1})]
    return f". Alike, but not the same: {_pairs(pairs)}"


def _pairs(near: Sequence[NearMiss]) -> str:
    said = ", ".join(f"“{one.table}” and “{one.micrograph}”" for one in near[:3])
    return f"{said} and {len(near) - 3} more" if len(near) > 3 else said


def _some(texts: Sequence[str]) -> str:
    different = list(dict.fromkeys(texts))
    return ", ".join(different[:3]) + (" …" if len(different) > 3 else "")
