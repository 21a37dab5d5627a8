"""A short campaign against each kind of input; run.py does as many cases as one likes."""

import pytest

from tests.fuzz.cases import CASES
from tests.fuzz.run import campaign

N = {"model": 400, "state": 60, "corpus": 400, "table": 1500, "arguments": 150}


@pytest.mark.parametrize("target", CASES)
def test_nothing_but_one_clear_line(target: str) -> None:
    refused, findings = campaign(target, range(N[target]), seed=1)
    assert findings == []
    assert 0 < refused <= N[target] or target == "arguments"
