"""Pages for people: server-rendered, in nl, fr and en, on the same services as the JSON API."""

from fastapi import APIRouter

from api.pages import (
    attachments,
    broadcasts,
    casefiles,
    colleagues,
    companies,
    decisions,
    demo,
    embeds,
    facts,
    feeds,
    hub,
    hub_texts,
    imports,
    inbox,
    intake,
    leads,
    meetings,
    needs,
    neutrality,
    offers,
    profiles,
    public,
    reviews,
    signin,
    verdicts,
    webhooks,
)

# Order counts where a fixed path and one with an id could both fit: the fixed one comes first.
router = APIRouter(include_in_schema=False)
for _part in (
    feeds,
    public,
    signin,
    intake,
    embeds,
    attachments,
    facts,
    needs,
    imports,
    broadcasts,
    casefiles,
    reviews,
    decisions,
    verdicts,
    neutrality,
    hub,
    hub_texts,
    companies,
    profiles,
    offers,
    colleagues,
    inbox,
    leads,
    meetings,
    webhooks,
    demo,
):
    router.include_router(_part.router)
