"""The one place where views meet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QSize, QTimer
from qtpy.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from qtpy.QtWidgets import QApplication, QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.backbones import BACKBONES
from napari_micromap.estimate import seconds_for_map, squares_for
from napari_micromap.growing import Growth
from napari_micromap.pipeline import Joined, usual_layout
from napari_micromap.session import Map
from napari_micromap.store.recent import recent
from napari_micromap.views.below import Below
from napari_micromap.views.body import Body
from napari_micromap.views.comparisons import Comparisons
from napari_micromap.views.controls import GAP, Roomy
from napari_micromap.views.dock_menu import DockMenu
from napari_micromap.views.dropped import paths_in
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.gallery.ahead import bring_in
from napari_micromap.views.heights import Heights
from napari_micromap.views.layer_links import LayerLinks
from napari_micromap.views.listening import listen
from napari_micromap.views.looks import stylesheet
from napari_micromap.views.map.view import MapView
from napari_micromap.views.menus import Menus
from napari_micromap.views.panels.check import CheckPanel
from napari_micromap.views.panels.color import ColorPanel
from napari_micromap.views.panels.header import HeaderPanel
from napari_micromap.views.panels.inside import InsidePanel
from napari_micromap.views.panels.more import MorePanel
from napari_micromap.views.panels.names import NamesMenu, names_button
from napari_micromap.views.panels.notice import NoticePanel
from napari_micromap.views.panels.progress import ProgressPanel
from napari_micromap.views.panels.property import PropertyPanel
from napari_micromap.views.panels.samples import SamplesPanel
from napari_micromap.views.panels.scope import ScopePanel
from napari_micromap.views.panels.selected import SelectedPanel
from napari_micromap.views.panels.start import StartPanel
from napari_micromap.views.preferences import open_preferences
from napari_micromap.views.ring import Ring
from napari_micromap.views.scale_setting import ScaleSetting
from napari_micromap.views.sessions import lanes_of, rest, session_of, unwrapped
from napari_micromap.views.tabs import Tabs, page_of
from napari_micromap.views.viewing import Viewing
from napari_micromap.views.windows import Windows
from napari_micromap.views.wishes import Wishes
from napari_micromap.work import spoken

if TYPE_CHECKING:
    import napari.viewer


class MicromapDock(QWidget):
    """Maps of micrographs beside the viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose session is shown; there is one session a viewer, which outlives this dock.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = unwrapped(viewer)
        self.session = session_of(viewer)
        self._lanes = lanes_of(self.session)
        self.gallery = Gallery(self.viewer, self.session)
        self._links = LayerLinks(self.viewer, self.session)
        self._had_map = self._was_docked = self._retired = False
        self._build()
        self.viewing = Viewing(
            self, self.viewer, self.session, self.gallery, self.selected, self.menus, self.notice.tell
        )
        self._connect()
        self._on_theme()
        self._on_atlas(self.session.atlas)
        self._on_map(self.session.map)
        self._on_busy("build", self._lanes.busy("build"))

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        self.notice = NoticePanel()
        self.wishes = Wishes(self, self.viewer, self.session, self.notice.tell_failure, lambda: self.gallery.layers)
        self.wishes.saving.say = partial(self.notice.tell, in_passing=True)
        self.windows = Windows(self, self.session)
        self.start = StartPanel(recent)
        self.more = MorePanel()
        self.check = CheckPanel(self.session, self.more)
        self.check_area = Roomy(self.check)
        self.progress = ProgressPanel(self.session)
        self.color = ColorPanel(self.session)
        self.scope = ScopePanel(self.session)
        self.scale_setting = ScaleSetting(self, self.viewer, self.session, self.gallery, self.notice.tell_failure)
        self.menus = Menus(self, self.session, self.notice.tell_failure, self.scale_setting.begin)
        self.below = Below(self.viewer, self.session, self.menus.show_at, self.notice.tell_failure)
        self.menu = DockMenu(
            self.session, self.wishes, self.windows, lambda: self.below.show(), self.notice.tell_failure,
            lambda: open_preferences(self.viewer), self,
        )  # fmt: skip
        self.comparisons = Comparisons(self, self.viewer, self.session, self.gallery, self.notice.tell)
        self.header = HeaderPanel(self.session, self.menu)
        self.map = MapView(self.session, shortcuts=self)
        self.selected = SelectedPanel(
            self.session, names_button(NamesMenu(self.session, self.notice.tell_failure, self))
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(GAP + 2)
        self.property, self.samples = PropertyPanel(self.session), SamplesPanel(self.session)
        self.tabs = Tabs(
            (
                (
                    "Selection",
                    Roomy(page_of(self.selected, self.comparisons.buttons, InsidePanel(self.session))),
                    "What is selected, and the rest",
                ),
                ("Property", Roomy(self.property), "Does a property go along with the structure?"),
                ("Samples", Roomy(self.samples), "The map by sample"),
            )
        )
        # What comes and goes by itself stands at the foot, at the cost of the tabs: it moves neither dots nor buttons.
        self.body = Body(
            above=(self.header, self.color, self.scope, self.check_area), map_=self.map, legend=self.map.legend,
            below=(self.tabs, self.progress, self.notice),
        )  # fmt: skip
        layout.addWidget(self.start)
        layout.addWidget(self.body, 1)
        self.heights = Heights(
            self.body, self.check_area, self.tabs,
            lasting=(self.header, self.color, self.scope, self.map.toolbar, self.map.legend),
            passing=(self.progress, self.notice),
            watched=(self.notice, self.progress, self.map.legend),
        )  # fmt: skip
        self.body.rearranged.connect(self.heights.share)
        self.ring = Ring(self)
        self.setMinimumWidth(300)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAcceptDrops(True)

    def _connect(self) -> None:
        self.start.folder_wanted.connect(self.wishes.ask_folder)
        self.start.session_wanted.connect(self.wishes.ask_session)
        self.start.layers_wanted.connect(self.wishes.use_layers)
        self.start.example_wanted.connect(self.wishes.try_example)
        self.start.path_wanted.connect(self.wishes.open_path)
        self.header.folded.connect(lambda _: self._show_check())
        self.header.save_wanted.connect(self.wishes.saving.save)
        self.check.table_wanted.connect(self.wishes.ask_table)
        self.check.this_table_wanted.connect(self.wishes.add_table)
        self.check.map_wanted.connect(self.make_map)
        self.check.unreadable_wanted.connect(self.windows.unreadable)
        self.check.unmatched_wanted.connect(self.windows.unmatched)
        self.check.bars_wanted.connect(self.windows.bars)
        self.check.scales_wanted.connect(self.windows.scales)
        self.check.use_only_wanted.connect(lambda column: self.windows.use_only(column).tick_most_common())
        self.more.changed.connect(self._on_more)
        self.check.more.toggled.connect(lambda on: self.check_area.bring_up(self.check.more if on else None))
        self.check.same_scale_wanted.connect(self.more.fields.use_same_scale)
        self.check.own_scales_wanted.connect(self.more.fields.use_own_scales)
        self.selected.scale_wanted.connect(lambda: self.scale_setting.begin())
        self.selected.exclude_wanted.connect(self._on_exclude)
        self.color.use_only_wanted.connect(lambda: self.windows.use_only())
        self.scope.excluded_wanted.connect(self.windows.excluded)
        self.scope.map_wanted.connect(lambda: self.wishes.make_map_of_used(self.more.layout_chosen))
        self.map.menu_wished.connect(self.menus.show_at)
        self.map.exclude_wished.connect(self.menus.ask_reason_at)
        self._lanes.failed.connect(self._on_failure)
        self._lanes.busy_changed.connect(self._on_busy)
        listen(self, self.session.atlas_changed, self._on_atlas)
        listen(self, self.session.map_changed, self._on_map)
        listen(self, self.session.tables.changed, self._on_joined)
        listen(self, self.session.growing.grown, self._on_grown)
        listen(self, self.session.warned, self._on_warned)
        listen(self, self.session.scope.changed, self.heights.share)
        listen(self, self.session.selection.changed, lambda _: self.notice.make_room())
        self.viewer.events.theme.connect(self._on_theme)

    # ------------------------------------------------------------------ show

    def _on_theme(self, event: object = None) -> None:
        theme = get_theme(self.viewer.theme)
        self.setStyleSheet(stylesheet(theme))
        self.below.show_theme(theme)
        self.comparisons.show_theme(theme)
        self.map.set_theme(theme.type == "dark", theme.background.as_rgb_tuple(alpha=False))

    def _on_atlas(self, atlas: Atlas) -> None:
        self.start.setVisible(not len(atlas))
        self.start.show_recent()
        self.header.setVisible(len(atlas) > 0)
        self._show_check()
        self.more.fields.show_atlas(atlas, self.session.windows.cut_by)
        self._show_duration()
        if len(atlas):
            self._warm_up()

    def _on_map(self, shown: Map | None) -> None:
        has_map = self.heights.has_map = shown is not None
        self.header.show_foldable(has_map)
        if has_map != self._had_map:
            self._had_map = has_map
            self.header.show_folded(has_map)
            if has_map:
                self.session.run(bring_in, lane="gallery", done=lambda _: None)
        self.check.show_made(has_map)
        self._show_check()  # the card goes before the map comes: for both napari's window may have to grow, for good
        self.body.show_map(has_map)
        for widget in (self.color, self.map, self.tabs):
            widget.setVisible(has_map)
        self.heights.share()

    def _show_check(self) -> None:
        shown = len(self.session.atlas) > 0 and not self.header.is_folded
        if shown and self.check_area.isHidden():
            self.check_area.bring_up()
        self.check_area.setVisible(shown)
        self.heights.share()

    def _on_more(self) -> None:
        self.check.show_one_scale(self.more.fields.same_scale)
        self._show_duration()
        self.heights.share()

    def _show_duration(self) -> None:
        atlas, backbone, recipe = self.session.atlas, self.more.backbone, self.more.recipe
        n, squares = squares_for(atlas, recipe, self.more.fields.cut)
        seconds = seconds_for_map(n, BACKBONES.name_of(backbone), round(int(recipe.views) * squares))
        self.check.show_duration(spoken(seconds) if len(atlas) else "")

    def _on_busy(self, lane: str, busy: bool) -> None:
        if lane in ("statistics", "where") and not busy:
            self.property.show_idle()
        if lane in ("comparing", "where") and not busy:
            self.comparisons.show_idle()
        if lane == "report" and not busy:
            self.property.report.show_busy(False)
        if lane == "reliability":
            self.samples.show_busy(busy)
        if lane == "build":
            self.progress.show_busy(busy)
            self.check.show_busy(busy)
            if busy:
                self.notice.hide()
            self.heights.share()

    def _on_failure(self, sentence: str) -> None:
        details = self._lanes.details
        self.notice.tell_failure(sentence, (lambda: self.windows.details(details)) if details else None)

    def _on_joined(self, joined: Joined | None) -> None:
        if joined is None:
            return
        match = joined.match
        all_fit = not (len(match.unmatched_micrographs) or len(match.unmatched_rows) or match.repeated)
        if not (all_fit and self.check_area.isVisible()):  # where the card says it
            self.notice.tell(joined.sentence, "List them", self.windows.unmatched, in_passing=all_fit)

    def _on_grown(self, growth: Growth) -> None:
        if len(growth.gone):  # "Make map of these" stands above the map
            self._on_warned(growth.sentence)
            return
        act = partial(self.wishes.make_map_of_used, self.more.layout_chosen)
        self.notice.tell(growth.sentence, "Make map again", act if len(growth.new) and self.session.map else None)

    def _on_warned(self, said: str) -> None:
        self.wishes.tell_of_session(said, self.notice.tell)
        if self.gallery.mode == "gallery" and not self.session.growing.images_missing:  # they may have been found
            self.gallery.show(self.gallery.page)

    # ------------------------------------------------------------------ ask

    def make_map(self) -> None:
        """Make the map as *More* says."""
        self.wishes.cut(self.more.fields.cut)
        self.wishes.make_map(self.more.backbone, self.more.recipe, self.more.layout_chosen)

    def _on_exclude(self) -> None:
        button = self.selected.exclude
        place = button.mapToGlobal(button.rect().bottomLeft())
        self.menus.ask_reason_at(self.session.selection.rows, place)

    def _warm_up(self) -> None:
        """Start the layout process while the user still looks around; its compiler takes a while."""
        if usual_layout(len(self.session.atlas)).holds_gil:
            self.session.workshop.warm()

    # ------------------------------------------------------------------ drops, size, end

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if paths_in(event.mimeData()):
            event.acceptProposedAction()
            self.start.zone.show_dropping(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget what was held over the dock."""
        self.start.zone.show_dropping(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped, when the drop itself is over."""
        self.start.zone.show_dropping(False)
        paths = paths_in(event.mimeData())
        event.acceptProposedAction()
        QTimer.singleShot(0, lambda: self.wishes.open_dropped(paths))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the map's share."""
        super().resizeEvent(event)
        self.heights.share()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Show where the Tab key has come to."""
        left = QApplication.focusWidget()
        moved = bool(super().focusNextPrevChild(forward))
        self.ring.follow(left)
        return moved

    def sizeHint(self) -> QSize:
        """Ask for a width at which all words have room."""
        return QSize(380, 720)

    def event(self, event: QEvent) -> bool:
        """Notice that napari takes the dock out of its window: it closes docks by that."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._was_docked = True
            elif self._was_docked:
                QTimer.singleShot(0, self._retire_if_alone)
        return bool(super().event(event))

    def _retire_if_alone(self) -> None:
        if self.parent() is None and not self._retired:
            self.retire()
            self.deleteLater()

    def retire(self) -> None:
        """End all work and give the viewer back; the session stays for the next dock."""
        self._retired = True
        self.viewer.events.theme.disconnect(self._on_theme)
        self._lanes.failed.disconnect(self._on_failure)
        self._lanes.busy_changed.disconnect(self._on_busy)
        self._links.dispose()
        self.below.close()
        self.comparisons.close()
        self.scale_setting.end()
        self.gallery.dispose()
        rest(self.session)
