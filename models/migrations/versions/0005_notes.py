"""notes in the case file of a need"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("need_id", sa.String(length=26), nullable=False),
        sa.Column("hub_id", sa.String(length=26), nullable=False),
        sa.Column("author_id", sa.String(length=26), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("edited_at", models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("removed_at", models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("created_at", models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["hub_id"], ["hub.id"], name=op.f("fk_note_hub_id")),
        sa.ForeignKeyConstraint(["need_id"], ["need.id"], name=op.f("fk_note_need_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_author_id"), "note", ["author_id"])
    op.create_index(op.f("ix_note_need_id"), "note", ["need_id"])


def downgrade() -> None:
    op.drop_table("note")
