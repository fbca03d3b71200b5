"""Bringing a database to the tables of this version, and refusing to run on any other."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

_HERE = Path(__file__).resolve().parent


def upgrade(engine: Engine) -> None:
    """Migrate to the newest revision, in one transaction where the database can. Existing records stay."""
    config = _config()
    with engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the tables of this version."""
    with engine.connect() as connection:
        return (
            MigrationContext.configure(connection).get_current_revision() == ScriptDirectory.from_config(_config()).get_current_head()
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config
