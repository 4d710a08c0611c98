"""Does the window stay alive while a map is made? A 10 ms timer in a real window tells.

    python benchmarks/heartbeat.py FOLDER [--json]
    python benchmarks/heartbeat.py --large 100000 [--minutes 3] [--json]

Opens a folder, makes the map from an empty cache, lassoes by mouse, waits for the gallery and opens a micrograph, and
prints the gaps between beats of the timer, by phase. With ``--large`` a made-up session of that size is opened instead;
one micrograph is left out, all others are compared and laid out anew until the minutes are over, and that is canceled.
A watcher notes what the window's thread was doing in each gap over 100 ms: what lies inside napari or an import is
listed by name. Needs a display (xvfb-run will do).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
from sessions import save

from napari_micromap.montage import Montage

BEAT = 0.010
LONG = 0.100


class Pulse:
    """Beats of a timer in the window's thread, and what kept it from beating."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.phase = "start"
        self.gaps: list[tuple[str, float, bool]] = []  # phase, seconds, whether a button was held
        self.held = False
        self.culprits: dict[str, Counter[str]] = {}
        self._last = time.perf_counter()
        self._main = threading.get_ident()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(round(BEAT * 1000))
        self._watching = True
        threading.Thread(target=self._watch, daemon=True).start()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append((self.phase, now - self._last, self.held))
        self._last = now

    def _watch(self) -> None:
        while self._watching:
            time.sleep(0.02)
            if time.perf_counter() - self._last > 0.08:
                frame = sys._current_frames().get(self._main)
                self.culprits.setdefault(self.phase, Counter())[_who(frame)] += 1

    def stop(self) -> None:
        self._watching = False
        self._timer.stop()


def _who(frame: FrameType | None) -> str:
    """Name the call that the window's thread is in: an import, else ours, with napari's or another's below it."""
    names = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib"):
            names.append("an import")
        for room in ("napari_micromap", "napari", "vispy", "qtpy"):
            if f"{room}/" in code.co_filename.replace("\\", "/"):
                where = code.co_filename.replace("\\", "/").rpartition(f"{room}/")[2]
                names.append(f"{room}/{where}:{code.co_name}")
                break
        frame = frame.f_back
    ours = next((name for name in names if name.startswith("napari_micromap")), "")
    inner = next((name for name in names if not name.startswith("napari_micromap")), "")
    return " < ".join(filter(None, (names[0] if names else "Qt", inner if names and inner != names[0] else "", ours)))


def _previews(montage: Montage) -> bool:
    """Say whether thumbnails still stand for some pictures: files are read when a page of them stands."""
    return any(tile.preview for tile in montage.tiles.values())


class Drive:
    """A user at the window."""

    def __init__(self, folder: Path, cache: Path) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        from napari_micromap.views.dock import MicromapDock
        from napari_micromap.views.sessions import session_of

        self.viewer = napari.Viewer(show=True)
        self.viewer.window._qt_window.resize(1400, 900)
        session_of(self.viewer).workshop.cache = cache
        self.dock = MicromapDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, name="Microstructure map", area="right")
        self.app = QApplication.instance()
        self.folder = folder

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        from qtpy.QtCore import QEventLoop, QTimer

        loop, end = QEventLoop(), time.perf_counter() + seconds
        timer = QTimer()
        timer.timeout.connect(lambda: loop.quit() if until() or time.perf_counter() > end else None)
        timer.start(20)
        loop.exec()
        timer.stop()
        timer.timeout.disconnect()  # or it is garbage, which the watcher's thread may collect

    def idle(self) -> bool:
        lanes, shown = self.dock._lanes, self.dock.gallery._page.montage
        waiting = self.dock.gallery.mode == "gallery" and shown is not None and _previews(shown)
        return not waiting and not any(lanes.busy(lane) for lane in ("build", "gallery", "thumbnails"))

    @contextmanager
    def button(self, pulse: Pulse) -> Iterator[None]:
        pulse.held = True
        yield
        pulse.held = False

    def lasso(self, pulse: Pulse, size: float) -> None:
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest

        canvas = self.dock.map.canvas
        w, h = canvas.width(), canvas.height()
        turn = np.linspace(0, 2 * np.pi, 60)
        points = [QPoint(int(w / 2 + size * w * np.cos(a)), int(h / 2 + size * h * np.sin(a))) for a in turn]
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[0])
        with self.button(pulse):
            for point in points[1:]:
                QTest.mouseMove(canvas, point)
                self.spin(0.015)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[-1])

    def go(self, pulse: Pulse) -> None:
        self.spin(2)
        pulse.phase = "open"
        self.dock.wishes.open_path(self.folder)
        self.spin(120, self.idle)
        pulse.phase = "embed"
        self.dock.session.progressed.connect(lambda p: self._note_stage(p, pulse))
        self.dock.make_map()
        self.spin(1800, self.idle)
        self.spin(1)
        for again in range(2):  # napari's first layer costs its own time; the second lasso is ours
            pulse.phase = f"lasso and gallery{' again' if again else ''}"
            self.lasso(pulse, 0.35 - 0.15 * again)
            self.spin(60, self.idle)
            self.spin(1)
        pulse.phase = "open one"
        self.dock.session.open_micrograph(int(self.dock.session.selection.rows[0]))
        self.spin(3, self.idle)
        self.spin(1)
        pulse.phase = "back"
        self.dock.gallery.back()
        self.spin(1)

    def go_large(self, pulse: Pulse, minutes: float) -> None:
        from napari_micromap.layouts.umap import Umap

        self.spin(2)
        pulse.phase = "open session"
        self.dock.wishes.open_path(self.folder)
        self.spin(120, self.idle)
        session = self.dock.session
        before = session.atlas.positions
        pulse.phase = "space, neighbors"  # anew, as one is left out
        session.progressed.connect(lambda p: self._note_stage(p, pulse))
        end = time.perf_counter() + minutes * 60
        session.exclude([0], "out of focus")
        session.lay_out(Umap(seed=1))
        self.spin(end - time.perf_counter(), self.idle)
        if not self.idle():
            pulse.phase = "cancel"
            session.cancel()
            self.spin(5, self.idle)
            assert self.idle() and session.atlas.positions is before, "canceling keeps the map"
        pulse.phase = "lasso"
        self.lasso(pulse, 0.15)
        self.spin(60, self.idle)
        self.spin(1)

    def _note_stage(self, progress: object, pulse: Pulse) -> None:
        stage = getattr(progress, "stage", "")
        if "UMAP" in stage:
            pulse.phase = "UMAP"


def main() -> None:
    """Drive the window and print the gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--large", type=int, metavar="N", help="micrographs of a made-up session")
    parser.add_argument("--minutes", type=float, default=3.0, help="until its map is canceled")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if (args.folder is None) == (args.large is None):
        parser.error("give either a folder or --large N")
    with tempfile.TemporaryDirectory() as cache:
        if args.large:
            save(Path(cache), args.large, 1280)
        drive = Drive(args.folder or Path(cache) / "large.micromap", Path(cache))
        pulse = Pulse()
        if args.large:
            drive.go_large(pulse, args.minutes)
        else:
            drive.go(pulse)
        pulse.stop()
        drive.viewer.close()
    rows = []
    for phase in dict.fromkeys(phase for phase, _, _ in pulse.gaps):
        gaps = np.array([gap for p, gap, _ in pulse.gaps if p == phase])
        held = [gap for p, gap, h in pulse.gaps if p == phase and h]
        rows.append(
            {
                "phase": phase, "beats": len(gaps), "longest_ms": 1000 * gaps.max(),
                "p99.9_ms": 1000 * float(np.quantile(gaps, 0.999)), "under_100_ms": float(np.mean(gaps < LONG)),
                "longest_with_button_held_ms": 1000 * max(held, default=0.0),
                "over_100_ms": dict(pulse.culprits.get(phase, Counter()).most_common(6)),
            }
        )  # fmt: skip
    every = np.array([gap for p, gap, _ in pulse.gaps if p != "start"])
    total = {"beats": len(every), "longest_ms": 1000 * every.max(), "under_100_ms": float(np.mean(every < LONG))}
    if args.json:
        print(json.dumps({"phases": rows, "all": total}))
        return
    for row in rows:
        print(
            f"{row['phase']:24} {row['beats']:6} beats   longest {row['longest_ms']:6.0f} ms   "
            f"99.9 % {row['p99.9_ms']:5.0f} ms   with a button held {row['longest_with_button_held_ms']:4.0f} ms"
        )
        for who, ticks in row["over_100_ms"].items():  # type: ignore[attr-defined]
            print(f"{'':26}{ticks * 20:5} ms in {who}")
    print(f"all: longest {total['longest_ms']:.0f} ms, {100 * total['under_100_ms']:.2f} % under 100 ms")


if __name__ == "__main__":
    main()
