"""A company's leads as a feed, behind a secret link: Atom (RFC 4287) and JSON Feed 1.1."""

import hmac
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from sqlalchemy import select

from api.errors import Gone, NotFound
from api.services import audit, authorisation, links
from api.services.desk import Desk
from models import Broadcast, Company, Lead

MOST = 50  # newest leads in a feed
_ATOM = "http://www.w3.org/2005/Atom"


def secret(desk: Desk, company_id: str) -> str:
    """The token in the address of a company's feed. For the company alone.

    Behind it stand its leads of all hubs with their personal links, with which one answers in
    its name: a coordinator may do neither. Raises NotFound or NotAllowed for others.
    """
    return _token(desk, authorisation.company_itself(desk, company_id))


def renew(desk: Desk, company_id: str) -> str:
    """A new address; the former one no longer works. Raises NotFound or NotAllowed for others."""
    company = authorisation.company_itself(desk, company_id)
    company.feed_version += 1
    audit.record(desk, "renew_feed", "company", company.id)
    return _token(desk, company)


def _token(desk: Desk, company: Company) -> str:
    return _token_of(desk, company.id, company.feed_version)


def _token_of(desk: Desk, company_id: str, version: int) -> str:
    return f"{company_id}.{links.sign(desk, 'feed', f'{company_id}.{version}')}"


def company_of(desk: Desk, token: str) -> Company:
    """The company of a feed's token. Raises NotFound (forged) or Gone (renewed meanwhile)."""
    company_id = token.partition(".")[0]
    company = desk.session.get(Company, company_id) if company_id.isalnum() else None
    if company is None or not hmac.compare_digest(token.encode(), _token(desk, company).encode()):
        if company is not None and _was_renewed(desk, company, token):
            # 410 is what feed readers stop at.
            raise Gone(
                "feed_renewed",
                "the address of this feed was renewed; the profile of the company has the new one",
                next=f"/companies/{company.id}/edit",
            )
        raise NotFound("bad_link", "this link is not complete; copy the whole link")
    return company


def _was_renewed(desk: Desk, company: Company, token: str) -> bool:
    """Whether this was the company's address before."""
    earlier = (_token_of(desk, company.id, each) for each in range(company.feed_version))
    return any(hmac.compare_digest(token.encode(), each.encode()) for each in earlier)


def leads_of(desk: Desk, company: Company) -> Sequence[tuple[Lead, Broadcast]]:
    """The newest released leads of a company; none before its release moment."""
    rows = desk.session.execute(
        select(Lead, Broadcast)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(Lead.company_id == company.id, Broadcast.released_at <= desk.at)
        .order_by(Lead.id.desc())
        .limit(MOST)
    )
    return [(lead, broadcast) for lead, broadcast in rows]


def json_feed(desk: Desk, token: str) -> dict[str, Any]:
    """The feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    company = company_of(desk, token)
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Maatmatch: {company.name}",
        "language": company.language,
        "items": [
            {
                "id": lead.id,
                "url": links.lead_link(desk, lead),
                "title": broadcast.content["title"],
                "content_text": broadcast.content["text"],
                "language": broadcast.content["language"],
                "date_published": _published(lead, broadcast),
                "_maatmatch": {
                    "place": broadcast.content["place"],
                    "deadline": broadcast.deadline.isoformat(),
                    "open": lead.closed_at is None and broadcast.deadline > desk.at,
                    "content_hash": broadcast.content_hash,
                },
            }
            for lead, broadcast in leads_of(desk, company)
        ],
    }


def atom(desk: Desk, token: str) -> str:
    """The feed as Atom."""
    company = company_of(desk, token)
    found = leads_of(desk, company)
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")

    def say(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> None:
        ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes).text = text or None

    newest = max((_published(*each) for each in found), default=company.created_at.isoformat())
    say(feed, "id", f"urn:maatmatch:company:{company.id}")
    say(feed, "title", f"Maatmatch: {company.name}")
    say(feed, "updated", newest)
    author = ElementTree.SubElement(feed, f"{{{_ATOM}}}author")
    say(author, "name", "Maatmatch")
    for lead, broadcast in found:
        entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
        say(entry, "id", f"urn:maatmatch:lead:{lead.id}")
        say(entry, "title", broadcast.content["title"])
        say(entry, "updated", _published(lead, broadcast))
        say(entry, "link", href=links.lead_link(desk, lead))
        say(entry, "content", broadcast.content["text"], type="text")
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True)


def _published(lead: Lead, broadcast: Broadcast) -> str:
    return max(lead.created_at, broadcast.released_at).isoformat()
