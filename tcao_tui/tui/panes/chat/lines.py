"""A conversation as lines for the column of one contender, and the lines around the columns. Pure.

Exchanges never change once they are there, so their lines are made once for each width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcao_tui.domain.chat import Conversation, Reply, Round
from tcao_tui.domain.chat_meter import meter_of
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.votes import tally, verdict
from tcao_tui.domain.wording import count_text, duration_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped


@dataclass(slots=True)
class Pending:
    """A prompt that is being answered: `since` in seconds of a clock that only grows."""

    prompt: str
    since: float
    replies: dict[int, Reply] = field(default_factory=dict[int, Reply])


class ColumnLines:
    """Lines of one column; remembers those of finished exchanges.

    Attributes:
        last_prompt: Line that the newest prompt begins in, from 0.
    """

    def __init__(self) -> None:
        self.last_prompt = 0
        self._width = 0
        self._made: dict[tuple[int, int, int], list[Line]] = {}

    def of(self, conversation: Conversation, column: int, pending: Pending | None, width: int) -> list[Line]:
        """Everything said in a column, oldest first, and at its end what is being answered."""
        if width != self._width:
            self._width, self._made = width, {}
        lines: list[Line] = []
        for place, one in enumerate(conversation.rounds):
            contender = one.order[column]
            for number, exchange in enumerate(one.exchanges):
                key = (place, number, contender)
                if key not in self._made:
                    answer = _answer_lines(exchange.replies[contender], width)
                    self._made[key] = [*_prompt_lines(exchange.prompt, width), *answer]
                self.last_prompt = len(lines)
                lines += self._made[key]
            if one.exchanges and (one.vote is not None or place < len(conversation.rounds) - 1):
                lines += [_end_line(conversation, one, contender, width), ()]
        if pending is not None:
            contender = conversation.round.order[column]
            self.last_prompt = len(lines)
            lines += _prompt_lines(pending.prompt, width)
            if (reply := pending.replies.get(contender)) is not None:
                lines += _answer_lines(reply, width)
        return lines


def _prompt_lines(prompt: str, width: int) -> list[Line]:
    first, *rest = wrapped(prompt, width - 4)
    return [((" ❯ ", "info"), (first, "strong")), *(((" " * 3, "text"), (line, "strong")) for line in rest), ()]


def _answer_lines(reply: Reply | None, width: int) -> list[Line]:
    if reply is None:
        return [((" stopped", "warn"),), ()]
    if reply.error:
        return [*_block(reply.error, "bad", width), ()]
    lines = [*_block(reply.thinking.strip(), "muted", width), ()] if reply.thinking.strip() else []
    lines += _block(reply.text.strip() or "(nothing)", "text", width)
    lines += _block(f"not read as the chat format has it: {reply.problem}", "warn", width) if reply.problem else []
    return [*lines, _facts_line(reply), ()]


def _block(text: str, ink: str, width: int) -> list[Line]:
    return [((" ", "text"), (line, ink)) for line in wrapped(text, width - 2)]


def _facts_line(reply: Reply) -> Line:
    facts = f" {count_text(reply.tokens)} tokens · {reply.seconds:.1f} s"
    return ((facts, "muted"), (" · cut off", "warn")) if reply.is_cut else ((facts, "muted"),)


def _end_line(conversation: Conversation, one: Round, contender: int, width: int) -> Line:
    """The rule below a round: who this was, when that was hidden, and whether it won."""
    if one.vote is None:
        return ((fit(" ── a new round ", width).rstrip() + " ──", "rule"),)
    label = one_line(conversation.contenders[contender].label, max(width - 22, 8))
    if one.vote == "tie":
        return ((" ── ", "rule"), (label, "title"), (" · tie ──", "muted"))
    if one.vote == contender:
        return ((" ── ", "rule"), (label, "ok"), (" ✓ better ──", "ok"))
    return ((" ── ", "rule"), (label, "title"), (" ──", "rule"))


def name_of(conversation: Conversation, column: int, *, is_hidden: bool) -> str:
    """What a column is called: `2 demo:80`; its number alone while names are hidden, the name of the only one alone."""
    if is_hidden:
        return str(column + 1)
    shown = conversation.round if not conversation.rounds else conversation.rounds[-1]
    label = one_line(conversation.contenders[shown.order[column]].label)
    return label if len(conversation.contenders) == 1 else f"{column + 1} {label}"


def settings_line(conversation: Conversation, width: int) -> Line:
    """How answers are sampled."""
    settings = conversation.settings
    parts = [f"temperature {settings.temperature:g}", f"at most {settings.max_tokens} tokens"]
    parts += [f"top-p {settings.top_p:g}"] if settings.top_p < 1 else []
    parts += [f"seed {settings.seed}"] if settings.seed is not None else []
    parts += [{True: "thinking", False: "no thinking"}[settings.thinking]] if settings.thinking is not None else []
    parts += ["blind"] if conversation.is_blind else []
    parts += [f"system: {one_line(conversation.system)}"] if conversation.system else []
    return ((" Chat ", "strong"), (one_line(" · ".join(parts), max(width - 8, 8)), "muted"))


def state_lines(conversation: Conversation, pending: Pending | None, now: float, width: int) -> list[Line]:
    """What is going on or may be done, then tokens and cost."""
    votes = verdict(tally(conversation), [each.label for each in conversation.contenders])
    if pending is not None:
        there, everyone = len(pending.replies), len(conversation.contenders)
        doing: Span = (f" {there} of {everyone} answered · {duration_text(now - pending.since)} · esc stops", "warn")
    elif conversation.round.can_be_voted:
        count = len(conversation.contenders)
        doing = (f" Which is best? 1 to {count}, 0 for a tie; tab goes between answers and text", "info")
    elif len(conversation.contenders) > 1 and tally(conversation).count:
        doing = (f" {votes}", "text")
    else:
        doing = ("", "text")
    meter = meter_of(conversation).text
    if not pending and width - len(meter) - 3 < len(doing[0]):
        return [((one_line(doing[0], width - 1), doing[1]),), ((f" {meter}", "muted"),)]
    return [((fit(doing[0], width - len(meter) - 1), doing[1]), (meter, "muted")), ()]


def tab_spans(names: Mapping[int, str], chosen: int, width: int) -> Line:
    """Names of the columns on one line, where only one of them is in sight."""
    room = max(width // max(len(names), 1) - 3, 3)
    return tuple(
        (f" {one_line(name, room)} ", "pick" if column == chosen else "muted") for column, name in names.items()
    )
