"""when the profile of a company was last looked through; mails that ask to, and of new links"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = (
    "sign_in", "confirm_need", "intake", "lead", "lead_copy", "correction", "question",
    "question_answered", "reminder", "answered", "deadline", "nudge", "outcome", "referral",
    "returned", "proposal", "meeting", "follow_up", "digest", "notice", "expiry", "invite",
)  # fmt: skip
NEW = ("profile", "new_link")


def _kinds(*kinds: str) -> None:
    written = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("message") as table:
        table.drop_constraint(op.f("ck_message_messagekind"), type_="check")
        table.create_check_constraint(op.f("ck_message_messagekind"), f"kind IN ({written})")


def upgrade() -> None:
    # One by one and without a copy of the table: dropping the old `company` of a batch would, on
    # SQLite, take its sites along.
    moment = models.base.UtcDateTime(timezone=True)
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("wants_profile_mail", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("checked_at", moment, server_default="1970-01-01 00:00:00", nullable=False),
        sa.Column("reminded_at", moment, nullable=True),
    )
    for column in columns:
        op.add_column("company", column)
    op.execute("UPDATE company SET checked_at = updated_at")
    # Whoever described their work anew has looked, too.
    op.execute(
        "UPDATE company SET checked_at = "
        "(SELECT max(offer.updated_at) FROM offer WHERE offer.company_id = company.id) "
        "WHERE EXISTS (SELECT 1 FROM offer "
        "WHERE offer.company_id = company.id AND offer.updated_at > company.checked_at)"
    )
    _kinds(*BEFORE, *NEW)


def downgrade() -> None:
    message = sa.table("message", sa.column("kind", sa.String()))
    op.execute(message.delete().where(message.c.kind.in_(NEW)))
    _kinds(*BEFORE)
    for name in ("reminded_at", "checked_at", "wants_profile_mail"):
        op.drop_column("company", name)
