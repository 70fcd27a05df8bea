#!/usr/bin/env bash
# From a sweep to a champion and back from the archive, on the workload `burgers`: sweep, gate, promote, run again,
# leaderboard, archive, restore. Every step checks what it says. About a minute.
#
#   make venv && scripts/cycle.sh [FOLDER]        FOLDER (build/cycle) gets the results and the promoted config
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${BIN:-$repo/.venv/bin}
work=${1:-$repo/build/cycle}
mkdir -p "$work/conf"
cd "$work"

say() { printf '\n== %s\n' "$*"; }
fail() { echo "cycle: $*" >&2; exit 1; }

say 'a baseline, and a sweep over two axes and three seeds'
"$bin/python" -m app --config-dir conf -m workload=burgers workload.operator=ridge workload.latent_dim=16 workload.seed=0,1,2 \
    hydra.callbacks.runyard.experiment=burgers_baseline
"$bin/python" -m app --config-dir conf -m +experiment=burgers_grid

say 'which is best, and is it noise?'
"$bin/runyard" best latest:burgers_grid final_nrmse --min

say 'gates: an improvement over the baseline that is certain, and a threshold'
cat > gates.yaml <<'YAML'
gates:
  - {metric: final_nrmse, min_delta: 0.1, mode: min, certain: ci95}
  - gates_passed == 1
YAML
"$bin/runyard" gate latest:burgers_grid --baseline latest:burgers_baseline --gates gates.yaml --any --junit gates.xml
if "$bin/runyard" gate latest:burgers_baseline --rule 'final_nrmse < 0.001' --dry-run; then
    fail 'a gate that cannot hold has passed'
fi

say 'promote job 9, and run its config again'
job=latest:burgers_grid/9
rm -f conf/production/burgers_cycle.yaml
"$bin/runyard" promote "$job" --name burgers_cycle --conf-dir conf
if "$bin/runyard" promote "$job" --name burgers_cycle --conf-dir conf; then fail 'a name that is taken was given again'; fi
"$bin/python" -m app --config-dir conf +production=burgers_cycle
"$bin/python" - <<'PYTHON'
import sys

import runyard

grid, again = runyard.load("latest:burgers_grid").results, runyard.load("latest:app").results
was, now = grid.set_index("job").loc[9], again.iloc[0]
metrics = [name for name in again.columns if name in grid.columns and "nrmse" in name]
unequal = {name: (was[name], now[name]) for name in metrics if was[name] != now[name]}
print(f"{len(metrics)} metrics are equal to the last digit" if metrics and not unequal else f"unequal: {unequal}")
sys.exit(bool(unequal) or not metrics)
PYTHON

say 'the leaderboard, twice: no row is there twice'
"$bin/runyard" leaderboard latest:burgers_grid --out leaderboard.csv --md leaderboard.md --metric final_nrmse --mode min
first=$(wc -l < leaderboard.csv)
"$bin/runyard" leaderboard latest:burgers_grid --out leaderboard.csv > /dev/null
[ "$(wc -l < leaderboard.csv)" = "$first" ] || fail 'the leaderboard has grown'

say 'archive the baseline, look, and bring it back'
before=$(find multirun/burgers_baseline -name run.json | wc -l)
"$bin/runyard" archive latest:burgers_baseline
if [ -n "$(find multirun/burgers_baseline -name run.json)" ]; then fail 'the baseline is still there'; fi
id=$(basename "$(find multirun-archive -name sweep.json -printf '%h\n' | head -n 1)")
"$bin/runyard" restore "$id"
[ "$(find multirun/burgers_baseline -name run.json | wc -l)" = "$before" ] || fail 'not all of it came back'
"$bin/runyard" results "$id"

say 'what is promoted cannot be removed'
if "$bin/runyard" rm latest:burgers_grid --yes --conf-dir conf; then fail 'the champion was removed'; fi

say 'done'
