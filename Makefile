# `make run` shows the product, `make test` checks it; both set up .venv first where it is missing.
# .venv is laid anew when requirements.txt changes, when its set-up was cut short, and when the
# clone was moved (the stamp holds the path it was made for).

PYTHON ?= python3
PIP_INDEX ?=
THREADS ?= 1
SECONDS ?= 600
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.complete

export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

.DEFAULT_GOAL := help
.PHONY: help run lab test test-all fuzz lint nets contents bench clean

help:  ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(STAMP)  ## execute the notebooks that need no download; results/ gets the pages and figures
	$(PY) -m notebooks.run

lab: $(STAMP)  ## open the notebooks in JupyterLab
	$(PY) -m jupyterlab notebooks

test: $(STAMP)  ## the quick tests
	OMP_NUM_THREADS=$(THREADS) $(PY) -m pytest -m "not slow"

test-all: $(STAMP)  ## all tests, slow ones included
	OMP_NUM_THREADS=$(THREADS) $(PY) -m pytest

fuzz: $(STAMP)  ## fuzz the readers of files, SECONDS=600 each, and nets of extreme settings
	for target in prototxt caffemodel hdf5; do \
	  $(PY) -m tests.fuzz.run $$target $(SECONDS) || exit 1; done
	$(PY) -m tests.fuzz.nets $$(date +%s) 20000

lint: $(STAMP)  ## ruff over code and notebooks
	$(PY) -m ruff check

nets: $(STAMP)  ## write nets/*.prototxt anew from nets/fcn8s.py
	$(PY) -m nets.build

contents: $(STAMP)  ## write notebooks/README.md anew; REPOSITORY=OWNER/NAME sets its links
	$(PY) -m notebooks.gallery.contents $(if $(REPOSITORY),--repository $(REPOSITORY))

bench: $(STAMP)  ## time FCN-8s stages; memory and time of weights files
	$(PY) -m benchmarks.run
	$(PY) -m benchmarks.weight_files

train-%: $(STAMP)  ## train the weights nets/%.caffemodel (nets/README.md lists them)
	$(PY) -m nets.training.train $* $(if $(VGG),--vgg $(VGG)) $(if $(ROOT),--root $(ROOT))

clean:  ## remove .venv, results and caches; data/ and weights stay
	rm -rf $(VENV) results .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Clockwork needs Python 3.11 or newer; $(PYTHON) is older or missing."; \
	  echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv (once; torch is a large download)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "python's venv module is incomplete; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_INDEX) -r requirements.txt
	@$(PY) -c 'import pathlib, sys, sysconfig; \
	  pathlib.Path(sysconfig.get_path("purelib"), "clockwork.pth").write_text(sys.argv[1] + "\n")' "$(CURDIR)"
	@$(PY) -m ipykernel install --sys-prefix --name python3 --display-name "Python 3 (Clockwork)" >/dev/null
	@printf '%s' "$(CURDIR)" > $@
