"""A hub's own words in mails and on its form, with the mail as it would be."""

from itertools import product

from fastapi import APIRouter, Response

from api.errors import Invalid
from api.i18n import LANGUAGES
from api.pages.fields import Text, Texts, caught
from api.pages.visit import CoordinatorVisit, Visit
from api.services import authorisation, hub_texts, mail_previews
from api.services.hub_texts import Place
from api.web import Csrf

router = APIRouter()
FIELDS = tuple(product([each.value for each in Place], LANGUAGES))  # the order they are sent in


@router.get("/hub/{hub_id}/texts")
def show(visit: CoordinatorVisit, hub_id: str) -> Response:
    """The texts as they are, and the mails with them."""
    return _page(visit, hub_id, dict(authorisation.hub_to_edit(visit.desk, hub_id).texts))


def _page(
    visit: Visit,
    hub_id: str,
    texts: hub_texts.Texts,
    errors: dict[str, str] | None = None,
    read_in: str = "",
) -> Response:
    hub = authorisation.hub_to_edit(visit.desk, hub_id)
    chosen = read_in if read_in in LANGUAGES else hub.language
    mails = {} if errors else mail_previews.of_hub(visit.desk, hub_id, texts, chosen)
    return visit.page(
        "hub/texts.html",
        422 if errors else 200,
        hub=hub,
        places=[each.value for each in Place],
        texts=texts,
        most=hub_texts.MOST,
        mails=mails,
        read_in=chosen,
        errors=errors or {},
    )


@router.post("/hub/{hub_id}/texts", dependencies=[Csrf])
def change(
    visit: CoordinatorVisit,
    hub_id: str,
    text: Texts = [],  # noqa: B006
    do: Text = "save",
    read_in: Text = "",
) -> Response:
    """Keep the texts, or with `do=look` only show the mails with them in a language."""
    authorisation.hub_to_edit(visit.desk, hub_id)
    if len(text) != len(FIELDS):
        raise Invalid("bad_request", f"text: {len(FIELDS)} texts are sent", field="text")
    typed: hub_texts.Texts = {}
    for (place, language), words in zip(FIELDS, text, strict=True):
        typed.setdefault(place, {})[language] = words
    errors: dict[str, str] = {}
    with caught(visit, errors):
        if do == "look":
            return _page(visit, hub_id, hub_texts.checked(typed), read_in=read_in)
        hub_texts.change(visit.desk, hub_id, typed)
        return visit.go(f"/hub/{hub_id}/texts", "texts")
    return _page(visit, hub_id, typed, errors)
