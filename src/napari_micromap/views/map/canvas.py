"""The drawn map: dots, rings, and what a hand does to them."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import (
    QColor,
    QContextMenuEvent,
    QCursor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_micromap.views.map.dots import Dots, Ground
from napari_micromap.views.map.gestures import Stroke, Tool, cursor_of, mode_of
from napari_micromap.views.map.glide import glide
from napari_micromap.views.map.gliding import Gliding
from napari_micromap.views.map.overlay import Overlay, Region
from napari_micromap.views.map.pictures import Pictures, Small
from napari_micromap.views.map.raster import Frame
from napari_micromap.views.map.scene import Scene

MORPH_UP_TO = 50_000  # dots; more of them would stutter
_ZOOM_PER_DEGREE = 1.0125
_STILL = 120  # ms after the last movement before the map is drawn with all pixels
_REST = 40  # ms after the last change of sight before pictures are asked for


class Canvas(QWidget):
    """Draws dots, and turns gestures into wishes; it knows of no session.

    The dots are drawn when something changed, at the next paint; all else (rings, lasso) is painted over them.
    """

    lasso_drawn = Signal(object, str)  # (k, 2) corners in map coordinates, Mode
    dot_clicked = Signal(int, str)  # row, Mode
    dot_opened = Signal(int)  # row
    hovered = Signal(object, object)  # row | None, QPoint on the screen | None
    menu_wished = Signal(int, object)  # row, QPoint on the screen
    exclude_wished = Signal(object, object)  # row | None under the pointer, QPoint on the screen
    pictures_wanted = Signal(object)  # rows that there is room for, the most important first
    looked_around = Signal()  # the user zoomed, panned, or began to draw: nothing may move by itself now

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = Scene()
        self._overlay = Overlay()
        self._painted: Frame | None = None
        self._image: QImage | None = None
        self._tool: Tool = "lasso"
        self._stroke: Stroke | None = None
        self._space = False
        self._gliding = Gliding(self._scene, self)
        self._gliding.moved.connect(self.update)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST)
        self._rest.timeout.connect(self._want_pictures)
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(_STILL)
        self._still.timeout.connect(self._on_still)
        self._asked: list[int] = []
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self._show_cursor()

    def sizeHint(self) -> QSize:
        """Ask for a size at which a map can be read."""
        return QSize(420, 340)

    # ------------------------------------------------------------------ show

    def show_dots(self, dots: Dots | None) -> None:
        """Show these dots at once, where one looks now; None for an empty map."""
        self._gliding.finish()
        self._scene.show(dots)
        if dots is None:
            self._point_at(None)
        self.update()

    def move_to(self, dots: Dots, refit: bool) -> None:
        """Show dots at other positions, each coming from where it is.

        Parameters
        ----------
        dots : Dots
            Where they go.
        refit : bool
            Whether one looks at all of them then; else only where some would fall out of sight, and no user chose
            where to look.
        """
        scene, old, before = self._scene, self._scene.dots, self._scene.camera
        self._gliding.forget()
        scene.fitted = scene.fitted or refit
        after = scene.camera
        if refit or (scene.fitted and not scene.would_be_in_sight(dots)):
            after = scene.home_of(dots)
        scene.show(dots, after)
        if old is not None and len(old) and len(dots) <= MORPH_UP_TO and self.isVisible():
            self._gliding.begin(glide(old, before, dots, after, scene.size))
        self.update()

    def show_pictures(self, pictures: Pictures | None) -> None:
        """Let these stand for dots where there is room; None for dots alone."""
        self._scene.pictures = pictures
        self._asked = []
        self.update()

    def take_pictures(self, pictures: Mapping[int, Small]) -> None:
        """Show pictures that were asked for."""
        if self._scene.pictures is not None and self._scene.pictures.put(pictures):
            self._scene.redraw()
            self.update()

    def fit(self) -> None:
        """Look at all dots."""
        self._gliding.finish()
        self._scene.fit()
        self.update()

    def show_current(self, row: int | None) -> None:
        """Ring a row twice."""
        self._overlay.current = row
        self.update()

    def show_words(self, sentence: str, caption: str) -> None:
        """Write a sentence in the middle, where there are no dots, and a caption into the corner."""
        self._overlay.sentence, self._overlay.caption = sentence, caption
        self.update()

    def show_region(self, region: Region | None) -> None:
        """Outline a disc: x, y and radius in units of the map, and words beside it; None for none."""
        if region != self._overlay.region:
            self._overlay.region = region
            self.update()

    @property
    def region(self) -> Region | None:
        """The disc that is outlined."""
        return self._overlay.region

    def set_ground(self, ground: Ground) -> None:
        """Say what lies behind rings and words; dots bring their own."""
        self._overlay.ground = ground
        self.update()

    def set_tool(self, tool: Tool) -> None:
        """Say what dragging does."""
        self._tool = tool
        self.cancel_stroke()

    def cancel_stroke(self) -> None:
        """Forget a lasso under way."""
        self._stroke = None
        self._show_cursor()
        self.update()

    @property
    def scene(self) -> Scene:
        """The dots, and where one looks."""
        return self._scene

    @property
    def drawing(self) -> bool:
        """Whether a lasso or rectangle is under way."""
        return self._stroke is not None and self._stroke.tool != "hand"

    @property
    def gliding(self) -> bool:
        """Whether dots are on their way."""
        return self._gliding.under_way

    # ------------------------------------------------------------------ ask

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke."""
        left = event.button() == Qt.MouseButton.LeftButton
        if not left and event.button() != Qt.MouseButton.MiddleButton:
            event.ignore()
            return
        if self._stroke is not None or self._scene.empty:
            return
        self._gliding.finish()
        self._point_at(None)
        clickable = left and not self._space
        self._stroke = Stroke(
            self._tool if clickable else "hand", event.position(), mode_of(event.modifiers()), clickable
        )
        self._show_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the hand with the stroke, or say what lies under the pointer."""
        stroke = self._stroke
        if stroke is None:
            self._point_at(None if event.buttons() else event.position())
            return
        was_far = stroke.far
        way = stroke.extend(event.position())
        if stroke.far and not was_far:
            self.looked_around.emit()
        if stroke.far and stroke.tool == "hand":
            self._move()
            self._scene.look(self._scene.camera.panned(way.x(), way.y()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke: a click where it stayed in place, else a lasso or a rectangle."""
        stroke = self._stroke
        if stroke is None or event.buttons() & (Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton):
            return
        self.cancel_stroke()
        mode = stroke.mode if stroke.mode != "replace" else mode_of(event.modifiers())
        if not stroke.far:
            row = self._row_at(stroke.start) if stroke.clickable else None
            if row is not None:
                self.dot_clicked.emit(row, mode)
        elif stroke.tool != "hand":
            self.lasso_drawn.emit(self._scene.camera.to_map(stroke.corners, self._scene.size), mode)
        self._point_at(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a dot; elsewhere, or with a key held, it is two clicks."""
        row = self._row_at(event.position())
        plain = event.button() == Qt.MouseButton.LeftButton and mode_of(event.modifiers()) == "replace"
        if row is not None and plain:
            self._point_at(None)
            self.dot_opened.emit(row)
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        event.accept()
        turned = event.angleDelta().y() or event.angleDelta().x()  # Alt makes Qt swap them
        if self._scene.empty or self._stroke is not None or not turned:
            return
        self._gliding.finish()
        self._point_at(None)
        self.looked_around.emit()
        self._move()
        self._scene.zoom(_ZOOM_PER_DEGREE ** (turned / 8), (event.position().x(), event.position().y()))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hold the map while Space is down."""
        if event.key() == Qt.Key.Key_Space:
            self._hold(True)
        elif event.key() == Qt.Key.Key_X and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._wish_exclusion()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for what can be done with a dot."""
        row = self._row_at(QPointF(event.pos()))
        if row is not None and self._stroke is None:
            self._point_at(None)
            self.menu_wished.emit(row, event.globalPos())

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of the map."""
        if event.key() == Qt.Key.Key_Space:
            self._hold(event.isAutoRepeat())
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let go of the map: the release of the key will be told to someone else."""
        self._hold(False)
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing lies under the pointer any more."""
        self._point_at(None)
        super().leaveEvent(event)

    # ------------------------------------------------------------------ paint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep all in sight where that was so, else the middle in the middle."""
        super().resizeEvent(event)
        self._gliding.finish()
        self._scene.resize((float(self.width()), float(self.height())), self.devicePixelRatioF())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dots if they changed, and what lies over them."""
        painter = QPainter(self)
        self._paint_dots(painter)
        stroke = self._stroke
        outline = stroke.outline if stroke is not None and self.drawing and stroke.far else None
        self._overlay.paint(painter, self.rect(), self._scene, self.gliding, outline)
        painter.end()

    def _move(self) -> None:
        self._scene.move()
        self._still.start()

    def _on_still(self) -> None:
        if self._scene.rest():
            self.update()

    def _want_pictures(self) -> None:
        pictures = self._scene.pictures
        lacking = [] if pictures is None else pictures.lacking
        if lacking and lacking != self._asked:
            self._asked = lacking
            self.pictures_wanted.emit(lacking)

    def _paint_dots(self, painter: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        self._scene.resize((float(self.width()), float(self.height())), ratio)  # the window may be on another screen
        frame = self._scene.frame
        if frame is None:
            painter.fillRect(self.rect(), QColor(*self._overlay.ground.rgb))
            return
        if frame is not self._painted or self._image is None:
            height, width = frame.ids.shape
            # The image borrows the memory of the frame, so both are kept.
            self._image = QImage(frame.image.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
            self._image.setDevicePixelRatio(ratio)
            self._painted = frame
            if self._scene.pictures is not None and self._scene.pictures.lacking:
                self._rest.start()
        height, width = frame.ids.shape
        if width == round(self.width() * ratio):
            painter.drawImage(QPointF(0, 0), self._image)
        else:  # larger pixels, while a hand moves the map
            painter.drawImage(self.rect(), self._image)

    # ------------------------------------------------------------------ within

    def _row_at(self, place: QPointF) -> int | None:
        return self._scene.row_at(place.x(), place.y())

    def _point_at(self, place: QPointF | None) -> None:
        row = None if place is None else self._row_at(place)
        if row != self._overlay.pointed:
            self._overlay.pointed = row
            self.hovered.emit(row, None if place is None else self.mapToGlobal(place.toPoint()))
            self.update()

    def _wish_exclusion(self) -> None:
        row = self._overlay.pointed
        self._point_at(None)
        at = self.mapFromGlobal(QCursor.pos())
        place = at if self.rect().contains(at) else self.rect().center()
        self.exclude_wished.emit(row, self.mapToGlobal(place))

    def _hold(self, space: bool) -> None:
        self._space = space
        self._show_cursor()

    def _show_cursor(self) -> None:
        self.setCursor(cursor_of(self._tool, self._stroke, self._space))
