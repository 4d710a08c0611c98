"""Color the map by a measured property, and save figures for paper."""

from pathlib import Path

from napari_micromap.session import Session
from napari_micromap.sharing import Snapshot, save_figure_of
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

s = Session()
s.open(Folder(Path("films")))
s.tables.add("jc.csv")  # one row a film
s.make_map()
s.color_by = "Jc (MA/cm²)"
finish(save_figure_of(Snapshot.of(s), "map.svg", width_mm=85))
finish(save_figure_of(Snapshot.of(s), "map with images.pdf", width_mm=170, pictures=True))
