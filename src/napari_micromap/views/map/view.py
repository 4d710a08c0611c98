"""The map of a session, with its tools, legend and hover card."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QColor, QKeySequence, QPalette, QShortcut
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas, Positions, Rows
from napari_micromap.colors import Coloring, colors_of, plain
from napari_micromap.figures.legends import counting
from napari_micromap.questions.scanning import MapScan
from napari_micromap.session import Map, Mode, Session
from napari_micromap.views.listening import listen
from napari_micromap.views.map.canvas import Canvas
from napari_micromap.views.map.dots import DARK, LIGHT, Dots, arrange, ground_of, shuffled
from napari_micromap.views.map.gestures import Tool
from napari_micromap.views.map.hover import HoverCard
from napari_micromap.views.map.lasso import rows_inside
from napari_micromap.views.map.legend import Legend
from napari_micromap.views.map.levels import Levels, find_typical_levels
from napari_micromap.views.map.marks import ACCENT
from napari_micromap.views.map.packed import Rgb
from napari_micromap.views.map.pictures import LARGEST, Pictures
from napari_micromap.views.map.small import aspect_of, pictures_of
from napari_micromap.views.map.tools import Toolbar
from napari_micromap.wording import counted

_EMPTY = "The map appears here."
_NO_METRIC = " · neighbors count, gaps do not"


class MapView(QWidget):
    """The map of a session: every micrograph a dot, similar ones close together.

    Parameters
    ----------
    session : Session
        What is open.
    parent : QWidget, optional
    shortcuts : QWidget, optional
        In which widget (with what is in it) the keys act; the view itself if left out.
    """

    menu_wished = Signal(object, object)  # rows, QPoint on the screen
    exclude_wished = Signal(object, object)  # rows, QPoint on the screen

    def __init__(self, session: Session, parent: QWidget | None = None, shortcuts: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: Map | None = None  # what is on the screen, to tell a morph from a first sight
        self._ids = session.atlas.ids
        self._coloring: Coloring = plain(0)
        self._order: NDArray[np.intp] = shuffled(0)
        self._pictured: Positions | None = None  # where pictures were placed
        self._in_scope: tuple[Map | None, NDArray[np.bool_] | None, Positions | None] = (None, None, None)
        self._build()
        self._bind_keys(shortcuts or self)
        self._connect()
        self.set_theme(self.palette().color(QPalette.ColorRole.Window).lightnessF() < 0.5)
        self._show_colors()
        self._show_map(session.map)
        self._show_current(session.current)
        self._show_waiting(session.waiting_map)

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        self.toolbar = Toolbar()
        self.canvas = Canvas()
        self.legend = Legend()
        self.card = HoverCard(self._session, self.canvas)
        self.chip = QPushButton("Final map ready – show")
        self.chip.setToolTip("The preview stays until you want the final map; what is selected stays selected.")
        self.chip.setCursor(Qt.CursorShape.PointingHandCursor)
        over = QVBoxLayout(self.canvas)
        over.setContentsMargins(8, 8, 8, 8)
        over.addWidget(self.chip, 0, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        over.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.toolbar)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.legend)

    def _bind_keys(self, scope: QWidget) -> None:
        for keys, wish in (
            ("Escape", self._on_escape),
            ("Ctrl+Z", self._on_undo),
            ("Ctrl+Shift+Z", self._on_redo),
            ("Home", self.canvas.fit),
        ):
            key = QShortcut(QKeySequence(keys), scope)
            key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(wish)

    def _connect(self) -> None:
        session = self._session
        listen(self, session.atlas_changed, self._show_atlas)
        listen(self, session.map_changed, self._show_map)
        listen(self, session.waiting_map_changed, self._show_waiting)
        listen(self, session.color_changed, self._show_colors)
        listen(self, session.selection.changed, self._show_selection)
        listen(self, session.scope.changed, self._show_scope)
        listen(self, session.current_changed, self._show_current)
        listen(self, session.growing.fresh_changed, lambda _: self._show_dots())
        listen(self, session.questions.scanned, self._show_region)
        self.canvas.lasso_drawn.connect(self._on_lasso)
        self.canvas.dot_clicked.connect(self._on_dot_clicked)
        self.canvas.dot_opened.connect(session.open_micrograph)
        self.canvas.hovered.connect(self.card.point_at)
        self.canvas.looked_around.connect(session.touch_map)
        self.canvas.menu_wished.connect(self._on_menu)
        self.canvas.exclude_wished.connect(self._on_exclude)
        self.canvas.pictures_wanted.connect(self._on_pictures_wanted)
        self.toolbar.pictures_wished.connect(lambda on: self._show_pictures())
        self.legend.entry_clicked.connect(self._on_entry)
        self.chip.clicked.connect(lambda: session.show_waiting_map())
        self.toolbar.tool_picked.connect(self._on_tool)
        self.toolbar.fit_wished.connect(self.canvas.fit)
        self.toolbar.undo_wished.connect(self._on_undo)
        self.toolbar.redo_wished.connect(self._on_redo)

    # ------------------------------------------------------------------ show

    def set_theme(self, dark: bool, ground: Rgb | None = None) -> None:
        """Take the colors of a dark or light theme, and perhaps a ground of one's own."""
        here = ground_of(ground) if ground is not None else DARK if dark else LIGHT
        self.canvas.set_ground(here)
        self.legend.set_ground(here)
        self.card.set_ground(here)
        text = QColor(240, 241, 242) if dark else QColor(59, 58, 57)
        self.toolbar.set_color(text)
        line = QColor(*here.missing).name()
        self.chip.setStyleSheet(
            f"QPushButton {{ background: {ACCENT.name()}; color: white; border: 1px solid {line};"
            " border-radius: 11px; padding: 3px 12px; font-weight: 600; }"
        )
        self._ground = here
        self._show_dots()

    def _show_atlas(self, atlas: Atlas) -> None:
        self._show_colors()

    def _show_region(self, scan: MapScan | None = None) -> None:
        """Outline where the map differs most, if the colors are of that property and reshuffles hardly reach it."""
        region = None if scan is None or scan.property != self._session.color_by else scan.outlined()
        x, y = (0.0, 0.0) if region is None else region.center.tolist()
        self.canvas.show_region(None if region is None or scan is None else (x, y, region.radius, scan.outline_words()))

    def _show_colors(self, column: str | None = None) -> None:
        session = self._session
        values = session.colors_from
        self._coloring = plain(len(session.atlas)) if values is None else colors_of(values)
        if column is not None:
            self._show_region()
        self._show_legend()
        self._show_dots()

    def _show_map(self, shown: Map | None) -> None:
        before, self._shown = self._shown, shown
        self._show_region()
        ids, self._ids = self._ids, self._session.atlas.ids
        self.canvas.scene.ring(self._newcomers())
        dots = self._arranged()
        self.card.point_at(None)
        if dots is None or shown is None:
            self.canvas.show_dots(None)
        elif before is None:
            self.canvas.show_dots(dots)
            self.canvas.fit()
        elif not np.array_equal(ids, self._ids):  # rows mean others now, but no dot moves for that
            self.canvas.show_dots(dots)
        else:
            self.canvas.move_to(dots, refit=not shown.preview)
        self._show_pictures()
        self._show_legend()
        self._show_words()

    def _show_dots(self) -> None:
        self.canvas.scene.ring(self._newcomers())
        if (dots := self._arranged()) is not None:
            self.canvas.show_dots(dots)
        self._show_words()
        self._show_pictures()

    def _show_selection(self, rows: Rows) -> None:
        self._show_dots()

    def _show_scope(self) -> None:
        self._show_region()
        self.card.point_at(None)
        self._show_legend()
        self._show_dots()

    def _show_current(self, row: int | None) -> None:
        self.canvas.show_current(row)

    def _show_waiting(self, waiting: Map | None) -> None:
        self.chip.setVisible(waiting is not None)

    def _show_legend(self) -> None:
        session = self._session
        synthetic = session.color_by in session.atlas.synthetic
        told = None
        if session.map is not None:
            told = self._coloring
            if len(session.used) < len(told):
                used = np.zeros(len(told), bool)
                used[session.used] = True
                told = counting(told, used)
        self.legend.show_coloring(told, synthetic)

    def _show_words(self) -> None:
        history, selection, shown = self._session.history, self._session.selection, self._session.map
        self.toolbar.show_steps(history.can_undo, history.can_redo)
        if shown is None:
            self.canvas.show_words(_EMPTY, "")
            self.toolbar.show_counts("")
            return
        exact = "PCA" in shown.title
        fresh = len(self._session.growing.fresh)
        joined = f" · {counted(fresh, 'new image')} ringed" if fresh else ""
        self.canvas.show_words("", (shown.title if exact else shown.title + _NO_METRIC) + joined)
        places = self._places()
        placed = counted(0 if places is None else int(np.isfinite(places[:, 0]).sum()), "image")
        self.toolbar.show_counts(f"{len(selection):,} of {placed}" if len(selection) else placed)

    def _arranged(self) -> Dots | None:
        """Return the dots as the session has them now; None while map and micrographs do not belong together."""
        session, shown = self._session, self._session.map
        places = self._places()
        if shown is None or places is None or len(places) != len(self._coloring):
            return None
        n = len(shown.positions)
        if len(self._order) != n:
            self._order = shuffled(n)
        out = session.scope.excluded(session.atlas)
        return arrange(
            places,
            self._coloring.rgb,
            missing=self._coloring.missing,
            selected=session.selection.mask(n) if len(session.selection) else None,
            excluded=out if out.any() else None,
            ground=self._ground,
            order=self._order,
        )

    def _newcomers(self) -> NDArray[np.bool_] | None:
        """Return which rows joined since the map was made; None where there are none."""
        atlas, fresh = self._session.atlas, self._session.growing.fresh
        return np.isin(atlas.ids, list(fresh)) if fresh else None

    def _places(self) -> Positions | None:
        """Return where the dots lie, NaN for those that the filters hide; None where there is no map."""
        shown, mask = self._session.map, self._session.shown
        if shown is None or len(shown.positions) != len(mask):
            return None
        if self._in_scope[0] is not shown or self._in_scope[1] is not mask:
            places = shown.positions if mask.all() else np.where(mask[:, None], shown.positions, np.float32(np.nan))
            self._in_scope = shown, mask, places
        return self._in_scope[2]

    def _show_pictures(self) -> None:
        """Find places for pictures where there are none yet; a preview, which moves with each image, has none."""
        places = self._places() if self.toolbar.pictures else None
        if places is self._pictured:
            return
        self._pictured = places
        self.canvas.show_pictures(None)
        session, shown = self._session, self._session.map
        session.run.cancel("pictures")
        if places is None or shown is None or shown.preview or len(session.atlas) != len(places):
            return
        atlas = session.atlas
        session.run(
            lambda: find_typical_levels(places, atlas.neighbors, aspect_of(atlas)),
            lane="pictures",
            done=lambda levels: self._take_levels(places, levels),
        )

    def _take_levels(self, places: Positions, levels: Levels) -> None:
        if places is self._pictured:
            self.canvas.show_pictures(Pictures(levels))

    # ------------------------------------------------------------------ ask

    def _on_pictures_wanted(self, rows: list[int]) -> None:
        atlas, store, places = self._session.atlas, self._session.workshop.thumbnails, self._pictured
        side = round(LARGEST * self.devicePixelRatioF())

        def take(pictures: object) -> None:
            if places is self._pictured and isinstance(pictures, dict):
                self.canvas.take_pictures(pictures)

        self._session.run(
            lambda: pictures_of(atlas, rows, store, side),
            lane="pictures",
            done=take,
            progress=lambda progress: take(progress.partial),
        )

    def _on_lasso(self, corners: NDArray[np.float64], mode: str) -> None:
        places = self._places()
        if places is not None:
            self._session.selection.apply(rows_inside(corners, places), cast(Mode, mode))

    def _on_menu(self, row: int, place: QPoint) -> None:
        self.menu_wished.emit(self._meant(row), place)

    def _on_exclude(self, row: int | None, place: QPoint) -> None:
        rows = self._meant(row) if row is not None else self._session.selection.rows
        if not len(rows) and self._session.current is not None:
            rows = np.array([self._session.current])
        if len(rows):
            self.exclude_wished.emit(rows, place)

    def _meant(self, row: int) -> Rows:
        """Return what a gesture at a dot is about: the selected ones, if it is one of them."""
        rows = self._session.selection.rows
        return rows if row in rows else np.array([row])

    def _on_dot_clicked(self, row: int, mode: str) -> None:
        if mode == "replace":
            self._session.current = row
        else:
            self._session.selection.apply([row], cast(Mode, mode))

    def _on_entry(self, code: int, mode: str) -> None:
        hit = self._coloring.codes == code if code >= 0 else self._coloring.missing
        used = self._session.used  # as counted beside it
        self._session.selection.apply(used[hit[used]], cast(Mode, mode))

    def _on_tool(self, tool: str) -> None:
        self.canvas.set_tool(cast(Tool, tool))

    def _on_escape(self) -> None:
        if self.canvas.drawing:
            self.canvas.cancel_stroke()
        else:
            self._session.selection.clear()

    def _on_undo(self) -> None:
        self._session.undo()

    def _on_redo(self) -> None:
        self._session.redo()
