"""Does it stay small and lose nothing, hour after hour?

In a loop on generated pictures: open and embed a folder, lasso and name what is inside, exclude, add new pictures, lay
map out anew, save over the session that is open, reopen it. After each step what must hold is asserted: old
positions bit for bit, embeddings, names and exclusions as they were, only new pictures embedded. Memory is printed a
folder: what the process has (RSS), and what of it is in use (held). With ``--window`` all this goes on in one napari
window, with lassoes by mouse, galleries and opened images; needs a display.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_micromap.layouts.pca import Pca
from napari_micromap.layouts.umap import Umap
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.views.map.lasso import rows_inside

FIRST, MORE, GROWTHS = 48, 8, 4  # pictures at first, pictures that join each time, times until another folder begins
RECIPE = Recipe(views=1, side=64)


def write(folder: Path, first: int, count: int, seed: int) -> None:
    """Write 16-bit pictures of 96 x 128 that no other seed gives."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        rng = np.random.default_rng([seed, number])
        grain = int(rng.integers(2, 17))
        grains = rng.integers(300, 4000, (96 // grain + 1, 128 // grain + 1))
        picture = np.kron(grains, np.ones((grain, grain), int))[:96, :128] + rng.integers(0, 200, (96, 128))
        tifffile.imwrite(folder / f"F{number % 7}_{number:04d}.tif", picture.astype(np.uint16))


def memory() -> tuple[float, float]:
    """Return RSS now and at most, in MB; where the system tells."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan"), float("nan")
    now, most = (int(told.partition(f"{name}:")[2].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


class Told(ctypes.Structure):
    """What mallinfo2 tells: ``hblkhd`` is in mappings of its own, ``uordblks`` in use elsewhere."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    )  # fmt: skip


def held() -> float:
    """Return what is allocated in C, in MB, without what was let go of and not given back; where glibc tells."""
    try:
        mallinfo2 = ctypes.CDLL("libc.so.6").mallinfo2
    except (OSError, AttributeError):
        return float("nan")
    mallinfo2.restype = Told
    told = mallinfo2()
    return float(told.hblkhd + told.uordblks) / 2**20


class Hands:
    """Somebody at a script: each verb returns when it is done."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.session = Session(cache=cache)

    def wait(self) -> None:
        """All is done already."""

    def open(self, folder: Path) -> None:
        """Open a folder in place of what is open."""
        self.end()
        self.session = Session(cache=self.cache)
        self.session.open(Folder(folder))

    def lasso(self) -> None:
        """Select what lies in the middle of the map."""
        positions = self.session.map.positions
        middle, size = np.median(positions, axis=0), np.ptp(positions, axis=0) / 3
        self.session.selection.replace(rows_inside(middle + circle() * size, positions))

    def reopen(self, saved: Path) -> None:
        """Open what was saved in a session of its own."""
        self.end()
        self.session = Session(cache=self.cache)
        self.session.restore(saved)

    def end(self) -> None:
        """Let go of all."""
        self.session.workshop.close()


class HandsAtWindow(Hands):
    """Somebody at one napari window, all the time: lassoes by mouse, galleries, single micrographs."""

    def __init__(self, cache: Path) -> None:
        from heartbeat import Drive

        self.drive = Drive(Path(), cache)
        self.session = self.drive.dock.session
        self.failures: list[str] = []
        self.drive.dock._lanes.failed.connect(self.failures.append)

    def wait(self) -> None:
        """Let the window run until nothing is at work any more."""
        ends = time.monotonic() + 300
        self.drive.spin(0.1)
        while not self.drive.idle():
            assert time.monotonic() < ends, "it is at work for five minutes"
            self.drive.spin(10, self.drive.idle)
            self.drive.spin(0.1)  # what is done may ask for more
        assert not self.failures, self.failures

    def open(self, folder: Path) -> None:
        """Open a folder in place of what is open."""
        self.drive.dock.wishes.open_path(folder)
        self.wait()

    def lasso(self) -> None:
        """Draw around the middle of the map; look at the gallery, at one of its images, and close it."""
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest

        dock, canvas = self.drive.dock, self.drive.dock.map.canvas
        self.drive.spin(0.6)  # dots are on their way
        points = [QPoint(*map(int, (0.5 + 0.42 * corner) * (canvas.width(), canvas.height()))) for corner in circle()]
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[0])
        for point in points[1:]:
            QTest.mouseMove(canvas, point)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[-1])
        self.wait()
        assert len(self.session.selection) > 0 and dock.gallery.layers
        self.session.open_micrograph(int(self.session.selection.rows[0]))
        self.wait()
        dock.gallery.back()
        self.wait()
        dock.gallery.close()

    def reopen(self, saved: Path) -> None:
        """Open what was saved in place of what is open, by its entry file."""
        self.drive.dock.wishes.open_path(saved / "open.micromap")
        self.wait()

    def end(self) -> None:
        """Close the window."""
        self.drive.viewer.close()


def circle() -> NDArray[np.float64]:
    """Return (60, 2) corners of a lasso around 0."""
    angles = np.linspace(0, 2 * np.pi, 60)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


class Round:
    """One folder's life, and what is asserted of it."""

    def __init__(self, folder: Path, hands: Hands, seed: int) -> None:
        self.films, self.saved, self.hands, self.seed = folder / "films", folder / "s.micromap", hands, seed
        self.written = 0

    @property
    def session(self) -> Session:
        """What is open now."""
        return self.hands.session

    def begin(self) -> None:
        """Open, embed and lay out a new folder."""
        self.add(FIRST)
        self.hands.open(self.films)
        self.session.embed(recipe=RECIPE, device="cpu")
        self.session.lay_out(Umap(seed=self.seed) if self.seed % 4 == 3 else Pca(), at_once=True)
        self.hands.wait()
        assert len(self.session.atlas) == FIRST and np.isfinite(self.session.map.positions).all()

    def add(self, count: int) -> None:
        """Write new pictures."""
        write(self.films, self.written, count, self.seed)
        self.written += count

    def mark(self, number: int) -> None:
        """Lasso, name, exclude."""
        self.hands.lasso()
        self.session.name_selection(f"round {number}")
        self.session.exclude([number % len(self.session.atlas)], "crack")

    def grow(self) -> None:
        """Take in new pictures: old positions and vectors stay bit for bit."""
        before, positions = self.session.atlas, self.session.map.positions.copy()
        embeddings = before.embeddings.copy()
        self.add(MORE)
        self.session.grow()
        self.hands.wait()
        n, now = len(before), self.session
        assert len(now.atlas) == n + MORE and len(now.growing.fresh) == MORE
        assert (now.atlas.ids[:n] == before.ids).all()
        assert now.map.positions[:n].tobytes() == positions.tobytes()
        assert now.atlas.embeddings[:n].tobytes() == embeddings.tobytes()
        assert np.isfinite(now.map.positions).all()

    def lay_out(self) -> None:
        """Make the map anew: nothing is new on it any more."""
        self.session.lay_out(Pca(), at_once=True)
        self.hands.wait()
        assert not self.session.growing.fresh and len(self.session.map.positions) == self.written

    def save(self) -> None:
        """Save, twice over the maps of memory that are open."""
        self.session.save(self.saved)
        self.session.save(self.saved)
        self.hands.wait()
        assert not self.session.saving.unsaved

    def reopen(self) -> None:
        """Open what was saved, and compare."""
        before, was = self.session.atlas, self.session.saving.state()
        vectors = {name: getattr(before, name).tobytes() for name in ("embeddings", "features", "positions")}
        self.hands.reopen(self.saved)
        now = self.session
        assert now.atlas is not before and (now.atlas.ids == before.ids).all()
        for name, written in vectors.items():
            assert getattr(now.atlas, name).tobytes() == written, name
        assert len(now.named) > 0 and len(now.scope.exclusions) > 0 and not now.growing.fresh
        assert json.dumps(now.saving.state(), sort_keys=True) == json.dumps(was, sort_keys=True)


def main() -> None:
    """Run for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--window", action="store_true", help="in one napari window, with lassoes by mouse")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    os.environ["MICROMAP_CACHE_GB"] = "0.002"  # so small that embeddings and thumbnails are let go of
    rounds = list[dict[str, float]]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MICROMAP_CACHE"] = str(folder / "cache")  # what was opened lately is noted there, too
        hands = (HandsAtWindow if args.window else Hands)(folder / "cache")
        ends, number = time.monotonic() + 60 * args.minutes, 0
        while time.monotonic() < ends:
            rounds.append(one_folder(folder / f"{number}", hands, number))
            kept = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file()) / 1e6
            rounds[-1] |= {
                "minutes": round(args.minutes - (ends - time.monotonic()) / 60, 2),
                "cache MB": round(kept, 1),
            }
            number += 1
            print(json.dumps(rounds[-1]) if args.json else rounds[-1], flush=True)
        hands.end()
    told = {"folders": len(rounds), "pictures": len(rounds) * (FIRST + GROWTHS * MORE)} | {
        f"{name} a folder": slope([one[name] for one in rounds[len(rounds) // 4 :]]) for name in ("RSS MB", "held MB")
    }
    print(json.dumps(told) if args.json else told)


def slope(values: list[float]) -> float:
    """Return what is added a step."""
    return round(float(np.polyfit(range(len(values)), values, 1)[0]), 3) if len(values) > 2 else float("nan")


def one_folder(folder: Path, hands: Hands, seed: int) -> dict[str, float]:
    """Take one folder through its life; each growth in a session that was reopened."""
    one = Round(folder, hands, seed)
    one.begin()
    for growth in range(GROWTHS):
        one.mark(growth)
        one.grow()
        one.lay_out()
        one.save()
        one.reopen()
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    gc.collect()
    now, most = memory()
    return {"folder": seed, "RSS MB": round(now, 1), "most MB": round(most, 1), "held MB": round(held(), 1)}


if __name__ == "__main__":
    main()
