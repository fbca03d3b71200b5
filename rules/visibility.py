"""Who may see a record: one function, asked by cards, pages and files alike (product, rule 3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rules.feedback import Record, State
from rules.loops import Loop, StepKind
from rules.messages import PersonId
from rules.people import Person

_NEVER_GIVEN = (State.DRAFT, State.EXPIRED)


def may_see(
    person: Person,
    record: Record,
    people: Mapping[PersonId, Person],
    loop: Loop | None = None,
    stands_in_for: Collection[PersonId] = (),
) -> bool:
    """Whether `person` may see `record` with everything that belongs to it.

    Its subject, its author, the author's line upwards, and the HRBP in charge: the subject's by today's directory, whoever the record
    was escalated to, and who took it over. `people` has the author, everybody above him, and the subject; `loop` is the record's.
    Who stands in for its author or for an HRBP in charge sees it as long as he does (A10): what falls to them falls to him.
    A record that was never given, or was withdrawn, is no business of its subject; one never given is the author's alone.
    Who has left sees nothing.
    """
    if not person.active:
        return False
    if person.id == record.author:
        return True
    if record.state in _NEVER_GIVEN or record.given_at is None:
        return False
    if person.id == record.subject:
        return record.state is not State.WITHDRAWN
    if person.id in _above(record.author, people):
        return True
    return not {record.author, *_in_charge(record, people, loop)}.isdisjoint({person.id, *stands_in_for})


def may_administer(person: Person, administrators: frozenset[str]) -> bool:
    """Whether `person` may look at the desk: queues and budgets, never anybody's words. `administrators` are employee numbers."""
    return person.active and person.key in administrators


# What an author did before he sent it, and the words that he replaced, are his.
_AUTHORS = ("offered", "written", "hinted", "kind", "dropped", "noted", "expired")


def may_read(person: Person, record: Record, what: str) -> bool:
    """Whether somebody who may see `record` may also read a line `what` of its history."""
    return person.id == record.author or what not in _AUTHORS


def may_read_words(person: Person, record: Record, what: str) -> bool:
    """Whether he may read the words that stand in that line: what the author wrote over is the author's."""
    return person.id == record.author or what not in (*_AUTHORS, "edited")


def _above(author: PersonId, people: Mapping[PersonId, Person]) -> set[PersonId]:
    """Everybody above the author; circles end the walk."""
    line: set[PersonId] = set()
    here = people[author].supervisor if author in people else None
    while here is not None and here not in line:
        line.add(here)
        here = people[here].supervisor if here in people else None
    return line


def _in_charge(record: Record, people: Mapping[PersonId, Person], loop: Loop | None) -> set[PersonId]:
    subject = people.get(record.subject)
    charged = {subject.hrbp} if subject else set()
    if loop is not None:
        escalations = sum(1 for stage in loop.plan[: loop.steps_taken] if stage.kind is StepKind.ESCALATE)
        # The first of the chain was in charge from the beginning: he also hears of a dispute.
        charged |= {*loop.chain[: max(1, escalations)], loop.taken_by}
    return {person for person in charged if person is not None}
