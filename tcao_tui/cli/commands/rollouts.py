"""`tcao rollouts`: the answers that a policy was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.cli.render.text import Style
    from tcao_tui.domain.rollout_choice import ChosenGroup
    from tcao_tui.domain.rollouts import Rollout


@click.command(
    epilog="""\b
Examples:
  tcao rollouts latest --worst
  tcao rollouts latest --step 20 --only no-signal
  tcao rollouts latest --search refund --output json | jq .groups[0].answers[0].text
"""
)
@run_argument()
@click.option("--step", type=click.IntRange(min=0), help="Step whose answers are shown; the newest unless given.")
@click.option("--best", "order", flag_value="best", help="Highest rewards first.")
@click.option("--worst", "order", flag_value="worst", help="Lowest rewards first.")
@click.option(
    "--only",
    type=click.Choice(["no-signal", "cut-off"]),
    help="Groups whose answers all earned the same, or answers at the limit of tokens.",
)
@click.option("--search", default="", metavar="TEXT", help="Prompts or answers with this text.")
@output_option("text", "json")
@pass_context
def rollouts(
    console: CliContext, run: str, *, step: int | None, order: str | None, only: str | None, search: str
) -> None:
    """Show the answers that a step of RUN was trained on, in groups of one prompt, with rewards.

    RUN is an id, the beginning of one, a name (its newest run) or `latest`.
    """
    from tcao_tui.domain.rollout_choice import Only, Order, RolloutChoice
    from tcao_tui.services.rollouts import rollouts_of

    choice = RolloutChoice(
        order={"best": Order.BEST, "worst": Order.WORST}.get(order or "", Order.SAMPLED),
        only={"no-signal": Only.NO_SIGNAL, "cut-off": Only.CUT_OFF}.get(only or "", Only.ALL),
        search=search,
    )
    with console.store() as store:
        found = rollouts_of(store, console.runs_root, run, step)
    chosen = choice.of(found.groups)
    if console.wants_json:
        told = {"run_id": found.run_id, "step": found.taken.step, "steps": found.steps}
        console.result(to_json({**told, "groups": [_group_dict(each) for each in chosen]}, indent=2))
        return
    taken = found.taken
    reward = f"mean reward {number_text(taken.mean_reward)}"
    console.result(f"step {taken.step}: {taken.answers} answers to {taken.groups} prompts, {reward}")
    console.result("\n".join(groups_text(chosen, console.style) or ["", "no answer is like that"]))


def _group_dict(chosen: ChosenGroup) -> dict[str, object]:
    answers = [answer.model_dump() for answer in chosen.answers]
    return {**chosen.group.model_dump(), "advantage_free": chosen.group.advantage_free, "answers": answers}


def groups_text(chosen: Sequence[ChosenGroup], style: Style) -> list[str]:
    """Groups as a person reads them."""
    lines: list[str] = []
    for each in chosen:
        group = each.group
        signal = "  no signal: all answers earned the same" if group.advantage_free else ""
        lines += ["", f"{style(f'group {group.group}', bold=True)}{style(signal, 'yellow')}"]
        lines += [f"  prompt  {one_line(group.prompt, 300)}"]
        lines += [f"  wanted  {one_line(group.reference, 300)}"] if group.reference else []
        lines += [line for answer in each.answers for line in _answer(answer, style)]
    return lines


def _answer(answer: Rollout, style: Style) -> list[str]:
    head = f"  {number_text(answer.reward):>6}  {answer.tokens} tokens, {one_line(answer.stop, 40) or 'ended'}"
    text = plain_text(answer.text).strip() or "(nothing)"
    return [style(head, bold=True), *(f"    {line}" for line in text.split("\n"))]
