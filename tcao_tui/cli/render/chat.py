"""Answers and votes for people and for scripts. Text of models passes `plain_text` here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.chat_meter import cost_of, metered
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import count_text, duration_text, money_text, number_text

if TYPE_CHECKING:
    from tcao_tui.domain.chat import Conversation, Reply
    from tcao_tui.services.chat_prompts import FilePrompt
    from tcao_tui.store.chats import ChatSummary

type Answers = Mapping[tuple[int, int], Reply]
"""Replies by the places of prompt and contender."""

_CELL = 36


def reply_facts(reply: Reply) -> str:
    """`34 tokens · 1.2 s · cut off at the limit`."""
    if reply.error:
        return "failed"
    facts = [f"{count_text(reply.tokens)} tokens", f"{reply.seconds:.1f} s"]
    facts += ["cut off at the limit of tokens"] if reply.is_cut else []
    return " · ".join(facts)


def reply_lines(name: str, reply: Reply | None, style: Style) -> list[str]:
    """A contender's answer under its name; thinking dim, problems named."""
    if reply is None:
        return [f"{style(one_line(name), 'cyan', bold=True)}  {style('stopped', 'yellow')}"]
    lines = [f"{style(one_line(name), 'cyan', bold=True)}  {style(reply_facts(reply), dim=True)}"]
    if reply.error:
        return [*lines, style(plain_text(reply.error), "red")]
    lines += [style(plain_text(reply.thinking), dim=True)] if reply.thinking else []
    lines += [plain_text(reply.text) or style("(nothing)", dim=True)]
    return [*lines, style(f"not read as the chat format has it: {plain_text(reply.problem)}", "yellow")][
        : len(lines) + bool(reply.problem)
    ]


def reply_json(label: str, source: str, reply: Reply | None) -> dict[str, Any]:
    """One answer for scripts."""
    head: dict[str, Any] = {"label": label, "source": source}
    if reply is None:
        return {**head, "error": "stopped"}
    return {**head, **reply.model_dump(exclude={"prices"}), "usd": cost_of(reply)}


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    """A whole conversation for scripts; who answered in a blind round is named only after its vote."""
    names = [(each.label, each.source) for each in conversation.contenders]

    def told(place: int, column: int, *, is_known: bool) -> tuple[str, str]:
        return names[place] if is_known else (str(column), "")

    rounds: list[dict[str, Any]] = []
    for one in conversation.rounds:
        is_known = not conversation.is_blind or one.vote is not None
        columns = [told(place, column, is_known=is_known) for column, place in enumerate(one.order, 1)]
        exchanges = [
            {
                "prompt": each.prompt,
                "answers": [reply_json(*columns[at], each.replies[place]) for at, place in enumerate(one.order)],
            }
            for each in one.exchanges
        ]
        vote = names[one.vote][0] if isinstance(one.vote, int) else one.vote
        rounds.append({"system": one.system, "exchanges": exchanges, "vote": vote})
    return {"chat": conversation.chat_id, "settings": conversation.settings.model_dump(), "rounds": rounds}


def chat_table(chats: Sequence[ChatSummary], now: float) -> list[str]:
    """The conversations that can be gone on with."""
    rows = [
        (
            chat.chat_id,
            one_line(", ".join(chat.labels), 40),
            str(chat.exchanges),
            str(chat.votes),
            duration_text(now - chat.updated_at),
            one_line(chat.title, 50),
        )
        for chat in chats
    ]
    return table(("CHAT", "WITH", "TURNS", "VOTES", "AGE", "FIRST WORDS"), rows, right=frozenset({2, 3, 4}))


def prompts_table(prompts: Sequence[FilePrompt], labels: Sequence[str], answers: Answers) -> list[str]:
    """A line for each prompt, a column for each contender."""
    rows = [
        (
            str(prompt.line),
            one_line(prompt.text, _CELL),
            *(_cell(answers.get((at, contender))) for contender in range(len(labels))),
        )
        for at, prompt in enumerate(prompts)
    ]
    return table(("LINE", "PROMPT", *(one_line(label, _CELL) for label in labels)), rows, right=frozenset({0}))


def _cell(reply: Reply | None) -> str:
    if reply is None:
        return "-"
    return one_line(f"failed: {reply.error}" if reply.error else reply.text or "(nothing)", _CELL)


def prompts_summary(prompts: Sequence[FilePrompt], labels: Sequence[str], answers: Answers) -> list[dict[str, Any]]:
    """Each contender in numbers; `same` counts answers that are the wanted one, None where no answer is wanted."""
    wanted = [prompt.reference.strip() for prompt in prompts]
    found: list[dict[str, Any]] = []
    for contender, label in enumerate(labels):
        mine = {at: reply for (at, who), reply in answers.items() if who == contender}
        there = {at: reply for at, reply in mine.items() if not reply.error}
        used = metered(mine.values())
        found.append(
            {
                "label": label,
                "answers": len(there),
                "failed": len(mine) - len(there),
                "cut": sum(reply.is_cut for reply in there.values()),
                "mean_tokens": sum(r.tokens for r in there.values()) / len(there) if there else None,
                "same": sum(r.text.strip() == wanted[at] for at, r in there.items() if wanted[at])
                if any(wanted)
                else None,
                "prompt_tokens": used.prompt_tokens,
                "tokens": used.tokens,
                "usd": used.usd,
            }
        )
    return found


def summary_table(summary: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same as columns."""
    rows = [
        (
            one_line(one["label"], _CELL),
            str(one["answers"]),
            str(one["failed"]),
            str(one["cut"]),
            number_text(one["mean_tokens"]),
            "-" if one["same"] is None else str(one["same"]),
            money_text(one["usd"]),
        )
        for one in summary
    ]
    header = ("CONTENDER", "ANSWERS", "FAILED", "CUT OFF", "MEAN TOKENS", "AS WANTED", "COST")
    return table(header, rows, right=frozenset(range(1, 7)))
