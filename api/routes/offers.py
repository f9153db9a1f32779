"""Offers: what companies do, in their own words."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import select

from api.errors import NotFound
from api.idempotency import OnceDep
from api.pagination import PagingDep, paginate
from api.routes.access import FOUND, LISTED, WRITTEN, CompaniesRead, CompaniesWrite, PathId, noun
from api.schemas.base import Id, Page
from api.schemas.offers import OfferChangeIn, OfferIn, OfferOut
from api.services import offers
from models import Offer

router = noun("offers")


@router.get("/offers", responses=LISTED)
def list_offers(
    desk: CompaniesRead,
    paging: PagingDep,
    company_id: Annotated[Id | None, Query(description="only of this company")] = None,
    active: Annotated[bool | None, Query(description="only active ones, or only not")] = None,
) -> Page[OfferOut]:
    """The offers of all companies, by id. Scope `companies:read`."""
    statement = select(Offer)
    if company_id is not None:
        statement = statement.where(Offer.company_id == company_id)
    if active is not None:
        statement = statement.where(Offer.active.is_(active))
    rows, following = paginate(desk.session, statement, Offer.id, paging)
    return Page(items=[OfferOut.model_validate(row) for row in rows], next_cursor=following)


@router.get("/offers/{offer_id}", responses=FOUND)
def read_offer(desk: CompaniesRead, offer_id: PathId) -> OfferOut:
    """One offer. Scope `companies:read`."""
    offer = desk.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound("offer_not_found", "there is no such offer")
    return OfferOut.model_validate(offer)


@router.post(
    "/companies/{company_id}/offers", status_code=201, response_model=OfferOut, responses=WRITTEN
)
def add_offer(desk: CompaniesWrite, company_id: PathId, body: OfferIn, once: OnceDep) -> Response:
    """Add an offer. The company and coordinators; scope `companies:write`."""
    values = body.model_dump()
    values["language"] = values["language"] or ""
    offer = offers.add(desk, company_id, **values)
    return once.answer(OfferOut.model_validate(offer), 201)


@router.patch("/offers/{offer_id}", responses=WRITTEN)
def change_offer(desk: CompaniesWrite, offer_id: PathId, body: OfferChangeIn) -> OfferOut:
    """Change an offer, or switch it off and on. The company and coordinators."""
    offer = offers.change(desk, offer_id, **body.model_dump(exclude_none=True))
    desk.session.flush()
    return OfferOut.model_validate(offer)
