#!/usr/bin/env bash
# Public benchmarks of the plan, one process each: by tcao's provider where tcao is installed, else by a wrapper of
# `python -m tinker_cookbook.eval.run_inspect_evals`. Both draw the same samples.
#
#   MODEL_PATH=tinker://... ./run_inspect_evals.sh     a checkpoint (its sampler weights)
#   ./run_inspect_evals.sh                             the base model
#   ./run_inspect_evals.sh TASK LIMIT [TASK LIMIT]...  other benchmarks; a LIMIT of "" takes all samples
#
# Variables, and what holds when they are unset:
#   MODEL_PATH      the base model is evaluated
#   MODEL_NAME      the plan's base model
#   RENDERER_NAME   the plan's, else the one that the cookbook recommends
#   MAX_TOKENS      as the plan's benchmarks have it, else the task's own, else 2048
#   TEMPERATURE     as the plan's benchmarks have it, else the task's own, else 1.0
#   SEED            the plan's: it draws the samples
#   LOG_DIR         a new directory beside the plan; to look at the logs: inspect view --log-dir LOG_DIR
#   PYTHON          python
#   TCAO_BACKEND    tinker: with tcao, the server profile
# Key and server: TINKER_API_KEY, TINKER_BASE_URL. Needs: pip install 'tinker-cookbook[inspect]'
#
# LIMIT draws so many samples with SEED: compare only scores made with the same LIMIT and SEED, and by the same harness.
set -euo pipefail

plan_model=%%model_name
plan_renderer=%%renderer_name
plan_seed=%%seed
benchmarks=( # task, limit, options of `inspect eval`
%%benchmarks)

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python}
model=${MODEL_NAME:-$plan_model}
renderer=${RENDERER_NAME:-$plan_renderer}
seed=${SEED:-$plan_seed}
logs=${LOG_DIR:-$here/../inspect-logs/$(date -u +%Y%m%d-%H%M%S)}

stop() {
  echo "run_inspect_evals.sh: $1" >&2
  exit 2
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
  exit
fi
if (($# % 2)); then
  stop 'each TASK needs a LIMIT; "" takes all samples'
fi
if (($#)); then
  benchmarks=()
  for ((i = 1; i < $#; i += 2)); do
    benchmarks+=("${@:i:2}" '')
  done
fi
if ((${#benchmarks[@]} == 0)); then
  stop 'the plan names no benchmarks: give some, such as  ./run_inspect_evals.sh inspect_evals/gsm8k 100'
fi
if [[ -z ${TCAO_BACKEND:-} && -z ${TINKER_API_KEY:-}${TINKER_CREDENTIAL_CMD:-} && ! -e ~/.tinker/credentials.json ]]; then
  stop 'no Tinker key: set TINKER_API_KEY, or run  tinker auth login'
fi
command -v "$python" >/dev/null || stop "there is no $python here: set PYTHON"
"$python" -c 'import sys; from importlib.util import find_spec
sys.exit(not all(map(find_spec, ("tinker_cookbook", "inspect_ai", "inspect_evals"))))' ||
  stop "$python lacks packages: pip install 'tinker-cookbook[inspect]'"

with_tcao() { # options of `inspect eval`
  local name="tcao/$model" weights=(-M "profile=${TCAO_BACKEND:-tinker}")
  if [[ -n ${MODEL_PATH:-} ]]; then
    local run=${MODEL_PATH#*://}
    name+="@${run%%%%:*}-${MODEL_PATH##*/}"
    weights+=(-M "checkpoint=$MODEL_PATH")
  fi
  [[ -z $renderer ]] || weights+=(-M "renderer=$renderer")
  "$python" -m inspect_ai eval --model "$name" "${weights[@]}" --display plain --log-dir "$logs" \
    --metadata "weights=${MODEL_PATH:-base model}" --continue-on-fail --retry-on-error 1 --sample-shuffle "$seed" "$@"
}

# The cookbook finds a tokenizer only where the model's name is one of the Hugging Face hub; plan.py asks the server for
# any other. It takes no arguments of tasks and the first samples of a task, so both are added to its call of Inspect.
with_cookbook() { # options of `inspect eval`
  "$python" -c '
import functools, runpy, sys
import click, tinker, yaml
from inspect_ai import eval_async
from tinker_cookbook.eval import inspect_evaluators
from tinker_cookbook.tokenizer_utils import register_tokenizer
scripts, logs, model, path, renderer, seed = sys.argv[1:7]
sys.path.insert(0, scripts)
from plan import load_tokenizer

@click.command()
@click.argument("task")
@click.option("-T", "pairs", multiple=True)
@click.option("--limit", default="")
@click.option("--max-tokens", default="2048")
@click.option("--temperature", default="1.0")
@click.option("--epochs", type=int)
def words(task, pairs, limit, max_tokens, temperature, epochs):
    arguments = {key: yaml.safe_load(value) for key, _, value in (pair.partition("=") for pair in pairs)}
    more = {"task_args": arguments, "sample_shuffle": int(seed), "epochs": epochs}
    inspect_evaluators.eval_async = functools.partial(eval_async, **more)
    given = {"tasks": task, "model_name": model, "max_tokens": max_tokens, "temperature": temperature, "seed": seed,
             "log_dir": logs, "limit": limit, "model_path": path, "renderer_name": renderer,
             # Inspect logs do not say by themselves which weights were sampled.
             "metadata.weights": path or "base model"}
    return [f"{key}={value}" for key, value in given.items() if value]

words = words.main(sys.argv[7:], standalone_mode=False)
with tinker.ServiceClient() as service:
    tokenizer = load_tokenizer(model, lambda: service.create_lora_training_client(model, rank=1).result())
register_tokenizer(model, lambda: tokenizer)
sys.argv[1:] = words
runpy.run_module("tinker_cookbook.eval.run_inspect_evals", run_name="__main__", alter_sys=True)
' "$here" "$logs" "$model" "${MODEL_PATH:-}" "$renderer" "$seed" "$@"
}

harness=with_cookbook
if "$python" -c 'import sys; from importlib.util import find_spec; sys.exit(find_spec("tcao_tui") is None)'; then
  harness=with_tcao
fi
echo "evaluating ${MODEL_PATH:-the base model $model} ${harness/_/ }; logs in $logs" >&2
failed=0
for ((i = 0; i < ${#benchmarks[@]}; i += 3)); do
  read -ra options <<<"${benchmarks[i + 2]}"
  [[ -z ${benchmarks[i + 1]} ]] || options+=(--limit "${benchmarks[i + 1]}")
  [[ -z ${MAX_TOKENS:-} ]] || options+=(--max-tokens "$MAX_TOKENS")
  [[ -z ${TEMPERATURE:-} ]] || options+=(--temperature "$TEMPERATURE")
  # Only the table below goes to stdout.
  if ! "$harness" "${options[@]}" -- "${benchmarks[i]}" >&2; then
    echo "run_inspect_evals.sh: ${benchmarks[i]} failed" >&2
    failed=1
  fi
done

# A task whose samples all failed still ends as "success", so the logs are asked how many samples were scored.
"$python" - "$logs" <<'PYTHON' || failed=1
import sys
from inspect_ai.log import list_eval_logs, read_eval_log

complete = True
for info in list_eval_logs(sys.argv[1]):
    log = read_eval_log(info, header_only=True)
    done, total = (log.results.completed_samples, log.results.total_samples) if log.results else (0, 0)
    scores = [
        f"{score.name} {name} {metric.value:.3f}"
        for score in (log.results.scores if log.results else [])
        for name, metric in score.metrics.items()
    ]
    print(f"{log.eval.task}: {log.status}, {done} of {total} samples", *scores, sep="  ")
    complete = complete and log.status == "success" and done == total > 0
sys.exit(not complete)
PYTHON
exit $failed
