# One-word targets; `make` lists them. A fresh machine needs Python >= 3.11 and make, nothing else.
SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
UV := .venv/.uv
STAMP := .venv/.stamp
LOCK := .ci/constraints.txt
SUITE := not browser and not interop and not package and not soak and not tools
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
GATES := style lint pyright mypy imports drift patches

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# A gate is silent while it is green; when it is red its whole output comes in one piece, so that
# gates that run side by side stay readable.
define gate
@start=$$SECONDS; \
if out=$$($(1) 2>&1); then printf '  ok   %-8s %2d s\n' $@ $$((SECONDS - start)); \
else printf '  RED  %-8s %2d s\n%s\n' $@ $$((SECONDS - start)) "$$out"; exit 1; fi
endef

.PHONY: help venv generate format check $(GATES) lock test coverage tools package lowest newest pythons soak fuzz chaos interop browser screenshots mutants bench growth bench-peers docs demo cast sizes duplicates trace clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(STAMP) ## create .venv with everything in it

# uv installs in 10 s what takes pip two minutes; pip only fetches uv.
$(UV):
	@python=; for name in $(PYTHONS); do \
	  if $$name -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'poolse needs Python 3.11 or newer with venv (on Debian: apt install python3-venv).' >&2; \
	  exit 1; \
	fi; \
	echo "setting up .venv with $$($$python --version)"; \
	[ -x $(PY) ] || $$python -m venv .venv
	@$(PY) -m pip install -qq --constraint $(LOCK) uv
	@touch $@

$(STAMP): pyproject.toml $(LOCK) | $(UV)
	@$(PY) -m uv pip install --quiet --python .venv --constraint $(LOCK) \
	  --build-constraints $(LOCK) --editable '.[dev,docs,sandbox,sandbox-ui,cli]'
	@touch $@

# Needs uv alone, so that it also helps when the pins and pyproject.toml contradict each other.
lock: $(UV) ## newest versions of everything into .ci/constraints.txt (ONLY=ruff: of that alone)
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	  --all-extras --group elsewhere --no-annotate --no-header \
	  $(if $(ONLY),$(addprefix --upgrade-package=,$(ONLY)),--upgrade) \
	  --output-file $(LOCK) pyproject.toml >/dev/null

generate: venv ## spec -> poolse/_generated
	@$(PY) -m codegen

format: venv ## let ruff rewrite what it can
	@$(PY) -m ruff format --quiet
	@$(PY) -m ruff check --fix --quiet

check: venv ## style, lint, types, import contracts, drift, mutants that apply (under 45 s)
	@$(MAKE) --jobs=3 --keep-going $(GATES) 2>&1 | grep -v '^make'; exit $${PIPESTATUS[0]}

style: ; $(call gate,$(PY) -m ruff format --check)
lint: ; $(call gate,$(PY) -m ruff check)
pyright: ; $(call gate,$(BIN)/pyright)
mypy: ; $(call gate,$(PY) -m mypy)
imports: ; $(call gate,$(BIN)/lint-imports --no-logo --no-cache)
drift: ; $(call gate,$(PY) -m codegen --check)
patches: ; $(call gate,find tests/mutants -name '*.patch' | xargs -n 1 sh -c 'git apply --check -C1 "$$0" 2>/dev/null || { echo "$$0 does not apply"; exit 1; }')

test: venv ## all tests of the library (under 8 min)
	@$(PY) -m pytest -n 2 -q -m '$(SUITE)'

# Lines that run in other processes only, such as those of `poolse` commands, are not counted.
coverage: venv ## make test, and the lines of the library that it misses (15 min; TESTS=tests/rest)
	@$(PY) -m pytest -n 2 -q -m '$(SUITE)' --cov --cov-report=term-missing:skip-covered $(TESTS)

tools: venv ## tests of what we develop with: the generator's diff, the runner of mutants … (3 min)
	@$(PY) -m pytest -n 2 -q -m tools

package: venv ## wheel and sdist, installed and tried on every Python found (3 min)
	@$(PY) -m pytest -n 2 -q tests/package

lowest: venv ## the lowest versions of all dependencies that we allow (3 min)
	@$(PY) -m tests.package.lowest_and_newest lowest

newest: venv ## the newest of all dependencies, in place of the pinned ones (at most 5 min)
	@$(PY) -m tests.package.lowest_and_newest newest

pythons: venv ## make test on each further Python found, also among pyenv's (8 min each; TESTS=tests/http)
	@$(PY) -m tests.package.pythons -- -n 2 -q -m '$(SUITE)' $(TESTS)

fuzz: venv ## what servers may send, then schemathesis on the sandbox (2 min; SEED=2 EXAMPLES=2000)
	@POOLSE_FUZZ=$(or $(INPUTS),500) $(PY) -m pytest -q -p no:cacheprovider tests/fuzz
	@$(PY) -m tests.fuzz --seed $(or $(SEED),1) --examples $(or $(EXAMPLES),150)

soak: venv ## a day of reconnects, a million events, ten thousand messages over kills, a busy sandbox (30 min)
	@POOLSE_SOAK=1 $(PY) -m pytest -q -o faulthandler_timeout=0 tests/realtime/test_memory_growth.py tests/realtime/test_client_properties.py
	@$(PY) -m pytest -q -m soak -o faulthandler_timeout=0

chaos: venv ## all at once on a bad network, sync and async (30 min; MINUTES=5 SEED=2)
	@$(PY) -m tests.chaos --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

interop: venv ## Phoenix's JavaScript client and a page in Chromium against the sandbox (needs node)
	@$(PY) -m pytest -q -m interop tests/interop

browser: venv ## the sandbox's page in Chromium, driven by Playwright (under 2 min; needs node)
	@$(PY) -m pytest -q -m browser tests/browser

screenshots: venv ## the sandbox's page at three widths, light and dark, in build/screenshots
	@$(PY) -m tests.browser.screenshots

mutants: venv ## break the code on purpose; the named tests must turn red (PART=5: a fifth)
	@$(PY) -m tests.mutants $(if $(PART),--part $(PART))

bench: venv ## the targets, each beside its baseline (6 min)
	@$(PY) -m tests.bench

growth: venv ## how costs grow with channels, threads …: docs/growth.png (3 min; CHECK=1: 30 s)
	@$(PY) -m tests.bench.growth $(if $(CHECK),--check)

bench-peers: venv ## the same work by other clients, in an environment of their own below build/
	@$(PY) -m tests.bench.peers

docs: venv ## the site, in build/docs; warnings are errors, no network (30 s)
	@$(PY) -m sphinx --fresh-env --nitpicky --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees \
	  docs build/docs
	@echo build/docs/index.html

demo: venv ## a conversation on the sandbox, to watch (KEEP=1 leaves its page open)
	@$(PY) -m poolse.cli demo $(if $(KEEP),--keep)

cast: venv ## the picture of the demo in the README, docs/demo.svg
	@$(PY) -m tests.docs.cast

sizes: venv ## lines of code by package
	@$(PY) -m tests.architecture.sizes

duplicates: venv ## lines of the package that occur twice
	@$(PY) -m tests.architecture.duplicate_lines

trace: venv ## functions and files that a call, an event and a reconnect pass (LIST=1 names them)
	@$(PY) -m tests.architecture.count_functions $(if $(LIST),--list)

clean: ## remove caches and build products, not .venv
	@rm -rf build dist *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
