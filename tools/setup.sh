#!/bin/sh
# Make .venv hold exactly requirements.lock, with only python3 and a package registry at hand.
# usage: tools/setup.sh [python|uv]   (default: build the environment; `uv` prints the uv to use)
set -eu
cd "$(dirname "$0")/.."

find_uv() {
  if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
  if [ ! -x .venv/tooling/bin/uv ]; then
    echo "setup: installing uv into .venv/tooling" >&2
    python3 -m venv .venv/tooling >&2
    .venv/tooling/bin/python -m pip install --quiet uv >&2
  fi
  echo "$PWD/.venv/tooling/bin/uv"
}

# A pyenv shim may exist and still refuse to run, so every candidate has to answer.
find_python() {
  for candidate in "${TCAO_PYTHON:-}" python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3.12 python3; do
    [ -n "$candidate" ] || continue
    if version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) && [ "$version" = 3.12 ]; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  "$1" python install --quiet 3.12 >&2
  "$1" python find 3.12
}

uv=$(find_uv)
if [ "${1:-python}" = uv ]; then echo "$uv"; exit 0; fi
if [ ! -x .venv/bin/python ]; then
  python=$(find_python "$uv")
  echo "setup: creating .venv with $("$python" --version)" >&2
  UV_PYTHON_DOWNLOADS=never "$uv" venv --quiet --allow-existing --python "$python" .venv
fi
echo "setup: installing the versions of requirements.lock (about 6 GB on Linux, most of it torch)" >&2
export VIRTUAL_ENV="$PWD/.venv" UV_LINK_MODE="${UV_LINK_MODE:-}"
[ -n "$UV_LINK_MODE" ] || unset UV_LINK_MODE
"$uv" pip sync --quiet --compile-bytecode requirements.lock
"$uv" pip install --quiet --no-deps --no-build-isolation --editable .
touch .venv/.ready
