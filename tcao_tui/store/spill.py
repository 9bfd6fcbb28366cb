"""Columns that a helper process writes: to files, so that a run of a million rows does not fill its memory.

They mean the same as `domain.series.Series`; drawing and block summaries are not their business.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path

import numpy as np
import numpy.typing as npt

type Ints = npt.NDArray[np.int64]
type Reals = npt.NDArray[np.float64]

_SPILL_AT = 1 << 15
_KEPT = 1 << 10


class SpillColumn:
    """Steps and values of one key; the steps take no room while they are evenly spaced.

    Args:
        path: Files `path.values` and `path.steps` are written here.
    """

    def __init__(self, path: Path) -> None:
        self._values = _Spill("d", path.with_suffix(".values"))
        self._steps = _Spill("q", path.with_suffix(".steps"))
        self._even: range | None = range(0)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def last_step(self) -> int | None:
        """The greatest step, None when empty."""
        if self._even is not None:
            return self._even[-1] if self._even else None
        return int(self._steps.last)

    def append(self, step: int, value: float) -> None:
        """Add or replace the value of `step`."""
        even, last = self._even, self.last_step
        if even is not None and len(even) > 1 and step == even.stop:
            self._even = range(even.start, step + even.step, even.step)
            self._values.append(value)
            return
        if last is not None and step == last:
            self._values.cut(len(self) - 1)
            self._values.append(value)
            return
        if last is None or step > last:
            self.extend(np.array([step]), np.array([value]))
            return
        steps, values = array("q", self.steps().tobytes()), array("d", self.values().tobytes())
        index = bisect_left(steps, step)
        if steps[index] == step:
            values[index] = value
        else:
            steps.insert(index, step)
            values.insert(index, value)
        self._replace(steps, values)

    def drop_after(self, step: int) -> None:
        """Forget what lies past `step`."""
        count = bisect_right(self.steps() if self._even is None else self._even, step)
        self._values.cut(count)
        self._steps.cut(count)
        if count == 0:
            self._even = range(0)
        elif self._even is not None:
            self._even = self._even[:count]

    def extend(self, steps: Ints, values: Reals) -> None:
        """Add values of ascending steps past the last one."""
        if not len(steps):
            return
        if self._even is not None:
            grown = _continued(self._even, steps)
            if grown is None:
                self._steps.extend(_array(self._even).tobytes())
            self._even = grown
        if self._even is None:
            self._steps.extend(steps.astype(np.int64, copy=False).tobytes())
        self._values.extend(values.astype(np.float64, copy=False).tobytes())

    def even_steps(self) -> range | None:
        """The steps as a range, or None when they are not evenly spaced."""
        return self._even

    def steps(self) -> Ints:
        """All steps, copied."""
        if self._even is not None:
            return _array(self._even)
        return np.frombuffer(self._steps.read(), dtype=np.int64)

    def values(self) -> Reals:
        """All values, copied."""
        return np.frombuffer(self._values.read(), dtype=np.float64)

    def close(self) -> None:
        """Remove the files."""
        self._values.close()
        self._steps.close()

    def _replace(self, steps: array[int], values: array[float]) -> None:
        self._values.cut(0)
        self._steps.cut(0)
        self._even = range(0)
        self.extend(np.asarray(steps), np.asarray(values))


class _Spill:
    """Numbers of 8 bytes: the newest in memory, the others in a file that is open only while it is used."""

    def __init__(self, typecode: str, path: Path) -> None:
        self._path = path
        self._tail = array(typecode)
        self._filed = 0

    def __len__(self) -> int:
        return self._filed + len(self._tail)

    @property
    def last(self) -> float:
        if not self._tail:
            self._recall()
        return self._tail[-1]

    def extend(self, data: bytes) -> None:
        self._tail.frombytes(data)
        self._spill()

    def append(self, number: float) -> None:
        self._tail.append(number)
        self._spill()

    def cut(self, count: int) -> None:
        if count < self._filed:
            self._recall()
        del self._tail[max(count - self._filed, 0) :]

    def read(self) -> bytes:
        filed = self._path.read_bytes() if self._filed else b""
        return filed + self._tail.tobytes()

    def close(self) -> None:
        self._path.unlink(missing_ok=True)

    def _spill(self) -> None:
        full = len(self._tail) - _KEPT
        if full > _SPILL_AT:  # the newest stay, because they are the ones that may be replaced
            with self._path.open("ab") as file:
                self._tail[:full].tofile(file)
            self._filed += full
            del self._tail[:full]

    def _recall(self) -> None:
        """Take all numbers back into memory, because they have to change."""
        recalled = array(self._tail.typecode)
        recalled.frombytes(self.read())
        self._tail, self._filed = recalled, 0
        self._path.unlink(missing_ok=True)


def _continued(even: range, steps: Ints) -> range | None:
    """`even` with `steps` after it, or None when they do not fit its spacing."""
    head = list(even[:1]) + ([even[1]] if len(even) > 1 else [])
    known = [*head, *(int(s) for s in steps[: 2 - len(head)])]
    spacing = known[1] - known[0] if len(known) > 1 else 1
    first = known[0]
    start = first + spacing * len(even)
    if spacing <= 0 or steps[0] != start or not bool(np.all(steps[1:] - steps[:-1] == spacing)):
        return None
    return range(first, first + spacing * (len(even) + len(steps)), spacing)


def _array(even: range) -> Ints:
    return np.arange(even.start, even.stop, even.step, dtype=np.int64)
