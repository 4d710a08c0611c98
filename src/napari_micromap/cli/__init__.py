"""The command line: the same verbs without a window."""

from napari_micromap.cli.calls import main

__all__ = ["main"]
