"""Select what lies together on a saved map, and export it: as a table, as a figure, as a page for others."""

from napari_micromap.session import Session
from napari_micromap.sharing import Snapshot, save_figure_of, save_page
from napari_micromap.work import finish

s = Session()
s.restore("films.micromap")
s.select_similar(row=0, count=5)  # or s.selection.replace(rows), or a lasso in napari
s.name_selection("coarse")
s.export_rows("coarse.csv")
finish(save_figure_of(Snapshot.of(s), "coarse.png", what="gallery", width_mm=170))
print(finish(save_page(Snapshot.of(s), "films.html")).sentence)
