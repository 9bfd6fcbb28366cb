"""Taking weights away: download, export with its parity proof, push. Progress by callback; a ticket gives it up.

Give each a `BackendHelper` of its own: closing it ends what it computes. What was received before a break stays in a
hidden folder beside the target, and the same call goes on with it; the target is there whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tcao_tui import __version__, paths
from tcao_tui.clients.backend_calls import Call, Shape
from tcao_tui.clients.checkpoint_calls import DescribeCheckpoint
from tcao_tui.clients.weight_calls import (
    AskBackend,
    BuildExport,
    Built,
    Downloaded,
    DownloadWeights,
    ExportForm,
    MeasureExport,
    Progress,
)
from tcao_tui.domain.model_card import CardFacts, model_card, verdict
from tcao_tui.domain.model_names import base_name
from tcao_tui.domain.parity import ANSWER_TOKENS, Parity, compare, tolerance_for
from tcao_tui.domain.serving import Served, serving_markdown
from tcao_tui.errors import BackendError, Refused
from tcao_tui.services import engine_server
from tcao_tui.services.backend_helper import Ticket
from tcao_tui.services.backends import Profile
from tcao_tui.services.checkpoints import Asks
from tcao_tui.services.parity_prompts import parity_prompts
from tcao_tui.services.weights_source import WeightsSource
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.checksums import write_sums

EXPORT_NAME = "export.json"
PARITY_NAME = "parity.json"

type OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        parity: None when it was not proved.
        served: For commands that serve it.
    """

    folder: Path
    built: Built
    parity: Parity | None
    served: Served
    downloaded: Downloaded

    @property
    def ready_to_serve(self) -> bool:
        """Proved, and the proof holds."""
        return self.parity is not None and self.parity.ready_to_serve

    @property
    def failed(self) -> bool:
        """The proof was made, and does not hold."""
        return self.parity is not None and not self.parity.ready_to_serve


def download_consequence(profile: Profile, source: WeightsSource) -> str:
    """What a download does to the bill and to the server, in a sentence; said before it is done."""
    if "/external_weights/" in source.path:
        return "These are exported weights already: nothing is computed, and nothing is saved on the server."
    if profile.kind == "engine":
        return "The local engine exports the weights for an hour; that costs nothing."
    return (
        f"{profile.name} has to load the checkpoint into a training session to export it, which may be billed, and "
        "keeps the export until it is downloaded, an hour at most."
    )


def download(
    asks: Asks, source: WeightsSource, target: Path, on_progress: OnProgress, ticket: Ticket | None = None
) -> Downloaded:
    """Fetch weights into a new folder, with `SHA256SUMS`.

    Raises:
        Refused: The target exists, or the disk has no room.
        Outage: The transfer broke; the same call goes on.
        GivenUp: By the ticket.
    """
    _require_new(target)
    received = _received(target)
    result = asks.call(DownloadWeights(path=source.path, folder=str(received)), on_progress, ticket)
    received.rename(target)
    return result


def export(
    asks: Asks,
    profile: Profile,
    source: WeightsSource,
    form: ExportForm,
    target: Path,
    *,
    proved: bool = True,
    on_progress: OnProgress,
    ticket: Ticket | None = None,
) -> ExportReport:
    """Download, build, prove, and describe weights in a new folder.

    Args:
        asks: Who asks.
        profile: The server.
        source: The weights.
        form: What to make of them.
        target: The folder.
        proved: Hold the export against the backend; without it, it is never ready to serve.
        on_progress: Told what is done, in this thread; what it raises gives the export up.
        ticket: For giving it up from elsewhere.

    Returns:
        The report. An export that failed its proof is kept, so that it can be looked at, and says so.

    Raises:
        Refused: The target exists, or the disk has no room.
        BuildFailed: The weights cannot be made into this.
        TcaoError: What else went wrong; the target does not exist then.
    """
    _require_new(target)
    base_model = _base_model(asks, source)
    work = _Work(profile, source, base_model, _place_of(profile, base_model), form, target)
    ask = _Asking(asks, on_progress, ticket)
    received, building = _received(target), target.with_name(f".{target.name}.export")
    shutil.rmtree(building, ignore_errors=True)
    downloaded = ask(DownloadWeights(path=source.path, folder=str(received)))
    try:
        built = ask(work.order(received, building))
        parity = _prove(ask, work, building, built) if proved else None
        served = work.served(built)
        _describe(building, work, built, parity)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(received, ignore_errors=True)
    return ExportReport(target, built, parity, served, downloaded)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks with the same progress and ticket each time."""

    asks: Asks
    on_progress: OnProgress
    ticket: Ticket | None

    def __call__[ResultT: Shape](self, call: Call[Progress, ResultT]) -> ResultT:
        return self.asks.call(call, self.on_progress, self.ticket)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is exported, and from where; `base` is the folder or the Hub id of `base_model`."""

    profile: Profile
    source: WeightsSource
    base_model: str
    base: str
    form: ExportForm
    target: Path

    def order(self, received: Path, building: Path) -> BuildExport:
        return BuildExport(
            adapter=str(received), base=self.base, base_name=self.base_model, form=self.form, folder=str(building)
        )

    def served(self, built: Built) -> Served:
        """As commands on this machine name it."""
        return Served(self.target.name, self.form, str(self.target), self.base, built.rank, built.has_unembedding)

    def served_anywhere(self, built: Built) -> Served:
        """As commands in the export itself name it, which is published with it: without a path of this machine."""
        return replace(self.served(built), folder=".", base=self.base_model)

    def card(self, built: Built, parity: Parity | None) -> CardFacts:
        source = self.source
        return CardFacts(
            name=self.target.name,
            form=self.form,
            base_model=self.base_model,
            source=source.path,
            rank=built.rank,
            alpha=built.alpha,
            target_modules=built.target_modules,
            plan=source.plan,
            run_id=source.view.run_id if source.view else "",
            step=source.record.step if source.record else None,
            scores=source.scores,
            parity=parity,
        )


def _received(target: Path) -> Path:
    return target.with_name(f".{target.name}.download")


def _require_new(target: Path) -> None:
    if target.exists():
        raise Refused("there is something already", where=str(target), next_step="name another folder with --out")
    target.parent.mkdir(parents=True, exist_ok=True)


def _base_model(asks: Asks, source: WeightsSource) -> str:
    told = source.view.base_model if source.view else asks.call(DescribeCheckpoint(path=source.path)).base_model
    if not told:
        raise BackendError("the server does not say which base model these weights are for", where=source.path)
    return base_name(told)


def _place_of(profile: Profile, base_model: str) -> str:
    """Folder of the base model where the local engine has it, else its id on the Hugging Face Hub."""
    folders = engine_server.status(paths.engine_dir()).model_dirs if profile.kind == "engine" else {}
    return str(folders.get(base_model, base_model))


def _prove(ask: _Asking, work: _Work, folder: Path, built: Built) -> Parity:
    plan = work.source.plan
    question = AskBackend(
        path=work.source.sampler_path or work.source.path,
        tokenizer=work.base,
        model=work.base_model,
        renderer=plan.training.renderer_name if plan else None,
        prompts=parity_prompts(plan),
        max_tokens=ANSWER_TOKENS,
    )
    answers = ask(question).answers
    sequences = tuple(answer.tokens for answer in answers)
    measured = ask(MeasureExport(folder=str(folder), form=work.form, base=work.base, sequences=sequences))
    # The number type of Tinker's own servers is not published; the engine computes as we do here.
    backend_dtype = measured.dtype if work.profile.kind == "engine" else "unknown"
    # An adapter is not rounded by its export; what is merged is.
    export_dtype = built.dtype if work.form == "merged" else measured.dtype
    return compare(answers, measured.sequences, tolerance_for(export_dtype, measured.dtype, backend_dtype))


def _describe(folder: Path, work: _Work, built: Built, parity: Parity | None) -> None:
    """Write the model card, the commands that serve it, what it is for programs, and checksums of everything."""
    facts = work.card(built, parity)
    failed = parity is not None and not parity.ready_to_serve
    told: dict[str, Any] = {
        "made_by": f"tcao {__version__}",
        "form": work.form,
        "base_model": work.base_model,
        "source": work.source.path,
        "run_id": facts.run_id,
        "step": facts.step,
        **built.model_dump(mode="json"),
        "parity": "not proved" if parity is None else "failed" if failed else "holds",
        "ready_to_serve": parity is not None and parity.ready_to_serve,
    }
    write_text(folder / "README.md", model_card(facts))
    served = serving_markdown(work.served_anywhere(built), verdict(parity), blocked=failed)
    write_text(folder / "SERVING.md", served)
    write_text(folder / EXPORT_NAME, json.dumps(told, indent=2) + "\n")
    write_sums(folder)
    if parity is not None:
        # Not among the checksums: it quotes a row of the data, so it is not published with the rest.
        write_text(folder / PARITY_NAME, parity.model_dump_json(indent=2) + "\n")
