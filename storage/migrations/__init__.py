"""Bringing a database to the tables of this version, and refusing to run on any other.

Every process asks `is_current` when it starts, and only `upgrade` needs Alembic: it is imported there, because it takes as long to
import as the whole web server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).resolve().parent


def upgrade(engine: Engine) -> None:
    """Migrate to the newest revision, in one transaction where the database can. Existing records stay."""
    from alembic import command

    config = _config()
    with engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the tables of this version."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        present = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return list(present) == [head()]


def head() -> str:
    """The newest revision: the number its file name begins with. A test holds this against Alembic's own answer."""
    return max(path.name.partition("_")[0] for path in (_HERE / "versions").glob("[0-9]*_*.py"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config
