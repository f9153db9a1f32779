"""Every page there is, with somebody who may see it: for the checks that go over all pages."""

import io
from dataclasses import dataclass, replace
from datetime import timedelta

from PIL import Image
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from api.services import (
    answers,
    attachments,
    broadcasts,
    choices,
    links,
    meeting_options,
    needs,
    offers,
    profile_mails,
    questions,
    signin,
    webhooks,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.services.uploads import Upload
from api.web import COOKIE
from models import Company, Lead, Person, now
from models.answer import AnswerKind, DeclineReason
from tests.e2e.conftest import Town, visitor

TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."


@dataclass(frozen=True)
class Picture:
    """One page: a short name, its path and who looks at it (a key of World, or nobody)."""

    name: str
    path: str
    who: str = ""


def lay(town: Town) -> list[Picture]:
    """Put a need in each phase and list every page."""
    world = town.world
    with town.runtime.sessions.begin() as session:
        early = now() - timedelta(hours=1)  # all is released by the time it is looked at
        desk = Desk(session, town.runtime, IMPORT, early)

        def need(proven: bool = True) -> str:
            return needs.submit(
                desk,
                NeedDraft(
                    text=TEXT,
                    place="2800 Mechelen",
                    firm_name="Crèche De Zandkorrel",
                    contact_name="Finn",
                    contact_email="finn@creche.example",
                    volume="200 kg per week",
                ),
                proven=proven,
            ).id

        draft, waiting, running, chosen = need(False), need(), need(), need()
        for need_id in (draft, waiting, running):
            files = [Upload("zakken.jpg", _photo()), Upload("plan.pdf", b"%PDF-1.7\n%%EOF\n")]
            attachments.add(desk.as_actor(world.finn), need_id, files)
        lead, link = "", ""
        for need_id in (running, chosen):
            broadcasts.approve(desk.as_actor(world.cato), need_id)
            sent = session.scalars(select(Lead).where(Lead.need_id == need_id)).all()
            for position, each in enumerate(sent):
                if each.company_id == world.wash or position == 0:
                    answers.give(desk, each, AnswerKind.INTERESTED, capacity="300 kg per week")
                else:
                    answers.give(
                        desk, each, AnswerKind.NOT_FOR_US, reason=DeclineReason.NO_CAPACITY
                    )
                if each.company_id == world.wash:
                    questions.ask(desk, each, "Hoe zwaar is een zak?")
                    lead = each.id
            if need_id == running:
                link = links.lead_link(desk, sent[0]).removeprefix(town.address)
        choices.choose(desk.as_actor(world.finn), chosen, [lead])
        met, offer, hook = _work_table(replace(desk, at=now()), town, running)
        stop = links.unsubscribe_link(desk, world.wash).removeprefix(town.address)
        for company_id in (world.pack, world.far):  # a task for Cato, a mail to the other
            session.get_one(Company, company_id).checked_at = early - timedelta(days=400)
        session.flush()
        profile_mails.remind(desk, world.far)
        far = session.get_one(Company, world.far)
        still_right = profile_mails.link(desk, far, early).removeprefix(town.address)
        secret = signin.new_link(
            Desk(session, town.runtime), session.get_one(Person, world.finn.person_id)
        )
        sign_in_link = secret.removeprefix(town.address)
        long_ago = replace(Desk(session, town.runtime), at=now() - timedelta(days=1))
        finn = session.get_one(Person, world.finn.person_id)
        worn = signin.new_link(long_ago, finn).removeprefix(town.address)
    mail = town.mail("wash@company.example").id
    lead_mail = town.mail("wash@company.example", "Vraag van een onderneming").id
    asked_mail = town.mail("finn@creche.example", "Interesse").id
    return [
        Picture("front", "/"),
        Picture("intake", f"/needs/new?text={TEXT}"),
        Picture("intake_empty", "/needs/new"),
        Picture("embed", "/embed/rivierenland"),
        Picture("embed_town", "/embed/mechelen?colour=ffcc00"),
        Picture("municipalities", "/municipalities?place=Mechelen&colour=ffcc00"),
        Picture("sign_in", "/sign-in"),
        Picture("use_link", sign_in_link),
        Picture("link_worn", worn),
        Picture("how", "/how"),
        Picture("privacy", "/privacy"),
        Picture("help", "/help"),
        Picture("hubs", "/hubs"),
        Picture("hub_public", "/hubs/rivierenland"),
        Picture("directory", "/companies"),
        Picture("search", "/search?q=lakens wassen&place=Mechelen"),
        Picture("search_empty", "/search?q=xyzzy&place=Nergenshuizen"),
        Picture("company", f"/companies/{world.wash}"),
        Picture("lead_by_link", link),
        Picture("unsubscribe", stop),
        Picture("still_right", still_right),
        Picture("profile_stale", f"/companies/{world.pack}/edit", "maud"),
        Picture("error", "/nergens"),
        Picture("error_sign_in", "/hub"),
        Picture("demo", "/demo"),
        Picture("demo_mail", "/demo/mail"),
        Picture("demo_one_mail", f"/demo/mail/{mail}"),
        Picture("mail", f"/demo/mail/{mail}/html"),
        Picture("mail_lead", f"/demo/mail/{lead_mail}/html"),
        Picture("mail_interest", f"/demo/mail/{asked_mail}/html"),
        Picture("account", "/account", "finn"),
        Picture("erase", "/account/erase", "finn"),
        Picture("needs", "/needs", "finn"),
        Picture("confirm", f"/needs/{draft}/confirm", "finn"),
        Picture("need_draft", f"/needs/{draft}", "finn"),
        Picture("need_waiting", f"/needs/{waiting}", "finn"),
        Picture("need_facts", f"/needs/{waiting}/facts", "finn"),
        Picture("need_open", f"/needs/{running}", "finn"),
        Picture("need_chosen", f"/needs/{chosen}", "finn"),
        Picture("withdraw", f"/needs/{running}/withdraw", "finn"),
        Picture("meetings", f"/needs/{running}/meetings", "finn"),
        Picture("meetings_none", f"/needs/{waiting}/meetings", "finn"),
        Picture("queue", "/hub", "cato"),
        Picture("all_needs", "/hub/needs", "cato"),
        Picture("hub_need", f"/hub/needs/{waiting}?alpha=0.3", "cato"),
        Picture("hub_need_open", f"/hub/needs/{running}", "cato"),
        Picture("approve", f"/hub/needs/{waiting}/approve", "cato"),
        Picture("verdict", f"/hub/needs/{waiting}/companies/{world.wash}", "cato"),
        Picture("case_file", f"/hub/needs/{running}/file", "cato"),
        Picture("broadcast", f"/hub/needs/{running}/broadcast", "cato"),
        Picture("proof", f"/hub/needs/{running}/proof", "cato"),
        Picture("neutrality", "/hub/neutrality", "cato"),
        Picture("settings", "/hub/settings", "cato"),
        Picture("hub_texts", f"/hub/{world.hub}/texts", "cato"),
        Picture("manage", "/hub/companies", "cato"),
        Picture("company_new", "/hub/companies/new", "cato"),
        Picture("import", "/hub/import", "cato"),
        Picture("inbox", "/leads", "mira"),
        Picture("lead_chosen", f"/leads/{lead}", "mira"),
        Picture("why", "/leads/why", "mira"),
        Picture("why_missed", "/leads/why?show=missed", "maud"),
        Picture("lead_meeting", f"/leads/{met}", "mira"),
        Picture("profile", f"/companies/{world.wash}/edit", "mira"),
        Picture("offer", f"/offers/{offer}/edit", "mira"),
        Picture("offer_new", f"/companies/{world.wash}/offers/new", "mira"),
        Picture("people", f"/companies/{world.wash}/people", "mira"),
        Picture("webhooks", f"/companies/{world.wash}/webhooks", "mira"),
        Picture("webhook", f"/webhooks/{hook}", "mira"),
        Picture("hub_webhooks", f"/hub/{world.hub}/webhooks", "cato"),
    ]


def _work_table(desk: Desk, town: Town, need_id: str) -> tuple[str, str, str]:
    """Moments proposed, one taken and new ones proposed; an offer and a webhook that was tried."""
    world = town.world
    lead = desk.session.scalars(
        select(Lead.id).where(Lead.need_id == need_id, Lead.company_id == world.wash)
    ).one()
    finn, mira = desk.as_actor(world.finn), desk.as_actor(world.mira)
    soon = now() + timedelta(days=5)
    (option, *_) = meeting_options.propose(finn, [lead], [soon], place="Het atelier, Mechelen")
    meeting_options.take(mira, option.id)
    later = [soon + timedelta(days=day) for day in (1, 2)]
    meeting_options.propose(finn, [lead], later, note="Dat eerste moment lukt toch niet.")
    offer = offers.of_company(desk, world.wash)[0].id
    hook = webhooks.add(mira, f"{town.address}/hook", company_id=world.wash)
    webhooks.ping(mira, hook.id)
    return lead, offer, hook.id


def _photo() -> bytes:
    """A picture as a telephone would send it."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize((1200, 800)).convert("RGB").save(target, "JPEG")
    return target.getvalue()


def seen_by(browser: Browser, town: Town, who: str, **options: object) -> Page:
    """A browser of this person, signed in without the detour by mail."""
    page = visitor(browser, town, **options)
    if who:
        actor: Actor = getattr(town.world, who)
        with town.runtime.sessions.begin() as session:
            desk = Desk(session, town.runtime)
            person = session.get_one(Person, actor.person_id)
            secret = signin.new_link(desk, person).rpartition("/")[2]
            session.flush()
            cookie, _, _ = signin.redeem(desk, secret, "chromium")
        page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": town.address}])
    return page
