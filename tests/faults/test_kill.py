"""Ladder 5: killed and resumed = never killed, bit for bit; kill.py does it by the thousand."""

from tests.faults.kill import campaign


def test_nothing_is_lost_when_processes_are_killed() -> None:
    count = campaign(kills=12, seed=1)
    assert count.kills >= 12 and count.runs >= 1
    assert count.mismatches == 0
