"""Every page on a phone in every language, and what is printed."""

from playwright.sync_api import Browser

from api.i18n import LANGUAGES
from tests.e2e.conftest import Town
from tests.e2e.gallery import Picture, seen_by


def test_no_page_is_wider_than_a_phone(
    town: Town, browser: Browser, gallery: list[Picture]
) -> None:
    wide = []
    for who in dict.fromkeys(each.who for each in gallery):
        page = seen_by(browser, town, who, viewport={"width": 360, "height": 740})
        for picture in gallery:
            if picture.who != who:
                continue
            for language in LANGUAGES:
                page.goto(f"{picture.path}{'&' if '?' in picture.path else '?'}lang={language}")
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > 360:
                    wide.append((picture.name, language, width))
        page.context.close()
    assert wide == []


def test_the_comparison_is_printed_without_what_only_a_screen_needs(
    town: Town, browser: Browser, gallery: list[Picture]
) -> None:
    page = seen_by(browser, town, "finn")
    page.goto(next(each.path for each in gallery if each.name == "need_open"))
    page.emulate_media(media="print")
    assert page.locator(".compare").get_by_text("Wasserij Het Blauwe Laken").first.is_visible()
    assert page.get_by_text("300 kg per week").first.is_visible()
    assert not page.get_by_role("button").first.is_visible()
    assert not page.locator("textarea").first.is_visible()
    page.context.close()
    page = seen_by(browser, town, "cato")
    page.goto(next(each.path for each in gallery if each.name == "hub_need"))
    page.emulate_media(media="print")
    steps = page.locator(".edit-steps textarea")
    assert steps.first.is_visible()
    assert not steps.last.is_visible()  # the empty one, for another step
    page.context.close()
