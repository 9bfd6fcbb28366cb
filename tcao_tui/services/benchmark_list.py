"""The catalogue for people: what a task measures, which number counts, what it needs and what it would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcao_tui.clients.benchmark_catalogue import Listed, read_catalogue
from tcao_tui.domain.benchmarks.entry import Benchmark
from tcao_tui.domain.benchmarks.table import BENCHMARKS, SUITES, benchmark_named, suite
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.errors import UsageError

PACKAGE_WIDTH = len("inspect_evals/")


@dataclass(frozen=True, slots=True)
class Described:
    """A task of Inspect Evals in words.

    Attributes:
        measures: One sentence; of the catalogue, and so of others, where `is_known` is false.
        scorer, metric: Which number counts; empty where it is not known.
        higher_is_better: None where it is not known.
        prompt_tokens, answer_tokens: Expected per answer without thinking; None where they are not known.
        answers: Of one subject with the limit that was asked for; None where nobody says how many samples there are.
        usd: What one subject pays for them; None where tokens or prices are not known.
        suites: Names of the suites that it is in.
    """

    name: str
    group: str
    samples: int | None
    measures: str
    needs: str
    scorer: str
    metric: str
    higher_is_better: bool | None
    prompt_tokens: int | None
    answer_tokens: int | None
    answers: int | None
    usd: float | None
    caveat: str
    version: str
    suites: tuple[str, ...]
    is_known: bool


def described(
    *, text: str = "", suite_name: str = "", limit: int | None = None, quote: PriceQuote | None = None
) -> list[Described]:
    """Tasks of the catalogue.

    Args:
        text: Words that must stand in its name, title, group or description; empty: only tasks that our table knows.
        suite_name: Only tasks of this suite, in its order.
        limit: Samples at most, for answers and cost; None takes all.
        quote: Prices of the subject; None leaves costs out.

    Raises:
        UsageError: There is no such suite.
    """
    if suite_name and suite_name not in SUITES:
        raise UsageError(f"there is no suite {suite_name}", next_step=f"one of {', '.join(SUITES)}")
    known = read_catalogue()
    names = [b.name for b in suite(suite_name)] if suite_name else [*known] if text else [*BENCHMARKS]
    chosen = [known[name] for name in names if name in known]
    return [_described(listed, limit, quote) for listed in matching(text, chosen)]


def matching(text: str, tasks: Sequence[Listed]) -> list[Listed]:
    """Tasks that have every word of a text in their name, title, group or description."""
    words = text.casefold().split()
    return [task for task in tasks if all(word in _searched(task) for word in words)]


def _searched(task: Listed) -> str:
    ours = benchmark_named(task.name)
    return f"{task.name} {task.title} {task.group} {task.description} {ours.why if ours else ''}".casefold()


def _described(listed: Listed, limit: int | None, quote: PriceQuote | None) -> Described:
    ours = benchmark_named(listed.name)
    return Described(
        name=listed.name,
        group=listed.group,
        samples=listed.samples,
        measures=ours.why if ours is not None else listed.description,
        needs=ours.needs if ours is not None else ", ".join(_needs(listed)),
        scorer=ours.scorer if ours is not None else "",
        metric=ours.metric if ours is not None else "",
        higher_is_better=ours.higher_is_better if ours is not None else None,
        prompt_tokens=ours.prompt_tokens if ours is not None else None,
        answer_tokens=ours.answer_tokens if ours is not None else None,
        answers=_answers(listed, ours, limit),
        usd=_usd(ours, limit, quote),
        caveat=ours.caveat if ours is not None else "",
        version=listed.version,
        suites=tuple(name for name, tasks in SUITES.items() if listed.name[PACKAGE_WIDTH:] in tasks),
        is_known=ours is not None,
    )


def _answers(listed: Listed, ours: Benchmark | None, limit: int | None) -> int | None:
    if ours is not None:
        return ours.answers(limit)
    return listed.samples if limit is None or listed.samples is None else min(limit, listed.samples)


def _usd(ours: Benchmark | None, limit: int | None, quote: PriceQuote | None) -> float | None:
    if ours is None or quote is None or quote.prefill_usd is None or quote.sample_usd is None:
        return None
    each = ours.prompt_tokens * quote.prefill_usd + ours.answer_tokens * quote.sample_usd
    return ours.answers(limit) * each / 1e6


def _needs(listed: Listed) -> Iterator[str]:
    """What the catalogue says a task needs besides the model."""
    wanted: Mapping[str, bool] = {
        "a package of its own": listed.is_isolated,
        f"the extra inspect-evals[{listed.extra}]": bool(listed.extra),
        "Docker": listed.uses_sandbox,
        "the internet": listed.uses_internet,
        "a GPU": listed.uses_gpu,
    }
    yield from (need for need, is_so in wanted.items() if is_so)
