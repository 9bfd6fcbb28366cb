"""The reward by a grader, for one answer to a prompt; what cannot be graded earns nothing and is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import tinker
from tinker_cookbook.completers import StopCondition
from tinker_cookbook.rl.types import Action, ActionExtra, Env, EnvGroupBuilder, StepResult

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods.evaluation import Validate, Validated, greedy_answers
from tcao_tui.methods.grading import Judge
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.problems import Problem


class AnswerEnv(Env):
    """A problem that is answered once."""

    def __init__(self, problem: Problem, renderer: ChatRenderer, judge: Judge) -> None:
        self._problem, self._renderer, self._judge = problem, renderer, judge

    async def initial_observation(self) -> tuple[tinker.ModelInput, StopCondition]:
        """The prompt."""
        return self._problem.prompt, self._renderer.cookbook.get_stop_sequences()

    async def step(self, action: Action, *, extra: ActionExtra | None = None) -> StepResult:
        """Grade the answer."""
        verdict = self._judge.grade(self._renderer.text(action), self._problem.reference)
        return StepResult(
            reward=verdict or 0.0,
            episode_done=True,
            next_observation=tinker.ModelInput.empty(),
            next_stop_condition=self._renderer.cookbook.get_stop_sequences(),
            metrics={"unscored": float(verdict is None)},
        )


@dataclass(frozen=True, slots=True)
class GradedAnswers(EnvGroupBuilder):
    """Several answers to one problem."""

    problem: Problem
    renderer: ChatRenderer
    judge: Judge
    group_size: int

    @property
    def reference(self) -> str:
        """The wanted answer."""
        return self.problem.reference

    async def make_envs(self) -> Sequence[Env]:
        """One environment per answer."""
        return [AnswerEnv(self.problem, self.renderer, self.judge) for _ in range(self.group_size)]


class GraderReward:
    """Each answer earns what a grader says, 1 or 0 for most graders.

    Args:
        renderer: Of the plan.
        judge: The grader.
        params: Of the plan.
        seed: Of greedy answers, where a tie is broken.
    """

    def __init__(self, renderer: ChatRenderer, judge: Judge, params: RlParams, seed: int) -> None:
        self._renderer, self._judge, self._params, self._seed = renderer, judge, params, seed

    def group_of(self, problem: Problem) -> EnvGroupBuilder:
        """The group of answers to one problem."""
        return GradedAnswers(problem, self._renderer, self._judge, self._params.group_size)

    def validation(self, trainer: Trainer, problems: Sequence[Problem]) -> Validate:
        """Mean reward of greedy answers, and the share that could not be graded."""

        async def validate() -> Validated:
            prompts = [problem.prompt for problem in problems]
            answers = await greedy_answers(
                await trainer.sampler(), self._renderer, prompts, max_tokens=self._params.max_tokens, seed=self._seed
            )
            verdicts = [
                self._judge.grade(self._renderer.text(answer), problem.reference)
                for answer, problem in zip(answers, problems, strict=True)
            ]
            return Validated(
                {
                    "val_reward": fmean(verdict or 0.0 for verdict in verdicts),
                    "val_unscored": fmean(verdict is None for verdict in verdicts),
                },
                prefill_tokens=sum(prompt.length for prompt in prompts),
                sampled_tokens=sum(map(len, answers)),
            )

        return validate

    def take_tokens(self) -> Mapping[str, int]:
        """None: grading costs nothing."""
        return {}
