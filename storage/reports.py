"""Read-only questions about many records: weeks, what waits, what was escalated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from rules.feedback import Record, State
from rules.loops import Loop, LoopState
from rules.messages import PersonId
from rules.weeks import Week
from storage.feedback import record_of
from storage.loops import loop_of
from storage.tables import feedback, in_state, loops, people
from storage.work import Work

# What counts: a note was never given, what was withdrawn is as if it had not been.
_COUNTED = tuple(state.value for state in (State.OPEN, State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED, State.CLOSED))


class Reports:
    def __init__(self, work: Work) -> None:
        self._work = work

    def given_by(self, author: PersonId, week: Week) -> tuple[Record, ...]:
        """What this author gave in a week, newest first."""
        return self._given(feedback.c.author == author, week)

    def notes_of(self, author: PersonId, week: Week) -> tuple[Record, ...]:
        """What this author kept as a note of his own in a week, newest first."""
        inside = (feedback.c.closed_at >= week.begins) & (feedback.c.closed_at < week.ends)
        query = select(feedback).where(feedback.c.author == author, feedback.c.state == State.NOTE.value, inside)
        return self._records(query.order_by(feedback.c.closed_at.desc(), feedback.c.id.desc()))

    def given_to(self, subjects: Collection[PersonId], week: Week) -> tuple[Record, ...]:
        """What these people got in a week, from whomever, newest first."""
        return self._given(feedback.c.subject.in_(subjects), week)

    def waiting_about(self, subjects: Collection[PersonId]) -> tuple[Record, ...]:
        """What these people have not answered yet, the longest-waiting first."""
        return self._waiting(feedback.c.subject.in_(subjects))

    def waiting_from(self, author: PersonId) -> tuple[Record, ...]:
        """What this author gave and nobody has answered yet, the longest-waiting first."""
        return self._waiting(feedback.c.author == author)

    def by_author(self, author: PersonId, since: datetime) -> tuple[Record, ...]:
        """What this author gave since then, withdrawn ones included, newest first."""
        query = select(feedback).where(feedback.c.author == author, feedback.c.given_at >= since)
        return self._records(query.order_by(feedback.c.given_at.desc(), feedback.c.id.desc()))

    def about(self, subject: PersonId, since: datetime) -> tuple[Record, ...]:
        """What this person got since then and may still answer or has answered, newest first."""
        counted = feedback.c.state.in_(_COUNTED)
        query = select(feedback).where(feedback.c.subject == subject, feedback.c.given_at >= since, counted)
        return self._records(query.order_by(feedback.c.given_at.desc(), feedback.c.id.desc()))

    def running(self, hrbp: PersonId, before: datetime) -> tuple[tuple[Record, Loop], ...]:
        """Every open record about the people of this HRBP whose next step falls due before then."""
        due = in_state(loops, LoopState.WAITING) & (loops.c.due_at < before)
        of_his = select(people.c.id).where(people.c.hrbp == hrbp)
        query = select(feedback.c.id).join(loops, loops.c.feedback == feedback.c.id).where(due, feedback.c.subject.in_(of_his))
        return self._with_loops(tuple(self._work.execute(query.order_by(feedback.c.id)).scalars()))

    def escalated(self) -> tuple[tuple[Record, Loop], ...]:
        """Every open record that an HRBP has heard of and nobody has ended, the longest-waiting first."""
        running = in_state(loops, LoopState.WAITING, LoopState.TAKEN)
        query = select(loops.c.feedback).where(running, loops.c.escalated_at.is_not(None)).order_by(loops.c.opened_at, loops.c.feedback)
        return self._with_loops(tuple(self._work.execute(query).scalars()))

    def _with_loops(self, ids: Sequence[int]) -> tuple[tuple[Record, Loop], ...]:
        by_id = {row.id: record_of(row) for row in self._work.execute(select(feedback).where(feedback.c.id.in_(ids)))}
        clocks = {row.feedback: loop_of(row) for row in self._work.execute(select(loops).where(loops.c.feedback.in_(ids)))}
        return tuple((by_id[id], clocks[id]) for id in ids)

    def _given(self, whose: ColumnElement[bool], week: Week) -> tuple[Record, ...]:
        inside = (feedback.c.given_at >= week.begins) & (feedback.c.given_at < week.ends)
        query = select(feedback).where(whose, inside, feedback.c.state.in_(_COUNTED))
        return self._records(query.order_by(feedback.c.given_at.desc(), feedback.c.id.desc()))

    def _waiting(self, whose: ColumnElement[bool]) -> tuple[Record, ...]:
        query = select(feedback).where(whose, feedback.c.state == State.OPEN.value)
        return self._records(query.order_by(feedback.c.given_at, feedback.c.id))

    def _records(self, query: Select[Any]) -> tuple[Record, ...]:
        return tuple(record_of(row) for row in self._work.execute(query))
