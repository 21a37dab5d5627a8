# `just` runs what .ci/run runs, in the environment at hand; `just --list` shows the rest

default: format-check lint types walls docs-check test

test *arguments:
    python -m pytest -n auto --dist worksteal {{arguments}}

# the kernels as plain Python: slow, but every line can be stepped through
test-without-jit:
    NUMBA_DISABLE_JIT=1 python -m pytest tests/nn

coverage:
    NUMBA_DISABLE_JIT=1 python -m coverage run -m pytest
    python -m coverage report

fix:
    ruff check --fix .
    ruff format .

lint:
    ruff check .

format-check:
    ruff format --check .

types:
    mypy

walls:
    lint-imports

# writes docs/cli.md from the commands
docs:
    python docs/make_cli_page.py

docs-check:
    python docs/make_cli_page.py --check

# draws docs/score.svg with a model
picture model="model.safetensors":
    python docs/make_score_picture.py {{model}}

ci:
    .ci/run
