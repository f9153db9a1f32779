"""Photos and PDFs of a need, as the API takes and shows them."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.schemas.base import EXAMPLE_ID, FilledName, Id, In, Out, example
from models.attachment import AttachmentKind

_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
_FILE: dict[str, JsonValue] = {
    "id": EXAMPLE_ID,
    "kind": "photo",
    "name": "wasgoed.jpg",
    "size": 284113,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width": 2000,
    "height": 1500,
    "created_at": "2027-01-11T09:31:00Z",
}


class AttachmentIn(In):
    """A photo (JPEG, PNG or WebP, up to 10 MB) or a PDF (up to 5 MB)."""

    model_config = example(name="wasgoed.png", content=_PIXEL)

    name: FilledName
    content: str = Field(
        description="the bytes in base64 (RFC 4648)", max_length=14_000_000, pattern=r"^\S*$"
    )


class AttachmentOut(Out):
    """What is known of a file; its bytes have an address of their own.

    A photo is kept without what its camera wrote beside the picture, as a JPEG of at most 2000
    pixels: `size` (bytes) and `hash` (SHA-256) are of that.
    """

    model_config = example(**_FILE)

    id: Id
    kind: AttachmentKind
    name: str
    size: int
    hash: str
    width: int | None
    height: int | None
    created_at: datetime
