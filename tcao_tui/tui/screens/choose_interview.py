"""Which interview to open: a new one, or one that was left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from textual.app import App

from tcao_tui.domain.wording import duration_text
from tcao_tui.store.interviews import InterviewSummary
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.messages import OpenInterview
from tcao_tui.tui.screens.choose import ChooseScreen

_NEW = "new"
_MOST = 200


def choose_interview(app: App[Any], summaries: Sequence[InterviewSummary], *, now: float | None = None) -> None:
    """Open a new interview at once when there is no other, else ask.

    Args:
        app: Shows the question.
        summaries: The interviews, the one that moved last first.
        now: Unix seconds.
    """
    if not summaries:
        app.post_message(OpenInterview(InterviewWanted()))
        return

    def chosen(name: str | None) -> None:
        if name is not None:
            app.post_message(OpenInterview(InterviewWanted(interview_id="" if name == _NEW else name)))

    at = time.time() if now is None else now
    choices = [(_NEW, "a new interview"), *((each.interview_id, _told(each, at)) for each in summaries[:_MOST])]
    app.push_screen(ChooseScreen("Plan a run in", choices), chosen)


def _told(summary: InterviewSummary, now: float) -> str:
    age = duration_text(max(now - summary.updated_at, 0.0))
    return f"{summary.title or 'nothing said yet'}, {summary.status}, {age} ago"
