"""Checkpoints as values: filters, orders, what an action means, what a prune comes to, and what expires."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tcao_tui.domain.checkpoint_actions import Action, consequences
from tcao_tui.domain.checkpoint_listing import (
    CheckpointKind,
    CheckpointNote,
    LayerScore,
    ListedCheckpoint,
    OwnCheckpoint,
    ServerCheckpoint,
    storage_usd_per_month,
    total_storage,
    training_run_of,
)
from tcao_tui.domain.checkpoint_table import CheckpointFilter, SortKey, filtered, ordered, tree
from tcao_tui.domain.expiring import expiring, to_guard
from tcao_tui.domain.pruning import PrunePolicy, prune
from tcao_tui.domain.run_view import RunStatus

NOW = 1_000_000.0
DAY_SECONDS = 86400


def row(
    step: int,
    *,
    run: str = "one",
    status: RunStatus = RunStatus.COMPLETED,
    kind: CheckpointKind = "training",
    note: CheckpointNote | None = None,
    points: tuple[int, ...] = (),
    loss: float | None = None,
    foreign: bool = False,
    reason: Any = "periodic",
    **server: Any,
) -> ListedCheckpoint:
    """A checkpoint saved `step` seconds after time 0."""
    segment = {"training": "weights", "sampler": "sampler_weights", "external": "external_weights"}[kind]
    own = OwnCheckpoint(
        run_id=run,
        run_name=f"name of {run}",
        status=status,
        base_model="tiny",
        attempt=1,
        step=step,
        reason=reason,
        scores=() if loss is None else (LayerScore(1, "val_mean_nll", loss, lower_is_better=True),),
        resume_points=tuple(f"tinker://{run}/weights/{point}" for point in points),
    )
    values: dict[str, Any] = {"created_at": float(step), **server}
    path = f"tinker://{run}/{segment}/{step}"
    return ListedCheckpoint(
        server=ServerCheckpoint(path=path, training_run=run, name=str(step), kind=kind, **values),
        own=None if foreign else own,
        note=note or CheckpointNote(),
    )


def steps(rows: list[ListedCheckpoint]) -> list[str]:
    return [r.server.name for r in rows]


def test_a_filter_passes_what_has_all_that_is_asked_for() -> None:
    rows = [
        row(1),
        row(2, run="two", kind="sampler"),
        row(3, foreign=True, run="abc", created_at=None),
        row(4, note=CheckpointNote("The Best", pinned=True)),
    ]

    def passed(**wanted: Any) -> list[str]:
        return steps(filtered(rows, CheckpointFilter(**wanted), now=NOW))

    assert passed() == ["1", "2", "3", "4"]
    assert passed(run="name of one") == ["1", "4"]
    assert passed(run="ABC") == ["3"]
    assert passed(kind=frozenset({"sampler"})) == ["2"]
    assert passed(text="best") == ["4"]
    assert passed(pinned_only=True) == ["4"]
    assert passed(ours_only=True) == ["1", "2", "4"]
    assert passed(model="tin", run="two") == ["2"]
    assert passed(older_than_seconds=NOW - 3) == ["1", "2"], "what has no date is not known to be old"


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("age", ["4", "3", "2", "1"]),
        ("step", ["4", "3", "2", "1"]),
        ("size", ["2", "1", "4", "3"]),
        ("expires", ["1", "3", "4", "2"]),
        ("score", ["3", "1", "4", "2"]),
        ("cost", ["4", "3", "2", "1"]),
    ],
)
def test_an_order_puts_what_has_no_value_last_either_way(key: SortKey, order: list[str]) -> None:
    rows = [
        row(1, size_bytes=5, expires_at=7.0, loss=0.5),
        row(2, size_bytes=9),
        row(3, expires_at=8.0, loss=0.1),
        row(4),
    ]
    assert steps(ordered(rows, key)) == order
    valued = {"size": 2, "expires": 2, "score": 2, "cost": 0}.get(key, 4)
    assert steps(ordered(rows, key, reverse=True)) == order[:valued][::-1] + order[valued:]


def test_a_tree_files_ours_by_run_and_others_by_training_run() -> None:
    rows = [row(1), row(2, run="two", foreign=True), replace(row(3), server=row(3, run="lora-2").server)]
    assert {group: steps([*members]) for group, members in tree(rows).items()} == {"one": ["1", "3"], "two": ["2"]}


def test_unknown_sizes_and_prices_stay_unknown() -> None:
    assert storage_usd_per_month(None, 0.1) is None
    assert storage_usd_per_month(10**9, None) is None
    assert storage_usd_per_month(2 * 10**9, 0.1) == pytest.approx(0.2)
    assert total_storage([row(1, size_bytes=5), row(2)]) == (5, None, 1)
    assert total_storage([]) == (0, 0, 0)
    assert training_run_of("tinker://a/b") == ""


def test_deleting_the_only_resume_point_of_an_active_run_is_never_left_unsaid() -> None:
    lost = RunStatus.LOST
    one, two = (row(step, status=lost, points=(2, 1)) for step in (1, 2))
    assert not consequences("delete", [one], now=NOW).warns
    newest = consequences("delete", [two], now=NOW)
    assert newest.warns
    assert "would resume from here; it will go back to tinker://one/weights/1" in newest.lines[0]
    both = consequences("delete", [one, two], now=NOW)
    assert "leaves it no resume point" in both.lines[0]
    assert both.confirm == "delete 2"
    done = [row(2, status=RunStatus.COMPLETED, points=(2,))]
    assert not consequences("delete", done, now=NOW).warns


@pytest.mark.parametrize(
    ("action", "given", "said"),
    [
        ("delete", row(1, reason="final"), "is the final result of a run"),
        ("delete", row(1, public=True), "is public: others may be using that"),
        ("delete", row(1, size_bytes=2_000_000), "2.0 MB freed; storage $? a month"),
        ("ttl", row(1), "will be deleted by the server in 7d00h"),
        ("keep", row(1), "kept until somebody deletes them"),
        ("pin", row(1), "neither the run nor a prune deletes"),
        ("unpin", row(1), "thinned out by their run and pruned again"),
        ("publish", row(1), "Every Tinker user"),
        ("unpublish", row(1), "yours alone again"),
        ("label", row(1), "on this machine only"),
    ],
)
def test_every_action_says_what_it_does(action: Action, given: ListedCheckpoint, said: str) -> None:
    told = consequences(action, [given], now=NOW, ttl_seconds=7 * DAY_SECONDS)
    assert said in " ".join(told.lines)
    assert not told.refusal
    assert bool(told.confirm) == (action in ("delete", "publish"))


def test_pinned_ones_and_a_ttl_out_of_bounds_are_refused() -> None:
    pinned = [row(1, note=CheckpointNote(pinned=True))]
    assert "is pinned" in consequences("delete", pinned, now=NOW).refusal
    assert "is pinned" in consequences("ttl", pinned, now=NOW, ttl_seconds=DAY_SECONDS).refusal
    assert "between one hour" in consequences("ttl", [row(1)], now=NOW, ttl_seconds=60).refusal


def test_a_later_ttl_is_no_loss_and_a_sooner_one_is() -> None:
    point = row(2, status=RunStatus.STOPPED, points=(2,), expires_at=NOW + DAY_SECONDS)
    assert not consequences("ttl", [point], now=NOW, ttl_seconds=2 * DAY_SECONDS).warns
    assert consequences("ttl", [point], now=NOW, ttl_seconds=7200).warns


def test_hostile_names_steer_no_terminal() -> None:
    named = replace(
        row(1), server=row(1, metadata={}).server.model_copy(update={"path": "tinker://a\x1b[31m/weights/b"})
    )
    assert all("\x1b" not in line for line in consequences("delete", [named], now=NOW).lines)


def test_a_prune_keeps_the_last_the_best_results_and_what_is_needed() -> None:
    rows = [row(step, loss=loss) for step, loss in ((1, 0.9), (2, 0.1), (3, 0.5), (4, 0.6), (5, 0.7))]
    shown = prune(rows, PrunePolicy(keep_last=2))
    assert steps([*shown.delete]) == ["1", "3"]
    assert {c.server.name: why for c, why in shown.kept} == {
        "2": "best by val_mean_nll",
        "4": "among the last 2",
        "5": "among the last 2",
    }
    kept = [
        row(1, reason="final"),
        row(2, note=CheckpointNote(pinned=True)),
        row(3, public=True),
        row(4, status=RunStatus.PAUSED, points=(4,)),
        row(5, foreign=True, run="other"),
    ]
    assert prune(kept, PrunePolicy(keep_last=0)).delete == ()
    assert steps([*prune(kept[-1:], PrunePolicy(keep_last=0, foreign=True)).delete]) == ["5"]


def test_a_digest_names_exactly_what_would_be_deleted() -> None:
    rows = [row(step) for step in (1, 2, 3, 4)]
    shown = prune(rows, PrunePolicy(keep_last=2))
    assert prune(rows[::-1], PrunePolicy(keep_last=2)).digest == shown.digest
    assert prune([*rows, row(5)], PrunePolicy(keep_last=2)).digest != shown.digest


def test_what_expires_soon_is_told_first_and_only_idle_runs_are_guarded() -> None:
    soon: dict[str, Any] = {"expires_at": NOW + DAY_SECONDS}
    rows = [
        row(9, run="far", expires_at=NOW + 9 * DAY_SECONDS, status=RunStatus.LOST, points=(9,)),
        row(1, run="down", status=RunStatus.INTERRUPTED, points=(1,), expires_at=NOW + 2 * DAY_SECONDS),
        row(1, run="down", status=RunStatus.INTERRUPTED, points=(1,), kind="sampler", **soon),
        row(2, run="busy", status=RunStatus.RUNNING, points=(2,), **soon),
        row(3, run="done", **soon),
        row(4, run="over", expires_at=NOW - 1),
    ]
    found = expiring(rows, now=NOW)
    assert [(e.checkpoint.group, e.guarded) for e in found] == [
        ("down", False),
        ("busy", True),
        ("done", False),
        ("down", True),
    ]
    assert found[-1].describe().startswith("name of down step 1 expires in 2d00h, and interrupted it could not go on")
    assert {c.path for c in to_guard(rows, now=NOW)} == {"tinker://down/weights/1", "tinker://down/sampler_weights/1"}
