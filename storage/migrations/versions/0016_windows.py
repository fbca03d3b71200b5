"""limits that are counted in a sliding window

Revision ID: 0016
Revises: 0015
"""

from alembic import op
import sqlalchemy as sa

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('limits', sa.Column('taken', sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column('limits', 'taken')
