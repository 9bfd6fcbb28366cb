"""Which format the first rows of a file have, how it is mapped, and what the rows may be used for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcao_tui.data.answers import final_answer
from tcao_tui.data.convert import converted, text_content
from tcao_tui.data.formats import FORMATS
from tcao_tui.data.formats.port import RowFormat
from tcao_tui.data.rows import KINDS, ChatRow, Row, RowRejected
from tcao_tui.domain.data_profile import KIND_WORDS, FieldMap, RowKind
from tcao_tui.errors import PlanInvalid, UsageError


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a file are read.

    Attributes:
        fields: Format and mapping; None when no format was recognised, and then every row is a bad one.
        kind: What `read` returns.
        kinds: All that the rows may be used for, what they are first.
        read: Reads one row, or raises `RowRejected`.
    """

    fields: FieldMap | None
    kind: RowKind | None
    kinds: tuple[RowKind, ...]
    read: Callable[[dict[str, Any]], Row]


def recognise_format(sample: Sequence[dict[str, Any]], wanted: FieldMap | None, kind: RowKind | None) -> Reading:
    """How to read a file that begins with these rows.

    Args:
        sample: Its first rows.
        wanted: What a person said: a format, names of columns.
        kind: What the rows are wanted as; None: what they are.

    Raises:
        RowRejected: The rows are something else than `kind`; says what, and how to say otherwise.
        PlanInvalid: There is no such format.
    """
    wanted = wanted or FieldMap(data_format="")
    formats = _formats(wanted.data_format)
    votes = Counter(found for row in sample if (found := _find(row, formats, wanted)))
    if not votes and not wanted.data_format:
        return Reading(None, kind, (), _not_recognised)
    fields = votes.most_common(1)[0][0] if votes else wanted
    row_format = _formats(fields.data_format)[0]
    rows = [row for each in sample if (row := _readable(row_format, fields, each))]
    kinds = _kinds(row_format, rows)
    if kind not in (None, *kinds, *row_format.kinds) and not (kind == "problem" and any(map(_is_solved, rows))):
        raise _another_kind(row_format, fields, kinds[0], kind)
    wanted_kind = kind or kinds[0]
    return Reading(fields, wanted_kind, kinds, _reader(row_format, fields, wanted_kind))


def _formats(name: str) -> list[RowFormat]:
    try:
        return [FORMATS.load(each)() for each in ([name] if name else FORMATS.names())]
    except UsageError:
        there_are = ", ".join(FORMATS.names())
        raise PlanInvalid(
            f"there is no data format {name!r}", where="training.data_format", next_step=f"use one of {there_are}"
        ) from None


def _find(row: Mapping[str, Any], formats: Iterable[RowFormat], wanted: FieldMap) -> FieldMap | None:
    return next((found for each in formats if (found := each.find(row, wanted))), None)


def _kinds(row_format: RowFormat, rows: Sequence[Row]) -> tuple[RowKind, ...]:
    found: Counter[RowKind] = Counter(KINDS[type(row)] for row in rows)
    natural = found.most_common(1)[0][0] if found else row_format.kinds[0]
    kinds: list[RowKind] = [natural]
    if natural == "chat" and rows and all(_is_solved(row) for row in rows if isinstance(row, ChatRow)):
        kinds.append("problem")
    if natural != "prompt":
        kinds.append("prompt")
    return tuple(kinds)


def _is_solved(row: Row) -> bool:
    """Whether a conversation ends with an answer that can be checked."""
    return isinstance(row, ChatRow) and final_answer(text_content(row.conversation[-1]["content"])) is not None


def _readable(row_format: RowFormat, fields: FieldMap, row: dict[str, Any]) -> Row | None:
    try:
        return row_format.read(row, fields)
    except RowRejected:
        return None


def _reader(row_format: RowFormat, fields: FieldMap, kind: RowKind) -> Callable[[dict[str, Any]], Row]:
    wanted_type = next(row_type for row_type, name in KINDS.items() if name == kind)
    read_as_is = row_format.read

    def read(row: dict[str, Any]) -> Row:
        try:
            found = read_as_is(row, fields)
        except RowRejected as error:
            raise _perhaps_of_another_shape(row, fields, error) from None
        return found if type(found) is wanted_type else converted(found, kind)

    return read


def _perhaps_of_another_shape(row: dict[str, Any], fields: FieldMap, error: RowRejected) -> RowRejected:
    own = _find(row, _formats(""), FieldMap(data_format=""))
    if own is None or own.data_format == fields.data_format:
        return error
    what = f"has the shape of {own.data_format!r}, and the file that of {fields.data_format!r}: {error.what}"
    return RowRejected(what, "keep rows of one shape in one file")


def _not_recognised(row: dict[str, Any]) -> Row:
    keys = ", ".join(repr(key) for key in list(row)[:8]) or "none"
    raise RowRejected(
        f"of no known format; the row has: {keys}",
        "set input_field and output_field to the fields that hold prompt and answer, or set data_format",
    )


def _another_kind(row_format: RowFormat, fields: FieldMap, found: RowKind, wanted: RowKind) -> RowRejected:
    match found, wanted:
        case "preference", "chat" if fields.input_field != fields.chosen_field:
            fix = (
                f"train with a method for pairs, such as dpo; to imitate the better answers, set data_format: "
                f"input_output, input_field: {fields.input_field}, output_field: {fields.chosen_field}"
            )
        case "preference", "chat":
            fix = "train with a method for pairs, such as dpo"
        case "problem", "chat":
            fix = (
                f"train with method rl; to imitate the answers, set data_format: input_output, "
                f"input_field: {fields.input_field}, output_field: {fields.output_field}"
            )
        case "prompt", "chat":
            fix = "set output_field to the field that holds the answer, and input_field to that of the prompt"
        case "chat", "problem":
            fix = r"end each answer with '#### 42' or \boxed{42}, or set data_format: problem to check whole answers"
        case "chat", "preference":
            fix = "write pairs: prompt, chosen, rejected; or train with method sft"
        case _:
            fix = "choose a method that uses such rows, or set data_format"
    return RowRejected(f"holds {row_format.holds}, not {KIND_WORDS[wanted]}", fix)
