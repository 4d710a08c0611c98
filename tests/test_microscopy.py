"""What microscopes write: pixels, headers, data bars."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ImageDraw import Draw

from napari_micromap.microscopy.bar import FROM_PIXELS, Bar, agreed_bar, find_bar
from napari_micromap.microscopy.cropping import crop_bar
from napari_micromap.microscopy.pixels import read_header, read_pixels
from napari_micromap.problems import Unreadable

RANDOM = np.random.default_rng(7)
GRAY = RANDOM.integers(0, 256, (48, 64)).astype(np.uint8)
DEEP = RANDOM.integers(0, 65536, (48, 64)).astype(np.uint16)
COLOR = RANDOM.integers(0, 256, (48, 64, 3)).astype(np.uint8)
RAMP = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))  # the gray ramp of a TIFF palette
SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2


def tiff(pixels: Any, **kwargs: Any) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, pixels, **kwargs)


def plain(image: Image.Image, kind: str, **kwargs: Any) -> Callable[[Path], None]:
    return lambda path: image.save(path, kind, **kwargs)


def with_overlay() -> Any:
    """Return a ramp in which some entries are overlay colors, as Zeiss marks measurements."""
    palette = RAMP.copy()
    palette[:, 9:109:9] = np.array([[65535], [0], [0]])
    return palette


FLOATS = DEEP.astype(np.float32) / 7 - 100
FLOATS[3, 4] = np.nan
CMYK = np.dstack([COLOR, GRAY // 2])
MULTIPLIED = np.rint((255 - COLOR.astype(float)) * (255 - GRAY // 2)[..., None] / 255)

# Name: how it is written, and what must be read.
EXACT: dict[str, tuple[Callable[[Path], None], Any]] = {
    "gray.tif": (tiff(GRAY), GRAY),
    "deep.tif": (tiff(DEEP), DEEP),
    "signed.tif": (tiff(DEEP.astype(np.int16)), DEEP.astype(np.int16)),
    "int32.tif": (tiff(DEEP.astype(np.int32) - 40000), DEEP.astype(np.int32) - 40000),
    "float.tif": (tiff(FLOATS), FLOATS),
    "double.tif": (tiff(FLOATS.astype(np.float64)), FLOATS.astype(np.float64)),
    "half.tif": (tiff(GRAY.astype(np.float16)), GRAY.astype(np.float16)),
    "bits.tif": (tiff(GRAY > 99, photometric="minisblack"), np.where(GRAY > 99, 255, 0).astype(np.uint8)),
    "white-is-zero-bits.tif": (tiff(GRAY > 99, photometric="miniswhite"), np.where(GRAY > 99, 0, 255).astype(np.uint8)),
    "white-is-zero.tif": (tiff(GRAY, photometric="miniswhite"), 255 - GRAY),
    "big-endian.tif": (tiff(DEEP, byteorder=">"), DEEP),
    "bigtiff.tif": (tiff(DEEP, bigtiff=True), DEEP),
    "shifted.tif": (tiff(GRAY.astype(np.uint16) << 8), GRAY.astype(np.uint16) << 8),
    "lzw.tif": (tiff(DEEP, compression="lzw", predictor=True, rowsperstrip=7), DEEP),
    "tiled.tif": (tiff(DEEP, compression="zlib", tile=(16, 32)), DEEP),
    "rgb.tif": (tiff(COLOR, photometric="rgb"), COLOR),
    "rgba.tif": (tiff(np.dstack([COLOR, GRAY]), photometric="rgb", extrasamples=["unassalpha"]), COLOR),
    "deep-rgb.tif": (tiff(COLOR.astype(np.uint16) * 200, photometric="rgb"), COLOR.astype(np.uint16) * 200),
    "planar.tif": (tiff(np.moveaxis(COLOR, -1, 0), photometric="rgb", planarconfig="separate"), COLOR),
    "gray-as-rgb.tif": (tiff(np.dstack([GRAY] * 3), photometric="rgb"), GRAY),
    "cmyk.tif": (tiff(CMYK, photometric="separated"), MULTIPLIED.astype(np.uint8)),
    "palette-ramp.tif": (tiff(GRAY, photometric="palette", colormap=RAMP), GRAY),
    "palette-overlay.tif": (tiff(GRAY, photometric="palette", colormap=with_overlay()), GRAY),
    "palette-inverted.tif": (tiff(GRAY, photometric="palette", colormap=RAMP[:, ::-1]), 255 - GRAY),
    "palette-color.tif": (
        tiff(GRAY, photometric="palette", colormap=np.stack([RAMP[0], RAMP[0, ::-1], RAMP[0] // 2])),
        np.dstack([GRAY, 255 - GRAY, GRAY // 2]),
    ),
    "turned.tif": (tiff(GRAY, extratags=[(274, "H", 1, 6, True)]), np.rot90(GRAY, -1)),
    "gray.png": (plain(Image.fromarray(GRAY), "PNG"), GRAY),
    "deep.png": (plain(Image.fromarray(DEEP), "PNG"), DEEP),
    "color.png": (plain(Image.fromarray(COLOR), "PNG"), COLOR),
    "alpha.png": (plain(Image.fromarray(np.dstack([COLOR, GRAY])), "PNG"), COLOR),
    "gray-alpha.png": (plain(Image.fromarray(np.dstack([GRAY, GRAY])), "PNG"), GRAY),
    "bits.png": (plain(Image.fromarray(GRAY > 99), "PNG"), np.where(GRAY > 99, 255, 0).astype(np.uint8)),
    "gray.bmp": (plain(Image.fromarray(GRAY), "BMP"), GRAY),
    "color.bmp": (plain(Image.fromarray(COLOR), "BMP"), COLOR),
    "color.webp": (plain(Image.fromarray(COLOR), "WEBP", lossless=True), COLOR),
    "gray.gif": (plain(Image.fromarray(GRAY), "GIF"), GRAY),
    "deep.pgm": (plain(Image.fromarray(DEEP), "PPM"), DEEP),
    "lossless.jp2": (plain(Image.fromarray(GRAY), "JPEG2000"), GRAY),
}


@pytest.mark.parametrize("name", EXACT)
def test_pixels_of_every_kind_are_read_as_they_are_stored(name: str, tmp_path: Path) -> None:
    write, expected = EXACT[name]
    write(tmp_path / name)
    read = read_pixels(tmp_path / name)
    assert read.dtype == expected.dtype
    np.testing.assert_array_equal(read, expected)
    header = read_header(tmp_path / name)
    assert (header.height, header.width) == expected.shape[:2]
    assert header.pages == 1
    if name not in ("palette-color.tif",):
        assert header.dtype == str(expected.dtype)


def test_sixteen_bit_color_in_a_png_keeps_its_depth(tmp_path: Path) -> None:
    import imagecodecs

    deep = COLOR.astype(np.uint16) * 251
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(deep))
    np.testing.assert_array_equal(read_pixels(tmp_path / "deep.png"), deep)
    assert read_header(tmp_path / "deep.png").dtype == "uint16"


@pytest.mark.parametrize("name", ["jpeg", "jpeg-in-tiff", "gray-jpeg", "cmyk-jpeg"])
def test_lossy_files_come_close(name: str, tmp_path: Path) -> None:
    color = np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]])
    path = tmp_path / f"{name}.jpg"
    if name == "jpeg-in-tiff":
        tifffile.imwrite(path, color, photometric="rgb", compression="jpeg", compressionargs={"level": 98})
    elif name == "cmyk-jpeg":
        Image.fromarray(color).convert("CMYK").save(path, "JPEG", quality=98)
    else:
        Image.fromarray(SMOOTH if name == "gray-jpeg" else color).save(path, "JPEG", quality=98, subsampling=0)
    expected = SMOOTH if name == "gray-jpeg" else color
    assert np.abs(read_pixels(path).astype(int) - expected).mean() < 4


def test_a_picture_stands_as_its_orientation_says(tmp_path: Path) -> None:
    marked = np.zeros((40, 60), np.uint8)
    marked[:20, :20] = 200
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[274] = orientation
        Image.fromarray(marked).save(tmp_path / "turned.png", exif=exif)
        from PIL import ImageOps

        with Image.open(tmp_path / "turned.png") as image:
            upright = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(read_pixels(tmp_path / "turned.png"), upright)
        header = read_header(tmp_path / "turned.png")
        assert (header.height, header.width) == upright.shape


def test_a_palette_png_gives_gray_where_it_is_gray_and_color_where_it_is_not(tmp_path: Path) -> None:
    indexed = Image.fromarray(GRAY)
    indexed = indexed.convert("P")
    indexed.save(tmp_path / "ramp.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "ramp.png"), GRAY)
    colors = np.random.default_rng(1).integers(0, 256, (256, 3)).astype(np.uint8)
    indexed.putpalette(colors.tobytes())
    indexed.save(tmp_path / "colors.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "colors.png"), colors[GRAY])


def test_each_page_is_a_picture_of_its_own_and_thumbnails_are_none(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        writer.write(GRAY)
        writer.write(GRAY[::4, ::4], subfiletype=1)
        writer.write(DEEP)
    assert read_header(tmp_path / "pages.tif").pages == 2
    np.testing.assert_array_equal(read_pixels(tmp_path / "pages.tif", 0), GRAY)
    np.testing.assert_array_equal(read_pixels(tmp_path / "pages.tif", 2), DEEP)
    with pytest.raises(Unreadable, match="no page 2"):
        read_pixels(tmp_path / "pages.tif", 1)


def test_an_imagej_stack_is_read_slice_by_slice_also_where_only_its_first_has_a_page(tmp_path: Path) -> None:
    stack = np.random.default_rng(2).integers(0, 65536, (5, 48, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True)
    data = bytearray((tmp_path / "stack.tif").read_bytes())
    (tmp_path / "one.tif").write_bytes(_without_further_pages(data))
    for name in ("stack.tif", "one.tif"):
        assert read_header(tmp_path / name).pages == 5
        for number in (0, 3, 4):
            np.testing.assert_array_equal(read_pixels(tmp_path / name, number), stack[number])


def _without_further_pages(data: bytearray) -> bytes:
    order = "<" if data[:2] == b"II" else ">"
    first = struct.unpack_from(order + "I", data, 4)[0]
    tags = struct.unpack_from(order + "H", data, first)[0]
    struct.pack_into(order + "I", data, first + 2 + 12 * tags, 0)
    return bytes(data)


# ------------------------------------------------------------ what cannot be read


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    Image.fromarray(GRAY).save(tmp_path / "really-png.tif", "PNG")
    np.testing.assert_array_equal(read_pixels(tmp_path / "really-png.tif"), GRAY)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.tif", b"", "empty"),
        ("text.tif", b"Jc in MA/cm2 of all films", "not a picture"),
        ("text.png", b"Jc in MA/cm2 of all films", "not a picture"),
        ("head.tif", b"II*\0", "incomplete or damaged"),
        ("head.png", b"\x89PNG\r\n\x1a\n", "incomplete or damaged"),
        ("head.jpg", b"\xff\xd8\xff\xe0", "incomplete or damaged|not a picture"),
    ],
)
def test_what_is_no_picture_is_named_with_one_reason(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as raised:
        read_pixels(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not there any more"):
        read_pixels(tmp_path / "gone.tif")
    with pytest.raises(Unreadable):
        read_pixels(tmp_path)


@pytest.mark.parametrize(
    "name", ["gray.tif", "lzw.tif", "tiled.tif", "rgb.tif", "gray.png", "color.bmp", "color.webp", "jpeg"]
)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_was_cut_off_is_never_read_as_black(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "jpeg":
        Image.fromarray(COLOR).save(path, "JPEG")
    elif name == "lzw.tif":  # the directory first, so that only pixels are missing
        tifffile.imwrite(path, DEEP, compression="lzw", rowsperstrip=7)
    else:
        EXACT[name][0](path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Unreadable):
        read_pixels(path)


def test_a_picture_that_would_not_fit_into_memory_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 50000, 50000, 8, 0, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 50001)))
    tifffile.imwrite(tmp_path / "bomb.tif", GRAY, compression="zlib")
    with tifffile.TiffFile(tmp_path / "bomb.tif", mode="r+") as file:
        file.pages.first.tags["ImageWidth"].overwrite(40000)
        file.pages.first.tags["ImageLength"].overwrite(40000)
    for name in ("bomb.png", "bomb.tif"):
        with pytest.raises(Unreadable, match="the limit is 512 MB"):
            read_pixels(tmp_path / name)


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"data": np.zeros((8, 8), np.complex64)}, "no picture"),
        ({"data": np.zeros((8, 9, 5), np.uint8), "photometric": "minisblack", "planarconfig": "contig"}, "5 channels"),
        (
            {
                "data": np.zeros((16, 16, 16), np.uint8),
                "volumetric": True,
                "tile": (16, 16, 16),
                "photometric": "minisblack",
            },
            "volume",
        ),
    ],
)
def test_numbers_that_are_no_picture_are_refused(kwargs: dict[str, Any], reason: str, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "other.tif", **kwargs)
    with pytest.raises(Unreadable, match=reason):
        read_pixels(tmp_path / "other.tif")


@pytest.mark.filterwarnings("ignore")  # decoders may warn of damage; it must not stop them otherwise
def test_damaged_files_are_read_or_named_whatever_the_damage(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    names = ["lzw.tif", "tiled.tif", "palette-color.tif", "rgb.tif", "gray.png", "color.bmp", "color.webp", "gray.gif"]
    for name in names:
        path = tmp_path / name
        EXACT[name][0](path)
        sound = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(25):
            damaged = sound.copy()
            at = random.integers(
                0, len(sound) if random.random() < 0.5 else min(300, len(sound)), random.integers(1, 9)
            )
            damaged[at] = random.integers(0, 256, len(at))
            path.write_bytes(damaged.tobytes())
            try:
                pixels = read_pixels(path)
                read_header(path)
            except Unreadable as reason:
                assert str(reason).endswith(".")
            else:
                assert pixels.ndim in (2, 3)


# ------------------------------------------------------------ headers


def test_print_resolution_is_never_a_pixel_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "print.tif", GRAY, resolution=(300, 300), resolutionunit="INCH")
    Image.fromarray(GRAY).save(tmp_path / "print.jpg", dpi=(300, 300))
    assert read_header(tmp_path / "print.tif").um_per_px is None
    assert read_header(tmp_path / "print.jpg").um_per_px is None


FEI = """[User]\r\nDate=10/25/2023\r\nTime=02:31:07 PM\r\n[System]\r\nSystemType=Helios\r\n[Beam]\r\nHV=5000\r\n
[Scan]\r\nPixelWidth=2.5e-008\r\nPixelHeight=2.5e-008\r\n[Stage]\r\nWorkingDistance=0.0041\r\n
[Image]\r\nResolutionX=64\r\nResolutionY=40\r\n[PrivateFei]\r\nDatabarHeight=0\r\n
[Detectors]\r\nNumber=1\r\nName=TLD\r\n[TLD]\r\nMode=SE\r\n"""


def write_fei(path: Path, said: str, pixels: Any = GRAY) -> None:
    tifffile.imwrite(path, pixels, metadata=None, extratags=[(34682, "s", 0, said, True)])


def test_a_fei_header_tells_scale_and_bar(tmp_path: Path) -> None:
    write_fei(tmp_path / "fei.tif", FEI)
    header = read_header(tmp_path / "fei.tif")
    assert header.vendor == "FEI"
    assert header.um_per_px == pytest.approx(0.025)
    assert header.bar_rows == 8  # not DatabarHeight, which says 0
    assert (header.kv, header.working_distance_mm) == pytest.approx((5.0, 4.1))
    assert (header.detector, header.instrument) == ("TLD SE", "Helios")
    assert header.date == "2023-10-25T14:31:07"
    assert header.origins["um_per_px"] == "[Scan] PixelWidth"


@pytest.mark.parametrize("value", ["", "notafloat", "nan", "inf", "-1", "0"])
def test_fei_values_that_are_no_numbers_leave_the_field_empty(value: str, tmp_path: Path) -> None:
    said = FEI.replace("PixelWidth=2.5e-008", f"PixelWidth={value}").replace("HV=5000", f"HV={value}")
    write_fei(tmp_path / "fei.tif", said.replace("ResolutionY=40", f"ResolutionY={value}"))
    header = read_header(tmp_path / "fei.tif")
    assert (header.um_per_px, header.kv, header.bar_rows) == (None, None, None)
    assert header.vendor == "FEI"


def test_a_navigation_camera_has_no_scale(tmp_path: Path) -> None:
    write_fei(tmp_path / "fei.tif", "[User]\r\nDate=25.10.2023\r\n[System]\r\nSystemType=Helios\r\n")
    header = read_header(tmp_path / "fei.tif")
    assert (header.um_per_px, header.date) == (None, "2023-10-25T00:00:00")


def test_the_field_width_stands_in_for_a_missing_fei_pixel_size(tmp_path: Path) -> None:
    said = FEI.replace("PixelWidth=2.5e-008", "PixelWidth=") + "[EBeam]\r\nHFW=6.4e-006\r\n"
    write_fei(tmp_path / "fei.tif", said)
    assert read_header(tmp_path / "fei.tif").um_per_px == pytest.approx(0.1)


@pytest.mark.parametrize("width", [512, 1024, 2048])
def test_the_zeiss_pixel_size_follows_the_width_of_the_picture(width: int, tmp_path: Path) -> None:
    numbers = "0\r\n0\r\n0\r\n1.0e-07\r\n1.0e+03\r\n6\r\n2.5e+04\r\n2.26\r\n0\r\n8.5e-03\r\n0\r\n"
    said = (
        f"{numbers}AP_PIXEL_SIZE\r\nPixel Size = 777 nm\r\nAP_MAG\r\nMag =   2.50 K X\r\n"
        "AP_ACTUALKV\r\nEHT = 5.00 kV\r\n"
        "AP_WD\r\nWD = 8.5 mm\r\nDP_DETECTOR_TYPE\r\nDetector = SE2\r\nDP_SEM\r\nSem = Merlin\r\n"
        "AP_DATE\r\nDate :12 May 2023\r\nAP_TIME\r\nTime :10:28:07\r\n"
    )
    pixels = np.zeros((16, width), np.uint8)
    tifffile.imwrite(tmp_path / "zeiss.tif", pixels, metadata=None, extratags=[(34118, "s", 0, said, True)])
    header = read_header(tmp_path / "zeiss.tif")
    assert header.um_per_px == pytest.approx(0.1 * 1024 / width)
    assert (header.magnification, header.kv, header.working_distance_mm) == pytest.approx((2500.0, 5.0, 8.5))
    assert (header.detector, header.instrument, header.date) == ("SE2", "Merlin", "2023-05-12T10:28:07")


def test_a_broken_header_costs_only_its_fields(tmp_path: Path) -> None:
    for tag in (34118, 34680, 34682, 33560):
        content = np.random.default_rng(tag).integers(0, 256, 300).astype(np.uint8).tobytes()
        tifffile.imwrite(tmp_path / "odd.tif", GRAY, metadata=None, extratags=[(tag, "B", 300, content, True)])
        np.testing.assert_array_equal(read_pixels(tmp_path / "odd.tif"), GRAY)
        assert read_header(tmp_path / "odd.tif").um_per_px is None


def test_real_headers_say_what_the_table_beside_them_says(real_data: Path) -> None:
    import pandas as pd

    zeiss = read_header(real_data / "raw_vendor" / "nist_zeiss_ti64.tif")
    assert (zeiss.vendor, zeiss.um_per_px, zeiss.magnification) == ("Zeiss", pytest.approx(0.11165), 1000)
    table = pd.read_csv(real_data / "uhcs" / "micrographs.csv")
    for row in table[table.file.str.endswith(".tif")].itertuples():
        header = read_header(real_data / "uhcs" / row.file)
        assert header.um_per_px == pytest.approx(row.um_per_px, rel=0.02)
        assert header.vendor == "Olympus SIS"


# ------------------------------------------------------------ data bars


def specimen(kind: str, shape: tuple[int, int] = (300, 400), seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    if kind == "constant":
        return np.full(shape, 130, np.uint8)
    if kind == "dark":
        return np.where(random.random(shape) < 0.35, 0, random.integers(0, 90, shape)).astype(np.uint8)
    if kind == "gradient":
        return np.add.outer(np.linspace(0, 200, shape[0]), random.integers(0, 40, shape[1])).astype(np.uint8)
    if kind == "black bottom":
        picture = random.integers(60, 200, shape).astype(np.uint8)
        picture[-50:] = random.integers(0, 4, (50, shape[1]))
        return picture
    return random.integers(20, 235, shape).astype(np.uint8)


def barred(picture: Any, rows: int, ground: int = 0, ink: int = 255) -> Any:
    image = Image.new("L", (picture.shape[1], rows), ground)
    draw = Draw(image)
    draw.text((6, 2), "15.0 kV  x5,000  SE  WD 9.8 mm", fill=ink)
    draw.line((250, rows - 6, 320, rows - 6), fill=ink, width=2)
    return np.vstack([picture, np.asarray(image)])


@pytest.mark.parametrize("ground", [0, 255, 128])
@pytest.mark.parametrize("rows", [16, 38, 70])
@pytest.mark.parametrize("kind", ["noise", "dark", "gradient"])
def test_a_data_bar_is_found_to_the_row(kind: str, rows: int, ground: int) -> None:
    picture = barred(specimen(kind), rows, ground, ink=0 if ground == 255 else 255)
    for same in (picture, np.dstack([picture] * 3), picture.astype(np.uint16) * 257, picture.astype(np.float32) / 255):
        assert find_bar(same) == Bar(rows, "bottom", FROM_PIXELS)
    np.testing.assert_array_equal(crop_bar(picture, rows), specimen(kind))


@pytest.mark.parametrize("kind", ["noise", "dark", "gradient", "constant", "black bottom"])
@pytest.mark.parametrize("seed", range(3))
def test_no_row_of_specimen_is_taken_for_a_bar(kind: str, seed: int) -> None:
    picture = specimen(kind, seed=seed)
    for dtype in (np.uint8, np.uint16, np.float32):
        assert find_bar(picture.astype(dtype)).rows == 0
    assert find_bar(picture[:5, :5]).rows == 0
    assert find_bar(np.full((200, 200), np.nan, np.float32)).rows == 0


def test_a_bar_taller_than_a_quarter_is_left_to_the_user() -> None:
    assert find_bar(barred(specimen("noise", (120, 400)), 60)).rows == 0


def test_the_header_is_believed_where_its_edge_shows() -> None:
    picture = barred(specimen("noise"), 38)
    assert agreed_bar(38, picture).rows == 38
    assert agreed_bar(70, picture).rows == 38  # no edge there
    assert agreed_bar(None, picture).rows == 38
    assert agreed_bar(0, picture).rows == 38
    assert agreed_bar(38, specimen("noise")).rows == 0  # the header says so, but the bar was cut off before


def test_bars_of_real_micrographs(real_data: Path) -> None:
    expected = {"uhcs": 38, "nanocomp": 60}
    found: dict[str, set[int]] = {}
    count = 0
    for path in sorted(real_data.rglob("*.*")):
        if path.suffix in (".tif", ".png", ".jpg"):
            name = path.relative_to(real_data).parts[0]
            pixels = read_pixels(path)
            header = read_header(path)
            assert (header.height, header.width, header.dtype) == (*pixels.shape[:2], str(pixels.dtype))
            found.setdefault(name, set()).add(find_bar(pixels).rows)
            count += 1
    assert count == 1534
    assert found == {name: {expected.get(name, 0)} for name in found}
