"""How the dock's height is shared between map, check card and tabs."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_micromap.views.body import Body
from napari_micromap.views.controls import GAP

_ROOM_FOR_BOTH = 220  # logical pixels that check card and tabs need beside each other
_MAP_SHARE = 0.45  # of the dock's height, at least
_TABS_SHARE, _TABS_LEAST, _TABS_MOST = 0.27, 150, 320  # of the dock's height; logical pixels
_TABS_BAR = 30  # what is left of them, at least, beside a message
_NO_LIMIT = 16_777_215  # Qt's own


class Heights(QObject):
    """Leaves the map its share of the height, and its place: what comes and goes by itself takes from the tabs.

    Parameters
    ----------
    body : Body
        Whose height is shared; where it is wide, the map needs none of it.
    check, tabs : QWidget
        The two that give way.
    lasting, passing : iterable of QWidget
        What stands as long as there is a map, and what comes and goes by itself.
    watched : iterable of QWidget
        Those of them that change their own height.
    """

    def __init__(
        self,
        body: Body,
        check: QWidget,
        tabs: QWidget,
        lasting: Iterable[QWidget],
        passing: Iterable[QWidget],
        watched: Iterable[QWidget],
    ) -> None:
        super().__init__(body)
        self._body, self._check, self._tabs = body, check, tabs
        self._lasting, self._passing = tuple(lasting), tuple(passing)
        self._soon = QTimer(self)  # never within a layout's own pass, which this can be called from
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._settle)
        self.has_map = False  # without one, the check card has all the room
        for widget in watched:
            widget.installEventFilter(self)

    def share(self) -> None:
        """Share the height anew."""
        if not self.has_map:
            self._check.setMaximumHeight(_NO_LIMIT)
            return
        height, width = self._body.height(), self._body.width()
        if self._body.is_wide:
            self._tabs.setVisible(True)
            self._tabs.setMinimumHeight(_TABS_LEAST)
            self._tabs.setMaximumHeight(_NO_LIMIT)
            self._check.setMaximumHeight(height // 2)
            self._soon.start()
            return
        free = round(height * (1 - _MAP_SHARE)) - _heights(self._lasting, width) - 6 * GAP
        passing = _heights(self._passing, width)
        tabs = min(free, max(_TABS_LEAST, min(round(_TABS_SHARE * height), _TABS_MOST)))
        if self._check.isHidden():
            self._tabs.setVisible(True)
        else:
            # Who looks at the card on a small screen can do without the tabs for that time.
            self._tabs.setVisible(free - passing >= _ROOM_FOR_BOTH)
            tabs = min(tabs, free // 2)
        tabs = max(tabs - passing, _TABS_BAR)
        self._tabs.setFixedHeight(tabs)
        self._check.setMaximumHeight(max(60, free - (0 if self._tabs.isHidden() else tabs + passing)))
        self._soon.start()

    def _settle(self) -> None:
        """Lay out at once: by messages from widget to widget, heights would be wrong for a moment."""
        layout = self._body.layout()
        if layout is not None:
            layout.activate()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Share anew when a message, the progress or the legend comes, goes or grows."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Resize):
            self.share()
        return False


def _heights(widgets: Iterable[QWidget], width: int) -> int:
    return sum(_height_of(widget, width) + GAP + 2 for widget in widgets if not widget.isHidden())


def _height_of(widget: QWidget, width: int) -> int:
    height = widget.heightForWidth(width) if widget.hasHeightForWidth() else -1
    return int(height if height >= 0 else widget.sizeHint().height())
