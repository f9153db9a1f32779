"""Codes in words: reasons of verdicts, states, kinds of answer, in nl, fr and en."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from api.coordinator_words import COORDINATORS
from api.i18n import show_date, show_number, show_percent, tr


def N_(text: str) -> str:
    return text


_REASONS: dict[tuple[str, bool], str] = {
    ("recognition", True): N_("erkend als maatwerkbedrijf"),
    ("recognition", False): N_("erkenning is %(status)s"),
    ("territory", True): N_("vestiging in het werkgebied van de hub"),
    ("territory", False): N_("geen vestiging in het werkgebied van de hub"),
    ("radius", True): N_("op %(distance_km)s km, werkt tot %(radius_km)s km"),
    ("radius", False): N_("op %(distance_km)s km, werkt maar tot %(radius_km)s km"),
    ("work_place", True): N_("doet het werk waar de vraag het wil (%(wanted)s)"),
    ("work_place", False): N_("doet dit werk niet %(wanted)s"),
    ("certificates", True): N_("heeft de gevraagde certificaten"),
    ("certificates", False): N_("mist certificaat: %(missing)s"),
    ("availability", True): N_("beschikbaar"),
    ("availability", False): N_("zelf afwezig gemeld van %(from)s tot %(until)s"),
    ("capacity", True): N_("heeft plaats voor een nieuwe lead"),
    ("capacity", False): N_("wil hoogstens %(max_open_leads)s open leads, heeft er %(open_leads)s"),
    ("activity", True): N_("past bij het werk (kans %(probability)s, drempel %(threshold)s)"),
    ("activity", False): N_("past niet bij het werk (kans %(probability)s, drempel %(threshold)s)"),
}
# Per rule: what a company can do about it, and where on its pages.
ADVICE: dict[str, tuple[str, str]] = {
    "recognition": (N_("De hub houdt jullie erkenning bij. Klopt ze niet? Mail de hub."), ""),
    "territory": (N_("Ontbreekt hier een vestiging van jullie? Voeg ze toe."), "/edit#sites"),
    "radius": (
        N_("Willen jullie verder werken? Vergroot jullie werkstraal, of die van één aanbod."),
        "/edit#profile",
    ),
    "work_place": (
        N_("Kan het toch? Pas bij jullie aanbod aan waar jullie werken."),
        "/edit#offers",
    ),
    "certificates": (
        N_("Hebben jullie dit certificaat? Vink het aan, met de einddatum."),
        "/edit#certificates",
    ),
    "availability": (N_("Zijn jullie er toch? Schrap de afwezigheid."), "/edit#absence"),
    "capacity": (
        N_("Beantwoord open leads, of laat er meer tegelijk toe."),
        "/edit#profile",
    ),
    "activity": (
        N_("Doen jullie dit werk wel? Beschrijf het; je ziet meteen wat jullie dan krijgen."),
        "/offers/new",
    ),
}
_NO_THRESHOLD = N_("elk maatwerkbedrijf in de regio krijgt deze vraag")
_NO_SITE = N_("heeft geen vestiging met een adres")

_WORDS: dict[str, str] = COORDINATORS | {
    # recognition
    "recognised": N_("erkend"),
    "suspended": N_("geschorst"),
    "ended": N_("beëindigd"),
    # where the work is done
    "on_site": N_("bij de onderneming"),
    "at_workshop": N_("in het atelier"),
    "either": N_("bij de onderneming of in het atelier"),
    # states of a need
    "draft": N_("nog te bevestigen"),
    "submitted": N_("te bekijken"),
    "open": N_("open"),
    "deciding": N_("onderneming kiest"),
    "chosen": N_("gekozen"),
    "none_chosen": N_("niemand gekozen"),
    "returned": N_("geen interesse, terug bij de hub"),
    "referred": N_("doorverwezen"),
    "no_fit": N_("geen werk voor een maatwerkbedrijf"),
    "withdrawn": N_("ingetrokken"),
    # answers
    "interested": N_("geïnteresseerd"),
    "not_for_us": N_("niet voor ons"),
    "not_our_work": N_("dit is niet ons werk"),
    "too_far": N_("te ver"),
    "no_capacity": N_("nu geen plaats"),
    "too_big": N_("te groot"),
    "too_small": N_("te klein"),
    "too_soon": N_("te snel"),
    "certificate": N_("certificaat ontbreekt"),
    "price": N_("niet haalbaar voor die prijs"),
    "other": N_("andere reden"),
    # collaborations
    "talk": N_("in gesprek"),
    "trial": N_("proef"),
    "running": N_("loopt"),
    # outcome of a lead
    "not_chosen": N_("niet gekozen"),
    # policies
    "activity": N_("wie het werk doet"),
    "all_in_region": N_("iedereen in de regio"),
    # exceptions
    "left_out": N_("weggelaten"),
    "added": N_("toegevoegd"),
    # referrals
    "hub": N_("andere hub"),
    "partner": N_("partner"),
    "expert": N_("expert"),
    "finance": N_("financiering"),
    # policies of a hub, as a choice
    "policy_activity": N_("alle maatwerkbedrijven in de buurt die het werk doen"),
    "policy_all_in_region": N_("alle maatwerkbedrijven in de regio, wat ze ook doen"),
    # how a company gets its leads
    "each": N_("elke lead meteen"),
    "daily": N_("één overzicht per dag"),
    # languages people work in
    "language_nl": N_("Nederlands"),
    "language_fr": N_("Frans"),
    "language_en": N_("Engels"),
    "language_de": N_("Duits"),
    # deliveries of webhooks
    "hook_due": N_("wacht"),
    "hook_sent": N_("aangekomen"),
    "hook_failed": N_("opgegeven"),
    # mails
    "due": N_("wacht op verzending"),
    "sent": N_("verzonden"),
    "failed": N_("mislukt"),
    "bounced": N_("teruggekomen"),
    "cancelled": N_("niet meer nodig"),
    # events of a ledger
    "released": N_("vrijgegeven"),
    "queued": N_("klaargezet"),
    "no_address": N_("geen mailadres"),
    "readdressed": N_("naar een nieuw adres gestuurd"),
    "handed_over": N_("aan de mailserver gegeven"),
    "hand_over_failed": N_("mailserver nam het niet aan, opnieuw later"),
    "refused": N_("geweigerd door de mailserver"),
    "opened": N_("geopend"),
    "answered": N_("beantwoord"),
    "asked": N_("vraag gesteld"),
    "question_answered": N_("vraag beantwoord"),
    "corrected": N_("aanvulling verstuurd"),
    "became_eligible": N_("kwam later in aanmerking"),
    "deadline": N_("einddatum voorbij"),
    "reopened": N_("keuze ongedaan gemaakt"),
    "closed": N_("afgesloten"),
    "exception": N_("uitzondering"),
    # lists to import
    "list_companies": N_("maatwerkbedrijven"),
    "list_offers": N_("aanbod"),
    "list_firms": N_("ondernemingen"),
    "list_needs": N_("vragen"),
    # roles
    "coordinator": N_("coördinator"),
    "firm": N_("onderneming"),
    "company": N_("maatwerkbedrijf"),
}


def word(language: str, code: str) -> str:
    """A code in words. Raises KeyError for a code that has none: add it here."""
    return tr(language, _WORDS[str(code)])


def reason(
    language: str, given: Mapping[str, Any], certificates: Mapping[str, Mapping[str, str]]
) -> str:
    """One reason of a verdict ({rule, ok, values}) as a sentence.

    `certificates` is code -> language -> name; one no longer in it keeps its code.
    """
    rule, ok, values = given["rule"], given["ok"], given["values"]
    if rule == "activity" and values.get("threshold") is None:
        return tr(language, _NO_THRESHOLD)
    if rule == "radius" and values.get("distance_km") is None:
        return tr(language, _NO_SITE)
    shown = {name: _show(language, name, value) for name, value in values.items()}
    for name in {"missing", "required"} & values.keys():
        known = (certificates.get(code, {}).get(language, code) for code in values[name])
        shown[name] = ", ".join(known)
    return tr(language, _REASONS[rule, ok], **shown)


def _show(language: str, name: str, value: Any) -> str:
    if name in ("probability", "threshold"):
        return show_percent(language, value)
    if name in ("wanted", "status"):
        return word(language, value)
    if name in ("from", "until"):
        return show_date(language, date.fromisoformat(value), "short")
    if isinstance(value, (int, float)):
        return show_number(language, value)
    return str(value)
