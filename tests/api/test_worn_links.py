"""Links that no longer work: a page in the reader's language says so and mends it in one press."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.app import create_app
from api.runtime import Runtime
from api.services import broadcasts, colleagues, feeds, links, needs, profile_mails, renewals
from api.services.desk import IMPORT, Desk
from models import Company, Lead, Message, SignInLink, now
from models.message import MessageKind, MessageState
from tests.api.test_pages_rooms import draft
from tests.api.test_pages_safety import browser
from tests.conftest import World

FORM = re.compile(r'<form method="post" action="([^"]+)"')
HEADING = {
    "nl": "Deze link werkt niet meer",
    "fr": "Ce lien ne fonctionne plus",
    "en": "This link no longer works",
}


@pytest.fixture
def nobody(sqlite_runtime: Runtime, sqlite_world: World) -> TestClient:
    return TestClient(create_app(sqlite_runtime), follow_redirects=False)


@contextmanager
def at_work(runtime: Runtime, ago: timedelta = timedelta()) -> Iterator[Desk]:
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        yield replace(desk, at=desk.at - ago)


def path(link: str) -> str:
    return link.removeprefix("http://testserver")


def mailed(runtime: Runtime, kind: MessageKind) -> list[Message]:
    with runtime.sessions() as session:
        found = select(Message).where(Message.kind == kind).order_by(Message.id)
        return list(session.scalars(found))


def link_in(message: Message) -> str:
    found = re.search(r"http://testserver(\S+)", message.text)
    assert found
    return found[1]


def outdated(runtime: Runtime) -> None:
    """As if all sign-in links were mailed long ago."""
    with runtime.sessions.begin() as session:
        session.execute(update(SignInLink).values(expires_at=now() - timedelta(minutes=1)))


def released(runtime: Runtime, world: World) -> str:
    """A lead of the wash company whose mail has left; returns its id."""
    with at_work(runtime, timedelta(hours=1)) as desk:
        need = needs.submit(desk, draft(), proven=True)
        broadcasts.approve(desk.as_actor(world.cato), need.id)
        desk.session.execute(update(Message).values(state=MessageState.SENT))
        return desk.session.scalars(select(Lead.id).where(Lead.company_id == world.wash)).one()


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_an_outdated_sign_in_link_is_renewed_in_one_press(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient, language: str
) -> None:
    asked = {"email": sqlite_world.finn.email, "next": "/needs"}
    assert nobody.post("/sign-in", data=asked).status_code == 200
    old = link_in(mailed(sqlite_runtime, MessageKind.SIGN_IN)[0])
    outdated(sqlite_runtime)
    page = nobody.get(f"{old}?lang={language}")
    assert page.status_code == 410
    assert HEADING[language] in page.text
    assert "finn@" not in page.text  # whoever holds an old link learns nothing of its owner
    action = FORM.search(page.text)
    assert action
    sent = nobody.post(action[1])
    assert sent.status_code == 200
    assert "finn@" not in sent.text
    first, second = mailed(sqlite_runtime, MessageKind.SIGN_IN)
    assert second.to_email == first.to_email == sqlite_world.finn.email
    new = nobody.get(link_in(second))
    assert new.status_code == 200
    with sqlite_runtime.sessions() as session:
        assert set(session.scalars(select(SignInLink.next))) == {"/needs"}


def test_asking_again_with_a_made_up_link_sends_nothing_and_looks_the_same(
    sqlite_runtime: Runtime, nobody: TestClient
) -> None:
    for made_up in ("/sign-in/abc/again", "/l/abc.1.ffff/again"):
        assert nobody.post(made_up).status_code == 200
    assert mailed(sqlite_runtime, MessageKind.SIGN_IN) == []
    page = nobody.get("/sign-in/abc")
    assert page.status_code == 404
    assert 'href="/sign-in"' in page.text


def test_a_used_link_opens_its_page_for_who_is_still_signed_in(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    nobody.post("/sign-in", data={"email": sqlite_world.finn.email, "next": "/needs"})
    link = link_in(mailed(sqlite_runtime, MessageKind.SIGN_IN)[0])
    outdated(sqlite_runtime)
    for actor, status in ((sqlite_world.finn, 303), (sqlite_world.mira, 410)):
        client, _ = browser(sqlite_runtime, actor)
        answer = client.get(link)
        assert answer.status_code == status
        if status == 303:
            assert answer.headers["location"] == "/needs"


def test_a_draft_can_still_be_confirmed_when_its_mail_was_late(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    with at_work(sqlite_runtime, timedelta(days=3)) as desk:
        needs.submit(desk, draft())
    link = link_in(mailed(sqlite_runtime, MessageKind.CONFIRM_NEED)[0])
    assert nobody.get(link).status_code == 200


def test_an_invitation_that_is_too_old_is_renewed_and_opens_the_companys_room(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    with at_work(sqlite_runtime, timedelta(days=31)) as desk:
        mira = desk.as_actor(sqlite_world.mira)
        colleagues.invite(mira, sqlite_world.wash, "nieuw@company.example")
    page = nobody.get(link_in(mailed(sqlite_runtime, MessageKind.INVITE)[0]))
    assert page.status_code == 410
    action = FORM.search(page.text)
    assert action
    nobody.post(action[1])
    (mail,) = mailed(sqlite_runtime, MessageKind.SIGN_IN)
    assert mail.to_email == "nieuw@company.example"
    with sqlite_runtime.sessions() as session:
        assert set(session.scalars(select(SignInLink.next))) == {"/leads"}


def test_a_replaced_lead_link_mails_the_newest_to_the_company_alone_and_seldom(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    lead_id = released(sqlite_runtime, sqlite_world)
    with at_work(sqlite_runtime, timedelta(minutes=50)) as desk:
        lead = desk.session.get_one(Lead, lead_id)
        old = path(links.lead_link(desk, lead))
        renewals.renew_link(desk.as_actor(sqlite_world.mira), lead_id)
        desk.session.execute(update(Message).values(state=MessageState.SENT))
    page = nobody.get(old)
    assert page.status_code == 410
    assert "lakens" not in page.text
    action = FORM.search(page.text)
    assert action
    assert nobody.post(action[1]).status_code == 200
    assert len(mailed(sqlite_runtime, MessageKind.NEW_LINK)) == 1  # one left within the hour
    with sqlite_runtime.sessions.begin() as session:
        session.execute(update(Message).values(created_at=now() - timedelta(hours=2)))
    for _ in range(3):
        nobody.post(action[1])
    found = mailed(sqlite_runtime, MessageKind.NEW_LINK)
    assert [each.to_email for each in found] == ["wash@company.example"] * 2
    assert nobody.get(link_in(found[-1])).status_code == 200
    # The newest link itself is no way to have mails sent.
    newest = link_in(found[-1]).partition("?")[0].partition("#")[0]
    assert nobody.post(f"{newest}/again").status_code == 200
    assert len(mailed(sqlite_runtime, MessageKind.NEW_LINK)) == 2


def test_a_lead_link_that_expired_leads_to_the_lead_after_signing_in(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    lead_id = released(sqlite_runtime, sqlite_world)
    with at_work(sqlite_runtime) as desk:
        lead = desk.session.get_one(Lead, lead_id)
        lead.closed_at = desk.at - links.LASTS - timedelta(days=1)
        old = path(links.lead_link(desk, lead))
    page = nobody.get(old)
    assert page.status_code == 410
    assert f'name="next" value="/leads/{lead_id}"' in page.text
    assert 'action="/sign-in"' in page.text


def test_an_older_profile_link_leads_to_the_profile_after_signing_in(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    wash = sqlite_world.wash
    for ago in (timedelta(days=3), timedelta(days=200)):
        with at_work(sqlite_runtime, ago) as desk:
            company = desk.session.get_one(Company, wash)
            company.reminded_at = desk.at
            old = path(profile_mails.link(desk, company, desk.at))
            if ago.days == 3:
                company.reminded_at = now()
        page = nobody.get(old)
        assert page.status_code == 410
        assert f'name="next" value="/companies/{wash}/edit"' in page.text


def test_a_renewed_feed_is_gone_and_a_made_up_one_never_was(
    sqlite_runtime: Runtime, sqlite_world: World, nobody: TestClient
) -> None:
    with at_work(sqlite_runtime) as desk:
        mira = desk.as_actor(sqlite_world.mira)
        old = feeds.secret(mira, sqlite_world.wash)
        new = feeds.renew(mira, sqlite_world.wash)
    for ending in ("json", "atom"):
        gone = nobody.get(f"/feed/{old}.{ending}")
        assert gone.status_code == 410
        assert "Blauwe Laken" not in gone.text
        assert new not in gone.text
        assert nobody.get(f"/feed/{new}.{ending}").status_code == 200
        assert nobody.get(f"/feed/{old[:-1]}.{ending}").status_code == 404
