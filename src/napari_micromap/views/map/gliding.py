"""Dots that move to where they belong, step by step."""

from __future__ import annotations

import time

from qtpy.QtCore import QObject, Qt, QTimer, Signal

from napari_micromap.views.map.glide import Glide
from napari_micromap.views.map.scene import Scene

MORPH_SECONDS = 0.4
_EVERY = 16  # ms
_WORTH = 1.0  # pixels that a dot must have to go


class Gliding(QObject):
    """Shows a glide in a scene; nothing else may show dots there meanwhile.

    Parameters
    ----------
    scene : Scene
        Where the dots are.
    parent : QObject
    """

    moved = Signal()  # the scene is to be painted

    def __init__(self, scene: Scene, parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._glide: Glide | None = None
        self._began = 0.0
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.setInterval(_EVERY)
        self._ticks.timeout.connect(self._on_tick)

    @property
    def under_way(self) -> bool:
        """Whether dots are on their way."""
        return self._glide is not None

    def begin(self, glide: Glide) -> None:
        """Let dots set off, if any has a way to go."""
        if glide.longest > _WORTH:
            self._glide, self._began = glide, time.monotonic()
            self._ticks.start()
            self._on_tick()

    def forget(self) -> None:
        """Leave the dots where they are: others come."""
        self._glide = None
        self._ticks.stop()

    def finish(self) -> None:
        """Arrive at once: nothing moves under a hand."""
        self._go_on(1.0)

    def _on_tick(self) -> None:
        self._go_on((time.monotonic() - self._began) / MORPH_SECONDS)

    def _go_on(self, part: float) -> None:
        if self._glide is None:
            return
        self._scene.show(self._glide.at(part), self._glide.camera)
        if part >= 1:
            self.forget()
        self.moved.emit()
