"""What users wish by buttons, menus and drops, as verbs of the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu, QWidget

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.layouts import Layout
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sources.films import Films
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.layers import Layers
from napari_micromap.store.recent import recent, remember
from napari_micromap.tables import TablePreview
from napari_micromap.views import asking
from napari_micromap.views.dropped import ENDING, kind_of
from napari_micromap.views.panels.table_choices import TableChoices
from napari_micromap.wording import name_of

if TYPE_CHECKING:
    import napari.viewer


class Wishes:
    """Turns each wish into verbs of the session, asking for paths and consent where that is needed.

    Parameters
    ----------
    window : QWidget
        What dialogs belong to.
    viewer : Viewer
        Whose image layers can be mapped.
    session : Session
    tell : callable
        Shows a sentence about what cannot be done.
    own_layers : callable
        Gives the layers that the plugin itself put into the viewer.
    """

    def __init__(
        self,
        window: QWidget,
        viewer: napari.viewer.Viewer,
        session: Session,
        tell: Callable[[str], object],
        own_layers: Callable[[], Sequence[Any]],
    ) -> None:
        self._window, self._viewer, self._session = window, viewer, session
        self._tell = tell
        self._own_layers = own_layers

    # ------------------------------------------------------------------ opening

    def ask_folder(self) -> None:
        """Open a folder that the user names."""
        asking.ask_folder(self._window, "Open a folder of micrographs", self._somewhere(), self.open_path)

    def ask_session(self) -> None:
        """Open a saved map that the user names."""
        asking.ask_file(
            self._window, "Open a saved map", self._somewhere(), "Saved maps", ["open.micromap"], self.open_path
        )

    def open_path(self, path: Path) -> None:
        """Open a folder, a saved map, a table or one picture."""
        kind = kind_of(path)
        if kind == "session":
            self._try(lambda: self._session.restore(path))
        elif kind == "table":
            self.add_table(path)
            return
        else:
            self._try(lambda: self._session.open(Folder(path)))
        remember(path.parent if path.name == f"open{ENDING}" else path)

    def open_dropped(self, paths: Sequence[Path]) -> None:
        """Open what was dropped: one set, and tables that belong to it."""
        sets = [path for path in paths if kind_of(path) in ("session", "folder")]
        tables = [path for path in paths if kind_of(path) == "table"]
        pictures = [path for path in paths if kind_of(path) == "picture"]
        if len(sets) > 1 or (sets and pictures):
            self._tell("Drop one folder at a time: put the folders that belong together into one, and drop that.")
            return
        if len(pictures) > 1:
            self._tell("Drop the folder that holds these pictures.")
            return
        for path in [*sets, *pictures]:
            self.open_path(path)
        for table in tables:
            if sets or pictures:
                self._join(table)
            else:
                self.add_table(table)

    def use_layers(self) -> None:
        """Map the open images; where only some are selected, ask which."""
        images = self._images()
        selected = self._images(selected=True)
        if 1 < len(selected) < len(images):
            menu = QMenu(self._window)
            menu.addAction(f"All {len(images)} open images").triggered.connect(lambda: self.map_layers(images))
            menu.addAction(f"The {len(selected)} selected ones").triggered.connect(lambda: self.map_layers(selected))
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self._window.cursor().pos())
        else:
            self.map_layers(images)

    def use_selected_layers(self) -> None:
        """Map the image layers that are selected in the layer list."""
        self.map_layers(self._images(selected=True))

    def map_layers(self, layers: Sequence[Any]) -> None:
        """Open these layers."""
        if layers:
            self._try(lambda: self._session.open(Layers(tuple(layers))))
        else:
            self._tell("No image is open: drop images into the viewer, or open a folder here.")

    def try_example(self) -> None:
        """Open synthetic films."""
        self._try(lambda: self._session.open(Films()))

    def add_look_again(self, menu: QMenu) -> None:
        """Put the wish for new images into a menu; it can be had where these came from a folder."""
        again = menu.addAction("Look for new images")
        again.setToolTip("Look through the folder again; new images join the map, and no dot moves")
        again.triggered.connect(lambda: self._try(self._session.grow))
        menu.aboutToShow.connect(lambda: again.setEnabled(self._session.source is not None))

    def _images(self, selected: bool = False) -> list[Any]:
        from napari.layers import Image

        own = self._own_layers()
        chosen = self._viewer.layers.selection
        return [
            layer
            for layer in self._viewer.layers
            if type(layer) is Image and layer not in own and (layer in chosen or not selected)
        ]

    # ------------------------------------------------------------------ table, map, save

    def ask_table(self) -> None:
        """Add a table that the user names."""
        asking.ask_table(self._window, self._beside(), self.add_table)

    def add_table(self, path: Path) -> None:
        """Add a table; where nothing is open yet, ask for the folder of its images first."""
        if len(self._session.atlas):
            self._join(path)
            return

        def with_table(folder: Path) -> None:
            self.open_path(folder)
            self._join(path)

        asking.ask_folder(self._window, f"Which folder holds the images of “{path.name}”?", path.parent, with_table)

    def make_map(self, backbone: Backbone, recipe: Recipe, layout: Layout | None) -> None:
        """Make the map; where weights would have to be downloaded, ask before."""
        download = backbone.download()
        if download is None:
            self._try(lambda: self._session.make_map(backbone, recipe, layout))
            return

        def download_and_map() -> None:
            self._try(lambda: self._session.download(backbone))
            self._try(lambda: self._session.make_map(backbone, recipe, layout))

        offline = BACKBONES[next(iter(BACKBONES))].title
        asking.ask_consent(self._window, backbone.title, download, offline, download_and_map)

    def make_map_of_used(self, layout: Layout | None) -> None:
        """Lay out anew what is used only."""
        self._try(lambda: self._session.lay_out(layout, at_once=True))

    def save(self) -> None:
        """Save where it was saved before, else ask where."""
        if self._session.saved_as is None:
            self.save_as()
        else:
            self._try(self._session.save)

    def save_as(self) -> None:
        """Ask where to save."""
        if not len(self._session.atlas):
            self._tell("Open some micrographs first; then there is something to save.")
            return
        before = self._session.saved_as
        suggested = before or (self._beside() or Path.home()) / f"{name_of(self._session.atlas)}{ENDING}"
        asking.ask_where_to_save(self._window, suggested, self._save_to)

    def _save_to(self, path: Path) -> None:
        path = path if path.suffix == ENDING else path.with_name(path.name + ENDING)
        self._try(lambda: self._session.save(path))
        remember(path)

    # ------------------------------------------------------------------ within

    def _join(self, path: Path) -> None:
        """Join a table at once where all is clear, else ask."""

        def seen(preview: TablePreview) -> None:
            if preview.doubts:
                TableChoices(self._session, preview, self._window).show()
            else:
                self._try(lambda: self._session.add_table(path))

        self._try(lambda: self._session.look_at_table(path, seen))

    def _try(self, verb: Callable[[], object]) -> None:
        try:
            verb()
        except Problem as problem:
            self._tell(str(problem))

    def _somewhere(self) -> Path | None:
        last = recent()
        return last[0].parent if last else None

    def _beside(self) -> Path | None:
        """Return the folder beside the open micrographs, where their table is likely to lie."""
        paths = self._session.atlas.paths
        first = Path(str(paths[0])).parent if len(paths) and str(paths[0]) else None
        return first if first is not None and first.is_dir() else self._somewhere()
