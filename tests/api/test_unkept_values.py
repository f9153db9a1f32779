"""What no database keeps (NUL, numbers of a thousand bits) is refused, never an error of ours."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api import pages, routes
from api.app import create_app
from api.runtime import Runtime
from api.services import broadcasts, leads
from api.services.desk import IMPORT, Actor, Desk
from api.web import COOKIE
from models import ApiToken
from tests.api.stage import submit, token
from tests.api.test_pages_safety import browser
from tests.conftest import World

BAD = ("a\x00b", "9" * 40, "1" * 5000)


def every_route() -> list[tuple[str, APIRoute]]:
    """What stands before its path, and the route."""
    return [
        (before, route)
        for before, router in (("", pages.router), ("/v1", routes.router))
        for part in router.routes
        for route in part.original_router.routes  # type: ignore[attr-defined]
        if isinstance(route, APIRoute)
    ]


def names(route: APIRoute, where: str) -> list[str]:
    """The parameters of a route and of all it depends on, in `path_params`, `query_params`..."""

    def under(dependant: Dependant) -> Iterator[str]:
        yield from (each.alias for each in getattr(dependant, where))
        for inner in dependant.dependencies:
            yield from under(inner)

    return sorted(set(under(route.dependant)))


class Doors:
    """The application, and browsers and tokens of each role for it."""

    def __init__(self, runtime: Runtime, world: World) -> None:
        self.app: FastAPI = create_app(runtime)
        self.known = self._lay(runtime, world)
        people: dict[str, Actor] = {
            "coordinator": world.cato, "firm": world.finn, "company": world.mira,
        }  # fmt: skip
        self.cookies: dict[str, tuple[str, str]] = {}
        self.tokens: dict[str, str] = {}
        for role, actor in people.items():
            client, csrf = browser(runtime, actor)
            self.cookies[role] = (client.cookies[COOKIE], csrf)
            with runtime.sessions.begin() as session:
                self.tokens[role] = token(Desk(session, runtime), actor)
        self.calls = 0
        self.seen: Counter[int] = Counter()

    def _lay(self, runtime: Runtime, world: World) -> dict[str, str]:
        with runtime.sessions.begin() as session:
            desk = Desk(session, runtime, IMPORT)
            need = submit(desk, world)
            broadcast = broadcasts.approve(desk.as_actor(world.cato), need.id)
            lead = leads.leads_of(desk, broadcast.id)[0]
            return {
                "need_id": need.id, "lead_id": lead.id, "broadcast_id": broadcast.id,
                "company_id": world.wash, "hub_id": world.hub,
            }  # fmt: skip

    def call(self, route: APIRoute, role: str, path: str, **sent: Any) -> int:
        if self.calls % 10 == 0:  # requests are limited per address
            self.client = TestClient(
                self.app,
                client=(f"10.0.{self.calls // 2500}.{self.calls // 10 % 250}", 1),
                follow_redirects=False,
                raise_server_exceptions=False,
                headers={"Authorization": f"Bearer {self.tokens[role]}"},
                cookies={COOKIE: self.cookies[role][0]},
            )
        self.calls += 1
        for method in route.methods or ():
            answer = self.client.request(method, path, **sent)
            self.seen[answer.status_code] += 1
        return answer.status_code


@pytest.fixture
def doors(runtime: Runtime, world: World) -> Doors:
    return Doors(runtime, world)


def filled(route: APIRoute, known: dict[str, str], **changed: str) -> str:
    path = route.path
    for name in names(route, "path_params"):
        path = path.replace(
            f"{{{name}}}", changed.get(name, known.get(name, "01KAJ5W3E8Q2XN4T7YB9CZDF6G"))
        )
    return path


def attempts(
    route: APIRoute, known: dict[str, str], csrf: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """One bad value at a time: in the path, the query, the form."""
    from urllib.parse import quote

    for bad in BAD:
        for name in names(route, "path_params"):
            yield filled(route, known, **{name: quote(bad)}), {}
        for name in names(route, "query_params"):
            yield filled(route, known), {"params": {name: bad}}
        fields = [name for name in names(route, "body_params") if name != "csrf"]
        if fields and "csrf" in names(route, "body_params"):
            yield filled(route, known), {"data": {"csrf": csrf} | dict.fromkeys(fields, bad)}


@pytest.mark.parametrize(
    "role",
    [
        "coordinator",  # may open the most
        pytest.param("firm", marks=pytest.mark.slow),
        pytest.param("company", marks=pytest.mark.slow),
    ],
)
def test_no_value_breaks_a_page_or_a_route(
    request: pytest.FixtureRequest, doors: Doors, role: str
) -> None:
    if role != "coordinator" and "sqlite" in request.node.callspec.id:
        pytest.skip("PostgreSQL is the stricter of the two; one role on SQLite is enough")
    broken = []
    for before, route in every_route():
        if route.path.startswith(("/demo", "/account/erase")):
            continue
        for path, sent in attempts(route, doors.known, doors.cookies[role][1]):
            status = doors.call(route, role, before + path, **sent)
            if status >= 500:
                broken.append((route.methods, path[:80], str(sent)[:160], status))
    assert doors.calls > 500
    assert doors.client.get("/account").status_code == 200, "still signed in"
    assert 429 not in doors.seen, "limited requests prove nothing"
    assert not broken, "\n".join(map(str, broken))


def test_the_use_of_a_token_is_noted_once_an_hour(runtime: Runtime, world: World) -> None:
    with runtime.sessions.begin() as session:
        secret = token(Desk(session, runtime), world.cato)
    client = TestClient(create_app(runtime), headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/v1/tokens").json()[0]["used_at"] is None  # noted after the answer
    first = client.get("/v1/tokens").json()[0]["used_at"]
    assert first is not None
    assert client.get("/v1/tokens").json()[0]["used_at"] == first
    with runtime.sessions() as session:
        assert session.query(ApiToken).one().used_at.isoformat()[:19] == first[:19]
