"""Publishing a folder of weights on the Hugging Face Hub: what it would do, what must be typed, and doing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcao_tui.clients.weight_calls import Progress, PushFolder
from tcao_tui.domain.hub_push import HubPush
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text
from tcao_tui.errors import NeedsInput, Refused, UsageError
from tcao_tui.services.backend_helper import Ticket
from tcao_tui.services.checkpoints import Asks
from tcao_tui.services.exports import EXPORT_NAME
from tcao_tui.store.checksums import SUMS_NAME, verify_sums

_MODEL_FILES = ("adapter_config.json", "config.json")


@dataclass(frozen=True, slots=True)
class PushPlan:
    """A push that was thought through.

    Attributes:
        consequences: What it does, each a sentence for people.
        confirm: What a person must type; empty when nothing.
    """

    folder: Path
    repository: str
    private: bool
    consequences: tuple[str, ...]
    confirm: str


def plan_push(folder: Path, repository: str, *, private: bool) -> PushPlan:
    """Judge a push; hashes the files, asks nobody.

    Raises:
        UsageError: The folder holds no model, or the repository is no name.
        Refused: Its parity proof failed.
        Altered: Its files are not what was exported.
    """
    if problem := HubPush("", repository).problem:
        raise UsageError(problem, next_step="such as --repo user/my-model")
    wanted = what_goes(folder, repository, private=private)
    if (folder / SUMS_NAME).exists():
        verify_sums(folder)
    return PushPlan(folder, repository, private, wanted.consequences, wanted.confirm)


def what_goes(folder: Path, repository: str = "", *, private: bool = True) -> HubPush:
    """What a push of a folder would publish; hashes nothing, asks nobody.

    Raises:
        UsageError: The folder holds no model.
        Refused: Its parity proof failed.
    """
    if not any((folder / name).is_file() for name in _MODEL_FILES):
        raise UsageError("there is no adapter and no model here", where=str(folder), next_step="tcao export")
    parity = _about(folder).get("parity")
    if parity == "failed":
        raise Refused(
            "this export does not answer as the backend does, so it is not published",
            where=str(folder / "parity.json"),
            next_step="export it anew",
        )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    what = f"{bytes_text(size)} from {one_line(str(folder), 200)}"
    return HubPush(what, repository, private, proved=parity == "holds")


def require_export_of(folder: Path, path: str) -> None:
    """Raises `Refused` when an export is of other weights: runs of one name have folders of one name."""
    if _about(folder).get("source") != path:
        raise Refused(
            "there is an export of other weights already",
            where=str(folder),
            next_step="export with --out, then push that folder",
        )


def push(
    asks: Asks,
    plan: PushPlan,
    *,
    typed: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    ticket: Ticket | None = None,
) -> str:
    """Upload, and return the address.

    Raises:
        NeedsInput: What must be typed was not.
        CredentialsError: There is no token, or it may not write there.
        BackendError: The Hub refuses or does not answer.
    """
    if plan.confirm and typed.strip() != plan.confirm:
        raise NeedsInput(
            "publishing for everybody has to be confirmed by typing the name of the repository",
            next_step=f"--confirm {plan.confirm}, or --private",
        )
    order = PushFolder(folder=str(plan.folder), repository=plan.repository, private=plan.private)
    return asks.call(order, on_progress, ticket).url


def _about(folder: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads((folder / EXPORT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
