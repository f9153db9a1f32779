"""Every mail, in every language: it renders, says what it must, and keeps words as they are."""

import pathlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.i18n import LANGUAGES, translations
from api.rendering import TEMPLATES, environment
from api.runtime import Runtime
from api.services import outbox
from api.services.desk import Desk
from models import Hub, Lead, MeetingOption, Message, Need, Referral
from models.lead import Outcome
from models.message import MessageKind
from models.need import WorkPlace
from models.referral import ReferralKind
from models.states import NeedState

DEADLINE = datetime(2026, 12, 4, 16, 0, tzinfo=UTC)
TEXT = "We hebben 40 paletten <b>karton</b> & folie.\nWie kan ze sorteren? 100 % zeker werk."
CONTENT = {
    "title": "Karton & folie sorteren",
    "text": TEXT,
    "language": "nl",
    "place": "2800 Mechelen",
    "volume": "40 paletten",
    "rhythm": "elke maand",
    "starts_on": "2027-01-04",
    "work_place": "at_workshop",
    "certificates": ["haccp"],
    "hub": "Hub Rivierenland",
}
LINK = "https://maatmatch.example/l/01ABC.1.aaaa"


def need(state: NeedState = NeedState.SUBMITTED) -> Need:
    made = Need(
        id="0" * 26,
        hub_id="1" * 26,
        firm_id="2" * 26,
        state=NeedState.SUBMITTED,
        title=CONTENT["title"],
        text=TEXT,
        language="nl",
        postcode="2800",
        nis="12025",
        place="Mechelen",
        work_place=WorkPlace.EITHER,
        certificates=[],
        contact_name="Finn",
        contact_email="finn@creche.example",
    )
    if state is NeedState.OPEN:
        made.state = NeedState.OPEN
    return made


HUB = Hub(id="1" * 26, slug="r", name="Hub Rivierenland", email="hub@r.example")
COMPANY = {"content": CONTENT, "deadline": DEADLINE, "link": LINK, "lead": Lead()}
WITH_FILES = COMPANY | {
    "content": CONTENT
    | {"attachments": [{"id": "0" * 26, "kind": "pdf", "name": "p.pdf", "size": 9, "hash": "0"}]}
}
FIRM = {"need": need(), "link": LINK}


OPTIONS = [
    MeetingOption(starts_at=DEADLINE + timedelta(days=day), minutes=45, place="2800 Mechelen")
    for day in (3, 4)
]


def referral(**values: Any) -> Referral:
    return Referral(kind=ReferralKind.PARTNER, message="Kijk eens & bel.", **values)


# Every mail with what the services give it, in each of its shapes.
MAILS: list[tuple[MessageKind, dict[str, Any]]] = [
    (MessageKind.SIGN_IN, {"link": LINK, "minutes": 30}),
    (MessageKind.CONFIRM_NEED, FIRM | {"hub": HUB}),
    (MessageKind.INTAKE, {"need": need(), "hub": HUB}),
    (MessageKind.LEAD, COMPANY | {"hub": HUB, "late": False}),
    (MessageKind.LEAD, COMPANY | {"hub": HUB, "late": True}),
    (MessageKind.LEAD, WITH_FILES | {"hub": HUB, "late": False}),
    (MessageKind.CORRECTION, COMPANY | {"correction": "Het zijn 60 paletten.", "number": 1}),
    (MessageKind.QUESTION, FIRM | {"question": "Hoe groot zijn ze?"}),
    (MessageKind.QUESTION, FIRM | {"need": need(NeedState.OPEN), "question": "Hoe groot?"}),
    (MessageKind.QUESTION_ANSWERED, COMPANY | {"question": "Hoe groot?", "answer": "80 x 120"}),
    (MessageKind.REMINDER, COMPANY),
    (MessageKind.ANSWERED, FIRM | {"interested": 1}),
    (MessageKind.ANSWERED, FIRM | {"interested": 3}),
    (MessageKind.DEADLINE, FIRM | {"interested": 2}),
    (MessageKind.NUDGE, FIRM | {"interested": 2, "for_hub": False}),
    (MessageKind.NUDGE, FIRM | {"interested": 1, "for_hub": True}),
    *(
        (
            MessageKind.OUTCOME,
            COMPANY | {"lead": Lead(outcome=outcome, answered_at=DEADLINE), "reason": reason},
        )
        for outcome in Outcome
        for reason in ("", "Dichtbij & snel")
    ),
    (
        MessageKind.REFERRAL,
        {"need": need(), "hub": HUB, "referral": referral(to_email="p@partner.example")},
    ),
    (MessageKind.REFERRAL, {"need": need(), "hub": HUB, "referral": referral(to_hub_id="3" * 26)}),
    (MessageKind.RETURNED, {"need": need(), "leads": 12, "declined": [("too_far", 3)]}),
    (MessageKind.RETURNED, {"need": need(), "leads": 1, "declined": []}),
    *(
        (
            MessageKind.MEETING,
            {"title": "Karton", "at": DEADLINE, "place": "Mechelen", "link": LINK, "minutes": 60}
            | {"cancelled": cancelled, "moved": moved, "other": "Nethe Pakt"},
        )
        for cancelled, moved in ((False, False), (False, True), (True, True))
    ),
    *(
        (
            MessageKind.PROPOSAL,
            {"title": "Karton", "other": "Nethe Pakt", "link": LINK, "note": "Bel gerust."}
            | {"options": OPTIONS[:number], "declined": declined},
        )
        for number, declined in ((1, False), (2, False), (2, True))
    ),
    (MessageKind.LEAD_COPY, COMPANY | {"late": False, "company": "Nethe Pakt"}),
    (MessageKind.NEW_LINK, COMPANY | {"late": False, "company": "Nethe Pakt"}),
    (MessageKind.PROFILE, {"company": "Nethe Pakt", "checked_at": DEADLINE, "link": LINK}),
    (MessageKind.EXPIRY, {"name": "HACCP", "until": date(2027, 1, 31), "link": LINK}),
    *(
        (MessageKind.INVITE, {"company": "Nethe Pakt", "wants_leads": wants, "link": LINK})
        for wants in (True, False)
    ),
    (MessageKind.FOLLOW_UP, {"title": "Karton", "other": "Nethe Pakt", "link": LINK}),
    (MessageKind.DIGEST, {"leads": [COMPANY, WITH_FILES]}),
    (MessageKind.NOTICE, FIRM | {"event": "released", "note": "12"}),
    (MessageKind.NOTICE, FIRM | {"event": "referred", "note": "Hub Kempen"}),
    (MessageKind.NOTICE, FIRM | {"event": "no_fit", "note": "Dit is werk voor een notaris."}),
    (MessageKind.NOTICE, FIRM | {"event": "news", "note": "De coördinator belt je."}),
]


def queue(
    runtime: Runtime, kind: MessageKind, context: dict[str, Any], language: str = "nl", **more: Any
) -> Message:
    with runtime.sessions() as session, session.no_autoflush:
        to = outbox.Recipient("mira@company.example", "Mira", language)
        return outbox.queue(Desk(session, runtime), kind, to, **more, **context)


def test_every_kind_of_mail_is_tried() -> None:
    assert {kind for kind, _ in MAILS} == set(MessageKind)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "context"), MAILS, ids=[str(kind) for kind, _ in MAILS])
def test_every_mail_renders(
    sqlite_runtime: Runtime, kind: MessageKind, context: dict[str, Any], language: str
) -> None:
    mail = queue(sqlite_runtime, kind, context, language)
    assert mail.subject
    assert "\n" not in mail.subject
    assert "%(" not in mail.subject + mail.text + mail.html
    greeting = {"nl": "Dag Mira,", "fr": "Bonjour Mira,", "en": "Hello Mira,"}[language]
    assert mail.text.startswith(greeting)
    assert greeting in mail.html
    assert f'<html lang="{language}">' in mail.html
    assert "\n\n\n\n" not in mail.text
    link = context.get("link")
    if link:
        assert link in mail.text
        assert f'href="{link}' in mail.html


def test_the_lead_holds_the_need_word_for_word(sqlite_runtime: Runtime) -> None:
    mail = queue(sqlite_runtime, *MAILS[3])
    assert TEXT in mail.text
    assert "&lt;b&gt;karton&lt;/b&gt; &amp; folie" in mail.html
    assert "op hetzelfde moment naar alle maatwerkbedrijven" in mail.text
    for fact in ("40 paletten", "elke maand", "4 januari 2027", "HACCP", "4 december 2026"):
        assert fact in mail.text
        assert fact in mail.html
    assert "Deze vraag loopt al" not in mail.text
    assert "Deze vraag loopt al" in queue(sqlite_runtime, *MAILS[4]).text


def test_a_lead_with_photos_says_so_and_links_to_them(sqlite_runtime: Runtime) -> None:
    context = WITH_FILES | {"hub": HUB, "late": False}
    for kind, more in ((MessageKind.LEAD, {}), (MessageKind.LEAD_COPY, {"company": "Nethe Pakt"})):
        mail = queue(sqlite_runtime, kind, context | more)
        assert f"{LINK}#attachments" in mail.text
        assert f'href="{LINK}#attachments"' in mail.html
    assert "#attachments" not in queue(sqlite_runtime, *MAILS[3]).html


def test_a_new_link_says_why_it_comes(sqlite_runtime: Runtime) -> None:
    context = COMPANY | {"late": False, "company": "Nethe Pakt"}
    mail = queue(sqlite_runtime, MessageKind.NEW_LINK, context)
    for body in (mail.text, mail.html):
        assert "nieuwe persoonlijke link van Nethe Pakt" in body
        assert "De vorige link werkt niet meer" in body
        assert TEXT.splitlines()[0][:20] in body
        assert "volgt" not in body
        assert "op hetzelfde moment naar alle" not in body


def test_two_leads_differ_only_in_name_and_link(sqlite_runtime: Runtime) -> None:
    def lead(link: str) -> Message:
        return queue(sqlite_runtime, MAILS[3][0], MAILS[3][1] | {"link": link})

    one, two = lead("https://m.example/l/one"), lead("https://m.example/l/two")
    assert one.text.replace("/l/one", "/l/two") == two.text
    assert one.html.replace("/l/one", "/l/two") == two.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_told_that_another_was_chosen(sqlite_runtime: Runtime, language: str) -> None:
    other = re.compile(r"\b(ander|iemand|autre|quelqu|someone|another|other)", re.IGNORECASE)
    for kind, context in MAILS:
        if kind is MessageKind.OUTCOME and not context["reason"]:
            assert not other.search(queue(sqlite_runtime, kind, context, language).text)


def test_the_reminder_can_be_stopped(sqlite_runtime: Runtime) -> None:
    address = "https://m.example/unsubscribe/x"
    mail = queue(
        sqlite_runtime,
        MessageKind.REMINDER,
        COMPANY,
        headers={"List-Unsubscribe": f"<{address}>"},
    )
    assert address in mail.text
    assert f'href="{address}"' in mail.html


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=200))
def test_any_text_survives(sqlite_runtime: Runtime, text: str) -> None:
    text = text.strip()
    mail = queue(
        sqlite_runtime,
        MessageKind.LEAD,
        MAILS[3][1] | {"content": CONTENT | {"title": text, "text": text}},
    )
    assert text in mail.text
    assert not re.search(r"[\r\n]", mail.subject)
    assert "<script" not in mail.html


def _texts() -> set[str]:
    found = set()
    for path in sorted((TEMPLATES / "mails").iterdir()):
        for _, _, texts in environment("nl").extract_translations(path.read_text()):
            found.add(texts if isinstance(texts, str) else texts[0])
    return {text for text in found if text}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_text_is_translated(language: str) -> None:
    catalogue = translations(language)
    missing = [
        text
        for text in _texts()
        if catalogue.ngettext(text, text, 2) == text and catalogue.gettext(text) == text
    ]
    assert [text for text in missing if text != "Start"] == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_translations_fill_in_the_same_values(language: str) -> None:
    catalogue = translations(language)
    for text in _texts():
        wanted = set(re.findall(r"%\((\w+)\)", text))
        for number in (1, 2):
            told = catalogue.ngettext(text, text, number)
            assert set(re.findall(r"%\((\w+)\)", told)) == wanted, text


def test_each_kind_has_both_templates() -> None:
    folder = pathlib.Path(TEMPLATES / "mails")
    for kind in MessageKind:
        assert (folder / f"{kind.value}.txt").is_file()
        assert (folder / f"{kind.value}.html").is_file()


def test_mail_deadline_is_said_in_brussels_time(sqlite_runtime: Runtime) -> None:
    winter = queue(sqlite_runtime, *MAILS[3])
    assert "17:00" in winter.text
    summer = MAILS[3][1] | {"deadline": DEADLINE - timedelta(days=150)}
    assert "18:00" in queue(sqlite_runtime, MessageKind.LEAD, summer).text
