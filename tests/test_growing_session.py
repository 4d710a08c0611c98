"""New images join what is open: nothing moves, nothing that was said is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_micromap.growing import Growth
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.windows import Cut

ONE_VIEW = Recipe(views=1, side=64)


def write(folder: Path, names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        rng = np.random.default_rng(ord(name))
        grain = 2 ** (1 + ord(name) % 4)
        picture = np.kron(rng.integers(0, 255, (64 // grain, 64 // grain)), np.ones((grain, grain))).astype(np.uint8)
        tifffile.imwrite(folder / f"F{ord(name) % 3}_{name}.tif", picture)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    write(tmp_path / "films", "bdfhjln")
    return tmp_path / "films"


@pytest.fixture
def session(films: Path, tmp_path: Path) -> Session:
    session = Session(cache=tmp_path / "own cache")
    session.open(Folder(films))
    session.embed(recipe=ONE_VIEW, device="cpu")
    session.lay_out(Pca())
    return session


def told_by(session: Session) -> tuple[list[Growth], list[str]]:
    growths: list[Growth] = []
    sentences: list[str] = []
    session.growing.grown.connect(growths.append)
    session.warned.connect(sentences.append)
    return growths, sentences


def test_new_images_appear_and_nothing_else_changes(session: Session, films: Path) -> None:
    before = session.map.positions.copy()
    names = session.atlas.columns["file"].tolist()
    session.selection.replace([1, 2])
    session.selection.replace([3])
    session.exclude([0], "crack")
    session.current = 4
    maps: list[object] = []
    session.map_changed.connect(maps.append)
    write(films, "ac")
    session.grow()
    assert session.atlas.columns["file"].tolist() == [*names, "F0_c.tif", "F1_a.tif"]
    assert session.map.positions[:7].tobytes() == before.tobytes()
    assert np.isfinite(session.map.positions).all() and len(session.map.positions) == 9
    assert len(maps) == 1
    assert session.selection.rows.tolist() == [3] and session.current == 4
    session.undo()
    session.undo()
    assert session.selection.rows.tolist() == [1, 2]
    assert session.used.tolist() == list(range(9))
    assert session.growing.fresh == set(session.atlas.ids[7:])
    assert session.map_is_of_others


def test_a_new_map_takes_the_new_ones_in_and_lies_as_the_old_one(session: Session, films: Path) -> None:
    write(films, "ac")
    session.grow()
    before = session.map.positions.copy()
    told: list[object] = []
    session.growing.fresh_changed.connect(told.append)
    session.lay_out(Pca())
    assert session.growing.fresh == frozenset() and told == [frozenset()]
    after = session.map.positions
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    turned = a.T @ b
    np.testing.assert_allclose(turned, turned.T, atol=1e-2 * np.abs(turned).max())  # no turn is left to be made
    assert (np.linalg.eigvalsh((turned + turned.T) / 2) >= -1e-3).all()


def test_a_table_is_applied_to_the_new_ones_and_pieces_of_names_too(session: Session, films: Path) -> None:
    table = films.parent / "values.csv"
    table.write_text("file,Jc\n" + "".join(f"{path.name},{i}\n" for i, path in enumerate(sorted(films.iterdir()))))
    session.tables.add(table)
    session.sample_from_name("piece 1")
    write(films, "ac")
    table.write_text(table.read_text() + "F1_a.tif,2.5\n")
    session.set_role("Jc", "processing")
    session.grow()
    columns = session.atlas.columns
    assert columns["Jc"].iloc[8] == 2.5 and np.isnan(columns["Jc"].iloc[7])
    assert columns["Jc"].iloc[:7].notna().all()
    assert session.atlas.roles["Jc"] == "processing"
    assert columns["piece 1"].iloc[7:].tolist() == ["F0", "F1"]
    assert session.atlas.sample_column == "piece 1"


def test_a_table_that_is_gone_is_told_and_the_images_join(session: Session, films: Path) -> None:
    table = films.parent / "values.csv"
    table.write_text("file,Jc\n" + "".join(f"{path.name},{i}\n" for i, path in enumerate(sorted(films.iterdir()))))
    session.tables.add(table)
    table.unlink()
    write(films, "a")
    growths, _ = told_by(session)
    session.grow()
    assert len(session.atlas) == 8 and session.atlas.columns["Jc"].notna().sum() == 7
    assert "values.csv" in growths[0].sentence


def test_images_that_are_gone_are_told_and_stay(session: Session, films: Path) -> None:
    (films / "F0_f.tif").unlink()
    growths, _ = told_by(session)
    session.grow()
    assert len(session.atlas) == 7 and session.growing.fresh == frozenset()
    assert "1 image cannot be found any more, such as “films/F0_f.tif”" in growths[0].sentence
    assert len(growths) == 1


def test_a_file_with_another_picture_in_it_is_told_and_joins_as_new(session: Session, films: Path) -> None:
    growths, _ = told_by(session)
    ids, positions = session.atlas.ids.copy(), session.map.positions.copy()
    path = films / "F2_b.tif"
    assert path.exists()
    tifffile.imwrite(path, 255 - tifffile.imread(path))
    session.grow()
    assert [session.atlas.paths[row] for row in growths[-1].changed] == [str(path)]
    assert len(growths[-1].new) == 1 and not len(growths[-1].gone)
    assert (session.atlas.ids[: len(ids)] == ids).all() and session.map.positions[
        : len(ids)
    ].tobytes() == positions.tobytes()
    assert "other content" in growths[-1].sentence and "films/F2_b.tif" in growths[-1].sentence
    assert session.growing.fresh == {str(session.atlas.ids[-1])}


def test_a_saved_map_knows_where_to_look_also_after_it_has_moved(session: Session, films: Path, tmp_path: Path) -> None:
    write(films, "a")
    session.grow()
    session.save(tmp_path / "films.micromap")
    again = Session(cache=tmp_path / "another cache")
    again.restore(tmp_path / "films.micromap")
    assert again.source == Folder(films) and again.growing.fresh == session.growing.fresh
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.move(films, moved / "films")
    shutil.move(tmp_path / "films.micromap", moved / "films.micromap")
    again.restore(moved / "films.micromap")
    assert again.source == Folder(moved / "films")
    before = again.map.positions.copy()
    write(moved / "films", "c")
    again.grow()
    assert len(again.atlas) == 9 and len(again.growing.fresh) == 2
    assert again.map.positions[:8].tobytes() == before.tobytes()


def test_another_folder_can_join(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "more", "ac")
    session.grow(Folder(tmp_path / "more"))
    assert len(session.atlas) == 9 and len(session.growing.fresh) == 2
    assert session.source != Folder(tmp_path / "more")


def test_what_came_from_no_folder_says_so(session: Session, tmp_path: Path) -> None:
    other = Session(cache=tmp_path / "own cache")
    other.open_atlas(session.atlas)
    with pytest.raises(Problem, match="folder"):
        other.grow()


def test_a_map_whose_data_bars_were_corrected_meanwhile_is_not_grown(session: Session, films: Path) -> None:
    write(films, "a")
    waiting = []
    at_once = session.run
    session.run = lambda start, **how: waiting.append((start, how))  # type: ignore[assignment, misc]
    session.grow()
    session.run = at_once
    start, how = waiting.pop()
    work = start()
    session.bars.correct([0], 3)
    at_once(lambda: work, **how)
    assert len(session.atlas) == 7


def test_images_that_were_moved_and_renamed_are_found_again_by_their_content(session, films, tmp_path):
    session.save(tmp_path / "kept")
    elsewhere = tmp_path / "archive" / "2026"
    elsewhere.mkdir(parents=True)
    for number, picture in enumerate(sorted(films.iterdir(), reverse=True)[:-1]):
        shutil.move(picture, elsewhere / f"renamed {number}.tif")
    write(elsewhere, "z")  # another one, which was never on the map
    other = Session(cache=tmp_path / "other cache")
    _, sentences = told_by(other)
    other.restore(tmp_path / "kept.micromap")
    assert sentences[0].startswith("6 images cannot be found") and other.growing.images_missing
    positions = other.map.positions
    other.growing.find_images(tmp_path / "archive")
    assert sentences[1] == "6 images found in “archive”." and not other.growing.images_missing
    assert len(other.atlas) == 7 and other.map.positions is positions
    for mine, theirs in zip(session.atlas, other.atlas, strict=True):
        assert mine.id == theirs.id and theirs.pixels().shape == (64, 64)
    shutil.rmtree(elsewhere)
    with pytest.raises(Problem):
        other.growing.find_images(tmp_path / "archive")
    assert len(other.atlas) == 7


def test_new_images_lose_the_data_bar_that_the_user_cut_from_all_like_them(session: Session, films: Path) -> None:
    session.bars.correct(range(7), 12)
    session.embed(recipe=ONE_VIEW, device="cpu")
    session.lay_out(Pca())
    write(films, "a")
    session.grow()
    assert session.atlas.columns["bar_rows"].tolist() == [12] * 8
    assert session.bars.corrected[str(session.atlas.ids[7])] == 12


def test_windows_of_known_images_do_not_join_again_where_bars_were_corrected(session: Session, films: Path) -> None:
    session.bars.correct(range(7), 20)
    session.windows.cut(Cut(window_px=32, drop_blank=False))
    n = len(session.atlas)
    growths, sentences = told_by(session)
    session.grow()
    assert len(session.atlas) == n and not len(growths[0].changed) and not sentences
    write(films, "a")
    session.grow()
    assert {str(session.atlas.paths[row]) for row in growths[1].new} == {str(films / "F1_a.tif")}


def test_new_images_take_the_scale_that_was_drawn_for_all_like_them(session: Session, films: Path) -> None:
    session.scales.by_line(0, 100, 5, "µm", whole_kind=True)
    growths, _ = told_by(session)
    write(films, "a")
    tifffile.imwrite(films / "F0_wide.tif", np.tile(np.arange(96, dtype=np.uint8), (64, 1)))  # of another kind
    session.grow()
    sizes, origins = session.atlas.um_per_px, session.atlas.columns["scale_from"]
    at = session.atlas.columns["file"].tolist().index
    assert sizes[at("F1_a.tif")] == pytest.approx(0.05) and origins[at("F1_a.tif")] == "line: drawn"
    assert np.isnan(sizes[at("F0_wide.tif")])
    assert "1 took the scale that you gave others like them" in growths[0].sentence


def test_a_scale_of_one_image_is_not_taken_for_that_of_its_kind(session: Session, films: Path) -> None:
    session.scales.by_line(0, 100, 5, "µm")
    write(films, "a")
    session.grow()
    assert np.isnan(session.atlas.um_per_px[7])
