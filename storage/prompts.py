"""Questions we are waiting on: the next sentence of this person explains that answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from rules.feedback import Answer
from rules.messages import PersonId
from storage.tables import prompts
from storage.work import Work


@dataclass(frozen=True)
class Prompt:
    """`person`'s next sentence before `until` explains `answer` to `feedback`."""

    person: PersonId
    feedback: int
    answer: Answer
    until: datetime


class PromptsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def ask(self, prompt: Prompt) -> None:
        """Wait for a sentence; a newer question takes the place of an older one."""
        self._work.execute(delete(prompts).where(prompts.c.person == prompt.person))
        row = {"person": prompt.person, "feedback": prompt.feedback, "answer": prompt.answer.value, "until": prompt.until}
        self._work.execute(insert(prompts).values(**row))

    def take(self, person: PersonId, now: datetime) -> Prompt | None:
        """The question this person still owes us words for, which is thereby answered."""
        row = self._work.execute(select(prompts).where(prompts.c.person == person)).mappings().one_or_none()
        if row is None:
            return None
        self._work.execute(delete(prompts).where(prompts.c.person == person))
        return Prompt(person, row["feedback"], Answer(row["answer"]), row["until"]) if now < row["until"] else None

    def waits(self, person: PersonId, feedback: int, now: datetime) -> bool:
        """Whether the next sentence of this person would explain his answer to this feedback."""
        this = (prompts.c.person == person) & (prompts.c.feedback == feedback) & (prompts.c.until > now)
        return self._work.execute(select(prompts.c.person).where(this)).one_or_none() is not None
