"""What the microscope wrote: pixels, data bar, headers."""

from napari_micromap.microscopy.fei import read_fei
from napari_micromap.microscopy.header import Vendor
from napari_micromap.microscopy.hitachi import read_hitachi
from napari_micromap.microscopy.imagej import read_imagej, read_ome
from napari_micromap.microscopy.jeol import read_jeol
from napari_micromap.microscopy.olympus import read_olympus
from napari_micromap.microscopy.phenom import read_phenom
from napari_micromap.microscopy.tescan import read_tescan
from napari_micromap.microscopy.zeiss import read_zeiss

# The first that knows the file speaks for it: what the microscope wrote into it, what it wrote beside it, and last what
# other programs wrote.
VENDORS: tuple[Vendor, ...] = (
    read_fei,
    read_phenom,
    read_zeiss,
    read_olympus,
    read_tescan,
    read_hitachi,
    read_jeol,
    read_ome,
    read_imagej,
)
