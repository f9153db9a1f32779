"""The same network with what comes later: mail that returns, edits, referrals, meetings, workers
that come back from the dead."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from api.mail import bounces
from api.runtime import Runtime
from api.services import (
    answers,
    collaborations,
    companies,
    meeting_options,
    needs,
    offers,
    outbox,
    referrals,
    tasks,
    unreached,
)
from api.services.desk import WORKER, Actor, Desk
from api.services.outbox import Outcome, Result
from models import Collaboration, Company, Hub, Lead, MeetingOption, Message, Offer
from models.company import Delivery
from models.message import MessageKind, MessageState
from models.need import WorkPlace
from models.referral import ReferralKind
from models.states import CollaborationState, OptionState
from tests.api.test_mail_bounces import dsn
from tests.properties.machine import Network
from tests.properties.network import OFFERS, PLACES, TEXTS


class Region(Network):
    """Two hubs, and everything that can happen after a mail has left."""

    needs, companies = Network.needs, Network.companies
    crash, pick = Network.crash, Network.pick

    def __init__(self, open_database: Callable[[], AbstractContextManager[Runtime]]) -> None:
        super().__init__(open_database)
        self.held: list[list[str]] = []  # what workers had in hand when their process froze

    @rule(need=needs, to_hub=st.booleans(), crash=crash)
    def hub_refers(self, need: str, to_hub: bool, crash: bool) -> None:
        actor = self.coordinator(need)

        def refer(desk: Desk) -> None:
            (other,) = set(self.hubs) - actor.hubs
            slug = desk.session.get_one(Hub, other).slug if to_hub else ""
            kind = ReferralKind.HUB if to_hub else ReferralKind.EXPERT
            mail = "" if to_hub else "expert@elsewhere.example"
            referrals.refer(
                desk, need, kind, "Dit is iets voor jullie.", to_hub=slug, to_email=mail
            )
            self.reached.add("referred")

        self.do(actor, refer, crash=crash)

    @rule(
        need=needs,
        certificates=st.sampled_from([(), ("iso-9001",), ("nonsense",)]),
        work_place=st.sampled_from(WorkPlace),
        volume=st.sampled_from(["", "400 kg", "x" * 500]),
        by_hub=st.booleans(),
        crash=crash,
    )
    def facts_are_edited(
        self, need: str, certificates: tuple[str, ...], work_place: WorkPlace, volume: str,
        by_hub: bool, crash: bool,
    ) -> None:  # fmt: skip
        facts = {"certificates": certificates, "work_place": work_place, "volume": volume}
        actor = self.coordinator(need) if by_hub else self.world.finn
        self.do(actor, lambda desk: needs.change_facts(desk, need, facts), crash=crash)

    @rule(need=needs, text=st.sampled_from(TEXTS), crash=crash)
    def steps_are_corrected(self, need: str, text: str, crash: bool) -> None:
        actor = self.coordinator(need)
        self.do(actor, lambda desk: needs.correct_steps(desk, need, [(text, ())]), crash=crash)

    @rule(
        company=companies,
        change=st.sampled_from(["each", "moves", "offer off", "offer text", "other mail"]),
        place=st.sampled_from(PLACES),
        offer=st.sampled_from(OFFERS),
        number=st.integers(0, 3),
        crash=crash,
    )
    def company_turns(
        self, company: str, change: str, place: str, offer: str, number: int, crash: bool
    ) -> None:
        offer_id = self.some(Offer, number, Offer.company_id == company)
        deeds: dict[str, Callable[[Desk], object]] = {
            "each": lambda desk: companies.change(desk, company, delivery=Delivery.EACH),
            "moves": lambda desk: companies.set_sites(desk, company, [(place, "")]),
            "offer off": lambda desk: offers.change(desk, offer_id or "", active=False),
            "offer text": lambda desk: offers.change(desk, offer_id or "", text=offer),
            "other mail": lambda desk: companies.change(
                desk, company, email=f"{company}{number}@y.example"
            ),
        }
        self.do(self.world.cato, deeds[change], crash=crash)

    @rule(pick=Network.pick, crash=crash)
    def company_opens(self, pick: int, crash: bool) -> None:
        lead_id = self.some(Lead, pick)
        if lead_id is not None:

            def look(desk: Desk) -> None:
                answers.opened(desk, desk.session.get_one(Lead, lead_id))
                self.reached.add("opened")

            self.do(Actor(f"lead:{lead_id}"), look, crash=crash)

    @rule(
        pick=Network.pick,
        status=st.sampled_from(["5.1.1", "5.1.1", "4.2.2"]),
        kinds=st.sampled_from([(MessageKind.LEAD,), (MessageKind.DIGEST,), tuple(MessageKind)]),
        crash=crash,
    )
    def mail_returns(
        self, pick: int, status: str, kinds: tuple[MessageKind, ...], crash: bool
    ) -> None:
        row = self.some(Message, pick, Message.state == MessageState.SENT, Message.kind.in_(kinds))
        if row is None:
            return

        def take_in(desk: Desk) -> None:
            message = desk.session.get_one(Message, row)
            bounces.take_in(desk, dsn(message.message_id, status=status))
            self.reached |= {"returned", f"returned {message.kind}"}

        self.do(WORKER, take_in, crash=crash)

    @rule(pick=Network.pick, crash=crash)
    def a_new_address_brings_what_was_missed(self, pick: int, crash: bool) -> None:
        """Whoever gets another address is no longer a task, and gets its open leads at once."""
        lead_id = self.some(Lead, pick, Lead.closed_at.is_(None), Lead.opened_at.is_(None))
        if lead_id is None:
            return

        def replace_address(desk: Desk) -> None:
            lead = desk.session.get_one(Lead, lead_id)
            company = desk.session.get_one(Company, lead.company_id)
            self.made += 1
            companies.change(desk, company.id, email=f"new{self.made}@company.example")
            desk.session.flush()
            for hub_id, actor in self.hubs.items():
                for task in tasks.of_hub(desk.as_actor(actor), hub_id):
                    unseen = task.kind is tasks.TaskKind.LEAD_UNREACHED
                    assert not (unseen and task.company_id == company.id and company.active)
            for each in unreached.waiting(desk):
                if unreached.bring(desk, each) is not None:
                    self.reached.add("readdressed")

        self.do(self.world.cato, replace_address, crash=crash)

    @rule(limit=st.integers(1, 5), crash=crash)
    def a_worker_freezes(self, limit: int, crash: bool) -> None:
        """It has mails in hand, and is silent for longer than its leases last."""
        ids = self.do(
            WORKER,
            lambda desk: [each.id for each in outbox.claim(desk, "frozen", limit)],
            crash=crash,
        )
        if ids:
            self.held.append(ids)
            self.at += 2 * outbox.LEASE

    @rule(result=st.sampled_from(Result))
    def a_worker_wakes(self, result: Result) -> None:
        """What it says now may have been said by another worker meanwhile."""
        if self.held:
            ids = self.held.pop()
            outcomes = [Outcome(each, result, "250 at last", self.at) for each in ids]
            self.do(WORKER, lambda desk: outbox.record(desk, outcomes))
            self.reached.add("woken")

    @rule(
        pick=Network.pick,
        by_firm=st.booleans(),
        what=st.sampled_from(["propose", "take", "decline"]),
        crash=crash,
    )
    def they_agree_a_moment(self, pick: int, by_firm: bool, what: str, crash: bool) -> None:
        lead_id = self.some(Lead, pick)
        option_id = self.some(MeetingOption, pick, MeetingOption.state == OptionState.OPEN)
        if lead_id is None:
            return
        actor = self.world.finn if by_firm else Actor(f"lead:{lead_id}")
        moment = self.at + timedelta(days=3)

        def agree(desk: Desk) -> None:
            if what == "propose":
                meeting_options.propose(desk, [lead_id], [moment])
            elif what == "take":
                meeting_options.take(desk, option_id or "")
            else:
                meeting_options.decline(desk, lead_id)
            self.reached.add(f"meeting {what}")

        self.do(actor, agree, crash=crash)

    @rule(pick=Network.pick, state=st.sampled_from(CollaborationState), crash=crash)
    def a_collaboration_goes_on(self, pick: int, state: CollaborationState, crash: bool) -> None:
        found = self.some(Collaboration, pick)
        if found is not None:
            self.do(
                self.world.finn,
                lambda desk: collaborations.update(desk, found, state=state),
                crash=crash,
            )
