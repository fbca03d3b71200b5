"""Who does what only one process may do: a named lease, judged by the database's clock."""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update

from storage.columns import db_now
from storage.tables import leases
from storage.upsert import insert_new
from storage.work import Work


class LeasesTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def hold(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew the lease for `seconds`. False while somebody else holds it."""
        insert_new(self._work, leases, {"name": name, "owner": owner, "until": 0.0})
        free = or_(leases.c.owner == owner, leases.c.until < db_now())
        taken = update(leases).where(leases.c.name == name, free).values(owner=owner, until=db_now() + seconds)
        return self._work.execute(taken).rowcount == 1

    def held(self, name: str) -> bool:
        """Whether anybody holds the lease now."""
        query = select(leases.c.name).where(leases.c.name == name, leases.c.until >= db_now())
        return self._work.execute(query).one_or_none() is not None

    def release(self, name: str, owner: str) -> None:
        """Give the lease up, so that another process need not wait for its end."""
        self._work.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
