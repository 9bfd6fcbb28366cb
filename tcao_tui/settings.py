"""What a person sets once for all runs: `settings.yaml` in the configuration directory.

Keys never stand in it, only where they come from. Choosing a profile is the business of `services.backends`.
"""

from __future__ import annotations

import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tcao_tui import paths
from tcao_tui.errors import PlanInvalid

RESERVED_PROFILES = ("local", "tinker")
"""Names of the built-in profiles."""

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class SettingsInvalid(PlanInvalid):
    """The settings file does not validate."""

    title = "Invalid settings"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Part):
    """A server and where its key comes from; with no key source, its SDK's own order of credentials is used."""

    base_url: str | None = Field(default=None, pattern=r"^https?://", description="Address; empty: the SDK's default.")
    key_env: EnvName | None = Field(default=None, description="Environment variable that holds the key.")
    key_file: Path | None = Field(default=None, description="File whose first line is the key.")
    key_command: str | None = Field(default=None, min_length=1, description="Command that prints the key.")

    @model_validator(mode="after")
    def _one_key_source(self) -> Self:
        if sum(source is not None for source in (self.key_env, self.key_file, self.key_command)) > 1:
            raise ValueError("give one of key_env, key_file and key_command")
        return self


class ProfileSettings(ServerSettings):
    """A server that speaks the Tinker API."""


class ModelPrice(_Part):
    """What an LLM costs, USD per million tokens; one that is left out is unknown, never free."""

    input_usd: float | None = Field(
        default=None, ge=0, description="Input that was neither cached nor read from cache."
    )
    output_usd: float | None = Field(default=None, ge=0, description="Output, thinking included.")
    cache_write_usd: float | None = Field(default=None, ge=0, description="Input written to the 5-minute cache.")
    cache_read_usd: float | None = Field(default=None, ge=0, description="Input read from the cache.")
    as_of: datetime.date = Field(description="Day on which somebody looked.")


class PlannerSettings(ServerSettings):
    """The LLM that interviews, at Anthropic or at any server that speaks its Messages API.

    Switches left empty are on at Anthropic's own servers and off elsewhere.
    """

    who: Literal["auto", "rules", "llm"] = Field(
        default="auto", description="Who interviews; auto: the LLM when there is a key, else the rules."
    )
    model: str = Field(default="claude-opus-5-5", min_length=1, description="Model, as the server names it.")
    strict: bool | None = Field(default=None, description="Ask the server to keep to tool schemas.")
    cache: bool | None = Field(default=None, description="Mark the prompt for caching.")
    thinking: Literal["summarized", "omitted", "none"] | None = Field(
        default=None, description="How thinking is shown; none: the request does not mention it."
    )
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = Field(
        default=None, description="How much the model thinks; empty: its own default."
    )
    api_version: str | None = Field(default=None, description="Header anthropic-version; empty: the SDK's.")
    max_output_tokens: int = Field(default=16_000, ge=256, description="Tokens per turn, thinking included.")
    context_tokens: int = Field(
        default=120_000, ge=8_000, description="Input at which the conversation starts afresh from the slots."
    )
    max_requests: int = Field(default=60, ge=1, description="Requests per interview.")
    max_tokens: int = Field(default=3_000_000, ge=1, description="Tokens per interview, cached ones included.")
    max_cost_usd: float = Field(default=5.0, gt=0, description="Cost per interview, as far as prices are known.")
    retries: int = Field(default=4, ge=0, le=20, description="Attempts after the first while the server is away.")
    retry_after_seconds: float = Field(default=60.0, gt=0, le=600, description="Longest wait before an attempt.")
    prices: dict[str, ModelPrice] = Field(default={}, description="Prices by model, before the included ones.")


NoticeAbout = Literal["done", "failed", "lost", "alert", "approval"]


class NotificationSettings(_Part):
    """Who is told when something happens to a run; addresses stay in the environment, since they are secrets."""

    when: tuple[NoticeAbout, ...] = Field(
        default=("done", "failed", "lost", "alert", "approval"), description="What is worth a notice."
    )
    desktop: bool = Field(default=False, description="Desktop notices of the console, by the terminal's OSC 9 or 777.")
    command: tuple[str, ...] = Field(
        default=(), description="Program and arguments; gets JSON on stdin and TCAO_NOTICE_* in its environment."
    )
    webhook_env: EnvName | None = Field(default=None, description="Environment variable with the URL to POST JSON to.")
    slack_env: EnvName | None = Field(default=None, description="Environment variable with a Slack webhook's URL.")
    timeout_seconds: float = Field(default=10.0, gt=0, le=60, description="Longest wait for each of them.")

    @property
    def needs_process(self) -> bool:
        """Whether somebody is told who is not looking at the console."""
        return bool(self.when and (self.command or self.webhook_env or self.slack_env))


ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]


class Settings(_Part):
    """All settings; every one has a default."""

    backend: str | None = Field(default=None, description="Profile to use when neither option nor environment says.")
    theme: str | None = Field(default=None, description="Theme of the console; empty: follow the terminal.")
    profiles: dict[ProfileName, ProfileSettings] = Field(default={}, description="Further servers by name.")
    planner: PlannerSettings = Field(default=PlannerSettings(), description="The LLM that interviews.")
    notifications: NotificationSettings = Field(
        default=NotificationSettings(), description="Who is told when something happens to a run."
    )

    @model_validator(mode="after")
    def _names_are_free_and_known(self) -> Self:
        for name in self.profiles:
            if name in RESERVED_PROFILES:
                raise ValueError(f"profile {name!r} is built in; choose another name")
        known = [*RESERVED_PROFILES, *self.profiles]
        if self.backend is not None and self.backend not in known:
            raise ValueError(f"backend {self.backend!r} is not a profile; there are: {', '.join(known)}")
        return self


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings; a missing or empty file means defaults.

    Raises:
        SettingsInvalid: With the key path of each mistake and the nearest known name.
    """
    path = path or paths.settings_file()
    try:
        plain: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"cannot be read: {error}", where=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise SettingsInvalid(
            f"not valid YAML: {getattr(error, 'problem', None) or 'syntax error'}", where=f"{path}{line}"
        ) from error
    try:
        return Settings.model_validate({} if plain is None else plain)
    except ValidationError as error:
        raise SettingsInvalid(_explain(error), where=str(path), next_step="tcao doctor names every setting") from error


def _explain(error: ValidationError) -> str:
    """Each mistake with its key path; never the value, since somebody may have pasted a key."""
    lines: list[str] = []
    for mistake in error.errors(include_input=False, include_url=False, include_context=False):
        key_path = ".".join(str(part) for part in mistake["loc"]) or "settings"
        text = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            text = "unknown key" + _nearest(mistake["loc"])
        lines.append(f"{key_path}: {text}")
    return "; ".join(lines)


def _nearest(location: tuple[int | str, ...]) -> str:
    key_path = [str(part) for part in location]
    match key_path:
        case ["planner", "prices", *_]:
            section = ModelPrice
        case ["planner", _, *_]:
            section = PlannerSettings
        case ["notifications", *_]:
            section = NotificationSettings
        case ["profiles", *_]:
            section = ProfileSettings
        case _:
            section = Settings
    names = list(section.model_fields)
    near = get_close_matches(key_path[-1], names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(names)}"
