"""Text to vectors: the shipped static model read with numpy, or any sentence-transformers model.

The static model (one vector per token, a text is their mean) needs neither torch nor
sentence-transformers, whose import costs seconds and hundreds of megabytes.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "encoder"
LONGEST = 4_000  # characters of one text that are read: more does not change what it is about
CHUNK = 4_096  # texts encoded at once, so that memory stays bounded


class EncoderError(ValueError):
    """The encoder cannot be read; the message says what to do."""


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    identity: str
    """Short hash of the content: stored beside every vector it made."""
    dimension: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension) float32, every row of length 1; a zero row where nothing can be read."""
        ...


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), dtype=np.float32)


class StaticEncoder:
    """Token vectors in 8 bits with one scale per token, and the tokenizer that numbers them."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        values: NDArray[np.int8],
        scales: NDArray[np.float32],
        identity: str,
    ) -> None:
        if values.shape[0] != tokenizer.get_vocab_size() or scales.shape != values.shape[:1]:
            raise EncoderError(
                f"vectors {values.shape} and scales {scales.shape} do not belong to a tokenizer "
                f"of {tokenizer.get_vocab_size()} pieces"
            )
        self.tokenizer = tokenizer
        self.values = values
        self.scales = scales
        self.identity = identity
        self.dimension = int(values.shape[1])
        self._unknown = tokenizer.token_to_id("[UNK]")

    @classmethod
    def load(cls, folder: Path) -> "StaticEncoder":
        """Read a folder written by :func:`save_static`.

        Raises:
            EncoderError: a file is missing or does not fit the others.
        """
        missing = [
            n
            for n in ("tokenizer.json", "vectors.npy", "scales.npy", "encoder.json")
            if not (folder / n).is_file()
        ]
        if missing:
            raise EncoderError(
                f"{folder} holds no static encoder ({', '.join(missing)} missing); "
                "make one with: maatmatch train --corpus DIR"
            )
        return cls(
            Tokenizer.from_file(str(folder / "tokenizer.json")),
            np.load(folder / "vectors.npy", mmap_mode="r"),
            np.load(folder / "scales.npy").astype(np.float32),
            json.loads((folder / "encoder.json").read_text(encoding="utf-8"))["identity"],
        )

    def tokens(self, text: str) -> list[tuple[int, tuple[int, int]]]:
        """The pieces of a text: row in the table, and where in the text it stands."""
        read = self.tokenizer.encode(text[:LONGEST], add_special_tokens=False)
        return [
            (token, span)
            for token, span in zip(read.ids, read.offsets, strict=True)
            if token != self._unknown
        ]

    def rows(self, tokens: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Token vectors (n, dimension), not normalised."""
        picked = np.asarray(tokens, dtype=np.int64)
        return self.values[picked].astype(np.float32) * self.scales[picked, None]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        parts = [
            self._encode(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        read = self.tokenizer.encode_batch_fast(
            [text[:LONGEST] for text in texts], add_special_tokens=False
        )
        counts = np.zeros(len(texts), dtype=np.int64)
        ids: list[int] = []
        for row, item in enumerate(read):
            known = [token for token in item.ids if token != self._unknown]
            counts[row] = len(known)
            ids.extend(known)
        pooled = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = counts > 0
        if filled.any():
            starts = np.concatenate([[0], np.cumsum(counts[filled])[:-1]])
            pooled[filled] = np.add.reduceat(self.rows(np.array(ids)), starts, axis=0)
        return _unit(pooled)


def content_identity(folder: Path) -> str:
    """Twelve hexadecimal digits over tokenizer and vectors: what :attr:`Encoder.identity` holds."""
    digest = hashlib.sha256()
    for name in ("tokenizer.json", "vectors.npy", "scales.npy"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]


def save_static(
    folder: Path, tokenizer: Tokenizer, vectors: NDArray[np.float32], about: dict[str, Any]
) -> StaticEncoder:
    """Write a static encoder: rows rounded to 8 bits with one scale each.

    Args:
        vectors: (pieces, dimension).
        about: goes into ``encoder.json`` beside the identity (recipe, data, figures).
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    scales = np.abs(vectors).max(axis=1).astype(np.float32) / 127
    scales = np.maximum(scales, np.finfo(np.float16).tiny).astype(np.float16)
    values = np.rint(vectors / scales.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
    np.save(folder / "vectors.npy", values)
    np.save(folder / "scales.npy", scales)
    identity = content_identity(folder)
    (folder / "encoder.json").write_text(
        json.dumps({"identity": identity, **about}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    return StaticEncoder.load(folder)


class TransformerEncoder:
    """Any sentence-transformers model, by name or path; imports the library when made."""

    def __init__(self, name_or_path: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                f"encoder {name_or_path!r} needs sentence-transformers: "
                "pip install 'maatmatch[train]'"
            ) from error
        try:
            self._model = SentenceTransformer(name_or_path, device="cpu")
        except (OSError, ValueError) as error:
            raise EncoderError(
                f"sentence-transformers cannot load {name_or_path!r}: {error}"
            ) from error
        width = self._model.get_embedding_dimension()
        self.dimension = int(width or self._model.encode(["."]).shape[1])
        digest = hashlib.sha256()
        for key, value in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(value.float().numpy().tobytes())
        self.identity = digest.hexdigest()[:12]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        rows = self._model.encode(
            [text[:LONGEST] for text in texts], convert_to_numpy=True, show_progress_bar=False
        )
        unit = _unit(np.asarray(rows, dtype=np.float32))
        unit[[not text.strip() for text in texts]] = 0
        return unit


def load_encoder(name_or_path: str | Path | None = None) -> Encoder:
    """The configured encoder: None is the shipped one, a folder made by training, or any model.

    Raises:
        EncoderError: it cannot be read.
    """
    folder = SHIPPED if name_or_path is None else Path(name_or_path)
    if name_or_path is None or (folder / "encoder.json").is_file():
        return StaticEncoder.load(folder)
    return TransformerEncoder(str(name_or_path))
