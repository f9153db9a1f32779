"""The exposure audit: who got, opened, answered and won leads, beside what eligibility predicts."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select

from api.errors import Invalid
from api.services import authorisation
from api.services.desk import BRUSSELS, Desk
from matcher.exposure import Stratum, Test, exact_test, holm
from models import Answer, Broadcast, BroadcastException, Company, HubPartner, Lead, VerdictRow
from models.answer import AnswerKind
from models.broadcast import ExceptionKind
from models.lead import Outcome

YEAR, ONE_DAY = timedelta(days=365), timedelta(days=1)
NEW = YEAR  # a company is new in its first year in the network


class Measure(StrEnum):
    """What is drawn from what: leads from the eligible, the rest from who got the lead."""

    LEADS = "leads"
    OPENS = "opens"
    ANSWERS = "answers"
    CHOICES = "choices"  # from the interested ones


class Group(StrEnum):
    PARTNERS = "partners"  # of the hub, beside all others
    NEW = "new"  # in the network, beside those longer there
    FRENCH = "french"  # French-speaking, beside Dutch-speaking


@dataclass(frozen=True)
class Exposure:
    """One company in the period; counts of broadcasts. `choice_p` is adjusted by Holm's rule."""

    company_id: str
    name: str
    partner: bool
    new: bool
    language: str
    eligible: int
    leads: int
    late: int
    opens: int
    answers: int
    interested: int
    choices: int
    expected_choices: float
    choice_p: float


@dataclass(frozen=True)
class Comparison:
    group: Group
    measure: Measure
    test: Test


@dataclass(frozen=True)
class ExposureAudit:
    """Of the broadcasts released from `since` until before `until`."""

    hub_id: str
    since: datetime
    until: datetime
    broadcasts: int
    left_out: int
    added: int
    companies: tuple[Exposure, ...]  # by name: an audit is no ranking
    comparisons: tuple[Comparison, ...]

    @property
    def first_day(self) -> date:
        return self.since.astimezone(BRUSSELS).date()

    @property
    def last_day(self) -> date:
        return (self.until.astimezone(BRUSSELS) - ONE_DAY).date()


@dataclass(frozen=True)
class _Broadcast:
    """Sets of company ids: who was eligible, got it, opened it, answered, wanted it, won it."""

    eligible: frozenset[str]
    leads: frozenset[str]
    late: frozenset[str]
    opens: frozenset[str]
    answers: frozenset[str]
    interested: frozenset[str]
    choices: frozenset[str]
    decided: bool  # whether the firm chose somebody


def of_days(desk: Desk, hub_id: str, first: date | None, last: date | None) -> ExposureAudit:
    """Audit the days from `first` to `last`, both included; the last year when not given.

    Raises NotFound for everybody but the hub's coordinators, Invalid for a period backwards or
    out of this century.
    """
    last = last or desk.today
    first = first or min(last, desk.today) - YEAR
    for field, given in (("since", first), ("until", last)):
        if not 2000 <= given.year < 2100:
            raise Invalid("bad_date", f"{field}: choose a day between 2000 and 2099", field=field)
    begin = datetime.combine(first, time(), BRUSSELS)
    return audit(desk, hub_id, begin, datetime.combine(last + ONE_DAY, time(), BRUSSELS))


def audit(desk: Desk, hub_id: str, since: datetime, until: datetime) -> ExposureAudit:
    """Audit the broadcasts of a hub that were released from `since` until before `until`.

    Raises NotFound for everybody but the hub's coordinators, Invalid for a period backwards.
    """
    authorisation.require_coordinator(desk.actor, hub_id)
    if until <= since:
        raise Invalid("period_backwards", "until: choose a day after since", field="until")
    found, need_ids = _collect(desk, hub_id, since, until)
    seen = frozenset[str]().union(*(each.eligible | each.leads for each in found))
    companies = {
        company.id: company
        for company in desk.session.scalars(select(Company).where(Company.id.in_(seen)))
    }
    partners = frozenset(
        desk.session.scalars(select(HubPartner.company_id).where(HubPartner.hub_id == hub_id))
    )
    new = frozenset(c.id for c in companies.values() if c.created_at > until - NEW)
    made = desk.session.scalars(
        select(BroadcastException.kind).where(BroadcastException.need_id.in_(need_ids))
    ).all()
    return ExposureAudit(
        hub_id=hub_id,
        since=since,
        until=until,
        broadcasts=len(found),
        left_out=sum(kind is ExceptionKind.LEFT_OUT for kind in made),
        added=sum(kind is ExceptionKind.ADDED for kind in made),
        companies=tuple(_per_company(found, companies, partners, new)),
        comparisons=tuple(_comparisons(found, companies, partners, new)),
    )


def _collect(
    desk: Desk, hub_id: str, since: datetime, until: datetime
) -> tuple[list[_Broadcast], set[str]]:
    within = (
        Broadcast.hub_id == hub_id,
        Broadcast.released_at >= since,
        Broadcast.released_at < until,
    )
    rows = desk.session.execute(select(Broadcast.id, Broadcast.need_id).where(*within))
    need_of = {broadcast_id: need_id for broadcast_id, need_id in rows}  # noqa: C416 - rows, typed
    eligible: dict[str, set[str]] = defaultdict(set)
    for broadcast_id, company_id in desk.session.execute(
        select(VerdictRow.broadcast_id, VerdictRow.company_id)
        .join(Broadcast, Broadcast.id == VerdictRow.broadcast_id)
        .where(*within, VerdictRow.eligible)
    ):
        eligible[broadcast_id].add(company_id)
    leads: dict[str, list[Lead]] = defaultdict(list)
    for lead in desk.session.scalars(
        select(Lead).join(Broadcast, Broadcast.id == Lead.broadcast_id).where(*within)
    ):
        leads[lead.broadcast_id].append(lead)
    last: dict[str, AnswerKind] = {}
    for lead_id, kind in desk.session.execute(
        select(Answer.lead_id, Answer.kind)
        .join(Lead, Lead.id == Answer.lead_id)
        .join(Broadcast, Broadcast.id == Lead.broadcast_id)
        .where(*within)
        .order_by(Answer.id)
    ):
        last[lead_id] = kind
    return [_sets(eligible[each], leads[each], last) for each in sorted(need_of)], set(
        need_of.values()
    )


def _sets(eligible: set[str], leads: Sequence[Lead], last: Mapping[str, AnswerKind]) -> _Broadcast:
    def those(meets: Callable[[Lead], object]) -> frozenset[str]:
        return frozenset(lead.company_id for lead in leads if meets(lead))

    choices = those(lambda lead: lead.outcome is Outcome.CHOSEN)
    return _Broadcast(
        eligible=frozenset(eligible),
        leads=those(lambda lead: True),
        late=those(lambda lead: lead.late),
        opens=those(lambda lead: lead.opened_at),
        answers=those(lambda lead: lead.answered_at),
        interested=those(lambda lead: last.get(lead.id) is AnswerKind.INTERESTED) | choices,
        choices=choices,
        decided=bool(choices),
    )


def _drawn(broadcast: _Broadcast, measure: Measure) -> tuple[frozenset[str], frozenset[str]]:
    """(who stood an equal chance, who was drawn). Exceptions that were added stand outside."""
    if measure is Measure.LEADS:
        return broadcast.eligible, broadcast.leads & broadcast.eligible
    if measure is Measure.CHOICES:
        return (broadcast.interested, broadcast.choices) if broadcast.decided else (_NONE, _NONE)
    taken = broadcast.opens if measure is Measure.OPENS else broadcast.answers
    return broadcast.leads, taken


_NONE: frozenset[str] = frozenset()


def _strata(
    found: Sequence[_Broadcast], measure: Measure, group: frozenset[str], beside: frozenset[str]
) -> list[Stratum]:
    strata = []
    for each in found:
        population, drawn = _drawn(each, measure)
        population, drawn = population & (group | beside), drawn & (group | beside)
        if population:
            strata.append(
                Stratum(len(population), len(population & group), len(drawn), len(drawn & group))
            )
    return strata


def _comparisons(
    found: Sequence[_Broadcast],
    companies: Mapping[str, Company],
    partners: frozenset[str],
    new: frozenset[str],
) -> list[Comparison]:
    everybody = frozenset(companies)

    def speaking(language: str) -> frozenset[str]:
        return frozenset(c.id for c in companies.values() if c.language == language)

    groups = {
        Group.PARTNERS: (partners & everybody, everybody - partners),
        Group.NEW: (new, everybody - new),
        Group.FRENCH: (speaking("fr"), speaking("nl")),
    }
    return [
        Comparison(group, measure, exact_test(_strata(found, measure, one, other)))
        for group, (one, other) in groups.items()
        for measure in Measure
    ]


def _per_company(
    found: Sequence[_Broadcast],
    companies: Mapping[str, Company],
    partners: frozenset[str],
    new: frozenset[str],
) -> list[Exposure]:
    everybody = frozenset(companies)
    ordered = sorted(companies.values(), key=lambda company: (company.name, company.id))
    tests = []
    for company in ordered:
        mine = [each for each in found if company.id in each.interested]
        alone = frozenset({company.id})
        tests.append(exact_test(_strata(mine, Measure.CHOICES, alone, everybody - alone)))
    adjusted = holm([test.p_value for test in tests])

    def count(company: Company, name: str) -> int:
        return sum(company.id in getattr(each, name) for each in found)

    return [
        Exposure(
            company_id=company.id,
            name=company.name,
            partner=company.id in partners,
            new=company.id in new,
            language=company.language,
            eligible=count(company, "eligible"),
            leads=count(company, "leads"),
            late=count(company, "late"),
            opens=count(company, "opens"),
            answers=count(company, "answers"),
            interested=count(company, "interested"),
            choices=count(company, "choices"),
            expected_choices=test.expected,
            choice_p=p,
        )
        for company, test, p in zip(ordered, tests, adjusted, strict=True)
    ]
