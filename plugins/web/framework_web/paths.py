"""Ids in paths: any that Redis has can be asked for, with slashes too.

A server decodes the path before it hands it on, and ``a%2Fb`` looks like two parts then. So the
parts are taken from the path as it was sent.
"""

from typing import Any
from urllib.parse import unquote

from starlette.types import Scope

KEPT = "framework_web.kept_slashes"


def with_slashes_kept(scope: Scope) -> Scope:
    """Return a request in whose path slashes, that are part of an id, are no slashes."""
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"]
    if raw is None or (b"%2f" not in raw.lower() and "%" not in path):
        return scope
    root: str = scope.get("root_path", "")
    parts = raw.partition(b"?")[0].decode("latin-1").split("/")
    for first in range(1, len(parts)):
        if unquote("/" + "/".join(parts[first:])) == path.removeprefix(root):
            kept = "".join(f"/{encoded(unquote(part))}" for part in parts[first:])
            return {**scope, "path": root + kept, KEPT: True}
    return scope


def encoded(part: str) -> str:
    """Return a part of a path in which no slash stands."""
    return part.replace("%", "%25").replace("/", "%2F")


def part_of(scope: Scope, name: str) -> str | None:
    """Return what stands in the path for a name; None if the path has no such part."""
    params: dict[str, Any] = scope.get("path_params", {})
    found: str | None = params.get(name)
    return unquote(found) if found is not None and scope.get(KEPT) else found
