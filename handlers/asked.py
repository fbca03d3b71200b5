"""A command as understood, and whom and which records it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from cards.catalog import SorryText
from handlers.circle import Circle
from handlers.context import Context, Reply, Talk
from reading import times
from reading.commands import Command
from rules import commands
from rules.commands import Hints
from rules.feedback import Record, Refusal
from rules.messages import PersonId
from rules.people import Person
from rules.weeks import SHANGHAI

_THE_LAST = re.compile("上一条|上条|最后一?条|最近一?条|最新一?条|刚才|刚刚|刚发|刚写|刚给")


@dataclass(frozen=True)
class Asked:
    """A command as understood, who said it and whom he may mean."""

    talk: Talk
    command: Command
    circle: Circle

    @property
    def by(self) -> Person:
        """Who asks."""
        return self.talk.by

    @property
    def text(self) -> str:
        """His words."""
        return self.talk.event.text


def sorry(reason: Refusal, name: str | None = None) -> Reply:
    """A correct no, as a sentence."""
    return Reply(says=SorryText(reason, name))


def one(asked: Asked, name: str) -> Person | Refusal:
    """The one person this name means; why not, when nobody or several fit."""
    fits = asked.circle.called(name)
    if len(fits) == 1:
        return fits[0]
    return Refusal.SEVERAL_OF_THAT_NAME if fits else Refusal.NO_SUCH_NAME


def everybody(asked: Asked, names: Sequence[str]) -> tuple[Person, ...] | SorryText:
    """Everybody these names may mean; why not, when one of them means nobody."""
    people: list[Person] = []
    for name in names:
        fits = asked.circle.called(name)
        if not fits:
            return SorryText(Refusal.NO_SUCH_NAME, name)
        people += fits
    return tuple(people)


def narrowed(records: Sequence[Record], asked: Asked, ctx: Context, whose: Callable[[Record], PersonId]) -> tuple[Record, ...]:
    """Those of `records` that the command's number, names, day and “上一条” leave. `whose` says whom its names are compared with."""
    command = asked.command
    meant = frozenset(person.id for target in command.targets for person in asked.circle.called(target))
    hints = Hints(command.feedback_id, meant if command.targets else None, _day(asked, ctx), bool(_THE_LAST.search(asked.text)))
    return commands.narrowed(records, whose, hints)


def his_to_watch(asked: Asked, ctx: Context) -> tuple[Record, ...]:
    """Open records that the writer gave, and those about people he is the HRBP of; the longest-waiting first."""
    given = ctx.tx.reports.waiting_from(asked.by.id)
    charged = ctx.tx.reports.waiting_about([person.id for person in asked.circle.in_charge])
    both = {record.id: record for record in (*given, *charged)}
    return tuple(sorted(both.values(), key=lambda record: (record.given_at or record.created_at, record.id)))


def _day(asked: Asked, ctx: Context) -> date | None:
    found = (times.resolve(mention, ctx.now, SHANGHAI) for mention in times.find(asked.command.time or ""))
    return next((moment.astimezone(SHANGHAI).date() for moment in found if moment), None)
