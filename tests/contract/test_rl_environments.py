"""Environments of one's own: the documented example is trained as it stands, and what is wrong with one is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tcao_tui.domain.events import DataLoaded
from tcao_tui.errors import PlanInvalid
from tcao_tui.store.rollout_files import read_rollouts
from tests.fakes.engine_process import EngineProcess
from tests.fakes.rl_lab import GROUP, carry_out, make_plan


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that modules are imported from; they are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("guessing", "wrong"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


async def test_the_documented_game_of_several_turns_trains(
    engine: EngineProcess, modules: Path, request: pytest.FixtureRequest
) -> None:
    page = (request.config.rootpath / "docs" / "environments.md").read_text()
    (modules / "guessing.py").write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1])
    plan = make_plan(modules, rl={"environment": "guessing:build"}, num_steps=2, max_seq_len=256)
    context = await carry_out(engine, plan, modules)
    assert context.trained == [(0, 0), (0, 1)]
    assert [event.batches_per_epoch for event in context.events if isinstance(event, DataLoaded)] == [9]
    assert context.series("env/all/turns_per_episode")[1] == pytest.approx(3, abs=0.5)
    first = next(read_rollouts(modules, 1))
    assert (first.reference, len(first.answers)) == ("1", GROUP)
    assert all(text.count("<|im_start|>assistant") == 2 for text in (answer.text for answer in first.answers))
    assert "is_number" in first.answers[0].numbers


@pytest.mark.parametrize(
    ("code", "entry", "why"),
    [
        ("", "nowhere:build", "No module named 'nowhere'"),
        ("def other(): ...", "wrong:build", "wrong has no function build"),
        ("def build(plan, tokenizer, renderer): return [1]", "wrong:build", "gave list, not a dataset"),
        ("def build(plan, tokenizer, renderer): raise KeyError('x')", "wrong:build", "KeyError: 'x'"),
        ("1 +", "wrong:build", "SyntaxError"),
    ],
)
async def test_what_is_wrong_with_an_environment_is_said(
    engine: EngineProcess, modules: Path, code: str, entry: str, why: str
) -> None:
    (modules / "wrong.py").write_text(code)
    with pytest.raises(PlanInvalid, match=why) as caught:
        await carry_out(engine, make_plan(modules, rl={"environment": entry}), modules)
    assert caught.value.where == "rl.environment"
