"""The map beside vispy's markers and napari-clusters-plotter: frames, lasso, hover, recolor.

    python benchmarks/map.py [--points 10000 100000 1000000] [--plotter-python PATH] [--json]

Needs a display. Each figure is the median of some repeats, in milliseconds. The plotter runs by ``map_plotter.py``,
where ``PATH`` is the Python of an environment of its own, with "napari[pyqt6]" and napari-clusters-plotter.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QPointF
from qtpy.QtWidgets import QApplication

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.colors import colors_of
from napari_micromap.session import Session
from napari_micromap.views.map.lasso import rows_inside
from napari_micromap.views.map.view import MapView

STEPS = ("pan", "zoom", "lasso", "recolor", "hover")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on one line")
    parser.add_argument("--without-vispy", action="store_true")
    parser.add_argument("--plotter-python", type=Path, help="a Python that has napari-clusters-plotter")
    parser.add_argument("--sizes", nargs="+", default=["640x480", "1600x1200"], help="of the canvas, in device pixels")
    arguments = parser.parse_args()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    results = []
    for n in arguments.points:
        atlas = atlas_of(n)
        for width, height in (map(int, size.split("x")) for size in arguments.sizes):
            size = width, height
            results.append(measured("micromap", n, size, measure_map(app, atlas, size)))
            if not arguments.without_vispy:
                results.append(measured("vispy Markers", n, size, measure_vispy(atlas, size)))
            if arguments.plotter_python is not None:
                times = measure_plotter(arguments.plotter_python, atlas, size)
                results.append(measured("napari-clusters-plotter", n, size, times))
    told = {
        "results": results,
        "max_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    print(f"largest memory {told['max_rss_mb']} MB, {told['cpus']} CPUs, load {told['load']}")
    if arguments.json:
        print(json.dumps(told))


def measured(who: str, n: int, size: tuple[int, int], times: dict[str, float]) -> dict[str, object]:
    """Print a line, and return it as a record."""
    figures = "  ".join(f"{step} {times[step]:8.2f}" for step in STEPS if step in times)
    print(f"{who:23} {n:>9,} at {size[0]}×{size[1]}  {figures}  (ms)", flush=True)
    return {"who": who, "points": n, "size": size, **{step: round(value, 3) for step, value in times.items()}}


def measure_map(app: QApplication, atlas: Atlas, size: tuple[int, int]) -> dict[str, float]:
    """Time the real widget: each step ends when the new picture is painted."""
    with TemporaryDirectory() as cache:
        session = Session(cache=Path(cache))
        view = MapView(session)
        view.show()
        session.open_atlas(atlas, "UMAP")
        session.color_by = "Jc"
        fit_canvas(app, view, size)
        canvas, scene = view.canvas, view.canvas.scene
        frames = iter(range(10**6))
        ring = outline_of(atlas)
        columns = ["batch", "Jc"]

        def pan() -> None:
            scene.look(scene.camera.panned(*((5, 3) if next(frames) % 2 else (-5, -3))))
            canvas.repaint()

        def zoom() -> None:
            scene.zoom(1.1 if next(frames) % 2 else 1 / 1.1, (size[0] / 2, size[1] / 2))
            canvas.repaint()

        def lasso() -> None:
            canvas.lasso_drawn.emit(ring, "replace")
            canvas.repaint()

        def recolor() -> None:
            session.color_by = columns[next(frames) % 2]
            canvas.repaint()

        def hover() -> None:
            canvas._point_at(QPointF(next(frames) % size[0], size[1] / 2))

        times = {"pan": median(pan), "zoom": median(zoom)}
        times["lasso"] = median(lasso, between=session.selection.clear)
        session.selection.clear()
        times["recolor"] = median(recolor)
        times["hover"] = median(hover, 50)
        view.close()
        view.deleteLater()
        return times


def measure_vispy(atlas: Atlas, size: tuple[int, int]) -> dict[str, float]:
    """Time vispy's markers, drawn into a buffer and read back."""
    from vispy import scene as vispy_scene

    positions = atlas.positions
    assert positions is not None
    colors = {name: rgba_of(atlas, name) for name in ("Jc", "batch")}
    canvas = vispy_scene.SceneCanvas(size=size, show=False)
    box = canvas.central_widget.add_view()
    markers = vispy_scene.Markers(parent=box.scene)
    markers.set_data(positions, face_color=colors["Jc"], size=3, edge_width=0)
    box.camera = vispy_scene.PanZoomCamera(aspect=1)
    box.camera.set_range()
    frames = iter(range(10**6))
    ring = outline_of(atlas)
    names = ["batch", "Jc"]

    def pan() -> None:
        box.camera.pan((0.05, 0.03) if next(frames) % 2 else (-0.05, -0.03))
        canvas.render()

    def zoom() -> None:
        box.camera.zoom(0.9 if next(frames) % 2 else 1 / 0.9)
        canvas.render()

    def lasso() -> None:
        faded = colors["Jc"].copy()
        faded[:, 3] = 0.25
        faded[rows_inside(ring, positions), 3] = 1
        markers.set_data(positions, face_color=faded, size=3, edge_width=0)
        canvas.render()

    def recolor() -> None:
        markers.set_data(positions, face_color=rgba_of(atlas, names[next(frames) % 2]), size=3, edge_width=0)
        canvas.render()

    repeats = 3 if len(atlas) > 200_000 else 5
    times = {step.__name__: median(step, repeats) for step in (pan, zoom, lasso, recolor)}
    canvas.close()
    return times


def measure_plotter(python: Path, atlas: Atlas, size: tuple[int, int]) -> dict[str, float]:
    """Time napari-clusters-plotter in its own environment, with no value missing."""
    script, repeats = Path(__file__).with_name("map_plotter.py"), 1 if len(atlas) > 200_000 else 3
    with TemporaryDirectory() as folder:
        dots = Path(folder) / "dots.npz"
        columns = atlas.columns
        np.savez(
            dots, positions=atlas.positions, outline=outline_of(atlas), Jc=columns["Jc"].fillna(0).to_numpy(float),
            batch=columns["batch"].astype("category").cat.codes.to_numpy(float),
        )  # fmt: skip
        command = [python, script, dots, "--size", *map(str, size), "--repeats", str(repeats)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    found = json.loads(told.splitlines()[-1])
    print(f"{'':23} version {found['version']}, largest memory {found['max_rss_mb']} MB")
    times: dict[str, float] = found["times"]
    return times


def median(step: Callable[[], None], repeats: int = 9, between: Callable[[], None] = lambda: None) -> float:
    """Return the median time of a step in ms, after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        between()
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[1:])


def fit_canvas(app: QApplication, view: MapView, size: tuple[int, int]) -> None:
    """Give the canvas so many device pixels, whatever stands around it."""
    ratio = view.canvas.devicePixelRatioF()
    wanted = round(size[0] / ratio), round(size[1] / ratio)
    for _ in range(3):
        view.resize(view.width() + wanted[0] - view.canvas.width(), view.height() + wanted[1] - view.canvas.height())
        app.processEvents()
    view.canvas.repaint()


def atlas_of(n: int) -> Atlas:
    """Make an atlas of eight clouds of dots, with a property and a category."""
    rng = np.random.default_rng(0)
    cloud = rng.integers(0, 8, n)
    positions = rng.normal(0, 5, (8, 2))[cloud] + rng.normal(0, 1, (n, 2))
    columns = pd.DataFrame(dict.fromkeys(OWN_COLUMNS, [None] * n))
    columns["file"] = np.arange(n).astype(str)
    columns["Jc"] = np.where(rng.random(n) < 0.05, np.nan, positions[:, 0] + rng.normal(0, 0.5, n))
    columns["batch"] = np.array(list("abcdefgh"))[cloud]
    return Atlas(
        columns=columns,
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        pages=np.zeros(n, np.int32),
    ).with_positions(positions.astype(np.float32), "")


def outline_of(atlas: Atlas) -> NDArray[np.float64]:
    """Draw a lasso of 200 corners around about a fifth of the dots."""
    assert atlas.positions is not None
    middle, reach = np.median(atlas.positions, axis=0), np.ptp(atlas.positions, axis=0).min() / 5
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = reach * (1 + 0.1 * np.sin(7 * angle))
    return middle + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def rgba_of(atlas: Atlas, column: str) -> NDArray[np.float32]:
    """Return the colors of a column as vispy wants them."""
    rgb = colors_of(atlas.columns[column]).rgb
    return np.concatenate([rgb / 255, np.ones((len(rgb), 1))], axis=1).astype(np.float32)


if __name__ == "__main__":
    main()
