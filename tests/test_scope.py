"""What takes part: filters, exclusions, and a map of only some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_micromap import pipeline
from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.session.scope import MISSING, Filter, Scope
from napari_micromap.work import finish


def atlas_of(n: int = 12) -> Atlas:
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns["file"] = [f"F{i:02d}.tif" for i in range(n)]
    columns["bar_rows"] = 0
    columns["magnification"] = np.where(np.arange(n) % 2, 10_000.0, 50_000.0)
    columns["Jc"] = np.where(np.arange(n) < 3, np.nan, np.arange(n) / 2)
    columns["batch"] = [None, *("AB"[i % 2] for i in range(1, n))]
    rng = np.random.default_rng(0)
    return Atlas(
        columns, np.array([f"id{i}" for i in range(n)]), np.array([""] * n), np.zeros(n, np.int32)
    ).with_embeddings(rng.standard_normal((n, 6)).astype(np.float32), {"name": "made"})


def test_a_filter_keeps_values_ranges_or_texts() -> None:
    atlas = atlas_of()
    assert Filter("magnification", ("10000",)).mask(atlas).sum() == 6
    assert Filter("Jc", low=2.0, high=3.0).mask(atlas).tolist() == [i in (4, 5, 6) for i in range(12)]
    assert Filter("file", text="f0").mask(atlas).sum() == 10
    assert Filter("batch", (MISSING,)).mask(atlas).tolist() == [i == 0 for i in range(12)]


def test_filters_add_up_and_one_column_has_one() -> None:
    atlas, scope = atlas_of(), Scope()
    scope.use_only(Filter("magnification", ("10000",)))
    scope.use_only(Filter("Jc", low=2.0))
    assert scope.shown(atlas).sum() == 4
    scope.use_only(Filter("Jc", low=5.0))
    assert [f.column for f in scope.filters] == ["magnification", "Jc"]
    scope.drop_filter("magnification")
    assert scope.shown(atlas).tolist() == [i >= 10 for i in range(12)]


def test_a_filter_on_a_column_that_is_gone_keeps_everything() -> None:
    assert Filter("gone", ("x",)).mask(atlas_of()).all()


def test_excluded_micrographs_are_shown_but_not_used_and_counted_by_reason() -> None:
    atlas, scope = atlas_of(), Scope()
    scope.exclude(["id1", "id2"], "charging")
    scope.exclude(["id3"], "crack", after_property=True)
    assert scope.shown(atlas).all()
    assert scope.used(atlas).tolist() == [0, 4, 5, 6, 7, 8, 9, 10, 11]
    assert scope.reasons(atlas) == {"charging": 2, "crack": 1}
    assert scope.exclusions["id3"].after_property


def test_excluding_needs_a_reason() -> None:
    with pytest.raises(Problem, match="why"):
        Scope().exclude(["id1"], " ")


def test_undo_restores_exactly_and_redo_again() -> None:
    scope = Scope()
    scope.exclude(["id1"], "charging")
    scope.use_only(Filter("Jc", low=1.0))
    before = scope.state()
    scope.include(["id1"])
    scope.undo()
    assert scope.state() == before
    scope.redo()
    assert not scope.exclusions


def test_only_real_change_is_told() -> None:
    scope, told = Scope(), []
    scope.changed.connect(lambda: told.append(1))
    scope.include(["id1"])
    scope.drop_filters()
    assert not told
    scope.use_only(Filter("Jc", low=1.0))
    scope.use_only(Filter("Jc", low=1.0))
    assert len(told) == 1


def test_a_scope_comes_back_from_json() -> None:
    import json

    scope, again = Scope(), Scope()
    scope.exclude(["id1"], "other words", after_property=True)
    scope.use_only(Filter("Jc", low=1.0))
    scope.use_only(Filter("batch", ("A", MISSING)))
    again.restore(json.loads(json.dumps(scope.state(), allow_nan=False)))
    assert again.filters == scope.filters
    assert again.exclusions == scope.exclusions


def test_what_is_not_used_neither_shapes_the_space_nor_the_layout(tmp_path: Path) -> None:
    atlas, workshop = atlas_of(), pipeline.Workshop(tmp_path)
    rows = np.array([0, 2, 3, 5, 6, 7, 8, 9, 11])
    spoiled = atlas.embeddings.copy()  # type: ignore[union-attr]
    spoiled[[1, 4, 10]] *= 1e3
    positions = []
    for embeddings in (atlas.embeddings, spoiled):
        laid, _ = finish(pipeline.lay_out(atlas.with_embeddings(embeddings, {}), Pca(), workshop, rows))
        assert laid.positions is not None and np.isfinite(laid.positions).all()
        assert laid.fitted_to is not None and laid.fitted_to.tolist() == rows.tolist()
        positions.append(laid.positions[rows])
    np.testing.assert_array_equal(*positions)


def test_taking_all_back_gives_the_map_of_all_again(tmp_path: Path) -> None:
    atlas, workshop = atlas_of(), pipeline.Workshop(tmp_path)
    whole, _ = finish(pipeline.lay_out(atlas, Pca(), workshop))
    part, _ = finish(pipeline.lay_out(whole, Pca(), workshop, np.arange(9)))
    again, _ = finish(pipeline.lay_out(part, Pca(), workshop, np.arange(12)))
    np.testing.assert_array_equal(whole.positions, again.positions)
    assert not np.array_equal(whole.positions, part.positions)


def test_a_damaged_scope_opens_as_far_as_it_can() -> None:
    scope = Scope()
    scope.restore({"filters": [3, {"column": "Jc", "low": "x"}], "exclusions": {"id1": {}, "id2": 7}})
    assert scope.filters == (Filter("Jc"),)
    assert scope.exclusions["id1"].reason == "other" and "id2" not in scope.exclusions
    scope.restore(None)
    assert not scope.filters and not scope.exclusions


def test_what_a_filter_hides_is_not_selected_any_more() -> None:
    session = Session()
    session.open_atlas(atlas_of())
    session.selection.replace([0, 1, 2, 3])
    session.use_only(Filter("magnification", ("10000",)))
    assert session.selection.rows.tolist() == [1, 3]
    assert session.used.tolist() == [1, 3, 5, 7, 9, 11]


def test_exclusions_made_after_a_property_was_seen_say_so(tmp_path: Path) -> None:
    session = Session(cache=tmp_path)
    atlas = atlas_of()
    session.open_atlas(atlas.with_columns(atlas.columns, {"Jc": "property"}))
    session.color_by = None
    session.exclude([0], "crack")
    session.lay_out(Pca())
    assert not session.map_is_of_others or session.used.tolist() == list(range(1, 12))
    session.color_by = "Jc"
    session.exclude([1], "charging")
    assert not session.scope.exclusions["id0"].after_property
    assert session.scope.exclusions["id1"].after_property
    assert session.map_is_of_others
    session.lay_out(Pca())
    assert not session.map_is_of_others


def test_exclusions_and_filters_are_saved_and_come_back(tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "cache")
    session.open_atlas(atlas_of())
    session.exclude([2, 5], "out of focus")
    session.use_only(Filter("Jc", high=4.0))
    session.lay_out(Pca())
    session.save(tmp_path / "s.micromap")
    again = Session(cache=tmp_path / "cache")
    again.restore(tmp_path / "s.micromap")
    assert again.scope.state() == session.scope.state()
    assert again.used.tolist() == session.used.tolist()
    again.include([2, 5])
    again.scope.undo()
    assert again.scope.state() == session.scope.state()
