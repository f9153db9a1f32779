"""Feeds over HTTP: the token in the address is the secret."""

from fastapi.testclient import TestClient

from api.app import create_app
from api.runtime import Runtime
from api.services import feeds
from api.services.desk import Desk
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
