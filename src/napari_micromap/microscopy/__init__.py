"""What the microscope wrote: pixels, data bar, headers."""

from napari_micromap.microscopy.fei import read_fei
from napari_micromap.microscopy.header import Vendor
from napari_micromap.microscopy.olympus import read_olympus
from napari_micromap.microscopy.zeiss import read_zeiss

# The first that knows the file speaks for it.
VENDORS: tuple[Vendor, ...] = (
    read_fei,
    read_zeiss,
    read_olympus,
)
