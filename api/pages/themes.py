"""Themes: the colour of a municipality's own site for the form inside it, always readable.

Contrast as WCAG 2.2 counts it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): text keeps at
least 4.5 to 1, whatever colour is asked for.
"""

import re

Colour = tuple[float, float, float]  # red, green, blue between 0 and 1
OURS = "0b5d57"  # the colour of our own design
LEAST_CONTRAST = 4.6  # a little over what is asked, for the rounding to whole bytes
WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
NIGHT = (0.1, 0.133, 0.161)  # the card of the dark design
_HEX = re.compile(r"#?([0-9a-f]{6})", re.I)


def colour_of(text: str) -> str:
    """Six hexadecimal digits, or nothing for what is no colour."""
    found = _HEX.fullmatch(text.strip())
    return found[1].lower() if found else ""


def theme(colour: str) -> str:
    """The style sheet that lays a colour (six hexadecimal digits) over the design."""
    asked = _parse(colour)
    by_day, soft_day = _readable(asked, WHITE, BLACK, 0.12)
    by_night, soft_night = _readable(asked, NIGHT, WHITE, 0.2)
    return (
        f":root{{--brand:{_hex(by_day)};--brand-ink:#fff;--brand-soft:{_hex(soft_day)}}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root{{--brand:{_hex(by_night)};--brand-ink:#000;--brand-soft:{_hex(soft_night)}}}}}\n"
    )


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _readable(
    asked: Colour, ground: Colour, towards: Colour, share: float
) -> tuple[Colour, Colour]:
    """The colour, moved as little as needed to be read on the ground and on its own soft tint."""
    for step in range(101):
        colour = _mix(asked, towards, step / 100)
        soft = _mix(ground, colour, share)
        if min(contrast(colour, ground), contrast(colour, soft)) >= LEAST_CONTRAST:
            return colour, soft
    raise AssertionError("black and white can always be read")


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _parse(colour: str) -> Colour:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
