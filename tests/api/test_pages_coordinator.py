"""The coordinator's pages: tasks, refused forms, explanations, what a threshold promises."""

import re
from dataclasses import replace

import pytest

from api import wording
from api.pages import explanations
from api.pages.hub import SOLVED_AT
from api.pages.maps import TOWNS, Map
from api.services import notes, privacy
from api.services.desk import Desk
from api.services.tasks import TaskKind
from matcher.calibration import ALPHAS
from models import Hub
from models.hub import Policy
from tests.api.test_pages_rooms import Stage, staged  # noqa: F401 - a fixture


@pytest.mark.parametrize(
    ("form", "typed", "shown"),
    [
        ("ask", {"text": "x"}, "Schrijf minstens 3 tekens."),
        ("refer", {"kind": "expert", "message": "Graag jullie hulp", "to_email": "geen adres"},
         "Dit is geen volledig mailadres"),
        ("refer", {"kind": "", "message": "Graag jullie hulp"}, "Kies een van de mogelijkheden"),
        ("no-fit", {"reason": "x"}, "Schrijf minstens 3 tekens."),
        ("exceptions", {"kind": "left_out", "reason": "kort"}, "Schrijf minstens 10 tekens."),
        ("judge", {"grade": "9"}, "Kies een van de mogelijkheden"),
        ("notes", {"text": " "}, "Vul dit in."),
    ],
)  # fmt: skip
def test_what_a_coordinator_typed_stands_beside_what_is_wrong_with_it(
    stage: Stage, form: str, typed: dict[str, str], shown: str
) -> None:
    cato = stage.browser(stage.world.cato)
    path = f"/hub/needs/{stage.waiting}"
    secret = re.search(r'name="csrf" value="([^"]+)"', cato.get(path).text)
    assert secret
    sent = typed | {"csrf": secret[1], "company_id": stage.world.wash}
    refused = cato.post(f"{path}/{form}", data=sent)
    assert refused.status_code == 422
    assert re.search(r'<p class="error" id="\w+-error">.*' + re.escape(shown), refused.text)
    for value in typed.values():
        assert value in refused.text


def test_who_releases_what_a_colleague_just_released_sees_how_it_stands(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    secret = re.search(r'name="csrf" value="([^"]+)"', cato.get("/account").text)
    assert secret
    path = f"/hub/needs/{stage.open}/approve"
    for late in (cato.get(path), cato.post(path, data={"csrf": secret[1]})):
        assert late.status_code == 303
        page = cato.get(late.headers["location"])
        assert page.status_code == 200
        assert "misschien net door een collega" in page.text


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ("name,sites,adres\nHet Werkt,2800,Zandweg\n", "lazen we niet: adres"),
        ("name,sites\nHet Werkt,2800,Zandweg\n", "meer cellen dan er kolommen zijn"),
        ("name,sites\n", "Onder de eerste rij"),
    ],
)
def test_the_preview_of_a_list_says_what_it_did_not_read(
    stage: Stage, table: str, shown: str
) -> None:
    cato = stage.browser(stage.world.cato)
    secret = re.search(r'name="csrf" value="([^"]+)"', cato.get("/account").text)
    assert secret
    page = cato.post(
        "/hub/import",
        data={"csrf": secret[1], "noun": "companies"},
        files={"file": ("list.csv", table.encode())},
    ).text
    assert shown in page
    assert ("/hub/import/keep" in page) == ("adres" in table)


def test_a_coordinator_answers_in_the_firms_name(stage: Stage) -> None:
    cato, finn = stage.browser(stage.world.cato), stage.browser(stage.world.finn)
    page = cato.get(f"/hub/needs/{stage.open}").text
    action = re.search(r'action="(/hub/needs/\w+/questions/\w+)"', page)
    secret = re.search(r'name="csrf" value="([^"]+)"', page)
    assert action
    assert secret
    empty = cato.post(action[1], data={"csrf": secret[1], "answer": " "})
    assert empty.status_code == 422
    assert "Vul dit in." in empty.text
    own = re.search(r'name="csrf" value="([^"]+)"', finn.get("/account").text)
    assert own
    assert finn.post(action[1], data={"csrf": own[1], "answer": "20"}).status_code == 403


def test_the_match_is_explained_with_both_texts(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    page = cato.get(f"/hub/needs/{stage.waiting}/companies/{stage.world.wash}").text
    assert re.search(r"<mark>(lakens|wast|strijkt)</mark>", page)
    assert "stukken van woorden" in page
    marked = explanations.marked("Lakens, wassen; (lakens)!", ["lakens"])
    assert "".join(piece for piece, _ in marked) == "Lakens, wassen; (lakens)!"
    assert [piece for piece, carried in marked if carried] == ["Lakens", "lakens"]


def test_every_task_has_a_place_where_it_is_solved(stage: Stage) -> None:
    assert set(SOLVED_AT) == set(TaskKind)
    cato = stage.browser(stage.world.cato)
    page = cato.get("/hub").text
    assert stage.waiting in page
    links = set(re.findall(r'href="(/hub/needs/[^"#]+|/companies/[^"#]+/edit)"', page))
    assert links
    assert {cato.get(link).status_code for link in links} == {200}
    for language in ("nl", "fr", "en"):
        for kind in TaskKind:
            for part in ("task", "act", "since"):
                assert wording.word(language, f"{part}_{kind.value}")


@pytest.mark.parametrize(
    ("language", "starting_point", "estimate"),
    [
        ("nl", "Dit is een vertrekpunt", "nog geen belofte"),
        ("fr", "un point de départ", "pas encore une promesse"),
        ("en", "a starting point", "not a promise yet"),
    ],
)
def test_what_a_threshold_promises_is_told_in_every_language(
    stage: Stage, language: str, starting_point: str, estimate: str
) -> None:
    cato = stage.browser(stage.world.cato)
    ranker = stage.runtime.ranker
    before = ranker.thresholds
    paths = ("/how", "/hub/settings", f"/hub/needs/{stage.waiting}?alpha=0.2")
    try:
        for count, promised in ((299, False), (300, True)):
            refused = None if promised else f"{count} judged needs"
            ranker.thresholds = tuple(
                replace(each, n_needs=count, refused=refused) for each in before
            )
            for path in paths:
                joint = "&" if "?" in path else "?"
                page = cato.get(f"{path}{joint}lang={language}").text
                assert starting_point in page
                assert (estimate in page) != promised, (path, count)
                assert str(count) in page
    finally:
        ranker.thresholds = before


def test_a_stricter_threshold_names_who_would_be_missed(stage: Stage) -> None:
    cato, ranker = stage.browser(stage.world.cato), stage.runtime.ranker
    before = ranker.thresholds
    try:
        ranker.thresholds = tuple(
            replace(each, value=0.9999 if each.alpha == 0.5 else each.value) for each in before
        )
        paths = ("?alpha=0.5", "?position=10", "/threshold?position=10")
        pages = [cato.get(f"/hub/needs/{stage.waiting}{path}").text for path in paths]
    finally:
        ranker.thresholds = before
    for page in pages:
        assert re.search(r"<strong>Eraf:</strong> Wasserij Het Blauwe Laken", page)
        assert "Bij 50\u00a0% komen 0 maatwerkbedrijven in aanmerking" in page
    assert "<html" not in pages[-1]
    unchanged = cato.get(f"/hub/needs/{stage.waiting}?alpha=0.2").text
    assert "Voor deze vraag verandert er niemand." in unchanged


def test_the_slider_stands_where_the_threshold_is(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    path = f"/hub/needs/{stage.waiting}"
    asked = {
        "": 4, "?position=1": 1, "?position=8": 8, "?alpha=0.2": 8, "?alpha=0.25": 8,
        "?position=0": 4, "?position=11": 4, "?position=%C2%B2": 4, "?alpha=nan": 4, "?alpha=7": 4,
    }  # fmt: skip
    for query, place in asked.items():
        page = cato.get(f"{path}{query}").text
        (slider,) = re.findall(r'<input type="range"[^>]*>', page)
        assert 'min="1" max="10"' in slider
        assert f'value="{place}"' in slider, query
        assert '<label for="position">' in page
        assert re.findall(r'<li class="own">(\d+)<span>\u00a0%', page) == ["5"]  # the hub's
        assert ("om te kijken" in page) == (place != 4), query
    assert len(re.findall(r"<li[^>]*>\d+<span>\u00a0%</span></li>", page)) == len(ALPHAS)
    own = cato.get(f"{path}/threshold?position=4").text
    assert "Nu: 5\u00a0%" in own
    assert "om te kijken" not in own


def test_a_hub_without_a_threshold_has_no_slider(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    with stage.runtime.sessions.begin() as session:
        hub = session.get_one(Hub, stage.world.hub)
        before, hub.policy = hub.policy, Policy.ALL_IN_REGION
    try:
        page = cato.get(f"/hub/needs/{stage.waiting}").text
    finally:
        with stage.runtime.sessions.begin() as session:
            session.get_one(Hub, stage.world.hub).policy = before
    assert 'type="range"' not in page
    assert "de drempel telt hier niet" in page


def test_the_form_says_what_is_kept_in_the_words_that_are_versioned(stage: Stage) -> None:
    nobody = stage.browser(None)
    assert privacy.PROMISE in nobody.get("/needs/new?lang=nl").text
    page = nobody.get("/privacy?lang=nl").text
    with stage.runtime.sessions.begin() as session:
        desk = Desk(session, stage.runtime)
        assert privacy.version(desk) in page
        assert [each.object_id for each in privacy.earlier(desk)] == [privacy.version(desk)]
    assert "Wat we vroeger schreven" in page


def test_the_map_names_the_towns_in_view(stage: Stage) -> None:
    places = stage.runtime.places
    assert set(TOWNS) <= {each.nis for each in places.municipalities}
    wide = [name for _, _, name in Map(places).towns("nl")]
    assert wide[:2] == ["Antwerpen", "Gent"]
    assert len(wide) == 7
    near = Map(places).need(places.find("2800 Mechelen"))
    shown = near.towns("fr")
    assert "Malines" in [name for _, _, name in shown]
    assert "Bruges" not in [name for _, _, name in shown]
    left, top, width, height = map(float, near.view.split())
    assert all(left < x < left + width and top < y < top + height for x, y, _ in shown)
    for place in places.municipalities:  # wherever one looks, no name is cut off at a side
        view = Map(places).need(place)
        left, _, width, _ = map(float, view.view.split())
        for x, _, name in view.towns("nl"):
            assert min(x - left, left + width - x) > 8 * len(name) * view.size


def test_nobody_else_does_what_a_coordinator_does(stage: Stage) -> None:
    world = stage.world
    need = f"/hub/needs/{stage.waiting}"
    with stage.runtime.sessions.begin() as session:
        note = notes.add(Desk(session, stage.runtime, world.cato), stage.waiting, "Van ons").id
    paths = (
        f"{need}/notes", f"{need}/notes/{note}", f"{need}/ask", f"{need}/questions/{note}",
        f"{need}/refer", f"{need}/no-fit", f"{need}/take-back", f"{need}/exceptions",
        f"{need}/judge", f"{need}/companies/{world.wash}/renew-link", f"/hub/{world.hub}/texts",
        f"/hub/{world.hub}/terms",
    )  # fmt: skip
    for actor in (None, world.finn, world.mira, world.otto):
        browser = stage.browser(actor)
        secret = ""
        if actor is not None:
            found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account").text)
            assert found
            secret = found[1]
        for path in paths:
            typed = {"csrf": secret, "text": "Een tekst", "reason": "Een lange reden", "do": "edit"}
            refused = browser.post(path, data=typed)
            assert refused.status_code == (401 if actor is None else 403), (path, actor)
    # And a form without the token of one's session does nothing.
    cato = stage.browser(world.cato)
    assert {cato.post(path, data={"text": "x"}).status_code for path in paths} == {403}
    with stage.runtime.sessions.begin() as session:
        desk = Desk(session, stage.runtime, world.cato)
        assert [each.text for each in notes.of_need(desk, stage.waiting)] == ["Van ons"]
        notes.remove(desk, note)


def test_a_need_leaves_for_another_hub_only_when_that_is_confirmed(stage: Stage) -> None:
    cato = stage.browser(stage.world.cato)
    page = cato.get(f"/hub/needs/{stage.waiting}").text
    secret = re.search(r'name="csrf" value="([^"]+)"', page)
    hub = re.search(r'<option value="([^"]+)"', page[page.index('name="to_hub"') :])
    assert secret
    assert hub
    typed = {"csrf": secret[1], "kind": "hub", "to_hub": hub[1], "message": "Dit is werk bij u."}
    path = f"/hub/needs/{stage.waiting}/refer"
    asked = cato.post(path, data=typed)
    assert asked.status_code == 422
    assert "Vink aan dat die hub de vraag overneemt" in asked.text
    assert "Dit is werk bij u." in asked.text
    assert cato.post(path, data=typed | {"sure": "1"}, follow_redirects=False).status_code == 303
