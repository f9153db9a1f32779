"""The tables of Maatmatch: one file per noun of the design."""

from models.answer import Answer
from models.attachment import Attachment
from models.audit import AuditEntry
from models.base import Base, new_id, now
from models.broadcast import Broadcast, BroadcastException, Correction, VerdictRow
from models.calibration import CalibrationRow
from models.choice import Choice
from models.collaboration import Collaboration
from models.company import Absence, Certificate, Company, HubPartner, Site
from models.firm import Firm
from models.hub import Hub, HubMunicipality
from models.idempotency import IdempotentResponse
from models.judgement import JudgementRow
from models.lead import Lead
from models.ledger import LedgerEntry
from models.meeting import Meeting, MeetingOption
from models.message import Message
from models.need import Need, Step
from models.note import Note
from models.offer import Offer, OfferVector
from models.person import Membership, Person
from models.question import Question
from models.referral import Referral
from models.session import BrowserSession, SignInLink
from models.token import ApiToken
from models.webhook import Webhook, WebhookDelivery

__all__ = [
    "Absence",
    "Answer",
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "Base",
    "Broadcast",
    "BroadcastException",
    "BrowserSession",
    "CalibrationRow",
    "Certificate",
    "Choice",
    "Collaboration",
    "Company",
    "Correction",
    "Firm",
    "Hub",
    "HubMunicipality",
    "HubPartner",
    "IdempotentResponse",
    "JudgementRow",
    "Lead",
    "LedgerEntry",
    "Meeting",
    "MeetingOption",
    "Membership",
    "Message",
    "Need",
    "Note",
    "Offer",
    "OfferVector",
    "Person",
    "Question",
    "Referral",
    "SignInLink",
    "Site",
    "Step",
    "VerdictRow",
    "Webhook",
    "WebhookDelivery",
    "new_id",
    "now",
]
