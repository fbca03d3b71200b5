"""Column types and the database's own clock, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Float, Integer, bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. Refuses naive values: a naive time is a bug that shows eight hours later."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _as_text if dialect.name == "sqlite" else _as_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _as_utc


# SQLite keeps the text that SQLAlchemy's own type would write; read by hand it takes a fifth of the time, and every row has some.


def _as_text(value: datetime | None) -> str | None:
    utc = _as_utc(value)
    return utc.isoformat(" ", "microseconds").removesuffix("+00:00") if utc else None


def _from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{value}+00:00") if value else None


def _as_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    return value.astimezone(UTC)


class Ids(TypeDecorator[Sequence[int]]):
    """Any number of ids, bound as one value."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.ARRAY(Integer) if dialect.name == "postgresql" else JSON())


def among(column: ColumnElement[int], name: str) -> ColumnElement[Any]:
    """Whether a column is among the ids bound as `name`: unlike SQLAlchemy's own IN one text for any number of them, so that it can be
    `Prepared`."""
    return _among(column, bindparam(name, type_=Ids))


class _among(FunctionElement[Any]):  # noqa: N801 - reads as an SQL operator
    # No Boolean: SQLite would be asked whether it `= 1`, for which it uses no index.
    inherit_cache = True


class db_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """The database's real clock in seconds since 1970: leases and rate limits are judged by it, so that no two nodes' clocks are ever
    compared. On PostgreSQL `statement_timestamp()`: `clock_timestamp()` is volatile and would keep the index from being used
    (engine.md, section 4)."""

    type = Float()
    inherit_cache = True


class seconds_between(FunctionElement[float]):  # noqa: N801 - reads as an SQL function
    """Seconds from the first instant to the second."""

    type = Float()
    inherit_cache = True


@compiles(_among, "sqlite")
def _sqlite_among(element: Any, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(each, **kw) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - our own statement


@compiles(_among, "postgresql")
def _postgresql_among(element: Any, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(each, **kw) for each in element.clauses)
    return f"{column} = ANY({ids})"


@compiles(seconds_between, "sqlite")
def _sqlite_between(element: Any, compiler: Any, **kw: Any) -> str:
    begin, end = (compiler.process(each, **kw) for each in element.clauses)
    return f"((julianday({end}) - julianday({begin})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _postgresql_between(element: Any, compiler: Any, **kw: Any) -> str:
    begin, end = (compiler.process(each, **kw) for each in element.clauses)
    return f"extract(epoch from ({end} - {begin}))::double precision"


@compiles(db_now, "sqlite")
def _sqlite_now(element: Any, compiler: Any, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(element: Any, compiler: Any, **kw: Any) -> str:
    return "(extract(epoch from statement_timestamp())::double precision)"
