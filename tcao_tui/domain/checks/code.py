"""Part of gate 3: code of one's own is there, and is what the plan was written for."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder, shown
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan_code import NamedCode, named_code


def check_code(find: Finder, subject: Subject) -> Iterator[Finding]:
    """Everything that is wrong with the modules of the plan's graders and environment."""
    for code in named_code(subject.plan):
        if reason := subject.facts.missing.get(code.module):
            yield find.error(
                code.key,
                got=f"{shown(code.module)}, {one_line(reason)}",
                expected="a module that a worker started from here can import",
                fix="install it, add its directory to PYTHONPATH, or start tcao from there",
            )
        found = subject.facts.code_hash(code.module)
        if code.recorded and found and code.recorded != found:
            yield find.error(
                code.key,
                got=f"the code of {shown(code.module)} changed since the plan was written",
                expected=f"SHA-256 {code.recorded[:12]}..., as data.code says",
                fix="restore it, or remove data.code to plan with the new code",
            )


def unread_code(subject: Subject) -> tuple[NamedCode, ...]:
    """Modules that nobody looked for yet."""
    facts = subject.facts
    return tuple(
        code
        for code in named_code(subject.plan)
        if not facts.code_hash(code.module) and code.module not in facts.missing
    )
