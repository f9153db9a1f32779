"""Vectors of offers: stored with the encoder that made them, kept fresh, gathered in an index."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import func, select

from api.services.desk import Desk
from matcher.encoder import Encoder
from matcher.signals import OfferIndex, OfferLine
from models import Company, Offer, OfferVector

BATCH = 512
Progress = Callable[[int, int], None]


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stale_offers(desk: Desk, encoder: Encoder) -> Sequence[Offer]:
    """The offers whose vector by this encoder is missing or of an older text."""
    rows = desk.session.execute(
        select(Offer, OfferVector.text_hash)
        .outerjoin(
            OfferVector,
            (OfferVector.offer_id == Offer.id) & (OfferVector.encoder == encoder.identity),
        )
        .order_by(Offer.id)
    )
    return [offer for offer, known in rows if known != text_hash(offer.text)]


def refresh_vectors(
    desk: Desk, progress: Progress | None = None, *, most: int | None = None
) -> int:
    """Encode what is new or was encoded by another model (`most` of it); returns how many.

    The vectors of the former model stay until all of the new are there, so that a serving
    process never lacks any.
    """
    encoder = desk.runtime.ranker.encoder
    stale = stale_offers(desk, encoder)
    if most is not None and len(stale) > most:
        _store(desk, encoder, stale[:most])
        return most
    for start in range(0, len(stale), BATCH):
        batch = stale[start : start + BATCH]
        _store(desk, encoder, batch)
        if progress:
            progress(min(start + BATCH, len(stale)), len(stale))
    desk.session.flush()
    for old in desk.session.scalars(
        select(OfferVector).where(OfferVector.encoder != encoder.identity)
    ):
        desk.session.delete(old)
    return len(stale)


def _store(desk: Desk, encoder: Encoder, offers: Sequence[Offer]) -> None:
    vectors = desk.runtime.ranker.encode_offers([offer.text for offer in offers])
    known = {
        each.offer_id: each
        for each in desk.session.scalars(
            select(OfferVector).where(
                OfferVector.encoder == encoder.identity,
                OfferVector.offer_id.in_([offer.id for offer in offers]),
            )
        )
    }
    for offer, vector in zip(offers, vectors, strict=True):
        row = known.get(offer.id)
        if row is None:
            row = OfferVector(offer_id=offer.id, encoder=encoder.identity)
            desk.session.add(row)
        row.text_hash = text_hash(offer.text)
        row.vector = vector.astype("<f4").tobytes()


def offer_index(desk: Desk, *, anew: bool = False) -> OfferIndex:
    """The index of all active offers, rebuilt when any offer or company has changed, or `anew`."""
    runtime = desk.runtime
    fingerprint = _fingerprint(desk)
    with runtime.lock:
        if anew or runtime.offer_index is None or runtime.offer_index[0] != fingerprint:
            runtime.offer_index = (fingerprint, _build_index(desk))
        return runtime.offer_index[1]


def _fingerprint(desk: Desk) -> str:
    offers = desk.session.execute(select(func.count(Offer.id), func.max(Offer.updated_at))).one()
    companies = desk.session.execute(
        select(func.count(Company.id), func.max(Company.updated_at))
    ).one()
    return f"{desk.runtime.ranker.encoder.identity}|{tuple(offers)}|{tuple(companies)}"


def _build_index(desk: Desk) -> OfferIndex:
    encoder = desk.runtime.ranker.encoder
    rows = desk.session.execute(
        select(Offer, OfferVector.text_hash, OfferVector.vector)
        .join(Company)
        .outerjoin(
            OfferVector,
            (OfferVector.offer_id == Offer.id) & (OfferVector.encoder == encoder.identity),
        )
        .where(Offer.active, Company.active)
        .order_by(Offer.id)
    ).all()
    lines = [OfferLine(offer.id, offer.text, offer.company_id) for offer, _, _ in rows]
    vectors = np.zeros((len(rows), encoder.dimension), np.float32)
    missing = []
    for position, (offer, known, blob) in enumerate(rows):
        if known == text_hash(offer.text):
            vectors[position] = np.frombuffer(blob, "<f4")
        else:
            missing.append(position)
    if missing:
        vectors[missing] = desk.runtime.ranker.encode_offers(
            [lines[position].text for position in missing]
        )
    return desk.runtime.ranker.index(lines, vectors)
