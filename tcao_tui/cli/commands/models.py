"""`tcao models`: what a backend offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import backend_option, output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.cli.render.text import table
from tcao_tui.domain.model_names import size_text
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import UseCase
from tcao_tui.domain.wording import UNKNOWN

if TYPE_CHECKING:
    from tcao_tui.domain.capabilities import Capabilities, ModelInfo

THINKING = {"base": "base model", "instruct": "no", "reasoning": "always", "hybrid": "either", "unknown": UNKNOWN}
HEADER = ("", "MODEL", "SIZE", "CONTEXT", "TRAIN", "PREFILL", "SAMPLE", "THINKS", "CHAT FORMAT")


@click.command(
    epilog="""\b
Examples:
  tcao models                              what the backend offers; * is recommended
  tcao models --for code --backend tinker
  tcao models --output json | jq -r '.models[] | select(.trainable) | .name'
"""
)
@backend_option()
@click.option(
    "--for", "use_case", type=click.Choice(get_args(UseCase)), default="chat", show_default=True, help="Kind of use."
)
@click.option("--refresh", is_flag=True, help="Ask again instead of taking an answer of the last minutes.")
@output_option("text", "json")
@pass_context
def models(console: CliContext, backend: str | None, use_case: UseCase, refresh: bool) -> None:
    """List base models with size, context length, price, thinking, and the one that is recommended.

    Starts the local engine where that is the backend. Prices are US dollars per million tokens.
    """
    from tcao_tui.domain.policy.base_model import recommended
    from tcao_tui.services.models import capabilities

    found = capabilities(console.profile(backend), fresh=refresh)
    best = recommended(found, use_case)
    if console.wants_json:
        told = found.model_dump(mode="json")
        console.result(to_json({**told, "use_case": use_case, "recommended": best.name if best else None}, indent=2))
        return
    console.result("\n".join(lines(found, best, console)))
    for source in sorted({model.price.source for model in found.models}):
        console.progress(f"USD per million tokens, {one_line(source)}")


def lines(found: Capabilities, best: ModelInfo | None, console: CliContext) -> list[str]:
    """The table; the recommended model is marked."""
    rows = [_row(model, is_best=best is not None and model.name == best.name) for model in found.models]
    header, *body = table(HEADER, rows, right=frozenset({3, 4, 5, 6}))
    return [console.style(header.rstrip(), dim=True), *(line.rstrip() for line in body)]


def _row(model: ModelInfo, *, is_best: bool) -> tuple[str, ...]:
    price = model.price
    return (
        "*" if is_best else "",
        one_line(model.name, 80) if model.trainable else f"{one_line(model.name, 80)} (sampling only)",
        size_text(model) or UNKNOWN,
        UNKNOWN if model.context_length is None else f"{model.context_length:,}",
        *(_price(usd) for usd in (price.train_usd, price.prefill_usd, price.sample_usd)),
        THINKING[model.training],
        one_line(model.renderers[0], 30) if model.renderers else UNKNOWN,
    )


def _price(usd: float | None) -> str:
    return "?" if usd is None else "free" if usd == 0 else f"${usd:g}"
