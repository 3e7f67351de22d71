"""The local secret that keys hashes of data, so that a manifest cannot be used to test whether a guessed record is in
the data.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from synthcli.errors import ArtifactError


def state_folder() -> Path:
    """The folder of this user's state: SYNTH_STATE, else XDG_STATE_HOME/synthcli, else ~/.local/state/synthcli."""
    if named := os.environ.get("SYNTH_STATE"):
        return Path(named)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "synthcli"


def local_secret() -> bytes:
    """32 random bytes of this user on this machine, generated on first use."""
    path = state_folder() / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            fresh = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(fresh, path)  # fails if another process was first; its secret is used then
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        secret = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path}: the local secret cannot be stored ({error.strerror}); remedy: set SYNTH_STATE to your own folder"
        ) from None
    if len(secret) != 32:
        raise ArtifactError(f"{path} is damaged; remedy: remove it, a new one is generated (old runs will not verify)")
    return secret


def keyed(*pieces: bytes | str) -> str:
    """Keyed BLAKE2b of the pieces, as 64 hex digits."""
    mac = hashlib.blake2b(key=local_secret(), digest_size=32)
    for piece in pieces:
        raw = piece.encode() if isinstance(piece, str) else piece
        mac.update(len(raw).to_bytes(8, "big") + raw)
    return mac.hexdigest()


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal texts."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """The data with a `seal` that only this user can create."""
    return {**data, "seal": keyed("manifest", canonical(data))}


def is_sealed(data: dict[str, Any]) -> bool:
    """Whether this user sealed exactly this data."""
    body = {k: v for k, v in data.items() if k != "seal"}
    return hmac.compare_digest(str(data.get("seal", "")), keyed("manifest", canonical(body)))
