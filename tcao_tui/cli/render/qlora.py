"""A written QLoRA configuration as text and as JSON. Pure functions of values."""

from __future__ import annotations

from typing import Any

from tcao_tui.cli.render.text import Style
from tcao_tui.domain.plain_text import one_line
from tcao_tui.services.qlora import WrittenQlora
from tcao_tui.store.plan_file import scalar_text


def qlora_lines(written: WrittenQlora, style: Style) -> list[str]:
    """All settings with their reasons, what cannot be mimicked, and the files."""
    lines: list[str] = []
    for name, section in written.config.sections.items():
        lines.append(style(name, bold=True))
        for key, setting in section.items():
            why = style(f"  # {one_line(setting.why)}", dim=True) if setting.why else ""
            lines.append(f"  {key}: {one_line(scalar_text(setting.value))}{why}")
    lines += [style("what cannot be mimicked", bold=True)]
    lines += [f"- {one_line(difference)}" for difference in written.config.differences]
    return [*lines, "", *(f"wrote {one_line(str(file))}" for file in written.files)]


def qlora_dict(written: WrittenQlora) -> dict[str, Any]:
    """The same for scripts, with all settings."""
    return {
        "files": [str(file) for file in written.files],
        "config": {
            name: {key: setting.value for key, setting in section.items()}
            for name, section in written.config.sections.items()
        },
        "differences": list(written.config.differences),
    }
