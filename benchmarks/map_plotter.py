"""napari-clusters-plotter on the dots of map.py: its real widget in a real napari window.

For ``map.py --plotter-python``, in the Python of an environment with napari, Qt and napari-clusters-plotter. The dots
are a Points layer with features, drawn by the plotter and by napari; a step ends when nothing is left to draw.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Print one JSON object: milliseconds by step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dots", type=Path, help="npz: positions, Jc, batch, outline")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    import napari
    import numpy as np
    import pandas as pd
    from napari_clusters_plotter import PlotterWidget
    from qtpy.QtWidgets import QApplication

    given = np.load(args.dots)
    positions, outline = given["positions"], given["outline"]
    features = pd.DataFrame({"x": positions[:, 0], "y": positions[:, 1], "Jc": given["Jc"], "batch": given["batch"]})
    viewer = napari.Viewer(show=True)
    widget = PlotterWidget(viewer)
    viewer.window.add_dock_widget(widget)
    app = QApplication.instance()
    canvas, axes = widget.plotting_widget.canvas, widget.plotting_widget.axes
    ratio = canvas.devicePixelRatioF()
    canvas.setFixedSize(*(round(side / ratio) for side in args.size))

    def drawn() -> None:
        for _ in range(3):
            app.processEvents()

    began = time.perf_counter()
    viewer.add_points(positions[:, ::-1], features=features, size=0.05)
    widget.x_axis, widget.y_axis, widget.hue_axis = "x", "y", "Jc"
    drawn()
    times = {"first plot": (time.perf_counter() - began) * 1000}
    turn = iter(range(10**6))

    def shifted(limits: tuple[float, float], share: float) -> tuple[float, float]:
        by = (limits[1] - limits[0]) * share
        return limits[0] + by, limits[1] + by

    def pan() -> None:
        axes.set_xlim(shifted(axes.get_xlim(), 0.01 if next(turn) % 2 else -0.01))
        canvas.draw()
        canvas.repaint()

    def zoom() -> None:
        middle, wide = sum(axes.get_xlim()) / 2, (axes.get_xlim()[1] - axes.get_xlim()[0]) / 2
        wide *= 1.1 if next(turn) % 2 else 1 / 1.1
        axes.set_xlim(middle - wide, middle + wide)
        canvas.draw()
        canvas.repaint()

    selector = widget.plotting_widget.selectors["LASSO"]
    selector.create_selector()

    def lasso() -> None:
        selector.on_select(outline)
        drawn()

    def recolor() -> None:
        widget.hue_axis = "batch" if next(turn) % 2 else "Jc"
        drawn()

    for step in (pan, zoom, lasso, recolor):
        times[step.__name__] = median(step, args.repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"times": times, "max_rss_mb": peak, "version": version("napari-clusters-plotter")}), flush=True)
    viewer.close()


def median(step: Callable[[], None], repeats: int) -> float:
    """Return the median time of a step in ms, after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
