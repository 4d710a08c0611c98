"""How a micrograph becomes an embedding: crop, scale, windows, contrast, views, depths."""

from napari_micromap.recipe.contrast import SAMPLED, Gray, gray_of, gray_window
from napari_micromap.recipe.pictures import prepare, prepare_windows, prepare_with_thumbnail, thumbnail
from napari_micromap.recipe.steps import VERSION, Recipe, recipe_key
from napari_micromap.recipe.views import batch_of, depths_joined, pool, pooled_depths, turned_back, views_of
from napari_micromap.recipe.windows import MOST_ENLARGED, cuts_in, is_blank, uses_scale, window_side

__all__ = [
    "MOST_ENLARGED",
    "SAMPLED",
    "VERSION",
    "Gray",
    "Recipe",
    "batch_of",
    "cuts_in",
    "depths_joined",
    "gray_of",
    "gray_window",
    "is_blank",
    "pool",
    "pooled_depths",
    "prepare",
    "prepare_windows",
    "prepare_with_thumbnail",
    "recipe_key",
    "thumbnail",
    "turned_back",
    "uses_scale",
    "views_of",
    "window_side",
]
