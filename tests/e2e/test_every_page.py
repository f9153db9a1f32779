"""Every page: readable by all (axe-core, light and dark), no wider than a phone."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Town
from tests.e2e.gallery import Picture, seen_by


def violations(page: Page, **options: object) -> list[dict[str, Any]]:
    """What axe-core, laid into the page before, finds wrong; nothing else comes back."""
    found: list[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(options)).violations",
        {"resultTypes": ["violations"], **options},
    )
    return found


def test_no_page_shuts_anybody_out(town: Town, browser: Browser, gallery: list[Picture]) -> None:
    script = Axe().axe_script
    found = []
    for who in dict.fromkeys(each.who for each in gallery):
        page = seen_by(browser, town, who, bypass_csp=True)
        for picture in gallery:
            if picture.who != who:
                continue
            page.goto(picture.path)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            page.evaluate(script)
            # Everything in the light; in the dark only what the dark can change.
            page.emulate_media(color_scheme="light", reduced_motion="reduce")
            wrong = violations(page)
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            wrong += violations(page, runOnly=["color-contrast"])
            for violation in wrong:
                nodes = [node["html"][:150] for node in violation["nodes"][:3]]
                found.append((picture.name, violation["id"], nodes))
        page.context.close()
    assert found == []


WAYS: dict[str, tuple[int, dict[str, str]]] = {
    # how a page is looked at: (width of the window, what is emulated)
    "360": (360, {}),
    "1280": (1280, {}),
    "dark": (360, {"color_scheme": "dark"}),
    "print": (794, {"media": "print"}),  # A4
    "zoom": (640, {}),  # a window of 1280 at 200 %
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_take_pictures(
    town: Town, browser: Browser, gallery: list[Picture], tmp_path: Path, way: str
) -> None:
    """Every page as a picture, to look at; MAATMATCH_PICTURES names the folder."""
    folder = Path(os.environ.get("MAATMATCH_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    width, emulated = WAYS[way]
    for who in dict.fromkeys(each.who for each in gallery):
        page = seen_by(browser, town, who, viewport={"width": width, "height": 800})
        page.emulate_media(**emulated)  # type: ignore[arg-type]
        for picture in gallery:
            if picture.who == who:
                page.goto(picture.path)
                target = folder / f"{picture.name}_{way}.png"
                page.screenshot(path=target, full_page=True)
                assert target.stat().st_size > 2_000
        page.context.close()
