"""Which answers of a conversation carry loss: all of them, unless only the last is written as it will be sampled."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.policy.situation import INSPECTED, Situation, counted, filled

SOURCE = f"{INSPECTED}, cookbook renderers (has_extension_property)"


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.train_on_what`, for conversations of several answers; there is no choice for others."""
    train, renderer = situation.train, situation.text("training.renderer_name")
    if train is None or not train.multi_turn_rows or not renderer or situation.method != "sft":
        return {}
    several = f"{counted(train.multi_turn_rows, 'row has', 'rows have')} several answers"
    last = Alternative(value="last_assistant_message", label="the last answer", why="one example per conversation")
    every = Alternative(value="all_assistant_messages", label="every answer", why="more examples, in two forms")
    if thinks(renderer) and not renderer.endswith("_preserve_thinking"):
        reason = (
            f"{several}, and this format drops the thinking of earlier ones: only the last is trained as it is sampled"
        )
        chosen, other = last, every
    else:
        reason = f"{several}, and each of them is an example"
        chosen, other = every, last
    return {"training.train_on_what": filled(chosen.value, reason, SOURCE, alternatives=(other,))}
