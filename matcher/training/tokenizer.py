"""The Unigram tokenizer (Kudo 2018) of the static encoder."""

from collections.abc import Iterable

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
