"""One row token by token, as the model will see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from tcao_tui.data.file_pass import file_status
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.row_text import row_text
from tcao_tui.data.rows import ChatRow, Row, RowRejected
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.row_preview import PreviewToken, RowPreview
from tcao_tui.errors import PlanInvalid
from tcao_tui.probes.chat_template import compared_with_template
from tcao_tui.probes.rendered import Rendered, RowRenderer

LONGEST_CHARACTERS = 2**20
"""Longer rows are not shown."""


def preview_row(
    path: Path,
    number: int,
    renderer: RowRenderer,
    *,
    fields: FieldMap | None = None,
    max_seq_len: int,
    side: Literal["chosen", "rejected"] = "chosen",
) -> RowPreview:
    """Row `number`, from 1, counting the rows that can be used.

    Raises:
        PlanInvalid: There is no such row, or it cannot be rendered.
    """
    row, line = _row(path, number, fields)
    where = f"{path}:{line}"
    if len(row_text(row, line).whole) > LONGEST_CHARACTERS:
        raise PlanInvalid(f"the row is longer than {LONGEST_CHARACTERS:,} characters", where=where, next_step="cut it")
    try:
        sides = renderer.render(row)
    except RowRejected as error:
        raise PlanInvalid(error.what, where=where, next_step=error.fix) from error
    chosen = next((one for one in sides if one.side == side), sides[0])
    tools = row.tools if isinstance(row, ChatRow) else ()
    template, differences = compared_with_template(chosen, tools, renderer.tokenizer)
    return RowPreview(
        path=str(path),
        row=number,
        line=line,
        model=renderer.model,
        renderer=renderer.name,
        tokens=_tokens(chosen, renderer, max_seq_len),
        side=chosen.side,
        template=template,
        differences=differences,
    )


def _row(path: Path, number: int, fields: FieldMap | None) -> tuple[Row, int]:
    file_status(path)
    problems = Problems()
    reader = RowReader(path, fields, problems)
    for row in reader:
        if reader.rows == number:
            return row, reader.line
    if problems.total and not reader.rows:
        problems.raise_if_any()
    raise PlanInvalid(
        f"there is no row {number:,}: the file has {reader.rows:,} that can be used",
        where=str(path),
        next_step=f"choose one from 1 to {reader.rows:,}",
    )


def _tokens(rendered: Rendered, renderer: RowRenderer, max_seq_len: int) -> tuple[PreviewToken, ...]:
    decode: Any = renderer.tokenizer.decode
    return tuple(
        PreviewToken(id=token, text=decode([token]), trained=trained, cut=index >= max_seq_len)
        for index, (token, trained) in enumerate(zip(rendered.tokens, rendered.trained, strict=True))
    )
