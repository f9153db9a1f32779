"""proposed meetings, pausing of webhooks, languages, people who get leads, ends of certificates"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BEFORE = (
    "sign_in", "confirm_need", "intake", "lead", "correction", "question", "question_answered",
    "reminder", "answered", "deadline", "nudge", "outcome", "referral", "returned", "meeting",
    "follow_up", "digest", "notice",
)  # fmt: skip
NEW = ("lead_copy", "proposal", "expiry", "invite")


def _kinds(*kinds: str) -> None:
    written = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("message") as table:
        table.drop_constraint(op.f("ck_message_messagekind"), type_="check")
        table.create_check_constraint(op.f("ck_message_messagekind"), f"kind IN ({written})")


def upgrade() -> None:
    op.create_table(
        "meeting_option",
        sa.Column("need_id", sa.String(length=26), nullable=False),
        sa.Column("lead_id", sa.String(length=26), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "firm", "company", name="side", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "taken",
                "declined",
                "replaced",
                name="optionstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", models.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_meeting_option_need_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_meeting_option_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_option")),
    )
    op.create_index(op.f("ix_meeting_option_need_id"), "meeting_option", ["need_id"])
    op.create_index(op.f("ix_meeting_option_lead_id"), "meeting_option", ["lead_id"])
    _kinds(*BEFORE, *NEW)
    with op.batch_alter_table("webhook") as table:
        table.add_column(
            sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("webhook_delivery") as table:
        table.add_column(
            sa.Column("answer", sa.String(length=200), server_default="", nullable=False)
        )
    with op.batch_alter_table("company") as table:
        table.add_column(sa.Column("languages", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("certificate") as table:
        table.add_column(
            sa.Column("reminded_at", models.base.UtcDateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("membership") as table:
        table.add_column(
            sa.Column("wants_leads", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("membership") as table:
        table.drop_column("wants_leads")
    with op.batch_alter_table("certificate") as table:
        table.drop_column("reminded_at")
    with op.batch_alter_table("company") as table:
        table.drop_column("languages")
    with op.batch_alter_table("webhook_delivery") as table:
        table.drop_column("answer")
    with op.batch_alter_table("webhook") as table:
        table.drop_column("paused")
    message = sa.table("message", sa.column("kind", sa.String()))
    op.execute(message.delete().where(message.c.kind.in_(NEW)))
    _kinds(*BEFORE)
    op.drop_table("meeting_option")
