"""Map images that are arrays rather than files: each slice of a layer is one micrograph."""

import numpy as np
from napari.layers import Image

from napari_micromap.session import Session
from napari_micromap.sources.layers import Layers

rng = np.random.default_rng(0)
stack = np.stack([rng.normal(size=(128, 128)).cumsum(axis=k % 2) for k in range(12)]).astype(np.float32)
layer = Image(stack, name="textures", scale=(1, 0.05, 0.05), units=("pixel", "um", "um"))
s = Session()
s.open(Layers((layer,)))
s.make_map()
print(s.map.title, s.map.positions)
