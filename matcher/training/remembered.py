"""An encoder that reads every text once: a transformer takes minutes over all training texts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.encoder import Encoder


class Remembered:
    """Another encoder, whose vectors are kept as long as this object lives."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._held: dict[str, NDArray[np.float32]] = {}
        self.identity, self.dimension = encoder.identity, encoder.dimension

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`matcher.encoder.Encoder`."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._held]
        if unknown:
            self._held.update(zip(unknown, self._encoder.encode(unknown), strict=True))
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._held[text] for text in texts])
