"""ResNet-50 trained on micrographs."""

from __future__ import annotations

from napari_micromap.backbones import Download
from napari_micromap.backbones.torchvision_cnns import TorchvisionCnn
from napari_micromap.backbones.weights import hub_folder

FOLDER = "https://nasa-public-data.s3.amazonaws.com/microscopy_segmentation_models/"


class MicroNetResNet50(TorchvisionCnn):
    """ResNet-50 trained on ImageNet, then on 100,000 micrographs (MicroNet); doi:10.1038/s41524-022-00878-5.

    Its publisher names no hash: that of the file that was used is recorded with the map. The link has been dead for
    weeks at a time; a file that is already here does as well.
    """

    title = "ResNet-50 (MicroNet)"
    builder, taps = "resnet50", (5, 6, 7)
    published, megabytes = "resnet50_pretrained_imagenet-microscopynet_v1.0.pth.tar", 94.0

    def _published(self) -> Download:
        return Download(FOLDER + self.published, hub_folder() / self.published, self.megabytes, "")
