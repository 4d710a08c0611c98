"""What users wish by buttons, menus and drops, as verbs of the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu, QWidget

from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.colors import colors_of, plain
from napari_micromap.layouts import Layout
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sharing.points import DOT, dots_of
from napari_micromap.sources.films import Films
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.layers import Layers
from napari_micromap.sources.windows import Cut
from napari_micromap.store.recent import remember
from napari_micromap.tables import TablePreview
from napari_micromap.tables.vectors import ENDINGS
from napari_micromap.views import asking
from napari_micromap.views.dropped import ENDING, kind_of
from napari_micromap.views.panels.table_choices import TableChoices
from napari_micromap.views.saving import Saving
from napari_micromap.views.trying import trying
from napari_micromap.views.whereto import beside, somewhere
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
        self._tell, self._try = tell, trying(tell)
        self._own_layers = own_layers
        self.saving = Saving(window, session, tell)

    # ------------------------------------------------------------------ opening

    def ask_folder(self) -> None:
        """Open a folder that the user names."""
        asking.ask_folder(self._window, "Open a folder of micrographs", somewhere(), self.open_path)

    def ask_session(self) -> None:
        """Open a saved map that the user names."""
        asking.ask_file(self._window, "Open a saved map", somewhere(), "Saved maps", ["open.micromap"], self.open_path)

    def open_path(self, path: Path) -> None:
        """Open a folder, a saved map, a table or one picture."""
        kind = kind_of(path)
        if kind == "table":
            self.add_table(path)
        else:
            self.saving.settled(lambda: self._open(path, kind == "session"))

    def _open(self, path: Path, saved: bool) -> None:
        self._try(lambda: self._session.restore(path) if saved else self._session.open(Folder(path)))
        remember(path.parent if path.name == f"open{ENDING}" else path)

    def tell_of_session(self, sentence: str, tell: Callable[..., object]) -> None:
        """Pass on what a session warns of; where images are missing, offer to look for them."""
        missing = self._session.growing.images_missing
        tell(sentence, "Find them…" if missing else "", self.ask_images if missing else None)

    def ask_images(self) -> None:
        """Look for images that are not where they were in a folder that the user names."""
        asking.ask_folder(
            self._window, "Which folder holds the images now?", beside(self._session),
            lambda folder: self._try(lambda: self._session.growing.find_images(folder)),
        )  # fmt: skip

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
        if sets or pictures:
            self.saving.settled(lambda: self._open_with([*sets, *pictures][0], tables))
        else:
            for table in tables:
                self.add_table(table)

    def _open_with(self, path: Path, tables: Sequence[Path]) -> None:
        self._open(path, kind_of(path) == "session")
        for table in tables:
            self._join(table)

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
            self.saving.settled(lambda: self._try(lambda: self._session.open(Layers(tuple(layers)))))
        else:
            self._tell("No image is open: drop images into the viewer, or open a folder here.")

    def try_example(self) -> None:
        """Open synthetic films."""
        self.saving.settled(lambda: self._try(lambda: self._session.open(Films())))

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
        asking.ask_table(self._window, beside(self._session), self.add_table)

    def add_table(self, path: Path) -> None:
        """Add a table; where nothing is open yet, ask for the folder of its images first."""
        if len(self._session.atlas):
            self._join(path)
            return

        def with_table(folder: Path) -> None:
            self.open_path(folder)
            self._join(path)

        asking.ask_folder(self._window, f"Which folder holds the images of “{path.name}”?", path.parent, with_table)

    def cut(self, wanted: Cut | None) -> None:
        """Let windows be dots, cut so, or whole images again; nothing where that is so already."""
        windows = self._session.atlas.windows is not None
        if wanted is None and windows:
            self._try(self._session.windows.uncut)
        elif wanted is not None and not (windows and self._session.windows.cut_by in (None, wanted)):
            self._try(lambda: self._session.windows.cut(wanted))

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

    def ask_embeddings(self) -> None:
        """Map the open images by embeddings that were made elsewhere."""

        def take(path: Path) -> None:
            self._try(lambda: self._session.take_embeddings(path))
            self._try(self._session.lay_out)

        self._ask_vectors("Embeddings of these images", take)

    def ask_positions(self) -> None:
        """Show a map that was made elsewhere."""
        self._ask_vectors(
            "Positions of these images", lambda path: self._try(lambda: self._session.take_positions(path))
        )

    def _ask_vectors(self, title: str, take: Callable[[Path], object]) -> None:
        if len(self._session.atlas):
            asking.ask_file(self._window, title, beside(self._session), "Arrays and tables", ENDINGS, take)
        else:
            self._tell("Open the images first; then their embeddings or positions can be taken from a file.")

    def show_points(self) -> None:
        """Put all dots into the viewer as a Points layer of napari's, with all columns, for other plugins."""
        if self._session.map is None:
            self._tell("Make a map first; then its dots can be shown as a layer.")
            return
        atlas, values = self._session.atlas, self._session.colors_from
        dots = dots_of(atlas, self._session.map.positions, plain(len(atlas)) if values is None else colors_of(values))
        self._viewer.add_points(
            dots.data, features=dots.features, face_color=dots.colors, size=DOT, border_width=0, symbol="disc",
            name=f"Map of {name_of(atlas)}",
        )  # fmt: skip

    def make_map_of_used(self, layout: Layout | None) -> None:
        """Lay out anew what is used only."""
        self._try(lambda: self._session.lay_out(layout, at_once=True))

    # ------------------------------------------------------------------ within

    def _join(self, path: Path) -> None:
        """Join a table at once where all is clear, else ask."""

        def seen(preview: TablePreview) -> None:
            if preview.doubts:
                TableChoices(self._session, preview, self._window).show()
            else:
                self._try(lambda: self._session.tables.add(path))

        self._try(lambda: self._session.tables.look_at(path, seen))
