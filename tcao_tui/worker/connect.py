"""How a worker gets its Tinker client: the profile that the run was launched with, resolved anew for each attempt.

The SDK is imported only when a connection is made.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from tcao_tui import paths
from tcao_tui.clients.tinker_port import TinkerBackend, Transient
from tcao_tui.domain.events import WaitReason
from tcao_tui.domain.pipeline import teacher_models
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.errors import BackendError, NeedsInput
from tcao_tui.services import backends, engine_server
from tcao_tui.settings import load_settings

OnWaiting = Callable[[WaitReason, bool, str], None]

HEALTH_PATH = "/api/v1/healthz"
_HEALTH_SECONDS = 3.0


class Connector(Protocol):
    """Access to one server."""

    def prepare(self) -> None:
        """Done once, before the first attempt; starts the local engine. Blocks for seconds. Raises `BackendError`."""
        ...

    async def connect(
        self, plan: Plan, approved: PriceQuote | None, *, metadata: Mapping[str, str], on_waiting: OnWaiting
    ) -> TinkerBackend:
        """Open a session.

        Args:
            plan: What it is for.
            approved: Prices of the approval; None when nothing will be spent.
            metadata: Text pairs that the server keeps with the session.
            on_waiting: Told of waits.

        Raises:
            Transient: Nobody answers.
            NeedsInput: Prices are not those of the approval any more.
            TcaoError: Anything else that keeps us out.
        """
        ...

    def ailing(self) -> str:
        """Why the server does not answer, empty when it does. Blocks for a few seconds at most."""
        ...


class ProfileConnector:
    """The server of a profile, by its name in the settings."""

    def __init__(self, profile_name: str) -> None:
        self._profile = backends.resolve_profile(load_settings(), profile_name)
        self._address: str | None = None

    def prepare(self) -> None:
        """Start the local engine when the profile is the local one."""
        backends.ensure_engine(self._profile)

    async def connect(
        self, plan: Plan, approved: PriceQuote | None, *, metadata: Mapping[str, str], on_waiting: OnWaiting
    ) -> TinkerBackend:
        """Open a session of the SDK at the prices of the approval."""
        connection = self._connection()
        from tinker.lib.base_url import resolve_base_url

        from tcao_tui.clients import price_list, prices, tinker_sdk

        self._address = resolve_base_url(connection.base_url)
        quote_of = partial(
            prices.price_quote, self._profile.kind, connection.base_url, read_rates=price_list.published_rates
        )
        now = await asyncio.to_thread(quote_of, plan.training.base_model)
        more_quotes = {model: await asyncio.to_thread(quote_of, model) for model in teacher_models(plan)}
        if approved is not None:
            check_prices(approved, now)
        return await tinker_sdk.connect(
            base_url=connection.base_url,
            api_key=connection.api_key.get_secret_value() if connection.api_key else None,
            quote=approved or now,
            run_metadata=metadata,
            on_waiting=on_waiting,
            more_quotes=more_quotes,
        )

    def ailing(self) -> str:
        """Why the server does not answer; never reads a key, since that may ask a person."""
        address = self._address or self._profile.base_url
        reason = ailing_at(address) if address else ""
        if reason and self._profile.kind == "engine":
            # A restarted engine may have another address.
            return "" if engine_server.status(paths.engine_dir()).answers else reason
        return reason

    def _connection(self) -> backends.Connection:
        try:
            return backends.connection(self._profile)
        except BackendError as error:
            raise Transient(error.what, next_step=error.next_step) from error


def ailing_at(address: str) -> str:
    """Why a server does not answer a plain GET of its health; any answer below 500 will do."""
    try:
        with urllib.request.urlopen(address.rstrip("/") + HEALTH_PATH, timeout=_HEALTH_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"the server answers {error.code}" if error.code >= 500 else ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"the server does not answer ({getattr(reason, 'strerror', None) or type(reason).__name__})"


def check_prices(approved: PriceQuote, now: PriceQuote) -> None:
    """Refuse prices that the approval was not given for; a price that cannot be looked up now is not a new one."""
    fields = ("train_usd", "prefill_usd", "sample_usd", "storage_usd_per_gb_month")
    changed = [f for f in fields if getattr(now, f) is not None and getattr(now, f) != getattr(approved, f)]
    if changed:
        raise NeedsInput(
            "prices changed since the approval: "
            + ", ".join(f"{f} {getattr(approved, f)} -> {getattr(now, f)}" for f in changed),
            next_step="approve the plan at the new prices",
        )
