"""Map a folder of micrographs, and keep the map to go on in napari."""

from pathlib import Path

from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder

s = Session()
s.open(Folder(Path("films")))  # subfolders too; the sample is guessed from names and folders
s.make_map()
s.save("films.micromap")  # drop it on the dock, or: micromap open films.micromap
print(s.atlas.columns.assign(x=s.map.positions[:, 0], y=s.map.positions[:, 1]))
