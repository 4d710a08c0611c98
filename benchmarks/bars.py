"""Are data bars found in pixels alone, and specimens left whole? Precision and recall, header-free.

    python benchmarks/bars.py [--data ../shared/data] [--seed 0] [--json]

(1) Every real micrograph, against a table of what header and eye say. (2) Bars drawn onto their specimens, at all four
sides, in three grounds, half of them through JPEG; not onto panels of papers, whose white margins may be taken for more
of a white bar. A bar counts as found if side and thickness are right to the pixel; anything else that is cut counts
against precision. (3) What is drawn onto specimens (scale bars, letters, colored marks): flagged or not, an image.
Thresholds were chosen with these sets in sight, so other microscopes may do worse.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageDraw import Draw
from PIL.ImageFont import load_default

from napari_micromap.microscopy.annotations import annotation
from napari_micromap.microscopy.bar import find_bar
from napari_micromap.microscopy.cropping import SIDES, Side, crop_bar
from napari_micromap.microscopy.pixels import read_pixels

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "real_micrographs.csv"
SMALLEST = 200  # pixels of a side, from which text in a drawn bar can be read


@dataclass
class Tally:
    """Right, wrong and missed, and the right nothing."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    nothing: int = 0

    def count(self, truth: Any, found: Any) -> None:
        """Compare; None is nothing."""
        self.right += truth is not None and truth == found
        self.wrong += found is not None and truth != found
        self.missed += truth is not None and truth != found
        self.nothing += truth is None and found is None

    @property
    def figures(self) -> dict[str, Any]:
        """Counts, precision and recall; None where there was nothing to find."""
        said, there = self.right + self.wrong, self.right + self.missed
        return {
            "there": there, "right": self.right, "wrong": self.wrong, "missed": self.missed, "none": self.nothing,
            "precision": self.right / said if said else None, "recall": self.right / there if there else None,
        }  # fmt: skip


def truths(data: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the real micrographs with their rows of the table."""
    with TABLE.open(newline="") as lines:
        for row in csv.DictReader(lines):
            for path in sorted(data.glob(row["file"].replace("[", "[[]"))):
                yield path, row


def drawn_bar(specimen: NDArray[Any], side: Side, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
    """Put a bar with writing on a side of a gray specimen; return the picture and how thick the bar is."""
    height, width = specimen.shape
    across = side in ("left", "right")
    long, most = (height, width) if across else (width, height)
    thick = int(rng.integers(max(18, most // 30), max(20, most // 8) + (most // 10 if across else 0)))
    ground, ink = ((0, 255), (255, 0), (110, 255))[int(rng.integers(3))]
    bar = Image.new("L", (thick, long) if across else (long, thick), ground)
    pen, font = Draw(bar), load_default(size=max(9, min(28, thick // 2)))
    if across:
        for line, said in enumerate(("SE", "15 kV", "5 kx", "WD 9", "2 um")):
            pen.text((2, 6 + line * (6 + thick // 2)), said, fill=ink, font=font)
        pen.line((3, long - 12, thick - 4, long - 12), fill=ink, width=2)
    else:
        pen.text((6, 1), "SE  15.0 kV  x5,000  WD 9.8 mm   2 um", fill=ink, font=font)
        pen.line((long * 3 // 4, thick - 5, long * 7 // 8, thick - 5), fill=ink, width=2)
    pieces = [np.asarray(bar), specimen] if side in ("top", "left") else [specimen, np.asarray(bar)]
    return np.concatenate(pieces, axis=1 if across else 0), thick


def through_jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what JPEG leaves of a picture."""
    packed = BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=88)
    return np.asarray(Image.open(packed))


def run(data: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Count over all sets."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    rng = np.random.default_rng(seed)
    for path, row in truths(data):
        pixels = read_pixels(path)
        found = find_bar(pixels)
        truth = (row["bar_side"], int(row["bar_rows"])) if int(row["bar_rows"]) else None
        said = (found.side, found.rows) if found.rows else None
        for name in ("real, all sets", f"real, {row['file'].split('/')[0]}"):
            tallies[name].count(truth, said)
        specimen = crop_bar(pixels, int(row["bar_rows"]), "bottom")
        tallies["annotations, an image"].count(row["annotated"] or None, "yes" if annotation(specimen) else None)
        if not row["annotated"] and specimen.dtype == np.uint8 and min(specimen.shape[:2]) >= SMALLEST:
            gray = np.ascontiguousarray(specimen if specimen.ndim == 2 else specimen[..., 1])
            for side in SIDES:
                picture, thick = drawn_bar(gray, side, rng)
                found = find_bar(through_jpeg(picture) if rng.random() < 0.5 else picture)
                tallies[f"drawn, {side}"].count((side, thick), (found.side, found.rows) if found.rows else None)
    return {name: tally.figures for name, tally in tallies.items()}


def main() -> None:
    """Print a line a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = run(given.data, given.seed)
    if not figures:
        parser.error(f"there are no micrographs in {given.data}")
    if given.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{'':26}{'there':>7}{'right':>7}{'wrong':>7}{'missed':>8}{'none':>7}{'precision':>11}{'recall':>8}")
    for name, told in figures.items():
        shares = [f"{told[share]:.3f}" if told[share] is not None else "–" for share in ("precision", "recall")]
        counts = [told[key] for key in ("there", "right", "wrong", "missed", "none")]
        print(
            f"{name:26}{counts[0]:7}{counts[1]:7}{counts[2]:7}{counts[3]:8}{counts[4]:7}{shares[0]:>11}{shares[1]:>8}"
        )


if __name__ == "__main__":
    main()
