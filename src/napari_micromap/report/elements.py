"""Pieces of a page that needs nothing from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.figures.paper import paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 220


def figure(drawn: Figure, caption: str) -> str:
    """Return a figure with its caption."""
    stream = io.BytesIO()
    with paper_style():
        drawn.savefig(stream, format="png", dpi=_DPI, facecolor="white", metadata={"Software": "napari-micromap"})
    wide = drawn.get_size_inches()[0] * 96
    return (
        f'<figure style="max-width:{wide:.0f}px"><img alt="{escape(caption)}" '
        f'src="data:image/png;base64,{packed(stream.getvalue())}"><figcaption>{escape(caption)}</figcaption></figure>'
    )


def small(jpeg: bytes | None, caption: str) -> str:
    """Return a small picture with its caption."""
    none = "<div class=missing>no picture</div>"
    seen = f'<img alt="" src="data:image/jpeg;base64,{packed(jpeg)}">' if jpeg else none
    return f"<figure class=small>{seen}<figcaption>{escape(caption)}</figcaption></figure>"


def table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table, "" without lines."""
    head = f"<tr>{''.join(f'<th>{escape(h)}</th>' for h in heads)}</tr>" if heads else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in line)}</tr>" for line in lines)
    return f"<table>{head}{body}</table>" if body else ""


def picture_of(jpeg: bytes) -> NDArray[np.uint8]:
    """Return the levels of a JPEG."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg)))


def packed(data: bytes) -> str:
    """Return bytes as text for a page."""
    return base64.b64encode(data).decode("ascii")
