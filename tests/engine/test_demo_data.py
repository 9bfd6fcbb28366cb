"""The demo files are what their generator makes, nothing leaks between them, and LoRA learns the task."""

from __future__ import annotations

import itertools
import json

import pytest

from tcao_tui.engine.tiny_model import demo_data, problem_data
from tcao_tui.engine.tiny_model.corpus import conversations
from tcao_tui.engine.tiny_model.tickets import Split, load_phrases
from tcao_tui.paths import templates_dir


def committed(name: str) -> str:
    return (templates_dir() / "demo" / name).read_text("utf-8")


@pytest.mark.parametrize("name", [*demo_data.DEMO_FILES, *problem_data.PROBLEM_FILES])
def test_committed_file_is_what_the_generator_makes(name: str) -> None:
    assert committed(name) == {**demo_data.demo_texts(), **problem_data.problem_texts()}[name]


def test_no_message_is_in_two_files() -> None:
    messages = [json.loads(line)["input"] for name in demo_data.DEMO_FILES for line in committed(name).splitlines()]
    assert len(messages) == 1700
    assert len(set(messages)) == len(messages)


def test_no_problem_is_in_two_files() -> None:
    problems = [row["problem"] for rows in problem_data.problem_rows().values() for row in rows]
    assert len(set(problems)) == len(problems) == 560


def test_no_wording_of_the_demo_is_in_pre_training() -> None:
    assert not _wordings("pretraining") & _wordings("demo")


def _wordings(split: Split) -> set[str]:
    phrases = load_phrases(split)
    names = [phrases.names[slot] for slot in ("brands", "items", "cities")]
    by_label = [*phrases.about_queue.values(), *phrases.cues.values()]
    return set(itertools.chain(phrases.openers, phrases.about_noun, *by_label, *names))


def test_wanted_format_is_never_seen_in_pre_training() -> None:
    answers = {row["output"] for row in demo_data.demo_rows()["train.jsonl"]}
    assert len(answers) == 15
    said = [answer for _, turns in conversations(seed=20261123, count=5000) for _, answer in turns]
    assert not any('queue"' in answer or "urgency" in answer for answer in said)
    assert not answers & set(said)
