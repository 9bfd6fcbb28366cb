"""The scripts that go with a plan: quoted, valid, honest about what is missing; nothing of the plan runs in a shell."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.plan import BenchmarkSpec, EvalPlan, ScoreSpec
from tcao_tui.planner.artefacts.write import write_artefacts
from tests.fakes.plan_artefacts import ready, written

NAMES = (
    "$(touch pwned)",
    "`touch pwned`",
    "a'; touch pwned; echo '",
    'a"; touch pwned; "',
    "a\ntouch pwned\n",
    "}; touch pwned; {",
    "${HOME} %%seed $x ! \\ # é",
    "-n",
    "\x1b[2J\u202e",
)


WITHOUT_TCAO = 'case "$*" in *tcao_tui*) exit 1;; esac\n'


def ran(tmp_path: Path, program: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The shell script with a program in the place of Python."""
    stub = tmp_path / "stub"
    stub.write_text(f"#!/bin/sh\n{program}")
    stub.chmod(0o700)
    return subprocess.run(
        ["bash", str(tmp_path / "scripts" / "run_inspect_evals.sh"), *arguments],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TINKER_API_KEY": "tml-x", "PYTHON": str(stub), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("with_tcao", [True, False], ids=["tcao", "cookbook"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_reach_the_shell_script_as_one_word_and_run_nothing(tmp_path: Path, name: str, with_tcao: bool) -> None:
    plan, sheet, facts = ready()
    evals = EvalPlan(score=plan.evals.score, benchmarks=(BenchmarkSpec(name=name, limit=3, why=f"why {name}"),))
    training = plan.training.model_copy(update={"base_model": name, "renderer_name": name})
    nasty = plan.model_copy(update={"evals": evals, "training": training})
    assert name.isprintable() or name not in written(tmp_path, nasty, sheet, facts)["scripts/run_inspect_evals.sh"]
    write_artefacts(tmp_path, nasty, sheet, facts)
    done = ran(tmp_path, f"""{"" if with_tcao else WITHOUT_TCAO}printf "%s\\0" "$@" >>argv\n""")
    assert done.returncode == 0, done.stderr
    given = (tmp_path / "argv").read_text().split("\0")
    model = {f"tcao/{name}", f"renderer={name}", "--sample-shuffle"} if with_tcao else {name}
    assert model | {name, "--limit", "3", "0"} <= {*given}
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "scripts" / "pwned").exists()


def test_the_shell_script_gives_what_our_own_evals_give(tmp_path: Path) -> None:
    plan, sheet, facts = ready()
    listed = tuple(BenchmarkSpec(name=f"inspect_evals/{name}", limit=9) for name in ("mmlu_0_shot", "aime2026"))
    thinking = plan.model_copy(
        update={
            "evals": EvalPlan(score=plan.evals.score, benchmarks=listed),
            "training": plan.training.model_copy(update={"renderer_name": "qwen3", "base_model": "Qwen/Qwen3-8B"}),
        }
    )
    write_artefacts(tmp_path, thinking, sheet, facts)
    path = "tinker://ab-12:train:0/sampler_weights/001-000024"
    ran(tmp_path, 'case "$*" in *"eval --model"*) echo "$@" >>argv;; esac\n', MODEL_PATH=path, SEED="5")
    mmlu, aime = (tmp_path / "argv").read_text().splitlines()
    assert f"--model tcao/Qwen/Qwen3-8B@ab-12-001-000024 -M profile=tinker -M checkpoint={path}" in mmlu
    assert "--sample-shuffle 5" in mmlu
    assert mmlu.endswith("-T max_non_cot_tokens=16384 --max-tokens 16384 --limit 9 -- inspect_evals/mmlu_0_shot")
    assert aime.endswith("--temperature 0.6 --max-tokens 16384 --epochs 4 --limit 9 -- inspect_evals/aime2026")


def test_the_shell_script_says_what_is_missing(tmp_path: Path) -> None:
    plan, sheet, facts = ready(**{"evals.benchmarks": Filled(value=[], by="you")})
    write_artefacts(tmp_path, plan, sheet, facts)
    script = str(tmp_path / "scripts" / "run_inspect_evals.sh")

    def told(*arguments: str, **environ: str) -> tuple[int, str]:
        given = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environ}
        done = subprocess.run(["bash", script, *arguments], env=given, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr + done.stdout

    assert told()[0] == 2
    assert "names no benchmarks" in told()[1]
    assert "no Tinker key" in told("a", "1")[1]
    assert "needs a LIMIT" in told("a", TINKER_API_KEY="tml-x")[1]
    assert "there is no nowhere" in told("a", "1", TINKER_API_KEY="tml-x", PYTHON="nowhere")[1]
    assert "pip install" in told("a", "1", TINKER_API_KEY="tml-x", PYTHON="false")[1]
    assert "MODEL_PATH=tinker://" in told("--help")[1]


def test_the_shell_script_goes_on_after_a_task_that_failed_and_says_so(tmp_path: Path) -> None:
    write_artefacts(tmp_path, *ready())
    done = ran(
        tmp_path,
        'case "$*" in *eval*"-- bad") exit 1;; *eval*"-- good") echo "$@" >>argv;; esac\n',
        *("bad", "1", "good", ""),
        MAX_TOKENS="7",
    )
    assert done.returncode == 1
    assert "bad failed" in done.stderr
    assert (tmp_path / "argv").read_text().endswith("--max-tokens 7 -- good\n")
    assert "--limit" not in (tmp_path / "argv").read_text()


def test_scripts_are_valid_and_well_kept(tmp_path: Path) -> None:
    files = written(tmp_path, *ready())
    subprocess.run(["bash", "-n", str(tmp_path / "scripts" / "run_inspect_evals.sh")], check=True)
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--select", "E,F,I,UP,B,SIM,RUF100", "--line-length", "120", "--target-version", "py312"]
    checked = subprocess.run(
        [*ruff, "check", "--isolated", *rules, "."],
        cwd=tmp_path / "scripts",
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    for name, text in files.items():
        if name.endswith(".py"):
            imported = {
                alias.name if isinstance(node, ast.Import) else node.module or ""
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names
            }
            assert not {module for module in imported if module.partition(".")[0] == "tcao_tui"}, name


@pytest.mark.parametrize("grader", ["exact", "includes", "numeric", "json"])
def test_the_grader_is_copied_and_grades_alone(tmp_path: Path, grader: str) -> None:
    write_artefacts(tmp_path, *ready(**{"evals.score.grader": Filled(value=grader, by="you")}))
    program = "from grader import Grader; print(Grader.name, Grader().grade('42', '42'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {program}"],
        cwd=tmp_path / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [grader, "True"]


def test_the_copied_grader_has_the_plans_argument(tmp_path: Path) -> None:
    plan, sheet, facts = ready()
    score = (plan.evals.score or ScoreSpec(file=tmp_path)).model_copy(update={"grader": 'regex:it\'s: "(.+)"'})
    argued = plan.model_copy(update={"evals": plan.evals.model_copy(update={"score": score})})
    write_artefacts(tmp_path, argued, sheet, facts)
    code = "from grader import Grader; print(Grader.name, Grader().grade('it\\'s: \"42\"', '42'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "scripts", capture_output=True, text=True, check=True
    )
    assert done.stdout == "regex True\n"
