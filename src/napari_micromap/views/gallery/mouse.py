"""Clicks on the canvas, and the key X, while a gallery stands there."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from napari.layers import Image, Layer
from napari.viewer import Viewer

_EXCLUDE = "X"
_STILL = 3  # screen pixels that a hand may tremble within a click


class Mouse:
    """Tells where in the world was clicked; a double click that was used does not zoom.

    Parameters
    ----------
    on_click, on_double_click, on_right_click : callable of a world position
        Return whether the click was of use.
    on_exclude : callable of a world position
        The key X was pressed with the pointer there.
    """

    def __init__(
        self,
        viewer: Viewer,
        on_click: Callable[[tuple[float, ...]], bool],
        on_double_click: Callable[[tuple[float, ...]], bool],
        on_right_click: Callable[[tuple[float, ...]], bool],
        on_exclude: Callable[[tuple[float, ...]], None],
    ) -> None:
        self._viewer = viewer
        self._right_click, self._exclude = on_right_click, on_exclude
        self._holder: Viewer | Layer | None = None  # of the key X
        self._key_before: Any = None  # what the user's own X does there
        self._click, self._double_click = on_click, on_double_click
        self._others: list[Callable[[Any, Any], None]] = []

    def listen(self) -> None:
        """Stand before the viewer's own callbacks: napari calls all of them, and one of them zooms."""
        callbacks = self._viewer.mouse_double_click_callbacks
        if self._on_double_click not in callbacks:
            self._others = list(callbacks)
            callbacks[:] = [self._on_double_click]
            self._viewer.mouse_drag_callbacks.append(self._on_press)
            self._viewer.layers.selection.events.active.connect(self._take_key)
            self._take_key()

    def rest(self) -> None:
        """Leave, and put the viewer's own callbacks back."""
        callbacks = self._viewer.mouse_double_click_callbacks
        if self._on_double_click in callbacks:
            place = callbacks.index(self._on_double_click)
            callbacks[place : place + 1] = self._others
            self._others = []
            self._viewer.layers.selection.events.active.disconnect(self._take_key)
            self._give_key_back()
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_double_click(self, viewer: Viewer, event: Any) -> None:
        if self._free() and self._double_click(tuple(event.position)):
            event.handled = True
            return
        for callback in self._others:
            callback(viewer, event)

    def _take_key(self, _: object = None) -> None:
        """Hold X at the image that is active: napari asks it before the viewer, and turns a plane in 3-D by it."""
        self._give_key_back()
        active = self._viewer.layers.selection.active
        self._holder = active if isinstance(active, Image) else self._viewer
        self._key_before = next((act for key, act in self._holder.keymap.items() if str(key) == _EXCLUDE), None)
        self._holder.bind_key(_EXCLUDE, self._on_key, overwrite=True)

    def _give_key_back(self) -> None:
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.bind_key(_EXCLUDE, self._key_before, overwrite=True)

    def _on_key(self, _: object) -> None:
        self._exclude(tuple(self._viewer.cursor.position))

    def _on_press(self, viewer: Viewer, event: Any) -> Generator[None, None, None]:
        if event.button not in (1, 2) or not self._free():
            return
        act = self._click if event.button == 1 else self._right_click
        begin = event.pos
        yield
        while event.type == "mouse_move":
            if max(abs(event.pos[0] - begin[0]), abs(event.pos[1] - begin[1])) > _STILL:
                return
            yield
        act(tuple(event.position))

    def _free(self) -> bool:
        """Whether no tool of the active layer, such as a brush, is in the hand."""
        active = self._viewer.layers.selection.active
        return active is None or active.mode == "pan_zoom"
