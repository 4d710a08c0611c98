"""Scale and windows in the window: what is asked, and outlines on the large image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from qtpy.QtWidgets import QWidget

from napari_micromap.montage.outlining import outlines_of
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.windows import Cut
from napari_micromap.views.panels.check import CheckPanel
from napari_micromap.views.panels.more import MorePanel


def pictures(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, size in (("fine", 0.02), ("coarse", 0.1)):
        pixels = rng.integers(0, 255, (256, 384)).astype(np.uint8)
        tifffile.imwrite(
            folder / f"{name}.tif", pixels, imagej=True, resolution=(1 / size,) * 2, metadata={"unit": "um"}
        )
    return folder


def test_the_warning_of_pixel_sizes_offers_the_same_scale_for_all(qtbot: Any, tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "kept")
    more = MorePanel()
    check = CheckPanel(session, more)
    qtbot.addWidget(check)
    check.same_scale_wanted.connect(more.fields.use_same_scale)
    check.own_scales_wanted.connect(more.fields.use_own_scales)
    more.changed.connect(lambda: check.show_one_scale(more.fields.same_scale))
    session.open(Folder(pictures(tmp_path)))
    more.fields.show_atlas(session.atlas, None)
    check.show()
    assert check.mixed.isVisible() and more.recipe == Recipe()
    check.same_scale.click()
    assert "All are brought to one scale" in check.warning.text() and not check.same_scale.isVisible()
    assert more.recipe == Recipe(scale="coarsest")
    assert "0.1 µm per px" in more.fields.said.text()
    check.own_scales.click()
    assert check.same_scale.isVisible() and more.recipe == Recipe()
    session.workshop.close()


def test_windows_are_asked_for_by_their_width(qtbot: Any, tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "kept")
    session.open(Folder(pictures(tmp_path)))
    more = MorePanel()
    qtbot.addWidget(more)
    fields = more.fields
    fields.show_atlas(session.atlas, None)
    fields.windows.setCurrentIndex(fields.windows.findData("pooled"))
    assert fields.cut is None and more.recipe.windows == "pooled" and more.recipe.window_um > 0
    fields.windows.setCurrentIndex(fields.windows.findData("each"))
    fields.unit.setCurrentIndex(fields.unit.findData("px"))
    fields.wide.setValue(64)
    fields.overlap.setValue(50)
    assert fields.cut == Cut(window_px=64, overlap=0.5) and more.recipe == Recipe()
    session.windows.cut(Cut(window_um=3.0))
    fields.show_atlas(session.atlas, session.windows.cut_by)  # a map of windows says how they were cut
    assert fields.cut == Cut(window_um=3.0)
    session.workshop.close()


def test_few_windows_are_outlined_each_and_many_together() -> None:
    grid = np.array([(10 * i, 10 * j, 10, 10) for i in range(100) for j in range(100)])
    assert len(outlines_of(grid[:3])) == 12
    lines = outlines_of(grid)
    assert len(lines) == 4 and np.abs(lines[:, 1]).sum() == 4000
    hole = np.delete(grid, 5050, axis=0)
    assert len(outlines_of(hole)) == 8
    # whatever is covered, each line parts it from what is not
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.integers(0, 40, (80, 2)), rng.integers(1, 12, (80, 2))], axis=1)
    covered = np.zeros((60, 60), bool)
    for top, left, height, width in boxes.tolist():
        covered[top : top + height, left : left + width] = True
    edges = np.count_nonzero(np.diff(np.pad(covered, 1), axis=0)) + np.count_nonzero(
        np.diff(np.pad(covered, 1), axis=1)
    )
    assert np.abs(outlines_of(boxes)[:, 1]).sum() == edges


def test_an_opened_window_shows_its_image_and_what_is_selected_in_it(
    shared_window: Any, qtbot: Any, tmp_path: Path
) -> None:
    from napari_micromap.views.gallery import Gallery
    from napari_micromap.views.window_outlines import WindowOutlines

    session = Session(cache=tmp_path / "kept")
    session.open(Folder(pictures(tmp_path)))
    session.windows.cut(Cut(window_px=128, drop_blank=False))
    viewer, owner = shared_window, QWidget()
    qtbot.addWidget(owner)
    gallery = Gallery(viewer, session)
    outlines = WindowOutlines(owner, viewer, session)
    gallery.changed.connect(lambda: outlines.lie_over(gallery.opened_layer, session.current))
    try:
        session.open_micrograph(4)
        layer = gallery.opened_layer
        assert layer is not None and layer.data.shape == (256, 384)
        assert outlines.layer is not None and len(outlines.layer.data) == 4
        session.selection.replace([0, 1, 2])
        assert gallery.mode == "opened" and len(outlines.layer.data) == 16
        first = outlines.layer.data[0, 0] + outlines.layer.translate
        np.testing.assert_allclose(first, layer.data_to_world((-0.5, -0.5)))
        gallery.back()
        assert gallery.mode == "gallery" and gallery.counts == "3"
        assert outlines.layer is None and not any(one.name == "Selected windows" for one in viewer.layers)
    finally:
        gallery.dispose()
        session.workshop.close()
    assert not len(viewer.layers)
