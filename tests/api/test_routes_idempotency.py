"""Idempotency-Key: sent again, a POST does its work once and answers the same."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from api.app import create_app
from api.idempotency import KEPT, REPLAYED
from api.runtime import Runtime
from api.services.desk import Desk
from models import Company, IdempotentResponse, Message, Need, now
from tests.api.stage import TEXT, Theatre, token
from tests.conftest import World

NEED = {"text": TEXT, "place": "2800 Mechelen"}
KEY = {"Idempotency-Key": "need-41"}


@pytest.fixture
def client(runtime: Runtime, world: World) -> Iterator[TestClient]:
    """Finn's token, on each database."""
    with runtime.sessions.begin() as session:
        secret = token(Desk(session, runtime), world.finn)
    with TestClient(create_app(runtime)) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


def count(runtime: Runtime, table: Any) -> int:
    with runtime.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_repeat_gets_the_same_answer_and_does_nothing(
    client: TestClient, runtime: Runtime
) -> None:
    first = client.post("/v1/needs", json=NEED, headers=KEY)
    assert first.status_code == 201
    assert REPLAYED not in first.headers
    mails = count(runtime, Message)
    for _ in range(3):
        again = client.post("/v1/needs", json=NEED, headers=KEY)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers[REPLAYED] == "true"
    assert count(runtime, Need) == 1
    assert count(runtime, Message) == mails


def test_without_a_key_everything_is_done_again(client: TestClient, runtime: Runtime) -> None:
    for _ in range(2):
        assert client.post("/v1/needs", json=NEED).status_code == 201
    assert count(runtime, Need) == 2
    assert count(runtime, IdempotentResponse) == 0


def test_the_same_key_for_another_request_is_refused(client: TestClient, runtime: Runtime) -> None:
    assert client.post("/v1/needs", json=NEED, headers=KEY).status_code == 201
    for path, body in (
        ("/v1/needs", NEED | {"volume": "2 ton"}),
        ("/v1/needs?x=1", NEED),
        ("/v1/companies", {"name": "X", "sites": [{"place": "2800"}]}),
    ):
        answer = client.post(path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert count(runtime, Need) == 1
    assert count(runtime, Company) == 3


def test_a_failed_request_may_be_sent_again(client: TestClient, runtime: Runtime) -> None:
    wrong = client.post("/v1/needs", json=NEED | {"place": "Nergenshuizen"}, headers=KEY)
    assert wrong.status_code == 422
    assert count(runtime, IdempotentResponse) == 0
    assert client.post("/v1/needs", json=NEED, headers=KEY).status_code == 201


def test_two_callers_may_use_the_same_key(
    client: TestClient, runtime: Runtime, world: World
) -> None:
    with runtime.sessions.begin() as session:
        other = token(Desk(session, runtime), world.finn)
    first = client.post("/v1/needs", json=NEED, headers=KEY)
    second = client.post("/v1/needs", json=NEED, headers=KEY | {"Authorization": f"Bearer {other}"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert count(runtime, Need) == 2


def test_two_at_once_do_the_work_once(client: TestClient, runtime: Runtime) -> None:
    barrier, answers = threading.Barrier(4), []

    def call() -> None:
        barrier.wait(timeout=30)
        answers.append(client.post("/v1/needs", json=NEED, headers=KEY))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    fresh = [each for each in answers if each.status_code == 201 and REPLAYED not in each.headers]
    replayed = [each for each in answers if REPLAYED in each.headers]
    refused = [each for each in answers if each.status_code == 409]
    assert len(answers) == 4
    assert len(fresh) == 1
    assert len(fresh) + len(replayed) + len(refused) == 4
    assert all(each.content == fresh[0].content for each in replayed)
    assert all(each.json()["code"] == "same_key_at_once" for each in refused)
    assert count(runtime, Need) == 1
    assert client.post("/v1/needs", json=NEED, headers=KEY).content == fresh[0].content


def test_answers_are_forgotten_after_a_week(client: TestClient, runtime: Runtime) -> None:
    assert client.post("/v1/needs", json=NEED, headers=KEY).status_code == 201
    with runtime.sessions.begin() as session:
        past = now() - KEPT - timedelta(hours=1)
        session.execute(update(IdempotentResponse).values(created_at=past))
    answer = client.post("/v1/needs", json=NEED, headers=KEY)
    assert answer.status_code == 201
    assert REPLAYED not in answer.headers
    assert count(runtime, Need) == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "é".encode(), "k" * 201])
def test_a_key_must_be_plain(theatre: Theatre, key: str | bytes) -> None:
    with theatre.play("firm") as client:
        answer = client.post("/v1/needs", json=NEED, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["field"]) == (422, "idempotency-key")


def test_every_post_takes_a_key(theatre: Theatre) -> None:
    for path, methods in theatre.app.openapi()["paths"].items():
        names = {each["name"] for each in methods.get("post", {}).get("parameters", ())}
        if "post" in methods and path != "/v1/match":  # which keeps nothing
            assert "idempotency-key" in names, path
