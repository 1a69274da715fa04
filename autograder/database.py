"""Whether a course's gradebook can be opened; where not, a sentence that says why, without the password."""

from __future__ import annotations

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from autograder import CourseError

SETTING = "c.CourseDirectory.db_url in nbgrader_config.py"
PATIENCE = 10  # seconds that a server may take to answer


def check_database(db_url: str) -> None:
    """Connect once to the gradebook at `db_url`. Raises `CourseError` when that does not work.

    An SQLite file needs no connection and is made when it is first written.
    """
    try:
        url = make_url(db_url)
    except (ArgumentError, ValueError):  # a port that is no number
        raise CourseError(
            f"The gradebook has no proper address: {SETTING} should read like "
            "postgresql+psycopg2://NAME:PASSWORD@HOST:5432/DATABASE."
        ) from None
    if url.get_backend_name() == "sqlite":
        return
    if "@" in (url.host or ""):
        raise CourseError(f"The gradebook's address has more than one @: in a password ({SETTING}), write %40 for it.")
    try:
        _connect(url)
    except (NoSuchModuleError, ValueError):
        why = f"there is no kind of database called {url.drivername}"
    except ModuleNotFoundError as error:
        why = f"the Python package {error.name} is not installed"
    except ImportError as error:
        why = f"its Python package does not work ({str(error).splitlines()[0].rstrip('.')})"
    except DBAPIError as error:
        why = " ".join(str(error.orig).splitlines()[0].split()).rstrip(".")
    else:
        return
    raise CourseError(f"The gradebook {address(url)} cannot be opened: {why}.")


def address(url: URL) -> str:
    """The address without what may be secret in it: no password, no options."""
    return url.set(password=None, query={}).render_as_string()


def _connect(url: URL) -> None:
    options = {"connect_timeout": PATIENCE} if url.get_backend_name() == "postgresql" else {}
    create_engine(url, poolclass=NullPool, connect_args=options).connect().close()
