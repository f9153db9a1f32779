"""The proof of a broadcast: it holds, every later change shows, and each reader gets their part."""

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.errors import NotFound
from api.runtime import Runtime
from api.services import (
    answers,
    broadcasts,
    choices,
    corrections,
    exceptions,
    leads,
    needs,
    outbox,
    proof,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.services.proof import Audience
from matcher.neutrality import neutral_order
from matcher.proof import verify
from models import Broadcast, Company, Message, Need, Offer, VerdictRow
from models.answer import AnswerKind
from models.broadcast import ExceptionKind
from models.company import Delivery
from models.message import MessageKind
from tests.conftest import World

TEXT = "Wie kan onze vuile luiers en lakens ophalen, wassen, plooien en proper terugbrengen?"
REASON = "Kustwas haalt al linnen op bij deze crèche, ook buiten de streek."
REPLY = "250 2.1.5 <wash@company.example> accepted"


def submit_and_approve(desk: Desk, world: World) -> tuple[Need, Broadcast]:
    """A need with one company added by a written exception, approved."""
    draft = NeedDraft(
        text=TEXT,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    need = needs.submit(desk.as_actor(world.finn), draft, proven=True)
    cato = desk.as_actor(world.cato)
    exceptions.make(cato, need.id, world.far, ExceptionKind.ADDED, REASON)
    return need, broadcasts.approve(cato, need.id)


def deliver(desk: Desk) -> None:
    """The mail server takes every lead mail that is due."""
    for message in desk.session.scalars(
        select(Message)
        .where(Message.kind == MessageKind.LEAD, Message.handed_over_at.is_(None))
        .order_by(Message.rank)
    ):
        outbox.handed_over(desk, message, REPLY)


def play(desk: Desk, world: World) -> Broadcast:
    """A whole broadcast: released, delivered, one joins late, a correction, answers, a choice."""
    start = replace(desk, at=desk.at - timedelta(hours=2))
    need, broadcast = submit_and_approve(start, world)
    later = replace(desk, at=desk.at - timedelta(hours=1))
    deliver(later)
    pack = desk.session.get_one(Company, world.pack)
    desk.session.add(
        Offer(company_id=pack.id, text="Wasserij: luiers en lakens wassen", at_workshop=True)
    )
    desk.session.flush()
    assert len(broadcasts.add_late_joiners(later, broadcast)) == 1
    deliver(later)
    corrections.correct(later.as_actor(world.finn), need.id, "Het gaat om 150 kg, niet om 120.")
    wash = next(
        each for each in leads.leads_of(desk, broadcast.id) if each.company_id == world.wash
    )
    answers.give(later.as_actor(world.mira), wash, AnswerKind.INTERESTED)
    choices.choose(desk.as_actor(world.finn), need.id, [wash.id])
    return broadcast


def failing(document: Any) -> list[str]:
    return [check.name for check in verify(document) if not check.ok]


def read_as(desk: Desk, actor: Actor, broadcast: Broadcast) -> dict[str, Any]:
    """The proof as this actor downloads it."""
    mine = desk.as_actor(actor)
    found, audience = proof.find(mine, broadcast.id)
    document: dict[str, Any] = json.loads(json.dumps(proof.proof(mine, found, audience)))
    return document


def test_the_proof_of_a_whole_broadcast_holds(desk: Desk, world: World) -> None:
    broadcast = play(desk, world)
    checks = proof.verify_broadcast(desk, broadcast.id)
    assert [check for check in checks if not check.ok] == []
    document = read_as(desk, world.cato, broadcast)
    assert document["complete"]
    assert {each["company_id"] for each in document["verdicts"]} == {
        world.wash,
        world.pack,
        world.far,
    }
    found = {check.name: check.detail for check in checks}
    assert found["recipients"].startswith("2 recipients")
    assert found["late_joiners"].startswith("1 late leads")
    assert found["delivered"].startswith("3 handed over, 0 failed and shown, 0 still waiting")


def test_a_company_without_address_is_shown_and_never_a_gap(desk: Desk, world: World) -> None:
    desk.session.get_one(Company, world.wash).email = None
    _, broadcast = submit_and_approve(desk, world)
    document = read_as(desk, world.cato, broadcast)
    assert failing(document) == []  # the other one has not gone out yet
    tomorrow = replace(desk, at=desk.at + timedelta(days=1))
    assert failing(read_as(tomorrow, world.cato, broadcast)) == ["delivered"]
    deliver(replace(desk, at=desk.at + timedelta(seconds=3)))
    checks = {each.name: each for each in proof.verify_broadcast(desk, broadcast.id)}
    assert checks["delivered"].ok
    assert checks["delivered"].detail == "1 handed over, 1 failed and shown, 0 still waiting"


def test_a_hand_over_before_the_release_is_found(desk: Desk, world: World) -> None:
    _, broadcast = submit_and_approve(desk, world)
    deliver(desk)
    assert failing(read_as(desk, world.cato, broadcast)) == ["single_release"]


def test_hand_overs_far_apart_are_found_unless_the_server_resisted(
    desk: Desk, world: World
) -> None:
    _, broadcast = submit_and_approve(desk, world)
    first, last = desk.session.scalars(
        select(Message).where(Message.kind == MessageKind.LEAD).order_by(Message.rank)
    )
    soon, late = desk.at + timedelta(seconds=3), desk.at + timedelta(minutes=30)
    outbox.handed_over(replace(desk, at=soon), first, REPLY)
    outbox.handed_over(replace(desk, at=late), last, REPLY)
    assert failing(read_as(desk, world.cato, broadcast)) == ["spread"]


def test_a_retry_is_no_fault_of_the_hub(desk: Desk, world: World) -> None:
    _, broadcast = submit_and_approve(desk, world)
    soon = replace(desk, at=desk.at + timedelta(seconds=3))
    first, last = desk.session.scalars(
        select(Message).where(Message.kind == MessageKind.LEAD).order_by(Message.rank)
    )
    outbox.handed_over(soon, first, REPLY)
    outbox.try_later(soon, last, "450 greylisted, come back later")
    tomorrow = replace(desk, at=desk.at + timedelta(days=1))
    assert failing(read_as(tomorrow, world.cato, broadcast)) == []
    outbox.handed_over(replace(desk, at=desk.at + timedelta(minutes=30)), last, REPLY)
    assert failing(read_as(desk, world.cato, broadcast)) == []


def test_a_daily_mail_is_waited_for_until_its_moment(desk: Desk, world: World) -> None:
    desk.session.get_one(Company, world.wash).delivery = Delivery.DAILY
    _, broadcast = submit_and_approve(desk, world)
    soon = replace(desk, at=desk.at + timedelta(seconds=3))
    daily, at_once = sorted(
        desk.session.scalars(select(Message).where(Message.kind == MessageKind.LEAD)),
        key=lambda each: each.due_at,
        reverse=True,
    )
    assert daily.due_at > soon.at
    outbox.handed_over(soon, at_once, REPLY)
    before = replace(desk, at=daily.due_at)
    assert failing(read_as(before, world.cato, broadcast)) == []
    after = replace(desk, at=daily.due_at + timedelta(hours=1))
    assert failing(read_as(after, world.cato, broadcast)) == ["delivered"]
    outbox.handed_over(before, daily, REPLY)
    assert failing(read_as(after, world.cato, broadcast)) == []


def test_a_second_release_keeps_the_first_proof_whole(desk: Desk, world: World) -> None:
    from api.services import closing

    start = replace(desk, at=desk.at - timedelta(days=40))
    need, first = submit_and_approve(start, world)
    deliver(replace(start, at=start.at + timedelta(seconds=3)))
    closing.pass_deadline(desk, first)
    exceptions.undo(desk.as_actor(world.cato), need.id, world.far)
    second = broadcasts.approve(desk.as_actor(world.cato), need.id)
    deliver(replace(desk, at=desk.at + timedelta(seconds=3)))
    assert (first.number, second.number) == (1, 2)
    assert failing(read_as(desk, world.cato, first)) == []
    assert failing(read_as(desk, world.cato, second)) == []


@pytest.fixture
def played(sqlite_runtime: Runtime, sqlite_world: World) -> Iterator[dict[str, Any]]:
    """The coordinator's proof of a whole broadcast."""
    with sqlite_runtime.sessions.begin() as session:
        desk = Desk(session, sqlite_runtime, IMPORT)
        yield read_as(desk, sqlite_world.cato, play(desk, sqlite_world))


# What a proof shows beside what it proves: names, and when the broadcast ended.
# `complete` only says how much is shown.
BESIDE = {
    ("companies",),
    ("audience",),
    ("made_at",),
    ("complete",),
    ("broadcast", "hub"),
    ("broadcast", "closed_at"),
}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to every number, text and truth value in a document."""
    if path in BESIDE:
        return
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_change_of_a_proof_shows(played: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(leaves(played), key=str)))
    forged = copy.deepcopy(played)
    old = at(forged, path)
    new = data.draw(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.text(max_size=30), st.just(f"{old}x")
        ).filter(lambda value: json.dumps(value) != json.dumps(old))
    )
    at(forged, path[:-1])[path[-1]] = new
    assert failing(forged), f"{path}: {old!r} became {new!r}"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_row_left_out_or_doubled_shows(played: dict[str, Any], data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(["ledger", "verdicts", "leads", "corrections"]))
    row = data.draw(st.integers(0, len(played[where]) - 1))
    forged = copy.deepcopy(played)
    if data.draw(st.booleans()):
        del forged[where][row]
    else:
        forged[where].insert(row, copy.deepcopy(forged[where][row]))
    assert failing(forged)


def test_a_later_proof_continues_an_earlier_one(desk: Desk, world: World) -> None:
    _, broadcast = submit_and_approve(replace(desk, at=desk.at - timedelta(hours=1)), world)
    earlier = read_as(desk, world.mira, broadcast)
    deliver(desk)
    later = read_as(desk, world.cato, broadcast)
    assert all(check.ok for check in verify(later, earlier))
    rewritten = [check.name for check in verify(earlier, later) if not check.ok]
    assert rewritten == ["delivered", "continues"]
    assert [check.name for check in verify(later, {}) if not check.ok] == ["continues"]


def test_an_end_cut_off_shows_against_what_was_kept(played: dict[str, Any]) -> None:
    cut = copy.deepcopy(played)
    del cut["ledger"][-1]
    cut["head"] = {"entries": len(cut["ledger"]), "hash": cut["ledger"][-1]["hash"]}
    assert failing(cut) == []
    assert [check.name for check in verify(cut, played) if not check.ok] == ["continues"]


@pytest.mark.parametrize("wrong", [None, 7, [], {}, {"format": "maatmatch-proof/1"}, {"format": 1}])
def test_what_is_no_proof_is_said_to_be_none(wrong: Any) -> None:
    assert failing(wrong)


def test_each_reader_gets_their_part(desk: Desk, world: World) -> None:
    broadcast = play(desk, world)
    whole = read_as(desk, world.cato, broadcast)
    firm = read_as(desk, world.finn, broadcast)
    mira = read_as(desk, world.mira, broadcast)
    for document in (firm, mira):
        assert failing(document) == []
        assert [each["hash"] for each in document["ledger"]] == [
            each["hash"] for each in whole["ledger"]
        ]
        assert "@" not in json.dumps(document["ledger"]).replace("@maatmatch.example", "").replace(
            REPLY, "" if document is mira else REPLY
        )
    names = {"Wasserij Het Blauwe Laken", "Nethe Pakt", "Kustwas"}
    assert set(firm["companies"].values()) == names
    assert all("reasons" not in each for each in firm["verdicts"])
    assert mira["companies"] == {world.wash: "Wasserij Het Blauwe Laken"}
    assert [each["company_id"] for each in mira["verdicts"]] == [world.wash]
    assert [each["company_id"] for each in mira["leads"]] == [world.wash]
    text = json.dumps(mira)
    assert REASON not in text
    assert "Nethe Pakt" not in text
    own = mira["leads"][0]["id"]
    for entry in mira["ledger"]:
        if entry.get("event") in ("answered", "opened", "closed"):
            assert entry["lead_id"] == own
        assert entry.get("event") not in ("chosen", "asked")


def test_an_excluded_company_reads_why(desk: Desk, world: World) -> None:
    start = replace(desk, at=desk.at - timedelta(hours=1))
    _, broadcast = submit_and_approve(start, world)
    document = read_as(desk, world.maud, broadcast)
    (verdict,) = document["verdicts"]
    assert not verdict["eligible"]
    assert [each["rule"] for each in verdict["reasons"] if not each["ok"]] == ["activity"]
    assert document["leads"] == []


def test_nobody_else_reads_it_and_nobody_before_the_release(desk: Desk, world: World) -> None:
    _, broadcast = submit_and_approve(desk, world)
    for actor in (world.finn, world.mira, world.maud, world.otto):
        with pytest.raises(NotFound):
            proof.find(desk.as_actor(actor), broadcast.id)
    after = replace(desk, at=broadcast.released_at)
    assert proof.find(after.as_actor(world.finn), broadcast.id)[1] is Audience.FIRM
    assert proof.find(after.as_actor(world.mira), broadcast.id)[1] is Audience.COMPANY
    with pytest.raises(NotFound):
        proof.find(after.as_actor(world.otto), broadcast.id)
    with pytest.raises(NotFound):
        proof.verify_broadcast(desk, "0" * 26)


def test_a_change_in_the_database_shows(desk: Desk, world: World) -> None:
    broadcast = play(desk, world)
    row = desk.session.scalars(
        select(VerdictRow).where(
            VerdictRow.broadcast_id == broadcast.id, VerdictRow.company_id == world.wash
        )
    ).one()
    row.match = row.match | {"probability": 0.01}
    desk.session.flush()
    names = [each.name for each in proof.verify_broadcast(desk, broadcast.id) if not each.ok]
    assert names == ["verdicts"]


def test_the_order_of_hand_over_is_the_published_one(played: dict[str, Any]) -> None:
    sent = [
        entry["details"]["company_id"]
        for entry in played["ledger"]
        if entry["event"] == "queued" and not entry["details"]["late"]
    ]
    assert sent == neutral_order(played["broadcast"]["need_id"], reversed(sent))


def test_the_chain_is_recomputed_in_a_few_lines_of_other_code(played: dict[str, Any]) -> None:
    """As api/decisions/proof.md tells it, without this project's functions."""

    def digest(value: Any) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    previous = "0" * 64
    for entry in played["ledger"]:
        head = {name: entry[name] for name in ("at", "event", "lead_id", "sequence")}
        head["details_hash"] = digest(entry["details"])
        text = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
        assert previous == entry["hash"]
    assert previous == played["head"]["hash"]
