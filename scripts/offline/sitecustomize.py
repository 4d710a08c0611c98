"""A Python whose sockets reach this machine only; put on PYTHONPATH where the network cannot be cut otherwise."""

import ipaddress
import socket
from typing import Any

_connect, _connect_ex, _resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a path of this machine
    host = str(address[0] or "localhost")
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse(host: Any) -> OSError:
    return OSError(101, f"the network is cut: {host}")


def _checked_connect(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _here(address):
        raise _refuse(address)
    _connect(self, address)


def _checked_connect_ex(self: socket.socket, address: Any) -> int:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _here(address):
        return 101
    return _connect_ex(self, address)


def _checked_resolve(host: Any, *arguments: Any, **named: Any) -> Any:
    if not _here((host,)):
        raise _refuse(host)
    return _resolve(host, *arguments, **named)


socket.socket.connect = _checked_connect  # type: ignore[method-assign, assignment]
socket.socket.connect_ex = _checked_connect_ex  # type: ignore[method-assign, assignment]
socket.getaddrinfo = _checked_resolve
