"""Shorter journeys: without JavaScript, in French, in English; questions, decline, undo."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Town, sign_in, visitor
from tests.e2e.gallery import TEXT, lay, seen_by


def fill_in(page: Page, text: str, place: str, email: str) -> None:
    """The fields a need cannot do without."""
    page.fill("#text", text)
    page.fill("#place", place)
    page.fill("#firm_name", "Woonzorgcentrum De Linde")
    page.fill("#contact_name", "Lien")
    page.fill("#contact_email", email)


def test_everything_works_without_javascript(town: Town, browser: Browser) -> None:
    firm = visitor(browser, town, java_script_enabled=False)
    firm.goto("/")
    firm.fill("#text", TEXT)
    firm.click("main button")
    expect(firm.locator("#reading .steps li").first).to_be_visible()

    # A press shows the reading; a mistake is shown beside its field and nothing typed is lost.
    fill_in(firm, TEXT, "Mechelem", "lien@delinde")
    firm.click("button[value=read]")
    expect(firm.locator("#place-error")).to_contain_text("Bedoel je")
    firm.fill("#place", "2800")
    firm.click("button[value=read]")
    expect(firm.locator("#reading .count")).to_have_text("2")
    firm.click("button[value=send]")
    expect(firm.locator("#contact_email-error")).to_be_visible()
    expect(firm.locator("#firm_name")).to_have_value("Woonzorgcentrum De Linde")
    expect(firm.locator("#text")).to_have_value(TEXT)
    firm.fill("#contact_email", "lien@delinde.example")
    firm.click("button[value=send]")
    expect(firm.locator("h1")).to_have_text("Kijk in je mail")
    firm.goto(town.link("lien@delinde.example", "/sign-in/"))
    firm.click("main button")
    firm.click("main button")
    need = firm.url.split("?")[0]

    hub = visitor(browser, town, java_script_enabled=False)
    sign_in(hub, town, "cato@hub.example")
    hub.click("main .list a >> nth=0")
    # The coordinator adds a step by hand; the firm's own words stay as they were.
    steps = hub.locator("form[action$='/steps']")
    steps.locator("textarea").last.fill("Lakens inpakken in dozen")
    steps.locator("input[name=first]").last.fill("dit bestaat niet")
    steps.locator("button").click()
    expect(steps.locator(".error")).to_contain_text("kennen we niet")
    kind = steps.locator("datalist option").first.get_attribute("value") or ""
    steps.locator("input[name=first]").last.fill(kind)
    steps.locator("button").click()
    expect(hub.locator(".notice.good")).to_contain_text("opnieuw beoordeeld")
    expect(hub.locator(".words").first).to_have_text(TEXT)
    hub.locator("#position").press("End")
    hub.click("text=Toon wat dat doet")
    expect(hub.locator("#what-if")).to_contain_text(re.compile("Bij 50.% komen 2"))
    expect(hub.locator("#position")).to_have_value("10")
    hub.click("text=Nakijken en vrijgeven")
    hub.click("text=Geef vrij")
    expect(hub.locator(".notice.good")).to_be_visible()

    # One company asks, the firm answers to all, the other declines with a reason.
    wash = visitor(browser, town, java_script_enabled=False)
    wash.goto(town.link("wash@company.example", "/l/"))
    wash.click("text=Eerst een vraag stellen")
    wash.fill("textarea[name=text]", "Zijn de lakens gemerkt?")
    wash.click("text=Verstuur de vraag")
    firm.goto(need)
    firm.fill("textarea[name=answer]", "Ja, met een chip.")
    firm.click("text=Verstuur het antwoord")
    iron = visitor(browser, town, java_script_enabled=False)
    town.mail("iron@company.example", "Antwoord")
    iron.goto(town.link("iron@company.example", "/l/"))
    expect(iron.locator("#questions")).to_contain_text("Ja, met een chip.")
    iron.click("text=Nee, niet voor ons")
    iron.click("text=Verstuur: niet voor ons")
    expect(iron.locator(".error")).to_contain_text("Kies waarom")
    iron.check("input[value=no_capacity]")
    iron.click("text=Verstuur: niet voor ons")
    expect(iron.locator(".notice.good").first).to_be_visible()
    hub.reload()
    expect(hub.locator("table")).to_contain_text("niet voor ons")

    # The firm takes it back, after being asked once more.
    firm.goto(need)
    firm.click("text=Intrekken…")
    firm.click("text=Ja, trek de vraag in")
    expect(firm.locator(".badge").first).to_have_text("ingetrokken")


def test_the_slider_shows_what_another_threshold_does(town: Town, browser: Browser) -> None:
    need = next(each.path for each in lay(town) if each.name == "hub_need").split("?")[0]
    page = seen_by(browser, town, "cato")
    page.goto(need)
    slider = page.get_by_label("Van wie het werk kan doen, missen we hoogstens")
    share, outcome = page.locator("output"), page.locator("#what-if")
    expect(share).to_have_text(re.compile("^5.%$"))
    expect(outcome).to_contain_text("Nu: 5")
    expect(outcome).not_to_contain_text("om te kijken")
    # By key: the share is told at once, the outcome shortly after; the slider keeps the focus.
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    expect(share).to_have_text(re.compile("^20.%$"))
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^20.%$"))
    expect(outcome).to_contain_text(re.compile("Bij 20.% komen 2 maatwerkbedrijven"))
    expect(slider).to_be_focused()
    # What is shown has an address of its own.
    assert page.url.endswith(f"{need}?position=8#threshold")
    page.reload()
    expect(outcome).to_contain_text(re.compile("Bij 20.% komen 2"))
    # By hand: nothing before it is let go.
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * 7 / 9, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    expect(share).to_have_text(re.compile("^50.%$"))
    page.wait_for_timeout(400)
    expect(outcome).to_contain_text(re.compile("Bij 20.%"))
    page.mouse.up()
    expect(outcome).to_contain_text(re.compile("Bij 50.%"))
    page.context.close()


def test_without_a_connection_nothing_typed_is_lost(town: Town, browser: Browser) -> None:
    page = visitor(browser, town)
    page.goto("/needs/new")
    notice = page.locator("#offline")
    expect(notice).to_be_hidden()
    page.context.set_offline(True)
    expect(notice).to_be_visible()
    page.fill("#text", "Wij zoeken iemand die elke week onze lakens wast en strijkt.")
    page.click("button[value=send]")
    expect(page.locator("#text")).to_have_value(re.compile("lakens"))
    assert page.url.endswith("/needs/new")
    page.context.set_offline(False)
    expect(notice).to_be_hidden()
    page.click("button[value=read]")
    expect(page.locator("#reading")).to_contain_text("wassen en drogen")


def test_in_french(town: Town, browser: Browser) -> None:
    page = visitor(browser, town, locale="fr-BE")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    text = "Nous cherchons quelqu'un pour laver et repasser chaque semaine nos draps et serviettes."
    page.fill("#text", text)
    page.click("main button")
    fill_in(page, text, "Malines", "chantal@maison.example")
    page.click("button[value=send]")
    expect(page.locator("h1")).to_have_text("Regardez vos mails")
    assert "Bonjour" in town.mail("chantal@maison.example").text
    page.goto(town.link("chantal@maison.example", "/sign-in/"))
    page.click("main button")
    page.click("main button")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".badge").first).to_have_text("à examiner")


def test_in_english(town: Town, browser: Browser) -> None:
    page = seen_by(browser, town, "cato")
    page.goto("/hub")
    page.click("a[hreflang=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.click("nav >> text=Settings")
    page.locator("input[name=deadline_days]").fill("14")
    page.click("text=Save >> nth=0")
    expect(page.locator(".notice.good")).to_contain_text("settings are saved")
    expect(page.locator("input[name=deadline_days]")).to_have_value("14")
    page.goto("/companies")
    page.fill("#q", "washing sheets for a hotel")
    page.click("main button")
    expect(page.locator("main .list")).to_contain_text("Wasserij")


def test_a_company_keeps_its_profile(town: Town, browser: Browser) -> None:
    page = seen_by(browser, town, "mira")
    page.goto("/leads/offers")
    page.click("text=Aanbod toevoegen")
    page.fill("#text", "Gordijnen wassen en ophangen")
    expect(page.locator("#look .chips")).to_be_visible()
    page.click("button:has-text('Bewaren')")
    expect(page.locator("#offers .list")).to_contain_text("Gordijnen wassen en ophangen")
    page.fill("#starts_on", "2030-07-10")
    page.fill("#ends_on", "2030-07-01")
    page.click("#absence button >> nth=-1")
    expect(page.locator("#ends_on-error")).to_be_visible()
    page.fill("#ends_on", "2030-07-20")
    page.click("#absence button >> nth=-1")
    expect(page.locator("#absence")).to_contain_text("20 juli 2030")
