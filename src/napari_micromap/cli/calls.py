"""What can be asked on the command line, and how a call ends."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_micromap import __version__
from napari_micromap.cli.embedding import add_embed, add_merge, embed_parts, merge_parts
from napari_micromap.cli.mapping import make_map
from napari_micromap.cli.network import add_network
from napari_micromap.cli.progress import ProgressLine
from napari_micromap.cli.reporting import report_property
from napari_micromap.cli.verbs import export_map, list_backbones, open_path, show_demo
from napari_micromap.problems import Problem

FIGURES = (".png", ".svg", ".pdf")
_STOPPED = 130  # what shells expect after Ctrl-C


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return 0, 1 for a problem, 2 for a wrong call, 130 when it was stopped by Ctrl-C."""
    _settle_streams()
    arguments = _parser().parse_args(argv)
    said = ProgressLine(sys.stderr)
    try:
        with heeding_ctrl_c(said):
            arguments.verb(arguments, said)
            sys.stdout.flush()
    except KeyboardInterrupt:
        said.sentence("micromap: stopped; what was computed so far is kept for the next run.")
        return _STOPPED
    except BrokenPipeError:
        # Whoever read our output, such as "head", has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Problem, OSError, MemoryError) as error:
        said.sentence(f"micromap: {_in_a_line(error)}")
        return 1
    return 0


@contextlib.contextmanager
def heeding_ctrl_c(said: ProgressLine) -> Iterator[None]:
    """End the call by Ctrl-C also where it falls into a library's callback that swallows it.

    The next word of progress raises it again.
    """

    def heed(*_: object) -> None:
        said.stopped = True
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, heed)
    except ValueError:  # not the main thread: whoever called us listens
        yield
        return
    try:
        yield
        if said.stopped:
            raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, before)


def _settle_streams() -> None:
    """Keep to one voice: what libraries remark by the way would run into the line of progress."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old console that has no µ
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory; close other programs or take fewer images."
    return " ".join(str(error).split()) or type(error).__name__


# ---------------------------------------------------------------------- what can be asked


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="micromap", description="Maps of micrographs: which microstructures go along with a property?"
    )
    parser.add_argument("--version", action="version", version=f"micromap {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_map(verbs)
    add_embed(_verb(verbs, "embed", embed_parts, "embed a large collection in parts, on one machine or many"))
    add_merge(_verb(verbs, "merge", merge_parts, "put parts together and make the map"))
    export = _verb(verbs, "export", export_map, "write a saved map as table and arrays, rows aligned")
    export.add_argument("session", type=Path, metavar="S.micromap", help="a saved map")
    export.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    _add_report(verbs)
    opened = _verb(verbs, "open", open_path, "open a saved map or a folder of images in napari")
    opened.add_argument("path", type=Path, metavar="PATH", help="S.micromap, a folder, or an image")
    demo = _verb(verbs, "demo", show_demo, "map made-up films, as a picture and in napari")
    demo.add_argument("--figure", type=_figure_path, metavar="F.png|svg|pdf", help="default: micromap-demo.png")
    demo.add_argument("--no-window", action="store_true", help="only the picture")
    _verb(verbs, "backbones", list_backbones, "list the networks that can be used")
    return parser


def _verb(verbs: Any, name: str, run: Callable[..., None], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(verb=run)
    return parser


def _add_map(verbs: Any) -> None:
    parser = _verb(verbs, "map", make_map, "make a map of images in folders and files")
    parser.add_argument("input", nargs="+", type=Path, metavar="INPUT", help="folders (with subfolders) and images")
    parser.add_argument("--each-window", action="store_true",
                        help="make each window a dot: --window-um or --window-px say how large")  # fmt: skip
    data = parser.add_argument_group("the table")
    data.add_argument("--table", type=Path, metavar="T", help="CSV, TSV or Excel with measured values")
    data.add_argument("--sheet", metavar="NAME", help="of a spreadsheet; the first that holds something if left out")
    data.add_argument(
        "--sample-column",
        metavar="S",
        help="column of the table or of the images, such as folder, that says which sample it is; "
        "left out, the key that matches most is taken",
    )
    data.add_argument("--color-by", metavar="P", help="column that colors the figure and the saved map")
    network = parser.add_argument_group("the network")
    add_network(network)
    network.add_argument("--embeddings", type=Path, metavar="F", help="take these in place of a network's: .npy with "
                         "a row an image, in the order of paths, or .csv or .parquet with file names")  # fmt: skip
    network.add_argument("--download", action="store_true", help="allow the download of its weights, once")
    network.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, mps")
    network.add_argument("--verify", action="store_true", help="read every file again, also if it seems unchanged")
    layout = parser.add_argument_group("the map")
    layout.add_argument("--layout", type=_layout_name, metavar="umap|pca|tsne",
                        help="default: umap, below 30 images pca")  # fmt: skip
    layout.add_argument("--seed", type=_seed, metavar="N", help="the same number gives the same map; default: 42")
    out = parser.add_argument_group("what comes out")
    out.add_argument("-o", "--out", type=Path, metavar="OUT.micromap", help="save all, for napari and “micromap open”")
    out.add_argument("--figure", type=_figure_path, metavar="F.png|svg|pdf", help="draw the map for paper")
    out.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")


def _add_report(verbs: Any) -> None:
    parser = _verb(verbs, "report", report_property, "test whether a property goes along with the structure, and tell")
    parser.add_argument("session", type=Path, metavar="S.micromap", help="a saved map")
    parser.add_argument("--property", required=True, metavar="P", help="column with the measured values")
    parser.add_argument("--sample-column", metavar="S", help="column that says which sample an image shows")
    parser.add_argument("--batch", metavar="B", help="column of samples made or imaged together: tested within them")
    parser.add_argument("--adjust", nargs="+", metavar="C", help="columns of imaging to adjust for, come what may")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="report.html", help="one file with all in it")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON on standard output")


def _layout_name(name: str) -> str:
    from napari_micromap.layouts import LAYOUTS

    if name not in LAYOUTS:
        raise argparse.ArgumentTypeError(f"there is no layout “{name}”; there are: {', '.join(LAYOUTS)}")
    return name


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number of 0 or more")
    return int(text)


def _figure_path(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in FIGURES:
        raise argparse.ArgumentTypeError(f"“{text}” must end in {', '.join(FIGURES)}")
    return path
