"""What an embedding is kept under: pixels, recipe, precision, network; never a file's name."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_micromap.recipe import Recipe, recipe_key, uses_scale
from napari_micromap.store.embeddings import key_of

if TYPE_CHECKING:
    from napari_micromap.backbones import Backbone

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Keys:
    """Keys of the cache for one network and one recipe.

    Parameters
    ----------
    backbone : str
        See :func:`spoken_of`.
    weights_sha256 : str
        Of the file of weights.
    recipe : Recipe
        Its precision may be "auto"; the decided one counts.
    precision : "float32" or "bfloat16"
        As decided.
    """

    backbone: str
    weights_sha256: str
    recipe: Recipe
    precision: Precision

    def key(self, content: str, views: Literal[1, 8] | None = None, um_per_px: float = math.nan) -> str:
        """Return the key for pixels with this hash, by the whole recipe or with fewer views.

        How large a pixel is counts only where the recipe asks for it.
        """
        if um_per_px > 0 and uses_scale(self.recipe):
            content = f"{content}@{um_per_px:.6g}"
        recipe = self._recipes[views or self.recipe.views]
        return key_of(content=content, recipe=recipe, backbone=self.backbone, weights=self.weights_sha256)

    @cached_property
    def _recipes(self) -> dict[Literal[1, 8], str]:
        """What the recipe is called, by its views."""
        decided = replace(self.recipe, precision=self.precision)
        ways: tuple[Literal[1, 8], ...] = (1, 8)
        return {views: recipe_key(replace(decided, views=views)) for views in ways}


def spoken_of(backbone: Backbone) -> str:
    """Return a backbone's class and parameters, without paths: where its weights lie changes nothing."""
    values = {field.name: getattr(backbone, field.name) for field in fields(backbone)}  # type: ignore[arg-type]
    said = ", ".join(f"{name}={value!r}" for name, value in values.items() if not isinstance(value, Path | None))
    return f"{type(backbone).__name__}({said})"


def precision_question(keys: Keys, ids: Iterable[str], device: str) -> str:
    """Return the key of the memo of what "auto" decided for a collection."""
    collection = hashlib.blake2b("".join(sorted(ids)).encode(), digest_size=20).hexdigest()
    return key_of(precision_of=keys.key(collection), device=device)
