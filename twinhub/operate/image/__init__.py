"""The workspace image: gather what it is made of, build it when something of that changed."""

from twinhub.operate.image.building import (
    ImageResult,
    build_rest,
    due_variants,
    ensure_image,
    inputs_of,
    wanted_variants,
)
from twinhub.operate.image.errors import ImageNotBuilt
from twinhub.operate.image.listing import ImageRow, list_images

__all__ = [
    "ImageNotBuilt",
    "ImageResult",
    "ImageRow",
    "build_rest",
    "due_variants",
    "ensure_image",
    "inputs_of",
    "list_images",
    "wanted_variants",
]
