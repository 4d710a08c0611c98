"""The session and its selection: verbs, silence, and nothing that moves under a hand."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_micromap import pipeline
from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.session import Selection, Session
from napari_micromap.work import Progress, Work


def atlas_of(n: int, first: int = 0) -> Atlas:
    """Return n micrographs of files that need not exist."""
    paths = [f"/d/F{k // 2:03}_{k:03}.tif" for k in range(first, first + n)]
    columns = pd.DataFrame({name: [np.nan] * n for name in OWN_COLUMNS})
    columns = columns.assign(file=[Path(path).name for path in paths], folder="d", bar_rows=0)
    columns["jc"] = np.arange(n) + 0.5
    return Atlas(
        columns=columns, ids=np.array([f"id{k:03}" for k in range(first, first + n)]), paths=np.array(paths),
        pages=np.zeros(n, np.int32), roles=MappingProxyType({"jc": "property"}),
    )  # fmt: skip


def embedded(atlas: Atlas, seed: int = 0) -> Atlas:
    return atlas.with_embeddings(np.random.default_rng(seed).normal(size=(len(atlas), 8)).astype(np.float32), {})


SIGNALS = (
    "atlas_changed", "map_changed", "waiting_map_changed", "color_changed", "current_changed", "opened",
    "stale_changed", "warned",
)  # fmt: skip


@dataclass
class Listener:
    """What a session said, in order."""

    said: list[tuple[str, Any]] = field(default_factory=list)

    def to(self, session: Session) -> Listener:
        for name in SIGNALS:
            getattr(session, name).connect(self._hearing(name))
        session.selection.changed.connect(self._hearing("selection"))
        session.tables.changed.connect(self._hearing("tables"))
        session.saving.changed.connect(self._hearing("saving"))
        return self

    def _hearing(self, name: str) -> Callable[[Any], None]:
        def hear(value: Any) -> None:
            self.said.append((name, value))

        self._kept = [*getattr(self, "_kept", []), hear]  # psygnal holds methods weakly, functions strongly
        return hear

    def names(self) -> list[str]:
        return [name for name, _ in self.said]


class Later:
    """Runs work step by step when the test says so: what a window does with its threads."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Any, Any, Any]] = deque()

    def __call__(self, start: Any, *, lane: str, done: Any, progress: Any = None) -> None:
        self.waiting.append((start, done, progress))

    def cancel(self, lane: str) -> None:
        self.waiting.clear()

    def steps(self) -> Any:
        """Drive the first piece; stops at each progress."""
        start, done, progress = self.waiting.popleft()
        work = start()
        while True:
            try:
                told = next(work)
            except StopIteration as end:
                done(end.value)
                return
            if progress is not None:
                progress(told)
            yield told

    def finish(self) -> None:
        while self.waiting:
            for _ in self.steps():
                pass


@dataclass(frozen=True)
class Given:
    """A source of micrographs that are there already."""

    atlas: Atlas

    def __call__(self) -> Work[Atlas]:
        yield Progress("Reading", 1, 1)
        return self.atlas


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = Session(cache=tmp_path / "cache")
    made.open(Given(atlas_of(8)))
    return made


# ---------------------------------------------------------------------- selection

rows = st.lists(st.integers(0, 19), max_size=12)
steps = st.lists(st.tuples(st.sampled_from(["replace", "add", "remove"]), rows), max_size=20)


@given(steps)
def test_undo_goes_back_step_by_step_and_redo_forth(done: list[tuple[Any, list[int]]]) -> None:
    selection = Selection()
    history = [selection.rows.tolist()]
    for mode, asked in done:
        selection.apply(asked, mode)
        if selection.rows.tolist() != history[-1]:
            history.append(selection.rows.tolist())
    for expected in history[-2::-1]:
        selection.undo()
        assert selection.rows.tolist() == expected
    assert not selection.can_undo
    for expected in history[1:]:
        selection.redo()
        assert selection.rows.tolist() == expected
    assert not selection.can_redo


@given(steps)
def test_a_selection_speaks_only_of_real_change(done: list[tuple[Any, list[int]]]) -> None:
    selection = Selection()
    heard: list[list[int]] = [[]]
    selection.changed.connect(lambda new: heard.append(new.tolist()))
    for mode, asked in done:
        selection.apply(asked, mode)
    assert all(before != after for before, after in pairwise(heard))
    assert heard[-1] == selection.rows.tolist() == sorted(set(heard[-1]))


def test_a_new_step_ends_what_could_be_redone() -> None:
    selection = Selection()
    selection.replace([1])
    selection.replace([2])
    selection.undo()
    selection.replace([3])
    assert not selection.can_redo
    selection.undo()
    assert selection.rows.tolist() == [1]


def test_a_view_of_a_part_speaks_for_its_part_only() -> None:
    selection = Selection()
    selection.replace([1, 5, 9])
    selection.replace_within([4, 5, 6], [6])
    assert selection.rows.tolist() == [1, 6, 9]


def test_selected_rows_cannot_be_changed_from_outside() -> None:
    selection = Selection()
    selection.replace([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        selection.rows[0] = 7


@given(rows, rows, st.permutations(range(20)), st.integers(0, 20))
def test_renumbered_rows_mean_the_same_micrographs_also_after_undo(
    first: list[int], second: list[int], order: list[int], kept: int
) -> None:
    before = np.array([f"m{k}" for k in range(20)])
    after = before[order[:kept]]
    where = pd.Index(after).get_indexer(pd.Index(before))
    selection = Selection()
    selection.replace(first)
    selection.replace(second)
    selection.renumber(where)
    assert set(after[selection.rows]) == {before[k] for k in second} & set(after)
    if sorted(set(first)) != sorted(set(second)):
        selection.undo()
        assert set(after[selection.rows]) == {before[k] for k in first} & set(after)


# ---------------------------------------------------------------------- silence


def test_saying_again_what_is_so_is_not_heard(session: Session) -> None:
    session.color_by, session.current = "jc", 3
    session.selection.replace([1, 2])
    listener = Listener().to(session)
    session.color_by, session.current = "jc", 3
    session.sample_column = session.sample_column
    session.selection.replace([2, 1])
    session.show_waiting_map()
    session.mark_stale([])
    assert listener.said == []


def test_an_echo_dies_by_itself(session: Session) -> None:
    """Two views that tell one another what they hear."""
    session.selection.changed.connect(lambda new: session.selection.replace(new))
    session.current_changed.connect(lambda row: setattr(session, "current", row))
    listener = Listener().to(session)
    session.selection.replace([4])
    session.current = 5
    assert listener.names() == ["selection", "current_changed"]


def test_columns_and_rows_that_are_not_there_are_refused(session: Session) -> None:
    with pytest.raises(Problem, match="there are: file"):
        session.color_by = "nothing"
    with pytest.raises(Problem, match="nothing"):
        session.sample_column = "nothing"
    with pytest.raises(IndexError):
        session.current = 8


def test_opening_other_micrographs_starts_anew(session: Session) -> None:
    session.open_atlas(embedded(atlas_of(8)).with_positions(np.ones((8, 2), np.float32), "x"))
    session.selection.replace([7])
    session.current = 7
    session.mark_stale(["id007"])
    listener = Listener().to(session)
    session.open(Given(atlas_of(3, first=100)))
    assert session.map is None and session.current is None and len(session.selection) == 0
    assert not session.selection.can_undo and session.stale == frozenset()
    assert {"selection", "current_changed", "atlas_changed", "map_changed", "stale_changed"} <= set(listener.names())


def test_a_set_opens_colored_by_its_property_and_with_its_sample_guessed(session: Session) -> None:
    assert session.color_by == "jc"
    assert session.sample_column == "piece 1"
    assert session.colors_from is not None and session.colors_from.tolist() == session.atlas.columns["jc"].tolist()


# ---------------------------------------------------------------------- the map


def laid_out(session: Session, seed: int) -> None:
    session.open_atlas(session.atlas) if session.map is None else None
    positions = np.random.default_rng(seed).normal(size=(len(session.atlas), 2)).astype(np.float32)
    session._laid_out((session.atlas.with_positions(positions, f"seed={seed}"), "UMAP"))


def test_a_new_map_waits_while_a_selection_stands(session: Session) -> None:
    laid_out(session, 1)
    first = session.map
    session.selection.replace([1, 2])
    listener = Listener().to(session)
    laid_out(session, 2)
    assert session.map is first and session.waiting_map is not None
    assert "map_changed" not in listener.names()
    assert session.selection.rows.tolist() == [1, 2]
    waiting = session.waiting_map
    session.show_waiting_map()
    assert session.map is waiting and session.waiting_map is None
    assert session.selection.rows.tolist() == [1, 2]


def test_a_new_map_waits_where_the_user_looks_around_and_shows_itself_where_not(session: Session) -> None:
    laid_out(session, 1)
    laid_out(session, 2)
    second = session.map
    assert second is not None and second.positions is session.atlas.positions
    session.touch_map()
    laid_out(session, 3)
    assert session.map is second and session.waiting_map is not None
    session.show_waiting_map()
    laid_out(session, 4)  # the shown one was not touched yet
    assert session.waiting_map is None


@dataclass(frozen=True)
class Growing:
    """Work that shows previews, as embedding does."""

    previews: tuple[Any, ...]

    def __call__(self) -> Work[None]:
        for positions in self.previews:
            yield Progress("Preview", partial=pipeline.Preview(positions))


def preview_of(n: int, many: int, shift: float = 0.0) -> Any:
    positions = np.full((n, 2), np.nan, np.float32)
    positions[:many] = np.arange(2 * many).reshape(-1, 2) + shift
    return positions


def test_a_preview_grows_under_a_hand_but_moves_nothing(session: Session) -> None:
    work = Growing((preview_of(8, 3), preview_of(8, 5), preview_of(8, 8, shift=1.0)))
    shown = []
    session.map_changed.connect(lambda new: shown.append(new.positions))
    for progress in work():
        session._on_progress(progress)
        session.selection.replace([0, 1])
    assert [int(np.isfinite(p[:, 0]).sum()) for p in shown] == [3, 5]
    np.testing.assert_array_equal(shown[0][:3], shown[1][:3])


def test_a_preview_never_takes_the_place_of_a_final_map(session: Session) -> None:
    laid_out(session, 1)
    final = session.map
    for progress in Growing((preview_of(8, 8),))():
        session._on_progress(progress)
    assert session.map is final


def test_verbs_in_a_row_build_on_one_another(session: Session) -> None:
    session.open_atlas(embedded(session.atlas))
    session.fit()
    session.lay_out(Pca())
    assert session.atlas.features is not None and session.atlas.neighbors is not None
    assert session.map is not None and session.map.title == "PCA"
    with pytest.raises(Problem, match="Embed the micrographs"):
        session.open_atlas(atlas_of(4))
        session.lay_out(Pca())


# ---------------------------------------------------------------------- what happens meanwhile


def later(tmp_path: Path, atlas: Atlas) -> tuple[Session, Later]:
    run = Later()
    session = Session(run, cache=tmp_path / "cache")
    session.open_atlas(atlas)
    return session, run


def test_what_is_said_of_columns_while_the_map_is_made_stays(tmp_path: Path) -> None:
    session, run = later(tmp_path, embedded(atlas_of(8)))
    session.lay_out(Pca())
    for _ in run.steps():
        session.sample_column = "piece 2"
    assert session.sample_column == "piece 2" and "piece 2" in session.atlas.columns
    assert session.atlas.positions is not None and session.map is not None


def test_a_map_of_micrographs_that_are_no_longer_open_is_let_go(tmp_path: Path) -> None:
    session, run = later(tmp_path, embedded(atlas_of(8)))
    session.lay_out(Pca())
    for _ in run.steps():
        session.open_atlas(atlas_of(5, first=100))
    assert len(session.atlas) == 5 and session.map is None


def test_a_data_bar_that_is_corrected_meanwhile_is_not_lost(tmp_path: Path) -> None:
    session, run = later(tmp_path, embedded(atlas_of(8)))
    session.lay_out(Pca())
    for _ in run.steps():
        session.take_atlas(session.atlas.with_bar_rows(np.array([1]), 20))
    assert session.atlas.columns["bar_rows"].tolist() == [0, 20, 0, 0, 0, 0, 0, 0]
    assert session.atlas.positions is None


def test_rows_that_turn_out_unreadable_leave_selection_map_and_current_in_place(session: Session) -> None:
    for progress in Growing((preview_of(8, 8),))():
        session._on_progress(progress)
    session.selection.replace([1, 2, 5])
    session.selection.replace([2, 5, 7])
    session.current = 7
    old = session.atlas
    kept = [0, 2, 3, 4, 5, 7]
    seen: list[tuple[str, int, int]] = []

    def look(name: str) -> Callable[[Any], None]:
        # Whoever hears of the change first finds all of it done.
        return lambda _: seen.append(
            (name, len(session.map.positions) if session.map else -1, int(session.selection.rows.max(initial=0)))
        )

    for name in ("atlas_changed", "map_changed", "current_changed"):
        getattr(session, name).connect(look(name))
    session.selection.changed.connect(look("selection"))
    shorter = replace(
        old,
        columns=old.columns.iloc[kept].reset_index(drop=True),
        ids=old.ids[kept],
        paths=old.paths[kept],
        pages=old.pages[kept],
    )
    session._was_built(embedded(shorter))
    assert seen == [(name, 6, 5) for name in ("atlas_changed", "map_changed", "selection", "current_changed")]
    assert session.atlas.ids[session.selection.rows].tolist() == ["id002", "id005", "id007"]
    assert session.current == 5
    assert session.map is not None
    np.testing.assert_array_equal(session.map.positions, preview_of(8, 8)[kept])
    session.selection.undo()
    assert session.atlas.ids[session.selection.rows].tolist() == ["id002", "id005"]


def test_work_that_is_canceled_leaves_what_is_done(tmp_path: Path) -> None:
    session, run = later(tmp_path, embedded(atlas_of(8)))
    session.fit()
    session.lay_out(Pca())
    for _ in run.steps():
        pass
    session.cancel()
    run.finish()
    assert session.atlas.features is not None and session.map is None


# ---------------------------------------------------------------------- table, saving, opening


def test_a_table_colors_the_map_by_its_property(tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "cache")
    plain = atlas_of(6)
    session.open_atlas(replace(plain, columns=plain.columns.drop(columns="jc"), roles=MappingProxyType({})))
    table = tmp_path / "t.csv"
    table.write_text("film;Jc (MA/cm²)\nF000;1,5\nF001;2,5\n", encoding="utf-8")
    session.tables.add(table)
    assert session.color_by == "Jc (MA/cm²)" and session.sample_column == "film"
    assert session.tables.joined is not None and session.tables.joined.match.sentence.startswith("4 of 6 images")
    with pytest.raises(Problem, match="no column"):
        session.tables.add(table, table_column="Film")


def test_a_session_opens_as_it_was_saved(tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "cache")
    with pytest.raises(Problem, match="Name a folder"):
        session.save()
    session.open_atlas(embedded(atlas_of(8)))
    session.lay_out(Pca())
    session.selection.replace([1, 6])
    session.current = 3
    session.color_by = "file"
    session.save(tmp_path / "mine")
    assert session.saving.folder == tmp_path / "mine.micromap"
    again = Session(cache=tmp_path / "other")
    listener = Listener().to(again)
    again.restore(tmp_path / "mine.micromap" / "open.micromap")
    assert again.selection.rows.tolist() == [1, 6] and not again.selection.can_undo
    assert (again.current, again.color_by, again.saving.folder) == (3, "file", session.saving.folder)
    assert again.map is not None and session.map is not None and again.map.title == "PCA"
    np.testing.assert_array_equal(again.map.positions, session.map.positions)
    assert next(value for name, value in listener.said if name == "warned").startswith("8 images cannot be found")
    again.workshop.close()
    session.workshop.close()


def test_a_save_that_waits_behind_the_map_saves_the_map(tmp_path: Path) -> None:
    session, run = later(tmp_path, embedded(atlas_of(8)))
    session.lay_out(Pca())
    session.save(tmp_path / "s")
    run.finish()
    again = Session(cache=tmp_path / "other")
    again.restore(tmp_path / "s.micromap")
    assert again.map is not None and again.map.title == "PCA"
    again.workshop.close()
    session.workshop.close()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"color_by": "gone", "selection": ["id001", "nobody"], "current": "nobody", "map_title": None},
        {"color_by": [], "selection": "id001", "current": 7, "map_title": {}},
        {"selection": [None, 3, "id001"], "current": ["id001"]},
    ],
)
def test_a_state_that_does_not_fit_is_left_out(session: Session, tmp_path: Path, state: dict[str, Any]) -> None:
    atlas = embedded(atlas_of(8)).with_positions(np.ones((8, 2), np.float32), "x")
    session.saving.take(pipeline.Restored(tmp_path, atlas, state))
    assert session.atlas is atlas and session.map is not None
    assert set(session.selection.rows.tolist()) <= {1}
    assert session.current is None


@pytest.mark.timeout(120)
def test_the_script_in_the_readme_goes_from_a_folder_to_a_saved_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real parts: files, the built-in network, PCA."""
    import tifffile

    rng = np.random.default_rng(0)
    for k in range(6):
        folder = tmp_path / "films" / f"F{k // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / f"{k}.tif", (rng.random((64, 80)) ** (1 + k // 2) * 255).astype(np.uint8))
    (tmp_path / "jc.csv").write_text("film,Jc\nF0,1.5\nF1,2.5\nF2,0.5\n")
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    said: dict[str, Any] = {}
    exec(script, said)  # as a reader of it would
    session: Session = said["s"]
    assert session.sample_column == "film" and session.color_by == "Jc"
    assert session.map is not None and session.map.title == "PCA" and np.isfinite(session.map.positions).all()
    assert (tmp_path / "films.micromap" / "open.micromap").is_file()
    assert "F2" in capsys.readouterr().out
    session.workshop.close()
