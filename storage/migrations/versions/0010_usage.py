"""what was spent of the platforms' budgets

Revision ID: 0010
Revises: 0009
"""

from alembic import op
import sqlalchemy as sa

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('usage',
    sa.Column('platform', sa.String(length=16), nullable=False),
    sa.Column('what', sa.String(length=16), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('shard', sa.String(length=8), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'what', 'day', 'shard', name=op.f('pk_usage'))
    )


def downgrade() -> None:
    op.drop_table('usage')
