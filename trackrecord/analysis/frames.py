"""What server and analysis say to each other: MessagePack in frames, each with its length before it.

Long lists of whole numbers pass as bytes: an `array("q")` on the server's side, a numpy array on the other.

In:   [number, question, arguments, cursor]: answer as of `cursor` of the store or later. The end of the stream means that the server
      has ended, so the other side ends too.
Out:  ["progress", text] while much is being read; ["answer", number, answer]; ["failed", number, message].
"""

from array import array
from collections.abc import Callable
from typing import Any

import msgspec

LENGTH_BYTES = 4
WHOLE, FRACTIONS = 1, 2  # codes of what passes as bytes, 8 a number in the machine's order

NUMBERS = {WHOLE: "q", FRACTIONS: "d"}


def frame(message: Any, hook: Callable[[Any], Any]) -> bytes:
    """One message as it goes over the pipe. `hook` says what a value of another type goes as."""
    body = msgspec.msgpack.encode(message, enc_hook=hook)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length(head: bytes) -> int:
    """How long the message is behind these LENGTH_BYTES."""
    return int.from_bytes(head, "big")


def decode(body: bytes, hook: Callable[[int, memoryview], Any]) -> Any:
    return msgspec.msgpack.decode(body, ext_hook=hook)


def as_bytes(value: Any) -> Any:
    """The server's hook for arrays; sets and tuples go as lists by themselves."""
    if isinstance(value, array) and value.typecode == NUMBERS[WHOLE]:
        return msgspec.msgpack.Ext(WHOLE, value.tobytes())
    raise TypeError(f"{type(value).__name__} cannot be asked with")


def as_array(code: int, data: memoryview) -> Any:
    """The server's hook for what came as bytes."""
    numbers = array(NUMBERS[code])
    numbers.frombytes(data)
    return numbers
