"""Feeds over HTTP: the token in the address is the secret."""

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.errors import NotAllowed
from api.runtime import Runtime
from api.services import feeds
from api.services.desk import Desk
from tests.api.test_pages_safety import browser
from tests.conftest import World


def test_a_feed_needs_its_secret(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    with sqlite_runtime.sessions() as session:
        desk = Desk(session, sqlite_runtime, sqlite_world.mira)
        token = feeds.secret(desk, sqlite_world.wash)
    with TestClient(create_app(sqlite_runtime)) as client:
        as_json = client.get(f"/feed/{token}.json")
        assert as_json.json()["items"] == []
        assert as_json.headers["content-type"] == "application/feed+json"
        as_atom = client.get(f"/feed/{token}.atom")
        assert as_atom.headers["content-type"].startswith("application/atom+xml")
        assert client.get(f"/feed/{token[:-1]}.json").status_code == 404


def test_a_coordinator_never_learns_the_address_of_a_feed(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    """Behind it stand personal links, with which one answers in the company's name."""
    with sqlite_runtime.sessions.begin() as session:
        cato = Desk(session, sqlite_runtime, sqlite_world.cato)
        for asked in (feeds.secret, feeds.renew):
            with pytest.raises(NotAllowed):
                asked(cato, sqlite_world.wash)
    page = f"/companies/{sqlite_world.wash}/edit"
    own, _ = browser(sqlite_runtime, sqlite_world.mira)
    assert "/feed/" in own.get(page).text
    client, csrf = browser(sqlite_runtime, sqlite_world.cato)
    shown = client.get(page)
    assert shown.status_code == 200
    assert "/feed/" not in shown.text
    pressed = client.post(f"/companies/{sqlite_world.wash}/feed", data={"csrf": csrf})
    assert pressed.status_code == 403
