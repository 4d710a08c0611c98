"""What a right click on a dot, a tile or a row offers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from qtpy.QtCore import QPoint, Qt, QUrl
from qtpy.QtGui import QAction, QDesktopServices, QGuiApplication
from qtpy.QtWidgets import QLabel, QMenu, QWidget, QWidgetAction

from napari_micromap.atlas import Rows
from napari_micromap.session import Session, tags
from napari_micromap.session.scope import REASONS
from napari_micromap.views.asking import ask_words
from napari_micromap.views.controls import GAP
from napari_micromap.views.trying import trying
from napari_micromap.wording import counted, sample_noun

_SIMILAR = 12


class Menus:
    """Menus about rows; every entry is one verb of the session.

    Parameters
    ----------
    window : QWidget
        What they belong to.
    session : Session
    tell : callable
        Shows a sentence about what cannot be done.
    set_scale : callable
        Asks for the scale of a row.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tell: Callable[[str], object],
        set_scale: Callable[[int], object],
    ) -> None:
        self._window, self._session, self._try, self._set_scale = window, session, trying(tell), set_scale

    # ------------------------------------------------------------------ at the pointer

    def show_at(self, rows: ArrayLike, place: QPoint) -> QMenu:
        """Offer what can be done with rows."""
        return self._popped(self.about(rows), place)

    def ask_reason_at(self, rows: ArrayLike, place: QPoint) -> QMenu:
        """Ask why rows are left out, and leave them out."""
        menu = QMenu(self._window)
        _add_title(menu, f"Exclude {self._counted(rows)}: why?")
        self._fill_reasons(menu, np.asarray(rows, np.intp))
        return self._popped(menu, place)

    def _popped(self, menu: QMenu, place: QPoint) -> QMenu:
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
        return menu

    # ------------------------------------------------------------------ what they hold

    def about(self, rows: ArrayLike) -> QMenu:
        """Make the menu about rows."""
        chosen = np.asarray(rows, np.intp)
        menu = QMenu(self._window)
        menu.setToolTipsVisible(True)
        _add_title(menu, self._counted(chosen))
        if len(chosen) == 1:
            self._fill_one(menu, int(chosen[0]))
        self._add(menu, "Copy path" if len(chosen) == 1 else "Copy paths", lambda: self._copy_paths(chosen))
        menu.addSeparator()
        self._fill_selection(menu, chosen)
        menu.addSeparator()
        self._fill_tags(menu.addMenu("Tag"), chosen)
        self._add(menu, "Note…", lambda: self._ask_note(chosen))
        reasons = menu.addMenu("Exclude")
        reasons.setToolTipsVisible(True)
        self._fill_reasons(reasons, chosen)
        return menu

    def _fill_one(self, menu: QMenu, row: int) -> None:
        session = self._session
        self._add(menu, "Open", lambda: session.open_micrograph(row), "Show it at full resolution (double click)")
        self._add(menu, "Set scale…", lambda: self._set_scale(row), "Draw a line of known length on it")
        path = str(session.atlas.paths[row])
        folder = self._add(menu, "Show in folder", lambda: _open_folder(path))
        folder.setEnabled(bool(path))
        similar = self._add(
            menu, "Find similar", lambda: session.select_similar(row, _SIMILAR), f"Select the {_SIMILAR} most like it"
        )
        similar.setEnabled(session.atlas.features is not None)
        if session.atlas.samples is not None:
            noun = sample_noun(session.atlas)
            others = self._add(
                menu,
                f"Find similar in other {noun}s",
                lambda: session.select_similar(row, _SIMILAR, other_samples=True),
                f"Select the {_SIMILAR} most like it that show another {noun}",
            )
            others.setEnabled(session.atlas.features is not None)

    def _fill_selection(self, menu: QMenu, rows: Rows) -> None:
        selection = self._session.selection
        inside = np.isin(rows, selection.rows)
        if not inside.all():
            self._add(menu, "Add to selection", lambda: selection.apply(rows, "add"), "Shift-click does the same")
        if inside.any():
            self._add(menu, "Remove from selection", lambda: selection.apply(rows, "remove"))

    def _fill_tags(self, menu: QMenu, rows: Rows) -> None:
        session, atlas = self._session, self._session.atlas
        menu.setToolTipsVisible(True)
        for known in tags.known_tags(atlas):
            on_all = all(known in tags.tags_of(atlas, row) for row in rows.tolist()[:1000])
            action = menu.addAction(known.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(on_all)
            verb = session.untag if on_all else session.tag
            action.triggered.connect(lambda _=False, verb=verb, known=known: self._try(lambda: verb(rows, known)))
        if not menu.isEmpty():
            menu.addSeparator()
        self._add(menu, "New tag…", lambda: self._ask_tag(rows, whole=False))
        if atlas.samples is not None:
            noun = sample_noun(atlas)
            self._add(menu, f"New tag on the whole {noun}…", lambda: self._ask_tag(rows, whole=True))

    def _fill_reasons(self, menu: QMenu, rows: Rows) -> None:
        session = self._session
        out = session.scope.excluded(session.atlas)[rows]
        for reason in REASONS:
            self._add(menu, f"&{reason}", partial(session.exclude, rows, reason))
        self._add(menu, "In other words…", lambda: self._ask_reason(rows), "Your words stand in every list and report")
        if out.any():
            menu.addSeparator()
            some = rows[out]
            self._add(menu, f"Take back {counted(len(some), 'image')}", lambda: session.include(some))

    # ------------------------------------------------------------------ questions

    def _ask_reason(self, rows: Rows) -> None:
        def then(words: str) -> None:
            self._try(lambda: self._session.exclude(rows, words))

        ask_words(self._window, f"Exclude {self._counted(rows)}", "Why are they left out?", "", then)

    def _ask_tag(self, rows: Rows, whole: bool) -> None:
        def then(words: str) -> None:
            self._try(lambda: self._session.tag(rows, words, whole_sample=whole))

        ask_words(self._window, "New tag", f"Tag of {self._counted(rows)}; a comma parts several", "", then)

    def _ask_note(self, rows: Rows) -> None:
        before = tags.note_of(self._session.atlas, int(rows[0])) if len(rows) == 1 else ""

        def then(words: str) -> None:
            self._try(lambda: self._session.note(rows, words))

        ask_words(self._window, "Note", f"Note on {self._counted(rows)}; empty takes it away", before, then, True)

    # ------------------------------------------------------------------ within

    def _add(self, menu: QMenu, text: str, act: Callable[[], object], tip: str = "") -> QAction:
        action = menu.addAction(text)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self._try(act))
        return action

    def _counted(self, rows: ArrayLike) -> str:
        chosen = np.asarray(rows, np.intp)
        if len(chosen) == 1:
            return str(self._session.atlas.columns["file"].iat[int(chosen[0])])
        return counted(len(chosen), "image")

    def _copy_paths(self, rows: Rows) -> None:
        atlas = self._session.atlas
        said = [str(atlas.paths[row]) or str(atlas.columns["file"].iat[row]) for row in rows.tolist()]
        QGuiApplication.clipboard().setText("\n".join(said))


def _add_title(menu: QMenu, text: str) -> None:
    """Say above a menu what it is about, in a label: styles draw Qt's own sections, and what is off, faintly."""
    title = QWidgetAction(menu)
    words = QLabel(text)
    words.setTextFormat(Qt.TextFormat.PlainText)
    words.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
    words.setProperty("strong", True)
    words.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)  # a click on it chooses nothing
    title.setText(text.replace("&", "&&"))
    title.setDefaultWidget(words)
    menu.addAction(title)
    menu.addSeparator()


def _open_folder(path: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
