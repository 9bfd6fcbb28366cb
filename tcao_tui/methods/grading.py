"""A grader at work: what it cannot judge is unscored, and so is what makes it fail, which is told once.

Graders may be other people's code, so that whatever they raise ends here.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from tcao_tui.graders import open_grader

_logger = logging.getLogger(__name__)


class Judge:
    """One grader.

    Args:
        spec: Name of the grader, with its argument after a colon.
        tell: Told of its first failure, one sentence for people.

    Raises:
        UsageError: There is no such grader.
        PlanInvalid: It does not take this argument.
    """

    def __init__(self, spec: str, tell: Callable[[str], None]) -> None:
        self.spec = spec
        self._grader, self._tell = open_grader(spec), tell
        self._failed = False

    def grade(self, answer: str, reference: str) -> float | None:
        """How right an answer is, 0 to 1 for most graders; None when it could not be judged."""
        try:
            verdict = self._grader.grade(answer, reference)
            if verdict is None or math.isfinite(verdict):
                return None if verdict is None else float(verdict)
            raise ValueError(f"it gave {verdict}, which is no score")
        except Exception as error:
            if not self._failed:
                self._failed = True
                _logger.exception("grader %s failed", self.spec)
                why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                self._tell(f"grader {self.spec} failed ({why}): answers that make it fail stay unscored")
            return None
