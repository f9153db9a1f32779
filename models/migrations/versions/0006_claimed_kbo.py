"""claimed kbo"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("firm") as table:
        table.add_column(sa.Column("claimed_kbo", sa.String(length=10), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("firm") as table:
        table.drop_column("claimed_kbo")
