"""what has had its time can be found and forgotten

Revision ID: 0012
Revises: 0011
"""

from alembic import op
import sqlalchemy as sa

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

NEVER_GIVEN = sa.text("state IN ('expired', 'withdrawn') AND given_at IS NULL")


def upgrade() -> None:
    op.create_table('forgotten',
    sa.Column('what', sa.String(length=16), nullable=False),
    sa.Column('up_to', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('what', name=op.f('pk_forgotten'))
    )
    op.create_index('ix_feedback_never_given', 'feedback', ['closed_at'], sqlite_where=NEVER_GIVEN, postgresql_where=NEVER_GIVEN)


def downgrade() -> None:
    op.drop_index('ix_feedback_never_given', table_name='feedback')
    op.drop_table('forgotten')
