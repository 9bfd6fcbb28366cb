"""The renderer must be the model's own: a wrong chat format trains without complaint and ruins what is served.

Peers' most frequent fault is a silent mismatch of template, renderer and mask, so this is an error and no warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcao_tui.domain.checks.findings import Finder, names, nearest, shown
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.policy.renderer import thinks

_KEY = "training.renderer_name"


def check_renderer(find: Finder, subject: Subject) -> Iterator[Finding]:
    """Whether model, renderer and thinking mode fit each other."""
    model, chosen = subject.model, subject.renderer
    if model is None:
        return
    if chosen is None:
        yield find.error(
            _KEY,
            got=f"no renderer is known for {shown(model.name)}",
            expected="the model's chat format",
            fix="set training.renderer_name, such as role_colon for a base model",
        )
        return
    if model.renderers and chosen not in model.renderers:
        first = model.renderers[0]
        near = (nearest(chosen, model.renderers) or [first])[0]
        yield find.error(
            _KEY,
            got=f"{shown(chosen)} is not a chat format of {shown(model.name)}",
            expected=f"one of {names(model.renderers)}",
            fix=f"set {_KEY} to {near}, or leave it out{'' if near == first else f' for {first}'}",
        )
        return
    yield from _thinking(find, subject, chosen, model.renderers)


def _thinking(find: Finder, subject: Subject, chosen: str, offered: Sequence[str]) -> Iterator[Finding]:
    profile = subject.profile("train_file")
    if profile is None or not profile.rows:
        return
    others = [name for name in offered if thinks(name) is profile.has_thinking]
    fix = f"set {_KEY} to {others[0]}" if others else "choose a model that is made for it"
    if profile.has_thinking and _forbids_thinking(chosen):
        yield find.error(
            _KEY,
            got=f"rows with thinking, and {shown(chosen)} tells the model not to think",
            expected="a renderer that keeps the thinking",
            fix=f"{fix}, or remove the thinking from the rows",
        )
    elif thinks(chosen) is not profile.has_thinking and (others or profile.has_thinking):
        yield find.warning(
            _KEY,
            got=f"rows {'with' if profile.has_thinking else 'without'} thinking, and {shown(chosen)}, whose answers "
            f"{'do not ' if profile.has_thinking else ''}begin with it",
            expected="rows and renderer that agree: what is trained is then what is sampled",
            fix=fix,
        )


def _forbids_thinking(renderer: str) -> bool:
    """Whether the prompt of this chat format already holds an empty thought."""
    return renderer == "deepseekv3" or renderer.endswith("_disable_thinking")
