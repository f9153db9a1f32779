"""The form in another site: per municipality, in its colour, readable, and it alone in a frame."""

import re

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.pages import themes
from api.pages.embeds import slug_of
from api.runtime import Runtime
from api.services import hubs
from api.services.desk import Desk
from tests.conftest import World

TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."


@pytest.fixture
def nobody(sqlite_runtime: Runtime, sqlite_world: World) -> TestClient:
    return TestClient(create_app(sqlite_runtime), follow_redirects=False)


def parsed(css: str) -> list[tuple[themes.Colour, themes.Colour]]:
    """(brand, soft) by day and by night."""
    found = re.findall(r"--brand:#(\w{6}).*?--brand-soft:#(\w{6})", css)
    return [(themes._parse(brand), themes._parse(soft)) for brand, soft in found]


@given(st.from_regex(r"[0-9a-f]{6}", fullmatch=True))
def test_every_colour_can_be_read(colour: str) -> None:
    day, night = parsed(themes.theme(colour))
    for (brand, soft), ground, ink in (
        (day, themes.WHITE, themes.WHITE),
        (night, themes.NIGHT, themes.BLACK),
    ):
        assert themes.contrast(brand, ground) >= 4.5
        assert themes.contrast(brand, soft) >= 4.5
        assert themes.contrast(brand, ink) >= 4.5


def test_a_readable_colour_stays_as_it_is() -> None:
    assert "--brand:#0b5d57;" in themes.theme("0b5d57")


@pytest.mark.parametrize("colour", ["", "red", "#12", "0b5d57;}body{display:none", "zzzzzz"])
def test_what_is_no_colour_is_no_theme(nobody: TestClient, colour: str) -> None:
    assert nobody.get("/embed/theme.css", params={"colour": colour}).text == ""
    page = nobody.get("/embed/mechelen", params={"colour": colour})
    assert "theme.css" not in page.text


def test_each_municipality_of_a_hub_has_its_form(
    sqlite_runtime: Runtime, nobody: TestClient
) -> None:
    municipalities = [
        each for each in sqlite_runtime.places.municipalities if each.region == "flanders"
    ]
    slugs = {slug_of(each.name_nl) for each in municipalities}
    assert len(slugs) == len(municipalities)
    with sqlite_runtime.sessions() as session:
        taken = slugs & {hub.slug for hub in hubs.all_hubs(Desk(session, sqlite_runtime))}
    for each in municipalities:
        if slug_of(each.name_nl) in taken:
            lines = nobody.get(f"/municipalities?place={each.postcodes[0]}").text
            assert f"/embed/{each.nis}" in lines
            assert f'value="{each.name_nl}"' in nobody.get(f"/embed/{each.nis}").text
    for slug in ("sint-niklaas", "mechelen", "s-gravenvoeren", "voeren"):
        page = nobody.get(f"/embed/{slug}")
        assert page.status_code == (404 if slug == "s-gravenvoeren" else 200), slug
    page = nobody.get("/embed/sint-niklaas?colour=%23ffcc00&lang=fr").text
    assert 'value="Sint-Niklaas"' in page
    assert "/embed/theme.css?colour=ffcc00" in page
    assert 'action="/embed/sint-niklaas?colour=ffcc00&amp;lang=fr"' in page


def test_a_form_keeps_its_colour_and_language_and_leaves_no_cookie(nobody: TestClient) -> None:
    path = "/embed/mechelen?colour=ffcc00&lang=fr"
    assert "set-cookie" not in nobody.get(path).headers
    form = {"text": TEXT, "place": "Malines", "firm_name": "Boulangerie", "contact_name": "Bo"}
    wrong = nobody.post(path, data=form)
    assert wrong.status_code == 422
    assert '<html lang="fr">' in wrong.text
    assert "theme.css?colour=ffcc00" in wrong.text
    sent = nobody.post(path, data=form | {"contact_email": "bo@boulangerie.example"})
    assert "Regardez vos mails" in sent.text
    assert "frame-ancestors *" in sent.headers["Content-Security-Policy"]


def test_only_the_form_may_stand_in_a_frame(nobody: TestClient) -> None:
    for path in ("/", "/needs/new", "/municipalities", "/embed", "/embedded", "/sign-in"):
        answer = nobody.get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers["X-Frame-Options"] == "DENY", path


def test_a_municipality_finds_its_lines_to_copy(nobody: TestClient) -> None:
    page = nobody.get("/municipalities?place=Mechelen&colour=%23ffcc00&form=fr").text
    address = "http://testserver/embed/mechelen?colour=ffcc00&amp;lang=fr"
    assert f"&lt;iframe src=&#34;{address}&#34;" in page or f'&lt;iframe src="{address}"' in page
    assert 'src="/embed/mechelen?colour=ffcc00&amp;lang=fr"' in page
    plain = nobody.get("/municipalities?place=2500&colour=%230b5d57").text
    assert "http://testserver/embed/lier<" in plain
    unknown = nobody.get("/municipalities?place=Nergenshuizen")
    assert unknown.status_code == 422
    assert 'id="place-error"' in unknown.text
    outside = nobody.get("/municipalities?place=1000")
    assert outside.status_code == 422
    assert 'id="place-error"' in outside.text
