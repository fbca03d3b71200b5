"""People and their accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from rules.events import Account, Platform
from rules.messages import PersonId
from rules.people import Entry, Person, account_of
from storage.columns import among
from storage.tables import accounts, people
from storage.work import Prepared, Work

# A person's last used platform is where messages go; noting every press would cost a write each.
_USED_PRECISION = timedelta(minutes=10)


_GET = Prepared(select(people).where(people.c.id == bindparam("id")))
_SOME = Prepared(select(people).where(among(people.c.id, "ids")))
_FIND = Prepared(
    select(people, accounts.c.used_at)
    .join(accounts, accounts.c.person == people.c.id)
    .where(accounts.c.platform == bindparam("platform"), accounts.c.user_id == bindparam("user_id"))
)
_ABOVE = select(people.c.id, people.c.supervisor, people.c.hrbp).where(people.c.id == bindparam("id")).cte("above", recursive=True)
_ABOVE = _ABOVE.union(
    select(people.c.id, people.c.supervisor, people.c.hrbp).where(or_(people.c.id == _ABOVE.c.supervisor, people.c.id == _ABOVE.c.hrbp))
)
_CIRCLE = Prepared(select(people).where(people.c.id.in_(select(_ABOVE.c.id))))


class PeopleTable:
    """`get`, `some`, `find` and `circle` remember whom they met for as long as the transaction lasts."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._met: dict[PersonId, Person] = {}
        self._whose: dict[Account, Any] = {}

    def foreseen(self, account: Account, row: Any, used_at: datetime | None) -> None:
        """`find` will be asked for this account: what was read of it, None for a stranger's."""
        self._whose[account] = (row, used_at)

    def get(self, id: PersonId) -> Person:
        """The person. Raises NoResultFound when there is none."""
        if id not in self._met:
            self._met[id] = _person(self._work.one(_GET, id=id))
        return self._met[id]

    def circle(self, id: PersonId) -> Person:
        """The person, met together with everybody above him, HRBPs included, in one statement. Raises NoResultFound."""
        self._met.update((row.id, _person(row)) for row in self._work.rows(_CIRCLE, id=id))
        return self.get(id)

    def some(self, ids: Iterable[PersonId]) -> Mapping[PersonId, Person]:
        """These people by id; unknown ids are left out."""
        wanted = set(ids)
        unmet = wanted - self._met.keys()
        if unmet:
            self._met.update((row.id, _person(row)) for row in self._work.rows(_SOME, ids=list(unmet)))
        return {id: self._met[id] for id in wanted & self._met.keys()}

    def all(self) -> Mapping[PersonId, Person]:
        """Everybody, leavers included, by id."""
        return {row.id: _person(row) for row in self._work.execute(select(people).order_by(people.c.id))}

    def count(self) -> int:
        """How many people work here."""
        query = select(func.count()).select_from(people).where(people.c.left_at.is_(None))
        return int(self._work.execute(query).scalar_one())

    def by_key(self, key: str) -> Person | None:
        """The person with this employee number."""
        row = self._work.execute(select(people).where(people.c.key == key)).one_or_none()
        return _person(row) if row else None

    def by_keys(self, keys: Collection[str]) -> Mapping[str, Person]:
        """The people with these employee numbers, by key; unknown keys are left out."""
        return {row.key: _person(row) for row in self._work.execute(select(people).where(people.c.key.in_(keys)))}

    def find(self, account: Account, now: datetime) -> Person | None:
        """Whose account this is; notes that the person used this platform. None for strangers."""
        known = account_of(account.platform, account.user_id)
        row, used_at = self._whose.pop(account, None) or self._owner(known)
        if row is None:
            return None
        if used_at is None or now - used_at > _USED_PRECISION:
            this = (accounts.c.platform == known.platform.value) & (accounts.c.user_id == known.user_id)
            self._work.execute(update(accounts).where(this).values(used_at=now))
        return self._met.setdefault(row.id, _person(row))

    def _owner(self, account: Account) -> tuple[Any, datetime | None]:
        row = self._work.row(_FIND, platform=account.platform.value, user_id=account.user_id)
        return row, row.used_at if row else None

    def accounts(self) -> Mapping[Account, PersonId]:
        """Every account and whose it is."""
        rows = self._work.execute(select(accounts.c.platform, accounts.c.user_id, accounts.c.person))
        return {Account(Platform(platform), user_id): person for platform, user_id, person in rows}

    def address(self, person: PersonId, platforms: Iterable[Platform]) -> Account | None:
        """Where to write to a person: the platform used last, else the first of `platforms` he is on. None for leavers."""
        rows = self._work.execute(
            select(accounts.c.platform, accounts.c.user_id, accounts.c.used_at)
            .join(people, people.c.id == accounts.c.person)
            .where(accounts.c.person == person, people.c.left_at.is_(None))
        ).all()
        order = {platform.value: position for position, platform in enumerate(platforms)}
        known = [row for row in rows if row.platform in order]
        if not known:
            return None
        best = min(known, key=lambda row: (-(row.used_at.timestamp() if row.used_at else 0.0), order[row.platform]))
        return Account(Platform(best.platform), best.user_id)

    def reports_of(self, supervisor: PersonId) -> tuple[Person, ...]:
        """The people who answer to this supervisor and still work here, in order of their key."""
        query = select(people).where(people.c.supervisor == supervisor, people.c.left_at.is_(None)).order_by(people.c.key)
        return tuple(_person(row) for row in self._work.execute(query))

    def teams_of(self, supervisors: Iterable[PersonId]) -> Mapping[PersonId, tuple[Person, ...]]:
        """The people who answer to these supervisors and still work here, in order of their key; by supervisor."""
        leads = people.c.supervisor.in_(list(supervisors))
        query = select(people).where(leads, people.c.left_at.is_(None)).order_by(people.c.key)
        teams: dict[PersonId, list[Person]] = {}
        for row in self._work.execute(query).all():
            teams.setdefault(row.supervisor, []).append(_person(row))
        return {supervisor: tuple(team) for supervisor, team in teams.items()}

    def in_charge_of(self, hrbp: PersonId) -> tuple[Person, ...]:
        """The people whose HRBP this is and who still work here, in order of their key."""
        query = select(people).where(people.c.hrbp == hrbp, people.c.left_at.is_(None)).order_by(people.c.key)
        return tuple(_person(row) for row in self._work.execute(query))

    def upwards_from(self, start: PersonId | None) -> Mapping[PersonId, Person]:
        """This person and everybody above him, by id; cycles end the walk."""
        found: dict[PersonId, Person] = {}
        while start is not None and start not in found:
            found[start] = self.get(start)
            start = found[start].supervisor
        return found

    def hrbps(self) -> tuple[PersonId, ...]:
        """Everybody who is some active person's HRBP and still works here, in order of id."""
        theirs = select(people.c.hrbp).where(people.c.left_at.is_(None), people.c.hrbp.is_not(None))
        query = select(people.c.id).where(people.c.id.in_(theirs), people.c.left_at.is_(None)).order_by(people.c.id)
        return tuple(self._work.execute(query).scalars())

    def supervisors(self) -> tuple[PersonId, ...]:
        """Everybody who has at least one report, in order of id."""
        boss = people.alias("boss")
        query = (
            select(boss.c.id)
            .distinct()
            .join(people, people.c.supervisor == boss.c.id)
            .where(people.c.left_at.is_(None), boss.c.left_at.is_(None))
            .order_by(boss.c.id)
        )
        return tuple(self._work.execute(query).scalars())

    def put(self, entries: Iterable[Entry], now: datetime) -> tuple[PersonId, ...]:
        """Take a list of people in; who has left by it (and had not before).

        Known keys are updated, new ones added, accounts moved to the person the list names. What an entry leaves open (None)
        stays as it was. References to keys that nobody has are ignored.
        """
        self._met.clear()
        entries = list(entries)
        known = {person.key: person for person in self.all().values()}
        for entry in entries:
            self._write(entry, known.get(entry.key), now)
        ids = dict(self._work.execute(select(people.c.key, people.c.id)).all())
        for entry in entries:
            self._link(entry, ids)
            self._move_accounts(entry, ids[entry.key])
        return tuple(ids[e.key] for e in entries if e.left and (e.key not in known or known[e.key].active))

    def drop_accounts(self, gone: Iterable[Account], now: datetime) -> tuple[PersonId, ...]:
        """These accounts exist no longer. Whoever has none left has left the company: their ids."""
        self._met.clear()
        touched: set[PersonId] = set()
        for account in gone:
            this = (accounts.c.platform == account.platform.value) & (accounts.c.user_id == account.user_id)
            touched.update(self._work.execute(select(accounts.c.person).where(this)).scalars())
            self._work.execute(delete(accounts).where(this))
        still = set(self._work.execute(select(accounts.c.person).where(accounts.c.person.in_(touched))).scalars())
        left = touched - still
        self._work.execute(update(people).where(people.c.id.in_(left), people.c.left_at.is_(None)).values(left_at=now))
        return tuple(sorted(left))

    def _write(self, entry: Entry, before: Person | None, now: datetime) -> None:
        row: dict[str, Any] = {
            "name": entry.name,
            "department": entry.department,
            "position": entry.position or (before.position if before else ""),
            "role": entry.role if entry.role is not None else (before.role if before else entry.position),
            "mobile": entry.mobile or (before.mobile if before else ""),
            "left_at": (before.left_at if before and before.left_at else now) if entry.left else None,
        }
        if before:
            self._work.execute(update(people).where(people.c.id == before.id).values(**row))
        else:
            self._work.execute(insert(people).values(key=entry.key, **row))

    def _link(self, entry: Entry, ids: Mapping[str, PersonId]) -> None:
        links = {"supervisor": entry.supervisor, "hrbp": entry.hrbp}
        row = {column: ids[key] for column, key in links.items() if key in ids and key is not None and ids[key] != ids[entry.key]}
        if row:
            self._work.execute(update(people).where(people.c.id == ids[entry.key]).values(**row))

    def _move_accounts(self, entry: Entry, person: PersonId) -> None:
        for account in entry.accounts:
            known = account_of(account.platform, account.user_id)
            this = (accounts.c.platform == known.platform.value) & (accounts.c.user_id == known.user_id)
            if entry.left:
                self._work.execute(delete(accounts).where(this))
            elif self._work.execute(update(accounts).where(this).values(person=person)).rowcount == 0:
                self._work.execute(insert(accounts).values(platform=known.platform.value, user_id=known.user_id, person=person))


def _person(row: Any) -> Person:
    return Person(
        id=row.id,
        key=row.key,
        name=row.name,
        department=row.department,
        position=row.position,
        role=row.role,
        supervisor=row.supervisor,
        hrbp=row.hrbp,
        left_at=row.left_at,
        mobile=row.mobile,
    )
