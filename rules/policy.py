"""What an organisation decides, as values: read from config once, handed to rules and handlers, copied into a loop when it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta

from rules.budgets import Budget
from rules.digests import DigestPolicy
from rules.evidence import EvidencePolicy
from rules.feedback import Behaviour
from rules.loops import Plan
from rules.manners import NONE, Manners
from rules.messages import GroupChat
from rules.retention import Retention
from rules.worktime import WEEKENDS_ONLY, Calendar


@dataclass(frozen=True)
class Library:
    """A role's behaviour library (A2): what stands on the check-in cards about people of that role. Examples are taken from
    `industry`; empty: from everyday work."""

    occasions: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]
    industry: str = ""


@dataclass(frozen=True)
class Checkins:
    """When supervisors get their daily check-in card: local time of day, ISO weekdays (1 is Monday), None never.
    Past `until` of the same day it is not sent any more."""

    at: time | None
    until: time
    weekdays: frozenset[int]


@dataclass(frozen=True)
class Group:
    """A group conversation the bot may write to. `leader` is the key of whose people it is about (B4); None: it gets no digest."""

    name: str
    chat: GroupChat
    leader: str | None = None


@dataclass(frozen=True)
class Policy:
    """`plan` is the 72-hour plan of new loops. `checkin_expires` ends a card nobody submitted. `extension` is what 延期 grants.
    `words_within` is how long after a press the next sentence counts as its explanation. `fallback_hrbp` is the key of
    the person who hears of a feedback whose subject has no HRBP. `insist`: an incomplete sentence may be kept as a note.
    `change_window` is how long after the subject got it an author may take it back or reword it. `snooze` is what 稍后提醒 means when
    nobody says how long. `pages_url` is where the phone pages are, without a slash at the end; empty: there are none. Escalations
    to one reader less than `merge_within` after the last go together, after waiting `gather` for what falls due with them. `calendar`
    answers with the days as they are known now: an administrator may correct them while the bot runs. `hints`: an endpoint may be
    asked what a sentence means that the rules leave open. `administrators` are the keys of those who may look at the desk and
    hear of what is wrong; when there is an `admin_chat` they hear of it there. `budgets` are what the platforms let us spend.
    `retention` says what is forgotten after which time."""

    plan: Plan
    checkin_expires: timedelta
    extension: timedelta
    words_within: timedelta
    libraries: Mapping[str, Library]
    checkins: Checkins
    fallback_hrbp: str | None
    groups: tuple[Group, ...] = ()
    evidence: EvidencePolicy = field(default_factory=EvidencePolicy)
    insist: bool = True
    change_window: timedelta = timedelta(minutes=10)
    snooze: timedelta = timedelta(hours=2)
    pages_url: str = ""
    manners: Manners = NONE
    merge_within: timedelta = timedelta(minutes=30)
    gather: timedelta = timedelta(0)
    administrators: frozenset[str] = frozenset()
    admin_chat: GroupChat | None = None
    budgets: tuple[Budget, ...] = ()
    calendar: Callable[[], Calendar] = lambda: WEEKENDS_ONLY
    hints: bool = False
    retention: Retention = field(default_factory=dict)
    digests: DigestPolicy = field(default_factory=DigestPolicy)
