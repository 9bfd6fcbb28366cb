"""Rows of the plan card: slots with who filled them, gates with fixes, the cost. Pure; text is made safe here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.draft import Draft, Filled, KeyPath, Provenance
from tcao_tui.domain.gates import GATE_TITLES, Finding, Gate, GateResult
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.slots import SLOTS, Slot
from tcao_tui.domain.wording import money_text
from tcao_tui.tui.panes.planner.values import value_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped

REST = "rest"
"""Key of the group of values that belong to no slot."""

PROVENANCE: dict[Provenance, tuple[str, str]] = {
    "you": ("◆ you", "info"),
    "data": ("▤ data", "ok"),
    "policy": ("○ policy", "muted"),
    "model": ("◇ model", "accent"),
}
GATE_SIGNS: dict[str, tuple[str, str]] = {
    "pass": ("✓ pass", "ok"),
    "warn": ("! warn", "warn"),
    "fail": ("✗ fail", "bad"),
    "open": ("○ open", "muted"),
}
_IN_SLOTS = frozenset(path for slot in SLOTS for path in slot.paths)
_PHRASES: Mapping[KeyPath, str] = {
    "evals.score.grader": "by {}",
    "success.threshold": "at least {}",
    "budget.max_cost_usd": "{} at most",
    "training.num_steps": "{} steps",
    "training.train_batch_size": "of {} rows",
    "training.lora_rank": "rank {}",
    "training.learning_rate": "lr {}",
}
_NONE_MEANS: Mapping[KeyPath, str] = {
    "success.threshold": "better than the base model",
    "budget.max_cost_usd": "no cap",
}
_SHORT = ("training.data_format", "use_case", "evals.benchmarks", "start_from")
_TITLE_WIDTH = 15
_PATH_WIDTH = 20
_BY_WIDTH = 9
_FINDINGS = 2


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of the card; `key` names what it stands for, empty where the cursor does not stop."""

    key: str
    line: Line


def plan_rows(
    sheet: PlanSheet,
    width: int,
    *,
    opened: frozenset[str] = frozenset(),
    before: Mapping[Gate, str] | None = None,
    is_approved: bool = False,
) -> list[PlanRow]:
    """The card.

    Args:
        sheet: The plan as it stands.
        width: Cells across.
        opened: Keys of slots and gates that show all they have.
        before: Status of each gate before the last change, to mark what it changed.
        is_approved: Whether a person approved exactly this plan.
    """
    rows = [PlanRow("", _heading("Plan", "approved" if is_approved else _progress(sheet), width))]
    for slot in SLOTS:
        rows += _slot_rows(slot, sheet.draft, width, is_open=f"slot:{slot.name}" in opened)
    rows += _rest_rows(sheet.draft, width, is_open=f"slot:{REST}" in opened)
    rows += [PlanRow("", ()), PlanRow("", _heading("Gates", "", width))]
    if not sheet.gates:
        rows.append(PlanRow("", ((" judged as soon as there is something to judge", "muted"),)))
    for result in shown_gates(sheet, is_approved=is_approved):
        was = (before or {}).get(result.gate, result.status)
        rows += _gate_rows(result, was, width, is_open=f"gate:{result.gate}" in opened)
    rows += [PlanRow("", ()), *_cost_rows(sheet, width)]
    return rows


def _heading(title: str, aside: str, width: int) -> Line:
    return (
        (f" {title}", "title"),
        (fit(aside, width - len(title) - 2).rstrip().rjust(width - len(title) - 2), "muted"),
    )


def _progress(sheet: PlanSheet) -> str:
    if sheet.is_ready:
        return "ready to approve"
    missing = sum(slot.need == "required" and slot.paths[0] not in sheet.draft for slot in SLOTS)
    if missing:
        return f"{missing} answer{'' if missing == 1 else 's'} to come"
    failing = len(sheet.blockers)
    return f"{failing} gate{'' if failing == 1 else 's'} to pass" if failing else ""


def slot_text(slot: Slot, draft: Draft) -> str:
    """The slot's values in a phrase; empty while there are none."""
    text = ""
    for path in slot.paths:
        filled = draft.get(path)
        if filled is None or filled.value in ("", [], ()):
            continue
        if filled.value is None:
            text += _NONE_MEANS.get(path, "")
        elif path == slot.paths[0] or path in _PHRASES or path in _SHORT:
            phrase = _PHRASES.get(path, "{}")
            joint = "" if not text else " " if phrase.startswith(("of ", "by ")) else ", "
            text += joint + phrase.format(_short(path, filled))
    return text


def _short(path: KeyPath, filled: Filled) -> str:
    if path.endswith("_usd") and isinstance(filled.value, int | float):
        return money_text(filled.value)
    text = value_text(filled.value)
    is_place = path.endswith(("file", "renderer_name")) or path == "training.train_file"
    return text.rpartition("/")[2] if is_place else text


def _slot_rows(slot: Slot, draft: Draft, width: int, *, is_open: bool) -> Iterator[PlanRow]:
    text = slot_text(slot, draft)
    first = draft.get(slot.paths[0])
    by: Provenance | None = first.by if first is not None else None
    if by is None and text:
        by = next(draft[path].by for path in slot.paths if path in draft)
    title = fit(slot.title.partition(" and ")[0], _TITLE_WIDTH)
    is_owed = slot.need == "required"
    sign = (" ✓ ", "ok") if by is not None else (" ○ ", "warn" if is_owed else "muted")
    blank = "none" if by is not None else "only you can tell" if is_owed else "follows from the rest"
    value = (text or blank, "text" if by is not None else sign[1])
    yield PlanRow(f"slot:{slot.name}", _valued(sign, title, value, by, width))
    if is_open:
        yield from (_path_row(path, draft.get(path), width) for path in slot.paths)


def _rest_rows(draft: Draft, width: int, *, is_open: bool) -> Iterator[PlanRow]:
    rest = [path for path in draft if path not in _IN_SLOTS]
    if not rest:
        return
    decided = sum(draft[path].by != "policy" for path in rest)
    text = f"{len(rest)} more value{'' if len(rest) == 1 else 's'}" + (f", {decided} not by policy" if decided else "")
    title = fit("Everything else", _TITLE_WIDTH)
    yield PlanRow(f"slot:{REST}", _valued((" + ", "muted"), title, (text, "muted"), None, width))
    if is_open:
        yield from (_path_row(path, draft[path], width) for path in rest)


def _path_row(path: KeyPath, filled: Filled | None, width: int) -> PlanRow:
    name = fit(path.removeprefix("training."), _PATH_WIDTH)
    value = ("-", "muted") if filled is None else (value_text(filled.value), "text")
    by = None if filled is None else filled.by
    return PlanRow(f"path:{path}", _valued(("     ", "rule"), name, value, by, width))


def _valued(sign: Span, title: str, value: Span, by: Provenance | None, width: int) -> Line:
    word, word_ink = PROVENANCE[by] if by is not None else ("", "muted")
    text, ink = value
    room = max(width - len(sign[0]) - len(title) - _BY_WIDTH - 2, 6)
    return (sign, (f"{title} ", "muted"), (f"{fit(text, room)} ", ink), (word.ljust(_BY_WIDTH), word_ink))


def _gate_rows(result: GateResult, was: str, width: int, *, is_open: bool) -> Iterator[PlanRow]:
    word, ink = GATE_SIGNS[result.status]
    spans: list[Span] = [(f" {word}  ", ink), (f"{result.gate.value:<13}", "text")]
    changed = f"was {was}" if was != result.status else ""
    says = result.why_open if result.status == "open" and result.why_open else GATE_TITLES[result.gate]
    room = max(width - 23 - len(changed), 8)
    spans += [(fit(says, room), "muted"), (changed, "accent")]
    yield PlanRow(f"gate:{result.gate}", tuple(spans))
    worst = sorted(result.findings, key=lambda finding: ("error", "warning", "note").index(finding.severity))
    shown = worst if is_open else [f for f in worst if f.severity != "note"][:_FINDINGS]
    for finding in shown:
        yield from (PlanRow("", line) for line in finding_lines(finding, width))
    if len(worst) > len(shown) and shown:
        yield PlanRow("", ((f"     and {len(worst) - len(shown)} more: ⏎ shows them", "muted"),))


def shown_gates(sheet: PlanSheet, *, is_approved: bool = False) -> list[GateResult]:
    """The gates as a card shows them: one that only waits for values is open, and an approval that was given passes."""
    shown = [_waiting(result) for result in sheet.gates]
    approval = GateResult(gate=Gate.APPROVAL, status="pass")
    return [approval if is_approved and result.gate is Gate.APPROVAL else result for result in shown]


def _waiting(result: GateResult) -> GateResult:
    errors = [finding for finding in result.findings if finding.severity == "error"]
    if result.status != "fail" or any(finding.got != "is missing" for finding in errors):
        return result
    says = f"{len(errors)} value{'' if len(errors) == 1 else 's'} still to come"
    return GateResult(gate=result.gate, status="open", why_open=says)


def finding_lines(finding: Finding, width: int) -> list[Line]:
    """What is wrong, and the fix."""
    ink = {"error": "bad", "warning": "warn", "note": "muted"}[finding.severity]
    text = wrapped(str(finding), width - 6, most=3)
    named = len(f"{finding.where}: {finding.path}:" if finding.where else f"{finding.path}:")
    lines: list[Line] = [((" " * 5, "text"), (text[0][:named], ink), (text[0][named:], "text"))]
    lines += [((" " * 5, "text"), (line, "text")) for line in text[1:]]
    fixes = wrapped(finding.fix, width - 11, most=3) if finding.fix else []
    return [
        *lines,
        *(((" " * 5 + ("fix: " if i == 0 else "     "), "muted"), (line, "muted")) for i, line in enumerate(fixes)),
    ]


def _cost_rows(sheet: PlanSheet, width: int) -> Iterator[PlanRow]:
    cost = sheet.cost
    if cost is None:
        yield PlanRow("", _heading("Cost", "not known yet", width))
        return
    yield PlanRow("", _heading("Cost", "free: this backend costs nothing" if cost.is_free else "", width))
    if not cost.is_free:
        yield PlanRow("cost:total", total_line(cost))
    for line in cost.lines:
        usd = "" if cost.is_free else money_text(line.usd.expected_usd)
        spans = (f"   {line.kind:<12}", "muted"), (f"{line.amount:>16}  ", "text"), (usd, "text")
        yield PlanRow(f"cost:{line.kind}", spans)
    yield from (PlanRow("", ((f"   {text}", "muted"),)) for text in wrapped(cost.price_source, width - 4, most=2))


def total_line(cost: CostEstimate) -> Line:
    """`low $0.50   expected $0.70   high $1.05`; unknown is `$?`, never 0."""
    total = cost.total
    spans: list[Span] = [("  ", "text")]
    for word, usd in (("low", total.low_usd), ("expected", total.expected_usd), ("high", total.high_usd)):
        spans += [(f" {word} ", "muted"), (money_text(usd), "strong" if word == "expected" else "text"), (" ", "text")]
    return tuple(spans)
