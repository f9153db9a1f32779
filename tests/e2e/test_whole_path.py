"""The whole path in one go: a need in Dutch, the hub, real mail, two answers, a choice."""

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Town, sign_in, visitor

NEED = (
    "Onze crèche gebruikt elke dag honderden wasbare luiers en lakens. Wij zoeken iemand die ze "
    "ophaalt, wast en droogt. Daarna willen we ze gestreken en netjes opgevouwen terug."
)


def test_the_whole_path(town: Town, browser: Browser) -> None:
    firm = visitor(browser, town)
    hub = visitor(browser, town)
    wash = visitor(browser, town, viewport={"width": 360, "height": 740})
    iron = visitor(browser, town, viewport={"width": 360, "height": 740})

    # The firm writes its need, sees what was understood while typing, and confirms by mail.
    firm.goto("/")
    firm.fill("#text", NEED)
    firm.click("main button")
    expect(firm.locator("#reading .steps li").first).to_be_visible()
    firm.fill("#place", "Mechelen")
    expect(firm.locator("#reading .count")).to_be_visible()
    firm.fill("#volume", "900 luiers per dag")
    firm.fill("#firm_name", "Kinderopvang De Regenboog")
    firm.fill("#contact_name", "Noor")
    firm.fill("#contact_email", "noor@regenboog.example")
    firm.click("button[value=send]")
    expect(firm.locator("h1")).to_have_text("Kijk in je mail")
    firm.goto(town.link("noor@regenboog.example", "/sign-in/"))
    firm.click("main button")
    firm.click("main button")
    expect(firm.locator(".notice.good")).to_contain_text("bevestigd")
    need_page = firm.url.split("?")[0]

    # The coordinator is mailed, reads it beside its reading and releases it.
    town.mail("cato@hub.example")
    sign_in(hub, town, "cato@hub.example")
    hub.click("main a:has-text('Onze crèche gebruikt elke dag')")
    expect(hub.locator("main")).to_contain_text("Wasserij Het Blauwe Laken")
    hub.click("text=Nakijken en vrijgeven")
    expect(hub.locator("main")).to_contain_text("Strijkatelier De Plooi")
    hub.click("text=Geef vrij")
    expect(hub.locator(".notice.good")).to_contain_text("hetzelfde moment")

    # Both companies get the same lead by real mail and answer by their link, without account.
    links = {name: town.link(f"{name}@company.example", "/l/") for name in ("wash", "iron")}
    assert town.mail("wash@company.example").subject == town.mail("iron@company.example").subject
    assert not [each for each in town.receiver.messages if each.to == "far@company.example"]
    for page, name, capacity in (
        (wash, "wash", "1000 luiers per dag"),
        (iron, "iron", "500 luiers per dag"),
    ):
        page.goto(links[name])
        expect(page.locator("main")).to_contain_text("honderden wasbare luiers")
        expect(page.locator("main")).not_to_contain_text("Regenboog")
        page.click("text=Ja, we hebben interesse")
        page.fill("#capacity", capacity)
        page.click("text=Verstuur: interesse")
        expect(page.locator(".notice.good").first).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{width} px wide on a phone"

    # The firm sees both side by side and chooses one.
    town.mail("noor@regenboog.example", "interesse")
    firm.goto(need_page)
    expect(firm.locator(".compare")).to_contain_text("Wasserij Het Blauwe Laken")
    expect(firm.locator(".compare")).to_contain_text("Strijkatelier De Plooi")
    firm.check("label:has-text('Wasserij Het Blauwe Laken') input")
    firm.click("text=Kies wie aangevinkt is")
    firm.click("text=Ja, dit is mijn keuze")
    expect(firm.locator("main")).to_contain_text("Samenwerking")

    # All see the outcome.
    wash.goto(links["wash"])
    expect(wash.locator("main")).to_contain_text("koos voor jullie")
    expect(wash.locator("main")).to_contain_text("noor@regenboog.example")
    iron.goto(links["iron"])
    expect(iron.locator("main")).to_contain_text("gaat deze keer niet met jullie verder")
    expect(iron.locator("main")).not_to_contain_text("noor@regenboog.example")
    hub.reload()
    expect(hub.locator("main")).to_contain_text("gekozen")
    hub.click("text=Bewijs")
    expect(hub.locator(".notice.good")).to_contain_text("in orde")
