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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ParameterInvalid("Invalid JSON") from None


def mismatch(text: str) -> RequestError:
    """Say a decoder's complaint in the wire's words."""
    found = _TYPES.match(text)
    if found is None:
        return ParameterInvalid(f"Invalid JSON: {text}")
    wanted, got, field = found.groups()
    got = JSON_WORDS.get(got, got)
    if not field:
        return ParameterInvalid(f"the body must be a JSON object, got {got}")
    words = [JSON_WORDS.get(word, word) for word in wanted.split(" | ") if word != "null"]
    return TypeMismatch(f"{field} must be {' or '.join(words)}, got {got}", field=field)
