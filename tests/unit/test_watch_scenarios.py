"""Scripted numbers of trainings that go wrong: the right rule, within its stated number of steps, and no other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tcao_tui.domain.training_events import Alert
from tcao_tui.domain.watch import RULES, Watcher
from tcao_tui.domain.watch_plan import RuleName
from tests.fakes.scripted_numbers import Row, at, falling, flat, noisy, plan_of, reward, since, steps, with_evals


@dataclass(frozen=True)
class Scenario:
    """`onset` is the first bad step; `latest` other than onset and the rule's own number says why in its name."""

    name: str
    rule: RuleName
    onset: int
    rows: list[Row]
    method: str = "sft"
    latest: int | None = None
    plan: dict[str, Any] = field(default_factory=dict[str, Any])
    spent: Callable[[int], float] | None = None
    also: frozenset[str] = frozenset()

    @property
    def deadline(self) -> int:
        return self.latest or self.onset + RULES[self.rule](plan_of(self.method)).within_steps - 1


def alerts(scenario: Scenario) -> list[Alert]:
    watcher = Watcher(plan_of(scenario.method, **scenario.plan))
    found: list[Alert] = []
    for step, values in scenario.rows:
        spent = None if scenario.spent is None else scenario.spent(step)
        found += watcher.observe(
            step, values, trained=not any(key.startswith("val_") for key in values), spent_usd=spent
        )
    return found


SCENARIOS = [
    Scenario("a loss that is NaN", "not_finite", 12, steps(20, train_mean_nll=at(12, math.nan, falling))),
    Scenario("a loss that is infinite", "not_finite", 5, steps(9, train_mean_nll=at(5, math.inf, falling))),
    Scenario(
        "a validation loss that became NaN",
        "not_finite",
        20,
        with_evals(steps(30, train_mean_nll=falling), 10, val_mean_nll=at(20, math.nan, falling)),
    ),
    Scenario("a reward that is NaN", "not_finite", 8, steps(12, reward_mean=at(8, math.nan, reward)), "rl"),
    Scenario("one loss ten times the usual", "loss_explosion", 30, steps(40, train_mean_nll=at(30, 25, falling))),
    Scenario(
        "a loss that jumps to three times its level and stays",
        "loss_explosion",
        60,
        steps(80, train_mean_nll=since(60, flat(2.4), falling)),
    ),
    Scenario(
        "a loss that creeps up: found within three steps of being twice as high",
        "loss_explosion",
        60,
        steps(120, train_mean_nll=since(60, lambda s: 0.82 * 1.03 ** (s - 60), falling)),
        latest=60 + 25 + 3,
    ),
    Scenario(
        "a learning rate that breaks the model after its warm-up",
        "loss_explosion",
        14,
        steps(30, train_mean_nll=since(14, flat(9.0), flat(2.5))),
        also=frozenset({"loss_stuck"}),
    ),
    Scenario(
        "a learning rate that breaks the model with the first updates: within five steps, of which three tell",
        "loss_explosion",
        3,
        steps(60, train_mean_nll=since(3, flat(900.0, 0.5), flat(8.0))),
        latest=7,
    ),
    Scenario("a DPO loss that jumps", "loss_explosion", 40, steps(60, dpo_loss=since(40, flat(4), falling)), "dpo"),
    Scenario(
        "a distance to the teacher that explodes",
        "loss_explosion",
        50,
        steps(60, teacher_kl=since(50, flat(3.0), lambda s: 0.1 + math.exp(-s / 10))),
        "distill",
    ),
    Scenario("a learning rate that is far too low", "loss_stuck", 1, steps(60, train_mean_nll=flat(2.0, 0.02))),
    Scenario("a DPO loss that stays at ln 2", "loss_stuck", 1, steps(60, dpo_loss=flat(math.log(2), 0.005)), "dpo"),
    Scenario(
        "a loss that does not fall, counted from the end of the warm-up",
        "loss_stuck",
        11,
        steps(70, train_mean_nll=flat(2.0, 0.02)),
        plan={"training": {"warmup_steps": 10}},
    ),
    Scenario(
        "a short plan whose loss does not fall is found at half its steps",
        "loss_stuck",
        1,
        steps(24, train_mean_nll=flat(1.5, 0.005)),
        plan={"training": {"num_steps": 40}},
        latest=20,
    ),
    Scenario(
        "a loss that fell and lies level", "plateau", 150, steps(300, train_mean_nll=since(150, flat(0.6), falling))
    ),
    Scenario(
        "a noisy loss that lies level: as long as its noise asks for",
        "plateau",
        60,
        steps(520, train_mean_nll=lambda s: noisy(0.6 + 2.4 * math.exp(-s / 12), 0.12, s)),
        latest=60 + 410,
    ),
    Scenario(
        "rows learned by heart: the third eval after the best",
        "over_fitting",
        50,
        with_evals(
            steps(100, train_mean_nll=lambda s: 2 * math.exp(-s / 40)),
            10,
            val_mean_nll=lambda s: 1.0 + abs(s - 40) / 100,
        ),
        latest=70,
    ),
    Scenario(
        "pairs learned by heart",
        "over_fitting",
        50,
        with_evals(
            steps(100, dpo_loss=lambda s: 0.69 * math.exp(-s / 40)), 10, val_dpo_loss=lambda s: 0.5 + abs(s - 40) / 300
        ),
        "dpo",
        latest=70,
    ),
    Scenario(
        "a reward that rises on the trained problems only",
        "over_fitting",
        50,
        with_evals(steps(100, reward_mean=reward), 10, val_reward=lambda s: 0.6 - abs(s - 40) / 100),
        "rl",
        latest=70,
    ),
    Scenario(
        "a reward that collapses", "reward_collapse", 60, steps(80, reward_mean=since(60, flat(0.05), reward)), "rl"
    ),
    Scenario(
        "a preference model's reward that collapses",
        "reward_collapse",
        60,
        steps(80, reward_mean=since(60, flat(-6), flat(1.5, 0.1))),
        "rl",
    ),
    Scenario(
        "prompts that are too hard: every group earns nothing",
        "zero_advantage",
        1,
        steps(15, reward_mean=lambda s: 0.0, zero_advantage_share=lambda s: 1.0),
        "rl",
    ),
    Scenario(
        "answers that became alike before they became right",
        "zero_advantage",
        40,
        steps(60, reward_mean=flat(0.4), zero_advantage_share=since(40, lambda s: 0.95, flat(0.3))),
        "rl",
    ),
    Scenario(
        "answers that became all alike",
        "entropy_collapse",
        40,
        steps(60, reward_mean=flat(0.4), entropy=since(40, flat(0.01), flat(0.8))),
        "rl",
    ),
    Scenario(
        "answers that became noise",
        "entropy_collapse",
        40,
        steps(60, reward_mean=flat(0.4), entropy=since(40, flat(5.0), flat(0.8))),
        "rl",
    ),
    Scenario(
        "a sampler that is no longer the trained model",
        "kl_blow_up",
        30,
        steps(40, kl_sample_train=since(30, flat(0.02), flat(0.001))),
        "rl",
    ),
    Scenario(
        "a sampler that is another model at once: found in one step",
        "kl_blow_up",
        30,
        steps(40, kl_sample_train=at(30, 0.4, flat(0.001))),
        "rl",
        latest=30,
    ),
    Scenario(
        "a policy that runs away from where it started",
        "kl_blow_up",
        40,
        steps(60, kl_reference=since(40, flat(2.0), flat(0.05))),
        "rl",
    ),
    Scenario(
        "a chosen answer that becomes ever less likely",
        "kl_blow_up",
        40,
        steps(60, dpo_loss=falling, kl_reference=since(40, flat(-3.0), flat(-0.1))),
        "dpo",
    ),
    Scenario(
        "a batch that is all masked, whose mean loss is no number",
        "all_masked",
        7,
        steps(12, train_mean_nll=at(7, math.nan, falling), num_loss_tokens=at(7, 0, flat(900))),
    ),
    Scenario(
        "a server that crawls",
        "throughput_collapse",
        60,
        steps(
            80,
            tokens_per_second=since(60, flat(80), flat(1000, 0.3)),
            step_seconds=since(60, flat(12), flat(1, 0.3)),
        ),
    ),
    Scenario(
        "four fifths of the budget",
        "budget",
        80,
        steps(90, train_mean_nll=falling),
        plan={"budget": {"max_cost_usd": 10.0}},
        spent=lambda s: s / 10,
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_what_goes_wrong_is_found_by_its_rule_in_time_and_by_no_other(scenario: Scenario) -> None:
    found = alerts(scenario)
    assert {alert.rule for alert in found} - scenario.also == {scenario.rule}
    [alert] = [alert for alert in found if alert.rule == scenario.rule]
    assert scenario.onset <= alert.step <= scenario.deadline, alert
    assert alert.since <= alert.step
    assert any(char.isdigit() for char in alert.evidence)
    assert alert.suggestion
    assert alert.action == plan_of("sft").watch.action(scenario.rule)


def test_there_are_scenarios_for_every_rule_and_25_at_least() -> None:
    assert {scenario.rule for scenario in SCENARIOS} == RULES.keys()
    assert len(SCENARIOS) >= 25
