"""The panel *More*: presets, feature extractor and pictures in one choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.backbones.own import OwnCheckpoint
from napari_micromap.presets import PRESETS
from napari_micromap.recipe import Recipe
from napari_micromap.views.panels.more import MorePanel


@pytest.fixture
def panel(qtbot: Any) -> Any:
    panel = MorePanel()
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    return panel


def chosen_by_key(qtbot: Any, box: Any, name: str) -> None:
    """Choose as a user does who has no mouse."""
    up = box.findText(name) < box.currentIndex()
    while box.currentText() != name:
        qtbot.keyClick(box, Qt.Key.Key_Up if up else Qt.Key.Key_Down)


def test_it_begins_with_the_preset_that_is_used_anyway(panel: Any) -> None:
    assert panel._preset.currentText() == "MicroMap"
    assert (panel.backbone, panel.recipe) == (EfficientNetLite0(), Recipe())


def test_a_preset_sets_network_and_pictures(panel: Any, qtbot: Any) -> None:
    with qtbot.waitSignal(panel.changed):
        chosen_by_key(qtbot, panel._preset, "Paper")
    assert panel.backbone == PRESETS["paper"].backbone()
    assert panel.recipe == PRESETS["paper"].recipe
    assert panel._pictures.fields["depths"].value == "last"
    chosen_by_key(qtbot, panel._preset, "MicroMap")
    assert (panel.backbone, panel.recipe) == (EfficientNetLite0(), Recipe())


def test_what_is_changed_below_is_no_preset_until_it_is_one_again(panel: Any) -> None:
    panel._pictures.fields["even_light"].value = 0.5
    assert panel._preset.currentText() == "As chosen below"
    assert panel.recipe == Recipe(even_light=0.5)
    panel._pictures.fields["even_light"].value = 0
    assert panel._preset.currentText() == "MicroMap"


def test_a_file_of_ones_own_weights_is_chosen_in_the_form(panel: Any, tmp_path: Path) -> None:
    panel._extractor.choose("own")
    assert panel.backbone == OwnCheckpoint()
    panel._extractor._form.fields["architecture"].value = "resnet18"
    panel._extractor._form.fields["weights_file"].value = tmp_path / "mine.pth"
    assert panel.backbone == OwnCheckpoint("resnet18", tmp_path / "mine.pth")
    assert panel._preset.currentText() == "As chosen below"
    panel._extractor.choose("own")
    assert panel.backbone == OwnCheckpoint(), "chosen anew, nothing is changed in its form"
