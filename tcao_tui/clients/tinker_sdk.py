"""The real `TinkerBackend`: one session of the pinned Tinker SDK, used as it wants to be used.

Blocking calls of the SDK (session creation, its first REST call) run in daemon threads: a server that is down must not
keep a worker from ending. Telemetry to the server is off unless the user set `TINKER_TELEMETRY`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from typing import Literal

import tinker
from tinker.lib.base_url import resolve_base_url

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, status_of, translate
from tcao_tui.clients.tinker_port import RemoteCheckpoint, Transient
from tcao_tui.clients.tinker_rest import SdkCheckpoints
from tcao_tui.clients.tinker_trainer import SdkTrainer, translated
from tcao_tui.clients.tinker_waiting import OnWaiting, WaitWatch, answers_health
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError, TcaoError

_logger = logging.getLogger(__name__)

_CHECK_ACCESS = "_check_accessible"
"""SDK 0.38's un-retried request: shows a refused key or missing billing at once, which it otherwise waits out."""

_CLOSE_SECONDS = 15.0


async def connect(
    *,
    base_url: str | None,
    api_key: str | None,
    quote: PriceQuote,
    run_metadata: Mapping[str, str],
    on_waiting: OnWaiting,
    more_quotes: Mapping[str, PriceQuote] | None = None,
) -> SdkBackend:
    """Open a session.

    Args:
        base_url: Address of the server; None is the SDK's default.
        api_key: Key; None leaves the search for one to the SDK.
        quote: Prices of the plan's base model on this server.
        run_metadata: Text pairs that the server keeps with the session and with each of its training runs.
        on_waiting: Told of waits, on the running event loop.
        more_quotes: Prices of further models, such as teachers, by their names.

    Raises:
        Transient: Nobody answers at the address.
        CredentialsError: There is no key, or it is refused.
        BackendError: The server refuses, for example because of billing.
    """
    os.environ.setdefault("TINKER_TELEMETRY", "0")
    address = resolve_base_url(base_url)
    if not await answers_health(address):
        raise Transient(f"no Tinker server answers at {clean(address)}", next_step="tcao doctor")
    service = tinker.ServiceClient(user_metadata=dict(run_metadata), base_url=address, api_key=api_key)
    watch = WaitWatch(on_waiting, partial(answers_health, address))
    watch.start()
    try:
        with translated(watch, "opening a session"):
            await in_daemon_thread(getattr(service, _CHECK_ACCESS))
            await in_daemon_thread(lambda: service.holder)
            rest = await in_daemon_thread(partial(tinker.RestClient, base_url=address, api_key=api_key))
    except BaseException:
        await watch.stop()
        raise
    return SdkBackend(service, quote, run_metadata, watch, SdkCheckpoints(rest), more_quotes=more_quotes or {})


class SdkBackend:
    """One session with its heartbeat, ended by `close`. Made by `connect`."""

    def __init__(
        self,
        service: tinker.ServiceClient,
        quote: PriceQuote,
        run_metadata: Mapping[str, str],
        watch: WaitWatch,
        checkpoints: SdkCheckpoints,
        *,
        more_quotes: Mapping[str, PriceQuote],
    ) -> None:
        self._service = service
        self._run_metadata = run_metadata
        self._quote, self._more_quotes = quote, more_quotes
        self._watch = watch
        self._checkpoints = checkpoints

    @property
    def quote(self) -> PriceQuote:
        """Prices of the plan's base model here."""
        return self._quote

    def quote_of(self, model: str) -> PriceQuote:
        """Prices of another model here; on a server that costs nothing, nothing."""
        unknown = PriceQuote(backend=self._quote.backend, source="unknown")
        return self._quote if self._quote.is_free else self._more_quotes.get(model, unknown)

    async def open_trainer(
        self,
        config: TrainingConfig,
        *,
        state_path: str | None,
        metadata: Mapping[str, str],
        with_optimizer: bool = True,
    ) -> SdkTrainer:
        """Create a LoRA, or load weights, and the optimiser unless told otherwise, from `state_path`.

        Raises:
            BackendError: The server refuses, or has no such checkpoint any more.
        """
        doing = "creating the LoRA" if state_path is None else f"loading {clean(state_path)}"
        with self._watch.pending():
            try:
                notes = {**self._run_metadata, **metadata}
                client = await self._create(config, state_path, notes, with_optimizer=with_optimizer)
            except SDK_ERRORS as error:
                gone = state_path is not None and status_of(error) == 404 and "session" not in str(error)
                if gone:
                    raise BackendError(
                        f"{doing}: the server has no such checkpoint any more: {clean(str(error))}",
                        next_step="resume from another checkpoint, or launch the plan anew",
                    ) from error
                raise translate(error, doing) from error
        return SdkTrainer(client, config, self._watch, self._checkpoints)

    async def sampling_client(
        self, *, base_model: str | None = None, model_path: str | None = None
    ) -> tinker.SamplingClient:
        """The SDK's own client of a base model or of sampler weights. Raises `BackendError` when there is none."""
        with translated(self._watch, f"opening a sampler of {clean(model_path or base_model or '')}"):
            return await self._service.create_sampling_client(model_path=model_path, base_model=base_model)

    def calling(self, doing: str) -> AbstractContextManager[None]:
        """Around code that awaits SDK clients itself: waits are told, and its errors become ours."""
        return translated(self._watch, doing)

    async def _create(
        self, config: TrainingConfig, state_path: str | None, metadata: dict[str, str], *, with_optimizer: bool
    ) -> tinker.TrainingClient:
        if state_path is None:
            return await self._service.create_lora_training_client(
                base_model=config.base_model,
                rank=config.lora_rank,
                seed=config.seed,
                train_mlp=config.train_mlp,
                train_attn=config.train_attn,
                train_unembed=config.train_unembed,
                user_metadata=metadata,
            )
        if with_optimizer:
            return await self._service.create_training_client_from_state_with_optimizer(
                state_path, user_metadata=metadata
            )
        return await self._service.create_training_client_from_state(state_path, user_metadata=metadata)

    async def checkpoints_of(self, run_id: str) -> Sequence[RemoteCheckpoint]:
        """Checkpoints on the server whose metadata names our run, oldest first. Raises `Unsupported`."""
        return await self._checkpoints.of_run(run_id)

    async def delete(self, path: str) -> None:
        """Delete a checkpoint for good."""
        await self._checkpoints.delete(path)

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        """Set or remove the expiry of a checkpoint."""
        await self._checkpoints.set_ttl(path, ttl_seconds)

    async def close(self, outcome: Literal["success", "errored", "interrupted"], detail: str = "") -> None:
        """End the session and say how; a server that does not answer in time learns it from missed heartbeats."""
        await self._watch.stop()
        try:
            await self._service.close(outcome, detail or None).result_async(_CLOSE_SECONDS)
        except SDK_ERRORS as error:
            _logger.warning("the session was not closed on the server: %s", clean(str(error)) or type(error).__name__)


async def in_daemon_thread[T](function: Callable[[], T]) -> T:
    """Run a blocking call in a thread that cannot keep the process alive, unlike those of `asyncio.to_thread`.

    Raises:
        TcaoError: Or one of `SDK_ERRORS`, as the call raised it.
        RuntimeError: The thread ended in another way.
    """
    done: Future[T] = Future()

    def call() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(function())
        except (*SDK_ERRORS, TcaoError) as error:
            done.set_exception(error)
        finally:
            if not done.done():
                done.set_exception(RuntimeError("the SDK ended its thread"))

    threading.Thread(target=call, name="tinker-blocking", daemon=True).start()
    return await asyncio.wrap_future(done)
