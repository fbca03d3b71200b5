"""Whom a speaker may mean, and what he is to them: the directory as seen from one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from handlers.context import Context, Talk
from reading import names
from rules.commands import Speaker
from rules.messages import PersonId
from rules.people import Person, account_of

_LONGEST_NAME = 20
Names = tuple[tuple[str, tuple[Person, ...]], ...]  # the words that name somebody, and whom they may mean


@dataclass(frozen=True)
class Circle:
    """`people` are all who work here, by id; `by` is who speaks. `mentioned` are those he @-mentioned, not himself."""

    by: Person
    people: Mapping[PersonId, Person]
    mentioned: tuple[Person, ...] = ()

    @classmethod
    def around(cls, ctx: Context, talk: Talk) -> Circle:
        """By today's directory."""
        people = {person.id: person for person in ctx.tx.people.all().values() if person.active}
        accounts = ctx.tx.people.accounts() if talk.event.mentions else {}
        ids = dict.fromkeys(accounts.get(account_of(account.platform, account.user_id)) for account in talk.event.mentions)
        return cls(talk.by, people, tuple(people[id] for id in ids if id in people and id != talk.by.id))

    @cached_property
    def reports(self) -> tuple[Person, ...]:
        """Who answers to the speaker, in order of their key."""
        return tuple(sorted((p for p in self.people.values() if p.supervisor == self.by.id), key=lambda p: p.key))

    @cached_property
    def in_charge(self) -> tuple[Person, ...]:
        """Whose HRBP the speaker is, in order of their key."""
        return tuple(sorted((p for p in self.people.values() if p.hrbp == self.by.id), key=lambda p: p.key))

    @property
    def speaker(self) -> Speaker:
        """What the speaker is to the bot; an HRBP who leads people is an HRBP."""
        if self.in_charge:
            return Speaker.HRBP
        return Speaker.SUPERVISOR if self.reports else Speaker.EMPLOYEE

    @property
    def team(self) -> tuple[Person, ...]:
        """Whom he is asked about: his reports, or those he is in charge of."""
        return self.reports or self.in_charge

    @property
    def full_names(self) -> tuple[str, ...]:
        """Full names, for finding them in a text."""
        return tuple(person.name for person in self.people.values())

    def called(self, mention: str) -> tuple[Person, ...]:
        """Who is meant by `mention`. Among several who fit equally well, one's own people come before strangers."""
        if not 1 < len(mention) <= _LONGEST_NAME:
            return ()
        return self._nearest(names.resolve(mention, self._known))

    def named_in(self, text: str) -> Names:
        """Who is named in a text, in its order."""
        return tuple(chain.from_iterable(self.rows_in(text)))

    def rows_in(self, text: str) -> tuple[Names, ...]:
        """The same, with those in one row who are named in one breath: 小王和小李."""
        found = names.rows(text, names.mentions(text, self._known))
        return tuple(tuple((text[m.start : m.end], self._nearest(m.matches)) for m in row) for row in found)

    def own_row(self, text: str) -> Names:
        """The first of a text's rows that has somebody of the speaker's own people in it; () when none has."""
        rows = (row for row in self.rows_in(text) if any(self.leads(person) for _, fits in row for person in fits))
        return next(rows, ())

    def named_alone(self, text: str) -> Names:
        """Who is named in a text that is nothing but names: 小王和小李. () for any other."""
        rows = names.rows(text, names.mentions(text, self._known))
        whole = len(rows) == 1 and not text[: rows[0][0].start].strip(" @＠") and not text[rows[0][-1].end :].strip()
        return self.rows_in(text)[0] if whole else ()

    def with_mentioned(self, named: Names) -> Names:
        """Whom a text names together with those it @-mentions. A mention tells namesakes apart, and stands alone when the text names
        others than the mentioned, because those are part of what is told."""
        mentioned = {person.id: person for person in self.mentioned}
        meant = tuple((words, tuple(p for p in fits if p.id in mentioned) or fits) for words, fits in named)
        covered = {person.id for _, fits in meant for person in fits} & set(mentioned)
        rest = tuple((person.name, (person,)) for person in self.mentioned if person.id not in covered)
        return (*meant, *rest) if covered or not mentioned else rest

    def leads(self, person: Person) -> bool:
        """Whether the speaker stands above this person, at whatever distance."""
        seen: set[PersonId] = set()
        above = person.supervisor
        while above is not None and above in self.people and above not in seen:
            if above == self.by.id:
                return True
            seen.add(above)
            above = self.people[above].supervisor
        return False

    @cached_property
    def _known(self) -> tuple[names.Known, ...]:
        return tuple(names.Known(person.key, person.name) for person in self.people.values())

    @cached_property
    def _by_key(self) -> Mapping[str, Person]:
        return {person.key: person for person in self.people.values()}

    def _nearest(self, matches: Sequence[names.Match]) -> tuple[Person, ...]:
        best = [self._by_key[match.person.key] for match in matches if match.score == matches[0].score]
        own = [person for person in best if person.supervisor == self.by.id] or [person for person in best if self.leads(person)]
        return tuple(own or best)
