"""The statements of one transaction.

Most run through SQLAlchemy. The few that every press runs are `Prepared`: their SQL and the binding of their values are worked out once
for each database, and the driver gets them as they are. Writes whose outcome nobody waits for (`later`) are sent together before the
next statement or the commit: one round trip on PostgreSQL instead of six. What it brings is in docs/performance.md.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any, TypeVarTuple, overload

from sqlalchemy import BindParameter, ClauseElement, Connection, CursorResult, Dialect, Executable, Insert, Select, Table, func, select
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import TypedReturnsRows

_Columns = TypeVarTuple("_Columns")
_Process = Callable[[Any], Any]


class Work:
    """What the tables of one transaction speak to. Statements take effect in the order in which they were given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Prepared, Mapping[str, Any], Exception | None]] = []

    @property
    def dialect(self) -> Dialect:
        """Which database this is."""
        return self._connection.dialect

    @overload
    def execute(self, statement: TypedReturnsRows[*_Columns], values: Any = None) -> CursorResult[*_Columns]: ...
    @overload
    def execute(self, statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]: ...
    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Run a statement through SQLAlchemy."""
        self.flush()
        return self._connection.execute(statement, values)

    def rows(self, query: Prepared, **values: Any) -> list[Any]:
        """What a prepared SELECT finds, as named tuples."""
        self.flush()
        form = query.form(self.dialect)
        try:
            return form.read(self._driver.execute(form.sql, form.bind(values)))
        except self._error as error:
            raise self._as_usual(error) from None

    def row(self, query: Prepared, **values: Any) -> Any | None:
        """The row that a prepared SELECT by a unique key finds, or None."""
        return next(iter(self.rows(query, **values)), None)

    def one(self, query: Prepared, **values: Any) -> Any:
        """The same for a row that must be there. Raises NoResultFound."""
        row = self.row(query, **values)
        if row is None:
            raise NoResultFound("no such row")
        return row

    def run(self, write: Prepared, values: Mapping[str, Any]) -> int:
        """Run a prepared write; the number of rows it touched."""
        self.flush()
        form = write.form(self.dialect)
        try:
            return int(self._driver.execute(form.sql, form.bind(values)).rowcount)
        except self._error as error:
            raise self._as_usual(error) from None

    def run_all(self, write: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a prepared write for each of these values: one statement, one round trip."""
        self.flush()
        form = write.form(self.dialect)
        try:
            self._driver.cursor().executemany(form.sql, [form.bind(row) for row in rows])
        except self._error as error:
            raise self._as_usual(error) from None

    def new_ids(self, table: Table, count: int) -> Sequence[int]:
        """So many ids for rows of this table that are about to be inserted with them. On SQLite the one who writes is alone."""
        if self.dialect.name == "sqlite":
            last = int(self.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())
            return range(last + 1, last + 1 + count)
        next_one = func.nextval(func.pg_get_serial_sequence(table.name, "id"))
        return self.execute(select(next_one).select_from(func.generate_series(1, count).table_valued())).scalars().all()

    def later(self, write: Prepared, values: Mapping[str, Any], *, untouched: Exception | None = None) -> None:
        """Run a prepared write before the next statement or the commit. `untouched` is raised then if it touched no row."""
        self._waiting.append((write, values, untouched))

    def flush(self) -> None:
        """Run what was put off."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            counts = self._sent([(write.form(self.dialect), values) for write, values, _ in waiting])
        except self._error as error:
            raise self._as_usual(error) from None
        for count, (_, _, untouched) in zip(counts, waiting, strict=True):
            if untouched is not None and count == 0:
                raise untouched

    @cached_property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    def _sent(self, writes: Sequence[tuple[Form, Mapping[str, Any]]]) -> Sequence[int]:
        """Run them in order; how many rows each touched. PostgreSQL gets all of them before it is asked for the first outcome."""
        with self._driver.pipeline() if len(writes) > 1 and self.dialect.name == "postgresql" else nullcontext():
            done = [self._driver.execute(form.sql, form.bind(values)) for form, values in writes]
        return [cursor.rowcount for cursor in done]

    @property
    def _error(self) -> type[Exception]:
        error: type[Exception] = self.dialect.loaded_dbapi.Error
        return error

    def _as_usual(self, error: Any) -> Exception:
        """The driver's error as SQLAlchemy's, without values: they may be personal text."""
        without_values(error)
        gone = self.dialect.is_disconnect(error, self._driver, None)
        if gone:
            self._connection.invalidate(error)
        told: Exception = DBAPIError.instance(
            None, None, error, self._error, hide_parameters=True, connection_invalidated=gone, dialect=self.dialect
        )
        return told


def without_values(error: BaseException) -> None:
    """Take out of a driver's error what it quotes from the row: PostgreSQL's DETAIL says what people wrote, and errors are logged."""
    said = getattr(error, "diag", None)
    if said is not None and said.message_primary:
        error.args = (said.message_primary,)


class Prepared:
    """A statement worked out once for each database. `statement` may depend on the database: a function of its name then. `columns`
    are what the rows of an INSERT, or the values of an UPDATE, bring."""

    def __init__(self, statement: Executable | Callable[[str], Executable], columns: Collection[str] = ()) -> None:
        self._statement, self._columns = statement, columns
        self._forms: dict[str, Form] = {}

    def form(self, dialect: Dialect) -> Form:
        """The statement as this database wants it."""
        if dialect.name not in self._forms:
            statement = self._statement if isinstance(self._statement, Executable) else self._statement(dialect.name)
            self._forms[dialect.name] = Form(statement, self._columns, dialect)
        return self._forms[dialect.name]


class Form:
    """SQL text, how values are bound to it, and how its rows are read, as SQLAlchemy's own types say."""

    def __init__(self, statement: Executable, columns: Collection[str], dialect: Dialect) -> None:
        if isinstance(statement, Insert):
            statement = statement.inline()  # nobody asks for the new row's id
        assert isinstance(statement, ClauseElement)
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        order = compiled.positiontup or list(binds)
        self._by_name = compiled.positiontup is None
        self._binds = [_binding(name, binds[name], dialect) for name in order]
        self._shown: list[Any] = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._row: Any = namedtuple("Row", [column.key for column in self._shown])  # type: ignore[misc]
        self._dialect = dialect
        self._reads: list[tuple[int, _Process]] | None = None  # known with the first rows

    def bind(self, values: Mapping[str, Any]) -> Mapping[str, Any] | Sequence[Any]:
        """The values as the driver wants them."""
        bound = [
            (name, constant if key is None else process(values[key]) if process else values[key])
            for name, key, process, constant in self._binds
        ]
        return dict(bound) if self._by_name else [value for _, value in bound]

    def read(self, cursor: Any) -> list[Any]:
        """The cursor's rows as named tuples of the columns' own types."""
        if self._reads is None:
            self._reads = self._how_to_read(cursor.description)
        rows = [list(row) for row in cursor.fetchall()]
        for row in rows:
            for place, read in self._reads:
                if row[place] is not None:
                    row[place] = read(row[place])
        return [self._row._make(row) for row in rows]

    def _how_to_read(self, description: Sequence[Any]) -> list[tuple[int, _Process]]:
        """The columns whose values the driver does not bring as they are meant, by place."""
        types = [column.type.dialect_impl(self._dialect) for column in self._shown]
        reads = [type.result_processor(self._dialect, told[1]) for type, told in zip(types, description, strict=True)]
        return [(place, read) for place, read in enumerate(reads) if read is not None]


def _binding(name: str, bind: BindParameter[Any], dialect: Dialect) -> tuple[str, str | None, _Process | None, Any]:
    """Name in the SQL; name of the value that is given, and what makes it the driver's; else the value that always stands there."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return name, bind.key, process, None
    return name, None, None, process(bind.value) if process else bind.value
