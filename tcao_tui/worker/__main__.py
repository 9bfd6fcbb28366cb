"""`python -m tcao_tui.worker --runs-root DIR RUN_ID`: the detached process that carries out one run.

Only the standard library is imported here; `worker_main` is what a test or another entry calls with its own parts.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from tcao_tui.worker.runner import Parts


def worker_main(arguments: Sequence[str] | None = None, make_parts: Callable[[str], Parts] | None = None) -> int:
    """Carry a run out.

    Args:
        arguments: Command line without the program; None is that of the process.
        make_parts: Makes everything from outside for the profile of the run; None: the real things.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.worker", description="Carries out one run.")
    parser.add_argument("--runs-root", type=Path, required=True)
    parser.add_argument("--back-to", default="", metavar="NAME", help="go on from this checkpoint of the run")
    parser.add_argument("--by", default="", help="who chose that")
    parser.add_argument("run_id")
    given = parser.parse_args(arguments)
    # The console may close its terminal; only a stop, a signal or the end of the plan ends the training.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Progress bars of libraries would fill worker.log, which nobody watches.
    os.environ.setdefault("TQDM_DISABLE", "1")
    back_to = given.back_to, given.by
    return _work(given.runs_root.absolute(), given.run_id, make_parts or _real_parts, back_to)


def _work(runs_root: Path, run_id: str, make_parts: Callable[[str], Parts], back_to: tuple[str, str]) -> int:
    from tcao_tui.errors import TcaoError
    from tcao_tui.store.sqlite import open_store
    from tcao_tui.worker.hand_off import take_run, tell
    from tcao_tui.worker.stopping import StopFlag

    stop = StopFlag()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set("signal")

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        store = open_store(runs_root, create=False)
        parts = make_parts(store.run(run_id).backend)
        return take_run(store, runs_root, run_id, parts=parts, stop=stop, back_to=back_to)
    except TcaoError as error:
        return tell(error)


def _real_parts(profile_name: str) -> Parts:
    from tcao_tui.methods import METHODS
    from tcao_tui.store.run_dir import Mirror, RunDir
    from tcao_tui.worker.connect import ProfileConnector
    from tcao_tui.worker.runner import Parts
    from tcao_tui.worker.side_effects import SideEffects

    return Parts(
        ProfileConnector(profile_name),
        METHODS.load,
        SideEffects.from_environ(os.environ),
        lambda runs_root, run_id: Mirror(RunDir(runs_root, run_id)),
    )


if __name__ == "__main__":
    code = worker_main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries leave threads behind that may never end; everything of ours is committed.
    os._exit(code)
