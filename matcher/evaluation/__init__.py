"""Measures the ranking beside lexical baselines and an English teacher: one printed table."""

from matcher.evaluation.report import evaluate
from matcher.evaluation.testsets import EvaluationError

__all__ = ["EvaluationError", "evaluate"]
