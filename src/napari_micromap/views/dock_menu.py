"""The dock's menu: opening, tables, saving, figures."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QMenu, QWidget

from napari_micromap.session import Session
from napari_micromap.store.recent import recent
from napari_micromap.views.below import AddedTables
from napari_micromap.views.panels.start import fill_with_paths
from napari_micromap.views.windows import Windows
from napari_micromap.views.wishes import Wishes


class DockMenu(QMenu):
    """What can be wished for at any time.

    Parameters
    ----------
    session : Session
    wishes, windows : Wishes, Windows
        Who does what is wished for.
    show_table : callable
        Opens the table dock.
    tell : callable
        Shows a sentence about what cannot be done.
    open_preferences : callable
        Opens napari's Preferences at the plugin's page.
    """

    def __init__(
        self,
        session: Session,
        wishes: Wishes,
        windows: Windows,
        show_table: Callable[[], object],
        tell: Callable[[str], object],
        open_preferences: Callable[[], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self._add_opening(wishes)
        self.addSeparator()
        self._add("Add table…", wishes.ask_table)
        self.addMenu(AddedTables(session, tell, self))
        self._add("Use only…", lambda: windows.use_only(), "Restrict everything to a magnification, a batch, a range")
        self._add("Columns…", windows.roles)
        self._add("Scale…", windows.scales, "What burnt-in scale bars say, or a column that tells the scale")
        self._add("Table", show_table)
        self._add_elsewhere(wishes)
        self.addSeparator()
        self._add("Save", wishes.saving.save)
        self._add("Save as…", wishes.saving.save_as)
        self._add("Figure…", windows.figure)
        self._add("Share…", windows.share)
        self.addSeparator()
        self._add("Storage…", lambda: windows.storage(open_preferences), "What is kept on disk, and Clear")
        self._add("Preferences…", open_preferences, "Feature extractor, device, processors, storage")

    def _add_opening(self, wishes: Wishes) -> None:
        self._add("Open folder…", wishes.ask_folder)
        self._add("Open saved map…", wishes.ask_session)
        self._add("Use open images", wishes.use_layers)
        self._add("Try example", wishes.try_example)
        wishes.add_look_again(self)
        last = self.addMenu("Recent")
        last.setToolTipsVisible(True)
        last.aboutToShow.connect(lambda: fill_with_paths(last, recent(), wishes.open_path))

    def _add_elsewhere(self, wishes: Wishes) -> None:
        menu = QMenu("Other programs", self)
        menu.setToolTipsVisible(True)
        for words, verb, tip in (
            (
                "Take embeddings…",
                wishes.ask_embeddings,
                "Map these images by vectors of your own: .npy, .csv, .parquet",
            ),
            ("Take positions…", wishes.ask_positions, "Show a map that was made elsewhere (x and y of each image)"),
            ("Dots as Points layer", wishes.show_points, "With all columns as features, for other plugins"),
        ):
            action = menu.addAction(words)
            action.setToolTip(tip)
            action.triggered.connect(lambda _, verb=verb: verb())
        self.addMenu(menu)

    def _add(self, words: str, verb: Callable[[], object], tip: str = "") -> None:
        action = self.addAction(words)
        action.triggered.connect(lambda: verb())
        if tip:
            action.setToolTip(tip)
