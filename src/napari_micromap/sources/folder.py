"""Micrographs in a folder and its subfolders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Role, UnreadableFile
from napari_micromap.microscopy.annotations import annotation
from napari_micromap.microscopy.bar import Bar, agreed_bar
from napari_micromap.microscopy.cropping import crop_bar
from napari_micromap.microscopy.files import PictureFile, open_picture
from napari_micromap.microscopy.header import Header
from napari_micromap.microscopy.pixels import header_of, pixels_of
from napari_micromap.microscopy.tiff import TiffPicture
from napari_micromap.problems import Problem, TooLarge, Unreadable
from napari_micromap.sources.identity import content_hash, ids_of
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

PICTURES = frozenset(
    {".tif", ".tiff", ".btf", ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".gif"}
    | {".jp2", ".j2k", ".jpx", ".avif", ".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".pcx", ".sgi", ".psd"}
    | {".dcm", ".dicom", ".spe", ".fits", ".fit", ".exr"}
)
# Formats of microscopes that are not read: named among the unreadable, since a user who has them waits for them.
CLOSED_FORMATS = frozenset(
    {".dm3", ".dm4", ".emd", ".ser", ".mrc", ".bcf", ".czi", ".nd2", ".lif", ".oib", ".oif", ".vsi", ".ims"}
)
LARGEST_IN_MEMORY = 2**28  # bytes; larger files are read from disk piece by piece
READERS = 4  # at once; each may hold a picture of the largest size

# What belongs to the microscope; the roles that users can change later.
IMAGING = ("um_per_px", "magnification", "detector", "kv", "working_distance_mm", "date", "instrument", "vendor")


@dataclass(frozen=True)
class Folder:
    """All pictures in a folder; files that hold none are left alone.

    Parameters
    ----------
    path : Path
        The folder, or one file.
    recursive : bool
        Look into subfolders as well.
    """

    path: Path
    recursive: bool = True

    def __call__(self) -> Work[Atlas]:
        """List and read the pictures; each page of a file is a micrograph.

        Raises
        ------
        Problem
            If there is not one that can be read.
        """
        found, base, unreadable = yield from self.files()
        return (yield from read_files(found, base, unreadable))

    def files(self) -> Work[tuple[list[Path], Path, list[UnreadableFile]]]:
        """List the pictures, in order, without reading them; the folder that names begin at; what cannot be read."""
        root = Path(self.path).expanduser().absolute()
        found, unreadable = yield from listed(root, self.recursive)
        if not found:
            raise _nothing_in(root, self.recursive, unreadable)
        return found, root if root.is_dir() else root.parent, unreadable


def read_files(
    found: Sequence[Path],
    base: Path,
    unreadable: list[UnreadableFile],
    none_is_fine: bool = False,
    in_parts: bool = False,
) -> Work[Atlas]:
    """Read files, in this order; the column *folder* says where below ``base`` they lie.

    With ``in_parts`` pictures that are too large for memory are taken in where parts of them can be read.
    """
    rows = _Rows(base)
    read = partial(_read, in_parts=in_parts)
    with closing(in_order(read, found, min(READERS, os.cpu_count() or 1))) as reading:
        for done, (path, file) in enumerate(zip(found, reading), start=1):
            yield Progress("Reading", done, len(found), path.name)
            rows.add(path, file)
    unreadable = unreadable + rows.unreadable
    if not rows.contents and not none_is_fine:
        example = f"{Path(unreadable[0].path).name}: {unreadable[0].reason}"
        raise Problem(f"None of the {len(found)} pictures in “{base.name}” can be read. {example}")
    return rows.atlas(unreadable)


# ---------------------------------------------------------------------- which files


def natural(path: str) -> tuple[Any, ...]:
    """Return a key that sorts as people do: 2 before 10, folder by folder."""
    parts = path.replace("\\", "/").split("/")
    folded = tuple(
        tuple(
            (0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in re.split(r"(\d+)", part.casefold())
        )
        for part in parts
    )
    return (*folded, ((2, 0, path),))


def listed(root: Path, recursive: bool) -> Work[tuple[list[Path], list[UnreadableFile]]]:
    """Find what looks like a picture, in natural order."""
    if root.is_file():
        return [root], []
    if not root.is_dir():
        raise Problem(f"There is no folder “{root}”; choose one that is there.")
    yield Progress("Looking", 0, 0, root.name)
    found: list[Path] = []
    unreadable: list[UnreadableFile] = []
    for folder, names in _folders(root, recursive, unreadable):
        for name in names:
            suffix = Path(name).suffix.lower()
            if suffix in PICTURES:
                found.append(folder / name)
            elif suffix in CLOSED_FORMATS:
                reason = f"Files of the kind {suffix} are not read; export them as TIFF from the microscope's software."
                unreadable.append(UnreadableFile(str(folder / name), reason))
        yield Progress("Looking", len(found), 0, folder.name)
    return sorted(found, key=lambda path: natural(path.relative_to(root).as_posix())), unreadable


def _folders(root: Path, recursive: bool, unreadable: list[UnreadableFile]) -> Iterator[tuple[Path, list[str]]]:
    """Walk through folders but hidden ones and saved sessions; linked ones too, each once."""

    def refused(error: OSError) -> None:
        unreadable.append(UnreadableFile(str(error.filename), "You have no permission to look into this folder."))

    seen = {os.path.realpath(root)}
    for folder, below, names in os.walk(root, followlinks=True, onerror=refused):
        kept = []
        for name in below if recursive else ():
            real = os.path.realpath(os.path.join(folder, name))
            if not _is_hidden(name) and not name.lower().endswith(".micromap") and real not in seen:
                seen.add(real)
                kept.append(name)
        below[:] = kept
        yield Path(folder), [name for name in names if not _is_hidden(name)]


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name in ("__MACOSX", "$RECYCLE.BIN", "System Volume Information")


def _nothing_in(root: Path, recursive: bool, unreadable: Sequence[UnreadableFile]) -> Problem:
    if unreadable:
        return Problem(f"No picture in “{root.name}” can be read. {unreadable[0].reason}")
    elsewhere = "" if recursive else " here (its subfolders were left out)"
    return Problem(
        f"There are no pictures in “{root.name}”{elsewhere}; choose a folder with TIFF, PNG, JPEG, BMP or WebP files."
    )


# ---------------------------------------------------------------------- one file


@dataclass(frozen=True)
class _Page:
    number: int
    header: Header
    width: int
    height: int
    dtype: str
    bar: Bar
    annotation: str | None


@dataclass(frozen=True)
class _File:
    content: str = ""
    pages: tuple[_Page, ...] = ()
    reasons: tuple[tuple[int | None, str], ...] = ()  # number of the page or None for the whole file, and why


def _read(path: Path, in_parts: bool = False) -> _File:
    """Read a file once: who it is, what it says, and that its pixels can be had."""
    try:
        if not path.is_file():
            raise Unreadable("The file is not there any more.")
        data = path.read_bytes() if path.stat().st_size <= LARGEST_IN_MEMORY else None
        content = content_hash(path if data is None else data)
        with open_picture(path, data) as file:
            return _read_pages(file, content, in_parts)
    except Unreadable as reason:
        return _File(reasons=((None, str(reason)),))
    except OSError as error:
        return _File(reasons=((None, f"The file cannot be read ({error.strerror or error})."),))


def _read_pages(file: PictureFile, content: str, in_parts: bool = False) -> _File:
    pages, reasons = [], []
    for number in file.pages:
        try:
            header = header_of(file, number)
            pixels = pixels_of(file, number)
        except TooLarge as reason:
            if in_parts and isinstance(file, TiffPicture) and file.has_parts(number):
                height, width = file.size(number)
                bar = Bar(header.bar_rows or 0, "bottom", "header" if header.bar_rows else "none: too large")
                pages.append(_Page(number, header, width, height, file.dtype(number), bar, None))
            else:
                reasons.append((number if len(file.pages) > 1 else None, str(reason)))
            continue
        except Unreadable as reason:
            reasons.append((number if len(file.pages) > 1 else None, str(reason)))
            continue
        height, width = pixels.shape[:2]
        bar = agreed_bar(header.bar_rows, pixels)
        drawn = annotation(crop_bar(pixels, bar.rows, bar.side))
        pages.append(_Page(number, header, width, height, str(pixels.dtype), bar, drawn))
    return _File(content, tuple(pages), tuple(reasons))


# ---------------------------------------------------------------------- rows


class _Rows:
    """Rows of the atlas as they come."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self.contents: list[tuple[str, int]] = []
        self.unreadable: list[UnreadableFile] = []
        self._paths: list[str] = []
        self._pages: list[int] = []
        self._values: list[dict[str, Any]] = []
        self._stacks = False

    def add(self, path: Path, file: _File) -> None:
        """Append the pages of a file, and name those that cannot be read."""
        for number, reason in file.reasons:
            which = "" if number is None else f"Page {number + 1}: "
            self.unreadable.append(UnreadableFile(str(path), which + reason))
        if not file.pages:
            return
        self._stacks |= len(file.pages) > 1
        folder = path.parent.relative_to(self._base).as_posix()
        for page in file.pages:
            self.contents.append((file.content, page.number))
            self._paths.append(str(path))
            self._pages.append(page.number)
            self._values.append({"file": path.name, "folder": "" if folder == "." else folder, **_columns(page)})

    def atlas(self, unreadable: Sequence[UnreadableFile]) -> Atlas:
        """Put the rows together."""
        columns = own_columns(self._values)
        if self._stacks:
            columns["page"] = np.asarray(self._pages) + 1
        return Atlas(
            columns=columns,
            ids=ids_of(self.contents),
            paths=np.asarray(self._paths, np.str_),
            pages=np.asarray(self._pages, np.int32),
            unreadable=tuple(unreadable),
            roles=MappingProxyType(dict(guessed_roles())),
        )


def _columns(page: _Page) -> dict[str, Any]:
    said = {field.name: getattr(page.header, field.name) for field in fields(Header) if field.name in OWN_COLUMNS}
    # The day alone: it tells sessions at the microscope apart, and groups what was taken together.
    day = page.header.date[:10] if page.header.date else None
    measured = {"width": page.width, "height": page.height, "dtype": page.dtype, "annotation": page.annotation}
    return {**said, **measured, **page.bar.columns, "date": day}


def own_columns(values: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the columns that files and headers fill, each with one type whatever is missing."""
    whole, real = ("width", "height", "bar_rows"), ("um_per_px", "magnification", "kv", "working_distance_mm")
    columns = pd.DataFrame(list(values), columns=list(OWN_COLUMNS))
    columns["scale_from"] = np.where(columns["um_per_px"].astype(float) > 0, "header", "")
    types: dict[str, Any] = {name: int if name in whole else float if name in real else object for name in OWN_COLUMNS}
    return columns.astype(types)


def guessed_roles() -> dict[str, Role]:
    """Return the roles of the columns that files and headers fill."""
    return {name: "imaging" if name in IMAGING else "other" for name in OWN_COLUMNS}
