"""Pushes a folder to the Hugging Face Hub: `hub.push`. The token is the one that `hf auth login` or HF_TOKEN gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
from huggingface_hub.utils import disable_progress_bars
from pydantic import JsonValue

from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.tinker_errors import clean
from tcao_tui.clients.tinker_port import Outage
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.weight_calls import Progress, Pushed, PushFolder
from tcao_tui.errors import BackendError, CredentialsError, UsageError
from tcao_tui.probes.server import Server

_NEEDS_TOKEN = "export HF_TOKEN=..., or `hf auth login`; the token needs the right to write"
_LEFT_OUT = ["parity.json", "*.part", "*.part.*", ".*"]
"""What is not published: the proof quotes rows of the data."""


async def push(server: Server, arguments: JsonValue, tell: Callable[[Shape], None]) -> Pushed:
    """`hub.push`.

    Raises:
        UsageError: The name of the repository is none.
        CredentialsError: No token, or it may not write there.
        BackendError: The Hub refuses or does not answer.
    """
    asked = PushFolder.model_validate(arguments)
    tell(Progress(doing="uploading"))
    return await in_daemon_thread(partial(_push, asked))


def _push(asked: PushFolder) -> Pushed:
    disable_progress_bars()
    hub = HfApi()
    try:
        made = hub.create_repo(repo_id=asked.repository, repo_type="model", private=asked.private, exist_ok=True)
        if not asked.private or _is_private(hub, asked.repository):
            hub.upload_folder(
                folder_path=asked.folder,
                repo_id=asked.repository,
                repo_type="model",
                commit_message="Upload by tcao",
                ignore_patterns=_LEFT_OUT,
            )
            return Pushed(url=str(made))
    except HFValidationError as error:
        raise UsageError(clean(str(error)), where="--repo", next_step="such as --repo user/my-model") from error
    except ValueError as error:
        raise BackendError(
            f"the Hub refuses the model card: {clean(str(error))}", next_step="correct README.md"
        ) from error
    except LocalTokenNotFoundError as error:
        raise CredentialsError("there is no Hugging Face token", next_step=_NEEDS_TOKEN) from error
    except HfHubHTTPError as error:
        raise _refusal(error) from error
    except httpx2.TransportError as error:
        raise Outage(f"the Hugging Face Hub does not answer ({type(error).__name__})", next_step="try again") from error
    raise UsageError(
        "that repository exists and is public, and --private was asked for; nothing was uploaded",
        where=asked.repository,
        next_step="name another repository, or push with --public",
    )


def _is_private(hub: HfApi, repository: str) -> bool:
    """A repository that was there already keeps its visibility, whatever is asked for."""
    return bool(hub.repo_info(repository, repo_type="model").private)


def _refusal(error: HfHubHTTPError) -> BackendError | CredentialsError:
    status = error.response.status_code
    said = clean(error.server_message or str(error))
    if status in (401, 403):
        return CredentialsError(f"the Hugging Face Hub refuses the token ({status}: {said})", next_step=_NEEDS_TOKEN)
    return BackendError(f"the Hugging Face Hub answered {status} ({said})")
