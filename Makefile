# Everything a developer does here; needs nothing but make and Python 3.11 or newer.

# The newest one that starts: a name on the PATH may be a shim for a Python that is not there.
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$p" && break; done)
BIN := .venv/bin
READY := .venv/ready
DIST := dist
SITE := docs/_build/html
PICTURES := build/pictures

.PHONY: help demo test check clients search bench pictures docs wheel clean

help:
	@echo "make demo     the whole story, and a day of a sales team, on the sample org"
	@echo "make test     lint, types, floors and tests (make check is the same)"
	@echo "make clients  install the clients that others wrote, which some tests need"
	@echo "make search   the long searches with generated rules and records"
	@echo "make bench    the measurements"
	@echo "make pictures the console's pages as the documentation shows them, and at other widths"
	@echo "make docs     the documentation as a site, in $(SITE)/"
	@echo "make wheel    build the package into $(DIST)/"
	@echo "make clean    remove what was built and installed"

demo: $(READY)
	@$(BIN)/crosswalk demo </dev/null
	@$(BIN)/crosswalk demo --story day

test: check

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 3 --ignore=tests/browser  # one more than cores: much of it waits for servers
	$(BIN)/pytest tests/browser

# For the tests that try the sandbox servers with them; they are skipped without.
clients: $(READY)
	tests/clients/install "$(abspath $(BIN)/python)"

# Tests marked `long`, each with a seed; the others leave them out by themselves.
search: $(READY)
	$(BIN)/pytest -m long

bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

# All of them in $(PICTURES)/; the documentation keeps those that it shows.
pictures: $(READY)
	$(BIN)/pytest tests/browser/test_pictures.py --pictures $(PICTURES)
	for kept in docs/guide/console/*.webp; do cp "$(PICTURES)/$${kept##*/}" "$$kept"; done

# Offline, and a warning is an error; `make test` builds it too.
docs: $(READY)
	$(BIN)/sphinx-build -W -n -q --keep-going docs $(SITE)
	@echo "the site is in $(SITE)/: open $(SITE)/index.html"

wheel: $(READY)
	@rm -f $(DIST)/*.whl
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w $(DIST) .
	@ls $(DIST)/*.whl

clean:
	rm -rf .venv build $(DIST) docs/_build docs/_generated .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "there is no Python 3.11 or newer here: install one, such as python3.13" >&2; exit 1; }
	@"$(PYTHON)" -c "import ensurepip, venv" 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv module" >&2; \
		echo "(on Debian and Ubuntu: apt install python3-venv), then try again" >&2; exit 1; }
	@echo "installing into .venv, once" >&2
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,docs]"
	@touch $@
