"""Scale, data bar and conditions, as each vendor writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_micromap.microscopy.header import Header
from napari_micromap.microscopy.pixels import read_header
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 160), np.uint8)

TESCAN = """[MAIN]
Date=2015-01-30
Time=14:55:12
Device=TESCAN MIRA3
Magnification=10000
PixelSizeX=2.5e-08
PixelSizeY=2.6e-08
ImageStripSize=20
[SEM]
Detector=SE
HV=15000
WD=0.0051
"""
HITACHI = """[SemImageFile]
InstructName=SU8200
SerialNumber=0001
Date=11/17/2015
Time=14:55:12
DataSize=160x120
PixelSize=9.921875
SignalName=SE(UL)
AcceleratingVoltage=5000 Volt
Magnification=10000
WorkingDistance=4500 um
MicronMarker=500
"""
JEOL = """$CM_FORMAT JEOL
$CM_INSTRUMENT JSM-7001F
$CM_SIGNAL SEI
$CM_DATE 2015/06/17
$CM_TIME 10:00:01
$CM_MAG 2000
$CM_ACCEL_VOLT 15.0
$CM_FULL_SIZE 160 104
$$SM_WD 10.0
$$SM_MICRON_BAR 50
$$SM_MICRON_MARKER 1um
"""
PHENOM = """<?xml version="1.0"?><FeiImage>
<pixelWidth unit="um">0.034</pixelWidth><pixelHeight unit="um">0.034</pixelHeight>
<databarHeight>16</databarHeight><time>2016-03-04T05:06:07</time>
<acquisition><scan><highVoltage unit="kV">-10</highVoltage><detector>BSD Full</detector></scan>
<magnification>7900</magnification><workingDistance unit="mm">4.2</workingDistance></acquisition>
</FeiImage>"""


def written(folder: Path, sidecar: str | None = None, text: str = "", **tiff: Any) -> Header:
    path = folder / "film 01.tif"
    tifffile.imwrite(path, PICTURE, **tiff)
    if sidecar is not None:
        (folder / sidecar).write_bytes(text.encode("latin-1"))
    return read_header(path)


def tag(code: int, text: str) -> dict[str, Any]:
    data = text.encode("latin-1")
    return {"extratags": [(code, 7, len(data), data, True)]}


def test_a_tescan_file_beside_the_picture_tells_scale_and_strip(tmp_path: Path) -> None:
    header = written(tmp_path, "film 01-tif.hdr", TESCAN)
    assert (header.vendor, header.instrument, header.detector) == ("Tescan", "TESCAN MIRA3", "SE")
    assert header.um_per_px == pytest.approx(0.025)
    assert header.um_per_px_y == pytest.approx(0.026)
    assert header.bar_rows == 20
    assert (header.kv, header.working_distance_mm) == (15.0, pytest.approx(5.1))
    assert header.date == "2015-01-30T14:55:12"
    assert header.origins["um_per_px"] == "Tescan .hdr PixelSizeX"


def test_a_tescan_tag_has_a_binary_prefix_and_no_sections(tmp_path: Path) -> None:
    plain = "\n".join(line for line in TESCAN.splitlines() if not line.startswith("["))
    header = written(tmp_path, **tag(50431, f"\x01\x02\x00\x7f{plain}\0"))
    assert header.um_per_px == pytest.approx(0.025)
    assert header.bar_rows == 20
    assert header.origins["bar_rows"] == "Tescan tag ImageStripSize"


def test_a_hitachi_file_beside_the_picture_tells_the_scale_in_nanometers(tmp_path: Path) -> None:
    header = written(tmp_path, "film 01.TXT", HITACHI)
    assert header.vendor == "Hitachi"
    assert header.um_per_px == pytest.approx(0.009921875)
    assert header.bar_rows is None
    assert (header.kv, header.working_distance_mm, header.magnification) == (5.0, 4.5, 10_000.0)
    assert header.date == "2015-11-17T14:55:12"


def test_an_old_hitachi_file_gives_the_scale_by_its_magnification(tmp_path: Path) -> None:
    header = written(tmp_path, "film 01.txt", HITACHI.replace("PixelSize=9.921875\n", ""))
    assert header.um_per_px == pytest.approx(127_000 / (10_000 * 160))
    assert header.origins["um_per_px"].endswith("Magnification")


@pytest.mark.parametrize("prefix", ["$", "$$"])
def test_a_jeol_file_gives_the_scale_by_its_bar(prefix: str, tmp_path: Path) -> None:
    header = written(tmp_path, "film 01.txt", JEOL.replace("$$SM", f"{prefix}SM"))
    assert header.vendor == "JEOL"
    assert header.um_per_px == pytest.approx(1 / 50)
    assert header.bar_rows == 16
    assert (header.kv, header.detector, header.magnification) == (15.0, "SEI", 2000.0)
    assert header.date == "2015-06-17T10:00:01"


def test_a_jeol_file_that_tells_the_pixel_size_and_the_panel_is_believed(tmp_path: Path) -> None:
    header = written(tmp_path, "film 01.txt", f"{JEOL}$CM_PIXEL_SIZE 25nm\n$$SM_PNU_HEIGHT 12\n")
    assert header.um_per_px == pytest.approx(0.025)
    assert header.bar_rows == 12


def test_a_phenom_tag_tells_scale_bar_and_conditions(tmp_path: Path) -> None:
    header = written(tmp_path, **tag(34683, PHENOM))
    assert header.vendor == "Phenom"
    assert header.um_per_px == pytest.approx(0.034)
    assert header.bar_rows == 16
    assert (header.kv, header.detector, header.magnification) == (10.0, "BSD Full", 7900.0)
    assert header.working_distance_mm == pytest.approx(4.2)


def test_xml_that_could_grow_without_bound_is_not_read(tmp_path: Path) -> None:
    bomb = PHENOM.replace("<FeiImage>", '<!DOCTYPE x [<!ENTITY a "aaaa">]><FeiImage>', 1)
    assert written(tmp_path, **tag(34683, bomb)).um_per_px is None


def test_imagej_tells_the_scale_only_with_a_unit_of_length(tmp_path: Path) -> None:
    calibrated = written(tmp_path, imagej=True, resolution=(20.0, 20.0), metadata={"unit": "um"})
    assert (calibrated.vendor, calibrated.um_per_px) == ("ImageJ", pytest.approx(0.05))
    for unit in ("inch", "pixel", ""):
        assert written(tmp_path, imagej=True, resolution=(96.0, 96.0), metadata={"unit": unit}).um_per_px is None


def test_ome_tells_scale_in_any_unit(tmp_path: Path) -> None:
    path = tmp_path / "film.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": 12.5, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 12.5}
    tifffile.imwrite(path, PICTURE, ome=True, metadata=metadata)
    header = read_header(path)
    assert (header.vendor, header.um_per_px) == ("OME-TIFF", pytest.approx(0.0125))


def test_a_text_of_something_else_beside_the_picture_says_nothing(tmp_path: Path) -> None:
    for text in ("", "PixelSize=3", "notes: looks good = yes", "[SemImageFile", "\xff\xfe\x00", "$CM_ nothing"):
        header = written(tmp_path, "film 01.txt", text)
        assert header.vendor is None and header.um_per_px is None and header.bar_rows is None


@pytest.mark.parametrize("value", ["", "notafloat", "-1", "0", "nan", "1e99"])
def test_values_that_are_none_leave_the_field_empty(value: str, tmp_path: Path) -> None:
    header = written(
        tmp_path, "film 01.hdr", TESCAN.replace("2.5e-08", value).replace("StripSize=20", f"StripSize={value}")
    )
    assert header.um_per_px is None
    assert header.bar_rows in (None, 0)


def test_a_folder_of_three_vendors_fills_the_columns(tmp_path: Path) -> None:
    for name, sidecar, text in (("a", ".hdr", TESCAN), ("b", ".txt", HITACHI), ("c", ".txt", JEOL)):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.roll(PICTURE, ord(name), 1))
        (tmp_path / f"{name}{sidecar}").write_text(text)
    atlas = finish(Folder(tmp_path)())
    assert atlas.columns["vendor"].tolist() == ["Tescan", "Hitachi", "JEOL"]
    assert atlas.columns["um_per_px"].tolist() == pytest.approx([0.025, 0.009921875, 0.02])
    assert atlas.columns["kv"].tolist() == [15.0, 5.0, 15.0]
    assert not atlas.unreadable
