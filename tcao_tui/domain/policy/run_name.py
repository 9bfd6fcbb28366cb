"""The run's name: what it learns from, and how."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePath

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.policy.situation import Situation, filled

LONGEST = 48


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.run_name`, from the data file, else from the goal."""
    path = situation.text("training.train_file")
    split = next((s for s in situation.facts.splits if path and str(s.train) == path), None)
    stem = PurePath(path if split is None else str(split.source)).name.split(".", 1)[0]
    name, origin = (stem, "the data file") if slug(stem) else (situation.words, "the goal")
    if not slug(name):
        return {}
    return {"training.run_name": filled(f"{slug(name)}-{situation.method}", f"after {origin} and the method")}


def slug(text: str) -> str:
    """Lower-case letters and digits of a text joined by dashes, at most 48 characters; "" when it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST].strip("-")
