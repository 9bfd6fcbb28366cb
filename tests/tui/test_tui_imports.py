from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("tinker", "torch", "transformers", "inspect_ai", "anthropic", "pandas", "tinker_cookbook")
SCREENS = (
    "runs",
    "run",
    "choose",
    "help",
    "new_run",
    "confirm",
    "interview",
    "approve_plan",
    "edit_value",
    "sweeps",
    "checkpoints",
    "evals",
    "evals_samples",
    "evals_transcript",
    "evals_start",
)


def loaded_after(code: str) -> set[str]:
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_console_loads_neither_tinker_nor_torch() -> None:
    imports = "; ".join(f"import tcao_tui.tui.screens.{name}" for name in SCREENS)
    services = "import tcao_tui.services.proposals, tcao_tui.services.demo, tcao_tui.services.launch"
    code = f"import tcao_tui.tui.app, tcao_tui.tui.palette, tcao_tui.tui.interview_desk; {imports}; {services}"
    assert not {*HEAVY} & loaded_after(code)


def test_the_first_paint_waits_for_neither_pydantic_nor_the_services() -> None:
    loaded = loaded_after("import tcao_tui.tui.app, tcao_tui.tui.screens.runs, tcao_tui.tui.screens.run")
    assert not {"pydantic", "yaml", "sqlite3"} & loaded
    assert not {
        name for name in loaded if name.startswith(("tcao_tui.services.", "tcao_tui.store.", "tcao_tui.planner"))
    }
