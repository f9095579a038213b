#!/usr/bin/env python3
"""serve against peers that do not keep to TLS: the right alert and a close, one line, nothing else.

usage: test_hostile.py TLSWIRE [WORD…]       prints TAP; a program that is not installed is a skipped test
"""
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from ends import LIMIT, TLSWIRE, Skip, check, main, test

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW, ILLEGAL_PARAMETER, DECODE_ERROR = 10, 20, 22, 47, 50
PROTOCOL_VERSION, MISSING_EXTENSION = 70, 109


class Serve:
    """A server that must say one line for each connection, and nothing else."""

    def __init__(self, *options):
        self.process = subprocess.Popen([TLSWIRE, "serve", "-port", "0", "-4", "-log-limit", "1000000", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "XDG_STATE_HOME": os.getcwd() + "/state"})
        first = self.process.stderr.readline()
        self.port = int(re.search(r"serving on 127\.0\.0\.1:(\d+)", first).group(1))
        self.lines, self.connections = [], 0
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.echoes = "-echo" in options
        self.demands = "-Verify" in options
        try:
            self.answers()
        except Exception:
            self.process.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.answers()  # it still does
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT)
        self.reader.join()
        self.process.stderr.close()
        if kind is None:
            check(self.process.returncode == 0, f"exit status {self.process.returncode}")
            check(len(self.lines) == self.connections and all(re.match(r"\d\d:\d\d:\d\d\.\d{3} #\d+ 127\.0\.0\.1:\d+ ", line)
                                                              for line in self.lines),
                  f"{self.connections} connections, {len(self.lines)} lines, the last: {self.lines[-3:]}")

    def connect(self):
        self.connections += 1
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def answers(self):
        if self.demands:
            return  # a certificate, and we have none
        with self.connect() as plain, context().wrap_socket(plain, server_hostname="localhost") as tls:
            if self.echoes:
                tls.sendall(b"test\n")
            check(tls.recv(100) == b"test\n", "no answer")
            if not self.echoes:
                check(tls.recv(100) == b"", "no end")

    def say(self, data, shut=False):
        """The records that come for DATA until the end; an abrupt end is b"RST" at the end of them."""
        with self.connect() as plain:
            return converse(plain, data, shut)

    def last_line(self):
        """Of the connection that was made last; they may end in another order."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for line in reversed(self.lines):
                if f" #{self.connections} " in line:
                    return line
            time.sleep(0.005)
        raise AssertionError(f"no line of connection {self.connections}: {self.lines[-3:]}")

    def failures(self):
        return [line for line in self.lines if "FAILED: " in line]

    def ticks(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            return sum(int(n) for n in stat.read().rsplit(")", 1)[1].split()[11:13])

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def converse(plain, data, shut=False):
    got = b""
    try:
        plain.sendall(data)
        if shut:
            plain.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has closed already: what it said is still there
    try:
        while piece := plain.recv(65536):
            got += piece
    except ConnectionError:
        got += b"RST"
    return got


def records(data):
    """(type, fragment) of whole records, and the rest."""
    found = []
    while len(data) >= 5 and len(data) >= 5 + (length := struct.unpack(">H", data[3:5])[0]):
        found.append((data[0], data[5:5 + length]))
        data = data[5 + length:]
    return found, data


def record(kind, fragment, version=0x0303):
    return struct.pack(">BHH", kind, version, len(fragment)) + fragment


def alert_in(answer):
    """The description of the alert that stands at the end, unprotected; None when there is none."""
    whole, rest = records(answer)
    if rest or not whole or whole[-1][0] != ALERT or len(whole[-1][1]) != 2 or whole[-1][1][0] != 2:
        return None
    return whole[-1][1][1]


def context(version=None):
    made = ssl._create_unverified_context()
    if version:
        made.minimum_version = made.maximum_version = version
    return made


class Client:
    """OpenSSL without a socket: its flights come as records, to be sent as we like."""

    def __init__(self, version, more=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = context(version)
        if more:
            more(made)
        self.tls = made.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.done = False

    def flight(self, answer=b""):
        self.incoming.write(answer)
        try:
            self.tls.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()


def hello(version=None):
    return Client(version).flight()


def read_flight(plain, client, data):
    """Sends DATA, and feeds the client until it has something to say; what it says."""
    plain.sendall(data)
    while True:
        piece = plain.recv(65536)
        check(piece, "closed in the middle of a good handshake")
        if said := client.flight(piece):
            return said


# ---- bytes ----

@test
def random_bytes():
    dice = random.Random(8446)
    with Serve() as server:
        for number in range(150):
            data = bytes(dice.randrange(256) for _ in range(dice.choice((1, 2, 3, 5, 6, 11, 50, 300, 3000, 20000))))
            if number % 3 == 0:  # at least a header that could be one
                data = record(HANDSHAKE, data)[:5] + data
            answer = server.say(data, shut=True)
            whole, rest = records(answer.removesuffix(b"RST"))
            check(not rest and all(kind == ALERT and len(body) == 2 for kind, body in whole) and len(whole) <= 1, (data[:20], answer))
        check(not any(" ok" in line for line in server.lines[1:]), "a handshake")


@test
def every_prefix_of_a_client_hello():
    for version in (ssl.TLSVersion.TLSv1_2, None):
        whole = hello(version)
        with Serve() as server:
            for length in range(len(whole)):
                check(server.say(whole[:length], shut=True) == b"", f"{length} bytes were answered")
        check(len(server.failures()) == len(whole) and
              all("the peer closed the connection during the handshake" in line for line in server.failures()), server.failures()[:3])


@test
def every_byte_of_a_client_hello_changed():
    """The server may take it or not: what it says is records, and ends properly."""
    dice = random.Random(1)
    whole = hello()
    with Serve("-handshake-limit", "1") as server:
        for at in range(len(whole)):
            data = bytearray(whole)
            data[at] ^= 1 << dice.randrange(8)
            answer = server.say(bytes(data), shut=True)
            first, rest = records(answer.removesuffix(b"RST"))
            check(not rest and all(kind in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA) for kind, _ in first), (at, answer[:60]))


@test
def other_protocols():
    with Serve() as server:
        for data, wanted in ((b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "http request"), (b"SSH-2.0-OpenSSH_9.2\r\n", "FAILED"),
                             (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", "FAILED"), (b"\x80\x2e\x01\x00\x02" + bytes(43), "FAILED"),
                             (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "FAILED"), (b"\x05\x01\x00", "FAILED")):
            server.say(data, shut=True)
            line = server.last_line()
            check(wanted in line, (data, line))


# ---- records ----

@test
def records_that_may_not_be():
    first = hello()
    with Serve("-handshake-limit", "2") as server:
        for title, data, alerts in (
                ("a handshake record of length 0", record(HANDSHAKE, b""), {None}),  # OpenSSL waits for another
                ("many of length 0", record(HANDSHAKE, b"") * 5000, {UNEXPECTED_MESSAGE, DECODE_ERROR}),
                ("an alert of length 0", record(ALERT, b""), {UNEXPECTED_MESSAGE, DECODE_ERROR}),
                ("half an alert", record(ALERT, b"\x01"), {UNEXPECTED_MESSAGE, DECODE_ERROR}),
                ("many warnings", record(ALERT, b"\x01\x5a") * 5000, {UNEXPECTED_MESSAGE}),
                ("many ChangeCipherSpecs", record(CHANGE_CIPHER_SPEC, b"\x01") * 5000, {UNEXPECTED_MESSAGE}),
                ("data first", record(DATA, b"hello"), {UNEXPECTED_MESSAGE}),
                ("an unknown type", record(99, b"hello"), {UNEXPECTED_MESSAGE, PROTOCOL_VERSION, DECODE_ERROR}),
                ("too long a record", struct.pack(">BHH", HANDSHAKE, 0x0301, 0x4801) + bytes(0x4801), {RECORD_OVERFLOW}),
                ("version 9.9", record(HANDSHAKE, first[5:], 0x0909), {PROTOCOL_VERSION, None}),
                ("Finished first", record(HANDSHAKE, b"\x14\0\0\x0c" + bytes(12)), {UNEXPECTED_MESSAGE}),
                ("a hello that is two", first + first, {UNEXPECTED_MESSAGE, DECODE_ERROR, BAD_RECORD_MAC}),
                ("an empty hello", record(HANDSHAKE, b"\x01\0\0\0"), {DECODE_ERROR})):
            answer = server.say(data, shut=False)
            check(alert_in(answer) in alerts or (title == "a hello that is two" and records(answer)[0]), (title, answer[-40:]))
    check(len(server.failures()) == 13, server.failures())


@test
def hellos_of_131_kb():
    """One with a huge extension, in records of full size: taken up to OpenSSL's limit, then refused."""
    whole = hello(ssl.TLSVersion.TLSv1_2)
    body = whole[9:]
    session = body[34]
    at = 35 + session
    at += 2 + struct.unpack(">H", body[at:at + 2])[0]
    at += 1 + body[at]
    extensions = body[at + 2:]

    def made(size, claimed=None):
        padding = struct.pack(">HH", 21, size) + bytes(size)
        message = body[:at] + struct.pack(">H", len(extensions) + len(padding)) + extensions + padding
        message = b"\x01" + (claimed or len(message)).to_bytes(3, "big") + message
        return b"".join(record(HANDSHAKE, message[i:i + 16384]) for i in range(0, len(message), 16384))
    with Serve() as server:
        good = server.say(made(60000), shut=True)
        check(good and records(good)[0][0][0] == HANDSHAKE, good[:50])
        check(alert_in(server.say(made(60000, 131397))) in (ILLEGAL_PARAMETER, DECODE_ERROR), "131 kB, announced")
        check(alert_in(server.say(made(60000, 0xffffff))) in (ILLEGAL_PARAMETER, DECODE_ERROR), "16 MB, announced")
        huge = b"\x01" + (131072).to_bytes(3, "big") + body[:at] + b"\xff\xff" + bytes(131072 - at - 2)
        answer = server.say(b"".join(record(HANDSHAKE, huge[i:i + 16384]) for i in range(0, len(huge), 16384)))
        check(alert_in(answer) in (ILLEGAL_PARAMETER, DECODE_ERROR), answer[:50])


@test
def a_hello_in_records_of_one_byte():
    whole = hello()
    with Serve() as server, server.connect() as plain:
        client = Client(None)
        first = client.flight()
        pieces = b"".join(record(HANDSHAKE, first[i:i + 1], 0x0301) for i in range(5, len(first)))
        final = read_flight(plain, client, pieces)
        check(client.done and b"" != final, "no handshake")
        plain.sendall(final)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass
    check(len(whole) > 100 and sum(" ok" in line for line in server.lines) == 3, server.lines)


# ---- messages ----

def changed(said, way, number):
    """The client's records with one of them dropped, doubled, or after the next; None when there is no such."""
    found, rest = records(said)
    check(not rest, "half a record")
    whole = [record(kind, body) for kind, body in found]
    if number >= len(whole) or (way == "swapped" and number + 1 >= len(whole)):
        return None
    if way == "dropped":
        whole[number] = b""
    elif way == "doubled":
        whole[number] *= 2
    else:
        whole[number:number + 2] = reversed(whole[number:number + 2])
    return b"".join(whole)


def second_flight(server, version, way, number, more=None):
    """Whether there was such a record, and what came for it."""
    with server.connect() as plain:
        client = Client(version, more)
        said = read_flight(plain, client, client.flight())
        data = changed(said, way, number)
        answer = converse(plain, said if data is None else data, shut=True)
    return data is not None, answer


@test
def every_message_of_the_client_dropped_doubled_swapped():
    """ChangeCipherSpec of TLS 1.3 means nothing (RFC 9846 D.4); of all else every change must be seen."""
    with Serve("-echo") as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for way in ("dropped", "doubled", "swapped"):
                for number in range(10):
                    there, answer = second_flight(server, version, way, number)
                    line = server.last_line()
                    if not there:
                        check(" ok" in line, line)
                        break
                    newest = version == ssl.TLSVersion.TLSv1_3
                    harmless = newest and number == 0
                    check(harmless or "FAILED: " in line, (version, way, number, line))
                    check(answer.endswith(b"RST") or records(answer)[1] == b"", answer[-50:])


@test
def messages_of_a_client_with_a_certificate():
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "c.key",
                    "-out", "c.pem", "-subj", "/CN=client"], check=True, capture_output=True)
    os.chmod("c.key", 0o600)

    def more(made):
        made.load_cert_chain("c.pem", "c.key")
    with Serve("-echo", "-verify", "1", "-CAfile", "c.pem") as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for way in ("dropped", "doubled", "swapped"):
                for number in range(10):
                    there, _ = second_flight(server, version, way, number, more)
                    if not there:
                        break
                    line = server.last_line()
                    newest = version == ssl.TLSVersion.TLSv1_3
                    harmless = newest and number == 0
                    check(harmless or "FAILED: " in line, (version, way, number, line))


@test
def a_client_chain_of_100_certificates_and_of_300():
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "c.key",
                    "-out", "c.pem", "-subj", "/CN=client"], check=True, capture_output=True)
    os.chmod("c.key", 0o600)
    with open("c.pem", encoding="ascii") as file:
        one = file.read()
    with Serve("-Verify", "1", "-verify_return_error") as server:
        for count, words in ((100, "not trusted|unknown CA|self-signed"), (300, "excessive message size")):
            with open("chain.pem", "w", encoding="ascii") as file:
                file.write(one * count)
            subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-cert", "c.pem", "-key", "c.key",
                            "-cert_chain", "chain.pem", "-ign_eof"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                           check=False)
            server.connections += 1
            line = server.last_line()
            check(re.search("FAILED: .*(" + words + ")", line), line)


# ---- after the handshake ----

def protected(plain, version, *sends):
    """A handshake by OpenSSL, then bytes of our own; what came."""
    client = Client(version)
    final = read_flight(plain, client, client.flight())
    return converse(plain, final + b"".join(sends), shut=True)


@test
def records_after_the_handshake_that_do_not_verify():
    with Serve("-echo") as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for junk in (record(DATA, bytes(50)), record(DATA, b""), record(DATA, b"") * 3000, record(DATA, bytes(16)),
                         struct.pack(">BHH", DATA, 0x0303, 0x4801) + bytes(0x4801), record(HANDSHAKE, b"\0\0\0\0"),
                         record(ALERT, b"\x02\x28"), b"\0" * 100):
                with server.connect() as plain:
                    protected(plain, version, junk)
    check(len(server.failures()) == 16, [line for line in server.lines if "FAILED" not in line])


# ---- what it costs ----

@test
def nothing_is_spun_and_nothing_is_kept():
    whole = hello()
    with Serve("-handshake-limit", "30") as server:
        def rounds(count):
            for number in range(count):
                server.say(whole[:number % len(whole)], shut=True)
                server.say(record(HANDSHAKE, b"") * 3, shut=True)
                server.say(whole, shut=True)
        rounds(60)
        time.sleep(0.2)
        descriptors, memory = server.descriptors(), server.memory()
        rounds(150)
        deadline = time.monotonic() + LIMIT
        while server.descriptors() > descriptors and time.monotonic() < deadline:
            time.sleep(0.05)
        check(server.descriptors() <= descriptors, f"{descriptors} → {server.descriptors()} descriptors")
        check(server.memory() < memory + 3000, f"{memory} → {server.memory()} kB")
        idle = [server.connect() for _ in range(20)]
        for number, plain in enumerate(idle):
            plain.sendall(whole[:number * 10])
        time.sleep(0.2)
        before = server.ticks()
        time.sleep(1)
        used = server.ticks() - before
        check(used * 4 < os.sysconf("SC_CLK_TCK"), f"{used} ticks in a second of waiting")
        for plain in idle:
            plain.close()


if __name__ == "__main__":
    sys.exit(main(own_folders=True))
