"""Data attributes: what kinds there are, and how the values of custom attributes fit them. Pure."""

from collections.abc import Callable

import msgspec

from ..errors import ParameterInvalid, TypeMismatch
from .profiles import Profile
from .values import WHOLE_MAX, Scalar, moment, said


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """A custom attribute that contacts of a workspace may have."""

    id: int
    workspace: int
    model: str  # "contact"
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
)


def attribute_type(value: Scalar) -> str:
    """The type an attribute has whose first value this is. `value` is not None."""
    for name, _, types, _ in DATA_TYPES:
        if isinstance(value, types):
            return name
    raise AssertionError(f"no attribute has values like {value!r}")


def attribute_value(name: str, value: Scalar, data_type: str) -> Scalar:
    """Return the value as an attribute of this type keeps it; None, which clears it, fits all.

    A whole number fits float; a float without a fraction fits integer and loses its point; a date may come as digits or
    ISO 8601 and is kept in seconds. Raises TypeMismatch for all else, ParameterInvalid for a date out of range.
    Source: the contract, 4.3 "type must match the attribute"; what fits is ours.
    """
    if value is None:
        return None
    field = f"custom_attributes.{name}"
    for type_name, words, types, fit in DATA_TYPES:
        if type_name == data_type:
            fitted = fit(value, field)
            if isinstance(fitted, types) and isinstance(fitted, bool) == (data_type == "boolean"):
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
