"""The whole recipe: corpus and own texts in, a folder the ranker loads out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from matcher.activities import Activities
from matcher.encoder import Encoder, StaticEncoder, Table
from matcher.evaluation.testsets import Benchmark
from matcher.lexical import Lexical
from matcher.ranking import Ranker
from matcher.signals import Signals
from matcher.text import words
from matcher.training.corpus import PairGroups, labels, read_pairs
from matcher.training.domain import DomainRecipe, train_domain
from matcher.training.head import fit_classifier, fit_works, labelled_texts
from matcher.training.judged import calibrate, uncalibrated
from matcher.training.lexicon import lexicon_blocks, lexicon_pairs, read_lexicon
from matcher.training.own_texts import Block, hold_out, read_blocks
from matcher.training.remembered import Remembered
from matcher.training.static import Progress, Recipe, Teacher, train_vectors
from matcher.training.student import Vectors, gram_table
from matcher.training.teacher import installed_teacher, teach
from matcher.training.tokenizer import prune_tokenizer, train_tokenizer
from matcher.training.weights import fit_fusion, judged_lists


@dataclass(frozen=True)
class Plan:
    """Both stages, and how many token pieces and character n-grams ship."""

    general: Recipe = field(default_factory=Recipe)
    domain: DomainRecipe = field(default_factory=DomainRecipe)
    pieces: int = 40_000
    grams: int = 60_000


def _silent(what: str, done: float) -> None:
    del what, done


def known_words(pairs: PairGroups, blocks: Sequence[Block], least: int = 3) -> frozenset[str]:
    """Dutch words seen often enough to be parts of compounds."""
    seen: dict[str, int] = {}
    texts = [t for name, group in pairs.items() if name.endswith(("nl", "nl-nl")) for _, t in group]
    texts += [text.text for block in blocks for text in block.texts if text.language == "nl"]
    for text in dict.fromkeys(texts):
        for word in words(text):
            if len(word) >= 4 and word.isalpha():
                seen[word] = seen.get(word, 0) + 1
    return frozenset(word for word, count in seen.items() if count >= least)


def train(
    corpus: Path,
    out: Path,
    progress: Progress = _silent,
    *,
    data: Path,
    plan: Plan | None = None,
    teacher: Teacher | None = None,
) -> StaticEncoder:
    """Make the encoder and everything that goes with it.

    Args:
        corpus: folder with public classifications and parallel text
            (:mod:`matcher.training.corpus`).
        out: receives ``encoder/`` and ``ranking/``, as ``data/`` holds them.
        data: the project's data folder: taxonomy, lexicon, own training texts, benchmark and
            calibration sets (the last two for the calibration only).
        teacher: vectors of an English model for texts of the corpus
            (:func:`matcher.training.teacher.teach`); None takes the installed one, or none.

    Raises:
        CorpusError, TrainingTextError: a file is missing or a line cannot be read.
    """
    plan = plan or Plan()
    blocks, concepts = read_blocks(data / "training"), read_lexicon(data)
    pairs = read_pairs(corpus)
    general = list(dict.fromkeys(t for group in pairs.values() for pair in group for t in pair))
    own = [text.text for block in blocks for text in [*block.texts, *block.misses]]
    if teacher is None and (encode := installed_teacher()) is not None:
        progress("teacher", 0.0)
        teacher = teach(pairs, encode, plan.general.dimension)
    progress("tokenizer", 0.0)
    tokenizer = train_tokenizer(general + own * 3, plan.general.vocabulary)
    start = Vectors.untrained(
        tokenizer.get_vocab_size(),
        gram_table(labels(pairs) + own * 2, plan.grams),
        plan.general.dimension,
        plan.general.seed,
    )
    vectors = train_vectors(tokenizer, start, pairs, plan.general, progress, teacher)
    tokenizer, kept = prune_tokenizer(tokenizer, general + own * 10, plan.pieces)
    start = vectors.of_tokens(kept)
    replay = pairs | lexicon_pairs(concepts)

    def second_stage(folder: Path, part: Sequence[Block]) -> StaticEncoder:
        texts = [*part, *lexicon_blocks(concepts)]
        found = train_domain(tokenizer, start, texts, replay, plan.general, plan.domain, progress)
        tables = Table.of(found.tokens), Table.of(found.grams)
        encoder = StaticEncoder(tokenizer, *tables, found.hashes, "")
        encoder.save(folder, {"plan": asdict(plan)})
        return encoder

    seen, _ = hold_out(blocks)
    judge = second_stage(out / "judge", seen)
    encoder = second_stage(out / "encoder", blocks)
    ranking = out / "ranking"
    ranking.mkdir(parents=True, exist_ok=True)
    texts = [text.text for block in blocks for text in block.texts]
    Lexical.fit(texts, known_words(pairs, blocks)).save(ranking)
    fit_ranking(encoder, judge, data, ranking, progress)
    return encoder


def fit_ranking(
    encoder: Encoder, judge: Encoder, data: Path, ranking: Path, progress: Progress = _silent
) -> None:
    """Classifier, prototypes, fusion and calibration for an encoder.

    Args:
        judge: an encoder made like the first, that did not see the held-out texts; for a model
            that saw none of our texts, the model itself.
        data: taxonomy, lexicon, own texts, benchmark and calibration sets.
        ranking: holds ``lexical.npz`` and ``words.txt``; receives the other files.
    """
    activities, lexical = Activities.load(data), Lexical.load(ranking)
    one = encoder is judge
    encoder = Remembered(encoder)
    judge = encoder if one else Remembered(judge)
    blocks = read_blocks(data / "training")
    seen, kept = hold_out(blocks)
    progress("fusion", 0.1)
    signals = Signals(
        judge,
        activities,
        lexical,
        fit_classifier(judge, lexical, labelled_texts(data, seen)),
        fit_works(judge, seen),
    )
    fit_fusion(judged_lists(signals, kept), encoder.identity).save(ranking / "fusion.json")
    progress("classifier", 0.5)
    fit_classifier(encoder, lexical, labelled_texts(data, blocks)).save(ranking)
    fit_works(encoder, blocks).save(ranking / "works.npz")
    uncalibrated(encoder.identity).save(ranking / "calibration.json")
    progress("calibration", 0.9)
    ranker = Ranker.load(data, encoder, ranking)
    sets = [Benchmark.load(data / name) for name in ("benchmark", "calibration")]
    calibrate(ranker, sets).save(ranking / "calibration.json")
    progress("calibration", 1.0)
