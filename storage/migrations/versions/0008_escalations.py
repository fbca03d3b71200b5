"""escalations

Revision ID: 0008
Revises: 0007
"""

from alembic import op
import sqlalchemy as sa

import storage.columns

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('escalations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message', sa.Integer(), nullable=False),
    sa.Column('feedback', sa.Integer(), nullable=False),
    sa.Column('reader', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=32), nullable=False),
    sa.Column('at', storage.columns.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['feedback'], ['feedback.id'], name=op.f('fk_escalations_feedback')),
    sa.ForeignKeyConstraint(['message'], ['outbox.id'], name=op.f('fk_escalations_message')),
    sa.ForeignKeyConstraint(['reader'], ['people.id'], name=op.f('fk_escalations_reader')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escalations'))
    )
    with op.batch_alter_table('escalations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_escalations_feedback'), ['feedback'], unique=False)
        batch_op.create_index(batch_op.f('ix_escalations_message'), ['message'], unique=False)
        batch_op.create_index('ix_escalations_reader_at', ['reader', 'at'], unique=False)


def downgrade() -> None:
    op.drop_table('escalations')
