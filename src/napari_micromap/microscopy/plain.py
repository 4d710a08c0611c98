"""PNG, JPEG, BMP, WebP and rarer formats, as right pixels."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.decoding import LARGEST_BYTES, check_size, decoding, upright
from napari_micromap.microscopy.palettes import without_palette
from napari_micromap.problems import Unreadable

if TYPE_CHECKING:
    from PIL.Image import Image
    from tifffile import TiffFile

# Signature, offset, and Pillow's reader. Calling that directly keeps our own limit of size instead of Pillow's, which
# is one switch for the whole process.
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", 0, "PIL.PngImagePlugin", "PNG"),
    (b"\xff\xd8\xff", 0, "PIL.JpegImagePlugin", "JPEG"),
    (b"WEBP", 8, "PIL.WebPImagePlugin", "WEBP"),
    (b"BM", 0, "PIL.BmpImagePlugin", "BMP"),
)
# Formats that Pillow does not know are left to imageio, under these names only: what else it takes on is no picture.
LEFT_TO_IMAGEIO = (".dcm", ".dicom", ".spe", ".fits", ".fit", ".exr", ".nef", ".cr2", ".arw", ".dng")


class PlainPicture:
    """A file with one picture; of animations the first frame."""

    tiff: TiffFile | None = None
    pages: Sequence[int] = (0,)

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.path = path
        self._stream = stream
        head = stream.read(16)
        stream.seek(0)
        self._image = _opened(head, stream)
        self._other = None if self._image is not None else _by_imageio(stream, path)
        # Asked now, since both are lost, or found anew behind the pixels, by decoding.
        self._orientation = 1 if self._image is None else _orientation(self._image)
        self._deep = self._image is not None and _is_deep_png(self._image)

    def size(self, page: int) -> tuple[int, int]:
        """Return (height, width) without decoding."""
        if self._image is None:
            assert self._other is not None
            return self._other.shape[0], self._other.shape[1]
        width, height = self._image.size
        return (width, height) if self._orientation >= 5 else (height, width)

    def dtype(self, page: int) -> str:
        """Return the name of the number format."""
        if self._image is None:
            assert self._other is not None
            return str(self._other.dtype)
        if self._deep or _is_deep_ppm(self._image):
            return "uint16"
        return {"I": "int32", "F": "float32"}.get(self._image.mode, "uint16" if "16" in self._image.mode else "uint8")

    def pixels(self, page: int) -> NDArray[Any]:
        """Decode to (h, w) or (h, w, 3)."""
        if page != 0:
            raise Unreadable(f"The file has no page {page + 1}.")
        if self._image is None:
            assert self._other is not None
            return self._other
        height, width = self._image.size[::-1]
        check_size((height, width, len(self._image.getbands())), self.dtype(page))
        with decoding():
            pixels = self._deep_png() if self._deep else _decoded(self._image)
            return upright(pixels, self._orientation)

    def close(self) -> None:
        """Let go of the picture."""
        if self._image is not None:
            self._image.close()

    def _deep_png(self) -> NDArray[Any]:
        """Decode 16-bit color, of which Pillow keeps 8 bits."""
        import imagecodecs

        self._stream.seek(0)
        pixels: NDArray[Any] = imagecodecs.png_decode(self._stream.read())
        return pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., 0]


def _opened(head: bytes, stream: IO[bytes]) -> Image | None:
    """Open with Pillow; None where it does not know the format."""
    from PIL import Image, UnidentifiedImageError

    for signature, offset, module, name in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            import_module(module)
            factory, _ = Image.OPEN[name]
            return factory(stream, "")
    try:
        return Image.open(stream)
    except UnidentifiedImageError:
        return None
    except Image.DecompressionBombError as error:
        raise Unreadable(
            f"The picture is larger than the limit of {LARGEST_BYTES // 2**20} MB; cut or reduce it."
        ) from error


def _by_imageio(stream: IO[bytes], path: Path) -> NDArray[Any]:
    if path.suffix.lower() not in LEFT_TO_IMAGEIO:
        raise Unreadable("The file is not a picture, whatever its name says.")
    import imageio.v3

    stream.seek(0)
    pixels = np.asarray(imageio.v3.imread(stream, index=0, extension=path.suffix.lower()))
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        pixels = pixels[..., :3]
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uif":
        raise Unreadable("The file holds no single picture; save it as TIFF.")
    check_size(pixels.shape, pixels.dtype)
    return pixels


def _is_deep_png(image: Image) -> bool:
    # The raw mode tells what the decoder will be asked for, before it is cut to 8 bits.
    return image.format == "PNG" and any(
        isinstance(tile[3], str) and tile[3] in ("RGB;16B", "RGBA;16B", "LA;16B") for tile in getattr(image, "tile", ())
    )


def _is_deep_ppm(image: Image) -> bool:
    return image.format == "PPM" and image.mode == "I"


def _orientation(image: Image) -> int:
    from PIL import Image as images

    exif = images.Exif()
    data = image.info.get("exif")  # not getexif(), which decodes a PNG in search of it
    if data:
        exif.load(data)
    value = exif.get(274, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decoded(image: Image) -> NDArray[Any]:
    """Return gray or RGB values in the number format that is stored."""
    if image.mode == "P":
        palette = np.asarray(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
        return without_palette(np.asarray(image), palette)
    to = {"1": "L", "LA": "L", "La": "L", "PA": "RGB", "RGBA": "RGB", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
    if image.mode in ("RGBA", "LA"):  # alpha is dropped, not blended
        return np.asarray(image)[..., : 3 if image.mode == "RGBA" else 1].squeeze(-1 if image.mode == "LA" else ())
    if image.mode in to or image.mode in ("LAB", "HSV", "RGBa"):
        return np.asarray(image.convert(to.get(image.mode, "RGB")))
    return np.asarray(image, np.uint16) if _is_deep_ppm(image) else np.asarray(image)
