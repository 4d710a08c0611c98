"""Embeddings and thumbnails on disk: they survive threads, processes, damage and a sudden end."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_micromap.problems import Problem
from napari_micromap.store.embeddings import EmbeddingCache, content_hash, file_question, key_of
from napari_micromap.store.thumbnails import Thumbnails


def vector(seed: int, d: int = 1752) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=d).astype(np.float32)


def test_what_is_put_comes_back_bit_by_bit_and_the_rest_does_not(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put({f"k{i}": vector(i) for i in range(1200)})
    found = cache.get([f"k{i}" for i in range(1300)])
    assert set(found) == {f"k{i}" for i in range(1200)}
    assert all(np.array_equal(found[f"k{i}"], vector(i)) for i in range(1200))
    assert found["k0"].dtype == np.float32
    cache.close()
    assert np.array_equal(EmbeddingCache(tmp_path).get(["k7"])["k7"], vector(7))
    assert cache.get([]) == {}


def test_memos_are_kept_beside_them(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.note({"a": "1", "b": "2"})
    cache.note({"b": "3"})
    assert cache.recall(["a", "b", "c"]) == {"a": "1", "b": "3"}


def test_many_threads_may_use_one_cache(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)

    def work(number: int) -> bool:
        cache.put({f"{number}": vector(number)})
        return np.array_equal(cache.get([f"{number}"])[f"{number}"], vector(number))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


WRITER = """
import sys
from pathlib import Path
import numpy as np
from napari_micromap.store.embeddings import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]))
name, count = sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for batch in range(count):
    cache.put({f"{name}-{batch}-{i}": np.full(1752, batch, np.float32) for i in range(8)})
    print(batch, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def started(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def test_several_processes_fill_a_new_cache_at_once(tmp_path: Path) -> None:
    processes = [writer(tmp_path, name, 30) for name in "abc"]
    for process in processes:
        started(process)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    keys = [f"{name}-{batch}-{i}" for name in "abc" for batch in range(30) for i in range(8)]
    assert len(EmbeddingCache(tmp_path).get(keys)) == len(keys)
    assert not list(tmp_path.glob("*damaged*"))


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
@pytest.mark.parametrize("batches", [0, 1, 5, 20])
def test_a_sudden_end_loses_at_most_the_batch_in_hand(tmp_path: Path, batches: int) -> None:
    process = writer(tmp_path, "x", 10_000)
    started(process)
    assert process.stdout is not None
    for _ in range(batches):
        process.stdout.readline()
    time.sleep(0.003 * batches)
    process.send_signal(signal.SIGKILL)
    told = batches + len(process.communicate()[0].split())
    cache = EmbeddingCache(tmp_path)
    there = cache.get([f"x-{batch}-{i}" for batch in range(told + 2) for i in range(8)])
    assert len(there) % 8 == 0
    assert len(there) >= 8 * told
    assert all((found == int(key.split("-")[1])).all() for key, found in there.items())
    cache.put({"after": vector(1)})
    assert not list(tmp_path.glob("*damaged*"))


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / "embeddings.sqlite").write_bytes(b"This is no database. " * 500)
    cache = EmbeddingCache(tmp_path)
    assert cache.get(["k"]) == {}
    cache.put({"k": vector(0)})
    assert np.array_equal(cache.get(["k"])["k"], vector(0))
    assert b"This is no database" in next(tmp_path.glob("embeddings.damaged-*.sqlite")).read_bytes()


def test_a_file_damaged_in_the_middle_does_not_crash(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.put({f"k{i:03d}": vector(i) for i in range(300)})
    cache.close()
    path = tmp_path / "embeddings.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    cache.get([f"k{i:03d}" for i in range(300)])
    cache.put({"new": vector(0)})
    assert np.array_equal(cache.get(["new"])["new"], vector(0))


@pytest.mark.parametrize("version", [0, 99])
def test_a_database_of_another_program_or_version_is_set_aside_whole(tmp_path: Path, version: int) -> None:
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as other:
        other.execute("CREATE TABLE precious (x)")
        other.execute("INSERT INTO precious VALUES (42)")
        other.execute(f"PRAGMA user_version={version}")
    other.close()
    EmbeddingCache(tmp_path).put({"k": vector(0)})
    aside = sqlite3.connect(next(tmp_path.glob("embeddings.damaged-*.sqlite")))
    assert aside.execute("SELECT x FROM precious").fetchall() == [(42,)]
    aside.close()


def test_a_cache_that_cannot_be_written_says_so_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Problem, match="MICROMAP_CACHE"):
        EmbeddingCache(tmp_path / "file").put({"k": vector(0)})


# ------------------------------------------------------------ keys


def test_pixels_that_differ_in_shape_or_number_format_differ_in_hash() -> None:
    pixels = np.zeros((4, 6), np.uint8)
    others = [pixels.reshape(6, 4), pixels.astype(np.uint16), pixels[:, :3].repeat(2, axis=0), pixels + 1]
    assert len({content_hash(each) for each in [pixels, *others]}) == 5


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from(["u1", "<u2", ">u2", "<f4", ">f4", "f8"]))
def test_the_hash_knows_values_not_how_they_lie_in_memory(seed: int, dtype: str) -> None:
    pixels = np.random.default_rng(seed).integers(0, 200, (7, 9)).astype(dtype)
    assert content_hash(pixels) == content_hash(np.asfortranarray(pixels)) == content_hash(pixels[::-1][::-1])
    assert content_hash(pixels) == content_hash(pixels.astype(pixels.dtype.newbyteorder("<")))


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.sampled_from(["u1", "<u2", "<f4"]), st.data())
def test_one_changed_pixel_changes_the_hash(seed: int, dtype: str, data: st.DataObject) -> None:
    pixels = np.random.default_rng(seed).integers(0, 200, (61, 83)).astype(dtype)
    changed = pixels.copy()
    changed[data.draw(st.integers(0, 60)), data.draw(st.integers(0, 82))] += data.draw(st.integers(1, 55))
    assert content_hash(changed) != content_hash(pixels) == content_hash(pixels.copy())


def test_a_files_memo_is_forgotten_when_the_file_or_its_data_bar_changes(tmp_path: Path) -> None:
    path = tmp_path / "1.tif"
    path.write_bytes(b"abc")
    questions = {file_question(str(path), 0, 0), file_question(str(path), 1, 0), file_question(str(path), 0, 38)}
    path.write_bytes(b"abcd")
    questions.add(file_question(str(path), 0, 0))
    assert len(questions) == 4 and None not in questions
    assert file_question(str(tmp_path / "gone.tif"), 0, 0) is None
    assert key_of(a=1, b="x") == key_of(b="x", a=1) != key_of(a="1", b="x")


# ------------------------------------------------------------ thumbnails


@dataclass(frozen=True)
class Shown:
    """What a thumbnail's key asks of a micrograph."""

    id: str
    bar_rows: int
    bar_side: str = "bottom"


def test_thumbnails_keep_what_they_look_like_gray_or_in_color(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path)
    ramp = np.tile(np.linspace(0, 255, 192).astype(np.uint8), (128, 1))
    color = np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 90)], axis=-1)
    thumbnails.put("gray", ramp)
    thumbnails.put("color", color)
    for key, picture in (("gray", ramp), ("color", color)):
        again = thumbnails.get(key)
        assert again is not None and again.shape == picture.shape
        assert np.abs(again.astype(int) - picture).mean() < 3
    assert thumbnails.get("none") is None
    assert thumbnails.present(["gray", "none", "color"]) == {"gray", "color"}


def test_a_corrected_data_bar_asks_for_another_thumbnail(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path)
    keys = {thumbnails.key_of(Shown(id_, rows)) for id_ in ("a", "b") for rows in (0, 38)}  # type: ignore[arg-type]
    assert len(keys) == 4


def test_a_thumbnail_that_is_no_picture_counts_as_missing(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path)
    thumbnails.put_jpegs([("bad", b"no picture")])
    assert thumbnails.get("bad") is None
