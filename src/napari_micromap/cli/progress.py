"""How far the work is, on a terminal or in a log."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from napari_micromap.work import Pace, Progress, spoken


class ProgressLine:
    """One rewritten line on a terminal, plain lines now and then elsewhere.

    Parameters
    ----------
    stream : text stream
    every : float
        Seconds between two lines of one stage where lines cannot be rewritten.
    """

    def __init__(self, stream: TextIO, every: float = 10.0) -> None:
        self._stream = stream
        self._rewrites = stream.isatty()
        self._every = 0.1 if self._rewrites else every
        self._pace = Pace()
        self._stage = ""
        self._told = 0.0
        self._shown = False
        self.stopped = False  # whether the user asked for an end, which is heeded at the next word of progress

    def __call__(self, progress: Progress | None) -> None:
        """Show how far it is; None clears the line."""
        if self.stopped:
            raise KeyboardInterrupt
        if progress is None:
            self.clear()
            return
        left, now = self._pace.seconds_left(progress), time.monotonic()
        if progress.stage == self._stage and (now - self._told < self._every or not self._is_news(progress)):
            return
        self._stage, self._told = progress.stage, now
        text = progress.stage
        if progress.total:
            text += f" {progress.done:,} of {progress.total:,}"
            text += f", {spoken(left)} left" if left is not None else ""
        if self._rewrites:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + text[:width].ljust(width))
            self._shown = True
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def _is_news(self, progress: Progress) -> bool:
        """Say whether a line is worth it: a log wants no line that says the same again."""
        return self._rewrites or progress.total > 0

    def clear(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            self._stream.flush()
            self._shown = False
        self._stage = ""

    def sentence(self, text: str) -> None:
        """Say something that stays."""
        self.clear()
        self._stream.write(text + "\n")
        self._stream.flush()
