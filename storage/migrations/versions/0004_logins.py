"""logins

Revision ID: 0004
Revises: 0003
"""

from alembic import op
import sqlalchemy as sa

import storage.columns

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('logins',
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('person', sa.Integer(), nullable=False),
    sa.Column('next', sa.String(length=255), nullable=False),
    sa.Column('expires_at', storage.columns.UtcDateTime(timezone=True), nullable=False),
    sa.Column('used_at', storage.columns.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person'], ['people.id'], name=op.f('fk_logins_person')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_logins'))
    )
    with op.batch_alter_table('logins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_logins_expires_at'), ['expires_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('logins', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_logins_expires_at'))

    op.drop_table('logins')
