"""Run folders: whole or not there, hashed, sealed, found by name, pruned."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthcli.artifacts import files, secret, store
from synthcli.artifacts.store import Store
from synthcli.errors import ArtifactError


def build(text: str) -> Any:
    def write(folder: Path) -> None:
        (folder / "out.txt").write_text(text)

    return write


def finished(shelf: Store, key: str, *, passed: bool = True, text: str = "x") -> store.Version:
    with shelf.workspace(key, lambda holder: None) as space:
        space.stage("2-train", key, build(text))
        return shelf.finish(space, {"key": key, "complete": True, "passed": passed, "finished": 0.0, "upto": "run"})


def test_versions_count_up_and_latest_and_passed_point_right(tmp_path: Path) -> None:
    shelf = Store(tmp_path, "a")
    first = finished(shelf, "a" * 64)
    second = finished(shelf, "b" * 64, passed=False)
    assert [v.id for v in shelf.versions()] == ["0001-aaaaaa", "0002-bbbbbb"]
    assert os.readlink(shelf.folder / "latest") == second.id
    assert os.readlink(shelf.folder / "passed") == first.id
    assert store.find(tmp_path, "a").id == second.id
    assert store.find(tmp_path, "a/passed").id == first.id
    assert store.find(tmp_path, "a/1").id == store.find(tmp_path, "a/0001-aaaaaa").id == first.id
    assert store.find(tmp_path, str(first.folder)).id == first.id


@pytest.mark.parametrize("name", ["../a", "a/b", "/etc", "", "..", ".hidden", "a" * 65])
def test_a_name_cannot_leave_the_root(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match="not a valid run name"):
        Store(tmp_path, name)


@pytest.mark.parametrize("run", ["", "b", "a/9", "../a", "a/../../etc", "/etc", "a/.locks"])
def test_what_is_no_run_is_not_found(tmp_path: Path, run: str) -> None:
    finished(Store(tmp_path, "a"), "a" * 64)
    with pytest.raises(ArtifactError):
        store.find(tmp_path, run)


def test_a_stage_is_built_once_and_linked_into_later_versions(tmp_path: Path) -> None:
    shelf = Store(tmp_path, "a")
    first = finished(shelf, "a" * 64, text="once")
    with shelf.workspace("b" * 64, lambda holder: None) as space:
        folder, record = space.stage("2-train", "a" * 64, build("never"))
        assert record["cached"]
        assert (folder / "out.txt").read_text() == "once"
        assert (folder / "out.txt").stat().st_ino == (first.folder / "2-train/out.txt").stat().st_ino
        folder, record = space.stage("3-generate", "a" * 64, build("fresh"), fresh=True)
        assert not record["cached"]


def test_a_stage_that_was_tampered_with_is_built_again(tmp_path: Path) -> None:
    shelf = Store(tmp_path, "a")
    version = finished(shelf, "a" * 64, text="real")
    (version.folder / "2-train/out.txt").unlink()
    (version.folder / "2-train/out.txt").write_text("forged")
    with shelf.workspace("b" * 64, lambda holder: None) as space:
        folder, record = space.stage("2-train", "a" * 64, build("again"))
    assert not record["cached"]
    assert (folder / "out.txt").read_text() == "again"


def test_a_failed_stage_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    shelf = Store(tmp_path, "a")
    with pytest.raises(KeyboardInterrupt), shelf.workspace("a" * 64, lambda holder: None) as space:
        space.stage("2-train", "a" * 64, fail)
    assert [p.name for p in shelf.unfinished()[0].iterdir()] == []
    assert shelf.versions() == []


def test_an_interrupted_run_goes_on_with_its_stages(tmp_path: Path) -> None:
    shelf = Store(tmp_path, "a")
    with shelf.workspace("a" * 64, lambda holder: None) as space:
        space.stage("1-analyze", "c" * 64, build("kept"))
    with shelf.workspace("a" * 64, lambda holder: None) as space:
        folder, _ = space.stage("1-analyze", "c" * 64, build("never"))
        assert (folder / "out.txt").read_text() == "kept"


def test_verify_sees_every_change(tmp_path: Path) -> None:
    version = finished(Store(tmp_path, "a"), "a" * 64)
    assert version.verify() == []
    (version.folder / "2-train/out.txt").chmod(0o600)
    (version.folder / "2-train/out.txt").write_text("changed")
    (version.folder / "extra.txt").write_text("new")
    assert version.verify() == ["2-train/out.txt was changed", "extra.txt does not belong to the run"]
    (version.folder / "extra.txt").unlink()
    (version.folder / "2-train/out.txt").unlink()
    assert version.verify() == ["2-train/out.txt is missing"]


def test_a_forged_manifest_does_not_verify(tmp_path: Path) -> None:
    version = finished(Store(tmp_path, "a"), "a" * 64)
    path = version.folder / "manifest.json"
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "passed": False}))
    assert any("manifest.json" in line for line in version.verify())


def test_prune_keeps_the_newest_and_what_links_point_to(tmp_path: Path) -> None:
    shelf = Store(tmp_path, "a")
    for i in range(5):
        finished(shelf, f"{i}" * 64, passed=i == 1)
    gone = shelf.prune(keep=2, days=None, dry_run=True)
    assert [v.number for v in gone] == [1, 3]
    assert len(shelf.versions()) == 5
    shelf.prune(keep=2, days=None)
    assert [v.number for v in shelf.versions()] == [2, 4, 5]
    shelf.prune(keep=None, days=1)  # all are from 1970
    assert [v.number for v in shelf.versions()] == [2, 5]


def test_folders_are_private(tmp_path: Path) -> None:
    version = finished(Store(tmp_path, "a"), "a" * 64)
    assert version.folder.stat().st_mode & 0o777 == 0o700
    assert version.folder.parent.stat().st_mode & 0o777 == 0o700


def test_hashes_are_keyed_with_a_secret_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = secret.keyed("data", b"x")
    assert mine == secret.keyed("data", b"x")
    assert mine != secret.keyed("dat", b"ax")
    monkeypatch.setenv("SYNTH_STATE", str(tmp_path / "other"))
    assert mine != secret.keyed("data", b"x")
    assert (tmp_path / "other/secret").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    code = "from synthcli.artifacts.secret import local_secret; print(local_secret().hex())"
    env = {**os.environ, "SYNTH_STATE": str(tmp_path / "shared")}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({p.communicate()[0] for p in started}) == 1


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ArtifactError, match=r"No space left.*remedy: free space"):
        files.write_text(tmp_path / "x.json", "{}")
    assert list(tmp_path.glob("*.tmp")) + list(tmp_path.glob(".x*")) == []


def test_a_lock_is_waited_for_and_told_once(tmp_path: Path) -> None:
    from synthcli.errors import TryLater

    told: list[str] = []
    with (
        files.locked(tmp_path / "lock", told.append),
        pytest.raises(TryLater),
        files.locked(tmp_path / "lock", told.append, patience=0.3),
    ):
        pass
    assert told == [f"process {os.getpid()}"]


class TestCheckpoints:
    """What an interrupted build leaves in CHECKPOINTS waits for the next build of that stage, and for nothing else."""

    def interrupted(self, shelf: Store, error: type[BaseException], key: str = "a" * 64) -> None:
        def build(folder: Path) -> None:
            files.make_folder(folder / store.CHECKPOINTS).joinpath("half").write_text("done so far")
            (folder / "junk").write_text("half a file")
            raise error

        with pytest.raises(error), shelf.workspace(key, lambda holder: None) as space:
            space.stage("2-train", key, build)

    def found(self, shelf: Store, key: str = "a" * 64, *, fresh: bool = False) -> list[str]:
        seen: list[str] = []

        def build(folder: Path) -> None:
            seen.extend(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")))
            shutil.rmtree(folder / store.CHECKPOINTS, ignore_errors=True)

        with shelf.workspace(key, lambda holder: None) as space:
            space.stage("2-train", key, build, fresh=fresh)
            assert [p.name for p in space.folder.iterdir()] == ["2-train"]
        return seen

    def test_an_interrupt_keeps_them(self, tmp_path: Path) -> None:
        shelf = Store(tmp_path, "a")
        self.interrupted(shelf, KeyboardInterrupt)
        assert self.found(shelf) == ["checkpoints", "checkpoints/half"]

    def test_an_error_does_not(self, tmp_path: Path) -> None:
        shelf = Store(tmp_path, "a")
        self.interrupted(shelf, ValueError)
        assert self.found(shelf) == []

    def test_fresh_starts_without_them(self, tmp_path: Path) -> None:
        shelf = Store(tmp_path, "a")
        self.interrupted(shelf, KeyboardInterrupt)
        assert self.found(shelf, fresh=True) == []

    def test_a_killed_process_leaves_them(self, tmp_path: Path) -> None:
        shelf = Store(tmp_path, "a")
        code = (
            "import os, sys; from pathlib import Path; from synthcli.artifacts.store import Store\n"
            "def build(folder):\n"
            "    (folder / 'checkpoints').mkdir(); (folder / 'checkpoints/half').write_text('x'); os._exit(9)\n"
            "with Store(Path(sys.argv[1]), 'a').workspace('a' * 64, print) as space:\n"
            "    space.stage('2-train', 'a' * 64, build)\n"
        )
        assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
        assert self.found(shelf) == ["checkpoints", "checkpoints/half"]

    def test_a_stage_that_another_run_finished_needs_none(self, tmp_path: Path) -> None:
        shelf = Store(tmp_path, "a")
        self.interrupted(shelf, KeyboardInterrupt, key="b" * 64)
        finished(shelf, "a" * 64)
        with shelf.workspace("b" * 64, lambda holder: None) as space:
            space.stage("2-train", "a" * 64, build("x"))
            assert [p.name for p in space.folder.iterdir()] == ["2-train"]
