"""Micrographs from several folders and files at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from napari_micromap.atlas import Atlas, UnreadableFile
from napari_micromap.problems import Problem
from napari_micromap.sources.folder import listed, natural, read_files
from napari_micromap.work import Work


@dataclass(frozen=True)
class Several:
    """All pictures in some folders, and single files; what is named twice comes once.

    Not in the table of sources, because a list of paths fits in no form.

    Parameters
    ----------
    paths : tuple of Path
        Folders and files.
    """

    paths: tuple[Path, ...]

    def __call__(self) -> Work[Atlas]:
        """List and read the pictures; the column *folder* begins below the folder that all have in common."""
        files, base, unreadable = yield from self.files()
        return (yield from read_files(files, base, unreadable))

    def files(self) -> Work[tuple[list[Path], Path, list[UnreadableFile]]]:
        """List the pictures, in order, without reading them; the folder that names begin at; what cannot be read."""
        roots = [Path(path).expanduser().absolute() for path in self.paths]
        base = _common([root if root.is_dir() else root.parent for root in roots])
        found: dict[str, Path] = {}
        unreadable: dict[str, UnreadableFile] = {}
        for root in roots:
            files, refused = yield from listed(root, True)
            found |= {os.path.realpath(path): path for path in files if os.path.realpath(path) not in found}
            unreadable |= {file.path: file for file in refused}
        if not found:
            names = ", ".join(f"“{root.name}”" for root in roots)
            raise Problem(f"There are no pictures in {names}; name folders with TIFF, PNG, JPEG, BMP or WebP files.")
        in_order = sorted(found.values(), key=lambda path: natural(path.as_posix()))
        return in_order, base, list(unreadable.values())


def _common(folders: list[Path]) -> Path:
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # two drives
        raise Problem("Pictures of one map must lie on one drive; copy them beside one another.") from None
