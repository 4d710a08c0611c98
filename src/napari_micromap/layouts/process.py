"""A process of its own for what would hold up a window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Features, Positions
from napari_micromap.choices import parameters
from napari_micromap.layouts import LAYOUTS, Layout
from napari_micromap.layouts.channel import TOKEN_VARIABLE, Channel, Closed, Line, Message
from napari_micromap.neighbors import Neighbors
from napari_micromap.problems import Problem
from napari_micromap.work import Progress, Work

WORKER = "napari_micromap.layouts.worker"
_LOOK_UP = 0.1  # seconds between two looks at whether the work was canceled
_PATIENCE = 30.0  # seconds for a process that is ready to take its work


class LayoutProcess:
    """Runs layouts in a child process that is warmed up before it is needed.

    umap-learn and t-SNE hold the interpreter for as long as they run, and umap-learn compiles itself first. The child
    ends with this object, with :meth:`close` and, whatever happens to it, with the process that started it.

    Parameters
    ----------
    loopback : bool
        Talk over the machine's own network, as Windows needs it, instead of over an inherited socket.
    """

    def __init__(self, loopback: bool = sys.platform == "win32") -> None:
        self._loopback = loopback
        self._closed = False
        self._spare: _Child | None = None  # warming or ready; a run takes it out of here and puts it back
        self._children: set[_Child] = set()
        weakref.finalize(self, _end_all, self._children)

    def start(self) -> None:
        """Start the child and return at once; it gets ready by itself."""
        if self._spare is None and not self._closed:
            with suppress(OSError):  # run() tries again, and says what is wrong
                self._spare = self._new_child()

    def run(
        self, layout: Layout, features: Features, neighbors: Neighbors | None, start: Positions | None = None
    ) -> Work[Positions]:
        """Lay out in the child; closing the generator ends the child at once, and a fresh one gets ready.

        Raises
        ------
        Problem
            If the child cannot be started or ends before it is done.
        """
        request = Message(
            {"layout": LAYOUTS.name_of(layout), "parameters": parameters(layout)},
            _arrays(layout, features, neighbors, start),
        )
        answer = yield from self._answer(request, layout.title, f"Preparing {layout.title}", "take PCA")
        return answer["positions"]

    def find_neighbors(self, features: Features, k: int) -> Work[Neighbors]:
        """Find nearly all of the k nearest others of each row in the child; closing the generator ends it."""
        request = Message({"k": k}, {"features": features})
        answer = yield from self._answer(request, "Comparing", "Preparing", "close other programs first")
        return Neighbors(answer["rows"], answer["distances"])

    def _answer(self, request: Message, title: str, preparing: str, remedy: str) -> Work[Mapping[str, NDArray[Any]]]:
        child = self._taken_child(title, remedy)
        try:
            yield from child.made_ready(preparing)
            answer = yield from child.answered(request, title)
        except Closed:
            why = "the session was closed" if self._closed else child.last_words()
            raise Problem(f"{title} stopped before it was done: {why}. Try again, or {remedy}.") from None
        finally:
            self._put_back(child)
        return answer

    def close(self) -> None:
        """End the child for good."""
        self._closed = True
        self._spare = None
        _end_all(self._children)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that live."""
        return tuple(child.pid for child in self._children)

    def _new_child(self) -> _Child:
        child = _Child(self._loopback)
        self._children.add(child)
        if self._closed:  # by another thread, meanwhile
            self._end(child)
        return child

    def _taken_child(self, title: str, remedy: str) -> _Child:
        child, self._spare = self._spare, None
        if child is not None and child.lives:
            return child
        if child is not None:
            self._end(child)
        if self._closed:
            raise Problem(f"{title} cannot start: the session was closed.")
        try:
            return self._new_child()
        except OSError as error:
            why = f"{title} needs a process of its own, which did not start: {error}"
            raise Problem(f"{why}. Try again, or {remedy}.") from error

    def _put_back(self, child: _Child) -> None:
        if child.idle and child.lives and self._spare is None and not self._closed:
            self._spare = child
        else:
            self._end(child)
            self.start()

    def _end(self, child: _Child) -> None:
        self._children.discard(child)
        child.end()


class _Child:
    """One running worker."""

    def __init__(self, loopback: bool) -> None:
        self._line = Line(loopback)
        self._channel: Channel | None = None
        self._ready = False
        self.idle = True  # nothing that was asked of it is unanswered
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        try:
            self._process = self._started()
        except OSError:
            self._line.close()
            self._errors.close()
            raise
        if not loopback:
            self._channel = self._line.channel(0.0)

    def _started(self) -> subprocess.Popen[bytes]:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        # -P: a file umap.py in the folder where the user happens to be must not be taken for the real one.
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", WORKER, self._line.address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=self._line.inherited,
            env={**os.environ, TOKEN_VARIABLE: self._line.token},
            creationflags=flags,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def made_ready(self, stage: str) -> Work[None]:
        """Wait until the child is warm."""
        while not self._ready:
            yield Progress(stage)
            message = self._received()
            self._ready = message is not None and message.values["kind"] == "ready"

    def answered(self, request: Message, title: str) -> Work[Mapping[str, NDArray[Any]]]:
        """Send the request and wait for its answer."""
        assert self._channel is not None
        self.idle = False
        self._channel.send(request, _PATIENCE)
        progress = Progress(title)
        while True:
            yield progress
            message = self._received()
            if message is None:
                continue
            values = message.values
            if values["kind"] == "progress":
                progress = Progress(values["stage"], values["done"], values["total"])
                continue
            self.idle = True
            if values["kind"] == "problem":
                raise Problem(values["text"])
            return message.arrays

    def last_words(self) -> str:
        """Say in a few words why the child ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2.0)
        code = self._process.poll()
        self._errors.seek(0)
        lines = self._errors.read()[-10_000:].decode(errors="replace").strip().splitlines()
        if code is not None and code < 0:
            return f"its process was ended from outside (signal {-code}), perhaps for want of memory"
        return lines[-1].rstrip(".") if lines else f"its process ended (exit code {code})"

    def end(self) -> None:
        """End the child now, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._line.close()
        if self._channel is not None:
            self._channel.close()
        self._errors.close()

    def _received(self) -> Message | None:
        if self._channel is None:
            self._channel = self._line.channel(_LOOK_UP)
            if self._channel is None:
                if not self.lives:
                    raise Closed
                return None
        return self._channel.receive(_LOOK_UP)


def _end_all(children: set[_Child]) -> None:
    while children:
        children.pop().end()


def _arrays(
    layout: Layout, features: Features, neighbors: Neighbors | None, start: Positions | None
) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {"features": features}
    if neighbors is not None and layout.neighbors_needed:
        arrays["rows"] = neighbors.rows[:, : layout.neighbors_needed]
        arrays["distances"] = neighbors.distances[:, : layout.neighbors_needed]
    if start is not None:
        arrays["start"] = start
    return arrays
