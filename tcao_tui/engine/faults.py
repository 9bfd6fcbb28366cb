"""Scripted faults, so that reliability can be tested against a server that really fails.

A script is YAML or JSON, re-read whenever the file changes (which also sets the call counts back to zero):

    keep_counts: true            # optional: counts go on after a restart of the engine with the same script
    rules:
      - verb: save_weights       # a name from VERBS, or "*"
        nth: [2, 3]              # which calls of the verb, from 1 (one number or a list); or `every: 5`; neither = all
        delay_seconds: 0.5       # wait first; may stand alone or with one of the following
        status: 503              # answer with this instead of doing the work
        retry_after_seconds: 2   # with status: a Retry-After header
        drop: before             # close the connection without an answer, before or after the work is committed
        truncate_body: true      # do the work, then close the connection half-way through the answer
        slow_seconds: 5          # do the work, then let the answer drip over so many seconds
        kill: after              # SIGKILL this process, before or after the work is committed
        paused: capacity         # retrieve_future only: say that the work is queued, for capacity or rate_limit

Two verbs have no address of their own: `forward` is a forward_backward that asks for no gradients, `compute_logprobs`
an asample that asks for the logprobs of its prompt. "Committed" means that the promise of the request is fulfilled and
its rows and files are on disk.
The first rule that matches a call applies. Out of scope: faults of the compute itself.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tcao_tui.errors import UsageError

VERBS = [
    "healthz",
    "client_config",
    "client_dynamic_config",
    "get_server_capabilities",
    "auth_apikey_me",
    "telemetry",
    "create_session",
    "session_heartbeat",
    "session_finish",
    "create_sampling_session",
    "join_sampling_session",
    "create_model",
    "get_info",
    "load_weights",
    "unload_model",
    "forward",
    "forward_backward",
    "optim_step",
    "save_weights",
    "save_weights_for_sampler",
    "save_weights_external",
    "asample",
    "compute_logprobs",
    "retrieve_future",
    "retrieve_futures",
    "cancel_future",
    "training_runs",
    "training_run",
    "checkpoints",
    "user_checkpoints",
    "checkpoint_delete",
    "checkpoint_publish",
    "checkpoint_unpublish",
    "checkpoint_ttl",
    "external_weights_urls",
    "download",
    "weights_info",
    "sessions",
    "session",
    "session_search",
    "session_project",
    "sampler",
]
"""Every name a rule can have as its `verb`; `sampler` etc. are the REST reads of one thing, plurals the listings."""

When = Literal["before", "after"]
Pause = Literal["capacity", "rate_limit"]


class Rule(BaseModel):
    """One line of a fault script."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: str
    nth: Annotated[int, Field(ge=1)] | list[Annotated[int, Field(ge=1)]] | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after_seconds: Annotated[float, Field(ge=0)] | None = None
    drop: When | None = None
    truncate_body: bool = False
    slow_seconds: Annotated[float, Field(gt=0)] | None = None
    kill: When | None = None
    paused: Pause | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        if self.verb != "*" and self.verb not in VERBS:
            raise ValueError(f"unknown verb {self.verb!r}; the verbs are: {' '.join(VERBS)}")
        if self.nth is not None and self.every is not None:
            raise ValueError("nth and every exclude each other")
        one_of = (self.status, self.drop, self.truncate_body or None, self.slow_seconds, self.kill, self.paused)
        actions = sum(action is not None for action in one_of)
        if actions > 1 or (actions == 0 and not self.delay_seconds):
            raise ValueError(
                "a rule needs exactly one of status, drop, truncate_body, slow_seconds, kill, paused,"
                " or only delay_seconds"
            )
        if self.paused is not None and self.verb != "retrieve_future":
            raise ValueError("paused goes with the verb retrieve_future")
        if self.retry_after_seconds is not None and self.status is None:
            raise ValueError("retry_after_seconds goes with status")
        return self

    def applies(self, verb: str, call: int) -> bool:
        """Whether the rule is for this call (counted from 1) of this verb."""
        if self.verb not in ("*", verb):
            return False
        if self.nth is not None:
            return call in ([self.nth] if isinstance(self.nth, int) else self.nth)
        return self.every is None or call % self.every == 0


class Script(BaseModel):
    """A whole fault script."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_counts: bool = False
    rules: list[Rule]


def read_script(text: str, where: str) -> Script:
    """Parse a fault script.

    Raises:
        UsageError: It is not YAML, or has an unknown key, verb or combination.
    """
    try:
        return Script.model_validate(yaml.safe_load(text) or {"rules": []})
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(
            f"the fault script is not valid: {error}",
            where=where,
            next_step="the format is described in tcao_tui/engine/faults.py",
        ) from error


class Faults:
    """The script of a running engine and how often each verb was called.

    Args:
        path: The script, or None for an engine without faults. A missing file means no rules yet.
        counts_path: Where counts are kept for `keep_counts`.

    Raises:
        UsageError: The script is not valid at the start. A later invalid version is reported and ignored.
    """

    def __init__(self, path: Path | None, counts_path: Path) -> None:
        self._path = path
        self._counts_path = counts_path
        self._seen: tuple[int, int] | None = None
        self._digest = ""
        self._script = Script(rules=[])
        self._counts: dict[str, int] = {}
        self._reread()

    @property
    def scripted(self) -> bool:
        """Whether this engine was started with a script."""
        return self._path is not None

    def rule_for(self, verb: str) -> Rule | None:
        """Count a call of a verb and say what is to go wrong with it, if anything.

        Raises:
            UsageError: The script changed and is not valid any more; the old rules stay in force.
        """
        if self._path is None:
            return None
        self._reread()
        call = self._counts[verb] = self._counts.get(verb, 0) + 1
        if self._script.keep_counts:
            self._counts_path.write_text(json.dumps({"script": self._digest, "counts": self._counts}))
        return next((rule for rule in self._script.rules if rule.applies(verb, call)), None)

    def _reread(self) -> None:
        if self._path is None or not self._path.exists():
            return
        status = self._path.stat()
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        self._seen = seen
        text = self._path.read_text(encoding="utf-8")
        self._script = read_script(text, str(self._path))
        self._digest = hashlib.sha256(text.encode()).hexdigest()
        self._counts = self._kept_counts() if self._script.keep_counts else {}

    def _kept_counts(self) -> dict[str, int]:
        if not self._counts_path.exists():
            return {}
        kept = json.loads(self._counts_path.read_text())
        return dict(kept["counts"]) if kept["script"] == self._digest else {}
