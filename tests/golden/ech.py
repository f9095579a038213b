"""Connections with an encrypted ClientHello and the keys to it, for ech.pcapng.  Needs Python's `cryptography` for AES; the
capture is kept, so that only who makes it anew needs that."""
import hashlib
import hmac
import struct

import records
from records import CHOSEN, VERSIONS, RETRY_RANDOM
from sealed import Sealed
from seed import Bytes, extension, message, record

CONFIG = (b"\xfe\x0d" + Bytes().counted(2, b"\x07" + Bytes().number(2, 0x20).counted(2, bytes(range(32)))
          .counted(2, Bytes().number(2, 1, 1)) + b"\x40" + Bytes().counted(1, b"public.example") + b"\0\0"))
SHARED = bytes(range(200, 232))
SUITE = 0x1301


def extract(salt, material):
    return hmac.digest(salt or bytes(32), material, "sha256")


def expand(secret, info, size):
    out, last, n = b"", b"", 1
    while len(out) < size:
        last = hmac.digest(secret, last + info + bytes([n]), "sha256")
        out, n = out + last, n + 1
    return out[:size]


def expand_label(secret, label, context, size):
    return expand(secret, bytes(Bytes().number(2, size).counted(1, b"tls13 " + label).counted(1, context)), size)


def hpke():
    """Key and nonce (RFC 9180 5.1), for DHKEM(X25519), HKDF-SHA256 and AES-128-GCM."""
    name = b"HPKE" + struct.pack(">HHH", 0x20, 1, 1)

    def labeled(salt, label, material):
        return extract(salt, b"HPKE-v1" + name + label + material)
    context = b"\0" + labeled(b"", b"psk_id_hash", b"") + labeled(b"", b"info_hash", b"tls ech\0" + bytes(CONFIG))
    secret = labeled(SHARED, b"secret", b"")
    return [expand(secret, struct.pack(">H", size) + b"HPKE-v1" + name + label + context, size)
            for label, size in ((b"key", 16), (b"base_nonce", 12))]


def aes(key, nonce, seq, extra, text):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    nonce = (int.from_bytes(nonce, "big") ^ seq).to_bytes(12, "big")
    return AESGCM(key).encrypt(nonce, text, extra)


def server_name(name):
    return extension(0, Bytes().counted(2, b"\0" + Bytes().counted(2, name)))


SHARE = extension(51, Bytes().counted(2, Bytes().number(2, 29).counted(2, bytes(range(32)))))
GROUPS = extension(10, Bytes().counted(2, Bytes().number(2, 29)))
SIGNATURES = extension(13, Bytes().counted(2, Bytes().number(2, 0x0403)))
ALPN = extension(16, Bytes().counted(2, Bytes().counted(1, b"h2")))


def hello(random, session, extensions):
    body = b"\3\3" + random + Bytes().counted(1, session) + b"\0\2\x13\1\1\0"
    return body + Bytes().counted(2, b"".join(bytes(e) for e in extensions))


class Ech(Sealed):
    keys = ""

    def hellos(self, number, second=False):
        """Sends an outer hello; returns the inner one."""
        self.outer, self.inner = bytes([number]) * 32, bytes([number + 100]) * 32
        session = bytes(range(32))
        inside = extension(0xfe0d, b"\1")
        taken = [SHARE, GROUPS, SIGNATURES]
        encoded = hello(self.inner, b"", [server_name(b"hidden.example"), VERSIONS, extension(0xfd00, Bytes().counted(
            1, Bytes().number(2, 51, 10, 13))), ALPN, inside]) + bytes(20)
        full = message(1, hello(self.inner, session, [server_name(b"hidden.example"), VERSIONS, *taken, ALPN, inside]))

        def outer(payload):
            ech = b"\0" + Bytes().number(2, 1, 1) + b"\x07" + Bytes().counted(2, b"" if second else bytes(32)).counted(2, payload)
            return hello(self.outer, session, [server_name(b"public.example"), VERSIONS, *taken, extension(0xfe0d, ech)])
        key, nonce = hpke()
        payload = aes(key, nonce, int(second), bytes(outer(bytes(len(encoded) + 16))), bytes(encoded))
        self.client(record(22, message(1, outer(payload))))
        return bytes(full)

    def answer_hello(self, transcript, accept=True):
        rest = extension(51, Bytes().number(2, 29).counted(2, bytes(32)))

        def server(end):
            return bytes(records.server_hello(CHOSEN, rest, suite=SUITE, random=bytes(range(24)) + end, session=bytes(range(32))))
        secret = extract(b"", self.inner)
        digest = hashlib.sha256(transcript + server(bytes(8))).digest()
        self.hello = server(expand_label(secret, b"ech accept confirmation", digest, 8) if accept else b"rejected")
        return self.server(record(22, self.hello))

    def finish_13(self, transcript):
        secret = bytes(range(50, 82))
        key, iv = expand_label(secret, b"key", b"", 16), expand_label(secret, b"iv", b"", 12)
        messages = bytes(message(8, b"\0\0"))
        digest = hashlib.sha256(transcript + self.hello + messages).digest()
        messages += bytes(message(20, hmac.digest(expand_label(secret, b"finished", b"", 32), digest, "sha256")))
        size = len(messages) + 17
        head = b"\x17\3\3" + struct.pack(">H", size)
        self.keys += f"SERVER_HANDSHAKE_TRAFFIC_SECRET {self.inner.hex()} {secret.hex()}\n"
        return self.server(head + aes(key, iv, 0, head, messages + b"\x16"))

    def log(self, shared=SHARED):
        self.keys += f"ECH_SECRET {self.outer.hex()} {shared.hex()}\nECH_CONFIG {self.outer.hex()} {bytes(CONFIG).hex()}\n"
        return self


def ech():
    """Taken; taken after a HelloRetryRequest; refused; with keys that do not fit."""
    t = Ech(first_port=53000)
    inner = t.begin().hellos(1)
    t.log().answer_hello(inner).finish_13(inner)
    first = t.begin().hellos(2)
    again = bytes(records.server_hello(CHOSEN, extension(44, Bytes().counted(2, b"cookie")), random=RETRY_RANDOM, session=bytes(range(32))))
    t.log().server(record(22, again))
    transcript = b"\xfe\0\0\x20" + hashlib.sha256(first).digest() + again
    transcript += t.hellos(2, second=True)
    t.answer_hello(transcript).finish_13(transcript)
    t.answer_hello(t.begin().hellos(3), accept=False).log()
    t.begin().hellos(4)
    return t.log(bytes(32))
