"""Which row of a table means which micrograph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from napari_micromap.tables.roles import names_something


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
    """

    micrograph_key: str
    table_column: str
    groups: bool
    micrograph_texts: Sequence[str | None]
    micrograph_codes: NDArray[np.intp]
    table_codes: NDArray[np.intp]
    score: float

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

    @property
    def repeated(self) -> int:
        """How many keys stand in several rows of the table."""
        return int((np.bincount(self.table_codes[self.table_codes >= 0]) > 1).sum())

    @property
    def sentence(self) -> str:
        """What matched and what did not, for users."""
        n, t = len(self.micrograph_codes), len(self.table_codes)
        said = (
            f"{len(self.matched)} of {n} images have a row of the table ({self.micrograph_key} = “{self.table_column}”)"
        )
        left = []
        if len(self.unmatched_micrographs):
            left.append(_counted(len(self.unmatched_micrographs), "image"))
        if len(self.unmatched_rows):
            left.append(f"{len(self.unmatched_rows)} of {t} rows")
        if left:
            said += f"; left over: {' and '.join(left)}"
        if self.repeated:
            said += f"; {self.repeated} stand in several rows: the mean of their numbers is taken"
        return said + "."


def matches(atlas: Atlas, table: pd.DataFrame, table_column: str | None = None) -> list[Match]:
    """Return all ways in which a table, or one column of it, fits the micrographs, the best first."""
    keys = micrograph_keys(atlas, str(table.attrs.get("path", "")))
    found = [
        match
        for column, texts in table_keys(table, table_column).items()
        if table_column in (None, column)
        for match in _matches_of(atlas, keys, column, texts)
    ]
    # Python's sort keeps the order of keys among equals: the surest first.
    return sorted(found, key=lambda match: -round(match.score, 6))


def best_match(
    atlas: Atlas, table: pd.DataFrame, micrograph_column: str | None = None, table_column: str | None = None
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

    Raises
    ------
    Problem
        If nothing fits; it gives examples from both sides.
    """
    if table_column is not None and table_column not in table and " + " not in table_column:
        raise Problem(f"The table has no column “{table_column}”; it has: {', '.join(map(str, table.columns))}.")
    if micrograph_column is not None:
        _check_micrograph_column(atlas, micrograph_column)
    for match in matches(atlas, table, table_column):
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
    atlas: Atlas, keys: Sequence[MicrographKey], column: str, texts: Sequence[str | None]
) -> Iterator[Match]:
    doubt = _doubt(column)
    if any(text is not None and ("/" in text or "\\" in text) for text in texts):
        path = path_key(atlas, texts)
        if path is not None:
            yield from _matched(path, column, same_depth(texts, path), doubt)
    plain = [None if text is None else fold(text) for text in texts]
    for key in keys:
        wanted = [None if text is None else stem_of(text) for text in plain] if "ending" in key.name else plain
        # Counters such as 1.tif in every folder say little; the same name in two folders is no sure key.
        shared = 0.6 if key.column == "file" and _several_files(atlas, key) else 1.0
        yield from _matched(key, column, wanted, doubt * shared)
    part = part_key(atlas, texts)
    if part is not None:
        yield from _matched(part, column, plain, doubt * 0.95)


def _matched(key: MicrographKey, column: str, texts: Sequence[str | None], doubt: float) -> list[Match]:
    known = {text for text in key.folded if text is not None} & {text for text in texts if text is not None}
    if not known:
        return []
    numbers = {text: number for number, text in enumerate(sorted(known))}
    micrographs = np.array([numbers.get(text, -1) if text is not None else -1 for text in key.folded], np.intp)
    rows = np.array([numbers.get(text, -1) if text is not None else -1 for text in texts], np.intp)
    said = [text for text in texts if text is not None]
    unique = len(set(said)) / len(said)
    score = float((micrographs >= 0).mean() * np.sqrt(unique) * doubt)
    return [Match(key.name, column, key.groups, key.texts, micrographs, rows, score)]


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
        + ". Make one column of the table equal to the file name, its folder, or a piece of the name."
    )


def _some(texts: Sequence[str]) -> str:
    different = list(dict.fromkeys(texts))
    return ", ".join(different[:3]) + (" …" if len(different) > 3 else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
