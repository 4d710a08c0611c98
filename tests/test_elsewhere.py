"""Embeddings, positions and dots that come from other programs or go there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_micromap.colors import colors_of, plain
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.sharing.points import SPAN, dots_of
from napari_micromap.sharing.script import script_of
from napari_micromap.views.contributions import open_dock


@pytest.fixture
def session(linked_atlas) -> Session:
    session = Session()
    session.open_atlas(linked_atlas.with_embeddings(None, {}))
    return session


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((60, 12)).astype(np.float32)


def as_table(session: Session, vectors: np.ndarray, shuffled: np.ndarray) -> pd.DataFrame:
    names = [f"pictures/{name}" for name in session.atlas.columns["file"]]
    table = pd.DataFrame(vectors, columns=[f"v{k}" for k in range(vectors.shape[1])])
    return table.assign(image=names).iloc[shuffled]


def test_a_bare_array_stands_in_the_order_of_the_images_and_is_mapped(session, vectors, tmp_path):
    np.save(tmp_path / "mine.npy", vectors.astype(np.float64))
    session.take_embeddings(tmp_path / "mine.npy")
    session.lay_out()
    np.testing.assert_array_equal(session.atlas.embeddings, vectors)
    assert session.map is not None and session.atlas.made_by["backbone"] == "embeddings from mine.npy"
    assert len(session.atlas.made_by["sha256"]) == 64


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_table_finds_its_images_by_name_whatever_its_order(session, vectors, tmp_path, ending):
    table = as_table(session, vectors, np.random.default_rng(1).permutation(60))
    path = tmp_path / f"mine.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow")
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="\t" if ending == "tsv" else ",")
    told = []
    session.warned.connect(told.append)
    session.take_embeddings(path)
    np.testing.assert_allclose(session.atlas.embeddings, vectors, rtol=1e-6)
    assert told[0].startswith("60 of 60 images found numbers by ") and "no image" not in told[0]


def test_rows_that_belong_to_no_image_are_told(session, vectors, tmp_path):
    table = as_table(session, vectors, np.arange(60))
    more = table.iloc[:2].assign(image=["pictures/no.tif", "pictures/other.tif"])
    pd.concat([table, more]).to_csv(tmp_path / "mine.csv", index=False)
    told = []
    session.warned.connect(told.append)
    session.take_embeddings(tmp_path / "mine.csv")
    assert told[0].endswith("; 2 rows of “mine.csv” belong to no image.")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table.iloc[:-3], "3 of 60 images have no embedding"),
        (lambda table: table.drop(columns="image").iloc[:-1], "59 rows without names"),
        (lambda table: table[["image"]], "no column of numbers"),
        (lambda table: pd.concat([table, table.iloc[:5]]), "does not name single images"),
        (lambda table: table.assign(v0=np.where(np.arange(60) == 7, np.nan, 1)), "1 of 60 images have no embedding"),
    ],
    ids=["some images missing", "no names and too few", "no numbers", "an image twice", "a missing number"],
)
def test_what_does_not_fit_is_said_and_what_was_there_stays(linked_atlas, vectors, tmp_path, spoil, said):
    session = Session()
    session.open_atlas(linked_atlas)
    spoil(as_table(session, vectors, np.arange(60))).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(Problem, match=said):
        session.take_embeddings(tmp_path / "mine.csv")
    assert session.atlas.embeddings is linked_atlas.embeddings and session.map is not None


def test_an_array_that_would_run_code_is_refused(session, tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(Problem, match=r"is no \.npy file of numbers"):
        session.take_embeddings(tmp_path / "evil.npy")


def test_positions_of_others_are_the_map_and_images_without_one_are_not_on_it(session, tmp_path):
    x, y = np.random.default_rng(0).standard_normal((2, 60))
    table = pd.DataFrame({"file": session.atlas.columns["file"], "cluster": 1, "UMAP-1": x, "UMAP-2": y}).iloc[5:]
    table.to_csv(tmp_path / "theirs.csv", index=False)
    session.take_positions(tmp_path / "theirs.csv")
    assert session.map.title == "theirs"
    assert np.isnan(session.map.positions[:5]).all()
    np.testing.assert_allclose(session.map.positions[5:], np.column_stack([x, y])[5:], rtol=1e-6)


def test_embeddings_of_others_are_saved_written_into_the_script_and_do_not_grow(session, vectors, tmp_path):
    np.save(tmp_path / "mine.npy", vectors)
    session.take_embeddings(tmp_path / "mine.npy")
    session.lay_out()
    session.save(tmp_path / "kept")
    other = Session()
    other.restore(tmp_path / "kept.micromap")
    np.testing.assert_array_equal(other.atlas.embeddings, vectors)
    assert f"s.take_embeddings({str(tmp_path / 'mine.npy')!r})" in script_of(other)


def test_dots_go_out_the_right_way_up_with_all_that_is_known(linked_atlas):
    positions = linked_atlas.positions.copy()
    positions[3] = np.nan
    coloring = colors_of(linked_atlas.columns["Jc (MA/cm²)"])
    dots = dots_of(linked_atlas, positions, coloring)
    rows = dots.features["row"].to_numpy()
    assert 3 not in rows and len(dots.data) == 59
    assert set(linked_atlas.columns) <= set(dots.features)
    np.testing.assert_allclose(np.ptp(dots.data, axis=0).max(), SPAN, rtol=1e-5)
    assert np.corrcoef(dots.data[:, 1], positions[rows, 0])[0, 1] > 0.999
    assert np.corrcoef(dots.data[:, 0], positions[rows, 1])[0, 1] < -0.999, "napari counts rows downward"
    np.testing.assert_allclose(dots.colors * 255, coloring.rgb[rows], atol=0.01)


def test_a_map_without_positions_gives_no_dots(linked_atlas):
    nowhere = np.full((60, 2), np.nan, np.float32)
    assert len(dots_of(linked_atlas, nowhere, plain(60)).data) == 0


def test_the_dots_stand_in_the_viewer_as_a_layer_for_other_plugins(make_napari_viewer_proxy, linked_atlas):
    viewer = getattr(make_napari_viewer_proxy(), "__wrapped__", None)
    dock = open_dock(viewer)
    dock.wishes.show_points()
    assert not len(viewer.layers) and "Make a map first" in dock.notice.text.text()
    dock.session.open_atlas(linked_atlas)
    dock.wishes.show_points()
    (layer,) = viewer.layers
    assert len(layer.data) == 60 and list(layer.features["film"]) == list(linked_atlas.columns["film"])
