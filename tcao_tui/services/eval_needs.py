"""What a task of Inspect Evals needs of this machine and of other models, and lacks, with the command that mends it."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata

from packaging.requirements import Requirement

from tcao_tui.clients.benchmark_catalogue import DISTRIBUTION, Listed, installed_version
from tcao_tui.domain.benchmarks.entry import Benchmark
from tcao_tui.domain.benchmarks.table import benchmark_named
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.obstacle import Obstacle

DOCKER_SECONDS = 10.0
"""How long Docker may take to say whether it runs."""

_REPOSITORY = "https://github.com/UKGovernmentBEIS/inspect_evals"
_NAME_ONE = "--judge PROVIDER/MODEL"

_OTHER_HARNESS: Mapping[str, str] = {
    "ifeval": "; or the cookbook's IFEval, another harness with other scores: tinker_cookbook.eval.benchmarks.ifeval"
}
"""What else measures the same, by group of tasks."""

_PROVIDERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "openai": (("OPENAI_API_KEY", "AZUREAI_OPENAI_API_KEY"), "openai"),
    "anthropic": (("ANTHROPIC_API_KEY", "AZUREAI_ANTHROPIC_API_KEY"), "anthropic"),
    "google": (("GOOGLE_API_KEY", "GEMINI_API_KEY", "VERTEX_API_KEY"), "google-genai"),
    "mistral": (("MISTRAL_API_KEY", "AZUREAI_MISTRAL_API_KEY"), "mistralai"),
    "groq": (("GROQ_API_KEY",), "groq"),
    "grok": (("XAI_API_KEY", "GROK_API_KEY"), "xai-sdk"),
    "openrouter": (("OPENROUTER_API_KEY",), "openai"),
    "together": (("TOGETHER_API_KEY",), "openai"),
}
"""Variables that a provider of Inspect takes its key from, any of them, and the package that it needs."""


def packages(name: str, listed: Listed) -> Iterator[Obstacle]:
    """Packages that are not installed."""
    if listed.is_isolated:
        place = f"git+{_REPOSITORY}@{installed_version()}#subdirectory=packages/{listed.folder}"
        what = "it is a package of its own, which inspect-evals does not bring; its packages may conflict with others"
        yield Obstacle(name, what, _install(place))
        return
    missing = _missing(listed.extra)
    from_git = next((source.place for source in listed.sources if source.kind == "git_dependency"), "")
    if missing and from_git:
        what = f"packages are missing, and one of them only git has: {', '.join(missing)}"
        yield Obstacle(name, what, _install(*_with_git(missing, from_git)) + _OTHER_HARNESS.get(listed.folder, ""))
    elif missing:
        what = f"packages are missing: {', '.join(missing)}"
        yield Obstacle(name, what, _install(f"{DISTRIBUTION}[{listed.extra}]=={installed_version()}"))


def machine(task: EvalTask, listed: Listed, ours: Benchmark | None, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Docker and a GPU, where they are needed."""
    spared = ours is not None and "sandbox" in ours.spares
    if task.arguments.get("sandbox") == "local":
        what = "programs that a model wrote run on this machine, with your rights"
        yield Obstacle(task.name, what, "leave out sandbox=local, so that they run in Docker", False)
    elif listed.uses_sandbox and not spared and (why := _why_no_docker(environ)) is not None:
        yield Obstacle(task.name, f"it runs programs in Docker, {why[0]}", why[1])
    if listed.uses_gpu and shutil.which("nvidia-smi", path=environ.get("PATH")) is None:
        yield Obstacle(task.name, "it needs a GPU, and there is none here", "run it on a machine with a GPU")


def judges(task: EvalTask, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Judges and further models without a key or a package, and parts that nobody plays."""
    ours = benchmark_named(task.target)
    models = {task.judge} - {""}
    for helper in ours.helpers if ours is not None and not task.judge else ():
        models |= {*helper.default}
        if not helper.default and helper.decides:
            part = f"role {helper.role}" if helper.role else f"argument {helper.argument}"
            what = f"no model is named for its {part}, so the model under test would take that part itself"
            yield Obstacle(task.name, what, f"name one: {_NAME_ONE}")
    for model in sorted(models):
        yield from judge_lacks(task.name, model, environ)


def judge_lacks(name: str, model: str, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """The key and the package of a model that a task of this name asks, where they are missing."""
    keys, package = _PROVIDERS.get(model.partition("/")[0], ((), ""))
    if keys and not any(environ.get(key) for key in keys):
        what = f"it asks {model}, for which there is no key"
        yield Obstacle(name, what, f"export {keys[0]}=..., or name another model: {_NAME_ONE}")
    if package and not _is_installed(package):
        yield Obstacle(name, f"{model} needs the package {package}, which is missing", _install(package))


def _why_no_docker(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with Docker and what mends it; None when it runs."""
    docker = shutil.which("docker", path=environ.get("PATH"))
    if docker is None:
        return "which is not installed", "install Docker: https://docs.docker.com/engine/install/"
    asked = [docker, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(
            asked, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=DOCKER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "which does not answer", "docker info"
    return None if done.returncode == 0 else ("which is not running", "start it, such as: sudo systemctl start docker")


def _missing(extra: str) -> list[str]:
    """Packages of an extra of Inspect Evals that are not installed."""
    wanted = [Requirement(line) for line in metadata.requires(DISTRIBUTION) or ()] if extra else []
    of_extra = [r for r in wanted if r.marker and r.marker.evaluate({"extra": extra}) and not r.marker.evaluate()]
    return [requirement.name for requirement in of_extra if not _is_installed(requirement.name)]


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _with_git(missing: list[str], address: str) -> list[str]:
    """The missing packages, the one that its repository is named after with the repository's address."""
    repository = address.rpartition("/")[2].removesuffix(".git")
    return [f"{name} @ git+{address}" if name == repository else name for name in missing]


def _install(*wanted: str) -> str:
    """The command that adds packages to this very environment."""
    python = shlex.quote(sys.executable)
    by = f"{python} -m pip install" if importlib.util.find_spec("pip") else f"uv pip install --python {python}"
    return f"{by} {shlex.join(wanted)}"
