"""Run folders: this module alone defines the names of a run's files.

ROOT/NAME/0007-3f9c1a/      a finished version: counter and the start of the keyed hash of its inputs
ROOT/NAME/.unfinished-KEY/  a run in progress or killed; the next run of the same inputs resumes it
ROOT/NAME/latest, passed    links to the newest version that finished, and to the newest that passed its gates
ROOT/NAME/.locks/           one lock per key, and one for the counter
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthcli.artifacts import files
from synthcli.artifacts.secret import is_sealed, sealed
from synthcli.errors import ArtifactError, did_you_mean

ANALYZE, TRAIN, GENERATE, EVALUATE, PRIVACY = "1-analyze", "2-train", "3-generate", "4-evaluate", "5-privacy-check"
STAGES = {"analyze": ANALYZE, "train": TRAIN, "generate": GENERATE, "evaluate": EVALUATE, "privacy-check": PRIVACY}
MANIFEST, SPEC, PLAN, VERDICT, STAGE = "manifest.json", "spec.yaml", "plan.json", "verdict.json", "stage.json"
PROFILE, MODEL, FIT, DATA, SAMPLE, MEASURED = (
    "profile.json",
    "model",
    "fit.json",
    "data.parquet",
    "sample.json",
    "measurements.json",
)
REPORT, PICTURES = "report.html", "pictures.json"
ROUNDS = "rounds"  # rounds/NAME/STAGE
SCRATCH = "scratch"  # a folder that a stage removes when it ends
CHECKPOINTS = "checkpoints"  # the same, but a stage that is built again finds what an interrupted one left there
DOWNSTREAM, DOWNSTREAM_RESULT, DOWNSTREAM_LOG = "downstream", "downstream.json", "downstream.log"
RESHAPE, RULES = "reshape.json", "rules.json"
UNASKED, UNASKED_MARK = "unasked.parquet", ".unasked"
LATEST, PASSED = "latest", "passed"
_PART, _KEPT = ".tmp-", ".kept-"  # prefixes of a stage that is built, and of the checkpoints of an interrupted one
_VERSION = re.compile(r"\d{4,}-[0-9a-f]{6}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def copy_file(copy: int) -> str:
    """The file name of one of several copies, counted from 1."""
    return f"data-{copy}.parquet"


def table_file(table: str, mark: str = "") -> str:
    """The file name of one of several related tables. mark: UNASKED_MARK for rows sampled without conditions."""
    return f"{table}{mark}.parquet"


@dataclass(frozen=True)
class Version:
    """A finished run folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def number(self) -> int:
        return int(self.id.partition("-")[0])

    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises ArtifactError when it is missing or damaged."""
        return files.read_object(self.folder / MANIFEST, {"key", "files", "finished"})

    @property
    def known(self) -> dict[str, Any]:
        """The manifest, empty if it is damaged: for lists, which must not stop at one bad folder."""
        try:
            return self.manifest()
        except ArtifactError:
            return {}

    def verdict(self) -> dict[str, Any] | None:
        path = self.folder / VERDICT
        return files.read_object(path, {"passed", "failed", "gates", "method"}) if path.exists() else None

    def read(self, *where: str) -> Any:
        """Read a JSON object of the run; None if the file does not exist."""
        path = self.folder.joinpath(*where)
        return files.read_object(path) if path.exists() else None

    def data(self) -> Path:
        """The synthetic table as Parquet."""
        return self.folder / GENERATE / DATA

    def verify(self) -> list[str]:
        """The differences from the manifest, in words; empty if there are none."""
        try:
            manifest = self.manifest()
        except ArtifactError as error:
            return [str(error)]
        wrong = (
            []
            if is_sealed(manifest)
            else [f"{MANIFEST} was not written by this user on this machine, or was changed since"]
        )
        expected = {name: str(value) for name, value in manifest.get("files", {}).items()}
        found = files.hashes(self.folder)
        for derived in (MANIFEST, REPORT):
            found.pop(derived, None)
        wrong += [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
        wrong += [
            f"{name} was changed" for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]
        ]
        return wrong + [f"{name} does not belong to the run" for name in sorted(found.keys() - expected.keys())]


class Store:
    """All runs of one spec's name below a root."""

    def __init__(self, root: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ArtifactError(f"{name!r} is not a valid run name; remedy: `synth runs list`")
        self.root, self.name = root.resolve(), name
        self.folder = self.root / name

    def versions(self) -> list[Version]:
        """Finished versions, oldest first."""
        if not self.folder.is_dir():
            return []
        found = [
            Version(p)
            for p in self.folder.iterdir()
            if _VERSION.fullmatch(p.name) and p.is_dir() and not p.is_symlink()
        ]
        return sorted(found, key=lambda v: v.number)

    def unfinished(self) -> list[Path]:
        """Folders of runs that are in progress or were killed."""
        return sorted(self.folder.glob(".unfinished-*")) if self.folder.is_dir() else []

    @contextmanager
    def workspace(self, key: str, waiting: Callable[[str], None]) -> Iterator[Workspace]:
        """The unfinished folder of these inputs, locked within the context."""
        files.make_folder(self.folder)
        with files.locked(self.folder / ".locks" / key[:16], waiting):
            folder = files.make_folder(self.folder / f".unfinished-{key[:16]}")
            for stale in [*folder.glob(f"{_PART}*"), *folder.glob(f"{ROUNDS}/*/{_PART}*")]:
                _discard(stale, checkpoints=False)
            self.relink()
            yield Workspace(self, folder, key)

    def stage_index(self) -> dict[str, Path]:
        """Stage key -> folder, over finished versions and killed runs."""
        index: dict[str, Path] = {}
        if self.folder.is_dir():
            for pattern in (f"*/*/{STAGE}", f"*/{ROUNDS}/*/*/{STAGE}"):
                for path in sorted(p for p in self.folder.glob(pattern) if not _is_link(p, self.folder)):
                    if (record := _record(path.parent)) is not None:
                        index[record["key"]] = path.parent
        return index

    def relink(self) -> None:
        """Point latest and passed to the right versions, even after a kill between a rename and its link."""
        full = [v for v in self.versions() if v.known.get("complete")]
        passed = [v for v in full if v.known.get("passed")]
        for link, found in ((LATEST, full), (PASSED, passed)):
            path = self.folder / link
            if found and (not path.is_symlink() or os.readlink(path) != found[-1].id):
                files.point(path, found[-1].id)
            if not found and path.is_symlink():
                path.unlink()

    def finish(self, workspace: Workspace, manifest: dict[str, Any]) -> Version:
        """Rename the unfinished folder to its number and name, which makes it a version."""
        with files.locked(self.folder / ".locks" / "counter", lambda holder: None):
            taken = self.versions()
            number = taken[-1].number + 1 if taken else 1
            final = self.folder / f"{number:04d}-{workspace.key[:6]}"
            body = {"version": number, **manifest, "files": files.hashes(workspace.folder)}
            body["files"].pop(MANIFEST, None)
            files.write_json(workspace.folder / MANIFEST, sealed(body))
            with files.disk_errors(final):
                os.rename(workspace.folder, final)  # rename last, so that a killed run is never listed
            self.relink()
        return Version(final)

    def prune(self, *, keep: int | None, days: float | None, dry_run: bool = False) -> list[Version]:
        """Remove versions before the newest `keep` complete ones, or older than `days`; never those that latest and
        passed point to.
        """
        with files.locked(self.folder / ".locks" / "counter", lambda holder: None):
            versions = [v for v in self.versions() if v.known]
            held = {os.readlink(self.folder / link) for link in (LATEST, PASSED) if (self.folder / link).is_symlink()}
            complete = [v.number for v in versions if v.known.get("complete")]
            oldest = complete[-keep] if keep is not None and len(complete) > keep else 0
            old = {v for v in versions if v.number < oldest}
            if days is not None:
                old |= {v for v in versions if time.time() - float(v.known["finished"]) > days * 86_400}
            removed = [v for v in versions if v in old and v.id not in held]
            for version in removed if not dry_run else []:
                trash = version.folder.with_name(f".trash-{version.id}")
                os.rename(version.folder, trash)
                shutil.rmtree(trash)
        return removed


def _is_link(path: Path, top: Path) -> bool:
    """Whether a path below `top` goes through one of the links latest and passed."""
    return (top / path.relative_to(top).parts[0]).is_symlink()


class Workspace:
    """A run in progress. It holds only complete stages."""

    def __init__(self, store: Store, folder: Path, key: str) -> None:
        self.store, self.folder, self.key = store, folder, key
        self._index: dict[str, Path] | None = None

    def stage(
        self, place: str, key: str, build: Callable[[Path], None], *, fresh: bool = False
    ) -> tuple[Path, dict[str, Any]]:
        """Provide the folder of a stage with these inputs: kept, linked from an earlier run, or built. Returns it with
        its record.
        """
        final = self.folder / place
        part = final.with_name(f"{_PART}{final.name}")
        if final.exists():
            record = _record(final)
            if (
                record is not None
                and record["key"] == key
                and intact(final)
                and not (fresh and record.get("process") != os.getpid())
            ):
                shutil.rmtree(_checkpoints(part), ignore_errors=True)
                return final, {**record, "cached": record.get("process") != os.getpid()}
            shutil.rmtree(final)
        files.make_folder(final.parent)
        if not fresh and (earlier := self.known(key)) is not None:
            shutil.rmtree(_checkpoints(part), ignore_errors=True)
            files.link_tree(earlier, part)
            os.rename(part, final)
            return final, {**files.read_json(final / STAGE), "cached": True}
        return final, {**self._build(final, key, build, fresh=fresh), "cached": False}

    def known(self, key: str) -> Path | None:
        """The folder of an earlier stage with the same inputs, if it is intact."""
        if self._index is None:
            self._index = self.store.stage_index()
        found = self._index.get(key)
        return found if found is not None and found.exists() and intact(found) else None

    def _build(self, final: Path, key: str, build: Callable[[Path], None], *, fresh: bool) -> dict[str, Any]:
        """Build a stage. Unless fresh, it finds the checkpoints that an interrupted build left."""
        part = files.make_folder(final.with_name(f"{_PART}{final.name}"))
        if (kept := _checkpoints(part)).exists():
            shutil.rmtree(kept) if fresh else os.rename(kept, part / CHECKPOINTS)
        started = time.monotonic()
        try:
            with files.disk_errors(part):
                build(part)
                outputs = files.hashes(part)
                record = sealed(
                    {
                        "key": key,
                        "seconds": round(time.monotonic() - started, 3),
                        "process": os.getpid(),
                        "outputs": outputs,
                    }
                )
                files.write_json(part / STAGE, record)
                files.protect(part)  # later versions link these files, so nobody may write to them
                os.rename(part, final)
        except BaseException as error:
            _discard(part, checkpoints=isinstance(error, Exception))
            raise
        return record

    def adopt(self, round_folder: Path, stage: str) -> None:
        """Link a round's stage as the run's own."""
        target = self.folder / stage
        if target.exists():
            shutil.rmtree(target)
        part = target.with_name(f"{_PART}{stage}")
        files.link_tree(round_folder / stage, part)
        os.rename(part, target)

    def clear(self, keep: set[str]) -> None:
        """Remove files that this run did not write, left by a killed run with other settings."""
        for path in self.folder.iterdir():
            if path.name not in keep:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _checkpoints(part: Path) -> Path:
    """Where the checkpoints of an interrupted build wait for the next one."""
    return part.with_name(_KEPT + part.name.removeprefix(_PART))


def _discard(part: Path, *, checkpoints: bool) -> None:
    """Remove a build that did not end. checkpoints: also those; an interrupted build leaves them for the next one."""
    if not checkpoints and (part / CHECKPOINTS).is_dir():
        shutil.rmtree(_checkpoints(part), ignore_errors=True)
        os.rename(part / CHECKPOINTS, _checkpoints(part))
    shutil.rmtree(part, ignore_errors=True)


def intact(folder: Path) -> bool:
    """Whether a stage's files are exactly those that this user's run wrote."""
    record = _record(folder)
    if record is None or not is_sealed(record):
        return False
    found = files.hashes(folder)
    found.pop(STAGE, None)
    return bool(found == record["outputs"])


def _record(folder: Path) -> dict[str, Any] | None:
    """A stage's record, None where it is missing or damaged."""
    try:
        return files.read_object(folder / STAGE, {"key", "outputs", "seconds"})
    except ArtifactError:
        return None


def find(root: Path, run: str) -> Version:
    """Find a version by `NAME`, `NAME/latest`, `NAME/passed`, `NAME/7`, `NAME/0007-3f9c1a`, or the path of its folder.

    Raises ArtifactError for anything that is not a finished run below the root.
    """
    root = root.resolve()
    given = Path(run).expanduser()
    if (given / MANIFEST).is_file() and _VERSION.fullmatch(given.resolve().name):
        return Version(given.resolve())
    name, _, which = run.strip("/").partition("/")
    known = names(root)
    if given.is_absolute() or name not in known:
        raise ArtifactError(
            f"there is no run {run[:100]!r} below {root}.{did_you_mean(name, known)} Known:"
            f" {', '.join(known) or 'none'}"
        )
    store = Store(root, name)
    versions = store.versions()
    if which in ("", LATEST, PASSED):
        link = store.folder / (which or LATEST)
        versions = [v for v in versions if link.is_symlink() and os.readlink(link) == v.id] or (
            versions[-1:] if not which else []
        )
    else:
        versions = [
            v for v in versions if v.id == which or str(v.number) == which.lstrip("0") or v.id.startswith(f"{which}-")
        ]
    if not versions:
        raise ArtifactError(f"{run}: no such finished version; remedy: `synth runs list`")
    return versions[-1]


def chosen(root: Path, name: str | None) -> list[str]:
    """All names below a root, or the requested one. Raises ArtifactError when it has no runs."""
    known = names(root.resolve())
    if name is not None and name not in known:
        raise ArtifactError(
            f"there are no runs of {name!r} below {root}.{did_you_mean(name, known)} Known:"
            f" {', '.join(known) or 'none'}"
        )
    return known if name is None else [name]


def names(root: Path) -> list[str]:
    """Names below a root that have runs; none if the root does not exist."""
    if root.exists() and not root.is_dir():
        raise ArtifactError(f"{root} is not a folder; remedy: --root FOLDER")
    if not root.is_dir():
        return []
    folders = [p for p in root.iterdir() if p.is_dir() and _NAME.fullmatch(p.name)]
    return sorted(p.name for p in folders if Store(root, p.name).versions() or Store(root, p.name).unfinished())
