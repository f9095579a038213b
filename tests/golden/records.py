"""Captures of what a record layer meets: odd versions, lying lengths, SSL 2.0, bytes that are no TLS."""
import seed
from seed import ACK, PSH, SERVER_PORT, SHOWN_RANDOM, SYN, Bytes, extension, message, packet, record

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Talk:
    """The packets of connections, one after the other; what is sent goes to the end of its stream."""

    snaplen = 262144

    def __init__(self, server_port=443, first_port=50000):
        self.server_port, self.port, self.packets = server_port, first_port, []

    def begin(self, handshake=True, server_port=None):
        self.port += 1
        self.server_port = server_port or self.server_port
        self.sent = {False: 1, True: 1}
        if handshake:
            client, server = self.port, self.server_port
            self.packets += [packet(client, server, 1000, 0, SYN, 512), packet(server, client, 2000, 1001, SYN | ACK, 512),
                             packet(client, server, 1001, 2001, ACK, 512)]
        return self

    def say(self, server, data):
        ends = (self.server_port, self.port) if server else (self.port, self.server_port)
        own, other = (2000, 1000) if server else (1000, 2000)
        self.packets.append(packet(*ends, own + self.sent[server], other + self.sent[not server], PSH | ACK, 512, b"", data))
        self.sent[server] += len(data)
        return self

    def client(self, *parts):
        return self.say(False, b"".join(parts))

    def server(self, *parts):
        return self.say(True, b"".join(parts))

    def capture(self):
        return list(zip(seed.clock(1700000000 * 10**9, range(0, 10**9, 10**6)), self.packets))


def client_hello(*extensions, version=0x0303, suites=(0x1301, 0xc02f), session=b"", compressions=b"\0"):
    body = Bytes().number(2, version) + SHOWN_RANDOM
    body.counted(1, session).counted(2, Bytes().number(2, *suites)).counted(1, compressions)
    return message(1, body.counted(2, b"".join(extensions)))


def server_hello(*extensions, version=0x0303, suite=0x1301, random=bytes(range(32)), session=b""):
    body = (Bytes().number(2, version) + random).counted(1, session).number(2, suite).number(1, 0)
    return message(2, body.counted(2, b"".join(extensions)))


VERSIONS = extension(43, b"\4\3\4\3\3")
CHOSEN = extension(43, b"\3\4")
EARLY_DATA = extension(42)
CHANGE = record(20, b"\1")
DATA = record(23, bytes(range(64)))


def ssl2(kind, body):
    """A record with the header of two bytes."""
    data = bytes([kind]) + body
    return Bytes().number(2, 0x8000 | len(data)) + data


def ssl2_hello(version):
    specs = bytes.fromhex("0700c0 050080 00002f 0000ff")
    return ssl2(1, Bytes().number(2, version, len(specs), 0, 16) + specs + bytes(range(16)))


def ssl2_capture():
    t = Talk()
    old = Bytes().number(2, 0x0301) + bytes(range(32)) + b"\0\0\x2f\0"
    t.begin().client(ssl2_hello(0x0301)).server(record(22, message(2, old), 0x0301)).client(record(21, b"\1\0", 0x0301))
    hello = ssl2(4, Bytes().number(1, 0, 1).number(2, 2, len(seed.CERTIFICATE), 3, 16) + seed.CERTIFICATE + b"\7\0\xc0" + bytes(16))
    key = ssl2(2, b"\7\0\xc0" + Bytes().number(2, 0, 64, 8) + bytes(64) + bytes(8))
    padded = Bytes().number(2, 0x4000 | 33).number(1, 5) + bytes(range(33))
    t.begin().client(ssl2_hello(2)).server(hello[:100]).server(hello[100:]).client(key).server(padded).client(padded, padded)
    t.begin().client(b"\x80\x2e\0" + bytes(45)).client(ssl2(1, b"\x7f\1" + bytes(20)))
    return t.capture()


def heartbeat(kind, length, data):
    return record(24, Bytes().number(1, kind).number(2, length) + data)


def records_capture():
    t = Talk()
    session = bytes(range(32))
    t.begin().client(record(22, client_hello(VERSIONS, session=session), 0x0301), CHANGE)
    t.server(record(22, server_hello(CHOSEN, session=session)), CHANGE, DATA).client(CHANGE, DATA)
    t.begin().client(record(22, client_hello(VERSIONS), 0x0301))
    t.server(record(22, server_hello(CHOSEN, extension(51, b"\0\x1d"), random=RETRY_RANDOM)), CHANGE)
    t.client(CHANGE, record(22, client_hello(VERSIONS))).server(record(22, server_hello(CHOSEN)), DATA).client(DATA)
    t.begin().client(record(22, client_hello(EARLY_DATA), 0x0301)).client(CHANGE, DATA).server(record(22, server_hello(CHOSEN)), DATA)
    t.begin().client(record(22, client_hello())).server(record(22, server_hello(suite=0xc02f)))
    t.client(heartbeat(1, 8, bytes(24))).server(heartbeat(2, 8, bytes(24))).server(heartbeat(2, 4, bytes(24)), heartbeat(3, 4, bytes(24)))
    t.client(record(20, b"\1"), record(21, b"\2\50"), record(21, b"\7\7"), record(21, b"\2\50\0"), record(22, message(14, b"")))
    t.server(record(25, bytes(4))).client(bytes(range(64, 128))).client(b"\xff" * 16)
    t.begin().client(record(22, client_hello() + client_hello() + message(0, b""))).server(record(22, server_hello() + message(14, b"")))
    t.begin().client(record(22, client_hello())).server(record(22, b""), record(21, b""), DATA)
    t.begin(False).client(b"\xa1\xb2\xc3\xd4" * 8).server(DATA).client(DATA)
    t.begin(False).server(bytes(7), DATA[:40]).client(b"HELO me, and no HTTP\r\n").server(record(21, b"\2\106", 0x0301))
    t.begin().client(record(22, client_hello(version=0x0101), 0x0101)).server(record(22, server_hello(version=0x0101), 0x0101))
    t.begin(server_port=4000).client(record(22, client_hello())).server(record(22, server_hello()), CHANGE, DATA)
    t.begin().client(b"\x16\3\3\xff\xff" + bytes(100)).client(bytes(1000))
    t.begin(False, server_port=443)
    hello = record(22, client_hello())
    t.packets += [packet(t.port, 443, 1000, 0, SYN, 512, b"", hello[:40]), packet(443, t.port, 2000, 1041, SYN | ACK, 512)]
    t.sent[False] += 40
    t.client(hello[40:]).server(record(22, server_hello()))
    return t.capture()


def bare(kind, body, mac=20):
    """A record of a suite that encrypts nothing: what it holds, and a code that nobody here can check."""
    return record(kind, body + bytes(mac))


def bare_capture():
    t = Talk()
    for suite, mac in ((0x0001, 16), (0x0002, 20), (0x003b, 32), (0xc006, 20)):
        t.begin().client(record(22, client_hello())).server(record(22, server_hello(suite=suite)), record(22, message(14, b"")))
        t.client(record(22, message(16, b"\4abcd" if suite > 0xc000 else b"\0\3abc")), CHANGE, bare(22, message(20, bytes(12)), mac)).server(CHANGE, bare(22, message(20, bytes(12)), mac))
        t.client(bare(23, b"hello", mac), bare(23, b"", mac)).client(bare(23, b"", mac)).server(record(23, b"short"), bare(21, b"\1\0", mac))
    # What begins a connection on a port that nobody knows, so that it is TLS or not.
    port = 7000
    for kind, version, length, body in (
            *((kind, 0x0303, 8, bytes(8)) for kind in range(19, 26)), *((22, version, 300, b"\1\0\1\50\3\3") for version in (
                0x02ff, 0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x7f1c, 0x0101, 0xfefd)),
            *((23, 0x0303, length, b"abc") for length in (0, 1, 16384, 18431, 18432, 18433)), (22, 0x0303, 300, b""), (21, 0x0303, 26, bytes(26))):
        t.begin(server_port=port).client(Bytes().number(1, kind).number(2, version, length) + body).client(DATA).server(DATA)
        port += 1
    return t.capture()


CAPTURES = {"ssl2": ssl2_capture, "records": records_capture, "bare": bare_capture}
