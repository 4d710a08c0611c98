"""A large session on disk, reopened in a fresh process to a live map: seconds and memory.

    python benchmarks/sessions.py [--n 100000] [--dimensions 1280] [--json]

Makes a session of made-up embeddings with features, neighbors and a map, and saves it. Then a fresh process opens it
three times over, each time anew, and paints its map: from the start of opening (all imports done, as in a window that
is open) and from the start of the process. Embeddings must come as memory maps. Needs a display.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from layout import _resident, made_up


def save(folder: Path, n: int, d: int) -> float:
    """Make and save a session; return the seconds that saving took."""
    import pandas as pd

    from napari_micromap import pipeline
    from napari_micromap.atlas import OWN_COLUMNS, Atlas
    from napari_micromap.neighbors import Neighbors
    from napari_micromap.session import Session
    from napari_micromap.space import Standardized

    rng = np.random.default_rng(0)
    embeddings = made_up(n, d)
    columns = pd.DataFrame(dict.fromkeys(OWN_COLUMNS, [None] * n))
    columns["file"] = [f"film{row:06}.tif" for row in range(n)]
    columns["folder"] = [f"batch{row % 40}" for row in range(n)]
    columns[["width", "height", "bar_rows"]] = 1024, 768, 0
    columns["Jc (MA/cm²)"] = rng.normal(2, 0.4, n)
    paths = np.array([f"/not/here/{b}/{f}" for b, f in zip(columns["folder"], columns["file"])], np.str_)
    atlas = Atlas(columns, np.array([f"{row:064x}" for row in range(n)], np.str_), paths, np.zeros(n, np.int32))
    space = Standardized().fit(embeddings[: min(n, 20_000)])
    features = space(embeddings)
    neighbors = Neighbors(
        rng.integers(0, n, (n, pipeline.NEIGHBORS_KEPT)).astype(np.int32),
        rng.random((n, pipeline.NEIGHBORS_KEPT)).astype(np.float32),
    )
    atlas = atlas.with_embeddings(embeddings, {}).with_features(space, features, neighbors)
    session = Session(cache=folder / "cache")
    session.open_atlas(atlas.with_positions(features[:, :2].copy(), "Umap()"), "UMAP")
    began = time.perf_counter()
    session.save(folder / "large.micromap")
    return time.perf_counter() - began


def reopen(folder: Path) -> dict[str, object]:
    """Open it and paint its map; for a fresh process."""
    born = time.perf_counter()
    from qtpy.QtWidgets import QApplication

    from napari_micromap.session import Session
    from napari_micromap.views.map.view import MapView

    app = QApplication([])
    session = Session(cache=folder / "cache")
    view = MapView(session)
    view.resize(640, 560)
    view.show()
    app.processEvents()
    began, used = time.perf_counter(), time.process_time()
    session.restore(folder / "large.micromap")
    view.canvas.repaint()
    end = time.perf_counter()
    embeddings = session.atlas.embeddings
    assert embeddings is not None and session.map is not None
    return {
        "open_s": round(end - began, 2), "open_processor_s": round(time.process_time() - used, 2),
        "with_imports_s": round(end - born, 2),
        "memory_mapped": isinstance(embeddings, np.memmap) or isinstance(embeddings.base, np.memmap),
        "rss_mb": _resident(os.getpid()),
    }  # fmt: skip


def main() -> None:
    """Save, reopen, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=1280)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reopen:
        print(json.dumps(reopen(args.reopen)))
        return
    with tempfile.TemporaryDirectory() as name:
        saved = save(Path(name), args.n, args.dimensions)
        command = [sys.executable, __file__, "--reopen", name]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
    told = {"n": args.n, "dimensions": args.dimensions, "save_s": round(saved, 1)} | {
        key: statistics.median(run[key] for run in runs) for key in runs[0]
    }
    print(json.dumps(told | {"load": round(os.getloadavg()[0], 1)}, indent=None if args.json else 1))


if __name__ == "__main__":
    main()
