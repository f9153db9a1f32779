"""Photos from the intake to the company, without JavaScript; the form inside another site."""

import http.server
import io
import threading
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Town, sign_in, visitor
from tests.e2e.gallery import TEXT
from tests.e2e.test_journeys import fill_in


def photo(colour: str = "teal") -> dict[str, object]:
    """A photo as a browser picks it."""
    target = io.BytesIO()
    Image.new("RGB", (1600, 900), colour).save(target, "JPEG")
    return {"name": f"{colour}.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}


def seen(page: Page) -> list[int]:
    """The widths of the photos that really show."""
    for image in page.locator(".files img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('.files img')].every((image) => image.complete)"
    )
    widths: list[int] = page.evaluate(
        "[...document.querySelectorAll('.files img')].map((image) => image.naturalWidth)"
    )
    return widths


def test_photos_travel_with_the_need(town: Town, browser: Browser) -> None:
    firm = visitor(browser, town, java_script_enabled=False, viewport={"width": 360, "height": 740})
    firm.goto("/needs/new")
    fill_in(firm, f"Goeiedag, {TEXT}", "2800", "femke@")
    firm.set_input_files("#files", [photo(), {"name": "x.doc", "mimeType": "", "buffer": b"x"}])
    firm.click("button[value=send]")
    expect(firm.locator("#files-error")).to_contain_text("x.doc is geen foto")
    firm.click("button[value=send]")
    expect(firm.locator("#contact_email-error")).to_be_visible()
    expect(firm.locator("button[name=drop]")).to_have_count(1)
    expect(firm.locator("#text")).to_have_value(f"Goeiedag, {TEXT}")
    firm.set_input_files("#files", [photo("orange"), photo("navy")])
    firm.click("button[value=read]")
    expect(firm.locator("button[name=drop]")).to_have_count(3)
    firm.click("button[name=drop] >> nth=2")
    expect(firm.locator("button[name=drop]")).to_have_count(2)
    firm.fill("#contact_email", "femke@linde.example")
    firm.click("button[value=send]")
    firm.goto(town.link("femke@linde.example", "/sign-in/"))
    firm.click("main button")
    expect(firm.locator("#title")).to_have_value(
        "Iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit"
    )
    firm.fill("#title", "Lakens en handdoeken")
    assert seen(firm) == [480, 480]
    firm.click("main form button")
    expect(firm.locator("h1")).to_have_text("Lakens en handdoeken")
    need = firm.url.split("?")[0]

    hub = visitor(browser, town, java_script_enabled=False)
    sign_in(hub, town, "cato@hub.example")
    hub.goto(need)
    assert seen(hub) == [480, 480]
    hub.click("text=Nakijken en vrijgeven")
    assert seen(hub) == [480, 480]
    hub.click("text=Geef vrij")
    mail = town.mail("wash@company.example", "Lakens en handdoeken")
    assert "2 foto's of bestanden" in mail.text

    wash = visitor(browser, town, java_script_enabled=False)
    wash.goto(town.link("wash@company.example", "/l/"))
    assert seen(wash) == [480, 480]
    firm.goto(f"{need}#attachments")
    firm.click("#attachments summary:has-text('Weghalen') >> nth=0")
    firm.click("text=Ja, haal weg >> nth=0")
    expect(firm.locator(".notice.good")).to_contain_text("weggehaald")
    told = town.mail("wash@company.example", "Aanvulling")
    assert "Weggehaald bij de vraag: teal.jpg." in told.text
    wash.reload()
    assert seen(wash) == [480]
    expect(wash.locator("main")).to_contain_text("Weggehaald bij de vraag: teal.jpg.")
    firm.context.close()


@pytest.fixture
def other_site(town: Town) -> Iterator[str]:
    """A municipality's site on another origin, with our form in a page of it."""
    page = f'<h1>Stad</h1><iframe src="{town.address}/embed/mechelen?colour=ffcc00&lang=nl" '
    body = f'{page} title="Maatmatch" width="600" height="1500"></iframe>'.encode()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_need_is_asked_inside_the_site_of_a_municipality(
    town: Town, browser: Browser, other_site: str
) -> None:
    page = visitor(browser, town)
    page.goto(other_site)
    form = page.frame_locator("iframe")
    expect(form.locator("#place")).to_have_value("Mechelen")
    form.locator("#text").fill(TEXT)
    expect(form.locator("#reading .count")).to_have_text("2")
    expect(form.locator("#title")).to_have_value(
        "Iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit"
    )
    form.locator("#firm_name").fill("Bakkerij")
    form.locator("#contact_name").fill("Bo")
    form.locator("button[value=send]").click()
    expect(form.locator("#contact_email-error")).to_be_visible()
    colour = form.locator("button[value=send]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert colour == "rgb(128, 102, 0)"  # the yellow, made dark enough to be read
    form.locator("#contact_email").fill("bo@bakkerij.example")
    form.locator("button[value=send]").click()
    expect(form.locator("h1")).to_have_text("Kijk in je mail")
    assert town.link("bo@bakkerij.example", "/sign-in/")
    assert page.context.cookies() == []
    page.context.close()
