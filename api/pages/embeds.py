"""The intake form inside another site: per municipality or hub, in its colour, no session."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from api.errors import Invalid
from api.i18n import LANGUAGES
from api.pages import themes, words
from api.pages.intake import IntakeForm, Typed, held_files, intake_page, submitted
from api.pages.visit import Visit, VisitDep
from api.services import checks, hub_texts, hubs
from api.services.desk import NOBODY
from matcher.places import fold
from models import Hub

router = APIRouter()
A_DAY = "public, max-age=86400"


@dataclass(frozen=True)
class Embedded:
    """A form in another site: where it sends to, its colour, whose it is, and the place."""

    path: str
    colour: str
    hub: Hub
    place: str = ""
    intro: str = ""  # what the hub says itself


@router.get("/embed/theme.css")
def theme(colour: str = "") -> Response:
    """The colour of the site around the form; nothing for what is no colour."""
    known = themes.colour_of(colour)
    text = themes.theme(known) if known else ""
    return Response(text, media_type="text/css", headers={"Cache-Control": A_DAY})


@router.get("/embed/{slug}")
def form(visit: VisitDep, slug: str, colour: str = "") -> Response:
    """The form without our header, to be shown in a frame or opened at a counter."""
    embedded = _embedded(visit, slug, colour)
    return intake_page(visit, IntakeForm(place=embedded.place), {}, embedded=embedded)


@router.post("/embed/{slug}")
def send(visit: VisitDep, slug: str, form: Typed, colour: str = "") -> Response:
    """Take the need in as from anybody: what counts is the mail that is sent then.

    Nothing is done in the name of a session, so this form needs no token against forgery.
    """
    embedded = _embedded(visit, slug, colour)
    if form.website:
        return visit.mailed("needs/sent.html", email=form.contact_email, embedded=embedded)
    visit.desk = visit.desk.as_actor(NOBODY)
    errors: dict[str, str] = {}
    held = held_files(visit, form, errors)
    if form.press == "read" or form.drop:
        return intake_page(visit, form, errors, held=held, embedded=embedded)
    need = submitted(visit, form, held, errors, proven=False)
    if need is None:
        return intake_page(visit, form, errors, 422, held=held, embedded=embedded)
    return visit.mailed("needs/sent.html", email=need.contact_email, embedded=embedded)


def _embedded(visit: Visit, slug: str, colour: str) -> Embedded:
    """The form of a hub, or of a municipality. Raises NotFound, or Invalid outside Flanders."""
    known = themes.colour_of(colour)
    kept = {"colour": known} if known else {}
    if visit.request.query_params.get("lang"):
        kept["lang"] = visit.language
    path = f"/embed/{slug}" + (f"?{urlencode(kept)}" if kept else "")
    every = {each.slug: each for each in hubs.all_hubs(visit.desk)}
    for each in visit.runtime.places.municipalities:
        if slug not in every and slug in (each.nis, slug_of(each.name_nl)):
            hub = hubs.owner_of(visit.desk, each.nis)
            return Embedded(path, known, hub, each.name_nl, _intro(visit, hub))
    hub = hubs.by_slug(visit.desk, slug)
    return Embedded(path, known, hub, intro=_intro(visit, hub))


def _intro(visit: Visit, hub: Hub) -> str:
    return hub_texts.said(hub, hub_texts.Place.INTAKE, visit.language)


def slug_of(name: str) -> str:
    """A municipality's name as part of an address: small letters without accents, hyphens."""
    return fold(name).replace(" ", "-")


def path_of(visit: Visit, nis: str) -> str:
    """The address of a municipality's form; by its number where a hub already has its name."""
    slug = slug_of(visit.runtime.places.municipality(nis).name_nl)
    taken = slug in {each.slug for each in hubs.all_hubs(visit.desk)}
    return f"/embed/{nis if taken else slug}"


@router.get("/municipalities")
def guide(visit: VisitDep, place: str = "", colour: str = "", form: str = "") -> Response:
    """How a municipality or partner puts the form in its own site, with the lines to copy.

    `form` is the language of the form.
    """
    errors: dict[str, str] = {}
    path = ""
    if place.strip():
        try:
            nis = checks.place(visit.runtime, place, "place").nis
            hubs.owner_of(visit.desk, nis)
            path = path_of(visit, nis)
        except Invalid as problem:
            errors["place"] = words.problem(visit.language, problem)
    known = themes.colour_of(colour)
    asked = {"colour": known} if known and known != themes.OURS else {}
    if form in LANGUAGES:
        asked["lang"] = form
    if path and asked:
        path += f"?{urlencode(asked)}"
    return visit.page(
        "public/municipalities.html",
        422 if errors else 200,
        place=place,
        colour=f"#{known or themes.OURS}",
        form=form,
        form_path=path,
        errors=errors,
    )
