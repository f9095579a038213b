"""Connections whose application data is protected and can be read: TLS 1.2 with TLS_RSA_WITH_NULL_SHA256, where a MAC is
all the protection there is, and a key log inside the capture."""
import hashlib
import hmac
import struct

import records
import seed
from records import CHANGE, Talk
from seed import SHOWN_RANDOM, Bytes, extension, message, record

SUITE = 0x003b
MASTER = bytes(range(48))
SERVER_RANDOM = bytes(range(100, 132))


def key_expansion(size):
    data, out = b"key expansion" + SERVER_RANDOM + bytes(SHOWN_RANDOM), b""
    a = data
    while len(out) < size:
        a = hmac.digest(MASTER, a, "sha256")
        out += hmac.digest(MASTER, a + data, "sha256")
    return out[:size]


class Sealed(Talk):
    keys = f"CLIENT_RANDOM {bytes(SHOWN_RANDOM).hex()} {MASTER.hex()}\n"

    def open(self, alpn=b""):
        self.begin()
        keys = key_expansion(64)
        self.macs, self.counts = {False: keys[:32], True: keys[32:]}, {False: 0, True: 0}
        named = extension(16, Bytes().counted(2, Bytes().counted(1, alpn))) if alpn else b""
        hello = records.client_hello(named, suites=(SUITE,))
        answer = records.server_hello(named, suite=SUITE, random=SERVER_RANDOM)
        done, exchange = message(14, b""), message(16, Bytes().counted(2, bytes(64)))
        self.messages = hello + answer + done + exchange
        self.client(record(22, hello)).server(record(22, answer), record(22, done)).client(record(22, exchange), CHANGE)
        self.finish(False).server(CHANGE)
        return self.finish(True)

    def finish(self, server):
        label = b"server finished" if server else b"client finished"
        data = label + hashlib.sha256(self.messages).digest()
        a = hmac.digest(MASTER, data, "sha256")
        body = message(20, hmac.digest(MASTER, a + data, "sha256")[:12])
        self.messages += body
        return self.seal(server, 22, body)

    def seal(self, server, kind, data, spoiled=False):
        head = struct.pack(">QBHH", self.counts[server], kind, 0x0303, len(data))
        self.counts[server] += 1
        mac = hmac.digest(self.macs[server], head + data, "sha256")
        return self.say(server, record(kind, data + (bytes(32) if spoiled else mac)))

    def ask(self, data):
        return self.seal(False, 23, data)

    def answer(self, data):
        return self.seal(True, 23, data)

    def close(self):
        return self.seal(True, 21, b"\1\0").seal(False, 21, b"\1\0")


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write(path, talk):
    keys = talk.keys.encode()
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    out += block(10, struct.pack("<II", 0x544c534b, len(keys)) + keys)
    for (seconds, nanoseconds), data in talk.capture():
        at = seconds * 10**6 + nanoseconds // 1000
        out += block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xffffffff, len(data), len(data)) + data)
    path.write_bytes(out)


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Indexed fields of the static table (RFC 7541 A): GET 2, https 7, 200 8; names authority 1, path 4, content-type 31.
ASKED = b"\x82\x87\x01\x09h.example\x04\x05/\xc3\xa4|\t"
ANSWERED = b"\x88\x0f\x10\x09image/png\x0f\x0d\x015"


def http():
    """Exchanges of HTTP/1.1, a switch of protocols, HTTP/2."""
    t = Sealed(first_port=52000)
    t.open(b"http/1.1")
    t.ask(b"GET /first?a=b HTTP/1.1\r\nHost: h.example\r\nCookie: session=hidden\r\nAuthorization: Basic aGlkZGVu\r\n\r\n")
    t.answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5120\r\n\r\n" + b"x" * 1000)
    t.answer(b"y" * 4120)
    t.ask(b"HEAD /\x1b[31m HTTP/1.1\r\n\r\nPOST /form HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    t.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\n\r\nto the end")
    t.close()
    t.open()
    t.ask(b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").answer(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\1x")
    t.open(b"h2")
    t.ask(PREFACE + frame(4, 0, 0)).answer(frame(4, 0, 0) + frame(4, 1, 0)).ask(frame(4, 1, 0) + frame(1, 5, 1, ASKED))
    t.answer(frame(1, 4, 1, ANSWERED) + frame(0, 8, 1, b"\2abc\0\0")).answer(frame(0, 1, 1, b"de"))
    t.ask(frame(1, 5, 3, ASKED)).seal(True, 23, frame(3, 0, 3, b"\0\0\0\7"), spoiled=True)
    t.ask(frame(1, 5, 5, ASKED)).answer(frame(1, 4, 5, ANSWERED) + frame(0, 1, 5, b"gone?")).answer(frame(7, 0, 0, bytes(7) + b"\2"))
    return t
