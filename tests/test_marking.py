"""What a user says of micrographs: undo, names, tags, roles, data bars; and what is known before a map."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.session import Session, tags
from napari_micromap.session.before import bars_of, scales_of
from napari_micromap.session.named import NamedSelections
from napari_micromap.session.scope import Filter


@pytest.fixture
def session(tmp_path: Path) -> Session:
    n = 12
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns["file"] = [f"AC1_97{i // 3}Q_{8 + i % 2}H_10kx_SE_{i % 3:02d}.tif" for i in range(n)]
    columns["width"], columns["height"] = 64, 48
    columns["vendor"] = "fei"
    columns["bar_rows"] = [6] * 10 + [0] * 2
    columns["um_per_px"] = [0.02] * 6 + [0.1] * 4 + [np.nan] * 2
    columns["magnification"] = [10_000.0] * 6 + [50_000.0] * 4 + [np.nan] * 2
    columns["Jc"] = np.arange(n) / 2
    vectors = np.random.default_rng(0).standard_normal((n, 6)).astype(np.float32)
    atlas = Atlas(
        columns, np.array([f"id{i}" for i in range(n)]), np.array([""] * n), np.zeros(n, np.int32)
    ).with_embeddings(vectors, {"name": "made"})
    opened = Session(cache=tmp_path / "cache")
    opened.open_atlas(atlas.with_columns(columns, {"Jc": "property"}))
    return opened


# ---------------------------------------------------------------------- undo


def test_undo_takes_back_what_was_done_last_whatever_it_was(session: Session) -> None:
    session.selection.replace([1, 2])
    session.exclude([2, 3], "crack")
    session.selection.replace([5])
    session.undo()
    assert session.selection.rows.tolist() == [1, 2] and len(session.scope.exclusions) == 2
    session.undo()
    assert not session.scope.exclusions and session.selection.rows.tolist() == [1, 2]
    session.undo()
    assert len(session.selection) == 0 and not session.history.can_undo
    for _ in range(3):
        session.redo()
    assert session.selection.rows.tolist() == [5] and len(session.scope.exclusions) == 2


def test_one_undo_brings_back_a_filter_and_what_it_hid_of_the_selection(session: Session) -> None:
    session.use_only(Filter("magnification", ("10000",)))
    session.selection.replace([0, 1])
    session.use_only(Filter("magnification", ("50000",)))
    assert len(session.selection) == 0
    session.undo()
    assert session.scope.filters == (Filter("magnification", ("10000",)),)
    assert session.selection.rows.tolist() == [0, 1]
    session.redo()
    assert session.scope.filters == (Filter("magnification", ("50000",)),) and len(session.selection) == 0


def test_a_new_set_has_no_history(session: Session) -> None:
    session.selection.replace([1])
    session.exclude([2], "crack")
    session.open_atlas(session.atlas)
    assert not session.history.can_undo
    session.undo()
    assert len(session.selection) == 0


# ---------------------------------------------------------------------- named selections


def test_a_selection_is_kept_under_a_name_in_a_color_of_its_own(session: Session) -> None:
    session.selection.replace([0, 1, 2])
    first = session.name_selection("coarse")
    second = session.name_selection("fine", [5, 6])
    assert first.color != second.color
    session.named.rename("coarse", "pores")
    session.named.recolor("pores", "#112233")
    assert [(one.name, one.color) for one in session.named] == [("pores", "#112233"), ("fine", second.color)]
    session.named.drop("fine")
    assert [one.name for one in session.named] == ["pores"]


@pytest.mark.parametrize(("how", "rows"), [("and", [2]), ("or", [0, 1, 2, 5]), ("not", [0, 1])])
def test_named_selections_are_combined_with_what_is_selected(session: Session, how, rows) -> None:
    session.name_selection("A", [2, 5])
    session.selection.replace([0, 1, 2])
    session.select_named("A", how)
    assert session.selection.rows.tolist() == rows


def test_a_named_selection_is_a_column_that_follows_it(session: Session) -> None:
    session.name_selection("A", [2, 5])
    session.named.show_as_column("A")
    assert np.flatnonzero(session.atlas.columns["in A"] == "inside").tolist() == [2, 5]
    session.color_by = "in A"
    session.use_only(Filter("in A", ("inside",)))
    assert session.used.tolist() == [2, 5]
    session.name_selection("A", [2])
    assert np.flatnonzero(session.atlas.columns["in A"] == "inside").tolist() == [2]
    session.named.rename("A", "B")
    assert "in A" not in session.atlas.columns and "in B" in session.atlas.columns
    session.named.show_as_column("B", False)
    assert "in B" not in session.atlas.columns


def test_a_column_of_the_users_table_is_never_taken_for_a_name(session: Session) -> None:
    atlas = session.atlas
    columns = atlas.columns.assign(**{"in A": "theirs"})
    session.open_atlas(type(atlas)(columns, atlas.ids, atlas.paths, atlas.pages, tables={"in A": "t.csv"}))
    session.name_selection("A", [2])
    session.named.show_as_column("A")
    session.named.drop("A")
    assert (session.atlas.columns["in A"] == "theirs").all()


def test_names_that_cannot_be_are_refused_in_a_sentence(session: Session) -> None:
    with pytest.raises(Problem, match="Select some"):
        session.name_selection("A", [])
    with pytest.raises(Problem, match="name"):
        session.name_selection("  ", [1])
    session.name_selection("A", [1])
    session.name_selection("B", [1])
    with pytest.raises(Problem, match="already"):
        session.named.rename("A", "B")
    with pytest.raises(Problem, match="#rrggbb"):
        session.named.recolor("A", "red")
    with pytest.raises(Problem, match="there are: A, B"):
        session.select_named("C")


def test_named_selections_come_back_from_json_as_far_as_they_can() -> None:
    named, again = NamedSelections(), NamedSelections()
    named.keep("A", ["id1", "id2"])
    named.keep("B", ["id3"], "#00ff00")
    named.show_as_column("B")
    again.restore(json.loads(json.dumps(named.state())))
    assert list(again) == list(named)
    again.restore([3, {"name": ""}, {"name": "C", "ids": 3, "color": "url(x)"}])
    assert [(one.name, one.ids) for one in again] == [("C", frozenset())]
    again.restore("nonsense")
    assert not len(again)


def test_selected_rows_are_written_as_a_table_that_says_which_names_hold_them(session: Session, tmp_path: Path) -> None:
    session.name_selection("A", [2, 5])
    session.selection.replace([1, 2])
    session.export_rows(tmp_path / "a.csv")
    written = pd.read_csv(tmp_path / "a.csv", encoding="utf-8-sig")
    assert written["in A"].tolist() == ["outside", "inside"]
    assert written["file"].tolist() == session.atlas.columns["file"][[1, 2]].tolist()
    with pytest.raises(Problem, match="cannot be written"):
        session.export_rows(tmp_path / "nowhere" / "a.csv")


# ---------------------------------------------------------------------- tags, notes, roles


def test_tags_and_notes_are_columns_of_the_image_or_of_its_whole_sample(session: Session) -> None:
    session.sample_column = "piece 2"
    session.tag([0], "nice")
    session.tag([0, 4], "for the paper", whole_sample=True)
    assert tags.tags_of(session.atlas, 0) == ("for the paper", "nice")
    assert [bool(tags.tags_of(session.atlas, row)) for row in range(12)] == [True] * 6 + [False] * 6
    assert tags.known_tags(session.atlas) == ["for the paper", "nice"]
    session.use_only(Filter("tags", text="nice"))
    assert session.used.tolist() == [0]
    session.note([3], "  ask\nAnna ")
    assert tags.note_of(session.atlas, 3) == "ask Anna" and tags.note_of(session.atlas, 4) == ""
    session.untag([0], "nice")
    session.untag([0, 4], "for the paper", whole_sample=True)
    assert "tags" not in session.atlas.columns


def test_only_one_column_is_the_sample_and_the_color_follows_it(session: Session) -> None:
    session.sample_column = "piece 2"
    session.color_by = "piece 2"
    session.set_role("vendor", "batch")
    session.set_role("file", "sample")
    assert session.sample_column == "file" == session.color_by
    assert dict(session.atlas.roles).get("piece 2") != "sample"
    assert session.atlas.roles["vendor"] == "batch"
    with pytest.raises(Problem, match="no role"):
        session.set_role("Jc", "nonsense")  # type: ignore[arg-type]


def test_a_clicked_piece_of_the_name_is_the_sample_and_the_others_are_columns(session: Session) -> None:
    session.sample_from_name("piece 2")
    assert session.sample_column == "piece 2"
    assert session.atlas.samples.nunique() == 4
    assert session.atlas.columns["piece 3"].unique().tolist() == ["8H", "9H"]
    assert "piece 1" not in session.atlas.columns, "what all names share tells nothing"


# ---------------------------------------------------------------------- before the map


def test_bars_that_differ_from_their_kind_are_to_be_checked(session: Session) -> None:
    bars = bars_of(session.atlas)
    assert bars.found == 10 and bars.to_check.tolist() == [10, 11]
    assert session.atlas.rows_of_kind(0).tolist() == list(range(10))
    assert session.atlas.rows_of_kind(11).tolist() == [10, 11]


def test_a_corrected_data_bar_takes_away_what_was_made_with_the_wrong_one(session: Session) -> None:
    session.lay_out(Pca())
    assert session.map is not None
    session.bars.correct(session.atlas.rows_of_kind(11), 6)
    assert session.map is None and session.atlas.embeddings is None
    assert len(bars_of(session.atlas).to_check) == 0
    with pytest.raises(Problem, match="leaves nothing"):
        session.bars.correct([0], 48)


def test_scales_are_told_and_mixed_ones_are_warned_of(session: Session) -> None:
    told = scales_of(session.atlas)
    assert (round(told.low), round(told.high), told.unknown, told.groups, told.mixed) == (20, 100, 2, 2, True)
    assert told.column == "magnification"
    assert not scales_of(session.atlas, np.arange(6)).mixed
    assert not scales_of(session.atlas, np.array([10, 11])).mixed


def test_all_that_was_said_comes_back_with_the_session(session: Session, tmp_path: Path) -> None:
    session.sample_from_name("piece 2")
    session.set_role("Jc", "processing")
    session.tag([1], "nice")
    session.name_selection("A", [2, 5])
    session.named.show_as_column("A")
    session.exclude([0, 4], "charging")
    session.lay_out(Pca())
    session.save(tmp_path / "s.micromap")
    again = Session(cache=tmp_path / "cache")
    again.restore(tmp_path / "s.micromap")
    assert dict(again.atlas.roles) == dict(session.atlas.roles)
    assert list(again.named) == list(session.named)
    assert tags.tags_of(again.atlas, 1) == ("nice",)
    assert not again.map_is_of_others and again.atlas.fitted_to.tolist() == session.used.tolist()
    again.named.drop("A")
    assert "in A" not in again.atlas.columns
    assert not again.history.can_undo
