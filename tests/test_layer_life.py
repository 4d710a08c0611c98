"""What users do to layers while a gallery stands there, in a real napari window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.layers import Layers
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.gallery.ahead import bring_in
from napari_micromap.views.layer_links import LayerLinks
from napari_micromap.work import finish


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


def picture(seed: int, height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8)).astype(np.uint8)
    return np.kron(coarse, np.ones((height // 8 + 1, width // 8 + 1), np.uint8))[:height, :width]


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def rest() -> None:
    """Wait until what was left is gone."""
    loop = QEventLoop()
    QTimer.singleShot(100, loop.quit)
    loop.exec()


@pytest.fixture
def files(tmp_path: Path) -> Session:
    """A session of five files."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(5):
        tifffile.imwrite(folder / f"m{seed}.tif", picture(seed))
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    return session


def session_of_layers(viewer: Any, tmp_path: Path) -> Session:
    session = Session(cache=tmp_path)
    session.open(Layers(tuple(viewer.layers)))
    return session


@pytest.fixture
def loaded(viewer: Any, tmp_path: Path) -> Session:
    """A session of four loaded layers, one of which the user had hidden, beside shapes of his own."""
    for seed in range(4):
        viewer.add_image(picture(seed), name=f"film {seed}", visible=seed != 3)
    session = session_of_layers(viewer, tmp_path)
    viewer.add_shapes([[[5, 5], [30, 40]]], shape_type="rectangle", name="mine")
    viewer.layers.selection = {viewer.layers["film 1"]}
    viewer.scene.camera.zoom, viewer.scene.camera.center = 3.3, (0, 21, 34)
    settle()
    return session


def state_of(viewer: Any) -> dict[str, Any]:
    camera = viewer.scene.camera
    return {
        "layers": [(layer.name, layer.visible) for layer in viewer.layers],
        "contrast": [tuple(layer.contrast_limits) for layer in viewer.layers if hasattr(layer, "contrast_limits")],
        "selected": {layer.name for layer in viewer.layers.selection},
        "camera": (tuple(camera.center), camera.zoom, tuple(camera.angles)),
        "dims": (viewer.dims.ndisplay, viewer.dims.order, viewer.dims.point),
        "grid": viewer.canvas.grid.enabled,
        "bar": viewer.canvas.overlays["scale_bar"].visible,
        "double click": [callback.__name__ for callback in viewer.mouse_double_click_callbacks],
    }


# ---------------------------------------------------------------------------- the gallery's own layers


def test_a_deleted_gallery_comes_back_with_the_next_selection(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.layers.remove("Micrographs")
    settle()
    assert (gallery.mode, len(viewer.layers)) == ("closed", 0)
    assert files.selection.rows.tolist() == [0, 1], "the lasso is not undone by it"
    files.selection.replace([2, 3, 4])
    settle()
    assert (gallery.mode, len(viewer.layers)) == ("gallery", 3)
    gallery.dispose()


def test_all_layers_deleted_at_once_is_no_trouble(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    settle()
    assert (gallery.mode, len(viewer.layers)) == ("closed", 0)
    files.selection.replace([2])
    assert len(viewer.layers) == 3
    gallery.dispose()


def test_deleted_frames_or_labels_come_back_with_the_next_selection(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    for name in ("Micrographs (frames)", "Micrographs (labels)"):
        files.selection.replace([0, 1])
        viewer.layers.remove(name)
        assert gallery.mode == "gallery"
        files.selection.replace([2, 3])
        assert viewer.layers[0].name == "Micrographs"
        assert len(viewer.layers) == 3
        viewer.screenshot(flash=False)
    gallery.dispose()


def test_a_gallery_deleted_behind_an_opened_micrograph_leaves_nothing_to_go_back_to(
    viewer: Any, files: Session
) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    files.open_micrograph(1)
    viewer.layers.remove("Micrographs")
    assert (gallery.mode, gallery.can_go_back) == ("opened", False)
    gallery.back()
    settle()
    assert (gallery.mode, len(viewer.layers)) == ("closed", 0)
    gallery.dispose()


def test_deleting_the_opened_micrograph_goes_back_to_the_gallery(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    files.open_micrograph(1)
    viewer.layers.remove("m1.tif")
    settle()
    assert gallery.mode == "gallery"
    assert all(layer.visible for layer in viewer.layers)
    gallery.dispose()


def test_a_renamed_gallery_is_still_the_gallery(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.layers["Micrographs"].name = "my favorites"
    files.selection.replace([2, 3, 4])
    assert viewer.layers[0].name == "my favorites"
    assert len(viewer.layers) == 3
    gallery.close()
    assert not viewer.layers
    gallery.dispose()


def test_reordered_layers_stay_in_the_users_order(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.layers.move(0, 3)
    order = [layer.name for layer in viewer.layers]
    files.selection.replace([2, 3, 4])
    settle()
    assert [layer.name for layer in viewer.layers] == order
    files.open_micrograph(2)
    gallery.back()
    rest()
    assert [layer.name for layer in viewer.layers] == order
    gallery.dispose()


def test_a_hidden_gallery_shows_again_with_the_next_selection_but_hidden_labels_stay_hidden(
    viewer: Any, files: Session
) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.layers["Micrographs"].visible = False
    viewer.layers["Micrographs (labels)"].visible = False
    files.selection.replace([2, 3, 4])
    assert [layer.visible for layer in viewer.layers] == [True, True, False]
    gallery.dispose()


def test_what_is_brought_in_ahead_of_the_first_gallery_is_in_nobodys_list(viewer: Any, files: Session) -> None:
    finish(bring_in())
    assert not viewer.layers
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    assert len(viewer.layers) == 3
    gallery.dispose()
    assert not viewer.layers


# ---------------------------------------------------------------------------- giving back


def test_closing_gives_back_camera_layers_selection_and_all(viewer: Any, loaded: Session) -> None:
    before = state_of(viewer)
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    settle()
    assert [layer.name for layer in viewer.layers if layer.visible][:1] == ["mine"], "own layers are left alone"
    loaded.open_micrograph(3)
    settle()
    assert viewer.layers["film 3"].visible
    gallery.back()
    gallery.close()
    settle()
    assert state_of(viewer) == before
    gallery.dispose()


def test_closing_while_a_layer_is_opened_gives_back_as_well(viewer: Any, loaded: Session) -> None:
    before = state_of(viewer)
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    loaded.open_micrograph(2)
    gallery.close()
    settle()
    assert state_of(viewer) == before
    gallery.dispose()


def test_what_the_user_changed_meanwhile_is_not_undone(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    settle()
    viewer.layers["film 0"].contrast_limits = (20, 99)
    viewer.layers["film 0"].name = "good film"
    viewer.layers["mine"].visible = False
    viewer.layers["film 3"].visible = True
    viewer.add_points([[1, 2]], name="later")
    viewer.layers.move(viewer.layers.index("film 2"), 0)
    viewer.layers.selection = {viewer.layers["mine"]}
    gallery.close()
    settle()
    visible = {layer.name: layer.visible for layer in viewer.layers}
    assert visible == {"film 2": True, "good film": True, "film 1": True, "film 3": True, "mine": False, "later": True}
    assert viewer.layers[0].name == "film 2"
    assert tuple(viewer.layers["good film"].contrast_limits) == (20, 99)
    assert {layer.name for layer in viewer.layers.selection} == {"mine"}
    gallery.dispose()


def test_a_source_layer_that_the_user_shows_again_is_not_hidden_by_the_next_selection(
    viewer: Any, loaded: Session
) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    viewer.layers["film 1"].visible = True
    loaded.selection.replace([0, 1])
    assert viewer.layers["film 1"].visible
    assert not viewer.layers["film 0"].visible
    gallery.dispose()


def test_grid_and_three_dimensions_are_left_for_the_gallery_and_given_back(viewer: Any, files: Session) -> None:
    viewer.add_image(np.random.default_rng(0).integers(0, 255, (6, 30, 40)).astype(np.uint8), name="stack")
    viewer.dims.ndisplay = 3
    viewer.canvas.grid.enabled = True
    viewer.scene.camera.angles = (10, 20, 30)
    settle()
    before = state_of(viewer)
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    settle()
    assert viewer.dims.ndisplay == 2
    assert not viewer.canvas.grid.enabled
    shot = viewer.screenshot(flash=False)
    assert shot[..., :3].std() > 20, "something is seen"
    gallery.close()
    settle()
    after = state_of(viewer)
    for one, other in zip(np.ravel(after.pop("camera")[0]), np.ravel(before.pop("camera")[0])):
        assert one == pytest.approx(other)
    assert viewer.scene.camera.angles == pytest.approx((10, 20, 30), abs=1e-6)
    assert after == before
    gallery.dispose()


def test_three_dimensions_switched_on_meanwhile_are_no_trouble(viewer: Any, files: Session) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    viewer.dims.ndisplay = 3
    settle()
    viewer.screenshot(flash=False)
    files.selection.replace([2, 3, 4])
    settle()
    assert viewer.dims.ndisplay == 2
    viewer.dims.ndisplay = 3
    gallery.close()
    assert viewer.dims.ndisplay == 3, "the user's own wish stays"
    gallery.dispose()


def test_rolled_axes_do_not_turn_the_gallery_and_are_given_back(viewer: Any, files: Session) -> None:
    viewer.add_image(np.zeros((6, 30, 40), np.uint8), name="stack")
    viewer.dims.order = (1, 0, 2)
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    assert viewer.dims.order == (0, 1, 2)
    gallery.close()
    assert viewer.dims.order == (1, 0, 2)
    gallery.dispose()


def test_units_of_the_users_layers_are_not_lost(viewer: Any, files: Session, caplog: pytest.LogCaptureFixture) -> None:
    gallery = Gallery(viewer, files)
    for unit in ("um", "pixel"):
        viewer.add_image(picture(9), scale=(0.1, 0.1), units=(unit, unit), name="own")
        files.selection.replace([0, 1, int(unit == "um")])
        files.open_micrograph(1)
        settle()
        assert [str(part) for part in viewer.layers.units] == [{"um": "micrometer"}.get(unit, unit)] * 2
        gallery.close()
        viewer.layers.remove("own")
    files.selection.replace([2])
    viewer.add_image(picture(9), name="own")
    settle()
    assert [str(part) for part in viewer.layers.units] == ["pixel", "pixel"], "a layer that comes later counts too"
    gallery.dispose()


# ---------------------------------------------------------------------------- loaded layers


def test_source_layers_are_hidden_and_up_to_twenty_marked_while_the_gallery_stands(viewer: Any, tmp_path: Path) -> None:
    for seed in range(24):
        viewer.add_image(picture(seed, 16, 20), name=f"film {seed}")
    session = session_of_layers(viewer, tmp_path)
    gallery = Gallery(viewer, session)
    session.selection.replace(np.arange(1, 24))
    settle()
    assert [layer.name for layer in viewer.layers if layer.visible] == [layer.name for layer in gallery.layers]
    marked = [layer for layer in viewer.layers.selection if layer not in gallery.layers]
    assert len(marked) == 20
    assert "film 0" not in {layer.name for layer in marked}
    session.selection.replace([4, 7])
    assert {layer.name for layer in viewer.layers.selection} == {"film 4", "film 7", "Micrographs"}
    gallery.dispose()


def test_opening_a_loaded_layer_shows_that_very_layer_and_nothing_is_copied(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    count = len(viewer.layers)
    loaded.open_micrograph(2)
    settle()
    assert len(viewer.layers) == count
    assert {layer.name for layer in viewer.layers if layer.visible} == {"film 2", "mine"}
    assert viewer.layers.selection.active is viewer.layers["film 2"]
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    QTest.keyClick(native, Qt.Key.Key_Backspace)
    settle()
    assert gallery.mode == "gallery"
    assert not viewer.layers["film 2"].visible
    assert not viewer.layers["film 2"].keymap, "the key is given back as well"
    gallery.dispose()


@pytest.fixture
def stack(viewer: Any, tmp_path: Path) -> Session:
    data = np.stack([picture(seed) for seed in range(7)])
    viewer.add_image(data, name="stack", scale=(2.5, 1, 1))
    return session_of_layers(viewer, tmp_path)


def test_opening_a_slice_sets_the_slider_and_closing_gives_it_back(viewer: Any, stack: Session) -> None:
    viewer.dims.set_current_step(0, 1)
    gallery = Gallery(viewer, stack)
    stack.selection.replace([2, 5])
    stack.open_micrograph(5)
    settle()
    assert viewer.dims.current_step[0] == 5
    assert np.array_equal(viewer.layers["stack"]._slice.image.raw, picture(5))
    gallery.close()
    assert viewer.dims.current_step[0] == 1
    stack.open_micrograph(4)
    viewer.dims.set_current_step(0, 6)
    gallery.close()
    assert viewer.dims.current_step[0] == 6, "a slider that the user moved stays"
    gallery.dispose()


def test_the_slider_and_the_active_layer_ring_their_dot_and_leave_the_selection(viewer: Any, stack: Session) -> None:
    links = LayerLinks(viewer, stack)
    gallery = Gallery(viewer, stack)
    stack.selection.replace([2, 5])
    assert stack.current is None, "marking source layers is no wish of the user"
    stack.open_micrograph(5)
    viewer.dims.set_current_step(0, 3)
    assert stack.current == 3
    assert stack.selection.rows.tolist() == [2, 5]
    gallery.close()
    links.dispose()
    gallery.dispose()


def test_a_click_in_the_layer_list_rings_its_dot_and_never_selects(viewer: Any, loaded: Session) -> None:
    links = LayerLinks(viewer, loaded)
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    settle()
    assert loaded.current is None
    viewer.layers.selection.active = viewer.layers["film 3"]
    assert loaded.current == 3
    viewer.layers.selection.active = viewer.layers["mine"]
    viewer.layers.select_all()
    viewer.layers.selection.clear()
    assert loaded.current == 3
    assert loaded.selection.rows.tolist() == [0, 2]
    assert not loaded.selection.can_redo
    loaded.selection.undo()
    assert not loaded.selection.can_undo, "there was one step and no echo"
    links.dispose()
    gallery.dispose()


def test_closing_does_not_ring_the_layer_that_was_active_before(viewer: Any, loaded: Session) -> None:
    links = LayerLinks(viewer, loaded)  # film 1 is active
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    loaded.current = 2
    gallery.close()
    assert viewer.layers.selection.active is viewer.layers["film 1"]
    assert loaded.current == 2
    links.dispose()
    gallery.dispose()


def test_an_edited_source_layer_is_marked_as_changed(viewer: Any, loaded: Session) -> None:
    links = LayerLinks(viewer, loaded)
    gallery = Gallery(viewer, loaded)
    told: list[frozenset[str]] = []
    loaded.stale_changed.connect(told.append)
    loaded.selection.replace([0, 2])
    viewer.layers["film 2"].data = viewer.layers["film 2"].data.copy()
    assert not told, "the same pixels again are no change"
    viewer.layers["film 2"].data = 255 - viewer.layers["film 2"].data
    assert told == [frozenset({str(loaded.atlas.ids[2])})]
    labels = viewer.layers["Micrographs (labels)"].text.values.tolist()[:2]
    assert [("changed since" in text) for text in labels] == [False, True]
    links.dispose()
    gallery.dispose()


def test_pixels_painted_in_place_are_noticed_when_the_tile_is_read(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    viewer.layers["film 2"].data[:20] = 0
    loaded.selection.replace([0, 2])
    assert loaded.stale == {str(loaded.atlas.ids[2])}
    gallery.dispose()


def test_a_removed_source_layer_is_told_on_its_tile_and_opening_it_says_why_not(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    viewer.layers.remove("film 2")
    settle()
    labels = viewer.layers["Micrographs (labels)"].text.values.tolist()[:2]
    assert [("layer is gone" in text) for text in labels] == [False, True]
    loaded.selection.replace([0, 1, 2])
    settle()
    assert gallery.mode == "gallery"
    gallery.close()
    gallery.dispose()


def test_removing_the_opened_source_layer_goes_back(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    loaded.open_micrograph(2)
    viewer.layers.remove("film 2")
    settle()
    assert gallery.mode == "gallery"
    gallery.close()
    gallery.dispose()


def test_the_gallerys_own_layers_are_no_micrographs(viewer: Any, loaded: Session) -> None:
    gallery = Gallery(viewer, loaded)
    loaded.selection.replace([0, 2])
    again = finish(Layers(tuple(viewer.layers))())
    assert again.columns["file"].tolist() == [f"film {i}" for i in range(4)]
    gallery.dispose()


# ---------------------------------------------------------------------------- docks, windows, threads


class Waiting:
    """Keeps work until it is told to do a step, as a thread would that is slow."""

    def __init__(self) -> None:
        self.jobs: deque[tuple[Any, Any, Any]] = deque()

    def __call__(self, start: Any, *, lane: str, done: Any, progress: Any = None) -> None:
        if lane == "gallery":
            self.jobs.clear()
        self.jobs.append((start(), done, progress))

    def cancel(self, lane: str) -> None:
        self.jobs.clear()

    def finish(self) -> None:
        while self.jobs:
            work, done, progress = self.jobs.popleft()
            done(finish(work, progress))


def test_a_new_dock_on_the_same_session_takes_over(viewer: Any, files: Session) -> None:
    first = Gallery(viewer, files)
    files.selection.replace([0, 1])
    first.dispose()
    assert not viewer.layers
    second = Gallery(viewer, files)
    files.selection.replace([2, 3])
    assert (first.mode, second.mode, len(viewer.layers)) == ("closed", "gallery", 3)
    second.dispose()


def test_a_selection_that_is_cleared_while_its_page_is_read_leaves_nothing(
    viewer: Any, tmp_path: Path, files: Session
) -> None:
    files.run = waiting = Waiting()
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    files.selection.clear()
    waiting.finish()
    assert (gallery.mode, len(viewer.layers)) == ("closed", 0)
    gallery.dispose()


def test_other_micrographs_close_the_gallery(viewer: Any, files: Session, tmp_path: Path) -> None:
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    files.open_micrograph(1)
    files.open(Folder(tmp_path / "pictures"))
    assert (gallery.mode, len(viewer.layers)) == ("closed", 0)
    gallery.dispose()
