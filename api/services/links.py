"""Personal links: signed, so that nothing secret is stored; revoked by raising a version."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from api.errors import Gone, NotFound
from api.services import authorisation
from api.services.desk import Desk
from models import Lead

LASTS = timedelta(days=180)  # after the lead is closed; until then it is asked how things go
_SIGNATURE = 32  # hexadecimal characters: 128 bits


def sign(desk: Desk, purpose: str, subject: str) -> str:
    """The signature of a subject for one purpose, as part of a link."""
    key = desk.runtime.settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"{purpose}:{subject}".encode(), hashlib.sha256).hexdigest()[:_SIGNATURE]


def lead_link(desk: Desk, lead: Lead) -> str:
    """The address at which one company reads and answers one lead, without an account."""
    subject = f"{lead.id}.{lead.link_version}"
    signature = sign(desk, "lead", subject)
    return f"{desk.runtime.settings.base_url}/l/{subject}.{signature}"


def lead_of(desk: Desk, token: str) -> Lead:
    """The lead a personal link is for.

    Raises NotFound (forged, or not released yet) or Gone (revoked, expired), which says where a
    new link is asked for (`again`) or what one reads after signing in (`next`).
    """
    lead, version = _signed_lead(desk, token)
    if lead.closed_at is not None and desk.at > lead.closed_at + LASTS:
        raise Gone(
            "link_expired",
            "this link has expired; sign in to read the lead again",
            next=f"/leads/{lead.id}",
        )
    if version != str(lead.link_version):
        raise Gone(
            "link_revoked", "this link was replaced; use the newest mail", again=f"/l/{token}/again"
        )
    return authorisation.released(desk, lead)


def replaced_lead(desk: Desk, token: str) -> Lead | None:
    """The lead a link was for before another replaced it; None when it still counts.

    Raises NotFound when it is forged.
    """
    lead, version = _signed_lead(desk, token)
    return lead if version != str(lead.link_version) else None


def _signed_lead(desk: Desk, token: str) -> tuple[Lead, str]:
    """The lead of a link that we once signed, and which version of the link it is."""
    lead_id, _, rest = token.partition(".")
    version, _, signature = rest.partition(".")
    expected = sign(desk, "lead", f"{lead_id}.{version}")
    lead = desk.session.get(Lead, lead_id) if lead_id.isalnum() else None
    if lead is None or not hmac.compare_digest(signature.encode(), expected.encode()):
        raise NotFound("bad_link", "this link is not complete; copy the whole link from the mail")
    return lead, version


def unsubscribe_link(desk: Desk, company_id: str) -> str:
    """The address that stops reminders for a company in one click (RFC 8058)."""
    return (
        f"{desk.runtime.settings.base_url}/unsubscribe/"
        f"{company_id}.{sign(desk, 'unsubscribe', company_id)}"
    )


def company_to_unsubscribe(desk: Desk, token: str) -> str:
    """The company id in an unsubscribe link. Raises NotFound when forged."""
    company_id, _, signature = token.partition(".")
    expected = sign(desk, "unsubscribe", company_id)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise NotFound("bad_link", "this link is not complete; copy the whole link from the mail")
    return company_id


def new_secret() -> str:
    """A secret for a link, cookie or token: 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What is stored of a secret: its SHA-256 (the secret is random, so no salt is needed)."""
    return hashlib.sha256(secret.encode()).hexdigest()
