"""One HTML file that shows the map without a network or a program."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Rows
from napari_micromap.montage.small import small_picture
from napari_micromap.problems import Problem
from napari_micromap.sharing.columns import column_for_page, columns_to_share, texts_of
from napari_micromap.sharing.snapshot import Snapshot
from napari_micromap.wording import counts_of, name_of
from napari_micromap.work import Progress, Work

LARGEST = 20_000_000  # bytes of a page: what mail programs and browsers take without complaint
_FOR_COLUMNS = 0.4  # of it, at most
_STEPS = 65_535  # of a position, across the longer side of the map
_SIDES = ((2_500, 160), (5_000, 128), (10_000, 96))  # of a thumbnail, in pixels, up to so many images
_SMALLEST_SIDE = 72
_QUALITY = 72
_TEXT_PER_IMAGE = 3  # bytes around each image


@dataclass(frozen=True, eq=False)
class Page:
    """A page that is ready to be written.

    Parameters
    ----------
    text : str
        All of it.
    images : int
        How many thumbnails it contains.
    wanted : int
        How many micrographs are on its map.
    """

    text: str
    images: int
    wanted: int

    @property
    def megabytes(self) -> float:
        """Size of the file."""
        return len(self.text.encode("utf-8")) / 1e6

    @property
    def sentence(self) -> str:
        """What it contains, to be said before it is written."""
        few = self.images < self.wanted
        which = f"{self.images:,} of {self.wanted:,} images" if few else f"all {self.wanted:,} images"
        rest = "; the other dots show their values only" if few else ""
        return f"The page contains {which}, {self.megabytes:.1f} MB{rest}."

    def write(self, path: Path | str) -> Path:
        """Write the file."""
        path = Path(path)
        try:
            path.write_text(self.text, encoding="utf-8")
        except OSError as error:
            raise Problem(f"“{path}” cannot be written ({error.strerror or error}); name another file.") from error
        return path


def page_of(shared: Snapshot, largest: int = LARGEST) -> Work[Page]:
    """Make a page, no larger than so many bytes; where not all thumbnails fit, they are spread over the samples."""
    rows = shared.rows
    template = files("napari_micromap.sharing").joinpath("page.html").read_text(encoding="utf-8")
    data = _data_of(shared, rows, largest)
    room = largest - len(template.encode()) - len(_packed(data).encode()) - 2_000
    images: list[str] = [""] * len(rows)
    side = next((side for most, side in _SIDES if len(rows) <= most), _SMALLEST_SIDE)
    order = _spread(shared, rows)
    for done, k in enumerate(order):
        yield Progress("Packing images", done, len(order))
        packed = _thumbnail(shared, int(rows[k]), side)
        if len(packed) + _TEXT_PER_IMAGE > room:
            break
        images[k] = packed
        room -= len(packed) + _TEXT_PER_IMAGE
    data["images"] = images
    text = template.replace("{{title}}", _escaped(str(data["title"]))).replace("{{data}}", _packed(data))
    return Page(text, sum(bool(image) for image in images), len(rows))


def save_page(shared: Snapshot, path: Path | str, largest: int = LARGEST) -> Work[Page]:
    """Make a page and write it."""
    page = yield from page_of(shared, largest)
    page.write(path)
    return page


def _data_of(shared: Snapshot, rows: Rows, largest: int) -> dict[str, Any]:
    atlas = shared.atlas
    left_out = np.isin(rows, list(shared.reasons))
    data: dict[str, Any] = {
        "title": name_of(atlas) or "Micrographs",
        "counts": counts_of(atlas, shared.used),
        "layout": shared.title,
        "filters": list(shared.filters),
        "reasons": {str(k): shared.reasons[int(rows[k])] for k in np.flatnonzero(left_out).tolist()},
        "names": atlas.columns["file"].iloc[rows].astype(str).tolist(),
        "samples": texts_of(atlas.samples.iloc[rows]) if atlas.samples is not None else None,
        "sampleColumn": atlas.sample_column,
        "order": np.random.default_rng(0).permutation(len(rows)).tolist(),
        **_quantized(shared.positions[rows]),
        "columns": [],
        "colorBy": shared.color_by,
    }
    left = int(largest * _FOR_COLUMNS) - len(_packed(data).encode())
    for name in columns_to_share(atlas, shared.color_by):
        column = column_for_page(atlas, name, rows)
        left -= len(_packed(column).encode())
        if left < 0 and data["columns"]:
            break
        data["columns"].append(column)
    return data


def _quantized(positions: NDArray[Any]) -> dict[str, Any]:
    """Return positions as whole numbers of one step for both directions, y down."""
    if not len(positions):
        return {"x": [], "y": [], "size": [1, 1]}
    points = positions.astype(np.float64)
    low = points.min(axis=0)
    span = np.ptp(points, axis=0)
    step = float(span.max()) / _STEPS or 1.0
    whole = np.rint((points - low) / step).astype(int)
    wide, high = (max(1, int(side)) for side in whole.max(axis=0))
    return {"x": whole[:, 0].tolist(), "y": (high - whole[:, 1]).tolist(), "size": [wide, high]}


def _spread(shared: Snapshot, rows: Rows) -> list[int]:
    """Return an order of which each beginning shows as many samples as it can, and all parts of the map."""
    shuffled = np.random.default_rng(1).permutation(len(rows))
    samples = shared.atlas.samples
    if samples is None:
        return [int(k) for k in shuffled]
    names = samples.iloc[rows[shuffled]].astype(str).reset_index(drop=True)
    turn = names.groupby(names).cumcount().to_numpy()
    return [int(k) for k in shuffled[np.argsort(turn, kind="stable")]]


def _thumbnail(shared: Snapshot, row: int, side: int) -> str:
    """Return a thumbnail as JPEG in base64, "" where there is no picture."""
    pixels = small_picture(shared.atlas[row], shared.thumbnails)
    if pixels is None:
        return ""
    return base64.b64encode(_jpeg(pixels, side)).decode("ascii")


def _jpeg(pixels: NDArray[np.uint8], side: int) -> bytes:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=_QUALITY, optimize=True)
    return packed.getvalue()


def _packed(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")  # no text of a table can end the script that it stands in


def _escaped(text: str) -> str:
    import html

    return html.escape(text)
