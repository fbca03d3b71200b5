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
    by_id = {person.id: person for person in people}
    unclaimed = _Unclaimed(people, {person for account, person in accounts.items() if account.platform is platform})
    unsure: list[str] = []
    key_of: dict[str, str] = {}  # by user id as in `account_of`
    used: set[str] = set()
    for member in directory.members:
        account = account_of(platform, member.user_id)
        known = accounts.get(account)
        person = by_id.get(known) if known is not None else unclaimed.find(member, directory.department_of(member), unsure)
        key = person.key if person else (member.job_number or f"{platform}:{account.user_id}")
        if known is None and key in used:
            unsure.append(member.name)  # somebody else has this job number
            key = f"{platform}:{account.user_id}"
        key_of[account.user_id] = key
        used.add(key)
    entries = tuple(_entry(platform, member, directory, key_of) for member in directory.members)
    present = {account_of(platform, member.user_id) for member in directory.members if member.active}
    gone = tuple(account for account in accounts if account.platform is platform and account not in present)
    return Matched(entries, gone, tuple(unsure))


def account_of(platform: Platform, user_id: str) -> Account:
    """The account in the form we look it up by: WeCom ids are the same ignoring case (wecom.md, naming)."""
    return Account(platform, user_id.lower() if platform is Platform.WECOM else user_id)


class _Unclaimed:
    """People who may be the one a member is: by job number, or without an account on the platform yet."""

    def __init__(self, people: Sequence[Person], claimed: set[PersonId]) -> None:
        self._claimed = claimed
        self._by_key = {person.key: person for person in people}
        self._by_mobile: dict[str, list[Person]] = {}
        self._by_name: dict[tuple[str, str], list[Person]] = {}
        for person in people:
            self._by_mobile.setdefault(person.mobile, []).append(person)
            self._by_name.setdefault((person.name, person.department), []).append(person)

    def find(self, member: Member, department: str, unsure: list[str]) -> Person | None:
        """Who the member is, claimed from now on; notes the name in `unsure` when it fits several."""
        person = self._by_key.get(member.job_number) if member.job_number else None
        if person is None and member.mobile:
            person = _only(self._free(self._by_mobile.get(member.mobile, ())))
        if person is None:
            namesakes = self._free(self._by_name.get((member.name, department), ()))
            person = _only(namesakes)
            unsure += [member.name] * (len(namesakes) > 1)
        if person is not None:
            self._claimed.add(person.id)
        return person

    def _free(self, people: Iterable[Person]) -> list[Person]:
        return [person for person in people if person.id not in self._claimed]


def _only(people: Sequence[Person]) -> Person | None:
    return people[0] if len(people) == 1 else None


def _entry(platform: Platform, member: Member, directory: Directory, key_of: Mapping[str, str]) -> Entry:
    account = account_of(platform, member.user_id)
    return Entry(
        key=key_of[account.user_id],
        name=member.name,
        department=directory.department_of(member),
        accounts=(account,),
        position=member.position,
        supervisor=key_of.get(account_of(platform, member.leader).user_id) if member.leader else None,
        mobile=member.mobile,
        left=not member.active,
    )
