# `make run` shows the product, `make test` checks it; both set up .venv first if it is missing.
# .venv is made again when the requirements change, when its set-up was interrupted, and when the
# clone was moved (the stamps hold the path they were made for).

PYTHON ?= python3
PIP_INDEX ?=
THREADS ?= 1
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)
SECONDS ?= 600
PEERS ?= .venv-peers
COUNT ?= 200
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/.complete
DEV := $(VENV)/.complete-dev
PIP := $(PY) -m pip install --quiet --disable-pip-version-check $(PIP_INDEX) -c constraints.txt
PYTEST := OMP_NUM_THREADS=$(THREADS) $(PY) -m pytest -n $(JOBS) --maxprocesses 8 --dist worksteal
PACKAGES := caffe lib nets datasets notebooks benchmarks

export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

.DEFAULT_GOAL := help
.PHONY: help run lab test test-all fuzz mutants lint format nets contents constraints bench bench-quick bench-gpu clean

help:  ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(RUN)  ## execute the notebooks that need no download; results/ gets the pages and figures
	$(PY) -m notebooks.run

lab: $(RUN)  ## open the notebooks in JupyterLab; PORT=8888, and LAB for more of its options
	$(PY) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks \
	  $(if $(PORT),--port=$(PORT) --ServerApp.port_retries=0) \
	  $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB)

test: $(DEV)  ## the quick tests, on JOBS cores
	$(PYTEST) -m "not slow"

test-all: $(DEV)  ## all tests, slow ones included
	$(PYTEST)

fuzz: $(DEV)  ## fuzz the readers of files, SECONDS=600 each, and nets of extreme settings
	for target in prototxt caffemodel hdf5 rows pth encoded mat image names manifest; do \
	  $(PY) -m tests.fuzz.run $$target $(SECONDS) || exit 1; done
	$(PY) -m tests.fuzz.solverstate $$(date +%s) 100000
	$(PY) -m tests.fuzz.nets $$(date +%s) 20000

mutants: $(DEV)  ## mutate the code, COUNT=200 times, and list the mutants that no test sees
	OMP_NUM_THREADS=$(THREADS) $(PY) -m tests.mutation.run lib datasets caffe/engine \
	  caffe/graph.py caffe/blobs caffe/training --count $(COUNT)

lint: $(DEV)  ## style, docstrings, format, types, and the committed notebooks
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m notebooks.gallery.check

format: $(DEV)  ## let ruff mend what it can, and lay out the code
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

nets: $(RUN)  ## write the prototxt files again from nets/fcn8s.py
	$(PY) -m nets.build

contents: $(RUN)  ## write notebooks/README.md again; REPOSITORY=OWNER/NAME sets its links
	$(PY) -m notebooks.gallery.contents $(if $(REPOSITORY),--repository $(REPOSITORY))

constraints: $(DEV)  ## pin in constraints.txt what the requirements bring along
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate \
	  --custom-compile-command "make constraints" requirements-dev.txt -o constraints.txt

bench: $(RUN)  ## compare FCN-8s with other engines (20 minutes), which it installs into PEERS
	$(PY) -m benchmarks.peers.environment $(PEERS) $(PIP_INDEX)
	$(PY) -m benchmarks.compare --peers $(PEERS) $(if $(BEFORE),--before $(BEFORE))
	$(PY) -m benchmarks.run
	$(PY) -m benchmarks.weight_files

bench-quick: $(RUN)  ## the comparison alone, in three minutes
	$(PY) -m benchmarks.peers.environment $(PEERS) $(PIP_INDEX)
	$(PY) -m benchmarks.compare --peers $(PEERS) --quick

bench-gpu: $(DEV)  ## tests and times on a GPU, in ten minutes
	$(PY) -m benchmarks.gpu

train-%: $(RUN)  ## train the weights nets/%.caffemodel (nets/README.md lists them)
	$(PY) -m nets.training.train $* $(if $(VGG),--vgg $(VGG)) $(if $(ROOT),--root $(ROOT))

clean:  ## remove .venv, results and caches; data/ and weights stay
	rm -rf $(VENV) results .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ifneq ($(shell cat $(RUN) 2>/dev/null),$(CURDIR))
.PHONY: $(RUN)
endif

$(RUN): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Clockwork needs Python 3.11 or newer; $(PYTHON) is older or missing."; \
	  echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv (once; torch is a large download)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "python's venv module is incomplete; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PIP) -r requirements.txt
	@$(PY) -c 'import pathlib, sys, sysconfig; \
	  pathlib.Path(sysconfig.get_path("purelib"), "clockwork.pth").write_text(sys.argv[1] + "\n")' "$(CURDIR)"
	@$(PY) -m ipykernel install --sys-prefix --name python3 --display-name "Python 3 (Clockwork)" >/dev/null
	@printf '%s' "$(CURDIR)" > $@

$(DEV): $(RUN) requirements-dev.txt
	@echo "Adding the tools that check the code"
	$(PIP) -r requirements-dev.txt
	@touch $@
