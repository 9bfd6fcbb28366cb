"""What answers are worth: a grader's verdict, or how often a preference model likes one better than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tinker_cookbook.rl.types import EnvGroupBuilder

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.domain.data_profile import RowKind
from tcao_tui.domain.events import LogLine
from tcao_tui.domain.method_params import RlParams
from tcao_tui.domain.pipeline import PREFERENCE_REWARD
from tcao_tui.methods.evaluation import Validate
from tcao_tui.methods.grading import Judge
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.answers import GraderReward
from tcao_tui.methods.rl.preference import PreferenceReward, open_judging_model
from tcao_tui.methods.rl.problems import Problem


class Reward(Protocol):
    """What the answers to a problem are worth."""

    def group_of(self, problem: Problem) -> EnvGroupBuilder:
        """The group of answers to one problem, which earn this reward."""
        ...

    def validation(self, trainer: Trainer, problems: Sequence[Problem]) -> Validate:
        """Mean reward of the present weights' greedy answers to held-out problems."""
        ...

    def take_tokens(self) -> Mapping[str, int]:
        """Tokens that judging has used since this was last asked, by kind of spending."""
        ...


def rows_of(params: RlParams) -> RowKind:
    """What the rows of the data must be for the reward."""
    return "preference" if _stage_of(params) is not None else "problem"


async def open_reward(context: RunContext, renderer: ChatRenderer) -> Reward:
    """The reward that the plan names.

    Raises:
        UsageError: There is no such grader.
        PlanInvalid: The grader does not take its argument, or there is no such stage.
        BackendError: The preference model is gone from the server.
    """
    params, seed = context.plan.rl or RlParams(), context.plan.training.seed
    stage = _stage_of(params)
    if stage is not None:
        return PreferenceReward(renderer, await open_judging_model(context, stage), params, seed)
    judge = Judge(params.grader, lambda told: context.emit(LogLine(level="warning", message=told)))
    return GraderReward(renderer, judge, params, seed)


def _stage_of(params: RlParams) -> str | None:
    name, _, stage = params.grader.partition(":")
    return stage if name == PREFERENCE_REWARD else None
