"""Named selections: kept, chosen, combined, renamed, exported."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPen
from qtpy.QtWidgets import QColorDialog, QMenu, QWidget

from napari_micromap.session import Session
from napari_micromap.session.named import Named
from napari_micromap.views.asking import ask_where_to_write, ask_words
from napari_micromap.views.controls import push
from napari_micromap.views.pixmaps import circle
from napari_micromap.views.trying import trying
from napari_micromap.views.whereto import outside
from napari_micromap.wording import counted


class NamesMenu(QMenu):
    """What can be done with named selections; filled when it opens.

    Parameters
    ----------
    session : Session
    tell : callable
        Shows a sentence about what cannot be done.
    """

    def __init__(self, session: Session, tell: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__("Name", parent)
        self.setToolTipsVisible(True)
        self._session, self._try = session, trying(tell)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List what there is now."""
        self.clear()
        session = self._session
        selected = len(session.selection)
        if selected:
            self._add(self, f"Keep these {counted(selected, 'image')} as…", self._ask_name)
            self._add(
                self, "Save them as a table…", lambda: self._ask_path("selected", session.selection.rows.tolist())
            )
            self._add(self, "Select all others", session.select_others)
        if len(session.named) and selected:
            self.addSeparator()
        for named in session.named:
            self._fill_one(self.addMenu(self._dot(named.color), _plain(self._counted(named))), named)
        if self.isEmpty():
            self.addAction("Select some images first").setEnabled(False)

    def _fill_one(self, menu: QMenu, named: Named) -> None:
        session, name = self._session, named.name
        menu.setToolTipsVisible(True)
        self._add(menu, "Select", partial(session.select_named, name))
        if len(session.selection):
            self._add(menu, "Add to what is selected", partial(session.select_named, name, "or"))
            self._add(menu, "Select what is in both", partial(session.select_named, name, "and"))
            self._add(menu, "Take off what is selected", partial(session.select_named, name, "not"))
            menu.addSeparator()
            self._add(menu, "Replace by what is selected", partial(session.name_selection, name))
        menu.addSeparator()
        self._add(menu, "Color the map by it", partial(self._color_by, name))
        column = menu.addAction(f"Use as a column “{_plain(named.column)}”")
        column.setCheckable(True)
        column.setChecked(named.as_column)
        column.triggered.connect(lambda checked: session.named.show_as_column(name, checked))
        menu.addSeparator()
        self._add(menu, "Rename…", partial(self._ask_rename, name))
        self._add(menu, "Color…", partial(self._ask_color, named))
        self._add(menu, "Save as a table…", lambda: self._ask_path(name, named.rows(session.atlas).tolist()))
        self._add(menu, "Forget", partial(session.named.drop, name), "Forget the name; the images stay")

    # ------------------------------------------------------------------ ask

    def _ask_name(self) -> None:
        rows = self._session.selection.rows
        ask_words(
            self._window, "Keep the selection", "Its name", self._session.named.free_name(),
            lambda name: self._try(lambda: self._session.name_selection(name, rows)),
        )  # fmt: skip

    def _ask_rename(self, name: str) -> None:
        ask_words(
            self._window, "Rename", f"New name of “{name}”", name,
            lambda new: self._try(lambda: self._session.named.rename(name, new)),
        )  # fmt: skip

    def _ask_color(self, named: Named) -> None:
        dialog = QColorDialog(QColor(named.color), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda color: self._session.named.recolor(named.name, color.name()))
        dialog.open()

    def _ask_path(self, name: str, rows: list[int]) -> None:
        ask_where_to_write(
            self._window, "Save as a table", outside(self._session) / f"{name}.csv",
            lambda path: self._try(lambda: self._session.export_rows(path, rows)),
        )  # fmt: skip

    def _color_by(self, name: str) -> None:
        self._session.named.show_as_column(name)
        self._session.color_by = self._session.named[name].column

    # ------------------------------------------------------------------ within

    @property
    def _window(self) -> QWidget:
        parent = self.parentWidget()
        return self if parent is None else parent

    def _dot(self, color: str) -> QIcon:
        return circle(QColor(color), QPen(Qt.PenStyle.NoPen), self.devicePixelRatioF())

    def _counted(self, named: Named) -> str:
        return f"{named.name}   {len(named.rows(self._session.atlas)):,}"

    def _add(self, menu: QMenu, text: str, act: Callable[[], object], tip: str = "") -> None:
        action = menu.addAction(text)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self._try(act))


def names_button(menu: NamesMenu) -> QWidget:
    """Make the button that opens the menu."""
    button = push("Name ▾", lambda: None, "Keep what is selected under a name; choose, combine and export named ones")
    button.setMenu(menu)
    return button


def _plain(text: str) -> str:
    return text.replace("&", "&&")
