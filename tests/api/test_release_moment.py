"""Before its release moment a lead does not exist for its company, whichever door is tried."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.errors import NotFound
from api.services import authorisation, leads, links
from api.services.desk import Desk
from tests.api.test_proof import submit_and_approve
from tests.conftest import World


def test_a_lead_is_there_for_all_at_the_same_moment(desk: Desk, world: World) -> None:
    _, broadcast = submit_and_approve(desk, world)
    sent = {each.company_id: each for each in leads.leads_of(desk, broadcast.id)}
    lead = sent[world.wash]
    token = links.lead_link(desk, lead).rpartition("/l/")[2]
    assert authorisation.lead(desk.as_actor(world.cato), lead.id) is lead
    before = replace(desk, at=broadcast.released_at - timedelta(milliseconds=1))
    mira = before.as_actor(world.mira)
    for door in (
        lambda: authorisation.lead(mira, lead.id),
        lambda: authorisation.lead_as_company(mira, lead.id),
        lambda: links.lead_of(before, token),
    ):
        with pytest.raises(NotFound):
            door()
    at_once = replace(desk, at=broadcast.released_at, actor=world.mira)
    assert authorisation.lead(at_once, lead.id) is lead
    assert authorisation.lead_as_company(at_once, lead.id) is lead
    assert links.lead_of(at_once, token) is lead
