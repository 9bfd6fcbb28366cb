"""Rows as the scripts of a plan read them: the same turns and tokens that the console trains."""

from __future__ import annotations

import gzip
import importlib.util
import json
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pyarrow
import pyarrow.parquet
import pytest
from tinker_cookbook.renderers import TrainOnWhat
from transformers import AutoTokenizer

from tcao_tui.clients.tinker_port import TinkerBackend
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods.evaluation import read_score_rows
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.paths import TINY_MODEL, TINY_MODEL_NAME, templates_dir
from tcao_tui.planner.artefacts.write import write_artefacts
from tests.fakes.recording_context import RecordingContext

TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
FROM = [{"from": "system", "value": "be"}, {"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]
THINKING = [
    TURNS[0],
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ho"}]},
]
READ_ALIKE: list[tuple[FieldMap, dict[str, Any]]] = [
    (FieldMap(data_format="input_output"), {"input": "a", "output": "b"}),
    (FieldMap(data_format=""), {"input": "a", "output": "b"}),
    (FieldMap(data_format=""), {"messages": TURNS}),
    (FieldMap(data_format="input_output"), {"input": TURNS[:1], "output": "b", "system": "be"}),
    (FieldMap(data_format="input_output"), {"input": "a", "output": '[{"queue": "x"}]'}),
    (
        FieldMap(data_format="input_output", input_field="question", output_field="answer"),
        {"question": "1+1", "answer": "#### 2"},
    ),
    (FieldMap(data_format="messages", input_field="messages"), {"messages": THINKING}),
    (FieldMap(data_format="messages", input_field="dialogue"), {"dialogue": TURNS, "system": "be"}),
    (FieldMap(data_format="sharegpt", input_field="conversations"), {"conversations": FROM}),
    (FieldMap(data_format="alpaca", input_field="instruction"), {"instruction": "do", "input": "it", "output": "done"}),
    (FieldMap(data_format="alpaca", input_field="instruction"), {"instruction": "do", "input": "", "output": "done"}),
]


@pytest.fixture(scope="module")
def reading() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plan_script", templates_dir() / "scripts" / "plan.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_config(fields: FieldMap) -> dict[str, Any]:
    return {**fields.model_dump(), "data_format": fields.data_format or None}


def ours(path: Path, fields: FieldMap) -> list[Any]:
    rows = list(RowReader(path, fields, Problems(), kind="chat"))
    assert rows
    return [row.conversation for row in rows if isinstance(row, ChatRow)]


@pytest.mark.parametrize(("fields", "row"), READ_ALIKE, ids=range(len(READ_ALIKE)))
def test_rows_are_read_as_the_console_reads_them(
    tmp_path: Path, reading: ModuleType, fields: FieldMap, row: dict[str, Any]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n\n")
    assert list(reading.conversations(path, as_config(fields), None)) == ours(path, fields)


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.json", "rows.csv", "rows.tsv", "rows.parquet"])
def test_files_of_every_kind_are_read(tmp_path: Path, reading: ModuleType, name: str) -> None:
    path, rows = tmp_path / name, [{"input": "ä, b", "output": 'say "x"'}, {"input": "c", "output": "d"}]
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    elif name.endswith(".json"):
        path.write_text("\ufeff" + json.dumps(rows))
    elif name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        mark = "\t" if name.endswith(".tsv") else ","
        path.write_text(f'input{mark}output\n"ä, b"{mark}"say ""x"""\nc{mark}d\n')
    assert reading.read_rows(path) == rows


def test_of_a_pair_the_better_answer_is_imitated(reading: ModuleType) -> None:
    config = as_config(FieldMap(data_format="preference"))
    row = {"prompt": "hi", "chosen": "good", "rejected": "bad"}
    wanted = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "good"}]
    assert reading.conversation(row, config) == wanted
    listed = {"prompt": "hi", "chosen": wanted, "rejected": [wanted[0], {"role": "assistant", "content": "bad"}]}
    assert reading.conversation({**listed, "prompt": wanted[:1]}, config) == wanted


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, reading: ModuleType) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "a", "output": "b"}\n{"question": "a"}\n')
    with pytest.raises(SystemExit, match=r"rows\.jsonl, row 2: KeyError\('input'\); it has: 'question'"):
        list(reading.conversations(path, as_config(FieldMap(data_format="input_output")), None))


TOOL = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
CALL = {"type": "function", "id": "1", "function": {"name": "look", "arguments": {"at": 1}}}
CALLING = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]},
    {"role": "tool", "content": "3", "tool_call_id": "1"},
    {"role": "assistant", "content": "ho"},
]
CALLED = [
    {"from": "human", "value": "hi"},
    {"from": "function_call", "value": json.dumps({"name": "look", "arguments": {"at": 1}})},
    {"from": "observation", "value": "3"},
    {"from": "gpt", "value": "ho"},
]


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        (FieldMap(data_format="messages", input_field="messages"), {"messages": CALLING, "tools": [TOOL]}),
        (
            FieldMap(data_format="messages", input_field="messages"),
            {"messages": [{"role": "system", "content": "be"}, *CALLING], "tools": json.dumps([TOOL])},
        ),
        (FieldMap(data_format="sharegpt", input_field="conversations"), {"conversations": CALLED, "tools": [TOOL]}),
        (FieldMap(data_format="messages", input_field="messages"), {"messages": CALLING}),
    ],
)
def test_tools_and_their_calls_become_the_tokens_that_the_console_trains(
    tmp_path: Path, reading: ModuleType, fields: FieldMap, row: dict[str, Any]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    tokenizer = AutoTokenizer.from_pretrained(TINY_MODEL)
    config = TrainingConfig(
        base_model=TINY_MODEL_NAME, run_name="r", train_file=path, learning_rate=1e-3, renderer_name="qwen3"
    )
    ours = ChatRenderer(config, tokenizer)
    [wanted] = RowReader(path, fields, Problems(), kind="chat")
    assert isinstance(wanted, ChatRow)
    theirs = reading.load_renderer(config.model_dump(mode="json"), tokenizer)
    [turns] = reading.conversations(path, as_config(fields), theirs)
    model_input, weights = theirs.build_supervised_example(turns, TrainOnWhat.ALL_ASSISTANT_MESSAGES)
    assert (model_input.to_ints(), (weights > 0).tolist()) == ours.trained_tokens(wanted)


@pytest.mark.parametrize(
    ("training", "score", "row"),
    [
        ({"data_format": "problem", "input_field": "q", "output_field": "a"}, {}, {"q": "1+1", "a": "so\n#### 2"}),
        ({"data_format": "input_output", "input_field": "q", "output_field": "a"}, {}, {"q": "1+1", "a": "so\n#### 2"}),
        ({}, {"input_field": "question", "output_field": "answer"}, {"question": "1+1", "answer": "so\n#### 2"}),
        ({"data_format": "preference"}, {}, {"input": "1+1", "output": "2"}),
        ({}, {}, {"messages": [{"role": "system", "content": "be"}, *TURNS]}),
    ],
)
def test_the_eval_asks_and_wants_what_the_console_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    training: dict[str, Any],
    score: dict[str, Any],
    row: dict[str, Any],
) -> None:
    file = tmp_path / "test.jsonl"
    file.write_text(json.dumps(row) + "\n")
    spec = ScoreSpec(file=file, **score)
    config = TrainingConfig(base_model="m", run_name="r", train_file=file, learning_rate=1e-3, **training)
    plan = Plan(training=config, evals=EvalPlan(score=spec))
    write_artefacts(tmp_path, plan, sheet_of({}, Facts()), Facts())
    monkeypatch.syspath_prepend(str(tmp_path / "scripts"))
    found = runpy.run_path(str(tmp_path / "scripts" / "eval_offline.py"))
    for sibling in ("answers", "grader", "plan"):
        sys.modules.pop(sibling, None)
    pairs = found["read_pairs"](file, config.model_dump(mode="json"), spec.model_dump(mode="json"), None, 10)
    wanted = read_score_rows(RecordingContext(plan, cast("TinkerBackend", None)), spec)
    assert pairs == [(list(asked.prompt), asked.reference) for asked in wanted]
