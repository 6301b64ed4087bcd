# make demo    the whole product on the built-in local engine, in .venv
# make test    linters, types, import contracts, tests and doc checks, in .venv-test
# make serve   the demo project in a browser, on this machine only
PYTHON ?= python3
.DEFAULT_GOAL := demo
.PHONY: demo serve test docs pins clean

.venv/ready: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("citepoll needs Python 3.11 or newer; say make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "installing pinned libraries into .venv (about 850 MB on disk, once)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-test/ready: requirements/test.txt pyproject.toml
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: .venv/ready
	@.venv/bin/python demo/build.py $(if $(FRESH),--fresh)

serve: .venv/ready
	@test -e demo-project/citepoll.toml || .venv/bin/python demo/build.py >/dev/null
	@.venv/bin/citepoll serve demo-project

# For tests/browser: Debian's Chromium, where this machine lets us put it in. Tried once; without it they are skipped.
.venv-test/chromium: | .venv-test/ready
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "putting in Debian's chromium, for tests/browser" && \
	apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=20 update && \
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install chromium; } >&2 || \
	echo "There is no Chromium, so tests/browser are skipped. As root on Debian: apt-get install chromium" >&2
	@touch $@

test: .venv-test/ready .venv-test/chromium
	.venv-test/bin/ruff check .
	.venv-test/bin/ruff format --check .
	.venv-test/bin/mypy
	.venv-test/bin/lint-imports
	.venv-test/bin/python docs/generate.py --check
	.venv-test/bin/python -m pytest -n 2

docs: .venv-test/ready
	.venv-test/bin/python docs/generate.py

# Needs uv. Writes versions and hashes, no address.
pins:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra build pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra build --extra test pyproject.toml -o requirements/test.txt

clean:
	rm -rf .venv .venv-test demo-project
