"""What is being built, how long it takes, and a way to stop it."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_micromap.session import Session
from napari_micromap.views.controls import Line, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.work import Pace, Progress, spoken

_PLAIN = {"Embedding": "Looking at image", "Laying out": "Placing the dots"}  # stages as people say them


class ProgressPanel(QWidget):
    """A thin bar, a line of words and *Cancel*; there only while something is built."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pace = Pace()
        self.words = Line()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setProperty("thin", True)
        self.cancel = push("Cancel", session.cancel, "Stop; what is done stays and is not done again")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(side_by_side(self.words, self.cancel))
        layout.addWidget(self.bar)
        self.hide()
        listen(self, session.progressed, self._on_progress)

    def show_busy(self, busy: bool) -> None:
        """Show that something is built, even before it tells how far it is."""
        if busy and self.isHidden():
            self._pace = Pace()
            self.words.say("Starting…")
            self.bar.setRange(0, 0)
        self.setVisible(busy)

    def _on_progress(self, progress: Progress | None) -> None:
        if progress is not None:
            self.words.say(in_words(progress, self._pace.seconds_left(progress)))
            self.bar.setRange(0, progress.total)
            self.bar.setValue(progress.done)


def in_words(progress: Progress, seconds_left: float | None) -> str:
    """Say how far a stage is: "Embedding 120 of 214 · about 20 s left"."""
    said = _PLAIN.get(progress.stage, progress.stage)
    if progress.total > 1:
        said += f" {progress.done:,} of {progress.total:,}"
    if seconds_left is not None:
        said += f" · {spoken(seconds_left)} left"
    elif progress.note:
        said += f" · {progress.note}"
    return said
