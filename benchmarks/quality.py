"""Which backbone and recipe bring together what belongs together? On every collection with known classes at hand.

    python benchmarks/quality.py [--json] [--most N] [--only SET ...] [--recipes NAME ...] [FOLDER ...]

A FOLDER has one subfolder a class. Each picture asks for others of its class (P@1, P@5, mAP, vote of five), leaving out
itself, pictures of its sample, and in numbered series files within ±5. Queries without an answer do not count.
"features" is what the map is made of (standardized, principal components), "embeddings" what comes from the network.
Exact duplicates are dropped; intervals draw samples again (95 %). Embeddings are kept in --cache.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import retrieval as measures
from quality_sets import Known, known_sets, some

from napari_micromap import pipeline
from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.embedding.inference import Inference
from napari_micromap.embedding.reading import Reader
from napari_micromap.layouts.umap import Umap
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.space import Standardized
from napari_micromap.streaming import Stop
from napari_micromap.work import finish

PLAIN = Recipe(depths="last", views=1, low_percent=0.0, high_percent=100.0)
FULL = Recipe()
ONE = replace(FULL, views=1)
RECIPES = {
    "last": PLAIN,  # what the others are compared with
    "last, window": replace(ONE, depths="last"),
    "several": ONE,
    "several, whole range": replace(ONE, low_percent=0.0, high_percent=100.0),
    "several, even light": replace(ONE, even_light=0.5),
    "several, local contrast": replace(ONE, local_contrast=0.01),
    "several, both": replace(ONE, even_light=0.5, local_contrast=0.01),
    "several, negative": replace(ONE, invert=True),
    "several, side 320": replace(ONE, side=320),
    "last, 8 views": replace(FULL, depths="last"),
    "several, 8 views": FULL,
    "several, 8 views, even light": replace(FULL, even_light=0.5),
    "several, side 320, 8 views": replace(FULL, side=320),
    "several, side 448": replace(ONE, side=448),
}
TIMED = 6  # pictures
CHANCES = 20  # random rankings
NAMES = {"first": "P@1", "five": "P@5", "average_precision": "mAP", "vote": "5-NN"}


@dataclass(frozen=True, eq=False)
class Embedded:
    """A collection by one backbone and recipe."""

    known: Known
    vectors: np.ndarray
    seconds: float  # an image


class Bench:
    """Embeds collections, each once; keeps the embeddings on disk.

    Parameters
    ----------
    cache : Path
        For embeddings and for the pictures that are drawn.
    """

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.workshop = pipeline.Workshop(cache / "embeddings")
        self._networks: dict[str, object] = {}

    def embed(self, known: Known, backbone: Backbone, recipe: Recipe) -> Embedded:
        """Embed; the last layer is cut from the embedding of several depths, of which it is the last block."""
        whole = finish(pipeline.embed(known.atlas, backbone, replace(recipe, depths="several"), self.workshop, "cpu"))
        known = without_duplicates(known, pipeline.contents(known.atlas, self.workshop))
        vectors = whole.embeddings[whole.rows_of(known.atlas.ids.tolist())]
        network = self.network(backbone)
        if recipe.depths == "last":
            vectors = vectors[:, -network.widths[-1] :]
        return Embedded(known, vectors, self.seconds(known, network, recipe))

    def network(self, backbone: Backbone):
        if repr(backbone) not in self._networks:
            self._networks[repr(backbone)] = backbone.load("cpu")
        return self._networks[repr(backbone)]

    def seconds(self, known: Known, network, recipe: Recipe) -> float:
        """Return the median time of one image from file to vector, one after the other on all cores."""
        inference, reader = Inference(network, recipe), Reader(known.atlas, recipe, (), range(len(known.atlas)))
        took = []
        inference.vectors([reader(0).prepared], 1, Stop())  # the first time over costs more
        for row in range(min(TIMED, len(known.atlas))):
            began = time.perf_counter()
            inference.vectors([reader(row).prepared], recipe.views, Stop())
            took.append(time.perf_counter() - began)
        return float(np.median(took))


def without_duplicates(known: Known, contents: Sequence[str]) -> Known:
    _, first = np.unique(contents, return_index=True)
    rows = np.sort(first)
    return known if len(rows) == len(contents) else known.taken(rows, some(known.atlas, rows))


# ---------------------------------------------------------------------- what is measured


def protocols(known: Known) -> dict[str, np.ndarray]:
    """Return who may answer, by protocol; the last is the strictest, and ranks."""
    found = {"one out": measures.candidates(len(known.classes))}
    if known.samples is not None:
        found["no same sample"] = measures.candidates(len(known.classes), known.samples)
    if known.series is not None:
        found["not within ±5"] = measures.candidates(len(known.classes), None, known.series, known.numbers)
    return found


def asked(likeness: np.ndarray, known: Known, allowed: np.ndarray, repeats: int = 1) -> measures.Retrieval:
    return measures.averaged(
        [measures.retrieval(likeness, known.classes, allowed, seed) for seed in range(repeats)]
    )  # fmt: skip


def told(found: measures.Retrieval, known: Known) -> dict[str, float | list[float]]:
    """Return means, plain and macro, and intervals of the first two."""
    row: dict[str, float | list[float]] = {}
    for field, name in NAMES.items():
        values = getattr(found, field)
        row[name] = measures.plain_mean(values)
        row[f"{name} macro"] = measures.macro_mean(values, known.classes)
        if name in ("P@1", "mAP"):
            row[f"{name} from–to"] = list(measures.interval(values, known.groups))
    return row


def spaces(vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Return what may be compared: embeddings, and features by several ways from them."""
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    whitened = Standardized(whiten=True)
    return {
        "features": Standardized().fit(vectors)(vectors),
        "embeddings": vectors,
        "centered": vectors - mean,
        "standardized": (vectors - mean) / np.where(spread > 1e-6 * np.abs(vectors).max(), spread, 1),
        "whitened": whitened.fit(vectors)(vectors),
    }


def halves(one: Embedded) -> np.ndarray:
    """Return likeness by features fitted to the half of the groups that the query is not in: nothing of it was seen."""
    names = np.unique(one.known.groups)
    half = np.isin(one.known.groups, np.random.default_rng(0).permutation(names)[: len(names) // 2])
    likeness = np.zeros((len(half), len(half)))
    for asking in (half, ~half):
        features = Standardized().fit(one.vectors[~asking])(one.vectors)
        likeness[asking] = measures.cosines(features)[asking]
    return likeness


def recipe_rows(one: Embedded) -> tuple[dict[str, object], measures.Retrieval]:
    """Measure one recipe on one collection; also returns what ranks it, query by query."""
    known, made = one.known, spaces(one.vectors)
    rows: dict[str, object] = {"seconds an image": one.seconds, "protocols": {}, "spaces": {}}
    strictest = list(protocols(known).values())[-1]
    likeness = {name: measures.cosines(vectors) for name, vectors in made.items()}
    likeness["features of the other half"] = halves(one)
    for name, allowed in protocols(known).items():
        rows["protocols"][name] = told(asked(likeness["features"], known, allowed), known)  # type: ignore[index]
    for name, like in likeness.items():
        found = asked(like, known, strictest)
        rows["spaces"][name] = {"P@1": measures.plain_mean(found.first),  # type: ignore[index]
                                "mAP": measures.plain_mean(found.average_precision)}  # fmt: skip
    rows["k-means"] = measures.cluster_accuracy(made["features"], known.classes)
    positions = finish(Umap()(made["features"], None)) if len(made["features"]) >= 15 else made["features"][:, :2]
    rows["trustworthiness"] = measures.trustworthiness(made["features"], positions)
    return rows, asked(likeness["features"], known, strictest)


def base_rows(known: Known) -> dict[str, object]:
    """Return what guessing reaches, and pixel size alone where it is known."""
    strictest = list(protocols(known).values())[-1]
    n, rng = len(known.classes), np.random.default_rng(0)
    guessed = asked(np.zeros((n, n)), known, strictest, CHANCES)
    clusters = [measures.matched_share(rng.permutation(known.classes), known.classes) for _ in range(CHANCES)]
    rows: dict[str, object] = {"chance": {**told(guessed, known), "k-means": float(np.mean(clusters))}}
    sizes = known.atlas.columns["um_per_px"].to_numpy(float)
    if len(np.unique(sizes[np.isfinite(sizes)])) > 1:
        alone = asked(measures.likeness_of_sizes(sizes), known, strictest, CHANCES)
        rows["pixel size only"] = told(alone, known)
    return rows


def difference(found: measures.Retrieval, other: measures.Retrieval, known: Known) -> dict[str, list[float]]:
    """Return mean difference and its interval, query by query."""
    rows = {}
    for field in ("first", "average_precision"):
        apart = getattr(found, field) - getattr(other, field)
        rows[NAMES[field]] = [measures.plain_mean(apart), *measures.interval(apart, known.groups)]
    return rows


def on_set(
    bench: Bench, known: Known, chosen: dict[str, tuple[Backbone, Recipe]], against: str = ""
) -> dict[str, object]:
    """Measure all recipes on one collection, and how each differs from one of them, the first if none is named."""
    rows: dict[str, object] = {}
    found: dict[str, measures.Retrieval] = {}
    for name, (backbone, recipe) in chosen.items():
        one = bench.embed(known, backbone, recipe)
        rows[name], found[name] = recipe_rows(one)
        kept = one.known
    reference = found.get(against) or next(iter(found.values()))
    for name, row in rows.items():
        row["difference"] = difference(found[name], reference, kept)  # type: ignore[index]
    strictest = list(protocols(kept))[-1]
    return {"about": kept.about, "images": len(kept.classes), "protocol": strictest, **base_rows(kept), "recipes": rows}


# ---------------------------------------------------------------------- one choice for all


def ranks(results: dict[str, dict], by: str = "mAP", space: str = "features") -> dict[str, dict[str, float]]:
    """Rank recipes on each set by a measure under its strictest protocol; 1 is best, ties share."""
    from scipy.stats import rankdata

    found = {}
    for name, result in results.items():
        recipes = result["recipes"]
        values = [round(row["spaces"][space][by], 4) for row in recipes.values()]
        found[name] = dict(zip(recipes, rankdata([-value for value in values]).tolist()))
    return found


def choice(results: dict[str, dict], by: str = "mAP") -> dict[str, object]:
    """Choose by mean rank over all sets, and again leaving each set out."""
    by_set = ranks(results, by)
    names = list(next(iter(by_set.values())))

    def mean_ranks(sets: Sequence[str]) -> dict[str, float]:
        return {name: float(np.mean([by_set[one][name] for one in sets])) for name in names}

    def best(sets: Sequence[str]) -> str:
        means = mean_ranks(sets)
        return min(means, key=means.__getitem__)

    without = {left: best([one for one in by_set if one != left]) for left in by_set} if len(by_set) > 1 else {}
    return {"by": by, "mean rank": mean_ranks(list(by_set)), "best": best(list(by_set)), "leaving out": without}


# ---------------------------------------------------------------------- what is printed


def printed(name: str, result: dict) -> None:
    print(f"\n{name}: {result['images']} images, {result['about']}; {result['protocol']}")
    heads = f"{'P@1':>6}{'':14}{'P@5':>6}{'mAP':>6}{'5-NN':>6}{'macro':>6}{'kmeans':>7}{'trust':>7}{'ms':>6}"
    print(f"{'':34}{heads}  mAP against one of them")
    for base in ("chance", "pixel size only"):
        if base in result:
            print(line(base, result[base], result[base]))
    for recipe, row in result["recipes"].items():
        apart, low, high = row["difference"]["mAP"]
        against = "" if not apart and not low else f"  {apart:+.3f} ({low:+.3f} {high:+.3f})"
        print(line(recipe, row["protocols"][result["protocol"]], row) + against)


def line(name: str, row: dict, beside: dict) -> str:
    low, high = row["P@1 from–to"]
    said = f"{name:34}{row['P@1']:6.3f} ({low:.3f}–{high:.3f}){row['P@5']:6.3f}{row['mAP']:6.3f}{row['5-NN']:6.3f}"
    more = [beside.get("k-means"), beside.get("trustworthiness")]
    said += f"{row['P@1 macro']:6.3f}" + "".join(f"{one:7.3f}" if one is not None else f"{'–':>7}" for one in more)
    return said + (f"{1000 * beside['seconds an image']:6.0f}" if "seconds an image" in beside else f"{'':6}")


def summed_up(results: dict[str, dict]) -> dict[str, object]:
    if not results:
        return {}
    kinds = next(iter(next(iter(results.values()))["recipes"].values()))["spaces"]
    recipes = list(next(iter(results.values()))["recipes"])
    by_space = {
        kind: {
            r: float(np.mean([one["recipes"][r]["spaces"][kind]["mAP"] for one in results.values()])) for r in recipes
        }
        for kind in kinds
    }
    return {"mAP": choice(results, "mAP"), "P@1": choice(results, "P@1"), "mean mAP by space": by_space}


def print_summary(summary: dict) -> None:
    for by in ("mAP", "P@1"):
        one = summary[by]
        print(f"\nMean rank by {by}; best {one['best']}")
        for name, rank in sorted(one["mean rank"].items(), key=lambda pair: pair[1]):
            print(f"  {rank:5.2f}  {name}")
        print("  leaving out: " + ", ".join(f"{left} → {best}" for left, best in one["leaving out"].items()))
    print("\nMean mAP over sets")
    kinds = summary["mean mAP by space"]
    print(f"{'':34}" + "".join(f"{kind:>28}" for kind in kinds))
    for name in next(iter(kinds.values())):
        print(f"{name:34}" + "".join(f"{kind[name]:28.3f}" for kind in kinds.values()))


def backbones_at_hand(names: Sequence[str]) -> dict[str, Backbone]:
    """Return those whose weights are here; all of them where none is named."""
    found = {}
    for name in names or list(BACKBONES):
        try:
            backbone = BACKBONES[name]()
            if backbone.download() is None:
                backbone.weights_sha256()  # weights of one's own need a file
                found[name] = backbone
            elif names:
                raise SystemExit(f"The weights of {name} are not here.")
        except Problem as problem:
            if names:
                raise SystemExit(str(problem)) from problem
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="one subfolder a class")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "micromap-quality")
    parser.add_argument("--only", nargs="+", metavar="SET", help="only these collections")
    parser.add_argument("--recipes", nargs="+", metavar="NAME", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--against", default="", metavar="NAME", help="what others are compared with; the first")
    parser.add_argument("--backbones", nargs="+", metavar="NAME", default=[])
    parser.add_argument("--most", type=int, default=60, metavar="N", help="images a class of folders; 0 for all")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    bench = Bench(args.cache)
    at_hand = backbones_at_hand(args.backbones)
    chosen = {recipe if len(at_hand) == 1 else f"{name} {recipe}": (backbone, RECIPES[recipe])
              for name, backbone in at_hand.items() for recipe in args.recipes}  # fmt: skip
    results: dict[str, dict] = {}
    for name, read in known_sets(args.cache, [folder.absolute() for folder in args.folders], args.most).items():
        if args.only and name not in args.only:
            continue
        results[name] = on_set(bench, read(), chosen, args.against)
        if not args.json:
            printed(name, results[name])
    bench.workshop.close()
    summary = summed_up(results)
    if args.json:
        print(json.dumps({"sets": results, "summary": summary}))
    elif summary:
        print_summary(summary)


if __name__ == "__main__":
    main()
