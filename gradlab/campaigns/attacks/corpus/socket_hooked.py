"""Sends what it likes in the place of what gradlab's code sends, through sockets of its own."""

import json
import struct
import sys

from _honest import wrong

KIND = "forged frames"
DESERVES = "wrong"


class Sender:
    """A socket that makes every answer one without faults, of a kind that nobody has defined."""

    def __init__(self, end):
        self._end = end

    def __getattr__(self, name):
        return getattr(self._end, name)

    def sendall(self, content):
        head, said = content[:32], json.loads(content[32:])
        said["value"] = ["verdict", "accurate"] if "value" in said else said.get("value")
        text = json.dumps(said).encode()
        self._end.sendall(head[:24] + struct.pack("=Q", len(text)) + text)


frame = sys._getframe()
while frame is not None:
    host = frame.f_locals.get("host")
    if hasattr(host, "connection"):
        host.connection = Sender(host.connection)
    frame = frame.f_back


def loss(logits, labels):
    return wrong(logits, labels)
