"""What can go wrong while an image is built."""

from twinhub.errors import PublicError


class ImageNotBuilt(PublicError):
    """The workspace image could not be built."""

    code = "image_not_built"
    status = 500
