"""`tcao chat`: talk to checkpoints and base models, alone or side by side."""

from __future__ import annotations

from pathlib import Path

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option


@click.command(
    epilog="""\b
Examples:
  tcao chat latest                                    line by line; /help says more
  tcao chat base latest -p "Where is my parcel?"      before and after the training
  tcao chat base latest:40 latest --blind --save-as pair:pairs.jsonl
  tcao chat base latest --prompts eval.jsonl --output stream-json > answers.jsonl
"""
)
@click.argument("contenders", nargs=-1, metavar="[CKPT]...")
@click.option("-p", "--prompt", metavar="TEXT", help="Ask this and leave; - reads it from stdin.")
@click.option(
    "--prompts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask every prompt of a data file, or of a .txt file with one on each line.",
)
@click.option("--system", default="", metavar="TEXT", help="System prompt.")
@click.option("--temperature", type=click.FloatRange(0, 5), help="0 takes the likeliest token.  [default: 0.7]")
@click.option("--max-tokens", type=click.IntRange(1), help="Most tokens of an answer.  [default: 1024]")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Share of the probability sampled from.")
@click.option("--seed", type=click.IntRange(0), help="Makes answers repeatable.")
@click.option("--thinking/--no-thinking", default=None, help="Choose the chat format by whether it thinks first.")
@click.option("--renderer", default="", metavar="NAME", help="Chat format, where it is not the one of the training.")
@click.option("--blind", "is_blind", is_flag=True, help="Tell who answered only after the vote.")
@click.option("--save-as", metavar="KIND:FILE", help="Keep votes as pair:FILE, or rounds as rows:FILE or case:FILE.")
@click.option("--continue", "going_on", metavar="CHAT", help="Go on with a conversation: its id, or latest.")
@click.option("--list", "lists", is_flag=True, help="List conversations that can be gone on with.")
@click.option("--at-once", type=click.IntRange(1, 256), default=16, show_default=True, help="Answers of --prompts.")
@backend_option()
@output_option("text", "json", "stream-json")
@pass_context
def chat(
    console: CliContext,
    *,
    contenders: tuple[str, ...],
    prompt: str | None,
    prompts: Path | None,
    system: str,
    temperature: float | None,
    max_tokens: int | None,
    top_p: float | None,
    seed: int | None,
    thinking: bool | None,
    renderer: str,
    is_blind: bool,
    save_as: str | None,
    going_on: str | None,
    lists: bool,
    at_once: int,
    backend: str | None,
) -> int:
    """Talk to CKPT, one to four of them side by side.

    CKPT is a run (its newest checkpoint), RUN:STEP, a tinker:// path, the name of a base model, or `base`, which is the
    base model of the other ones. A vote ends a round: the next prompt stands alone.
    """
    from tcao_tui.cli.chat_request import ChatRequest, carry_out

    given = {"temperature": temperature, "max_tokens": max_tokens, "top_p": top_p, "seed": seed, "thinking": thinking}
    return carry_out(
        console,
        ChatRequest(
            contenders=contenders,
            prompt=prompt,
            prompts=prompts,
            system=system,
            settings={key: value for key, value in given.items() if value is not None},
            renderer=renderer,
            is_blind=is_blind,
            save_as=save_as,
            going_on=going_on,
            lists=lists,
            at_once=at_once,
            backend=backend,
        ),
    )
