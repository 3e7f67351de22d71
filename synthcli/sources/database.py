"""Connect to a database by its URL: SQLite and PostgreSQL through SQLAlchemy, DuckDB directly. Messages never contain
its password.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthcli.errors import DataError, MissingExtra, SpecError, SynthError, TryLater
from synthcli.sources import credentials

KINDS = {"sqlite": "sqlite", "duckdb": "duckdb", "postgresql": "postgresql", "postgres": "postgresql"}
_SECONDS = 10  # to connect
_AWAY = re.compile(
    r"locked|connection refused|could not (connect|translate)|failed to resolve|timeout|timed out|no"
    r" route|unreachable|closed the connection|"
    r"starting up|shutting down|too many (clients|connections)|name or service|conflicting lock|could not set lock|no"
    r" such file or directory.*socket|"
    r"server running on that host|deadlock",
    re.I | re.S,
)
_NOT_THERE = re.compile(r"no such table|does not exist|no such column|not found", re.I)


def kind_of(url: str) -> str | None:
    """sqlite, duckdb or postgresql; None for another kind of URL, or one from the environment."""
    return KINDS.get(url.partition("://")[0].partition("+")[0].lower())


@dataclass(frozen=True)
class Database:
    """A database that is not connected yet. url: as written, safe to show; real: with values from the environment,
    never shown.
    """

    kind: str
    url: str
    real: str
    file: Path | None

    def __repr__(self) -> str:
        return f"Database({self.url})"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Any]:
        """A read-only connection with one consistent snapshot."""
        if self.file is not None and not self.file.is_file():
            raise DataError(f"{self.url}: file {self._shown(self.file)} does not exist; remedy: fix the url")
        with self._speaking("read"):
            if self.kind == "duckdb":
                with self._duckdb(read_only=True) as connection:
                    yield connection
                return
            engine = self._engine()
            try:
                level = (
                    {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                    if self.kind == "postgresql"
                    else {}
                )
                with engine.connect() as plain:
                    connection = plain.execution_options(**level)
                    if self.kind == "sqlite":
                        connection.exec_driver_sql("PRAGMA query_only = ON")
                    else:
                        connection.exec_driver_sql("SET synchronize_seqscans = off")  # rows in the same order each time
                    yield connection
            finally:
                engine.dispose()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Any]:
        """A connection in autocommit mode, for explicit BEGIN and COMMIT."""
        if self.file is not None and not self.file.parent.is_dir():
            raise DataError(f"{self.url}: folder {self._shown(self.file.parent)} does not exist; remedy: create it")
        with self._speaking("written"):
            if self.kind == "duckdb":
                with self._duckdb(read_only=False) as connection:
                    yield connection
                return
            engine = self._engine()
            try:
                with engine.connect() as plain:
                    yield plain.execution_options(isolation_level="AUTOCOMMIT")
            finally:
                engine.dispose()

    def run(self, connection: Any, query: str, types: dict[str, Any] | None = None) -> Any:
        """Stream the result of a query. types: column name -> SQLAlchemy type that converts it."""
        if not types:
            return connection.execution_options(stream_results=True, no_parameters=True).exec_driver_sql(query)
        import sqlalchemy as sa

        names = list(connection.exec_driver_sql(query).keys())
        escaped = sa.text(re.sub(r"(?<!:):(?=\w)", r"\\:", query)).columns(
            *(sa.column(n, types.get(n, sa.types.NullType())) for n in names)
        )
        return connection.execution_options(stream_results=True).execute(escaped)

    def quoted_table(self, table: str) -> str:
        """The quoted name of a table, with its schema if the name has one."""
        return ".".join(quoted(part) for part in split_table(table) if part is not None)

    def declared(self, table: str) -> list[dict[str, Any]]:
        """The name and SQLAlchemy type of each column. Raises DataError if the table does not exist."""
        import sqlalchemy as sa

        schema, name = split_table(table)
        with self.reading() as connection:
            try:
                return [dict(c) for c in sa.inspect(connection).get_columns(name, schema=schema)]
            except sa.exc.NoSuchTableError:
                known = ", ".join(sorted(sa.inspect(connection).get_table_names(schema=schema))[:12]) or "none"
                raise DataError(f"{self.url} has no table {table}; remedy: fix the table. Tables: {known}") from None

    def primary_key(self, table: str) -> list[str]:
        """The columns of the primary key. Raises DataError if the table does not exist."""
        schema, name = split_table(table)
        if self.kind == "duckdb":
            return self._duckdb_key(schema, name, table)
        import sqlalchemy as sa

        self.declared(table)
        with self.reading() as connection:
            return list(sa.inspect(connection).get_pk_constraint(name, schema=schema).get("constrained_columns") or [])

    def _duckdb_key(self, schema: str | None, name: str, table: str) -> list[str]:
        with self.reading() as connection:
            sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = coalesce(?, current_schema())"
            known = [n for (n,) in connection.execute(sql, [schema]).fetchall()]
            if name not in known:
                raise DataError(
                    f"{self.url} has no table {table}; remedy: fix the table. Tables:"
                    f" {', '.join(sorted(known)[:12]) or 'none'}"
                )
            sql = """SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'
                       AND table_name = ? AND schema_name = coalesce(?, current_schema())"""
            found = connection.execute(sql, [name, schema]).fetchone()
            return list(found[0]) if found else []

    def _duckdb(self, *, read_only: bool) -> Any:
        import duckdb

        # beside a database in memory, as a file that was just written is not always free for another connection of this
        # process
        connection = duckdb.connect(config={"threads": 1})
        try:
            file = literal(str(self.file))
            connection.execute(f"ATTACH {file} AS warehouse{' (READ_ONLY)' if read_only else ''}")
            connection.execute("USE warehouse")
        except BaseException:
            connection.close()
            raise
        return connection

    def _engine(self) -> Any:
        sa = sqlalchemy()
        if self.kind == "sqlite":
            return sa.create_engine(sa.URL.create("sqlite", database=str(self.file)), poolclass=sa.pool.NullPool)
        if importlib.util.find_spec("psycopg") is None:
            raise MissingExtra("PostgreSQL", "sql")
        url = sa.make_url(self.real).set(drivername="postgresql+psycopg")
        timeout = {} if "connect_timeout" in url.query else {"connect_timeout": _SECONDS}
        options = " ".join([str(url.query.get("options", "")), "-c timezone=UTC"]).strip()
        return sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args={**timeout, "options": options})

    def _shown(self, file: Path) -> str:
        return credentials.redacted(file, self.url)

    @contextlib.contextmanager
    def _speaking(self, done: str) -> Iterator[None]:
        """Translate errors of the database or its driver to SynthError."""
        try:
            yield
        except SynthError:
            raise
        except failures() as error:
            raise self._said(error, done) from None

    def _said(self, error: BaseException, done: str) -> SynthError:
        original = getattr(error, "orig", None) or error
        lines = [line.strip() for line in str(original).splitlines() if line.strip()] or [type(original).__name__]
        said = credentials.redacted(" ".join(lines[:2]), self.url)[:300]
        if _AWAY.search(said) and "password authentication" not in said:
            return TryLater(f"{self.url} cannot be {done} now: {said}; remedy: try again later, or fix the url")
        if isinstance(error, (UnicodeError, ValueError)):
            return DataError(f"{self.url} cannot be {done}: {said}; remedy: fix the url, or the value in the table")
        if re.search(r"(timestamp|date) too (large|small)", said):
            where = said.partition(":")[0]
            return DataError(
                f"{self.url} cannot be {done}: {where}; remedy: source.query without such dates, such as"
                " nullif(COLUMN, 'infinity')"
            )
        hint = (
            "use a table and columns that exist"
            if _NOT_THERE.search(said)
            else "fix the url, the query, or the permissions of this user"
        )
        return DataError(f"{self.url} cannot be {done}: {said}; remedy: {hint}")


def sqlalchemy() -> Any:
    """Import SQLAlchemy. Raises MissingExtra."""
    try:
        return importlib.import_module("sqlalchemy")
    except ImportError:
        raise MissingExtra("a database other than DuckDB", "sql") from None


def opened(url: str | None, key: str, folder: Path | None) -> Database:
    """The database of a URL, with ${NAME} resolved from the environment. Raises SpecError for an unsupported URL. key:
    the key of the URL in the spec.
    """
    if url is None:
        raise SpecError(f"{key} is missing; expected the URL of a database, such as ${{WAREHOUSE_URL}}")
    real = credentials.resolved(url, key)
    kind = kind_of(real)
    if kind is None:
        raise SpecError(
            f"{key} is {url}, which is not a supported URL; expected sqlite:///FILE, duckdb:///FILE or"
            " postgresql://USER@HOST/NAME"
        )
    if kind == "postgresql":
        _check_postgres(real, url, key)
        return Database(kind, url, real, None)
    name = real.partition("://")[2].partition("?")[0]
    if not name.startswith("/") or name in ("/", "/:memory:"):
        raise SpecError(
            f"{key} is {url}; expected the path of a file behind three slashes, such as {kind}:///data.db, or four"
            " where it is absolute"
        )
    return Database(kind, url, real, (folder or Path()) / Path(name[1:]).expanduser())


def reads(url: str, table: str | None, query: str | None, other: str, target: str, folder: Path | None) -> bool:
    """Whether a table or a query reads a target, a table of the database at another URL. It does not connect, so it
    misses tables behind a view.
    """
    if _place(url, folder) != _place(other, folder):
        return False
    schema, name = split_table(target.lower())
    if query is not None:
        return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", query.lower()) is not None
    schemas = {None, "public", "main"}
    read = split_table(str(table).lower())
    return read[1] == name and (read[0] == schema or {read[0], schema} <= schemas)


def _place(url: str, folder: Path | None) -> tuple[object, ...]:
    """The identity of a database; the URL alone if an environment variable is missing."""
    try:
        base = opened(url, "url", folder)
    except SynthError:
        return (url,)
    if base.file is not None:
        return base.kind, base.file.resolve()
    real = sqlalchemy().make_url(base.real)
    host = real.host if real.host not in ("127.0.0.1", "::1", None) else "localhost"
    return base.kind, host, real.port or 5432, real.database


def _check_postgres(real: str, url: str, key: str) -> None:
    sa = sqlalchemy()
    try:
        sa.make_url(real)
    except (sa.exc.ArgumentError, ValueError):  # its message would contain the URL
        raise SpecError(
            f"{key} is {url}, which is not a URL; expected postgresql://USER:${{PASSWORD}}@HOST:PORT/NAME"
        ) from None


def quoted(name: str) -> str:
    """An identifier in quotes, which all three databases accept."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def split_table(table: str) -> tuple[str | None, str]:
    """The schema and the name of a table."""
    schema, _, name = table.rpartition(".")
    return schema or None, name


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1", re.S)


def one_select(query: str) -> str:
    """Check the query. Raises SpecError unless it is a single SELECT or WITH."""
    bare = _QUOTED.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "''", query).strip().rstrip(";").strip()
    word = re.match(r"[(\s]*(\w*)", bare)
    if ";" in bare or word is None or word[1].upper() not in ("SELECT", "WITH"):
        raise SpecError(
            f"source.query is {query.strip()[:60]!r}; expected one statement that reads: SELECT … or WITH …"
        )
    return query.strip().rstrip(";") + "\n"


def failures() -> tuple[type[BaseException], ...]:
    """The errors of databases, their drivers and files."""
    import duckdb

    kinds: list[type[BaseException]] = [duckdb.Error, OSError, UnicodeError, ValueError]
    for module, name in (("sqlalchemy.exc", "SQLAlchemyError"), ("psycopg", "Error")):
        with contextlib.suppress(ImportError):
            kinds.append(getattr(importlib.import_module(module), name))
    return tuple(kinds)
