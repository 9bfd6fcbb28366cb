"""The only module that knows where things lie on disk. It creates nothing.

Every place can be moved by one environment variable, so that tests and shared machines stay apart.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The installed package."""

TINY_MODEL_NAME = "tcao/tiny-qwen3"
"""Name under which the engine serves the included model."""

TINY_MODEL_RENDERER = "qwen3_instruct"
"""Its chat format, by the cookbook's name; the cookbook itself does not know the model."""

TINY_MODEL = PACKAGE / "engine" / "tiny_model" / "weights"
"""The included model, in Hugging Face layout."""


def _asset_dir(name: str) -> Path:
    """A folder beside the package in a checkout, inside the package in a wheel."""
    in_wheel = PACKAGE / "_assets" / name
    return in_wheel if in_wheel.is_dir() else PACKAGE.parent / name


def templates_dir() -> Path:
    """Plan and config templates."""
    return _asset_dir("templates")


def prompts_dir() -> Path:
    """Prompts of the LLM planner."""
    return _asset_dir("prompts")


def runs_root() -> Path:
    """Directory of the run store: `TCAO_RUNS_DIR`, else `runs` in the working directory."""
    return Path(os.environ.get("TCAO_RUNS_DIR") or "runs").expanduser().absolute()


def exports_dir() -> Path:
    """Weights taken away: `TCAO_EXPORTS_DIR`, else `exports` in the working directory."""
    return Path(os.environ.get("TCAO_EXPORTS_DIR") or "exports").expanduser().absolute()


def config_dir() -> Path:
    """Settings: `TCAO_CONFIG_DIR`, else the platform's configuration directory."""
    if chosen := os.environ.get("TCAO_CONFIG_DIR"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("tcao")


def settings_file() -> Path:
    """The settings, where there are any."""
    return config_dir() / "settings.yaml"


def state_dir() -> Path:
    """Per-user state that is not a run, such as the engine's checkpoints: `TCAO_STATE_DIR`, else the platform's."""
    if chosen := os.environ.get("TCAO_STATE_DIR"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("tcao")


def cache_dir() -> Path:
    """What can be made again, such as column caches: `TCAO_CACHE_DIR`, else the platform's."""
    if chosen := os.environ.get("TCAO_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("tcao")


def engine_dir() -> Path:
    """State of the local engine: key, address, checkpoints, sessions."""
    return state_dir() / "engine"
