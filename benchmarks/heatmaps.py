"""Do the pictures of where a property shows tell the truth? Four trials that can fail, on rendered films.

    python benchmarks/heatmaps.py [--films 80] [--draws 10] [--seed 0] [--json]

A made-up property falls with porosity; each film also has dark lines that have no effect. (1) The drawn map's mean is
prediction − base. (2) A film is rendered again without the pores of one quarter, all else (noise, lines and their gray)
the same: the prediction must change by about what that quarter showed. (3) Pores must be told from equally dark lines;
darkness alone cannot. (4) With shuffled values, and with a network of random weights, nothing of (2) and (3) may hold.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.backbones import Network
from napari_micromap.backbones.efficientnet_lite import PUBLISHED, TAPS, EfficientNetLite0, build_trunk
from napari_micromap.backbones.network import CnnNetwork
from napari_micromap.questions.locating import channels_of, depths_split, mean_maps
from napari_micromap.recipe import Recipe, batch_of, prepare
from napari_micromap.sources.films.detector import photograph
from napari_micromap.sources.films.surface import Film, Surface, grow
from napari_micromap.statistics.units import units_of
from napari_micromap.statistics.where import Readout, readout_of, split

SHAPE, UM_PER_PX, GRID = (480, 480), 0.012, 28
Maps = list[NDArray[np.float32]]


@dataclass
class Rendered:
    """A picture, and in which cells of the grid pores and harmless lines lie."""

    porosity: float
    maps: Maps
    darkness: NDArray[np.float64]
    pores: NDArray[np.float64]
    lines: NDArray[np.float64]
    without: tuple[Maps, tuple[slice, slice]] | None = None  # maps without the pores of one quarter of the grid


def film_of(rng: np.random.Generator) -> Film:
    return Film(
        porosity=float(rng.uniform(0.01, 0.18)), needles=0.02, grain_um=float(rng.uniform(0.3, 0.45)), pore_um=0.24,
        outgrowths_per_um2=0.05,
    )  # fmt: skip


def photographed(film: Film, seed: int, quarter: tuple[slice, slice] | None) -> tuple[np.ndarray, Surface, np.ndarray]:
    """Render a film with harmless dark lines; without the pores of a quarter, all else the same."""
    surface = grow(film, SHAPE, UM_PER_PX, np.random.default_rng([seed, 1]))
    whole = photograph(surface, np.random.default_rng([seed, 2])).astype(np.float64)
    # of the film with all its pores: else the lines would change where a quarter's pores go
    dark = np.median(whole[surface.pores]) if surface.pores.any() else 0.3 * np.median(whole)
    if quarter is not None:
        bare = grow(replace(film, porosity=0.0), SHAPE, UM_PER_PX, np.random.default_rng([seed, 1]))
        height, pores = surface.height.copy(), surface.pores.copy()
        height[quarter], pores[quarter] = bare.height[quarter], False
        surface = Surface(height, pores, surface.needles, surface.outgrowths)
    picture = photograph(surface, np.random.default_rng([seed, 2])).astype(np.float64)
    lines = dark_lines(np.random.default_rng([seed, 3]))
    picture[lines] = dark * np.random.default_rng([seed, 4]).normal(1, 0.1, lines.sum())
    return picture.clip(0, 65535).astype(np.uint16), surface, lines


def dark_lines(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    lines = np.zeros(SHAPE, bool)
    for _ in range(rng.integers(3, 9)):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * SHAPE[0]
        lines |= np.abs((x - SHAPE[1] / 2) * np.cos(angle) + (y - SHAPE[0] / 2) * np.sin(angle) - offset) < 3
    return lines


def on_grid(values: np.ndarray) -> np.ndarray:
    from skimage.transform import resize

    return np.asarray(resize(values.astype(np.float64), (GRID, GRID), anti_aliasing=True))


def rendered(count: int, seed: int, network: Network) -> list[Rendered]:
    films = []
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        film, key = film_of(rng), int(rng.integers(2**31))
        picture, surface, lines = photographed(film, key, None)
        one = Rendered(
            film.porosity,
            mean_maps(network, picture, Recipe()),
            -on_grid(picture),
            on_grid(surface.pores),
            on_grid(lines),
        )
        if i % 2 == 0:
            half = GRID // 2
            top, left = rng.integers(2) * half, rng.integers(2) * half
            cells = (slice(top, top + half), slice(left, left + half))
            pixels = tuple(slice(int(c.start * SHAPE[0] / GRID), int(c.stop * SHAPE[0] / GRID)) for c in cells)
            one.without = (mean_maps(network, photographed(film, key, pixels)[0], Recipe()), cells)  # type: ignore[arg-type]
        films.append(one)
    return films


def embedding(maps: Maps) -> np.ndarray:
    pooled = [one.mean(axis=(1, 2)) for one in maps]
    return np.concatenate([p / np.linalg.norm(p) for p in pooled])


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative)))


def pores_against_lines(films: list[Rendered], shown: Callable[[Rendered], np.ndarray]) -> float:
    """Return the median AUC, over films, of telling cells with pores from cells with lines."""
    found = []
    for one in films:
        pores, lines = (one.pores > 0.35) & (one.lines < 0.1), (one.lines > 0.35) & (one.pores < 0.1)
        if min(pores.sum(), lines.sum()) >= 5:
            found.append(area_under_curve(shown(one)[pores], shown(one)[lines]))
    return float(np.median(found))


def random_network(seed: int) -> Network:
    """Return the same network with random weights; its normalizations fit films, so that no layer is dead."""
    import torch

    torch.manual_seed(seed)
    trunk = build_trunk()
    pictures = (photographed(film_of(np.random.default_rng(i)), i, None)[0] for i in range(8))
    batch = batch_of([prepare(picture, Recipe()) for picture in pictures])
    for module in trunk.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        trunk.train()((batch - PUBLISHED.mean[0]) / PUBLISHED.std[0])
    return CnnNetwork(trunk, TAPS, PUBLISHED, "random", "cpu")


def trial(films: list[Rendered], values: np.ndarray, all_depths: bool = False) -> dict[str, float]:
    vectors = np.array([embedding(one.maps) for one in films])
    units = units_of(values, [f"f{i:03d}" for i in range(len(films))])
    depths = len(films[0].maps) if all_depths else depths_split(vectors, units, films[0].maps)
    vectors = vectors[:, : channels_of(films[0].maps[:depths])]
    readout: Readout = readout_of(vectors, units, refits=0)
    predicted = readout.predict(vectors)
    shares = [split(one.maps[:depths], readout).share for one in films]
    off = [abs(s.mean() - (p - readout.base)) for s, p in zip(shares, predicted)]
    changes, showed, within = [], [], []
    for one, p, share in zip(films, predicted, shares):
        if one.without is not None:
            maps, cells = one.without[0][:depths], one.without[1]
            changes.append(p - readout.predict(embedding(maps)[None])[0])
            showed.append(share[cells].sum() / share.size)
            within.append(showed[-1] - split(maps, readout).share[cells].sum() / share.size)
    return {
        "mean off, in spreads of the prediction": float(max(off) / predicted.std()),
        "one quarter's pores: r": float(np.corrcoef(showed, changes)[0, 1]),
        "one quarter's pores: slope": float(np.polyfit(showed, changes, 1)[0]),
        "… of what changes within the quarter: r": float(np.corrcoef(showed, within)[0, 1]),
        "pores against equally dark lines: AUC": pores_against_lines(
            films, lambda one: -split(one.maps[:depths], readout).share
        ),
    }  # fmt: skip


def summed_up(trials: list[dict[str, float]]) -> dict[str, list[float]]:
    """Return median, least and most of each figure: one draw of a property's chance says little."""
    return {k: [float(np.quantile([one[k] for one in trials], q)) for q in (0.5, 0, 1)] for k in trials[0]}


def main() -> None:
    """Run the trials and print them beside what they must not reach."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=80)
    parser.add_argument("--draws", type=int, default=10, help="of the chance in the property")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    rows: dict[str, dict[str, list[float]]] = {}

    def note(name: str, trials: list[dict[str, float]]) -> None:
        rows[name] = summed_up(trials)
        for what, (median, least, most) in rows[name].items() if not args.json else ():
            print(f"{name:18} {what:42} {median:.3g}  ({least:.3g} to {most:.3g})", flush=True)

    films = rendered(args.films, args.seed, EfficientNetLite0().load("cpu"))
    porosity = np.array([one.porosity for one in films])
    draws = [rng.normal(-100 * porosity, 1.0) for _ in range(args.draws)]
    note("pretrained", [trial(films, values) for values in draws])
    note("… all depths", [trial(films, values, all_depths=True) for values in draws])
    note("shuffled values", [trial(films, rng.permutation(values)) for values in draws])
    dark = pores_against_lines(films, lambda one: one.darkness)
    note("darkness alone", [{"pores against equally dark lines: AUC": dark}])
    untrained = rendered(args.films, args.seed, random_network(args.seed))
    note("random weights", [trial(untrained, values) for values in draws])
    if args.json:
        print(json.dumps({"films": args.films, "seed": args.seed, "rows": rows}))


if __name__ == "__main__":
    main()
