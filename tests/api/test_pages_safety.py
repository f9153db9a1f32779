"""What pages must never do: act on a GET, trust a form without its token, run what people type."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from api.app import create_app
from api.pages import router
from api.runtime import Runtime
from api.services import broadcasts, companies, links, needs, signin
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.web import COOKIE
from models import Answer, Company, Lead, Message, Need, Person, SignInLink, now
from models.states import NeedState
from tests.conftest import World

TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."
OPEN_POSTS = {  # forms of people without a session, guarded by their link or open to all
    "/needs/new", "/reading", "/sign-in", "/sign-in/{secret}", "/l/{token}/answer",
    "/l/{token}/question", "/l/{token}/meeting", "/unsubscribe/{token}", "/demo/be",
    "/embed/{slug}", "/still-right/{token}", "/sign-in/{secret}/again", "/l/{token}/again",
}  # fmt: skip


@pytest.fixture
def nobody(sqlite_runtime: Runtime, sqlite_world: World) -> TestClient:
    return TestClient(create_app(sqlite_runtime), follow_redirects=False)


def browser(runtime: Runtime, actor: Actor) -> tuple[TestClient, str]:
    """A browser signed in as this person, and its form token."""
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime)
        person = session.get_one(Person, actor.person_id)
        secret = signin.new_link(desk, person).rpartition("/")[2]
        session.flush()
        cookie, kept, _ = signin.redeem(desk, secret)
    client = TestClient(create_app(runtime), follow_redirects=False)
    client.cookies.set(COOKIE, cookie)
    return client, kept.csrf


def submit(runtime: Runtime, **changes: object) -> str:
    values: dict[str, object] = {
        "text": TEXT,
        "place": "2800 Mechelen",
        "firm_name": "Crèche De Zandkorrel",
        "contact_name": "Finn",
        "contact_email": "finn@creche.example",
    }
    with runtime.sessions.begin() as session:
        draft = NeedDraft(**(values | changes))  # type: ignore[arg-type]
        return needs.submit(Desk(session, runtime, IMPORT), draft, proven=True).id


def posts() -> list[str]:
    """The path of every form there is."""
    parts = [each.original_router for each in router.routes]  # type: ignore[attr-defined]
    return [route.path for part in parts for route in part.routes if "POST" in route.methods]


def test_every_form_needs_its_token(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    client, _ = browser(sqlite_runtime, sqlite_world.cato)
    guarded = [path for path in posts() if path not in OPEN_POSTS]
    assert len(guarded) > 30
    for path in guarded:
        address = re.sub(r"{\w+}", "01HZZZZZZZZZZZZZZZZZZZZZZZ", path)
        answer = client.post(address, data={"csrf": "wrong"}, files={"file": ("a.csv", b"name")})
        assert answer.status_code == 403, path
        assert "bad_csrf" in answer.text, path


def test_no_form_of_a_member_works_for_nobody(nobody: TestClient) -> None:
    for path in posts():
        if path not in OPEN_POSTS:
            address = re.sub(r"{\w+}", "01HZZZZZZZZZZZZZZZZZZZZZZZ", path)
            answer = nobody.post(address, files={"file": ("a.csv", b"name")})
            assert answer.status_code == 401, path


def test_the_intake_of_a_signed_in_firm_needs_its_token(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    client, _ = browser(sqlite_runtime, sqlite_world.finn)
    assert client.post("/needs/new", data={"text": TEXT}).status_code == 403


def test_opening_a_link_neither_answers_nor_signs_in(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    need_id = submit(sqlite_runtime)
    with sqlite_runtime.sessions.begin() as session:
        early = now() - timedelta(hours=1)  # released by the time the link is opened
        desk = Desk(session, sqlite_runtime, sqlite_world.cato, early)
        broadcasts.approve(desk, need_id)
        lead = session.scalars(select(Lead)).first()
        assert lead is not None
        path = links.lead_link(desk, lead).removeprefix("http://testserver")
        person = session.get_one(Person, sqlite_world.finn.person_id)
        sign_in = signin.new_link(Desk(session, sqlite_runtime), person).removeprefix(
            "http://testserver"
        )
        stop = links.unsubscribe_link(desk, lead.company_id).removeprefix("http://testserver")
        lead_id, company_id = lead.id, lead.company_id
    for address in (path, sign_in, stop):
        assert nobody.get(address).status_code == 200
    with sqlite_runtime.sessions.begin() as session:
        assert session.get_one(Lead, lead_id).opened_at is not None
        assert session.scalar(select(func.count(Answer.id))) == 0
        assert session.scalar(select(func.count(SignInLink.used_at))) == 0
        assert session.get_one(Company, company_id).wants_reminders
    # A mail program posts RFC 8058's one click without any form of ours.
    assert nobody.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 303
    with sqlite_runtime.sessions.begin() as session:
        assert not session.get_one(Company, company_id).wants_reminders
    assert nobody.get(path[:-1] + ("0" if path[-1] != "0" else "1")).status_code == 404
    assert press(nobody, sign_in).status_code == 303
    assert nobody.post(sign_in).status_code == 410


def test_what_people_type_is_shown_and_never_run(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    evil = "<script>alert(1)</script> Wij laten lakens wassen en strijken </textarea>"
    need_id = submit(sqlite_runtime, text=evil, firm_name="<b>Firma</b>")
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT)
        companies.change(desk, sqlite_world.wash, description="</script><script>alert(2)</script>")
    hub, _ = browser(sqlite_runtime, sqlite_world.cato)
    for path in (f"/hub/needs/{need_id}", f"/companies/{sqlite_world.wash}", "/hub/needs"):
        page = hub.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_a_robot_that_fills_the_trap_sends_nothing(
    sqlite_runtime: Runtime, nobody: TestClient
) -> None:
    form = {
        "text": TEXT,
        "place": "Mechelen",
        "firm_name": "Robot",
        "contact_name": "R",
        "contact_email": "robot@spam.example",
        "website": "http://spam.example",
    }
    assert nobody.post("/needs/new", data=form).status_code == 200
    with sqlite_runtime.sessions.begin() as session:
        assert session.scalar(select(func.count(Need.id))) == 0
    assert nobody.post("/needs/new", data=form | {"website": ""}).status_code == 200
    with sqlite_runtime.sessions.begin() as session:
        need = session.scalars(select(Need)).one()
        assert need.state is NeedState.DRAFT


def test_a_refused_need_leaves_nothing_behind(sqlite_runtime: Runtime, nobody: TestClient) -> None:
    form = {"text": TEXT, "place": "Mechelen", "contact_email": "new@firm.example"}
    answer = nobody.post("/needs/new", data=form)
    assert answer.status_code == 422
    assert "firm_name-error" in answer.text
    with sqlite_runtime.sessions.begin() as session:
        known = session.scalar(select(Person.id).where(Person.email == "new@firm.example"))
        assert known is None


def test_sign_in_tells_nobody_who_is_known(sqlite_runtime: Runtime, nobody: TestClient) -> None:
    known = nobody.post("/sign-in", data={"email": "cato@hub.example"})
    unknown = nobody.post("/sign-in", data={"email": "nemo@hub.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("cato@", "nemo@") == unknown.text
    with sqlite_runtime.sessions.begin() as session:
        assert session.scalars(select(Message.to_email)).all() == ["cato@hub.example"]


def test_sign_in_leads_only_to_our_own_pages(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    nobody.post("/sign-in", data={"email": "cato@hub.example", "next": "//evil.example/x"})
    with sqlite_runtime.sessions.begin() as session:
        text = session.scalars(select(Message.text)).one()
    found = re.search(r"/sign-in/\S+", text)
    assert found is not None
    answer = press(nobody, found[0])
    assert answer.headers["location"] == "/hub"
    assert "HttpOnly" in answer.headers["set-cookie"]


def press(client: TestClient, link: str) -> Response:
    """Open a sign-in link and press its button."""
    shown = re.search(r'name="proof" value="(\w+)"', client.get(link).text)
    assert shown is not None
    return client.post(link, data={"proof": shown[1]})


def test_another_site_signs_nobody_in_as_somebody_else(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime)
        evil = session.get_one(Person, sqlite_world.otto.person_id)
        link = urlsplit(signin.new_link(desk, evil)).path
    attacker, victim = (
        TestClient(create_app(sqlite_runtime), follow_redirects=False) for _ in range(2)
    )
    shown = attacker.get(link)
    assert "otto@elsewhere.example" in shown.text, "who is about to be signed in"
    proof = re.search(r'name="proof" value="(\w+)"', shown.text)[1]
    for body in ({}, {"proof": ""}, {"proof": proof}):
        answer = victim.post(link, data=body)
        assert answer.status_code == 403
        assert COOKIE not in victim.cookies
    # Sent to its own page, the victim reads whom it is about, and has to press.
    assert press(victim, link).status_code == 303, "the link works on any device, once"
    assert COOKIE in victim.cookies
    assert attacker.post(link, data={"proof": proof}).status_code == 410


def test_who_is_signed_in_reads_that_it_will_be_somebody_else(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    client, _ = browser(sqlite_runtime, sqlite_world.cato)
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime)
        otto = session.get_one(Person, sqlite_world.otto.person_id)
        link = urlsplit(signin.new_link(desk, otto)).path
    text = client.get(link).text
    assert "otto@elsewhere.example" in text
    assert "cato@hub.example" in text


def test_an_import_is_looked_at_before_it_is_kept(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    client, csrf = browser(sqlite_runtime, sqlite_world.cato)

    def send(rows: str) -> str:
        table = ("name,sites\n" + rows).encode()
        answer = client.post(
            "/hub/import",
            data={"csrf": csrf, "noun": "companies"},
            files={"file": ("list.csv", table)},
        )
        return answer.text

    def count() -> int:
        with sqlite_runtime.sessions.begin() as session:
            return session.scalar(select(func.count(Company.id))) or 0

    before = count()
    assert "Nergenshuizen" in send("Atelier Een,2800 Mechelen\nAtelier Twee,Nergenshuizen\n")
    assert count() == before
    # As large as it may be: it travels in the form in more than one field.
    page = send("Atelier Een,2800 Mechelen\nAtelier Twee,2500 Lier\n" + ",\n" * 420_000)
    assert count() == before
    content = re.findall(r'name="content" value="([^"]+)"', page)
    assert len(content) > 1
    answer = client.post(
        "/hub/import/keep",
        data={"csrf": csrf, "noun": "companies", "name": "list.csv", "content": content},
    )
    assert answer.headers["location"] == "/hub/companies?done=imported"
    assert count() == before + 2


def test_a_field_that_is_too_large_is_told_as_such(nobody: TestClient) -> None:
    for path in ("/reading", "/needs/new"):
        answer = nobody.post(path, data={"text": "x" * 1_500_000})
        assert answer.status_code == 413
        assert "groter dan wat we aannemen" in answer.text


def test_the_form_may_stand_in_another_site(sqlite_runtime: Runtime, nobody: TestClient) -> None:
    page = nobody.get("/embed/rivierenland")
    assert page.status_code == 200
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers
    assert "frame-ancestors 'none'" in nobody.get("/needs/new").headers["Content-Security-Policy"]
    form = {
        "text": TEXT,
        "place": "Mechelen",
        "firm_name": "Bakkerij",
        "contact_name": "Bo",
        "contact_email": "bo@bakkerij.example",
    }
    assert nobody.post("/embed/rivierenland", data=form).status_code == 200
    with sqlite_runtime.sessions.begin() as session:
        assert session.scalars(select(Need.state)).all() == [NeedState.DRAFT]
    assert nobody.get("/embed/nergens").status_code == 404


def test_who_tries_too_often_reads_so_on_a_page(nobody: TestClient) -> None:
    answers = [nobody.post("/sign-in", data={"email": f"a{n}@b.example"}) for n in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    assert "Wacht een paar minuten" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    large = nobody.post("/needs/new", content=b"x", headers={"Content-Length": "99999999"})
    assert large.status_code == 413
    assert large.headers["content-type"].startswith("text/html")


def test_reading_a_text_by_its_address_has_a_limit_too(nobody: TestClient) -> None:
    for _ in range(60):
        assert nobody.get("/needs/new?lang=nl").status_code == 200
    assert nobody.get(f"/needs/new?lang=nl&text={TEXT}").status_code == 429
    assert nobody.get("/how").status_code == 200


@pytest.mark.parametrize("figure", ["nan", "inf", "1e309", "-inf"])
def test_a_figure_without_an_end_is_told_beside_its_field(
    sqlite_runtime: Runtime, sqlite_world: World, figure: str
) -> None:
    client, csrf = browser(sqlite_runtime, sqlite_world.cato)
    terms = {"policy": "activity", "alpha": "0.1", "deadline_days": figure, "csrf": csrf}
    assert client.post(f"/hub/{sqlite_world.hub}/terms", data=terms).status_code == 422
    profile = {"name": "Wasserij", "max_open_leads": figure, "csrf": csrf}
    path = f"/companies/{sqlite_world.wash}/profile"
    assert client.post(path, data=profile).status_code == 422


@pytest.mark.parametrize(
    ("address", "refused"),
    [("2001:db8:1:2::{}", True), ("::ffff:192.0.2.1", True), ("2001:db8:1:{}::1", False)],
)
def test_the_addresses_of_one_subscriber_share_a_limit(
    sqlite_runtime: Runtime, address: str, refused: bool
) -> None:
    app = create_app(sqlite_runtime)
    answers = [
        TestClient(app, client=(address.format(number), 50_000)).post(
            "/sign-in", data={"email": "otto@firm.example"}
        )
        for number in range(1, 12)
    ]
    last = 429 if refused else 200
    assert [each.status_code for each in answers] == [200] * 10 + [last]


@pytest.mark.parametrize(
    "forwarded",
    [
        ["198.51.100.{}, 203.0.113.9"],  # one line: the proxy added to what the caller sent
        ["198.51.100.{}", "203.0.113.9"],  # or wrote a line of its own below the caller's
    ],
)
def test_behind_a_proxy_nobody_calls_from_an_address_of_choice(
    sqlite_runtime: Runtime, forwarded: list[str]
) -> None:
    settings = sqlite_runtime.settings.model_copy(update={"trusted_proxy": True})
    client = TestClient(create_app(replace(sqlite_runtime, settings=settings)))
    answers = [
        client.post(
            "/sign-in",
            data={"email": "otto@firm.example"},
            headers=[("X-Forwarded-For", line.format(number)) for line in forwarded],
        )
        for number in range(1, 12)
    ]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
