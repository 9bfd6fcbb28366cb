#!/usr/bin/env bash
# Public benchmarks of the plan: a wrapper of `python -m tinker_cookbook.eval.run_inspect_evals`, one process each.
#
#   MODEL_PATH=tinker://... ./run_inspect_evals.sh     a checkpoint (its sampler weights)
#   ./run_inspect_evals.sh                             the base model
#   ./run_inspect_evals.sh TASK LIMIT [TASK LIMIT]...  other benchmarks; a LIMIT of "" takes all samples
#
# Variables, and what holds when they are unset:
#   MODEL_PATH      the base model is evaluated
#   MODEL_NAME      the plan's base model
#   RENDERER_NAME   the plan's, else the checkpoint's own, else the one that the cookbook recommends
#   MAX_TOKENS      4096 per answer: the cookbook's 1000 cut off models that think
#   TEMPERATURE     1.0, the cookbook's; a task that sets its own keeps it
#   SEED            the plan's
#   LOG_DIR         a new directory beside the plan; to look at the logs: inspect view --log-dir LOG_DIR
#   PYTHON          python
# Key and server: TINKER_API_KEY, TINKER_BASE_URL. Needs: pip install 'tinker-cookbook[inspect]'
#
# LIMIT takes the first samples of a task: compare only scores made with the same LIMIT, and made by this script.
set -euo pipefail

plan_model=%%model_name
plan_renderer=%%renderer_name
plan_seed=%%seed
benchmarks=( # task, limit
%%benchmarks)

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python}
model=${MODEL_NAME:-$plan_model}
renderer=${RENDERER_NAME:-$plan_renderer}
logs=${LOG_DIR:-$here/../inspect-logs/$(date -u +%Y%m%d-%H%M%S)}

stop() {
  echo "run_inspect_evals.sh: $1" >&2
  exit 2
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
  exit
fi
if (($#)); then
  benchmarks=("$@")
fi
if ((${#benchmarks[@]} == 0)); then
  stop 'the plan names no benchmarks: give some, such as  ./run_inspect_evals.sh inspect_evals/gsm8k 100'
fi
if ((${#benchmarks[@]} % 2)); then
  stop 'each TASK needs a LIMIT; "" takes all samples'
fi
if [[ -z ${TINKER_API_KEY:-}${TINKER_CREDENTIAL_CMD:-} && ! -e ~/.tinker/credentials.json ]]; then
  stop 'no Tinker key: set TINKER_API_KEY, or run  tinker auth login'
fi
command -v "$python" >/dev/null || stop "there is no $python here: set PYTHON"
"$python" -c 'import sys; from importlib.util import find_spec
sys.exit(not all(map(find_spec, ("tinker_cookbook", "inspect_ai", "inspect_evals"))))' ||
  stop "$python lacks packages: pip install 'tinker-cookbook[inspect]'"

# The cookbook finds a tokenizer only where the model's name is one of the Hugging Face hub; plan.py asks the server for
# any other. For the rest this is `python -m tinker_cookbook.eval.run_inspect_evals`.
run_task() { # key=value ...
  "$python" -c '
import runpy, sys
import tinker
from tinker_cookbook.tokenizer_utils import register_tokenizer
scripts, model = sys.argv.pop(1), sys.argv.pop(1)
sys.path.insert(0, scripts)
from plan import load_tokenizer
with tinker.ServiceClient() as service:
    tokenizer = load_tokenizer(model, lambda: service.create_lora_training_client(model, rank=1).result())
register_tokenizer(model, lambda: tokenizer)
runpy.run_module("tinker_cookbook.eval.run_inspect_evals", run_name="__main__", alter_sys=True)
' "$here" "$model" "$@"
}

echo "evaluating ${MODEL_PATH:-the base model $model}; logs in $logs" >&2
failed=0
for ((i = 0; i < ${#benchmarks[@]}; i += 2)); do
  arguments=(
    "tasks=${benchmarks[i]}"
    "model_name=$model"
    "max_tokens=${MAX_TOKENS:-4096}"
    "temperature=${TEMPERATURE:-1.0}"
    "seed=${SEED:-$plan_seed}"
    "log_dir=$logs"
    # Inspect's logs do not say by themselves which weights were sampled.
    "metadata.weights=${MODEL_PATH:-base model}"
  )
  [[ -z ${benchmarks[i + 1]} ]] || arguments+=("limit=${benchmarks[i + 1]}")
  [[ -z ${MODEL_PATH:-} ]] || arguments+=("model_path=$MODEL_PATH")
  [[ -z $renderer ]] || arguments+=("renderer_name=$renderer")
  # Only the table below goes to stdout.
  if ! run_task "${arguments[@]}" >&2; then
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
