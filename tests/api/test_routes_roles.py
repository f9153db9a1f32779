"""Who may call what: every route, every role, no token, and a token that lacks the scope."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from api.services import broadcasts as releases
from models import now
from tests.api.stage import PIXEL_BASE64, REASON, ROLES, TEXT, Theatre

ALL = "200 200 200 200 200 200"
OWN = "200 200 404 404 404 404"  # coordinators of the hub and the firm
HUB = "200 403 404 404 404 404"  # the firm may see it, but only the hub may do it
ONLY_HUB = "200 404 404 404 404 404"
FIRM = "403 201 404 404 404 404"
JUDGED = "200 200 200 200 404 404"  # also the companies that were judged
LEAD = "200 404 200 404 404 404"  # its company and the hub
COMPANY = "403 404 201 404 404 404"
NETWORK = "200 403 200 403 200 403"  # the company itself and every coordinator
NEED = {
    "text": TEXT,
    "place": "2800 Mechelen",
    "firm_name": "Bakkerij De Korst",
    "contact_name": "Bea",
    "contact_email": "finn@creche.example",
}


BOTH, BOTH_READ = "needs:write|leads:write", "needs:read|leads:read"
TABLE_OF = "200 200 200 404 404 404"  # the firm and the company of a meeting, and the hub
MEETING = "403 200 200 404 404 404"  # firm and company; the hub only looks
OF_HUB = "200 404 404 404 404 404"  # the stage's webhook is the hub's
PROPOSAL = {"moments": [(now() + timedelta(days=30)).isoformat()], "place": "Het atelier"}
HOOK = {"url": "https://93.184.215.14/hook", "company_id": "{company}"}


class Row(NamedTuple):
    """A route, the id in it, what is sent, the scope, and the status per role of ROLES."""

    method: str
    path: str
    which: str
    body: Any
    scope: str
    statuses: str


TABLE = [
    Row("POST", "/match", "", {"text": TEXT}, "", ALL),
    Row("POST", "/needs", "", NEED, "needs:write", "201 201 403 403 201 422"),
    Row("GET", "/needs", "", None, "needs:read", ALL),
    Row("GET", "/needs/{need_id}", "waiting", None, "needs:read", OWN),
    Row("PATCH", "/needs/{need_id}", "waiting", {"volume": "2 ton"}, "needs:write", OWN),
    Row(
        "PUT",
        "/needs/{need_id}/steps",
        "waiting",
        {"steps": [{"text": "lakens wassen"}]},
        "needs:write",
        HUB,
    ),
    Row("POST", "/needs/{need_id}/no-fit", "waiting", {"reason": REASON}, "needs:write", HUB),
    Row("POST", "/needs/{need_id}/withdraw", "waiting", {}, "needs:write", OWN),
    Row("POST", "/needs/{need_id}/take-back", "waiting", None, "needs:write", HUB),
    Row(
        "POST",
        "/needs/{need_id}/refer",
        "waiting",
        {"kind": "expert", "to_email": "expert@elsewhere.example", "message": REASON},
        "needs:write",
        "201 403 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/referrals", "waiting", None, "needs:read", OWN),
    Row("GET", "/needs/{need_id}/attachments", "open", None, "needs:read", OWN),
    Row(
        "POST",
        "/needs/{need_id}/attachments",
        "waiting",
        {"name": "kast.png", "content": PIXEL_BASE64},
        "needs:write",
        "201 201 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/attachments/{attachment_id}", "open", None, "needs:read", OWN),
    Row(
        "DELETE",
        "/needs/{need_id}/attachments/{attachment_id}",
        "open",
        None,
        "needs:write",
        "204 204 404 404 404 404",
    ),
    Row("GET", "/leads/{lead_id}/attachments", "", None, "leads:read", LEAD),
    Row("GET", "/leads/{lead_id}/attachments/{attachment_id}", "", None, "leads:read", LEAD),
    Row(
        "POST",
        "/needs/{need_id}/judgements",
        "waiting",
        {"company_id": "{company}", "grade": 2},
        "needs:write",
        "201 403 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/verdicts", "open", None, "needs:read", "200 403 200 200 404 404"),
    Row("GET", "/needs/{need_id}/matches", "waiting", None, "needs:read", HUB),
    Row(
        "GET",
        "/companies/{company_id}/verdicts",
        "",
        None,
        "companies:read",
        "200 403 200 403 200 403",
    ),
    Row(
        "POST",
        "/needs/{need_id}/exceptions",
        "waiting",
        {"company_id": "{company}", "kind": "left_out", "reason": REASON},
        "broadcasts:write",
        "201 403 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/exceptions", "waiting", None, "needs:read", HUB),
    Row(
        "DELETE",
        "/needs/{need_id}/exceptions/{company_id}",
        "waiting",
        None,
        "broadcasts:write",
        "204 403 404 404 404 404",
    ),
    Row(
        "POST",
        "/needs/{need_id}/approve",
        "waiting",
        {},
        "broadcasts:write",
        "201 403 404 404 404 404",
    ),
    Row(
        "POST",
        "/needs/{need_id}/corrections",
        "open",
        {"text": REASON},
        "needs:write",
        "201 201 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/corrections", "open", None, "needs:read", OWN),
    Row("GET", "/broadcasts", "", None, "broadcasts:read", ALL),
    Row("GET", "/broadcasts/{broadcast_id}", "", None, "broadcasts:read", JUDGED),
    Row(
        "GET",
        "/broadcasts/{broadcast_id}/verdicts",
        "",
        None,
        "broadcasts:read",
        "200 403 200 200 404 404",
    ),
    Row("GET", "/broadcasts/{broadcast_id}/ledger", "", None, "broadcasts:read", JUDGED),
    Row("GET", "/broadcasts/{broadcast_id}/proof", "", None, "broadcasts:read", JUDGED),
    Row("GET", "/broadcasts/{broadcast_id}/verification", "", None, "broadcasts:read", JUDGED),
    Row("GET", "/leads", "", None, "leads:read", ALL),
    Row("GET", "/leads/{lead_id}", "", None, "leads:read", "200 404 200 404 404 404"),
    Row("POST", "/leads/{lead_id}/open", "", None, "leads:write", "403 404 200 404 404 404"),
    Row("POST", "/leads/{lead_id}/answers", "", {"kind": "interested"}, "leads:write", COMPANY),
    Row("GET", "/leads/{lead_id}/answers", "", None, "leads:read", "200 404 200 404 404 404"),
    Row("POST", "/leads/{lead_id}/questions", "", {"text": REASON}, "leads:write", COMPANY),
    Row("GET", "/leads/{lead_id}/questions", "", None, "leads:read", "200 404 200 404 404 404"),
    Row(
        "POST",
        "/needs/{need_id}/questions",
        "waiting",
        {"text": REASON},
        "needs:write",
        "201 403 404 404 404 404",
    ),
    Row("GET", "/needs/{need_id}/questions", "open", None, "needs:read", OWN),
    Row("POST", "/questions/{question_id}/answer", "", {"answer": "Ja."}, "needs:write", OWN),
    Row("GET", "/needs/{need_id}/interested", "open", None, "needs:read", OWN),
    Row("POST", "/needs/{need_id}/choices", "open", {"leads": ["{lead}"]}, "needs:write", FIRM),
    Row("GET", "/needs/{need_id}/choices", "chosen", None, "needs:read", OWN),
    Row(
        "POST",
        "/needs/{need_id}/reopen",
        "chosen",
        None,
        "needs:write",
        "403 200 404 404 404 404",
    ),
    Row("GET", "/collaborations", "", None, "needs:read|leads:read", ALL),
    Row(
        "GET",
        "/collaborations/{collaboration_id}",
        "",
        None,
        "needs:read|leads:read",
        "200 200 200 404 404 404",
    ),
    Row(
        "PATCH",
        "/collaborations/{collaboration_id}",
        "",
        {"state": "trial"},
        "needs:write|leads:write",
        "200 200 200 404 404 404",
    ),
    Row(
        "POST",
        "/companies",
        "",
        {"name": "De Nieuwe", "sites": [{"place": "2500"}]},
        "companies:write",
        "201 403 403 403 201 403",
    ),
    Row("GET", "/companies", "", None, "companies:read", ALL),
    Row("GET", "/companies/{company_id}", "", None, "companies:read", ALL),
    Row("PATCH", "/companies/{company_id}", "", {"max_open_leads": 3}, "companies:write", NETWORK),
    Row(
        "PUT",
        "/companies/{company_id}/sites",
        "",
        {"sites": [{"place": "2500"}]},
        "companies:write",
        NETWORK,
    ),
    Row(
        "PUT",
        "/companies/{company_id}/certificates",
        "",
        {"certificates": [{"code": "haccp"}]},
        "companies:write",
        NETWORK,
    ),
    Row(
        "PUT",
        "/companies/{company_id}/absences",
        "",
        {"absences": [{"starts_on": "2027-07-01", "ends_on": "2027-07-20"}]},
        "companies:write",
        NETWORK,
    ),
    Row("GET", "/offers", "", None, "companies:read", ALL),
    Row("GET", "/offers/{offer_id}", "", None, "companies:read", ALL),
    Row(
        "POST",
        "/companies/{company_id}/offers",
        "",
        {"text": "Poetsen van lokalen"},
        "companies:write",
        "201 403 201 403 201 403",
    ),
    Row("PATCH", "/offers/{offer_id}", "", {"active": False}, "companies:write", NETWORK),
    Row("GET", "/hubs", "", None, "hubs:read", ALL),
    Row("GET", "/hubs/{hub_id}", "", None, "hubs:read", ALL),
    *(
        Row("GET", f"/hubs/{{hub_id}}/exposure{kind}", "", None, "hubs:read", ONLY_HUB)
        for kind in ("", ".csv", ".xlsx")
    ),
    Row("PATCH", "/hubs/{hub_id}", "", {"alpha": 0.1}, "hubs:write", "200 404 404 404 404 404"),
    Row("GET", "/leads/{lead_id}/meeting", "", None, BOTH_READ, TABLE_OF),
    Row("POST", "/leads/{lead_id}/meeting-options", "", PROPOSAL, BOTH, "403 201 201 404 404 404"),
    Row("POST", "/leads/{lead_id}/meeting-options/decline", "", {}, BOTH, MEETING),
    Row("POST", "/meeting-options/{option_id}/take", "", None, BOTH, "403 409 200 404 404 404"),
    Row("DELETE", "/leads/{lead_id}/meeting", "", None, BOTH, "403 409 409 404 404 404"),
    Row("GET", "/webhooks", "", None, "webhooks:read", ALL),
    Row("POST", "/webhooks", "", HOOK, "webhooks:write", "403 403 201 403 403 403"),
    Row("GET", "/webhooks/{webhook_id}", "", None, "webhooks:read", OF_HUB),
    Row("PATCH", "/webhooks/{webhook_id}", "", {"paused": True}, "webhooks:write", OF_HUB),
    Row("DELETE", "/webhooks/{webhook_id}", "", None, "webhooks:write", "204 404 404 404 404 404"),
    Row(
        "POST",
        "/webhooks/{webhook_id}/test",
        "",
        None,
        "webhooks:write",
        "201 404 404 404 404 404",
    ),
    Row("GET", "/webhooks/{webhook_id}/deliveries", "", None, "webhooks:read", OF_HUB),
    Row("POST", "/deliveries/{delivery_id}/replay", "", None, "webhooks:write", OF_HUB),
    Row("GET", "/me", "", None, "", ALL),
    Row("GET", "/tokens", "", None, "", ALL),
    Row("DELETE", "/tokens/{token_id}", "", None, "", "204 404 404 404 404 404"),
]
NAMES = [f"{row.method} {row.path}" for row in TABLE]


def send(theatre: Theatre, row: Row, client: Any, token: str | None) -> Any:
    """The row's request with the ids of the stage filled in."""
    ids = theatre.stage.ids
    path = row.path.replace("{need_id}", ids.get(row.which, ""))
    for name in (
        "company",
        "broadcast",
        "lead",
        "question",
        "collaboration",
        "offer",
        "attachment",
        "option",
        "webhook",
        "delivery",
    ):
        path = path.replace(f"{{{name}_id}}", ids[name])
    path = path.replace("{hub_id}", ids["hub"]).replace("{token_id}", ids["token"])
    body = row.body
    if isinstance(body, dict):
        body = dict(body)
        if "company_id" in body:
            body["company_id"] = ids["company"]
        if "leads" in body:
            body["leads"] = [ids["lead"]]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.request(row.method, f"/v1{path}", json=body, headers=headers)


def test_the_table_has_every_route(theatre: Theatre) -> None:
    paths = theatre.app.openapi()["paths"]
    documented = {
        f"{method.upper()} {path.removeprefix('/v1')}"
        for path, methods in paths.items()
        for method in methods
    }
    assert documented == set(NAMES)


@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_each_role(theatre: Theatre, row: Row) -> None:
    found = []
    for role in ROLES:
        with theatre.play() as client:
            found.append(send(theatre, row, client, theatre.stage.tokens[role]).status_code)
    assert " ".join(map(str, found)) == row.statuses


@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_without_token_and_without_scope(theatre: Theatre, row: Row) -> None:
    stage = theatre.stage
    with theatre.play() as client:
        for wrong in (None, "mm_of_nobody"):
            answer = send(theatre, row, client, wrong)
            assert answer.status_code == (200 if row.path == "/match" else 401)
        needed = row.scope.split("|") if row.scope else []
        if len(needed) == 1:
            answer = send(theatre, row, client, stage.without[needed[0]])
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
        if len(needed) == 2:
            answer = send(theatre, row, client, stage.only["hubs:read"])
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    for scope in needed:
        with theatre.play() as client:
            answer = send(theatre, row, client, stage.only[scope])
            assert answer.status_code in (200, 201, 204) or row.statuses.startswith("403")


def test_lists_hold_only_what_is_yours(theatre: Theatre) -> None:
    ids = theatre.stage.ids
    mine = {ids["waiting"], ids["open"], ids["chosen"]}
    wanted = {
        "coordinator": (mine, 2, 2),
        "firm": (mine, 0, 2),
        "company": (set(), 2, 2),
        "other_company": (set(), 0, 2),
        "other_hub": (set(), 0, 0),
        "other_firm": (set(), 0, 0),
    }
    for role, (needs, leads, broadcasts) in wanted.items():
        with theatre.play(role) as client:
            assert {each["id"] for each in client.get("/v1/needs").json()["items"]} == needs
            assert len(client.get("/v1/leads").json()["items"]) == leads
            assert len(client.get("/v1/broadcasts").json()["items"]) == broadcasts


def test_a_company_reads_the_verdict_on_itself_alone(theatre: Theatre) -> None:
    ids = theatre.stage.ids
    for role, company in (("company", "company"), ("other_company", "other_company")):
        with theatre.play(role) as client:
            for path in (f"needs/{ids['open']}", f"broadcasts/{ids['broadcast']}"):
                items = client.get(f"/v1/{path}/verdicts?lang=fr").json()["items"]
                assert [each["company"]["id"] for each in items] == [ids[company]]
                assert all(reason["text"] for reason in items[0]["reasons"])
            own = client.get(f"/v1/companies/{ids[company]}/verdicts").json()["items"]
            assert len(own) == 2
            assert {each["eligible"] for each in own} == {role == "company"}


def test_contact_data_of_a_company_is_for_itself_and_coordinators(theatre: Theatre) -> None:
    path = f"/v1/companies/{theatre.stage.ids['company']}"
    for role in ROLES:
        with theatre.play(role) as client:
            private = client.get(path).json()["private"]
            assert (private is not None) == (role in ("coordinator", "company", "other_hub"))


def test_a_company_learns_nothing_before_the_release(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All hear of a need at one moment, machines too: also the lead's address gives nothing."""
    monkeypatch.setattr(releases, "RELEASE_DELAY", timedelta(hours=1))  # whatever else runs
    ids = theatre.stage.ids
    with theatre.play("coordinator") as client:
        broadcast = client.post(f"/v1/needs/{ids['waiting']}/approve", json={}).json()
        leads = client.get(f"/v1/leads?broadcast_id={broadcast['id']}").json()["items"]
        mine = next(each for each in leads if each["company_id"] == ids["company"])
        client.headers["Authorization"] = f"Bearer {theatre.stage.tokens['company']}"
        assert client.get(f"/v1/leads/{mine['id']}").status_code == 404
        answer = client.post(f"/v1/leads/{mine['id']}/answers", json={"kind": "interested"})
        assert answer.status_code == 404
        assert client.get(f"/v1/leads?broadcast_id={broadcast['id']}").json()["items"] == []
        assert client.get(f"/v1/needs/{ids['waiting']}/verdicts").status_code == 404
        assert client.get(f"/v1/broadcasts/{broadcast['id']}").status_code == 404
