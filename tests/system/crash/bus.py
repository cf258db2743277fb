# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much of D-Bus as the crash test needs: many calls under way at once over one connection to a
message bus, and what becomes of each. No library, so that thousands of calls cost little."""

import os
import socket
import struct

METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL = 1, 2, 3, 4
BUS = "org.freedesktop.DBus"
SIZES = {"y": ("B", 1), "b": ("I", 4), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4),
         "x": ("q", 8), "t": ("Q", 8), "d": ("d", 8), "h": ("I", 4)}


class BusError(Exception):
    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name = name


def complete(signature, at):
    """Where the complete type that begins here ends."""
    if signature[at] == "a":
        return complete(signature, at + 1)
    if signature[at] in "({":
        depth, end = 1, at + 1
        while depth:
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[end], 0)
            end += 1
        return end
    return at + 1


def types(signature):
    at, found = 0, []
    while at < len(signature):
        end = complete(signature, at)
        found.append(signature[at:end])
        at = end
    return found


def alignment(kind):
    return 8 if kind[0] in "({" else {"s": 4, "o": 4, "a": 4, "g": 1, "v": 1}.get(
        kind[0], SIZES.get(kind[0], (0, 1))[1])


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, to):
        self.data += b"\0" * (-len(self.data) % to)

    def put(self, kind, value):
        first = kind[0]
        self.align(alignment(kind))
        if first in SIZES:
            self.data += struct.pack("<" + SIZES[first][0], value)
        elif first in "so":
            text = value.encode()
            self.data += struct.pack("<I", len(text)) + text + b"\0"
        elif first == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif first == "v":
            self.put("g", value[0])
            self.put(*value)
        elif first == "a":
            self.put_array(kind[1:], value)
        else:
            for part, one in zip(types(kind[1:-1]), value):
                self.put(part, one)

    def put_array(self, kind, values):
        at = len(self.data)
        self.data += b"\0\0\0\0"
        self.align(alignment(kind))
        begin = len(self.data)
        for one in values.items() if kind[0] == "{" else values:
            self.put(kind, one)
        struct.pack_into("<I", self.data, at, len(self.data) - begin)


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def get(self, kind):
        first = kind[0]
        self.at += -self.at % alignment(kind)
        if first in SIZES:
            form, size = SIZES[first]
            value = struct.unpack_from("<" + form, self.data, self.at)[0]
            self.at += size
            return bool(value) if first == "b" else value
        if first in "so":
            return self.get_text(self.get("u"))
        if first == "g":
            return self.get_text(self.get("y"))
        if first == "v":
            return self.get(self.get("g"))
        if first == "a":
            return self.get_array(kind[1:])
        return tuple(self.get(part) for part in types(kind[1:-1]))

    def get_text(self, length):
        text = bytes(self.data[self.at:self.at + length]).decode()
        self.at += length + 1
        return text

    def get_array(self, kind):
        length = self.get("u")
        self.at += -self.at % alignment(kind)
        end, values = self.at + length, []
        while self.at < end:
            values.append(self.get(kind))
        return dict(values) if kind[0] == "{" else values


class Bus:
    """A connection; `on_signal(member, path, values)` is told of every signal."""

    def __init__(self, path, on_signal):
        self.on_signal = on_signal
        self.serial, self.waiting, self.received = 0, {}, bytearray()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
        self.socket.recv(256)
        self.socket.sendall(b"BEGIN\r\n")
        self.ask(BUS, "/org/freedesktop/DBus", BUS, "Hello")

    def call(self, then, name, path, interface, member, signature="", *values):
        """`then(values, error)` when the answer is there."""
        self.serial += 1
        body, head = Writer(), Writer()
        for kind, value in zip(types(signature), values):
            body.put(kind, value)
        fields = [(1, ("o", path)), (2, ("s", interface)), (3, ("s", member)), (6, ("s", name))]
        if signature:
            fields.append((8, ("g", signature)))
        head.data += struct.pack("<cBBBII", b"l", METHOD_CALL, 2, 1, len(body.data), self.serial)
        head.put("a(yv)", fields)
        head.align(8)
        self.waiting[self.serial] = then
        self.socket.sendall(head.data + body.data)

    def ask(self, *arguments):
        """The answer, waited for."""
        answer = []
        self.call(lambda *both: answer.append(both), *arguments)
        while not answer:
            self.take()
        values, error = answer[0]
        if error:
            raise error
        return values[0] if values and len(values) == 1 else values

    def take(self):
        """Waits until something has come, and tells whom it concerns."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the message bus is gone")
        self.received += data
        while len(self.received) >= 16:
            length, _, fields = struct.unpack_from("<III", self.received, 4)
            begin = 16 + fields + -fields % 8
            if len(self.received) < begin + length:
                return
            message = bytes(self.received[:begin + length])
            del self.received[:begin + length]
            self.dispatch(message, begin)

    def dispatch(self, message, begin):
        fields = dict(Reader(message, 12).get("a(yv)"))
        body = Reader(message[begin:])
        values = [body.get(kind) for kind in types(fields.get(8, ""))]
        if message[1] == SIGNAL:
            self.on_signal(fields[3], fields[1], values)
        elif fields.get(5) in self.waiting:
            error = BusError(fields[4], values[0] if values else "") if message[1] == ERROR else None
            self.waiting.pop(fields[5])(values, error)

    def close(self):
        self.socket.close()
