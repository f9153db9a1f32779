"""The exposure audit over real broadcasts, its words and its files."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from api.errors import Invalid, NotFound
from api.services import answers, broadcasts, choices, exceptions, leads, needs
from api.services.desk import Desk
from api.services.exposure import ExposureAudit, Group, Measure, audit
from api.services.exposure_report import conclusion, plot, title, write_csv, write_xlsx
from api.services.needs import NeedDraft
from models import Company, Hub, HubPartner, Lead
from models.answer import AnswerKind
from models.broadcast import ExceptionKind
from models.hub import Policy
from tests.conftest import World

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def release(desk: Desk, world: World, left_out: str = "") -> list[Lead]:
    draft = NeedDraft(
        text="Wie kan onze lakens wassen en plooien?",
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    need = needs.submit(desk.as_actor(world.finn), draft, proven=True)
    coordinator = desk.as_actor(world.cato)
    if left_out:
        exceptions.make(
            coordinator, need.id, left_out, ExceptionKind.LEFT_OUT, "Vraagt de firma zelf zo."
        )
    broadcast = broadcasts.approve(coordinator, need.id)
    return list(leads.leads_of(desk, broadcast.id))


@pytest.fixture
def audited(desk: Desk, world: World) -> ExposureAudit:
    """Seven needs to two companies; the firm takes the hub's partner each time."""
    desk = replace(desk, at=AT)
    desk.session.get_one(Hub, world.hub).policy = Policy.ALL_IN_REGION
    desk.session.add(HubPartner(hub_id=world.hub, company_id=world.wash))
    desk.session.get_one(Company, world.wash).name = '=HYPERLINK("http://x","y")'
    for _ in range(7):
        sent = release(desk, world)
        for lead in sent:
            answers.give(desk, lead, AnswerKind.INTERESTED)
        (favourite,) = [lead.id for lead in sent if lead.company_id == world.wash]
        choices.choose(desk.as_actor(world.finn), sent[0].need_id, [favourite])
    release(desk, world, left_out=world.pack)
    desk.session.flush()
    day = timedelta(days=1)
    return audit(desk.as_actor(world.cato), world.hub, AT - day, AT + day)


def test_a_partner_that_always_wins_shows(audited: ExposureAudit, world: World) -> None:
    assert (audited.broadcasts, audited.left_out, audited.added) == (8, 1, 0)
    found = {each.company_id: each for each in audited.companies}
    wash, pack = found[world.wash], found[world.pack]
    assert (wash.eligible, wash.leads, wash.interested, wash.choices) == (8, 8, 7, 7)
    assert (pack.eligible, pack.leads, pack.choices) == (8, 7, 0)
    assert wash.partner
    assert wash.expected_choices == pytest.approx(3.5)
    tests = {(each.group, each.measure): each for each in audited.comparisons}
    chosen = tests[Group.PARTNERS, Measure.CHOICES]
    assert chosen.test.p_value == pytest.approx(2 * 0.5**7)
    assert "p = 0,016" in conclusion("nl", chosen)
    few = tests[Group.PARTNERS, Measure.LEADS]
    assert few.test.observed == 8
    assert conclusion("en", few).startswith("Too few")
    for language in ("nl", "fr", "en"):
        assert all(title(language, each) and conclusion(language, each) for each in tests.values())


def test_files_hold_the_audit_and_no_formula(audited: ExposureAudit) -> None:
    lines = list(csv.DictReader(io.StringIO(write_csv(audited).decode("utf-8-sig"))))
    assert len(lines) == len(audited.companies)
    assert {line["name"][0] for line in lines} & set("=+-@") == set()
    book = load_workbook(io.BytesIO(write_xlsx(audited, "nl")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert book["period"]["B4"].value == audited.left_out
    drawing = ElementTree.fromstring(plot(audited, "fr"))
    bars = drawing.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == len(audited.companies)


def test_only_coordinators_and_only_forward(desk: Desk, world: World) -> None:
    with pytest.raises(NotFound):
        audit(desk.as_actor(world.finn), world.hub, AT, AT + timedelta(days=1))
    with pytest.raises(Invalid):
        audit(desk.as_actor(world.cato), world.hub, AT, AT)


def test_an_empty_period_concludes_nothing(desk: Desk, world: World) -> None:
    empty = audit(desk.as_actor(world.cato), world.hub, AT, AT + timedelta(days=1))
    assert empty.companies == ()
    assert all("Te weinig" in conclusion("nl", each) for each in empty.comparisons)
    ElementTree.fromstring(plot(empty, "nl"))
