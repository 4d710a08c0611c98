"""Networks, their weights, and how those come to this machine."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_micromap import pipeline
from napari_micromap.backbones import BACKBONES, Download, torchvision_cnns
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0, build_trunk, renamed, weights_path
from napari_micromap.backbones.torchvision_cnns import ResNet18, ResNet50, TorchvisionCnn
from napari_micromap.backbones.weights import fetch, hash_in_name, hub_folder, state_dict_of, verified
from napari_micromap.problems import Problem, WeightsDamaged, WeightsMissing
from napari_micromap.work import Progress, finish

CONTENT = np.random.default_rng(0).bytes(3_000_000)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: several wait for one another where other programs want the processors too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def lite() -> Any:
    """The network that works offline."""
    return EfficientNetLite0().load("cpu")


@pytest.fixture(autouse=True)
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own weights out of the tests, and proxies away from this machine's own server."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a ResNet-18 that learned nothing: good for trying the code, never for results."""
    import torch
    from torchvision.models import resnet18

    torch.manual_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save(resnet18(weights=None).state_dict(), path)
    return path


# ------------------------------------------------------------ the network that works offline


def test_the_default_needs_no_download_and_is_the_first() -> None:
    assert next(iter(BACKBONES)) == "efficientnet-lite0"
    assert EfficientNetLite0().download() is None
    assert finish(pipeline.download(EfficientNetLite0())) is None
    assert hash_in_name(weights_path()) == EfficientNetLite0().weights_sha256()[:8] == "57934424"


def test_a_cat_is_a_cat_and_coffee_is_coffee(lite: Any) -> None:
    """Architecture, padding, normalization and weights fit one another, or else ImageNet's classes come out wrong."""
    import torch
    from skimage import data
    from torch.nn.functional import interpolate

    published = state_dict_of(weights_path())
    for name, classes, at_least in (("cat", range(281, 286), 0.90), ("coffee", [967], 0.94)):
        picture = getattr(data, name)()
        side = min(picture.shape[:2])
        top, left = ((size - side) // 2 for size in picture.shape[:2])
        square = torch.from_numpy(picture[top : top + side, left : left + side]).permute(2, 0, 1)[None].float() / 255
        square = interpolate(square, (256, 256), mode="bilinear", antialias=True)[..., 16:-16, 16:-16]
        with torch.inference_mode():
            head = lite.maps(square)[-1].mean(dim=(2, 3))
            chances = (head @ published["_fc.weight"].T + published["_fc.bias"]).softmax(dim=1)[0]
        assert float(chances[list(classes)].sum()) > at_least, name


def test_maps_come_at_four_depths_and_gray_may_have_one_channel_or_three(lite: Any) -> None:
    import torch

    gray = torch.rand(2, 1, 224, 224)
    maps = lite.maps(gray)
    assert [tuple(depth.shape) for depth in maps] == [
        (2, 40, 28, 28), (2, 112, 14, 14), (2, 320, 7, 7), (2, 1280, 7, 7)
    ]  # fmt: skip
    assert list(lite.widths) == [40, 112, 320, 1280]
    assert lite.depths[-1] == "head"
    assert all(torch.equal(a, b) for a, b in zip(maps, lite.maps(gray.expand(-1, 3, -1, -1))))


@pytest.mark.parametrize("side", [96, 97, 223])
def test_padding_is_tensorflows_for_even_and_odd_sides(side: int) -> None:
    """Checked against the plain definition: a copy with zeros around it, more on the right and below."""
    import torch
    from torch.nn.functional import conv2d, pad

    torch.manual_seed(0)
    conv = build_trunk()[0][0]  # type: ignore[index]
    values = torch.rand(1, 3, side, side)
    rest = max((-(-side // 2) - 1) * 2 + 3 - side, 0)
    near, far = rest // 2, rest - rest // 2
    with torch.inference_mode():
        assert torch.allclose(
            conv(values), conv2d(pad(values, (near, far, near, far)), conv.weight, None, 2), atol=1e-6
        )


def test_folding_the_normalizations_changes_nothing(lite: Any) -> None:
    import torch

    trunk = build_trunk()
    trunk.load_state_dict(renamed(state_dict_of(weights_path()), trunk))
    values = torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        plain = trunk.eval()((values - 0.498) / 0.502)
    folded = lite.maps(values)[-1]
    assert float((plain - folded).abs().max()) < 1e-4 * float(plain.abs().max())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in lite._trunk.modules())


def test_bfloat16_is_near_but_not_the_same(lite: Any) -> None:
    import torch
    from torch.nn.functional import cosine_similarity

    gray = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(1))
    low = lite.in_bfloat16()
    exact, rough = (network.maps(gray)[-1].mean(dim=(2, 3)) for network in (lite, low))
    assert (low.precision, lite.precision, rough.dtype) == ("bfloat16", "float32", torch.float32)
    assert 0.9 < float(cosine_similarity(exact, rough).min()) < 1.0 - 1e-6


def test_a_device_that_is_not_here_is_named() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a graphics card")
    with pytest.raises(Problem, match="no device “cuda” here; use auto or cpu"):
        EfficientNetLite0().load("cuda")


# ------------------------------------------------------------ proof that weights are loaded


@pytest.mark.parametrize(
    "name", [n for n in BACKBONES if issubclass(BACKBONES[n], TorchvisionCnn) and n not in ("vgg16", "resnet101")]
)
def test_each_cnn_loads_a_local_file_and_gives_its_strides(name: str, tmp_path: Path) -> None:
    import torch
    from torchvision import models

    cls: Any = BACKBONES[name]
    torch.manual_seed(1)
    torch.save(getattr(models, cls.builder)(weights=None).state_dict(), tmp_path / "weights.pth")
    network = cls(weights_file=tmp_path / "weights.pth").load("cpu")
    maps = network.maps(torch.rand(1, 1, 96, 96))
    assert [96 // depth.shape[-1] for depth in maps][:3] == [8, 16, 32]
    assert [depth.shape[1] for depth in maps] == list(network.widths)
    assert network.weights_sha256 == hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()


def test_published_names_are_torchvisions_and_need_no_torch_to_know() -> None:
    import torch
    from torchvision.models import get_model_weights

    assert Path(torch.hub.get_dir()) / "checkpoints" == hub_folder()
    for name in BACKBONES:
        cls = BACKBONES[name]
        if issubclass(cls, TorchvisionCnn) and cls.__module__ == torchvision_cnns.__name__:
            published = get_model_weights(cls.builder).IMAGENET1K_V1  # type: ignore[attr-defined]
            download = cls().download()
            assert download is not None
            assert download.url == published.url
            assert len(download.sha256_start) >= 8
            assert download.megabytes == pytest.approx(published.meta["_file_size"] * 1.048576, rel=0.01)


def test_an_untrained_network_is_refused(tmp_path: Path) -> None:
    import torch
    from torchvision.models import resnet101

    torch.manual_seed(0)
    torch.save(resnet101(weights=None).state_dict(), tmp_path / "nothing.pth")
    with pytest.raises(WeightsDamaged, match="says the same of all pictures"):
        BACKBONES["resnet101"](weights_file=tmp_path / "nothing.pth").load("cpu")  # type: ignore[call-arg]


def test_prefixes_an_outer_table_and_another_classifier_are_tolerated(untrained: Path, tmp_path: Path) -> None:
    import torch

    plain = state_dict_of(untrained)
    wrapped = {f"module.{name}": value for name, value in plain.items() if not name.endswith("num_batches_tracked")}
    wrapped["module.fc.weight"], wrapped["module.fc.bias"] = torch.zeros(54, 512), torch.zeros(54)
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "micronet.pth.tar")
    one, other = (ResNet18(path).load("cpu") for path in (untrained, tmp_path / "micronet.pth.tar"))
    gray = torch.rand(1, 1, 96, 96)
    assert all(torch.equal(a, b) for a, b in zip(one.maps(gray), other.maps(gray)))


def test_weights_of_another_network_are_refused(untrained: Path, tmp_path: Path) -> None:
    import torch

    with pytest.raises(WeightsDamaged, match=r"of another network: .* parameters are missing"):
        ResNet50(untrained).load("cpu")
    fewer = state_dict_of(untrained)
    fewer.pop("layer1.0.conv1.weight")
    torch.save(fewer, tmp_path / "fewer.pth")
    with pytest.raises(WeightsDamaged, match=r"layer1\.0|missing"):
        ResNet18(tmp_path / "fewer.pth").load("cpu")
    torch.save({"lr": 0.1}, tmp_path / "none.pth")
    with pytest.raises(WeightsDamaged, match="no table of weights"):
        ResNet18(tmp_path / "none.pth").load("cpu")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import torch

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "was run",)

    torch.save({"weight": torch.zeros(1), "evil": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsDamaged, match="cannot be read as weights"):
        state_dict_of(tmp_path / "evil.pth")
    (tmp_path / "text.pth").write_text("404: not found")
    with pytest.raises(WeightsDamaged, match="cannot be read as weights"):
        state_dict_of(tmp_path / "text.pth")
    assert not (tmp_path / "was run").exists()


def test_a_name_that_carries_a_hash_is_held_to_it(untrained: Path, tmp_path: Path) -> None:
    sha256 = verified(untrained)  # no hash in its name: what it is, is recorded
    named = tmp_path / f"resnet18-{sha256[:8]}.pth"
    named.write_bytes(untrained.read_bytes())
    assert ResNet18(named).weights_sha256() == sha256
    named.write_bytes(untrained.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsDamaged, match="delete it and get it again"):
        ResNet18(named).load("cpu")
    with pytest.raises(WeightsMissing, match="no file of weights"):
        ResNet18(tmp_path / "absent.pth").load("cpu")


# ------------------------------------------------------------ downloads


class Server(ThreadingHTTPServer):
    """Gives one file, whole or as the test wants it."""

    content = CONTENT
    send = len(CONTENT)  # bytes, after which the connection breaks
    hangs = False  # it says nothing any more, until the test ends
    asked = 0
    over: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: self.server.send])
        self.wfile.flush()
        if self.server.hangs:
            self.server.over.wait(30)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Answer)
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def wanted(server: Server, folder: Path, name: str = "net.pth", content: bytes = CONTENT) -> Download:
    start = hashlib.sha256(content).hexdigest()[:8]
    return Download(f"{server.url}/{name}", folder / "hub" / name, len(CONTENT) / 1e6, start)


def nothing_left(folder: Path) -> bool:
    return not list((folder / "hub").iterdir())


def test_a_download_tells_its_progress_and_stands_verified(server: Server, tmp_path: Path) -> None:
    told: list[Progress] = []
    path = finish(fetch(wanted(server, tmp_path)), told.append)
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["net.pth"]
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert told[0].done == 0 and told[-1].done == told[-1].total == len(CONTENT)


def test_damaged_content_never_stands_under_its_name(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"x"
    with pytest.raises(
        WeightsDamaged, match=r"not what was published.*Without a network: get http.*EfficientNet-Lite0"
    ):
        finish(fetch(wanted(server, tmp_path)))
    assert nothing_left(tmp_path)


def test_a_broken_connection_leaves_nothing_and_says_what_to_bring(server: Server, tmp_path: Path) -> None:
    server.send = 1_000_000
    with pytest.raises(
        WeightsMissing, match=r"broke off after 1\.0 of 3\.0 MB.*put it at .*net\.pth.*EfficientNet-Lite0"
    ):
        finish(fetch(wanted(server, tmp_path)))
    assert nothing_left(tmp_path)


def test_without_a_network_the_file_to_bring_and_the_offline_way_are_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="404"):
        finish(fetch(wanted(server, tmp_path, "missing.pth")))
    nobody = Download("http://127.0.0.1:9/net.pth", tmp_path / "hub" / "net.pth", 3.0, "00000000")
    with pytest.raises(WeightsMissing, match=r"could not be downloaded .*refused.*EfficientNet-Lite0, which needs no"):
        finish(fetch(nobody))
    assert nothing_left(tmp_path)


def test_a_download_that_hangs_can_be_canceled_at_once(server: Server, tmp_path: Path) -> None:
    server.send, server.hangs = 1_000_000, True
    work = fetch(wanted(server, tmp_path))
    while next(work).done < server.send:
        pass
    assert next(work).done == server.send  # it goes on telling, though nothing comes
    began = time.monotonic()
    work.close()
    assert time.monotonic() - began < 5
    assert nothing_left(tmp_path)


def test_a_backbone_is_downloaded_once_and_only_when_it_is_asked_for(
    server: Server, untrained: Path, own_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = untrained.read_bytes()
    server.send = len(server.content)
    name = f"resnet18-{verified(untrained)[:8]}.pth"
    monkeypatch.setattr(torchvision_cnns, "PUBLISHED_AT", f"{server.url}/")
    monkeypatch.setattr(ResNet18, "published", name)
    with pytest.raises(WeightsMissing, match="not on this machine yet"):
        ResNet18().load("cpu")
    assert server.asked == 0
    assert finish(pipeline.download(ResNet18())) == own_hub / name
    assert ResNet18().download() is None
    assert ResNet18().load("cpu").weights_sha256 == verified(untrained)
    assert finish(pipeline.download(ResNet18())) is None
    assert server.asked == 1
    (own_hub / name).write_bytes(b"rotten since")
    with pytest.raises(WeightsDamaged):
        ResNet18().load("cpu")
