"""Every page for every role: who may open it, that it renders whole, and how heavy it is."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from api.runtime import Runtime
from api.services import (
    answers,
    broadcasts,
    choices,
    links,
    needs,
    offers,
    profile_mails,
    questions,
    signin,
    webhooks,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.services.network import lay_reference
from api.web import COOKIE
from matcher.ranking import Ranker
from models import Company, Lead, Need, Person, now, schema
from models.answer import AnswerKind
from models.states import NeedState
from tests.conftest import World, lay_world, make_settings

MOST_BYTES = 100_000
NO_PAGES = (".json", "live", "threshold", ".csv", ".xlsx", ".svg")
TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."


def draft(**changes: object) -> NeedDraft:
    values: dict[str, object] = {
        "text": TEXT,
        "place": "2800 Mechelen",
        "firm_name": "Crèche De Zandkorrel",
        "contact_name": "Finn",
        "contact_email": "finn@creche.example",
    }
    return NeedDraft(**(values | changes))  # type: ignore[arg-type]


class Stage:
    """One need in each phase, and browsers signed in as each person."""

    def __init__(self, runtime: Runtime, world: World) -> None:
        self.runtime, self.world = runtime, world
        self.app = create_app(runtime)
        with runtime.sessions.begin() as session:
            early = now() - timedelta(hours=1)  # all is released by the time it is looked at
            desk = Desk(session, runtime, IMPORT, early)
            self.draft = needs.submit(desk, draft()).id
            self.waiting = needs.submit(desk, draft(), proven=True).id
            self.open = needs.submit(desk, draft(), proven=True).id
            self.chosen = needs.submit(desk, draft(), proven=True).id
            cato = desk.as_actor(world.cato)
            for need_id in (self.open, self.chosen):
                broadcasts.approve(cato, need_id)
                sent = session.scalars(select(Lead).where(Lead.need_id == need_id)).all()
                for lead in sent:
                    answers.give(desk, lead, AnswerKind.INTERESTED, capacity="200 kg")
                questions.ask(desk, sent[0], "Hoe zwaar is een zak?")
                self.lead = sent[0].id
                if need_id == self.open:
                    self.open_link = links.lead_link(desk, sent[0]).removeprefix(
                        "http://testserver"
                    )
                self.link = links.lead_link(desk, sent[0]).removeprefix("http://testserver")
            mira = desk.as_actor(world.mira)
            hook = webhooks.add(mira, "https://93.184.215.14/hook", company_id=world.wash)
            self.webhook = hook.id
            webhooks.ping(mira, hook.id)
            self.offer = offers.of_company(desk, world.wash)[0].id
            session.get_one(Company, world.far).checked_at = early - timedelta(days=400)
            session.flush()
            profile_mails.remind(desk, world.far)
            far = session.get_one(Company, world.far)
            self.still_right = profile_mails.link(desk, far, early).removeprefix(
                "http://testserver"
            )
            finn = desk.as_actor(world.finn)
            choices.choose(finn, self.chosen, [self.lead])
            self.unsubscribe = links.unsubscribe_link(desk, world.wash).removeprefix(
                "http://testserver"
            )

    def browser(self, actor: Actor | None) -> TestClient:
        """A browser, signed in as this person or as nobody."""
        client = TestClient(self.app, follow_redirects=False)
        if actor is not None:
            with self.runtime.sessions.begin() as session:
                desk = Desk(session, self.runtime)
                person = session.get_one(Person, actor.person_id)
                secret = signin.new_link(desk, person).rpartition("/")[2]
                session.flush()
                cookie, _, _ = signin.redeem(desk, secret)
            client.cookies.set(COOKIE, cookie)
        return client


@pytest.fixture(scope="module", name="stage")
def staged(tmp_path_factory: pytest.TempPathFactory, ranker: Ranker) -> Iterator[Stage]:
    """Laid once: pages are opened, not changed."""
    database = tmp_path_factory.mktemp("rooms") / "maatmatch.db"
    runtime = Runtime.start(make_settings(f"sqlite:///{database}"))
    runtime.__dict__["ranker"] = ranker
    schema.upgrade(runtime.engine)
    with runtime.sessions.begin() as session:
        desk = Desk(session, runtime, IMPORT)
        lay_reference(desk)
        world = lay_world(desk)
    yield Stage(runtime, world)
    runtime.close()


def expected(stage: Stage) -> dict[str, tuple[int, int, int, int, int]]:
    """path -> status for nobody, Finn (firm), Cato (hub), Mira (company), Otto (outsider)."""
    world = stage.world
    public = (200,) * 5
    coordinator = (401, 403, 200, 403, 403)
    return {
        "/": public,
        "/needs/new": public,
        "/embed/rivierenland": public,
        "/embed/mechelen?colour=ffcc00": public,
        "/municipalities": public,
        "/municipalities?place=Mechelen": public,
        "/sign-in": public,
        "/how": public,
        "/privacy": public,
        "/help": public,
        "/hubs": public,
        "/hubs/rivierenland": public,
        "/companies": public,
        "/search?q=lakens wassen": public,
        "/search?q=vliegtuigen bouwen&place=Brugge": public,
        f"/companies/{world.wash}": public,
        "/places?q=mech": public,
        stage.link: public,
        stage.unsubscribe: public,
        stage.still_right: public,
        "/nergens": (404,) * 5,
        "/demo": (404,) * 5,
        "/demo/mail": (404,) * 5,
        "/account": (401, 200, 200, 200, 200),
        "/account/erase": (401, 200, 200, 200, 200),
        "/account/data.json": (401, 200, 200, 200, 200),
        "/needs": (401, 200, 200, 200, 200),
        "/leads": (401, 200, 200, 200, 200),
        "/leads/why": (401, 200, 200, 200, 200),
        "/leads/offers": (401, 200, 200, 303, 200),
        f"/needs/{stage.draft}/confirm": (401, 200, 200, 404, 404),
        f"/needs/{stage.waiting}/facts": (401, 200, 403, 404, 404),
        f"/needs/{stage.open}/facts": (401, 303, 403, 404, 404),
        f"/needs/{stage.waiting}": (401, 200, 303, 404, 404),
        f"/needs/{stage.open}": (401, 200, 303, 404, 404),
        f"/needs/{stage.chosen}": (401, 200, 303, 404, 404),
        f"/needs/{stage.open}/withdraw": (401, 200, 403, 404, 404),
        f"/needs/new?copy={stage.open}": (404, 200, 200, 404, 404),
        f"/needs/{stage.open}/proof.json": (401, 200, 200, 404, 404),
        f"/leads/{stage.lead}/proof.json": (401, 404, 403, 200, 404),
        f"/leads/{stage.lead}": (401, 404, 403, 200, 404),
        "/hub": coordinator,
        "/hub/needs": coordinator,
        "/hub/needs?state=open&q=lakens": coordinator,
        "/hub/companies": coordinator,
        "/hub/companies/new": coordinator,
        "/hub/import": coordinator,
        "/hub/settings": coordinator,
        f"/hub/{world.hub}/texts": (401, 403, 200, 403, 403),
        "/hub/neutrality": coordinator,
        "/hub/neutrality?since=2020-01-01&until=2020-02-01": coordinator,
        "/hub/neutrality.csv": coordinator,
        "/hub/neutrality.xlsx": coordinator,
        "/hub/neutrality.svg": coordinator,
        f"/hub/needs/{stage.waiting}": coordinator,
        f"/hub/needs/{stage.waiting}?alpha=0.2": coordinator,
        f"/hub/needs/{stage.waiting}?position=8": coordinator,
        f"/hub/needs/{stage.waiting}/threshold": coordinator,
        f"/hub/needs/{stage.open}": coordinator,
        f"/hub/needs/{stage.waiting}/approve": coordinator,
        f"/hub/needs/{stage.waiting}/companies/{world.wash}": coordinator,
        f"/hub/needs/{stage.open}/file": coordinator,
        f"/hub/needs/{stage.open}/file?only=mail": coordinator,
        f"/hub/needs/{stage.open}/broadcast": coordinator,
        f"/hub/needs/{stage.open}/broadcast/live": coordinator,
        f"/hub/needs/{stage.open}/proof": coordinator,
        f"/hub/needs/{stage.open}/proof.json": coordinator,
        f"/companies/{world.wash}/edit": (401, 403, 200, 200, 403),
        f"/companies/{world.wash}/offers/new": (401, 403, 200, 200, 403),
        f"/companies/{world.wash}/people": (401, 403, 403, 200, 403),
        f"/companies/{world.wash}/webhooks": (401, 403, 403, 200, 403),
        f"/hub/{world.hub}/webhooks": coordinator,
        f"/webhooks/{stage.webhook}": (401, 404, 404, 200, 404),
        f"/offers/{stage.offer}/edit": (401, 403, 200, 200, 403),
        f"/needs/{stage.open}/meetings": (401, 200, 403, 404, 404),
        f"/needs/{stage.waiting}/meetings": (401, 200, 403, 404, 404),
        "/leads/why?show=missed": (401, 200, 200, 200, 200),
    }


def test_every_page_for_every_role(stage: Stage) -> None:
    world = stage.world
    people = [None, world.finn, world.cato, world.mira, world.otto]
    browsers = [stage.browser(actor) for actor in people]
    wrong = []
    for path, statuses in expected(stage).items():
        for browser, actor, status in zip(browsers, people, statuses, strict=True):
            answer = browser.get(path)
            if answer.status_code != status:
                name = actor.email if actor else "nobody"
                wrong.append((path, name, answer.status_code, status))
            assert len(answer.content) < MOST_BYTES, path
            if answer.status_code == 200 and not path.endswith(NO_PAGES):
                assert "<script>" not in answer.text
                assert " style=" not in answer.text, path
    assert wrong == []


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_every_page_renders_in_every_language(stage: Stage, language: str) -> None:
    world = stage.world
    people = [None, world.finn, world.cato, world.mira, world.otto]
    for path, statuses in expected(stage).items():
        actor, status = next(
            ((a, s) for a, s in zip(people, statuses, strict=True) if s == 200), (None, 0)
        )
        if status != 200 or path.endswith(NO_PAGES) or path.startswith("/places"):
            continue
        joint = "&" if "?" in path else "?"
        page = stage.browser(actor).get(f"{path}{joint}lang={language}").text
        assert f'<html lang="{language}">' in page, path


def test_the_directory_finds_a_name_and_says_when_nothing_really_fits(stage: Stage) -> None:
    nobody = stage.browser(None)
    named = nobody.get("/search", params={"q": "kustwas"}).text
    assert re.findall(r"<strong>([^<]+)</strong></a>", named)[0] == "Kustwas"
    unsure = "niemand die dit zeker doet"
    assert unsure not in named
    assert unsure not in nobody.get("/search", params={"q": "lakens wassen"}).text
    assert unsure in nobody.get("/search", params={"q": "vliegtuigen bouwen"}).text


def test_who_belongs_to_no_company_reads_so_instead_of_an_empty_inbox(stage: Stage) -> None:
    for path in ("/leads", "/leads/why", "/leads/offers"):
        page = stage.browser(stage.world.otto).get(path).text
        assert "bij geen maatwerkbedrijf" in page
        assert 'href="/hubs"' in page


def test_a_page_that_is_shared_says_what_the_company_does(stage: Stage) -> None:
    page = stage.browser(None).get(f"/companies/{stage.world.wash}").text
    for name in ('name="description"', 'property="og:description"'):
        assert re.search(f'<meta {name} content="[^"]*wasserij', page, re.IGNORECASE)
    assert f'property="og:url" content="http://testserver/companies/{stage.world.wash}"' in page


@pytest.mark.parametrize(
    ("pressed", "opened"),
    [
        ("interested", "Ja, we hebben interesse"),
        ("not_for_us", "Nee, niet voor ons"),
        ("question", "Eerst een vraag stellen"),
        ("something else", None),
        ("", None),
    ],
)
def test_the_button_pressed_in_the_mail_opens_its_form(
    stage: Stage, pressed: str, opened: str | None
) -> None:
    page = stage.browser(None).get(stage.open_link, params={"answer": pressed}).text
    forms = page[page.index('id="answer"') : page.index("Waarom kregen wij dit?")]
    found = re.findall(r"<details[^>]* open><summary>([^<]+)</summary>", forms)
    assert found == ([opened] if opened else [])


def test_choosing_without_a_tick_says_so_and_keeps_what_was_written(stage: Stage) -> None:
    finn = stage.browser(stage.world.finn)
    page = finn.get(f"/needs/{stage.open}").text
    secret = re.search(r'name="csrf" value="([^"]+)"', page)
    assert secret
    form = {"csrf": secret[1], "reason": "Dank aan allen"}
    refused = finn.post(f"/needs/{stage.open}/choose", data=form)
    assert refused.status_code == 422
    assert "Vink een maatwerkbedrijf aan" in refused.text
    assert "Dank aan allen" in refused.text


def test_choosing_is_asked_once_more_and_changes_nothing_until_then(stage: Stage) -> None:
    finn = stage.browser(stage.world.finn)
    page = finn.get(f"/needs/{stage.open}").text
    secret = re.search(r'name="csrf" value="([^"]+)"', page)
    lead = re.search(r'name="leads" value="([^"]+)"', page)
    assert secret
    assert lead
    for form, words in (
        ({"leads": lead[1], "reason": "Dichtbij"}, ("Je kiest", "Blauwe Laken", "Dichtbij")),
        ({"none": "1"}, ("Je kiest niet", "Blauwe Laken")),
    ):
        asked = finn.post(f"/needs/{stage.open}/choose", data=form | {"csrf": secret[1]})
        assert asked.status_code == 200
        assert all(each in asked.text for each in words)
        assert 'name="sure"' in asked.text
    with stage.runtime.sessions() as session:
        assert session.get_one(Need, stage.open).state is NeedState.OPEN


def test_a_firm_puts_the_facts_right_before_the_release(stage: Stage) -> None:
    finn = stage.browser(stage.world.finn)
    path = f"/needs/{stage.draft}/facts"
    secret = re.search(r'name="csrf" value="([^"]+)"', finn.get(path).text)
    assert secret
    form = {"csrf": secret[1], "title": "Lakens", "volume": "80 kg", "work_place": "at_workshop"}
    for wrong, field in (({"starts_on": "morgen"}, "starts_on"), ({"title": " "}, "title")):
        refused = finn.post(path, data=form | wrong)
        assert refused.status_code == 422
        assert f'id="{field}-error"' in refused.text
        assert "80 kg" in refused.text
    assert finn.post(path, data=form | {"certificates": "haccp"}).status_code == 303
    page = finn.get(f"/needs/{stage.draft}").text
    assert all(each in page for each in ("Lakens", "80 kg", "HACCP"))
    late = finn.post(f"/needs/{stage.open}/facts", data=form)
    assert late.status_code == 409


def test_the_preview_of_a_list_explains_its_bad_rows_in_the_readers_language(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    secret = re.search(r'name="csrf" value="([^"]+)"', cato.get("/hub/import").text)
    assert secret
    table = b"name,sites,service_radius_km\nNieuw,2800,ver\n"
    page = cato.post(
        "/hub/import",
        data={"csrf": secret[1], "noun": "companies"},
        files={"file": ("list.csv", table)},
    ).text
    assert "Dit is geen getal." in page
    assert "&#39;ver&#39; is no number" in page  # what stands in the cell, too
