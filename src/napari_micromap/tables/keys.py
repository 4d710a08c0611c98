"""Names by which rows of a table can mean micrographs."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.tables.names import file_names, name_pieces, pieces_of, stem_of
from napari_micromap.tables.roles import names_something

_SLICES = {"slice", "slices", "frame", "page", "index", "z", "t", "plane", "scheibe"}
_MOST_PIECES = 8  # of a name that one value of a table may span
_MOST_FOR_PARTS = 20_000  # micrographs: more would keep a user waiting


@dataclass(frozen=True, eq=False)
class MicrographKey:
    """One way to call each micrograph.

    Parameters
    ----------
    name : str
        As users read it: "file name", "folder", "piece 2 of the name".
    texts : n texts or None
        As written.
    column : str
        The atlas's column that it stands for, "" for none.
    groups : bool
        Whether it is meant to name several micrographs at once, as a sample does.
    """

    name: str
    texts: Sequence[str | None]
    column: str = ""
    groups: bool = False
    folded: Sequence[str | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", [None if text is None else fold(text) for text in self.texts])


def fold(text: str) -> str:
    """Make texts equal that differ in case, slashes, spaces or Unicode form only."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("\\", "/").split())
    return folded.removeprefix("./").rstrip("/")


def as_text(value: object) -> str | None:
    """Return a table's value as it would be written in a file name: 12.0 as "12"; None where it is missing."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return None
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value) or None


def micrograph_keys(atlas: Atlas, without_tables: Collection[str] = ()) -> list[MicrographKey]:
    """Return the ways to call the micrographs, the surest first.

    Parameters
    ----------
    atlas : Atlas
    without_tables : origins
        Columns that came from these tables are no keys: they may just have been edited.
    """
    names = file_names(atlas)
    keys = [
        MicrographKey("path", [path or None for path in atlas.paths.tolist()]),
        *_layer_keys(atlas),
        MicrographKey("file name", names, "file"),
        MicrographKey("file name without its ending", [stem_of(name) for name in names], "file"),
        *_folder_keys(atlas),
    ]
    columns = [
        str(name)
        for name in atlas.columns.columns
        if name not in OWN_COLUMNS and atlas.tables.get(name) not in without_tables
    ]
    columns.sort(key=lambda name: name != atlas.sample_column)
    for name in columns:
        column = atlas.columns[name]
        if not pd.api.types.is_float_dtype(column) or name == atlas.sample_column:
            keys.append(MicrographKey(f"“{name}”", [as_text(v) for v in column], name, name == atlas.sample_column))
    pieces = name_pieces(names)
    for name in map(str, pieces.columns):
        keys.append(MicrographKey(f"{name} of the name", [as_text(v) for v in pieces[name]], name, True))
    return keys


def _layer_keys(atlas: Atlas) -> list[MicrographKey]:
    if not atlas.live:
        return []
    live = [atlas.live.get(str(id_)) for id_ in atlas.ids]
    layers = [None if pixels is None else pixels.layer_name for pixels in live]
    slices = [
        None if pixels is None or not pixels.index else f"{pixels.layer_name} [{pixels.index[0]}]" for pixels in live
    ]
    return [
        MicrographKey("layer name and slice", slices),
        MicrographKey("layer name", layers, groups=len(set(layers)) < len(layers)),
    ]


def _folder_keys(atlas: Atlas) -> list[MicrographKey]:
    """Return the folder, the folder above it and so on, as far as they tell micrographs apart."""
    above = [PurePosixPath(path.replace("\\", "/")).parent.parts[::-1] if path else () for path in atlas.paths.tolist()]
    if not any(above):
        return [MicrographKey("folder", [as_text(value) for value in atlas.columns["folder"]], "folder", True)]
    keys = []
    for level in range(max(map(len, above))):
        texts = [parts[level] if level < len(parts) else None for parts in above]
        if level and len(set(texts)) == 1:
            break
        keys.append(MicrographKey("folder" if not level else f"folder {level} above", texts, "folder", True))
    return keys


def table_keys(table: pd.DataFrame, asked: str | None = None) -> dict[str, list[str | None]]:
    """Return each column that could name micrographs, as texts; pairs such as folder and file as one.

    A column of numbers is left out unless its name tells that it names something, or it is asked for: 800 °C stands
    in many a file name.
    """
    keys = {}
    for name in map(str, table.columns):
        column = table[name]
        measured = pd.api.types.is_float_dtype(column) and not bool((column.dropna() % 1 == 0).all())
        names = name == asked or names_something(name) or not pd.api.types.is_numeric_dtype(column)
        if names and not measured and column.notna().any():
            keys[name] = [as_text(value) for value in column]
    named = {name.casefold(): name for name in keys}
    folder = next(
        (named[word] for word in ("folder", "directory", "dir", "subfolder", "ordner") if word in named), None
    )
    file = next(
        (named[word] for word in ("file", "filename", "file name", "image", "name", "datei") if word in named), None
    )
    if folder and file:
        keys[f"{folder} + {file}"] = _joined(keys[folder], keys[file], "{}/{}")
    number = next((named[word] for word in named if word in _SLICES), None)
    layer = next(
        (named[word] for word in ("layer", "layer name", "stack", "file", "image", "name") if word in named), None
    )
    if number and layer and number != layer:
        keys[f"{layer} + {number}"] = _joined(keys[layer], keys[number], "{} [{}]")
    return keys


def _joined(first: Sequence[str | None], second: Sequence[str | None], form: str) -> list[str | None]:
    return [None if a is None or b is None else form.format(a, b) for a, b in zip(first, second)]


def path_key(atlas: Atlas, texts: Sequence[str | None]) -> MicrographKey | None:
    """Return as many last parts of each path as agree with most of a table's values, which may be from elsewhere."""
    wanted = {tuple(fold(text).split("/")) for text in texts if text is not None}
    bare = not any(stem_of("/".join(parts)) != parts[-1] for parts in wanted)
    paths = [path.replace("\\", "/").split("/") if path else [] for path in atlas.paths.tolist()]
    if bare:
        paths = [[*parts[:-1], stem_of(parts[-1])] if parts else [] for parts in paths]
    best: list[str | None] | None = None
    most = 0
    for depth in range(max((len(parts) for parts in wanted), default=0), 1, -1):
        shortened = {parts[-depth:] for parts in wanted if len(parts) >= depth}
        found = [tuple(map(fold, parts[-depth:])) in shortened if parts else False for parts in paths]
        if sum(found) > most:
            most = sum(found)
            best = ["/".join(parts[-depth:]) if parts else None for parts in paths]
    return None if best is None else MicrographKey("path", best)


def same_depth(texts: Sequence[str | None], key: MicrographKey) -> list[str | None]:
    """Cut a table's paths to as many last parts as the key has."""
    depth = max((text.count("/") + 1 for text in key.texts if text is not None), default=0)
    return [None if text is None else "/".join(fold(text).split("/")[-depth:]) for text in texts]


def part_key(atlas: Atlas, texts: Sequence[str | None]) -> MicrographKey | None:
    """Return, for each micrograph, the value of a table that stands in its name between separators.

    The longest counts (``AC1_970Q`` before ``AC1``); where two of the same length stand there, none does.
    """
    if len(atlas) > _MOST_FOR_PARTS:
        return None
    # A mere number stands in many names by chance.
    wanted = {"_".join(pieces_of(fold(text))): text for text in texts if text and not fold(text).isdigit()}
    wanted.pop("", None)
    found: list[str | None] = []
    for name in file_names(atlas):
        pieces = pieces_of(fold(stem_of(name)))
        found.append(_longest_run(pieces, wanted))
    return MicrographKey("part of the name", found, groups=True) if any(found) else None


def _longest_run(pieces: Sequence[str], wanted: dict[str, str]) -> str | None:
    for length in range(min(len(pieces), _MOST_PIECES), 0, -1):
        runs = {"_".join(pieces[start : start + length]) for start in range(len(pieces) - length + 1)}
        hits = [run for run in runs if run in wanted]
        if hits:
            return wanted[hits[0]] if len(hits) == 1 else None
    return None
