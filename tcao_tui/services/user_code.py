"""Finding Python code of one's own without running it, and naming it by content.

What it imports in turn from outside of its own package is not looked at, nor are files that it reads.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from tcao_tui.domain.code_hash import CodeHash
from tcao_tui.errors import PlanInvalid


def code_hash(module: str) -> CodeHash:
    """The code that `import module` would find in a worker that is started from here; an absolute path is that file.

    Returns:
        With the SHA-256 of the module's file or, if it belongs to a package, of all `.py` files of the outermost one.

    Raises:
        PlanInvalid: It is not found, or cannot be read.
    """
    root = Path(module) if Path(module).is_absolute() else _root(module)
    try:
        return CodeHash(module=module, sha256=_sha256(root))
    except OSError as error:
        raise PlanInvalid(f"{root} cannot be read: {error.strerror}", where=module) from error


def _root(module: str) -> Path:
    importlib.invalidate_caches()
    root: Path | None = None
    places: list[str] | None = None
    for part in module.split("."):
        spec = _found(part, places)
        if spec is None:
            raise PlanInvalid(f"there is no module {part}", where=module)
        places = list(spec.submodule_search_locations or ())
        if root is None and spec.has_location and spec.origin:
            root = Path(spec.origin)
    if root is None:
        raise PlanInvalid("it has no file", where=module)
    return root


def _found(name: str, places: list[str] | None) -> ModuleSpec | None:
    """A module below a package's places; for None the first part of a name, the worker's directory coming first."""
    if places is not None:
        return PathFinder.find_spec(name, places)
    try:
        return PathFinder.find_spec(name, [str(Path.cwd())]) or importlib.util.find_spec(name)
    except ValueError:
        return None  # such as __main__, which has no place to be imported from


def _sha256(root: Path) -> str:
    is_package = root.stem == "__init__"
    digest = hashlib.sha256()
    for file in sorted(root.parent.rglob("*.py")) if is_package else [root]:
        digest.update(f"{file.relative_to(root.parent).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
