"""How a micrograph becomes an embedding: crop, scale, windows, contrast, views, depths."""

from napari_micromap.recipe.contrast import SAMPLED, Gray, gray_of, gray_window
from napari_micromap.recipe.pictures import prepare, thumbnail
from napari_micromap.recipe.steps import VERSION, Recipe, recipe_key
from napari_micromap.recipe.views import batch_of, pool, turned_back, views_of

__all__ = [
    "SAMPLED",
    "VERSION",
    "Gray",
    "Recipe",
    "batch_of",
    "gray_of",
    "gray_window",
    "pool",
    "prepare",
    "recipe_key",
    "thumbnail",
    "turned_back",
    "views_of",
]
