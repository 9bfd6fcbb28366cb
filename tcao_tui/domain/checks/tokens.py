"""Training rows as the model sees them: cut, without loss, refused. Needs tokens of this model, renderer and cut."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import TokenStats
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.hyperparams import power_of_two_at_least
from tcao_tui.domain.plain_text import one_line

CUT_WARNING, CUT_ERROR = 0.01, 0.20
"""Shares of cut rows: answers that end in the middle teach to stop there, and a fifth of them is no accident."""

_KEY = "training.train_file"


def check_tokens(find: Finder, subject: Subject) -> Iterator[Finding]:
    """What cutting and masking does to the rows."""
    tokens = subject.tokens
    if tokens is None or not tokens.rows_measured:
        return
    yield from _cut(find, subject, tokens)
    yield from _without_loss(find, subject, tokens)
    if tokens.refused_rows:
        yield find.error(
            _KEY,
            got=f"renderer {one_line(tokens.renderer, 60)} refuses {_share(tokens.refused_rows, tokens)}: "
            f"{one_line(tokens.refusal, 200)}",
            expected="rows that the renderer can write",
            fix="correct or remove them, or choose another training.renderer_name",
            where=_place(subject, tokens.first_refused),
        )


def why_unmeasured(subject: Subject) -> str:
    """Why the tokens of the training rows are not known; empty when they are."""
    profile = subject.profile("train_file")
    if profile is None or not profile.rows or subject.tokens is not None:
        return ""
    if subject.facts.capabilities is None:
        return "tokens are not counted: the server's models are not known"
    if subject.model is None or subject.renderer is None:
        return "tokens are not counted: the model and its renderer are not known"
    if profile.tokens is None:
        return f"tokens are not counted: {one_line(profile.tokens_why_not, 200) or 'not measured yet'}"
    measured, config = profile.tokens, subject.config
    wanted = f"{one_line(config.base_model, 60)}, {subject.renderer}, {config.max_seq_len} tokens"
    found = f"{one_line(measured.model, 60)}, {one_line(measured.renderer, 60)}, {measured.max_seq_len} tokens"
    return f"tokens were counted for {found}, and the plan says {wanted}: inspect the training file again"


def _cut(find: Finder, subject: Subject, tokens: TokenStats) -> Iterator[Finding]:
    limit, cut = subject.config.max_seq_len, tokens.truncated_rows
    if not cut:
        return
    share = cut / tokens.rows_measured
    say = find.error if share > CUT_ERROR else find.warning if share > CUT_WARNING else find.note
    context = subject.model.context_length if subject.model is not None else None
    needed = power_of_two_at_least(tokens.row.max)
    enough = needed if context is None or needed <= context else context
    yield say(
        "training.max_seq_len",
        got=f"{_share(cut, tokens)} are longer than {limit} tokens and cut; the longest has {tokens.row.max:,}",
        expected=f"less than {CUT_WARNING:.0%} of the rows cut",
        fix=f"set training.max_seq_len to {enough}, or shorten the rows",
        where=_place(subject, tokens.first_truncated),
    )


def _without_loss(find: Finder, subject: Subject, tokens: TokenStats) -> Iterator[Finding]:
    if not tokens.empty_mask_rows:
        return
    is_all = tokens.empty_mask_rows >= tokens.rows_measured
    say = find.error if is_all else find.warning
    yield say(
        "training.train_on_what" if is_all and not tokens.truncated_rows else "training.max_seq_len",
        got=f"{_share(tokens.empty_mask_rows, tokens)} have no token that carries loss, so they teach nothing",
        expected="answers that are trained on",
        fix="set training.train_on_what to all_assistant_messages, and training.max_seq_len past the prompts",
        where=_place(subject, tokens.first_empty_mask),
    )


def _share(count: int, tokens: TokenStats) -> str:
    of = f"{tokens.rows_measured:,} {'sampled ' if tokens.measured == 'sample' else ''}rows"
    return f"{count:,} of {of} ({count / tokens.rows_measured:.1%})"


def _place(subject: Subject, line: int) -> str:
    path = one_line(str(subject.config.train_file))
    return f"{path}:{line}" if line else path
