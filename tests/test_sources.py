"""Micrographs from folders and from open layers."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.sources.folder import Folder, natural
from napari_micromap.sources.layers import Layers, LayerSlice
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, finish

RANDOM = np.random.default_rng(11)


def picture(seed: int = 0, shape: tuple[int, ...] = (40, 60)) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def gather(path: Path, **kwargs: Any) -> Atlas:
    return finish(Folder(path, **kwargs)())


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder as people have them: mixed kinds, equal names in several folders, other things beside."""
    root = tmp_path / "films"
    for number, folder in enumerate(("F1", "F2", "F10")):
        (root / folder).mkdir(parents=True)
        tifffile.imwrite(root / folder / "1.tif", picture(number).astype(np.uint16) * 200)
        Image.fromarray(picture(number + 10, (50, 50, 3))).save(root / folder / "2.PNG")
        Image.fromarray(picture(number + 20)).save(root / folder / "10.jpg")
    (root / "Jc.csv").write_text("film,Jc\nF1,2.1\n")
    (root / "notes.txt").write_text("charged")
    (root / "Thumbs.db").write_bytes(b"\0")
    (root / ".hidden.tif").write_bytes(b"")
    (root / "F1" / "._1.tif").write_bytes(b"\0\5\x16\7")
    (root / "old.micromap").mkdir()
    Image.fromarray(picture()).save(root / "old.micromap" / "thumbnail.png")
    return root


# ------------------------------------------------------------ the ordered map on threads


def test_results_come_in_the_order_of_the_items_and_only_a_few_wait() -> None:
    begun: list[int] = []

    def slow(item: int) -> int:
        begun.append(item)
        time.sleep(0.002 * (item % 3))
        return item * item

    results = in_order(slow, range(40), workers=3, ahead=5)
    for item in range(40):
        assert next(results) == item * item
        assert len(begun) <= item + 1 + 5
    assert list(results) == []
    assert list(in_order(slow, [], workers=2)) == []


def test_what_the_function_raises_comes_up_at_its_turn_and_closing_ends_the_threads() -> None:
    def picky(item: int) -> int:
        if item == 3:
            raise Unreadable("three")
        return item

    results = in_order(picky, range(100), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Unreadable, match="three"):
        next(results)
    results = in_order(picky, range(3), workers=2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("micromap")]


# ------------------------------------------------------------ folders


def test_a_folder_gives_its_pictures_in_natural_order_and_nothing_else(films: Path) -> None:
    atlas = gather(films)
    assert tuple(atlas.columns)[: len(OWN_COLUMNS)] == OWN_COLUMNS
    where = [f"{folder}/{file}" for folder, file in zip(atlas.columns["folder"], atlas.columns["file"])]
    assert where == [f"{folder}/{file}" for folder in ("F1", "F2", "F10") for file in ("1.tif", "2.PNG", "10.jpg")]
    assert atlas.unreadable == ()
    assert list(atlas.columns["width"][:2]) == [60, 50]
    assert list(atlas.columns["dtype"][:2]) == ["uint16", "uint8"]
    assert all(Path(path).is_absolute() for path in atlas.paths)
    for micrograph in atlas:
        np.testing.assert_array_equal(micrograph.specimen(), read_pixels(Path(micrograph.path)))


def test_only_the_folder_itself_where_that_is_asked_for(films: Path) -> None:
    Image.fromarray(picture(5)).save(films / "top.png")
    atlas = gather(films, recursive=False)
    assert list(atlas.columns["file"]) == ["top.png"]
    assert list(atlas.columns["folder"]) == [""]


def test_one_file_can_be_opened_alone(films: Path) -> None:
    atlas = gather(films / "F2" / "10.jpg")
    assert (len(atlas), atlas.columns["file"][0], atlas.columns["folder"][0]) == (1, "10.jpg", "")


def test_unreadable_files_are_named_with_their_reason_and_the_rest_goes_on(films: Path) -> None:
    (films / "F1" / "empty.tif").write_bytes(b"")
    (films / "F2" / "text.png").write_text("no picture")
    data = (films / "F2" / "1.tif").read_bytes()
    (films / "F10" / "cut.tif").write_bytes(data[: len(data) // 2])
    (films / "spectrum.dm3").write_bytes(b"\0\0\0\3")
    atlas = gather(films)
    assert len(atlas) == 9
    named = {Path(bad.path).name: bad.reason for bad in atlas.unreadable}
    assert set(named) == {"empty.tif", "text.png", "cut.tif", "spectrum.dm3"}
    assert "empty" in named["empty.tif"]
    assert "not a picture" in named["text.png"]
    assert "TIFF" in named["spectrum.dm3"]


def test_a_folder_without_pictures_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"no pictures .* choose a folder"):
        gather(tmp_path)
    with pytest.raises(Problem, match="no folder"):
        gather(tmp_path / "gone")
    (tmp_path / "a.tif").write_bytes(b"")
    with pytest.raises(Problem, match=r"None of the 1 pictures .* a.tif: The file is empty"):
        gather(tmp_path)


def test_each_page_is_a_micrograph_and_a_broken_one_is_named(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "stack.tif") as writer:
        writer.write(picture(1), compression="zlib")
        writer.write(picture(2), compression="zlib")
        writer.write(picture(3), compression="zlib")
    with tifffile.TiffFile(tmp_path / "stack.tif") as file:
        at = file.pages[1].dataoffsets[0]
    with (tmp_path / "stack.tif").open("r+b") as broken:
        broken.seek(at)
        broken.write(b"\xff" * 40)
    atlas = gather(tmp_path)
    assert atlas.pages.tolist() == [0, 2]
    assert list(atlas.columns["page"]) == [1, 3]
    assert [bad.reason[:7] for bad in atlas.unreadable] == ["Page 2:"]
    np.testing.assert_array_equal(atlas[1].pixels(), picture(3))


def test_ids_survive_renaming_and_moving_and_tell_equal_files_apart(films: Path, tmp_path: Path) -> None:
    shutil.copy(films / "F1" / "1.tif", films / "F2" / "copy.tif")
    before = gather(films)
    assert len(set(before.ids)) == len(before) == 10
    moved = tmp_path / "elsewhere"
    films.rename(moved)
    (moved / "F1" / "2.PNG").rename(moved / "F10" / "was in F1.png")
    after = gather(moved)
    assert set(after.ids) == set(before.ids)
    Image.fromarray(picture(99)).save(moved / "F1" / "10.jpg")
    assert len(set(gather(moved).ids) - set(before.ids)) == 1


def test_progress_names_each_file_and_closing_in_mid_work_is_quick(films: Path) -> None:
    seen: list[Progress] = []
    finish(Folder(films)(), seen.append)
    reading = [progress for progress in seen if progress.stage == "Reading"]
    assert [progress.done for progress in reading] == list(range(1, 10))
    assert {progress.total for progress in reading} == {9}
    work = Folder(films)()
    while next(work).stage != "Reading":
        pass
    work.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("micromap")]


def test_natural_order_is_what_people_expect() -> None:
    names = ["b/1.tif", "a10.tif", "a2.tif", "A1.tif", "b.tif", "a/2.tif", "a/10.tif", "ä.tif", "1²/x.tif"]
    assert sorted(names, key=natural) == [
        "1²/x.tif", "a/2.tif", "a/10.tif", "A1.tif", "a2.tif", "a10.tif", "b/1.tif", "b.tif", "ä.tif",
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_linked_folders_are_read_once_and_circles_end(films: Path) -> None:
    (films / "F1" / "back").symlink_to(films, target_is_directory=True)
    (films / "again").symlink_to(films / "F1", target_is_directory=True)
    (films / "gone.tif").symlink_to(films / "nowhere.tif")
    atlas = gather(films)
    assert len(atlas) == 9
    assert [Path(bad.path).name for bad in atlas.unreadable] == ["gone.tif"]


def test_what_headers_say_becomes_imaging_columns(real_data: Path) -> None:
    atlas = gather(real_data / "uhcs")
    assert len(atlas) == 43
    assert set(atlas.columns["bar_rows"]) == {38}
    assert atlas.columns["um_per_px"].notna().sum() == 41
    assert atlas.columns["vendor"].value_counts().to_dict() == {"Olympus SIS": 41}
    assert atlas.roles["um_per_px"] == atlas.roles["date"] == "imaging"
    assert atlas.sample_column is None
    assert atlas[0].specimen().shape == (484, 645)


def test_every_real_file_opens(real_data: Path) -> None:
    atlas = gather(real_data)
    assert len(atlas) == 1534
    assert atlas.unreadable == ()
    assert len(gather(real_data / "nanocomp").columns["folder"].unique()) == 7


# ------------------------------------------------------------ layers


def layers_of(*layers: Any) -> Atlas:
    return finish(Layers(layers)())


def image(data: Any, **kwargs: Any) -> Any:
    from napari.layers import Image as ImageLayer

    return ImageLayer(data, **kwargs)


def test_pictures_and_slices_of_stacks_are_micrographs() -> None:
    from napari.layers import Labels, Points

    single = image(picture(1), name="single")
    color = image(picture(2, (40, 60, 3)), name="color")
    stack = image(picture(3, (5, 40, 60)), name="stack")
    colors = image(picture(4, (2, 40, 60, 4)), name="colors", rgb=True)
    series = image(picture(5, (2, 3, 40, 60)), name="series")
    ours = image(picture(6), name="Gallery", metadata={"micromap": {}})
    others = (Labels(np.zeros((9, 9), int)), Points(np.zeros((3, 2))))
    atlas = layers_of(single, ours, color, *others, stack, colors, series)
    assert list(atlas.columns["file"]) == [
        "single", "color", *(f"stack [{z}]" for z in range(5)), "colors [0]", "colors [1]",
        *(f"series [{t}, {z}]" for t in range(2) for z in range(3)),
    ]  # fmt: skip
    assert set(atlas.paths) == {""}
    assert atlas.pages.tolist() == [0, 0, 0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(atlas[0].pixels(), single.data)
    np.testing.assert_array_equal(atlas[1].pixels(), color.data)
    np.testing.assert_array_equal(atlas[5].pixels(), stack.data[3])
    np.testing.assert_array_equal(atlas[8].pixels(), colors.data[1, ..., :3])
    np.testing.assert_array_equal(atlas[13].pixels(), series.data[1, 1])
    assert atlas.live[str(atlas.ids[13])].index == (1, 1)


class Counted:
    """An array that counts the pixels that were read from it."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.size = data.size
        self.read = 0
        self.gone = False

    def __getitem__(self, key: Any) -> Any:
        if self.gone:
            raise OSError("stale file handle")
        part = self._data[key]
        self.read += part.size
        return part

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.read += self._data.size
        return self._data


def test_a_lazy_stack_is_read_slice_by_slice() -> None:
    import dask.array

    source = Counted(picture(1, (6, 100, 120)))
    lazy = dask.array.from_array(source, chunks=(1, 100, 120), asarray=False)
    layer = image(lazy, name="lazy", contrast_limits=(0, 255))
    atlas = layers_of(layer)
    source.read = 0
    np.testing.assert_array_equal(atlas[4].pixels(), source._data[4])
    assert source.read == 100 * 120
    source.read = 0
    finish(Layers((layer,))())
    assert source.read == source._data.size  # each slice once


def test_a_multiscale_layer_is_read_at_the_level_that_is_needed() -> None:
    levels = [Counted(picture(1, (3, side, side))) for side in (4096, 2048, 1024, 256)]
    layer = image(levels, name="large", multiscale=True, contrast_limits=(0, 255))
    for level in levels:
        level.read = 0
    atlas = layers_of(layer)
    assert [level.read for level in levels] == [0, 0, 3 * 1024 * 1024, 0]
    assert list(atlas.columns["width"]) == [4096] * 3
    assert atlas[1].pixels(max_side=224).shape == (256, 256)
    assert levels[3].read == 256 * 256
    assert atlas[1].pixels(max_side=1500).shape == (2048, 2048)
    assert atlas[1].pixels().shape == (4096, 4096)


def test_the_bar_of_a_multiscale_layer_is_cut_at_every_level() -> None:
    full = picture(1, (4096, 1024))
    full[-256:] = 0
    full[-200:-120, 40:400] = 255
    layer = image([full, full[::2, ::2], full[::4, ::4]], name="tall", multiscale=True)
    atlas = layers_of(layer)
    assert list(atlas.columns["bar_rows"]) == [256]
    assert atlas[0].specimen().shape == (3840, 1024)
    assert atlas[0].specimen(max_side=800).shape == (960, 256)


def test_layers_are_held_weakly_and_a_closed_one_says_what_to_do() -> None:
    layer = image(picture(1), name="gone soon")
    atlas = layers_of(layer)
    del layer
    gc.collect()
    with pytest.raises(Unreadable, match="“gone soon” was closed; open it again"):
        atlas[0].pixels()


def test_an_edited_layer_is_noticed() -> None:
    stack = picture(1, (3, 40, 60))
    layer = image(stack, name="edited")
    atlas = layers_of(layer)
    slices = [atlas.live[str(id_)] for id_ in atlas.ids]
    assert all(isinstance(piece, LayerSlice) for piece in slices)
    assert [piece.changed for piece in slices if isinstance(piece, LayerSlice)] == [False] * 3
    layer.data[1, 5, 5] ^= 255
    assert [piece.changed for piece in slices if isinstance(piece, LayerSlice)] == [False, True, False]
    layer.name = "renamed"
    assert slices[0].layer_name == "renamed"
    layer.data = stack[:1]
    with pytest.raises(Unreadable, match="no slice"):
        slices[2].read()


def test_ids_of_slices_follow_their_content_not_their_place() -> None:
    stack = picture(1, (3, 40, 60))
    forth = layers_of(image(stack, name="forth"))
    back = layers_of(image(stack[::-1].copy(), name="back"))
    assert list(forth.ids) == list(back.ids)[::-1]
    twins = layers_of(image(stack[0], name="one"), image(stack[0], name="other"))
    assert len(set(twins.ids)) == 2


def test_a_scale_counts_only_in_units_of_length() -> None:
    atlas = layers_of(
        image(picture(1), scale=(3, 2), units="nm"),
        image(picture(2), scale=(0.5, 0.5), units="um"),
        image(picture(3), scale=(7, 7)),
        image(picture(4, (2, 40, 60)), scale=(9, 1, 1), units=("s", "mm", "mm")),
    )
    np.testing.assert_allclose(atlas.columns["um_per_px"], [0.002, 0.5, np.nan, 1000, 1000])


def test_a_layer_from_a_file_remembers_it_and_what_its_header_says(real_data: Path, tmp_path: Path) -> None:
    from napari.layers._source import layer_source

    path = real_data / "uhcs" / "micrograph1.tif"
    with layer_source(path=str(path)):
        single = image(read_pixels(path), name="m1")
        cut = image(read_pixels(path)[:300], name="cut")
    atlas = layers_of(single, cut)
    assert list(atlas.columns["path"]) == [str(path), ""]
    assert list(atlas.columns["folder"]) == ["uhcs", "uhcs"]
    assert list(atlas.columns["bar_rows"]) == [38, 0]
    assert atlas.columns["um_per_px"][0] == pytest.approx(0.0391, rel=0.01)
    assert np.isnan(atlas.columns["um_per_px"][1])


def test_without_a_usable_layer_it_says_what_to_do() -> None:
    from napari.layers import Points

    with pytest.raises(Problem, match="No image is open"):
        layers_of(Points(np.zeros((3, 2))))
    source = Counted(picture(1, (2, 40, 60)))
    layer = image(source, name="on a drive that was pulled", contrast_limits=(0, 255))
    source.gone = True
    with pytest.raises(Problem, match="None of the open images can be read"):
        layers_of(layer)


def test_a_stack_whose_files_lie_in_several_folders_names_them_from_where_they_part(tmp_path: Path) -> None:
    from napari.layers._source import layer_source

    layers = []
    for folder in ("set/F1", "set/F2/more"):
        (tmp_path / folder).mkdir(parents=True)
        with layer_source(path=str(tmp_path / folder / "1.tif")):
            layers.append(image(picture(len(layers)), name=folder))
    assert list(layers_of(*layers).columns["folder"]) == ["F1", "F2/more"]
