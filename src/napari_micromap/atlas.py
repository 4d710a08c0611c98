"""Micrographs, what is known of them, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.microscopy.bar import BY_USER
from napari_micromap.microscopy.cropping import Side, crop_bar, side_of, specimen_box
from napari_micromap.microscopy.parts import Box, Wholes, read_part
from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.neighbors import Neighbors
from napari_micromap.problems import Problem, Unreadable

Embeddings: TypeAlias = NDArray[np.float32]  # (n, d) pooled network output, block-L2-normalized
Features: TypeAlias = NDArray[np.float32]  # (n, p) embeddings after the collection's space
Positions: TypeAlias = NDArray[np.float32]  # (n, 2) on the map; NaN where there is none yet
Rows: TypeAlias = NDArray[np.intp]  # (k,) sorted, unique row numbers
Role: TypeAlias = Literal["sample", "property", "processing", "imaging", "batch", "other"]

# Columns that files and their headers fill; a user's column of the same name gets " (table)" behind it.
OWN_COLUMNS = (
    "file", "folder", "width", "height", "dtype", "bar_rows", "um_per_px", "magnification", "detector", "kv",
    "working_distance_mm", "date", "instrument", "vendor", "bar_side", "bar_from", "annotation",
    "scale_from",
)  # fmt: skip

LATER_COLUMNS = ("bar_side", "bar_from", "annotation", "scale_from")  # sessions of the first versions do not have them
_KIND = ("width", "height", "vendor", "bar_rows", "bar_side")  # what one correction of the data bar applies to


class LivePixels(Protocol):
    """Pixels of something that is open, such as a slice of a layer; held weakly, so it can be gone."""

    index: tuple[int, ...]  # the slice inside the layer's stack, () for a single picture
    height: int  # rows at full resolution

    @property
    def layer_name(self) -> str:
        """The layer's name as it is now."""

    @property
    def layer(self) -> Any | None:
        """The layer, or None when it is gone."""

    @property
    def changed(self) -> bool:
        """Whether the pixels are others than those that were put on the map."""

    def read(self, max_side: int | None = None) -> NDArray[Any]:
        """Return (h, w) or (h, w, 3) pixels, at least ``max_side`` on the longer side where that is less work."""

    def read_part(self, box: Box) -> NDArray[Any]:
        """Return the pixels of a part at full resolution."""


class FittedSpace(Protocol):
    """The collection's way from embeddings to features; frozen while the collection grows."""

    def __call__(self, embeddings: Embeddings) -> Features:
        """Turn (n, d) embeddings into (n, p) features."""

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return what makes this space, by name, for a saved session."""


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that is not on the map, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Micrograph:
    """One picture of a microstructure, made on demand from a row of the atlas."""

    id: str
    name: str
    path: str  # "" for a picture that lives in a layer
    page: int
    bar_rows: int
    live: LivePixels | None = None
    bar_side: Side = "bottom"
    window: Box | None = None  # top, left, height, width inside the specimen, where it is a part of a larger one

    def pixels(self, max_side: int | None = None) -> NDArray[Any]:
        """Read the whole picture with its data bar, (h, w) or (h, w, 3), in the dtype it was stored with."""
        if self.live is not None:
            return self.live.read(max_side)
        if not self.path:
            raise Unreadable(f"“{self.name}” came from a layer that is not open; load that layer again.")
        return read_pixels(Path(self.path), self.page)

    def specimen(self, max_side: int | None = None, wholes: Wholes | None = None) -> NDArray[Any]:
        """Read the picture without its data bar, or its window, without the rest where the format allows.

        ``wholes`` keeps what had to be decoded as a whole, for other windows of it.
        """
        if self.window is not None:
            return self.part(self.window, wholes)
        pixels = self.pixels(max_side)
        shrunk = 1.0 if self.live is None else pixels.shape[0] / self.live.height
        return crop_bar(pixels, round(self.bar_rows * shrunk), self.bar_side)

    def part(self, box: Box, wholes: Wholes | None = None) -> NDArray[Any]:
        """Read a part of the whole picture, at full resolution."""
        if self.live is not None:
            return self.live.read_part(box)
        if not self.path:
            raise Unreadable(f"“{self.name}” came from a layer that is not open; load that layer again.")
        return read_part(Path(self.path), self.page, box, wholes)

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return top, left, height, width of the specimen, or its window, in a picture of ``height`` × ``width``."""
        return self.window or specimen_box(height, width, self.bar_rows, self.bar_side)


@dataclass(frozen=True, eq=False)
class Atlas:
    """A collection of micrographs, columnar and aligned by row; never changed, only replaced.

    Parameters
    ----------
    columns : DataFrame, n rows
        What users see and color by: :data:`OWN_COLUMNS` first, then those of joined tables.
    ids : (n,) array of str
        Who a micrograph is: a hash of the undecoded source, page, and which of its equals it is. It survives moving,
        renaming and a corrected data bar.
    paths : (n,) array of str
        Absolute path, "" for a picture that lives in a layer.
    pages : (n,) array of int
        Page of a multi-page file, or slice of a stack.
    live : mapping of id to LivePixels
        Pictures of open layers.
    windows : (n, 4) array of int32, or None
        Top, left, height and width in the whole picture at full resolution, where rows are windows cut from larger
        micrographs; None where rows are whole. Their data bar was left out when they were cut.
    """

    columns: pd.DataFrame
    ids: NDArray[np.str_]
    paths: NDArray[np.str_]
    pages: NDArray[np.int32]
    live: Mapping[str, LivePixels] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: tuple[UnreadableFile, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    synthetic: tuple[str, ...] = ()  # columns whose values were made up by a generator: said wherever they are shown
    embeddings: Embeddings | None = None
    made_by: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # backbone, weights, recipe
    space: FittedSpace | None = None
    features: Features | None = None
    neighbors: Neighbors | None = None
    fitted_to: Rows | None = None  # rows that the space was fitted to; None for all
    positions: Positions | None = None
    layout: str = ""  # repr of the layout that gave the positions
    tables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # column to the table it came from
    windows: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("columns", "paths", "pages", "embeddings", "features", "positions", "windows"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise ValueError(f"{name} has {len(value)} rows, the atlas {n}")
        if len(set(self.ids.tolist())) != n:  # a tenth of what sorting 100,000 texts takes, at each change
            raise ValueError("two micrographs with the same id")

    def __repr__(self) -> str:
        done = [name for name in ("embeddings", "features", "positions") if getattr(self, name) is not None]
        return f"Atlas({len(self)} micrographs{', with ' if done else ''}{', '.join(done)})"

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> Micrograph:
        id_ = str(self.ids[row])
        names, bars, sides = self._in_arrays
        return Micrograph(
            id=id_,
            name=str(names[row]),
            path=str(self.paths[row]),
            page=int(self.pages[row]),
            bar_rows=int(bars[row]),
            live=self.live.get(id_),
            bar_side=side_of(None if sides is None else sides[row]),
            window=None if self.windows is None else _box(self.windows[row]),
        )

    @cached_property
    def _in_arrays(self) -> tuple[Any, Any, Any]:
        """What of the columns makes a micrograph: to ask a table for one row takes ten times as long."""
        sides = self.columns["bar_side"].array if "bar_side" in self.columns else None
        return self.columns["file"].array, self.columns["bar_rows"].array, sides

    def __iter__(self) -> Iterator[Micrograph]:
        return (self[row] for row in range(len(self)))

    # What depends on what: a column changes nothing, new pixels drop the embeddings, new embeddings the map.

    def with_columns(self, columns: pd.DataFrame, roles: Mapping[str, Role] | None = None) -> Atlas:
        """Replace the columns; embeddings and map stay."""
        return replace(self, columns=columns, roles=MappingProxyType({**self.roles, **(roles or {})}))

    def with_bar_rows(self, rows: Rows, bar_rows: int, side: Side = "bottom") -> Atlas:
        """Correct the data bar of some micrographs; their embeddings no longer hold, so all are dropped.

        Those of the other micrographs come back from the cache.
        """
        columns = self.columns.copy()
        columns.loc[rows, "bar_rows"] = bar_rows
        for name, value in (("bar_side", side if bar_rows else None), ("bar_from", BY_USER)):
            values = columns[name].to_numpy(object, copy=True) if name in columns else np.full(len(self), None, object)
            values[rows] = value
            columns[name] = pd.Series(values, index=columns.index, dtype=object)
        return replace(self, columns=columns).with_embeddings(None, {})

    def with_scale(self, rows: Rows, um_per_px: NDArray[np.float64], scale_from: Sequence[str | None]) -> Atlas:
        """Set pixel size, NaN where unknown, and where it is from, of some micrographs; their map stays."""
        columns = self.columns.copy()
        sizes = columns["um_per_px"].to_numpy(float, na_value=np.nan, copy=True)
        sizes[rows] = um_per_px
        known = "scale_from" in columns
        origins = columns["scale_from"].to_numpy(object, copy=True) if known else np.full(len(self), None, object)
        origins[rows] = list(scale_from)
        columns["um_per_px"] = sizes
        columns["scale_from"] = pd.Series(origins, index=columns.index, dtype=object)
        return replace(self, columns=columns)

    def with_embeddings(self, embeddings: Embeddings | None, made_by: Mapping[str, Any]) -> Atlas:
        """Set the embeddings; features, neighbors and positions of others are dropped, so a stale map cannot exist."""
        return replace(
            self, embeddings=embeddings, made_by=MappingProxyType(dict(made_by)),
            space=None, features=None, neighbors=None, fitted_to=None, positions=None, layout="",
        )  # fmt: skip

    def with_features(
        self, space: FittedSpace, features: Features, neighbors: Neighbors, fitted_to: Rows | None = None
    ) -> Atlas:
        """Set the features, who is near whom among them, and the space they come from."""
        if self.embeddings is None:
            raise Problem("Embed the micrographs before making features of them.")
        return replace(
            self, space=space, features=features, neighbors=neighbors, fitted_to=fitted_to, positions=None, layout=""
        )

    def with_positions(self, positions: Positions, layout: str) -> Atlas:
        """Set the map."""
        return replace(self, positions=positions, layout=layout)

    def rows_of(self, ids: Sequence[str]) -> Rows:
        """Return the sorted rows of those ids that are here."""
        wanted = list(ids)
        where = pd.Index(self.ids).get_indexer(pd.Index(wanted)) if wanted else np.empty(0, np.intp)
        return np.unique(where[where >= 0]).astype(np.intp)

    def rows_of_kind(self, row: int) -> Rows:
        """Return the rows of a micrograph's kind: of the same size and vendor, with the same data bar."""
        told = kinds_of(self)
        one = told.iloc[row]
        alike = np.ones(len(self), bool)
        for name in map(str, told):
            values = told[name]
            alike &= (values.isna() if pd.isna(one[name]) else values == one[name]).to_numpy(bool)
        return np.flatnonzero(alike).astype(np.intp)

    @property
    def um_per_px(self) -> NDArray[np.float64]:
        """(n,) size of a pixel in µm, NaN where it is not known."""
        sizes = pd.to_numeric(self.columns["um_per_px"], errors="coerce").to_numpy(float, na_value=np.nan)
        return np.where((sizes > 0) & np.isfinite(sizes), sizes, np.nan)

    @property
    def sample_column(self) -> str | None:
        """The column that says which specimen a micrograph shows, or None."""
        return next((name for name, role in self.roles.items() if role == "sample" and name in self.columns), None)

    @property
    def samples(self) -> pd.Series[Any] | None:
        """Sample of each micrograph, missing where it has no name."""
        return None if self.sample_column is None else self.columns[self.sample_column]

    @property
    def independent(self) -> pd.Series[Any] | None:
        """What tests may count: the samples; for windows without any, the micrographs that they were cut from.

        Windows of one micrograph are of one sample, whatever a column says: where it tells them apart, those samples
        count as one.
        """
        samples = self.samples
        if self.windows is None:
            return samples
        of = pd.Series([id_.partition("@")[0] for id_ in self.ids.tolist()], index=self.columns.index, dtype=object)
        if samples is None:
            return self.columns.get("micrograph", of)
        return _merged(samples, of)

    def with_sample_column(self, name: str | None) -> Atlas:
        """Say which column names the sample."""
        if name is not None and name not in self.columns:
            raise Problem(f"There is no column “{name}”; there are: {', '.join(map(str, self.columns))}.")
        roles: dict[str, Role] = {key: role for key, role in self.roles.items() if role != "sample"}
        if name is not None:
            roles[name] = "sample"
        return replace(self, roles=MappingProxyType(roles))


def _box(window: NDArray[np.int32]) -> Box:
    top, left, height, width = window.tolist()
    return top, left, height, width


def _merged(samples: pd.Series[Any], micrographs: pd.Series[Any]) -> pd.Series[Any]:
    """Let samples that share a micrograph be one, named by all of them."""
    known = samples.notna()
    names = samples[known].map(str)
    sets = [sorted(set(of_one)) for _, of_one in names.groupby(micrographs[known])]
    if all(len(several) == 1 for several in sets):
        return samples
    of: dict[str, str] = {name: name for name in names.unique()}

    def root(name: str) -> str:
        while of[name] != name:
            of[name] = of[of[name]]
            name = of[name]
        return name

    for several in sets:
        for name in several[1:]:
            of[root(name)] = root(several[0])
    together = pd.Series(sorted(of)).groupby([root(name) for name in sorted(of)]).agg(" + ".join)
    merged = samples.astype(object).copy()
    merged[known] = [together[root(name)] for name in names]
    return merged


def kinds_of(atlas: Atlas) -> pd.DataFrame:
    """Return the columns that tell kinds of micrographs apart: size, vendor, data bar."""
    told = atlas.columns[[name for name in _KIND if name in atlas.columns]]
    return told.assign(bar_side=told["bar_side"].map(side_of)) if "bar_side" in told else told


def same_bars(columns: pd.DataFrame, others: pd.DataFrame) -> bool:
    """Tell whether two tables of the same micrographs say the same of their data bars."""
    return all(
        (name in columns) == (name in others) and (name not in columns or columns[name].equals(others[name]))
        for name in ("bar_rows", "bar_side")
    )


def specimen_sizes(columns: pd.DataFrame) -> NDArray[np.float64]:
    """Return (n, 2) height and width in pixels without the data bar, NaN where they are not known."""
    sizes = columns[["height", "width"]].to_numpy(float, na_value=np.nan)
    bars = np.nan_to_num(columns["bar_rows"].to_numpy(float, na_value=np.nan))
    sides = columns["bar_side"] if "bar_side" in columns else pd.Series(None, index=columns.index, dtype=object)
    across = sides.isin(["left", "right"]).to_numpy(bool)
    specimens: NDArray[np.float64] = sizes - np.stack(
        [np.where(across, 0.0, bars), np.where(across, bars, 0.0)], axis=1
    )
    return specimens


def empty_atlas() -> Atlas:
    """Return an atlas without micrographs."""
    return Atlas(
        columns=pd.DataFrame({name: [] for name in OWN_COLUMNS}),
        ids=np.empty(0, np.str_),
        paths=np.empty(0, np.str_),
        pages=np.empty(0, np.int32),
    )
