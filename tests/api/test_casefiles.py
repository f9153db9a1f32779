"""The case file: notes for the hub alone, and one line of time of all that happened to a need."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api import wording
from api.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from api.runtime import Runtime
from api.services import (
    answers,
    audit,
    broadcasts,
    casefiles,
    contacts,
    links,
    needs,
    notes,
    people,
    questions,
    referrals,
    renewals,
    retention,
)
from api.services.casefiles import EntryKind
from api.services.desk import Actor, Desk
from api.web import only_read
from models import Company, Hub, Lead, Message, Need, Note, Person
from models.answer import AnswerKind
from models.message import MessageKind, MessageState
from models.referral import ReferralKind
from tests.api.test_pages_rooms import draft
from tests.conftest import World

API = Path(wording.__file__).parent


def waiting(desk: Desk) -> Need:
    return needs.submit(desk, draft(), proven=True)


def colleague(desk: Desk, world: World) -> Actor:
    """A second coordinator of the same hub."""
    person = people.find_or_add(desk, "cas@hub.example", name="Cas")
    people.add_role(desk, person, hub_id=world.hub)
    return people.actor_of(desk, person)


def test_a_note_is_for_the_coordinators_of_its_hub(desk: Desk, world: World) -> None:
    need = waiting(desk)
    note = notes.add(desk.as_actor(world.cato), need.id, "  Gebeld: liefst in maart. ")
    assert note.text == "Gebeld: liefst in maart."
    assert notes.of_need(desk.as_actor(colleague(desk, world)), need.id) == [note]
    for actor, problem in (
        (world.finn, NotAllowed), (world.mira, NotFound), (world.otto, NotFound),
    ):  # fmt: skip
        with pytest.raises(problem):
            notes.of_need(desk.as_actor(actor), need.id)
        with pytest.raises(problem):
            notes.add(desk.as_actor(actor), need.id, "van mij")
        with pytest.raises(NotFound):
            notes.remove(desk.as_actor(actor), note.id)
    with pytest.raises(Invalid):
        notes.add(desk.as_actor(world.cato), need.id, " \n ")


def test_only_who_wrote_a_note_changes_it(desk: Desk, world: World) -> None:
    need = waiting(desk)
    cato, cas = desk.as_actor(world.cato), desk.as_actor(colleague(desk, world))
    note = notes.add(cato, need.id, "Eerste woorden")
    for change in (notes.remove, notes.restore):
        with pytest.raises(NotAllowed):
            change(cas, note.id)
    with pytest.raises(NotAllowed):
        notes.edit(cas, note.id, "andere woorden")
    notes.edit(cato, note.id, "Betere woorden")
    notes.edit(cato, note.id, "Betere woorden")  # the same once more is no change
    assert (note.text, note.edited_at) == ("Betere woorden", desk.at)
    notes.remove(cato, note.id)
    assert list(notes.of_need(cas, need.id)) == []
    assert list(notes.of_need(cato, need.id)) == [note]  # who wrote it may put it back
    notes.restore(cato, note.id)
    assert list(notes.of_need(cas, need.id)) == [note]
    done = [each.action for each in audit.of(desk, "need", need.id) if "note" in each.action]
    assert sorted(done) == ["add_note", "edit_note", "remove_note", "restore_note"]
    assert all("woorden" not in str(each.details) for each in audit.of(desk, "need", need.id))


def test_notes_stay_behind_when_the_need_moves_to_another_hub(desk: Desk, world: World) -> None:
    need = waiting(desk)
    notes.add(desk.as_actor(world.cato), need.id, "Alleen voor ons")
    other = desk.session.scalars(select(Hub).where(Hub.id != world.hub)).first()
    assert other is not None
    referrals.refer(
        desk.as_actor(world.cato), need.id, ReferralKind.HUB, "Voor jullie", to_hub=other.slug
    )
    person = people.find_or_add(desk, "olga@hub.example", name="Olga")
    people.add_role(desk, person, hub_id=other.id)
    olga = desk.as_actor(people.actor_of(desk, person))
    desk.session.flush()
    assert list(notes.of_need(olga, need.id)) == []
    found = casefiles.of_need(olga, need.id)
    assert EntryKind.NOTE not in {each.kind for each in found}
    assert [each.text for each in found if each.code == "refer"] == [f"{other.name}: Voor jullie"]


def test_notes_go_with_the_people_of_the_need_and_are_in_the_export(
    desk: Desk, world: World
) -> None:
    need = waiting(desk)
    cato = desk.as_actor(world.cato)
    notes.add(cato, need.id, "Finn is met verlof")
    gone = notes.add(cato, need.id, "Vergissing")
    notes.remove(cato, gone.id)
    exported = retention.export(cato, str(world.cato.person_id))
    assert [each["text"] for each in exported["notes"]] == ["Finn is met verlof", "Vergissing"]
    later = Desk(desk.session, desk.runtime, at=desk.at + timedelta(days=31))
    assert "note" not in retention.outdated(desk)
    assert "note" in retention.outdated(later)
    retention.tidy(later, "note")
    assert [each.text for each in notes.of_need(cato, need.id)] == ["Finn is met verlof"]
    retention.anonymise(desk, need.id)
    assert list(desk.session.scalars(select(Note))) == []
    kinds = {each.kind for each in casefiles.of_need(cato, need.id)}
    assert EntryKind.NOTE not in kinds


def test_the_line_of_time_tells_who_did_what_newest_first(desk: Desk, world: World) -> None:
    need = waiting(desk)
    session = desk.session
    cato = Desk(session, desk.runtime, world.cato, desk.at + timedelta(hours=1))
    questions.ask_firm(cato, need.id, "Hoeveel kilo?")
    notes.add(cato, need.id, "Even nagebeld")
    later = Desk(session, desk.runtime, world.cato, desk.at + timedelta(hours=2))
    broadcasts.approve(later, need.id)
    (lead,) = session.scalars(select(Lead).where(Lead.need_id == need.id)).all()
    mail = session.scalars(select(Message).where(Message.lead_id == lead.id)).one()
    mail.state, mail.error = MessageState.FAILED, "550 no such user"
    last = Desk(session, desk.runtime, at=desk.at + timedelta(hours=3))
    answers.give(
        last.as_actor(Actor(f"lead:{lead.id}")), lead, AnswerKind.INTERESTED, capacity="200 kg"
    )
    found = casefiles.of_need(cato, need.id)
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    by_code = {(each.kind.value, each.code): each for each in found}
    wash = "Wasserij Het Blauwe Laken"
    person = session.get_one(Person, world.cato.person_id)
    asked = by_code["deed", "ask"]
    assert (asked.who, asked.text) == (person.name or person.email, "Hoeveel kilo?")
    note = by_code["note", "add_note"].note
    assert note is not None
    assert note.text == "Even nagebeld"
    sent = by_code["mail", MessageKind.LEAD.value]
    assert (sent.names, sent.states, sent.text) == ((wash,), (("failed", 1),), "550 no such user")
    answered = by_code["lead", "answered"]
    assert (answered.names, answered.answer) == ((wash,), "interested")
    assert ("deed", "approve") in by_code
    for actor, problem in ((world.finn, NotAllowed), (world.mira, NotFound)):
        with pytest.raises(problem):
            casefiles.of_need(desk.as_actor(actor), need.id)


def test_who_saw_contact_data_is_kept_once_a_day(desk: Desk, world: World) -> None:
    need = waiting(desk)
    for _ in range(2):
        contacts.seen(desk.as_actor(world.cato), need)
        contacts.seen(desk.as_actor(world.finn), need)  # the firm sees its own
    tomorrow = Desk(desk.session, desk.runtime, world.cato, desk.at + timedelta(days=1))
    contacts.seen(tomorrow, need)
    seen = [e.actor for e in audit.of(desk, "need", need.id) if e.action == contacts.ACTION]
    assert seen == [world.cato.name, world.cato.name]


def test_contact_data_read_by_a_request_that_only_reads_is_noted_too(
    sqlite_runtime: Runtime, sqlite_world: World
) -> None:
    runtime = sqlite_runtime
    with runtime.sessions.begin() as session:
        need_id = waiting(Desk(session, runtime)).id
    with runtime.sessions.begin() as session:
        only_read(session)
        desk = Desk(session, runtime, sqlite_world.cato)
        contacts.seen(desk, session.get_one(Need, need_id))
    with runtime.sessions.begin() as session:
        trail = audit.of(Desk(session, runtime), "need", need_id)
        assert [each.actor for each in trail if each.action == contacts.ACTION] == [
            sqlite_world.cato.name
        ]


def recorded() -> set[tuple[str, str]]:
    """(action, noun) of every audit entry that the code writes about a need's own things."""
    found = set()
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("audit.record"):
                action, noun = node.args[1:3]
                if isinstance(action, ast.Constant) and isinstance(noun, ast.Constant):
                    found.add((str(action.value), str(noun.value)))
    return found


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_everything_in_a_case_file_has_words(language: str) -> None:
    deeds = {a if n in ("need", "lead") else f"{a}_{n}" for a, n in recorded()
             if n in ("need", "lead", "meeting", "collaboration")}  # fmt: skip
    assert {"refer", "agree_meeting", "update_collaboration", "approve"} <= deeds
    deeds |= {"attach", "detach", "add_note", "edit_note", "remove_note", "restore_note"}
    codes = {f"deed_{each}" for each in deeds} | {f"mail_{each.value}" for each in MessageKind}
    codes |= {f"entry_{each.value}" for each in EntryKind} | set(casefiles.OF_LEADS)
    for code in codes:
        assert wording.word(language, code)


def test_a_link_in_wrong_hands_is_replaced(desk: Desk, world: World) -> None:
    need = waiting(desk)
    cato = desk.as_actor(world.cato)
    broadcasts.approve(cato, need.id)
    (lead,) = desk.session.scalars(select(Lead).where(Lead.need_id == need.id)).all()
    later = Desk(desk.session, desk.runtime, world.cato, desk.at + timedelta(hours=1))
    old = links.lead_link(later, lead).rpartition("/")[2]
    with pytest.raises(Conflict):  # the mail with the old link has not left yet
        renewals.renew_link(later, lead.id)
    for mail in desk.session.scalars(select(Message).where(Message.state == MessageState.DUE)):
        mail.state = MessageState.SENT
    assert links.lead_of(later, old) is lead
    for actor in (world.finn, world.maud, world.otto):
        with pytest.raises(NotFound):
            renewals.renew_link(later.as_actor(actor), lead.id)
    renewals.renew_link(later, lead.id)
    desk.session.flush()
    with pytest.raises(Gone):
        links.lead_of(later, old)
    fresh = links.lead_link(later, lead)
    assert links.lead_of(later, fresh.rpartition("/")[2]) is lead
    (mail,) = desk.session.scalars(select(Message).where(Message.state == MessageState.DUE)).all()
    assert mail.to_email == "wash@company.example"
    assert fresh in mail.text
    assert fresh in mail.html
    codes = {each.code for each in casefiles.of_need(later, need.id)}
    assert {"renew_link", "new_link"} <= codes
    desk.session.get_one(Company, world.wash).email = None
    with pytest.raises(Conflict):
        renewals.renew_link(later.as_actor(world.mira), lead.id)
