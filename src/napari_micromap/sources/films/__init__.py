"""Sample data: made-up film surfaces with a made-up property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Role
from napari_micromap.microscopy.bar import FROM_PIXELS, Bar
from napari_micromap.places import cache_folder
from napari_micromap.problems import Problem
from napari_micromap.sources.films import files
from napari_micromap.sources.films.detector import photograph
from napari_micromap.sources.films.recipes import MadeFilm, elsewhere, make_films
from napari_micromap.sources.films.surface import Film, Surface, grow
from napari_micromap.sources.folder import guessed_roles, own_columns
from napari_micromap.sources.identity import content_hash, ids_of
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

VERSION = 1  # of what the films look like: another version lies in another folder
ENTRY = "films.json"  # says that the folder is ours, and what its files contain
PROPERTY, TEMPERATURE = "Jc (MA/cm²)", "anneal temperature (°C)"
ROLES: Mapping[str, Role] = MappingProxyType(
    {"film": "sample", PROPERTY: "property", TEMPERATURE: "processing", "batch": "batch"}
)
_NOTE = (
    "The pictures in this folder are drawn by napari-micromap, and the values in films.csv are made up.\n"
    "They are for trying the program out; nothing about real films can be learned from them.\n"
)


@dataclass(frozen=True)
class Films:
    """Sample data: surfaces of REBCO-like films as an electron microscope would show them, and one Jc a film.

    Jc falls with the share of pores and of needles; pictures and values are made up.

    Parameters
    ----------
    films : int
        How many films.
    images : int
        Pictures of each film.
    seed : int
        Another seed makes other films.
    folder : Path or None
        Where the pictures and ``films.csv`` are written, and found again; the user's cache if left out.
    """

    films: int = 36
    images: int = 4
    seed: int = 0
    folder: Path | None = None

    def __call__(self) -> Work[Atlas]:
        """Draw the pictures that are not there yet, and gather them."""
        if not (1 <= self.films <= 999 and 1 <= self.images <= 99 and self.seed >= 0):
            raise Problem("Choose 1 to 999 films, 1 to 99 images of each, and a seed of 0 or more.")
        folder = self.folder or cache_folder() / f"films-{self.films}x{self.images}-seed{self.seed}-v{VERSION}"
        folder = folder.expanduser().absolute()
        known = self._claim(folder)
        made = make_films(self.films, self.seed)
        pictures = [
            _Picture(film, index, image, self.seed) for index, film in enumerate(made) for image in self._places
        ]
        contents: dict[str, str] = {}
        for picture, content in zip(pictures, in_order(lambda picture: picture.written(folder, known), pictures)):
            contents[picture.file] = content
            yield Progress("Drawing films", len(contents), len(pictures), note=picture.file)
        if contents != known:
            self._finish(folder, made, contents)
        return _atlas(folder, pictures, contents)

    @property
    def _places(self) -> range:
        return range(1, self.images + 1)

    def _claim(self, folder: Path) -> dict[str, str]:
        """Make the folder ours; return what the files in it should contain, as far as it is known."""
        entry = folder / ENTRY
        is_ours = self._entry({})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = json.loads(entry.read_bytes()) if entry.exists() else None
        except OSError as error:
            raise Problem(
                f"The films cannot be written to {folder} ({error.strerror}); choose another folder."
            ) from error
        except ValueError:
            found = is_ours  # only an own entry can lie there; what it said is lost, so all is drawn anew
        if found is None:
            if any(folder.iterdir()):
                raise Problem(f"{folder} holds other files; choose an empty folder for the films.")
            files.replace_file(entry, json.dumps(is_ours, indent=1).encode())
            return {}
        if not isinstance(found, dict) or {**found, "files": {}} != is_ours:
            raise Problem(f"{folder} holds other films; choose an empty folder for these.")
        return {str(name): str(content) for name, content in found["files"].items()}

    def _finish(self, folder: Path, made: list[MadeFilm], contents: Mapping[str, str]) -> None:
        table = pd.DataFrame([_values(film) for film in made])
        files.replace_file(folder / "films.csv", table.to_csv(index=False).encode("utf-8-sig"))
        files.replace_file(folder / "README.txt", _NOTE.encode())
        files.replace_file(folder / ENTRY, json.dumps(self._entry(contents), indent=1).encode())

    def _entry(self, contents: Mapping[str, str]) -> dict[str, Any]:
        parameters = {"films": self.films, "images": self.images, "seed": self.seed}
        return {"made_by": "napari-micromap Films", "version": VERSION, **parameters, "files": dict(contents)}


def render(film: Film, rng: np.random.Generator) -> tuple[NDArray[np.uint16], Surface]:
    """Draw one picture of a film, (h, w) without a data bar, and return it with the true masks of what it shows."""
    surface = grow(film, (files.HEIGHT, files.WIDTH), files.UM_PER_PX, rng)
    return photograph(surface, rng), surface


@dataclass(frozen=True)
class _Picture:
    made: MadeFilm
    index: int
    image: int  # from 1
    seed: int

    @property
    def file(self) -> str:
        return f"{self.made.name}_{files.MAGNIFICATION // 1000}kx_SE_{self.image:02d}.tif"

    def written(self, folder: Path, known: Mapping[str, str]) -> str:
        """Write the picture unless it is there and whole; return the hash of its file."""
        path = folder / self.file
        if self.file in known and path.is_file() and content_hash(path.read_bytes()) == known[self.file]:
            return known[self.file]
        rng = np.random.default_rng([self.seed, self.index, self.image])
        specimen, _ = render(elsewhere(self.made.film, rng), rng)
        content = files.as_tiff(specimen, self.file.removesuffix(".tif"))
        files.replace_file(path, content)
        return content_hash(content)


def _values(film: MadeFilm) -> dict[str, Any]:
    return {"film": film.name, PROPERTY: film.jc, TEMPERATURE: film.temperature, "batch": film.batch}


def _atlas(folder: Path, pictures: list[_Picture], contents: Mapping[str, str]) -> Atlas:
    written = {
        "folder": "", "width": files.WIDTH, "height": files.HEIGHT + files.BAR_ROWS, "dtype": "uint16",
        **Bar(files.BAR_ROWS, "bottom", FROM_PIXELS).columns,
        "um_per_px": files.UM_PER_PX, "magnification": files.MAGNIFICATION,
        "detector": "SE", "kv": files.KV, "working_distance_mm": files.WORKING_DISTANCE_MM,
    }  # fmt: skip
    columns = own_columns([{"file": picture.file, **written} for picture in pictures])
    made_up = pd.DataFrame([_values(picture.made) for picture in pictures], index=columns.index)
    return Atlas(
        columns=pd.concat([columns, made_up], axis=1),
        ids=ids_of((contents[picture.file], 0) for picture in pictures),
        paths=np.array([str(folder / picture.file) for picture in pictures], np.str_),
        pages=np.zeros(len(pictures), np.int32),
        roles=MappingProxyType({**guessed_roles(), **ROLES}),
        synthetic=(PROPERTY, TEMPERATURE, "batch"),
    )
