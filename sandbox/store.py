"""What a restarted sandbox still knows: one SQLite file with documents, messages and records.

Written without waiting for the disk (`synchronous=OFF`): a killed process loses nothing, a power cut may.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS docs (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, card TEXT,
    handle TEXT, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of_chat ON messages (chat, seq);
CREATE INDEX IF NOT EXISTS messages_of_card ON messages (card);
CREATE INDEX IF NOT EXISTS messages_of_handle ON messages (handle);
CREATE TABLE IF NOT EXISTS changes (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, chat TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS requests (n INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (n INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS warnings (n INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL);
"""
FORGOTTEN_ON_RESET = ("docs", "messages", "changes", "requests", "deliveries", "warnings")


class Store:
    """Documents by (kind, key), and plain SQL for the ordered tables. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {SCHEMA}")
        self._depth = 0
        self.lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody between. May be nested; the outermost block commits."""
        with self.lock:
            if self._depth == 0:
                self._connection.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Execute; the row id of an insert."""
        with self.lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def put(self, kind: str, key: str, doc: Doc) -> None:
        """Keep a document; a known key keeps its place in the order of `all`."""
        text = json.dumps(doc, ensure_ascii=False)
        self.run(
            "INSERT INTO docs (kind, key, doc) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc",
            kind,
            key,
            text,
        )

    def get(self, kind: str, key: str) -> Doc | None:
        """The document, or None."""
        found = self.rows("SELECT doc FROM docs WHERE kind = ? AND key = ?", kind, key)
        return _doc(found[0][0]) if found else None

    def delete(self, kind: str, key: str) -> None:
        """Forget a document; an unknown one is no error."""
        self.run("DELETE FROM docs WHERE kind = ? AND key = ?", kind, key)

    def delete_kind(self, kind: str) -> None:
        """Forget all documents of a kind."""
        self.run("DELETE FROM docs WHERE kind = ?", kind)

    def all(self, kind: str) -> list[tuple[str, Doc]]:
        """Key and document of everything of that kind, in the order first kept."""
        return [(key, _doc(doc)) for key, doc in self.rows("SELECT key, doc FROM docs WHERE kind = ? ORDER BY n", kind)]

    def clear(self, keep_kinds: tuple[str, ...]) -> None:
        """Forget everything but the documents of `keep_kinds`. Numbers go on, they never start again."""
        with self.transaction():
            kept = [(kind, key, doc) for kind in keep_kinds for key, doc in self.all(kind)]
            for table in FORGOTTEN_ON_RESET:
                self.run(f"DELETE FROM {table}")  # noqa: S608 - a constant of this module
            for kind, key, doc in kept:
                self.put(kind, key, doc)

    def close(self) -> None:
        """Write the log back into the file. Nothing may be asked of the store afterwards."""
        with self.lock:
            self._connection.close()


def _doc(text: str) -> Doc:
    found: Doc = json.loads(text)
    return found
