"""False alarms and power of the tests by sample, on simulated vectors.

    python benchmarks/inference.py [--repeats 1000] [--seed 0] [--permutations 499] [--json]
    python benchmarks/inference.py --speed [--json]

Each cell counts how often p ≤ .05 in ``repeats`` simulated collections, with a 95 % Clopper–Pearson interval. Rows
of the group "must fail" are the obvious tests, on the same data: if they gave no false alarms, the simulation would be
blunt.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics import NuisanceColumn, StructureTest, Units, nuisance_of, units_of
from napari_micromap.statistics.regions import RegionScan

Array = NDArray[np.float64]


@dataclass
class Collection:
    """A simulated collection: (n, d) embeddings, and what is known of micrographs and samples."""

    embeddings: Array
    sample_of: NDArray[np.intp]
    latent: Array
    rng: np.random.Generator

    def units(self, value: Array) -> Units:
        return units_of(value[self.sample_of], [f"s{i:03d}" for i in self.sample_of])


def collection(
    samples: int, seed: int, images: int = 4, added: Array | None = None, per_image: Array | None = None
) -> Collection:
    """Simulate Gaussian latents with a falling spectrum, several images a sample.

    ``added`` (S,) and ``per_image`` (n,) are something that the pictures show as well: a session, a magnification.
    """
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
    return Collection(vectors, sample_of, latent, rng)


def linked(made: Collection, r2: float) -> Array:
    """Return (S,) values of which the first two latents account for ``r2``."""
    signal = made.latent[:, :2] @ np.array([0.8, 0.6])
    return np.sqrt(r2) * signal + np.sqrt(1 - r2) * made.rng.standard_normal(len(signal))


class Cells:
    """The cells of the table; each returns p of one simulated collection."""

    def __init__(self, permutations: int) -> None:
        self.test = StructureTest(permutations, influence=False)
        self.permutations = permutations

    def p(self, made: Collection, value: Array, **given: object) -> float:
        units = made.units(value)
        # the smallest effect is not asked for here, and would cost more than the test itself
        evidence = self.test.only_p(made.embeddings, units, nuisance_of(units, **given))  # type: ignore[arg-type]
        return 1.0 if evidence.p is None else evidence.p

    def free(self, samples: int, seed: int, r2: float = 0.0) -> float:
        made = collection(samples, seed)
        return self.p(made, linked(made, r2))

    def magnifications(self, samples: int, seed: int, r2: float) -> float:
        per_image = np.tile([-1.0, 0.0, 1.0], samples)
        made = collection(samples, seed, images=3, per_image=per_image)
        return self.p(made, linked(made, r2))

    def sessions(self, samples: int, seed: int, given: bool, r2: float = 0.0) -> float:
        batch = np.arange(samples) % 3
        made = collection(samples, seed, added=batch - 1.0)
        value = linked(made, r2) + 1.2 * (batch - 1.0)
        return self.p(made, value, **({"batch": batch[made.sample_of]} if given else {}))

    def confounded(self, samples: int, seed: int, cubic: bool, r2: float = 0.0) -> float:
        scale = np.random.default_rng(10_000 + seed).uniform(-1, 1, samples)
        made = collection(samples, seed, added=2 * (3 * scale**2 - 1))
        value = linked(made, r2) + 1.5 * (3 * scale**2 - 1)
        if cubic:
            return self.p(made, value, columns=[NuisanceColumn("scale", scale[made.sample_of])])
        design = np.column_stack([np.ones(samples), scale])
        straight = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
        return self.p(made, straight)

    def naive(self, samples: int, seed: int) -> float:
        made = collection(samples, seed)
        value = linked(made, 0.0)[made.sample_of]
        units = units_of(value, [f"i{i:04d}" for i in range(len(value))])
        return self.test.only_p(made.embeddings, units, nuisance_of(units)).p or 1.0

    def scanned(self, samples: int, seed: int) -> float:
        made = collection(samples, seed)
        best = RegionScan(self.permutations, centers=60)(made.embeddings[:, :2], made.units(linked(made, 0.0))).best
        return 1.0 if best is None else best.p

    def lasso(self, samples: int, seed: int, corrected: bool) -> float:
        """A lasso about the place where neighbors have the lowest values, as an eye would draw it on the colors."""
        from scipy import stats

        made = collection(samples, seed)
        positions, units = made.embeddings[:, :2], made.units(linked(made, 0.0))
        value = units.values[units.sample_of, 0]
        distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        size = max(8, len(value) // 4)
        nearest = np.argsort(distance, axis=1)[:, :size]
        chosen = np.zeros(len(value), bool)
        chosen[nearest[np.argmin(value[nearest].mean(axis=1))]] = True
        if not corrected:
            return float(stats.ttest_ind(value[chosen], value[~chosen], equal_var=False).pvalue)
        answer = RegionScan(self.permutations, centers=60)(positions, units).lasso(chosen)
        return 1.0 if answer.p is None else answer.p


def cells(permutations: int) -> dict[str, dict[str, Callable[[int], float]]]:
    """Name every cell of the table, in groups."""
    c = Cells(permutations)
    groups: dict[str, dict[str, Callable[[int], float]]] = {"false alarms": {}, "must fail": {}, "power": {}}
    for s in (15, 30):
        groups["false alarms"] |= {
            f"free, S={s}": lambda seed, s=s: c.free(s, seed),
            f"within sessions, S={s}": lambda seed, s=s: c.sessions(s, seed, True),
            f"adjusted by a cubic, S={s}": lambda seed, s=s: c.confounded(s, seed, True),
            f"scan, S={s}": lambda seed, s=s: c.scanned(s, seed),
            f"lasso against the scan, S={s}": lambda seed, s=s: c.lasso(s, seed, True),
        }
        groups["must fail"] |= {
            f"permuting images, S={s}": lambda seed, s=s: c.naive(s, seed),
            f"session ignored, S={s}": lambda seed, s=s: c.sessions(s, seed, False),
            f"adjusted by a line, S={s}": lambda seed, s=s: c.confounded(s, seed, False),
            f"t-test of a lasso, S={s}": lambda seed, s=s: c.lasso(s, seed, False),
        }
        for r2 in (0.3, 0.5, 0.7):
            groups["power"][f"free, R² {r2}, S={s}"] = lambda seed, s=s, r2=r2: c.free(s, seed, r2)
    groups["power"] |= {
        "three magnifications, R² 0.5, S=30": lambda seed: c.magnifications(30, seed, 0.5),
        "within sessions, R² 0.5, S=30": lambda seed: c.sessions(30, seed, True, 0.5),
        "adjusted by a cubic, R² 0.5, S=30": lambda seed: c.confounded(30, seed, True, 0.5),
    }
    return groups


def interval(hits: int, repeats: int) -> tuple[float, float]:
    """Return the 95 % Clopper–Pearson interval of a share."""
    from scipy.stats import beta

    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, repeats - hits + 1))
    return low, 1.0 if hits == repeats else float(beta.ppf(0.975, hits + 1, repeats - hits))


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


def main() -> None:
    """Run all cells and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--speed", action="store_true", help="only time the full test and the scan")
    args = parser.parse_args()
    if args.speed:
        seconds = speed(args.seed)
        told = json.dumps(seconds) if args.json else ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
        print(told)
        return
    rows = []
    for group, members in cells(args.permutations).items():
        for name, one in members.items():
            began = time.perf_counter()
            hits = sum(one(args.seed * 1_000_000 + i) <= 0.05 for i in range(args.repeats))
            low, high = interval(hits, args.repeats)
            row = {"group": group, "cell": name, "share": hits / args.repeats, "low": low, "high": high}
            rows.append(row)
            if not args.json:
                seconds = time.perf_counter() - began
                print(f"{group:13} {name:38} {row['share']:.3f}  [{low:.3f}, {high:.3f}]  {seconds:.0f} s", flush=True)
    if args.json:
        print(json.dumps({"repeats": args.repeats, "permutations": args.permutations, "seed": args.seed, "rows": rows}))


if __name__ == "__main__":
    main()
