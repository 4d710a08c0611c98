"""Is embedding as quick as decoding and the network allow, and how much quicker than the usual loop?

Generated 16-bit TIFFs of 1024 x 768. Each way to embed runs `--repeats` times, in turn, and medians are compared:

- ours: the embed stage with an empty cache, one view, all depths; it also makes thumbnails, hashes and commits;
- bare: the network alone on prepared pictures, in the threads and batches that ours uses;
- decoding: the files read by ours, one thread, divided by the processors: to the numbers that they hold, or, which the
  usual loop begins with, to 8 bits in the window of gray;
- the usual loop: decoded by ours, 8 bits, torchvision's transforms, eager float32, batches of 16, all threads.

ResNet-50 has random weights: its times hold, its cosines say nothing of the real ones.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.backbones.efficientnet_lite import TAPS, EfficientNetLite0, build_trunk, renamed, weights_path
from napari_micromap.backbones.network import CnnNetwork, load_proven
from napari_micromap.backbones.torchvision_cnns import ResNet50, trunk_of, trunk_weights
from napari_micromap.backbones.weights import state_dict_of
from napari_micromap.embedding.inference import AT_ONCE_CPU
from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.recipe import Recipe, batch_of, gray_window, pool, prepare
from napari_micromap.sources.folder import Folder
from napari_micromap.streaming import in_order, one_thread_each, processors
from napari_micromap.work import finish

HEIGHT, WIDTH = 768, 1024
USUAL_BATCH = 16
LITE, RESNET = "EfficientNet-Lite0", "ResNet-50"


def write_pictures(folder: Path, n: int) -> Path:
    """Write n 16-bit pictures of grains, pores and noise, of 12 bits in 16, unless they are there."""
    folder = folder / f"{n} pictures"
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)

    def write(number: int) -> None:
        own = np.random.default_rng([1, number])
        cell = int(own.integers(6, 40))
        grains = own.normal(2000, 500, (HEIGHT // cell + 1, WIDTH // cell + 1))
        picture = np.kron(grains, np.ones((cell, cell)))[:HEIGHT, :WIDTH] + noise
        for _ in range(int(own.integers(0, 60))):
            y, x, size = own.integers(0, HEIGHT - 40), own.integers(0, WIDTH - 40), own.integers(4, 40)
            picture[y : y + size, x : x + size] = own.normal(300, 60)
        tifffile.imwrite(folder / f"{number:05d}.tif", picture.clip(0, 4095).astype(np.uint16))

    noise = rng.normal(0, 120, (HEIGHT, WIDTH))
    with ThreadPoolExecutor(processors()) as pool_:
        list(pool_.map(write, range(n)))
    return folder


@dataclass(frozen=True)
class RandomResNet50(ResNet50):
    """ResNet-50 with random weights in a local file."""

    title: ClassVar[str] = "ResNet-50 (random)"


RandomResNet50.builder, RandomResNet50.taps = ResNet50.builder, ResNet50.taps
RandomResNet50.published, RandomResNet50.megabytes = ResNet50.published, ResNet50.megabytes


def random_resnet50(folder: Path) -> Any:
    """Save random weights in the way of the published ones; return the backbone."""
    from torchvision import models

    torch.manual_seed(0)
    module = models.resnet50(weights=None)
    # As after training: activations of about one, different pictures told apart.
    with torch.no_grad():
        module.train()
        for _ in range(6):
            module(torch.rand(8, 1, 96, 96).expand(-1, 3, -1, -1) * torch.rand(8, 1, 1, 1) * 4 - 1)
    path = folder / "random.pth"
    torch.save(module.state_dict(), path)
    return RandomResNet50(weights_file=path)


class Usual:
    """The loop that is usually written."""

    def __init__(self, name: str, backbone: Any) -> None:
        from torchvision import transforms

        if name == LITE:
            trunk = build_trunk()
            weights = renamed(state_dict_of(weights_path()), trunk)
            load_proven(trunk, {key: value for key, value in weights.items() if not key.startswith("classifier.")})
            taps, mean, std = tuple(TAPS), [0.498] * 3, [0.502] * 3
        else:
            from torchvision import models

            trunk = trunk_of(models.resnet50(weights=None))
            load_proven(trunk, trunk_weights(state_dict_of(backbone.weights_file)))
            taps, mean, std = ResNet50.taps, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        self.trunk, self.taps = trunk.eval(), taps
        self.transform = transforms.Compose(
            [transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize(mean, std)]
        )

    def __call__(self, paths: list[Path]) -> tuple[NDArray[np.float32], float, float]:
        """Return vectors, seconds of all and seconds without decoding to 8 bits."""
        from PIL import Image

        began, decoding, parts = time.perf_counter(), 0.0, []
        for first in range(0, len(paths), USUAL_BATCH):
            a = time.perf_counter()
            arrays = [read_eight_bits(path) for path in paths[first : first + USUAL_BATCH]]
            decoding += time.perf_counter() - a
            pictures = [Image.fromarray(array).convert("RGB") for array in arrays]
            values = torch.stack([self.transform(picture) for picture in pictures])
            maps = []
            with torch.no_grad():
                for number, module in enumerate(self.trunk):
                    values = module(values)
                    if number in self.taps:
                        maps.append(values.clone())
            parts.append(pool([maps]))
        seconds = time.perf_counter() - began
        return np.concatenate(parts), seconds, seconds - decoding


def eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return pixels in our window, as 8 bits."""
    low, high = gray_window(pixels, 0.5, 99.5)
    return np.rint((pixels.astype(np.float32) - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)


def bare(network: CnnNetwork, prepared: NDArray[np.float32], n: int) -> float:
    """Return seconds of the network alone on n pictures, in ours' threads and batches."""
    groups = [range(first, min(n, first + AT_ONCE_CPU)) for first in range(0, n, AT_ONCE_CPU)]
    with one_thread_each(processors()) as begin:
        began = time.perf_counter()
        for _ in in_order(
            lambda g: network.maps(batch_of([prepared[i % len(prepared)] for i in g])),
            groups,
            processors(),
            begin=begin,
        ):
            pass
        return time.perf_counter() - began


class Loading:
    """A backbone that tells how long its loading took."""

    def __init__(self, backbone: Any) -> None:
        self.seconds = self.cpu_seconds = 0.0
        load = type(backbone).load

        def timed_load(own: Any, device: str = "cpu") -> Any:
            began, cpu = time.perf_counter(), time.process_time()
            network = load(own, device)
            self.seconds, self.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
            return network

        type(backbone).load = timed_load


def embed(atlas: Atlas, backbone: Any, recipe: Recipe, cache: Path) -> tuple[NDArray[np.float32], float]:
    """Return vectors and seconds of the embed stage."""
    workshop = pipeline.Workshop(cache)
    began = time.perf_counter()
    done = finish(pipeline.embed(atlas, backbone, recipe, workshop, "cpu"))
    seconds = time.perf_counter() - began
    workshop.close()
    assert done.embeddings is not None
    return done.embeddings, seconds


def read_eight_bits(path: Path) -> NDArray[np.uint8]:
    """Read a picture to 8 bits."""
    return eight_bits(read_pixels(path))


def timed_over(read: Callable[[Path], Any], paths: list[Path]) -> float:
    """Return the seconds of reading files one after the other, keeping none."""
    began = time.perf_counter()
    for path in paths:
        read(path)
    return time.perf_counter() - began


def one_network(name: str, backbone: Any, atlas: Atlas, folder: Path, repeats: int, short: bool) -> dict[str, Any]:
    """Run all ways with one network, in turn; in short without the usual loop and bfloat16."""
    paths = [Path(path) for path in atlas.paths]
    n = len(paths)
    network = backbone.load("cpu")
    usual = None if short else Usual(name, backbone)
    loading = Loading(backbone)
    prepared = np.stack([prepare(read_pixels(path), Recipe(views=1)) for path in paths[:64]])
    low = network.in_bfloat16() if name == RESNET and not short else None
    seconds: dict[str, list[float]] = {}

    def note(what: str, value: float) -> None:
        seconds.setdefault(what, []).append(value)
        print(f"{name}, {n} pictures, {what}: {value:.3f} s", file=sys.stderr)  # a run that is ended has told this much

    def note_cpu(what: str, function: Callable[[], Any]) -> Any:
        began = time.process_time()
        result = function()
        note(f"CPU {what}", time.process_time() - began)
        return result

    cosine = 1.0
    for repeat in range(repeats):
        cache = folder / f"cache {name} {repeat}"
        vectors, took = note_cpu("ours", functools.partial(embed, atlas, backbone, Recipe(views=1), cache))
        note("ours", took)
        note("loading in ours", loading.seconds)
        note("CPU loading in ours", loading.cpu_seconds)
        note("ours without loading", took - loading.seconds)
        note("bare", note_cpu("bare", lambda: bare(network, prepared, n)))
        for what, read in (("decoding", read_pixels), ("decoding to 8 bits", read_eight_bits)):
            note(what, note_cpu(what, functools.partial(timed_over, read, paths)))
        if usual is not None:
            wanted, took, without = note_cpu("usual", functools.partial(usual, paths))
            note("usual", took)
            note("usual without decoding", without)
            cosine = min(cosine, float((unit(vectors) * unit(wanted)).sum(axis=1).min()))
        note("second run", embed(atlas, backbone, Recipe(views=1), cache)[1])
        if low is not None:
            half = Recipe(views=1, precision="bfloat16")
            note("ours bf16", embed(atlas, backbone, half, folder / f"half {repeat}")[1] - loading.seconds)
            note("bare bf16", bare(low, prepared, n))
    told: dict[str, Any] = {what: round(statistics.median(values), 3) for what, values in seconds.items()}
    cores = processors()
    # In processor time the same, as if all ran side by side without gaps: it suffers less from other programs.
    ratios = {}
    for what in ("decoding", "decoding to 8 bits"):
        wall, cpu = told["bare"] + told[what] / cores, told["CPU bare"] + told[f"CPU {what}"]
        ratios[f"ours / (bare + {what} / processors)"] = round(told["ours without loading"] / wall, 3)
        ratios[f"the same with loading, {what}"] = round(told["ours"] / wall, 3)
        ratios[f"the same in CPU seconds, {what}"] = round((told["CPU ours"] - told["CPU loading in ours"]) / cpu, 3)
    return {
        "network": name,
        "runtime": network.runs_in,
        "images": n,
        "repeats": repeats,
        "seconds": told,
        "images/s": round(n / told["ours"], 1),
        **ratios,
        **({} if usual is None else against_usual(told, cosine)),
        **({"usual loop / ours bf16": round(told["usual"] / told["ours bf16"], 2)} if low is not None else {}),
        "first run / second run": round(told["ours"] / told["second run"], 1),
    }


def against_usual(told: dict[str, Any], cosine: float) -> dict[str, Any]:
    """Compare with the usual loop; it is not charged with loading the network."""
    cpu = told["CPU ours"] - told["CPU loading in ours"]
    return {
        "usual loop / ours": round(told["usual"] / told["ours without loading"], 2),
        "the same with loading ours": round(told["usual"] / told["ours"], 2),
        "usual loop without decoding / ours": round(told["usual without decoding"] / told["ours without loading"], 2),
        "usual loop / ours, in CPU seconds": round(told["CPU usual"] / cpu, 2),
        "least cosine with the usual loop": round(cosine, 6),
    }


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of length one."""
    scaled: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def pillow(paths: list[Path]) -> dict[str, float]:
    """Time Pillow's own way from 16 bits to 8, which saturates, beside ours."""
    from PIL import Image

    def theirs(path: Path) -> NDArray[Any]:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"))

    own, other = timed_over(read_eight_bits, paths), timed_over(theirs, paths)
    saturated = float(np.mean([(theirs(path) == 255).mean() for path in paths[:20]]))
    return {"ours ms": 1e3 * own / len(paths), "pillow ms": 1e3 * other / len(paths), "saturated share": saturated}


MEMORY = """
import sys
from pathlib import Path
from napari_micromap import pipeline
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish
atlas = finish(pipeline.gather(Folder(Path(sys.argv[1]))))
workshop = pipeline.Workshop(Path(sys.argv[2]))
finish(pipeline.embed(atlas, None, Recipe(views=1), workshop, "cpu"))
told = Path("/proc/self/status").read_text()  # getrusage would count the parent before exec, too
print(int(told.partition("VmHWM:")[2].split()[0]) // 1024)
"""


def memory(folder: Path, cache: Path) -> int:
    """Return the highest RSS in MB of a process that embeds a folder."""
    command = [sys.executable, "-W", "ignore", "-c", MEMORY, str(folder), str(cache)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def machine() -> dict[str, Any]:
    """Say what this ran on."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(": ")[2] for line in told.splitlines() if line.startswith("model name")]
    from importlib.metadata import version

    packages = {name: version(name) for name in ("torch", "onnxruntime", "numpy", "pillow", "tifffile")}
    load = round(os.getloadavg()[0], 1)
    return {"cpu": names[0] if names else "", "processors": processors(), "load before": load, **packages}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--n", type=int, default=2000, help="pictures")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--films", type=Path, help="where the pictures are kept for another run")
    parser.add_argument("--short", action="store_true", help="without the usual loop and bfloat16, which take longest")
    parser.add_argument("--only", choices=["lite", "resnet", "memory"])
    args = parser.parse_args()
    told: list[dict[str, Any]] = [machine()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = write_pictures(args.films or folder / "films", args.n)
        if args.only != "memory":
            atlas = finish(pipeline.gather(Folder(films)))
        if args.only in (None, "lite"):
            told.append({"16 to 8 bits": pillow([Path(path) for path in atlas.paths[:200]])})
            told.append(one_network(LITE, EfficientNetLite0(), atlas, folder, args.repeats, args.short))
        if args.only in (None, "resnet"):
            told.append(one_network(RESNET, random_resnet50(folder), atlas, folder, args.repeats, args.short))
        if args.only in (None, "memory"):
            few = folder / "few"
            few.mkdir()
            for path in sorted(films.iterdir())[: args.n // 4]:
                (few / path.name).symlink_to(path)
            peaks = {f"{args.n // 4}": memory(few, folder / "m1"), f"{args.n}": memory(films, folder / "m2")}
            told.append({"highest RSS in MB, by images": peaks})
    told.append({"load after": round(os.getloadavg()[0], 1)})
    for one in told:
        print(json.dumps(one) if args.json else "\n".join(f"{key}: {value}" for key, value in one.items()) + "\n")


if __name__ == "__main__":
    main()
