"""The shipped encoder as a sentence-transformers module, to train on or to use beside others.

``SentenceTransformer(modules=[HybridStatic.load(folder)])`` gives the vectors that
:class:`matcher.encoder.StaticEncoder` gives (before they are brought to length 1).
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.modules.input_module import InputModule
from tokenizers import Tokenizer

from matcher.encoder import LONGEST, StaticEncoder, Table


class HybridStatic(InputModule):
    """Mean of token vectors plus mean of character n-gram vectors, both as embedding bags."""

    def __init__(self, encoder: StaticEncoder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.encoder = encoder
        self.tokenizer: Tokenizer = encoder.tokenizer
        self.tokens = self._bag(encoder.tokens)
        self.grams = self._bag(encoder.grams)

    @staticmethod
    def _bag(table: Table) -> torch.nn.EmbeddingBag:
        rows = table.rows(np.arange(len(table.values)))
        return torch.nn.EmbeddingBag.from_pretrained(
            torch.from_numpy(rows), freeze=False, mode="mean"
        )

    @classmethod
    def load(cls, folder: Path) -> "HybridStatic":  # type: ignore[override]
        """From a folder of :class:`matcher.encoder.StaticEncoder`."""
        return cls(StaticEncoder.load(folder))

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Write the tables, rounded to 4 bits, where :meth:`load` reads them."""
        tokens = Table.of(self.tokens.weight.detach().numpy())
        grams = Table.of(self.grams.weight.detach().numpy())
        saved = StaticEncoder(self.tokenizer, tokens, grams, self.encoder.hashes, "")
        saved.save(Path(output_path), {})

    def preprocess(  # type: ignore[override]
        self, inputs: list[str], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, torch.Tensor]:
        """Rows of both tables with bag offsets."""
        texts = [((prompt or "") + text)[:LONGEST] for text in inputs]
        known = [[token for token, _ in self.encoder.token_spans(text)] for text in texts]
        counts = np.array([len(row) for row in known])
        rows, gram_counts = self.encoder.gram_rows(texts)
        flat = np.array([token for row in known for token in row], dtype=np.int64)
        return {
            "input_ids": torch.from_numpy(flat),
            "offsets": torch.from_numpy(np.cumsum(counts) - counts),
            "gram_ids": torch.from_numpy(rows),
            "gram_offsets": torch.from_numpy(np.cumsum(gram_counts) - gram_counts),
        }

    def forward(self, features: dict[str, torch.Tensor], **kwargs: Any) -> dict[str, torch.Tensor]:
        """Adds ``sentence_embedding`` (n, dimension)."""
        pooled = self.tokens(features["input_ids"], features["offsets"])
        grams = self.grams(features["gram_ids"], features["gram_offsets"])
        features["sentence_embedding"] = pooled + grams
        return features

    @property
    def max_seq_length(self) -> float:
        """No limit on tokens; texts are cut by characters."""
        return math.inf

    def get_embedding_dimension(self) -> int:
        """Numbers per vector."""
        return self.encoder.dimension
