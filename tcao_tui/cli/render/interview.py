"""An interview as lines of text: what was said, questions with numbered options, what tools did, the plan as it stands.

Everything that people, data or models wrote goes through `plain_text` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tcao_tui.cli.render.plan import cost_lines, gate_lines
from tcao_tui.cli.render.text import Style
from tcao_tui.domain.interview import (
    Approved,
    Entry,
    Interrupted,
    PlannerChanged,
    PlanWritten,
    RunStarted,
    Said,
    SlotCleared,
    SlotFilled,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
)
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.questions import Question
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import SLOTS, Slot

_WIDTH = 100
_REASON_WIDTH = 120


def entry_lines(entry: Entry | UnknownEntry, style: Style) -> list[str]:
    """What an entry of the record adds to the screen; nothing for what the person just typed."""
    match entry:
        case Said(who="planner" | "tcao", text=text):
            return ["", *plain_text(text).splitlines()]
        case SlotFilled(path=path, filled=filled):
            value = one_line(str(filled.value), _WIDTH)
            return [style(f"  = {path}: {value}  [{filled.by}] {one_line(filled.reason, _REASON_WIDTH)}", dim=True)]
        case SlotCleared(path=path):
            return [style(f"  = {one_line(path)}: taken back", dim=True)]
        case ToolStarted(tool=tool, arguments=arguments):
            return [style(f"  · {one_line(tool)} {_arguments_text(arguments)}".rstrip(), dim=True)]
        case ToolEnded(ok=ok, result=result):
            return [style(f"    {_result_text(result)}", None if ok else "yellow", dim=ok)]
        case PlannerChanged(planner=planner, why=why):
            return ["", f"The {planner} planner goes on: {plain_text(why)}"]
        case Interrupted(what=what):
            return [style(f"  interrupted: {plain_text(what)}", "yellow")]
        case Approved(approval_hash=approved):
            return ["", f"Approved: {approved}"]
        case PlanWritten(directory=directory, files=files):
            return [f"Written to {one_line(directory)}: {', '.join(one_line(name) for name in files)}"]
        case RunStarted(run_id=run_id):
            return [f"Run: {run_id}"]
        case _:
            return []


def question_lines(question: Question, title: str, style: Style) -> list[str]:
    """A question with its options, the recommended one first, and what Enter does."""
    lines = ["", style(plain_text(title), dim=True), style(plain_text(question.text), bold=True)]
    lines += [f"  you said or saw: {plain_text(quote)}" for quote in question.quotes]
    lines += [style(f"  why I ask: {plain_text(question.why)}", dim=True)] if question.why else []
    for index, (mark, option) in enumerate(zip(marks(question), question.options, strict=True)):
        recommended = style(" (recommended)", "green") if index == 0 and option.why else ""
        lines.append(f"  {mark}) {one_line(option.label)}{recommended}")
        lines += [style(f"     {plain_text(option.why)}", dim=True)] if option.why else []
    return [*lines, style(f"  {_how_to_answer(question)}", dim=True)]


def marks(question: Question) -> Sequence[str]:
    """What stands before each option: letters where an answer may be a number itself."""
    if question.kind == "number":
        return [chr(ord("a") + index) for index in range(len(question.options))]
    return [str(index) for index in range(1, len(question.options) + 1)]


def plan_lines(sheet: PlanSheet, style: Style) -> list[str]:
    """The plan by slots with who decided, then gates, cost and hash."""
    lines = ["", style("Plan", bold=True)]
    lines += [line for slot in SLOTS for line in _slot_lines(slot, sheet, style)]
    lines += ["", *gate_lines(sheet.gates, style)]
    lines += ["", *cost_lines(sheet.cost)] if sheet.cost is not None else []
    return [*lines, f"hash: {sheet.approval_hash}"] if sheet.approval_hash else lines


def _slot_lines(slot: Slot, sheet: PlanSheet, style: Style) -> list[str]:
    known = [(path.rpartition(".")[2], sheet.draft[path]) for path in slot.paths if path in sheet.draft]
    shown = [(key, one_line(_value_text(filled.value), _WIDTH), f"[{filled.by}]") for key, filled in known]
    return [f"  {slot.title:<22} {key:<16} {value} {style(by, dim=True)}" for key, value, by in shown]


def _how_to_answer(question: Question) -> str:
    ways: list[str] = []
    if question.options:
        first, *_, last = [*marks(question), marks(question)[-1]]
        ways.append(f"{first}-{last}" if first != last else first)
    if question.kind == "many":
        ways.append("several with commas")
    if question.free_text or not question.options:
        unit = f" of {question.unit}" if question.unit else ""
        ways.append({"number": f"a number{unit}", "file": "a path"}.get(question.kind, "your own words"))
    default = "" if question.default is None else f"; Enter: {_default_text(question)}"
    return f"{', '.join(ways)}{default}"


def _default_text(question: Question) -> str:
    label = next((option.label for option in question.options if option.value == question.default), question.default)
    return one_line(str(label), _WIDTH)


def _value_text(value: object) -> str:
    match value:
        case None:
            return "-"
        case [*items]:
            return ", ".join(_value_text(item) for item in items) or "none"
        case {"name": name}:
            return str(name)
        case _:
            return str(value)


def _arguments_text(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line, files by their name."""
    shown = [Path(value).name if isinstance(value, str) else str(value) for value in arguments.values()]
    return one_line(" ".join(text for text in shown if not text.startswith("{")), _WIDTH)


def _result_text(result: Mapping[str, Any]) -> str:
    """One line of what a tool found."""
    match result:
        case {"errors": [{"got": got, "fix": fix}, *_]}:
            return one_line(f"{got}; {fix}".rstrip("; "), _REASON_WIDTH)
        case {"container": _, "kind": kind, "rows": rows, "bad_rows": bad}:
            tokens = result.get("tokens")
            counted = f", {tokens['row']['total']:,} tokens by {tokens['model']}" if tokens else ""
            return one_line(f"{rows:,} rows ({kind}), {bad:,} that cannot be used{counted}", _REASON_WIDTH)
        case {"trainable_models": count, "backend": backend}:
            return one_line(f"{count} models at {backend}", _REASON_WIDTH)
        case {"exact": exact, "near": near, "rows": rows}:
            return f"{exact + near:,} of {rows:,} rows stand in the training file"
        case {"rows": [train, validation, test], "method": method}:
            return one_line(f"{train:,} train, {validation:,} validation, {test:,} test; {method}", _REASON_WIDTH)
        case {"is_ready": ready, "gates": gates}:
            return ", ".join(f"{gate['gate']} {gate['status']}" for gate in gates) + ("" if ready else "; not ready")
        case _:
            return "done"
