"""The same trunk, run by ONNX Runtime: on processors it is quicker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from napari_micromap.backbones.graph import NotWritten, onnx_model
from napari_micromap.streaming import processors

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGEST_STRIDE = 32  # sides that are no multiple of it are padded otherwise
MOST_CALLERS = 16  # threads that call at once; processors beyond these help each of them


class Runtime:
    """A trunk in ONNX Runtime; any number of threads may call it at once, each computes in its own.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Of a model by :func:`~napari_micromap.backbones.graph.onnx_model`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def takes(self, batch: Tensor) -> bool:
        """Say whether pictures of this size give the same as in torch."""
        return all(side % LARGEST_STRIDE == 0 for side in batch.shape[2:])

    def maps(self, batch: Tensor) -> list[Tensor]:
        """Return a (b, c, h, w) map a tap for (b, 1 or 3, side, side) values in 0–1."""
        import torch

        if batch.stride(1) == 0:  # one channel that stands for three
            batch = batch[:, :1]
        found = self._session.run(None, {"pictures": batch.contiguous().numpy()})
        return [torch.from_numpy(values) for values in found]


def runtime_of(trunk: nn.Sequential, taps: Iterable[int], mean: Tensor, std: Tensor, example: Tensor) -> Runtime | None:
    """Return a trunk as ONNX Runtime runs it; None where that is not installed or cannot say what the trunk does."""
    try:
        import onnxruntime
    except ImportError:
        return None
    try:
        model = onnx_model(trunk, taps, mean, std, example)
    except NotWritten:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1 + max(0, processors() - MOST_CALLERS)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    return Runtime(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))
