"""Needs: written by a firm, confirmed by mail, read by the matcher, corrected by the hub."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import selectinload

from api.errors import Conflict, Invalid, NotFound
from api.services import (
    audit,
    authorisation,
    checks,
    firms,
    hubs,
    matching,
    outbox,
    people,
    privacy,
    signin,
)
from api.services.desk import Desk
from api.services.titles import title_of
from models import Hub, Need, Step
from models.message import MessageKind
from models.need import StepSource, WorkPlace
from models.states import NeedState

LEAST_TEXT = 10  # characters: fewer cannot say what is to be done
MOST_STEPS = 12


@dataclass(frozen=True)
class NeedDraft:
    """What a firm fills in. `place` is a postcode, a name, or both."""

    text: str
    place: str
    firm_name: str
    contact_name: str
    contact_email: str
    contact_phone: str = ""
    kbo: str = ""
    language: str = ""
    title: str = ""
    volume: str = ""
    rhythm: str = ""
    starts_on: date | None = None
    work_place: WorkPlace = WorkPlace.EITHER
    certificates: Sequence[str] = field(default_factory=tuple)
    hub: str = ""  # slug of a value-chain hub; empty: the hub that owns the place
    external_id: str | None = None
    firm_id: str | None = None  # a member of this firm submits; then the firm's own facts count


def submit(desk: Desk, draft: NeedDraft, *, proven: bool = False) -> Need:
    """Take in a need: checked, read, and kept as a draft until its mail address is proven.

    Raises Invalid with the field that is wrong. With `proven` (a signed-in firm, a coordinator,
    an import) it goes to the intake queue at once.
    """
    text = checks.text(draft.text, "text", least=LEAST_TEXT)
    place = checks.place(desk.runtime, draft.place, "place")
    hub = hubs.named(desk, draft.hub, "hub") if draft.hub else hubs.owner_of(desk, place.nis)
    reading = matching.read(desk.runtime, text)
    language = checks.language(draft.language or reading.language)
    unknown = sorted(set(draft.certificates) - set(desk.runtime.certificates))
    if unknown:
        raise Invalid(
            "unknown_certificate",
            f"certificates: {', '.join(unknown)}; known are "
            f"{', '.join(sorted(desk.runtime.certificates))}",
            field="certificates",
        )
    if draft.starts_on is not None and draft.starts_on < desk.today - timedelta(days=366):
        raise Invalid("start_long_past", "starts_on: more than a year ago", field="starts_on")
    if draft.firm_id is not None:
        firm, person = firms.with_member(desk, draft.firm_id, draft.contact_email)
    else:
        firm, person = firms.with_contact(
            desk,
            name=draft.firm_name,
            kbo=draft.kbo,
            email=draft.contact_email,
            contact_name=draft.contact_name,
            language=language,
            place=place,
        )
    need = Need(
        hub_id=hub.id,
        firm_id=firm.id,
        title=checks.line(draft.title, "title", most=200) or title_of(text),
        text=text,
        language=language,
        postcode=place.postcode,
        nis=place.nis,
        place=place.name,
        lat=place.lat,
        lon=place.lon,
        volume=checks.line(draft.volume, "volume"),
        rhythm=checks.line(draft.rhythm, "rhythm"),
        starts_on=draft.starts_on,
        work_place=draft.work_place,
        certificates=sorted(set(draft.certificates)),
        contact_name=checks.line(draft.contact_name, "contact_name", least=1, most=200),
        contact_email=person.email,
        contact_phone=checks.line(draft.contact_phone, "contact_phone", most=40) or None,
        external_id=draft.external_id,
        state=NeedState.DRAFT,
        steps=[],
        created_at=desk.at,
    )
    desk.session.add(need)
    matching.write_steps(need, reading)
    desk.session.flush()
    audit.record(desk, "submit", "need", need.id, hub.id, proven=proven, privacy=privacy.show(desk))
    if proven:
        confirm(desk, need)
    else:
        # As long as the draft's files are kept: its mail may come late, or be read after a weekend.
        link = signin.new_link(desk, person, f"/needs/{need.id}/confirm", lasts=signin.MAIL_LINK)
        outbox.queue(
            desk,
            MessageKind.CONFIRM_NEED,
            outbox.Recipient(person.email, need.contact_name, language),
            need_id=need.id,
            need=need,
            hub=hub,
            link=link,
        )
    return need


def confirm(desk: Desk, need: Need) -> Need:
    """Put a draft in the coordinator's intake queue; its mail address is proven."""
    if need.state is not NeedState.DRAFT:
        return need
    need.state = NeedState.SUBMITTED
    need.submitted_at = desk.at
    firms.claim(desk, need)
    hub = desk.session.get_one(Hub, need.hub_id)
    audit.record(desk, "confirm", "need", need.id, hub.id)
    for person in people.coordinators(desk, hub.id):
        outbox.queue(
            desk,
            MessageKind.INTAKE,
            outbox.Recipient(person.email, person.name, person.language),
            need_id=need.id,
            need=need,
            hub=hub,
        )
    return need


def load(desk: Desk, need_id: str) -> Need:
    """A need with its steps. Raises NotFound."""
    need = desk.session.get(
        Need, need_id, options=[selectinload(Need.steps)], populate_existing=True
    )
    if need is None:
        raise NotFound("need_not_found", "there is no such need")
    return need


def with_steps(desk: Desk, need: Need) -> Need:
    """The same need, with its steps loaded."""
    desk.session.refresh(need, attribute_names=["steps"])
    return need


def correct_steps(desk: Desk, need_id: str, steps: Sequence[tuple[str, Sequence[str]]]) -> Need:
    """The coordinator's reading of a need: (text, activity codes) per step.

    The firm's own text never changes. Raises Invalid for an unknown activity, Conflict once
    the need is no longer waiting in the queue.
    """
    need = with_steps(desk, authorisation.need_as_coordinator(desk, need_id))
    _require_state(need, NeedState.SUBMITTED, NeedState.RETURNED)
    if not 0 < len(steps) <= MOST_STEPS:
        raise Invalid("steps", f"give 1 to {MOST_STEPS} steps", field="steps")
    fresh = []
    for position, (text, codes) in enumerate(steps):
        for code in codes:
            if code not in desk.runtime.activities:
                raise Invalid(
                    "unknown_activity", f"steps: no activity {code!r}", field="steps", name=code
                )
        fresh.append(
            Step(
                position=position,
                text=checks.line(text, "steps", least=2, most=500),
                activities=list(codes),
                source=StepSource.CORRECTED,
            )
        )
    before = [{"text": step.text, "activities": step.activities} for step in need.steps]
    need.steps.clear()
    desk.session.flush()
    need.steps.extend(fresh)
    desk.session.flush()
    audit.record(desk, "correct_steps", "need", need.id, need.hub_id, before=before)
    return need


def change_facts(desk: Desk, need_id: str, facts: Mapping[str, object]) -> Need:
    """Change volume, rhythm, start, work place, certificates or title before release.

    Raises Conflict after release: then a correction goes to all recipients instead.
    """
    need = authorisation.need(desk, need_id)
    _require_state(need, NeedState.DRAFT, NeedState.SUBMITTED, NeedState.RETURNED)
    changed = sorted(name for name, value in facts.items() if getattr(need, name) != value)
    for name in changed:
        value = facts[name]
        if name in ("title", "volume", "rhythm"):
            value = checks.line(str(value), name, least=int(name == "title"), most=200)
        elif name == "certificates":
            value = sorted(set(value))  # type: ignore[call-overload]
            unknown = set(value) - set(desk.runtime.certificates)
            if unknown:
                raise Invalid("unknown_certificate", f"certificates: {unknown}", field=name)
        elif name not in ("starts_on", "work_place"):
            raise Invalid("unknown_field", f"{name} cannot be changed", field=name)
        setattr(need, name, value)
    audit.record(desk, "change_facts", "need", need.id, need.hub_id, changed=changed)
    return need


def declare_no_fit(desk: Desk, need_id: str, reason: str) -> Need:
    """The coordinator sees no work in it for a maatwerkbedrijf; the firm is told why."""
    need = authorisation.need_as_coordinator(desk, need_id)
    _require_state(need, NeedState.SUBMITTED, NeedState.RETURNED)
    need.state_note = checks.text(reason, "reason", least=3, most=2000)
    need.state = NeedState.NO_FIT
    need.closed_at = desk.at
    audit.record(desk, "no_fit", "need", need.id, need.hub_id)
    notify_firm(desk, need, MessageKind.NOTICE, event="no_fit", note=need.state_note)
    return need


def take_back(desk: Desk, need_id: str) -> Need:
    """Undo: a need that was referred, declared no fit, withdrawn or closed without a choice
    returns to the intake queue."""
    need = authorisation.need_as_coordinator(desk, need_id)
    need.state = NeedState.SUBMITTED
    need.closed_at = None
    need.state_note = ""
    audit.record(desk, "take_back", "need", need.id, need.hub_id)
    return need


def notify_firm(desk: Desk, need: Need, kind: MessageKind, **context: Any) -> None:
    """Mail the firm's contact about its need, with a link that signs in and opens it."""
    person = people.find_or_add(desk, need.contact_email, language=need.language)
    outbox.queue(
        desk,
        kind,
        outbox.Recipient(need.contact_email, need.contact_name, need.language),
        need_id=need.id,
        need=need,
        link=signin.new_link(desk, person, f"/needs/{need.id}", lasts=signin.MAIL_LINK),
        **context,
    )


def _require_state(need: Need, *states: NeedState) -> None:
    if need.state not in states:
        raise Conflict(
            "wrong_state",
            f"the need is {need.state.value}; this is possible only while it is "
            f"{' or '.join(state.value for state in states)}",
            state=need.state.value,
        )
