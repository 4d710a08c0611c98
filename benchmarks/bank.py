"""Two hundred rendered films, embedded once, that simulations draw from.

    python benchmarks/bank.py [--films 200] [--folder FOLDER]

Each film is photographed at three magnifications, and in three sessions at the microscope, as operators leave it: at
0.7 of the usual pixel size with another gamma and out of focus; as usual; at 1.4 with shading, flickering lines and
noise. One file a film lies in the cache folder, so that a run that is broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_micromap.backbones import Network
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.embedding.inference import Inference
from napari_micromap.places import cache_folder
from napari_micromap.recipe import Recipe, prepare
from napari_micromap.sources.films.detector import photograph
from napari_micromap.sources.films.files import HEIGHT, UM_PER_PX, WIDTH
from napari_micromap.sources.films.recipes import elsewhere, make_films
from napari_micromap.sources.films.surface import Film, grow, smooth_noise
from napari_micromap.streaming import Stop

VERSION, FILMS, SEED = 3, 200, 7
# (µm per px over the usual, way of working) to number of pictures
TAKEN = {(1.0, "a"): 3, (0.5, "a"): 2, (2.0, "a"): 2, (0.7, "b"): 2, (1.4, "c"): 2}
MAGNIFICATIONS = (0.5, 1.0, 2.0)
SESSIONS = ((0.7, "b"), (1.0, "a"), (1.4, "c"))


@dataclass(frozen=True, eq=False)
class Bank:
    """Embeddings of films: ``taken[scale, way]`` is (films, pictures, d); ``quality`` (films,) has mean 0, spread 1."""

    taken: dict[tuple[float, str], NDArray[np.float32]]
    quality: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.quality)


def folder_of(films: int) -> Path:
    return cache_folder() / "benchmarks" / f"films-{films}-seed{SEED}-v{VERSION}"


def render(film: Film, scale: float, way: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Photograph one place of a film in one way."""
    surface = grow(elsewhere(film, rng), (HEIGHT, WIDTH), UM_PER_PX * scale, rng)
    picture = photograph(surface, rng).astype(np.float32)
    if way == "b":
        from scipy.ndimage import gaussian_filter

        picture = gaussian_filter(65535 * (picture.clip(0, 65535) / 65535) ** 0.6, 2.0)
    if way == "c":
        lines = rng.normal(1, 0.05, (HEIGHT, 1)).astype(np.float32)
        picture = picture * lines * (1 + 0.15 * smooth_noise(picture.shape, 90.0, rng))
        picture += 4000 * rng.standard_normal(picture.shape, dtype=np.float32)
    return picture.clip(0, 65535)


def embed_film(film: Film, index: int, network: Network) -> dict[str, NDArray[np.float32]]:
    recipe, inference = Recipe(), Inference(network, Recipe())
    found = {}
    for number, ((scale, way), count) in enumerate(TAKEN.items()):
        rngs = (np.random.default_rng([SEED, index, number, picture]) for picture in range(count))
        prepared = [prepare(render(film, scale, way, rng), recipe) for rng in rngs]
        found[f"{scale:g} {way}"] = inference.vectors(prepared, recipe.views, Stop())
    return found


@functools.cache
def bank(films: int = FILMS, folder: Path | None = None) -> Bank:
    """Return the bank; films that are not there yet are rendered and embedded."""
    folder = folder or folder_of(films)
    folder.mkdir(parents=True, exist_ok=True)
    made, network = make_films(films, SEED), None
    kept = []
    for index, one in enumerate(made):
        path = folder / f"{index:03d}.npz"
        if not path.exists():
            network = network or EfficientNetLite0().load("cpu")
            found = embed_film(one.film, index, network)
            part = path.with_suffix(".part.npz")
            np.savez(part, **found)
            part.replace(path)
        with np.load(path) as stored:
            kept.append({key: stored[key] for key in stored.files})
    taken = {(s, w): np.stack([one[f"{s:g} {w}"] for one in kept]) for s, w in TAKEN}
    blocked = np.array([one.film.porosity / 0.11 + one.film.needles / 0.16 for one in made])
    quality = np.exp(-blocked)
    return Bank(taken, (quality - quality.mean()) / quality.std())


def main() -> None:
    """Render and embed what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=FILMS)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    made = bank(args.films, args.folder)
    shapes = {f"{scale:g}x {way}": one.shape for (scale, way), one in made.taken.items()}
    print(f"{len(made)} films; {shapes}")


if __name__ == "__main__":
    main()
