"""Who types an address and a KBO number gets neither a role nor the number before confirming."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from api.errors import NotFound
from api.services import authorisation, needs, people
from api.services.desk import NOBODY, Actor, Desk
from api.services.needs import NeedDraft
from models import Firm, Membership, Need, Person
from models.states import NeedState
from tests.conftest import World

KBO = "0403170701"


def typed(desk: Desk, name: str = "Colruyt", email: str = "boss@firm.example") -> Need:
    """A need as anybody can type it, without signing in."""
    draft = NeedDraft(
        text="Wie kan onze lakens wassen en plooien?",
        place="2800 Mechelen",
        firm_name=name,
        contact_name="Iemand",
        contact_email=email,
        kbo="0403.170.701",
    )
    return needs.submit(desk.as_actor(NOBODY), draft)


def contact(desk: Desk, need: Need) -> Actor:
    person = desk.session.scalars(select(Person).where(Person.email == need.contact_email)).one()
    return people.actor_of(desk, person)


def test_what_is_not_confirmed_takes_nothing(desk: Desk, world: World) -> None:
    need = typed(desk, "Nep")
    firm = desk.session.get_one(Firm, need.firm_id)
    assert (firm.kbo, firm.claimed_kbo) == (None, KBO)
    writer = contact(desk, need)
    assert writer.firms == frozenset()

    honest = typed(desk, email="real@firm.example")
    needs.confirm(desk, honest)
    desk.session.flush()
    assert desk.session.get_one(Firm, honest.firm_id).kbo == KBO
    assert contact(desk, honest).firms == {honest.firm_id}

    needs.confirm(desk, need)
    desk.session.flush()
    assert firm.kbo is None, "the number is another firm's by now"
    assert firm.claimed_kbo is None
    assert contact(desk, need).firms == {firm.id}


def test_the_writer_reads_and_confirms_a_draft_and_nobody_else_does(
    desk: Desk, world: World
) -> None:
    need = typed(desk)
    writer = desk.as_actor(contact(desk, need))
    assert authorisation.need_as_firm(writer, need.id) is need
    for other in (world.finn, world.mira, world.otto, NOBODY):
        with pytest.raises(NotFound):
            authorisation.need(desk.as_actor(other), need.id)
    stranger = replace(writer, actor=replace(writer.actor, email="other@firm.example"))
    with pytest.raises(NotFound):
        authorisation.need(stranger, need.id)
    needs.confirm(writer, need)
    desk.session.flush()
    assert need.state is NeedState.SUBMITTED
    with pytest.raises(NotFound):  # from here on the role counts, as for every need
        authorisation.need(writer, need.id)
    assert authorisation.need_as_firm(desk.as_actor(contact(desk, need)), need.id) is need


def test_two_needs_of_one_writer_end_in_one_firm(desk: Desk, world: World) -> None:
    first, second = typed(desk), typed(desk)
    assert first.firm_id != second.firm_id
    for need in (first, second):
        needs.confirm(desk, need)
        desk.session.flush()
    assert first.firm_id == second.firm_id
    assert len(desk.session.scalars(select(Firm).where(Firm.name == "Colruyt")).all()) == 1
    assert desk.session.get_one(Firm, first.firm_id).kbo == KBO
    held = desk.session.scalars(select(Membership).where(Membership.firm_id == first.firm_id))
    assert len(held.all()) == 1


def test_a_need_of_a_firm_of_ones_own_stays_with_it(desk: Desk, world: World) -> None:
    need = typed(desk, "Crèche De Zandkorrel", world.finn.email)
    assert need.firm_id == world.firm
    needs.confirm(desk, need)
    assert need.firm_id == world.firm
    assert desk.session.get(Firm, world.firm) is not None
