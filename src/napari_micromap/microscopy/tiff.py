"""Pages of TIFF files, as right pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.decoding import check_size, decoding, upright
from napari_micromap.microscopy.palettes import without_palette
from napari_micromap.microscopy.segments import part_of_page
from napari_micromap.problems import Unreadable

if TYPE_CHECKING:
    from tifffile import TiffFile

# Photometric interpretations, by their numbers in the TIFF specification.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
HAVE_PARTS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
GIVES_RGB = (6, 7, 33003, 33005, 34712, 50001)  # JPEG and friends turn YCbCr into RGB by themselves


class TiffPicture:
    """A TIFF file, read page by page."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        import tifffile

        self.path = path
        opened = tifffile.TiffFile(stream, name=path.name)
        self.tiff: TiffFile | None = opened
        self._pages = opened.pages
        self._contiguous = _frames_behind_one_page(opened)
        whole = [number for number, page in enumerate(self._pages) if not _is_reduced(page)]
        # Where all claim to be thumbnails, none is.
        self.pages: Sequence[int] = (
            range(self._contiguous) if self._contiguous > 1 else whole or range(len(self._pages))
        )
        if not self.pages:
            raise Unreadable("The file holds no picture.")

    def size(self, page: int) -> tuple[int, int]:
        """Return (height, width) without decoding."""
        described = self._described(page)
        height, width = int(described.imagelength), int(described.imagewidth)
        return (width, height) if _orientation(described) >= 5 else (height, width)

    def dtype(self, page: int) -> str:
        """Return the name of the number format."""
        described = self._described(page)
        return "uint8" if described.dtype == np.bool_ else str(described.dtype)

    def pixels(self, page: int) -> NDArray[Any]:
        """Decode a page to (h, w) or (h, w, 3)."""
        described = self._described(page)
        with decoding():
            _check(described)
            stored = self._frame(page) if self._contiguous > 1 else described.asarray(maxworkers=1)
            gray_or_rgb = _as_seen(_channels_last(stored, described), described)
        return upright(gray_or_rgb, _orientation(described))

    def has_parts(self, page: int) -> bool:
        """Tell whether parts of a page can be read without the rest."""
        described = self._described(page)
        upside = _orientation(described) == 1
        # A palette's kind is told from the whole picture; inks and volumes are rare.
        plain = described.photometric in HAVE_PARTS
        return self._contiguous <= 1 and upside and plain and described.imagedepth == 1

    def part(self, page: int, box: tuple[int, int, int, int]) -> NDArray[Any]:
        """Decode top, left, height, width of a page that has parts, to (h, w) or (h, w, 3)."""
        described = self._described(page)
        _check(described, box)
        return _as_seen(part_of_page(described, box), described)

    def close(self) -> None:
        """Let go of the file."""
        if self.tiff is not None:
            self.tiff.close()

    def _described(self, page: int) -> Any:
        if page not in self.pages:
            raise Unreadable(f"The file has no page {page + 1}.")
        with decoding():
            return self._pages[0 if self._contiguous > 1 else page].aspage()

    def _frame(self, number: int) -> NDArray[Any]:
        first = self._pages[0].aspage()
        dtype = np.dtype(first.parent.byteorder + first.dtype.char)
        handle = first.parent.filehandle
        handle.seek(first.dataoffsets[0] + number * first.size * dtype.itemsize)
        frame = handle.read_array(dtype, first.size)
        return np.asarray(frame.reshape(first.shape), dtype=first.dtype)


def _frames_behind_one_page(tiff: TiffFile) -> int:
    """Count the frames of an ImageJ stack that has one page only, its frames lying one behind the other."""
    if not tiff.is_imagej or len(tiff.pages) != 1:
        return 0
    frames = (tiff.imagej_metadata or {}).get("images", 1)
    page = tiff.pages[0].aspage()
    end = page.dataoffsets[0] + frames * page.nbytes
    return int(frames) if page.is_final and end <= tiff.filehandle.size else 0


def _is_reduced(page: Any) -> bool:
    """Tell thumbnails and masks from pictures."""
    return bool(int(getattr(page.aspage(), "subfiletype", 0) or 0) & 0b101)


def _orientation(page: Any) -> int:
    value = page.tags.valueof(274)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _check(page: Any, box: tuple[int, int, int, int] | None = None) -> None:
    if page.dtype is None or page.dtype.kind not in "buif":
        raise Unreadable("The numbers in it are of a kind that is no picture; save it as 8- or 16-bit gray.")
    if page.imagedepth > 1:
        raise Unreadable("The page is a volume; save its slices as pages.")
    plain = page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK)
    if not plain and not (page.photometric == YCBCR and page.compression in GIVES_RGB):
        raise Unreadable("Its colors are stored in a way that is rare in microscopy; save it as gray or RGB.")
    wanted = (page.imagelength, page.imagewidth) if box is None else box[2:]
    check_size((*wanted, page.samplesperpixel), page.dtype, has_parts=page.photometric in HAVE_PARTS)
    # Decoders fill what is missing with zeros; no specimen is black because a copy broke off.
    if page.is_contiguous and page.compression == 1:
        return  # read in one piece, or not at all
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts)]
    if len(ends) < int(np.prod(page.chunked)) or min(page.databytecounts) == 0:
        raise Unreadable("The picture is incomplete: pieces of it are missing.")
    if max(ends) > page.parent.filehandle.size:
        raise Unreadable("The picture is incomplete: the file ends too early.")


def _channels_last(stored: NDArray[Any], page: Any) -> NDArray[Any]:
    """Return (h, w) or (h, w, channels)."""
    if page.samplesperpixel == 1:
        return stored.reshape(page.imagelength, page.imagewidth)
    if page.planarconfig == 2:
        return np.moveaxis(stored.reshape(page.samplesperpixel, page.imagelength, page.imagewidth), 0, -1)
    return stored.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)


def _as_seen(stored: NDArray[Any], page: Any) -> NDArray[Any]:
    """Turn stored values into gray or RGB values of the same number format."""
    if stored.dtype == np.bool_:
        stored = stored.astype(np.uint8) * np.uint8(255)
    if page.photometric == PALETTE and page.colormap is not None and stored.ndim == 2:
        return without_palette(stored, np.asarray(page.colormap).T)
    if page.photometric == CMYK and stored.ndim == 3 and stored.shape[2] >= 4:
        return rgb_from_cmyk(stored)
    if stored.ndim == 3:
        stored = _three_or_one(stored)
    return _inverted(stored, page.bitspersample) if page.photometric == WHITE_IS_ZERO else stored


def _three_or_one(stored: NDArray[Any]) -> NDArray[Any]:
    """Drop what is no color: alpha, or a second sample beside gray."""
    channels = stored.shape[2]
    if channels in (1, 2):
        return stored[..., 0]
    if channels in (3, 4):
        return stored[..., :3]
    raise Unreadable(f"It has {channels} channels; save the one to be compared as a picture of its own.")


def _inverted(stored: NDArray[Any], bits: int) -> NDArray[Any]:
    if stored.dtype.kind == "u":
        largest = np.iinfo(stored.dtype).max if bits == 1 else 2**bits - 1
        inverted: NDArray[Any] = np.subtract(largest, stored, dtype=stored.dtype)
    else:
        inverted = np.invert(stored) if stored.dtype.kind == "i" else np.negative(stored)
    return inverted


def rgb_from_cmyk(ink: NDArray[Any]) -> NDArray[Any]:
    """Turn (h, w, 4) amounts of ink into (h, w, 3) RGB of the same dtype."""
    full = np.iinfo(ink.dtype).max if ink.dtype.kind == "u" else 1.0
    left = full - ink[..., :4].astype(np.float32)
    rgb = left[..., :3] * left[..., 3:] / full
    rounded: NDArray[Any] = np.rint(rgb) if ink.dtype.kind == "u" else rgb
    return rounded.astype(ink.dtype)
