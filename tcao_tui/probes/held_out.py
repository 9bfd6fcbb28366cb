"""`python -m tcao_tui.probes.held_out JOB.json`: the loss of weights on rows, as `domain.eval_job` has it.

Rows are sent as prompts to a sampler, which is billed as reading; a forward pass of a trainer would be billed as
training, which no price list has cheaper, and would need the training state.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import tinker

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, translate
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.domain.eval_job import Ended, Found, Job
from tcao_tui.domain.evaluation import Counts, ItemResult, Usage
from tcao_tui.methods.at_once import at_most
from tcao_tui.probes.cell_journal import Journal, carry_out, sampling_client
from tcao_tui.probes.chat_voice import open_voice
from tcao_tui.probes.held_out_rows import Row, read_rows
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import go_offline_if_needed

REQUESTS_AT_ONCE = 32
"""What is under way when the process is killed is asked again: at most this many rows."""

_LARGEST_EXPONENT = 700.0


def main(job_file: str) -> int:
    """Go on with a job until it is done. Returns the exit code."""
    return carry_out(job_file, _measure)


async def _measure(job: Job, journal: Journal, server: Server) -> None:
    items = {item.item: item for line in journal.before if isinstance(line, Found) for item in line.items}
    try:
        if server.profile.kind != "engine":
            await in_daemon_thread(partial(go_offline_if_needed, job.subject.base_model))
        trained_as = job.subject.renderer or str(job.task.arguments.get("renderer", ""))
        voice = await in_daemon_thread(partial(open_voice, server, job.subject.base_model, trained_as, None))
        rows = await in_daemon_thread(partial(read_rows, job.task, voice))
        client = await sampling_client(server, job.subject)

        async def measure(row: Row) -> None:
            items[row.item] = item = await _one(client, row)
            usd = None if voice.prices.prefill_usd is None else len(row.tokens) * voice.prices.prefill_usd / 1e6
            counts = Counts(planned=len(rows), completed=len(items))
            journal.write(Found(items=(item,), counts=counts, usage=Usage(input_tokens=len(row.tokens), usd=usd)))

        await at_most(REQUESTS_AT_ONCE, measure, [row for row in rows if row.item not in items])
    except SDK_ERRORS as error:
        raise translate(error, f"measuring {clean(job.subject.name)}") from error
    journal.write(Ended(numbers=summed_up(rows, items)))


async def _one(client: tinker.SamplingClient, row: Row) -> ItemResult:
    whole = tinker.ModelInput.from_ints(list(row.tokens))
    found = await client.compute_logprobs(whole, prompt_logprobs_last_n=len(row.trained))
    nats = -math.fsum(p for p, counts in zip(found[-len(row.trained) :], row.trained, strict=True) if counts and p)
    counted = sum(row.trained)
    value, error = (nats / counted, "") if math.isfinite(nats) else (None, "the loss is no number")
    return ItemResult(item=row.item, value=value, tokens=counted, error=error)


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
