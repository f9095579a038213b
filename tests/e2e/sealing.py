"""Connections made record by record, for protections that no packaged stack speaks: what seals them is written here, from the
specifications, and shares nothing with tlswire but the block ciphers of OpenSSL."""
import ctypes
import ctypes.util
import hashlib
import hmac
import pathlib
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import records  # noqa: E402
import seed  # noqa: E402
from records import CHANGE, RETRY_RANDOM, Talk  # noqa: E402
from seed import SHOWN_RANDOM, Bytes, extension, message, record  # noqa: E402

SERVER_RANDOM = bytes(range(100, 132))
MASTER = bytes(range(48))
TLCP, TLS10, TLS11, TLS12 = 0x0101, 0x0301, 0x0302, 0x0303
CLIENT, SERVER = False, True
KEY_SHARE = extension(10, Bytes().counted(2, Bytes().number(2, 29))) + \
    extension(51, Bytes().counted(2, Bytes().number(2, 29).counted(2, bytes(32))))


# ---- ciphers -----------------------------------------------------------------------------------------------

def _library():
    library = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    for name in ("EVP_CIPHER_fetch", "EVP_CIPHER_CTX_new"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


LIBCRYPTO = _library()


def block_cipher(name, key, iv, data):
    """Encrypts whole blocks, without padding."""
    c, size = LIBCRYPTO, ctypes.c_int(0)
    cipher = ctypes.c_void_p(c.EVP_CIPHER_fetch(None, name.encode(), None))
    context = ctypes.c_void_p(c.EVP_CIPHER_CTX_new())
    out = ctypes.create_string_buffer(len(data) + 32)
    fine = cipher.value and c.EVP_EncryptInit_ex2(context, cipher, bytes(key), bytes(iv) if iv else None, None) == 1 \
        and c.EVP_CIPHER_CTX_set_padding(context, 0) == 1 \
        and c.EVP_EncryptUpdate(context, out, ctypes.byref(size), bytes(data), len(data)) == 1
    c.EVP_CIPHER_CTX_free(context)
    c.EVP_CIPHER_free(cipher)
    if not fine or size.value != len(data):
        raise RuntimeError(f"OpenSSL has no {name}")
    return out.raw[:size.value]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def gcm(name, key, nonce, extra, text):
    """NIST SP 800-38D, 96-bit nonces."""
    def ecb(block):
        return block_cipher(name + "-ECB", key, None, block)
    h = int.from_bytes(ecb(bytes(16)), "big")

    def times(x):
        z, v = 0, h
        for bit in range(127, -1, -1):
            z ^= v if x >> bit & 1 else 0
            v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
        return z
    counters = b"".join(nonce + struct.pack(">I", i) for i in range(1, 2 + (len(text) + 15) // 16))
    stream = ecb(counters)
    sealed, y = xor(text, stream[16:]), 0
    padded = [part + bytes(-len(part) % 16) for part in (extra, sealed)]
    for data in (*padded, struct.pack(">QQ", 8 * len(extra), 8 * len(text))):
        for at in range(0, len(data), 16):
            y = times(y ^ int.from_bytes(data[at:at + 16], "big"))
    return sealed + xor(y.to_bytes(16, "big"), stream)


def ccm(name, key, nonce, extra, text):
    """RFC 3610 with a tag of 16 bytes and a length of 3."""
    def ecb(block):
        return block_cipher(name + "-ECB", key, None, block)
    data = bytes([0x40 | 7 << 3 | 2]) + nonce + len(text).to_bytes(3, "big")
    data += (struct.pack(">H", len(extra)) + extra).ljust(-(-(len(extra) + 2) // 16) * 16, b"\0")
    data += text + bytes(-len(text) % 16)
    mac = bytes(16)
    for at in range(0, len(data), 16):
        mac = ecb(xor(mac, data[at:at + 16]))
    stream = ecb(b"".join(b"\2" + nonce + i.to_bytes(3, "big") for i in range(1 + (len(text) + 15) // 16)))
    return xor(text, stream[16:]) + xor(mac, stream)


def poly1305(key, data):
    """RFC 8439 2.5."""
    r, s = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff, int.from_bytes(key[16:], "little")
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at:at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + s) % (1 << 128)).to_bytes(16, "little")


def early_chacha(key, number, extra, text):
    """draft-agl-tls-chacha20poly1305-04: the record's number is the nonce, the lengths stand behind what they count."""
    stream = block_cipher("ChaCha20", key, bytes(8) + struct.pack(">Q", number), bytes(64 + len(text)))
    sealed = xor(text, stream[64:])
    return sealed + poly1305(stream[:32], extra + struct.pack("<Q", len(extra)) + sealed + struct.pack("<Q", len(text)))


class RC4:
    def __init__(self, key):
        self.s, self.i, self.j = list(range(256)), 0, 0
        j = 0
        for i in range(256):
            j = (j + self.s[i] + key[i % len(key)]) & 255
            self.s[i], self.s[j] = self.s[j], self.s[i]

    def encrypt(self, data):
        out = bytearray()
        for byte in data:
            self.i = (self.i + 1) & 255
            self.j = (self.j + self.s[self.i]) & 255
            self.s[self.i], self.s[self.j] = self.s[self.j], self.s[self.i]
            out.append(byte ^ self.s[(self.s[self.i] + self.s[self.j]) & 255])
        return bytes(out)


# ---- key schedules -----------------------------------------------------------------------------------------

def p_hash(name, secret, seed_, size):
    a, out = seed_, b""
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed_, name)
    return out[:size]


def prf(version, name, secret, label, seed_, size):
    if version in (TLS12, TLCP):
        return p_hash(name, secret, label + seed_, size)
    half = (len(secret) + 1) // 2
    return xor(p_hash("md5", secret[:half], label + seed_, size), p_hash("sha1", secret[-half:], label + seed_, size))


def extract(name, salt, material):
    return hmac.digest(salt or bytes(hashlib.new(name).digest_size), material, name)


def expand_label(name, secret, label, context, size):
    info = bytes(Bytes().number(2, size).counted(1, b"tls13 " + label).counted(1, context))
    out, last, n = b"", b"", 1
    while len(out) < size:
        last = hmac.digest(secret, last + info + bytes([n]), name)
        out, n = out + last, n + 1
    return out[:size]


# ---- connections -------------------------------------------------------------------------------------------

class Made(Talk):
    """What both kinds of connection share: messages, and a key log."""

    def __init__(self, first_port=53000):
        super().__init__(first_port=first_port)
        self.messages, self.plain, self.log = b"", {CLIENT: b"", SERVER: b""}, ""
        self.last, self.lost = 0, 0  # bytes that were sent last, and that are not in the capture

    def handshake(self, server, body):
        self.messages += body
        return body

    def data(self, server, text):
        """Application data that has to come out again."""
        self.plain[server] += text
        return self.seal(server, 23, text)

    def lose(self):
        """The packet that was made last was not captured."""
        del self.packets[-1]
        self.lost += self.last
        return self

    def say(self, server, data):
        self.last = len(data)
        return super().say(server, data)

    def acknowledge(self, server):
        """A packet without data."""
        return self.say(server, b"")

    def end(self, server):
        """The last packet, which SERVER sent, has a FIN."""
        self.packets[-1][14 + 20 + 13] |= seed.FIN
        self.sent[server] += 1
        return self

    def write(self, path):
        seed.write_pcap(path, self.capture())


class Before13(Made):
    """TLS 1.0 to 1.2 and TLCP.  CIPHER: null, rc4, early (ChaCha20), (block cipher, key's length): CBC, or GCM without a MAC."""

    def __init__(self, version, suite, cipher, mac, hash_="sha256", master=MASTER, extensions=b"", client_extensions=None,
                 deflate=False, truncated=False, exchange=b""):
        super().__init__()
        self.version, self.suite, self.cipher, self.mac, self.hash = version, suite, cipher, mac, hash_
        self.master, self.deflate, self.truncated, self.exchange = master, deflate, truncated, exchange
        self.extensions = extensions
        self.client_extensions = extensions if client_extensions is None else client_extensions
        self.log = f"CLIENT_RANDOM {bytes(SHOWN_RANDOM).hex()} {master.hex()}\n"

    def make_keys(self):
        mac = hashlib.new(self.mac).digest_size if self.mac else 0
        key = {"null": 0, "rc4": 16, "early": 32}.get(self.cipher) if isinstance(self.cipher, str) else self.cipher[1]
        iv = 0 if self.cipher == "early" else 4 if not self.mac else 16 if self.version == TLS10 and not isinstance(self.cipher, str) else 0
        block = prf(self.version, self.hash, self.master, b"key expansion", SERVER_RANDOM + SHOWN_RANDOM, 2 * (mac + key + iv))
        parts = []
        for size in (mac, mac, key, key, iv, iv):
            parts.append(block[:size])
            block = block[size:]
        self.macs, self.keys, self.ivs = ({CLIENT: parts[i], SERVER: parts[i + 1]} for i in (0, 2, 4))
        self.streams = {side: RC4(self.keys[side]) for side in self.keys} if self.cipher == "rc4" else {}
        self.counts = {CLIENT: 0, SERVER: 0}
        self.packers = {CLIENT: zlib.compressobj(), SERVER: zlib.compressobj()}

    def open(self):
        self.begin()
        self.make_keys()
        hello = Bytes().number(2, self.version) + SHOWN_RANDOM + b"\0"
        hello.counted(2, Bytes().number(2, self.suite)).counted(1, b"\1\0" if self.deflate else b"\0")
        hello.counted(2, self.client_extensions)
        answer = Bytes().number(2, self.version) + SERVER_RANDOM + b"\0"
        answer.number(2, self.suite).number(1, 1 if self.deflate else 0).counted(2, self.extensions)
        version = self.version
        self.client(record(22, self.handshake(CLIENT, message(1, hello)), version))
        self.server(record(22, self.handshake(SERVER, message(2, answer)), version),
                    record(22, self.handshake(SERVER, message(14, b"")), version))
        self.client(record(22, self.handshake(CLIENT, message(16, self.exchange or Bytes().counted(2, bytes(64)))), version),
                    record(20, b"\1", version))
        self.finish(CLIENT).server(record(20, b"\1", version))
        return self.finish(SERVER)

    def finish(self, server):
        if self.version in (TLS12, TLCP):
            digest = hashlib.new(self.hash, self.messages).digest()
        else:
            digest = hashlib.md5(self.messages).digest() + hashlib.sha1(self.messages).digest()
        label = b"server finished" if server else b"client finished"
        return self.seal(server, 22, self.handshake(server, message(20, prf(self.version, self.hash, self.master, label, digest, 12))))

    def head(self, server, kind, size):
        return struct.pack(">QBHH", self.counts[server], kind, self.version, size)

    def protect(self, server, kind, text):
        key = self.keys[server]
        if self.cipher == "early":
            return early_chacha(key, self.counts[server], self.head(server, kind, len(text)), text)
        if not self.mac:
            explicit = struct.pack(">Q", self.counts[server] + 0x0102030405060708)
            return explicit + gcm(self.cipher[0], key, self.ivs[server] + explicit, self.head(server, kind, len(text)), text)
        digest = hmac.digest(self.macs[server], self.head(server, kind, len(text)) + text, self.mac)
        text += digest[:10] if self.truncated else digest
        if self.cipher == "null":
            return text
        if self.cipher == "rc4":
            return self.streams[server].encrypt(text)
        pad = 15 - len(text) % 16
        text += bytes([pad]) * (pad + 1)
        iv = self.ivs[server] if self.version == TLS10 else hashlib.sha256(b"iv" + struct.pack(">Q", self.counts[server])).digest()[:16]
        sealed = block_cipher(self.cipher[0] + "-CBC", key, iv, text)
        self.ivs[server] = sealed[-16:]
        return sealed if self.version == TLS10 else iv + sealed

    def seal(self, server, kind, text):
        if self.deflate:
            packer = self.packers[server]
            text = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
        sealed = self.protect(server, kind, bytes(text))
        self.counts[server] += 1
        return self.say(server, record(kind, sealed, self.version))


class Tls13(Made):
    """SEAL: a function of key, nonce, header and text."""

    def __init__(self, suite, hash_, key_size, seal, psk=None, retry=False):
        super().__init__()
        self.suite, self.hash, self.key_size, self.sealer, self.psk, self.retry = suite, hash_, key_size, seal, psk, retry
        self.size = hashlib.new(hash_).digest_size

    def transcript(self):
        return hashlib.new(self.hash, self.messages).digest()

    def derive(self, secret, label, digest):
        return expand_label(self.hash, secret, label, digest, self.size)

    def stage(self, secret, material):
        empty = hashlib.new(self.hash).digest()
        return extract(self.hash, self.derive(secret, b"derived", empty), material)

    def use(self, server, secret):
        self.secrets[server] = secret
        self.keys[server] = (expand_label(self.hash, secret, b"key", b"", self.key_size),
                             expand_label(self.hash, secret, b"iv", b"", 12))
        self.counts[server] = 0

    def hello(self, more=b""):
        """A ClientHello; with a key, it ends in a binder."""
        hello = Bytes().number(2, TLS12) + SHOWN_RANDOM + b"\0"
        hello.counted(2, Bytes().number(2, self.suite)).counted(1, b"\0")
        extensions = records.VERSIONS + more
        if not self.psk:
            return message(1, hello.counted(2, extensions))
        offer = Bytes().counted(2, Bytes().counted(2, b"me").number(4, 0)).number(2, self.size + 1).number(1, self.size)
        extensions += extension(45, b"\1\0") + extension(41, bytes(offer) + bytes(self.size))
        whole = bytes(message(1, hello.counted(2, extensions)))
        empty = hashlib.new(self.hash).digest()
        base = self.derive(extract(self.hash, b"", self.psk), b"ext binder", empty)
        key = expand_label(self.hash, base, b"finished", b"", self.size)
        digest = hashlib.new(self.hash, self.messages + whole[:-self.size - 3]).digest()
        return whole[:-self.size] + hmac.digest(key, digest, self.hash)

    def open(self):
        self.begin()
        self.keys, self.counts, self.secrets = {}, {CLIENT: 0, SERVER: 0}, {}
        first = self.hello(KEY_SHARE)
        self.client(record(22, first))
        self.messages = bytes(first)
        if self.retry:
            asked = records.server_hello(records.CHOSEN, extension(44, Bytes().counted(2, b"cookie")), suite=self.suite,
                                         random=RETRY_RANDOM)
            self.server(record(22, asked))
            self.messages = b"\xfe\0\0" + bytes([self.size]) + self.transcript() + asked
            again = self.hello(extension(44, Bytes().counted(2, b"cookie")) + KEY_SHARE)
            self.messages += again
            self.client(record(22, again))
        taken = extension(41, b"\0\0") if self.psk else extension(51, Bytes().number(2, 29).counted(2, bytes(32)))
        answer = records.server_hello(records.CHOSEN, taken, suite=self.suite, random=SERVER_RANDOM)
        self.messages += answer
        self.server(record(22, answer))
        secret = self.stage(extract(self.hash, b"", self.psk or bytes(self.size)), bytes(self.size) if self.psk else bytes(range(32)))
        names = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET": b"c hs traffic", "SERVER_HANDSHAKE_TRAFFIC_SECRET": b"s hs traffic"}
        later = {"CLIENT_TRAFFIC_SECRET_0": b"c ap traffic", "SERVER_TRAFFIC_SECRET_0": b"s ap traffic"}
        made = {name: self.derive(secret, label, self.transcript()) for name, label in names.items()}
        self.use(CLIENT, made["CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
        self.use(SERVER, made["SERVER_HANDSHAKE_TRAFFIC_SECRET"])
        self.seal(SERVER, 22, self.handshake(SERVER, message(8, b"\0\0")))
        self.finish(SERVER)
        secret = self.stage(secret, bytes(self.size))
        made.update({name: self.derive(secret, label, self.transcript()) for name, label in later.items()})
        self.finish(CLIENT)
        self.use(CLIENT, made["CLIENT_TRAFFIC_SECRET_0"])
        self.use(SERVER, made["SERVER_TRAFFIC_SECRET_0"])
        self.log = "".join(f"{name} {bytes(SHOWN_RANDOM).hex()} {value.hex()}\n" for name, value in made.items())
        return self

    def finish(self, server):
        key = expand_label(self.hash, self.secrets[server], b"finished", b"", self.size)
        return self.seal(server, 22, self.handshake(server, message(20, hmac.digest(key, self.transcript(), self.hash))))

    def update(self, server):
        self.seal(server, 22, message(24, b"\0"))
        self.use(server, expand_label(self.hash, self.secrets[server], b"traffic upd", b"", self.size))
        return self

    def seal(self, server, kind, text):
        key, iv = self.keys[server]
        nonce = xor(iv, bytes(4) + struct.pack(">Q", self.counts[server]))
        inner = bytes(text) + bytes([kind]) + bytes(self.counts[server] % 4)
        size = len(self.sealer(key, nonce, b"", b"")) + len(inner)
        header = struct.pack(">BHH", 23, TLS12, size)
        self.counts[server] += 1
        return self.say(server, header + self.sealer(key, nonce, header, inner))


def sealer_of(mode, name):
    return lambda key, nonce, extra, text: mode(name, key, nonce, extra, text)


def integrity(name):
    """RFC 9150 4: an HMAC over nonce, header and text."""
    return lambda key, nonce, extra, text: text + hmac.digest(key, nonce + extra + text, name)
