"""What a trunk computes, written down as an ONNX model."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.backbones.wire import message, tensor

if TYPE_CHECKING:
    from torch import Tensor, nn

OPSET = 17
IR_VERSION = 8
FLOAT, INTS, INT = 1, 7, 2  # kinds of attributes; FLOAT is the element type, too


class NotWritten(Exception):
    """A trunk uses an operation that is not written here."""


class Writer:
    """Takes down operations as they run, and their constants.

    Parameters
    ----------
    source : Tensor
        What the operations start from; what does not depend on it is constant.
    name : str
        Of the source.
    """

    def __init__(self, source: Tensor, name: str) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []
        self._names: dict[int, str] = {id(source): name}
        self._held: list[Any] = [source]  # so that no address is used twice
        self._count = 0

    def depends(self, values: Iterable[Any]) -> bool:
        """Say whether one of these values came from the source."""
        return any(id(value) in self._names for value in values)

    def name_of(self, value: Any) -> str:
        """Return what a value is called; a constant is taken down."""
        if id(value) not in self._names:
            self._hold(value, self.constant(np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)))
        return self._names[id(value)]

    def constant(self, values: NDArray[Any]) -> str:
        """Take down an array; return its name."""
        name = self._new("c")
        self.constants.append(tensor(name, values.astype(np.float32)))
        return name

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Take down an operation; return the name of its output."""
        name = self._new("v")
        self.nodes.append(
            message(
                (1, list(inputs)), (2, name), (3, name), (4, kind), (5, [_attribute(*a) for a in attributes.items()])
            )
        )
        return name

    def note(self, operation: str, arguments: Sequence[Any], output: Any) -> None:
        """Take down what one of torch's operations did."""
        if operation not in OPERATIONS:
            raise NotWritten(operation)
        first = output[0] if isinstance(output, tuple) else output
        self._hold(first, OPERATIONS[operation](self, *arguments))

    def _hold(self, value: Any, name: str) -> None:
        self._held.append(value)
        self._names[id(value)] = name

    def _new(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"


def onnx_model(trunk: nn.Sequential, taps: Iterable[int], mean: Tensor, std: Tensor, example: Tensor) -> bytes:
    """Return a model of ``(values - mean) / std`` through a trunk, tapped behind some of its modules.

    Its input "pictures" is (b, 1 or 3, side, side) with any b, and any side of a multiple of the example's strides.

    Parameters
    ----------
    example : (b, 3, side, side) Tensor
        The trunk runs on it once.

    Raises
    ------
    NotWritten
        If it does something that is not in :data:`OPERATIONS`.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    writer = Writer(example, "pictures")

    class Watching(TorchDispatchMode):  # type: ignore[no-untyped-call]
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else torch loads its compiler, five seconds, only to keep it away from here

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            output = func(*args, **(kwargs or {}))
            flat = [part for value in args for part in (value if isinstance(value, list | tuple) else (value,))]
            if writer.depends(flat):
                if any(value is not None for value in (kwargs or {}).values()):
                    raise NotWritten(f"{func} with {kwargs}")
                writer.note(func.name().partition("::")[2].partition(".")[0].removesuffix("_"), args, output)
            return output

    wanted, outputs = frozenset(taps), []
    with torch.no_grad(), Watching():  # type: ignore[no-untyped-call]
        values = (example - mean) / std
        for number, module in enumerate(trunk):
            values = module(values)
            if number in wanted:
                outputs.append((writer.name_of(values), values.shape[1]))
    graph = message(
        (1, writer.nodes),
        (2, "trunk"),
        (5, writer.constants),
        (11, _value("pictures", ("batch", "channels", "height", "width"))),
        (12, [_value(name, ("batch", width, f"{name}h", f"{name}w")) for name, width in outputs]),
    )
    return message((1, IR_VERSION), (2, "napari-micromap"), (7, graph), (8, message((1, ""), (2, OPSET))))


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, float):
        return message((1, name), (2, struct.pack("<f", value), 5), (20, FLOAT))
    if isinstance(value, int):
        return message((1, name), (3, value), (20, INT))
    return message((1, name), (8, list(value)), (20, INTS))


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = [message((1, side) if isinstance(side, int) else (2, side)) for side in shape]
    return message((1, name), (2, message((1, message((1, FLOAT), (2, message((1, dims))))))))


# ---------------------------------------------------------------------- operations of torch, by name


def _pair(value: Any) -> list[int]:
    return list(value) * 2 if len(value) == 1 else list(value)


def _convolution(
    to: Writer, values: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> str:  # fmt: skip
    if transposed:
        raise NotWritten("a transposed convolution")
    kernel, before, after = weight, _pair(padding), _pair(padding)
    if min(weight.shape[2:]) > 1 and not kernel[:, :, 0].any() and not kernel[:, :, :, 0].any():
        # a kernel with zeros on the near side stands for more padding on the far side
        kernel, before = kernel[:, :, 1:, 1:].contiguous(), [pad - 1 for pad in before]
    inputs = [to.name_of(values), to.name_of(kernel), *([] if bias is None else [to.name_of(bias)])]
    return to.node(
        "Conv", inputs, strides=_pair(stride), pads=[*before, *after], dilations=_pair(dilation), group=groups,
        kernel_shape=list(kernel.shape[2:]),
    )  # fmt: skip


def _clip(to: Writer, values: Any, low: float = -1.0, high: float = 1.0) -> str:
    return to.node("Clip", [to.name_of(values), *(to.constant(np.asarray(limit)) for limit in (low, high))])


def _max_pool(
    to: Writer,
    values: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = (0,),
    dilation: Any = (1,),
    ceil: bool = False,
) -> str:
    pads = _pair(padding)
    return to.node(
        "MaxPool", [to.name_of(values)], kernel_shape=_pair(kernel), strides=_pair(stride or kernel), pads=pads + pads,
        dilations=_pair(dilation), ceil_mode=int(ceil),
    )  # fmt: skip


def _mean(to: Writer, values: Any, axes: Any, keep: bool = False) -> str:
    return to.node("ReduceMean", [to.name_of(values)], axes=list(axes), keepdims=int(keep))


def _silu(to: Writer, values: Any) -> str:
    name = to.name_of(values)
    return to.node("Mul", [name, to.node("Sigmoid", [name])])


def _plain(kind: str) -> Callable[..., str]:
    return lambda to, *values: to.node(kind, [to.name_of(value) for value in values])


OPERATIONS: Mapping[str, Callable[..., str]] = {
    "convolution": _convolution,
    "hardtanh": _clip,
    "max_pool2d_with_indices": _max_pool,
    "mean": _mean,
    "silu": _silu,
    "relu": _plain("Relu"),
    "sigmoid": _plain("Sigmoid"),
    "hardswish": _plain("HardSwish"),
    "add": _plain("Add"),
    "sub": _plain("Sub"),
    "mul": _plain("Mul"),
    "div": _plain("Div"),
}
