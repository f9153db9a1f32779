"""Whatever is sent, the answer is a clear problem+json or a result; and lists come in pages."""

import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.app import create_app
from api.runtime import Runtime
from api.services import checks
from api.services.desk import Desk
from api.services.signin import safe_path
from models import Need
from tests.api.stage import TEXT, Theatre, token
from tests.conftest import World

LONG = "luiers wassen " * 8_000  # 112,000 characters
WEIRD = {
    "empty": "",
    "spaces": "     \n\t      ",
    "long": LONG,
    "emoji": "🧺👕🫧 " * 20,
    "html": "<script>alert(1)</script><p>luiers wassen en plooien</p>",
    "nul": "luiers wassen\x00 en plooien\x00",
    "surrogate": "luiers \ud800 wassen en plooien",
    "arabic": "نبحث عن شخص يغسل ملابسنا كل أسبوع",
    "chinese": "我们正在寻找每周为我们洗衣服的人",
    "combining": "w" + "\u0301" * 5_000 + "assen",
    "direction": "luiers \u202e wassen \u2066 en plooien",
    "sql": "'; DROP TABLE need; -- luiers wassen en plooien",
    "template": "{{ 7 * 7 }} ${7*7} %(name)s luiers wassen",
}
WRONG_TYPES: list[Any] = [None, 7, 1e308, True, [], {}, ["x"], {"a": 1}]


def check(answer: Any, *statuses: int) -> None:
    """The answer has one of these statuses, and is a whole problem where it is an error."""
    assert answer.status_code in statuses, answer.text[:500]
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:maatmatch:problem:{problem['code']}"
    assert problem["detail"]
    assert problem["title"]


def post(client: Any, path: str, body: Any) -> Any:
    """JSON as a client that escapes everything sends it, lone surrogates included."""
    return client.post(
        f"/v1{path}",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )


@pytest.mark.parametrize("name", WEIRD)
def test_weird_texts(theatre: Theatre, name: str) -> None:
    text = WEIRD[name]
    refused = name in ("empty", "spaces", "long", "surrogate")
    with theatre.play("firm") as client:
        need = {"text": text, "place": "2800"}
        check(post(client, "/needs", need), *((413, 422) if refused else (201,)))
        check(post(client, "/match", {"text": text}), *((413, 422) if refused else (200,)))
        offers = [{"id": "a", "text": text}]
        answer = post(client, "/match", {"text": TEXT, "offers": offers})
        check(answer, *((422,) if name in ("long", "surrogate", "combining") else (200,)))
        for field in ("place", "title", "volume", "hub", "external_id", "contact_email", "kbo"):
            check(post(client, "/needs", need | {field: text}), 201, 404, 413, 422)
    with theatre.play("coordinator") as client:
        for field in ("name", "email", "kbo", "website", "description", "phone", "external_id"):
            body = {"name": "De Nieuwe", "sites": [{"place": "2500"}]} | {field: text}
            check(post(client, "/companies", body), 201, 413, 422)
        check(post(client, "/companies", {"name": "X", "sites": [{"place": text}]}), 201, 422)


def test_weird_texts_everywhere_on_both_databases(runtime: Runtime, world: World) -> None:
    """PostgreSQL refuses what SQLite swallows: NUL, half characters, one character too many."""
    with runtime.sessions.begin() as session:
        tokens = {
            "firm": token(Desk(session, runtime), world.finn),
            "company": token(Desk(session, runtime), world.mira),
            "coordinator": token(Desk(session, runtime), world.cato),
        }
    client = TestClient(create_app(runtime))
    client.headers["Authorization"] = f"Bearer {tokens['firm']}"
    need = post(client, "/needs", {"text": TEXT, "place": "2800"}).json()["id"]
    texts = [*WEIRD.values(), "x" * 40, "x" * 41, "x" * 200, "x" * 201, "x" * 299, "x" * 300]
    sent: list[tuple[str, str, str, dict[str, Any], tuple[str, ...]]] = [
        (
            "firm",
            "POST",
            "/needs",
            {"text": TEXT, "place": "2800"},
            (
                "text",
                "place",
                "title",
                "volume",
                "rhythm",
                "contact_name",
                "contact_email",
                "contact_phone",
                "kbo",
                "hub",
                "external_id",
            ),
        ),
        ("firm", "PATCH", f"/needs/{need}", {}, ("title", "volume", "rhythm")),
        ("coordinator", "POST", f"/needs/{need}/questions", {}, ("text",)),
        (
            "coordinator",
            "POST",
            f"/needs/{need}/exceptions",
            {"company_id": world.wash, "kind": "left_out"},
            ("reason",),
        ),
        (
            "coordinator",
            "POST",
            "/companies",
            {"name": "X", "sites": [{"place": "2500"}]},
            ("name", "email", "kbo", "phone", "website", "description", "external_id"),
        ),
        (
            "company",
            "PATCH",
            f"/companies/{world.wash}",
            {},
            ("name", "email", "phone", "website", "description"),
        ),
        ("company", "POST", f"/companies/{world.wash}/offers", {}, ("text", "external_id")),
    ]
    for role, method, path, body, fields in sent:
        client.headers["Authorization"] = f"Bearer {tokens[role]}"
        for field in fields:
            for text in texts:
                answer = client.request(
                    method,
                    f"/v1{path}",
                    content=json.dumps(body | {field: text}).encode(),
                    headers={"Content-Type": "application/json"},
                )
                check(answer, 200, 201, 404, 409, 413, 422)


@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
def test_wrong_types(theatre: Theatre, value: Any) -> None:
    with theatre.play("firm") as client:
        check(post(client, "/needs", value), 422)
        check(post(client, "/match", value), 422)
        for field in ("text", "place", "certificates", "starts_on", "work_place", "language"):
            answer = post(client, "/needs", {"text": TEXT, "place": "2800", field: value})
            optional = field in ("starts_on", "language") and value is None
            fine = optional or (field == "certificates" and value == [])
            check(answer, 201 if fine else 422)
        for field in ("text", "top", "offers"):
            fine = (field, value) in (("top", 7), ("offers", None), ("offers", []))
            check(post(client, "/match", {"text": TEXT, field: value}), 200 if fine else 422)


def test_bodies_that_are_no_json(theatre: Theatre) -> None:
    bodies = {
        b"": 422,
        b"{": 422,
        b"\xff\xfe": 422,
        b'{"text": "\xff"}': 400,
        b'{"text": "\xed\xa0\x80"}': 422,
        b"[" * 100_000: 400,
        b'{"text": ' + b"9" * 5_000 + b"}": 400,
        b'{"text": NaN}': 422,
        b'{"text": "x", "top": Infinity}': 422,
        b'{"text": "x", "top": 1e999}': 422,
        b'{"text": "x", "\\ud800": 1}': 422,
        json.dumps({"text": TEXT, "y" * 100_000: 1}).encode(): 422,
    }
    headers = {"Content-Type": "application/json"}
    with theatre.play("firm") as client:
        for body, status in bodies.items():
            for path in ("match", "needs"):
                check(client.post(f"/v1/{path}", content=body, headers=headers), status)
        check(client.post("/v1/needs", content=TEXT, headers={"Content-Type": "text/plain"}), 422)


def test_too_large_a_body_is_refused(theatre: Theatre) -> None:
    body = json.dumps({"text": "x" * 2_100_000}).encode()
    with theatre.play("firm") as client:
        check(client.post("/v1/match", content=body), 413)

        def pieces() -> Any:
            for start in range(0, len(body), 65_536):
                yield body[start : start + 65_536]

        headers = {"Content-Type": "application/json"}
        check(client.post("/v1/match", content=pieces(), headers=headers), 413)


@pytest.mark.parametrize(
    "path",
    [
        "/needs/%00",
        "/needs/%ED%A0%80",
        "/needs/" + "9" * 5_000,
        "/needs/01ARZ3NDEKTSV4RRFFQ69G5FA%0A",
        "/needs/..%2F..%2Fetc%2Fpasswd",
        "/needs?state=%00",
        "/needs?state=nonsense",
        "/needs?hub_id=%00",
        "/offers?active=perhaps",
        "/needs?limit=0",
        "/needs?limit=201",
        "/needs?limit=" + "9" * 5_000,
        "/needs?limit=1e3",
        "/needs?cursor=%00",
        "/needs?cursor=nonsense",
        "/needs?cursor=" + "A" * 5_000,
        "/needs?cursor=w6k",
        "/nowhere",
    ],
)
def test_weird_addresses(theatre: Theatre, path: str) -> None:
    with theatre.play("coordinator") as client:
        check(client.get(f"/v1{path}"), 404, 422)


def test_weird_tokens(theatre: Theatre) -> None:
    with theatre.play() as client:
        for header in (
            "",
            "Bearer",
            "Bearer ",
            "Basic eDp5",
            "Bearer \x00",
            "Bearer é",
            "x" * 9_000,
        ):
            answer = client.get("/v1/me", headers={"Authorization": header.encode("latin-1")})
            check(answer, 401)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="maatmatch"'


def test_a_method_that_is_not_there(theatre: Theatre) -> None:
    with theatre.play("coordinator") as client:
        answer = client.put("/v1/needs")
        check(answer, 405)
        assert answer.headers["allow"]


def test_deadlines_at_the_ends_of_time(theatre: Theatre) -> None:
    need = theatre.stage.ids["waiting"]
    with theatre.play("coordinator") as client:
        for deadline in (
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2020-01-01T00:00:00Z",
            "2126-01-01T00:00:00Z",
            "2027-01-01T00:00:00",
            4e18,
            "tomorrow",
        ):
            check(post(client, f"/needs/{need}/approve", {"deadline": deadline}), 422)


def test_the_same_external_id_twice(theatre: Theatre) -> None:
    with theatre.play("coordinator") as client:
        company = {"name": "De Nieuwe", "sites": [{"place": "2500"}], "external_id": "crm-7"}
        check(post(client, "/companies", company), 201)
        check(post(client, "/companies", company), 409)
    with theatre.play("firm") as client:
        need = {"text": TEXT, "place": "2800", "external_id": "crm-7"}
        check(post(client, "/needs", need), 201)
        check(post(client, "/needs", need), 409)


def test_pages_hold_every_row_once(theatre: Theatre) -> None:
    with theatre.play("coordinator") as client:
        for path, size in (
            ("needs", 1),
            ("companies", 2),
            ("offers", 2),
            ("hubs", 5),
            (f"needs/{theatre.stage.ids['waiting']}/verdicts", 1),
            (f"needs/{theatre.stage.ids['open']}/verdicts", 1),
            (f"broadcasts/{theatre.stage.ids['broadcast']}/ledger", 2),
            (f"companies/{theatre.stage.ids['company']}/verdicts", 1),
        ):
            whole = client.get(f"/v1/{path}?limit=200").json()
            assert whole["next_cursor"] is None
            read: list[Any] = []
            cursor, pages = None, 0
            while cursor is not None or pages == 0:
                query = {"limit": size} | ({"cursor": cursor} if cursor else {})
                page = client.get(f"/v1/{path}", params=query).json()
                assert 0 < len(page["items"]) <= size
                read += page["items"]
                cursor, pages = page["next_cursor"], pages + 1
            assert read == whole["items"]
            assert pages == -(-len(read) // size) > 1


def test_a_cursor_of_another_kind_of_list_is_refused(theatre: Theatre) -> None:
    ledger = f"/v1/broadcasts/{theatre.stage.ids['broadcast']}/ledger"
    with theatre.play("coordinator") as client:
        number = client.get(ledger, params={"limit": 1}).json()["next_cursor"]
        check(client.get("/v1/needs", params={"cursor": number}), 422)
        an_id = client.get("/v1/needs", params={"limit": 1}).json()["next_cursor"]
        check(client.get(ledger, params={"cursor": an_id}), 422)


def test_match_explains_and_ranks(theatre: Theatre) -> None:
    with theatre.play() as client:
        answer = post(client, "/match", {"text": TEXT, "top": 3}).json()
        assert answer["language"] == "nl"
        assert answer["fits"]
        assert answer["steps"][0]["activities"][0]["code"] == "textiel-wassen"
        assert len(answer["offers"]) == 3
        scores = [each["score"] for each in answer["offers"]]
        assert scores == sorted(scores, reverse=True)
        best = answer["offers"][0]
        assert best["company"]
        assert best["need_words"]
        assert best["offer_words"]
        offers = [{"id": "b", "text": "Inpakken"}, {"id": "a", "text": "Wasserij voor linnen"}]
        body = {"text": TEXT, "offers": offers}
        answer = post(client, "/match?lang=en", body).json()
        assert [each["offer_id"] for each in answer["offers"]] == ["a", "b"]
        assert answer["steps"][0]["activities"][0]["label"] == "washing and drying textiles"
        check(post(client, "/match", body | {"offers": offers * 2}), 422)


def test_reading_waits_for_no_writer(theatre: Theatre) -> None:
    """Someone imports a thousand rows: lists and matches are answered meanwhile.

    Only the first look of a day at contact data is noted, and so waits its turn.
    """
    with theatre.play("coordinator") as client:
        runtime = theatre.app.state.runtime
        check(client.get("/v1/needs"), 200)
        with runtime.engine.begin() as writer:
            writer.execute(update(Need).values(nudges=1))
            start = time.monotonic()
            check(client.get("/v1/needs"), 200)
            check(client.get(f"/v1/needs/{theatre.stage.ids['waiting']}/verdicts"), 200)
            check(client.get(f"/v1/broadcasts/{theatre.stage.ids['broadcast']}/proof"), 200)
            check(post(client, "/match", {"text": TEXT}), 200)
            assert time.monotonic() - start < 10  # a writer would wait for 30 seconds


def test_the_longest_text_is_matched_in_time(theatre: Theatre) -> None:
    """Explaining weighs every pair of words: of a long text only a piece may be explained."""
    with theatre.play() as client:
        start = time.monotonic()
        answer = post(client, "/match", {"text": "luiers wassen " * 1_400, "top": 200})
        check(answer, 200)
        assert all(len(each["step"]) <= 400 for each in answer.json()["offers"])
        assert time.monotonic() - start < 15  # it took minutes when all was explained


def test_match_is_limited_per_caller(theatre: Theatre) -> None:
    with theatre.play() as client:
        answers = [post(client, "/match", {"text": "x", "offers": []}) for _ in range(125)]
    check(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_marks_that_turn_letters_around_are_left_out() -> None:
    assert checks.text(WEIRD["direction"], "text") == "luiers  wassen  en plooien"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/\t/evil.example", "x", ""])
def test_a_way_back_stays_inside(path: str) -> None:
    assert safe_path(path) == "/"
    assert safe_path("/needs?state=open") == "/needs?state=open"
