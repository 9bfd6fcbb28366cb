"""One interview as it is recorded: word problems, from the first question to a plan that may be approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.domain.cost import CostEstimate, CostLine, CostRange
from tcao_tui.domain.draft import Alternative, Draft, Filled
from tcao_tui.domain.gates import Finding, Gate, GateResult
from tcao_tui.domain.interview import (
    Answered,
    Asked,
    Entry,
    Learned,
    Said,
    SlotFilled,
    Started,
    ToolEnded,
    ToolStarted,
)
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.questions import Answer, Card, Option, Question
from tcao_tui.domain.sheet import PlanSheet

GOAL = "solve grade-school word problems and end with the number, for our tutoring app"
TRAIN = "data/gsm8k_train_1500.jsonl"
HASH = "9f1c7d20a4b8e613"

FIRST_CARD = Card(
    id="first",
    title="What and with which rows",
    questions=(
        Question(
            id="goal",
            text="After training, what should the model do that it does not do now, and for whom?",
            kind="text",
            why="Method, evals and what counts as success follow from it.",
        ),
        Question(
            id="data",
            text="Which file holds the rows to learn from?",
            kind="file",
            options=(
                Option(value=TRAIN, label=TRAIN, why="1,500 rows of question and answer"),
                Option(value="data/gsm8k_preferences.jsonl", label="data/gsm8k_preferences.jsonl", why="400 pairs"),
            ),
            why="Its rows decide the method, the model's size and the cost.",
        ),
    ),
)

SECOND_CARD = Card(
    id="second",
    questions=(
        Question(
            id="evals",
            text="Which rows, never trained on, show whether it does what you want?",
            kind="one",
            options=(
                Option(value="split", label="150 rows set aside from the training file", why="seeded and stratified"),
                Option(
                    value="data/gsm8k_test_200.jsonl",
                    label="data/gsm8k_test_200.jsonl",
                    why="200 rows; none of them stands in the training file (exact and 13-gram)",
                ),
            ),
            default="split",
            why="Without an eval of your own task nobody can say whether the model became better.",
        ),
        Question(
            id="success",
            text="Which score would make you use it?",
            kind="number",
            options=(
                Option(value=0.4, label="40% right answers", why="twice what models of this size reach untrained"),
                Option(value=0.6, label="60% right answers"),
            ),
            default=0.4,
            why="A threshold set after the fact proves nothing.",
        ),
        Question(
            id="keep",
            text="What must not get worse?",
            kind="many",
            options=(
                Option(value="ifeval", label="following instructions (IFEval)"),
                Option(value="mmlu", label="general knowledge (MMLU)"),
            ),
            default=["ifeval"],
        ),
        Question(id="budget", text="What may this cost at most, in US dollars?", kind="number", unit="USD"),
    ),
)


def by_you(value: Any) -> Filled:
    return Filled(value=value, by="you")


def by_policy(value: Any, reason: str, source: str = "cookbook", *others: tuple[Any, str, str]) -> Filled:
    alternatives = tuple(Alternative(value=v, label=label, why=why) for v, label, why in others)
    return Filled(value=value, by="policy", reason=reason, source=source, alternatives=alternatives)


def opening() -> list[Entry]:
    return [
        Started(profile="local", directory="project", planner="rules"),
        Said(who="planner", text="Tell me what the model should learn. I look at your data before I ask more."),
        Asked(card=FIRST_CARD),
    ]


def after_the_data() -> list[Entry]:
    inspected = {"ok": True, "kind": "chat", "rows": 1500, "bad_rows": 0, "answer_shape": "final_number"}
    return [
        *opening(),
        Answered(card_id="first", answers=(Answer(question="goal", value=GOAL), Answer(question="data", value=TRAIN))),
        SlotFilled(path="goal", filled=by_you(GOAL), question="goal"),
        SlotFilled(path="training.train_file", filled=by_you(TRAIN), question="data"),
        ToolStarted(call_id="a", tool="inspect_data", arguments={"path": TRAIN}),
        ToolEnded(call_id="a", ok=True, result=inspected, seconds=0.84),
        ToolStarted(call_id="b", tool="list_models", arguments={}),
        ToolEnded(call_id="b", ok=True, result={"ok": True, "is_free": True, "trainable_models": 1}, seconds=2.1),
        Learned(
            capabilities=Capabilities(
                profile="local", backend="http://127.0.0.1:8765", is_free=True, asked_at=0.0, models=()
            )
        ),
        ToolStarted(call_id="c", tool="compare_files", arguments={"left": TRAIN, "right": "data/missing.jsonl"}),
        ToolEnded(
            call_id="c",
            ok=False,
            result={"errors": [{"path": "right", "got": "no such file", "expected": "", "fix": "name another"}]},
            seconds=0.0,
        ),
        Said(
            who="planner",
            text="Your file holds **1,500 rows** of `question` and `answer`; every answer ends in a number after "
            "`####`.\n\n- That is supervised fine-tuning: the answers show the way to the result.\n"
            "- A checkable number also allows RL later, from the fine-tuned model.\n",
        ),
        Asked(card=SECOND_CARD),
    ]


def a_draft() -> Draft:
    rank = by_policy(32, "start at 32; its 0.2 M parameters hold 0.1 M completion tokens", "cookbook lora.py")
    return {
        "goal": by_you(GOAL),
        "use_case": Filled(value="reasoning", by="data", reason="answers end in a checked number"),
        "training.train_file": by_you(TRAIN),
        "training.data_format": Filled(value="input_output", by="data", reason="columns question and answer"),
        "training.input_field": Filled(value="question", by="data", reason="column question"),
        "training.output_field": Filled(value="answer", by="data", reason="column answer"),
        "method": by_policy("sft", "the rows are worked answers", "docs", ("rl", "RL", "the number can be checked")),
        "training.base_model": by_policy("tcao/tiny-qwen3", "the only model here", "server"),
        "training.num_steps": by_policy(100, "at least 100 steps show a trend", "cookbook"),
        "training.train_batch_size": by_policy(32, "1,350 rows give 42 steps an epoch", "cookbook"),
        "training.lora_rank": rank,
        "training.learning_rate": by_policy(0.00049, "get_lr for this model", "cookbook hyperparam_utils.get_lr"),
        "training.run_name": by_policy("gsm8k-1", "from the file's name", "tcao"),
        "training.seed": by_policy(0, "any number; fixed, so that it can be repeated", "tcao"),
    }


def finished_draft() -> Draft:
    return a_draft() | {
        "evals.score.file": Filled(value="data/gsm8k_test_200.jsonl", by="model", reason="it holds no training row"),
        "evals.score.grader": Filled(value="numeric", by="data", reason="answers end in a number"),
        "success.threshold": by_you(0.4),
        "budget.max_cost_usd": by_you(12.5),
    }


def gates(**statuses: Any) -> tuple[GateResult, ...]:
    return tuple(statuses.get(gate.value) or GateResult(gate=gate, status="pass") for gate in Gate)


def missing_eval() -> GateResult:
    finding = Finding(
        gate=Gate.EVALS,
        path="evals.score.file",
        got="nothing measures the task itself",
        expected="rows of your own that are never trained on",
        fix="name a file, or let 150 rows be set aside from the training file",
    )
    return GateResult(gate=Gate.EVALS, status="fail", findings=(finding,))


def few_steps() -> GateResult:
    finding = Finding(
        gate=Gate.COMBINATIONS,
        severity="warning",
        path="training.num_steps",
        got="100",
        expected="500 or more for a run that is to be used",
        fix="set training.num_steps to 500 once the pilot looks well",
    )
    return GateResult(gate=Gate.COMBINATIONS, status="warn", findings=(finding,))


def a_cost(*, is_free: bool) -> CostEstimate:
    price = 0.0 if is_free else 1.0
    lines = tuple(
        CostLine(kind, tokens, CostRange(low * price, low * 1.4 * price, low * 2 * price), how)
        for kind, tokens, low, how in (
            ("training", 1_212_000, 0.42, "100 steps of 32 rows of 379 tokens"),
            ("validation", 56_800, 0.02, "5 times 150 rows"),
            ("evals", 412_000, 0.31, "200 answers of at most 300 tokens, before and after"),
        )
    )
    total = CostRange(*(sum(getattr(line.usd, name) for line in lines) for name in CostRange.__dataclass_fields__))
    source = "no charge" if is_free else "published feed of 2026-11-20"
    return CostEstimate(lines, total, is_free, source, ("storage after 7 days",))


def early_sheet(state: InterviewState) -> PlanSheet:
    open_gate = GateResult(gate=Gate.COST, status="open", why_open="the score file decides the number of samples")
    results = gates(evals=missing_eval(), cost=open_gate, approval=GateResult(gate=Gate.APPROVAL, status="open"))
    return PlanSheet(a_draft() | dict(state.draft), None, results, None, None, None)


def empty_sheet(state: InterviewState) -> PlanSheet:
    return PlanSheet(state.draft, None, (), None, None, None)


def finished_sheet(*, is_free: bool = False) -> PlanSheet:
    plan = Plan.model_validate(
        {
            "goal": GOAL,
            "training": {
                "base_model": "tcao/tiny-qwen3",
                "run_name": "gsm8k-1",
                "train_file": Path(TRAIN),
                "learning_rate": 0.00049,
            },
            "evals": {"score": {"file": Path("data/gsm8k_test_200.jsonl"), "grader": "numeric"}},
            "budget": {"max_cost_usd": 12.5},
            "success": {"threshold": 0.4, "must_not_regress": ["ifeval"]},
        }
    )
    usd = 0.0 if is_free else 0.4
    quote = PriceQuote(
        backend="b", source="feed", train_usd=usd, prefill_usd=usd, sample_usd=usd, storage_usd_per_gb_month=usd
    )
    results = gates(combinations=few_steps(), approval=GateResult(gate=Gate.APPROVAL, status="open"))
    return PlanSheet(finished_draft(), plan, results, quote, a_cost(is_free=is_free), HASH)
