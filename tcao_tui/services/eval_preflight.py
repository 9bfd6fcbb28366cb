"""What stands in the way of evals before they start: found in seconds, spends nothing.

Without it an eval waits minutes for a hub that does not answer, or fails after its tokens are paid for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tcao_tui.clients.benchmark_catalogue import Listed, read_catalogue
from tcao_tui.clients.hugging_face import hub_address, is_offline
from tcao_tui.clients.reaching import answers
from tcao_tui.domain.benchmarks.entry import Benchmark
from tcao_tui.domain.benchmarks.settings import THINKING_TOKENS
from tcao_tui.domain.benchmarks.table import WITHOUT_ONE_NUMBER, benchmark_named
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.obstacle import Obstacle
from tcao_tui.services.backends import Profile
from tcao_tui.services.eval_data import addresses, comes_from_hub, data
from tcao_tui.services.eval_needs import judges, machine, packages

_WAITS: Mapping[str, str] = {
    "HF_HUB_ETAG_TIMEOUT": "10",
    "HF_HUB_DOWNLOAD_TIMEOUT": "30",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""Seconds that the hub's clients wait for an answer and for data; the rest keeps their noise out of logs."""


def preflight(tasks: Sequence[EvalTask], environ: Mapping[str, str], *, thinks: bool = False) -> list[Obstacle]:
    """All that keeps tasks from giving a score here, or would mislead, with what mends it; those that block first.

    Takes as long as the slowest server that is asked, some seconds at most.

    Args:
        tasks: Of any layer; those that Inspect Evals does not list are asked for their judge only.
        environ: The environment that the evals would get.
        thinks: Whether answers begin with thinking.
    """
    known = read_catalogue()
    silent = _silent([known[task.target] for task in tasks if task.target in known], environ)
    found: list[Obstacle] = []
    for task in tasks:
        listed, ours = known.get(task.target), benchmark_named(task.target)
        if listed is not None:
            found += packages(task.name, listed)
            found += machine(task, listed, ours, environ)
            found += data(task.name, listed, ours, environ, silent)
            found += _meaning(task, listed, ours, thinks=thinks)
        found += judges(task, environ)
    return sorted(dict.fromkeys(found), key=lambda obstacle: not obstacle.blocks)


def environment(task: EvalTask, profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """What the process of a task gets on top of `environ`, so that it waits for no hub that does not answer.

    What a person set stays. Takes some seconds where data comes from a hub that does not answer.
    """
    listed = read_catalogue().get(task.target)
    found = dict(_WAITS)
    if listed is not None and comes_from_hub(listed) and not answers(hub_address(environ)):
        found["HF_HUB_OFFLINE"] = "1"
    return {"TCAO_BACKEND": profile.name, **{key: value for key, value in found.items() if key not in environ}}


def _silent(tasks: Sequence[Listed], environ: Mapping[str, str]) -> frozenset[str]:
    """Servers that the tasks need and that do not answer, all asked at once."""
    wanted = {address for listed in tasks for address in addresses(listed, benchmark_named(listed.name), environ)}
    if is_offline(environ):
        wanted.discard(hub_address(environ))
    asked = sorted(wanted)
    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as pool:
        return frozenset(address for address, there in zip(asked, pool.map(answers, asked), strict=True) if not there)


def _meaning(task: EvalTask, listed: Listed, ours: Benchmark | None, *, thinks: bool) -> Iterator[Obstacle]:
    """What misleads in the score."""
    if why := WITHOUT_ONE_NUMBER.get(listed.name.rpartition("/")[2]):
        yield Obstacle(task.name, f"its items cannot be compared: {why}", "read its logs with `inspect view`", False)
    elif listed.is_maintenance:
        yield Obstacle(task.name, "it judges the harness, not a model", "leave it out", False)
    elif ours is None:
        what = "which of its numbers counts is not known: the first one is taken, and higher as better"
        yield Obstacle(task.name, what, "look at one log with `inspect view` before comparing", False)
    else:
        if thinks and ours.cap_argument and not {ours.cap_argument, "cot"} & {*task.arguments}:
            what = "answers end after 16 tokens, in the middle of thinking"
            yield Obstacle(task.name, what, f"-T {ours.cap_argument}={THINKING_TOKENS}, or -T cot=true")
        if ours.caveat:
            yield Obstacle(task.name, ours.caveat, "keep it in mind when you read the score", False)
