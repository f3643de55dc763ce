"""Data attributes: what kinds there are, and how the values of custom attributes fit them. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, ParameterNotFound, TypeMismatch
from .profiles import Profile
from .values import WHOLE_MAX, Scalar, flag, long_text, moment, said, text

# What can have attributes, and what its data is called in messages. Source: API reference, "Create a data attribute".
MODELS = {"contact": "people", "company": "company"}
MODEL_INVALID = "The Data Attribute model field must be either contact or company"
TYPE_INVALID = "Data Type isn't an option"
NAME_INVALID = "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens"
NOT_FOUND = "We couldn't find that data attribute to update"
DEPENDENT = "The Data Attribute you are trying to archive has a dependant object"
OPTIONS_MIN = 2  # of a list attribute. Source: API reference, "Create a data attribute"
OPTIONS_MAX = 1000  # ours
LIST = "options"  # the data_type that asks for a list attribute; its values are strings

# Letters and digits of every script, blanks and underscores as the reference's examples have them, hyphens, currency symbols.
_NAME = re.compile("[\\w $\u00a2-\u00a5\u058f\u060b\u09f2\u09f3\u0e3f\u20a0-\u20c0\uff04\uffe0\uffe1\uffe5\uffe6-]+")


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """A custom attribute that contacts or companies of a workspace may have."""

    id: int
    workspace: int
    model: str  # one of MODELS
    name: str
    data_type: str  # one of DATA_TYPES
    declared: bool = True  # somebody declared it; else its first use did
    archived: bool = False
    created_at: int = 0  # whole Unix seconds
    label: str | None = None  # what people call it; the name where it is None
    description: str | None = None
    options: list[str] | None = None  # the values it may have; None where any of its type will do
    messenger_writable: bool = False
    admin: int | None = None  # who declared it
    updated_at: int | None = None


def _whole(value: Scalar, field: str) -> Scalar:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_MAX else value


# The kinds of attribute: the name, what its values are called in messages, which values it takes, how one is made to fit.
# First match wins when a first use decides, so bool stands above int and date is never guessed.
# Source: API reference, "Data attributes", data_type.
DATA_TYPES: tuple[tuple[str, str, tuple[type, ...], Callable[[Scalar, str], Scalar]], ...] = (
    ("boolean", "true or false", (bool,), lambda value, field: value),
    ("integer", "a whole number", (int,), _whole),
    ("float", "a number", (float, int), lambda value, field: value),
    ("string", "a string", (str,), lambda value, field: value),
    ("date", "a date in Unix seconds", (int,), moment),
    ("datetime", "a moment in Unix seconds", (int,), moment),  # of the Preview
)


def attribute_type(value: Scalar) -> str:
    """The type an attribute has whose first value this is. `value` is not None."""
    for name, _, types, _ in DATA_TYPES:
        if isinstance(value, types):
            return name
    raise AssertionError(f"no attribute has values like {value!r}")


def attribute_value(name: str, value: Scalar, data_type: str, options: Sequence[str] | None = None) -> Scalar:
    """Return the value as an attribute of this type keeps it; None, which clears it, fits all.

    A whole number fits float; a float without a fraction fits integer and loses its point; a date may come as digits or
    ISO 8601 and is kept in seconds. Raises TypeMismatch for all else, ParameterInvalid for a date out of range and for what is
    none of the options, where there are any.
    Source: the contract, 4.3 "type must match the attribute"; what fits is ours.
    """
    if value is None:
        return None
    field = f"custom_attributes.{name}"
    for type_name, words, types, fit in DATA_TYPES:
        if type_name == data_type:
            fitted = fit(value, field)
            if isinstance(fitted, types) and isinstance(fitted, bool) == (data_type == "boolean"):
                if options is not None and fitted not in options:
                    raise ParameterInvalid(f"{field} must be one of its options, {_listed(options)}; got {str(value)[:40]!r}", field=field)
                return fitted
            raise TypeMismatch(f"{field} must be {words}, got {said(value)}", field=field)
    raise AssertionError(f"{data_type!r} is not a type of attribute")


def settled_type(name: str, value: Scalar, known: Attribute | None, *, profile: Profile) -> str | None:
    """The type an attribute has from this value on; None when there is no such attribute and none is to be made.

    Where undeclared attributes are taken (lenient) the first value decides, and a fraction widens an integer that was only
    ever declared by use into a float. Raises ParameterInvalid where they are not (strict): for an unknown attribute, or an
    archived one. Source: the contract, 4.3 "keys must exist"; widening is ours.
    """
    if known is None or known.archived:
        if not profile.undeclared_attributes:
            raise ParameterInvalid(f"Custom attribute '{name}' does not exist", field=f"custom_attributes.{name}")
        if known is None:
            return None if value is None else attribute_type(value)
    if known.data_type == "integer" and not known.declared and profile.undeclared_attributes:
        return "float" if isinstance(value, float) and not value.is_integer() else "integer"
    return known.data_type


def _listed(options: Sequence[str]) -> str:
    shown = ", ".join(repr(each[:40]) for each in options[:10])
    return shown if len(options) <= 10 else f"{shown} and {len(options) - 10} more"


# --- Declaring -----------------------------------------------------------------------------------------------------------


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute somebody wants made, every value checked."""

    model: str
    name: str
    data_type: str  # one of DATA_TYPES
    description: str | None = None
    options: list[str] | None = None
    messenger_writable: bool = False


class AttributeChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants changed in an attribute. UNSET leaves it as it is."""

    archived: bool | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    options: list[str] | UnsetType = UNSET
    messenger_writable: bool | UnsetType = UNSET


def declaration(sent: Mapping[str, Any]) -> Declaration:
    """Check an attribute somebody wants made. Raises ParameterInvalid with the reference's texts, ParameterNotFound, TypeMismatch.

    Source: API reference, "Create a data attribute". A list attribute is asked for as `options`, or as `string` with options.
    """
    if sent.get("model") not in MODELS:
        raise ParameterInvalid(MODEL_INVALID, field="model")
    name = text(sent.get("name"), "name")
    if name is None:
        raise ParameterNotFound("name is required", field="name")
    if not _NAME.fullmatch(name) or not name.strip():
        raise ParameterInvalid(NAME_INVALID, field="name")
    data_type, options = sent.get("data_type"), _options(sent.get("options"))
    if data_type is None:
        raise ParameterNotFound(f"data_type is required: one of {', '.join(row[0] for row in DATA_TYPES)}, {LIST}", field="data_type")
    if data_type != LIST and data_type not in [row[0] for row in DATA_TYPES]:
        raise ParameterInvalid(TYPE_INVALID, field="data_type")
    if data_type == LIST and options is None:
        raise ParameterNotFound(f"options is required where data_type is {LIST}", field="options")
    if data_type not in (LIST, "string") and options is not None:
        raise ParameterInvalid(f"options go with the data_type {LIST} alone, not with {data_type}", field="options")
    return Declaration(
        model=sent["model"],
        name=name,
        data_type="string" if data_type == LIST else data_type,
        description=long_text(sent.get("description"), "description"),
        options=options,
        messenger_writable=flag(sent.get("messenger_writable"), "messenger_writable"),
    )


def attribute_changes(sent: Mapping[str, Any]) -> AttributeChanges:
    """Check what somebody wants changed; null changes nothing but a description, which it empties. Raises as `declaration` does."""
    options = _options(sent.get("options"))
    given = {name: flag(sent[name], name) for name in ("archived", "messenger_writable") if sent.get(name) is not None}
    return AttributeChanges(
        options=UNSET if options is None else options,
        description=long_text(sent["description"], "description") if "description" in sent else UNSET,
        **given,
    )


def _options(value: object) -> list[str] | None:
    """The values a list attribute may have, sent as objects with a `value` or as strings."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise ParameterInvalid("Options isn't an array", field="options")
    read = [text(each.get("value") if isinstance(each, Mapping) else each, "options.value") for each in value]
    if any(each is None for each in read):
        raise ParameterNotFound("each of options must have a value", field="options.value")
    found = [each for each in read if each is not None]
    if not OPTIONS_MIN <= len(found) <= OPTIONS_MAX:
        raise ParameterInvalid(f"options must have {OPTIONS_MIN} to {OPTIONS_MAX} values, got {len(found)}", field="options")
    if len(set(found)) < len(found):
        raise ParameterInvalid("each of options must have a value of its own", field="options")
    return found
