"""What the cache of embeddings promises: bounded, safe on network drives, and nothing is computed twice."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas, Micrograph
from napari_micromap.backbones.network import CnnNetwork
from napari_micromap.embedding import reading
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder
from napari_micromap.store import database
from napari_micromap.store.drives import is_remote
from napari_micromap.store.embeddings import EmbeddingCache
from napari_micromap.store.thumbnails import Thumbnails
from napari_micromap.work import finish

SMALL = Recipe(views=1, side=32)
SPECIMEN = Micrograph.specimen


def vector(seed: int, d: int = 1000) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=d).astype(np.float32)


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(count):
        tifffile.imwrite(folder / f"{number:02d}.tif", random.integers(0, 255, (40, 48)).astype(np.uint8))
    return folder


# ------------------------------------------------------------ bounded


def test_the_longest_unused_go_when_a_full_cache_is_next_used(tmp_path: Path) -> None:
    for day, name in enumerate(("old", "used", "new")):
        cache = EmbeddingCache(tmp_path, today=lambda day=day: day)
        cache.put({f"{name}{i}": vector(i) for i in range(100)})
        cache.close()
    cache = EmbeddingCache(tmp_path, today=lambda: 9)
    assert len(cache.get([f"used{i}" for i in range(100)])) == 100  # their day is now the ninth
    cache.close()
    limit = 1_000_000
    cache = EmbeddingCache(tmp_path, limit, today=lambda: 9)
    there = {name: len(cache.get([f"{name}{i}" for i in range(100)])) for name in ("old", "new", "used")}
    cache.close()
    assert there["old"] == 0 and there["new"] < 100 and there["used"] == 100
    assert sum(there.values()) > 150
    assert (tmp_path / "embeddings.sqlite").stat().st_size <= limit
    assert np.array_equal(EmbeddingCache(tmp_path).get(["used7"])["used7"], vector(7))


def test_the_environment_says_how_large_a_cache_may_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EmbeddingCache(tmp_path).put({f"k{i}": vector(i) for i in range(50)})
    monkeypatch.setenv("MICROMAP_CACHE_GB", "0.0001")
    assert len(EmbeddingCache(tmp_path).get([f"k{i}" for i in range(50)])) < 50
    monkeypatch.setenv("MICROMAP_CACHE_GB", "much")
    assert EmbeddingCache(tmp_path)._limit == 5_000_000_000


def test_too_many_memos_go_as_well(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.note({f"{i:040d}": f"{i:040d}" for i in range(3000)})
    cache.close()
    cache = EmbeddingCache(tmp_path, 200_000)
    cache.put({"k": vector(0)})
    assert cache.recall([f"{0:040d}"]) == {}
    assert len(cache.get(["k"])) == 1


def test_thumbnails_that_were_not_used_for_longest_go(tmp_path: Path) -> None:
    jpeg = np.random.default_rng(0).bytes(4000)
    for day, name in enumerate(("old", "used", "new")):
        thumbnails = Thumbnails(tmp_path, today=lambda day=day: day)
        thumbnails.put_jpegs([(f"{name}{i}", jpeg) for i in range(100)])
        thumbnails.close()
    thumbnails = Thumbnails(tmp_path, today=lambda: 9)
    assert len(thumbnails.present([f"old{i}" for i in range(50)])) == 50
    thumbnails.close()
    limit = 1_000_000
    thumbnails = Thumbnails(tmp_path, limit, today=lambda: 9)
    there = {name: thumbnails.jpegs([f"{name}{i}" for i in range(100)]) for name in ("old", "used", "new")}
    thumbnails.close()
    assert set(there["old"]) == {f"old{i}" for i in range(50)}
    assert len(there["new"]) == 100 and 0 < len(there["used"]) < 100
    assert (tmp_path / "thumbnails.sqlite").stat().st_size <= limit
    assert Thumbnails(tmp_path).jpegs(["new7"]) == {"new7": jpeg}


def test_thumbnails_of_before_there_was_a_limit_stay_good(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "thumbnails.sqlite") as older:
        older.execute("CREATE TABLE thumbnails (key TEXT PRIMARY KEY, jpeg BLOB NOT NULL) WITHOUT ROWID")
        older.executemany("INSERT INTO thumbnails VALUES (?, ?)", [(f"{i}", bytes(4000)) for i in range(100)])
        older.execute("PRAGMA user_version=1")
    older.close()
    thumbnails = Thumbnails(tmp_path)
    assert len(thumbnails.present([f"{i}" for i in range(100)])) == 100
    thumbnails.close()
    left = Thumbnails(tmp_path, 200_000)
    assert 0 < len(left.present([f"{i}" for i in range(100)])) < 100
    left.close()
    assert not list(tmp_path.glob("*damaged*"))


# ------------------------------------------------------------ network drives

MOUNTS = """\
22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:30 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 0:31 / /home/ada/local\\040disk rw - xfs /dev/sdb1 rw
32 22 0:32 / /mnt/far rw - fuse.sshfs ada@far:/ rw
"""


@pytest.mark.skipif(sys.platform == "win32", reason="mounts are told otherwise there")
@pytest.mark.parametrize(
    ("folder", "remote"),
    [("/home/ada", True), ("/home/ada/local disk/x", False), ("/homestead", False), ("/mnt/far/a", True), ("/", False)],
)
def test_network_drives_are_told_from_local_ones(tmp_path: Path, folder: str, remote: bool) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert is_remote(Path(folder), tmp_path / "mountinfo") == remote
    assert not is_remote(Path(folder), tmp_path / "not there")


def mode_of(path: Path) -> str:
    connection = sqlite3.connect(path)
    mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return mode


def test_a_cache_on_a_network_drive_does_without_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = EmbeddingCache(tmp_path)
    local.put({"a": vector(1)})
    local.close()
    assert mode_of(tmp_path / "embeddings.sqlite") == "wal"
    monkeypatch.setattr(database, "is_remote", lambda folder: True)
    far = EmbeddingCache(tmp_path)
    far.put({"b": vector(2)})
    assert mode_of(tmp_path / "embeddings.sqlite") == "delete"
    assert not list(tmp_path.glob("*-shm"))
    assert np.array_equal(far.get(["a"])["a"], vector(1)) and len(far.get(["b"])) == 1


# ------------------------------------------------------------ nothing twice


class Counted:
    """A workshop, and how many pictures went through its networks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.workshop = pipeline.Workshop(folder)
        self.pictures = 0
        maps = CnnNetwork.maps

        def counting(network: CnnNetwork, batch: Any) -> Any:
            self.pictures += len(batch) if batch.shape[-1] == SMALL.side else 0  # not the probes while it is loaded
            return maps(network, batch)

        monkeypatch.setattr(CnnNetwork, "maps", counting)

    def embedded(self, folder: Path, verify: bool = False) -> tuple[Atlas, int]:
        before = self.pictures
        atlas = finish(pipeline.gather(Folder(folder)))
        atlas = finish(pipeline.embed(atlas, None, SMALL, self.workshop, "cpu", verify))
        return atlas, self.pictures - before


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(tmp_path / "own cache", monkeypatch)


def test_only_what_changed_goes_through_the_network_again(counted: Counted, tmp_path: Path) -> None:
    films = write_pictures(tmp_path / "films", 9)
    first, passed = counted.embedded(films)
    assert passed == 9
    again, passed = counted.embedded(films)
    assert passed == 0 and again.embeddings.tobytes() == first.embeddings.tobytes()
    (films / "sub").mkdir()
    (films / "00.tif").rename(films / "sub" / "zz.tif")
    moved, passed = counted.embedded(films.rename(tmp_path / "elsewhere"))
    assert passed == 0 and sorted(moved.ids) == sorted(first.ids)
    changed = tmp_path / "elsewhere" / "03.tif"
    pixels = tifffile.imread(changed)
    pixels[5, 5] ^= 1
    tifffile.imwrite(changed, pixels)
    assert counted.embedded(tmp_path / "elsewhere")[1] == 1


def test_a_second_look_reads_no_file_of_the_embed_stage_unless_asked_to(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = write_pictures(tmp_path / "films", 5)
    counted.embedded(films)
    reads = []
    monkeypatch.setattr(Micrograph, "specimen", lambda one, *how: reads.append(one.name) or SPECIMEN(one, *how))
    counted.embedded(films)
    assert reads == []
    assert counted.embedded(films, verify=True)[1] == 0
    assert sorted(reads) == [f"{i:02d}.tif" for i in range(5)]


def test_what_an_older_cache_calls_a_file_still_holds_and_is_renamed_when_the_file_is_read(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels were hashed in another way once."""
    films = write_pictures(tmp_path / "films", 3)
    with monkeypatch.context() as before:
        before.setattr(reading, "content_hash", lambda pixels: hashlib.blake2b(pixels.tobytes()).hexdigest())
        first, _ = counted.embedded(films)
    assert counted.embedded(films)[1] == 0, "its memos say under which name the vectors are"
    assert counted.embedded(films, verify=True)[1] == 3, "read again they have another name"
    reads = []
    monkeypatch.setattr(Micrograph, "specimen", lambda one, *how: reads.append(one.name) or SPECIMEN(one, *how))
    again, passed = counted.embedded(films)
    assert passed == 0 and reads == [] and np.array_equal(again.embeddings, first.embeddings)


def test_only_verifying_finds_a_file_that_was_changed_behind_its_date(counted: Counted, tmp_path: Path) -> None:
    films = write_pictures(tmp_path / "films", 4)
    first, _ = counted.embedded(films)
    changed = films / "02.tif"
    before = changed.stat()
    pixels = tifffile.imread(changed)[::-1].copy()
    with changed.open("r+b") as file:  # in place: the same file to the system
        tifffile.imwrite(file, pixels)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    if changed.stat().st_size != before.st_size:
        pytest.skip("tifffile wrote it in another size")
    atlas, passed = counted.embedded(films)
    assert passed == 0
    atlas, passed = counted.embedded(films, verify=True)
    assert passed == 1
    assert not np.array_equal(atlas.embeddings[2], first.embeddings[2])


# ------------------------------------------------------------ a sudden end

# Imports once; then each line of films, cache and log on its input becomes a process of its own, as if just started.
EMBEDDER = """
import os, sys, time, traceback
from pathlib import Path
import onnxruntime, torch
from napari_micromap import pipeline
from napari_micromap.backbones.network import CnnNetwork
from napari_micromap.embedding import run
from napari_micromap.embedding import reading
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish
run.PUT_EVERY = 0.0  # each batch at once: with pictures this small, half a second is all of it
maps = CnnNetwork.maps

def embed(films, cache, log):
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def counting(network, batch):
        if batch.shape[-1] == 32:
            os.write(written, b"x" * len(batch))
            time.sleep(0.01)  # so that there are moments between two batches
        return maps(network, batch)
    CnnNetwork.maps = counting
    atlas = finish(pipeline.gather(Folder(films)))
    workshop = pipeline.Workshop(cache)
    atlas = finish(pipeline.embed(atlas, None, Recipe(views=1, side=32), workshop, "cpu"))
    workshop.close()
    log.with_name(f"{log.name}.vectors").write_bytes(atlas.embeddings.tobytes())

for line in sys.stdin:
    process = os.fork()
    if not process:
        try:
            embed(*map(Path, line.rstrip("\\n").split("\\t")))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""
PICTURES = 40


class Embedders:
    """Processes that embed, one after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", EMBEDDER]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, films: Path, cache: Path, log: Path) -> int:
        """Start one; return its number."""
        assert self._server.stdin is not None
        self._server.stdin.write(f"{films}\t{cache}\t{log}\n")
        self._server.stdin.flush()
        return self._told()

    def ended(self) -> int:
        """Wait for its end; return its exit status, negative where a signal ended it."""
        return self._told()

    def close(self) -> None:
        self._server.communicate()

    def _told(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


def passes(log: Path) -> int:
    return len(log.read_bytes()) if log.exists() else 0


@pytest.fixture(scope="module")
def embedders() -> Iterator[Embedders]:
    started = Embedders()
    yield started
    started.close()


@pytest.fixture(scope="module")
def uninterrupted(embedders: Embedders, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Pictures, and their vectors by a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("sudden end")
    films = write_pictures(folder / "films", PICTURES)
    embedders.start(films, folder / "cache", folder / "log")
    assert embedders.ended() == 0
    assert passes(folder / "log") == PICTURES
    return films, (folder / "log.vectors").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
@pytest.mark.parametrize(
    "moments",
    [pytest.param(range(3), id="3 moments"), pytest.param(range(3, 33), id="30 moments", marks=pytest.mark.slow)],
)
def test_after_kill_minus_nine_only_what_was_not_committed_is_computed(
    embedders: Embedders, uninterrupted: tuple[Path, bytes], tmp_path: Path, moments: range
) -> None:
    films, vectors = uninterrupted
    told = []
    for moment in moments:
        cache, log = tmp_path / f"cache {moment}", tmp_path / f"log {moment}"
        random = np.random.default_rng(moment)
        wanted, later = random.integers(0, PICTURES), random.uniform(0, 0.02)
        process = embedders.start(films, cache, log)
        while passes(log) < wanted:
            time.sleep(0.0005)
        time.sleep(later)
        os.kill(process, signal.SIGKILL)
        embedders.ended()
        before = passes(log)
        committed = committed_in(cache)
        embedders.start(films, cache, log)
        assert embedders.ended() == 0
        assert passes(log) - before == PICTURES - committed, (moment, before, committed)
        assert (tmp_path / f"log {moment}.vectors").read_bytes() == vectors
        told.append((before, committed))
    assert any(0 < committed < PICTURES for _, committed in told), told


def committed_in(cache: Path) -> int:
    path = cache / "embeddings.sqlite"
    if not path.exists():
        return 0
    copied = shutil.copytree(cache, cache.with_name(f"{cache.name} copied"))
    connection = sqlite3.connect(copied / "embeddings.sqlite")
    try:
        return int(connection.execute("SELECT count(*) FROM embeddings").fetchone()[0])
    except sqlite3.OperationalError:  # it was killed before there was a table
        return 0
    finally:
        connection.close()
