"""Windows that ask for a path or for consent; they never hold up the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from napari_micromap.backbones import Download
from napari_micromap.views.dropped import TABLES


def ask_folder(parent: QWidget, title: str, start: Path | None, then: Callable[[Path], object]) -> QFileDialog:
    """Ask for a folder."""
    dialog = _dialog(parent, title, start, then)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
    dialog.open()
    return dialog


def ask_file(
    parent: QWidget, title: str, start: Path | None, what: str, endings: Iterable[str], then: Callable[[Path], object]
) -> QFileDialog:
    """Ask for a file that is there."""
    dialog = _dialog(parent, title, start, then)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([f"{what} ({' '.join(f'*{ending}' for ending in endings)})", "All files (*)"])
    dialog.open()
    return dialog


def ask_table(parent: QWidget, start: Path | None, then: Callable[[Path], object]) -> QFileDialog:
    """Ask for a table of measured values."""
    return ask_file(parent, "Add a table", start, "Tables", TABLES, then)


def ask_where_to_save(parent: QWidget, suggested: Path, then: Callable[[Path], object]) -> QFileDialog:
    """Ask for the name of a session folder."""
    dialog = _dialog(parent, "Save the map as a folder", suggested.parent, then)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setDefaultSuffix("micromap")
    dialog.setNameFilters(["Saved maps (*.micromap)"])
    dialog.selectFile(suggested.name)
    dialog.open()
    return dialog


def ask_consent(
    parent: QWidget, title: str, download: Download, offline: str, then: Callable[[], object]
) -> QMessageBox:
    """Ask whether weights may be downloaded; says how much, from where and to where."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Download?")
    box.setText(f"{title} needs its weights once ({download.size}), from {urlsplit(download.url).hostname}.")
    box.setInformativeText(
        f"They will lie in {download.path.parent}. No image leaves this computer.\n\n"
        f"{offline} works without a download."
    )
    how_much = f" {download.size}" * bool(download.megabytes)
    agree = box.addButton(f"Download{how_much}", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(agree)
    agree.clicked.connect(lambda: then())
    box.open()
    return box


def ask_words(
    parent: QWidget, title: str, question: str, before: str, then: Callable[[str], object], may_be_empty: bool = False
) -> QInputDialog:
    """Ask for a few words."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setInputMode(QInputDialog.InputMode.TextInput)
    dialog.setWindowTitle(title)
    dialog.setLabelText(question)
    dialog.setTextValue(before)
    dialog.textValueSelected.connect(lambda words: then(words) if words.strip() or may_be_empty else None)
    dialog.open()
    return dialog


def ask_where_to_write(
    parent: QWidget, title: str, suggested: Path, then: Callable[[Path], object], what: str = "Tables"
) -> QFileDialog:
    """Ask for the name of a file that ends as the suggested one does."""
    dialog = _dialog(parent, title, suggested.parent, then)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setDefaultSuffix(suggested.suffix.lstrip("."))
    dialog.setNameFilters([f"{what} (*{suggested.suffix})"])
    dialog.selectFile(suggested.name)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, title: str, start: Path | None, then: Callable[[Path], object]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if start is not None:
        dialog.setDirectory(str(start))
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    return dialog
