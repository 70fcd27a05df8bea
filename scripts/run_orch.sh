#!/usr/bin/env bash
# A contest in one command, by preset: from a slate to lineups, a field, and what they win. Further words are options of
# `python -m app.contest run`, and win over the preset's.
#
#   make venv && scripts/run_orch.sh [PRESET] [OPTION...]
#
#   smoke    3 lineups, a field of 100, 100 worlds
#   default  20 lineups, a field of 2,000, 2,000 worlds
#   precise  the same in 20,000 worlds: a third of the standard error
#
#   scripts/run_orch.sh smoke --slate synthetic-7 --seed 1337 --tag mvp-e2e
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-$repo/.venv/bin/python}
presets=$repo/scripts/presets

preset=default
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    preset=$1
    shift
fi
if [ "$preset" != default ] && [ ! -d "$presets/$preset" ]; then
    echo "run_orch: there is no preset '$preset'; known: default $(cd "$presets" && echo *)" >&2
    exit 2
fi
words=()
for section in variants optimizer sampler sim; do
    file=$presets/$preset/$section.yaml
    if [ -f "$file" ]; then words+=("--$section-config" "$file"); fi
done
exec "$python" -m app.contest run "${words[@]}" "$@"
