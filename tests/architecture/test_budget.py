from __future__ import annotations

import ast
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES, CLASS_LINES, FUNCTION_LINES = 300, 200, 50


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]


def too_long(path: Path) -> list[str]:
    text = path.read_text()
    lines = len(text.splitlines())
    found = [f"{path.relative_to(ROOT)}: {lines} lines"] if lines > MODULE_LINES else []
    for node in ast.walk(ast.parse(text)):
        limit = {ast.ClassDef: CLASS_LINES, ast.FunctionDef: FUNCTION_LINES, ast.AsyncFunctionDef: FUNCTION_LINES}.get(
            type(node)
        )
        if limit and isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > limit:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {size} lines")
    return found


def test_every_module_class_and_function_keeps_the_size_budget() -> None:
    found = [line for path in tracked("tcao_tui/*.py", "tests/*.py", "bench/*.py") for line in too_long(path)]
    assert not found, "\n".join(found)


def test_no_check_is_excused_in_place() -> None:
    excuse = re.compile(r"#\s*(" + "noqa|type: " + r"ignore|pyright: " + r"ignore|pragma: no cover)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if excuse.search(line)
    ]
    assert not found, "\n".join(found)


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    hosts = ["pythonhost" + "ed", r"registry\.npm" + "js", r"py" + r"pi\.org", "/ro" + "ot/", "/wo" + "rk/"]
    pattern = re.compile("|".join(hosts))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked("*")
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".lock", ".sh", ".json", ".jsonl", ".txt", ""}
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_module_says_what_it_is() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in tracked("tcao_tui/*.py")
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(found)


def _cleans_up_and_raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def broad_handlers(path: Path) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and not _cleans_up_and_raises_again(node)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]


def test_broad_handlers_stand_only_at_the_edges() -> None:
    edges = {
        "worker/runner.py",
        "tui/intents.py",
        "registry.py",
        "cli/main.py",
        "engine/app.py",
        "engine/compute.py",
        "engine/futures.py",
        "graders/python_function.py",
        "methods/grading.py",
        "methods/rl/environment.py",
        "probes/serving.py",
    }
    package = ROOT / "tcao_tui"
    found = [
        f"{path.relative_to(package)}:{line}"
        for path in tracked("tcao_tui/*.py")
        if str(path.relative_to(package)) not in edges
        for line in broad_handlers(path)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("registry", "needs"),
    [("tcao_tui.methods:METHODS", "run"), ("tcao_tui.graders:GRADERS", "grade"), ("tcao_tui.tui.panes:PANES", "")],
)
def test_every_registered_name_can_be_loaded(registry: str, needs: str) -> None:
    module, _, name = registry.partition(":")
    entries = getattr(import_module(module), name)
    assert entries.names()
    for entry in entries.names():
        assert entries.load(entry) is not None, needs
