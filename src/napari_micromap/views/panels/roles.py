"""What each column is about: guessed, shown, and changed here."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDialog, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Role
from napari_micromap.session import Session
from napari_micromap.views.controls import Paragraph, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import examples, sample_noun

_MEANING: dict[str, str] = {
    "sample": "which specimen an image shows; only one column",
    "property": "what was measured",
    "processing": "how it was made; it may act through the structure, so it is never adjusted for",
    "imaging": "how the image was taken; adjusted for",
    "batch": "what was made or measured together; adjusted for",
    "other": "nothing of these",
}


class RolesWindow(QDialog):
    """A table of columns, each with its role."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("What the columns are about")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session = session
        self.boxes: dict[str, QComboBox] = {}
        self.table = QTableWidget(0, 4)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        layout = QVBoxLayout(self)
        layout.addWidget(Paragraph("Guessed from names and values. Only imaging and batch are ever adjusted for."))
        layout.addWidget(self.table, 1)
        layout.addLayout(side_by_side(1, push("Close", self.close)))
        listen(self, session.atlas_changed, lambda _: self._on_atlas())
        self._on_atlas()
        self.resize(640, 460)

    def _on_atlas(self) -> None:
        atlas = self._session.atlas
        told = [str(name) for name in atlas.columns if name not in OWN_COLUMNS or name == "folder"]
        if list(self.boxes) != told:
            self._fill(atlas, told)
        for line, name in enumerate(told):
            self.boxes[name].setCurrentText(atlas.roles.get(name, "other"))
            self.table.setItem(line, 2, _cell(varies_words(atlas, name)))

    def _fill(self, atlas: Atlas, told: list[str]) -> None:
        noun = sample_noun(atlas)
        self.boxes = {}
        self.table.setRowCount(len(told))
        self.table.setHorizontalHeaderLabels(["Column", "Role", f"Within {noun}s", "Values"])
        for line, name in enumerate(told):
            box = QComboBox()
            for k, role in enumerate(get_args(Role)):
                box.addItem(role)
                box.setItemData(k, _MEANING[role], Qt.ItemDataRole.ToolTipRole)
            box.textActivated.connect(lambda role, name=name: self._session.set_role(name, role))
            self.boxes[name] = box
            self.table.setItem(line, 0, _cell(name))
            self.table.setCellWidget(line, 1, box)
            self.table.setItem(line, 3, _cell(examples(atlas.columns[name])))
        self.table.resizeColumnsToContents()
        self.table.setColumnWidth(0, min(200, self.table.columnWidth(0) + 8))
        self.table.setColumnWidth(1, 120)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)


def varies_words(atlas: Atlas, name: str) -> str:
    """Say whether a column has one value a sample, or one an image."""
    if atlas.samples is None or atlas.sample_column == name:
        return ""
    return "varies: per image" if varies_within_samples(atlas, name) else "one value"


def varies_within_samples(atlas: Atlas, name: str) -> bool:
    """Say whether images of the same sample differ in a column."""
    samples = atlas.samples
    if samples is None:
        return True
    values = atlas.columns[name]
    known = (samples.notna() & values.notna()).to_numpy(bool)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        of_sample = values[known].astype(float).groupby(samples[known].astype(str))
        spread = float((of_sample.max() - of_sample.min()).max()) if known.any() else 0.0
        return spread > 1e-9 * max(1.0, float(np.abs(values[known].astype(float)).max() if known.any() else 1.0))
    return bool((values[known].astype(str).groupby(samples[known].astype(str)).nunique() > 1).any())


def _cell(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(text)
    return item
