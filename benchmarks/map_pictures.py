"""Is the map smooth while dots become pictures? Frames of pan and zoom at several zooms, with and without a selection.

    python benchmarks/map_pictures.py [--points 100000] [--json]

Draws frames as the map does, without a window, with all pictures at hand. Times are medians of twelve frames in ms: by
the clock, and of the processor alone, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from map import atlas_of

from napari_micromap.atlas import Atlas
from napari_micromap.colors import colors_of
from napari_micromap.views.map.dots import arrange
from napari_micromap.views.map.levels import Levels, find_levels, typical_order
from napari_micromap.views.map.pictures import Pictures
from napari_micromap.views.map.scene import Scene
from napari_micromap.work import finish

SIZES = ((640, 480), (1600, 1200))
ZOOMS = (4, 8, 16, 64)


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    atlas = atlas_of(args.points)
    assert atlas.positions is not None
    began = time.thread_time()
    levels = finish(find_levels(atlas.positions, typical_order(args.points, None), 0.75))
    placing = time.thread_time() - began
    lines = [
        line
        for size in SIZES
        for selected in (False, True)
        for line in measured(atlas, levels, (float(size[0]), float(size[1])), selected)
    ]
    told = {"points": args.points, "placing_s": round(placing, 2), "load": round(os.getloadavg()[0], 1)}
    if args.json:
        print(json.dumps(told | {"frames": lines}))
        return
    print(*(f"{name} {value}" for name, value in told.items()))
    for line in lines:
        print("  ".join(f"{name} {value}" for name, value in line.items()))


def measured(atlas: Atlas, levels: Levels, size: tuple[float, float], selected: bool) -> list[dict[str, object]]:
    """Pan and zoom where most dots are."""
    positions = atlas.positions
    assert positions is not None
    mask = positions[:, 0] > np.median(positions[:, 0]) if selected else None
    scene, rng = Scene(), np.random.default_rng(0)
    scene.resize(size, 1.0)
    scene.show(arrange(positions, colors_of(atlas.columns["Jc"]).rgb, selected=mask))
    scene.pictures = Pictures(levels)
    middle, lines = (size[0] / 2, size[1] / 2), list[dict[str, object]]()
    for zoom in ZOOMS:
        scene.fit()
        scene.zoom(zoom, middle)
        fill(scene, rng)

        def pan(scene: Scene = scene) -> None:
            scene.move()
            scene.look(scene.camera.panned(3, 2))

        def closer(scene: Scene = scene) -> None:
            scene.move()
            scene.zoom(1.02, middle)

        shown = 0 if scene.frame is None else len(scene.frame.boxes)
        line: dict[str, object] = {"size": f"{size[0]:.0f}×{size[1]:.0f}", "selected": selected, "zoom": zoom}
        line["pictures"] = shown
        for name, step in (("pan", pan), ("zooming", closer)):
            clock, processor = frames(scene, step)
            line |= {f"{name}_ms": round(clock, 1), f"{name}_processor_ms": round(processor, 1)}
        lines.append(line)
    return lines


def fill(scene: Scene, rng: np.random.Generator) -> None:
    """Give the scene the pictures that it lacks."""
    assert scene.frame is not None and scene.pictures is not None
    scene.pictures.put({row: rng.integers(0, 255, (96, 128), dtype=np.uint8) for row in scene.pictures.lacking})
    scene.redraw()


def frames(scene: Scene, step: Callable[[], None]) -> tuple[float, float]:
    """Return the median time of a frame in ms, by the clock and of the processor."""
    clock, processor = [], []
    for _ in range(12):
        step()
        began = time.perf_counter(), time.thread_time()
        _ = scene.frame
        clock.append((time.perf_counter() - began[0]) * 1000)
        processor.append((time.thread_time() - began[1]) * 1000)
    return statistics.median(clock), statistics.median(processor)


if __name__ == "__main__":
    main()
