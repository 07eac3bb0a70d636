"""Read the protobuf wire format: fields of one message, nothing about their meaning."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)
_LONGEST_VARINT = 10

Value = int | bytes
"""An unsigned number, or the bytes of a text, a message or a fixed-width field."""


class WireError(ValueError):
    """Say why bytes are no protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field; raise WireError where the bytes make no sense.

    Numbers of variable length come as unsigned 64-bit numbers, all else as bytes. Groups, which
    no current schema has, are refused.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError("a field has number 0")
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise WireError(f"field {number} is of unknown kind {kind}")
        if size > end - at:
            raise WireError(f"field {number} ends after the message")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    if at < len(data) and data[at] < 0x80:  # as most are
        return data[at], at + 1
    value = 0
    for index in range(_LONGEST_VARINT):
        if at + index >= len(data):
            raise WireError("the message breaks off inside a number")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + index + 1
    raise WireError("a number is longer than 64 bits")


def text(value: Value) -> str:
    """Return a text field."""
    return raw(value).decode("utf-8", "replace")


def raw(value: Value) -> bytes:
    """Return a field of bytes; raise WireError when a number stands there."""
    if isinstance(value, int):
        raise WireError("a number stands where a text or message belongs")
    return value


def fixed64(value: Value) -> int:
    """Return an unsigned field of eight bytes."""
    return int(struct.unpack("<Q", _sized(value, 8))[0])


def double(value: Value) -> float:
    """Return a floating-point field of eight bytes."""
    return float(struct.unpack("<d", _sized(value, 8))[0])


def number(value: Value) -> int:
    """Return a field that is an unsigned number of variable length."""
    if isinstance(value, bytes):
        raise WireError("a text stands where a number belongs")
    return value


def signed(value: Value) -> int:
    """Return a field that is a signed number of variable length."""
    plain = number(value)
    return plain - (1 << 64) if plain >> 63 else plain


def _sized(value: Value, size: int) -> bytes:
    data = raw(value)
    if len(data) != size:
        raise WireError(f"a field of {size} bytes has {len(data)}")
    return data


def varint(value: int) -> bytes:
    """Write an unsigned number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field_of_number(field: int, value: int) -> bytes:
    """Write a field that is a number; nothing for 0, as proto3 does."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def field_of_text(field: int, value: str) -> bytes:
    """Write a field that is a text; nothing for an empty one."""
    data = value.encode()
    return varint(field << 3 | _BYTES) + varint(len(data)) + data if data else b""


def field_of_message(field: int, value: bytes) -> bytes:
    """Write a field that is a message."""
    return varint(field << 3 | _BYTES) + varint(len(value)) + value
