"""Listening to a session for as long as a widget lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject


def listen(widget: QObject, signal: Any, slot: Callable[..., object]) -> None:
    """Connect a session's signal to the slot of a widget or the like; it ends with that, which the session outlives."""
    signal.connect(slot)
    widget.destroyed.connect(lambda: signal.disconnect(slot, missing_ok=True))
