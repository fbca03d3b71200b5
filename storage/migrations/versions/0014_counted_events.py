"""counted events say what else they are, who counted them, and when we heard of them

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from storage.columns import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("counts") as table:
        table.add_column(sa.Column("overlap", sa.String(length=190)))
        table.add_column(sa.Column("system", sa.String(length=32)))
        table.add_column(sa.Column("taken_at", UtcDateTime()))
    op.execute("UPDATE counts SET overlap = key, system = '', taken_at = at")
    with op.batch_alter_table("counts") as table:
        table.alter_column("overlap", nullable=False, existing_type=sa.String(length=190))
        table.alter_column("system", nullable=False, existing_type=sa.String(length=32))
        table.alter_column("taken_at", nullable=False, existing_type=UtcDateTime())
        table.create_index(op.f("ix_counts_overlap"), ["overlap"])
        table.create_index("ix_counts_person_taken_at", ["person", "taken_at"])


def downgrade() -> None:
    with op.batch_alter_table("counts") as table:
        table.drop_index("ix_counts_person_taken_at")
        table.drop_index(op.f("ix_counts_overlap"))
        for column in ("taken_at", "system", "overlap"):
            table.drop_column(column)
