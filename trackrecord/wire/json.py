"""JSON in and out. One place says what a body that cannot be read is answered with."""

import re
from typing import TypeVar

import msgspec

from ..errors import ParameterInvalid, RequestError, TypeMismatch

JSON_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_TYPES = re.compile(r"^Expected `([^`]+)`, got `([^`]+)`(?: - at `(?:key in )?\$\.?([^`]*)`)?$")
_RANGE = re.compile(r"^(?:Integer value|Number) out of range(?: - at `\$\.?([^`]*)`)?$")
_decoders: dict[object, msgspec.json.Decoder[object]] = {}

encode = msgspec.json.Encoder().encode


T = TypeVar("T")


def decode(body: bytes, kind: type[T]) -> T:
    """Read a body as `kind`; keys it does not name are passed over, and of a key sent twice the last value counts.

    Raises ParameterInvalid (`Invalid JSON`) for bytes that are no JSON text in UTF-8, or nest too deep to read, and
    TypeMismatch with the field for a value of the wrong type. Source: the contract, 1.8.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(body)  # type: ignore[return-value]
    except msgspec.ValidationError as error:
        raise mismatch(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error) from None


def unreadable(error: Exception, *, whole: str = "body") -> ParameterInvalid:
    """The error for what is no JSON. What the decoder says, with the place, is for the log: the answer's text is the wire's."""
    return ParameterInvalid("Invalid JSON", field=whole, cause=str(error))


def mismatch(text: str, *, whole: str | None = None) -> RequestError:
    """Say a decoder's complaint in the wire's words. `whole` is the parameter that was decoded, if it was not the body."""
    too_large = _RANGE.match(text)
    if too_large is not None:
        field = _field(too_large[1], whole)
        said = "has a number" if field else "the body must not have a number"
        return ParameterInvalid(f"{field or ''} {said} too large to be read".lstrip(), field=field or "body")
    found = _TYPES.match(text)
    if found is None:
        return ParameterInvalid(f"Invalid JSON: {text}", field=whole or "body")
    wanted, got, place = found.groups()
    got = JSON_WORDS.get(got, got)
    field = _field(place, whole)
    if field is None:
        return ParameterInvalid(f"the body must be a JSON object, got {got}", field="body")
    kinds = [kind for kind in wanted.split(" | ") if kind != "null"]
    words = [JSON_WORDS.get(kind, kind) for kind in kinds if kind != "int" or "float" not in kinds]
    return TypeMismatch(f"{field} must be {' or '.join(words)}, got {got}", field=field)


def _field(place: str | None, whole: str | None) -> str | None:
    """The parameter at a place such as `metadata[...]`, where the decoder leaves out the key."""
    return (place or "").replace("[...]", "") or whole
