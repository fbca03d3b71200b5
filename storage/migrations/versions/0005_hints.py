"""hints

Revision ID: 0005
Revises: 0004
"""

from alembic import op
import sqlalchemy as sa

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('hints',
    sa.Column('feedback', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['feedback'], ['feedback.id'], name=op.f('fk_hints_feedback')),
    sa.PrimaryKeyConstraint('feedback', name=op.f('pk_hints'))
    )


def downgrade() -> None:
    op.drop_table('hints')
