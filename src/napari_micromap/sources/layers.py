"""Micrographs that are open as image layers."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import OWN_COLUMNS, Atlas, LivePixels, UnreadableFile
from napari_micromap.microscopy.annotations import annotation
from napari_micromap.microscopy.bar import agreed_bar
from napari_micromap.microscopy.cropping import crop_bar
from napari_micromap.microscopy.decoding import check_size, decoding
from napari_micromap.microscopy.header import Header, pixel_size
from napari_micromap.microscopy.pixels import gray_if_equal, read_header
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.sources.folder import guessed_roles, own_columns
from napari_micromap.sources.identity import ids_of
from napari_micromap.work import Progress, Work

ENOUGH = 1024  # pixels on the longer side from which a picture is told from others, and its data bar found
MICROMETERS = {
    "picometer": 1e-6, "angstrom": 1e-4, "nanometer": 1e-3, "micrometer": 1.0, "micron": 1.0,
    "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6, "inch": 25400.0,
}  # fmt: skip


@dataclass(frozen=True)
class Layers:
    """The pictures in image layers; other kinds of layers, and the gallery's own, are left out.

    Parameters
    ----------
    layers : tuple of layers
        A picture is one micrograph; a stack is one a slice, by all of its sliders.
    """

    layers: tuple[Any, ...]

    def __call__(self) -> Work[Atlas]:
        """Read each slice, at a coarser level where the layer has one.

        Raises
        ------
        Problem
            If there is none that can be read.
        """
        images = [layer for layer in map(_unwrapped, self.layers) if is_source(layer)]
        if not images:
            raise Problem("No image is open that could go on the map; open some images, or choose a folder.")
        slices = [piece for layer in images for piece in slices_of(layer)]
        folders = _folders(images)
        rows = _Rows()
        for done, piece in enumerate(slices, start=1):
            yield Progress("Reading", done, len(slices), piece.layer_name)
            rows.add(piece, folders)
        if not rows.pieces:
            raise Problem(f"None of the open images can be read. {rows.unreadable[0].reason}")
        return rows.atlas()


def is_source(layer: Any) -> bool:
    """Tell whether a layer holds micrographs: image layers of two dimensions and more, but not our own."""
    image = any(kind.__name__ == "Image" for kind in type(layer).__mro__)
    return image and "micromap" not in layer.metadata and layer.ndim >= 2


def slices_of(layer: Any) -> Iterator[LayerSlice]:
    """Yield the pictures of a layer in the order of its sliders."""
    shape = _shape(layer, 0)
    for index in product(*(range(length) for length in shape[:-2])):
        yield LayerSlice(layer, index)


class LayerSlice:
    """One picture of a layer that is held weakly: closing the layer frees its data.

    Parameters
    ----------
    layer : image layer
    index : tuple of int
        Where the sliders stand; () for a single picture.
    """

    def __init__(self, layer: Any, index: tuple[int, ...]) -> None:
        layer = _unwrapped(layer)
        self._layer = weakref.ref(layer)
        self._name = str(layer.name)
        self.index = index
        self.height, self.width = _shape(layer, 0)[-2:]
        self.as_read = ""  # the fingerprint at the time when it was put on the map

    @property
    def layer(self) -> Any | None:
        """The layer, or None when it is gone."""
        return self._layer()

    @property
    def layer_name(self) -> str:
        """The layer's name as it is now, or was last."""
        layer = self._layer()
        if layer is not None:
            self._name = str(layer.name)
        return self._name

    @property
    def name(self) -> str:
        """The layer's name, with the slice of a stack."""
        return self.layer_name + (f" [{', '.join(map(str, self.index))}]" if self.index else "")

    def read(self, max_side: int | None = None) -> NDArray[Any]:
        """Return (h, w) or (h, w, 3) pixels: this slice alone, from the coarsest level with at least ``max_side``.

        Raises
        ------
        Unreadable
            If the layer was closed, or its stack became shorter.
        """
        layer = self._alive()
        return _right_pixels(self._stored(layer, _level(layer, max_side)))

    def read_part(self, box: tuple[int, int, int, int]) -> NDArray[Any]:
        """Return the (h, w) or (h, w, 3) pixels of top, left, height, width at full resolution."""
        return _right_pixels(self._stored(self._alive(), 0, box))

    def fingerprint(self) -> str:
        """Hash the pixels as they are now; differs from :attr:`as_read` when they changed since."""
        layer = self._alive()
        return _hash(self._stored(layer, _level(layer, ENOUGH)))

    def put_on_map(self) -> NDArray[Any]:
        """Read the slice once for all that its row needs, and remember what it looked like."""
        layer = self._alive()
        stored = self._stored(layer, _level(layer, ENOUGH))
        self.as_read = _hash(stored)
        return _right_pixels(stored)

    @property
    def changed(self) -> bool:
        """Whether the pixels are others than those that were put on the map."""
        return self.fingerprint() != self.as_read

    def _alive(self) -> Any:
        layer = self._layer()
        if layer is None:
            raise Unreadable(f"The layer “{self._name}” was closed; open it again.")
        return layer

    def _stored(self, layer: Any, level: int, box: tuple[int, int, int, int] | None = None) -> NDArray[Any]:
        shape = _shape(layer, level)
        if len(shape) != len(self.index) + 2 or any(at >= length for at, length in zip(self.index, shape)):
            raise Unreadable(f"The layer “{self.layer_name}” has no slice {list(self.index)} any more; map it again.")
        data = layer.data[level] if layer.multiscale else layer.data
        channels = data.shape[-1:] if layer.rgb else ()
        check_size((*(shape[-2:] if box is None else box[2:]), *channels), data.dtype)
        where: tuple[Any, ...] = self.index
        if box is not None:
            where = (*where, slice(box[0], box[0] + box[2]), slice(box[1], box[1] + box[3]))
        with decoding():
            return np.asarray(data[where])


def _unwrapped(layer: Any) -> Any:
    """Return the layer itself; napari hands plugins a proxy that dies before it."""
    return getattr(layer, "__wrapped__", layer)


def _shape(layer: Any, level: int) -> tuple[int, ...]:
    """Return the shape of a level without color channels."""
    shape = tuple(int(side) for side in (layer.data[level] if layer.multiscale else layer.data).shape)
    return shape[:-1] if layer.rgb else shape


def _level(layer: Any, max_side: int | None) -> int:
    if not layer.multiscale or max_side is None:
        return 0
    fine_enough = [level for level in range(len(layer.data)) if max(_shape(layer, level)[-2:]) >= max_side]
    return max(fine_enough, default=0)


def _hash(stored: NDArray[Any]) -> str:
    digest = blake2b(f"{stored.dtype.str}{stored.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(stored).tobytes())
    return digest.hexdigest()


def _right_pixels(stored: NDArray[Any]) -> NDArray[Any]:
    if stored.dtype.kind not in "buif":
        raise Unreadable("The numbers in this layer are of a kind that is no picture; convert it to real gray values.")
    if stored.dtype == np.bool_:
        stored = stored.astype(np.uint8) * np.uint8(255)
    return np.ascontiguousarray(gray_if_equal(stored[..., :3] if stored.ndim == 3 else stored))


# ---------------------------------------------------------------------- rows


class _Rows:
    """Rows of the atlas as they come."""

    def __init__(self) -> None:
        self.pieces: list[LayerSlice] = []
        self.unreadable: list[UnreadableFile] = []
        self._pages: list[int] = []
        self._values: list[dict[str, Any]] = []
        self._paths: list[str] = []

    def add(self, piece: LayerSlice, folders: dict[Path, str]) -> None:
        """Append a slice, or name it if it cannot be read."""
        try:
            pixels = piece.put_on_map()
            header, path = _header(piece)
        except Unreadable as reason:
            self.unreadable.append(UnreadableFile(piece.name, str(reason)))
            return
        shrunk = pixels.shape[0] / piece.height
        told = None if header is None or header.bar_rows is None else round(header.bar_rows * shrunk)
        bar = agreed_bar(told, pixels)
        layer = piece.layer
        self.pieces.append(piece)
        self._paths.append(str(path or ""))
        self._pages.append(_number(piece))
        said = {} if header is None else {field.name: getattr(header, field.name) for field in fields(Header)}
        self._values.append(
            {
                **{name: value for name, value in said.items() if name in OWN_COLUMNS},
                "file": piece.name,
                "folder": folders.get(_source_path(layer) or Path(), ""),
                "width": piece.width,
                "height": piece.height,
                "dtype": str(pixels.dtype),
                **replace(bar, rows=round(bar.rows / shrunk)).columns,
                "annotation": annotation(crop_bar(pixels, bar.rows, bar.side)),
                "um_per_px": _um_per_px(layer) or said.get("um_per_px"),
                "date": (said.get("date") or "")[:10] or None,
            }
        )

    def atlas(self) -> Atlas:
        """Put the rows together."""
        columns = own_columns(self._values)
        if any(self._paths):
            columns["path"] = self._paths
        # A slice keeps its id wherever in its stack it comes to lie.
        ids = ids_of((piece.as_read, 0) for piece in self.pieces)
        live: dict[str, LivePixels] = {str(id_): piece for id_, piece in zip(ids, self.pieces)}
        return Atlas(
            columns=columns,
            ids=ids,
            paths=np.full(len(ids), "", np.str_),
            pages=np.asarray(self._pages, np.int32),
            live=MappingProxyType(live),
            unreadable=tuple(self.unreadable),
            roles=MappingProxyType(dict(guessed_roles())),
        )


def _number(piece: LayerSlice) -> int:
    """Return which slice of its stack it is, counting through all sliders."""
    layer = piece.layer
    return int(np.ravel_multi_index(piece.index, _shape(layer, 0)[:-2])) if piece.index and layer is not None else 0


def _um_per_px(layer: Any) -> float | None:
    """Return the layer's scale where its unit is a length; pixels are none."""
    units = getattr(layer, "units", None)
    factor = MICROMETERS.get(str(units[-1])) if units else None
    return pixel_size(float(layer.scale[-1]) * factor) if factor is not None else None


def _source_path(layer: Any) -> Path | None:
    path = getattr(getattr(layer, "source", None), "path", None)
    return Path(path).absolute() if isinstance(path, str | os.PathLike) and str(path) else None


def _header(piece: LayerSlice) -> tuple[Header | None, Path | None]:
    """Return what the file says that a single picture was opened from, if it still is that picture's."""
    path = _source_path(piece.layer)
    if piece.index or path is None or not path.is_file():
        return None, None
    try:
        header = read_header(path)
    except Unreadable:
        return None, None
    same = (header.height, header.width) == (piece.height, piece.width)
    return (header, path) if same else (None, None)


def _folders(layers: Sequence[Any]) -> dict[Path, str]:
    """Name the folder of each layer's file: from where their folders part, or, where all have one, that one."""
    paths = [path for path in map(_source_path, layers) if path is not None]
    parents = {path.parent for path in paths}
    if len(parents) < 2:
        return {path: path.parent.name for path in paths}
    try:
        common = os.path.commonpath(parents)
    except ValueError:  # several drives
        return {path: path.parent.name for path in paths}
    names = {path: path.parent.relative_to(common).as_posix() for path in paths}
    return {path: "" if name == "." else name for path, name in names.items()}
