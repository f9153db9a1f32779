"""Signing in by mailed link, browser sessions, API tokens. Only hashes of secrets are kept."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update

from api.errors import Gone, Invalid, NotFound, NotSignedIn
from api.services import audit, checks, links, outbox, people
from api.services.desk import Actor, Desk
from models import ApiToken, BrowserSession, Membership, Person, SignInLink
from models.message import MessageKind

SIGN_IN_LINK = timedelta(minutes=30)
MAIL_LINK = timedelta(days=30)  # links inside mails about one's own need
SESSION = timedelta(days=14)
NOTED = timedelta(hours=1)
SCOPES = tuple(
    f"{noun}:{what}"
    for noun in ("needs", "broadcasts", "leads", "companies", "hubs", "webhooks")
    for what in ("read", "write")
)


def new_link(
    desk: Desk, person: Person, next_path: str = "/", lasts: timedelta = SIGN_IN_LINK
) -> str:
    """An address that signs this person in once and then opens `next_path`."""
    secret = links.new_secret()
    desk.session.add(
        SignInLink(
            person_id=person.id,
            token_hash=links.secret_hash(secret),
            next=safe_path(next_path),
            expires_at=desk.at + lasts,
        )
    )
    return f"{desk.runtime.settings.base_url}/sign-in/{secret}"


def safe_path(path: str) -> str:
    """A path inside this site; anything else becomes the front page (no open redirects)."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside and len(path) <= 500 and path.isprintable() else "/"


def mail_link(desk: Desk, email: str, next_path: str = "/") -> None:
    """Mail a sign-in link if somebody has this address; nobody learns whether that is so."""
    address = checks.email(email)
    person = desk.session.scalar(select(Person).where(Person.email == address))
    if person is not None:
        _mail(desk, person, next_path)


def mail_again(desk: Desk, secret: str) -> None:
    """Mail another link to whom a used or outdated one was mailed, for the same page.

    Nobody learns whether that is so: somebody else's old link says nothing about its reader.
    """
    link = _kept_link(desk, secret)
    if link is not None:
        _mail(desk, desk.session.get_one(Person, link.person_id), link.next)


def _mail(desk: Desk, person: Person, next_path: str) -> None:
    outbox.queue(
        desk,
        MessageKind.SIGN_IN,
        outbox.Recipient(person.email, person.name, person.language),
        link=new_link(desk, person, next_path),
        minutes=int(SIGN_IN_LINK.total_seconds() // 60),
    )


def used_by(desk: Desk, secret: str) -> SignInLink | None:
    """A link that no longer works but was for whoever is signed in already; else None."""
    link = _kept_link(desk, secret)
    mine = link is not None and link.person_id == desk.actor.person_id
    return link if mine else None


def _kept_link(desk: Desk, secret: str) -> SignInLink | None:
    return desk.session.scalar(
        select(SignInLink).where(SignInLink.token_hash == links.secret_hash(secret))
    )


def look_up(desk: Desk, secret: str) -> SignInLink:
    """The link, if it can still be used. Raises NotFound or Gone."""
    link = _kept_link(desk, secret)
    if link is None:
        raise NotFound("bad_link", "this link is not complete; copy the whole link from the mail")
    if link.used_at is not None or link.expires_at <= desk.at:
        raise _worn_out(secret)
    return link


def _worn_out(secret: str) -> Gone:
    return Gone(
        "link_used",
        "this link was used already or is too old; ask for a new one",
        again=f"/sign-in/{secret}/again",
    )


def form_of(desk: Desk, secret: str, browser: str) -> str:
    """What the form of a sign-in link carries, so that it counts in one browser alone."""
    return links.sign(desk, "sign-in", f"{browser}.{links.secret_hash(secret)}")


def is_form_of(desk: Desk, secret: str, browser: str, proof: str) -> bool:
    """Whether this browser was shown the form that it sends."""
    expected = form_of(desk, secret, browser)
    return bool(browser) and hmac.compare_digest(proof.encode(), expected.encode())


def redeem(desk: Desk, secret: str, agent: str = "") -> tuple[str, BrowserSession, str]:
    """Use a link up: (cookie value, session, path to open). Raises NotFound or Gone.

    The condition in the UPDATE makes sure that of two people pressing at once one signs in.
    """
    link = look_up(desk, secret)
    used = desk.session.execute(
        update(SignInLink)
        .where(SignInLink.id == link.id, SignInLink.used_at.is_(None))
        .values(used_at=desk.at)
        .returning(SignInLink.id)
    ).first()
    if used is None:
        raise _worn_out(secret)
    person = desk.session.get_one(Person, link.person_id)
    person.email_proven_at = person.email_proven_at or desk.at
    cookie = links.new_secret()
    session = BrowserSession(
        person_id=person.id,
        token_hash=links.secret_hash(cookie),
        csrf=links.new_secret(),
        agent=agent[:300],
        seen_at=desk.at,
        expires_at=desk.at + SESSION,
    )
    desk.session.add(session)
    audit.record(desk.as_actor(Actor(person.id)), "sign_in", "person", person.id)
    return cookie, session, link.next


def session_of(desk: Desk, cookie: str) -> tuple[BrowserSession, Person] | None:
    """The live session and person behind a cookie; None when there is none."""
    row = desk.session.execute(
        select(BrowserSession, Person)
        .join(Person, Person.id == BrowserSession.person_id)
        .where(
            BrowserSession.token_hash == links.secret_hash(cookie),
            BrowserSession.revoked_at.is_(None),
            BrowserSession.expires_at > desk.at,
        )
    ).first()
    return (row[0], row[1]) if row else None


def sessions(desk: Desk, person_id: str) -> Sequence[BrowserSession]:
    """The live sessions of a person, newest first."""
    return desk.session.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.person_id == person_id,
            BrowserSession.revoked_at.is_(None),
            BrowserSession.expires_at > desk.at,
        )
        .order_by(BrowserSession.id.desc())
    ).all()


def sign_out(desk: Desk, person_id: str, session_id: str | None = None) -> None:
    """End one session of a person, or all of them."""
    statement = update(BrowserSession).where(
        BrowserSession.person_id == person_id, BrowserSession.revoked_at.is_(None)
    )
    if session_id is not None:
        statement = statement.where(BrowserSession.id == session_id)
    desk.session.execute(statement.values(revoked_at=desk.at))


def new_token(
    desk: Desk, membership_id: str, name: str, scopes: Sequence[str]
) -> tuple[str, ApiToken]:
    """An API token for one of the caller's own roles: (the secret, shown once; the row).

    Raises Invalid for unknown scopes, NotFound for another person's role.
    """
    membership = desk.session.get(Membership, membership_id)
    if membership is None or membership.person_id != desk.actor.person_id:
        raise NotFound("role_not_found", "there is no such role of yours")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Invalid("bad_scopes", f"scopes: choose from {', '.join(SCOPES)}", field="scopes")
    secret = "mm_" + links.new_secret()
    token = ApiToken(
        membership_id=membership.id,
        name=checks.line(name, "name", least=1, most=200),
        token_hash=links.secret_hash(secret),
        scopes=sorted(set(scopes)),
    )
    desk.session.add(token)
    desk.session.flush()
    audit.record(desk, "new_token", "token", token.id, membership.hub_id, scopes=token.scopes)
    return secret, token


def tokens(desk: Desk, person_id: str) -> Sequence[ApiToken]:
    """The tokens of a person that are not revoked."""
    return desk.session.scalars(
        select(ApiToken)
        .join(Membership)
        .where(Membership.person_id == person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id)
    ).all()


def revoke_token(desk: Desk, token_id: str) -> None:
    """Make one of the caller's own tokens worthless. Raises NotFound."""
    token = desk.session.get(ApiToken, token_id)
    membership = token and desk.session.get(Membership, token.membership_id)
    if token is None or not membership or membership.person_id != desk.actor.person_id:
        raise NotFound("token_not_found", "there is no such token of yours")
    token.revoked_at = desk.at
    audit.record(desk, "revoke_token", "token", token.id)


def actor_by_token(desk: Desk, secret: str) -> tuple[Actor, ApiToken]:
    """Who an API token speaks for, and the token.

    Raises NotSignedIn when it is unknown, revoked or expired.
    """
    row = desk.session.execute(
        select(ApiToken, Membership, Person)
        .join(Membership, Membership.id == ApiToken.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(ApiToken.token_hash == links.secret_hash(secret), ApiToken.revoked_at.is_(None))
    ).first()
    if row is None or (row[0].expires_at and row[0].expires_at <= desk.at):
        raise NotSignedIn("bad_token", "the API token is unknown, revoked or expired")
    token, membership, person = row
    actor = people.actor_of(desk, person, only=membership.id, scopes=frozenset(token.scopes))
    return actor, token


def is_noted(desk: Desk, token: ApiToken) -> bool:
    """Whether it is written that this token is in use: once an hour is enough to know."""
    return token.used_at is not None and token.used_at > desk.at - NOTED


def note_use(desk: Desk, token_id: str) -> None:
    """Write when a token was used, so that its owner can tell which ones are forgotten."""
    desk.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=desk.at))
