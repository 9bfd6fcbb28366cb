"""A supervised plan as files that train its like on one's own GPU: a configuration with reasons, and its script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tcao_tui import __version__, paths
from tcao_tui.domain.model_names import base_name
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.qlora import Qlora, Section, translate
from tcao_tui.errors import UsageError
from tcao_tui.store.atomic_file import write_keeping_old
from tcao_tui.store.plan_file import scalar_text

CONFIG_NAME = "qlora-config.yaml"
TRAINER = "qlora_trainer.py"
_SCRIPTS = ("plan.py", TRAINER)

_HEADER = f"""\
# QLoRA on one GPU, made by tcao {__version__} of a plan for Tinker; read by scripts/{TRAINER}.
# The sections are keyword arguments: peft.LoraConfig(**lora), transformers.BitsAndBytesConfig(**quantization) and
# transformers.TrainingArguments(**training); trl.SFTConfig takes the last ones too.
"""


@dataclass(frozen=True, slots=True)
class WrittenQlora:
    """What was written; the script is the last file."""

    files: tuple[Path, ...]
    config: Qlora


def write_qlora(plan: Plan, directory: Path) -> WrittenQlora:
    """Write configuration and scripts into a directory, which is made; blocks. Files that differ are kept as `.old`.

    Raises:
        UsageError: The plan is not supervised, or the directory cannot be written.
    """
    if plan.method != "sft":
        raise UsageError(
            f"the plan's method is {plan.method}; a local script is made of method sft only",
            next_step="make it of an SFT plan on this model: TRL's DPO and RL take its sections lora and quantization",
        )
    config = translate(*_loadable(plan))
    texts = {Path(CONFIG_NAME): config_text(config)}
    for name in _SCRIPTS:
        texts[Path("scripts") / name] = (paths.templates_dir() / "scripts" / name).read_text(encoding="utf-8")
    try:
        (directory / "scripts").mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in texts.items():
            write_keeping_old(directory / name, text)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", where=str(directory)) from error
    return WrittenQlora(tuple(directory / name for name in texts), config)


def config_text(config: Qlora) -> str:
    """The configuration as a YAML file; each reason is a comment above its value."""
    lines = [_HEADER]
    for name, section in config.sections.items():
        lines += [f"\n{name}:\n", *_section_lines(section)]
    lines += ["\n# What cannot be mimicked:\n", *(f"# - {one_line(difference)}\n" for difference in config.differences)]
    return "".join(lines)


def _section_lines(section: Section) -> Iterator[str]:
    for key, setting in section.items():
        if setting.why:
            yield f"  # {one_line(setting.why)}\n"
        yield f"  {key}: {scalar_text(setting.value)}\n"


def _loadable(plan: Plan) -> tuple[Plan, str]:
    """The plan, and what its base model is loaded by away from the server that names it."""
    training = plan.training
    if training.base_model != paths.TINY_MODEL_NAME:
        return plan, base_name(training.base_model)
    renderer = training.renderer_name or paths.TINY_MODEL_RENDERER
    named = training.model_copy(update={"renderer_name": renderer})
    return plan.model_copy(update={"training": named}), str(paths.TINY_MODEL)
