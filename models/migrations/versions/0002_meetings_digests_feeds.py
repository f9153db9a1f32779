"""meetings, digests, feeds"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meeting",
        sa.Column("need_id", sa.String(length=26), nullable=False),
        sa.Column("lead_id", sa.String(length=26), nullable=False),
        sa.Column("starts_at", models.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("cancelled_at", models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_meeting_need_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_meeting_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("lead_id", name=op.f("uq_meeting_lead_id")),
    )
    op.create_index(op.f("ix_meeting_need_id"), "meeting", ["need_id"])
    with op.batch_alter_table("message") as table:
        table.add_column(sa.Column("digest_id", sa.String(length=26), nullable=True))
        table.create_foreign_key(op.f("fk_message_digest_id"), "message", ["digest_id"], ["id"])
        table.create_index(op.f("ix_message_digest_id"), ["digest_id"])
    with op.batch_alter_table("company") as table:
        table.add_column(
            sa.Column("feed_version", sa.Integer(), server_default="1", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("company") as table:
        table.drop_column("feed_version")
    with op.batch_alter_table("message") as table:
        table.drop_index(op.f("ix_message_digest_id"))
        table.drop_constraint(op.f("fk_message_digest_id"), type_="foreignkey")
        table.drop_column("digest_id")
    op.drop_table("meeting")
