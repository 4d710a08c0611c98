"""The report about a tested property, written beside other work."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.report import subject_of, writing
from napari_micromap.session import Session
from napari_micromap.views.asking import ask_where_to_write
from napari_micromap.views.controls import Line, flat, link, push, side_by_side
from napari_micromap.views.whereto import outside
from napari_micromap.work import Progress


class ReportPanel(QWidget):
    """A button that asks where to, then how far it is, then a link that opens it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._property = ""
        self._written: Path | None = None
        tip = "Write verdict, map, plots, tables and images to one file, to be read and printed anywhere"
        self.begin = push("Report…", self._on_begin, tip)
        self.progress = Line(muted=True)
        self.cancel = flat("Cancel", lambda: session.run.cancel("report"), "Stop; nothing is written")
        self.open = link("Open it", self._on_open, "Show the report in the web browser")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.begin.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = side_by_side(self.begin, self.progress, self.open, self.cancel, 1)
        row.setStretchFactor(self.progress, 100)
        layout.addLayout(row)
        self.show_busy(False)

    def show_property(self, property: str) -> None:
        """Offer the report about a property that was tested."""
        if property != self._property:
            self._property, self._written = property, None
            if self.cancel.isHidden():
                self.show_busy(False)

    def show_busy(self, busy: bool) -> None:
        """Show whether a report is being written, and the one that was."""
        self.begin.setEnabled(not busy)
        self.cancel.setVisible(busy)
        self.open.setVisible(not busy and self._written is not None)
        self.progress.setVisible(busy or self._written is not None)
        if not busy and self._written is not None:
            self.progress.say(f"{self._written.name} is written")
            self.progress.setToolTip(str(self._written))

    def write(self, path: Path) -> None:
        """Write the report there, beside other work."""
        subject = subject_of(self._session, self._property)
        self._written = None
        self.progress.say("Writing the report …")
        self.show_busy(True)
        self._session.run(
            lambda: writing(path, subject), lane="report", done=self._on_written, progress=self._on_progress
        )

    def _on_progress(self, progress: Progress) -> None:
        steps = f" {progress.done:,} of {progress.total:,}" if progress.total else ""
        self.progress.say(f"{progress.stage}{steps} · {progress.note}")

    def _on_written(self, path: Path) -> None:
        self._written = path.absolute()
        self.show_busy(False)

    def _on_begin(self) -> None:
        suggested = outside(self._session) / "report.html"
        ask_where_to_write(self, "Write the report", suggested, self.write, "Web pages")

    def _on_open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written)))
