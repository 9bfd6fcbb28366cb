"""Small Tinker datums for tests. Out of scope: anything meaningful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tinker import types


def datum(tokens: Sequence[int], **inputs: Sequence[float]) -> types.Datum:
    """Next-token prediction over `tokens`, all weighted 1 unless other loss inputs are given."""
    targets = np.asarray(tokens[1:], np.int64)
    given = inputs or {"weights": [1.0] * len(targets)}
    arrays = {name: np.asarray(values, np.float32) for name, values in given.items()}
    return types.Datum(
        model_input=types.ModelInput.from_ints(list(tokens[:-1])),
        loss_fn_inputs={"target_tokens": types.TensorData.from_numpy(targets)}
        | {name: types.TensorData.from_numpy(values) for name, values in arrays.items()},
    )


def random_tokens(seed: int, count: int) -> list[int]:
    """Tokens of the random model's vocabulary, without its special ones."""
    return np.random.default_rng(seed).integers(3, 250, count).tolist()
