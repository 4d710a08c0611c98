"""Malformed and oversized pictures: each opens or is named with a reason, the rest goes on, memory stays bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_micromap.microscopy.parts import read_part
from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.recipe import Recipe, prepare, thumbnail
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

SEED = int(os.environ.get("MICROMAP_FUZZ_SEED", "0"))
FILES = 300
PEAK_MB = 2500  # four readers at once, each with a picture of at most 512 MB

# Opens a folder in a process of its own, and tells what came of it and how much memory it took at most.
OPEN = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from napari_micromap.problems import Problem
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish
told = {"opened": [], "named": {}}
try:
    atlas = finish(Folder(Path(sys.argv[1]))())
    told["opened"] = sorted(set(atlas.columns["file"]))
    told["named"] = {Path(file.path).name: file.reason for file in atlas.unreadable}
    for micrograph in list(atlas)[:40]:
        assert micrograph.specimen().ndim in (2, 3)
except Problem as problem:
    told["problem"] = str(problem)
status = Path("/proc/self/status")  # getrusage would tell the peak of the process that started this one
lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
told["mb"] = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
print(json.dumps(told))
"""


def opened(folder: Path, limit_s: int = 240) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", OPEN, str(folder)], capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def damaged(sound: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Do one to three kinds of harm to the bytes of a file."""
    data = bytearray(sound)
    for _ in range(int(random.integers(1, 4))):
        # where formats keep what the rest depends on: at the beginning, or, in TIFF, also at the end
        reach = min(len(data), int(random.choice([64, 400, len(data)])))
        at = int(random.integers(0, reach)) if random.random() < 0.7 else len(data) - 1 - int(random.integers(0, reach))
        kind = int(random.integers(6))
        if kind == 0:
            data[at] = int(random.integers(256))
        elif kind == 1:
            extreme = random.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 0x00010000, 30_000])
            data[at : at + 4] = int(extreme).to_bytes(4, "little")
        elif kind == 2:
            del data[max(1, at) :]
        elif kind == 3:
            data[at : at + 200] = bytes(min(200, len(data) - at))
        elif kind == 4:
            data[at : at + 500] = other[at : at + 500]
        else:
            del data[at : at + int(random.integers(1, 50))]
        if not data:
            break
    return bytes(data)


def test_300_malformed_files_made_from_real_ones_open_or_are_named(real_data: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(SEED)
    found = sorted(path for path in real_data.rglob("*") if path.suffix in (".tif", ".jpg", ".png"))
    by_set: dict[str, list[Path]] = {}
    for path in found:
        if path.stat().st_size < 2**20:
            by_set.setdefault(path.relative_to(real_data).parts[0], []).append(path)
    for k in range(FILES):
        sets = list(by_set.values())
        some, others = (one[int(random.integers(len(one)))] for one in (sets[k % len(sets)], sets[(k + 1) % len(sets)]))
        harm = damaged(some.read_bytes(), others.read_bytes(), random)
        (tmp_path / f"{k:03d}{some.suffix}").write_bytes(harm)
    told = opened(tmp_path)
    told_of = {*told["opened"], *told["named"]}
    assert told_of == {path.name for path in tmp_path.iterdir()} and len(told_of) == FILES, f"seed {SEED}"
    assert all(reason.endswith(".") and "\n" not in reason for reason in told["named"].values()), told["named"]
    assert len(told["named"]) > FILES / 10, "most harm is seen"
    assert told["mb"] < PEAK_MB, f"seed {SEED}: {told['mb']:.0f} MB"


def test_a_picture_of_30000_by_30000_is_named_the_rest_goes_on_and_parts_of_it_can_be_read(tmp_path: Path) -> None:
    large = tifffile.memmap(tmp_path / "large.tif", shape=(30_000, 30_000), dtype=np.uint8)
    mark = np.random.default_rng(0).integers(0, 255, (300, 400), np.uint8)
    large[20_000:20_300, 25_000:25_400] = mark
    large.flush()
    del large
    Image.fromarray(mark).save(tmp_path / "small.png")
    told = opened(tmp_path)
    assert told["opened"] == ["small.png"]
    assert told["named"]["large.tif"].startswith("30000 × 30000 pixels would need 858 MB, the limit is 512 MB; map its")
    assert told["mb"] < 500
    np.testing.assert_array_equal(read_part(tmp_path / "large.tif", 0, (20_000, 25_000, 300, 400)), mark)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_odd_but_sound_pictures_open_and_can_be_prepared(tmp_path: Path) -> None:
    holes = np.random.default_rng(0).random((64, 80)).astype(np.float32)
    holes[10:20, 5:30] = np.nan
    odd = {
        "holes.tif": holes, "empty.tif": np.full((50, 60), np.nan, np.float32),
        "flat.tif": np.full((90, 90), 7, np.uint8),
        "dot.tif": np.array([[3]], np.uint8), "line.tif": np.arange(400, dtype=np.uint16)[None],
        "infinite.tif": np.where(holes > 0.5, np.inf, holes),
    }  # fmt: skip
    for name, pixels in odd.items():
        tifffile.imwrite(tmp_path / name, pixels)
    atlas = finish(Folder(tmp_path)())
    assert not atlas.unreadable and set(atlas.columns["file"]) == set(odd)
    assert set(atlas.columns["bar_rows"]) == {0} and not atlas.columns["annotation"].notna().any()
    for micrograph in atlas:
        specimen = micrograph.specimen()
        assert np.isfinite(prepare(specimen, Recipe())).all(), micrograph.name
        assert thumbnail(specimen).dtype == np.uint8


def test_a_wrong_ending_and_nothing_at_all_are_told_by_the_content(tmp_path: Path) -> None:
    gray = np.random.default_rng(1).integers(0, 255, (40, 50), np.uint8)
    Image.fromarray(gray).save(tmp_path / "really_png.tif", "PNG")
    np.testing.assert_array_equal(read_pixels(tmp_path / "really_png.tif"), gray)
    (tmp_path / "nothing.tif").write_bytes(b"")
    (tmp_path / "zeros.tif").write_bytes(bytes(5000))
    with pytest.raises(Unreadable, match="empty"):
        read_pixels(tmp_path / "nothing.tif")
    with pytest.raises(Unreadable, match="not a picture"):
        read_pixels(tmp_path / "zeros.tif")
    (tmp_path / "really_png.tif").unlink()
    with pytest.raises(Problem, match="None of the 2 pictures"):
        finish(Folder(tmp_path)())
