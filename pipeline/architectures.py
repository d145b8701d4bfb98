"""The entry point of the transformer variant's architecture.

spaCy imports every entry point of a registry when it lists one; this one imports nothing of the
extra ``transformers`` before the model is made.
"""

from __future__ import annotations

from typing import Any

from thinc.api import Model


def transformer(
    name: str, window: int, overlap: int, mixed_precision: bool, settings: dict[str, Any]
) -> Model[Any, Any]:
    """As :func:`pipeline.transformer.transformer`."""
    from pipeline.transformer import transformer as build

    model: Model[Any, Any] = build(name, window, overlap, mixed_precision, settings)
    return model
