"""The purchases of many customers, as much as BG/NBD and gamma-gamma need to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class History:
    """One entry a customer, times in weeks since the customer's first purchase.

    `repeats` counts the days with purchases after the first, `recency` is when the last of them was (0 without any), `age` how long the
    customer was looked at, `spend` the mean amount of the repeat purchases (0 without any). All four have the same length.
    """

    repeats: Numbers
    recency: Numbers
    age: Numbers
    spend: Numbers

    def __len__(self) -> int:
        return len(self.repeats)
