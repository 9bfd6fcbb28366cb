"""What an approved plan writes into its directory: the plan itself, a one-page summary, scripts, and the run's record.

Nothing here is a secret, and the only paths of this machine are those of the data that the plan names.
"""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.planner.artefacts.examples import examples
from tcao_tui.planner.artefacts.one_pager import one_pager
from tcao_tui.planner.artefacts.scripts import scripts
from tcao_tui.store.atomic_file import EXECUTABLE, PRIVATE, write_keeping_old, write_text
from tcao_tui.store.plan_file import CONFIG_NAME, PLAN_NAME, write_plan

ONE_PAGER, EXAMPLES, SCRIPTS = "one-pager.md", "examples.md", "scripts"


def write_artefacts(directory: Path, plan: Plan, sheet: PlanSheet, facts: Facts) -> tuple[Path, ...]:
    """Write all files, each whole or not at all, `plan.yaml` last; blocks.

    What people go on with, the scripts and the record, is kept as `NAME.old` where it is there and differs.

    Args:
        directory: The run's; it is there already.
        plan: As approved, with the hashes of its data.
        sheet: The plan as the person saw it: reasons, gates, cost.
        facts: The measurements behind it.

    Returns:
        The files, in the order in which a person reads them.

    Raises:
        UsageError: The plan names a grader that is not installed.
        OSError: The directory cannot be written.
    """
    summary, record = one_pager(plan, sheet, facts), examples(plan, sheet, facts)
    (directory / SCRIPTS).mkdir(exist_ok=True, mode=0o700)
    written: list[Path] = []
    for name, text in scripts(plan).items():
        written.append(directory / SCRIPTS / name)
        write_keeping_old(written[-1], text, EXECUTABLE if name.endswith(".sh") else PRIVATE)
    write_keeping_old(directory / EXAMPLES, record, PRIVATE)
    write_text(directory / ONE_PAGER, summary)
    write_plan(directory, plan)
    return tuple(directory / name for name in (ONE_PAGER, PLAN_NAME, CONFIG_NAME, EXAMPLES)) + tuple(written)
