"""What people type, made right or refused with a sentence that says what to do."""

import re

from stdnum.be import vat

from api.errors import Invalid, TooLarge
from api.runtime import Runtime
from matcher.places import Place, UnknownPlace

MOST_TEXT = 20_000  # characters: ten pages; longer is a pasted document, not a need
_EMAIL = re.compile(r"[^@\s<>\",;:\\()\[\]]+@[^@\s.]+(\.[^@\s.]+)+")
# Also the marks that turn the order of letters around: they reach past their own text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def text(value: str, field: str, *, least: int = 1, most: int = MOST_TEXT) -> str:
    """The text without control characters and outer spaces. Raises Invalid or TooLarge."""
    cleaned = _CONTROL.sub("", value.replace("\r\n", "\n")).strip()
    if len(cleaned) < least:
        raise Invalid(
            "too_short" if cleaned else "missing",
            f"{field}: write at least {least} characters",
            field=field,
            least=least,
        )
    if len(cleaned) > most:
        raise TooLarge(
            "too_long",
            f"{field}: {len(cleaned)} characters, at most {most}; shorten it",
            field=field,
            length=len(cleaned),
            most=most,
        )
    return cleaned


def line(value: str | None, field: str, *, least: int = 0, most: int = 300) -> str:
    """One line of text: line breaks become spaces. Raises Invalid or TooLarge."""
    return text(" ".join((value or "").split()), field, least=least, most=most)


def email(value: str, field: str = "email") -> str:
    """A mail address in lower case. Raises Invalid."""
    address = value.strip().lower()
    if len(address) > 254 or not _EMAIL.fullmatch(address) or not address.isascii():
        raise Invalid(
            "bad_email", f"{field}: {value[:100]!r} is no mail address", field=field, value=value
        )
    return address


def kbo(value: str | None, field: str = "kbo") -> str | None:
    """A KBO number as ten digits, or None when empty. Raises Invalid on a wrong check digit."""
    if not value or not value.strip():
        return None
    try:
        return str(vat.validate(value.strip()))
    except ValueError as error:  # of stdnum, or of Python for thousands of digits
        raise Invalid(
            "bad_kbo",
            f"{field}: {value[:40]!r} is no KBO number ({error}); ten digits, such as 0403.170.701",
            field=field,
            value=value,
        ) from None


def place(runtime: Runtime, value: str, field: str = "postcode") -> Place:
    """The place meant by a postcode, a name or both. Raises Invalid with suggestions."""
    try:
        return runtime.places.find(value)
    except UnknownPlace as error:
        near = [f"{each.postcode} {each.name}" for each in error.suggestions]
        raise Invalid(
            "unknown_place",
            f"{field}: {error}",
            field=field,
            value=value,
            suggestions=near,
        ) from None


SPOKEN = ("nl", "fr", "en", "de")  # languages a company may say its people work in


def spoken(value: str, field: str = "languages") -> str:
    """A language people work in. Raises Invalid."""
    if value not in SPOKEN:
        raise Invalid("bad_language", f"{field}: {value!r}; use {', '.join(SPOKEN)}", field=field)
    return value


def language(value: str | None, field: str = "language") -> str:
    """nl, fr or en; empty means nl. Raises Invalid."""
    chosen = (value or "nl").strip().lower()
    if chosen not in ("nl", "fr", "en"):
        raise Invalid("bad_language", f"{field}: {chosen!r}; use nl, fr or en", field=field)
    return chosen
