"""Logistic regression over named binary features, kept as plain numbers.

Training is scikit-learn's; what is stored is JSON (feature -> one weight per class), so that a
model can be read, diffed and loaded without pickle, and inference needs no scikit-learn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Features = Collection[str]

_DECIMALS = 4


class LinearModel:
    """A multinomial logistic regression; features that it never saw count as absent."""

    def __init__(
        self, classes: Sequence[str], bias: Sequence[float], weights: Mapping[str, Sequence[float]]
    ) -> None:
        self.classes = tuple(classes)
        self._bias = tuple(bias)
        self._weights = dict(weights)

    def probabilities(self, features: Features) -> dict[str, float]:
        """The probability of each class (softmax of the summed weights)."""
        rows = filter(None, map(self._weights.get, features))
        # The hottest loop of the pipeline: added up by class in C, in the order of the features.
        scores = [sum(column) for column in zip(self._bias, *rows, strict=True)]
        top = max(scores)
        exponentials = [math.exp(score - top) for score in scores]
        total = sum(exponentials)
        return {c: e / total for c, e in zip(self.classes, exponentials, strict=True)}

    def best(self, features: Features) -> str:
        """The most probable class; ties go to the class that comes first."""
        return self.answer(features)[0]

    def answer(self, features: Features) -> tuple[str, float]:
        """The most probable class with its probability; ties as in :meth:`best`."""
        probabilities = self.probabilities(features)
        best = max(self.classes, key=lambda c: probabilities[c])
        return best, probabilities[best]

    def to_json(self) -> dict[str, Any]:
        return {"classes": self.classes, "bias": self._bias, "weights": self._weights}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LinearModel:
        return cls(data["classes"], data["bias"], data["weights"])

    @classmethod
    def fit(
        cls,
        samples: Sequence[Features],
        labels: Sequence[str],
        *,
        strength: float = 1.0,
        min_count: int = 2,
    ) -> LinearModel:
        """Fits scikit-learn's ``LogisticRegression`` (L2, inverse strength ``strength``).

        Features seen fewer than ``min_count`` times are left out. With one class only, or no
        sample at all, the model answers that class always.
        """
        classes = sorted(set(labels))
        if len(classes) < 2:
            return cls(classes or ["none"], [0.0], {})

        import numpy as np
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        counts = Counter(feature for sample in samples for feature in set(sample))
        names = sorted(feature for feature, count in counts.items() if count >= min_count)
        index = {name: column for column, name in enumerate(names)}
        columns: list[int] = []
        ends = [0]
        for sample in samples:
            columns.extend(sorted(index[f] for f in set(sample) if f in index))
            ends.append(len(columns))
        ones = np.ones(len(columns), dtype=np.float32)  # in single precision ten times as fast
        matrix = csr_matrix((ones, columns, ends), (len(samples), len(names)))
        model = LogisticRegression(C=strength, max_iter=2000).fit(matrix, labels)
        coefficients = model.coef_.tolist()
        bias = model.intercept_.tolist()
        if len(classes) == 2:  # scikit-learn keeps one row for two classes
            coefficients = [[0.0] * len(names), coefficients[0]]
            bias = [0.0, bias[0]]
        weights = {}
        for column, name in enumerate(names):
            row = [round(coefficient[column], _DECIMALS) for coefficient in coefficients]
            if any(row):
                weights[name] = row
        return cls(list(model.classes_), [round(b, _DECIMALS) for b in bias], weights)
