"""What ``pytest.raises`` does; no frame of the call outlives it: files that it read are closed."""

import re
import traceback
from types import TracebackType
from typing import Generic, TypeVar

import pytest

Error = TypeVar("Error", bound=BaseException)


class refused(Generic[Error]):  # noqa: N801, named as it is read: with refused(InputError) as one
    """``value`` is the error; its traceback, which would be part of a cycle, is dropped."""

    value: Error

    def __init__(self, error: type[Error], match: str = ""):
        self._error, self._match = error, match

    def __enter__(self) -> "refused[Error]":
        return self

    def __exit__(
        self, kind: object, value: BaseException | None, frames: TracebackType | None
    ) -> bool:
        if value is None:
            pytest.fail(f"did not raise {self._error.__name__}")
        if not isinstance(value, self._error):
            return False
        assert re.search(self._match, str(value)), f"{self._match!r} is not in {value}"
        traceback.clear_frames(frames)
        self.value = value.with_traceback(None)
        return True
