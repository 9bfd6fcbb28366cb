"""The demo files are what their generator makes, nothing leaks between them, and LoRA learns the task."""

from __future__ import annotations

import itertools
import json

import pytest

from tcao_tui.engine.tiny_model import demo_data
from tcao_tui.engine.tiny_model.corpus import conversations
from tcao_tui.engine.tiny_model.tickets import Split, load_phrases
from tcao_tui.paths import templates_dir

SPLITS: tuple[Split, ...] = ("pretraining", "train", "validation", "test")


def committed(split: Split) -> str:
    return (templates_dir() / "demo" / demo_data.DEMO_FILES[split][0]).read_text("utf-8")


@pytest.mark.parametrize("split", SPLITS[1:])
def test_committed_file_is_what_the_generator_makes(split: Split) -> None:
    assert committed(split) == demo_data.demo_text(split)


def test_no_message_is_in_two_files() -> None:
    messages = [json.loads(line)["input"] for split in SPLITS[1:] for line in committed(split).splitlines()]
    assert len(messages) == 1700
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(("one", "other"), itertools.combinations(SPLITS, 2))
def test_no_wording_is_in_two_splits(one: Split, other: Split) -> None:
    assert not _wordings(one) & _wordings(other)


def _wordings(split: Split) -> set[str]:
    phrases = load_phrases(split)
    names = [phrases.names[slot] for slot in ("brands", "items", "cities")]
    by_label = [*phrases.about_queue.values(), *phrases.cues.values()]
    return set(itertools.chain(phrases.openers, phrases.about_noun, *by_label, *names))


def test_wanted_format_is_never_seen_in_pre_training() -> None:
    answers = {row["output"] for row in demo_data.demo_rows("train")}
    assert len(answers) == 15
    said = [answer for _, turns in conversations(seed=20261123, count=5000) for _, answer in turns]
    assert not any('queue"' in answer or "urgency" in answer for answer in said)
    assert not answers & set(said)
