"""Protocol buffers, as far as an ONNX model needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32 = 1
VARINT, BYTES = 0, 2  # wire types


def message(*fields: tuple[Any, ...]) -> bytes:
    """Pack fields of a message, each (number, value) or (number, bytes, wire type).

    A list is a repeated field. Texts and bytes go with their length, integers as varints.
    """
    packed = bytearray()
    for number, value, *kind in fields:
        for one in value if isinstance(value, list) else [value]:
            packed += _field(number, one, *kind)
    return bytes(packed)


def tensor(name: str, values: NDArray[Any]) -> bytes:
    """Pack an array as ONNX's TensorProto of float32."""
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    return message((1, list(values.shape)), (2, FLOAT32), (8, name), (9, raw))


def _field(number: int, value: int | str | bytes, kind: int | None = None) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | VARINT) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    if kind is not None:
        return _varint(number << 3 | kind) + content
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers as their two's complement
    packed = bytearray()
    while value > 127:
        packed.append(value & 127 | 128)
        value >>= 7
    packed.append(value)
    return bytes(packed)
