"""Where the rows lie after the operators of ONNX's machine-learning domain, which take tables of rows."""

from __future__ import annotations

from ..graph.graph import Node
from .operands import Given, Rule, all_free, first, keep_off, operand
from .values import Coupled, Entry, Size, Tensor, of_rows


def _table(*columns: tuple[Entry, ...]) -> Rule:
    """A model of ONNX's machine-learning domain, which takes a matrix of rows, and a vector for one row."""

    def rule(node: Node, given: Given) -> list[Tensor]:
        source = first(given)
        if source.axis != 0 or source.rank != 2:
            raise Coupled("takes a list of numbers for a single row")
        return [of_rows((Size.ROWS, *more)) for more in columns][: len(node.outputs)]

    return rule


def _same_table(node: Node, given: Given) -> Tensor:
    _table(())(node, given)
    return of_rows(first(given).dimensions)


def _features(node: Node, given: Given) -> Tensor:
    for each in given:
        _table(())(node, [each])
    return of_rows((Size.ROWS, None))


def _each(node: Node, given: Given) -> Tensor:
    return of_rows(first(given).dimensions)


def _one_more_axis(node: Node, given: Given) -> Tensor:
    return of_rows((*first(given).dimensions, None))


def _extracted(node: Node, given: Given) -> Tensor:
    source, picks = first(given), operand(given, 1)
    if source.axis is not None:
        keep_off(source.rank - 1, source, "picks rows by their place in the batch")
        all_free([picks])
        return of_rows((*source.dimensions[:-1], None))
    if picks.axis != 0:
        raise Coupled("picks by rows that are not the first axis")
    return of_rows((*source.dimensions[:-1], Size.ROWS))


TABLES: dict[str, Rule] = {
    **dict.fromkeys(("Imputer", "Normalizer", "Scaler"), _same_table),
    **dict.fromkeys(("Binarizer", "CategoryMapper", "LabelEncoder"), _each),
    **dict.fromkeys(("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"), _table((), (None,))),
    **dict.fromkeys(("LinearRegressor", "SVMRegressor", "TreeEnsemble", "TreeEnsembleRegressor"), _table((None,))),
    "ArrayFeatureExtractor": _extracted,
    "FeatureVectorizer": _features,
    "OneHotEncoder": _one_more_axis,
}
"""https://onnx.ai/onnx/operators/"""
