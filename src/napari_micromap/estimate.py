"""How long a map will take on this machine, roughly."""

from __future__ import annotations

import os

# Pictures a second that go through a network once on two cores, float32; measured with two threads on AVX-512.
_RATES = {"efficientnet-lite0": 80.0, "resnet18": 45.0, "resnet50": 15.0}
_OTHER_RATE = 12.0
_READ = 40.0  # files a second that are read, unpacked and scaled on one core


def seconds_for_map(n: int, backbone: str, views: int, embedded: bool = False, cores: int | None = None) -> float:
    """Estimate the seconds until the final map stands.

    Parameters
    ----------
    n : int
        Number of micrographs.
    backbone : str
        Name of the network in the table of backbones.
    views : int
        How often each picture goes through it.
    embedded : bool
        Whether the micrographs are embedded already.
    cores : int, optional
        Cores to reckon with; those of this machine if left out.
    """
    cores = cores or os.cpu_count() or 2
    layout = 2.0 + n / 500
    if embedded:
        return layout
    rate: float = _RATES.get(backbone, _OTHER_RATE) * (cores / 2) ** 0.8  # more cores help less than they promise
    return 2.0 + n * (max(1, views) / rate + 1 / (_READ * cores)) + layout
