"""Waits are told as they begin and end, each once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from tinker.lib.api_future_impl import QueueState

from tcao_tui.clients.tinker_waiting import WaitWatch, answers_health

DEADLINE_SECONDS = 10.0


class Listener:
    def __init__(self) -> None:
        self.told: list[tuple[str, bool, str]] = []
        self.healthy = True
        self.asked = 0
        self.changed = asyncio.Event()

    def on_waiting(self, reason: str, over: bool, detail: str) -> None:
        self.told.append((reason, over, detail))
        self.changed.set()

    async def is_healthy(self) -> bool:
        self.asked += 1
        self.changed.set()
        return self.healthy

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


def watch_of(listener: Listener) -> WaitWatch:
    return WaitWatch(listener.on_waiting, listener.is_healthy, quiet_seconds=0.0, probe_every_seconds=0.001)


async def test_a_pause_for_capacity_is_told_at_once_and_ends_with_activity() -> None:
    listener = Listener()
    watch = watch_of(listener)
    for _ in range(3):
        watch.on_queue_state_change(QueueState.PAUSED_CAPACITY, "short\x1b of GPUs")
    await asyncio.sleep(0)
    watch.on_queue_state_change(QueueState.ACTIVE, None)
    await asyncio.sleep(0)
    assert listener.told == [("capacity", False, "short of GPUs"), ("capacity", True, "")]


async def test_another_reason_ends_the_one_before() -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.on_queue_state_change(QueueState.PAUSED_CAPACITY, None)
    watch.on_queue_state_change(QueueState.PAUSED_RATE_LIMIT, "limit")
    await asyncio.sleep(0)
    assert listener.told == [("capacity", False, ""), ("capacity", True, ""), ("rate_limit", False, "limit")]


async def test_an_answer_ends_any_wait() -> None:
    listener = Listener()
    watch = watch_of(listener)
    with watch.pending():
        watch.on_queue_state_change(QueueState.PAUSED_CAPACITY, None)
        await asyncio.sleep(0)
    assert listener.told[-1] == ("capacity", True, "")


async def test_a_silent_server_is_an_outage_until_it_answers_again() -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.start()
    listener.healthy = False
    with watch.pending():
        await listener.until(lambda: listener.told == [("outage", False, "the server does not answer")])
        listener.healthy = True
        await listener.until(lambda: listener.told[-1] == ("outage", True, ""))
    await watch.stop()
    assert len(listener.told) == 2


async def test_a_healthy_server_that_takes_its_time_is_no_outage() -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.start()
    with watch.pending():
        await listener.until(lambda: listener.asked >= 3)
    await watch.stop()
    assert listener.told == []


async def test_the_sdks_own_lines_about_pauses_are_understood() -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.start()
    logger = logging.getLogger("tinker.lib.queue_state_logger")
    logger.warning("Model creation for m is paused. Reason: Tinker backend is running short on capacity, please wait.")
    await listener.until(lambda: len(listener.told) == 1)
    logger.warning("Training for m is paused. Reason: concurrent training clients rate limit hit.")
    logging.getLogger("tinker.lib.internal_client_holder").warning("The job is paused due to billing status. Error: no")
    await listener.until(lambda: len(listener.told) == 5)
    await watch.stop()
    assert [(reason, over) for reason, over, _ in listener.told] == [
        ("capacity", False),
        ("capacity", True),
        ("rate_limit", False),
        ("rate_limit", True),
        ("billing", False),
        ("billing", True),
    ]


def answered(status: int, verb: str = "optim_step") -> None:
    """What httpx says of one answer."""
    line = 'HTTP Request: %s %s "%s %d %s"'
    logging.getLogger("httpx").info(line, "POST", f"http://server/x/api/v1/{verb}", "HTTP/1.1", status, "reason")


@pytest.mark.parametrize(("status", "reason"), [(429, "rate_limit"), (402, "billing"), (503, "outage")])
async def test_a_request_that_is_refused_again_and_again_is_a_wait_until_it_is_answered(
    status: int, reason: str
) -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.start()
    with watch.pending():
        answered(status)
        detail = f"the server answers {status} to optim_step"
        await listener.until(lambda: listener.told == [(reason, False, detail)])
        answered(200, "retrieve_future")
        answered(status)
        assert listener.told == [(reason, False, detail)]
        answered(200)
        await listener.until(lambda: listener.told[-1] == (reason, True, ""))
    await watch.stop()
    assert len(listener.told) == 2


async def test_refused_heartbeats_and_polls_that_wait_are_no_wait_of_the_training() -> None:
    listener = Listener()
    watch = watch_of(listener)
    watch.start()
    with watch.pending():
        answered(503, "session_heartbeat")
        answered(408, "retrieve_future")
        await listener.until(lambda: listener.asked >= 2)
    await watch.stop()
    assert listener.told == []


async def test_nobody_at_the_address_is_unhealthy() -> None:
    assert not await answers_health("http://127.0.0.1:1")
