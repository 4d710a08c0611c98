"""Does it stay small and lose nothing, hour after hour?

In a loop on generated pictures: open and embed a folder, lasso and name what is inside, exclude, add new pictures, lay
map out anew, save over the session that is open, reopen it. After each step what must hold is asserted: old
positions bit for bit, embeddings, names and exclusions as they were, only new pictures embedded. Memory is printed a
folder.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

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


class Round:
    """One round over one session, and what is asserted of it."""

    def __init__(self, folder: Path, cache: Path, seed: int) -> None:
        self.films, self.saved, self.cache, self.seed = folder / "films", folder / "s.micromap", cache, seed
        self.written = 0

    def begin(self, session: Session) -> None:
        """Open, embed and lay out a new folder."""
        self.add(FIRST)
        session.open(Folder(self.films))
        session.embed(recipe=RECIPE, device="cpu")
        session.lay_out(Umap(seed=self.seed) if self.seed % 4 == 3 else Pca(), at_once=True)
        assert session.map is not None and np.isfinite(session.map.positions).all()

    def add(self, count: int) -> None:
        """Write new pictures."""
        write(self.films, self.written, count, self.seed)
        self.written += count

    def mark(self, session: Session, number: int) -> None:
        """Lasso, name, exclude."""
        positions = session.map.positions
        middle, size = np.median(positions, axis=0), np.ptp(positions, axis=0) / 3
        angles = np.linspace(0, 2 * np.pi, 60)
        outline = middle + np.stack([np.cos(angles), np.sin(angles)], axis=1) * size
        session.selection.replace(rows_inside(outline, positions))
        assert len(session.selection) > 0
        session.name_selection(f"round {number}")
        session.exclude([number % len(session.atlas)], "crack")

    def grow(self, session: Session) -> None:
        """Take in new pictures: old positions and vectors stay bit for bit."""
        before, positions = session.atlas, session.map.positions.copy()
        embeddings = before.embeddings.copy()
        self.add(MORE)
        session.grow()
        n = len(before)
        assert len(session.atlas) == n + MORE and len(session.fresh) == MORE
        assert (session.atlas.ids[:n] == before.ids).all()
        assert session.map.positions[:n].tobytes() == positions.tobytes()
        assert session.atlas.embeddings[:n].tobytes() == embeddings.tobytes()
        assert np.isfinite(session.map.positions).all()

    def lay_out(self, session: Session) -> None:
        """Make the map anew: nothing is new on it any more."""
        session.lay_out(Pca(), at_once=True)
        assert not session.fresh and len(session.map.positions) == self.written

    def save(self, session: Session) -> None:
        """Save, twice over the maps of memory that are open."""
        session.save(self.saved)
        session.save(self.saved)

    def reopen(self, session: Session, other: Session) -> None:
        """Open what was saved, and compare."""
        other.restore(self.saved)
        assert (other.atlas.ids == session.atlas.ids).all()
        for name in ("embeddings", "features", "positions"):
            assert getattr(other.atlas, name).tobytes() == getattr(session.atlas, name).tobytes(), name
        assert list(other.named) == list(session.named) and len(other.named) > 0
        assert dict(other.scope.exclusions) == dict(session.scope.exclusions) != {}
        assert not other.fresh


def main() -> None:
    """Run for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    os.environ["MICROMAP_CACHE_GB"] = "0.002"  # so small that embeddings and thumbnails are let go of
    ends, rounds = time.monotonic() + 60 * args.minutes, list[dict[str, float]]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = 0
        while time.monotonic() < ends:
            rounds.append(one_folder(folder / f"{number}", folder / "cache", number))
            kept = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file()) / 1e6
            rounds[-1] |= {
                "minutes": round(args.minutes - (ends - time.monotonic()) / 60, 2),
                "cache MB": round(kept, 1),
            }
            number += 1
            print(json.dumps(rounds[-1]) if args.json else rounds[-1], flush=True)
    settled = [one["RSS MB"] for one in rounds[len(rounds) // 4 :]]
    slope = float(np.polyfit(range(len(settled)), settled, 1)[0]) if len(settled) > 2 else float("nan")
    told = {"folders": len(rounds), "pictures": len(rounds) * (FIRST + GROWTHS * MORE), "MB a folder": round(slope, 3)}
    print(json.dumps(told) if args.json else told)


def one_folder(folder: Path, cache: Path, seed: int) -> dict[str, float]:
    """Take one folder through its life; each growth in a session that was reopened."""
    one = Round(folder, cache, seed)
    session = Session(cache=cache)
    one.begin(session)
    for growth in range(GROWTHS):
        one.mark(session, growth)
        one.grow(session)
        one.lay_out(session)
        one.save(session)
        other = Session(cache=cache)
        one.reopen(session, other)
        session.workshop.close()
        session = other
    session.workshop.close()
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    del session, other
    gc.collect()
    now, most = memory()
    return {"folder": seed, "RSS MB": round(now, 1), "most MB": round(most, 1)}


if __name__ == "__main__":
    main()
