"""manners

Revision ID: 0007
Revises: 0006
"""

from alembic import op
import sqlalchemy as sa

import storage.columns

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('preferences',
    sa.Column('person', sa.Integer(), nullable=False),
    sa.Column('own_quiet', sa.Boolean(), nullable=False),
    sa.Column('quiet_from', sa.String(length=5), nullable=True),
    sa.Column('quiet_until', sa.String(length=5), nullable=True),
    sa.Column('rests', sa.Boolean(), nullable=True),
    sa.Column('muted', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['person'], ['people.id'], name=op.f('fk_preferences_person')),
    sa.PrimaryKeyConstraint('person', name=op.f('pk_preferences'))
    )
    op.create_table('rulings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message', sa.Integer(), nullable=False),
    sa.Column('at', storage.columns.UtcDateTime(timezone=True), nullable=False),
    sa.Column('what', sa.String(length=8), nullable=False),
    sa.Column('why', sa.String(length=32), nullable=False),
    sa.Column('until', storage.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('other', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['message'], ['outbox.id'], name=op.f('fk_rulings_message')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rulings'))
    )
    with op.batch_alter_table('rulings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rulings_message'), ['message'], unique=False)

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_sent', ['person', 'sent_at'], unique=False,
                              sqlite_where=sa.text("state IN ('sent')"), postgresql_where=sa.text("state IN ('sent')"))


def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_sent')

    with op.batch_alter_table('rulings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rulings_message'))

    op.drop_table('rulings')
    op.drop_table('preferences')
