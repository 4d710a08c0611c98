"""A length with its unit, typed."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QWidget

from napari_micromap.labels import number
from napari_micromap.scaling import UNITS
from napari_micromap.views.controls import side_by_side


class LengthEdit(QWidget):
    """A field for a number and one for nm, µm or mm; speaks when both are said."""

    entered = Signal(float, str)  # the number, and its unit

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.value = QLineEdit()
        self.value.setPlaceholderText("length")
        self.value.setFixedWidth(self.value.fontMetrics().horizontalAdvance("000000.0") + 14)
        allowed = QDoubleValidator(0.0, 1e9, 6, self.value)
        allowed.setNotation(QDoubleValidator.Notation.StandardNotation)
        self.value.setValidator(allowed)
        self.unit = QComboBox()
        self.unit.addItems(UNITS)
        self.unit.setCurrentText("µm")
        self.unit.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setLayout(side_by_side(self.value, self.unit))
        self.setFocusProxy(self.value)
        self._said: tuple[float, str] | None = None
        self.value.editingFinished.connect(self._on_edited)
        self.unit.activated.connect(lambda _: self._on_edited())

    @property
    def length(self) -> float | None:
        """The number that stands there, None where there is none."""
        try:
            found = float(self.value.text().replace(",", "."))
        except ValueError:
            return None
        return found if found > 0 else None

    def show_um(self, um: float) -> None:
        """Show a length that is known, in the unit that suits it."""
        unit, factor = ("nm", 1e3) if um < 0.999 else ("µm", 1.0) if um < 999 else ("mm", 1e-3)
        self.value.setText(number(um * factor))
        self.unit.setCurrentText(unit)
        self._said = self._now()

    def _now(self) -> tuple[float, str] | None:
        length = self.length
        return None if length is None else (length, self.unit.currentText())

    def _on_edited(self) -> None:
        now = self._now()
        if now is not None and now != self._said:
            self._said = now
            self.entered.emit(*now)
