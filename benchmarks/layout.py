"""A large map beside plain umap-learn: time, memory, trustworthiness; and what a second map costs.

    python benchmarks/layout.py [--n 30000] [--dimensions 1280] [--json]
    python benchmarks/layout.py --images FOLDER [--json]

Both run in a fresh process of their own, one after the other, on the same made-up embeddings (300 groups that vary
along few directions, with a falling spectrum). Ours: space, neighbors and UMAP in the layout process, that is, all from
embeddings to a map. Plain: ``umap.UMAP(metric="cosine").fit_transform(embeddings)``. Trustworthiness (15 neighbors) is
that of 1,000 drawn rows among all, by cosine in the embeddings and in the standardized features. Recall is the share of
the 50 nearest by features that the search found, for the same rows.

With ``--images`` a folder of images is embedded from an empty cache, and told is how many seconds it took: from the
last embedding to the UMAP map; in a fresh process from its start to the stored map of a saved session, and on to a new
one; then with another distance and another seed; and what ``umap.UMAP(metric="cosine").fit`` needs for the same
embeddings in a fresh process, from its start.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWN = 1000
NEAR = 15


def made_up(n: int, d: int) -> NDArray[np.float32]:
    """Make n embeddings that are not negative, in groups, as pooled features of a network are."""
    rng = np.random.default_rng(0)
    spread = np.arange(1, 65) ** -0.8
    group = rng.integers(0, 300, n)
    inner = rng.normal(size=(300, 64)) * spread * 2
    embeddings = np.empty((n, d), np.float32)
    axes = rng.normal(size=(64, d)).astype(np.float32)
    bias = rng.normal(0.5, 1, d).astype(np.float32)
    for first in range(0, n, 8192):
        part = group[first : first + 8192]
        place = inner[part] + rng.normal(size=(len(part), 64)) * spread
        embeddings[first : first + 8192] = np.maximum(place.astype(np.float32) @ axes / 4 + bias, 0)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings


def plain(embeddings: NDArray[np.float32]) -> dict[str, Any]:
    """Lay out as umap-learn does."""
    began = time.perf_counter()
    import umap

    positions = umap.UMAP(metric="cosine").fit_transform(embeddings)
    return {"seconds": time.perf_counter() - began, "positions": positions}


def ours(embeddings: NDArray[np.float32]) -> dict[str, Any]:
    """Lay out as the pipeline does, then again with another distance."""
    import pandas as pd

    from napari_micromap import pipeline
    from napari_micromap.atlas import OWN_COLUMNS, Atlas
    from napari_micromap.layouts.umap import Umap
    from napari_micromap.work import finish

    n = len(embeddings)
    columns = pd.DataFrame(dict.fromkeys(OWN_COLUMNS, [None] * n))
    bare = Atlas(columns, np.arange(n).astype(str), np.full(n, ""), np.zeros(n, np.int32))
    workshop = pipeline.Workshop(Path(tempfile.mkdtemp()))
    most = 0
    watching = True

    def watch() -> None:
        nonlocal most
        while watching:
            most = max(most, _resident(os.getpid()) + sum(map(_resident, workshop.layout_process.pids)))
            time.sleep(0.2)

    began = time.perf_counter()
    atlas = bare.with_embeddings(embeddings, {})
    workshop.warm()
    threading.Thread(target=watch, daemon=True).start()
    atlas = finish(pipeline.fit(atlas, workshop))
    fitted = time.perf_counter()
    atlas, _ = finish(pipeline.lay_out(atlas, None, workshop))
    laid_out = time.perf_counter()
    finish(pipeline.lay_out(atlas, Umap(min_dist=0.3), workshop))
    again = time.perf_counter()
    watching = False
    workshop.close()
    assert atlas.neighbors is not None
    return {
        "seconds": laid_out - began, "space_and_neighbors": fitted - began, "again": again - laid_out,
        "both_processes_mb": most, "positions": atlas.positions, "features": atlas.features,
        "neighbors": atlas.neighbors.rows,
    }  # fmt: skip


def first_map(images: Path, folder: Path) -> dict[str, Any]:
    """Embed, make the map as the dock does, and save the session."""
    from napari_micromap.session import Session
    from napari_micromap.sources.folder import Folder

    session = Session(cache=folder / "cache")
    session.open(Folder(images))
    session.workshop.warm()  # as the dock does
    began = time.perf_counter()
    session.embed(device="cpu")
    embedded = time.perf_counter()
    session.lay_out()
    laid_out = time.perf_counter()
    session.save(folder / "saved.micromap")
    session.workshop.close()
    assert session.map is not None and session.map.title == "UMAP"
    return {
        "images": len(session.atlas), "embedding": embedded - began, "map_after_last_embedding": laid_out - embedded,
        "embeddings": session.atlas.embeddings,
    }  # fmt: skip


def reopened(folder: Path) -> dict[str, Any]:
    """Open the saved session, and make its map anew; another distance, another seed."""
    began = time.perf_counter()
    from napari_micromap.layouts.umap import Umap
    from napari_micromap.session import Session

    session = Session(cache=folder / "cache")
    session.workshop.warm()
    session.restore(folder / "saved.micromap")
    assert session.map is not None
    shown = time.perf_counter()
    session.lay_out()
    told = {"stored_map": shown - began, "new_map": time.perf_counter() - began}
    for name, layout in {"other_distance": Umap(min_dist=0.3), "other_seed": Umap(seed=1)}.items():
        neighbors, again = session.atlas.neighbors, time.perf_counter()
        session.lay_out(layout)
        told[name] = time.perf_counter() - again
        assert session.atlas.neighbors is neighbors
    session.workshop.close()
    return told


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(status.split("VmRSS:")[1].split()[0]) // 1024 if "VmRSS:" in status else 0


def trustworthiness(high: NDArray[np.float32], low: NDArray[np.float32], drawn: NDArray[np.intp]) -> float:
    """Return how far the nearest on the map are near in truth: 1 where all are (Venna and Kaski 2001)."""
    n = len(high)
    unit = high / np.maximum(np.linalg.norm(high, axis=1, keepdims=True), 1e-12)
    penalty = 0.0
    for row in drawn:
        away = 1 - unit @ unit[row]
        away[row] = -1
        rank = np.empty(n, int)
        rank[np.argsort(away, kind="stable")] = np.arange(n)
        on_map = np.square(low - low[row]).sum(axis=1)
        on_map[row] = np.inf
        nearest = np.argpartition(on_map, NEAR)[:NEAR]
        penalty += float(np.maximum(0, rank[nearest] - NEAR).sum())
    return 1 - 2 * penalty / (len(drawn) * NEAR * (2 * n - 3 * NEAR - 1))


def recall(features: NDArray[np.float32], rows: NDArray[np.int32], drawn: NDArray[np.intp]) -> float:
    """Return the share of the true nearest that were found."""
    found = []
    for row in drawn:
        near = features @ features[row]
        near[row] = -np.inf
        true = np.argpartition(-near, rows.shape[1])[: rows.shape[1]]
        found.append(len(np.intersect1d(true, rows[row])) / rows.shape[1])
    return float(np.mean(found))


def in_a_process(who: str, folder: Path, images: Path | None = None) -> dict[str, Any]:
    """Run one of them alone; return its figures, with what it left behind."""
    command = [sys.executable, __file__, "--one", who, "--folder", str(folder)]
    subprocess.run(command + (["--images", str(images)] if images is not None else []), check=True)
    told: dict[str, Any] = json.loads((folder / f"{who}.json").read_text())
    return told | {path.stem.split("-")[1]: np.load(path) for path in folder.glob(f"{who}-*.npy")}


def run_one(who: str, folder: Path, images: Path | None) -> None:
    """Run here, and leave figures and arrays in the folder."""
    if who == "first" and images is not None:
        made = first_map(images, folder)
    elif who == "reopened":
        made = reopened(folder)
    else:
        made = {"plain": plain, "ours": ours}[who](np.load(next(folder.glob("*embeddings.npy")), mmap_mode="r"))
    for name in [name for name, value in made.items() if isinstance(value, np.ndarray)]:
        np.save(folder / f"{who}-{name}.npy", made.pop(name))
    made["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    (folder / f"{who}.json").write_text(json.dumps(made))


def beside_images(images: Path) -> dict[str, Any]:
    """Return how soon there are maps of a folder of images, and plain umap-learn's."""
    with tempfile.TemporaryDirectory() as name:
        first = in_a_process("first", Path(name), images)
        again = in_a_process("reopened", Path(name))
        bare = in_a_process("plain", Path(name))["seconds"]
    after = first["map_after_last_embedding"]
    seconds = {key: first[key] for key in ("embedding", "map_after_last_embedding")} | again | {"plain": bare}
    seconds.pop("peak_mb")
    ratios = {"plain / map_after_last_embedding": bare / after, "plain / new_map": bare / again["new_map"]}
    return {"images": first["images"], "load": round(os.getloadavg()[0], 1)} | {
        key: round(value, 2) for key, value in (seconds | ratios).items()
    }


def main() -> None:
    """Run both, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=30_000)
    parser.add_argument("--dimensions", type=int, default=1280)
    parser.add_argument("--images", type=Path, help="a folder of images, for how soon there is a map of them")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        run_one(args.one, args.folder, args.images)
        return
    told = beside_images(args.images) if args.images else beside_plain(args.n, args.dimensions)
    print(json.dumps(told, indent=None if args.json else 1))


def beside_plain(n: int, dimensions: int) -> dict[str, Any]:
    """Lay out made-up embeddings by both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embeddings = made_up(n, dimensions)
        np.save(folder / "embeddings.npy", embeddings)
        results = {who: in_a_process(who, folder) for who in ("ours", "plain")}
    return compared(embeddings, results)


def compared(embeddings: NDArray[np.float32], results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of both."""
    n = len(embeddings)
    drawn = np.random.default_rng(1).choice(n, min(DRAWN, n), replace=False)
    features = results["ours"]["features"]
    told: dict[str, Any] = {"n": n, "dimensions": embeddings.shape[1], "load": round(os.getloadavg()[0], 1)}
    for who, result in results.items():
        told[who] = {name: round(float(v), 1) for name, v in result.items() if not isinstance(v, np.ndarray)} | {
            "trustworthiness_embeddings": round(trustworthiness(embeddings, result["positions"], drawn), 4),
            "trustworthiness_features": round(trustworthiness(features, result["positions"], drawn), 4),
        }
    told["ours"]["recall"] = round(recall(features, results["ours"]["neighbors"], drawn), 4)
    return told


if __name__ == "__main__":
    main()
