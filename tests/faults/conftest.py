"""Limits, signals and locks as Unix has them."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("resource") else ["test_*.py"]
