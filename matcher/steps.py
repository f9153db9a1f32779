"""The pieces of work in a long text: where it is cut, what each piece is about, what is not asked.

A piece that is only a verb ("wassen", "les réparer") says no work without the thing it is done to,
so it is read together with that thing, taken from the pieces around it.
"""

import re
from dataclasses import dataclass, replace

from matcher.text import (
    FUNCTION_WORDS,
    Language,
    clean,
    detect_language,
    normalise,
    words,
)

_SENTENCE = re.compile(
    r"(?<=[^\W\d]{3}[.!?…])\s+|(?<=\b[a-z]{2}\.)\s+(?=[A-ZÀ-Ý])|[!?…]+\s+|\s*[;\n•·]+\s*|\s+[–—-]\s+"
)
_HEADING = re.compile(r":\s+")
_CLAUSE = re.compile(
    r",\s+(?:(?:en|et|and|puis|dan|then)\s+)?"
    r"|(?<!-)\s+(?:en|et|and|maar|mais|but|alsook|evenals|ainsi que|as well as)\s+"
    r"(?:(?:dan|ook|daarna|vervolgens|nadien|puis|ensuite|then|also)\s+)?"
    r"|\s+(?:daarna|vervolgens|nadien|puis|ensuite|then|afterwards)\s+",
    re.I,
)
_COURTESY = re.compile(
    r"^(?:beste|geachte|dag|hallo|hoi|goedendag|goeiedag|goedemorgen|bonjour|madame|monsieur|"
    r"cher|chère|dear|hello|hi|good (?:morning|day)|mvg|met (?:vriendelijke|hartelijke)|groet\w*|"
    r"vriendelijke|alvast (?:bedankt|dank)|bedankt|dank u|merci|d'avance|cordialement|bien à vous|"
    r"salutations|thank|thanks|kind regards|best regards|regards)\b",
    re.I,
)
_ASKING = re.compile(
    r"\b(?:gezocht|zoek|zoekt|zoeken|zoekende|gevraagd|nodig|graag|wanted|needed|needs?|"
    r"looking for|seeking|recherch\w*|cherch\w*|besoin|on)\b",
    re.I,
)
# Work somebody says is not asked. "Nu doen we dat zelf" and "niet alleen" say no such thing.
_DECLINED = re.compile(
    r"\b(?:doen|doe|doet|regelen|regelt|verzorgen|verzorgt|organiseren|voorzien|houden|brengen)"
    r"\s+(?:wij|we|ik|onze \w+)\s+(?:dat\s+|het\s+)?(?:al\s+)?zelf\b"
    r"|\b(?:wij|we|ik)\s+(?:doen|doe|regelen|verzorgen|organiseren|voorzien)\s+(?:[\w-]+\s+){0,6}zelf\b"
    r"|\b(?:hoeft|hoeven|moet|moeten)\s+(?:\w+\s+){0,2}niet\b(?! alleen)"
    r"|\bniet nodig\b|\bgeen \w+ nodig\b|\bis (?:al )?geregeld\b"
    r"|\bniet (?:te )?(?:wassen|herstellen|ophalen|leveren|vervoeren|sorteren|strijken|verpakken)\b"
    r"|\b(?:pas|plus) besoin\b|\bn'est pas nécessaire\b|\bnous nous en chargeons\b"
    r"|\bnous-mêmes?\b|\bon s'en occupe\b"
    r"|\b(?:no need (?:for|to)|not needed|not required)\b"
    r"|\bwe (?:do|handle|arrange) [\w ]{0,30}ourselves\b",
    re.I,
)
_STILL = re.compile(
    r"\b(?:nu|momenteel|vandaag|voorlopig|tot nu|nog altijd|vroeger|niet meer|kunnen|lukt|"
    r"actuellement|aujourd'hui|jusqu'ici|ne (?:pouvons|parvenons)|now|currently|until now|so far|"
    r"used to|cannot|can't)\b",
    re.I,
)

# Verbs that name an action but not the thing: with none of their own, pieces borrow one.
_VERBS = frozenset(
    """
    acheminer afbreken afgehaald afgevoerd afhalen afvoeren afwassen aspirer assemble
    assembled assembler assembles bekleden bekleed bestickeren bewaard bewaren brengen
    brengt bring brings brought buitenzetten charger check checked clean cleaned cleaning
    cleans collect collecte collected collectent collecter collectes collecting collects
    conditionner controleert controler controleren count counts couper decharger deliver
    delivered delivers demonte demonteert demontent demonter demonteren demontes deposer
    desinfecter desinfecteren disinfect dismantle dismantled dismantles distribuer drogen
    droogt dry effacer emballe emballent emballer emballes empty enlever entreposer
    entretenir etiketteert etiketteren etiqueter etiquette evacuer expedier fermer fetch
    fill fills fix fold folded folding folds gebracht gecontroleerd gedemonteerd gedroogd
    geetiketteerd gehaald gekeurd gekuist gelabeld geleverd gemonteerd geplooid gepoetst
    gerecycleerd gereinigd gerepareerd geschilderd geschuurd gesloten gesorteerd gespoeld
    gestapeld gestockeerd gestoffeerd gestreken geteld getest gevouwen gevuld gewassen
    gewist haalt halen herbruiken hergebruiken hermaken hersteld herstellen herstelt
    herverpakken hervullen ingepakt ingezameld inpakken inspect invullen inzamelen inzamelt
    iron ironed ironing irons keuren klaarmaken kuisen kuist label labelen labelled labels
    labelt lave lavees lavent laver laves leveren levert livre livrees livrent livrer livres
    load maken mend moet moeten monter monteren move nagekeken nagezien nakijken nazien
    nettoie nettoient nettoyer nettoyes ontmanteld ontmantelen ontsmet ontsmetten opbouwen
    opgehaald opgeknapt opgekuist opgeslagen ophaalt ophalen opknappen opkuisen oppikken
    opplooien oppoetsen opslaan pack packed packing packs paint persen pick plaatsen plie
    plient plier plies plooien plooit poetsen poetst poncer preparer press ramasser ramener
    ramenes rapporter reconditionner recoudre recuperer recycle recycleert recycler
    recycleren recycles rediger reemballer refill refurbish refurbished reinigen reinigt
    remettre remplacer remplir remplit repack repair repaired repairs repare repareert
    reparent reparer repareren repares repasse repassees repassent repasser repasses replace
    reprendre resell resold restore return returned returns reutiliser revend revendre
    rincer rinse schilderen schildert schoongemaakt schoonmaken schuren schuurt secher sell
    sew sluiten smelt sort sorted sorteert sorteren sorting sorts spoelen spoelt stack
    stapelen stapelt stocke stockent stocker stockeren stofferen store stored stores
    strijken strijkt sweep take taken tellen telt terugbrengen terugbrengt teruggebracht
    terugleggen terugleveren test tested testen tester tests transport transporte
    transporteert transportent transporter transporteren trie triees trient trier tries
    uitdelen uitkuisen uitlenen uitsorteren uitwassen unload valoriser vegen vendre verdeeld
    verdelen verifier verkocht verkoopt verkopen vermaalt vermalen vernieuwen verpakken
    verpakt verplaatsen versturen verstuurd vervangen vervangt verven vervoerd vervoeren
    vervoert verwerken verwerkt verwijderd verwijderen verwijdert verzamelen verzamelt
    verzenden verzonden vouwen vouwt vullen vult wash washed washes washing wassen wast
    wegbrengen wegdoen weghalen wegvoeren wipe wiped wisselen wissen worden wordt wrap
    """.split()  # noqa: SIM905
)
_FILLER = frozenset(
    """
    iemand bedrijf partner ploeg wie terug opnieuw proper netjes eventueel nadien daarna
    eerst die dat welke dont which that after wel alles ze hen hem haar dit enkel ook kunnen
    kan moeten willen zoeken zoek zoekt vragen gezocht gevraagd kunt komt komen laten thuis
    bij weer verder quelqu qui que faut il elles lui leur puis ensuite cherchons cherche
    pouvez peut proprement nouveau entreprise partenaire someone somebody company team
    please also back again who can could need needs looking want then
    """.split()  # noqa: SIM905
)
_HAVING = re.compile(
    r"\b(?:heeft|hebben|heb|krijgen|krijgt|avons|il y a|récupérons|recevons|have|has|receive)\b",
    re.I,
)
# Dutch puts the verb last: until it comes, what stands after "die" or "om" is one clause.
_WAITS = re.compile(r"\b(?:die|om)\b(?!.*\bte \w+)", re.I)
_RELATIVE = re.compile(r"(?:die|dat|welke|qui|que|which|that)\b", re.I)
_WORD = re.compile(r"[\w'’-]+")
MOST_THING = 6  # words kept of the thing a piece borrows


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that can be work.

    ``thing`` is what a piece without a thing of its own is done to, taken from around it; empty
    when it names one.
    """

    text: str
    thing: str
    verbs: str
    language: Language
    declined: bool
    lends: bool
    """Whether it only names the thing that verbs after it borrow, and no work itself."""

    @property
    def whole(self) -> str:
        """The piece with its thing, as it is read."""
        if not self.thing:
            return self.text
        pair = (self.thing, self.verbs) if self.language == "nl" else (self.verbs, self.thing)
        return " ".join(pair)


def without_asking(text: str) -> str:
    """A text on one line without the words that only say something is asked for.

    "Gezocht" says nothing about the work; whole kinds of texts that are no work end in it.
    """
    return " ".join(_ASKING.sub(" ", text).split()) or text


def split_sentences(text: str) -> list[str]:
    """Sentences and list lines of a cleaned text, without greetings and thanks."""
    pieces = (piece.strip(" .,;:-–—") for piece in _SENTENCE.split(text) if piece)
    return [
        piece
        for piece in pieces
        if piece and not (_COURTESY.match(piece) and len(piece.split()) < 9)
    ]


def split_clauses(sentence: str) -> list[str]:
    """A sentence cut at commas and at "and": each part could be a piece of work."""
    return [part.strip(" .,;:-") for part in _CLAUSE.split(sentence) if words(part)]


def _whole_clauses(clauses: list[str]) -> list[str]:
    """Clauses that wait for their verb go with the next ("die onze lakens", "hemden wast")."""
    found: list[str] = []
    for clause in clauses:
        if found and _WAITS.search(found[-1]) and not _done(found[-1]) and _done(clause):
            found[-1] += " en " + clause
        else:
            found.append(clause)
    return found


def is_declined(text: str) -> bool:
    """Whether a clause says that its work is not asked: the firm does it, or it is not needed."""
    return bool(_DECLINED.search(text)) and not _STILL.search(text)


def _thing(clause: str, language: Language) -> str:
    """What a clause is about: its words without verbs of work and words that say nothing."""
    idle = _VERBS | _FILLER | FUNCTION_WORDS[language]
    had = _HAVING.split(clause)[-1]  # "onze crèche heeft vuile luiers" is about the nappies
    kept = [
        word
        for word in _WORD.findall(had if words(had) else clause)
        if any(part not in idle and not part.isdigit() for part in words(word))
    ]
    return " ".join(kept[:MOST_THING])


def _done(clause: str) -> str:
    """The verbs of a clause."""
    return " ".join(word for word in _WORD.findall(clause) if normalise(word) in _VERBS)


def split_pieces(text: str) -> list[Piece]:
    """The pieces of a text that can be work, in order, each once.

    Sentences without greetings, cut at colons, commas and "and". Which pieces really are work, and
    which belong together, is for the activity classifier (:meth:`matcher.ranking.Ranker.read`).
    """
    cleaned = clean(text)
    language = detect_language(cleaned)
    found: dict[str, Piece] = {}
    before = ""
    for sentence in split_sentences(cleaned):
        heading = ""
        for part in _HEADING.split(sentence):
            clauses = _whole_clauses(split_clauses(part))
            things = [_thing(clause, language) for clause in clauses]
            here = heading
            for place, clause in enumerate(clauses):
                own, verbs = things[place], _done(clause)
                thing = ""
                if verbs and (not own or _RELATIVE.match(clause)):
                    later = next((one for one in things[place + 1 :] if one), "")
                    thing = here or (before if own else later or before)
                elif own and not (heading and verbs):
                    here = own
                bare = clause if own else verbs
                piece = Piece(clause, thing, bare, language, is_declined(clause), False)
                found.setdefault(normalise(piece.whole), piece)
            heading = here
        before = heading or before
    borrowed = {piece.thing for piece in found.values() if piece.thing and not piece.declined}
    return [
        replace(piece, lends=not _done(piece.text) and _thing(piece.text, language) in borrowed)
        for piece in found.values()
    ]
