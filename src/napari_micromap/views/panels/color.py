"""By which column the map is colored."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.session import Session
from napari_micromap.views.controls import Choice, ChoiceBox, field_name, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import examples, title_of

_GROUPS = (("property",), ("sample",), ("processing", "batch", "other"), ("imaging",))


class ColorPanel(QWidget):
    """A combo box of the columns that can color the map."""

    use_only_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.box = ChoiceBox(self._choices)
        self.use_only = push(
            "Use only…",
            self.use_only_wanted.emit,
            "Restrict map, gallery, counts and tests: to a magnification, a detector, a range …",
        )
        color = field_name("Color", "The column whose values color the dots")
        self.setLayout(side_by_side(color, self.box, self.use_only))
        self.box.picked.connect(self._on_pick)
        listen(self, session.color_changed, self._on_color)
        listen(self, session.atlas_changed, lambda _: self._on_color(session.color_by))
        self._on_color(session.color_by)

    def _on_color(self, column: str | None) -> None:
        if column is None:
            self.box.show_choice(Choice("nothing"))
        else:
            self.box.show_choice(Choice(title_of(column), column, _tip(self._session.atlas, column)))

    def _choices(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        yield Choice("nothing", None, "All dots alike")
        for roles in _GROUPS:
            names = [name for name in colorable(atlas) if _role(atlas, name) in roles]
            if names:
                yield Choice("")
            for name in names:
                yield Choice(title_of(name), name, _tip(atlas, name))

    def _on_pick(self, column: str | None) -> None:
        self._session.color_by = column


def colorable(atlas: Atlas) -> list[str]:
    """Return the columns that tell micrographs apart, but not each from every other by its name."""
    return [str(name) for name in atlas.columns if name != "file" and atlas.columns[name].nunique() > 1]


def _role(atlas: Atlas, name: str) -> str:
    return atlas.roles.get(name) or ("imaging" if name in OWN_COLUMNS and name != "folder" else "other")


def _tip(atlas: Atlas, name: str) -> str:
    column = atlas.columns[name]
    missing = int(column.isna().sum())
    said = f"{title_of(name)}: {examples(column)}"
    if missing:
        said += f"\nmissing for {missing:,} of {len(column):,} images"
    if name in atlas.synthetic:
        said += "\nsynthetic: made up by a generator, not measured"
    return said
