"""A hub's own words: the same for all companies, frozen with the broadcast, seen before."""

import re

import pytest
from sqlalchemy import select

from api.errors import NotFound, TooLarge
from api.services import audit, broadcasts, hub_texts, mail_previews, needs, proof
from api.services.desk import Desk
from matcher.neutrality import content_hash
from models import Broadcast, Company, Hub, Message, Offer
from models.message import MessageKind
from tests.api.test_pages_rooms import Stage, draft, staged  # noqa: F401 - a fixture
from tests.conftest import World

TEXTS = {
    "company_intro": {"nl": "Vragen? Bel de hub.", "fr": "Des questions ? Appelez le hub."},
    "company_signature": {"nl": "Het hubteam"},
    "firm_intro": {"nl": "Welkom bij onze hub."},
    "firm_signature": {"en": "Your hub"},
}


def mails(desk: Desk, kind: MessageKind) -> list[Message]:
    return list(desk.session.scalars(select(Message).where(Message.kind == kind)))


def test_all_companies_get_the_same_words_frozen_at_the_release(desk: Desk, world: World) -> None:
    hub = hub_texts.change(desk.as_actor(world.cato), world.hub, TEXTS)
    french = desk.session.get_one(Company, world.pack)
    french.language = "fr"
    desk.session.add(
        Offer(company_id=french.id, text="Lakens wassen, strijken en plooien", language="nl",
              on_site=True, at_workshop=True)
    )  # fmt: skip
    need = needs.submit(desk, draft(), proven=True)
    desk.session.flush()
    broadcasts.approve(desk.as_actor(world.cato), need.id)
    broadcast = desk.session.scalars(select(Broadcast)).one()
    assert broadcast.content["hub_texts"]["intro"]["fr"] == TEXTS["company_intro"]["fr"]
    # A language left empty reads as the hub's own: nobody gets less.
    assert broadcast.content["hub_texts"]["signature"] == dict.fromkeys(
        ("nl", "fr", "en"), "Het hubteam"
    )
    assert broadcast.content_hash == content_hash(broadcast.content)
    sent = {each.language: each for each in mails(desk, MessageKind.LEAD)}
    assert set(sent) == {"nl", "fr"}
    for language, mail in sent.items():
        for shown in (mail.text, mail.html):
            assert TEXTS["company_intro"][language] in shown
            assert "Het hubteam" in shown
            assert "Welkom bij onze hub." not in shown
    assert mail.text.index("Het hubteam") < mail.text.index("\n-- \n")
    # Later words change nothing of what was released.
    hub_texts.change(desk.as_actor(world.cato), hub.id, {"company_intro": {"nl": "Anders"}})
    assert all(check.ok for check in proof.verify_broadcast(desk, broadcast.id))


def test_the_firm_reads_the_hubs_words_in_its_language(desk: Desk, world: World) -> None:
    hub_texts.change(desk.as_actor(world.cato), world.hub, TEXTS)
    needs.submit(desk, draft())
    (confirm,) = mails(desk, MessageKind.CONFIRM_NEED)
    for shown in (confirm.text, confirm.html):
        assert "Welkom bij onze hub." in shown
        assert "Your hub" in shown  # the only language there is
        assert "Bel de hub" not in shown


def test_texts_are_changed_by_their_hub_alone_and_kept_in_the_trail(
    desk: Desk, world: World
) -> None:
    for actor in (world.finn, world.mira, world.otto):
        with pytest.raises(NotFound):
            hub_texts.change(desk.as_actor(actor), world.hub, TEXTS)
        with pytest.raises(NotFound):
            mail_previews.of_hub(desk.as_actor(actor), world.hub, TEXTS, "nl")
    cato = desk.as_actor(world.cato)
    hub = hub_texts.change(cato, world.hub, TEXTS)
    hub_texts.change(cato, world.hub, TEXTS)  # the same again: nothing to tell
    hub_texts.change(cato, world.hub, {"firm_intro": {"nl": " "}})
    assert "firm_intro" not in hub.texts
    assert hub.texts["company_signature"] == {"nl": "Het hubteam"}
    told = [e.details["changed"] for e in audit.of(desk, "hub", hub.id)]
    assert sorted(told, key=len) == [["firm_intro"], sorted(TEXTS)]
    with pytest.raises(TooLarge) as refused:
        hub_texts.change(cato, hub.id, {"intake": {"fr": "x" * (hub_texts.MOST + 1)}})
    assert refused.value.values["field"] == "intake-fr"


def test_a_hub_without_words_broadcasts_none(desk: Desk, world: World) -> None:
    hub = desk.session.get_one(Hub, world.hub)
    assert hub_texts.for_content(hub) == {}
    assert mail_previews.of_hub(desk.as_actor(world.cato), hub.id, TEXTS, "nl") == {}
    need = needs.submit(desk, draft(), proven=True)
    desk.session.flush()
    shown = mail_previews.of_hub(desk.as_actor(world.cato), hub.id, TEXTS, "fr")
    assert TEXTS["company_intro"]["fr"] in shown["company"][1]
    assert need.text in shown["company"][1]
    assert "Welkom bij onze hub." in shown["firm"][1]
    assert mails(desk, MessageKind.LEAD) == []
    assert hub.texts == {}


def test_the_page_shows_the_mail_before_and_keeps_what_is_too_long(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    path = f"/hub/{stage.world.hub}/texts"
    page = cato.get(path).text
    secret = re.search(r'name="csrf" value="([^"]+)"', page)
    assert secret
    assert page.count("<textarea") == 15
    typed = ["Bel gerust", *[""] * 14]
    looked = cato.post(path, data={"csrf": secret[1], "text": typed, "do": "look"})
    assert looked.status_code == 200
    assert looked.text.count("Bel gerust") == 2  # the field, and the mail
    assert "Bel gerust" not in cato.get(path).text
    long = ["x" * 700, *[""] * 14]
    refused = cato.post(path, data={"csrf": secret[1], "text": long, "do": "save"})
    assert refused.status_code == 422
    assert "x" * 700 in refused.text
    assert 'id="company_intro-nl-error"' in refused.text
    assert cato.post(path, data={"csrf": secret[1], "text": ["a"]}).status_code == 422
