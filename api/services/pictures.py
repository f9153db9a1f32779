"""Pictures made safe: decoded and encoded anew, so that only what is seen remains.

What a camera writes beside the picture (place, device, owner, moment) is gone afterwards, and so
is anything hidden in the file.
"""

import io
import threading
from dataclasses import dataclass

from PIL import Image, ImageOps

LONGEST, LONGEST_SMALL = 2000, 480  # pixels: enough to see the work; a row of previews
MOST_PIXELS = 60_000_000  # more is no photo of a telephone but a bomb of blank pixels
FORMATS = ("JPEG", "PNG", "WEBP")
_DECODING = threading.BoundedSemaphore(2)  # each may take 250 MB while it works


class UnreadablePicture(ValueError):
    """The bytes are no whole picture of a format we take."""


@dataclass(frozen=True)
class Picture:
    """A picture and its preview as JPEG; sizes in pixels."""

    content: bytes
    small: bytes
    width: int
    height: int


def made_safe(data: bytes) -> Picture:
    """The picture upright, at most 2000 pixels, without anything but the picture.

    Raises UnreadablePicture.
    """
    with _DECODING:
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise UnreadablePicture("too many pixels")
                opened.draft("RGB", (LONGEST, LONGEST))  # a JPEG is decoded smaller at once
                picture = _flat(ImageOps.exif_transpose(opened))
        except UnreadablePicture:
            raise
        except Exception as error:  # whatever a decoder trips over lies in the file
            raise UnreadablePicture(str(error)) from error
        picture.thumbnail((LONGEST, LONGEST))
        width, height = picture.size
        content = _jpeg(picture, 85)
        picture.thumbnail((LONGEST_SMALL, LONGEST_SMALL))
        return Picture(content, _jpeg(picture, 75), width, height)


def _flat(picture: Image.Image) -> Image.Image:
    """In three colours; what was see-through becomes white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return white
    return picture.convert("RGB")


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    # A new picture: Pillow would write the information of the old one along.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    bare.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
    return target.getvalue()
