"""How soon a large selection stands in the viewer: its first page from thumbnails, then from the pictures.

    python benchmarks/gallery.py [--selected 10000] [--json]

A real napari window with the dock; as many micrographs as four such selections need, on 200 files of 1024×768 in 16
bit, with thumbnails and features at hand. Each selection is of other micrographs; timed from the lasso's verb to the
page on screen, and to the last tile read from its file. The first one builds napari's layers. Needs a display.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.neighbors import Neighbors
from napari_micromap.space import Standardized

FILES = 200
SELECTIONS = 4


def atlas_of(folder: Path, n: int) -> Atlas:
    """Make n micrographs on few files, with features and a map."""
    rng = np.random.default_rng(0)
    for file in range(FILES):
        coarse = rng.integers(0, 65536, (24, 32)).astype(np.uint16)
        tifffile.imwrite(folder / f"film{file:03}.tif", np.kron(coarse, np.ones((32, 32), np.uint16)))
    columns = pd.DataFrame(dict.fromkeys(OWN_COLUMNS, [None] * n))
    columns["file"] = [f"film{row % FILES:03}.tif" for row in range(n)]
    columns[["width", "height", "bar_rows"]] = 1024, 768, 0
    columns["Jc"] = rng.normal(size=n)
    paths = np.array([str(folder / name) for name in columns["file"]], np.str_)
    atlas = Atlas(columns, np.array([f"{row:064x}" for row in range(n)], np.str_), paths, np.zeros(n, np.int32))
    embeddings = rng.normal(size=(n, 64)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    space = Standardized().fit(embeddings)
    features = space(embeddings)
    nobody = Neighbors(np.zeros((n, 15), np.int32), np.zeros((n, 15), np.float32))
    atlas = atlas.with_embeddings(embeddings, {}).with_features(space, features, nobody)
    return atlas.with_positions(features[:, :2].copy(), "UMAP")


def main() -> None:
    """Select, wait, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selected", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = measured(atlas_of(folder, SELECTIONS * args.selected), args.selected, folder)
    print(json.dumps(told | {"load": round(os.getloadavg()[0], 1)}, indent=None if args.json else 1))


def measured(atlas: Atlas, selected: int, folder: Path) -> dict[str, object]:
    """Return the milliseconds to each first page and to each sharp one."""
    import napari
    from qtpy.QtCore import QEventLoop, QTimer
    from qtpy.QtWidgets import QApplication

    from napari_micromap.views.dock import MicromapDock
    from napari_micromap.views.sessions import session_of

    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    session = session_of(viewer)
    session.workshop.cache = folder / "cache"
    dock = MicromapDock(viewer)
    viewer.window.add_dock_widget(dock, name="Microstructure map", area="right")
    app = QApplication.instance()
    thumbnails = session.workshop.thumbnails
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 256, (96, 128)).astype(np.uint8) for _ in range(FILES)]
    thumbnails.put_all((thumbnails.key_of(atlas[row]), pictures[row % FILES]) for row in range(len(atlas)))
    session.open_atlas(atlas, "UMAP")

    def spin(seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            app.processEvents()
            time.sleep(0.001)

    waking = QTimer()  # so that waiting ends also where nothing else happens
    waking.start(5)

    def wait() -> None:  # as napari does between events: asking again and again would take time from the other threads
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    spin(3)
    pages: list[float] = []
    processor: list[float] = []
    sharp: list[float] = []
    for turn in range(SELECTIONS):
        rows = np.random.default_rng(2).permutation(len(atlas))[turn * selected : (turn + 1) * selected]
        before = dock.gallery.arrangement
        began, used = time.perf_counter(), time.process_time()
        session.selection.replace(np.sort(rows))
        while dock.gallery.arrangement is before:
            wait()
        app.processEvents()
        viewer.window._qt_viewer.canvas.native.repaint()
        pages.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - used) * 1000)
        while dock._lanes.busy("gallery") or any(t.preview for t in dock.gallery._page.montage.tiles.values()):
            wait()
        sharp.append((time.perf_counter() - began) * 1000)
        spin(1.5)
    viewer.close()
    return {
        "selected": selected, "first_page_ms": [round(ms) for ms in pages], "sharp_ms": [round(ms) for ms in sharp],
        "processor_ms": [round(ms) for ms in processor], "median_of_later_ms": round(statistics.median(pages[1:])),
    }  # fmt: skip


if __name__ == "__main__":
    main()
