"""The scripts that go with a plan: they run without tcao, and what of the plan stands in them is quoted.

The Python scripts are the same for every plan and read its files; `grader.py` and `answers.py` are copies of the
modules that the worker grades with, so that both give the same score.
"""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Iterator, Mapping
from string import Template

from tcao_tui import paths
from tcao_tui.data import answers
from tcao_tui.domain.benchmarks.settings import answer_settings, task_arguments
from tcao_tui.domain.benchmarks.table import benchmark_named
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import BenchmarkSpec, Plan
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.graders import GRADERS

TRAINER = "sl_trainer.py"
INSPECT_WRAPPER = "run_inspect_evals.sh"
_FOR_EVERY_PLAN = ("plan.py", "eval_offline.py")


class _ShellTemplate(Template):
    """`%%name`, because `$` is the shell's own."""

    delimiter = "%%"


def scripts(plan: Plan) -> Mapping[str, str]:
    """Name and text of each script.

    Raises:
        UsageError: The plan names a grader that is not installed.
    """
    score = plan.evals.score
    found = {name: _template(name) for name in _FOR_EVERY_PLAN}
    if has_answers(plan):
        found[TRAINER] = _template(TRAINER)
    found["answers.py"] = inspect.getsource(answers)
    found["grader.py"] = _grader("exact" if score is None else score.grader)
    found[INSPECT_WRAPPER] = _inspect_wrapper(plan)
    return found


def has_answers(plan: Plan) -> bool:
    """Whether the plan's rows hold answers that a supervised loop could imitate."""
    return plan.method != "distill"


def shell_word(text: str) -> str:
    """`text` as one word of bash that stands for exactly it, printable whatever it holds."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = (chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\x{byte:02x}" for byte in text.encode())
    return f"$'{''.join(escaped)}'"


def _template(name: str) -> str:
    return (paths.templates_dir() / "scripts" / name).read_text(encoding="utf-8")


def _grader(spec: str) -> str:
    """The module of a grader, and `Grader`, which is that grader with the plan's argument."""
    name, _, argument = spec.partition(":")
    grader = GRADERS.load(name)
    ours = f"Grader = {grader.__name__}\n"
    if argument:
        ours = f"""class Grader({grader.__name__}):
    def __init__(self) -> None:
        super().__init__({argument!r})
"""
    return f"{inspect.getsource(sys.modules[grader.__module__])}\n\n{ours}"


def _inspect_wrapper(plan: Plan) -> str:
    training = plan.training
    thinking = thinks(training.renderer_name or "")
    return _ShellTemplate(_template(INSPECT_WRAPPER)).substitute(
        model_name=shell_word(training.base_model),
        renderer_name=shell_word(training.renderer_name or ""),
        seed=training.seed,
        benchmarks="".join(_benchmark(each, thinking=thinking) for each in plan.evals.benchmarks),
    )


def _benchmark(benchmark: BenchmarkSpec, *, thinking: bool) -> str:
    why = f"  # {one_line(benchmark.why)}\n" if benchmark.why else ""
    limit = "''" if benchmark.limit is None else str(benchmark.limit)
    options = shell_word(" ".join(_options(benchmark.name, thinking=thinking)))
    return f"{why}  {shell_word(benchmark.name)} {limit} {options}\n"


def _options(name: str, *, thinking: bool) -> Iterator[str]:
    """What tcao's own evals give to Inspect for this benchmark, as words without spaces."""
    ours = benchmark_named(name)
    for key, value in task_arguments(ours, thinks=thinking).items():
        yield f"-T {key}={value}"
    for key, value in answer_settings(ours, thinks=thinking).items():
        yield f"--{key.replace('_', '-')} {value}"
    if ours is not None and ours.epochs > 1:
        yield f"--epochs {ours.epochs}"
