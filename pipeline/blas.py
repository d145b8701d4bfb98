"""Matrix products by numpy's BLAS.

Nine tenths of the encoder's time are matrix products. thinc takes BLIS for them, which falls back
to plain kernels on processors that it does not know (three times slower, measured on AMD Zen 5);
numpy's OpenBLAS knows more.
"""

from __future__ import annotations

from collections.abc import Callable

import spacy
from spacy.language import Language
from thinc.api import NumpyOps

from pipeline.components.encoding import quicken


@spacy.registry.callbacks("fr_deals.NumpyBlas.v1")
def numpy_blas() -> Callable[[Language], Language]:
    """The ``[nlp.after_pipeline_creation]`` callback that lets numpy multiply for all pipes.

    The encoder predicts by :mod:`pipeline.components.encoding`.
    """

    def set_ops(nlp: Language) -> Language:
        ops = NumpyOps(use_blis=False)
        for _, pipe in nlp.pipeline:
            for node in pipe.model.walk() if hasattr(pipe, "model") else ():
                node.ops = ops
        quicken(nlp)
        return nlp

    return set_ops
