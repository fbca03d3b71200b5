"""one sentence about several people

Revision ID: 0013
Revises: 0012
"""

from alembic import op
import sqlalchemy as sa

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'companions',
        sa.Column('draft', sa.Integer(), nullable=False),
        sa.Column('place', sa.Integer(), nullable=False),
        sa.Column('person', sa.Integer(), nullable=False),
        sa.Column('record', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['draft'], ['feedback.id'], name=op.f('fk_companions_draft')),
        sa.ForeignKeyConstraint(['person'], ['people.id'], name=op.f('fk_companions_person')),
        sa.ForeignKeyConstraint(['record'], ['feedback.id'], name=op.f('fk_companions_record')),
        sa.PrimaryKeyConstraint('draft', 'place', name=op.f('pk_companions')),
        sa.UniqueConstraint('record', name=op.f('uq_companions_record')),
    )


def downgrade() -> None:
    op.drop_table('companions')
