"""What the commands on data share: how rows are read, whose tokens are counted, sizes, and progress on one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.options import Decorator, backend_option
from tcao_tui.errors import TcaoError, UsageError

if TYPE_CHECKING:
    from tcao_tui.data.mix import Source
    from tcao_tui.domain.capabilities import ModelInfo
    from tcao_tui.domain.data_profile import FieldMap

_DEFAULT_TOKENS = 4096


def fields_options() -> Decorator:
    """How rows are read, where that is not what is found."""
    options = (
        click.option("--format", "data_format", metavar="NAME", help="Format of the rows; empty: detected."),
        click.option("--input-field", metavar="NAME", help="Column that holds the prompt."),
        click.option("--output-field", metavar="NAME", help="Column that holds the answer."),
        click.option("--chosen-field", metavar="NAME", help="Column of the better answer of a pair."),
        click.option("--rejected-field", metavar="NAME", help="Column of the worse answer."),
    )
    return _all(options)


def model_options(default: str | None) -> Decorator:
    """Whose tokens are counted."""
    options = (
        click.option(
            "--model", metavar="NAME", default=default, show_default=default is not None,
            help="Count tokens as this model does: a model of the backend, a Hugging Face name or a folder.",
        ),
        backend_option(),
        click.option("--renderer", metavar="NAME", help="Chat format; empty: the one recommended for the model."),
        click.option(
            "--max-seq-len", type=click.IntRange(min=1), default=_DEFAULT_TOKENS, show_default=True,
            help="Tokens per row; longer rows are cut.",
        ),
    )  # fmt: skip
    return _all(options)


def _all(options: Sequence[Decorator]) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def field_map(**given: str | None) -> FieldMap | None:
    """How rows are read as far as it was said; None when nothing was."""
    from tcao_tui.domain.data_profile import FieldMap

    said = {name: value for name, value in given.items() if value}
    return FieldMap(data_format=said.pop("data_format", ""), **said) if said else None


def model_info(console: CliContext, name: str, backend: str | None) -> ModelInfo:
    """What the backend says of a model; one that it does not serve is known by its name alone, and by its tokenizer."""
    from tcao_tui.domain.capabilities import ModelInfo
    from tcao_tui.domain.plan import PriceQuote
    from tcao_tui.services.models import capabilities

    profile = console.profile(backend)
    try:
        known = capabilities(profile, start_engine=False).model(name)
    except TcaoError:
        known = None
    return known or ModelInfo(name=name, price=PriceQuote(backend=profile.name, source="not asked"))


def row_count(size: str, rows: int, option: str) -> int:
    """A number of rows, or a share of `rows` in percent. Raises `UsageError`."""
    try:
        if size.endswith("%"):
            return round(rows * float(size[:-1]) / 100)
        return int(size)
    except ValueError:
        raise UsageError(
            f"{size!r} is no number of rows", where=option, next_step="give one such as 200 or 10%"
        ) from None


@contextmanager
def progress(console: CliContext, path: Path) -> Generator[Callable[[int, int], None] | None]:
    """Draws over one line on stderr while a file is read, and clears it afterwards; None where nothing may be drawn."""
    if not console.draws_progress:
        yield None
        return
    from tcao_tui.domain.plain_text import one_line
    from tcao_tui.domain.wording import bytes_text

    def draw(done: int, total: int) -> None:
        text = f"reading {one_line(path.name, 40)}: {bytes_text(done)} of {bytes_text(total)}"
        click.echo(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K", err=True, nl=False)

    try:
        yield draw
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


def weighted_file(text: str, fields: FieldMap | None) -> Source:
    """`FILE:WEIGHT`; a weight of 1 where none is given. Raises `UsageError` where the weight is no number."""
    from tcao_tui.data.mix import Source

    path, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return Source(Path(text), fields=fields)
    try:
        return Source(Path(path), float(weight), fields)
    except ValueError:
        raise UsageError(f"{weight!r} is no weight", where=text, next_step="write FILE:3 or FILE:0.5") from None
