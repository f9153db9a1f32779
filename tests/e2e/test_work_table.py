"""Firm and company agree a date, a webhook is tried, a colleague joins: in a real browser."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from api.services import answers, broadcasts, needs
from api.services.desk import BRUSSELS, IMPORT, Desk
from api.services.needs import NeedDraft
from models import Lead, Message, now
from models.answer import AnswerKind
from models.message import MessageKind
from tests.api.test_webhooks import Receiver
from tests.e2e.conftest import Town, visitor
from tests.e2e.gallery import TEXT, seen_by

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture(scope="module")
def need(town: Town) -> str:
    """A need released an hour ago, for which the wash company is interested."""
    with town.runtime.sessions.begin() as session:
        desk = Desk(session, town.runtime, IMPORT, now() - timedelta(hours=1))
        draft = NeedDraft(
            text=TEXT,
            place="2800 Mechelen",
            firm_name="Crèche De Zandkorrel",
            contact_name="Finn",
            contact_email="finn@creche.example",
        )
        found = needs.submit(desk, draft, proven=True)
        broadcasts.approve(desk.as_actor(town.world.cato), found.id)
        lead = session.scalars(
            select(Lead).where(Lead.need_id == found.id, Lead.company_id == town.world.wash)
        ).one()
        answers.give(desk, lead, AnswerKind.INTERESTED)
        return found.id


def test_a_date_is_agreed_without_javascript_and_on_a_phone(
    town: Town, browser: Browser, need: str
) -> None:
    soon = (now().astimezone(BRUSSELS) + timedelta(days=7)).replace(hour=14, minute=30)
    firm = seen_by(browser, town, "finn", java_script_enabled=False)
    firm.goto(f"/needs/{need}")
    firm.click("text=Naar de afspraken")
    firm.fill("#first", soon.strftime("%Y-%m-%dT%H:%M"))
    firm.fill("#second", (soon + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"))
    firm.fill("#place", "Het atelier, Mechelen")
    firm.click("button:has-text('Verstuur het voorstel')")
    expect(firm.locator(".notice.good")).to_contain_text("Je voorstel is verstuurd")

    mail = town.mail("wash@company.example", "om af te spreken")
    assert "Crèche De Zandkorrel" in mail.text
    company = visitor(browser, town, viewport=PHONE, java_script_enabled=False)
    company.goto(town.link("wash@company.example", "/l/"))
    company.locator("button:has-text('Dit past')").first.click()
    expect(company.locator(".notice.good").first).to_contain_text("De afspraak staat vast")
    expect(company.locator("#meeting")).to_contain_text("14:30")

    town.mail("finn@creche.example", "afspraak op")
    with town.runtime.sessions() as session:
        invitation = session.scalars(
            select(Message).where(Message.kind == MessageKind.MEETING).order_by(Message.id)
        ).first()
        assert invitation
        (event,) = Calendar.from_ical(invitation.attachment or "").walk("VEVENT")
    assert event.decoded("DTSTART").strftime("%H:%M %Z") in ("14:30 CET", "14:30 CEST")

    firm.reload()
    firm.click("summary:has-text('Afzeggen')")
    firm.click("button:has-text('Zeg de afspraak af')")
    town.mail("wash@company.example", "afgezegd")
    company.reload()
    expect(company.locator("#meeting")).to_contain_text("is afgezegd")
    for page in (firm, company):
        page.context.close()


def test_a_webhook_is_tried_and_answers_while_one_looks(
    town: Town, browser: Browser, receiver: Receiver
) -> None:
    page = seen_by(browser, town, "mira")
    page.goto(f"/companies/{town.world.wash}/edit")
    page.click("nav >> text=Webhooks")
    page.fill("#url", receiver.url)
    page.click("button:has-text('Toevoegen')")
    expect(page.locator(".notice.good code")).to_be_visible()
    page.click("text=Probeer hem uit")
    page.click("button:has-text('Stuur een testbericht')")
    # The worker sends it within seconds; the page brings itself up to date.
    expect(page.locator("table")).to_contain_text(re.compile(r"204 No Content"), timeout=15_000)
    assert receiver.got[0][0]["Maatmatch-Event"] == "ping"
    page.context.close()


def test_a_colleague_joins_and_works(town: Town, browser: Browser) -> None:
    page = seen_by(browser, town, "mira", viewport=PHONE)
    page.goto(f"/companies/{town.world.wash}/people")
    page.fill("#person_email", "zeno@company.example")
    page.fill("#person_name", "Zeno")
    page.click("button:has-text('Nodig uit')")
    expect(page.locator("main .list")).to_contain_text("zeno@company.example")
    page.context.close()
    newcomer = visitor(browser, town, viewport=PHONE)
    newcomer.goto(town.link("zeno@company.example", "/sign-in/"))
    newcomer.click("main button")
    expect(newcomer.locator("h1")).to_have_text("Leads")
    newcomer.goto("/leads/offers")
    newcomer.click("text=Aanbod toevoegen")
    newcomer.fill("#text", "Kussens en dekens wassen")
    expect(newcomer.locator("#look")).to_contain_text("Zo lezen we het")
    newcomer.click("button:has-text('Bewaren')")
    row = newcomer.locator("#offers li", has_text="Kussens en dekens wassen")
    row.locator("text=Aanpassen").click()
    newcomer.click("button:has-text('Verwijder dit aanbod')")
    newcomer.click("button:has-text('Ongedaan maken')")
    expect(newcomer.locator(".notice.good")).to_contain_text("Het aanbod staat terug")
    newcomer.context.close()
