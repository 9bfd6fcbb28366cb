"""The record of a run, as it begins: how to do it again, from which rows it learned, what is asked of it at each eval.

Rows are quoted only where an inspection found nothing secret or personal in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from string import Template

from tcao_tui import paths
from tcao_tui.data.check import fields_of
from tcao_tui.data.convert import text_content
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, Conversation, PreferenceRow, ProblemRow, PromptRow, Row
from tcao_tui.domain.data_profile import METHOD_KINDS
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.markdown import fenced, inline, table
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import data_files
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.artefacts.scripts import has_answers

_ROWS_QUOTED = 3
_CHARACTERS_QUOTED = 1_500
_PACKAGES = ("tcao-tui", "tinker", "tinker-cookbook", "inspect-evals")


def examples(plan: Plan, sheet: PlanSheet, facts: Facts) -> str:
    """The record as Markdown."""
    return Template((paths.templates_dir() / "examples.md").read_text(encoding="utf-8")).substitute(
        run_name=inline(plan.training.run_name),
        goal=inline(plan.goal) or "no goal was stated",
        commands=_commands(plan, sheet, facts),
        versions=table(("Package", "Version"), ((name, version(name)) for name in _PACKAGES)),
        hashes=_hashes(plan),
        rows=_rows(plan, facts),
        prompts=_prompts(plan),
    )


def _commands(plan: Plan, sheet: PlanSheet, facts: Facts) -> str:
    cap = plan.budget.max_cost_usd
    limit = "" if cap is None else f" --max-cost {cap:g}"
    run = f"tcao run plan.yaml --approve {sheet.approval_hash or 'HASH'}{limit}"
    lines = [
        "# in this directory, by tcao: checked, watched, within the budget, resumable",
        "tcao check plan.yaml",
        run if plan.method in facts.methods else f"# this version of tcao cannot carry {plan.method} out yet",
        "",
        "# without tcao: pip install tinker 'tinker-cookbook[inspect]'",
    ]
    if plan.method == "sft":
        lines += ["python scripts/sl_trainer.py                            # prints MODEL_PATH=tinker://..."]
    elif has_answers(plan):
        lines += [f"python scripts/sl_trainer.py                            # not {plan.method}: imitates the answers"]
    lines += [
        "python scripts/eval_offline.py                          # the plan's own eval of the base model",
        "MODEL_PATH=tinker://... python scripts/eval_offline.py  # and of trained weights",
        "MODEL_PATH=tinker://... scripts/run_inspect_evals.sh    # public benchmarks",
    ]
    return "\n".join(("```sh", *lines, "```"))


def _hashes(plan: Plan) -> str:
    rows = ((inline(str(file.path)), f"`{file.recorded}`") for file in data_files(plan) if file.recorded)
    return table(("Data", "SHA-256"), rows)


def _rows(plan: Plan, facts: Facts) -> str:
    profile = facts.profile(plan.training.train_file)
    if profile is None:
        return "No row is quoted, because the file was not inspected for secrets and personal data."
    if profile.sensitive:
        return f"No row is quoted, because some may hold: {', '.join(map(inline, profile.sensitive))}."
    kind = next(iter(METHOD_KINDS.get(plan.method, ())), None)
    reader = RowReader(plan.training.train_file, fields_of(plan.training), Problems(), kind=kind)
    quoted = [fenced("\n".join(_turns(row)), _CHARACTERS_QUOTED) for row in islice(reader, _ROWS_QUOTED)]
    return "\n\n".join((f"The first {len(quoted)} of {profile.rows:,} rows:", *quoted))


def _turns(row: Row) -> Iterator[str]:
    match row:
        case ChatRow(conversation):
            yield from _said(conversation)
        case PreferenceRow(prompt, chosen, rejected):
            yield from _said(prompt)
            yield from (f"better {line}" for line in _said(chosen))
            yield from (f"worse {line}" for line in _said(rejected))
        case ProblemRow(prompt, answer):
            yield from _said(prompt)
            yield f"right answer: {answer}"
        case PromptRow(prompt):
            yield from _said(prompt)


def _said(conversation: Conversation) -> Iterator[str]:
    return (f"{turn['role']}: {text_content(turn['content'])}" for turn in conversation)


def _prompts(plan: Plan) -> str:
    header = ("Prompt", "Before training", "After training")
    rows = ((inline(prompt), "", "") for prompt in plan.evals.sample_prompts)
    return table(header, rows) or "The plan asks no fixed prompts."
