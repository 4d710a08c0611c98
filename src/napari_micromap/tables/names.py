"""What the pieces of file names say, such as the sample."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pandas as pd

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem

_IMAGE_ENDING = re.compile(
    r"\.(ome\.)?(tiff?|png|jpe?g|jp2|bmp|webp|gif|dm3|dm4|emd|czi|lsm|nd2|ser|mrc|raw|hdr|txt)$", re.I
)
# Letters and digits; a point only between digits, as in "0.5wt".
_PIECE = re.compile(r"[^\W_]+(?:(?<=\d)\.(?=\d)[^\W_]+)*")
# What a microscope was set to, never who the sample is: 10kx, SE, 15kV, 3.5mm, 50k, InLens …
_SETTING = re.compile(
    r"x?\d+([.,]\d+)?k?x?k?|\d+([.,]\d+)?(kv|ev|mm|um|µm|nm|pa|na|kx|x)|"
    r"se\d?|bse\d?|bsd|etd|tld|inlens|esb|stem|hv|lv|om|sem|tem|img|image|micrograph|picture|scan|"
    r"top|left|right|bottom|middle|center|centre|edge",
    re.I,
)


def stem_of(name: str) -> str:
    """Return a file name without its folders and without the ending of an image file; other points stay."""
    return _IMAGE_ENDING.sub("", name.replace("\\", "/").rstrip("/").rpartition("/")[2])


def pieces_of(name: str) -> list[str]:
    """Cut a name at whatever is neither letter nor digit."""
    return _PIECE.findall(name)


def name_pieces(names: Iterable[str]) -> pd.DataFrame:
    """Cut file names into pieces that can be columns.

    Parameters
    ----------
    names : n file names
        Such as ``AC1_970Q_8H_10kx_SE_03.tif``.

    Returns
    -------
    DataFrame, n rows
        ``piece 1``, ``piece 2``, … numbered by their place in the name; those that are the same in all names are left
        out. A shorter name misses its last pieces.
    """
    cut = [pieces_of(stem_of(name)) for name in names]
    longest = max(map(len, cut), default=0)
    columns = {}
    for place in range(longest):
        values = [pieces[place] if place < len(pieces) else np.nan for pieces in cut]
        if len(set(values)) > 1:
            columns[f"piece {place + 1}"] = pd.Series(values, dtype=object).infer_objects()
    return pd.DataFrame(columns, index=pd.RangeIndex(len(cut)))


def file_names(atlas: Atlas) -> list[str]:
    """Return what each micrograph is called: its file's name, or that of its layer."""
    files = atlas.columns["file"]
    return [os.path.basename(path) if path else str(file) for path, file in zip(atlas.paths.tolist(), files)]


def sample_candidates(atlas: Atlas) -> list[str]:
    """Return the columns and the pieces of the name that could say which sample a micrograph shows, best first."""
    pieces = name_pieces(file_names(atlas))
    guessed = [name for name in _grouping(pieces)]
    columns = [
        str(name)
        for name in atlas.columns.columns
        if name == "folder" or atlas.roles.get(name) in ("sample", "batch", "processing", "other")
    ]
    folders = ["folder"] if _groups_well(_texts(atlas.columns["folder"])) else []
    order = [*([atlas.sample_column] if atlas.sample_column else []), *folders, *guessed, *columns, *pieces.columns]
    return list(dict.fromkeys(str(name) for name in order))


def guess_sample(atlas: Atlas) -> str | None:
    """Guess what names the sample.

    Returns
    -------
    str or None
        ``"folder"`` where there are several with several micrographs each; else the piece of the name that groups
        them best, as :func:`name_pieces` calls it; None where nothing does.
    """
    if _groups_well(_texts(atlas.columns["folder"])):
        return "folder"
    return next(iter(_grouping(name_pieces(file_names(atlas)))), None)


def with_sample(atlas: Atlas, name: str | None) -> Atlas:
    """Say which column, or which piece of the name, is the sample; a piece becomes a column by that."""
    if name is not None and name not in atlas.columns:
        pieces = name_pieces(file_names(atlas))
        if name not in pieces:
            raise Problem(f"Neither a column nor a piece of the file names is called “{name}”.")
        columns = atlas.columns.copy()
        columns[name] = pieces[name].to_numpy()
        atlas = replace(atlas, columns=columns)
    return atlas.with_sample_column(name)


def with_pieces(atlas: Atlas, sample: str) -> Atlas:
    """Take one piece of the name as the sample, and all other pieces that differ as columns."""
    atlas = with_sample(atlas, sample)
    pieces = name_pieces(file_names(atlas))
    new = [str(name) for name in pieces if name not in atlas.columns]
    return atlas.with_columns(pd.concat([atlas.columns, pieces[new]], axis=1), dict.fromkeys(new, "other"))


def with_guessed_sample(atlas: Atlas) -> Atlas:
    """Take the guessed sample where none is named yet."""
    return atlas if atlas.sample_column is not None else with_sample(atlas, guess_sample(atlas))


def _texts(column: pd.Series[str]) -> list[str | None]:
    return [None if pd.isna(value) else str(value) for value in column]


def _groups_well(values: Sequence[str | None]) -> bool:
    """Say whether values part the micrographs into several groups, most of them with company."""
    counts = Counter(value for value in values if value is not None)
    settings = sum(bool(_SETTING.fullmatch(PurePath(value.replace("\\", "/")).name)) for value in counts)
    together = sum(count for count in counts.values() if count > 1)
    return len(counts) > 1 and together > 0.7 * len(values) and settings < 0.5 * len(counts)


def _grouping(pieces: pd.DataFrame) -> list[str]:
    """Return the pieces that group the names, best first: many groups of several, early in the name."""
    scores = {}
    for place, name in enumerate(pieces):
        values = _texts(pieces[name])
        if _groups_well(values):
            groups = Counter(value for value in values if value is not None)
            lettered = sum(any(sign.isalpha() for sign in value) for value in groups) / len(groups)
            # A sample is called F012 or 970Q rather than 3, and stands in front of what was done to it.
            scores[str(name)] = np.log(len(groups)) * (0.5 + 0.5 * lettered) / (1 + 0.3 * place)
    return sorted(scores, key=lambda name: -scores[name])
