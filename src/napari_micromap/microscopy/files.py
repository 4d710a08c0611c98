"""Picture files, opened by what they contain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from napari_micromap.microscopy.decoding import decoding
from napari_micromap.microscopy.plain import PlainPicture
from napari_micromap.microscopy.tiff import TiffPicture
from napari_micromap.problems import Unreadable

if TYPE_CHECKING:
    from tifffile import TiffFile


class PictureFile(Protocol):
    """An open file with one or more pictures; damage is raised as :class:`Unreadable`."""

    path: Path  # also where sidecar files would lie
    pages: Sequence[int]  # numbers of the pages that are pictures, not thumbnails
    tiff: TiffFile | None  # for the headers that lie in TIFF tags

    def size(self, page: int) -> tuple[int, int]:
        """Return (height, width) without decoding."""

    def dtype(self, page: int) -> str:
        """Return the name of the number format of :meth:`pixels` without decoding."""

    def pixels(self, page: int) -> NDArray[Any]:
        """Decode a page to (h, w) or (h, w, 3)."""

    def close(self) -> None:
        """Let go of the file."""


@contextmanager
def open_picture(path: Path, data: bytes | None = None) -> Iterator[PictureFile]:
    """Open a file by its content; its name matters only where the content has no signature.

    Parameters
    ----------
    data : bytes, optional
        The whole file, where it was read already.

    Raises
    ------
    Unreadable
        If it is not a picture, or its header is damaged.
    """
    with decoding():
        stream = BytesIO(data) if data is not None else path.open("rb")
        try:
            head = stream.read(16)
            if not head:
                raise Unreadable("The file is empty.")
            stream.seek(0)
            file = _opener(head)(stream, path)
        except BaseException:
            stream.close()
            raise
    try:
        yield file
    finally:
        file.close()
        stream.close()


def _opener(head: bytes) -> Callable[[Any, Path], PictureFile]:
    return TiffPicture if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") else PlainPicture
