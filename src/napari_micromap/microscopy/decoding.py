"""What every decoder needs: its errors in one sentence, bounded memory, upright pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import TooLarge, Unreadable

LARGEST_BYTES = 2**29  # decoded; larger pictures are refused, so that memory stays bounded whatever a file claims

# What decoders raise on damaged input; all of it means the same to a user.
DECODING_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ImportError, LookupError, MemoryError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@contextmanager
def decoding() -> Iterator[None]:
    """Say in one sentence what a decoder stumbled over."""
    try:
        yield
    except Unreadable:
        raise
    except FileNotFoundError as error:
        raise Unreadable("The file is not there any more.") from error
    except PermissionError as error:
        raise Unreadable("You have no permission to read the file.") from error
    except DECODING_ERRORS as error:
        # What stumbled in the decoder's own code says nothing to a user; what it says about the data does.
        said = str(error).strip() if isinstance(error, OSError | RuntimeError | SyntaxError | ValueError) else ""
        reason = f" ({said.splitlines()[0].strip(' .')[:120]})" if said else ""
        raise Unreadable(f"The picture is incomplete or damaged{reason}.") from error


def check_size(shape: Sequence[int], dtype: Any, has_parts: bool = False) -> None:
    """Refuse pictures that would not fit into bounded memory, before they are decoded.

    Parameters
    ----------
    shape : (h, w) or (h, w, channels)
    has_parts : bool
        Whether parts of it could be read alone.
    """
    if min(shape) < 1:
        raise Unreadable("The picture has no pixels.")
    needed = int(np.prod([int(side) for side in shape], dtype=object)) * np.dtype(dtype).itemsize
    if needed > LARGEST_BYTES:
        height, width = shape[:2]
        raise TooLarge(
            f"{width} × {height} pixels would need {needed / 2**20:,.0f} MB, the limit is {LARGEST_BYTES // 2**20} MB; "
            f"{'map its windows' if has_parts else 'cut'} or reduce the picture."
        )


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and flip a picture as its orientation tag (TIFF and EXIF, 1 to 8) says it is to be seen."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
