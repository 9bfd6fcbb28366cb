"""Interrupting and resuming: each call has a result and none runs twice, wherever the interview was cut."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.interview import Said, ToolEnded
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.contract.test_llm_planner import interviewed, script
from tests.fakes.anthropic_stub import Reply, call
from tests.fakes.llm_lab import Lab, llm_lab


def last_results(lab: Lab) -> list[dict[str, Any]]:
    blocks = lab.stub.requests[-1]["messages"][-1]["content"]
    return [block for block in blocks if block["type"] == "tool_result"]


async def test_interrupting_the_models_words_hangs_up_and_leaves_nothing_half(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(text="a long story", fault="hang"), Reply(text="Yes?")]) as lab:
        talking = asyncio.create_task(lab.session.go_on())
        await lab.stub.hanging.wait()
        assert lab.session.interrupt()
        await talking
        await lab.stub.left.wait()
        assert lab.kinds() == ["started", "interrupted"]
        await lab.session.say("stop, something else")
    texts = [block["text"] for block in lab.stub.requests[1]["messages"][-1]["content"]]
    assert any("interrupted" in text for text in texts)
    assert "<person>stop, something else</person>" in texts


async def test_interrupting_a_wait_ends_it_at_once(tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def forever(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async with llm_lab(tmp_path, lambda _: Reply(status=529), sleep=forever) as lab:
        talking = asyncio.create_task(lab.session.go_on())
        await waiting.wait()
        lab.session.interrupt()
        await talking
    assert lab.countdowns[-1].seconds == 0
    assert lab.kinds() == ["started", "interrupted"]


async def test_interrupting_calls_ends_each_and_the_model_is_told(tmp_path: Path) -> None:
    train, test = str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")
    both = Reply(text="I look.", tools=[call("inspect_data", path=train), call("inspect_data", path=test)])
    async with llm_lab(tmp_path, [both, Reply(text="As you wish.")]) as lab:
        running = Blocker(lab)
        talking = asyncio.create_task(lab.session.go_on())
        await running.both.wait()
        lab.session.interrupt()
        await talking
        running.release()
        assert [e.ok for e in lab.entries if isinstance(e, ToolEnded)] == [False, False]
        assert lab.session.state.running_tools == ()
        await lab.session.say("do not read that")
        assert lab.desk.asked == []
    assert [block["is_error"] for block in last_results(lab)] == [True, True]
    assert all("interrupted by the person" in block["content"] for block in last_results(lab))
    assert lab.stub.refused == []


class Blocker:
    """Makes inspections wait in their threads until they are released; they measure nothing after an interrupt."""

    def __init__(self, lab: Lab) -> None:
        import threading

        self.both = asyncio.Event()
        self._gate, self._loop, self._count = threading.Event(), asyncio.get_running_loop(), 0
        lab.desk.hold = self._hold

    def _hold(self) -> None:
        self._count += 1
        if self._count == 2:
            self._loop.call_soon_threadsafe(self.both.set)
        self._gate.wait(30)

    def release(self) -> None:
        self._gate.set()


@pytest.mark.parametrize("part", range(4))
async def test_an_interview_killed_anywhere_goes_on_with_a_result_for_each_call_and_runs_none_again(
    tmp_path: Path, part: int
) -> None:
    whole = iter(script(tmp_path))
    async with llm_lab(tmp_path, lambda _: next(whole, Reply(text="Where were we?"))) as lab:
        await interviewed(lab)
        entries, asked = lab.entries, list(lab.desk.asked)
        for cut in range(1 + part, len(entries) + 1, 4):
            lab.store = MemoryInterviews()
            lab.store.create_interview(lab.interview_id, at=0.0)
            lab.store.append(lab.interview_id, entries[:cut], after=0, at=0.0)
            session = lab.again()
            await session.say("hello again")
            assert lab.stub.refused == [], f"cut after entry {cut}: {entries[cut - 1].kind}"
            assert lab.desk.asked == asked, f"cut after entry {cut}: a tool ran again"
            assert session.state.running_tools == ()
            assert "hello again" in json.dumps(lab.stub.requests[-1]["messages"][-1])
            said = [stored.entry.text for stored in session.state.transcript if isinstance(stored.entry, Said)]
            assert said[-1] == "Where were we?"
