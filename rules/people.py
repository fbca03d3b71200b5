"""Who is who (A9): people, whom they answer to, and one person on two platforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.directory import Directory, Member
from rules.events import Account, Platform
from rules.messages import PersonId


@dataclass(frozen=True)
class Person:
    """Somebody of the company. `key` is the employee number, or made from the first platform that told us of him. `role` names a
    behaviour library in config; empty when none fits. `left_at` is set once he has left."""

    id: PersonId
    key: str
    name: str
    department: str
    position: str
    role: str
    supervisor: PersonId | None
    hrbp: PersonId | None
    left_at: datetime | None
    mobile: str = ""

    @property
    def active(self) -> bool:
        """Whether he still works here."""
        return self.left_at is None


@dataclass(frozen=True)
class Entry:
    """A person as a list tells him (CSV or directory), before we know who that is. `supervisor` and `hrbp` are keys; `accounts` may
    name him on both platforms. None means: the source does not know, keep what we have."""

    key: str
    name: str
    department: str
    accounts: tuple[Account, ...]
    position: str = ""
    role: str | None = None
    supervisor: str | None = None
    hrbp: str | None = None
    mobile: str = ""
    left: bool = False


@dataclass(frozen=True)
class Matched:
    """What a sync makes of a platform's directory. `unsure` are names that fit several people; they become people of their own and
    are reported, because merging two humans is worse than asking one administrator."""

    entries: tuple[Entry, ...]
    gone: tuple[Account, ...]
    unsure: tuple[str, ...] = field(default_factory=tuple)


def chain_of(subject: Person, people: Mapping[PersonId, Person]) -> tuple[PersonId, ...]:
    """Who hears of an unanswered feedback, in order: the subject's HRBP, then the HRBP's supervisors upwards (A6).

    The subject himself and leavers are passed over. Cycles end the walk.
    """
    chain: list[PersonId] = []
    seen: set[PersonId] = set()
    who = subject.hrbp
    while who is not None and who in people and who not in seen:
        seen.add(who)
        if people[who].active and who != subject.id:
            chain.append(who)
        who = people[who].supervisor
    return tuple(chain)


def match(platform: Platform, directory: Directory, people: Sequence[Person], accounts: Mapping[Account, PersonId]) -> Matched:
    """Say who the members of a platform's directory are.

    In this order: the account is known; the job number is a person's key; the mobile number is a person's; exactly one person of
    that name in that department has no account on this platform yet. Otherwise the member is somebody new. Accounts of
    this platform that the directory no longer has are `gone`.
    """
    by_key = {person.key: person for person in people}
    by_id = {person.id: person for person in people}
    free = [person for person in people if person.id not in {pid for account, pid in accounts.items() if account.platform is platform}]
    unsure: list[str] = []
    key_of: dict[str, str] = {}
    for member in directory.members:
        known = accounts.get(account_of(platform, member.user_id))
        person = by_id.get(known) if known is not None else _find(member, directory, by_key, free, unsure)
        if person is not None and person in free:
            free.remove(person)
        key_of[member.user_id.lower()] = person.key if person else (member.job_number or f"{platform}:{member.user_id}")
    entries = tuple(_entry(platform, member, directory, key_of) for member in directory.members)
    present = {account_of(platform, member.user_id) for member in directory.members if member.active}
    gone = tuple(account for account in accounts if account.platform is platform and account not in present)
    return Matched(entries, gone, tuple(unsure))


def account_of(platform: Platform, user_id: str) -> Account:
    """The account in the form we look it up by: WeCom ids are the same ignoring case (wecom.md, naming)."""
    return Account(platform, user_id.lower() if platform is Platform.WECOM else user_id)


def _find(
    member: Member, directory: Directory, by_key: Mapping[str, Person], free: Iterable[Person], unsure: list[str]
) -> Person | None:
    if member.job_number and member.job_number in by_key:
        return by_key[member.job_number]
    free = list(free)
    by_mobile = [person for person in free if member.mobile and person.mobile == member.mobile]
    if len(by_mobile) == 1:
        return by_mobile[0]
    namesakes = [person for person in free if person.name == member.name and person.department == directory.department_of(member)]
    if len(namesakes) > 1:
        unsure.append(member.name)
    return namesakes[0] if len(namesakes) == 1 else None


def _entry(platform: Platform, member: Member, directory: Directory, key_of: Mapping[str, str]) -> Entry:
    return Entry(
        key=key_of[member.user_id.lower()],
        name=member.name,
        department=directory.department_of(member),
        accounts=(account_of(platform, member.user_id),),
        position=member.position,
        supervisor=key_of.get(member.leader.lower()) if member.leader else None,
        mobile=member.mobile,
        left=not member.active,
    )
