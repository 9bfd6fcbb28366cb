"""What is known of one public benchmark: what it measures, which number counts, what it asks of others, its traps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PACKAGE = "inspect_evals"
"""Where tasks come from, as Inspect names it."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A further model that a benchmark asks: a judge, or one that plays a part.

    Attributes:
        argument: Argument of the task that names it; empty where a role does.
        role: Role of Inspect that names it; empty where an argument does.
        default: Models that the task takes when none is given; none means the model under test itself.
        takes_list: Whether the argument is a list.
        decides: Whether the number that counts depends on it.
    """

    argument: str = ""
    role: str = ""
    default: tuple[str, ...] = ()
    takes_list: bool = False
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public benchmark.

    Attributes:
        task: Its name in Inspect Evals.
        samples: How many it has.
        why: What it really measures and how that bears on a goal, one sentence.
        prompt_tokens, answer_tokens: Expected per sample, answers without thinking.
        scorer: The scorer that counts, `SCORER/KEY` where its score has several numbers.
        metric: What the mean of that number is called, for people.
        higher_is_better: Direction of that number, which need not be the direction of the task's own metric.
        helpers: Further models that it asks.
        needs: What it needs besides the model: "" nothing, else a judge model, Docker and the like.
        datasets: Of those on the hub that its group fetches, what this task fetches as it stands; empty: all of them.
        gated: Dataset whose terms have to be accepted on the hub.
        arguments: Of the task, where its own defaults do not fit.
        cap_argument: Argument that limits the tokens of an answer, to be lifted for models that think.
        fixes: Settings of generation that the task sets itself.
        spares: Of what the catalogue says its group needs, "sandbox" or "internet", what this task does without.
        asks_hub: Whether it asks the data hub even for what was fetched before.
        epochs: Answers to each sample: as many as the task takes itself, more where it has few samples.
        caveat: What misleads in its score, one sentence.
    """

    task: str
    samples: int
    why: str
    prompt_tokens: int
    answer_tokens: int
    scorer: str
    metric: str = "accuracy"
    higher_is_better: bool = True
    helpers: tuple[Helper, ...] = ()
    needs: str = ""
    datasets: tuple[str, ...] = ()
    gated: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    cap_argument: str = ""
    fixes: frozenset[str] = frozenset()
    spares: frozenset[str] = frozenset()
    asks_hub: bool = False
    epochs: int = 1
    caveat: str = ""

    @property
    def name(self) -> str:
        """As Inspect finds it."""
        return f"{PACKAGE}/{self.task}"

    def answers(self, limit: int | None) -> int:
        """How many answers a subject gives, with at most `limit` samples; None takes all."""
        return self.epochs * min(self.samples, limit or self.samples)


TEMPERATURE = frozenset({"temperature"})
TEMPERATURE_AND_LENGTH = frozenset({"temperature", "max_tokens"})

NO_SANDBOX = frozenset({"sandbox"})

JUDGE = "a judge model"
DOCKER = "Docker, where the answers are run"
