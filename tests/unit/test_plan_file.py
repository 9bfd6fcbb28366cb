from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.method_params import DistillParams, DpoParams, RlhfParams, RlParams
from tcao_tui.domain.plan import (
    BenchmarkSpec,
    Budget,
    DataHashes,
    Decision,
    EvalPlan,
    Plan,
    ScoreSpec,
    Success,
)
from tcao_tui.domain.training_config import RUN_NAME_PATTERN, TrainingConfig
from tcao_tui.errors import ExitCode, PlanInvalid
from tcao_tui.store.plan_file import read_plan, write_plan
from tcao_tui.store.yaml_document import MAX_BYTES, InvalidFile

CONFIG = "base_model: m\nrun_name: r\ntrain_file: a.jsonl\nlearning_rate: 1e-4\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/~"), min_size=1, max_size=20)
PATH = WORD.map(lambda word: Path("/data") / f"f{word}")


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        read_plan(path)
    assert caught.value.exit_code == ExitCode.PLAN_INVALID
    return [f"{p.path.name}:{p.line} {p.key}: {p.what}" for p in caught.value.problems]


def written(directory: Path, text: str, name: str = "plan.yaml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def trainings() -> st.SearchStrategy[TrainingConfig]:
    return st.builds(
        TrainingConfig,
        base_model=WORD,
        run_name=st.from_regex(RUN_NAME_PATTERN, fullmatch=True),
        train_file=PATH,
        val_file=st.none() | WORD.map(lambda word: Path("/val") / f"f{word}"),
        lora_rank=st.sampled_from([1, 2, 64]),
        learning_rate=st.floats(1e-12, 1),
        adam_eps=st.floats(1e-300, 1e10),
        seed=st.integers(-(2**31), 2**31),
        train_mlp=st.booleans(),
        renderer_name=st.none() | TEXT,
        output_field=WORD.map(lambda word: "o" + word),
        input_field=WORD.map(lambda word: "i" + word),
        num_steps=st.integers(1, 10**9),
    )


def plans() -> st.SearchStrategy[Plan]:
    scores = st.none() | st.builds(ScoreSpec, file=PATH, grader=TEXT)
    benchmark = st.builds(BenchmarkSpec, name=WORD, limit=st.none() | st.integers(1, 10**6), why=TEXT)
    evals = st.builds(
        EvalPlan,
        sample_prompts=st.lists(TEXT, max_size=3).map(tuple),
        score=scores,
        benchmarks=st.lists(benchmark, max_size=3).map(tuple),
    )
    decision = st.builds(Decision, path=TEXT, by=st.sampled_from(["you", "policy"]), reason=TEXT, source=TEXT)
    success = st.builds(Success, metric=TEXT, must_not_regress=st.lists(TEXT, max_size=2).map(tuple))
    section = st.sampled_from(
        [
            {"method": "sft"},
            {"method": "dpo", "dpo": DpoParams(beta=0.2, reference="base")},
            {"method": "rl", "rl": RlParams(grader="null")},
            {"method": "distill", "distill": DistillParams(teacher_model="t: x")},
            {"method": "rlhf", "rlhf": RlhfParams(), "start_from": "tinker://a/weights/b"},
        ]
    )
    budgets = st.builds(Budget, max_cost_usd=st.none() | st.floats(0, 1e9))
    hashes = st.builds(DataHashes, train_file=st.sampled_from(["", "1e5", "0123"]))
    plain = st.builds(
        Plan,
        goal=TEXT,
        training=trainings(),
        evals=evals,
        budget=budgets,
        data=hashes,
        success=success,
        decisions=st.lists(decision, max_size=3).map(tuple),
    )
    return st.builds(lambda plan, changes: plan.model_copy(update=changes), plain, section)


@settings(max_examples=60, deadline=None)
@given(plan=plans())
def test_what_is_written_reads_back_as_the_same_plan(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> None:
    directory = tmp_path_factory.mktemp("plan")
    write_plan(directory, plan)
    assert read_plan(directory / "plan.yaml") == plan
    assert sorted(p.name for p in directory.iterdir()) == ["plan.yaml", "training-config.yaml"]


def test_written_files_explain_every_field(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, CONFIG))
    write_plan(tmp_path, plan)
    text = (tmp_path / "training-config.yaml").read_text()
    for name, field in TrainingConfig.model_fields.items():
        assert f"# {field.description}\n{name}: " in text


def test_lists_of_sections_are_explained_once(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, CONFIG))
    evals = EvalPlan(benchmarks=(BenchmarkSpec(name="a", why="w"), BenchmarkSpec(name="b", limit=None)))
    write_plan(tmp_path, plan.model_copy(update={"evals": evals}))
    assert """  benchmarks:
    - # Task, such as inspect_evals/gsm8k.
      name: "a"
      # Samples, drawn with the plan's seed; empty: all.
      limit: 100
      # What it really measures and how it bears on the goal.
      why: "w"
    - name: "b"
      limit: null
      why: ''
""" in (tmp_path / "plan.yaml").read_text()


def test_all_problems_are_told_with_line_key_and_nearest_name(tmp_path: Path) -> None:
    text = (
        "goal: x\ntraining:\n  base_model: m\n  run_nam: r\n  train_file: a\n  learning_rate: 1e-4\n  lora_rank: 3\n"
        "  num_steps: true\nweight_decay: 0\nevals:\n  score: {file: b, graderr: x}\n"
    )
    assert problems_of(written(tmp_path, text)) == [
        "plan.yaml:2 training.run_name: is missing: add training.run_name, such as my-run-1",
        "plan.yaml:4 training.run_nam: unknown key: rename it to run_name",
        "plan.yaml:7 training.lora_rank: 3 is not a power of two; the nearest are 2 and 4: set it to 2 or 4",
        "plan.yaml:8 training.num_steps: true: write a whole number",
        "plan.yaml:9 weight_decay: unknown key: move it to training.weight_decay",
        "plan.yaml:11 evals.score.graderr: unknown key: rename it to grader",
    ]


def test_problems_of_a_config_beside_the_plan_name_that_file(tmp_path: Path) -> None:
    written(tmp_path, CONFIG + "lora_rnk: 8\n", "training-config.yaml")
    plan = written(tmp_path, "training: training-config.yaml\n")
    assert problems_of(plan) == ["training-config.yaml:5 training.lora_rnk: unknown key: rename it to lora_rank"]


def test_a_config_alone_is_a_plan_and_its_paths_are_absolute(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, CONFIG, "c.yaml"))
    assert plan.method == "sft"
    assert plan.training.train_file == tmp_path / "a.jsonl"
    assert plan.training.learning_rate == 1e-4


def test_a_plan_and_a_config_in_another_folder_each_name_files_beside_themselves(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    written(tmp_path / "configs", CONFIG, "c.yaml")
    plan = read_plan(written(tmp_path, "training: configs/c.yaml\nevals: {score: {file: s.jsonl}}\n"))
    assert plan.training.train_file == tmp_path / "configs" / "a.jsonl"
    assert plan.evals.score is not None
    assert plan.evals.score.file == tmp_path / "s.jsonl"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("a: " + "[" * 400, "nested"),
        ("goal: 1\ngoal: 2\n", "given twice, first on line 1"),
        ("goal: !!python/object/apply:os.system [ls]\n", "tag"),
        ("- a\n", "mapping"),
        ("", "mapping"),
        ("goal: [\n", "not YAML"),
        ("goal: \x07\n", "not YAML"),
        ("training: nope.yaml\n", "no file beside"),
        ("a: 1\n---\nb: 2\n", "second"),
        ("? [a, b]\n: 1\n", "a key must be a word"),
        (CONFIG + "seed: 99999999999999999999999999999999\n", "seed"),
        (CONFIG + "train_mlp: no\n", "true or false"),
        (CONFIG + "weight_decay: .nan\n", "finite"),
        ("x" * (MAX_BYTES + 1), "larger"),
    ],
)
def test_what_no_plan_should_hold_is_an_error_not_a_crash(tmp_path: Path, text: str, said: str) -> None:
    assert said in " ".join(problems_of(written(tmp_path, text)))


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200) | TEXT.map(str.encode) | TEXT.map(lambda t: CONFIG.encode() + t.encode()))
def test_any_bytes_are_a_plan_or_a_told_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "plan.yaml"
    path.write_bytes(raw)
    # Nothing but a told error may come out of any bytes.
    with suppress(PlanInvalid):
        assert isinstance(read_plan(path), Plan)


def test_a_pipe_in_place_of_a_plan_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.yaml")
    assert "regular file" in problems_of(tmp_path / "plan.yaml")[0]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan(written(tmp_path, CONFIG, "c.yaml"))
    write_plan(tmp_path, plan)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_plan(tmp_path, plan.model_copy(update={"goal": "other"}))
    assert read_plan(tmp_path / "plan.yaml") == plan
    assert not list(tmp_path.glob(".*"))
