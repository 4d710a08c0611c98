"""Feature extractor, layout and recipe, for those who want to choose."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.choices import Choices
from napari_micromap.layouts import LAYOUTS, Layout
from napari_micromap.recipe import Recipe
from napari_micromap.views.controls import GAP
from napari_micromap.views.form import Form, form, summary
from napari_micromap.views.preferences import preferred_backbone


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
        self._layout_was_chosen = False

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
        return Recipe() if self._pictures is None else self._pictures()

    def showEvent(self, event: QShowEvent) -> None:
        """Make the forms when they are first seen."""
        if self._extractor is None:
            self._build()
        super().showEvent(event)

    def _build(self) -> None:
        self._extractor = Chooser("Feature extractor", "The network that looks at the images", BACKBONES)
        self._extractor.box.setCurrentIndex(self._extractor.box.findData(BACKBONES.name_of(preferred_backbone())))
        self._map = Chooser("Layout", "How similar images are brought together on the map", LAYOUTS)
        self._pictures = form(Recipe)
        title = QLabel("Pictures")
        title.setProperty("strong", True)
        for widget in (self._extractor, self._map, title, self._pictures):
            self._layout.addWidget(widget)
        self._extractor.changed.connect(self.changed)
        self._map.changed.connect(self._on_map)
        self._pictures.changed.connect(self.changed)

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
        label = QLabel(title)
        label.setProperty("strong", True)
        label.setToolTip(tip)
        self.box = QComboBox()
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(label)
        self._layout.addWidget(self.box)
        for name, algorithm in choices.items():
            self.box.addItem(str(algorithm.title), name)
        self._show_form()
        self.box.currentIndexChanged.connect(self._on_choice)

    def __call__(self) -> Any:
        """Make the chosen algorithm."""
        assert self._form is not None
        return self._form()

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
