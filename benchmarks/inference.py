"""False alarms and power of the tests by sample, on simulated vectors and on rendered films.

    python benchmarks/inference.py [--repeats 1000] [--seed 0] [--permutations 499] [--only TEXT] [--json]
    python benchmarks/inference.py --speed [--json]

Each cell counts how often p ≤ .05 in ``repeats`` simulated collections, with a 95 % Clopper–Pearson interval, beside
its target. Rows of the group "must fail" are the obvious tests, on the same data: if they gave no false alarms, the
simulation would be blunt. Films come from ``bank.py``, which renders and embeds them once. ``--only`` runs the cells
whose group or name contains the text, so that a long run can be done in pieces.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from bank import MAGNIFICATIONS, SESSIONS, bank
from numpy.typing import NDArray
from scipy import stats

from napari_micromap.statistics import NuisanceColumn, StructureTest, Units, nuisance_of, units_of
from napari_micromap.statistics.confounders import suspect
from napari_micromap.statistics.evidence import standardized
from napari_micromap.statistics.regions import RegionScan

Array = NDArray[np.float64]
EXACT, ADJUSTED, BITES = (0.033, 0.069), (0.0, 0.08), (0.3, 1.0)  # shares that a cell may reach


@dataclass
class Collection:
    """A simulated collection: (n, d) embeddings, the sample of each, and per sample what a property could follow."""

    embeddings: NDArray[np.floating]
    sample_of: NDArray[np.intp]
    signal: Array  # (S,) mean 0, spread 1
    rng: np.random.Generator

    def units(self, value: Array) -> Units:
        return units_of(value[self.sample_of], [f"s{i:03d}" for i in self.sample_of])

    def linked(self, r2: float) -> Array:
        """Return (S,) values of which the structure accounts for ``r2``."""
        return np.sqrt(r2) * self.signal + np.sqrt(1 - r2) * self.rng.standard_normal(len(self.signal))

    @property
    def positions(self) -> Array:
        """A map, (n, 2): the first two principal components."""
        left = standardized(self.embeddings, np.ones(len(self.embeddings)))
        _, _, axes = np.linalg.svd(left, full_matrices=False)
        return np.asarray(left @ axes[:2].T)


class World(Protocol):
    """Where collections come from."""

    def plain(self, samples: int, seed: int) -> Collection: ...
    def in_sessions(self, samples: int, seed: int, batch: NDArray[np.intp]) -> Collection: ...
    def at_all_magnifications(self, samples: int, seed: int) -> Collection: ...
    def at_own_magnifications(self, samples: int, seed: int) -> tuple[Collection, Array]:
        """Each sample at one magnification; its logarithm, from −1 to 1, comes second."""


class Vectors:
    """Gaussian latents with a falling spectrum, several images a sample."""

    def plain(self, samples: int, seed: int) -> Collection:
        return self._made(samples, seed)

    def in_sessions(self, samples: int, seed: int, batch: NDArray[np.intp]) -> Collection:
        return self._made(samples, seed, added=batch - 1.0)

    def at_all_magnifications(self, samples: int, seed: int) -> Collection:
        return self._made(samples, seed, images=3, per_image=np.tile([-1.0, 0.0, 1.0], samples))

    def at_own_magnifications(self, samples: int, seed: int) -> tuple[Collection, Array]:
        scale = np.random.default_rng(10_000 + seed).uniform(-1, 1, samples)
        return self._made(samples, seed, added=2 * (3 * scale**2 - 1)), scale

    def _made(
        self, samples: int, seed: int, images: int = 4, added: Array | None = None, per_image: Array | None = None
    ) -> Collection:
        """``added`` (S,) and ``per_image`` (n,) are something that the pictures show as well."""
        rng = np.random.default_rng(seed)
        spectrum = 1.0 / np.arange(1, 9)
        latent = rng.standard_normal((samples, 8))
        sample_of = np.repeat(np.arange(samples), images)
        shown = (latent[sample_of] + 0.5 * rng.standard_normal((len(sample_of), 8))) * np.sqrt(spectrum)
        mixing = rng.standard_normal((8, 96))
        vectors = shown @ mixing + 0.5 * rng.standard_normal((len(sample_of), 96))
        for extra in (None if added is None else added[sample_of], per_image):
            if extra is not None:
                vectors += 1.5 * extra[:, None] * rng.standard_normal(96)
        return Collection(vectors, sample_of, latent[:, :2] @ np.array([0.8, 0.6]), rng)


class Films:
    """Films of the bank, drawn anew for every collection: what a network makes of rendered pictures."""

    def plain(self, samples: int, seed: int) -> Collection:
        rng, films = self._drawn(samples, seed)
        return self._made(rng, films, bank().taken[1.0, "a"][films])

    def in_sessions(self, samples: int, seed: int, batch: NDArray[np.intp]) -> Collection:
        rng, films = self._drawn(samples, seed)
        taken = np.array([bank().taken[SESSIONS[b]][f, :2] for f, b in zip(films, batch)])
        return self._made(rng, films, taken)

    def at_all_magnifications(self, samples: int, seed: int) -> Collection:
        rng, films = self._drawn(samples, seed)
        return self._made(rng, films, np.stack([bank().taken[s, "a"][films, 0] for s in MAGNIFICATIONS], axis=1))

    def at_own_magnifications(self, samples: int, seed: int) -> tuple[Collection, Array]:
        rng, films = self._drawn(samples, seed)
        which = rng.permutation(np.arange(samples) % 3)
        taken = np.array([bank().taken[MAGNIFICATIONS[m], "a"][f, :2] for f, m in zip(films, which)])
        return self._made(rng, films, taken), which - 1.0

    def _drawn(self, samples: int, seed: int) -> tuple[np.random.Generator, NDArray[np.intp]]:
        rng = np.random.default_rng(seed)
        return rng, rng.permutation(len(bank()))[:samples]

    def _made(self, rng: np.random.Generator, films: NDArray[np.intp], taken: NDArray[np.float32]) -> Collection:
        sample_of = np.repeat(np.arange(len(films)), taken.shape[1])
        return Collection(taken.reshape(len(sample_of), -1), sample_of, bank().quality[films], rng)


class Cells:
    """The cells of the table; each returns p of one simulated collection."""

    def __init__(self, world: World, permutations: int) -> None:
        self.world = world
        self.test = StructureTest(permutations, influence=False)
        self.permutations = permutations

    def p(self, made: Collection, value: Array, **given: object) -> float:
        units = made.units(value)
        # the smallest effect is not asked for here, and would cost more than the test itself
        evidence = self.test.only_p(made.embeddings, units, nuisance_of(units, **given))  # type: ignore[arg-type]
        return 1.0 if evidence.p is None else evidence.p

    def free(self, samples: int, seed: int, r2: float = 0.0) -> float:
        made = self.world.plain(samples, seed)
        return self.p(made, made.linked(r2))

    def magnifications(self, samples: int, seed: int, r2: float) -> float:
        made = self.world.at_all_magnifications(samples, seed)
        return self.p(made, made.linked(r2))

    def sessions(self, samples: int, seed: int, given: bool, r2: float = 0.0) -> float:
        batch = np.arange(samples) % 3
        made = self.world.in_sessions(samples, seed, batch)
        value = made.linked(r2) + 1.2 * (batch - 1.0)
        return self.p(made, value, **({"batch": batch[made.sample_of]} if given else {}))

    def confounded(self, samples: int, seed: int, cubic: bool, r2: float = 0.0) -> float:
        made, scale = self.world.at_own_magnifications(samples, seed)
        value = made.linked(r2) + 1.5 * (3 * scale**2 - 1)
        if cubic:
            return self.p(made, value, columns=[NuisanceColumn("scale", scale[made.sample_of])])
        design = np.column_stack([np.ones(samples), scale])
        straight = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
        return self.p(made, straight)

    def flagged(self, samples: int, seed: int, follows: bool) -> float:
        """Give 0 where the pixel size is said to account for a property, 1 where it is not."""
        if follows:
            batch = np.arange(samples) % 3
            made, scale = self.world.in_sessions(samples, seed, batch), batch - 1.0
            value = made.linked(0.0) + 1.2 * scale
        else:
            made = self.world.plain(samples, seed)
            scale, value = made.rng.uniform(-1, 1, samples), made.linked(0.0)
        column = NuisanceColumn("scale", scale[made.sample_of])
        return 0.0 if suspect(made.embeddings, made.units(value), column, self.permutations).confounds else 1.0

    def naive(self, samples: int, seed: int) -> float:
        made = self.world.plain(samples, seed)
        value = made.linked(0.0)[made.sample_of]
        units = units_of(value, [f"i{i:04d}" for i in range(len(value))])
        return self.test.only_p(made.embeddings, units, nuisance_of(units)).p or 1.0

    def scanned(self, samples: int, seed: int) -> float:
        made = self.world.plain(samples, seed)
        best = RegionScan(self.permutations)(made.positions, made.units(made.linked(0.0))).best
        return 1.0 if best is None else best.p

    def lasso(self, samples: int, seed: int, corrected: bool) -> float:
        """A lasso where the map is most striking, of any place and size, as a user would draw it on the colors."""
        made = self.world.plain(samples, seed)
        positions, units = made.positions, made.units(made.linked(0.0))
        chosen = most_striking(positions, units)
        if not corrected:
            value = units.values[units.sample_of, 0]
            return float(stats.ttest_ind(value[chosen], value[~chosen], equal_var=False).pvalue)
        answer = RegionScan(self.permutations)(positions, units).lasso(chosen)
        return 1.0 if answer.p is None else answer.p


def most_striking(positions: Array, units: Units) -> NDArray[np.bool_]:
    """Return the (n,) micrographs of the round lasso, about any of them and of ten sizes, that differs most by sample.

    Other sizes and more places than the scan has: a user knows nothing of its discs.
    """
    n, samples = len(positions), len(units)
    order = np.argsort(((positions[:, None] - positions[None]) ** 2).sum(axis=2), axis=1, kind="stable")
    inside = np.cumsum(units.sample_of[order][:, :, None] == np.arange(samples), axis=1) / units.counts
    sizes = np.unique(np.geomspace(max(8, n / 14), n / 2, 10).round().astype(int))
    shares = inside[:, sizes - 1].reshape(-1, samples)
    fair = np.minimum((shares > 0).sum(axis=1), (shares < 1).sum(axis=1)) >= 3
    weights = shares / shares.sum(axis=1, keepdims=True)
    weights = weights - (1 - shares) / np.maximum((1 - shares).sum(axis=1, keepdims=True), 1e-12)
    t = np.abs(weights @ units.values[:, 0]) / np.maximum(np.linalg.norm(weights, axis=1), 1e-12)
    center, size = divmod(int(np.argmax(np.where(fair, t, -1.0))), len(sizes))
    chosen = np.zeros(n, bool)
    chosen[order[center, : sizes[size]]] = True
    return chosen


@dataclass(frozen=True)
class Cell:
    """One line of the table: how often ``p(seed) ≤ .05`` may be, and is."""

    group: str
    name: str
    target: tuple[float, float]
    p: Callable[[int], float]


def cells_of(world: World, where: str, permutations: int) -> list[Cell]:
    """Name every cell of one world."""
    c, found = Cells(world, permutations), list[Cell]()

    def add(
        group: str, name: str, target: tuple[float, float], p: Callable[..., float], s: int, *given: object
    ) -> None:
        found.append(Cell(group, f"{where}: {name}, S={s}", target, functools.partial(_called, p, s, given)))

    for s in (15, 30):
        add("false alarms", "free", EXACT, c.free, s)
        add("false alarms", "within sessions", EXACT if where == "vectors" else (0.03, 0.11), c.sessions, s, True)
        add("false alarms", "adjusted by a cubic", ADJUSTED, c.confounded, s, True)
        add("false alarms", "scan", EXACT, c.scanned, s)
        add("false alarms", "lasso against the scan", (0.04, 0.07), c.lasso, s, True)
        add("false alarms", "flag of an innocent pixel size", (0.0, 0.03), c.flagged, s, False)
        add("must fail", "permuting images", BITES, c.naive, s)
        add("must fail", "session ignored", BITES, c.sessions, s, False)
        add("must fail", "adjusted by a line", BITES, c.confounded, s, False)
        add("must fail", "t-test of a lasso", BITES, c.lasso, s, False)
        add("power", "flag of a guilty pixel size", (0.75 if s == 15 else 0.95, 1.0), c.flagged, s, True)
    asked = [(0.3, 15), (0.3, 30), (0.5, 15), (0.5, 30), (0.7, 15), (0.7, 30)] + [(0.7, 20)] * (where == "films")
    least = {("vectors", 0.5, 30): 0.80, ("films", 0.7, 15): 0.66, ("films", 0.7, 20): 0.90, ("films", 0.5, 30): 0.85}
    for r2, s in asked:
        add("power", f"free, R² {r2}", (least.get((where, r2, s), 0.0), 1.0), c.free, s, r2)
    add("power", "three magnifications, R² 0.5", (0.70, 1.0), c.magnifications, 30, 0.5)
    add("power", "within sessions, R² 0.5", (0.0, 1.0), c.sessions, 30, True, 0.5)
    add("power", "adjusted by a cubic, R² 0.5", (0.0, 1.0), c.confounded, 30, True, 0.5)
    return found


def _called(p: Callable[..., float], samples: int, given: tuple[object, ...], seed: int) -> float:
    return p(samples, seed, *given)


def interval(hits: int, repeats: int) -> tuple[float, float]:
    """Return the 95 % Clopper–Pearson interval of a share."""
    low = 0.0 if hits == 0 else float(stats.beta.ppf(0.025, hits, repeats - hits + 1))
    return low, 1.0 if hits == repeats else float(stats.beta.ppf(0.975, hits + 1, repeats - hits))


def speed(seed: int) -> dict[str, float]:
    """Time the full test of 2,000 images x 1,280 of 200 samples with 9,999 permutations, and the scan of its map."""
    rng = np.random.default_rng(seed)
    sample_of = np.repeat(np.arange(200), 10)
    latent = rng.standard_normal((200, 20)) / np.sqrt(np.arange(1, 21))
    shown = latent[sample_of] + 0.3 * rng.standard_normal((2_000, 20))
    vectors = shown @ rng.standard_normal((20, 1_280)) + 0.5 * rng.standard_normal((2_000, 1_280))
    value = latent[:, 0] + 0.7 * rng.standard_normal(200)
    units = units_of(value[sample_of], [f"s{i:03d}" for i in sample_of])
    embeddings = vectors.astype(np.float32)
    began = time.perf_counter()
    evidence = StructureTest()(embeddings, units)
    tested = time.perf_counter()
    RegionScan()(shown[:, :2], units)
    ended = time.perf_counter()
    assert evidence.p is not None and evidence.p <= 0.05  # so that each sample is dropped once
    return {"test_s": tested - began, "scan_s": ended - tested, "both_s": ended - began, "target_s": 3.0}


def counted(cell: Cell, repeats: int, seed: int) -> dict[str, object]:
    """Run one cell."""
    began = time.perf_counter()
    hits = sum(cell.p(seed * 1_000_000 + i) <= 0.05 for i in range(repeats))
    low, high = interval(hits, repeats)
    reached = low <= cell.target[1] and high >= cell.target[0]
    row: dict[str, object] = {"group": cell.group, "cell": cell.name, "share": hits / repeats, "low": low, "high": high}
    return row | {"target": cell.target, "reached": reached, "seconds": round(time.perf_counter() - began, 1)}


def main() -> None:
    """Run all cells and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of a group's or cell's name")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--speed", action="store_true", help="only time the full test and the scan")
    args = parser.parse_args()
    if args.speed:
        seconds = speed(args.seed)
        told = json.dumps(seconds) if args.json else ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
        print(told)
        return
    worlds: dict[str, World] = {"vectors": Vectors(), "films": Films()}
    cells = [cell for where, world in worlds.items() for cell in cells_of(world, where, args.permutations)]
    rows = []
    for cell in (c for c in cells if args.only in f"{c.group} | {c.name}"):
        row = counted(cell, args.repeats, args.seed)
        rows.append(row)
        if not args.json:
            least, most = cell.target
            told = f"{row['share']:.3f}  [{row['low']:.3f}, {row['high']:.3f}]  wanted {least:g}–{most:g}"
            print(f"{cell.group:13} {cell.name:46} {told}  {'' if row['reached'] else 'MISSED'}", flush=True)
    if args.json:
        print(json.dumps({"repeats": args.repeats, "permutations": args.permutations, "seed": args.seed, "rows": rows}))


if __name__ == "__main__":
    main()
