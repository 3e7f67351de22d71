"""Secrets of a source or an output: read from the environment on use, and redacted from all messages."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, quote_plus, unquote, urlsplit

from synthcli.errors import SpecError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IN_PLACE = re.compile(r"://[^/?#@]*:([^/?#]+)@")
_AS_OPTION = re.compile(
    r"[?&;](?:[\w-]*(?:password|passwd|pwd|passphrase|secret|token|signature|credential|api_?key|access_?key)[\w-]*|sig)=([^&;#]+)",
    re.I,
)


def resolved(text: str, key: str) -> str:
    """Replace every ${NAME} in a text from the environment. Raises SpecError if one is not set. key: the key of the
    text in the spec.
    """

    def value(found: re.Match[str]) -> str:
        if not os.environ.get(found[1]):
            raise SpecError(f"{key} is {text}; the environment has no {found[1]}; remedy: export {found[1]}=…")
        return os.environ[found[1]]

    return _REFERENCE.sub(value, text)


def literal(url: str) -> bool:
    """Whether a URL contains a password or another secret, instead of the name of an environment variable."""
    rest = _REFERENCE.sub("", url)
    return (
        any(_REFERENCE.sub("", s) for s in _IN_PLACE.findall(url))
        or bool(_IN_PLACE.search(rest))
        or bool(_AS_OPTION.search(rest))
    )


def redacted(message: object, text: str) -> str:
    """Redact from a message the secrets that the environment contributes to this text."""
    out = str(message)
    for secret in sorted(_secrets(text), key=len, reverse=True):
        out = out.replace(secret, "***")
    return out


def _secrets(text: str) -> set[str]:
    """The values from the environment, and the secret parts of those that are URLs, in every quoted form."""
    values = {name: os.environ.get(name, "") for name in _REFERENCE.findall(text)}
    whole = _REFERENCE.sub(lambda found: values[found[1]], text)
    secret = {*_IN_PLACE.findall(whole), *_AS_OPTION.findall(whole), *(v for v in values.values() if v)}
    with_user = urlsplit(whole) if "://" in whole else None
    if with_user is not None and with_user.password:
        secret.add(with_user.password)
    forms = {form for s in secret for form in (s, unquote(s), quote(s, safe=""), quote_plus(s))}
    return {form for form in forms if len(form) > 2}
