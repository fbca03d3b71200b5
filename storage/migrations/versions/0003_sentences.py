"""sentences and away

Revision ID: 0003
Revises: 0002
"""

from alembic import op
import sqlalchemy as sa

import storage.columns

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sentences',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('author', sa.Integer(), nullable=False),
    sa.Column('feedback', sa.Integer(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('until', storage.columns.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['author'], ['people.id'], name=op.f('fk_sentences_author')),
    sa.ForeignKeyConstraint(['feedback'], ['feedback.id'], name=op.f('fk_sentences_feedback')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sentences'))
    )
    with op.batch_alter_table('sentences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sentences_feedback'), ['feedback'], unique=False)
        batch_op.create_index('ix_sentences_author_until', ['author', 'until'], unique=False)

    op.create_table('away',
    sa.Column('person', sa.Integer(), nullable=False),
    sa.Column('held_until', storage.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('stand_in', sa.Integer(), nullable=True),
    sa.Column('stand_in_from', storage.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('stand_in_until', storage.columns.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person'], ['people.id'], name=op.f('fk_away_person')),
    sa.ForeignKeyConstraint(['stand_in'], ['people.id'], name=op.f('fk_away_stand_in')),
    sa.PrimaryKeyConstraint('person', name=op.f('pk_away'))
    )


def downgrade() -> None:
    op.drop_table('away')
    with op.batch_alter_table('sentences', schema=None) as batch_op:
        batch_op.drop_index('ix_sentences_author_until')
        batch_op.drop_index(batch_op.f('ix_sentences_feedback'))

    op.drop_table('sentences')
