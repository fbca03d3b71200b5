"""the queue by class

Revision ID: 0011
Revises: 0010
"""

from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state IN ('due', 'sending')")


def upgrade() -> None:
    op.create_index('ix_outbox_class', 'outbox', ['urgency', 'not_before', 'id'], unique=False,
                    sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)


def downgrade() -> None:
    op.drop_index('ix_outbox_class', 'outbox')
