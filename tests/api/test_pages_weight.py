"""What a page weighs as it is sent, with its own style and script; and no template lies idle."""

import re
from collections.abc import Iterator

import pytest
from jinja2 import StrictUndefined

from api.i18n import LANGUAGES
from api.rendering import TEMPLATES, environment
from api.runtime import Runtime
from api.services.desk import IMPORT, Desk
from api.services.network import lay_reference
from matcher.ranking import Ranker
from models import schema
from tests.api.test_pages_rooms import NO_PAGES, Stage, expected
from tests.conftest import lay_world, start

MOST_BYTES = 100_000  # without photos
OWN = re.compile(r'(?:href|src)="(/static/[^"?]+)')
CALLED = re.compile(r'"([\w/]+\.(?:html|txt))"')


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, ranker: Ranker) -> Iterator[Stage]:
    runtime: Runtime = start(f"sqlite:///{tmp_path_factory.mktemp('weight') / 'm.db'}", ranker)
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        lay_reference(desk)
        world = lay_world(desk)
    yield Stage(runtime, world)
    runtime.close()


def test_no_page_is_heavier_than_a_telephone_likes(stage: Stage) -> None:
    world = stage.world
    people = (None, world.finn, world.cato, world.mira, world.otto)
    browsers = [stage.browser(actor) for actor in people]
    own: dict[str, int] = {}
    heavy = {}
    weighed = 0
    for path, statuses in expected(stage).items():
        if 200 not in statuses or path.endswith(NO_PAGES):
            continue
        page = browsers[statuses.index(200)].get(path)
        weight = len(page.content)
        for address in set(OWN.findall(page.text)):
            if address not in own:
                found = browsers[0].get(address)
                assert found.status_code == 200, address
                own[address] = len(found.content)
            weight += own[address]
        weighed += 1
        if weight >= MOST_BYTES:
            heavy[path] = weight
    assert heavy == {}
    assert weighed > 40
    assert {"/static/app.css", "/static/app.js"} <= own.keys()


def test_style_and_script_are_sent_compressed_and_pages_are_not(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    for path in ("/static/app.css", "/static/app.js"):
        sent = cato.get(path, headers={"Accept-Encoding": "gzip"})
        assert sent.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in sent.headers["Vary"]
        assert int(sent.headers["Content-Length"]) < 0.5 * len(sent.content)
        plain = cato.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.content == sent.content
        known = {"Accept-Encoding": "gzip", "If-None-Match": sent.headers["ETag"]}
        assert cato.get(path, headers=known).status_code == 304
    page = cato.get(f"/hub/needs/{stage.waiting}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page.headers  # it holds a secret beside what others wrote


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_that_a_template_lacks_is_an_error(language: str) -> None:
    assert environment(language).undefined is StrictUndefined


def test_no_template_lies_idle() -> None:
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")}
    used = {
        name
        for kind in ("*.py", "*.html", "*.txt")
        for path in TEMPLATES.parent.rglob(kind)
        for name in CALLED.findall(path.read_text(encoding="utf-8"))
    }
    idle = {name for name in names - used if not name.startswith("mails/")}
    assert idle == set()  # each kind of mail has its two templates: tests of the mails see to it
