"""`python -m tcao_tui.probes.models --profile NAME`: the models of a server and what is known of each, as JSON.

Names and context lengths are the server's; the cookbook, the price list and folders on this machine add the rest.
A short-lived helper process for whoever must not import the SDK: `services.models` calls it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import tinker
from tinker.types import SupportedModel

from tcao_tui import paths
from tcao_tui.clients.price_list import published_rates
from tcao_tui.clients.prices import planning_quote
from tcao_tui.clients.tinker_errors import SDK_ERRORS, translate
from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.model_names import base_name, family_of, parameters_in
from tcao_tui.errors import TcaoError
from tcao_tui.probes import cookbook_facts, local_model
from tcao_tui.services import engine_server
from tcao_tui.services.backends import Profile, connection, resolve_profile
from tcao_tui.settings import load_settings

ANSWER_SECONDS = 30.0
"""Longest wait for the server."""


def probe_main(arguments: Sequence[str] | None = None) -> int:
    """Print the server's `Capabilities` as one JSON object, or an object with an error.

    Returns:
        The exit code; that of the error, when there was one.
    """
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.probes.models", description="The models of a server.")
    parser.add_argument("--profile", required=True)
    given = parser.parse_args(arguments)
    try:
        found = ask(resolve_profile(load_settings(), given.profile))
    except TcaoError as error:
        told = {"what": error.what, "where": error.where, "next_step": error.next_step}
        sys.stdout.write(json.dumps({"error": told}) + "\n")
        return error.exit_code
    sys.stdout.write(found.model_dump_json() + "\n")
    return 0


def ask(profile: Profile) -> Capabilities:
    """Ask the server of a profile; the local engine must be running.

    Raises:
        CredentialsError: No key, or it was refused.
        BackendError: The server does not answer.
    """
    reached = connection(profile)
    key = reached.api_key.get_secret_value() if reached.api_key else None
    folders: Mapping[str, Path] = {}
    if profile.kind == "engine":
        folders = engine_server.status(paths.engine_dir()).model_dirs
    listed = asyncio.run(_supported(reached.base_url, key))
    models = [describe(model, profile, reached.base_url, folders) for model in listed if model.model_name]
    return Capabilities(
        profile=profile.name,
        backend=reached.base_url or "Tinker",
        is_free=profile.kind == "engine",
        asked_at=time.time(),
        models=tuple(models),
    )


def describe(model: SupportedModel, profile: Profile, base_url: str | None, folders: Mapping[str, Path]) -> ModelInfo:
    """A model as the server lists it, with everything else that is known of it."""
    name = model.model_name or ""
    known = cookbook_facts.cookbook_facts(name)
    sizes = parameters_in(name) or (None, None)
    found = ModelInfo(
        name=name,
        context_length=model.max_context_length,
        trainable=model.trainable is not False,
        family=family_of(name),
        total_parameters=known.total_parameters or sizes[0],
        active_parameters=known.active_parameters or sizes[1],
        training=known.training,
        is_vision=known.is_vision,
        renderers=known.renderers,
        tokenizer=base_name(name),
        lora_parameters_per_rank=known.lora_parameters_per_rank,
        lora_source=cookbook_facts.LORA_SOURCE if known.lora_parameters_per_rank else "",
        sft_learning_rate=known.sft_learning_rate,
        rank_cap=cookbook_facts.rank_cap(name) if profile.kind == "tinker" else None,
        price=planning_quote(profile.kind, base_url, name, read_rates=published_rates),
    )
    return _with_folder(found, folders[name]) if name in folders else found


def _with_folder(model: ModelInfo, folder: Path) -> ModelInfo:
    try:
        own = local_model.local_facts(folder)
    except (OSError, ValueError):
        return model.model_copy(update={"tokenizer": str(folder)})
    return model.model_copy(
        update={
            "tokenizer": str(folder),
            "total_parameters": own.total_parameters,
            "active_parameters": model.active_parameters or own.total_parameters,
            "hidden_size": own.hidden_size,
            "lora_parameters_per_rank": own.lora_parameters_per_rank,
            "lora_source": local_model.LORA_SOURCE,
            "renderers": model.renderers or own.renderers,
            "training": model.training if model.training != "unknown" else own.training,
        }
    )


async def _supported(base_url: str | None, key: str | None) -> Sequence[SupportedModel]:
    doing = "asking for the server's models"
    try:
        rest = tinker.RestClient(base_url=base_url, api_key=key)
        return (await rest.get_server_capabilities().result_async(ANSWER_SECONDS)).supported_models
    except SDK_ERRORS as error:
        raise translate(error, doing) from error


if __name__ == "__main__":
    sys.exit(probe_main())
