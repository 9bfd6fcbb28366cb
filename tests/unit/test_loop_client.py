"""The training client that the cookbook's loops get: the plan's Adam, one export per update, nothing saved by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import tinker

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import SettingChange, TrainingConfig
from tcao_tui.methods.loops.client import LoopClient, LoopLeft

CHANGES = [SettingChange(step=2, key="learning_rate", value=0.5)]


class StubClient:
    """Remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def forward_backward(self, data: list[Any], loss_fn: str, loss_fn_config: object) -> str:
        self.sent.append((loss_fn, loss_fn_config))
        return "forward"

    def optim_step(self, adam: tinker.AdamParams) -> str:
        self.sent.append(("adam", adam))
        return "optimised"

    async def save_weights_and_get_sampling_client(self, *, record_stability_info: bool) -> object:
        self.sent.append(("export", record_stability_info))
        return object()


def opened(stub: StubClient, *, changes: Sequence[SettingChange] = CHANGES, **config: Any) -> LoopClient:
    training = TrainingConfig(
        base_model="m", run_name="r", train_file=Path("/t"), num_steps=10, max_seq_len=64, learning_rate=0.1, **config
    )

    def settings_from(step: int) -> Sequence[SettingChange]:
        return [change for change in changes if change.step <= step]

    context = SimpleNamespace(plan=Plan(method="rl", training=training), settings_from=settings_from)
    return LoopClient(cast("Any", context), cast("tinker.TrainingClient", stub), 0)


def test_adam_is_the_plans_and_changes_of_people_hold_from_the_next_update() -> None:
    stub = StubClient()
    client = opened(stub, adam_beta1=0.8, adam_beta2=0.9, adam_eps=1e-6, weight_decay=0.01, grad_clip_norm=2.0)
    for _ in range(2):
        client.forward_backward([], "ppo", {"clip": 0.2})
        client.optim_step(tinker.AdamParams(learning_rate=9.0))
        client.recorded()
    adams = [what for name, what in stub.sent if name == "adam"]
    assert [adam.learning_rate for adam in adams] == [0.1, 0.5]
    assert (adams[0].beta1, adams[0].beta2, adams[0].eps) == (0.8, 0.9, 1e-6)
    assert (adams[0].weight_decay, adams[0].grad_clip_norm) == (0.01, 2.0)
    assert stub.sent[0] == ("ppo", {"clip": 0.2})
    assert client.step == 2


async def test_weights_are_exported_once_per_update_whoever_asks() -> None:
    stub = StubClient()
    client = opened(stub)
    await client.save_state("000000", ttl_seconds=1)
    saved = await client.save_weights_for_sampler("000000", ttl_seconds=1)
    first = client.create_sampling_client(saved.path).result()
    assert await client.save_weights_and_get_sampling_client() is first
    client.forward_backward([], "ppo")
    client.optim_step(tinker.AdamParams(learning_rate=1.0))
    assert await client.save_weights_and_get_sampling_client() is not first
    assert [name for name, _ in stub.sent].count("export") == 2


def test_leaving_refuses_the_next_update_but_not_the_rest_of_the_present_one() -> None:
    stub = StubClient()
    client = opened(stub)
    client.forward_backward([], "ppo")
    client.leaving = True
    client.forward_backward([], "ppo")
    client.recorded()
    with pytest.raises(LoopLeft):
        client.forward_backward([], "ppo")
    assert len(stub.sent) == 2


def test_an_update_with_another_eval_cadence_is_the_last_of_its_segment() -> None:
    change = SettingChange(step=2, key="eval_every", value=3)
    client = opened(StubClient(), changes=[change])
    client.enter()
    for update in (1, 2):
        assert not client.leaving
        client.forward_backward([], "ppo")
        client.recorded()
        assert client.leaving == (update == 2)
    with pytest.raises(LoopLeft):
        client.forward_backward([], "ppo")
    client.enter()
    client.forward_backward([], "ppo")
    assert not client.leaving
