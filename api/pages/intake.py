"""The intake: one page asks what is to be done, shows what was understood, takes the facts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.errors import Invalid, Problem
from api.pages import words
from api.pages.attachments import Held, Uploads, hold_files
from api.pages.fields import Text, caught, day
from api.pages.visit import MemberVisit, Visit, VisitDep
from api.services import attachments, authorisation, checks, needs
from api.services.needs import NeedDraft
from api.services.previews import Preview, preview
from api.services.uploads import Upload
from api.web import Csrf
from matcher.places import fold
from models import Attachment, Firm, Need
from models.need import WorkPlace
from models.states import NeedState

router = APIRouter()
SUGGESTED = 8


class IntakeForm(BaseModel):
    """The fields as typed; nothing is refused here, so that nothing typed is lost."""

    text: str = ""
    title: str = ""
    proposed: str = ""  # the title we proposed: kept as long as nobody writes another
    place: str = ""
    volume: str = ""
    rhythm: str = ""
    starts_on: str = ""
    work_place: str = "either"
    certificates: list[str] = Field(default_factory=list)
    firm_name: str = ""
    kbo: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    kept: list[str] = Field(default_factory=list)  # tokens of files held for this form
    files: list[Upload] = Field(default_factory=list, exclude=True)
    copied_from: str = ""  # an earlier need, and which of its files go along
    copied: list[str] = Field(default_factory=list)
    drop: str = ""  # the token of a held file to take away
    website: str = ""  # a trap: people do not see it, robots fill it in
    press: str = "send"

    def draft(self, language: str) -> NeedDraft:
        """Raises Invalid for a date or place of work that cannot be read."""
        return NeedDraft(
            text=self.text,
            place=_required(self.place, "place"),
            firm_name=self.firm_name,
            contact_name=self.contact_name,
            contact_email=_required(self.contact_email, "contact_email"),
            contact_phone=self.contact_phone,
            kbo=self.kbo,
            language=language,
            title="" if self.title == self.proposed else self.title,
            volume=self.volume,
            rhythm=self.rhythm,
            starts_on=day(self.starts_on, "starts_on"),
            work_place=_work_place(self.work_place),
            certificates=self.certificates,
        )


async def _typed(request: Request, files: Uploads) -> IntakeForm:
    """The form as one value; read here because FastAPI cannot mix a form model and a field."""
    data = await request.form()
    fields: dict[str, object] = {k: v for k, v in data.items() if isinstance(v, str)}
    for several in ("certificates", "kept", "copied"):
        fields[several] = [each for each in data.getlist(several) if isinstance(each, str)]
    return IntakeForm.model_validate(fields | {"files": files})


Typed = Annotated[IntakeForm, Depends(_typed)]


def _required(value: str, field: str) -> str:
    if not value.strip():
        raise Invalid("missing", f"{field}: fill this in", field=field)
    return value


def _work_place(value: str) -> WorkPlace:
    try:
        return WorkPlace(value)
    except ValueError:
        raise Invalid("bad_choice", "work_place: choose one", field="work_place") from None


def intake_page(
    visit: Visit,
    form: IntakeForm,
    errors: dict[str, str],
    status: int = 200,
    *,
    held: Held | None = None,
    embedded: object = None,
) -> Response:
    """The form with what was typed, what is wrong and what was understood.

    `held` are the files that came along; `embedded` says where the form sends to and its colour
    when it stands inside another site.
    """
    read = _preview(visit, form, errors)
    if read and form.title.strip() in ("", form.proposed):
        form.title = form.proposed = read.title
    return visit.page(
        "needs/new.html",
        status,
        form=form.model_dump(),
        errors=errors,
        preview=read,
        activities=visit.runtime.activities,
        municipality=visit.runtime.places.municipality,
        certificates=visit.runtime.certificates,
        held=held.shown if held else [],
        copies=_copies(visit, form.copied_from),
        embedded=embedded,
    )


def _copies(visit: Visit, need_id: str) -> Sequence[Attachment]:
    """The files of the earlier need that is copied; none for who may not see it."""
    if not need_id:
        return []
    return attachments.of_need(visit.desk, authorisation.need(visit.desk, need_id).id)


def _preview(visit: Visit, form: IntakeForm, errors: dict[str, str]) -> Preview | None:
    place = None
    try:
        if form.place.strip():
            place = checks.place(visit.runtime, form.place, "place")
        return preview(
            visit.desk,
            form.text,
            place,
            work_place=_work_place(form.work_place),
            certificates=tuple(form.certificates),
        )
    except Problem as problem:
        errors.setdefault(
            str(problem.values.get("field", "place")).replace("postcode", "place"),
            words.problem(visit.language, problem),
        )
        return preview(visit.desk, form.text)


@router.get("/needs/new")
def new(visit: VisitDep, text: str = "", copy: str = "") -> Response:
    """The empty form, or one filled from a text, an earlier need, or who is signed in."""
    form = IntakeForm(text=text[: checks.MOST_TEXT])
    if copy:
        need = authorisation.need(visit.desk, copy)
        form = IntakeForm(
            text=need.text,
            title=need.title,
            place=f"{need.postcode} {need.place}",
            volume=need.volume,
            rhythm=need.rhythm,
            work_place=need.work_place.value,
            certificates=need.certificates,
            contact_name=need.contact_name,
            contact_phone=need.contact_phone or "",
            copied_from=need.id,
            copied=[each.id for each in attachments.of_need(visit.desk, need.id)],
        )
    actor = visit.desk.actor
    if actor.firms:
        firm = visit.desk.session.get_one(Firm, min(actor.firms))
        form.firm_name, form.contact_email = firm.name, actor.email
        form.place = form.place or firm.postcode or ""
    return intake_page(visit, form, {})


@router.post("/needs/new", dependencies=[Csrf])
def send(visit: VisitDep, form: Typed) -> Response:
    """Show what was understood (press=read), or take the need in."""
    if form.website:
        return visit.mailed("needs/sent.html", email=form.contact_email, embedded=None)
    errors: dict[str, str] = {}
    held = held_files(visit, form, errors)
    if form.press == "read" or form.drop:
        return intake_page(visit, form, errors, held=held)
    actor = visit.desk.actor
    email = form.contact_email.strip().lower()
    proven = bool(actor.hubs) or (bool(actor.email) and email == actor.email)
    need = submitted(visit, form, held, errors, proven=proven)
    if need is None:
        return intake_page(visit, form, errors, 422, held=held)
    if not proven:
        return visit.mailed("needs/sent.html", email=need.contact_email, embedded=None)
    return visit.go(f"/hub/needs/{need.id}" if actor.hubs else f"/needs/{need.id}", "need_sent")


def held_files(visit: Visit, form: IntakeForm, errors: dict[str, str]) -> Held:
    """Keep the files that came along, so that a mistake elsewhere in the form loses none."""
    held = hold_files(visit, form.files, form.kept, form.drop)
    if held.refused:
        errors["files"] = held.refused
    return held


def submitted(
    visit: Visit, form: IntakeForm, held: Held, errors: dict[str, str], *, proven: bool
) -> Need | None:
    """The need with its files, taken in; None, and why in `errors`, when something is wrong."""
    if errors:
        return None
    with caught(visit, errors):
        need = needs.submit(visit.desk, form.draft(""), proven=proven)
        attachments.take(visit.desk, need, held.found)
        attachments.copy(visit.desk, need, form.copied_from, form.copied)
        return need
    return None


@router.post("/reading")
def reading(visit: VisitDep, form: Typed) -> Response:
    """The "what we understood" part of the form alone, for while someone types."""
    errors: dict[str, str] = {}
    return visit.page(
        "needs/reading.html",
        preview=_preview(visit, form, errors),
        activities=visit.runtime.activities,
        municipality=visit.runtime.places.municipality,
    )


@router.get("/places")
def places(visit: VisitDep, q: str = "") -> Response:
    """Places whose postcode or name begins so, for the suggestions under a place field."""
    wanted = fold(q)
    found = [
        str(place)
        for place in visit.runtime.places.places
        if wanted and (place.postcode.startswith(wanted) or fold(place.name).startswith(wanted))
    ]
    return JSONResponse(found[:SUGGESTED])


@router.get("/needs/{need_id}/confirm")
def confirm_page(visit: MemberVisit, need_id: str) -> Response:
    """The last look before a need goes to the hub."""
    need = authorisation.need(visit.desk, need_id)
    if need.state is not NeedState.DRAFT:
        return visit.go(f"/needs/{need.id}")
    return _confirm_page(visit, need, need.title, {})


def _confirm_page(visit: Visit, need: Need, title: str, errors: dict[str, str]) -> Response:
    return visit.page(
        "needs/confirm.html",
        422 if errors else 200,
        need=needs.with_steps(visit.desk, need),
        title=title,
        errors=errors,
        certificates=visit.runtime.certificates,
        attachments=attachments.of_need(visit.desk, need.id),
    )


@router.post("/needs/{need_id}/confirm", dependencies=[Csrf])
def confirm(visit: MemberVisit, need_id: str, title: Text = "") -> Response:
    """The firm confirms its need; its mail address was proven by signing in."""
    need = authorisation.need_as_firm(visit.desk, need_id)
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if title.strip() and need.state is NeedState.DRAFT:
            needs.change_facts(visit.desk, need.id, {"title": title})
        needs.confirm(visit.desk, need)
        return visit.go(f"/needs/{need.id}", "confirmed")
    return _confirm_page(visit, need, title, errors)
