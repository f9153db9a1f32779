"""What pages say after a form was sent, and problems in words, per code."""

from api.errors import Problem
from api.i18n import tr


def N_(text: str) -> str:
    return text


NOTICES: dict[str, str] = {
    "signed_out": N_("Je bent afgemeld."),
    "erased": N_("Je gegevens zijn gewist."),
    "session_ended": N_("Dat toestel is afgemeld."),
    "confirmed": N_("Je vraag is bevestigd en ligt bij de coördinator van de hub."),
    "need_sent": N_("Je vraag is verstuurd en ligt bij de coördinator van de hub."),
    "chosen": N_("Je keuze is bewaard. Iedereen krijgt bericht."),
    "reopened": N_("Je kunt opnieuw kiezen. Wie toen bericht kreeg, hoort straks de nieuwe keuze."),
    "withdrawn": N_("De vraag is ingetrokken. Wie ze kreeg, krijgt bericht."),
    "attached": N_("Het bestand staat bij je vraag."),
    "detached": N_("Het bestand is weggehaald."),
    "corrected": N_("De aanvulling is naar alle ontvangers gestuurd."),
    "answered_question": N_("Vraag en antwoord zijn naar alle ontvangers gestuurd."),
    "collaboration": N_("De samenwerking is bijgewerkt."),
    "seen_to": N_("Deze vraag is al behandeld, misschien net door een collega. Zo staat ze nu."),
    "approved": N_("De vraag is vrijgegeven: alle ontvangers krijgen ze op hetzelfde moment."),
    "steps": N_("De deelstappen zijn aangepast; alle maatwerkbedrijven zijn opnieuw beoordeeld."),
    "facts": N_("De gegevens zijn aangepast."),
    "asked": N_("Je vraag is naar de onderneming gemaild."),
    "referred": N_("De vraag is doorverwezen; de onderneming krijgt bericht."),
    "no_fit": N_("De vraag is afgesloten; de onderneming krijgt je uitleg."),
    "taken_back": N_("De vraag staat weer in de wachtrij."),
    "exception": N_("De uitzondering is bewaard, met reden, naam en tijdstip."),
    "exception_undone": N_("De uitzondering is ingetrokken."),
    "judged": N_(
        "Je beoordeling is bewaard voor de volgende ijking; deze verspreiding "
        "verandert er niet door."
    ),
    "answer_noted": N_("Het antwoord is bewaard."),
    "link_renewed": N_("De oude link werkt niet meer; een mail met de nieuwe is onderweg."),
    "texts": N_("De woorden zijn bewaard en gelden voor mails die nog vertrekken."),
    "note_added": N_("De notitie staat in het dossier."),
    "note_changed": N_("De notitie is aangepast."),
    "note_removed": N_("De notitie is verwijderd. Terugzetten kan nog een maand."),
    "note_restored": N_("De notitie staat terug."),
    "terms": N_("De instellingen zijn bewaard en gelden voor de volgende verspreidingen."),
    "person_added": N_("Die persoon kan zich nu aanmelden met dat mailadres."),
    "person_removed": N_("De rol is weggenomen."),
    "company_added": N_("Het maatwerkbedrijf is toegevoegd."),
    "profile": N_("Het profiel is bewaard."),
    "profile_confirmed": N_("Bedankt. We noteerden dat alles nog klopt."),
    "profile_mail_stopped": N_("Deze vraag komt niet meer per mail. Leads blijven komen."),
    "profile_asked": N_("De herinnering is onderweg."),
    "offer_added": N_("Het aanbod is toegevoegd."),
    "offer_changed": N_("Het aanbod is bewaard."),
    "feed": N_("De nieuwe adressen staan klaar; de oude werken niet meer."),
    "offer_removed": N_("Het aanbod is verwijderd."),
    "offer_restored": N_("Het aanbod staat terug."),
    "sites": N_("De vestigingen zijn bewaard."),
    "colleague_invited": N_("De uitnodiging is onderweg."),
    "colleague_mail": N_("De mail is aangepast."),
    "colleague_removed": N_("De toegang is weggenomen."),
    "absence": N_("De afwezigheid is bewaard."),
    "certificates": N_("De certificaten zijn bewaard."),
    "imported": N_("De lijst is ingelezen."),
    "token_revoked": N_("Die sleutel werkt niet meer."),
    "answer_kept": N_("Je antwoord is bewaard. De onderneming ziet het."),
    "declined_kept": N_("Je antwoord is bewaard. Bedankt om het te laten weten."),
    "webhook_tested": N_("Het testbericht vertrekt. Hieronder zie je het antwoord."),
    "webhook_replayed": N_("Het bericht vertrekt opnieuw."),
    "webhook_paused": N_("De webhook is gepauzeerd."),
    "webhook_resumed": N_("De webhook werkt weer."),
    "webhook_deleted": N_("De webhook is verwijderd."),
    "meeting_proposed": N_("Je voorstel is verstuurd. Je krijgt bericht zodra er een antwoord is."),
    "meeting_agreed": N_("De afspraak staat vast. De uitnodiging voor je agenda is onderweg."),
    "meeting_declined": N_("Je bericht is verstuurd. Stel gerust zelf een moment voor."),
    "meeting_cancelled": N_("De afspraak is afgezegd. Beide kanten krijgen bericht."),
    "question_sent": N_("Je vraag is naar de onderneming. Vraag en antwoord gaan naar iedereen."),
    "unsubscribed": N_("Je krijgt geen herinneringen meer. Nieuwe leads blijven komen."),
}

_HEADINGS = {
    401: N_("Meld je eerst aan"),
    403: N_("Dit kan hier niet"),
    404: N_("Niets gevonden"),
    409: N_("Dit kan nu niet"),
    410: N_("Deze link werkt niet meer"),
    413: N_("Dat is te groot"),
    422: N_("Er klopt iets niet"),
    429: N_("Even wachten"),
    503: N_("Even buiten dienst"),
}

PROBLEMS: dict[str, str] = {
    "attachment_not_found": N_("Dit bestand bestaat niet (meer), of is niet van jou."),
    "file_broken": N_(
        "%(name)s is beschadigd of niet volledig. Bewaar het opnieuw, of kies een ander bestand."
    ),
    "file_empty": N_("%(name)s is leeg."),
    "file_kind": N_(
        "%(name)s is geen foto (JPEG, PNG of WebP) of PDF. Een ander bestand nemen we niet aan."
    ),
    "file_too_large": N_(
        "%(name)s is groter dan %(most)s MB. Verklein het, of kies een ander bestand."
    ),
    "profile_fresh": N_("Dit profiel werd het voorbije jaar nog nagekeken."),
    "not_to_be_asked": N_(
        "Dit maatwerkbedrijf kreeg deze maand al een herinnering, wil ze niet, of heeft geen "
        "mailadres dat werkt."
    ),
    "no_file": N_("Kies eerst een foto of een PDF."),
    "no_space": N_("Er staan al te veel bestanden. Haal er oude weg, of verstuur je vraag zonder."),
    "too_many_files": N_("Hoogstens %(most)s bestanden bij een vraag. De rest namen we niet mee."),
    "period_backwards": N_("Kies een einde na het begin."),
    "too_many_webhooks": N_("Tien webhooks is het meeste. Verwijder er eerst een."),
    "meeting_far": N_("Kies een moment binnen de twee jaar."),
    "too_many_moments": N_("Stel hoogstens zes momenten voor."),
    "option_not_found": N_("Dit voorstel bestaat niet, of is niet van jou."),
    "option_gone": N_("Dit voorstel staat niet meer open. Herlaad de pagina."),
    "option_own": N_("Dit stelde je zelf voor. De andere kant kiest."),
    "colleague_already": N_("Deze persoon heeft al toegang."),
    "last_colleague": N_("Houd minstens één persoon over die zich kan aanmelden."),
    "meeting_past": N_("Kies een moment dat nog moet komen."),
    "bad_minutes": N_("Kies een duur tussen 5 minuten en 8 uur."),
    "no_meeting": N_("Er is geen afspraak om af te zeggen."),
    "webhook_not_found": N_("Deze webhook bestaat niet, of is niet van jou."),
    "webhook_url": N_("Geef een openbaar adres dat met https:// begint."),
    "delivery_not_found": N_("Dit bericht van een webhook bestaat niet, of is niet van jou."),
    "need_underway": N_("Trek je open vragen eerst in, of rond ze af."),
    "person_not_found": N_("Je kunt alleen je eigen gegevens zien of wissen."),
    "absence_backwards": N_("De laatste dag ligt voor de eerste. Draai ze om."),
    "already_there": N_("Dit staat er al."),
    "contact_no_member": N_("Dit adres hoort niet bij die onderneming. Noem iemand van daar."),
    "deadline_far": N_("Kies een einddatum binnen 60 dagen."),
    "bad_absence": N_("Schrijf een afwezigheid als twee dagen: van en tot."),
    "bad_alpha": N_("Kies een aandeel tussen 1 en 50 procent."),
    "bad_capacity": N_("Geef een aantal tussen 0 en 1000, of laat het leeg."),
    "bad_choice": N_("Kies een van de mogelijkheden die er staan."),
    "bad_csrf": N_("Dit formulier is te oud. Ga terug, herlaad de pagina en verstuur opnieuw."),
    "bad_csv": N_("Dit CSV-bestand is niet te lezen. Bewaar het opnieuw als CSV (UTF-8)."),
    "bad_date": N_("Dit is geen datum. Schrijf dag, maand en jaar."),
    "bad_deadline_days": N_("Kies een termijn tussen 1 en 60 dagen."),
    "bad_email": N_("Dit is geen volledig mailadres. Schrijf het als naam@voorbeeld.be."),
    "bad_encoding": N_("De letters in dit bestand zijn niet te lezen. Bewaar het als UTF-8."),
    "bad_figure": N_("Geef een getal van 0 of meer."),
    "bad_kbo": N_("Dit ondernemingsnummer klopt niet. Het heeft tien cijfers, zoals 0403.170.701."),
    "bad_language": N_("Kies Nederlands, Frans of Engels."),
    "bad_link": N_("Deze link is niet volledig. Kopieer de hele link uit de mail."),
    "bad_number": N_("Dit is geen getal."),
    "bad_radius": N_("Kies een afstand tussen 0 en 300 kilometer."),
    "bad_request": N_("Een veld van dit formulier is niet goed ingevuld (%(field)s)."),
    "bad_scopes": N_("Kies minstens één recht voor deze sleutel."),
    "bad_xlsx": N_("Dit Excel-bestand is niet te lezen. Bewaar het opnieuw als XLSX of CSV."),
    "bad_yes_no": N_("Schrijf ja of nee."),
    "body_too_large": N_("Dit is groter dan wat we aannemen. Kort het in, of splits het in delen."),
    "changed_meanwhile": N_("Iemand anders heeft dit net gewijzigd. Herlaad en probeer opnieuw."),
    "collaboration_not_found": N_("Deze samenwerking bestaat niet, of is niet van jou."),
    "company_not_found": N_("Dit maatwerkbedrijf bestaat niet."),
    "company_only": N_("Alleen het maatwerkbedrijf zelf of een coördinator kan dit."),
    "coordinators_only": N_("Dit is voor de coördinatoren van een hub."),
    "database_unavailable": N_(
        "We kunnen nu niets opzoeken of bewaren. Er is niets gewijzigd. Ga terug en probeer het "
        "over een minuut opnieuw; wat je typte, staat er meestal nog."
    ),
    "deadline_passed": N_("De antwoordtermijn van deze lead is voorbij."),
    "deadline_past": N_("Kies een moment dat nog moet komen."),
    "demo_only": N_("Deze pagina bestaat alleen in de demo."),
    "firm_only": N_("Alleen de onderneming zelf kan dit: de hub blijft neutraal."),
    "hub_not_found": N_("Deze hub bestaat niet, of is niet van jou."),
    "kbo_taken": N_("Dit ondernemingsnummer staat hier al bij een ander maatwerkbedrijf."),
    "lead_closed": N_("Deze lead is afgesloten. Antwoorden kan niet meer."),
    "lead_not_found": N_("Deze lead bestaat niet, of is niet van jou."),
    "link_expired": N_(
        "Deze link is verlopen: de vraag is al een half jaar afgesloten. "
        "Meld je aan om ze nog te lezen."
    ),
    "link_replaced": N_("Deze link is vervangen. Gebruik de nieuwste mail, of meld je aan."),
    "link_revoked": N_(
        "Deze link is vervangen. Gebruik de nieuwste mail van ons, of laat de nieuwe link "
        "opnieuw naar jullie mailadres sturen."
    ),
    "link_used": N_(
        "Deze link is al gebruikt of te oud. Met één druk op de knop sturen we een nieuwe naar "
        "het adres waarop je deze kreeg."
    ),
    "profile_link_expired": N_("Deze link is verlopen. Meld je aan om je profiel na te kijken."),
    "feed_renewed": N_(
        "Dit geheime adres voor een feedlezer is vernieuwd. Meld je aan: op jullie profiel staat "
        "het nieuwe."
    ),
    "missing": N_("Vul dit in."),
    "missing_columns": N_("Dit bestand mist kolommen die nodig zijn: %(missing)s."),
    "need_not_found": N_("Deze vraag bestaat niet, of is niet van jou."),
    "nobody_eligible": N_(
        "Geen enkel maatwerkbedrijf komt in aanmerking. Pas de gegevens aan, "
        "verwijs door, of voeg een bedrijf toe als uitzondering."
    ),
    "not_chosen": N_("Er is geen keuze om ongedaan te maken."),
    "not_interested": N_("Kies alleen tussen wie interesse heeft."),
    "not_open": N_("Dit kan alleen zolang de vraag open staat."),
    "not_text": N_("Dit is geen tekstbestand."),
    "nothing_fits": N_(
        "We vonden in deze vraag geen werk voor een maatwerkbedrijf. Verbeter eerst "
        "de deelstappen, of sluit de vraag af."
    ),
    "nothing_ticked": N_("Vink een maatwerkbedrijf aan, of kies uitdrukkelijk niemand."),
    "last_coordinator": N_("Een hub houdt minstens één coördinator."),
    "not_released": N_("Deze vraag is nog niet vrijgegeven."),
    "broadcast_not_found": N_("Deze verspreiding bestaat niet, of is niet van jou."),
    "nothing_to_choose": N_("Er valt nu niets te kiezen."),
    "nowhere": N_("Kies waar het werk gebeurt: bij de klant, in het atelier of allebei."),
    "note_not_found": N_("Deze notitie bestaat niet, of is niet van jouw hub."),
    "author_only": N_("Alleen wie de notitie schreef, kan ze wijzigen of verwijderen."),
    "offer_not_found": N_("Dit aanbod bestaat niet."),
    "outside_hubs": N_(
        "%(place)s ligt buiten het werkgebied van de hubs: die werken in Vlaanderen."
    ),
    "page_not_found": N_("Op dit adres staat niets. Misschien is de link niet volledig."),
    "question_not_found": N_("Deze vraag bestaat niet."),
    "reason_missing": N_("Kies waarom dit niet voor jullie is."),
    "role_not_found": N_("Deze rol bestaat niet, of is niet van jou."),
    "double": N_("Deze rij staat al eerder in het bestand (zelfde external_id). Schrap er een."),
    "no_address": N_("Vul eerst het mailadres van het maatwerkbedrijf in."),
    "mail_underway": N_("Er moet nog een mail over deze lead vertrekken. Wacht een minuut."),
    "same_hub": N_("Deze hub heeft de vraag al. Kies een andere."),
    "sign_in_first": N_(
        "Vraag hieronder een link om je aan te melden. Een wachtwoord is niet nodig."
    ),
    "start_long_past": N_("Die datum ligt meer dan een jaar terug."),
    "steps": N_("Geef 1 tot 12 deelstappen."),
    "token_not_found": N_("Deze sleutel bestaat niet, of is niet van jou."),
    "too_long": N_("Dit is te lang: %(length)s tekens, hoogstens %(most)s. Kort het in."),
    "too_many_cells": N_(
        "Deze rij heeft meer cellen dan er kolommen zijn. Staat er een scheidingsteken te veel?"
    ),
    "too_many": N_("Je probeerde dit erg vaak. Wacht een paar minuten en probeer opnieuw."),
    "too_many_rows": N_("Dit bestand heeft te veel rijen. Splits het in delen."),
    "too_short": N_("Schrijf minstens %(least)s tekens."),
    "unexpected": N_("Er ging hier iets mis. Er is niets gewijzigd; probeer het opnieuw."),
    "unknown_activity": N_("“%(name)s” kennen we niet als soort werk. Kies er een uit de lijst."),
    "unknown_certificate": N_("Dit certificaat kennen we niet. Kies er een uit de lijst."),
    "value_not_kept": N_("Een getal is te groot, of een tekst bevat een teken dat niet kan."),
    "unknown_hub": N_("Deze hub kennen we niet. Kies er een uit de lijst."),
    "unknown_format": N_("Geef een CSV- of XLSX-bestand."),
    "unknown_place": N_(
        "Deze plaats kennen we niet. Schrijf een postcode of gemeente in Vlaanderen."
    ),
    "not_sure": N_("Vink aan dat die hub de vraag overneemt, of kies iemand anders."),
    "unreadable": N_(
        "We konden dit formulier niet lezen. Ga terug, herlaad de pagina en probeer opnieuw."
    ),
    "unknown_place_near": N_("Deze plaats kennen we niet. Bedoel je %(near)s?"),
    "wrong_state": N_(
        "Dit kan niet meer: de vraag is intussen een stap verder. Herlaad de pagina."
    ),
}


def notice(language: str, code: str) -> str:
    """What a page says after a form. Raises KeyError for a code without words."""
    return tr(language, NOTICES[code])


def heading(language: str, status: int) -> str:
    """The title of an error page."""
    return tr(language, _HEADINGS.get(status, N_("Er ging iets mis")))


def problem(language: str, found: Problem) -> str:
    """A problem as a sentence that says what to do; English detail for a code without words."""
    code = found.code
    if code == "unknown_place" and found.values.get("suggestions"):
        near = ", ".join(found.values["suggestions"][:4])
        sentence = PROBLEMS["unknown_place_near"]
        return tr(language, sentence, near=near)
    known = PROBLEMS.get(code)
    if known is None:
        return found.detail
    shown = {
        key: ", ".join(map(str, value)) if isinstance(value, list) else value
        for key, value in found.values.items()
    }
    return tr(language, known, **shown)
