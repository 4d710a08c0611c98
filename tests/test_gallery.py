"""The gallery in a real napari window: what is seen, and what mouse and keys do."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_micromap.montage.tiles import gray_window, to_8bit
from napari_micromap.session import Map, Session
from napari_micromap.sources.folder import Folder
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.threads import Lanes

Pixels = NDArray[Any]
SCALE_BAR = 24  # scene units at the foot of a tile, where its scale bar is


@pytest.fixture
def viewer(shared_window: Any) -> Iterator[Any]:
    """Return a window that is as empty as a new one."""
    window = shared_window
    settle()
    yield window
    window.layers.clear()
    window.dims.ndisplay = 2
    window.canvas.grid.enabled = window.canvas.overlays["scale_bar"].visible = False
    window.theme = "dark"
    camera = window.scene.camera
    camera.angles, camera.center, camera.zoom = (0, 0, 0), (0, 0, 0), 1
    settle()


@pytest.fixture
def uhcs(real_data: Path, tmp_path: Path) -> Session:
    session = Session(cache=tmp_path)
    session.open(Folder(real_data / "uhcs"))
    return session


@pytest.fixture
def few(tmp_path: Path) -> Session:
    """Five small pictures that differ."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(5):
        tifffile.imwrite(folder / f"m{seed}.tif", picture(60 + 10 * seed, 80, seed))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    return session


def picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8)).astype(np.uint8)
    return np.kron(coarse, np.ones((height // 8 + 1, width // 8 + 1), np.uint8))[:height, :width]


def settle(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()


def rest() -> None:
    """Wait until tiles are read, and what was left is gone."""
    loop = QEventLoop()
    QTimer.singleShot(300, loop.quit)
    loop.exec()


def canvas_place(viewer: Any, y: float, x: float) -> tuple[float, float]:
    """Where on the canvas, in pixels from its top left, a place of the world is seen."""
    height, width = viewer.canvas.size
    center, zoom = viewer.scene.camera.center[-2:], viewer.scene.camera.zoom
    return (y - center[0]) * zoom + height / 2, (x - center[1]) * zoom + width / 2


def middle(gallery: Gallery, tile: int) -> tuple[float, float]:
    assert gallery.arrangement is not None
    top, left, height, width = gallery.arrangement.boxes[tile]
    return float(top + height / 2), float(left + width / 2)


def click(viewer: Any, y: float, x: float, double: bool = False) -> None:
    row, column = canvas_place(viewer, y, x)
    act = QTest.mouseDClick if double else QTest.mouseClick
    native = viewer.window._qt_viewer.canvas.native
    act(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(column), round(row)))
    settle()


def camera_of(viewer: Any) -> tuple[Any, ...]:
    camera = viewer.scene.camera
    return (*camera.center, camera.zoom, *camera.angles, viewer.dims.ndisplay)


def tile_on(shot: Pixels, viewer: Any, gallery: Gallery, tile: int) -> tuple[Pixels, tuple[float, ...]]:
    """Cut a tile, down to its scale bar, out of a screenshot, and say which part of it that is, from 0 to 1."""
    assert gallery.arrangement is not None
    top, left, height, width = gallery.arrangement.boxes[tile]
    y0, x0 = canvas_place(viewer, top, left)
    y1, x1 = canvas_place(viewer, top + height, left + width)
    bar = canvas_place(viewer, top + height - SCALE_BAR, left)[0]
    rows, columns = (int(np.ceil(y0)) + 1, int(bar) - 1), (int(np.ceil(x0)) + 1, int(x1) - 1)
    part = [(at - y0) / (y1 - y0) for at in rows] + [(at - x0) / (x1 - x0) for at in columns]
    return shot[rows[0] : rows[1], columns[0] : columns[1], :3], tuple(part)


def area_means(picture: Pixels, part: tuple[float, ...], shape: tuple[int, ...]) -> Pixels:
    """Return the exact mean of the area that each screen pixel covers of a part of a picture."""
    sums = np.zeros((picture.shape[0] + 1, picture.shape[1] + 1))
    sums[1:, 1:] = picture.astype(float).cumsum(0).cumsum(1)
    ys = np.linspace(part[0], part[1], shape[0] + 1) * picture.shape[0]
    xs = np.linspace(part[2], part[3], shape[1] + 1) * picture.shape[1]
    y, x = (np.minimum(at.astype(int), side - 1) for at, side in zip((ys, xs), picture.shape))
    fy, fx = (ys - y)[:, None], (xs - x)[None]
    at = sums[y][:, x] * (1 - fy) * (1 - fx) + sums[y + 1][:, x] * fy * (1 - fx)
    at += sums[y][:, x + 1] * (1 - fy) * fx + sums[y + 1][:, x + 1] * fy * fx
    return at[1:, 1:] - at[:-1, 1:] - at[1:, :-1] + at[:-1, :-1]


# ---------------------------------------------------------------------------- what is seen


def likeness(one: Pixels, other: Pixels) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_on_the_screenshot_each_tile_is_its_own_file_and_no_other(viewer: Any, uhcs: Session) -> None:
    gallery = Gallery(viewer, uhcs)
    uhcs.selection.replace(np.arange(43))
    settle()
    shot = viewer.screenshot(flash=False)
    sources = [to_8bit(m.specimen(), *gray_window(m.specimen())) for m in uhcs.atlas]
    whole, small = (0.0, 1.0, 0.0, 1.0), (30, 40)
    assert gallery.arrangement is not None
    above = tile_on(shot, viewer, gallery, 0)[1]  # its scale bar; all are of the same size
    in_small = [area_means(source, above, small) for source in sources]
    assert sorted(gallery.arrangement.rows) == list(range(43))
    for tile, row in enumerate(gallery.arrangement.rows.tolist()):
        seen, part = tile_on(shot, viewer, gallery, tile)
        assert np.ptp(seen.astype(int), axis=-1).max() == 0, "specimen pixels stay gray"
        shown = seen[..., 0]
        # a part varies less than the whole: the same difference weighs more
        assert likeness(shown, area_means(sources[row], part, shown.shape)) >= 0.975, uhcs.atlas[row].name
        shown_small = area_means(shown, whole, small)
        assert int(np.argmax([likeness(shown_small, other) for other in in_small])) == row
    gallery.dispose()


def test_in_the_light_theme_the_ground_is_light_and_the_pictures_are_the_same(viewer: Any, uhcs: Session) -> None:
    gallery = Gallery(viewer, uhcs)
    uhcs.selection.replace(np.arange(6))
    QTest.qWait(300)
    dark = viewer.screenshot(flash=False)
    viewer.theme = "light"
    QTest.qWait(300)  # the canvas may have another size now
    light = viewer.screenshot(flash=False)
    assert dark[2, 2, 0] == 0
    assert light[2, 2, 0] == 255
    y, x = (round(place) for place in canvas_place(viewer, 4, 100))  # the gutter above the first tile
    assert (dark[y, x, 0], light[y, x, 0]) == (0, 255)
    for tile in range(6):
        same = tile_on(light, viewer, gallery, tile)[0].astype(int) - tile_on(dark, viewer, gallery, tile)[0]
        assert np.abs(same).max() <= 1
    gallery.dispose()


def test_zooming_in_shows_each_pixel_of_the_file(viewer: Any, uhcs: Session) -> None:
    gallery = Gallery(viewer, uhcs)
    uhcs.selection.replace(np.arange(43))
    settle()
    y, x = middle(gallery, 5)
    viewer.scene.camera.zoom = 4 * 645 / 192  # four screen pixels a pixel of the file
    viewer.scene.camera.center = (0, y, x)
    settle()
    QTest.qWait(300)  # until the view rests and is brought to the screen's pixels
    specimen = uhcs.atlas[int(gallery.arrangement.rows[5])].specimen()
    shot = viewer.screenshot(flash=False)[..., 0]
    top, left, _, _ = gallery.arrangement.boxes[5]
    y0, x0 = canvas_place(viewer, top, left)
    rows, columns = (
        np.floor((np.arange(side) + 0.5 - begin) / 4).astype(int) for side, begin in zip(shot.shape, (y0, x0))
    )
    file = to_8bit(specimen, *gray_window(specimen))[rows[20:-20, None], columns[20:-20]]
    shown = shot[20:-20, 20:-20]
    assert np.mean(np.abs(shown.astype(int) - file) <= 1) > 0.95
    gallery.dispose()


def test_tiles_too_large_to_keep_are_read_at_native_resolution_when_they_are_in_sight(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_micromap.montage.arrangement.LARGEST_SIDE", 1024)
    folder = tmp_path / "large"
    folder.mkdir()
    for seed in range(8):
        tifffile.imwrite(folder / f"m{seed}.tif", picture(1500, 2000, seed))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    gallery = Gallery(viewer, session)
    session.selection.replace(np.arange(8))
    settle()
    kept = gallery.arrangement.kept * 192
    assert kept < 400
    assert {pixels.width for pixels in gallery._page.montage.tiles.values()} == {round(kept)}
    y, x = middle(gallery, 0)
    viewer.scene.camera.center = (0, y, x)
    viewer.scene.camera.zoom = 8.0
    settle()
    QTest.qWait(600)
    montage = gallery._page.montage
    assert montage.tiles[0].width == 192 * 8
    assert montage.tiles[7].width == round(kept), "what is out of sight is not read anew"
    assert gallery._page.wants_in_sight() == []
    gallery.dispose()


def test_frames_have_the_maps_color_and_labels_say_sample_and_value(
    viewer: Any, uhcs: Session, real_data: Path
) -> None:
    from napari_micromap.colors import colors_of

    uhcs.tables.add(real_data / "uhcs" / "micrographs.csv")
    uhcs.color_by = "primary_microconstituent"
    gallery = Gallery(viewer, uhcs)
    uhcs.selection.replace(np.arange(6))
    settle()
    shot = viewer.screenshot(flash=False)
    colors = colors_of(uhcs.atlas.columns["primary_microconstituent"]).rgb
    for tile, row in enumerate(gallery.arrangement.rows.tolist()):
        top, left, height, width = gallery.arrangement.boxes[tile]
        y, x = canvas_place(viewer, top - 1.5, left + width / 2)
        assert np.abs(shot[int(y), int(x), :3].astype(int) - colors[row]).max() <= 3
        below = shot[slice(*(round(canvas_place(viewer, top + height + d, 0)[0]) for d in (5, 18)))]
        lit = below[:, round(canvas_place(viewer, 0, left)[1]) : round(canvas_place(viewer, 0, left + width)[1])]
        assert (lit[..., :3].min(axis=-1) > 120).sum() > 20, "letters are seen below the specimen"
    texts = gallery._page.scene.labels.text.values.tolist()
    sample = uhcs.atlas.samples.iat[int(gallery.arrangement.rows[0])]
    assert texts[0].startswith(f"{sample} · ")
    gallery.dispose()


def test_the_current_micrograph_is_ringed(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    few.current = 3
    settle()
    shot = viewer.screenshot(flash=False)
    for row in (3, 1):
        top, left, _, width = gallery.arrangement.boxes[gallery.arrangement.tile_of(row)]
        y, x = canvas_place(viewer, top - 4.5, left + width / 2)
        assert (shot[int(y), int(x), :3].min() > 200) == (row == 3)
    gallery.dispose()


# ---------------------------------------------------------------------------- layers


def test_there_is_one_picture_layer_and_a_new_selection_updates_it_in_place(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0, 1, 2])
    before = list(viewer.layers)
    assert [layer.name for layer in before] == ["Micrographs", "Micrographs (frames)", "Micrographs (labels)"]
    few.selection.replace([1, 3, 4, 2])
    few.selection.replace([4])
    settle()
    viewer.screenshot(flash=False)
    assert list(viewer.layers) == before
    gallery.dispose()


def test_color_micrographs_get_a_colored_layer_and_gray_ones_a_gray_one_again(viewer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    red = np.zeros((60, 80, 3), np.uint8)
    red[:, ::2, 0] = 200
    tifffile.imwrite(folder / "red.tif", red, photometric="rgb")
    tifffile.imwrite(folder / "gray.tif", picture(60, 80, 1))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    gallery = Gallery(viewer, session)
    row = {name: i for i, name in enumerate(session.atlas.columns["file"])}
    for chosen, rgb in ((["gray.tif"], False), (["gray.tif", "red.tif"], True), (["gray.tif"], False)):
        session.selection.replace([row[name] for name in chosen])
        settle()
        shot = viewer.screenshot(flash=False)
        assert [layer.name.split()[-1] for layer in viewer.layers] == ["Micrographs", "(frames)", "(labels)"]
        assert viewer.layers[0].rgb == rgb
        for name in chosen:
            seen = tile_on(shot, viewer, gallery, gallery.arrangement.tile_of(row[name]))[0].astype(int)
            assert (seen[..., 0].mean() > seen[..., 1].mean() + 30) == (name == "red.tif")
    gallery.dispose()


def test_pages_turn_and_tell_where_they_are(viewer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(130):
        tifffile.imwrite(folder / f"m{seed:03d}.tif", picture(12, 16, seed))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    gallery = Gallery(viewer, session)
    told: list[str] = []
    gallery.changed.connect(lambda: told.append(gallery.counts))
    session.selection.replace(np.arange(130))
    gallery.next_page()
    assert (gallery.page, gallery.pages) == (1, 2)
    assert gallery.arrangement.rows.tolist() == list(range(100, 130))
    gallery.next_page()
    gallery.previous_page()
    assert told == ["1–100 of 130", "101–130 of 130", "1–100 of 130"]
    gallery.dispose()


def test_shared_contrast_keeps_the_brightness_of_pictures(viewer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    for name, add in (("dark", 0), ("light", 180)):
        tifffile.imwrite(folder / f"{name}.tif", picture(60, 80, 1) // 4 + np.uint8(add))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    gallery = Gallery(viewer, session)
    session.selection.replace([0, 1])

    def brightness() -> list[float]:
        settle()
        shot = viewer.screenshot(flash=False)
        return [float(tile_on(shot, viewer, gallery, tile)[0].mean()) for tile in (0, 1)]

    own = brightness()
    gallery.shared_contrast = True
    shared = brightness()
    assert abs(own[0] - own[1]) < 3
    assert shared[1] - shared[0] > 120
    gallery.dispose()


def test_the_users_contrast_stays_over_the_next_selection(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0, 1])
    viewer.layers["Micrographs"].contrast_limits = (40, 90)
    few.selection.replace([2, 3])
    assert tuple(viewer.layers["Micrographs"].contrast_limits) == (40, 90)
    gallery.dispose()


# ---------------------------------------------------------------------------- off the window's thread


def test_pages_are_made_off_the_windows_thread_and_the_newest_selection_wins(
    viewer: Any, real_data: Path, tmp_path: Path
) -> None:
    lanes = Lanes()
    session = Session(run=lanes, cache=tmp_path)
    session.open(Folder(real_data / "uhcs"))
    lanes.wait_idle()
    gallery = Gallery(viewer, session)
    for end in range(3, 43, 8):
        session.selection.replace(np.arange(end))
        settle(1)
    assert gallery.mode == "closed" or len(gallery.arrangement) < 40
    lanes.wait_idle()
    settle()
    assert sorted(gallery.arrangement.rows) == list(range(35))
    assert not gallery._page.montage.unread()
    gallery.dispose()
    lanes.shutdown()


def test_thumbnails_show_first_where_they_are_kept(viewer: Any, few: Session) -> None:
    thumbnails = few.workshop.thumbnails
    for micrograph in few.atlas:
        thumbnails.put(thumbnails.key_of(micrograph), picture(48, 64, 0))
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    assert all(pixels.preview for pixels in gallery._page.montage.tiles.values())
    rest()
    assert not any(pixels.preview for pixels in gallery._page.montage.tiles.values()), "the pictures come after them"
    gallery.dispose()
    few.workshop.close()


# ---------------------------------------------------------------------------- mouse and keys


def test_a_click_makes_a_tile_current_and_leaves_the_selection(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0, 1, 2])
    settle()
    click(viewer, *middle(gallery, 1))
    assert few.current == int(gallery.arrangement.rows[1])
    assert few.selection.rows.tolist() == [0, 1, 2]
    assert gallery.mode == "gallery"
    gallery.dispose()


def test_a_double_click_opens_that_micrograph_at_full_resolution_and_does_not_zoom(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    settle()
    before = camera_of(viewer)
    y, x = middle(gallery, 2)
    row = int(gallery.arrangement.rows[2])
    click(viewer, y, x, double=True)
    assert gallery.mode == "opened"
    assert gallery.can_go_back
    assert few.current == row
    seen = [layer for layer in viewer.layers if layer.visible]
    assert [layer.name for layer in seen] == [f"m{row}.tif"]
    assert np.array_equal(seen[0].data, few.atlas[row].specimen())
    height, width = seen[0].data.shape
    fits = 0.95 * min(viewer.canvas.size[0] / height, viewer.canvas.size[1] / width)
    assert viewer.scene.camera.zoom == pytest.approx(fits, rel=0.01), "fitted, not doubled"
    gallery.back()
    assert camera_of(viewer) == before
    gallery.dispose()


def test_a_double_click_beside_the_tiles_zooms_as_ever(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0])
    settle()
    zoom = viewer.scene.camera.zoom
    click(viewer, gallery.arrangement.boxes[0, 0] - 7, gallery.arrangement.boxes[0, 1], double=True)
    assert gallery.mode == "gallery"
    assert viewer.scene.camera.zoom == pytest.approx(2 * zoom)
    gallery.close()
    assert [callback.__name__ for callback in viewer.mouse_double_click_callbacks] == ["double_click_to_zoom"]
    gallery.dispose()


def test_backspace_goes_back_to_the_gallery_as_it_was(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    viewer.scene.camera.zoom *= 1.7
    viewer.layers["Micrographs (labels)"].visible = False
    settle()
    before = camera_of(viewer), [(layer.name, layer.visible) for layer in viewer.layers]
    few.open_micrograph(4)
    settle()
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    QTest.keyClick(native, Qt.Key.Key_Backspace)
    settle()
    assert gallery.mode == "gallery"
    assert (camera_of(viewer), [(layer.name, layer.visible) for layer in viewer.layers]) == before
    assert viewer.layers.selection.active is viewer.layers["Micrographs"]
    gallery.dispose()


def test_only_while_an_image_is_opened_older_things_are_set_aside_from_the_collector(viewer: Any, few: Session) -> None:
    gc.unfreeze()  # what the tests themselves set aside
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(3))
    few.open_micrograph(1)
    assert gc.get_freeze_count()
    gallery.back()
    rest()
    assert not gc.get_freeze_count()
    theirs = viewer.add_image(picture(40, 40, 1))
    few.open_micrograph(2)
    viewer.layers.remove(theirs)
    assert not gc.get_freeze_count()  # all that their layer held is looked for
    gallery.dispose()
    gc.freeze()


def test_letters_are_drawn_while_the_map_is_looked_at(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.map_changed.emit(Map(np.zeros((5, 2), np.float32), "PCA"))
    info = viewer.window._qt_viewer.canvas.font_info()
    glyphs = info.font_manager.get_font(info.face)._glyphs
    end = time.monotonic() + 10
    while "µ" not in glyphs and time.monotonic() < end:
        settle()
    assert "µ" in glyphs
    gallery.dispose()


def test_opening_another_takes_the_place_of_the_first(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    few.open_micrograph(1)
    few.open_micrograph(3)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["m3.tif"]
    assert len(viewer.layers) == 4
    gallery.back()
    rest()
    assert len(viewer.layers) == 3
    gallery.dispose()


def test_opening_from_the_map_without_a_gallery_goes_back_to_what_was(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    before = camera_of(viewer)
    few.open_micrograph(2)
    assert (gallery.mode, gallery.can_go_back) == ("opened", False)
    gallery.back()
    assert gallery.mode == "closed"
    assert not viewer.layers
    assert camera_of(viewer) == before
    gallery.dispose()


def test_a_new_selection_while_one_is_opened_shows_the_gallery(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0, 1])
    few.open_micrograph(1)
    few.selection.replace([2, 3, 4])
    assert gallery.mode == "gallery"
    rest()
    assert all(layer.visible for layer in viewer.layers)
    assert len(viewer.layers) == 3
    gallery.dispose()


def test_selecting_nothing_closes_the_gallery(viewer: Any, few: Session) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace([0, 1])
    few.selection.clear()
    assert gallery.mode == "closed"
    assert not viewer.layers
    few.selection.undo()
    assert gallery.mode == "gallery"
    gallery.dispose()


def test_the_scale_bar_shows_micrometers_on_an_opened_micrograph_only(viewer: Any, uhcs: Session) -> None:
    gallery = Gallery(viewer, uhcs)
    uhcs.selection.replace(np.arange(4))
    bar = viewer.canvas.overlays["scale_bar"]
    assert not bar.visible
    uhcs.open_micrograph(0)
    assert bar.visible
    um_per_px = float(uhcs.atlas.columns["um_per_px"].iat[0])
    layer = viewer.layers.selection.active
    assert layer.scale.tolist() == [um_per_px] * 2
    assert [str(unit) for unit in viewer.layers.units] == ["micrometer", "micrometer"]
    gallery.close()
    assert not bar.visible
    gallery.dispose()


def test_a_missing_file_is_told_when_it_is_opened_and_the_gallery_stays(viewer: Any, few: Session) -> None:
    from napari_micromap.problems import Problem

    gallery = Gallery(viewer, few)
    few.selection.replace(np.arange(5))
    Path(str(few.atlas.paths[2])).unlink()
    with pytest.raises(Exception) as caught:
        few.open_micrograph(2)
    assert isinstance(caught.value, Problem) or isinstance(caught.value.__cause__, Problem)
    assert gallery.mode == "gallery"
    gallery.dispose()


def test_the_page_fits_again_when_the_canvas_gets_another_size_unless_the_user_looks_elsewhere(
    viewer: Any, few: Session, qtbot: Any
) -> None:
    gallery = Gallery(viewer, few)
    few.selection.replace(range(len(few.atlas)))
    settle()
    window, camera = viewer.window._qt_window, viewer.scene.camera
    for width, moved in ((1100, False), (800, True)):
        before = camera.zoom
        if moved:
            camera.zoom = before = camera.zoom * 1.5
        window.resize(width, 700)
        qtbot.wait(700)
        assert (camera.zoom == pytest.approx(before, rel=0.01)) is moved
        if not moved:
            assert gallery.arrangement is not None
            height, across = viewer.canvas.size
            assert camera.zoom * gallery.arrangement.width <= across
            assert camera.zoom * gallery.arrangement.height <= height
    gallery.dispose()
