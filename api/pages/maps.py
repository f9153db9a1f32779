"""Flanders as our own SVG: dots from our coordinates; behind them tiles, when configured."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from api.pages.tiles import Degrees, covering
from api.runtime import Runtime
from api.services.candidates import Candidate
from api.services.matching import Judged
from matcher.places import Located, Places
from models import Company

WEST, EAST, SOUTH, NORTH = 2.53, 5.93, 50.66, 51.52  # degrees, around Flanders
WIDTH = 1000
_SQUEEZE = math.cos(math.radians(51.1))
_SCALE = WIDTH / ((EAST - WEST) * _SQUEEZE)
LEAST_VIEW, MARGIN = 220, 40  # SVG units: never closer than some 60 km across
# Towns to know the map by, those for all of Flanders first: NIS codes.
TOWNS = (
    "11002", "44021", "31005", "24062", "71072", "34022", "13040", "12025",
    "41002", "35013", "71016", "12021", "13011", "23027", "24107", "36015", "33011", "45035",
    "42006", "43005", "46021", "72043",
)  # fmt: skip
WIDE_TOWNS, WIDE = 7, 0.6  # how many are named when the view is wider than this part of Flanders
HEIGHT = round((NORTH - SOUTH) * _SCALE)


@dataclass(frozen=True)
class Dot:
    """One company on the map. x and y in SVG units."""

    x: int
    y: int
    kind: str
    name: str
    company_id: str


@dataclass(frozen=True)
class Ground:
    """One tile as it lies on the map, in SVG units."""

    href: str
    x: float
    y: float
    width: float
    height: float


def spot(lon: float, lat: float) -> tuple[float, float]:
    """Equirectangular, true at 51.1 degrees north: fine for a region 200 km wide."""
    return (lon - WEST) * _SQUEEZE * _SCALE, (NORTH - lat) * _SCALE


def project(place: Located) -> tuple[int, int]:
    x, y = spot(place.lon, place.lat)
    return round(x), round(y)


@dataclass
class Map:
    """What the map template draws."""

    places: Places
    dots: list[Dot] = field(default_factory=list)
    star: tuple[int, int] | None = None
    template: str = ""  # of the addresses of tiles
    credit: str = ""

    @classmethod
    def of(cls, runtime: Runtime) -> "Map":
        """An empty map, on the tiles that the deployment chose."""
        settings = runtime.settings
        return cls(runtime.places, template=settings.tiles, credit=settings.tiles_credit)

    @property
    def tiles(self) -> list[Ground]:
        """The tiles behind the view; none unless they are configured.

        Mercator stretches as it goes north and our map does not: within one tile that shifts a
        place by a unit at most, on the screen by less than a pixel.
        """
        if not self.template:
            return []
        left, top, wide, high = map(float, self.view.split())
        west, east = (x / (_SQUEEZE * _SCALE) + WEST for x in (left, left + wide))
        north, south = (NORTH - y / _SCALE for y in (top, top + high))
        laid = []
        for tile in covering(Degrees(west, north, east, south)):
            part = tile.degrees
            x, y = spot(part.west, part.north)
            right, bottom = spot(part.east, part.south)
            href = self.template
            for hole, number in (("{z}", tile.zoom), ("{x}", tile.x), ("{y}", tile.y)):
                href = href.replace(hole, str(number))
            laid.append(Ground(href, x, y, right - x, bottom - y))
        return laid

    @property
    def view(self) -> str:
        """The SVG viewBox: all of Flanders, or closer by when everything lies together."""
        spots = [(dot.x, dot.y) for dot in self.dots] + ([self.star] if self.star else [])
        if not spots:
            return f"0 0 {WIDTH} {HEIGHT}"
        xs, ys = [x for x, _ in spots], [y for _, y in spots]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        ratio = HEIGHT / WIDTH
        wide = min(WIDTH, max(LEAST_VIEW, right - left, (bottom - top) / ratio) + 2 * MARGIN)
        x = min(max(0, (left + right) / 2 - wide / 2), WIDTH - wide)
        y = min(max(0, (top + bottom) / 2 - wide * ratio / 2), HEIGHT - wide * ratio)
        return f"{x:.0f} {y:.0f} {wide:.0f} {wide * ratio:.0f}"

    @property
    def size(self) -> float:
        """How large marks are drawn, so that they look the same however close the view is."""
        return float(self.view.split()[2]) / WIDTH

    def towns(self, language: str) -> list[tuple[int, int, str]]:
        """(x, y, name) of the towns to be named in this view."""
        left, top, wide, high = map(float, self.view.split())
        letter = 9 * self.size  # half of one, as wide as a telephone shows it
        known = {each.nis: each for each in self.places.municipalities}
        named = [known[nis] for nis in TOWNS if nis in known]
        found = [(*project(each), each.name(language)) for each in named]
        inside = [
            (x, y, name)
            for x, y, name in found
            if left + letter * len(name) < x < left + wide - letter * len(name)
            and top + 5 * letter < y < top + high - 2 * letter  # no name is cut off at an edge
        ]
        return inside[:WIDE_TOWNS] if self.size > WIDE else inside

    @property
    def ground(self) -> str:
        """All Flemish municipalities as one path of points: the shape of the land."""
        marks = (project(each) for each in self.places.municipalities if each.region == "flanders")
        return "".join(f"M{x} {y}h0" for x, y in marks)

    def need(self, place: Located) -> "Map":
        self.star = project(place)
        return self

    def companies(self, judged: Iterable[Judged]) -> "Map":
        """Every site of every judged company."""
        for each in judged:
            kind = "yes" if each.verdict.eligible else "no"
            self._sites(each.company, kind)
        # Eligible ones are drawn last, on top.
        self.dots.sort(key=lambda dot: (dot.kind == "yes", dot.company_id))
        return self

    def all_of(self, companies: Iterable[Company]) -> "Map":
        """Every site of every company. Needs `sites` loaded."""
        for company in companies:
            self._sites(company, "yes")
        return self

    def _sites(self, company: Company | Candidate, kind: str) -> None:
        for site in company.sites:
            x, y = project(site)
            self.dots.append(Dot(x, y, kind, company.name, company.id))
