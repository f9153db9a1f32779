"""A profile nobody looked at for a year: who is asked, how often, and what the link does."""

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.app import create_app
from api.errors import Conflict, Gone, NotAllowed, NotFound
from api.runtime import Runtime
from api.services import (
    certificates,
    colleagues,
    companies,
    offers,
    profile_mails,
    retention,
    tasks,
)
from api.services.desk import IMPORT, WORKER, Desk
from api.services.tasks import TaskKind
from api.worker.chores import Chores
from models import AuditEntry, Company, Message, now
from models.message import MessageKind, MessageState
from tests.api.test_pages_safety import browser
from tests.conftest import World

OLD = timedelta(days=400)


def age(desk: Desk, company_id: str) -> Company:
    """Nobody looked at this company's profile for long."""
    company = desk.session.get_one(Company, company_id)
    company.checked_at = desk.at - OLD
    desk.session.flush()
    return company


def mails(desk: Desk) -> list[Message]:
    desk.session.flush()
    asked = select(Message).where(Message.kind == MessageKind.PROFILE)
    return list(desk.session.scalars(asked.order_by(Message.created_at, Message.to_email)))


def token(message: Message) -> str:
    found = re.search(r"/still-right/(\S+)", message.text)
    assert found
    return found[1]


def test_a_stale_profile_is_asked_after_once_in_half_a_year(desk: Desk, world: World) -> None:
    mira = desk.as_actor(world.mira)
    colleagues.invite(mira, world.wash, "zeno@company.example", wants_leads=True)
    assert profile_mails.due(desk) == []
    age(desk, world.wash)
    worker = desk.as_actor(WORKER)
    assert profile_mails.due(worker) == [world.wash]
    for _ in range(2):
        profile_mails.remind(worker, world.wash)
    told = mails(desk)
    assert [each.to_email for each in told] == ["wash@company.example", "zeno@company.example"]
    months = replace(worker, at=desk.at + timedelta(days=181))
    assert profile_mails.due(months) == []
    profile_mails.remind(months, world.wash)
    assert len(mails(desk)) == 2
    assert profile_mails.due(replace(worker, at=desk.at + timedelta(days=183))) == [world.wash]


@pytest.mark.parametrize(
    "values",
    [
        {"wants_profile_mail": False},
        {"active": False},
        {"email": None},
        {"email_bounced_at": now()},
        {"recognition": "ended"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_who_does_not_want_it_or_cannot_get_it_is_left_alone(
    desk: Desk, world: World, values: dict[str, object]
) -> None:
    age(desk, world.wash)
    desk.session.execute(update(Company).where(Company.id == world.wash).values(**values))
    desk.session.expire_all()
    assert profile_mails.due(desk) == []
    profile_mails.remind(desk.as_actor(WORKER), world.wash)
    assert mails(desk) == []


def test_whatever_a_person_saves_counts_as_a_look(desk: Desk, world: World) -> None:
    mira = desk.as_actor(world.mira)
    (offer, *_) = offers.of_company(desk, world.wash)
    for deed in (
        lambda: companies.change(mira, world.wash, phone=""),
        lambda: companies.set_sites(mira, world.wash, [("2800 Mechelen", "")]),
        lambda: certificates.set_all(mira, world.wash, []),
        lambda: offers.change(mira, offer.id, text=offer.text),
        lambda: offers.add(mira, world.wash, text="Wij strijken hemden"),
        lambda: profile_mails.confirm(mira, world.wash),
        lambda: profile_mails.confirm(desk.as_actor(world.cato), world.wash),
    ):
        company = age(desk, world.wash)
        deed()
        assert company.checked_at == desk.at
    company = age(desk, world.wash)
    table = desk.as_actor(IMPORT)
    companies.change(table, world.wash, phone="")
    offers.change(table, offer.id, text=offer.text)
    assert company.checked_at < desk.at  # a list that says the same again is no look
    companies.change(table, world.wash, phone="015 12 34 56")
    assert company.checked_at == desk.at


def test_a_coordinator_asks_once_a_month_at_most(desk: Desk, world: World) -> None:
    cato = desk.as_actor(world.cato)
    for fresh in (cato, replace(cato, at=cato.at + timedelta(days=300))):
        with pytest.raises(Conflict, match="less than a year"):
            profile_mails.ask(fresh, world.wash)
    age(desk, world.wash)
    for stranger in (world.mira, world.otto, world.finn):
        with pytest.raises(NotAllowed):
            profile_mails.ask(desk.as_actor(stranger), world.wash)
    with pytest.raises(NotFound):
        profile_mails.ask(cato, "0" * 26)

    def task(day: int) -> tasks.Task:
        found = tasks.of_hub(replace(cato, at=cato.at + timedelta(days=day)), world.hub)
        (stale,) = [each for each in found if each.kind is TaskKind.STALE_PROFILE]
        return stale

    assert (task(0).may_ask, task(0).asked_at) == (True, None)
    profile_mails.ask(cato, world.wash)
    assert (task(29).may_ask, task(29).asked_at) == (False, cato.at)
    with pytest.raises(Conflict, match="within the month"):
        profile_mails.ask(replace(cato, at=cato.at + timedelta(days=29)), world.wash)
    assert task(31).may_ask
    profile_mails.ask(replace(cato, at=cato.at + timedelta(days=31)), world.wash)
    assert len(mails(desk)) == 2
    companies.change(desk.as_actor(world.mira), world.wash, wants_profile_mail=False)
    age(desk, world.wash)
    with pytest.raises(Conflict):
        profile_mails.ask(replace(cato, at=cato.at + timedelta(days=90)), world.wash)


def test_a_newer_mail_and_half_a_year_end_a_link(desk: Desk, world: World) -> None:
    age(desk, world.wash)
    profile_mails.remind(desk.as_actor(WORKER), world.wash)
    (first,) = mails(desk)
    assert profile_mails.company_of(desk, token(first)).id == world.wash
    with pytest.raises(Gone):
        profile_mails.company_of(replace(desk, at=desk.at + timedelta(days=183)), token(first))
    for forged in ("", "x", token(first)[:-1] + "g", world.pack + token(first)[26:]):
        with pytest.raises(NotFound):
            profile_mails.company_of(desk, forged)
    later = replace(desk, at=desk.at + timedelta(days=40))
    profile_mails.ask(later.as_actor(world.cato), world.wash)
    with pytest.raises(Gone):
        profile_mails.company_of(later, token(first))
    assert profile_mails.company_of(later, token(mails(desk)[-1])).id == world.wash


def test_the_mail_speaks_of_the_profile_alone(desk: Desk, world: World) -> None:
    company = age(desk, world.wash)
    for language in ("nl", "fr", "en"):
        company.language = language
        company.reminded_at = None
        profile_mails.remind(desk.as_actor(WORKER), world.wash)
    said = " ".join(each.subject + each.text for each in mails(desk))
    assert not re.search(r"snel|vlug|rang|plaats|rapid|vite|place|rank|fast|soon", said, re.I)


def test_mails_of_no_need_are_emptied_in_time(desk: Desk, world: World) -> None:
    age(desk, world.wash)
    profile_mails.remind(desk.as_actor(WORKER), world.wash)
    (sent,) = mails(desk)
    days = desk.runtime.settings.retention_days
    late = replace(desk, at=desk.at + timedelta(days=days + 1))
    assert "message" not in retention.outdated(late)  # not before it has left
    sent.state = MessageState.SENT
    desk.session.flush()
    assert "message" not in retention.outdated(replace(desk, at=desk.at + timedelta(days=days - 1)))
    assert "message" in retention.outdated(late)
    retention.tidy(late, "message")
    desk.session.expire_all()
    assert (sent.to_email, sent.text, sent.html) == (retention.GONE, "", "")
    assert "message" not in retention.outdated(late)


@pytest.fixture
def asked(sqlite_runtime: Runtime, sqlite_world: World) -> str:
    """The path in the mail that the worker sent to a company of which the profile is old."""
    with sqlite_runtime.sessions.begin() as session:
        age(Desk(session, sqlite_runtime), sqlite_world.wash)
    Chores(sqlite_runtime, threading.Event()).run_once()
    with sqlite_runtime.sessions() as session:
        (told,) = mails(Desk(session, sqlite_runtime))
    return f"/still-right/{token(told)}"


def checked(runtime: Runtime, company_id: str) -> Company:
    with runtime.sessions() as session:
        return session.get_one(Company, company_id)


def test_the_link_shows_and_only_pressing_confirms(
    sqlite_runtime: Runtime, sqlite_world: World, asked: str
) -> None:
    nobody = TestClient(create_app(sqlite_runtime), follow_redirects=False)
    for language, button in (
        ("fr", "Tout est toujours exact"),
        ("en", "All is still right"),
        ("nl", "Alles klopt nog"),
    ):
        page = nobody.get(asked, params={"lang": language})
        assert page.status_code == 200
        assert button in page.text
        assert "Wasserij Het Blauwe Laken" in page.text
        assert "2800" in page.text
    assert checked(sqlite_runtime, sqlite_world.wash).checked_at < now() - timedelta(days=399)
    done = nobody.post(asked)
    assert done.status_code == 303
    page = nobody.get(done.headers["location"]).text
    assert "We noteerden dat alles nog klopt" in page
    assert "Nagekeken op" in page
    assert checked(sqlite_runtime, sqlite_world.wash).checked_at > now() - timedelta(minutes=1)
    with sqlite_runtime.sessions() as session:
        deeds = session.scalars(
            select(AuditEntry.action).where(AuditEntry.object_id == sqlite_world.wash)
        ).all()
    assert {"remind_profile", "confirm_profile"} <= set(deeds)
    assert nobody.get(asked[:-1]).status_code == 404


def test_the_link_stops_the_mail_and_the_profile_starts_it_again(
    sqlite_runtime: Runtime, sqlite_world: World, asked: str
) -> None:
    nobody = TestClient(create_app(sqlite_runtime), follow_redirects=False)
    assert nobody.post(asked, data={"stop": "1"}).status_code == 303
    kept = checked(sqlite_runtime, sqlite_world.wash)
    assert not kept.wants_profile_mail
    assert kept.wants_reminders
    assert kept.checked_at < now() - timedelta(days=399)  # stopping a mail is no look
    page = nobody.get(asked).text
    assert "krijgen jullie niet meer per mail" in page
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    home = f"/companies/{sqlite_world.wash}"
    assert f'action="{home}/still-right"' in mira.get(f"{home}/edit").text
    assert mira.post(f"{home}/still-right", data={"csrf": csrf}).status_code == 303
    assert f'action="{home}/still-right"' not in mira.get(f"{home}/edit").text
    form = {
        "csrf": csrf, "name": "Het Blauwe Laken", "service_radius_km": "30",
        "wants_profile_mail": "1",
    }  # fmt: skip
    assert mira.post(f"{home}/profile", data=form).status_code == 303
    assert checked(sqlite_runtime, sqlite_world.wash).wants_profile_mail
    otto, secret = browser(sqlite_runtime, sqlite_world.otto)
    assert otto.post(f"{home}/still-right", data={"csrf": secret}).status_code == 403


def test_the_task_of_the_coordinator_has_a_button(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    with sqlite_runtime.sessions.begin() as session:
        age(Desk(session, sqlite_runtime), sqlite_world.wash)
    cato, csrf = browser(sqlite_runtime, sqlite_world.cato)
    path = f"/hub/companies/{sqlite_world.wash}/remind"
    assert f'action="{path}"' in cato.get("/hub").text
    for who in (sqlite_world.mira, sqlite_world.finn, sqlite_world.otto):
        other, secret = browser(sqlite_runtime, who)
        assert other.post(path, data={"csrf": secret}).status_code == 403
    assert cato.post(path, data={"csrf": csrf}).status_code == 303
    page = cato.get("/hub").text
    assert f'action="{path}"' not in page
    assert "herinnerd op" in page
    again = cato.post(path, data={"csrf": csrf})
    assert again.status_code == 409
    assert "kreeg deze maand al een herinnering" in again.text
