"""The command line, driven as users drive it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from napari_micromap.cli.calls import heeding_ctrl_c
from napari_micromap.cli.progress import ProgressLine
from napari_micromap.store.sessions import load_session
from napari_micromap.work import Progress, finish

KEYS = [
    "micrographs", "unreadable", "joined", "unmatched", "backbone", "weights_sha256", "precision", "dim", "seconds",
    "out",
]  # fmt: skip
LITE0 = "57934424"  # how the hash of the built-in weights begins


class Place(NamedTuple):
    """A folder with pictures, and where a command line that is run there keeps its cache."""

    folder: Path
    environment: dict[str, str]

    def command(self, arguments: Sequence[str | Path], **environment: str) -> dict[str, Any]:
        return {
            "args": [sys.executable, "-m", "napari_micromap", *map(str, arguments)],
            "cwd": self.folder,
            "env": {**self.environment, **environment},
        }

    def micromap(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **self.command(arguments, **environment), capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL
        )

    def mapped(self, *arguments: str | Path) -> dict[str, Any]:
        """Run the verb *map* and return what it says in JSON."""
        done = self.micromap("map", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Twelve pictures of three samples, one of them broken, and a table with a value a sample."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("cli")
    random = np.random.default_rng(0)
    for size, sample in enumerate(["S01", "S02", "S03"]):
        (folder / "pictures" / sample).mkdir(parents=True)
        for number in range(4):
            coarse = random.integers(0, 255, (8 << size, 8 << size), np.uint8)
            Image.fromarray(coarse).resize((96, 96)).save(folder / "pictures" / sample / f"{number}.png")
    (folder / "pictures" / "S02" / "broken.tif").write_bytes(b"II*\0 and no more")
    (folder / "values.csv").write_text("sample,hardness (HV)\nS01,210\nS02,350\nS09,500\n")
    (folder / "other.csv").write_text("name,Jc\nnobody,1\nnowhere,2\n")
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return Place(folder, {**environment, "MICROMAP_CACHE": str(folder / "cache"), "TORCH_HOME": str(folder / "torch")})


@pytest.fixture(scope="module")
def made(place: Place) -> subprocess.CompletedProcess[str]:
    """What making a map of them said."""
    return place.micromap(
        "map", "pictures", "--table", "values.csv", "--color-by", "hardness (HV)", "--views", "1",
        "-o", "all.micromap", "--figure", "map.png", "--json",
    )  # fmt: skip


# ---------------------------------------------------------------------- map


def test_the_last_line_of_the_output_is_json_with_all_that_scripts_need(
    place: Place, made: subprocess.CompletedProcess[str]
) -> None:
    assert made.returncode == 0, made.stderr
    (line,) = made.stdout.splitlines()
    said = json.loads(line)
    assert list(said) == KEYS
    assert said["micrographs"] == 12
    assert [Path(file["path"]).name for file in said["unreadable"]] == ["broken.tif"]
    assert said["unreadable"][0]["reason"]
    assert said["joined"] == 8
    assert said["unmatched"] == {"micrographs": 4, "rows": 1}
    assert (said["backbone"], said["precision"]) == ("efficientnet-lite0", "float32")
    assert said["weights_sha256"].startswith(LITE0)
    assert len(said["weights_sha256"]) == 64
    assert list(said["seconds"]) == ["gather", "embed", "fit", "layout"]
    assert all(seconds >= 0 for seconds in said["seconds"].values())
    assert Path(said["out"]) == place.folder / "all.micromap"


def test_progress_and_what_was_left_out_go_to_the_other_stream(made: subprocess.CompletedProcess[str]) -> None:
    lines = made.stderr.splitlines()
    assert any(re.match(r"Reading \d+ of 13", line) for line in lines)
    assert any(line.startswith("Left out: ") and "broken.tif" in line for line in lines)
    assert any(line.startswith("8 of 12 images have a row of the table") for line in lines)
    assert "\r" not in made.stderr
    assert "Traceback" not in made.stderr


def test_session_and_figure_hold_the_map(place: Place, made: subprocess.CompletedProcess[str]) -> None:
    _, atlas, state = finish(load_session(place.folder / "all.micromap"))
    assert atlas.positions is not None
    assert atlas.positions.shape == (12, 2)
    assert atlas.layout == "Pca()", "below 30 images"
    assert state["color_by"] == "hardness (HV)"
    assert atlas.sample_column is not None
    assert (place.folder / "map.png").read_bytes().startswith(b"\x89PNG")


def test_embeddings_that_were_exported_can_stand_in_place_of_the_network(
    place: Place, made: subprocess.CompletedProcess[str]
) -> None:
    assert place.micromap("export", "all.micromap", "-o", "again").returncode == 0
    done = place.micromap("map", "pictures", "--embeddings", "again/embeddings.npy", "-o", "own.micromap", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["backbone"] == "embeddings from embeddings.npy"
    _, own, _ = finish(load_session(place.folder / "own.micromap"))
    _, atlas, _ = finish(load_session(place.folder / "all.micromap"))
    np.testing.assert_array_equal(own.positions, atlas.positions)


def test_a_sheet_is_taken_by_its_name(place: Place, made: subprocess.CompletedProcess[str]) -> None:
    values = pd.read_csv(place.folder / "values.csv")
    with pd.ExcelWriter(place.folder / "two.xlsx") as book:
        pd.DataFrame({"note": ["nothing of use"]}).to_excel(book, sheet_name="Read me", index=False)
        values.to_excel(book, sheet_name="Hardness", index=False)
    done = place.micromap("map", "pictures", "--table", "two.xlsx", "--sheet", "Hardness", "--views", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["joined"] == 8


def test_exported_rows_are_aligned(place: Place, made: subprocess.CompletedProcess[str]) -> None:
    done = place.micromap("export", "all.micromap", "-o", "out/deep")
    assert done.returncode == 0, done.stderr
    out = place.folder / "out" / "deep"
    assert {path.name for path in out.iterdir()} == {"table.csv", "embeddings.npy", "features.npy", "positions.npy"}
    table = pd.read_csv(out / "table.csv")
    _, atlas, _ = finish(load_session(place.folder / "all.micromap"))
    assert table["micrograph id"].tolist() == atlas.ids.tolist()
    assert [Path(path).name for path in table["path"]] == table["file"].tolist()
    for name in ("embeddings", "features", "positions"):
        array = np.load(out / f"{name}.npy", allow_pickle=False)
        assert array.dtype == np.float32
        assert np.array_equal(array, getattr(atlas, name))
    assert table.loc[table["folder"] == "S02", "hardness (HV)"].tolist() == [350] * 4
    assert table.loc[table["folder"] == "S03", "hardness (HV)"].isna().all()


def test_several_folders_and_files_make_one_map_each_file_once(place: Place) -> None:
    said = place.mapped("pictures/S03", "pictures/S01/1.png", "pictures/S01", "--views", "1", "--depths", "last")
    assert said["micrographs"] == 8
    assert said["joined"] == 0
    assert said["dim"] == 1280
    assert said["out"] is None


def test_without_json_it_says_what_was_made_in_words(place: Place) -> None:
    done = place.micromap("map", "pictures/S01", "--views", "1", "--figure", "few.svg", "--layout", "pca")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PCA of 4 images")
    assert f"Figure: {place.folder / 'few.svg'}" in done.stdout.splitlines()
    assert "<svg" in (place.folder / "few.svg").read_text(encoding="utf-8")


def test_the_sample_column_may_be_one_of_the_table_or_of_the_images(place: Place) -> None:
    for column in ("folder", "sample"):
        arguments = ("pictures", "--table", "values.csv", "--sample-column", column, "--views", "1")
        assert place.mapped(*arguments, "-o", f"by-{column}")["joined"] == 8
        _, atlas, _ = finish(load_session(place.folder / f"by-{column}.micromap"))
        assert atlas.sample_column == column
        assert atlas.samples is not None
        assert atlas.samples.nunique() == 3


# ---------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["map", "nowhere"], "There is no file or folder “nowhere”."),
        (["map", "cache"], "There are no pictures in “cache”"),
        (["map", "pictures", "--table", "nowhere.csv"], "nowhere.csv"),
        (["map", "pictures", "--table", "other.csv"], "No row of the table belongs to an image."),
        (["map", "pictures", "--table", "values.csv", "--color-by", "Tc"], "There is no column “Tc”; there are: file,"),
        (["map", "pictures", "--table", "values.csv", "--sample-column", "wafer"], "have a column “wafer”"),
        (["map", "pictures", "--sample-column", "wafer"], "wafer"),
        (["map", "pictures", "--figure", "nowhere/f.png"], "name another place for f.png."),
        (["map", "pictures", "-o", "values.csv"], "is a file; name a folder such as NAME.micromap."),
        (["map", "pictures", "--weights", "w.pth"], "has its own weights"),
        (["map", "pictures", "--backbone", "resnet50", "--weights", "w.pth"], "There is no file of weights at"),
        (["export", "pictures", "-o", "out"], "is no saved session"),
        (["open", "nowhere"], "There is no file or folder “nowhere”."),
        (["open", "pictures"], "There is no display"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(place: Place, arguments: list[str], sentence: str) -> None:
    (place.folder / "cache").mkdir(exist_ok=True)
    done = place.micromap(*arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("micromap: ")
    assert sentence in last
    assert done.stdout == ""


def test_a_download_is_not_made_without_consent(place: Place) -> None:
    done = place.micromap("map", "pictures", "--backbone", "resnet50")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("micromap: The weights of ResNet-50 (ImageNet) (10")
    assert "MB) are not on this machine; pass --download" in line
    assert not (place.folder / "torch").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["chart"], ["map"], ["map", "pictures", "--layout", "som"], ["map", "pictures", "--backbone", "alexnet"],
        ["map", "pictures", "--seed", "-1"], ["map", "pictures", "--figure", "map.doc"], ["export", "all.micromap"],
        ["map", "pictures", "--views", "3"],
    ],
)  # fmt: skip
def test_a_wrong_call_is_exit_code_2_and_says_how_it_goes(place: Place, arguments: list[str]) -> None:
    done = place.micromap(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: micromap")
    assert "Traceback" not in done.stderr


def test_output_that_nobody_reads_any_more_is_no_fault(place: Place) -> None:
    process = subprocess.Popen(**place.command(["backbones"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert said == b""


# ---------------------------------------------------------------------- stopping, terminals


def children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")
def test_ctrl_c_ends_with_130_and_leaves_no_process(place: Place, tmp_path: Path) -> None:
    command = place.command(["map", "pictures", "--layout", "umap"], MICROMAP_CACHE=str(tmp_path))
    process = subprocess.Popen(**command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stderr is not None
    said = ""
    while "Embedding" not in said and "Preparing" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    children = children_of(process.pid)
    assert children, "the layout process gets ready while images are embedded"
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.splitlines()[-1].startswith("micromap: stopped")
    assert "Traceback" not in rest
    until = time.monotonic() + 5
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_ctrl_c_is_heeded_at_the_next_word_where_a_library_swallowed_it() -> None:
    said = ProgressLine(io.StringIO())
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c(said):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        said(Progress("Embedding", 1, 2))
        pytest.fail("it went on")
    swallowed = contextlib.suppress(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c(ProgressLine(io.StringIO())), swallowed:
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: ours, and that of the program."""
    pty = pytest.importorskip("pty", reason="there are no such terminals on Windows")
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def all_of(terminal: int) -> str:
    said = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            return said.decode()
        said += piece


def test_on_a_terminal_one_line_is_rewritten(place: Place, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    command = place.command(["map", "pictures", "--views", "1"], COLUMNS="60")
    process = subprocess.Popen(**command, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    said = all_of(ours)
    assert process.wait(60) == 0
    lines = said.replace("\r\n", "\n").split("\n")
    rewritten = [text for line in lines for text in line.split("\r")]
    assert any(re.match(r"Embedding \d+ of 12", text) for text in rewritten)
    assert not [text for text in rewritten if len(text) >= 60 and not text.startswith("Left out")]
    assert len(lines) <= 3, "what was left out stays, all else is rewritten"


def test_on_a_terminal_consent_is_asked_for(place: Place, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    command = place.command(["map", "pictures", "--backbone", "resnet18"])
    process = subprocess.Popen(**command, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    os.write(ours, b"n\n")
    said = all_of(ours)
    assert process.wait(60) == 1
    assert re.search(r"ResNet-18 \(ImageNet\) \(4\d MB\).*\[y/N\]", said, re.DOTALL)
    assert "Nothing was downloaded" in said
    assert not (place.folder / "torch").exists()


# ---------------------------------------------------------------------- the other verbs


def test_backbones_are_listed_by_the_names_that_map_takes(place: Place) -> None:
    done = place.micromap("backbones")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("efficientnet-lite0 ")
    assert lines[0].endswith("here, the default")
    assert any(line.startswith("resnet50 ") and line.endswith("MB to download once") for line in lines)


def test_help_and_version_are_quick_and_load_nothing_heavy(place: Place) -> None:
    code = "import sys; import napari_micromap.cli; print({'torch', 'pandas', 'napari', 'umap'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    for option in ("--help", "--version"):
        assert place.micromap(option).stdout


@pytest.mark.slow
@pytest.mark.ci
def test_the_demo_draws_its_map_where_there_is_no_display(place: Place) -> None:
    done = place.micromap("demo")
    assert done.returncode == 0, done.stderr
    figure = place.folder / "micromap-demo.png"
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert str(figure) in done.stdout
    assert "There is no display here" in done.stdout


# ---------------------------------------------------------------------- real micrographs


def test_seven_samples_join_thirty_two_images_by_their_folder(place: Place, real_data: Path) -> None:
    folder = real_data / "nanocomp"
    arguments = (folder, "--table", folder / "samples.csv", "--views", "1", "--layout", "pca")
    for key in ([], ["--sample-column", "folder"]):
        said = place.mapped(*arguments, *key)
        assert (said["micrographs"], said["joined"]) == (32, 32)
        assert said["unmatched"] == {"micrographs": 0, "rows": 0}


def test_all_steels_find_their_row_by_the_file_and_their_sample_has_its_column(place: Place, real_data: Path) -> None:
    folder = real_data / "uhcs"
    said = place.mapped(
        folder, "--table", folder / "micrographs.csv", "--sample-column", "sample", "--views", "1", "--seed", "7",
        "--color-by", "primary_microconstituent", "-o", "uhcs.micromap", "--figure", "uhcs.pdf",
    )  # fmt: skip
    assert (said["micrographs"], said["joined"]) == (43, 43)
    assert said["unmatched"] == {"micrographs": 0, "rows": 0}
    _, atlas, _ = finish(load_session(place.folder / "uhcs.micromap"))
    assert atlas.sample_column == "sample"
    assert atlas.samples is not None
    assert atlas.samples.nunique() == 23
    assert atlas.layout.startswith("Umap(")
    assert "seed=7" in atlas.layout
    assert (place.folder / "uhcs.pdf").read_bytes().startswith(b"%PDF")
