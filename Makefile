# One command per duty, the same at the desk and in CI. They need python3 (3.10 to 3.13), make and a package index;
# whatever else they use they put into a virtual environment of their own.

PYTHON ?= python3
VENV ?= .venv
EXPERIMENT ?=
ARGS ?=
DATA_ARGS ?= --days 8
PYTEST_ARGS ?=
RAY_VENV ?= build/ray
BENCH_ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RAY_STAMP := $(RAY_VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
DAY_FILE := meituan_city_lunchtime_plat10301330_day
DEMO_DATA := data/demo

.DEFAULT_GOAL := help
.PHONY: help venv data demo test slurm check bench xsweep report latest experiment-is-named constraints clean

help: ## list these commands
	@echo 'make COMMAND [PYTHON=python3.12] [VENV=.venv]'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='|' read -r name text; do printf '  %-12s %s\n' $$name "$$text"; done

venv: $(STAMP) ## make .venv with the application, every extra and the test tools; again when their lists change

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	    echo "make: there is no '$(PYTHON)'; name a Python 3.10 to 3.13: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
	    "make: Python 3.10 to 3.13 is needed and $(PYTHON) is %d.%d; name another: make PYTHON=python3.12" % v)'
	@test -x $(BIN)/python || { echo 'making $(VENV)'; $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }
	@echo 'installing into $(VENV)'
	@$(PIP) install --quiet -c constraints.txt -e '.[all,dev]'
	@touch $@

data: $(STAMP) ## write eight generated days of orders into data/ (DATA_ARGS='--days 2 --minutes 15' for less)
	@if ls data/$(DAY_FILE)*.csv >/dev/null 2>&1; then \
	    echo 'data/ has jobs files; they are kept. Move them away to have generated ones.'; \
	else $(BIN)/python -m app.workloads.dispatch.generate --out data $(DATA_ARGS); fi

demo: $(STAMP) ## run both experiments on small generated data and show where the results are
	@$(BIN)/python -m app.workloads.dispatch.generate --out $(DEMO_DATA) --days 8 --minutes 15
	$(BIN)/python -m app -m +experiment=meituan_shadow_sweep \
	    'workload.jobs_template="$(DEMO_DATA)/$(DAY_FILE){day}.csv"'
	$(BIN)/python -m app -m +experiment=arena_grid
	@echo
	@echo 'Where to look:'
	@for name in meituan_shadow_sweep arena_grid; do for file in notes.md results.csv summary.png; do \
	    test -s multirun/$$name/latest/$$file || { echo "missing: multirun/$$name/latest/$$file" >&2; exit 1; }; \
	    echo "  multirun/$$name/latest/$$file"; done; done
	@echo "Next: $(BIN)/runyard ls, $(BIN)/runyard show latest"

test: $(STAMP) ## run the tests (PYTEST_ARGS='-k plan -x' for some)
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

slurm: $(STAMP) ## run the tests on a real Slurm, started for them and taken down; it needs root on Debian, or a cluster
	$(BIN)/python -m pytest tests/slurm -n 2 $(PYTEST_ARGS)

check: $(STAMP) ## lint, format, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) $(RAY_STAMP) ## measure beside the peers and write docs/benchmarks.md (BENCH_ARGS=--quick: minutes, not hours)
	$(BIN)/python -m benchmarks --ray-python $(RAY_VENV)/bin/python $(BENCH_ARGS)

# An environment of its own, since hydra-ray-launcher wants an older cloudpickle than Runyard does.
$(RAY_STAMP): constraints.txt
	@test -x $(RAY_VENV)/bin/python || $(PYTHON) -m venv $(RAY_VENV) || { rm -rf $(RAY_VENV); exit 1; }
	@echo 'installing hydra-ray-launcher into $(RAY_VENV)'
	@$(RAY_VENV)/bin/python -m pip --disable-pip-version-check install --quiet 'hydra-ray-launcher>=1.2,<1.3' \
	    $$(sed -n '/^\(hydra-core\|omegaconf\)==/p' constraints.txt) || \
	    echo 'make: hydra-ray-launcher cannot be installed here; it is left out, and the page will say so' >&2
	@touch $@

xsweep: experiment-is-named $(STAMP) ## run conf/experiment/EXPERIMENT.yaml: make xsweep EXPERIMENT=arena_grid ARGS='workload.seed=1,2'
	$(BIN)/python -m app -m +experiment=$(EXPERIMENT) $(ARGS)

report: $(STAMP) ## make the newest sweep's report (EXPERIMENT=NAME: that of one experiment), and print where it is
	@$(BIN)/runyard report $(if $(EXPERIMENT),latest:$(EXPERIMENT),latest) $(ARGS)

latest: $(STAMP) ## show the newest sweep (EXPERIMENT=NAME: that of one experiment)
	@$(BIN)/runyard show $(if $(EXPERIMENT),latest:$(EXPERIMENT),latest) $(ARGS)

experiment-is-named:
	@test -n "$(EXPERIMENT)" || { \
	    echo "make: name the experiment: make xsweep EXPERIMENT=NAME [ARGS='key=value ...']; there are:" >&2; \
	    ls conf/experiment | sed -n 's/\.yaml$$//p' | sed 's/^/  /' >&2; exit 2; }

constraints: ## choose the versions in constraints.txt anew, for Python 3.10 to 3.13
	@test -x build/uv/bin/uv || { $(PYTHON) -m venv build/uv && build/uv/bin/python -m pip install --quiet uv; }
	@echo 'hydra-core<1.4' > build/uv/limits.txt
	build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --all-extras \
	    --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make constraints' \
	    --constraint build/uv/limits.txt --output-file constraints.txt pyproject.toml

clean: ## remove what the tools leave behind; .venv, data and results stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
