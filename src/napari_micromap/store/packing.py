"""Thumbnails that travel with a session."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import TYPE_CHECKING

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from napari_micromap.store.thumbnails import Thumbnails

_MOST = 20_000  # thumbnails of files; beyond, only those of layers go along, which nothing else can bring back
_LARGEST = 1 << 20  # bytes of one thumbnail
_SAME_DAY = (1980, 1, 1, 0, 0, 0)  # equal content, equal file


def packed(atlas: Atlas, thumbnails: Thumbnails) -> bytes:
    """Pack the thumbnails of an atlas; those of open layers are made where they are missing."""
    rows = range(len(atlas)) if len(atlas) <= _MOST else [r for r in range(len(atlas)) if not atlas.paths[r]]
    keys = {thumbnails.key_of(atlas[row]): row for row in rows}
    if not keys:
        return b""
    present = thumbnails.present(list(keys))
    for key, row in keys.items():
        if key not in present and atlas[row].live is not None and not atlas[row].path:
            _make(atlas, row, key, thumbnails)
    found = thumbnails.jpegs(list(keys))
    if not found:
        return b""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(found):
            archive.writestr(zipfile.ZipInfo(key, _SAME_DAY), found[key])
    return content.getvalue()


def unpack(data: bytes, atlas: Atlas, thumbnails: Thumbnails) -> None:
    """Keep the thumbnails of this atlas that are not here yet.

    Raises
    ------
    ValueError
        If they are damaged.
    """
    keys = {thumbnails.key_of(micrograph) for micrograph in atlas}
    wanted = keys - thumbnails.present(list(keys))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename in wanted and entry.file_size < _LARGEST]
            thumbnails.put_jpegs([(entry.filename, archive.read(entry)) for entry in entries])
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as reason:
        raise ValueError(str(reason)) from reason


def _make(atlas: Atlas, row: int, key: str, thumbnails: Thumbnails) -> None:
    from napari_micromap.recipe import thumbnail

    with contextlib.suppress(Problem):  # the layer was closed meanwhile
        thumbnails.put(key, thumbnail(atlas[row].specimen(max_side=256)))
