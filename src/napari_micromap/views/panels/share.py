"""Windows that hand a map to others: as a figure, a page, a zip, a table, words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from qtpy.QtGui import QGuiApplication, QImage
from qtpy.QtWidgets import QCheckBox, QComboBox, QDialog, QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.sharing import (
    Page,
    Snapshot,
    methods_of,
    page_of,
    save_bundle,
    save_csv,
    save_figure_of,
    script_of,
)
from napari_micromap.sharing.pictures import What
from napari_micromap.views import asking
from napari_micromap.views.controls import GAP, Paragraph, field_name, push, side_by_side
from napari_micromap.views.whereto import outside
from napari_micromap.wording import name_of
from napari_micromap.work import Progress, Work

T = TypeVar("T")
_COPIED_DPI = 300
_WIDTHS = (("85 mm, one column", 85.0), ("170 mm, two columns", 170.0))


class _Handing(QDialog):
    """A window whose buttons write or copy; what came of it stands below them."""

    def __init__(self, session: Session, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._session = session
        self.told = Paragraph(muted=True)

    def _run(self, make: Callable[[Snapshot], Work[T]], done: Callable[[T], None]) -> None:
        """Do work on what the session is now; problems of the moment are told here, later ones in the dock."""
        try:
            shared = Snapshot.of(self._session)
        except Problem as problem:
            self.told.setText(str(problem))
            return
        self.told.setText("…")

        def finished(result: T) -> None:
            self._session.progressed.emit(None)
            done(result)

        self._session.run(lambda: make(shared), lane="build", done=finished, progress=self._session.progressed.emit)

    def _write(self, title: str, ending: str, what: str, make: Callable[[Snapshot, Path], Work[object]]) -> None:
        def write(path: Path) -> None:
            self._run(lambda shared: make(shared, path), lambda _: self.told.setText(f"Written to {path}."))

        asking.ask_where_to_write(self, title, self._suggested(ending), write, what)

    def _suggested(self, ending: str) -> Path:
        return outside(self._session) / f"{name_of(self._session.atlas) or 'map'}{ending}"


class FigureWindow(_Handing):
    """Chooses what stands on a figure, then saves or copies it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, "Figure", parent)
        self.what, self.width_mm, self.format = QComboBox(), QComboBox(), QComboBox()
        self.what.addItem("The map", "map")
        self.what.addItem("The selected images", "gallery")
        for label, width in _WIDTHS:
            self.width_mm.addItem(label, width)
        self.format.addItems(["PNG", "SVG", "PDF"])
        self.pictures = QCheckBox("Typical images around the map")
        self.what.currentIndexChanged.connect(lambda _: self._on_what())
        if len(session.selection):
            self.what.setCurrentIndex(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        layout.addLayout(side_by_side(field_name("Show", "What stands on the figure"), self.what, 1))
        layout.addLayout(side_by_side(field_name("Width", "On paper"), self.width_mm, 1))
        layout.addLayout(side_by_side(field_name("File", "Text stays text in SVG and PDF"), self.format, 1))
        layout.addWidget(self.pictures)
        layout.addWidget(self.told)
        copy = push("Copy", self.copy, f"Put it on the clipboard, {_COPIED_DPI} dots an inch")
        layout.addLayout(side_by_side(1, copy, push("Save…", self.save, "Choose a file", main=True)))
        self._on_what()
        self.resize(380, 200)

    def save(self) -> None:
        """Ask where, and save."""
        what, width, pictures = self._choices()
        self._write(
            "Save the figure", f".{self.format.currentText().lower()}", f"{self.format.currentText()} figures",
            lambda shared, path: save_figure_of(shared, path, what, width, pictures),
        )  # fmt: skip

    def copy(self) -> None:
        """Put the figure on the clipboard."""
        what, width, pictures = self._choices()

        def make(shared: Snapshot) -> Work[bytes]:
            with tempfile.TemporaryDirectory() as folder:
                path = yield from save_figure_of(
                    shared, Path(folder) / "figure.png", what, width, pictures, _COPIED_DPI
                )
                return path.read_bytes()

        def done(png: bytes) -> None:
            QGuiApplication.clipboard().setImage(QImage.fromData(png))
            self.told.setText("On the clipboard.")

        self._run(make, done)

    def _choices(self) -> tuple[What, float, bool]:
        return self.what.currentData(), float(self.width_mm.currentData()), self.pictures.isChecked()

    def _on_what(self) -> None:
        self.pictures.setEnabled(self.what.currentData() == "map")
        self.width_mm.setCurrentIndex(int(self.what.currentData() == "gallery"))


class ShareWindow(_Handing):
    """Offers the ways in which others can look at a map."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, "Share", parent)
        self.comma = QCheckBox("Decimal comma")
        self.methods = QPlainTextEdit()
        self.methods.setReadOnly(True)
        self.methods.setMinimumHeight(110)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        self._add("Page…", self.save_page, "One file for any browser, offline: the map, with images under the pointer.")
        self._add("Zip…", self.save_zip, "Images, table and this map; opens on another computer.")
        self._add("Table…", self.save_table, "CSV for Origin or a spreadsheet: places on the map, values, tags.")
        layout.addWidget(self.comma)
        self._add("Copy as script", self.copy_script, "The lines of Python that make this map again.")
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        layout.addWidget(line)
        self._add("Copy", self.copy_methods, "For the methods section:")
        layout.addWidget(self.methods, 1)
        layout.addWidget(self.told)
        layout.addLayout(side_by_side(1, push("Close", self.close)))
        self._show_methods()
        self.resize(460, 420)

    def _add(self, name: str, act: Callable[[], None], words: str) -> None:
        button = push(name, act, words)
        button.setMinimumWidth(120)
        row = side_by_side(button)
        row.addWidget(Paragraph(words), 1)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addLayout(row)

    def _show_methods(self) -> None:
        try:
            self.methods.setPlainText(methods_of(Snapshot.of(self._session)))
        except Problem as problem:
            self.methods.setPlainText(str(problem))

    def save_page(self) -> None:
        """Make the page, say what it contains, ask where, and write it."""

        def made(page: Page) -> None:
            self.told.setText(page.sentence)
            title = f"Save the page: {page.images:,} images, {page.megabytes:.1f} MB"
            asking.ask_where_to_write(self, title, self._suggested(".html"), write_it(page), "Pages")

        def write_it(page: Page) -> Callable[[Path], None]:
            def write(path: Path) -> None:
                try:
                    self.told.setText(f"{page.sentence} Written to {page.write(path)}.")
                except Problem as problem:
                    self.told.setText(str(problem))

            return write

        self._run(page_of, made)

    def save_zip(self) -> None:
        """Ask where, and write the zip."""
        self._write("Save everything as a zip", ".zip", "Zip files", save_bundle)

    def save_table(self) -> None:
        """Ask where, and write the table."""
        comma = self.comma.isChecked()

        def make(shared: Snapshot, path: Path) -> Work[Path]:
            yield Progress("Writing", note=path.name)
            return save_csv(shared, path, comma)

        self._write("Save a table", ".csv", "Tables", make)

    def copy_script(self) -> None:
        """Put the script on the clipboard."""
        try:
            QGuiApplication.clipboard().setText(script_of(self._session))
            self.told.setText("The script is on the clipboard.")
        except Problem as problem:
            self.told.setText(str(problem))

    def copy_methods(self) -> None:
        """Put the paragraph on the clipboard."""
        QGuiApplication.clipboard().setText(self.methods.toPlainText())
        self.told.setText("The paragraph is on the clipboard.")
