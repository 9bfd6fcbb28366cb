"""Supervised fine-tuning of a LoRA with the Tinker SDK: a loop to read, change and own.

    python sl_trainer.py             train what ../training-config.yaml says; run it again to resume
    python sl_trainer.py --help

Needs `pip install tinker tinker-cookbook`. Key and server come from the environment (TINKER_API_KEY, TINKER_BASE_URL).
Rows, their order and the losses are those of `tcao run` on the same plan. What a plan has beyond that, this loop does
not do: it watches no budget, takes no samples and scores nothing; eval_offline.py scores.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from collections import deque
from pathlib import Path

import tinker
from tinker_cookbook import checkpoint_utils
from tinker_cookbook.renderers import Renderer, TrainOnWhat
from tinker_cookbook.supervised.common import compute_mean_nll
from tinker_cookbook.supervised.data import conversation_to_datum

from plan import PLAN_DIR, Values, conversations, load_renderer, load_tokenizer, read_yaml


def main() -> None:
    """Open or resume, train, and print the path of the final weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=PLAN_DIR / "training-config.yaml", help="hyperparameters")
    parser.add_argument(
        "--output",
        type=Path,
        default=PLAN_DIR / "sl_trainer",
        help="metrics.jsonl and checkpoints.jsonl in the cookbook's layout; a new directory is a new training",
    )
    arguments = parser.parse_args()
    plan, config, output = read_yaml(PLAN_DIR / "plan.yaml"), read_yaml(arguments.config), arguments.output
    if plan["method"] != "sft":
        say(f"the plan's method is {plan['method']}; this loop only imitates answers: a stage before it, or a baseline")
    output.mkdir(parents=True, exist_ok=True)
    # So that SIGTERM, like Ctrl-C, closes the session on the server instead of leaving it to time out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tinker.ServiceClient() as service:
        client, step = open_client(service, plan, config, output)
        renderer = load_renderer(config, load_tokenizer(config["base_model"], lambda: client))
        rows = load_data(config["train_file"], config, renderer)
        validation = load_data(config["val_file"], config, renderer) if config["val_file"] else []
        if len(rows) < config["train_batch_size"]:
            sys.exit(f"{len(rows)} rows do not fill one batch of {config['train_batch_size']}: lower train_batch_size")
        train(client, config, rows, validation, step=step, output=output)
    print(f"MODEL_PATH={checkpoint_utils.get_last_checkpoint(str(output), 'sampler_path').sampler_path}")


def open_client(
    service: tinker.ServiceClient, plan: Values, config: Values, output: Path
) -> tuple[tinker.TrainingClient, int]:
    """The LoRA and how many updates it holds: the last checkpoint of the output directory, or a new start."""
    metadata = {"run_name": config["run_name"]}
    checkpoint_utils.add_renderer_name_to_user_metadata(metadata, config["renderer_name"])
    last = checkpoint_utils.get_last_checkpoint(str(output))
    if last is not None:
        say(f"resuming after step {last.get('step')} from {last.state_path}")
        # With the optimiser's state: without it, Adam would start anew in the middle of the run.
        client = service.create_training_client_from_state_with_optimizer(last.state_path, user_metadata=metadata)
        return client.result(), last.get("step")
    if start := plan["start_from"]:
        return service.create_training_client_from_state(start, user_metadata=metadata).result(), 0
    client = service.create_lora_training_client(
        config["base_model"],
        rank=config["lora_rank"],
        seed=config["seed"],
        train_mlp=config["train_mlp"],
        train_attn=config["train_attn"],
        train_unembed=config["train_unembed"],
        user_metadata=metadata,
    )
    return client.result(), 0


def load_data(path: str, config: Values, renderer: Renderer) -> list[tinker.Datum]:
    """All rows as tokens and the tokens that follow them; the loss weights of each row sum to 1."""
    what = TrainOnWhat(config["train_on_what"])
    rows = conversations(Path(path), config, renderer)
    return [conversation_to_datum(turns, renderer, config["max_seq_len"], what) for turns in rows]


def batch_of(step: int, rows: list[tinker.Datum], config: Values) -> list[tinker.Datum]:
    """The rows of update number `step`, from 1: a function of seed and step alone, so that a resume is exact.

    Each epoch is shuffled anew; its remainder that fills no batch is left out.
    """
    size = config["train_batch_size"]
    epoch, batch = divmod(step - 1, len(rows) // size)
    order = list(range(len(rows)))
    random.Random(f"{config['seed']}:{epoch}").shuffle(order)
    return [rows[index] for index in order[batch * size : (batch + 1) * size]]


def train(
    client: tinker.TrainingClient,
    config: Values,
    rows: list[tinker.Datum],
    validation: list[tinker.Datum],
    *,
    step: int,
    output: Path,
) -> None:
    """Apply the updates after `step`, measure, and save."""
    adam = tinker.AdamParams(
        learning_rate=config["learning_rate"],
        beta1=config["adam_beta1"],
        beta2=config["adam_beta2"],
        eps=config["adam_eps"],
        weight_decay=config["weight_decay"],
        grad_clip_norm=config["grad_clip_norm"],
    )
    num_steps, eval_every, save_every = config["num_steps"], config["eval_every"], config["save_every"]
    # A checkpoint's name is never used twice, so a later attempt cannot overwrite what an earlier one saved.
    attempt = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    metrics = output / "metrics.jsonl"
    forget_rows_after(step, metrics)
    if step == 0 and validation:
        log(metrics, step, val_mean_nll=validation_loss(client, validation))
    in_flight: deque[tuple[list[tinker.Datum], tinker.APIFuture, tinker.APIFuture]] = deque()
    submitted = step
    while step < num_steps:
        # Nothing is sent past a step at which the weights are measured or saved: checkpoint N holds N updates.
        barrier = min(num_steps, next_multiple(step, eval_every), next_multiple(step, save_every))
        while submitted < barrier and len(in_flight) <= config["submit_ahead"]:
            submitted += 1
            batch = batch_of(submitted, rows, config)
            # Both calls return at once; the server works on the next step while this loop waits for an earlier one.
            in_flight.append((batch, client.forward_backward(batch, "cross_entropy"), client.optim_step(adam)))
        batch, forward_backward, optim_step = in_flight.popleft()
        values = {"train_mean_nll": mean_nll(forward_backward.result(), batch), "learning_rate": adam.learning_rate}
        optim_step.result()
        step += 1
        if validation and is_due(step, eval_every, num_steps):
            values["val_mean_nll"] = validation_loss(client, validation)
        log(metrics, step, **values)
        if is_due(step, save_every, num_steps):
            save(client, f"{attempt}-{step:06d}", config, step=step, output=output)


def mean_nll(output: tinker.ForwardBackwardOutput, batch: list[tinker.Datum]) -> float:
    """Negative log-likelihood per row in nats; the server's own losses are sums over tokens."""
    logprobs = [row["logprobs"] for row in output.loss_fn_outputs]
    return compute_mean_nll(logprobs, [datum.loss_fn_inputs["weights"] for datum in batch])


def validation_loss(client: tinker.TrainingClient, validation: list[tinker.Datum]) -> float:
    """The same on rows that are never trained on. Tinker bills this forward pass like training."""
    return mean_nll(client.forward(validation, "cross_entropy").result(), validation)


def save(client: tinker.TrainingClient, name: str, config: Values, *, step: int, output: Path) -> None:
    """Save training state to resume from and weights to sample; only the final ones are kept for good."""
    is_final = step == config["num_steps"]
    paths = checkpoint_utils.save_checkpoint(
        client,
        name,
        str(output),
        {"step": step, "batch": step, "final": is_final},
        kind="both",
        ttl_seconds=None if is_final else config["checkpoint_ttl_seconds"],
    )
    say(f"saved {paths['state_path']}")


def is_due(step: int, every: int, last: int) -> bool:
    """Whether `step` is the last one or a multiple of `every`, which is 0 for never."""
    return step == last or (every > 0 and step % every == 0)


def next_multiple(step: int, every: int) -> float:
    """The next step at which something is due."""
    return (step // every + 1) * every if every else float("inf")


def log(metrics: Path, step: int, **values: float) -> None:
    """Append a row to metrics.jsonl and tell a person."""
    with metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, **values, "time": time.time()}) + "\n")
    say(f"step {step}  " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))


def forget_rows_after(step: int, metrics: Path) -> None:
    """Drop the rows of steps that are trained again after a resume, so that each step has one row."""
    if metrics.exists():
        lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)
        metrics.write_text("".join(line for line in lines if step and json.loads(line)["step"] <= step))


def say(text: str) -> None:
    """Progress goes to stderr; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("interrupted; run it again to go on from the last checkpoint")
        sys.exit(130)
