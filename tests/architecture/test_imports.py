from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcao_tui.store.port import NewRun
from tcao_tui.store.sqlite import open_store

HEAVY = {"textual", "tinker", "tinker_cookbook", "torch", "transformers", "inspect_ai", "anthropic", "pandas"}
QUIET = {**os.environ, "TCAO_BACKEND": "local"}


def modules_loaded_by(arguments: list[str], runs_dir: Path) -> set[str]:
    program = (
        "import sys\n"
        "from tcao_tui.cli.main import run\n"
        f"code = run({arguments!r})\n"
        "assert code == 0, code\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    environ = {**QUIET, "TCAO_RUNS_DIR": str(runs_dir), "TCAO_STATE_DIR": str(runs_dir / "state")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ls"], [], ["engine", "status"], ["run", "--help"], ["demo", "--help"]]
)
def test_a_light_command_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    loaded = modules_loaded_by(arguments, tmp_path)
    assert "tcao_tui.cli.main" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


def test_help_loads_no_command_and_no_pydantic(tmp_path: Path) -> None:
    loaded = modules_loaded_by(["--help"], tmp_path)
    assert not {name for name in loaded if name.startswith("tcao_tui.cli.commands.")}
    assert "pydantic" not in loaded


def test_listing_runs_loads_no_pydantic_either(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.create_run(NewRun("r", "n", "sft", "m", "local", 1, 1.0))
    store.close()
    loaded = modules_loaded_by(["ls"], tmp_path)
    assert "tcao_tui.store.sqlite" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {*HEAVY, "pydantic", "asyncio"}


@pytest.mark.parametrize("layer", ["domain", "store", "services"])
def test_no_module_of_the_lower_layers_loads_anything_heavy(layer: str) -> None:
    package = Path(__file__).resolve().parents[2] / "tcao_tui" / layer
    names = [f"tcao_tui.{layer}.{path.stem}" for path in sorted(package.glob("*.py")) if path.stem != "__init__"]
    program = f"import sys, importlib\n[importlib.import_module(n) for n in {names!r}]\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & HEAVY
