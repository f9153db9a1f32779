"""Feeds behind secret links, and what is forgotten, exported and erased; on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from sqlalchemy import select, text

from api.errors import Conflict, Gone, NotAllowed, NotFound
from api.i18n import LANGUAGES, tr
from api.services import (
    answers,
    broadcasts,
    closing,
    feeds,
    needs,
    privacy,
    proof,
    questions,
    retention,
)
from api.services.desk import Desk
from api.services.needs import NeedDraft
from models import Broadcast, Lead, Need, Person
from models.answer import AnswerKind
from tests.conftest import World

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def released(desk: Desk, world: World) -> tuple[Desk, Broadcast]:
    desk = replace(desk, at=AT)
    draft = NeedDraft(
        text="Wie kan onze lakens wassen & plooien?",
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn Zandkorrel",
        contact_email=world.finn.email,
        contact_phone="015 12 34 56",
    )
    need = needs.submit(desk.as_actor(world.finn), draft, proven=True)
    return desk, broadcasts.approve(desk.as_actor(world.cato), need.id)


def test_a_feed_opens_at_the_release_and_its_link_can_be_renewed(
    released: tuple[Desk, Broadcast], world: World
) -> None:
    desk, broadcast = released
    mira = desk.as_actor(world.mira)
    token = feeds.secret(mira, world.wash)
    assert feeds.json_feed(desk, token)["items"] == []
    after = replace(desk, at=broadcast.released_at)
    (item,) = feeds.json_feed(after, token)["items"]
    assert item["content_text"] == broadcast.content["text"]
    assert item["_maatmatch"]["open"]
    tree = ElementTree.fromstring(feeds.atom(after, token))
    assert tree.findtext(f"{ATOM}entry/{ATOM}content") == broadcast.content["text"]
    assert tree.findtext(f"{ATOM}updated") == broadcast.released_at.isoformat()
    with pytest.raises(NotAllowed):
        feeds.secret(desk.as_actor(world.maud), world.wash)
    fresh = feeds.renew(mira, world.wash)
    with pytest.raises(Gone):
        feeds.json_feed(after, token)
    assert feeds.json_feed(after, fresh)["items"]
    for forged in ("", "x", fresh[:-1], fresh.replace(world.wash, world.pack)):
        with pytest.raises(NotFound):
            feeds.atom(after, forged)


def everything(desk: Desk) -> str:
    """All that stands in the tables that hold people's data."""
    desk.session.flush()
    tables = ("need", "message", "answer", "question", "person", "firm", "meeting")
    return "\n".join(
        str(tuple(row))
        for name in tables
        for row in desk.session.execute(text(f"SELECT * FROM {name}"))
    )


def test_old_needs_forget_people_and_keep_the_proof(
    released: tuple[Desk, Broadcast], world: World
) -> None:
    desk, broadcast = released
    lead = desk.session.scalars(select(Lead)).one()
    answers.give(desk, lead, AnswerKind.INTERESTED, note="Bel Mira op 0470 99 88 77")
    questions.ask(desk, lead, "Mag Mira eens langskomen?")
    closing.withdraw(desk.as_actor(world.finn), broadcast.need_id)
    days = desk.runtime.settings.retention_days
    desk.session.flush()
    assert retention.expired(replace(desk, at=AT + timedelta(days=days))) == []
    later = replace(desk, at=AT + timedelta(days=days + 1))
    assert retention.expired(later) == [broadcast.need_id]
    before = {check.name: check.ok for check in proof.verify_broadcast(desk, broadcast.id)}
    retention.anonymise(later, broadcast.need_id)
    desk.session.flush()
    assert retention.expired(later) == []
    assert {c.name: c.ok for c in proof.verify_broadcast(desk, broadcast.id)} == before
    kept = everything(desk)
    for secret in ("015 12 34 56", "0470 99 88 77", "Mag Mira", "Finn Zandkorrel', 'finn"):
        assert secret not in kept


def test_a_person_sees_all_of_it_and_may_be_erased(
    released: tuple[Desk, Broadcast], world: World
) -> None:
    desk, broadcast = released
    finn = desk.as_actor(world.finn)
    mine = retention.export(finn, world.finn.person_id or "")
    assert mine["person"]["email"] == world.finn.email
    assert [need["id"] for need in mine["needs"]] == [broadcast.need_id]
    assert mine["mails"]
    with pytest.raises(NotFound):
        retention.export(desk.as_actor(world.cato), world.finn.person_id or "")
    with pytest.raises(NotFound):
        retention.erase(desk.as_actor(world.otto), world.finn.person_id or "")
    with pytest.raises(Conflict):
        retention.erase(finn, world.finn.person_id or "")  # a need is under way
    closing.withdraw(finn, broadcast.need_id)
    retention.erase(finn, world.finn.person_id or "")
    assert world.finn.email not in everything(desk)
    assert desk.session.get(Person, world.finn.person_id) is not None  # a number without a name
    assert desk.session.get_one(Need, broadcast.need_id).contact_phone is None
    with pytest.raises(Conflict):
        retention.erase(desk.as_actor(world.cato), world.cato.person_id or "")  # the last one


def test_the_privacy_table_reads_in_every_language() -> None:
    for line in privacy.privacy_table(730):
        for words in (line.what, line.why):
            assert len({tr(language, words) for language in LANGUAGES}) == 3


def test_every_need_keeps_which_privacy_text_was_shown(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = "finn@creche.example"
    draft = NeedDraft(
        text="Wie kan onze lakens wassen?", place="2800 Mechelen", firm_name="De Zandkorrel",
        contact_name="Finn", contact_email=finn,
    )  # fmt: skip
    first = privacy.version(desk)
    for _ in range(2):
        needs.submit(desk, draft)
    settings = desk.runtime.settings.model_copy(
        update={"retention_days": desk.runtime.settings.retention_days + 1}
    )
    monkeypatch.setattr(desk.runtime, "settings", settings)
    second = privacy.version(desk)  # other terms are another text
    needs.submit(desk, draft)
    assert sorted(e.details["privacy"] for e in privacy.shown_to(desk, finn)) == sorted(
        [first, first, second]
    )
    kept = {each.object_id: each.details["lines"] for each in privacy.earlier(desk)}
    assert set(kept) == {first, second}
    assert kept[second] == privacy.lines(desk) != kept[first]
    exported = retention.export(desk.as_actor(world.finn), str(world.finn.person_id))
    assert {each["details"]["privacy"] for each in exported["privacy_texts"]} == {first, second}
