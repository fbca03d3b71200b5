"""how a due time was counted, and which loops fail

Revision ID: 0015
Revises: 0014
"""

from alembic import op
import sqlalchemy as sa

import storage.columns

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

_INDEXES = {
    'counted_by': (['counted_by', 'feedback'], sa.text("counted_by IS NOT NULL")),
    'failed_at': (['failed_at'], sa.text("failed_at IS NOT NULL")),
}


def upgrade() -> None:
    op.add_column('loops', sa.Column('counted_from', storage.columns.UtcDateTime(timezone=True), nullable=True))
    op.add_column('loops', sa.Column('counted_s', sa.Float(), nullable=True))
    op.add_column('loops', sa.Column('counted_by', sa.String(length=16), nullable=True))
    op.add_column('loops', sa.Column('failed_at', storage.columns.UtcDateTime(timezone=True), nullable=True))
    for name, (columns, condition) in _INDEXES.items():
        op.create_index(f'ix_loops_{name}', 'loops', columns, unique=False, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(f'ix_loops_{name}', 'loops')
    for column in ('failed_at', 'counted_by', 'counted_s', 'counted_from'):
        op.drop_column('loops', column)
