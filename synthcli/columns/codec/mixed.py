"""The codec of columns that mix numbers and words, such as an income that is N for children.
columns/codec/spelled_numbers.py detects such columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.domain import MixedDomain
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.codec.parts import Part, Scale, Values, dtype_of, escaped, spread, stand_in
from synthcli.columns.codec.spelled_numbers import Spelling
from synthcli.contracts.schema import Column


@dataclass(frozen=True)
class Mixed:
    """States: 0 a number, 1 null, then the words in natural order, then the point masses. numbers: in units of the last
    decimal.
    """

    numbers: Numbers
    words: tuple[str, ...]
    nullable: bool
    spelling: Spelling
    dtype: str

    @property
    def name(self) -> str:
        return self.numbers.name

    @property
    def clipped(self) -> int:
        return self.numbers.clipped

    @property
    def scale(self) -> Scale:
        inner, decimal = self.numbers.scale, 10.0**self.spelling.most
        return Scale(inner.start / decimal, inner.step / decimal)

    def axis(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The position of each row on the axis of the numbers; NaN for words. (rows,)"""
        return self.numbers.axis(values, first=2 + len(self.words))

    @property
    def parts(self) -> tuple[Part, ...]:
        state, *number = self.numbers.parts
        return replace(state, size=state.size + len(self.words)), *number

    @classmethod
    def from_domain(cls, column: Column, domain: MixedDomain) -> Mixed:
        numbers = Numbers.from_domain(column, domain.numbers)
        return cls(replace(numbers, nullable=True), domain.words, domain.nullable, domain.spelling, domain.dtype)

    def encode(self, values: pd.Series) -> Values:
        codes, distinct = pd.factorize(values)
        scaled = self.spelling.read([str(w) for w in distinct])
        out = self.numbers.encode(spread(scaled, codes))
        name, state = f"{escaped(self.name)}#state", out[f"{escaped(self.name)}#state"]
        state = np.where(state >= 2, state + len(self.words), state)
        places = [0 if n is not None else 2 + self._place(str(w)) for w, n in zip(distinct, scaled)]
        word = np.array([*places, 1 if self.nullable else 2], dtype=np.int32)[
            codes
        ]  # code -1 (null) indexes the last entry
        return out | {name: np.where(word > 0, word, state).astype(np.int32)}

    def _place(self, word: str) -> int:
        return self.words.index(word) if word in self.words else stand_in(self.words, word)

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        name, state = f"{escaped(self.name)}#state", values[f"{escaped(self.name)}#state"]
        state = state if self.nullable else np.where(state == 1, 2, state)  # null does not occur in the source
        after = 2 + len(self.words)
        inner = np.select([state >= after, state >= 1], [state - len(self.words), 1], 0)
        numbers = self.numbers.decode({**values, name: inner}, rows)
        codes, distinct = pd.factorize(numbers)
        spelled = [*self.spelling.write(distinct.to_numpy(dtype=np.int64)), *self.words, None]
        is_word = (state >= 2) & (state < after)
        place = np.where(is_word, len(distinct) + state - 2, np.where(codes < 0, len(spelled) - 1, codes))
        return pd.Series(spelled, dtype=dtype_of(self.dtype)).take(place).reset_index(drop=True)

    def to_json(self) -> dict[str, Any]:
        spelling = {"width": self.spelling.width, "least": self.spelling.least, "most": self.spelling.most}
        return {
            "numbers": self.numbers.to_json(),
            "words": list(self.words),
            "nullable": self.nullable,
            "spelling": spelling,
            "dtype": self.dtype,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Mixed:
        numbers, spelling = Numbers.from_json(data["numbers"]), Spelling(**data["spelling"])
        return cls(**{**data, "numbers": numbers, "words": tuple(data["words"]), "spelling": spelling})
