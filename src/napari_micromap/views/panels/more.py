"""Preset, feature extractor, layout and recipe, for those who want to choose."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.choices import Choices
from napari_micromap.layouts import LAYOUTS, Layout
from napari_micromap.presets import PRESETS, preset_of
from napari_micromap.recipe import Recipe
from napari_micromap.views.controls import GAP
from napari_micromap.views.form import Form, form, summary
from napari_micromap.views.preferences import preferred_backbone
from napari_micromap.views.scale_and_windows import STEPS, ScaleAndWindows


class MorePanel(QWidget):
    """Forms for what *Make map* uses; made when they are first shown, the defaults until then."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(GAP, 0, 0, 0)
        self._layout.setSpacing(GAP)
        self._extractor: Chooser | None = None
        self._map: Chooser | None = None
        self._pictures: Form[Recipe] | None = None
        self._preset: QComboBox | None = None
        self._layout_was_chosen = False
        self.fields = ScaleAndWindows()
        self.fields.changed.connect(self._on_change)
        self._layout.addWidget(self.fields)

    @property
    def backbone(self) -> Backbone:
        """The feature extractor."""
        made: Backbone = preferred_backbone() if self._extractor is None else self._extractor()
        return made

    @property
    def layout_chosen(self) -> Layout | None:
        """The layout, or None where nobody chose one: then it follows the number of micrographs."""
        return self._map() if self._map is not None and self._layout_was_chosen else None

    @property
    def recipe(self) -> Recipe:
        """What happens to each picture."""
        return self.fields.asked_of(Recipe() if self._pictures is None else self._pictures())

    def showEvent(self, event: QShowEvent) -> None:
        """Make the forms when they are first seen."""
        if self._extractor is None:
            self._build()
        super().showEvent(event)

    def _build(self) -> None:
        self._preset = _narrow_box()
        for name, preset in PRESETS.items():
            self._preset.addItem(preset.title, name)
            self._preset.setItemData(self._preset.count() - 1, preset.about, Qt.ItemDataRole.ToolTipRole)
        self._preset.addItem("As chosen below", "")
        self._extractor = Chooser("Feature extractor", "The network that looks at the images", BACKBONES)
        self._extractor.choose(BACKBONES.name_of(preferred_backbone()))
        self._map = Chooser("Layout", "How similar images are brought together on the map", LAYOUTS)
        titles = [_strong("Preset", "Feature extractor and pictures, chosen together"), _strong("Pictures", "")]
        for widget in (titles[0], self._preset, self._extractor, self._map, titles[1]):
            self._layout.addWidget(widget)
        self._show_pictures(Recipe())
        self._show_preset()
        self._preset.activated.connect(self._on_preset)
        self._extractor.changed.connect(self._on_change)
        self._map.changed.connect(self._on_map)

    def _show_pictures(self, recipe: Recipe) -> None:
        if self._pictures is not None:
            self._layout.removeWidget(self._pictures)
            self._pictures.hide()
            self._pictures.deleteLater()
        self._pictures = form(Recipe, recipe, without=STEPS)
        self._pictures.changed.connect(self._on_change)
        self._layout.addWidget(self._pictures)

    def _show_preset(self) -> None:
        assert self._preset is not None
        name = preset_of(self.backbone, self.recipe) or ""
        self._preset.setCurrentIndex(self._preset.findData(name))
        self._preset.setToolTip(PRESETS[name].about if name else "What stands below is no preset")

    def _on_preset(self) -> None:
        assert self._preset is not None and self._extractor is not None
        name = self._preset.currentData()
        if name:
            self.fields.show_recipe(PRESETS[name].recipe)
            self._show_pictures(PRESETS[name].recipe)
            self._extractor.choose(PRESETS[name].backbone_name)
        self._on_change()

    def _on_change(self) -> None:
        if self._preset is not None:
            self._show_preset()
        self.changed.emit()

    def _on_map(self) -> None:
        self._layout_was_chosen = True
        self.changed.emit()


class Chooser(QWidget):
    """A table of algorithms as a combo box, with the form of the chosen one below."""

    changed = Signal()

    def __init__(self, title: str, tip: str, choices: Choices[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._form: Form[Any] | None = None
        self.box = _narrow_box()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(_strong(title, tip))
        self._layout.addWidget(self.box)
        for name, algorithm in choices.items():
            self.box.addItem(str(algorithm.title), name)
        self._show_form()
        self.box.currentIndexChanged.connect(self._on_choice)

    def __call__(self) -> Any:
        """Make the chosen algorithm."""
        assert self._form is not None
        return self._form()

    def choose(self, name: str) -> None:
        """Choose one by its name, with nothing changed in its form."""
        row = self.box.findData(name)
        if row == self.box.currentIndex():
            self._show_form()
        self.box.setCurrentIndex(row)

    def _on_choice(self) -> None:
        self._show_form()
        self.changed.emit()

    def _show_form(self) -> None:
        if self._form is not None:
            self._layout.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        algorithm = self._choices[self.box.currentData()]
        self.box.setToolTip(summary(algorithm))
        self._form = form(algorithm)
        self._form.changed.connect(self.changed)
        self._form.setVisible(len(self._form) > 0)
        self._layout.addWidget(self._form)


def _strong(text: str, tip: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("strong", True)
    label.setToolTip(tip)
    return label


def _narrow_box() -> QComboBox:
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
