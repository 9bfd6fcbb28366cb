"""Running the calls of a model's turn: only whole ones of tools that were offered, side by side, cards last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence

from tcao_tui.domain.interview import ToolEnded, ToolStarted
from tcao_tui.planner import calls
from tcao_tui.planner.llm.turn import ModelCall
from tcao_tui.planner.port import Interview

_ASKING = "ask_user"


async def run_calls(interview: Interview, wanted: Sequence[ModelCall], offered: Collection[str]) -> bool:
    """Run the calls that may run, and record why the others did not.

    Returns:
        Whether any of them was whole.
    """
    whole: list[ModelCall] = []
    for call in wanted:
        if call.problem:
            _refuse(interview, call, call.problem, "one whole JSON object")
        elif call.tool not in offered:
            _refuse(interview, call, f"there is no such tool: {call.tool}", f"one of {', '.join(offered)}")
        else:
            whole.append(call)
    await _side_by_side([_run(interview, call) for call in whole if call.tool != _ASKING])
    for call in whole:
        if call.tool == _ASKING:
            await _run(interview, call)
    return bool(whole)


def has_asked(interview: Interview, wanted: Sequence[ModelCall]) -> bool:
    """Whether one of the calls opened the card that now waits for the person."""
    card = interview.state.open_card
    return card is not None and any(call.call_id == card.id for call in wanted)


async def _run(interview: Interview, call: ModelCall) -> None:
    await interview.call(call.tool, call.arguments, call.call_id)


def _refuse(interview: Interview, call: ModelCall, problem: str, expected: str) -> None:
    refusal = calls.refusal(call.tool, problem, expected, "nothing was run; call again")
    interview.append(
        ToolStarted(call_id=call.call_id, tool=call.tool, arguments=call.arguments),
        ToolEnded(call_id=call.call_id, ok=False, result=refusal.result),
    )


async def _side_by_side(running: Sequence[Awaitable[None]]) -> None:
    """Await all; when one fails or the turn is cancelled, the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(one) for one in running]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
