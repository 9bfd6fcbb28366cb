"""The one-page summary of a plan for somebody who approves it: what, why, how success is measured, risks, cost.

Everything is taken from plan, sheet and facts; no text of a data row stands here. Words that never change are in
`templates/one-pager.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from string import Template

from tcao_tui import paths
from tcao_tui.domain.cost import UNKNOWN_COST, CostRange
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.markdown import bullets, inline, table
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import data_files
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import money_text
from tcao_tui.planner.artefacts import sections

_SEVERITIES = ("error", "warning", "note")


def one_pager(plan: Plan, sheet: PlanSheet, facts: Facts) -> str:
    """The summary as Markdown."""
    draft = sheet.draft
    return Template((paths.templates_dir() / "one-pager.md").read_text(encoding="utf-8")).substitute(
        run_name=inline(plan.training.run_name),
        goal=inline(plan.goal) or "no goal was stated",
        summary=_summary(plan, sheet, facts),
        data=sections.data_section(plan, facts),
        method=sections.method_section(plan, draft),
        model=sections.model_section(plan, draft),
        success=sections.success_text(plan),
        layer1=sections.layer1(plan),
        layer2=sections.layer2(plan, draft),
        layer3=sections.layer3(plan, draft),
        risks=_risks(plan, sheet, facts),
        cost=_cost(plan, sheet),
        decisions=_decisions(plan, sheet),
    )


def _summary(plan: Plan, sheet: PlanSheet, facts: Facts) -> str:
    training = plan.training
    profile = facts.profile(training.train_file)
    rows = "" if profile is None else f" on {profile.rows:,} rows"
    by = Counter(filled.by for filled in sheet.draft.values())
    return table(
        ("", ""),
        (
            ("Method", f"{inline(plan.method.upper())}{rows}, {training.num_steps:,} steps"),
            ("Base model", f"{inline(training.base_model)}, LoRA rank {training.lora_rank}"),
            ("Success", sections.success_text(plan)),
            ("Cost", _cost_in_short(plan, sheet)),
            ("Decided by", ", ".join(f"{words} {by[who]}" for who, words in sections.PEOPLE.items() if by[who])),
            ("Approval", f"hash {sheet.approval_hash}" if sheet.is_ready else "cannot be approved yet, see risks"),
        ),
    )


def _cost_in_short(plan: Plan, sheet: PlanSheet) -> str:
    if sheet.cost is not None and sheet.cost.is_free:
        return "nothing"
    low, expected, high = _three(UNKNOWN_COST if sheet.cost is None else sheet.cost.total)
    cap = plan.budget.max_cost_usd
    stop = "no cap" if cap is None else f"the run stops at {money_text(cap)}"
    return f"expected {expected}, between {low} and {high}; {stop}"


def _risks(plan: Plan, sheet: PlanSheet, facts: Facts) -> str:
    found = [*_findings(sheet), *_oddities(plan, facts)]
    return bullets(found) or "No gate has a warning, and inspection found nothing odd in the rows."


def _findings(sheet: PlanSheet) -> Iterator[str]:
    for result in sheet.gates:
        if result.status == "open" and result.gate != "approval":
            yield f"**open** {inline(result.why_open)}"
    findings = [finding for result in sheet.gates for finding in result.findings]
    for finding in sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity)):
        place = f" ({finding.where})" if finding.where else ""
        said = f"{finding.path}: {finding.got}{place}. Expected: {finding.expected}. To do: {finding.fix}."
        yield f"**{finding.severity}** {inline(said)}"


def _oddities(plan: Plan, facts: Facts) -> Iterator[str]:
    for profile in filter(None, (facts.profile(file.path) for file in data_files(plan))):
        for odd in profile.anomalies:
            yield inline(f"{profile.path.name}: {odd.what} ({odd.count:,} rows, first in line {odd.first_line})")


def _cost(plan: Plan, sheet: PlanSheet) -> str:
    cost, cap = sheet.cost, plan.budget.max_cost_usd
    limit = "No cap is set." if cap is None else f"The worker stops with a checkpoint at {money_text(cap)}."
    if cost is None:
        return f"Not estimated: the data was not measured. {limit}"
    if cost.is_free:
        return f"Nothing: {inline(cost.price_source)}."
    lines = (
        (line.kind, f"{line.tokens:,}" if line.tokens else "", *_three(line.usd), inline(line.how))
        for line in cost.lines
    )
    total = ("**total**", "", *_three(cost.total), f"prices: {inline(cost.price_source)}")
    listed = table(("Work", "Tokens", "Low", "Expected", "High", "How"), (*lines, total))
    left_out = f" Not counted: {inline('; '.join(cost.not_counted))}." if cost.not_counted else ""
    return f"{listed}\n\n{limit}{left_out}"


def _three(usd: CostRange) -> tuple[str, str, str]:
    return money_text(usd.low_usd), money_text(usd.expected_usd), money_text(usd.high_usd)


def _decisions(plan: Plan, sheet: PlanSheet) -> str:
    """Everything that has a value but is not explained with the model."""
    order = list(sections.PEOPLE)
    explained = set(sections.explained_paths(plan))
    entries = [(path, filled) for path, filled in sheet.draft.items() if path not in explained]
    entries.sort(key=lambda entry: order.index(entry[1].by))
    rows = ((inline(p), sections.value_text(f), sections.PEOPLE[f.by], inline(f.reason)) for p, f in entries)
    return table(("What", "Value", "Who", "Why"), rows) or "Nothing was recorded."
