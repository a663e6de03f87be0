# Every target does its own set-up, once, in .venv; `make help` lists them.

PYTHON ?= python3
ARGS ?=
OUTPUT ?= demo_output
FUZZ_MINUTES ?= 60

# `make checkpoint`: steps at 128 px from random weights, then at 192 px from what that gave.
STEPS_128 ?= 5900
STEPS_192 ?= 2100
RUN_DIR ?= training/run

# Linux without an NVIDIA driver gets PyTorch's CPU build: 0.2 GB instead of 3. `make TORCH_INDEX= ...` takes PyPI's.
TORCH_INDEX ?= $(if $(filter Linux,$(shell uname -s)),$(if $(shell command -v nvidia-smi),,https://download.pytorch.org/whl/cpu))

# The CUDA extension of sam2 is not used, and building it needs a compiler.
export SAM2_BUILD_CUDA = 0

BIN := .venv/bin
LOG := .venv/install.log
PIP = $(BIN)/python -m pip --disable-pip-version-check
# Quiet while all goes well; the whole log when it doesn't.
LOGGED = >> $(LOG) 2>&1 || { cat $(LOG); echo "The set-up failed; its log is above and in $(LOG)."; exit 1; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow fuzz lint checkpoint clean screen screenshots bench-threads bench soak

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@echo '  make PYTHON=python3.12 ...    another Python (3.10 or newer) for .venv'
	@echo '  make test ARGS="-k reverse"   more arguments for pytest'

demo: .venv/.installed ## segment a sample volume from labelled slices of three others, into demo_output/
	$(BIN)/napari-revsam2 demo --output $(OUTPUT) $(ARGS)

test: .venv/.installed-test screen ## the tests, without the slow ones
	$(BIN)/python -m pytest $(ARGS)

test-slow: .venv/.installed-test screen ## the tests that take more than a few seconds
	$(BIN)/python -m pytest -m slow $(ARGS)

fuzz: .venv/.installed-test ## damage files of every kind for an hour (FUZZ_MINUTES=60); findings stay as cases of the tests
	$(BIN)/python -m tests.fuzz.campaign --minutes $(FUZZ_MINUTES) $(ARGS)

lint: .venv/.installed-dev ## ruff, mypy and the import contracts of setup.cfg
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: .venv/.installed-test screen ## the README's picture of the window, into docs/
	xvfb-run -a -s "-screen 0 1280x800x24" $(BIN)/python -m docs.screenshots --output docs

bench-threads: .venv/.installed-test screen ## whether window and model slow each other down
	xvfb-run -a -s "-screen 0 1280x800x24" $(BIN)/python -m benchmarks.threads

bench: .venv/.installed-test ## time the pipeline against the stock predictor, and how it grows (about an hour)
	$(BIN)/python -W ignore -m benchmarks.speed --output bench_output.json $(ARGS)

soak: .venv/.installed-test screen ## whether memory, files or threads grow over 250 runs, into docs/soak.png (minutes)
	xvfb-run -a -s "-screen 0 1280x800x24" $(BIN)/python -m benchmarks.soak $(ARGS)

checkpoint: .venv/.installed-training ## train revsam2-mini anew (hours; stop and start at will) and put it into the package
	$(BIN)/python -m training.train --run-dir $(RUN_DIR)/128 --size 128 --until $(STEPS_128) --steps $(STEPS_128)
	$(BIN)/python -m training.export --run-dir $(RUN_DIR)/128 --output $(RUN_DIR)/128.safetensors
	$(BIN)/python -m training.train --run-dir $(RUN_DIR)/192 --size 192 --large-size 256 --until $(STEPS_192) --steps $(STEPS_192) \
	    --init $(RUN_DIR)/128.safetensors --begin 0.6 --rate 3e-4
	$(BIN)/python -m training.export --run-dir $(RUN_DIR)/192

clean: ## remove .venv, demo_output, caches and builds (a training run is kept)
	rm -rf .venv demo_output build dist src/*.egg-info .coverage htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find src tests training -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up -----------------------------------------------------------------------------------------------------------

.venv/.made:
	@command -v $(PYTHON) > /dev/null || { \
	    echo "There is no '$(PYTHON)' here: install Python 3.10 or newer, or name it: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "napari-revsam2 needs Python 3.10 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1):" \
	         "name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	    package="$$(basename $(PYTHON))-venv"; \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	        echo "Installing $$package, which '$(PYTHON)' needs to make virtual environments ..."; \
	        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $$package) > /dev/null; \
	    fi; \
	    $(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	        echo "'$(PYTHON)' can't make virtual environments yet: sudo apt install $$package, then run make again."; \
	        exit 1; }; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv .venv
	@touch $@

# sam2 comes as source and builds beside torch: with torch in .venv first, and no build isolation, torch is not
# downloaded and unpacked a second time.
.venv/.torch: .venv/.made
	@echo "Installing PyTorch and SAM 2 (some minutes, the first time; log in $(LOG)) ..."
	@date > $(LOG)
	@$(PIP) install --upgrade pip setuptools wheel $(LOGGED)
	@if [ -n "$(TORCH_INDEX)" ] && $(BIN)/python -c \
	        "import urllib.request; urllib.request.urlopen('$(TORCH_INDEX)/torch/', timeout=10)" >> $(LOG) 2>&1; then \
	    $(PIP) install --index-url $(TORCH_INDEX) torch torchvision $(LOGGED); \
	else \
	    $(PIP) install torch torchvision $(LOGGED); \
	fi
	@$(PIP) install --no-build-isolation sam2 $(LOGGED)
	@touch $@

.venv/.installed: pyproject.toml .venv/.torch
	@echo "Installing napari-revsam2 ..."
	@$(PIP) install --editable . $(LOGGED)
	@touch $@

.venv/.installed-%: pyproject.toml .venv/.torch
	@echo "Installing napari-revsam2 and what '$*' needs ..."
	@$(PIP) install --editable '.[$*]' $(LOGGED)
	@touch $@ .venv/.installed

# Tests of the widget need a screen, on Linux a virtual one (pytest-xvfb starts it), and what Qt and OpenGL load.
SCREEN_PACKAGES := xvfb libegl1 libgl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 \
    libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libdbus-1-3 libfontconfig1 \
    libglib2.0-0

screen:
	@if command -v dpkg-query > /dev/null && command -v apt-get > /dev/null; then \
	    missing=$$(for package in $(SCREEN_PACKAGES); do \
	        dpkg-query -W -f '$${Status}' $$package $${package}t64 2> /dev/null | grep -q 'ok installed' || echo $$package; \
	    done | xargs); \
	    if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
	        echo "Installing what tests of the widget need: $$missing ..."; \
	        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $$missing) > /dev/null; \
	    elif [ -n "$$missing" ]; then \
	        echo "Tests of the widget need a virtual screen: sudo apt install $$missing, then run make again."; \
	        exit 1; \
	    fi; \
	elif [ "$$(uname -s)" = Linux ] && ! command -v Xvfb > /dev/null; then \
	    echo "Tests of the widget need a virtual screen: install Xvfb, then run make again."; exit 1; \
	fi
