"""Pictures of made-up films as files: data bar, pixel size, and that they are made up."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 480, 640  # of the specimen
BAR_ROWS = 40
UM_PER_PX = 0.02
MAGNIFICATION = 10_000
KV = 5.0
WORKING_DISTANCE_MM = 5.1
SCALE_BAR_UM = 2
DEPTH = 64  # gray values are multiples of it: the detector gives 10 of the 16 bits, and files stay small

# Physical size and origin in the form that most programs read (OME-XML).
_DESCRIPTION = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
    'Creator="napari-micromap"><Image ID="Image:0" Name="{name}"><Description>Synthetic: a made-up film surface, not a '
    'micrograph of a specimen.</Description><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{width}" '
    'SizeY="{height}" SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="{size}" PhysicalSizeXUnit="µm" '
    'PhysicalSizeY="{size}" PhysicalSizeYUnit="µm"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" '
    'PlaneCount="1"/></Pixels></Image></OME>'
)


def as_tiff(specimen: NDArray[np.uint16], name: str) -> bytes:
    """Return a picture of (h, w) with its data bar as the content of a TIFF file."""
    import tifffile

    picture = np.vstack([specimen // DEPTH * DEPTH, data_bar(name)])
    description = _DESCRIPTION.format(name=name, height=picture.shape[0], width=picture.shape[1], size=UM_PER_PX)
    stream = BytesIO()
    tifffile.imwrite(
        stream, picture, photometric="minisblack", compression="zlib", compressionargs={"level": 3},
        description=description.encode(), metadata=None, software="napari-micromap",
    )  # fmt: skip
    return stream.getvalue()


def data_bar(name: str) -> NDArray[np.uint16]:
    """Draw the bar below a picture: name, settings, scale bar; (rows, w)."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    bar = Image.new("L", (WIDTH, BAR_ROWS))
    draw = ImageDraw.Draw(bar)
    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 12)  # has the µ
    settings = f"SE   {KV:.1f} kV   {MAGNIFICATION // 1000} kx   WD {WORKING_DISTANCE_MM} mm"
    draw.text((10, 4), name, 255, font)
    draw.text((10, 21), settings, 255, font)
    draw.text((WIDTH - 10, 4), "synthetic film", 255, font, anchor="ra")
    left, right, middle = 330, 330 + round(SCALE_BAR_UM / UM_PER_PX), BAR_ROWS // 2
    draw.line((left, middle, right, middle), 255, 2)
    for end in (left, right):
        draw.line((end, middle - 6, end, middle + 6), 255, 1)
    draw.text((right + 8, middle), f"{SCALE_BAR_UM} µm", 255, font, anchor="lm")
    return np.asarray(bar).astype(np.uint16) * np.uint16(257)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or not there."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
