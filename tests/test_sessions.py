"""Saved sessions: all comes back, whatever happens while they are saved or to what was saved."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_micromap.atlas import OWN_COLUMNS, Atlas, UnreadableFile
from napari_micromap.neighbors import Neighbors
from napari_micromap.problems import Problem
from napari_micromap.space import Standardized
from napari_micromap.store.sessions import ENTRY, load_session, save_session
from napari_micromap.store.thumbnails import Thumbnails
from napari_micromap.work import finish

STATE = {"color_by": "jc", "selection": ["id1", "id3"], "current": "id2", "map_title": "UMAP"}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of six small images of three films."""
    folder = tmp_path / "project" / "images"
    for k in range(6):
        path = folder / f"F{k // 2}" / f"{k}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, np.full((12, 16), k * 40, np.uint8))
    return folder


@pytest.fixture
def atlas(images: Path) -> Atlas:
    """An atlas with all that can be saved."""
    paths = sorted(str(path) for path in images.rglob("*.tif"))
    rng = np.random.default_rng(0)
    columns = pd.DataFrame({name: np.full(6, np.nan) for name in OWN_COLUMNS})
    columns = columns.assign(
        file=[Path(path).name for path in paths], folder=[Path(path).parent.name for path in paths],
        width=16, height=12, bar_rows=[0, 0, 1, 0, 0, 2], detector=["SE", None, "BSE", "SE", "", "SE"],
        path=list("abcdef"),
        **{"Jc (MA/cm²)": [1.5, np.nan, 0.1 + 0.2, -np.inf, 1e-300, 7.0], "007": [f"{k:03}" for k in range(6)]},
    )  # fmt: skip
    embeddings = rng.normal(size=(6, 32)).astype(np.float32)
    space = Standardized().fit(embeddings)
    neighbors = Neighbors(rng.integers(0, 6, (6, 3)).astype(np.int32), rng.uniform(0, 1, (6, 3)).astype(np.float32))
    atlas = Atlas(
        columns=columns, ids=np.array([f"id{k}" for k in range(6)]), paths=np.array(paths),
        pages=np.zeros(6, np.int32), unreadable=(UnreadableFile("/x/broken.tif", "truncated"),),
        roles=MappingProxyType({"folder": "sample", "Jc (MA/cm²)": "property"}), synthetic=("Jc (MA/cm²)",),
        tables=MappingProxyType({"Jc (MA/cm²)": "/x/table.csv"}),
    )  # fmt: skip
    atlas = atlas.with_embeddings(embeddings, {"backbone": "Lite0()", "weights_sha256": "ab", "dim": np.int64(32)})
    atlas = atlas.with_features(space, space(embeddings), neighbors, np.array([0, 1, 2, 4, 5]))
    return atlas.with_positions(rng.normal(size=(6, 2)).astype(np.float32), "Umap(seed=0)")


def save(folder: Path, atlas: Atlas, state: dict[str, Any] | None = None, thumbnails: Thumbnails | None = None) -> Path:
    return finish(save_session(folder, atlas, STATE if state is None else state, thumbnails))


def load(path: Path, thumbnails: Thumbnails | None = None) -> tuple[Path, Atlas, dict[str, Any]]:
    return finish(load_session(path, thumbnails))


def assert_same(a: Atlas, b: Atlas) -> None:
    pd.testing.assert_frame_equal(a.columns, b.columns)
    for name in ("ids", "paths", "pages", "embeddings", "features", "positions", "fitted_to"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert np.asarray(getattr(a, name)).dtype.kind == np.asarray(getattr(b, name)).dtype.kind
    assert a.neighbors is not None and b.neighbors is not None
    np.testing.assert_array_equal(a.neighbors.rows, b.neighbors.rows)
    np.testing.assert_array_equal(a.neighbors.distances, b.neighbors.distances)
    assert a.space is not None and b.space is not None and a.embeddings is not None
    np.testing.assert_array_equal(a.space(a.embeddings), b.space(a.embeddings))
    for name in ("unreadable", "synthetic", "layout"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("roles", "tables", "made_by"):
        assert dict(getattr(a, name)) == dict(getattr(b, name))


# ---------------------------------------------------------------------- coming back


def test_everything_comes_back_as_it_was(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "films", atlas)
    assert folder == tmp_path / "films.micromap"
    for path in (folder, folder / ENTRY):
        found, again, state = load(path)
        assert found == folder
        assert_same(atlas, again)
        assert state == {**STATE, "warnings": [], "images_missing": False}
        assert again.live == {}


def test_embeddings_are_mapped_not_read_and_cannot_be_changed(atlas: Atlas, tmp_path: Path) -> None:
    _, again, _ = load(save(tmp_path / "s", atlas))
    assert isinstance(again.embeddings, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        again.embeddings[0, 0] = 1


def test_a_session_can_be_saved_over_itself_while_it_is_open(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    _, opened, _ = load(folder)
    before = {path.name: path.stat().st_ino for path in folder.iterdir() if path.name != ENTRY}
    save(folder, opened)
    assert {path.name: path.stat().st_ino for path in folder.iterdir() if path.name != ENTRY} == before
    moved = opened.with_positions(np.zeros((6, 2), np.float32), "Pca()")
    save(folder, moved)
    _, again, _ = load(folder)
    assert_same(moved, again)
    assert_same(atlas, opened)  # the old maps still stand behind what is open


def test_pieces_that_are_no_longer_named_go_and_files_of_others_stay(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    (folder / "notes.txt").write_text("mine")
    (folder / "positions.npy").write_text("mine too")
    save(folder, atlas.with_embeddings(None, {}))
    kinds = {path.name.rpartition("-")[0] or path.name for path in folder.iterdir()}
    assert kinds == {"micrographs", "table", ENTRY, "notes.txt", "positions.npy"}


def test_a_session_without_micrographs_or_map_is_saved_too(tmp_path: Path) -> None:
    from napari_micromap.atlas import empty_atlas

    _, again, state = load(save(tmp_path / "s", empty_atlas(), {}))
    assert len(again) == 0 and state == {"warnings": [], "images_missing": False}


def test_the_table_opens_in_a_spreadsheet_and_may_be_sorted_there(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    (path,) = folder.glob("table-*.csv")
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    assert table["Jc (MA/cm²)"].iloc[0] == "1.5"
    table.iloc[::-1].to_csv(path, index=False, encoding="utf-8-sig")
    _, again, state = load(folder)
    assert again.columns["file"].tolist() == atlas.columns["file"].tolist()
    assert again.columns["007"].tolist() == atlas.columns["007"].tolist()
    assert any("was changed" in warning for warning in state["warnings"])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def three(values: st.SearchStrategy[Any], dtype: Any) -> st.SearchStrategy[pd.Series[Any]]:
    return st.lists(values, min_size=3, max_size=3).map(lambda made: pd.Series(made, dtype=dtype))


columns_of_any_kind = st.one_of(
    three(st.floats(), "float64"),
    three(st.floats(width=32), "float32"),
    three(st.integers(-(2**63), 2**63 - 1), "int64"),
    three(st.none() | st.integers(0, 9), "Int64"),
    three(st.booleans(), "bool"),
    three(st.none() | st.booleans(), "boolean"),
    three(texts, "str"),
    three(st.none() | texts, "str"),
    three(st.sampled_from(["a", "b", None]), pd.CategoricalDtype(["a", "b"])),
    three(st.datetimes(), "datetime64[us]"),
)


@settings(max_examples=100)
@given(st.dictionaries(texts, columns_of_any_kind, max_size=4))
def test_columns_of_any_kind_come_back_bit_by_bit(columns: dict[str, pd.Series[Any]]) -> None:
    from napari_micromap.store.columns import columns_from, csv_of

    frame = pd.DataFrame(columns, index=pd.RangeIndex(3))
    ids = np.array(["x", "y", "z"])
    data, types = csv_of(frame, ids)
    again = columns_from(data, json.loads(json.dumps(types)), ids)
    pd.testing.assert_frame_equal(frame, again, check_column_type=False, check_exact=True)


# ---------------------------------------------------------------------- where the images are


def test_images_that_moved_with_the_session_are_found(atlas: Atlas, images: Path, tmp_path: Path) -> None:
    save(images.parent / "films", atlas)
    shutil.move(images.parent, tmp_path / "elsewhere")
    _, again, state = load(tmp_path / "elsewhere" / "films.micromap")
    assert state["warnings"] == []
    assert again[3].pixels()[0, 0] == 120


def test_images_that_are_gone_leave_their_dots_and_are_told(atlas: Atlas, images: Path) -> None:
    folder = save(images.parent / "films", atlas)
    shutil.rmtree(images / "F1")
    _, again, state = load(folder)
    assert len(again) == 6 and again.positions is not None
    (warning,) = state["warnings"]
    assert warning.startswith("2 images cannot be found") and "2.tif" in warning
    assert again[0].pixels().shape == (12, 16)
    with pytest.raises(Problem):
        again[2].pixels()


@dataclass
class Slice:
    layer_name: str
    index: tuple[int, ...] = ()
    height: int = 12

    def read(self, max_side: int | None = None) -> Any:
        return np.full((12, 16), 77, np.uint8)


def test_micrographs_of_layers_come_back_with_thumbnails_and_say_which_layer(atlas: Atlas, tmp_path: Path) -> None:
    paths = atlas.paths.copy()
    paths[:2] = ""
    live = {"id0": Slice("Stack of film 7", (0,)), "id1": Slice("Stack of film 7", (1,))}
    atlas = replace(atlas, paths=paths, live=MappingProxyType(live))
    there, here = Thumbnails(tmp_path / "there"), Thumbnails(tmp_path / "here")
    folder = save(tmp_path / "s", atlas, thumbnails=there)
    for _ in range(2):  # also when it is saved again without the layer
        _, again, state = load(folder, here)
        thumbnail = here.get(here.key_of(again[1]))
        assert thumbnail is not None and thumbnail.shape[:2] == (12, 16)
        (warning,) = state["warnings"]
        assert warning.startswith("2 images came from the layer") and "not from a file" in warning
        with pytest.raises(Problem, match="load that layer again"):
            again[0].pixels()
        save(folder, again, thumbnails=here)
    there.close()
    here.close()


def test_thumbnails_that_are_here_already_are_not_replaced(atlas: Atlas, tmp_path: Path) -> None:
    there, here = Thumbnails(tmp_path / "there"), Thumbnails(tmp_path / "here")
    for thumbnails, gray in ((there, 10), (here, 200)):
        thumbnails.put(thumbnails.key_of(atlas[0]), np.full((8, 8), gray, np.uint8))
    there.put(there.key_of(atlas[1]), np.full((8, 8), 90, np.uint8))
    load(save(tmp_path / "s", atlas, thumbnails=there), here)
    values = [here.get(here.key_of(atlas[row])) for row in range(3)]
    assert values[0] is not None and values[0][0, 0] == 200
    assert values[1] is not None and abs(int(values[1][0, 0]) - 90) < 3
    assert values[2] is None
    there.close()
    here.close()


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    "kind", ["embeddings", "features", "positions", "neighbors", "distances", "table", "space-mean", "thumbnails"]
)
@pytest.mark.parametrize("harm", ["gone", "cut", "flipped"])
def test_a_damaged_piece_is_named_and_the_rest_opens(atlas: Atlas, tmp_path: Path, kind: str, harm: str) -> None:
    thumbnails = Thumbnails(tmp_path / "t")
    thumbnails.put(thumbnails.key_of(atlas[0]), np.zeros((8, 8), np.uint8))
    folder = save(tmp_path / "s", atlas, thumbnails=thumbnails)
    (path,) = folder.glob(f"{kind}-*")
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(data[:-60] + bytes(byte ^ 255 for byte in data[-60:]))
    _, again, state = load(folder, thumbnails)
    thumbnails.close()
    assert len(again) == 6
    assert any(path.name in w or "space" in w for w in state["warnings"]), state["warnings"]
    present = {
        name
        for name in ("embeddings", "features", "positions", "neighbors", "space")
        if getattr(again, name) is not None
    }
    lost = {"distances": "neighbors", "space-mean": "space"}.get(kind, kind)
    assert present >= {"embeddings", "features", "positions", "neighbors", "space"} - {lost}
    # What was lost can be saved anew: the damaged file does not stand in for a whole one.
    save(folder, atlas)
    assert_same(atlas, load(folder)[1])


def test_without_the_list_of_micrographs_it_is_said_that_nothing_opens(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    next(folder.glob("micrographs-*")).write_text("{}")
    with pytest.raises(Problem, match="list of micrographs"):
        load(folder)


@pytest.mark.parametrize(
    "entry", ["", "{", "[]", "null", '{"format": "x"}', '{"format": "napari-micromap session"}', "[" * 9999]
)
def test_an_entry_file_that_is_none_is_told(atlas: Atlas, tmp_path: Path, entry: str) -> None:
    folder = save(tmp_path / "s", atlas)
    (folder / ENTRY).write_text(entry)
    with pytest.raises(Problem, match="damaged or no saved session"):
        load(folder)
    assert_same(atlas, load(save(folder, atlas))[1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80)
@given(data=st.data())
def test_an_entry_file_of_strangers_opens_or_is_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("stranger")
    paths = np.array([str(folder / "a.tif")])
    columns = pd.DataFrame({name: [np.nan] for name in OWN_COLUMNS}).assign(file="a.tif", folder="", bar_rows=0)
    embeddings = np.ones((1, 4), np.float32)
    plain = Atlas(columns=columns, ids=np.array(["a"]), paths=paths, pages=np.zeros(1, np.int32), embeddings=embeddings)
    folder = save(folder / "s", plain)
    entry = json.loads((folder / ENTRY).read_text())
    key = data.draw(st.sampled_from(sorted(entry)))
    entry[key] = data.draw(json_values)
    (folder / ENTRY).write_text(json.dumps(entry))
    try:
        load(folder)
    except Problem as problem:
        assert folder.name in str(problem)


def test_a_newer_format_is_refused_with_the_remedy(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    entry = json.loads((folder / ENTRY).read_text())
    (folder / ENTRY).write_text(json.dumps({**entry, "version": 99}))
    with pytest.raises(Problem, match=r"newer version.*update"):
        load(folder)


@pytest.mark.parametrize("name", ["../secret.npy", "/etc/passwd", "..", "embeddings-0000000000000000.npy/../x"])
def test_a_session_cannot_lead_out_of_its_folder(atlas: Atlas, tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "secret.npy", np.zeros((6, 32), np.float32))
    folder = save(tmp_path / "s", atlas)
    entry = json.loads((folder / ENTRY).read_text())
    entry["files"]["embeddings"] = name
    (folder / ENTRY).write_text(json.dumps(entry))
    _, again, state = load(folder)
    assert again.embeddings is None and len(state["warnings"]) == 1


def test_a_pickle_in_place_of_an_array_is_not_run(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    (path,) = folder.glob("positions-*")
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    _, again, _ = load(folder)
    assert again.positions is None


@pytest.mark.parametrize("path", ["nowhere", "nowhere.micromap", "file.txt"])
def test_what_is_no_session_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(Problem, match="no saved session"):
        load(tmp_path / path)


# ---------------------------------------------------------------------- a save that does not end well


class Killed(BaseException):
    """As if the process had ended here."""


def failing_at(step: int, name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the nth call of an operation of the system fail; return how many there were."""
    real: Callable[..., Any] = getattr(os, name)
    calls = [0]

    def failing(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == step:
            raise error
        return real(*arguments, **named)

    monkeypatch.setattr(os, name, failing)
    return calls


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_save_killed_at_any_step_leaves_the_old_or_the_new(atlas: Atlas, tmp_path: Path, name: str) -> None:
    new = atlas.with_columns(atlas.columns.assign(jc=np.arange(6.0))).with_positions(np.ones((6, 2), np.float32), "x")
    step, ended = 0, False
    while not ended:
        step += 1
        folder = save(tmp_path / f"{name}{step}", atlas)
        with pytest.MonkeyPatch.context() as patch:
            calls = failing_at(step, name, Killed(), patch)
            try:
                save(folder, new)
                ended = calls[0] < step
            except Killed:
                pass
        _, again, state = load(folder)
        assert state["warnings"] == []
        assert_same(new if again.layout == "x" else atlas, again)
        assert not ended or again.layout == "x"
    assert step > 3


def test_a_full_disk_is_told_and_what_was_saved_stays(
    atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "s", atlas)
    changed = atlas.with_positions(np.ones((6, 2), np.float32), "x")
    with monkeypatch.context() as patch:
        failing_at(1, "fsync", OSError(28, "No space left on device"), patch)
        with pytest.raises(Problem, match=r"No space left.*untouched"):
            save(folder, changed)
    assert_same(atlas, load(folder)[1])
    assert not list(folder.glob(".*.tmp"))


def test_a_file_that_cannot_be_removed_does_not_spoil_the_save(
    atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open memory map on Windows."""
    folder = save(tmp_path / "s", atlas)
    changed = atlas.with_positions(np.ones((6, 2), np.float32), "x")
    with monkeypatch.context() as patch:
        failing_at(1, "unlink", PermissionError(13, "in use"), patch)
        save(folder, changed)
    assert_same(changed, load(folder)[1])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_killed_while_saving_over_and_over_leaves_a_session_that_opens(atlas: Atlas, tmp_path: Path) -> None:
    folder = save(tmp_path / "s", atlas)
    code = f"""
import numpy as np
from pathlib import Path
from napari_micromap.store.sessions import load_session, save_session
from napari_micromap.work import finish
folder = Path({str(folder)!r})
_, atlas, state = finish(load_session(folder))
for k in range(10**6):
    positions = np.full((6, 2), k, np.float32)
    finish(save_session(folder, atlas.with_positions(positions, f"{{k}}"), state))
    print(k, flush=True)
"""
    for enough in (1, 4, 9):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= enough:
                    process.kill()
        _, again, state = load(folder)
        assert state["warnings"] == []
        assert again.positions is not None and (again.positions == int(again.layout)).all()
