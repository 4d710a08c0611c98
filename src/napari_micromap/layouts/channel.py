"""Messages between a window's process and its layout process."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOKEN_VARIABLE = "MICROMAP_LAYOUT_TOKEN"  # the environment variable that a line's token comes in
_PIECE = 1 << 20
_HELLO = 5.0  # seconds from connecting to the first message, on a busy machine


class Closed(Exception):
    """The other side is gone."""


@dataclass(frozen=True)
class Message:
    """Plain values, and arrays by name; on the wire one line of JSON and then the arrays as .npy, nothing pickled."""

    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Channel:
    """One end of a socket that carries messages."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._arrived = bytearray()

    def send(self, message: Message, patience: float | None = None) -> None:
        """Send a message; raise :class:`Closed` if the other side is gone or does not take it for ``patience`` s."""
        bodies = {name: _as_bytes(array) for name, array in message.arrays.items()}
        header = {"values": message.values, "arrays": {name: len(body) for name, body in bodies.items()}}
        try:
            self._socket.settimeout(patience)
            for piece in (json.dumps(header).encode() + b"\n", *bodies.values()):
                self._socket.sendall(piece)
        except OSError as error:
            raise Closed from error

    def receive(self, patience: float | None = None) -> Message | None:
        """Return the next message, or None if it is not here after ``patience`` seconds; None waits without limit."""
        while (message := self._taken()) is None:
            try:
                self._socket.settimeout(patience)
                piece = self._socket.recv(_PIECE)
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed from error
            if not piece:
                raise Closed
            self._arrived += piece
        return message

    def close(self) -> None:
        """Close this end, which the other side notices."""
        self._socket.close()

    def _taken(self) -> Message | None:
        """Take one message off what has arrived, once it is whole."""
        end = self._arrived.find(b"\n")
        if end < 0:
            return None
        header = json.loads(self._arrived[:end])
        ends = np.cumsum([end + 1, *header["arrays"].values()])
        if len(self._arrived) < ends[-1]:
            return None
        bodies = [bytes(self._arrived[first:last]) for first, last in pairwise(ends)]
        del self._arrived[: ends[-1]]
        return Message(header["values"], {name: _as_array(body) for name, body in zip(header["arrays"], bodies)})


def _as_bytes(array: NDArray[Any]) -> bytes:
    file = BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _as_array(body: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(BytesIO(body), allow_pickle=False)
    return array


class Line:
    """A connection that waits for a child process to take its other end.

    Parameters
    ----------
    loopback : bool
        Over the machine's own network with a secret token, as Windows needs it, instead of an inherited socket.
    """

    def __init__(self, loopback: bool) -> None:
        self.token = secrets.token_hex(16) if loopback else ""
        self._near: socket.socket
        self._far: socket.socket | None
        if loopback:
            self._near, self._far = socket.create_server(("127.0.0.1", 0)), None
        else:
            self._near, self._far = socket.socketpair()

    @property
    def address(self) -> str:
        """What the child is told: a file descriptor or a port."""
        return f"port:{self._near.getsockname()[1]}" if self._far is None else f"fd:{self._far.fileno()}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors that the child has to inherit."""
        return () if self._far is None else (self._far.fileno(),)

    def channel(self, patience: float) -> Channel | None:
        """Return our end once the child is there, or None if it is not there after ``patience`` seconds."""
        if self._far is not None:
            # Our copy of the child's end must go, or its death would not show.
            self._far.close()
            return Channel(self._near)
        self._near.settimeout(patience)
        try:
            caller, _ = self._near.accept()
        except TimeoutError:
            return None
        channel = Channel(caller)
        try:
            hello = channel.receive(_HELLO)
        except (Closed, ValueError):
            hello = None
        if hello is None or not secrets.compare_digest(str(hello.values.get("token")), self.token):
            channel.close()  # somebody else on this machine
            return None
        self._near.close()
        return channel

    def close(self) -> None:
        """Give up waiting."""
        self._near.close()
        if self._far is not None:
            self._far.close()


def connect(address: str, token: str) -> Channel:
    """Take the child's end of a :class:`Line`."""
    kind, _, number = address.partition(":")
    if kind == "fd":
        return Channel(socket.socket(fileno=int(number)))
    channel = Channel(socket.create_connection(("127.0.0.1", int(number))))
    channel.send(Message({"token": token}))
    return channel
