"""The intake form inside another site: per hub, for municipal counters, without any session."""

from fastapi import APIRouter, Response

from api.pages.intake import IntakeForm, Typed, held_files, intake_page, submitted
from api.pages.visit import VisitDep
from api.services import hubs
from api.services.desk import NOBODY

router = APIRouter()


@router.get("/embed/{slug}")
def form(visit: VisitDep, slug: str) -> Response:
    """The form without our header, to be shown in a frame."""
    hub = hubs.by_slug(visit.desk, slug)
    return intake_page(visit, IntakeForm(), {}, embedded=hub.slug)


@router.post("/embed/{slug}")
def send(visit: VisitDep, slug: str, form: Typed) -> Response:
    """Take the need in as from anybody: what counts is the mail that is sent then.

    Nothing is done in the name of a session, so this form needs no token against forgery.
    """
    hub = hubs.by_slug(visit.desk, slug)
    if form.website:
        return visit.page("needs/sent.html", email=form.contact_email, embedded=hub.slug)
    visit.desk = visit.desk.as_actor(NOBODY)
    errors: dict[str, str] = {}
    held = held_files(visit, form, errors)
    if form.press == "read" or form.drop:
        return intake_page(visit, form, errors, held=held, embedded=hub.slug)
    need = submitted(visit, form, held, errors, proven=False)
    if need is None:
        return intake_page(visit, form, errors, 422, held=held, embedded=hub.slug)
    return visit.page("needs/sent.html", email=need.contact_email, embedded=hub.slug)
