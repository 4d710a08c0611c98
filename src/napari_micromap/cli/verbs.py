"""The other verbs: export, open, demo, backbones."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from napari_micromap.backbones import BACKBONES
from napari_micromap.cli.progress import ProgressLine
from napari_micromap.cli.sessions import save_figure, session_for
from napari_micromap.problems import Problem


def export_map(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Write a saved map as table and arrays, and name the files."""
    from napari_micromap import pipeline
    from napari_micromap.store.exported import export
    from napari_micromap.work import finish

    with session_for(said) as session:
        restored = finish(pipeline.restore(arguments.session, session.workshop), said)
        for warning in restored.state.get("warnings", ()):
            said.sentence(warning)
        written = finish(export(restored.atlas, arguments.out), said)
    for path in written:
        print(path)


def open_path(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Open napari with a saved map, a folder or an image."""
    if not arguments.path.expanduser().exists():
        raise Problem(f"There is no file or folder “{arguments.path}”.")
    if not _has_display():
        raise Problem("There is no display to open napari on; “micromap map --figure F.png” draws the map without one.")
    _show(arguments.path)


def show_demo(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Map made-up films; draw the map, and show it where there is a display."""
    from napari_micromap.sources.films import Films

    figure = arguments.figure if arguments.figure is not None else Path("micromap-demo.png")
    with session_for(said) as session:
        session.open(Films())
        session.make_map()
        save_figure(session, figure)
        session.save(session.workshop.cache / "demo.micromap")
        saved = session.saving.folder
    assert saved is not None
    print(f"The map of made-up films is drawn in {figure.absolute()}", flush=True)
    if arguments.no_window:
        return
    if _has_display():
        _show(saved)
    else:
        print(f"There is no display here; where there is one: micromap open {saved}")


def list_backbones(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Print names, titles and what each would have to download."""
    default = next(iter(BACKBONES))
    for name, cls in BACKBONES.items():
        download = cls().download()
        where = (
            "a file of yours" if name == "own" else "here" if download is None else f"{download.size} to download once"
        )
        print(f"{name:20} {cls.title:32} {where}{', the default' if name == default else ''}")


def _has_display() -> bool:
    if os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in ("offscreen", "minimal"):
        return False
    return not sys.platform.startswith("linux") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))


def _show(path: Path) -> None:
    try:
        from napari_micromap.views.window import open_window
    except ImportError as error:
        if "Qt" not in str(error):
            raise
        raise Problem("napari has no window toolkit here; install one: pip install pyqt6") from error
    open_window(path.expanduser().absolute())
