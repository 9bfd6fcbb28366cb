"""What policy makes of goal and data: the use, the method, the base model and its chat format."""

from __future__ import annotations

from typing import Any

import pytest

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.data_profile import DataProfile, FieldMap
from tcao_tui.domain.draft import Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.model_names import family_of, nearest_models, parameters_in, size_text
from tcao_tui.domain.policy.base_model import recommended
from tcao_tui.domain.policy.complete import complete
from tcao_tui.domain.policy.renderer import thinks
from tests.fakes import offered_models as lab
from tests.fakes.offered_models import CAPPED, ENGINE, LARGE, MIXTURE, PAID_SERVER, SMALL, SWEPT, TRAIN, known, said


def decided(path: str, draft: Draft, facts: Facts) -> Filled:
    return complete(draft, facts)[path]


def with_models(server: Capabilities, *models: Any) -> Capabilities:
    return server.model_copy(update={"models": models})


@pytest.mark.parametrize(
    ("goal", "rows", "use", "because"),
    [
        ("Write SQL from questions", {}, "code", "sql"),
        ("Call our API with the right arguments through function calls", {}, "tools", "function call"),
        ("Solve maths word problems", {}, "reasoning", "math"),
        ("Translate tickets into German", {}, "multilingual", "translat"),
        ("Refuse harmful requests", {}, "safety", "harmful"),
        ("Answer customers", {"answer_shape": "text", "has_tools": True}, "tools", "tools"),
        ("Answer customers", {"answer_shape": "text", "has_thinking": True}, "reasoning", "thinking"),
        ("Answer customers", {"answer_shape": "text", "languages": {"en": 0.7, "de": 0.3}}, "multilingual", "30%"),
        ("Answer customers", {"answer_shape": "text", "languages": {"en": 0.9, "de": 0.1}}, "chat", "neither"),
        ("Answer customers", {}, "reasoning", "final number"),
        ("Give reasonable refunds", {"answer_shape": "text"}, "chat", "neither"),
    ],
)
def test_the_use_follows_words_of_the_goal_and_then_the_rows(
    goal: str, rows: dict[str, Any], use: str, because: str
) -> None:
    filled = decided("use_case", said(goal=goal), known(lab.rows(**rows)))
    assert (filled.value, filled.by) == (use, "policy")
    assert because in filled.reason
    assert use not in [other.value for other in filled.alternatives]


PROMPTS = lab.rows(kind="prompt", kinds=("prompt",), answer_shape="text")
PROBLEMS = lab.rows(kind="problem", kinds=("problem", "prompt"), answer_shape="number")
PROSE = lab.rows(answer_shape="text", kinds=("chat", "prompt"))


@pytest.mark.parametrize(
    ("profile", "goal", "methods"),
    [
        (PROSE, "Answer customers", ["sft", "distill"]),
        (lab.pairs(), "Answer customers", ["dpo", "rlhf", "sft"]),
        (lab.pairs(), "Train a reward model and do RLHF", ["rlhf", "dpo", "sft"]),
        (PROBLEMS, "Solve problems", ["rl", "sft", "distill"]),
        (lab.rows(), "Solve problems", ["sft", "rl", "distill"]),
        (lab.rows(), "Use RL to solve problems", ["rl", "sft", "distill"]),
        (PROMPTS, "Answer customers", ["distill"]),
        (PROSE, "Become like our teacher", ["distill", "sft"]),
    ],
)
def test_the_method_follows_from_the_rows_and_the_goal(profile: DataProfile, goal: str, methods: list[str]) -> None:
    filled = decided("method", said(goal=goal), known(profile))
    assert [filled.value, *(other.value for other in filled.alternatives)] == methods
    assert f"{profile.rows:,}" in filled.reason


def test_a_teacher_that_was_named_means_distillation() -> None:
    draft = said(distill__teacher_model=LARGE.name)
    assert decided("method", draft, known(PROSE)).value == "distill"


def test_rl_needs_a_grader_that_can_check_the_answers() -> None:
    filled = decided("method", said(goal="Use RL"), known(PROBLEMS, graders=("includes",)))
    assert filled.value == "sft"
    assert "rl" not in [other.value for other in filled.alternatives]


def test_a_method_without_a_worker_says_where_it_ends() -> None:
    assert "stops at the approved plan" in decided("method", said(), known(lab.pairs())).reason
    runnable = known(lab.pairs(), methods=("sft", "dpo"))
    assert "stops" not in decided("method", said(), runnable).reason


@pytest.mark.parametrize(
    ("goal", "rows", "model"),
    [
        ("Answer customers", {}, MIXTURE.name),
        ("Answer customers with low latency", {}, SMALL.name),
        ("Answer customers in the best possible way", {}, SWEPT.name),
        ("File tickets", {"answer_shape": "label"}, SMALL.name),
        ("File tickets", {"answer_shape": "text", "answer_chars": lab.spread(40, 90, 120, 60_000)}, SMALL.name),
        ("Answer customers with a Nemotron", {}, SWEPT.name),
        ("Answer customers, but not with Qwen", {}, SWEPT.name),
        ("Answer customers with Qwen/Qwen3.5-397B-A17B", {}, LARGE.name),
        ("Answer customers with a model from zai-org", {}, CAPPED.name),
        ("Answer questions about nvidia cards", {}, MIXTURE.name),
    ],
)
def test_the_base_model_suits_goal_and_answers(goal: str, rows: dict[str, Any], model: str) -> None:
    filled = decided("training.base_model", said(goal=goal), known(lab.rows(**rows)))
    assert filled.value == model
    assert all(PAID_SERVER.model(other.value) for other in filled.alternatives)
    assert model not in [other.value for other in filled.alternatives]


def test_a_budget_rules_out_what_two_passes_would_spend_it_on() -> None:
    rich = decided("training.base_model", said(budget__max_cost_usd=50), known(lab.rows(count=30_000)))
    poor = decided("training.base_model", said(budget__max_cost_usd=6), known(lab.rows(count=30_000)))
    broke = decided("training.base_model", said(budget__max_cost_usd=1), known(lab.rows(count=30_000)))
    assert (rich.value, poor.value, broke.value) == (MIXTURE.name, SMALL.name, SMALL.name)


def test_rows_longer_than_a_context_need_another_model() -> None:
    long = known(lab.rows(tokens=lab.tokens(row=lab.spread(9000, 40_000, 50_000, 15_000_000))))
    assert decided("training.base_model", said(goal="Be quick"), long).value != SMALL.name


def test_models_that_only_sample_are_never_chosen() -> None:
    server = with_models(PAID_SERVER, MIXTURE.model_copy(update={"trainable": False}), SMALL)
    filled = decided("training.base_model", said(), known(server=server))
    assert (filled.value, filled.alternatives) == (SMALL.name, ())
    assert "training.base_model" not in complete(said(), known(server=with_models(PAID_SERVER)))


def test_a_base_model_without_chat_training_comes_after_its_sibling() -> None:
    assert recommended(PAID_SERVER, "chat") == MIXTURE


def test_models_without_a_price_come_after_those_with_one() -> None:
    unpriced = MIXTURE.model_copy(update={"name": "Qwen/Qwen3.7-30B-A3B", "price": lab.quote(None, None, None)})
    assert recommended(with_models(PAID_SERVER, unpriced, MIXTURE), "chat") == MIXTURE


def test_the_tiny_model_says_what_it_is_good_for() -> None:
    reason = decided("training.base_model", said(), known(server=ENGINE)).reason
    assert "0.64M" in reason
    assert "not what quality is possible" in reason


@pytest.mark.parametrize(
    ("model", "has_thinking", "renderer"),
    [
        (MIXTURE.name, False, "qwen3_5_disable_thinking"),
        (MIXTURE.name, True, "qwen3_5"),
        (CAPPED.name, False, "glm5_3_max_reasoning"),
    ],
)
def test_the_renderer_thinks_when_the_rows_do(model: str, has_thinking: bool, renderer: str) -> None:
    draft = said(training__base_model=model)
    filled = decided("training.renderer_name", draft, known(lab.rows(has_thinking=has_thinking)))
    assert filled.value == renderer
    assert ("made for the opposite" in filled.reason) is (thinks(renderer) is not has_thinking)


@pytest.mark.parametrize(
    ("rows", "renderer", "trained"),
    [
        ({"multi_turn_rows": 40}, "qwen3_5_disable_thinking", "all_assistant_messages"),
        ({"multi_turn_rows": 40}, "qwen3_5", "last_assistant_message"),
        ({"multi_turn_rows": 40}, "qwen3_5_preserve_thinking", "all_assistant_messages"),
    ],
)
def test_answers_are_trained_as_they_will_be_sampled(rows: dict[str, Any], renderer: str, trained: str) -> None:
    draft = said(training__base_model=MIXTURE.name, training__renderer_name=renderer)
    filled = decided("training.train_on_what", draft, known(lab.rows(**rows)))
    assert filled.value == trained
    assert "40 rows have several answers" in filled.reason
    assert "training.train_on_what" not in complete(draft, known())


def test_a_model_that_nobody_knows_gets_no_renderer() -> None:
    strange = with_models(PAID_SERVER, MIXTURE.model_copy(update={"renderers": ()}))
    assert "training.renderer_name" not in complete(said(), known(server=strange))


@pytest.mark.parametrize(
    ("gone", "nearest"),
    [
        ("Qwen/Qwen3.6-27B", "Qwen/Qwen3.6-35B-A3B"),
        ("qwen/qwen3-8b", "Qwen/Qwen3-8B"),
        ("meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-8B"),
        ("zai-org/GLM-5.3", "zai-org/GLM-5.3:peft:262144"),
        ("", "Qwen/Qwen3-8B"),
    ],
)
def test_a_retired_model_has_stand_ins_of_its_family_and_size(gone: str, nearest: str) -> None:
    found = [model.name for model in nearest_models(gone, PAID_SERVER.models)]
    assert found[0] == nearest
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "sizes", "family"),
    [
        ("Qwen/Qwen3.6-35B-A3B", (35_000_000_000, 3_000_000_000), "qwen3.6"),
        ("openai/gpt-oss-20b", (20_000_000_000, 20_000_000_000), "gpt-oss"),
        ("117B-A5.1B", (117_000_000_000, 5_100_000_000), ""),
        ("moonshotai/Kimi-K3.1-Pro", None, "kimi-k3.1-pro"),
        ("2.8T-A104B", (2_800_000_000_000, 104_000_000_000), ""),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", (30_000_000_000, 3_000_000_000), "nemotron-3-nano"),
        ("zai-org/GLM-5.3:peft:262144", None, "glm-5.3"),
    ],
)
def test_names_tell_sizes_and_families(name: str, sizes: tuple[int, int] | None, family: str) -> None:
    assert (parameters_in(name), family_of(name)) == (sizes, family)


def test_sizes_in_words() -> None:
    texts = [size_text(model) for model in (SMALL, MIXTURE, LARGE, lab.TINY)]
    assert texts == ["8B", "35B, 3B active", "397B, 17B active", "0.64M"]
    assert size_text(SMALL.model_copy(update={"total_parameters": None})) == ""


def test_the_columns_of_the_file_are_taken_over_as_measured() -> None:
    odd = FieldMap(data_format="input_output", input_field="frage", output_field="antwort")
    done = complete(said(), known(lab.rows(fields=odd, bad_rows=2)))
    assert [done[f"training.{key}"].value for key in ("data_format", "input_field", "output_field")] == [
        "input_output",
        "frage",
        "antwort",
    ]
    assert done["training.input_field"].by == "data"
    assert "2 cannot be" in done["training.input_field"].reason
    paired = complete(said(), known(lab.pairs()))
    assert (paired["training.chosen_field"].value, "training.input_field" in paired) == ("better", False)


def test_nothing_is_decided_about_files_that_nobody_looked_at() -> None:
    done = complete(said(), Facts(capabilities=PAID_SERVER))
    decided_anyway = {
        "use_case",
        "training.run_name",
        "training.train_mlp",
        "training.train_attn",
        "training.train_unembed",
    }
    assert {path for path, filled in done.items() if filled.by != "you"} == decided_anyway
    assert TRAIN.stem in done["training.run_name"].value
