"""Where the tiles of a web map lie: degrees of longitude and latitude, no drawing."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

TILE = 256  # pixels of the screen that a tile is made for
SHOWN = 640  # about as wide as a map is on the screen
CLOSEST = 14


@dataclass(frozen=True)
class Degrees:
    """A part of the world between two meridians and two parallels."""

    west: float
    north: float
    east: float
    south: float


@dataclass(frozen=True)
class Tile:
    """One tile of the usual scheme (web mercator, y counted from the north)."""

    zoom: int
    x: int
    y: int

    @property
    def degrees(self) -> Degrees:
        return Degrees(
            _longitude(self.x, self.zoom),
            _latitude(self.y, self.zoom),
            _longitude(self.x + 1, self.zoom),
            _latitude(self.y + 1, self.zoom),
        )


def zoom_for(view: Degrees) -> int:
    """The level at which a tile is shown about as large as it was made."""
    across = SHOWN / TILE * 360 / (view.east - view.west)
    return min(CLOSEST, max(0, round(math.log2(across))))


def covering(view: Degrees) -> Iterator[Tile]:
    """The tiles that together cover a view, from the north-west; a dozen or so."""
    zoom = zoom_for(view)
    most = 2**zoom - 1
    left, right = (_column(each, zoom) for each in (view.west, view.east))
    top, bottom = (_row(each, zoom) for each in (view.north, view.south))
    for y in range(max(0, math.floor(top)), min(most, math.floor(bottom)) + 1):
        for x in range(max(0, math.floor(left)), min(most, math.floor(right)) + 1):
            yield Tile(zoom, x, y)


def _column(longitude: float, zoom: int) -> float:
    return (longitude + 180) / 360 * 2.0**zoom


def _row(latitude: float, zoom: int) -> float:
    return (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2.0**zoom


def _longitude(x: int, zoom: int) -> float:
    return x / 2.0**zoom * 360 - 180


def _latitude(y: int, zoom: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / 2.0**zoom))))
