"""Every template, of pages, parts and mails, is really filled in; a name it lacks is an error.

Jinja2 itself tells which templates were filled in while every page is opened and every mail
written: a template that no page and no mail reaches any more fails here.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jinja2 import Environment, Template
from jinja2.runtime import Context

from api.app import create_app
from api.i18n import LANGUAGES
from api.mail.receiver import DemoReceiver, ReceivedMail
from api.rendering import TEMPLATES, environment
from api.services import signin
from api.services.desk import IMPORT, Actor, Desk
from api.web import COOKIE
from api.worker import Worker
from matcher.ranking import Ranker
from models import Person
from tests.api.test_mail_templates import MAILS, queue
from tests.conftest import lay_world, start
from tests.e2e.conftest import Town
from tests.e2e.gallery import TEXT, lay

ADDRESS = "http://127.0.0.1:9"  # nothing listens there: the gallery's webhook is not answered
Fill = Callable[[Context], Iterator[str]]
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Heard(Template):
    """A template that notes that it was filled in; also as a frame, a part or a set of macros."""

    filled: set[str]

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: Any,
        uptodate: Any = None,
    ) -> Template:
        made = super().from_code(environment, code, globals, uptodate)

        def heard(fill: Fill) -> Fill:
            def noted(context: Context) -> Iterator[str]:
                cls.filled.add(str(made.name))
                yield from fill(context)

            return noted

        # The plain half of a mail is filled in block by block.
        made.root_render_func = heard(made.root_render_func)
        made.blocks = {name: heard(block) for name, block in made.blocks.items()}
        return made


class Desktop(Town):
    """The gallery's town without a server of its own: mail leaves when it is asked for."""

    def mail(self, to: str, words: str = "", after: int = 0) -> ReceivedMail:
        Worker(self.runtime).run_once()
        return super().mail(to, words, after)


@pytest.fixture
def filled() -> Iterator[set[str]]:
    """The names of the templates that are filled in from here on."""
    environment.cache_clear()
    Heard.filled = set()
    for language in LANGUAGES:
        environment(language).template_class = Heard
    yield Heard.filled
    environment.cache_clear()


@pytest.fixture
def town(tmp_path: Path, prepared_sqlite: bytes, ranker: Ranker) -> Iterator[Desktop]:
    receiver = DemoReceiver()
    receiver.start()
    (tmp_path / "m.db").write_bytes(prepared_sqlite)
    runtime = start(
        f"sqlite:///{tmp_path / 'm.db'}",
        ranker,
        demo=True,
        base_url=ADDRESS,
        smtp_host=receiver.host,
        smtp_port=receiver.port,
    )
    with runtime.sessions.begin() as session:
        world = lay_world(Desk(session, runtime, IMPORT))
    yield Desktop(ADDRESS, runtime, receiver, world)
    runtime.close()
    receiver.stop()


class Visitors:
    """A browser for each person of the town."""

    def __init__(self, town: Desktop) -> None:
        self._app, self._town = create_app(town.runtime), town
        self._app.state.receiver = town.receiver
        self._browsers: dict[str, TestClient] = {}

    def __getitem__(self, who: str) -> TestClient:
        if who not in self._browsers:
            self._browsers[who] = TestClient(self._app, base_url=ADDRESS)
            if who:
                self._browsers[who].cookies.set(COOKIE, self._sign_in(who))
        return self._browsers[who]

    def _sign_in(self, who: str) -> str:
        actor: Actor = getattr(self._town.world, who)
        with self._town.runtime.sessions.begin() as session:
            desk = Desk(session, self._town.runtime)
            person = session.get_one(Person, actor.person_id)
            secret = signin.new_link(desk, person).rpartition("/")[2]
            session.flush()
            return signin.redeem(desk, secret)[0]

    def press(self, who: str, page: str, action: str, **typed: str) -> int:
        """Send a form as this person, with the token that stands on a page of theirs."""
        found = CSRF.search(self[who].get(page).text)
        sent = typed | {"csrf": found[1] if found else ""}
        return self[who].post(action, data=sent).status_code


def test_every_template_is_filled_in(filled: set[str], town: Desktop) -> None:
    gallery = lay(town)
    visitors = Visitors(town)
    for picture in gallery:
        answer = visitors[picture.who].get(picture.path)
        assert answer.status_code in (200, 401, 404, 410), (picture, answer.text)
    at = {each.name: each.path for each in gallery}
    # What only a form, or the script of a page, brings up.
    firm = {"text": TEXT, "place": "2800", "firm_name": "Bakker", "contact_name": "Bo"}
    assert visitors.press("", "/", "/sign-in", email="mira@company.example") == 200
    assert visitors.press("", "/", "/reading", text=TEXT) == 200
    assert visitors.press("", "/", "/needs/new", contact_email="bo@firm.example", **firm) == 200
    assert visitors.press("finn", "/account", f"{at['need_open']}/choose", none="1") == 200
    assert visitors.press("finn", "/account", f"{at['need_open']}/attachments") == 422
    offer = f"/reading/offers/{town.world.wash}"
    assert visitors.press("mira", "/account", offer, text="Lakens wassen") == 200
    assert visitors["otto"].get("/leads/offers").status_code == 200
    assert visitors["mira"].get(f"{at['webhook']}/live").status_code == 200
    assert visitors["cato"].get(f"{at['broadcast']}/live").status_code == 200
    for kind, context in MAILS:
        queue(town.runtime, kind, context)
    every = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*")}
    assert every - filled == set()
    assert filled - every <= {"None"}  # a text, not a file
