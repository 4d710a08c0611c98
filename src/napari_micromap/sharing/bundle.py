"""One zip with images, table and session, that opens on any machine."""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from napari_micromap.problems import Problem
from napari_micromap.sharing.csv import save_csv
from napari_micromap.sharing.methods import methods_of
from napari_micromap.sharing.snapshot import Snapshot
from napari_micromap.store.sessions import save_session
from napari_micromap.wording import counted, name_of
from napari_micromap.work import Progress, Work

_PACKED_ALREADY = {".png", ".jpg", ".jpeg", ".webp", ".jp2"}


def save_bundle(shared: Snapshot, path: Path | str) -> Work[Path]:
    """Write images, ``table.csv``, ``methods.txt`` and the session into a zip, with paths relative to one another.

    The session in it opens wherever the zip is unpacked. Pictures of layers that are no files go along as thumbnails.
    """
    path = Path(path)
    name = PurePath(name_of(shared.atlas) or "micrographs").name
    part = path.with_name(f".{path.name}.part")
    try:
        with tempfile.TemporaryDirectory() as folder, _zip(part) as archive:
            inside = _places(shared)
            yield from _add_session(shared, archive, Path(folder), name, inside)
            archive.write(save_csv(shared, Path(folder) / "table.csv"), f"{name}/table.csv")
            archive.writestr(f"{name}/methods.txt", methods_of(shared) + "\n")
            lost = yield from _add_images(archive, name, inside)
            archive.writestr(f"{name}/README.txt", _note(name, shared, lost))
        os.replace(part, path)
    except OSError as error:
        raise Problem(f"“{path}” cannot be written ({error.strerror or error}); name another file.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _zip(path: Path) -> zipfile.ZipFile:
    # Instruments write files without a date: a zip begins in 1980.
    return zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)


def _places(shared: Snapshot) -> dict[str, str]:
    """Return where each file lies in the zip: below ``images``, in its own subfolders."""
    columns, places = shared.atlas.columns, dict[str, str]()
    taken: set[str] = set()
    for path, folder in zip(shared.atlas.paths.tolist(), columns["folder"].fillna("").astype(str)):
        if not path or path in places:
            continue
        below = [piece for piece in PurePath(folder.replace("\\", "/")).parts if piece not in ("/", "..", ".")]
        wanted = "/".join(["images", *(piece.replace(":", "_") for piece in below), PurePath(path).name])
        pure, number = PurePath(wanted), 2
        while wanted.lower() in taken:
            wanted = f"{pure.with_suffix('')} {number}{pure.suffix}"
            number += 1
        taken.add(wanted.lower())
        places[path] = wanted
    return places


def _add_session(
    shared: Snapshot, archive: zipfile.ZipFile, folder: Path, name: str, inside: dict[str, str]
) -> Work[None]:
    """Save the session as if its images lay beside it already."""
    paths = [str(folder / name / inside[path]) if path else "" for path in shared.atlas.paths.tolist()]
    atlas = replace(shared.atlas, paths=np.array(paths, np.str_).reshape(len(shared.atlas)))
    saved = yield from save_session(folder / name / f"{name}.micromap", atlas, shared.state, shared.thumbnails)
    for file in sorted(saved.iterdir()):
        archive.write(file, f"{name}/{saved.name}/{file.name}")


def _add_images(archive: zipfile.ZipFile, name: str, inside: dict[str, str]) -> Work[int]:
    lost = 0
    for done, (path, place) in enumerate(inside.items()):
        yield Progress("Packing images", done, len(inside), PurePath(path).name)
        how = zipfile.ZIP_STORED if PurePath(path).suffix.lower() in _PACKED_ALREADY else zipfile.ZIP_DEFLATED
        if Path(path).is_file():
            archive.write(path, f"{name}/{place}", how)
        else:
            lost += 1
    return lost


def _note(name: str, shared: Snapshot, lost: int) -> str:
    lines = [
        f"Unpack everything, and drop {name}.micromap on the dock of napari-micromap to open the map.",
        "images/      the micrographs as they are",
        "table.csv    places on the map, samples, properties, tags",
        "methods.txt  how the map was made",
    ]
    without = sum(not path for path in shared.atlas.paths.tolist())
    if without:
        lines.append(f"{counted(without, 'image')} came from layers without a file: as thumbnails in the map only.")
    if lost:
        lines.append(f"{counted(lost, 'image file')} could not be found when this was packed.")
    return "\n".join(lines) + "\n"
