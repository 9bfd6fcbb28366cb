"""Rollouts as lines: one per group and answer, and the whole text of the one that is looked at. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.rollout_choice import CUT_OFF, ChosenGroup, RolloutChoice
from tcao_tui.domain.rollouts import Rollout, RolloutGroup
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.domain.wording import number_text
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.text_block import fit, wrapped

_SPECIAL = re.compile(r"<\|[^|>\s]{1,40}\|>(?:(?:system|user|assistant)\b)?")
"""Special tokens with the role they begin, which a list has no room for; the whole text shows them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list: a group, or one of its answers."""

    group: RolloutGroup
    answer: Rollout | None = None


def rows_of(chosen: Sequence[ChosenGroup]) -> list[Row]:
    """Each group with the answers that are shown of it."""
    return [row for each in chosen for row in (Row(each.group), *(Row(each.group, a) for a in each.answers))]


def row_line(row: Row, width: int) -> Line:
    """A group in bold with its prompt; an answer with reward, tokens, how it stopped and how it begins."""
    group, answer = row.group, row.answer
    if answer is None:
        head = f" {group.group:>3} "
        signal = "no signal · " if group.advantage_free else ""
        room = max(width - len(head) - len(signal) - 1, 4)
        return ((head, "info"), (signal, "warn"), (fit(_end(group.prompt, room), room), "strong"))
    cut = answer.stop == CUT_OFF
    facts = f"{answer.tokens:>6} tok {'cut off ' if cut else '        '}"
    reward = f"{number_text(answer.reward):>10} "
    room = max(width - len(reward) - len(facts) - 1, 4)
    ink = "ok" if answer.reward > 0 else "bad" if answer.reward < 0 else "muted"
    return (
        (reward, ink),
        (facts, "warn" if cut else "muted"),
        (fit(_SPECIAL.sub("", answer.text).strip() or "(nothing)", room), "text"),
    )


def _end(prompt: str, width: int) -> str:
    """The end of a prompt, which is what differs between prompts that share their beginning."""
    line = one_line(_SPECIAL.sub("", prompt))
    return line if len(line) <= width else f"…{line[1 - width :]}"


def text_lines(row: Row | None, width: int) -> list[Line]:
    """Prompt, wanted answer and the whole answer with what was measured of it."""
    if row is None:
        return [((" No answer is like that.", "muted"),)]
    group, answer = row.group, row.answer
    lines = _part("prompt", group.prompt, "muted", width)
    lines += _part("wanted", group.reference, "text", width) if group.reference else []
    if answer is None:
        rewards = ", ".join(number_text(reward) for reward in group.rewards)
        same = "; all the same, so nothing was learned from them" if group.advantage_free else ""
        return [*lines, *_part(f"rewards of {len(group.answers)} answers", rewards + same, "text", width)]
    stop = "cut off at the limit of tokens" if answer.stop == CUT_OFF else one_line(answer.stop, 30)
    facts = [f"reward {number_text(answer.reward)}", f"{answer.tokens} tokens", *([stop] if stop else [])]
    lines += _part(f"answer · {' · '.join(facts)}", answer.text.strip() or "(nothing)", "text", width)
    if answer.numbers:
        measured = "   ".join(f"{one_line(key, 40)} {number_text(value)}" for key, value in answer.numbers.items())
        lines += _part("measured", measured, "muted", width)
    return lines


def _part(title: str, text: str, ink: str, width: int) -> list[Line]:
    lines: list[Line] = [((f" {title}", "title"),)]
    return [*lines, *(((" ", "text"), (line, ink)) for line in wrapped(text.strip(), width - 2)), ()]


def title_lines(name: str, steps: Sequence[RolloutsTaken], index: int, width: int) -> list[Line]:
    """Whose answers these are, of which step of how many."""
    taken = steps[index]
    place = f"step {taken.step} ({len(steps) - index} of {len(steps)} with answers kept)"
    facts = f"{taken.answers} answers to {taken.groups} prompts, mean reward {number_text(taken.mean_reward)}"
    head = one_line(f"{name} · answers of {place}", width - 2)
    return [((f" {head}", "strong"),), ((f" {one_line(facts, width - 2)}", "muted"),)]


def choice_line(choice: RolloutChoice, shown: int, width: int) -> Line:
    """Order, filter and search as they are now, and how many answers that leaves."""
    parts = [f"{shown} shown", str(choice.order), f"only {choice.only}" if choice.only != "all" else ""]
    parts.append(f"with “{choice.search}”" if choice.search else "")
    return ((f" {one_line(' · '.join(part for part in parts if part), width - 2)}", "accent"),)
