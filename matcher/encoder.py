"""Text to vectors: the shipped static model read with numpy, or any sentence-transformers model.

The static model holds one vector per token and one per frequent character n-gram; a text is the
mean of its token vectors plus the mean of its n-gram vectors, brought to length 1. It needs neither
torch nor sentence-transformers, whose import costs seconds and hundreds of megabytes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from matcher.grams import char_grams

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "encoder"
LONGEST = 4_000  # characters of one text that are read: more does not change what it is about
STEPS = 7  # on either side of zero
CLIPS = (1.0, 0.85, 0.7, 0.6)  # shares of the widest number of a row at which it may be clipped
CHUNK = 256  # texts encoded at once, so that memory stays bounded and in the cache
FILES = ("tokenizer.json", "vectors.npy", "scales.npy", "hashes.npy", "encoder.json")


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


@dataclass(frozen=True)
class Table:
    """Vectors rounded to 15 steps, with one scale per row: 4 bits a number on disk, 8 in memory.

    The mean of dozens of rows evens the rounding out: half the bytes of 8 bits for the same
    ranking, so that twice as many tokens and n-grams fit.
    """

    values: NDArray[np.int8]
    """(n, dimension) from -7 to 7."""
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> "Table":
        """Round (n, dimension) vectors; each row is clipped where that loses least."""
        least = float(np.finfo(np.float16).tiny)
        widest = np.abs(vectors).max(axis=1) / STEPS
        scales = np.full(len(vectors), least, dtype=np.float32)
        loss = np.full(len(vectors), np.inf)
        for share in CLIPS:
            tried = np.maximum(widest * share, least).astype(np.float16).astype(np.float32)
            rounded = np.rint(vectors / tried[:, None]).clip(-STEPS, STEPS) * tried[:, None]
            lost = ((rounded - vectors) ** 2).sum(axis=1)
            scales = np.where(lost < loss, tried, scales)
            loss = np.minimum(lost, loss)
        values = np.rint(vectors / scales[:, None]).clip(-STEPS, STEPS).astype(np.int8)
        return cls(values, scales)

    @classmethod
    def unpacked(cls, packed: NDArray[np.uint8], scales: NDArray[np.floating]) -> "Table":
        """From two numbers per byte, as :meth:`packed` gives them."""
        halves = np.concatenate([packed & 15, packed >> 4], axis=1).view(np.int8)
        halves -= 8
        return cls(halves, scales.astype(np.float32))

    def packed(self) -> NDArray[np.uint8]:
        """(n, dimension / 2): in byte i the numbers i and, higher, i + dimension / 2; 8 is zero."""
        shifted = (self.values + 8).astype(np.uint8)
        half = shifted.shape[1] // 2
        return np.asarray(shifted[:, :half] | shifted[:, half:] << 4, dtype=np.uint8)

    def rows(self, picked: NDArray[np.int64]) -> NDArray[np.float32]:
        """The picked vectors."""
        return np.asarray(self.values[picked] * self.scales[picked, None], dtype=np.float32)

    def pool(self, picked: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float32]:
        """(len(counts), dimension): means of consecutive runs of rows, ``counts`` rows each."""
        pooled = np.zeros((len(counts), self.values.shape[1]), dtype=np.float32)
        scales = self.scales[picked]
        start = 0
        # Run by run: the rows of one text stay in the cache, those of many texts do not.
        for row, end in enumerate(np.cumsum(counts).tolist()):
            if end > start:
                values = self.values.take(picked[start:end], axis=0).astype(np.float32)
                pooled[row] = scales[start:end] @ values / (end - start)
            start = end
        return pooled


class StaticEncoder:
    """Two tables of vectors, the tokenizer that numbers the first, the hashes of the second."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        tokens: Table,
        grams: Table,
        hashes: NDArray[np.uint64],
        identity: str,
    ) -> None:
        if len(tokens.values) != tokenizer.get_vocab_size() or len(grams.values) != len(hashes):
            raise EncoderError(
                f"{len(tokens.values)} token and {len(grams.values)} n-gram vectors do not belong "
                f"to {tokenizer.get_vocab_size()} pieces and {len(hashes)} n-grams"
            )
        self.tokenizer = tokenizer
        self.tokens = tokens
        self.grams = grams
        self.hashes = hashes
        self.identity = identity
        self.dimension = int(tokens.values.shape[1])
        self._unknown = tokenizer.token_to_id("[UNK]")

    @classmethod
    def load(cls, folder: Path) -> "StaticEncoder":
        """Read a folder written by :meth:`save`.

        Raises:
            EncoderError: a file is missing or does not fit the others.
        """
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise EncoderError(
                f"{folder} holds no static encoder ({', '.join(missing)} missing); "
                "make one with: maatmatch train --corpus DIR"
            )
        scales, hashes = np.load(folder / "scales.npy"), np.load(folder / "hashes.npy")
        packed = np.load(folder / "vectors.npy")
        cut = len(packed) - len(hashes)
        about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        return cls(
            Tokenizer.from_file(str(folder / "tokenizer.json")),
            Table.unpacked(packed[:cut], scales[:cut]),
            Table.unpacked(packed[cut:], scales[cut:]),
            hashes,
            about["identity"],
        )

    def save(self, folder: Path, about: dict[str, Any]) -> None:
        """Write the files of :data:`FILES`; ``about`` goes into ``encoder.json``.

        Sets :attr:`identity` to that of the files.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        np.save(folder / "vectors.npy", np.concatenate([self.tokens.packed(), self.grams.packed()]))
        scales = np.concatenate([self.tokens.scales, self.grams.scales])
        np.save(folder / "scales.npy", scales.astype(np.float16))
        np.save(folder / "hashes.npy", self.hashes)
        digest = hashlib.sha256()
        for name in FILES[:-1]:
            digest.update((folder / name).read_bytes())
        self.identity = digest.hexdigest()[:12]
        (folder / "encoder.json").write_text(
            json.dumps({"identity": self.identity, **about}, indent=1, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )

    def token_spans(self, text: str) -> list[tuple[int, tuple[int, int]]]:
        """The pieces of a text: row in the token table, and where in the text it stands."""
        read = self.tokenizer.encode(text[:LONGEST], add_special_tokens=False)
        return [
            (token, span)
            for token, span in zip(read.ids, read.offsets, strict=True)
            if token != self._unknown
        ]

    def gram_rows(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of the n-gram table that the texts hold, text by text, and how many each holds."""
        if not len(self.hashes):
            return np.zeros(0, np.int64), np.zeros(len(texts), np.int64)
        hashes, owner = char_grams(texts)
        at = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        known = self.hashes[at] == hashes
        at, owner = at[known], owner[known]
        order = np.argsort(owner, kind="stable")
        return at[order], np.bincount(owner, minlength=len(texts))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        parts = [
            self._encode([text[:LONGEST] for text in texts[start : start + CHUNK]])
            for start in range(0, len(texts), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.zeros(len(texts), dtype=np.int64)
        ids: list[int] = []
        read = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        for row, item in enumerate(read):
            known = [token for token in item.ids if token != self._unknown]
            counts[row] = len(known)
            ids.extend(known)
        pooled = self.tokens.pool(np.array(ids, dtype=np.int64), counts)
        return _unit(pooled + self.grams.pool(*self.gram_rows(texts)))


class TransformerEncoder:
    """Any sentence-transformers model, by name or path; imports the library when made."""

    def __init__(self, name_or_path: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                f"encoder {name_or_path!r} needs sentence-transformers: "
                "pip install sentence-transformers"
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
