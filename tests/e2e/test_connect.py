#!/usr/bin/env python3
"""tlswire connect against openssl s_server, gnutls-serv, NSS selfserv, and small servers of our own.

usage: test_connect.py TLSWIRE [TEST…]       prints TAP; a peer that is not installed is a skipped test
"""
import base64
import contextlib
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading

from ends import LIMIT, TLSWIRE, Skip, certificate, check, main, need, run, test, until


def connect(port, *options, host="localhost", **more):
    if not {"-ign_eof", "-sess_out", "-get", "-early_data"} & set(options) and "text_in" not in more:
        options += ("-no_ign_eof",)  # there is no input: do not wait
    return run(TLSWIRE, "connect", f"{host}:{port}", *options, **more)


def says(got, code, *texts):
    """The exit status and texts on stderr, in order."""
    error = got.stderr.decode("utf-8", "replace")
    check(got.returncode == code, f"status {got.returncode}, not {code}: {error} {got.stdout[-300:]}")
    at = 0
    for text in texts:
        found = error.find(text, at)
        check(found >= 0, f"{text!r} is not there, or out of order: {error}")
        at = found + len(text)
    return error


def server_context(name="leaf"):
    certificate(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{name}.crt", f"{name}.key")
    return context


class Talk:
    """A server on a free port that does what HANDLER(socket) does, for each connection."""

    def __init__(self, handler):
        self.handler = handler
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.problems = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                plain, _ = self.server.accept()
            except OSError:
                return
            plain.settimeout(LIMIT)
            with plain, contextlib.suppress(OSError, EOFError):
                try:
                    self.handler(plain)
                except AssertionError as problem:
                    self.problems.append(problem)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(LIMIT)
        check(kind or not self.problems, self.problems)


class Program:
    """Another TLS server; its port is the last word that {port} stands for."""

    def __init__(self, *words, env=None, ready=None):
        need(words[0])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        words = [str(w).replace("{port}", str(self.port)) for w in words]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=env)
        until(self.answers, f"{words[0]} listens", 30)

    def answers(self):
        check(self.process.poll() is None, f"it ended with {self.process.returncode}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def s_server(*options, name="leaf"):
    certificate(name)
    return Program("openssl", "s_server", "-accept", "{port}", "-cert", f"{name}.crt", "-key", f"{name}.key", "-quiet",
                   *options)


def finish_tls(plain, answer=b"done\n", close=True, context=None):
    """TLS on a socket, an answer, and an end with or without close_notify."""
    tls = (context or server_context()).wrap_socket(plain, server_side=True)
    tls.sendall(answer)
    if close:
        with contextlib.suppress(OSError):
            tls.unwrap()
    else:
        tls.shutdown(socket.SHUT_WR)  # FIN alone
        while tls.recv(4096):
            pass
    return tls


# ---- what it says, and exit codes ----

@test
def the_chain_the_verdict_and_what_was_agreed_on_in_thirty_lines():
    certificate("root", usage="critical,CA:TRUE")
    certificate("signed", ca="root", names="DNS:localhost")
    with open("signed.crt", "a", encoding="ascii") as chain, open("root.crt", encoding="ascii") as root:
        chain.write(root.read())
    with s_server("-www", "-cert_chain", "root.crt", name="signed") as server:
        got = connect(server.port, "-CAfile", "root.crt", "-ascii", "-alpn", "http/1.1")
        error = says(got, 0, "OK: full handshake", "ClientHello", "certificate 0  CN=localhost  EC 256, until 20",
                     "trusted     by CN=localhost, until 20", "connected: TLSv1.3 TLS_AES_256_GCM_SHA384")
        check(len(error.splitlines()) <= 30, f"{len(error.splitlines())} lines: {error}")
        check(got.stdout == b"", got.stdout)
        error = says(connect(server.port), 17, "NOT TRUSTED: ", "(certificate ", "to trust it: -CAfile",
                     "certificate not trusted")
        says(connect(server.port, "-k"), 0, "NOT TRUSTED: ")
        says(connect(server.port, "-quiet"), 17)
        says(connect(server.port, "-verify_return_error"), 17, "the peer's certificate is not trusted")


@test
def names_and_dates_that_do_not_fit_are_told():
    certificate("other", subject="other", names="DNS:other.example,DNS:www.example")
    with s_server("-www", name="other") as server:
        trust = ("-CAfile", "other.crt")
        says(connect(server.port, *trust), 17, "hostname mismatch (certificate 0; it is for DNS:other.example, "
             "DNS:www.example)")
        says(connect(server.port, *trust, "-verify_hostname", "www.example"), 0, "trusted     by CN=other")
        says(connect(server.port, *trust, "-servername", "other.example"), 0, "SNI other.example")
        says(connect(server.port, *trust, "-verify_ip", "192.0.2.1"), 17, "IP address mismatch")
        says(connect(server.port, *trust, "-verify_hostname", "www.example", "-attime", "4000000000"), 2, "-attime")
        says(connect(server.port, *trust, "-verify_hostname", "www.example", "-attime", "2147000000"), 17,
             "certificate has expired", "it was good until 20")
        says(connect(server.port, *trust, "-verify_hostname", "www.example", "-attime", "1000000000"), 17,
             "certificate is not yet valid")
        says(connect(server.port, *trust, "-verify_hostname", "www.example", "-purpose", "sslserver"), 0)
        says(connect(server.port, *trust, "-purpose", "nonsense"), 2, "-purpose 'nonsense'")


@test
def an_end_without_close_notify_is_told():
    with Talk(lambda plain: finish_tls(plain, close=False)) as server:
        got = connect(server.port, "-k", "-ign_eof")
        says(got, 16, "without close_notify: what came may be only a part")
        check(got.stdout == b"done\n", got)
    with Talk(finish_tls) as server:
        says(connect(server.port, "-k"), 0)

    def reset(plain):
        tls = server_context().wrap_socket(plain, server_side=True)
        tls.sendall(b"begun")
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        tls.close()
    with Talk(reset) as server:
        says(connect(server.port, "-k", "-ign_eof"), 16, "connection reset by peer")


@test
def options_that_do_not_fit_are_errors():
    for options, text in ((("-nextprotoneg", "h2"), "use -alpn"), (("-ssl3",), "RFC 7568"),
                          (("-starttls", "gopher"), "want one of smtp, pop3, imap"), (("-k", "-verify_return_error"), "give one"),
                          (("-proxy", "nowhere"), "want host:port"), (("-proxy_pass", "pass:x"), "without -proxy_user"),
                          (("-get", "index.html"), "begins with /"), (("-get", "/a b"), "no spaces"),
                          (("-psk", "xyz"), "hexadecimal"), (("-psk_identity", "x"), "without -psk"),
                          (("-bind", "here"), "want an address"), (("-timeout", "soon"), "a number"),
                          (("-ignore_unexpected_eof",), "exit status 16"), (("-engine", "x"), "not there yet")):
        says(connect(1, *options), 2, text)
    with Talk(finish_tls) as server:
        says(connect(server.port, "-k", "-nbio"), 0, "-nbio changes nothing here")
    help_text = run(TLSWIRE, "connect", "--help").stdout.decode()
    for word in ("17 the certificate is not trusted", "-starttls", "-reconnect", "12 the TLS handshake failed", "16 "):
        check(word in help_text, f"{word} is not in --help")


# ---- the talk before TLS ----

def lines(plain):
    return plain.makefile("rb", buffering=0)


def script(*turns):
    """A server that says and expects in turn: bytes to send, or a compiled pattern of what must come."""
    def handler(plain):
        for turn in turns:
            if isinstance(turn, bytes):
                plain.sendall(turn)
                continue
            came = b""
            while not turn.fullmatch(came):
                check(len(came) < 4000, f"{turn} expected, {came!r} came")
                piece = plain.recv(1)
                check(piece, f"{turn} expected, the end after {came!r}")
                came += piece
        finish_tls(plain)
    return handler


def expect(text):
    return re.compile(text, re.S)


LDAP_YES = bytes.fromhex("300c02010178070a010004000400")
MYSQL = (b"\x0a8.0.1\0" + b"\1\0\0\0" + b"abcdefgh" + b"\0" + b"\xff\xff" + b"\x21" + b"\2\0" + b"\xff\xdf" + b"\x15" +
         b"\0" * 10 + b"abcdefghijkl\0" + b"mysql_native_password\0")
DIALOGUES = {
    "smtp": (b"220-hello\r\n220 there\r\n", expect(rb"EHLO \S+\r\n"), b"250-x\r\n250-STARTTLS\r\n250 SIZE\r\n",
             expect(rb"STARTTLS\r\n"), b"220 go\r\n"),
    "lmtp": (b"220 there\r\n", expect(rb"LHLO \S+\r\n"), b"250-STARTTLS\r\n250 x\r\n", expect(rb"STARTTLS\r\n"),
             b"220 go\r\n"),
    "pop3": (b"+OK ready\r\n", expect(rb"STLS\r\n"), b"+OK go\r\n"),
    "imap": (b"* OK ready\r\n", expect(rb"a CAPABILITY\r\n"), b"* CAPABILITY IMAP4 STARTTLS\r\na OK\r\n",
             expect(rb"b STARTTLS\r\n"), b"b OK go\r\n"),
    "ftp": (b"220-a\r\n any text\r\n220 b\r\n", expect(rb"AUTH TLS\r\n"), b"234 go\r\n"),
    "nntp": (b"201 no posting\r\n", expect(rb"STARTTLS\r\n"), b"382 go\r\n"),
    "sieve": (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n', expect(rb"STARTTLS\r\n"), b'OK "go"\r\n'),
    "irc": (expect(rb"STARTTLS\r\n"), b":irc.example 670 you :STARTTLS successful\r\n"),
    "xmpp": (expect(rb"<stream:stream .*jabber:client.*to='localhost'.*>"),
             b"<?xml version='1.0'?><stream:stream from='localhost'><stream:features><starttls xmlns='urn:ietf:params:"
             b"xml:ns:xmpp-tls'/></stream:features>", expect(rb"<starttls .*/>"),
             b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    "xmpp-server": (expect(rb"<stream:stream .*jabber:server.*to='localhost'.*>"),
                    b"<stream:stream><stream:features><starttls/></stream:features>", expect(rb"<starttls .*/>"),
                    b"<proceed/>"),
    "postgres": (expect(rb"\0\0\0\x08\x04\xd2\x16\x2f"), b"S"),
    "mysql": (len(MYSQL).to_bytes(3, "little") + b"\0" + MYSQL, expect(rb"\x20\0\0\x01.{32}")),
    "ldap": (expect(rb"\x30\x1d\x02\x01\x01\x77\x18\x80\x161\.3\.6\.1\.4\.1\.1466\.20037"), LDAP_YES),
}


@test
def every_starttls_dialogue_leads_to_tls():
    for protocol, turns in DIALOGUES.items():
        with Talk(script(*turns)) as server:
            got = connect(server.port, "-starttls", protocol, "-k", "-quiet", "-timeout", 30, "-ign_eof")
            says(got, 0)
            check(got.stdout == b"done\n", (protocol, got))


@test
def a_server_that_refuses_starttls_is_told_with_its_words():
    refusals = {
        "smtp": (DIALOGUES["smtp"][:2] + (b"250 SIZE\r\n", expect(rb"never")), "does not offer TLS"),
        "lmtp": ((b"421 go away\r\n", expect(rb"never")), "the server refuses: 421 go away"),
        "pop3": ((b"+OK\r\n", expect(rb"STLS\r\n"), b"-ERR no TLS\r\n", expect(rb"never")), "refuses: -ERR no TLS"),
        "imap": ((b"* BYE full\x1b[31m\r\n", expect(rb"never")), "refuses: * BYE full\\x1b[31m"),
        "ftp": ((b"220 a\r\n", expect(rb"AUTH TLS\r\n"), b"502 what\r\n", expect(rb"never")), "refuses: 502 what"),
        "irc": ((expect(rb"STARTTLS\r\n"), b":x 691 you :no\r\n", expect(rb"never")), "refuses: :x 691"),
        "postgres": ((expect(rb".{8}"), b"N", expect(rb"never")), "does not do TLS, it answers: N"),
        "mysql": ((b"\x03\0\0\0\xff\x15\x04", expect(rb"never")), "the server refuses"),
        "ldap": ((expect(rb"\x30\x1d.{29}"), bytes.fromhex("300c02010178070a013504000400"), expect(rb"never")),
                 "LDAP's result code 53"),
        "xmpp": ((expect(rb"<stream:stream .*>"), b"<stream:error>x</stream:error>", expect(rb"never")), "refuses"),
    }
    for protocol, (turns, text) in refusals.items():
        with Talk(script(*turns)) as server:
            says(connect(server.port, "-starttls", protocol, "-k", "-timeout", 30), 13, text)
            server.problems.clear()  # the script's end was never to come


@test
def hostile_servers_before_tls_are_bounded():
    def endless(plain):
        while True:
            plain.sendall(b"220-" + b"x" * 4000 + b"\r\n")
    with Talk(endless) as server:
        says(connect(server.port, "-starttls", "smtp"), 13, "says too much before TLS")
    with Talk(script(b"+OK\r\n", expect(rb"STLS\r\n"), b"+OK\r\n+OK injected\r\n", expect(rb"never"))) as server:
        says(connect(server.port, "-starttls", "pop3"), 13, "goes on in the clear after it agreed to TLS: +OK injected")
        server.problems.clear()
    with Talk(lambda plain: plain.recv(1)) as server:
        says(connect(server.port, "-starttls", "smtp", "-timeout", 1), 13, "-timeout")
    with Talk(lambda plain: None) as server:
        says(connect(server.port, "-starttls", "smtp"), 13)


@test
def a_proxy_is_gone_through():
    seen = []

    def proxy(plain):
        head = b""
        while b"\r\n\r\n" not in head:
            head += plain.recv(1)
        seen.append(head.decode())
        if b"Proxy-Authorization" not in head:
            plain.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n")
            return
        plain.sendall(b"HTTP/1.1 200 Connection established\r\nVia: me\r\n\r\n")
        if b":25 " in head:
            script(*DIALOGUES["smtp"])(plain)
        else:
            finish_tls(plain)
    with Talk(proxy) as server:
        through = ("-proxy", f"127.0.0.1:{server.port}", "-k", "-quiet")
        got = run(TLSWIRE, "connect", "far.example:443", *through, "-proxy_user", "me", "-proxy_pass", "pass:secret")
        says(got, 0)
        check(got.stdout == b"done\n" and seen[0].startswith("CONNECT far.example:443 HTTP/1.1\r\n"), (got, seen))
        check(base64.b64encode(b"me:secret").decode() in seen[0], seen)
        got = run(TLSWIRE, "connect", "far.example:25", *through, "-starttls", "smtp", "-proxy_user", "me")
        check(got.stdout == b"done\n", got)
        says(run(TLSWIRE, "connect", "far.example:443", *through), 13, "the proxy refuses: HTTP/1.1 407")
        check("far.example" in seen[-1], seen)


# ---- data ----

@test
def get_prints_the_body_and_tells_the_status():
    body = b"x" * 70000
    answers = {
        "/length": b"HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nContent-Length: 70000\r\n\r\n" + body,
        "/chunks": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
        "/end": b"HTTP/1.0 200 OK\r\n\r\nto the end",
        "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        "/wrong": b"SSH-2.0-x\r\n\r\n",
        "/endless": b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 70000,
        "/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    }
    requests = []

    def serve(plain, close=True):
        tls = server_context().wrap_socket(plain, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            head += tls.recv(4096)
        requests.append(head.decode())
        tls.sendall(answers[head.split()[1].decode()])
        if b"/endless" in head:
            tls.recv(1)
        if close:
            tls.unwrap()
    with Talk(serve) as server:
        def get(path, *options):
            return connect(server.port, "-k", "-get", path, *options)
        got = get("/length")
        says(got, 0, "HTTP 200 Fine, 70000 bytes of text/plain")
        check(got.stdout == body, len(got.stdout))
        check(f"Host: localhost:{server.port}\r\n" in requests[0] and "Connection: close" in requests[0], requests)
        got = get("/chunks")
        says(got, 0, "HTTP 404 Not Found, 11 bytes")
        check(got.stdout == b"hello world", got.stdout)
        check(get("/end").stdout == b"to the end", "to the end")
        says(get("/none"), 0, "HTTP 204 No Content, 0 bytes")
        says(get("/short"), 16, "before the HTTP response was whole")
        says(get("/wrong"), 1, "the HTTP response is wrong: it is not HTTP/1")
        says(get("/endless"), 1, "header fields are too long")
        says(get("/chunk"), 1, "a chunk has no size")
        says(get("/chunks", "-expect", "lo world"), 11)  # what is sent is looked at, chunks between
        says(get("/length", "-expect", "xxx"), 0)
    with Talk(lambda plain: serve(plain, close=False)) as server:
        says(connect(server.port, "-k", "-get", "/length"), 0)  # its length says that it is whole
        says(connect(server.port, "-k", "-get", "/end"), 16, "without close_notify")


@test
def expect_and_crlf_and_the_end_of_input():
    def echo(plain):
        tls = server_context().wrap_socket(plain, server_side=True)
        with contextlib.suppress(OSError):
            while data := tls.recv(4096):
                for byte in data:
                    tls.sendall(bytes([byte]))
            tls.unwrap()
    with Talk(echo) as server:
        got = connect(server.port, "-k", "-quiet", "-crlf", "-expect", "two\r\nth", text_in=b"one\ntwo\nthree\n")
        says(got, 0)
        check(got.stdout == b"one\r\ntwo\r\nthree\r\n"[:len(got.stdout)] and b"two\r\nth" in got.stdout, got)
        says(connect(server.port, "-k", "-quiet", "-expect", "four", text_in=b"one\n"), 11, "did not say what -expect")
        says(connect(server.port, "-k", "-no_ign_eof", text_in=b"one\n"), 0)
        says(connect(server.port, "-k", "-ign_eof", "-timeout", 2, text_in=b"one\n"), 1, "not finished within 2 s")


@test
def a_silent_server_and_a_closed_port_have_their_codes():
    with Talk(lambda plain: plain.recv(100000) and plain.recv(1)) as server:
        says(connect(server.port, "-timeout", 1), 12, "not finished within 1 s")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    says(connect(port), 13, "cannot connect to localhost port")
    with Talk(finish_tls) as server:
        says(connect(server.port, "-k", "-4", "-bind", "127.0.0.1"), 0)
        says(connect(server.port, "-k", "-4", "-bind", "192.0.2.77"), 13, "-bind 192.0.2.77")


# ---- sessions, keys ----

@test
def sessions_are_kept_resumed_and_told():
    for version in ("-tls1_3", "-tls1_2"):
        with s_server("-www") as server:
            says(connect(server.port, "-k", version, "-sess_out", "s.pem"), 0)
            check(stat.S_IMODE(os.stat("s.pem").st_mode) == 0o600, "the session is not private")
            says(connect(server.port, "-k", version, "-sess_in", "s.pem", "-sess_out", "t.pem"), 0, ", resumed")
            says(connect(server.port, "-k", version, "-sess_in", "t.pem"), 0, ", resumed")
            error = says(connect(server.port, "-k", version, "-reconnect"), 0)
            check(error.count(", resumed") >= 5 and "reconnected 5 of 5" in error and "NOT resumed" not in error, error)
    with s_server("-www", "-no_ticket", "-no_cache") as server:
        says(connect(server.port, "-k", "-tls1_2", "-reconnect"), 0, "NOT resumed")
    says(connect(1, "-sess_in", "leaf.crt"), 1, "cannot read -sess_in 'leaf.crt'")


@test
def early_data_is_accepted_or_told():
    with open("early", "wb") as file:
        file.write(b"GET / HTTP/1.0\r\n\r\n")
    with s_server("-early_data", "-tls1_3") as server:
        says(connect(server.port, "-k", "-early_data", "early", "-sess_out", "s.pem"), 0, "early data  not sent")
        says(connect(server.port, "-k", "-early_data", "early", "-sess_in", "s.pem"), 0, "early data  sent and accepted")
    with s_server("-tls1_3") as server:
        says(connect(server.port, "-k", "-early_data", "early", "-sess_in", "s.pem"), 0, "early data  sent and REJECTED")


@test
def pre_shared_keys_authenticate():
    with Program("openssl", "s_server", "-accept", "{port}", "-nocert", "-psk", "c0ffee", "-quiet") as server:
        for version in ("-tls1_2", "-tls1_3"):
            says(connect(server.port, version, "-psk", "c0ffee"), 0, "connected: TLSv1")
            error = says(connect(server.port, version, "-psk", "c0ffed"), 12)
            check("c0ffed" not in error, "the key is in the error")


@test
def client_certificates_are_sent():
    certificate("client", subject="someone")
    with s_server("-Verify", "1", "-CAfile", "client.crt", "-verify_return_error", "-www") as server:
        says(connect(server.port, "-k", "-ign_eof"), 12, "certificate required")
        says(connect(server.port, "-k", "-cert", "client.crt", "-key", "client.key"), 0)


@test
def stapled_status_and_timestamps_are_judged():
    certificate("signer", usage="critical,CA:TRUE", subject="signer")
    certificate("stapled", ca="signer")
    serial = run("openssl", "x509", "-in", "stapled.crt", "-noout", "-serial").stdout.decode().strip().split("=")[1]
    for state, word in (("V\t491231000000Z\t", "good"), ("R\t491231000000Z\t250101000000Z,keyCompromise", "revoked on 2025-01-01")):
        with open("index", "w", encoding="ascii") as index:
            index.write(f"{state}\t{serial}\tunknown\t/CN=localhost\n")
        done = run("openssl", "ocsp", "-index", "index", "-CA", "signer.crt", "-rsigner", "signer.crt", "-rkey", "signer.key",
                   "-issuer", "signer.crt", "-cert", "stapled.crt", "-ndays", "2", "-respout", "status.der", "-noverify")
        check(done.returncode == 0, done)
        with s_server("-www", "-status_file", "status.der", "-cert_chain", "signer.crt", name="stapled") as server:
            says(connect(server.port, "-CAfile", "signer.crt", "-status"), 0 if word == "good" else 17, "OCSP        " + word,
                 "its signature is right, current")
    with s_server("-www") as server:
        says(connect(server.port, "-k", "-status", "-ct"), 0, "OCSP        no response was stapled",
             "SCT         no signed certificate timestamps came")


# ---- the other outputs ----

@test
def s_client_block_is_openssls():
    def facts(text):
        text = re.sub(r"(?s)    (TLS session ticket:|Resumption PSK:|Master-Key:).*?(?=    Start Time)", "", text)
        text = re.sub(r"has read \d+ bytes and written \d+", "has read N bytes and written N", text)
        text = re.sub(r"(Session-ID|Start Time): .*", r"\1", text)
        return [line for line in text.splitlines() if line not in ("closed", "DONE")]
    with s_server("-www") as server:
        for options in (("-tls1_2",), ("-tls1_2", "-showcerts"), ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                                                  "-groups", "P-256"), ("-tls1_2", "-status")):
            words = ("-connect", f"localhost:{server.port}", "-servername", "localhost", "-verify_hostname", "localhost",
                     "-CAfile", "leaf.crt", *options)
            theirs = run("openssl", "s_client", *words)
            ours = run(TLSWIRE, "connect", "-s_client", *words)
            check(ours.returncode == 0, ours)
            one, two = facts(theirs.stdout.decode()), facts(ours.stdout.decode())
            check(one == two, f"{options}: {[x for x in one if x not in two]} {[x for x in two if x not in one]}")
        ours = run(TLSWIRE, "connect", "-s_client", "-connect", f"localhost:{server.port}").stdout.decode()
        for line in ("\nCertificate chain\n", "\nServer certificate\n", "\nsubject=CN = localhost\n", "\nNew, TLSv1.3, Cipher is ",
                     "\nVerify return code: 18 (self-signed certificate)\n", "\nServer Temp Key: X25519, 253 bits\n",
                     "\n---\n"):
            check(line in ours, f"{line!r} is not in {ours}")
        check("Master-Key: (not shown" in run(TLSWIRE, "connect", "-s_client", f"localhost:{server.port}", "-tls1_2").stdout.decode(),
              "the master key is shown")
        pem = run(TLSWIRE, "connect", "-quiet", "-showcerts", "-k", f"localhost:{server.port}").stdout
        with open("leaf.crt", "rb") as file:
            check(file.read() == pem, pem)
        theirs = run("openssl", "s_client", "-connect", f"localhost:{server.port}", "-brief", "-servername", "localhost").stderr.decode()
        ours = run(TLSWIRE, "connect", f"localhost:{server.port}", "-brief", "-k").stderr.decode()
        shared = [line for line in theirs.splitlines() if ": " in line and "verify" not in line and "depth" not in line]
        check(len(shared) > 5 and all(line in ours for line in shared), (theirs, ours))


@test
def msg_state_debug_and_trace_show_the_wire():
    with s_server("-www") as server:
        says(connect(server.port, "-k", "-quiet", "-msg"), 0, ">>> TLS 1.3, Handshake [length", ", ClientHello",
             "<<< TLS 1.3, Handshake [length", ", ServerHello", ", Finished")
        says(connect(server.port, "-k", "-quiet", "-state"), 0, "SSL_connect", "write client hello")
        says(connect(server.port, "-k", "-quiet", "-debug"), 0, "write to the socket: ", "0000 - 16 03 01")
        says(connect(server.port, "-k", "-quiet", "-trace"), 0, "Handshake Protocol: Client Hello",
             "Handshake Protocol: Certificate")


@test
def a_capture_holds_everything_with_keys():
    with s_server("-rev") as server:
        with open("c.pcapng", "w", encoding="ascii") as file:
            file.write("older")
        os.chmod("c.pcapng", 0o644)
        says(connect(server.port, "-k", "-capture", "c.pcapng", text_in=b"abc\n"), 0, "recorded: ")
        check(stat.S_IMODE(os.stat("c.pcapng").st_mode) == 0o600, "the capture is not private")
        shown = run(TLSWIRE, "-r", "c.pcapng", "-q", "-z", "follow,tls,ascii,0", "-d", f"tcp.port=={server.port},tls")
        check(b"abc" in shown.stdout and b"cba" in shown.stdout, shown)
    with Talk(script(*DIALOGUES["smtp"])) as server:
        says(connect(server.port, "-k", "-starttls", "smtp", "-capture", "d.pcapng"), 0, "recorded: ")
        shown = run(TLSWIRE, "-r", "d.pcapng", "-q", "-z", "follow,tcp,ascii,0")
        check(b"EHLO " in shown.stdout and b"220 go" in shown.stdout, shown)


# ---- other servers ----

@test
def gnutls_and_nss_servers():
    certificate("leaf")
    if shutil.which("gnutls-serv"):
        with Program("gnutls-serv", "-p", "{port}", "--x509certfile", "leaf.crt", "--x509keyfile", "leaf.key", "--http",
                     "--quiet") as server:
            for version in ("-tls1_2", "-tls1_3"):
                got = connect(server.port, "-CAfile", "leaf.crt", version, "-get", "/", "-timeout", 30)
                says(got, 0, "trusted     by CN=localhost", "HTTP 200")
                check(b"GNUTLS" in got.stdout.upper(), got.stdout[:200])
    if shutil.which("selfserv") and shutil.which("pk12util"):
        os.makedirs("nss", exist_ok=True)
        run("certutil", "-N", "-d", "nss", "--empty-password")
        run("openssl", "pkcs12", "-export", "-in", "leaf.crt", "-inkey", "leaf.key", "-name", "leaf", "-passout", "pass:x",
            "-out", "leaf.p12")
        run("pk12util", "-i", "leaf.p12", "-d", "nss", "-W", "x")
        with Program("selfserv", "-d", "nss", "-n", "leaf", "-p", "{port}", "-V", "tls1.2:tls1.3", "-H", "1") as server:
            for version in ("-tls1_2", "-tls1_3"):
                got = connect(server.port, "-CAfile", "leaf.crt", version, "-get", "/", "-timeout", 30)
                check(b"HTTP 200" in got.stderr and got.returncode in (0, 16), got)


# ---- tlswire run ----

def tlswire_run(*words, **more):
    got = run(TLSWIRE, "run", *words, **more)
    if got.returncode == 1 and b"nothing was run" in got.stderr:
        raise Skip("capturing is not allowed here")
    return got


@test
def run_shows_what_a_program_does_and_exits_as_it():
    need("curl")
    with s_server("-www") as server:
        url = f"https://localhost:{server.port}/"
        got = tlswire_run("-ascii", "-w", "run.pcapng", "--", "curl", "-sS", "--cacert", "leaf.crt", url)
        error = says(got, 0, "OK: full handshake", "decrypted with the keys from the program", "ClientHello", "captured: ",
                     "with the keys, in run.pcapng")
        check(b"s_server" in got.stdout and error.count("#1 ") == 1, got)
        check(stat.S_IMODE(os.stat("run.pcapng").st_mode) == 0o600, "the capture is not private")
        shown = run(TLSWIRE, "-r", "run.pcapng", "-q", "-z", "follow,tls,ascii,0", "-d", f"tcp.port=={server.port},tls")
        check(b"GET / HTTP/1.1" in shown.stdout, shown)
        # a child's child; the exit status of the one that failed
        got = tlswire_run("-ascii", "sh", "-c", f"curl -sS --max-time 20 {url}; exit 7")
        says(got, 7, "FAILED: the client sent alert fatal unknown_ca")


@test
def run_keeps_to_the_program_and_tells_what_it_cannot_do():
    says(tlswire_run("true"), 0, "made no TCP connection")
    says(tlswire_run("--", "sh", "-c", "kill -TERM $$"), 143)
    says(tlswire_run("no-such-program-at-all"), 127, "cannot run no-such-program-at-all")
    says(run(TLSWIRE, "run"), 2, "what to run?")
    says(run(TLSWIRE, "run", "-bogus", "true"), 2, "not an option of 'tlswire run'")
    with Talk(finish_tls) as server:
        # another program's connection at the same time is not the command's
        command = f"sleep 0.3; '{TLSWIRE}' connect -k -quiet localhost:{server.port} </dev/null"
        other = subprocess.Popen(["sh", "-c", command], stdout=subprocess.DEVNULL)
        got = tlswire_run("sleep", "2")
        other.wait(LIMIT)
        says(got, 0, "made no TCP connection")
        plain = f"import socket, time; s = socket.create_connection(('127.0.0.1', {server.port})); time.sleep(2)"
        got = tlswire_run("-ascii", "-w", "plain.pcapng", "python3", "-c", plain)
        says(got, 0, "captured: ")
    check(not [name for name in os.listdir("/tmp") if name.startswith("tlswire-run-") and
               os.stat("/tmp/" + name).st_uid == os.getuid() and not os.listdir("/tmp/" + name)], "a folder is left")


if __name__ == "__main__":
    sys.exit(main())
