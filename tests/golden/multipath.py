"""Multipath TCP (RFC 8684, and RFC 6824 as version 0): handshakes, subflows, signals, data."""
import hashlib

import layers
from layers import number
from rows import Wire
from seed import ACK, FIN, PSH, RST, SYN

MSS = b"\2\4\5\xb4"
KEYS = 0x1122334455667788, 0x99aabbccddeeff00
LOW = 0xffffffff
ADDRESS = bytes([10, 0, 0, 2])


def hashed(key, version):
    return (hashlib.sha256 if version else hashlib.sha1)(number(8, key)).digest()


def token(key, version):
    return int.from_bytes(hashed(key, version)[:4], "big")


def first(key, version):
    return int.from_bytes(hashed(key, version)[-8:], "big")


def option(body):
    whole = bytes([30, len(body) + 2]) + body
    return whole + b"\1" * (-len(whole) % 4)


def capable(flags, *keys, version, tail=b""):
    return option(number(1, version, flags) + b"".join(number(8, key) for key in keys) + tail)


def dss(flags, body=b""):
    return option(number(1, 0x20, flags) + body)


class Talk(Wire):
    """Segments whose sequence numbers follow each other: each that is not for the handshake carries bytes, so that none repeats an ACK."""

    def __init__(self, port):
        super().__init__()
        self.port = port

    def begin(self, *options):
        self.port += 1
        self.now, self.sent = 30, {"c": 1, "s": 1}
        for who, at, flags, said in zip("csc", (0, 10, 20), (SYN, SYN | ACK, ACK), options):
            self.send(who, at, *((1, 1) if at == 20 else (0, at // 10)), flags, options=(MSS if flags & SYN else b"") + said)
        return self

    def say(self, who, options, size=5, flags=PSH | ACK):
        other = self.sent["s" if who == "c" else "c"]
        self.send(who, self.now, self.sent[who], other, flags, size=size, options=options)
        self.now += 1
        self.sent[who] += size
        return self


def connection(t, version, client, server, flags=1):
    asks = capable(flags, version=1) if version else capable(flags, client, version=0)
    return t.begin(asks, capable(flags, server, version=version), capable(flags, client, server, version=version))


def signals(t, version, client, server):
    connection(t, version, client, server)
    mine, yours = first(client, version) + 1, first(server, version) + 1
    if version:
        t.say("c", capable(1, client, server, version=1, tail=number(2, 10)), 10)
    else:
        t.say("c", dss(0x05, number(4, yours & LOW, mine & LOW, 1) + number(2, 10)), 10)
    t.say("s", dss(0x01, number(4, mine + 10 & LOW)))
    t.say("s", dss(0x0f, number(8, mine + 10, yours) + number(4, 2) + number(2, 1)))
    t.say("c", dss(0x03, number(8, yours + 1)))
    for body in (number(1, 0x34, 2) + ADDRESS, number(1, 0x34, 2) + ADDRESS + number(2, 4433), number(1, 0x30, 2) + ADDRESS + number(8, 7),
                 number(1, 0x30, 2) + ADDRESS + number(2, 4433) + number(8, 7), number(1, 0x31, 2) + ADDRESS, number(1, 0x36, 3) + layers.YOU6,
                 number(1, 0x31, 3) + layers.YOU6 + number(2, 4433), number(1, 0x30, 3) + layers.YOU6 + number(8, 5),
                 number(1, 0x30, 3) + layers.YOU6 + number(2, 4433) + number(8, 5), number(1, 0x30, 3, 1), number(1, 0x40, 1, 2, 3), number(1, 0x40, 1),
                 number(1, 0x51), number(1, 0x50, 9), number(1, 0x60, 0) + number(8, mine), number(1, 0x70, 0) + number(8, server), number(1, 0x81, 2),
                 number(1, 0x8e, 99), number(1, 0x91, 2), number(1, 0x10, 1, 2, 3), number(1, 0x20, 0)):
        t.say("s", option(body))
    t.say("c", dss(0x14, number(4, mine + 30 & LOW, 40) + number(2, 0)))
    t.say("c", option(number(1, 0x31, 2) + ADDRESS) + option(number(1, 0x50)))
    t.say("s", dss(0x11, number(4, mine + 30 & LOW)), 0, FIN | ACK)


def join(t, flags, asked):
    return t.begin(option(number(1, flags, 1) + number(4, asked, 0xcafebabe)),
                   option(number(1, 0x10, 2) + number(8, 0x1234567890abcdef) + number(4, 0xfeedf00d)), option(number(1, 0x10, 0) + bytes(range(20))))


def joins(t, version, client, server):
    """Subflows of a connection that was seen; and one of another."""
    for flags in (0x11, 0x10):
        join(t, flags, token(server, version)).say("c", dss(0x04, number(4, first(client, version) + 60 & LOW, 1) + number(2, 20)), 20).say("c", b"", 20)
        t.say("s", option(number(1, 0x83, 4)), 0, RST | ACK)
    t.begin(option(number(1, 0x10, 1) + number(4, 0xdeadbeef, 7)))
    t.begin(option(number(1, 0x10, 1) + number(4, 0xdeadbeef, 8)))


def agreed():
    """What tshark shows as it is."""
    t = Talk(33000)
    for version in (1, 0):
        keys = [key + version for key in KEYS]
        signals(t, version, *keys)
        joins(t, version, *keys)
        connection(t, version, KEYS[0] + 10 + version, KEYS[1] + 10 + version, flags=0x81)
        for flags in (0, 2, 0x83):  # other algorithms, none
            connection(t, version, KEYS[0] + flags + 20 + version, KEYS[1] + flags + 20 + version, flags=flags)
    t.begin(capable(1, KEYS[0] + 50, version=0), capable(1, KEYS[1] + 50, version=0), capable(1, KEYS[0] + 50, KEYS[1] + 51, version=0))
    t.begin().say("c", capable(0x81, KEYS[0] + 60, KEYS[1] + 60, version=1, tail=number(2, 1) + b"\xca\xfe"))
    t.begin().say("c", dss(0x05, number(4, 1000, 2000, 1) + number(2, 1)))        # the handshake was not seen
    t.begin(capable(1, version=1)).say("c", dss(0x01, number(4, 1000)))
    t.begin().say("c", option(number(1, 0x31, 2) + ADDRESS))
    return t.packets


def ours():
    """What tshark reads otherwise; docs/differences.md says why."""
    t = Talk(34000)
    client, server = KEYS[0] + 0x60, KEYS[1] + 0x60
    connection(t, 1, client, server)
    mine, yours = first(client, 1), first(server, 1)
    t.say("c", dss(0x07, number(8, yours + 1) + number(4, mine + 1 & LOW, 1) + number(2, 1) + b"\xbe\xef"))  # a checksum; four bytes beside eight
    t.say("s", dss(0x01, number(4, mine - 1 & LOW)))
    for sign in (number(1, 0x31, 2) + ADDRESS, number(1, 0x40, 1)):  # an ACK that is no duplicate
        t.say("c", option(sign), 0, ACK)
    t.say("c", b"", 0, ACK)
    join(t, 0x10, token(client, 1)).say("c", dss(0x04, number(4, yours + 60 & LOW, 1) + number(2, 20)), 20)  # by the server
    connection(t, 1, KEYS[0] + 0x70, KEYS[1] + 0x70, flags=0x21)     # a flag that names no algorithm
    connection(t, 0, KEYS[0] + 0x80, KEYS[1] + 0x80)
    connection(t, 0, KEYS[0] + 0x80, KEYS[1] + 0x81)                 # a key again
    connection(t, 2, KEYS[0] + 0x90, KEYS[1] + 0x90)                 # a version that nobody knows
    t.begin().say("c", dss(0x0f, number(8, 10, 20) + number(4, 1) + number(2, 1)))  # 8 bytes, and nothing to count from
    for body in (b"", b"\0", b"\x20", b"\x20\5\0", b"\x30", b"\x60\0", b"\x70\0\0", b"\x80"):  # too short
        t.begin().say("c", option(body))
    return t.packets
