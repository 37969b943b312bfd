"""A router of this network namespace, made by the kernel itself: kernel-nat.py <outer interface> cone|symmetric

cone: each socket keeps its port towards everybody, and only those it has written to may answer (Linux's masquerade).
symmetric: each destination sees another, random port (masquerade fully-random).
Speaks nf_tables' netlink, because nft is not on every machine. What comes in unasked is dropped before the kernel remembers it.
"""

import socket
import struct
import sys

NETLINK_NETFILTER, SUBSYSTEM = 12, 10
BATCH_BEGIN, BATCH_END, ERROR = 0x10, 0x11, 2
NEW_TABLE, DELETE_TABLE, NEW_CHAIN, NEW_RULE = 0, 2, 3, 6
REQUEST, ACK, CREATE, APPEND = 1, 4, 0x400, 0x800
HOOK_INPUT, HOOK_POSTROUTING = 1, 4
META_OUTPUT_NAME, FULLY_RANDOM, REGISTER = 7, 0x10, 1


def attribute(kind, payload):
    size = 4 + len(payload)
    return struct.pack("=HH", size, kind) + payload + b"\0" * (-size % 4)


def nested(kind, *inner):
    return attribute(kind | 0x8000, b"".join(inner))


def text(kind, value):
    return attribute(kind, value.encode() + b"\0")


def number(kind, value):
    return attribute(kind, struct.pack("!i", value))


sequence = 0


def message(kind, flags, family, body, resource=0):
    global sequence
    sequence += 1
    payload = struct.pack("=BBH", family, 0, socket.htons(resource)) + body
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload


def change(kind, flags, *body):
    return message(SUBSYSTEM << 8 | kind, REQUEST | ACK | flags, socket.AF_INET, b"".join(body))


def send(*changes):
    """All or none of them. Raises OSError with what the kernel says."""
    begin = message(BATCH_BEGIN, REQUEST, 0, b"", SUBSYSTEM)
    end = message(BATCH_END, REQUEST, 0, b"", SUBSYSTEM)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
        kernel.settimeout(5)
        kernel.bind((0, 0))
        kernel.send(begin + b"".join(changes) + end)
        waiting = len(changes)
        while waiting:
            data = kernel.recv(65536)
            while data:
                size, kind = struct.unpack("=IH", data[:6])
                if kind == ERROR:
                    code = struct.unpack("=i", data[16:20])[0]
                    if code:
                        raise OSError(-code, "nf_tables refused")
                    waiting -= 1
                data = data[(size + 3) & ~3 :]


def expression(name, *data):
    return nested(1, text(1, name), nested(2, *data))


def chain(table, name, kind, hook, priority, *policy):
    hooked = nested(4, number(1, hook), number(2, priority))
    return change(NEW_CHAIN, CREATE, text(1, table), text(3, name), hooked, *policy, text(7, kind))


def main(outer, mode):
    table = "peerai"
    name = attribute(1, outer.encode().ljust(16, b"\0"))
    flags = [number(1, FULLY_RANDOM)] if mode == "symmetric" else []
    send(
        # Made first, so that there is one to delete.
        change(NEW_TABLE, CREATE, text(1, table)),
        change(DELETE_TABLE, 0, text(1, table)),
        change(NEW_TABLE, CREATE, text(1, table)),
        chain(table, "out", "nat", HOOK_POSTROUTING, 100),
        chain(table, "in", "filter", HOOK_INPUT, 0, number(5, 0)),
        change(
            NEW_RULE,
            CREATE | APPEND,
            text(1, table),
            text(2, "out"),
            nested(
                4,
                expression("meta", number(1, REGISTER), number(2, META_OUTPUT_NAME)),
                expression("cmp", number(1, REGISTER), number(2, 0), nested(3, name)),
                expression("masq", *flags),
            ),
        ),
    )


main(*sys.argv[1:])
