"""Secrets never enter the context of a model: what looks like a key is cut out of everything that is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

_MARK = "[secret]"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_SHORTEST = 8
_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|tml|hf|gh[oprsu]|github_pat|glpat|xox[abprs]|key)[-_][A-Za-z0-9_-]{16,}"
    r"|\bA(?:KI|SI)A[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)


class Scrubber:
    """Cuts secrets out of text.

    Args:
        environ: Values of variables whose name says that they are secret are cut out, whatever they look like.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {value for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
        known = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
        self._known = re.compile(known) if known else None

    def clean(self, text: str) -> str:
        """`text` with `[secret]` in place of each secret."""
        if self._known is not None:
            text = self._known.sub(_MARK, text)
        return _SHAPES.sub(_MARK, text)

    def clean_json(self, value: JsonValue) -> JsonValue:
        """A JSON value with every string in it cleaned, names of fields included."""
        match value:
            case str():
                return self.clean(value)
            case list():
                return [self.clean_json(one) for one in value]
            case dict():
                return {self.clean(name): self.clean_json(one) for name, one in value.items()}
            case _:
                return value
