"""Places: Flemish and Brussels municipalities, postcodes, and the distance between them."""

import csv
import difflib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

EARTH_RADIUS_KM = 6371.0088
SUGGESTIONS = 5

_POSTCODE = re.compile(r"\b(?:be?[ -]?)?(\d{4})\b")
_PARTS = re.compile(r"[(),;/]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_COUNTRY = frozenset({"b", "be", "belgie", "belgique", "belgium"})
_SHORT = {"st": "sint", "ste": "sainte"}


class Located(Protocol):
    """Anything on the map: latitude and longitude in degrees (WGS 84)."""

    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality since 1 January 2025; lat and lon are the centre of its main place."""

    nis: str
    name_nl: str
    name_fr: str
    province: str  # empty in Brussels
    region: str  # "flanders" or "brussels"
    referentieregio: str  # empty in Brussels
    postcodes: tuple[str, ...]
    lat: float
    lon: float

    def name(self, lang: str) -> str:
        """The official name for readers of `lang`: French for "fr", Dutch for all others."""
        return self.name_fr if lang == "fr" else self.name_nl


@dataclass(frozen=True, slots=True)
class Place:
    """A town or village with its postcode; `also` holds other names it goes by."""

    postcode: str
    name: str
    also: tuple[str, ...]
    nis: str
    lat: float
    lon: float

    def __str__(self) -> str:
        return f"{self.postcode} {self.name}"


class UnknownPlace(LookupError):
    """No such place; `suggestions` are the places the writer may have meant, nearest first."""

    def __init__(self, text: str, suggestions: Sequence[Place] = (), why: str = "unknown") -> None:
        self.text = text
        self.suggestions = tuple(suggestions)
        problem = {
            "unknown": f"{text!r} is not a place in Flanders or Brussels",
            "mismatch": f"the postcode and the name in {text!r} do not belong together",
            "ambiguous": f"{text!r} is the name of several places",
        }[why]
        meant = f"; did you mean {', '.join(map(str, self.suggestions))}?" if suggestions else ""
        super().__init__(problem + meant)


class AmbiguousPlace(UnknownPlace):
    """The name alone fits villages of several municipalities; `suggestions` holds them all."""

    def __init__(self, text: str, suggestions: Sequence[Place]) -> None:
        super().__init__(text, suggestions, "ambiguous")


def fold(text: str) -> str:
    """Lower case without accents or punctuation, "St." written out: for comparing names."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = _NOT_WORD.sub(" ", text.lower()).split()
    return " ".join(_SHORT.get(word, word) for word in words if word not in _COUNTRY)


def distance_km(a: Located, b: Located) -> float:
    """Great-circle distance in kilometres (haversine on the mean earth radius)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    lat_half = math.sin((lat_b - lat_a) / 2) ** 2
    lon_half = math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    chord = lat_half + math.cos(lat_a) * math.cos(lat_b) * lon_half
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


class Places:
    """All municipalities and places, found by NIS code, postcode or name."""

    def __init__(self, municipalities: Iterable[Municipality], places: Iterable[Place]) -> None:
        self.municipalities = tuple(municipalities)
        self.places = tuple(places)
        self._by_nis = {each.nis: each for each in self.municipalities}
        self._by_postcode: dict[str, list[Place]] = defaultdict(list)
        # A municipality's name comes before a village elsewhere with the same name:
        # "Aalst" is the town in the Denderregio, not the village near Sint-Truiden.
        self._first: dict[str, list[Place]] = defaultdict(list)
        self._second: dict[str, list[Place]] = defaultdict(list)
        self._names: dict[Place, frozenset[str]] = {}
        self._official: dict[str, frozenset[str]] = {}
        of_municipality: dict[str, list[Place]] = defaultdict(list)
        for place in self.places:
            self._by_postcode[place.postcode].append(place)
            of_municipality[place.nis].append(place)
            own, also = fold(place.name), [fold(name) for name in place.also]
            self._names[place] = frozenset((own, *also))
            self._second[own].append(place)
            for name in also:
                self._first[name].append(place)
        for municipality in self.municipalities:
            names = frozenset((fold(municipality.name_nl), fold(municipality.name_fr)))
            self._official[municipality.nis] = names
            inside = of_municipality[municipality.nis]
            main = min(inside, key=lambda place: self._from_main(place, municipality))
            for name in names:
                self._first[name].append(main)

    @classmethod
    def load(cls, data_dir: Path) -> "Places":
        """Read municipalities.csv and places.csv from the data folder.

        Raises FileNotFoundError when one of them is missing.
        """
        with (data_dir / "municipalities.csv").open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            municipalities = [
                Municipality(
                    nis, nl, fr, prov, region, ref, tuple(codes.split("|")), float(y), float(x)
                )
                for nis, nl, fr, prov, region, ref, codes, y, x in rows
            ]
        with (data_dir / "places.csv").open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            places = [
                Place(code, name, tuple(also.split("|")) if also else (), nis, float(y), float(x))
                for code, name, also, nis, y, x in rows
            ]
        return cls(municipalities, places)

    def municipality(self, nis: str) -> Municipality:
        """The municipality with this NIS code. Raises UnknownPlace."""
        try:
            return self._by_nis[nis]
        except KeyError:
            raise UnknownPlace(nis) from None

    def by_postcode(self, code: str) -> list[Place]:
        """The places with this postcode, main place first. Raises UnknownPlace with near codes."""
        if code not in self._by_postcode:
            raise UnknownPlace(code, self._near_codes(code))
        return list(self._by_postcode[code])

    def find(self, text: str) -> Place:
        """The place meant by a postcode, a name (nl or fr), or both in any order.

        "2800 Mechelen", "mechelen", "Malines", "B-2801", "St-Niklaas" and "Beveren (Roeselare)"
        all work. A municipality's name gives its main place. Raises AmbiguousPlace for a name
        that only villages of several municipalities carry, UnknownPlace for everything else.
        """
        lowered = text.lower()
        found = _POSTCODE.search(lowered)
        rest = lowered if found is None else lowered.replace(found[0], ",", 1)
        parts = [part for part in map(fold, _PARTS.split(rest)) if part]
        if found is not None:
            return self._find_in_postcode(text, found[1], parts)
        if not parts:
            raise UnknownPlace(text)
        for index in (self._first, self._second):
            hits = [each for each in index.get(parts[0], ()) if self._fits(each, parts)]
            if len({each.nis for each in hits}) > 1:
                raise AmbiguousPlace(text, hits)
            if hits:
                return hits[0]
        raise UnknownPlace(text, self._near_names(parts[0]))

    def _find_in_postcode(self, text: str, code: str, parts: list[str]) -> Place:
        named = self._first.get(parts[0]) or self._second.get(parts[0]) or [] if parts else []
        try:
            inside = self.by_postcode(code)
        except UnknownPlace as error:
            raise UnknownPlace(text, named or error.suggestions) from None
        hits = [each for each in inside if self._fits(each, parts)]
        # "2800 Walem" names the village itself, "2801 Mechelen" only its municipality.
        own = [each for each in hits if self._names[each].intersection(parts)]
        if hits:
            return (own or hits)[0]
        near = self._near_names(parts[0], among=inside) or inside
        raise UnknownPlace(text, [inside[0], *named] if named else near, "mismatch")

    def _from_main(self, place: Place, municipality: Municipality) -> tuple[bool, bool, float]:
        # The main place carries the municipality's name, or opens it ("Puurs-Sint-Amands").
        official, own = self._official[place.nis], self._names[place]
        opens = any(name.startswith(f"{each} ") for name in official for each in own)
        return not official & own, not opens, distance_km(place, municipality)

    def _fits(self, place: Place, parts: Sequence[str]) -> bool:
        return (self._names[place] | self._official[place.nis]).issuperset(parts)

    def _near_names(self, name: str, among: Sequence[Place] | None = None) -> list[Place]:
        if among is None:
            names = {*self._first, *self._second}
        else:
            names = {each for place in among for each in self._names[place]}
        near = difflib.get_close_matches(name, sorted(names), n=SUGGESTIONS, cutoff=0.7)
        hits = (place for each in near for place in self._first.get(each) or self._second[each])
        return list(dict.fromkeys(hits))[:SUGGESTIONS]

    def _near_codes(self, code: str) -> list[Place]:
        def typing_slips(known: str) -> tuple[int, int]:
            wrong = sum(a != b for a, b in zip(code, known, strict=False))
            swapped = sorted(code) == sorted(known) and wrong == 2
            gap = abs(int(code) - int(known)) if code.isdecimal() else 0
            return (1 if swapped else wrong + abs(len(code) - len(known)), gap)

        near = sorted(self._by_postcode, key=typing_slips)[:SUGGESTIONS]
        return [self._by_postcode[each][0] for each in near]
