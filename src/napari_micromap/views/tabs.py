"""Pages under a bar of tabs, as high as the one that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy, QTabBar, QVBoxLayout, QWidget

from napari_micromap.views.controls import GAP


class Tabs(QWidget):
    """A bar, and below it one of several widgets; the others take no room.

    Parameters
    ----------
    pages : title, widget and tooltip of each
    """

    def __init__(self, pages: Sequence[tuple[str, QWidget, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(False)
        self._pages = [page for _, page, _ in pages]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.bar)
        for title, page, tip in pages:
            self.bar.setTabToolTip(self.bar.addTab(title), tip)
            layout.addWidget(page)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.bar.currentChanged.connect(self.show_page)
        self.show_page(0)

    def show_page(self, index: int) -> None:
        """Show one page."""
        for number, page in enumerate(self._pages):
            page.setVisible(number == index)
        if self.bar.currentIndex() != index:
            self.bar.setCurrentIndex(index)

    def minimumSizeHint(self) -> QSize:
        """Never ask for more width than a narrow dock has."""
        return QSize(240, super().minimumSizeHint().height())


def page_of(*widgets: QWidget) -> QWidget:
    """Put widgets below one another on a page."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return page
