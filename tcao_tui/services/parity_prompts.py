"""Prompts for the parity proof: the run's own validation rows where they can be read, since they are like its use."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tcao_tui.clients.weight_calls import ParityPrompt
from tcao_tui.data.check import fields_of
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, Conversation, Row
from tcao_tui.domain.parity import INCLUDED_PROMPTS, PROMPTS
from tcao_tui.domain.plan import Plan
from tcao_tui.errors import TcaoError

_LONGEST_CHARACTERS = 8_000
_ROWS_LOOKED_AT = 200


def parity_prompts(plan: Plan | None, count: int = PROMPTS) -> tuple[ParityPrompt, ...]:
    """The first `count` short prompts of the validation rows, else the plan's sample prompts, else included ones."""
    found = list(islice(_of_rows(plan), count)) if plan is not None else []
    said = plan.evals.sample_prompts if plan is not None else ()
    texts = said or INCLUDED_PROMPTS
    return tuple(found) or tuple(_prompt([{"role": "user", "content": text}]) for text in texts[:count])


def _of_rows(plan: Plan) -> Iterator[ParityPrompt]:
    path = plan.training.val_file
    if path is None:
        return
    try:
        for row in islice(RowReader(path, fields_of(plan.training), Problems()), _ROWS_LOOKED_AT):
            prompt = _prompt(_asked(row))
            if prompt.conversation and len(prompt.text) <= _LONGEST_CHARACTERS:
                yield prompt
    except TcaoError:
        return


def _asked(row: Row) -> Conversation:
    return row.conversation[:-1] if isinstance(row, ChatRow) else row.prompt


def _prompt(conversation: Conversation) -> ParityPrompt:
    text = "\n".join(str(turn.get("content", "")) for turn in conversation)
    return ParityPrompt(text=text, conversation=tuple(conversation))
