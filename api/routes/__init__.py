"""The JSON API: one file per noun, all under /v1."""

from fastapi import APIRouter

from api.routes import (
    answers,
    attachments,
    broadcasts,
    choices,
    collaborations,
    companies,
    exceptions,
    exposure,
    hubs,
    leads,
    match,
    meetings,
    needs,
    offers,
    questions,
    tokens,
    verdicts,
    webhooks,
)

DESCRIPTION = """\
Everything Maatmatch does, for machines.

**Signing in.** Send `Authorization: Bearer mm_...`. A token speaks for one role (coordinator of a
hub, member of a firm or of a maatwerkbedrijf) and holds scopes, `noun:read` or `noun:write`. Only
`POST /v1/match` needs no token.

**Errors** are `application/problem+json` (RFC 9457). Decide on `code`, which is stable; `detail`
says in English what to do; `field` names the field that is wrong, where there is one. What is not
yours does not exist for you: 404.

**Lists** come in pages: give `next_cursor` as `?cursor=` until it is null; `?limit=` is 1 to 200.

**Repeats.** Give a POST an `Idempotency-Key`: sent again within seven days, the same request gets
the same answer with `Idempotent-Replay: true`, and is carried out once. The same key with another
request is refused.

**Webhooks.** Events come as a POST with `Maatmatch-Signature: t=<seconds>,v1=<hex>`. Check each:

    t, v1 = (part.split("=")[1] for part in headers["Maatmatch-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(v1, wanted)
    assert abs(time.time() - int(t)) < 300

Answer 2xx within ten seconds; otherwise it is sent again, later and later, with the same `id`.

**Neutrality.** Every eligible maatwerkbedrijf gets the same lead at the same moment. Interested
ones are listed in a neutral order: sort by the SHA-256 of `<need id>:<company id>`.
"""

router = APIRouter(prefix="/v1")
for _noun in (
    match,
    needs,
    attachments,
    verdicts,
    exceptions,
    broadcasts,
    leads,
    answers,
    questions,
    choices,
    meetings,
    collaborations,
    companies,
    offers,
    hubs,
    exposure,
    tokens,
    webhooks,
):
    router.include_router(_noun.router)
