"""The worker dies at every numbered side effect of a short run, and again while it recovers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.run_lab import Lab, Zygote

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("crashes"))


@pytest.fixture(scope="module")
def zygote(lab: Lab) -> Iterator[Zygote]:
    with Zygote(lab) as forking:
        yield forking


@pytest.fixture(scope="module")
def points(lab: Lab, zygote: Zygote) -> list[str]:
    log = lab.place / "points"
    run_id = lab.create(lab.plan(num_steps=5))
    assert zygote.attempt(run_id, TCAO_CRASH_LOG=log) == 0
    lab.check_completed(run_id)
    return [line.split()[1] for line in log.read_text().splitlines()]


def recover(lab: Lab, zygote: Zygote, run_id: str) -> None:
    assert zygote.attempt(run_id) == 0, (lab.root / run_id / "worker.log").read_text()
    lab.check_completed(run_id)


def test_a_short_run_passes_every_kind_of_side_effect(points: list[str]) -> None:
    assert set(points) == {
        "lease.acquire",
        "store.writer",
        "store.commit",
        "mirror.write",
        "engine.prepare",
        "remote.open_trainer",
        "remote.submit_step",
        "remote.save",
        "server.between_state_and_sampler",
        "remote.delete",
        "remote.close",
    }


def test_a_death_before_any_side_effect_leaves_a_run_that_finishes_whole(
    lab: Lab, zygote: Zygote, points: list[str]
) -> None:
    for number in range(1, len(points) + 1):
        run_id = lab.create(lab.plan(num_steps=5))
        assert zygote.attempt(run_id, TCAO_CRASH_AT=number) == KILLED, number
        if lab.view(run_id).status == "completed":
            lab.check_completed(run_id)
        else:
            recover(lab, zygote, run_id)


def test_a_second_death_during_recovery_leaves_a_run_that_finishes_whole(
    lab: Lab, zygote: Zygote, points: list[str]
) -> None:
    for number in range(1, len(points) + 1, 2):
        run_id = lab.create(lab.plan(num_steps=5))
        assert zygote.attempt(run_id, TCAO_CRASH_AT=number) == KILLED, number
        second = 1 + number * 7 % 23
        if lab.view(run_id).status == "completed" or zygote.attempt(run_id, TCAO_CRASH_AT=second) == 0:
            lab.check_completed(run_id)
        else:
            recover(lab, zygote, run_id)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", ["TCAO_CRASH_AT", "TCAO_CRASH_AFTER"])
def test_every_death_followed_by_every_death_of_the_recovery_is_survived(
    tmp_path: Path, zygote: Zygote, points: list[str], when: str
) -> None:
    for number in range(1, len(points) + 1):
        lab = Lab(tmp_path / str(number))
        second, more = 1, True
        while more:
            run_id = lab.create(lab.plan(num_steps=5))
            assert zygote.attempt(run_id, lab, **{when: number}) == KILLED, number
            if lab.view(run_id).status == "completed":
                break
            more = zygote.attempt(run_id, lab, **{when: second}) == KILLED
            if more and lab.view(run_id).status != "completed":
                assert zygote.attempt(run_id, lab) == 0, (number, second)
            lab.check_completed(run_id)
            second += 1
