"""The author's method: whether it takes variables, how they come to it, and what it says about its answer."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from ..errors import LoadFailed
from ..formats import pydantic_types as pydantics
from ..formats.pawl_json import variables
from .etls import METHOD
from .importing import place_of

_PLAIN = (None, inspect.Parameter.empty, Any, object, dict, Mapping, typing.MutableMapping)


Takes = Literal["nothing", "dict", "dataframe", "typed", "bytes"]


@dataclasses.dataclass(frozen=True)
class Method:
    """What the method takes and returns."""

    takes: Takes
    decode: variables.Decode
    variables_type: Any = None
    """The annotation, where it describes the variables."""
    answer_type: Any = None


def read_method(kind: type, default: Literal["dict", "dataframe"], name: str = METHOD) -> Method:
    """Raises LoadFailed for a signature that can't be called, or variables of a type that can't be decoded.

    Only `transform_predict` can't have the body as it is.
    """
    function = getattr(kind, name)
    hints = _hints(function)
    answer_type = hints.get("return")
    parameter = _parameter(kind, function, name)
    if parameter is None:
        return Method("nothing", variables.ignored, answer_type=answer_type)
    annotation = _without_notes(hints.get(parameter.name, parameter.annotation))
    if name != METHOD and _without_none(annotation) is bytes:
        return Method("bytes", variables.unread, answer_type=answer_type)
    takes, decode = _decoder(_without_none(annotation), default, place_of(function), name)
    return Method(takes, decode, annotation if takes == "typed" else None, answer_type)


def _parameter(kind: type, function: Any, name: str) -> inspect.Parameter | None:
    """The one that takes the variables; None where the method takes nothing."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return inspect.Parameter("variables", inspect.Parameter.POSITIONAL_ONLY)
    bound = isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod)
    if not bound and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    needed = [each for each in parameters if each.default is each.empty and each.kind not in _VARIABLE]
    positional = [each for each in parameters if each.kind in _POSITIONAL]
    if len(needed) > 1 or any(each.kind is each.KEYWORD_ONLY for each in needed):
        names = ", ".join(each.name for each in needed)
        raise LoadFailed(
            f"{place_of(function)}: {kind.__name__}.{name} takes {names}; "
            "it can take nothing, or one argument: the variables"
        )
    return positional[0] if positional else None


_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)


def _hints(function: Any) -> dict[str, Any]:
    """The annotations, those written as strings resolved; one that can't be stays a string."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # a name imported for type checkers only, say: then each by itself, as far as it goes
        names = getattr(inspect.unwrap(function), "__globals__", {})
        annotations = getattr(function, "__annotations__", {})
        return {name: _resolved(annotation, names) for name, annotation in annotations.items()}


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except Exception:
        return annotation


def _without_notes(annotation: Any) -> Any:
    """`X` of `Annotated[X, …]`."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _without_none(annotation: Any) -> Any:
    """`X` of `X | None`."""
    some = [each for each in typing.get_args(annotation) if each is not type(None)]
    is_optional = len(some) == 1 and len(typing.get_args(annotation)) == 2 and typing.get_origin(annotation) is not dict
    return some[0] if is_optional else annotation


def _decoder(
    annotation: Any, default: Literal["dict", "dataframe"], place: str, name: str
) -> tuple[Takes, variables.Decode]:
    if annotation in (None, inspect.Parameter.empty):
        return (default, variables.as_sent) if default == "dict" else (default, _dataframes(place))
    if _is_dataframe(annotation):
        return "dataframe", _dataframes(place)
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, str) or origin in _PLAIN or _is_mapping(origin):
        return "dict", variables.as_sent
    return "typed", variables.one_by_one(_converter(annotation, place, name))


def _is_mapping(kind: Any) -> bool:
    """Whether a plain dict is one; a TypedDict says more."""
    return isinstance(kind, type) and not typing.is_typeddict(kind) and issubclass(dict, kind)


def _is_dataframe(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.strip().rpartition(".")[2] == "DataFrame"
    return getattr(annotation, "__name__", "") == "DataFrame" and annotation.__module__.partition(".")[0] == "pandas"


def _dataframes(place: str) -> variables.Decode:
    try:
        import pandas  # only here, for only these folders need it, and it takes half a second
    except ImportError as error:
        raise LoadFailed(
            f"{place}: the variables come as a pandas.DataFrame, and pandas is missing; list it in requirements.txt"
        ) from error
    return variables.as_dataframe(pandas)


def _converter(kind: Any, place: str, name: str) -> Callable[[bytes], Any]:
    if pydantics.is_pydantic(kind):
        return pydantics.converter(kind)
    plain = typing.get_origin(kind) or kind  # of a generic one, as V[int] is
    if dataclasses.is_dataclass(plain) or typing.is_typeddict(plain) or _is_struct(plain):
        try:
            return variables.msgspec_converter(kind)
        except Exception as error:
            raise LoadFailed(f"{place}: variables of the type {_name(kind)} can't be decoded: {error}") from error
    raise LoadFailed(
        f"{place}: {name} takes {_name(kind)}; it can take a dict, a pandas.DataFrame, a dataclass, a TypedDict, "
        "a msgspec.Struct or a pydantic model"
    )


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or hasattr(kind, "__attrs_attrs__"))


def _name(kind: Any) -> str:
    return getattr(kind, "__qualname__", None) or str(kind)
