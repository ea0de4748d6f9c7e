# The whole developer interface: `make help` lists it. Everything lives in .venv; nothing else on the machine changes.

VENV := .venv
PY := $(VENV)/bin/python
# Optional dependency groups that the tests need, comma-separated: `make test TEST_EXTRAS=rl,bo`.
TEST_EXTRAS ?= rl,marl,bo,nas,proxy,data,cluster,synthesis
WORKERS ?= 2
BENCH_ARGS ?=
# The interpreters tried for a new .venv; `make demo PYTHON=/path/to/python3.11` names one. 3.11 comes first because
# constraints.txt was resolved with it.
PYTHON ?= python3.11 python3 python3.12 python3.13 python3.14 python

comma := ,
extras = $(if $(TEST_EXTRAS),[$(TEST_EXTRAS)])
# One stamp for each set of extras, so that another set installs and the same one does not.
test_stamp = $(VENV)/.installed-test$(subst $(comma),-,$(if $(TEST_EXTRAS),-$(TEST_EXTRAS)))
requirements = pyproject.toml constraints.txt
install = $(PY) -m pip install --quiet --disable-pip-version-check

# Sound as it is, made anew, or one message that says what is missing.
usable = -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
define make_venv
if $(PY) $(usable) && $(PY) -m pip --version >/dev/null 2>&1; then exit 0; fi; \
for python in $(PYTHON); do \
  if $$python $(usable); then exec $$python -m venv --clear $(VENV); fi; \
  found="$$found $$python: `$$python --version 2>&1 | head -n 1`;"; \
done; \
echo "archgym needs Python 3.11 or newer with its venv module; tried$$found" >&2; \
echo "install one (Debian, Ubuntu: apt install python3.11-venv) or name it: make demo PYTHON=/path/to/python3.11" >&2; \
exit 1
endef

.PHONY: help demo demo-rl test check bench docs clean
help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## install what is needed and watch three agents search a DRAM controller
	@$(VENV)/bin/archgym demo

demo-rl: $(VENV)/.installed-rl  ## install PyTorch and Stable-Baselines3 too, and watch PPO learn on the same controller
	@$(PY) -m experiments.demo_rl

test: check  ## every check: lint, format, types, tests
	@$(PY) -m pytest -n $(WORKERS)

check: $(test_stamp)  ## lint, format and types only
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

bench: $(VENV)/.installed  ## evaluations per second and overhead per layer: make bench BENCH_ARGS="--json out.json"
	@$(PY) -m experiments.bench $(BENCH_ARGS)

docs: $(VENV)/.installed-docs  ## build the manual into build/docs; warnings are errors
	@$(PY) -m sphinx -E -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "open build/docs/index.html"

clean:  ## remove .venv and everything built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.installed: $(requirements)
	@$(make_venv)
	@echo "installing archgym into $(VENV) ..."
	@$(install) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-rl: $(VENV)/.installed $(requirements)
	@echo "installing PyTorch and Stable-Baselines3 into $(VENV) ..."
	@$(install) -c constraints.txt -e '.[rl]'
	@touch $@

$(test_stamp): $(VENV)/.installed $(requirements)
	@echo "installing the test tools into $(VENV) ..."
	@$(install) 'pip>=25.1'
	@$(install) -c constraints.txt -e '.$(extras)' --group dev
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed $(requirements)
	@echo "installing the documentation tools into $(VENV) ..."
	@$(install) 'pip>=25.1'
	@$(install) -c constraints.txt --group docs
	@touch $@
