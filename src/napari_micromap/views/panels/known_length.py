"""How long a drawn line is, asked."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDialog, QRadioButton, QVBoxLayout, QWidget

from napari_micromap.views.controls import GAP, Paragraph, push, side_by_side
from napari_micromap.views.lengths import LengthEdit


class KnownLengthWindow(QDialog):
    """Says what to draw, and asks what length it is and for which images that holds.

    Parameters
    ----------
    name : str
        Of the micrograph.
    alike : int
        How many images are of its kind.
    """

    told = Signal(float, str, bool)  # length, unit, for all of its kind

    def __init__(self, name: str, alike: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Set scale")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.heading = Paragraph()
        self.length = LengthEdit()
        self.one = QRadioButton("For this image")
        self.kind = QRadioButton(f"For all {alike:,} of its kind")
        self.kind.setToolTip("Images of the same size, microscope and data bar, at the same magnification where known")
        self.one.setChecked(True)
        self.kind.setVisible(alike > 1)
        self.one.setVisible(alike > 1)
        self.set = push("Set scale", self._on_set, main=True)
        self._name, self._pixels = name, 0.0
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP + 2)
        layout.addWidget(self.heading)
        layout.addLayout(side_by_side(self.length, 1))
        layout.addWidget(self.one)
        layout.addWidget(self.kind)
        layout.addLayout(side_by_side(1, self.set, push("Cancel", self.close)))
        self.length.value.textChanged.connect(lambda _: self._show())
        self.setMinimumWidth(300)
        self.show_pixels(0.0)

    def show_pixels(self, pixels: float) -> None:
        """Show how long the line is."""
        self._pixels = pixels
        self._show()

    def _show(self) -> None:
        drawn = self._pixels >= 2
        self.heading.setText(
            f"The line is {self._pixels:.1f} pixels long. What length is that?"
            if drawn
            else f"Drag a line along the scale bar of “{self._name}”, or along anything whose length you know."
        )
        self.length.setEnabled(drawn)
        self.set.setEnabled(drawn and self.length.length is not None)

    def _on_set(self) -> None:
        length = self.length.length
        if length is not None and self._pixels >= 2:
            self.told.emit(length, self.length.unit.currentText(), self.kind.isChecked())


def window_for(name: str, alike: int, parent: QWidget) -> KnownLengthWindow:
    """Open the window beside what it belongs to; the picture stays free to be drawn on."""
    window = KnownLengthWindow(name, alike, parent)
    window.setWindowFlag(Qt.WindowType.Tool)
    window.show()
    at = parent.mapToGlobal(parent.rect().topLeft())
    window.move(max(0, at.x() - window.width() - 2 * GAP), max(0, at.y() + 4 * GAP))
    return window
