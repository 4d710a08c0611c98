"""Take new images of a folder into a saved map; the old dots stay where they are."""

from pathlib import Path

from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder

s = Session()
s.restore("films.micromap")
before = len(s.atlas)
s.grow(Folder(Path("films")))  # only what is new is embedded
print(len(s.atlas) - before, "new images")
s.save()
