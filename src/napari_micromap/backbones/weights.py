"""Files of weights: found, fetched, verified, read."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from napari_micromap.backbones import Download
from napari_micromap.problems import Problem, WeightsDamaged, WeightsMissing
from napari_micromap.streaming import with_pulse
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 18  # bytes between two reports of progress
PATIENCE = 20.0  # seconds without a byte before a download is given up
OUTER = ("state_dict", "model_state_dict", "model", "teacher")  # tables in which training keeps a network
PREFIXES = ("module.", "model.", "backbone.", "encoder_q.", "encoder.")
KEPT_ALONE = ("encoder_q.", "backbone.")  # where keys have it, the others are of the other network, or of a head
HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(?:pth|pt|bin)(?:\.tar)?$")  # as torch hub publishes them


def hub_folder() -> Path:
    """Return the folder where torch hub keeps weights, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")
    return Path(os.path.expanduser(home)) / "hub" / "checkpoints"


def hash_in_name(path: Path) -> str:
    """Return the first hex digits of the SHA-256 that a file name carries, "" if it carries none."""
    found = HASH_IN_NAME.search(path.name)
    return found.group(1) if found else ""


def verified(path: Path, sha256_start: str = "") -> str:
    """Return the SHA-256 of a file, which must begin as its publisher or its name says.

    A file without a hash in its name is taken as it is; what is returned records which one it was.
    """
    if not path.is_file():
        raise WeightsMissing(f"There is no file of weights at {path}.")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    expected = sha256_start or hash_in_name(path)
    if not sha256.startswith(expected):
        raise WeightsDamaged(
            f"{path} is damaged or not what its name says (its SHA-256 begins {sha256[:8]}, not {expected}); "
            "delete it and get it again."
        )
    return sha256


def state_dict_of(path: Path) -> dict[str, Tensor]:
    """Read a file of weights (.pth, .pt, .safetensors); outer tables and prefixes that training adds are taken off."""
    import torch

    content: Any = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    for name in OUTER:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not any(isinstance(value, torch.Tensor) for value in content.values()):
        raise WeightsDamaged(f"{path} holds no table of weights (a state dict).")
    return without_prefixes({str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)})


def without_prefixes(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take off what training wraps around a network's names; of two networks (contrastive learning) one is kept."""
    found = dict(weights)
    for prefix in KEPT_ALONE:
        inside = {key: value for key, value in found.items() if f".{prefix}" in f".{key}"}
        found = inside or found
    return {re.sub(rf"^(?:{'|'.join(map(re.escape, PREFIXES))})+", "", key): value for key, value in found.items()}


def _torch_file(path: Path) -> Any:
    import pickle

    import torch

    try:
        # weights_only: nothing in the file is run
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsDamaged(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from error


def _safetensors(path: Path) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise Problem("Files .safetensors need one more package: pip install napari-micromap[timm]") from error
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsDamaged(f"{path} cannot be read as weights: {error}") from error


def fetch(download: Download) -> Work[Path]:
    """Download weights, verify them and put them where they belong; a broken download leaves nothing behind."""
    stage, total = "Downloading", round(download.megabytes * 1e6)
    yield Progress(stage, 0, total, download.path.name)
    download.path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=download.path.parent, prefix=f".{download.path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield from _copied(download, file, stage, total)
        sha256 = verified(part, download.sha256_start)
        os.replace(part, download.path)
    except WeightsDamaged as error:
        raise WeightsDamaged(
            f"What came from {download.url} is not what was published; try again. {_by_hand(download)}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    yield Progress(stage, total, total, f"{download.path.name}, SHA-256 {sha256[:8]}…")
    return download.path


def _copied(download: Download, file: IO[bytes], stage: str, total: int) -> Work[None]:
    from http.client import HTTPException

    expected, done = 0, 0

    def blocks() -> Iterator[bytes]:
        nonlocal expected
        from urllib.request import Request, urlopen

        request = Request(download.url, headers={"User-Agent": "napari-micromap"})
        with urlopen(request, timeout=PATIENCE) as answer:
            expected = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read1(CHUNK):
                yield block

    try:
        for block in with_pulse(blocks(), (OSError, HTTPException)):
            if block is not None:
                file.write(block)
                done += len(block)
            yield Progress(stage, done, expected or total, download.path.name)
    except (OSError, HTTPException) as error:
        raise WeightsMissing(
            f"{download.path.name} could not be downloaded ({_said(error)}). {_by_hand(download)}"
        ) from error
    if done < expected:
        raise WeightsMissing(
            f"The download of {download.path.name} broke off after {done / 1e6:.1f} of {expected / 1e6:.1f} MB. "
            f"Try again, or bring the file. {_by_hand(download)}"
        )


def _said(error: Exception) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        error.close()  # it is the server's answer as well
    elif isinstance(error, URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _by_hand(download: Download) -> str:
    return (
        f"Without a network: get {download.url} on another machine and put it at {download.path}, "
        "or use EfficientNet-Lite0, which needs no download."
    )


def cached(download: Download) -> Path:
    """Return where the weights lie; they are never fetched here, since consent comes first."""
    if not download.path.is_file():
        raise WeightsMissing(
            f"The weights {download.path.name} ({download.size}) are not on this machine yet; "
            f"allow their download. {_by_hand(download)}"
        )
    return download.path


def check_space(download: Download) -> None:
    """Raise a Problem if the disk has no room for the weights."""
    import shutil

    folder = next(parent for parent in download.path.parents if parent.exists())
    if shutil.disk_usage(folder).free < 1.1e6 * download.megabytes:
        raise Problem(f"{folder} has no room for {download.megabytes:.0f} MB of weights; free some or set TORCH_HOME.")
