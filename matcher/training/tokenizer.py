"""The Unigram tokenizer (Kudo 2018) of the static encoder."""

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"


def train_tokenizer(texts: Iterable[str], vocabulary: int = 48_000) -> Tokenizer:
    """A tokenizer of at most ``vocabulary`` pieces: lower case, no accents, no punctuation.

    Accents go because people leave them out ("frigorifere", "cafe"); punctuation and symbols go
    because a mean of token vectors would count every comma.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[^\p{L}\p{N}]+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=vocabulary,
            special_tokens=[UNKNOWN],
            unk_token=UNKNOWN,
            max_piece_length=20,
            show_progress=False,
        ),
    )
    return tokenizer


def prune_tokenizer(
    tokenizer: Tokenizer, texts: Sequence[str], size: int
) -> tuple[Tokenizer, NDArray[np.int64]]:
    """Keep the ``size`` pieces the texts use most; single characters always stay.

    Returns:
        The smaller tokenizer, and for each of its pieces the number it had before.
    """
    used = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for item in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        np.add.at(used, item.ids, 1)
    held = json.loads(tokenizer.to_str())
    pieces = held["model"]["vocab"]
    for row, (piece, _) in enumerate(pieces):
        if len(piece) == 1 or piece == UNKNOWN:
            used[row] += 1_000_000_000
    kept = np.sort(np.argsort(-used, kind="stable")[:size])
    held["model"]["vocab"] = [pieces[row] for row in kept]
    held["model"]["unk_id"] = int(np.flatnonzero(kept == held["model"]["unk_id"])[0])
    for token in held.get("added_tokens", []):
        token["id"] = held["model"]["unk_id"]
    return Tokenizer.from_str(json.dumps(held)), kept
