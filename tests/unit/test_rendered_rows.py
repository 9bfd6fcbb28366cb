"""Rows in tokens: counted as training counts them, sampled beyond a bound, shown with mask, cut and chat template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from tcao_tui import paths
from tcao_tui.data.rows import ChatRow, PreferenceRow, ProblemRow, Row
from tcao_tui.domain.row_preview import RowPreview
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.token_rows import TokenRows
from tcao_tui.probes import tokenizers
from tcao_tui.probes.preview import preview_row
from tcao_tui.probes.rendered import RowRenderer
from tcao_tui.probes.token_meter import LONGEST_CHARACTERS, SampledMeter
from tests.fakes.data_files import exchange, write_rows
from tests.fakes.loopback import NothingThere, served

TINY = paths.TINY_MODEL_NAME
TOOL = {"name": "add", "description": "d", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(paths.TINY_MODEL)


@pytest.fixture(scope="module")
def renderer(tokenizer: Any) -> RowRenderer:
    return RowRenderer(TINY, None, tokenizer)


def measured(renderer: RowRenderer, given: list[Row], max_seq_len: int = 4096, **bounds: int) -> SampledMeter:
    meter = SampledMeter(renderer, max_seq_len, **bounds)
    for line, row in enumerate(given, 1):
        meter.add(row, line)
    return meter


def chats(*prompts: str, answer: str = "fine") -> list[Row]:
    return [ChatRow(exchange(prompt, answer)) for prompt in prompts]


@pytest.mark.parametrize("limit", [12, 40, 4096])
def test_counts_are_those_that_training_will_see(renderer: RowRenderer, tokenizer: Any, limit: int) -> None:
    rows = chats(*("long words here " * n for n in range(1, 12)))
    stats = measured(renderer, rows, limit).stats()
    config = TrainingConfig(base_model=TINY, run_name="r", train_file=Path("f"), learning_rate=1e-4)
    trained = TokenRows(limit)
    for row in rows:
        assert isinstance(row, ChatRow)
        ChatRenderer(config, tokenizer).add_row(row, trained)
    assert stats.completion.total == trained.loss_tokens
    assert stats.truncated_rows == trained.truncated
    assert stats.empty_mask_rows == len(trained.without_loss)
    assert stats.first_empty_mask == (trained.without_loss[0] + 1 if trained.without_loss else 0)
    assert (stats.measured, stats.rows_measured, stats.renderer) == ("all", 11, "qwen3_instruct")


def test_a_pair_is_as_long_as_its_longer_side_and_both_answers_carry_loss(renderer: RowRenderer) -> None:
    sides = [[{"role": "assistant", "content": answer}] for answer in ("42", "a longer answer")]
    question = [{"role": "user", "content": "q"}]
    pair = measured(renderer, [PreferenceRow(question, *sides)]).stats()
    one, other = (measured(renderer, [ChatRow([*question, *side])]).stats() for side in sides)
    assert pair.row.max == other.row.max > one.row.max
    assert pair.completion.total == one.completion.total + other.completion.total


def test_a_pair_with_one_side_cut_to_its_prompt_teaches_nothing(renderer: RowRenderer) -> None:
    row = PreferenceRow(*[[{"role": role, "content": "words " * 9}] for role in ("user", "assistant", "assistant")])
    stats = measured(renderer, [row], 15).stats()
    assert (stats.truncated_rows, stats.empty_mask_rows, stats.first_empty_mask) == (1, 1, 1)


def test_a_problem_is_its_prompt_and_trains_nothing_by_itself(renderer: RowRenderer) -> None:
    stats = measured(renderer, [ProblemRow([{"role": "user", "content": "6 * 7?"}], "42")]).stats()
    assert stats.row.max > 5
    assert (stats.completion.total, stats.empty_mask_rows) == (0, 0)


def test_rows_that_the_renderer_refuses_are_counted_and_left_out(tokenizer: Any) -> None:
    renderer = RowRenderer(TINY, "role_colon", tokenizer)
    rows = [*chats("a", "b"), ChatRow(exchange("c", "d"), (TOOL,))]
    stats = measured(renderer, rows).stats()
    assert (stats.refused_rows, stats.first_refused) == (1, 3)
    assert "tool" in stats.refusal
    assert stats.row.total == measured(renderer, rows[:2]).stats().row.total


def test_nothing_but_refused_rows_have_no_length(tokenizer: Any) -> None:
    rows: list[Row] = [ChatRow(exchange("c", "d"), (TOOL,))]
    stats = measured(RowRenderer(TINY, "role_colon", tokenizer), rows).stats()
    assert (stats.refused_rows, stats.row.max, stats.completion.total) == (1, 0, 0)


def test_beyond_the_bound_an_even_sample_is_scaled_up(renderer: RowRenderer) -> None:
    rows = chats(*["the same words"] * 100)
    everything, sample = measured(renderer, rows).stats(), measured(renderer, rows, rows=20).stats()
    assert sample.measured == "sample"
    assert 10 <= sample.rows_measured <= 20
    assert sample.row.total == pytest.approx(everything.row.total, rel=0.1)
    assert sample.row.p50 == everything.row.p50
    cut = measured(renderer, rows, 5, rows=20).stats()
    assert cut.truncated_rows == pytest.approx(100, rel=0.1)
    assert measured(renderer, rows, characters=500).stats().rows_measured < 50


def test_a_row_that_no_model_takes_whole_is_guessed_and_counts_as_cut(renderer: RowRenderer) -> None:
    stats = measured(renderer, chats("x" * (LONGEST_CHARACTERS + 8))).stats()
    assert (stats.truncated_rows, stats.empty_mask_rows, stats.refused_rows) == (1, 1, 0)
    assert stats.row.max == pytest.approx(LONGEST_CHARACTERS / 4, rel=0.01)
    problem = ProblemRow([{"role": "user", "content": "x" * (LONGEST_CHARACTERS + 8)}], "1")
    assert measured(renderer, [problem]).stats().empty_mask_rows == 0


def test_unknown_renderers_and_models_are_refused_with_what_helps(tokenizer: Any) -> None:
    for model, name in ((TINY, "nonsense"), ("nobody/knows-this", None)):
        with pytest.raises(PlanInvalid) as caught:
            RowRenderer(model, name, tokenizer)
        assert "renderer_name" in caught.value.where
        assert caught.value.next_step


def shown(tmp_path: Path, renderer: RowRenderer, row: dict[str, Any], limit: int = 4096, **more: Any) -> RowPreview:
    path = write_rows(tmp_path / "rows.jsonl", [row])
    return preview_row(path, 1, renderer, max_seq_len=limit, **more)


def test_a_row_is_shown_token_by_token_with_what_carries_loss(tmp_path: Path, renderer: RowRenderer) -> None:
    preview = shown(tmp_path, renderer, {"input": "What is it?", "output": "A cat."})
    text = "".join(token.text for token in preview.tokens)
    assert text == "<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\nA cat.<|im_end|>"
    assert "".join(token.text for token in preview.tokens if token.trained) == "A cat.<|im_end|>"
    assert (preview.template, preview.differences, preview.side) == ("same", (), "")
    assert not any(token.cut for token in preview.tokens)


def test_what_lies_beyond_the_longest_length_is_marked_as_cut(tmp_path: Path, renderer: RowRenderer) -> None:
    preview = shown(tmp_path, renderer, {"input": "a", "output": "b"}, limit=4)
    assert [token.cut for token in preview.tokens] == [index >= 4 for index in range(len(preview.tokens))]


def test_either_side_of_a_pair_is_shown(tmp_path: Path, renderer: RowRenderer) -> None:
    row = {"prompt": "p", "chosen": "good", "rejected": "bad"}
    for side, answer in (("chosen", "good"), ("rejected", "bad")):
        preview = shown(tmp_path, renderer, row, side=side)
        assert preview.side == side
        assert "".join(token.text for token in preview.tokens if token.trained) == f"{answer}<|im_end|>"


def test_tools_calls_and_thinking_are_the_same_by_renderer_and_template_or_the_difference_is_shown(
    tmp_path: Path, renderer: RowRenderer
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":2}'}}
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "be nice"},
        {"role": "user", "content": "2+2"},
        {"role": "assistant", "content": "let me see", "tool_calls": [call]},
        {"role": "tool", "content": "4", "name": "add", "tool_call_id": "1"},
        {"role": "assistant", "content": "4"},
    ]
    tools = [{"type": "function", "function": TOOL}]
    assert shown(tmp_path, renderer, {"messages": turns, "tools": tools}).template == "same"
    turns[-1]["content"] = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}]
    preview = shown(tmp_path, renderer, {"messages": turns, "tools": tools})
    assert preview.template == "differs"
    assert any("hm" in difference.rendered for difference in preview.differences)
    assert not any("hm" in difference.template for difference in preview.differences)


def test_another_chat_format_differs_from_the_template_place_by_place(tmp_path: Path, tokenizer: Any) -> None:
    preview = shown(tmp_path, RowRenderer(TINY, "role_colon", tokenizer), {"input": "q", "output": "a"})
    assert preview.template == "differs"
    assert any("<|im_start|>" in difference.template for difference in preview.differences)
    assert any("User:" in difference.rendered for difference in preview.differences)


@pytest.mark.parametrize(
    ("template", "verdict"), [(None, "none"), ("{{ raise_exception('roles must alternate') }}", "differs")]
)
def test_a_missing_template_and_one_that_refuses_the_row_are_told_apart(
    tmp_path: Path, template: str | None, verdict: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(paths.TINY_MODEL)
    tokenizer.chat_template = template
    preview = shown(tmp_path, RowRenderer(TINY, None, tokenizer), {"input": "q", "output": "a"})
    assert preview.template == verdict
    assert all("roles must alternate" in difference.template for difference in preview.differences)


def test_rows_are_numbered_by_what_can_be_used_and_named_by_line(tmp_path: Path, renderer: RowRenderer) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "a", "output": "b"}\nbroken\n{"input": "c", "output": "d"}\n')
    assert preview_row(path, 2, renderer, max_seq_len=99).line == 3
    with pytest.raises(PlanInvalid, match="there is no row 3"):
        preview_row(path, 3, renderer, max_seq_len=99)
    path.write_text("broken\n")
    with pytest.raises(PlanInvalid, match="not JSON"):
        preview_row(path, 1, renderer, max_seq_len=99)


def test_the_hub_is_left_out_when_it_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    with served(NothingThere) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub)
        tokenizers.go_offline_if_needed("Qwen/Qwen3-8B")
    assert not tokenizers.os.environ["HF_HUB_OFFLINE"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    tokenizers.go_offline_if_needed(str(paths.TINY_MODEL))
    assert not tokenizers.os.environ["HF_HUB_OFFLINE"]
    tokenizers.go_offline_if_needed("Qwen/Qwen3-8B")
    assert tokenizers.os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(tokenizers.TokenizerMissing, match="check the folder"):
        tokenizers.load_tokenizer(str(tmp_path))


def test_the_included_model_brings_its_tokenizer() -> None:
    assert tokenizers.place_of(TINY, "") == str(paths.TINY_MODEL)
    assert tokenizers.place_of("Qwen/Qwen3-8B", "") == "Qwen/Qwen3-8B"
    assert tokenizers.place_of("served/name", "folder") == "folder"
