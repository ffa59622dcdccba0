# SPDX-License-Identifier: GPL-3.0-or-later
"""BFCP messages (RFC 8855 section 5) written and read, as much of it as a floor request needs."""
import struct

VERSION = 1
_HEADER = struct.Struct("!BBHIHH")
PRIMITIVES = ("FloorRequest", "FloorRelease", "FloorRequestQuery", "FloorRequestStatus", "UserQuery", "UserStatus",
              "FloorQuery", "FloorStatus", "ChairAction", "ChairActionAck", "Hello", "HelloAck", "Error")
_NUMBERS = {name: number for number, name in enumerate(PRIMITIVES, 1)}
STATUSES = ("Pending", "Accepted", "Granted", "Denied", "Cancelled", "Released", "Revoked")
FLOOR_ID, FLOOR_REQUEST_ID, PRIORITY, REQUEST_STATUS, PARTICIPANT_INFO, STATUS_INFO = 2, 3, 4, 5, 8, 9
SUPPORTED_ATTRIBUTES, SUPPORTED_PRIMITIVES = 10, 11
FLOOR_REQUEST_INFORMATION, FLOOR_REQUEST_STATUS, OVERALL_REQUEST_STATUS = 15, 17, 18
# Attributes that begin with a number and go on with attributes.
_GROUPED = (FLOOR_REQUEST_INFORMATION, FLOOR_REQUEST_STATUS, OVERALL_REQUEST_STATUS)


def attribute(kind, *contents, mandatory=True):
    """One attribute; @contents are numbers of 16 bits, bytes, or attributes."""
    data = b"".join(part if isinstance(part, bytes) else struct.pack("!H", part) for part in contents)
    assert len(data) <= 253, "the length has one byte"
    return bytes((kind << 1 | mandatory, len(data) + 2)) + data + b"\0" * (-(len(data) + 2) % 4)


def floor_ids(*floors):
    return b"".join(attribute(FLOOR_ID, floor) for floor in floors)


def request_status(request, status, *floors, position=0, info=b""):
    """FLOOR-REQUEST-INFORMATION of one request; @info is text for people."""
    overall = attribute(OVERALL_REQUEST_STATUS, request,
                        attribute(REQUEST_STATUS, bytes((STATUSES.index(status) + 1, position))),
                        attribute(STATUS_INFO, info) if info else b"")
    return attribute(FLOOR_REQUEST_INFORMATION, request, overall,
                     *[attribute(FLOOR_REQUEST_STATUS, floor) for floor in floors])


def supported():
    """What a HelloAck has to have: every primitive and the attributes above."""
    kinds = (FLOOR_ID, FLOOR_REQUEST_ID, PRIORITY, REQUEST_STATUS, PARTICIPANT_INFO, STATUS_INFO,
             SUPPORTED_ATTRIBUTES, SUPPORTED_PRIMITIVES, *_GROUPED)
    return (attribute(SUPPORTED_PRIMITIVES, bytes(_NUMBERS.values())) +
            attribute(SUPPORTED_ATTRIBUTES, bytes(kind << 1 for kind in kinds)))


class Message:
    """One message; @body is what comes after the header, attributes with their padding."""

    def __init__(self, primitive, conference, transaction, user, body=b""):
        self.primitive, self.conference, self.transaction, self.user = primitive, conference, transaction, user
        self.body = body

    def encode(self):
        assert len(self.body) % 4 == 0
        return _HEADER.pack(VERSION << 5, _NUMBERS[self.primitive], len(self.body) // 4, self.conference,
                            self.transaction, self.user) + self.body

    def attributes(self, data=None):
        """[(kind, contents)] in order, those of groups after their group."""
        data, found = self.body if data is None else data, []
        while data:
            kind, size = data[0] >> 1, data[1]
            contents = data[2:size]
            if size < 2 or len(contents) != size - 2:
                raise ValueError(f"attribute {kind} of {size} bytes in {len(data)}")
            found.append((kind, contents))
            if kind in _GROUPED:
                found += self.attributes(contents[2:])
            data = data[size + -size % 4:]
        return found

    def numbers(self, *kinds):
        """The 16-bit numbers that the attributes of these kinds begin with."""
        return [struct.unpack_from("!H", contents)[0] for kind, contents in self.attributes() if kind in kinds]

    def __repr__(self):
        return (f"{self.primitive} conference {self.conference} transaction {self.transaction} user {self.user} "
                f"{self.attributes()}")


class Reader:
    """Takes the bytes of a stream however they come, gives whole messages."""

    def __init__(self):
        self.data = b""

    def feed(self, data):
        self.data += data

    def next(self):
        """The next message, or None while it is not complete."""
        if len(self.data) < _HEADER.size:
            return None
        first, primitive, words, conference, transaction, user = _HEADER.unpack_from(self.data)
        if first != VERSION << 5 or not 1 <= primitive <= len(PRIMITIVES):
            raise ValueError(f"no header of a message: {self.data[:12].hex()}")
        end = _HEADER.size + 4 * words
        if len(self.data) < end:
            return None
        body, self.data = self.data[_HEADER.size:end], self.data[end:]
        return Message(PRIMITIVES[primitive - 1], conference, transaction, user, body)
