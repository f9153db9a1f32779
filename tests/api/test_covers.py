"""Which steps a company's offers cover, in words: for coordinator, firm and company."""

import re
from html import unescape

import pytest

from api.rendering import environment
from tests.api.stage import Theatre

CALL = '{% import "macros.html" as m %}{{ m.covers(steps, ours=ours) }}'


def said(steps: dict[str, bool], *, ours: bool = False, language: str = "nl") -> str:
    found = [{"text": text, "suits": suits} for text, suits in steps.items()]
    page = environment(language).from_string(CALL).render(steps=found, ours=ours)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_what_is_done_and_what_is_not_stands_in_words() -> None:
    some = {"wassen": True, "plooien": True, "ophalen": False}
    assert said(some) == "Doet: wassen; plooien Niet in hun aanbod: ophalen"
    assert said(some, ours=True) == "Doen jullie: wassen; plooien Niet in jullie aanbod: ophalen"
    assert said({"wassen": True, "plooien": True}) == "Doet elke deelstap."
    assert said({"wassen": False, "plooien": False}) == "Niet in hun aanbod: wassen; plooien"
    assert said({"wassen": True}) == ""
    assert said({}) == ""


@pytest.mark.parametrize(("language", "word"), [("fr", "Fait :"), ("en", "Does:")])
def test_in_other_languages(language: str, word: str) -> None:
    assert word in said({"wassen": True, "ophalen": False}, language=language)


def test_a_machine_reads_them_too(theatre: Theatre) -> None:
    need = theatre.stage.ids["open"]
    with theatre.play("firm") as client:
        (found,) = client.get(f"/v1/needs/{need}/interested").json()
        assert found["offer_text"]
        assert found["company"]["email"] is None, "how to reach it is told with the choice"
        steps = [step["text"] for step in client.get(f"/v1/needs/{need}").json()["steps"]]
        assert [step["text"] for step in found["steps"]] == steps
        assert any(step["suits"] for step in found["steps"])

        client.post(f"/v1/needs/{need}/choices", json={"leads": [found["lead_id"]]})
        (chosen,) = client.get(f"/v1/needs/{need}/interested").json()
        assert chosen["company"]["email"]
