"""A real server, worker and mail server on loopback, and Debian's chromium to visit them."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from api.mail.receiver import DemoReceiver, ReceivedMail
from api.runtime import Runtime
from api.services import companies, offers
from api.services.desk import IMPORT, Desk
from api.services.network import lay_reference
from matcher.ranking import Ranker
from models import schema
from tests.conftest import World, lay_world, make_settings

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30  # seconds until a mail must have come


@dataclass
class Town:
    """The running service with its people and its mail."""

    address: str
    runtime: Runtime
    receiver: DemoReceiver
    world: World

    def mail(self, to: str, words: str = "", after: int = 0) -> ReceivedMail:
        """The newest mail to an address whose subject holds these words; waits for it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for each in reversed(self.receiver.messages[after:]):
                if each.to == to and words.lower() in each.subject.lower():
                    return each
            time.sleep(0.1)
        had = [(each.to, each.subject) for each in self.receiver.messages]
        raise AssertionError(f"no mail to {to} with {words!r} in its subject; there is {had}")

    def link(self, to: str, path: str) -> str:
        """The newest address on our site beginning with this path, mailed to somebody."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for mail in reversed(self.receiver.messages):
                for word in mail.text.split() if mail.to == to else ():
                    if word.startswith(f"{self.address}{path}"):
                        return word.rstrip(".,)>")
            time.sleep(0.1)
        raise AssertionError(f"no mail to {to} with a link to {path}")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, ranker: Ranker) -> Iterator[Town]:
    """The small network, served by uvicorn on a free port, with worker and mail server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    receiver = DemoReceiver()
    # In a thread of its own: playwright keeps an event loop running in this one.
    starter = threading.Thread(target=receiver.start)
    starter.start()
    starter.join(timeout=10)
    try:
        database = tmp_path_factory.mktemp("town") / "maatmatch.db"
        runtime = Runtime.start(
            make_settings(
                f"sqlite:///{database}",
                demo=True,
                worker=True,
                base_url=f"http://127.0.0.1:{port}",
                smtp_host=receiver.host,
                smtp_port=receiver.port,
            )
        )
        runtime.__dict__["ranker"] = ranker
        schema.upgrade(runtime.engine)
        with runtime.sessions.begin() as session:
            desk = Desk(session, runtime, IMPORT)
            lay_reference(desk)
            world = lay_world(desk)
            _second_laundry(desk)
        app = create_app(runtime)
        app.state.receiver = receiver
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.05)
        yield Town(f"http://127.0.0.1:{port}", runtime, receiver, world)
        server.should_exit = True
        thread.join(timeout=30)
        runtime.close()
    finally:
        receiver.stop()


def _second_laundry(desk: Desk) -> None:
    """A company beside the wash company that suits the same needs: so there is a choice."""
    company = companies.add(
        desk,
        name="Strijkatelier De Plooi",
        places=[("2860 Sint-Katelijne-Waver", "Dorpstraat 1")],
        email="iron@company.example",
        service_radius_km=40,
    )
    for text in ("Was- en strijkatelier: linnen, lakens en werkkledij", "Luiers wassen en drogen"):
        offers.add(desk, company.id, text=text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless chromium for one file: its event loop would be in the way of other tests."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def visitor(browser: Browser, town: Town, locale: str = "nl-BE", **options: object) -> Page:
    """A new person at a browser of their own; a script error or refused resource is a failure."""
    context = browser.new_context(base_url=town.address, locale=locale, **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(15_000)

    def heard(message: object) -> None:
        text = getattr(message, "text", "")
        assert "Content Security Policy" not in text, text

    page.on("console", heard)
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return page


def sign_in(page: Page, town: Town, email: str) -> None:
    """Ask for a link, read the mail, press the button."""
    page.goto("/sign-in")
    page.fill("#email", email)
    page.click("main button")
    page.goto(town.link(email, "/sign-in/"))
    page.click("main button")


@pytest.fixture(scope="module")
def gallery(town: Town) -> Any:
    """Every page, as :func:`tests.e2e.gallery.lay` lays it in the town."""
    from tests.e2e.gallery import lay  # it knows this file

    return lay(town)
