"""A collection embedded in parts is the same as one embedded in one go."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.cli import main
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.sharding import Shard, check_recipe, embed_part, merged, submitted
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

SMALL = Recipe(views=1, side=32)


def write_pictures(folder: Path, count: int) -> Path:
    """Write pictures with two equal ones, a stack, a broken file, and subfolders."""
    random = np.random.default_rng(0)
    for name in ("F0", "F1", "F2"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        tifffile.imwrite(
            folder / f"F{number % 3}" / f"{number:03d}.tif", random.integers(0, 255, (40, 48)).astype(np.uint8)
        )
    shutil.copy(folder / "F0" / "000.tif", folder / "F2" / "000 again.tif")
    shutil.copy(folder / "F0" / "000.tif", folder / "F1" / "000 again.tif")
    tifffile.imwrite(
        folder / "stack.tif", random.integers(0, 255, (3, 40, 48)).astype(np.uint8), photometric="minisblack"
    )
    (folder / "broken.tif").write_bytes(b"II*\0nothing")
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("parts") / "films", 9)


@pytest.fixture(scope="module")
def whole(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    workshop = pipeline.Workshop(tmp_path_factory.mktemp("cache of the whole"))
    atlas = finish(pipeline.gather(Folder(films)))
    return finish(pipeline.embed(atlas, None, SMALL, workshop, "cpu"))


@pytest.fixture(scope="module")
def parts(films: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts made")
    return [part(films, number, 4, folder / f"part {number}") for number in range(1, 5)]


def part(films: Path, number: int, of: int, out: Path, recipe: Recipe = SMALL) -> Path:
    """Make a part with a cache of its own, as another machine would."""
    workshop = pipeline.Workshop(out.with_name(f"{out.name} cache"))
    try:
        return finish(embed_part(Shard((films,), number, of), out, None, recipe, workshop, "cpu"))
    finally:
        workshop.close()


def put_together(parts: list[Path], tmp_path: Path) -> Atlas:
    workshop = pipeline.Workshop(tmp_path / "cache of the merger")
    try:
        return finish(merged(parts, workshop))
    finally:
        workshop.close()


def assert_same(one: Atlas, other: Atlas) -> None:
    assert one.ids.tolist() == other.ids.tolist()
    assert one.paths.tolist() == other.paths.tolist() and one.pages.tolist() == other.pages.tolist()
    assert one.embeddings is not None and other.embeddings is not None
    cosines = (one.embeddings * other.embeddings).sum(axis=1) / (
        np.linalg.norm(one.embeddings, axis=1) * np.linalg.norm(other.embeddings, axis=1)
    )
    assert cosines.min() >= 0.9999
    assert set(one.unreadable) == set(other.unreadable)
    assert dict(one.roles) == dict(other.roles)
    assert list(one.columns) == list(other.columns)
    for name in one.columns:  # missing is missing, whatever a saved table calls it
        here, there = (
            atlas.columns[name].astype(object).where(atlas.columns[name].notna(), None) for atlas in (one, other)
        )
        assert here.tolist() == there.tolist(), name


def test_merged_parts_are_the_collection_in_its_order(whole: Atlas, parts: list[Path], tmp_path: Path) -> None:
    atlas = put_together(list(reversed(parts)), tmp_path)
    assert len(atlas) == 14 and len(atlas.unreadable) == 1
    assert_same(atlas, whole)


def test_a_merged_collection_is_known_to_the_cache(films: Path, parts: list[Path], tmp_path: Path) -> None:
    workshop = pipeline.Workshop(tmp_path / "cache")
    atlas = finish(merged(parts, workshop))
    again = finish(pipeline.embed(finish(pipeline.gather(Folder(films))), None, SMALL, workshop, "cpu"))
    assert again.made_by["device"] == "cache"
    assert again.embeddings.tobytes() == atlas.embeddings.tobytes()
    workshop.close()


def test_more_parts_than_pictures_are_no_harm(tmp_path: Path) -> None:
    films = write_pictures(tmp_path / "films", 1)
    made = [part(films, number, 7, tmp_path / f"p{number}") for number in range(1, 8)]
    atlas = put_together(made, tmp_path)
    assert len(atlas) == 6 and len(atlas.unreadable) == 1


def test_missing_parts_are_named(parts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="Parts 2/4, 4/4 are missing"):
        put_together([parts[0], parts[2]], tmp_path)


def test_parts_that_do_not_belong_together_are_refused(films: Path, parts: list[Path], tmp_path: Path) -> None:
    other = part(films, 1, 4, tmp_path / "other recipe", Recipe(views=1, side=64))
    with pytest.raises(Problem, match="another recipe"):
        put_together([other, *parts[1:]], tmp_path)
    with pytest.raises(Problem, match="both part 1"):
        put_together([other, *parts], tmp_path)
    grown = shutil.copytree(films, tmp_path / "films")
    shutil.copy(grown / "stack.tif", grown / "one more.tif")
    with pytest.raises(Problem, match="other files"):
        put_together([part(grown, 1, 4, tmp_path / "other files"), *parts[1:]], tmp_path)


@pytest.mark.parametrize(
    ("recipe", "said"), [(Recipe(precision="auto"), "one precision"), (Recipe(scale="coarsest"), "one scale")]
)
def test_what_parts_might_settle_each_for_itself_is_named(
    films: Path, tmp_path: Path, recipe: Recipe, said: str
) -> None:
    with pytest.raises(Problem, match=said):
        part(films, 1, 4, tmp_path / "p", recipe)
    with pytest.raises(Problem, match=said):  # before a scheduler is looked for
        check_recipe(recipe)


def test_the_command_line_makes_parts_and_a_map_of_them(
    films: Path, whole: Atlas, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        out = tmp_path / f"p{number}"
        call = ["embed", str(films), "--views", "1", "--device", "cpu", "--shard", f"{number}/2", "-o", str(out)]
        assert main(call) == 0
    made = [str(tmp_path / f"p{number}.micromap") for number in (1, 2)]
    assert main(["merge", made[0], "-o", str(tmp_path / "S.micromap")]) == 1
    assert "Part 2/2 is missing" in capsys.readouterr().err
    assert main(["merge", *made, "-o", str(tmp_path / "S.micromap")]) == 0
    assert "14 images" in capsys.readouterr().out
    restored = finish(pipeline.restore(tmp_path / "S.micromap", pipeline.Workshop(tmp_path / "c")))
    assert restored.atlas.ids.tolist() == whole.ids.tolist()
    assert restored.atlas.positions is not None and np.isfinite(restored.atlas.positions).all()


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "3", "a/b"])
def test_a_part_that_cannot_be_is_refused(wrong: str, films: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["embed", str(films), "--shard", wrong, "-o", "p"])
    assert "3/8" in capsys.readouterr().err


# ------------------------------------------------------------ a cluster


def dask(*arguments: str) -> subprocess.Popen[str]:
    code = f"from distributed.cli.dask_{arguments[0]} import main; main()"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments[1:]],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.skipif(not find_spec("distributed") or sys.platform == "win32", reason="needs distributed and kill -9")
def test_a_worker_that_is_killed_costs_only_its_parts_retry(
    films: Path, whole: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROMAP_CACHE", str(tmp_path / "cache of the workers"))
    scheduler = dask("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
    workers = []
    try:
        assert scheduler.stderr is not None
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://[\d.]+:\d+", line)))
        same = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path))
        workers = [dask("worker", address, "--name", f"w-{i}", *same) for i in range(2)]
        work = submitted((films,), tmp_path / "parts", 5, address, None, SMALL, "cpu")
        (tmp_path / "parts").mkdir()
        steps = [next(work)]
        time.sleep(1.0)
        workers[0].send_signal(signal.SIGKILL)
        while True:
            try:
                steps.append(next(work))
            except StopIteration as end:
                made = end.value
                break
        assert [step.done for step in steps] == [0, 1, 2, 3, 4, 5]
        assert workers[1].poll() is None
        assert_same(put_together(made, tmp_path), whole)
    finally:
        for process in [*workers, scheduler]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
