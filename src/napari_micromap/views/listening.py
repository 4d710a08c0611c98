"""Listening to a session for as long as a widget lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QWidget


def listen(widget: QWidget, signal: Any, slot: Callable[..., object]) -> None:
    """Connect a session's signal to a widget's slot; it ends with the widget, which the session outlives."""
    signal.connect(slot)
    widget.destroyed.connect(lambda: signal.disconnect(slot, missing_ok=True))
