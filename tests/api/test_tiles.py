"""Tiles behind the maps: only when configured, from that one host, where they belong."""

import math
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.errors import Misconfigured
from api.pages.maps import EAST, HEIGHT, NORTH, SOUTH, WEST, WIDTH, Map, spot
from api.pages.tiles import Degrees, Tile, covering, zoom_for
from api.runtime import Runtime
from api.security import POLICY
from api.services import privacy
from api.services.desk import IMPORT, Desk
from api.settings import DATA, load_settings
from matcher.places import Located, Places
from matcher.ranking import Ranker
from tests.api.test_pages_safety import browser, submit
from tests.conftest import SECRET, lay_world, start_sqlite

TEMPLATE = "https://tiles.example/{z}/{x}/{y}.png"
CREDIT = "© de makers <van> de kaart"
IMAGE = re.compile(r'<image href="([^"]+)"')
OTHERS = re.compile(r'(?:src|href|data|poster)="((?:https?:)?//[^"]+)"')
OWN_POLICY = POLICY.format(pictures="'self' data:", frames="'none'")


def runtime_with(
    folder: Path, prepared: bytes, ranker: Ranker, tiles: str, base_url: str = "http://testserver"
) -> Runtime:
    return start_sqlite(
        folder, prepared, ranker, tiles=tiles, tiles_credit=CREDIT, base_url=base_url
    )


def maps_of(runtime: Runtime) -> dict[str, str]:
    """Every page with a map, and one without, as they come."""
    with runtime.sessions.begin() as session:
        world = lay_world(Desk(session, runtime, IMPORT))
    need = submit(runtime)
    cato, _ = browser(runtime, world.cato)
    paths = ("/companies", f"/companies/{world.wash}", f"/hub/needs/{need}", "/help")
    pages = {path: cato.get(path) for path in paths}
    assert {page.status_code for page in pages.values()} == {200}
    policies = {page.headers["Content-Security-Policy"] for page in pages.values()}
    assert len(policies) == 1
    return {path: page.text for path, page in pages.items()} | {"policy": policies.pop()}


def test_without_tiles_nobody_else_is_asked_for_anything(sqlite_runtime: Runtime) -> None:
    pages = maps_of(sqlite_runtime)
    assert pages.pop("policy") == OWN_POLICY
    for path, text in pages.items():
        assert "<image" not in text, path
        assert "credit" not in text, path
        loaded = [each for each in OTHERS.findall(text) if f'<a href="{each}' not in text]
        assert [each for each in loaded if not each.startswith("http://testserver/")] == [], path
    privacy_page = TestClient(create_app(sqlite_runtime)).get("/privacy").text
    assert "IP-adres" not in privacy_page


def test_configured_tiles_lie_behind_every_map_and_are_credited(
    tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker
) -> None:
    runtime = runtime_with(tmp_path, prepared_sqlite, ranker, TEMPLATE)
    pages = maps_of(runtime)
    assert pages.pop("policy") == OWN_POLICY.replace(
        "img-src 'self' data:;", "img-src 'self' data: https://tiles.example;"
    )
    assert "<image" not in pages.popitem()[1]  # help has no map
    for path, text in pages.items():
        images = IMAGE.findall(text)
        assert 1 < len(images) <= 24, path
        assert all(re.fullmatch(r"https://tiles\.example/\d+/\d+/\d+\.png", e) for e in images)
        assert len(set(images)) == len(images)
        assert text.index("<image") < text.index('<path class="ground"') < text.index("<circle")
        assert text.count('decoding="async"') == len(images)
        assert "© de makers &lt;van&gt; de kaart" in text[text.index("</svg>", text.index("<im")) :]
    nobody = TestClient(create_app(runtime))
    for language, words in (("nl", "je IP-adres"), ("fr", "adresse IP"), ("en", "IP address")):
        page = nobody.get(f"/privacy?lang={language}").text
        assert words in page
        assert "tiles.example" in page
    with runtime.sessions.begin() as session:
        assert any("tiles.example" in line for line in privacy.lines(Desk(session, runtime)))
    runtime.close()


@pytest.mark.parametrize(
    ("tiles", "base_url"),
    [
        ("/tiles/{z}/{x}/{y}.png", "http://testserver"),
        ("https://hub.example/tiles/{z}/{x}/{y}", "https://hub.example"),
    ],
)
def test_tiles_of_the_own_host_ask_nobody_else(
    tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker, tiles: str, base_url: str
) -> None:
    runtime = runtime_with(tmp_path, prepared_sqlite, ranker, tiles, base_url)
    nobody = TestClient(create_app(runtime))
    page = nobody.get("/companies")
    assert page.headers["Content-Security-Policy"] == OWN_POLICY
    assert IMAGE.findall(page.text)
    assert "IP-adres" not in nobody.get("/privacy").text
    runtime.close()


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        (TEMPLATE, "https://tiles.example"),
        ("https://Tiles.Example:8443/{z}/{y}/{x}?key=a&s=2", "https://tiles.example:8443"),
        ("/tiles/{z}/{x}/{y}.png", ""),
    ],
)
def test_a_fitting_template_is_taken(template: str, origin: str) -> None:
    settings = load_settings(secret_key=SECRET, tiles=template, tiles_credit=CREDIT)
    assert settings.tiles == template
    assert settings.tiles_origin == origin


@pytest.mark.parametrize(
    "template",
    [
        "http://tiles.example/{z}/{x}/{y}.png",
        "//tiles.example/{z}/{x}/{y}.png",
        "tiles/{z}/{x}/{y}.png",
        "https:///{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}.png",
        "https://tiles.example/{z}/{x}/{y}/{y}.png",
        "https://{s}.tiles.example/{z}/{x}/{y}.png",
        "https://{z}.example/{x}/{y}.png",
        "https://*.example/{z}/{x}/{y}.png",
        "https://user:word@tiles.example/{z}/{x}/{y}.png",
        "https://tiles.example;script-src */{z}/{x}/{y}.png",
        "https://tiles.example/{z}/{x}/{y}.png\nhttps://other.example",
        'https://tiles.example/{z}/{x}/{y}.png"onload="',
        "javascript:alert({z}{x}{y})",
    ],
)
def test_another_template_is_refused_with_what_to_give(template: str) -> None:
    with pytest.raises(Misconfigured, match=r"MAATMATCH_TILES: give an address"):
        load_settings(secret_key=SECRET, tiles=template, tiles_credit=CREDIT)


@pytest.mark.parametrize("credit", ["", "   "])
def test_tiles_without_their_makers_are_refused(
    monkeypatch: pytest.MonkeyPatch, credit: str
) -> None:
    monkeypatch.setenv("MAATMATCH_SECRET_KEY", SECRET)
    monkeypatch.setenv("MAATMATCH_TILES", TEMPLATE)
    monkeypatch.setenv("MAATMATCH_TILES_CREDIT", credit)
    with pytest.raises(Misconfigured, match="MAATMATCH_TILES_CREDIT"):
        load_settings()


def test_the_scheme_is_the_one_of_web_maps() -> None:
    # As the documentation of mercantile tells it of tile 10/486/332.
    known = Tile(10, 486, 332).degrees
    told = (-9.140625, 53.33087298301705, -8.7890625, 53.12040528310657)
    assert (known.west, known.north, known.east, known.south) == pytest.approx(told, abs=1e-9)
    assert Tile(0, 0, 0).degrees.north == pytest.approx(85.0511, abs=1e-4)


lons, lats = st.floats(WEST, EAST), st.floats(SOUTH, NORTH)


@given(lons, lats, st.floats(0.4, EAST - WEST))
def test_the_tiles_cover_a_view_without_gaps(west: float, north: float, wide: float) -> None:
    view = Degrees(west, north, west + wide, north - wide * 0.25)
    tiles = list(covering(view))
    assert 1 <= len(tiles) <= 24
    parts = [each.degrees for each in tiles]
    assert min(each.west for each in parts) <= view.west
    assert max(each.east for each in parts) >= view.east
    assert max(each.north for each in parts) >= view.north
    assert min(each.south for each in parts) <= view.south
    columns = {each.x for each in tiles}
    rows = {each.y for each in tiles}
    assert {(each.x, each.y) for each in tiles} == {(x, y) for x in columns for y in rows}
    for each in tiles:
        assert Tile(each.zoom, each.x + 1, each.y).degrees.west == each.degrees.east
        assert Tile(each.zoom, each.x, each.y + 1).degrees.north == each.degrees.south
    shown = 640 / wide * (parts[0].east - parts[0].west)
    assert 180 < shown < 363  # pixels: neither blurred nor too small to read


@given(lons, lats)
def test_a_place_on_a_tile_lies_there_on_the_map(lon: float, lat: float) -> None:
    """Where the tile's own picture shows a place, our map draws it: within a thousandth
    of the map's width, less than a pixel of the screen, when all of Flanders is shown."""
    view = Degrees(WEST, NORTH, EAST, SOUTH)
    (tile,) = {
        each
        for each in covering(view)
        if each.degrees.west <= lon < each.degrees.east
        and each.degrees.south < lat <= each.degrees.north
    }
    part = tile.degrees
    left, top = spot(part.west, part.north)
    right, bottom = spot(part.east, part.south)
    # On the picture of the tile, by the formula of web mercator.
    down = _mercator(part.north, part.south, lat)
    x, y = spot(lon, lat)
    assert x == pytest.approx(left + (lon - part.west) / (part.east - part.west) * (right - left))
    assert abs(y - (top + down * (bottom - top))) < 1.2 * WIDTH / 1000
    assert left <= x <= right
    assert top <= y <= bottom


def _mercator(north: float, south: float, lat: float) -> float:
    """How far down between two parallels a latitude is drawn."""

    def stretched(each: float) -> float:
        return math.log(math.tan(math.pi / 4 + math.radians(each) / 2))

    return (stretched(north) - stretched(lat)) / (stretched(north) - stretched(south))


def test_closer_by_the_tiles_are_finer() -> None:
    whole = zoom_for(Degrees(WEST, NORTH, EAST, SOUTH))
    near = zoom_for(Degrees(4.0, 51.2, 5.02, 50.9))
    assert (whole, near) == (8, 10)


def test_the_tiles_of_a_map_reach_over_its_view() -> None:
    places = Places.load(DATA)
    for place in ("8660 De Panne", "3620 Lanaken", "2320 Hoogstraten", "2800 Mechelen"):
        found: Located = places.find(place)
        shown = Map(places, template=TEMPLATE, credit=CREDIT).need(found)
        left, top, wide, high = map(float, shown.view.split())
        tiles = shown.tiles
        assert min(each.x for each in tiles) <= left
        assert max(each.x + each.width for each in tiles) >= left + wide
        assert min(each.y for each in tiles) <= top
        assert max(each.y + each.height for each in tiles) >= top + high
        assert len(tiles) <= 24
    assert len(Map(places, template=TEMPLATE).tiles) <= 24
    assert HEIGHT < WIDTH
