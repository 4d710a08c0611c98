"""The verbs *embed* and *merge*: large collections in parts."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_micromap.backbones import Backbone
from napari_micromap.cli.network import add_network, backbone_of, recipe_of
from napari_micromap.cli.progress import ProgressLine
from napari_micromap.cli.sessions import session_for
from napari_micromap.problems import Problem
from napari_micromap.work import finish


def add_embed(parser: argparse.ArgumentParser) -> None:
    """Say what can be asked of *embed*."""
    parser.add_argument("input", nargs="+", type=Path, metavar="INPUT", help="folders (with subfolders) and images")
    add_network(parser)
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--verify", action="store_true", help="read every file again, also if it seems unchanged")
    parser.add_argument("--shard", type=shard_numbers, metavar="I/N", help="only part I of N, counted from 1")
    parser.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="let the workers of a Dask scheduler do all parts"
    )
    parser.add_argument("--shards", type=int, default=0, metavar="N", help="with --scheduler: how many; 4 a worker")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="PART",
                        help="the part, saved as PART.micromap; with --scheduler a folder for all parts")  # fmt: skip


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Say what can be asked of *merge*."""
    parser.add_argument("parts", nargs="+", type=Path, metavar="PART", help="all parts of one collection")
    parser.add_argument("--no-map", action="store_true", help="only put them together, do not make the map")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="S.micromap", help="what napari opens")


def embed_parts(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Embed one part, or let a cluster embed all."""
    from napari_micromap.sharding import Shard, check_recipe, embed_part, submitted
    from napari_micromap.wording import counted

    backbone = _backbone(arguments)
    recipe = recipe_of(arguments)
    paths = tuple(path.expanduser().absolute() for path in arguments.input)
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise Problem(f"There is no file or folder “{missing}”.")
    if arguments.scheduler is not None:
        if arguments.shard is not None:
            raise Problem("Leave --shard out: with --scheduler the workers do all parts.")
        check_recipe(recipe)
        out = arguments.out.expanduser().absolute()
        out.mkdir(parents=True, exist_ok=True)
        parts = finish(
            submitted(paths, out, arguments.shards, arguments.scheduler, backbone, recipe, arguments.device), said
        )
        said.clear()
        print(f"{counted(len(parts), 'part')} in {out}; merge them: micromap merge {out}/*.micromap -o NAME.micromap")
        return
    number, of = arguments.shard or (1, 1)
    with session_for(said) as session:
        shard = Shard(paths, number, of)
        work = embed_part(shard, arguments.out, backbone, recipe, session.workshop, arguments.device, arguments.verify)
        saved = finish(work, said)
    print(f"Part {number} of {of}: {saved}")


def merge_parts(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Put parts together, make the map, and save it."""
    from napari_micromap.sharding import merged
    from napari_micromap.wording import counts_of

    with session_for(said) as session:
        session.open_atlas(finish(merged(arguments.parts, session.workshop), said))
        if not arguments.no_map:
            session.lay_out()
        session.save(arguments.out)
        told, saved = counts_of(session.atlas), session.saving.folder
    print(f"{told}: {saved}")


def shard_numbers(text: str) -> tuple[int, int]:
    """Read ``3/8``."""
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"“{text}” is no part; write 3/8 for the third of eight")
    return int(number), int(of)


def _backbone(arguments: argparse.Namespace) -> Backbone:
    backbone = backbone_of(arguments)
    if backbone.download() is not None:
        raise Problem(f"The weights of {backbone.title} are not on this machine; fetch them once with “micromap map "
                      "--download”, or name them with --weights.")  # fmt: skip
    return backbone
