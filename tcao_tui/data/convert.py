"""One kind of row as another, where nothing is made up: a solved problem as a problem, anything as its prompt."""

from __future__ import annotations

from tcao_tui.data.answers import final_answer
from tcao_tui.data.rows import KINDS, ChatRow, Conversation, PreferenceRow, ProblemRow, PromptRow, Row, RowRejected
from tcao_tui.domain.data_profile import RowKind


def converted(row: Row, kind: RowKind) -> Row:
    """`row` as a row of `kind`.

    Raises:
        RowRejected: It holds too little for that, or something that would be lost.
    """
    match row, kind:
        case _ if KINDS[type(row)] == kind:
            return row
        case ChatRow(), "prompt":
            return PromptRow(_prompt_of(row))
        case ChatRow(), "problem":
            return ProblemRow(_prompt_of(row), _answer_of(row))
        case ((PreferenceRow() | ProblemRow()), "prompt"):
            return PromptRow(row.prompt)
        case PromptRow(), "chat":
            raise RowRejected(
                "does not end with the assistant's turn: nothing to imitate",
                "add the answer, or remove what follows it",
            )
        case _:
            raise RowRejected(f"cannot be read as {kind}", "look at data_format")


def to_imitate(row: Row) -> ChatRow:
    """A conversation as it is; of a pair, the prompt with the better answer. Raises `RowRejected` for other rows."""
    match row:
        case ChatRow():
            return row
        case PreferenceRow(prompt, chosen):
            return ChatRow([*prompt, *chosen])
        case _:
            raise RowRejected("holds no answer to imitate", "name rows with answers")


def _prompt_of(row: ChatRow) -> Conversation:
    if row.tools:
        raise RowRejected("offers tools, which a prompt does not carry here", "remove 'tools' or the row")
    prompt = list(row.conversation)
    while prompt and prompt[-1]["role"] == "assistant":
        prompt.pop()
    if not prompt:
        raise RowRejected("has no prompt before the answer", "add the user's turn")
    return prompt


def text_content(content: str | list[dict[str, str]]) -> str:
    """The text of a turn's content, without thinking."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def _answer_of(row: ChatRow) -> str:
    answer = final_answer(text_content(row.conversation[-1]["content"]))
    if answer is None:
        raise RowRejected(
            "the answer does not end with one that can be checked",
            r"end it with '#### 42' or \boxed{42}, or set data_format: problem to check the whole answer",
        )
    return answer
