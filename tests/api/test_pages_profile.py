"""The company keeps itself: offers with what they would bring, sites, certificates, people."""

import re
import threading
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.runtime import Runtime
from api.services import broadcasts, certificates, choices, offer_previews, offers
from api.services.desk import IMPORT, Desk
from api.worker.chores import Chores
from models import (
    AuditEntry,
    Certificate,
    Company,
    Lead,
    Membership,
    Message,
    Offer,
    Person,
    Site,
    now,
)
from models.message import MessageKind
from tests.api.test_pages_safety import browser, press, submit
from tests.conftest import World

WASH = "Lakens en handdoeken wassen, strijken en plooien"


def release(runtime: Runtime, world: World) -> str:
    need_id = submit(runtime)
    with runtime.sessions.begin() as session:
        early = now() - timedelta(hours=1)
        broadcasts.approve(Desk(session, runtime, world.cato, early), need_id)
    return need_id


def deeds(runtime: Runtime, action: str) -> list[AuditEntry]:
    with runtime.sessions() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_an_offer_shows_which_recent_needs_it_would_have_reached(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    release(sqlite_runtime, sqlite_world)
    maud, csrf = browser(sqlite_runtime, sqlite_world.maud)  # she packs, and thinks of washing
    new = f"/companies/{sqlite_world.pack}/offers/new"
    assert "Beschrijf het werk" in maud.get(new).text
    form = {"csrf": csrf, "text": WASH, "at_workshop": "1", "look": "1"}
    page = maud.post(f"/companies/{sqlite_world.pack}/offers", data=form).text
    assert re.search(r'class="count">1</span> van de laatste vraag', page)
    assert "<mark>" in page
    assert WASH in page
    assert "Zandkorrel" not in page
    assert "opplooit" not in page  # the firm's own words stay out
    live = maud.post(f"/reading/offers/{sqlite_world.pack}", data=form).text
    assert "bereikt" in live
    assert "<html" not in live
    other = form | {"text": "Fietsen herstellen en smeren"}
    live = maud.post(f"/reading/offers/{sqlite_world.pack}", data=other).text
    assert re.search(r'class="count">0</span>', live)
    assert "niet bereikt" in live
    with sqlite_runtime.sessions() as session:
        assert session.scalar(select(Offer).where(Offer.text == WASH)) is None


def test_the_preview_says_what_the_broadcast_says(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    """The probability before an offer is kept is the one a need released after it is judged by."""
    release(sqlite_runtime, sqlite_world)
    with sqlite_runtime.sessions.begin() as session:
        maud = Desk(session, sqlite_runtime, sqlite_world.maud)
        found = offer_previews.preview(
            maud, sqlite_world.pack, WASH, on_site=False, at_workshop=True
        )
        assert found
        offers.add(maud, sqlite_world.pack, text=WASH)
    need_id = release(sqlite_runtime, sqlite_world)
    with sqlite_runtime.sessions() as session:
        lead = session.scalars(
            select(Lead).where(Lead.need_id == need_id, Lead.company_id == sqlite_world.pack)
        ).one()
        match = next(
            row.match
            for row in broadcasts.leads.verdicts_of(
                Desk(session, sqlite_runtime), lead.broadcast_id
            )
            if row.company_id == sqlite_world.pack
        )
    assert found[0].reached
    assert match["probability"] == pytest.approx(found[0].probability, abs=1e-4)


def test_a_radius_too_small_is_said(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    release(sqlite_runtime, sqlite_world)
    maud, csrf = browser(sqlite_runtime, sqlite_world.maud)
    form = {"csrf": csrf, "text": WASH, "at_workshop": "1", "radius_km": "2"}
    live = maud.post(f"/reading/offers/{sqlite_world.pack}", data=form).text
    assert "werkt maar tot 2 km" in live
    wrong = maud.post(f"/companies/{sqlite_world.pack}/offers", data=form | {"radius_km": "ver"})
    assert wrong.status_code == 422
    assert 'id="radius_km-error"' in wrong.text
    assert WASH in wrong.text


def test_an_offer_is_changed_removed_and_put_back(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    home = f"/companies/{sqlite_world.wash}/edit"
    with sqlite_runtime.sessions() as session:
        offer = session.scalars(
            select(Offer).where(Offer.company_id == sqlite_world.wash).order_by(Offer.id)
        ).first()
    assert offer
    assert offer.text in mira.get(f"/offers/{offer.id}/edit").text
    form = {"csrf": csrf, "text": WASH, "at_workshop": "1", "radius_km": "25"}
    assert mira.post(f"/offers/{offer.id}", data=form).status_code == 303
    shown = mira.get(home).text
    assert WASH in shown
    assert "tot 25 km" in shown
    mira.post(f"/offers/{offer.id}", data=form | {"radius_km": ""})
    assert "tot 25 km" not in mira.get(home).text
    nowhere = mira.post(f"/offers/{offer.id}", data={"csrf": csrf, "text": "Iets nieuws"})
    assert nowhere.status_code == 422
    assert 'id="on_site-error"' in nowhere.text
    assert "Iets nieuws" in nowhere.text

    removed = mira.post(f"/offers/{offer.id}/remove", data={"csrf": csrf})
    page = mira.get(removed.headers["location"]).text
    assert "Verwijderd: “" in page
    assert "Ongedaan maken" in page
    assert mira.post(f"/offers/{offer.id}/restore", data={"csrf": csrf}).status_code == 303
    assert "Ongedaan maken" not in mira.get(home).text
    maud, other = browser(sqlite_runtime, sqlite_world.maud)
    for deed in ("", "/remove", "/restore"):
        answer = maud.post(f"/offers/{offer.id}{deed}", data=form | {"csrf": other})
        assert answer.status_code == 403
    assert maud.get(f"/offers/{offer.id}/edit").status_code == 403


def test_sites_are_added_and_dropped_and_a_wrong_one_is_said_in_its_row(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/companies/{sqlite_world.wash}/sites"
    two = {"csrf": csrf, "places": ["2800 Mechelen", "2500 Lier"], "streets": ["Kaai 1", ""]}
    assert mira.post(path, data=two).status_code == 303
    wrong = mira.post(path, data=two | {"places": ["2800 Mechelen", "Nergenshuizen"]})
    assert wrong.status_code == 422
    assert 'id="sites-1-error"' in wrong.text
    assert "Nergenshuizen" in wrong.text
    with sqlite_runtime.sessions() as session:
        held = session.scalars(select(Site).where(Site.company_id == sqlite_world.wash)).all()
        assert sorted(site.postcode for site in held) == ["2500", "2800"]
    assert mira.post(path, data=two | {"places": ["", "2500 Lier"]}).status_code == 303
    assert mira.post(path, data={"csrf": csrf, "places": [""], "streets": [""]}).status_code == 422
    assert len(deeds(sqlite_runtime, "set_sites")) == 2


def test_a_certificate_that_ends_soon_is_told_once(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/companies/{sqlite_world.wash}/certificates"
    soon = (now() + timedelta(days=20)).date().isoformat()
    form = {"csrf": csrf, "codes": ["haccp"], "rows": ["haccp", "iso9001"], "days": [soon, ""]}
    assert mira.post(path, data=form).status_code == 303
    page = mira.get(f"/companies/{sqlite_world.wash}/edit").text
    assert f'value="{soon}"' in page
    assert "loopt af" in page
    chores = Chores(sqlite_runtime, threading.Event())
    for _ in range(2):
        chores.run_once()
    with sqlite_runtime.sessions() as session:
        (told,) = session.scalars(select(Message).where(Message.kind == MessageKind.EXPIRY)).all()
        assert told.to_email == "wash@company.example"
        assert "HACCP" in told.subject
        assert session.scalars(select(Certificate)).one().reminded_at is not None
    later = (now() + timedelta(days=400)).date()
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, sqlite_world.mira)
        certificates.set_all(desk, sqlite_world.wash, [("haccp", later)])
        assert certificates.ending(desk) == []
        certificates.set_all(desk, sqlite_world.wash, [("haccp", later)])
    changes = deeds(sqlite_runtime, "set_certificates")
    assert [each.details["after"] for each in changes] == [
        {"haccp": soon},
        {"haccp": later.isoformat()},
    ]
    wrong = mira.post(path, data=form | {"days": ["morgen", ""]})
    assert 'id="until-haccp-error"' in wrong.text


def test_languages_and_only_real_changes_are_audited(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    form = {
        "csrf": csrf, "name": "Wasserij Het Blauwe Laken", "email": "wash@company.example",
        "service_radius_km": "40", "languages": ["nl", "fr"], "delivery": "each",
        "wants_reminders": "1", "wants_profile_mail": "1",
    }  # fmt: skip
    path = f"/companies/{sqlite_world.wash}/profile"
    for _ in range(2):
        assert mira.post(path, data=form).status_code == 303
    (change,) = deeds(sqlite_runtime, "change")
    assert change.details["changed"] == ["languages"]
    with sqlite_runtime.sessions() as session:
        assert session.get_one(Company, sqlite_world.wash).languages == ["nl", "fr"]
    bad = mira.post(path, data=form | {"languages": ["xx"]})
    assert bad.status_code == 422


def people_of(runtime: Runtime, company: str) -> dict[str, Membership]:
    with runtime.sessions() as session:
        rows = session.execute(
            select(Person.email, Membership)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.company_id == company)
        )
        return {row[0]: row[1] for row in rows}


def test_a_company_manages_its_own_people(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    mira, csrf = browser(sqlite_runtime, sqlite_world.mira)
    path = f"/companies/{sqlite_world.wash}/people"
    form = {"csrf": csrf, "person_email": "Zeno@company.example", "person_name": "Zeno"}
    assert mira.post(path, data=form | {"wants_leads": "1"}).status_code == 303
    again = mira.post(path, data=form)
    assert again.status_code == 422
    assert "heeft al toegang" in again.text
    bad = mira.post(path, data=form | {"person_email": "geen adres"})
    assert 'id="person_email-error"' in bad.text
    with sqlite_runtime.sessions() as session:
        (invited,) = session.scalars(
            select(Message).where(Message.kind == MessageKind.INVITE)
        ).all()
        link = re.search(r"/sign-in/\S+", invited.text)
    assert invited.to_email == "zeno@company.example"
    assert link
    zeno = TestClient(mira.app, follow_redirects=False)
    arrived = press(zeno, link[0])
    assert arrived.headers["location"] == "/leads"

    need_id = release(sqlite_runtime, sqlite_world)
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT)
        sent = session.scalars(select(Message).where(Message.need_id == need_id)).all()
        got = {each.to_email: each for each in sent if each.kind is MessageKind.LEAD_COPY}
        own = next(each for each in sent if each.kind is MessageKind.LEAD)
        assert set(got) == {"zeno@company.example"}
        assert got["zeno@company.example"].due_at == own.due_at
        choices.choose(desk.as_actor(sqlite_world.finn), need_id, [])
        session.flush()
        outcome = session.scalars(
            select(Message.to_email).where(Message.kind == MessageKind.OUTCOME)
        ).all()
        assert set(outcome) == {"wash@company.example", "zeno@company.example"}

    held = people_of(sqlite_runtime, sqlite_world.wash)["zeno@company.example"]
    mira.post(f"{path}/mail", data={"csrf": csrf, "membership": held.id})
    assert not people_of(sqlite_runtime, sqlite_world.wash)["zeno@company.example"].wants_leads
    mira.post(f"{path}/remove", data={"csrf": csrf, "membership": held.id})
    assert set(people_of(sqlite_runtime, sqlite_world.wash)) == {"mira@company.example"}
    last = people_of(sqlite_runtime, sqlite_world.wash)["mira@company.example"]
    kept = mira.post(f"{path}/remove", data={"csrf": csrf, "membership": last.id})
    assert kept.status_code == 409
    assert zeno.get(f"/companies/{sqlite_world.wash}/edit").status_code == 403


def test_nobody_else_manages_the_people(sqlite_runtime: Runtime, sqlite_world: World) -> None:
    """Who is in answers in the company's name: not even a coordinator lets people in."""
    path = f"/companies/{sqlite_world.wash}/people"
    for name in ("cato", "maud", "finn", "otto"):
        client, csrf = browser(sqlite_runtime, getattr(sqlite_world, name))
        assert client.get(path).status_code == 403
        form = {"csrf": csrf, "person_email": "spion@elsewhere.example"}
        for deed in ("", "/mail", "/remove"):
            assert client.post(f"{path}{deed}", data=form).status_code == 403, (name, deed)
        first = client.post(f"/companies/{sqlite_world.wash}/first-person", data=form)
        assert first.status_code == 403
    cato, csrf = browser(sqlite_runtime, sqlite_world.cato)
    opened = cato.post(f"/companies/{sqlite_world.far}/first-person", data={"csrf": csrf})
    assert opened.status_code == 303
    assert set(people_of(sqlite_runtime, sqlite_world.far)) == {"far@company.example"}
