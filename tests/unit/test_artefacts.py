"""What an approved plan writes: complete, readable back, private, and safe whatever its text says."""

from __future__ import annotations

import json
import re
import stat
from itertools import groupby
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tcao_tui import paths
from tcao_tui.domain.checks.plan_check import check
from tcao_tui.domain.data_profile import Anomaly
from tcao_tui.domain.draft import Alternative, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import EvalPlan
from tcao_tui.domain.planning import sheet_of
from tcao_tui.errors import UsageError
from tcao_tui.planner.artefacts.write import write_artefacts
from tcao_tui.store.plan_file import read_plan
from tests.fakes import known_facts
from tests.fakes.plan_artefacts import good_draft, ready, written

HOSTILE = (
    "x](http://evil.test/) ![beacon](http://evil.test/p.png) <img src=x onerror=y> <http://evil.test>",
    "# heading\n\n* item\n\n<script>alert(1)</script>\n\n```sh\nrm -rf ~\n```",
    "| a | b |\n|---|---|\n$(touch pwned) `touch pwned` ${HOME} %%{seed} $run_name ; touch pwned # '\"\\",
    "\x1b]0;owned\x07\x1b[2J\u202etxt\u2066 ~~~\n---\n===\n> quote",
    "1. list\r\n- [x] done | cell `code` ``more`` _em_ **strong** [ref]: http://evil.test",
)
FILES = {
    "one-pager.md",
    "plan.yaml",
    "training-config.yaml",
    "examples.md",
    *(
        f"scripts/{name}"
        for name in (
            "plan.py",
            "sl_trainer.py",
            "eval_offline.py",
            "answers.py",
            "grader.py",
            "run_inspect_evals.sh",
        )
    ),
}


def tables_of(markdown: str) -> list[list[str]]:
    """Runs of lines that are rows of one table."""
    groups = groupby(markdown.splitlines(), key=lambda line: line.startswith("| "))
    return [list(lines) for is_table, lines in groups if is_table]


def cells_of(line: str) -> int:
    """Bars of a row that no backslash escapes."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


def tokens_of(markdown: str) -> set[str]:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    found: set[str] = set()
    for token in parser.parse(markdown):
        found |= {token.type, *(child.type for child in token.children or ())}
    return found


def test_all_files_are_written_and_the_plan_reads_back(tmp_path: Path) -> None:
    plan, sheet, facts = ready()
    assert sheet.is_ready, sheet.gates
    files = written(tmp_path, plan, sheet, facts)
    assert set(files) == FILES
    assert read_plan(tmp_path / "plan.yaml") == plan
    assert read_plan(tmp_path / "training-config.yaml").training == plan.training
    assert not list(tmp_path.rglob("*.old"))
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_files_are_private_and_only_the_shell_script_is_executable(tmp_path: Path) -> None:
    write_artefacts(tmp_path, *ready())
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*") if p.is_file()}
    assert modes.pop("run_inspect_evals.sh") == 0o700
    assert set(modes.values()) == {0o600}


def test_the_one_pager_says_what_why_how_measured_at_what_risk_and_cost(tmp_path: Path) -> None:
    plan, sheet, facts = ready()
    page = written(tmp_path, plan, sheet, facts)["one-pager.md"]
    assert sheet.cost is not None
    for wanted in (
        "File messages as JSON.",
        f"hash {sheet.approval_hash}",
        "| training | data/train.jsonl | 2,000 | 120 / 120 / 120 | 40.0k | 0.0% | 0 |",
        "0 of 200 rows are in both",
        "cookbook hyperparam_utils.get_lr",
        "score at least 0.9",
        "inspect_evals/mmlu_0_shot",
        "Multiple-choice knowledge over 57 subjects",
        "right means the same text, white space at the ends aside",
        "**note** evals.score.max_rows",
        f"| **total** |  | ${sheet.cost.total.low_usd:.4f} |",
        "The worker stops with a checkpoint at $20.00.",
        "| success.threshold | 0.9 | you |",
    ):
        assert wanted in page, wanted
    assert "train mlp, train attn, train unembed" in page


def test_a_plan_that_may_not_be_approved_says_so_with_every_finding(tmp_path: Path) -> None:
    facts = known_facts.facts_with(
        known_facts.TRAIN, tokens=None, anomalies=(Anomaly(code="c", what="odd rows", count=3, first_line=7),)
    )
    plan, sheet, facts = ready(facts)
    page = written(tmp_path, plan, sheet, facts)["one-pager.md"]
    assert "cannot be approved yet" in page
    assert "**open** " in page
    assert "train.jsonl: odd rows (3 rows, first in line 7)" in page
    assert "not measured" in page


def test_unknown_prices_are_never_nothing(tmp_path: Path) -> None:
    server = known_facts.capabilities(known_facts.model(price=known_facts.UNKNOWN))
    plan, sheet, facts = ready(known_facts.facts(capabilities=server))
    page = written(tmp_path, plan, sheet, facts)["one-pager.md"]
    assert "expected $?, between $? and $?" in page


def test_a_free_backend_is_said_to_cost_nothing(tmp_path: Path) -> None:
    server = known_facts.capabilities(known_facts.model(price=known_facts.FREE), is_free=True)
    plan, sheet, facts = ready(known_facts.facts(capabilities=server))
    page = written(tmp_path, plan, sheet, facts)["one-pager.md"]
    assert "| Cost | nothing |" in page
    assert "Nothing: local engine: free." in page


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_out_of_the_markdown(tmp_path: Path, text: str) -> None:
    reasoned = Filled(
        value=text, by="model", reason=text, source=text, alternatives=(Alternative(value=1, label=text, why=text),)
    )
    benchmarks = Filled(value=[{"name": text, "limit": None, "why": text}], by="model", reason=text)
    train = tmp_path / "train.jsonl"
    train.write_text(json.dumps({"input": text, "output": text}) + "\n")
    profile = known_facts.profile(train, 1, anomalies=(Anomaly(code="c", what=text, count=1, first_line=1),))
    facts = known_facts.facts().with_fact(profile)
    more = {
        "goal": reasoned,
        "evals.benchmarks": benchmarks,
        "success.must_not_regress": Filled(value=[text], by="model", reason=text),
        "evals.sample_prompts": Filled(value=[text], by="data", reason=text),
        "training.train_file": Filled(value=str(train), by="you", reason=text),
        "method": Filled(value="sft", by="model", reason=text, alternatives=reasoned.alternatives),
        "training.base_model": Filled(
            value="lab/small-1b", by="model", reason=text, source=text, alternatives=reasoned.alternatives
        ),
    }
    sheet = check({**sheet_of(good_draft(), facts).draft, **more}, facts)
    assert sheet.plan is not None, sheet.gates
    files = written(tmp_path, sheet.plan, sheet, facts)
    plain_files = written(tmp_path, *ready())
    for name in ("one-pager.md", "examples.md"):
        hostile, harmless = MarkdownIt("commonmark").enable("table").parse(files[name]), plain_files[name]
        assert not tokens_of(files[name]) & {"image", "link_open", "html_inline", "html_block", "s_open"}, name
        headings = [t.tag for t in hostile if t.type == "heading_open"]
        assert headings == [t.tag for t in MarkdownIt().parse(harmless) if t.type == "heading_open"]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", files[name])
        assert all(len(set(map(cells_of, block))) == 1 for block in tables_of(files[name]))
    assert "evil.test" in files["one-pager.md"] or "evil" not in text


def test_nothing_but_the_plans_data_paths_is_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINKER_API_KEY", "tml-secret")
    plan, sheet, facts = ready()
    text = "".join(written(tmp_path, plan, sheet, facts).values())
    for known in ("tml-secret", str(Path.home()), str(paths.PACKAGE), str(paths.state_dir()), str(tmp_path)):
        assert known not in text


def test_a_grader_that_is_not_installed_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    plan, sheet, facts = ready()
    assert plan.evals.score is not None
    score = plan.evals.score.model_copy(update={"grader": "judge"})
    with pytest.raises(UsageError, match="judge"):
        write_artefacts(tmp_path, plan.model_copy(update={"evals": EvalPlan(score=score)}), sheet, facts)
    assert not list(tmp_path.iterdir())


def test_what_people_changed_is_kept_beside_the_new_file(tmp_path: Path) -> None:
    case = ready()
    write_artefacts(tmp_path, *case)
    trainer, record = tmp_path / "scripts" / "sl_trainer.py", tmp_path / "examples.md"
    fresh = trainer.read_text()
    trainer.write_text("# mine\n")
    record.write_text("what came out\n")
    write_artefacts(tmp_path, *case)
    assert trainer.read_text() == fresh
    assert trainer.with_name("sl_trainer.py.old").read_text() == "# mine\n"
    assert record.with_name("examples.md.old").read_text() == "what came out\n"
    assert sorted(p.name for p in tmp_path.rglob("*.old")) == ["examples.md.old", "sl_trainer.py.old"]


def test_the_record_tells_how_to_do_it_again_and_quotes_rows(tmp_path: Path) -> None:
    train = tmp_path / "train.jsonl"
    rows = [{"input": f"say {n} ```", "output": f"{n}\nend"} for n in range(5)]
    train.write_text("".join(json.dumps(row) + "\n" for row in rows))
    facts = known_facts.facts().with_fact(known_facts.profile(train, 5))
    plan, sheet, _ = ready()
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"train_file": train})})
    record = written(tmp_path, plan, sheet, facts)["examples.md"]
    assert f"tcao run plan.yaml --approve {sheet.approval_hash} --max-cost 20" in record
    assert "The first 3 of 5 rows:" in record
    assert "````text\nuser: say 0 ```\nassistant: 0\nend\n````" in record
    assert "say 3" not in record
    assert "| tinker | 0." in record


@pytest.mark.parametrize("known", [True, False])
def test_rows_that_may_hold_secrets_are_not_quoted(tmp_path: Path, known: bool) -> None:
    train = tmp_path / "train.jsonl"
    train.write_text(json.dumps({"input": "my mail is ann@example.org", "output": "ok"}) + "\n")
    plan, sheet, _ = ready()
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"train_file": train})})
    facts = Facts().with_fact(known_facts.profile(train, 1, sensitive={"e-mail address": 1})) if known else Facts()
    files = written(tmp_path, plan, sheet, facts)
    assert "ann@" not in "".join(files.values())
    assert "No row is quoted" in files["examples.md"]


@pytest.mark.parametrize("method", ["sft", "dpo", "rl", "distill", "rlhf"])
def test_each_methods_template_is_a_plan_that_writes_its_files(tmp_path: Path, method: str) -> None:
    plan = read_plan(paths.templates_dir() / f"{method}-plan.yaml")
    assert plan.method == method
    assert plan.goal
    assert plan.success.metric
    assert plan.budget.max_cost_usd is not None
    assert method == "sft" or getattr(plan, method) is not None
    files = written(tmp_path, plan, ready()[1], Facts(methods=("sft",)))
    assert ("scripts/sl_trainer.py" in files) == (method != "distill")
    assert ("tcao run" in files["examples.md"]) == (method == "sft")
    assert read_plan(tmp_path / "plan.yaml") == plan


def test_every_key_of_a_methods_template_is_explained() -> None:
    for path in paths.templates_dir().glob("*-plan.yaml"):
        assert max(map(len, path.read_text().splitlines())) <= 120, path
    for method in ("dpo", "rl", "distill", "rlhf"):
        text = (paths.templates_dir() / f"{method}-plan.yaml").read_text()
        plan = read_plan(paths.templates_dir() / f"{method}-plan.yaml")
        named = {line.strip("# ").partition(":")[0] for line in text.splitlines()}
        assert set(type(getattr(plan, method)).model_fields) <= named
