"""The layout process: does what it is sent, until the other side is gone."""

from __future__ import annotations

import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread

import numpy as np

from napari_micromap.layouts import LAYOUTS, LongLayout
from napari_micromap.layouts.channel import TOKEN_VARIABLE, Channel, Closed, Message, connect
from napari_micromap.layouts.umap import Umap
from napari_micromap.neighbors import Neighbors, exact_neighbors, likely_neighbors
from napari_micromap.problems import Problem
from napari_micromap.work import Progress, finish


def main(address: str) -> None:
    """Serve one other side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other side's to judge
    if hasattr(os, "nice"):
        os.nice(5)  # the window and the embedding come first
    channel = connect(address, os.environ.pop(TOKEN_VARIABLE, ""))
    requests: SimpleQueue[Message] = SimpleQueue()
    # A thread, because a layout computes for long without looking up, and must end at once when nobody waits for it.
    Thread(target=_listen, args=(channel, requests), daemon=True).start()
    try:
        _warm_up()
        channel.send(Message({"kind": "ready"}))
        while True:
            channel.send(_answered(requests.get(), channel))
    except Closed:
        return


def _listen(channel: Channel, requests: SimpleQueue[Message]) -> None:
    try:
        while True:
            message = channel.receive()
            if message is not None:
                requests.put(message)
    except Closed:
        os._exit(0)


def _warm_up() -> None:
    """Lay out a toy, so that all is compiled that a real one needs."""
    toy = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    Umap(epochs=5).lay_out(toy, finish(exact_neighbors(toy, Umap().neighbors_needed)), tell=lambda progress: None)


def _answered(request: Message, channel: Channel) -> Message:
    def tell(progress: Progress) -> None:
        values = {"kind": "progress", "stage": progress.stage, "done": progress.done, "total": progress.total}
        channel.send(Message(values))

    arrays = request.arrays
    if "layout" not in request.values:
        found = likely_neighbors(arrays["features"], request.values["k"])
        return Message({"kind": "done"}, {"rows": found.rows, "distances": found.distances})
    layout: LongLayout = LAYOUTS[request.values["layout"]](**request.values["parameters"])  # type: ignore[assignment]
    neighbors = Neighbors(arrays["rows"], arrays["distances"]) if "rows" in arrays else None
    try:
        positions = layout.lay_out(arrays["features"], neighbors, arrays.get("start"), tell)
    except Problem as problem:
        return Message({"kind": "problem", "text": str(problem)})
    return Message({"kind": "done"}, {"positions": positions})


if __name__ == "__main__":
    main(sys.argv[1])
