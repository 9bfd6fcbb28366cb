"""`python -m tcao_tui.probes.held_out JOB.json`: the loss of weights on rows, as `domain.eval_job` has it.

Rows are sent as prompts to a sampler, which is billed as reading; a forward pass of a trainer would be billed as
training, which no price list has cheaper, and would need the training state.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import tinker
from pydantic import TypeAdapter

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, translate
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.domain.chat import Prices
from tcao_tui.domain.eval_job import RESULTS, Ended, Found, GaveUp, Job, Line
from tcao_tui.domain.evaluation import Counts, ItemResult, Usage
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.methods.at_once import at_most
from tcao_tui.probes.chat_voice import open_voice
from tcao_tui.probes.held_out_rows import Row, read_rows
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import go_offline_if_needed

REQUESTS_AT_ONCE = 32
"""What is under way when the process is killed is asked again: at most this many rows."""

_LARGEST_EXPONENT = 700.0


def main(job_file: str) -> int:
    """Go on with a job until it is done. Returns the exit code."""
    job = Job.model_validate_json(Path(job_file).read_bytes())
    with Journal(job.directory / RESULTS) as journal:
        try:
            asyncio.run(_measure(job, journal))
        except TcaoError as error:
            journal.write(GaveUp(problem=error.what, next_step=error.next_step))
            return int(error.exit_code)
    return int(ExitCode.OK)


class Journal:
    """What was found, one line each; what an earlier process wrote is read first, but for a line that it tore."""

    def __init__(self, path: Path) -> None:
        self.items: dict[str, ItemResult] = {}
        known = path.read_bytes() if path.exists() else b""
        whole = known[: known.rfind(b"\n") + 1]
        lines = TypeAdapter[Line](Line)
        for text in whole.splitlines():
            line = lines.validate_json(text)
            if isinstance(line, Found):
                self.items |= {item.item: item for item in line.items}
        self._file = path.open("r+b" if path.exists() else "wb")
        self._file.truncate(len(whole))
        self._file.seek(len(whole))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, line: Line) -> None:
        """Append a line, which a reader sees whole or not at all."""
        if isinstance(line, Found):
            self.items |= {item.item: item for item in line.items}
        self._file.write(line.model_dump_json().encode() + b"\n")
        self._file.flush()


async def _measure(job: Job, journal: Journal) -> None:
    server = Server(job.profile, "evals")
    try:
        if server.profile.kind != "engine":
            await in_daemon_thread(partial(go_offline_if_needed, job.subject.base_model))
        trained_as = job.subject.renderer or str(job.task.arguments.get("renderer", ""))
        voice = await in_daemon_thread(partial(open_voice, server, job.subject.base_model, trained_as, None))
        rows = await in_daemon_thread(partial(read_rows, job.task, voice))
        service = await server.service()
        base = job.subject.base_model if job.subject.is_base else None
        client = await service.create_sampling_client(base_model=base, model_path=job.subject.checkpoint or None)
        missing = [row for row in rows if row.item not in journal.items]
        await at_most(REQUESTS_AT_ONCE, lambda row: _one(client, row, len(rows), voice.prices, journal), missing)
    except SDK_ERRORS as error:
        raise translate(error, f"measuring {clean(job.subject.name)}") from error
    finally:
        await server.close()
    journal.write(Ended(numbers=summed_up(rows, journal.items)))


async def _one(client: tinker.SamplingClient, row: Row, planned: int, prices: Prices, journal: Journal) -> None:
    whole = tinker.ModelInput.from_ints(list(row.tokens))
    found = await client.compute_logprobs(whole, prompt_logprobs_last_n=len(row.trained))
    nats = -math.fsum(p for p, counts in zip(found[-len(row.trained) :], row.trained, strict=True) if counts and p)
    counted = sum(row.trained)
    value, error = (nats / counted, "") if math.isfinite(nats) else (None, "the loss is no number")
    item = ItemResult(item=row.item, value=value, tokens=counted, error=error)
    usd = None if prices.prefill_usd is None else len(row.tokens) * prices.prefill_usd / 1e6
    counts = Counts(planned=planned, completed=len(journal.items) + 1)
    journal.write(Found(items=(item,), counts=counts, usage=Usage(input_tokens=len(row.tokens), usd=usd)))


def summed_up(rows: Sequence[Row], items: Mapping[str, ItemResult]) -> dict[str, float]:
    """Numbers of all rows together: each token counts alike, whereas items are means of rows."""
    known = [(item, row.text_bytes) for row in rows if (item := items[row.item]).value is not None]
    tokens, size = sum(item.tokens for item, _ in known), sum(size for _, size in known)
    if not tokens or not size:
        return {}
    nats = math.fsum((item.value or 0.0) * item.tokens for item, _ in known)
    mean = nats / tokens
    return {
        "mean_nll": mean,
        "perplexity": math.exp(min(mean, _LARGEST_EXPONENT)),
        "bits_per_byte": nats / math.log(2) / size,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
