#!/usr/bin/env python3
"""serve, connect and lab against real peers: openssl, curl, gnutls-cli, Python's ssl.

usage: test_endpoint.py TLSWIRE       prints TAP; a peer that is not installed is a skipped test
"""
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

from ends import TLSWIRE, Skip, check, main, need, test

LIMIT = 40  # seconds; nothing here may take longer


def run(*arguments, stdin=subprocess.DEVNULL, text_in=None, **more):
    if text_in is not None:
        more["input"] = text_in
    else:
        more["stdin"] = stdin
    return subprocess.run([str(a) for a in arguments], capture_output=True, timeout=LIMIT, **more)


class Serve:
    """tlswire serve on a free port, in a folder of its own."""

    def __init__(self, *options, **more):
        more.setdefault("env", {**os.environ, "XDG_STATE_HOME": os.getcwd() + "/state"})
        self.process = subprocess.Popen([TLSWIRE, "serve", "--port", "0", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, **more)
        self.first = self.process.stderr.readline()
        found = re.search(r"serving on 127\.0\.0\.1:(\d+)", self.first)
        check(found, f"no port in {self.first!r}")
        self.port = int(found.group(1))
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(LIMIT)
        self.reader.join()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def fetch(port, host="127.0.0.1", name="localhost", send=b"", context=None):
    """What a strict client gets: a missing close_notify or an RST is an exception."""
    context = context or ssl._create_unverified_context()
    with socket.create_connection((host, port), timeout=LIMIT) as plain:
        with context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False) as tls:
            tls.sendall(send)
            data = b""
            while piece := tls.recv(4096):
                data += piece
            tls.unwrap()
            return data, tls.version()


# ---- serve ----

@test
def serve_answers_over_both_families_and_stops_cleanly():
    with Serve() as server:
        check("/state/tlswire/ca.pem, stop with" in server.first, server.first)
        check(fetch(server.port)[0] == b"test\n", "no test line over IPv4")
        check(fetch(server.port, host="::1")[0] == b"test\n", "no test line over IPv6")
    check(server.status == 0, f"exit {server.status}")
    good = [line for line in server.lines if "TLSv1.3" in line and "sni=localhost ok" in line]
    check(len(good) == 2, server.lines)


@test
def serve_takes_openssl_curl_and_gnutls():
    with Serve("-www", "-keylogfile", "serve.keys") as server:
        need("openssl")
        out = run("openssl", "s_client", "-connect", f"localhost:{server.port}", "-quiet",
                  text_in=b"GET / HTTP/1.0\r\n\r\n").stdout
        check(b"TLS_AES_256_GCM_SHA384" in out and b"200 OK" in out, out)
        need("curl")
        page = run("curl", "-sk", f"https://localhost:{server.port}/").stdout.decode()
        check("Protocol        TLSv1.3" in page and "Server name     localhost" in page, page)
        need("gnutls-cli")
        got = run("gnutls-cli", "--insecure", "-p", server.port, "localhost",
                  text_in=b"GET / HTTP/1.0\r\n\r\n")
        check(got.returncode == 0 and b"Cipher suite" in got.stdout, got)
    check(all(line.endswith(" ok\n") for line in server.lines), server.lines)
    check(stat.S_IMODE(os.stat("serve.keys").st_mode) == 0o600, "the key log is not private")
    with open("serve.keys") as keys:
        check(keys.read().count("CLIENT_TRAFFIC_SECRET_0 ") == 3, "three connections, three secrets")


@test
def serve_www_refuses_what_is_not_http():
    with Serve("-www") as server:
        check(b" 400 " in fetch(server.port, send=b"\x00\x01\x02\x03")[0], "no 400")
        check(b" 405 " in fetch(server.port, send=b"DELETE / HTTP/1.0\r\n\r\n")[0], "no 405")
        check(b" 400 " in fetch(server.port, send=b"GET /" + b"x" * 17000)[0], "no ceiling")


@test
def serve_speaks_the_versions_and_suites_asked_for():
    need("openssl")
    for options, want in ((["-tls1_2"], b"TLSv1.2"), (["-no_tls1_3"], b"TLSv1.2"),
                          (["-max_protocol", "TLSv1.2"], b"TLSv1.2"), (["--tls1_3"], b"TLSv1.3"),
                          (["-tls1"], b"Protocol  : TLSv1\n"), (["-ciphersuites=TLS_AES_128_GCM_SHA256"],
                                                   b"TLS_AES_128_GCM_SHA256"),
                          (["-groups", "P-384"], b"ECDH, secp384r1"), (["--rsa"], b"RSA-PSS"),
                          (["-alpn", "x,h2"], b"ALPN protocol: h2")):
        with Serve(*options) as server:
            old = ["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"] if "-tls1" in options else []
            out = run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-alpn",
                      "h2,y", *old).stdout
            check(want in out, f"{options}: {out.decode()[-1500:]}")


@test
def serve_says_in_words_what_failed():
    need("openssl")
    with Serve("-tls1_3") as server:
        run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2")
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while plain.recv(100):
                pass
        socket.create_connection(("127.0.0.1", server.port)).close()
        time.sleep(0.2)
    text = "".join(server.lines)
    for want in ("unsupported protocol (sent alert 70: protocol version)", "FAILED: http request",
                 "closed the connection during the handshake"):
        check(want in text, f"{want!r} not in {text}")


@test
def serve_escapes_what_peers_send():
    need("openssl")
    with Serve() as server:
        run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername",
            "a\x1b[31m\nb")
    text = "".join(server.lines)
    check("\x1b" not in text and len(server.lines) == 1 and "a\\x1b[31m\\x0ab" in text, text)


@test
def serve_takes_200_at_once_and_keeps_no_descriptor():
    for options in ({}, {"preexec_fn": lambda: __import__("resource").setrlimit(
            __import__("resource").RLIMIT_NOFILE, (90, 90))}):
        with Serve("-quiet", **options) as server:
            fetch(server.port)
            time.sleep(0.1)
            before = server.descriptors()
            context = ssl._create_unverified_context()
            results, gate = [], threading.Barrier(200)

            def one():
                gate.wait()
                try:
                    results.append(fetch(server.port, context=context)[0])
                except OSError as problem:
                    results.append(problem)
            threads = [threading.Thread(target=one) for _ in range(200)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(LIMIT)
            check(results == [b"test\n"] * 200, [r for r in results if r != b"test\n"][:5])
            time.sleep(0.3)
            check(server.descriptors() == before, f"{before} → {server.descriptors()} descriptors")
        check(server.status == 0, f"exit {server.status}")


@test
def serve_names_who_has_the_port():
    with Serve() as server:
        got = run(TLSWIRE, "serve", "-accept", server.port)
        want = f"port {server.port} is in use by tlswire (pid {server.process.pid})"
        check(got.returncode == 1 and want in got.stderr.decode(), got)
        check("--port 0" in got.stderr.decode(), got)


@test
def silent_peer_is_dropped_after_ten_seconds():
    with Serve() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
            start = time.time()
            check(plain.recv(1) == b"", "it spoke")
            check(9 < time.time() - start < 12, f"after {time.time() - start} s")


# ---- connect ----

def connect(port, *options, **more):
    if not {"-CAfile", "-verify_return_error"} & set(options):
        options += ("-k",)
    return run(TLSWIRE, "connect", f"localhost:{port}", *options, **more)


@test
def connect_never_hangs_and_keeps_stdout_for_data():
    with Serve() as server:
        with open("input", "w") as file:
            file.write("hello\n")
        for stdin in (subprocess.DEVNULL, open("input"), None):
            start = time.time()
            if stdin is None:
                got = run("sh", "-c", f"'{TLSWIRE}' connect -k localhost:{server.port} <&-")
            else:
                got = connect(server.port, stdin=stdin)
            check(got.returncode == 0 and got.stdout == b"test\n", got)
            check(time.time() - start < 5, "too slow")
            check(b"connected: TLSv1.3" in got.stderr, got.stderr)
        check(connect(server.port, "-quiet").stderr == b"", "-quiet is not quiet")


@test
def connect_is_a_pipe_both_ways():
    need("openssl")
    make_certificate()
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", "e.crt",
                               "-key", "e.key", "-rev", "-quiet"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        got = connect(port, "-quiet", text_in=b"abc\ndef\n")
        check(got.stdout == b"cba\nfed\n" and got.returncode == 0, got)
    finally:
        server.kill()
        server.wait()


@test
def connect_waits_for_a_silent_server_two_seconds_only():
    need("openssl")
    make_certificate()
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", "e.crt",
                               "-key", "e.key", "-quiet"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        start = time.time()
        got = connect(port, "-quiet")
        check(got.returncode == 0 and 1.5 < time.time() - start < 6, (got, time.time() - start))
    finally:
        server.kill()
        server.wait()


@test
def connect_has_the_right_exit_codes():
    with Serve("-tls1_3") as server:
        got = connect(server.port, "-tls1_2")
        check(got.returncode == 12 and b"protocol version" in got.stderr, got)
        got = connect(server.port, "-verify_return_error")
        check(got.returncode == 17 and b"not trusted: unable to get local issuer certificate" in got.stderr, got)
        got = run(TLSWIRE, "connect", f"localhost:{server.port}", "-bogus")
        check(got.returncode == 2 and b"'-bogus' is not an option" in got.stderr, got)
        got = connect(server.port, "-srpuser", "00")
        check(got.returncode == 2 and b"not there yet" in got.stderr, got)
    for where in (f"127.0.0.1:{free_port()}", "no-such-host.invalid:443"):
        got = run(TLSWIRE, "connect", where)
        check(got.returncode == 13 and b"cannot connect to" in got.stderr, got)
    plain = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: plain.accept()[0].sendall(b"220 hello\r\n")).start()
    got = run(TLSWIRE, "connect", f"127.0.0.1:{plain.getsockname()[1]}")
    check(got.returncode == 12 and b"wrong version number" in got.stderr, got)
    plain.close()


@test
def connect_checks_the_certificate_and_sends_the_name():
    need("openssl")
    make_certificate()
    with Serve("-cert", "e.crt", "-key", "e.key") as server:
        got = connect(server.port, "-CAfile", "e.crt", "-verify_return_error")
        check(got.returncode == 0 and b"certificate trusted" in got.stderr, got)
        got = connect(server.port, "-CAfile", "e.crt", "-verify_return_error", "-servername",
                      "other.example")
        check(got.returncode == 17 and b"hostname mismatch" in got.stderr, got)
        connect(server.port, "-noservername")
    text = "".join(server.lines)
    check("sni=localhost" in server.lines[0] and "sni=other.example" in text, text)
    check("sni=" not in server.lines[2], text)


@test
def connect_writes_the_key_log():
    with Serve() as server:
        connect(server.port, env={**os.environ, "SSLKEYLOGFILE": "env.keys"})
        connect(server.port, "-keylogfile", "option.keys")
    for name in ("env.keys", "option.keys"):
        check(stat.S_IMODE(os.stat(name).st_mode) == 0o600, f"{name} is not private")
        check("SERVER_TRAFFIC_SECRET_0" in open(name).read(), f"{name} has no secret")


# ---- lab ----

def lab(*options, **more):
    return run(TLSWIRE, "lab", "--port", "0", *options, **more)


def decrypted(path="tlswire-lab/lab.pcapng"):
    """Fields of every packet as tshark sees them, with no option but the file."""
    need("tshark")
    return run("tshark", "-n", "-r", path, "-T", "fields", "-e", "_ws.col.Info", "-e",
               "tcp.analysis.flags", "-e", "_ws.expert.message").stdout.decode()


@test
def lab_captures_or_says_that_it_cannot():
    got = lab()
    text = got.stdout.decode()
    check(got.returncode == 0, got)
    check("lab: certificate CN=localhost (temporary, ECDSA P-256)\n     server 127.0.0.1:" in text, text)
    check("verified: Finished ok ok | CertificateVerify ok | chain ok | host ok | dates ok" in text or
          "verified: Finished ✓✓ · CertificateVerify ✓ · chain ✓ · host ✓ · dates ✓" in text, text)
    check("captured on lo" in text or "capturing is not allowed" in text, text)
    for name in ("keys.log", "lab.pcapng"):
        mode = stat.S_IMODE(os.stat(f"tlswire-lab/{name}").st_mode)
        check(mode == 0o600, f"{name} has mode {mode:o}")
    check("tshark -r tlswire-lab/lab.pcapng" in text, text)


@test
def lab_without_capture_makes_clean_packets_with_keys():
    for options in ([], ["-tls1_2", "--rsa"], ["-6"], ["-tls1"], ["-www"]):
        got = lab("--no-capture", *options)
        check(got.returncode == 0 and b"synthetic TCP" in got.stdout, got)
        seen = decrypted()
        check("Finished" in seen and "Close Notify" in seen, seen)
        for bad in ("Retransmission", "Dup ACK", "unseen", "Out-Of-Order", "Malformed", "Spurious"):
            check(bad not in seen, f"{options}: {seen}")
        info = run("capinfos", "tlswire-lab/lab.pcapng").stdout.decode()
        check("synthetic TCP" in info and "Strict time order:   True" in info, info)


@test
def lab_runs_other_clients():
    for program, command in (
            ("openssl", "openssl s_client -connect localhost:{port} -CAfile {cert} "
             "-verify_return_error"),
            ("curl", "curl -sS --http0.9 --cacert {cert} https://localhost:{port}/ -o {dir}/page"),
            ("gnutls-cli", "gnutls-cli --x509cafile {cert} -p {port} localhost")):
        need(program)
        for more in ([], ["--no-capture"]):
            got = lab("--client", command, *more)
            log = open("tlswire-lab/client.log").read()
            check(got.returncode == 0, f"{program}: {got} {log}")
            check("Finished" in decrypted(), f"{program}: {decrypted()}")


@test
def lab_shows_failures_and_says_so():
    need("openssl")
    got = lab("-tls1_3", "--client", "openssl s_client -tls1_2 -connect localhost:{port}")
    text = got.stdout.decode()
    check(got.returncode == 12, got)
    check("client: exit status 1" in text and "server: unsupported protocol" in text, text)
    check("Protocol Version" in decrypted(), decrypted())
    got = lab("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    text = got.stdout.decode()
    check(got.returncode == 12 and "server: no shared cipher (sent alert 40" in text, text)
    check("client: " in text and "received alert 40" in text, text)
    check(lab("--client", "true").returncode == 13, "a client that never came is not 13")
    check(lab("-cipher", "nonsense").returncode == 2, "a bad -cipher is not 2")


@test
def lab_ends_a_client_that_hangs():
    start = time.time()
    got = lab("--client", "sleep 1234567 & sleep 1234567")
    check(got.returncode == 13 and b"stopped after 10 s" in got.stdout, got)
    check(time.time() - start < 15, "too slow")
    alive = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                alive += [pid] if b"1234567" in file.read() and int(pid) != os.getpid() else []
        except OSError:
            pass
    check(not alive, f"still running: {alive}")


@test
def lab_takes_its_own_certificate_and_closed_descriptors():
    need("openssl")
    make_certificate()
    got = lab("-cert", "e.crt", "-key", "e.key")
    check(got.returncode == 0 and b"certificate e.crt" in got.stdout, got)
    check(not os.path.exists("tlswire-lab/server.crt"), "an old server.crt was left")
    got = run("sh", "-c", f"exec '{TLSWIRE}' lab --port 0 <&- >&- 2>&-")
    check(got.returncode == 0, got)


@test
def lab_works_for_an_ordinary_user():
    need("setpriv")
    if os.getuid() != 0:
        raise Skip("not root: the other tests are this one")
    user = ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all"]
    os.makedirs("theirs", exist_ok=True)
    os.chown("theirs", 65534, -1)
    got = run(*user, TLSWIRE, "lab", "--port", "0", cwd="theirs")
    if got.returncode in (126, 127):
        raise Skip("the ordinary user cannot reach the program")
    check(got.returncode == 0 and b"capturing is not allowed here" in got.stdout, got)
    check("Finished" in decrypted("theirs/tlswire-lab/lab.pcapng"), "not decrypted")
    got = run(*user, TLSWIRE, "lab", "--port", "0")
    check(got.returncode == 1 and b"Permission denied" in got.stderr and b"--dir" in got.stderr,
          got)


@test
def lab_ends_cleanly_when_interrupted():
    process = subprocess.Popen([TLSWIRE, "lab", "--port", "0", "--client", "exec sleep 7654321"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    check(process.wait(5) == 130, f"exit {process.returncode}")


# ---- the ladder ----

def ladder(*options, **more):
    """What lab prints, without colour and in ASCII, and its lines from the connection on."""
    got = lab("--ascii", *options, **more)
    text = got.stdout.decode("ascii")
    check("\x1b" not in text, f"colour in a pipe: {text}")
    said = ("client: ", "server: ")  # in the words of others, as long as they are
    check(all(len(line) <= 80 or line.startswith(said) for line in text.splitlines()), f"too wide: {text}")
    return got, text


def in_order(text, *words):
    at = 0
    for word in words:
        found = text.find(word, at)
        check(found >= 0, f"{word!r} is not there, or out of order: {text}")
        at = found + len(word)


@test
def ladder_shows_a_handshake_of_tls_1_2():
    for more in ([], ["--no-capture"]):
        got, text = ladder("-tls1_2", "-alpn", "x,y", "-servername", "some.example", *more)
        check(got.returncode == 0, got)
        check(len(text.splitlines()) <= 44, text)
        in_order(text, "#1  127.0.0.1:", "OK: full handshake in", "TLS 1.2 | TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                 "SNI some.example | ALPN x", "certificate CN=localhost, ECDSA P-256, self-signed",
                 "-- SYN --", "-- SYN, ACK --", "-- ClientHello --", "offers TLS 1.2 at most", "SNI some.example",
                 "ALPN x, y", "- ServerHello --", "picks TLS 1.2", "ALPN x", "- Certificate --", "3 SAN",
                 "- ServerKeyExchange --", "- ServerHelloDone --", "-- ClientKeyExchange ", "-- ChangeCipherSpec --",
                 "from here encrypted", "* Finished --", "NewSessionTicket  good for 7200 s", "* Finished --",
                 '* application data  "test\\n" --', "* Alert  close_notify --", "- FIN --", "files in tlswire-lab/: ")


@test
def ladder_shows_a_handshake_of_tls_1_3():
    got, text = ladder("--rsa", "-groups", "P-384")
    check(got.returncode == 0 and len(text.splitlines()) <= 42, text)
    in_order(text, "OK: full handshake in", "TLS 1.3 | TLS_AES_256_GCM_SHA384 | secp384r1 | rsa_pss_rsae_sha256",
             "certificate CN=localhost, RSA 2048, self-signed", "decrypted with the keys from the file's secrets block",
             "offers TLS 1.3, 1.2", "key share secp384r1", "picks TLS 1.3 | TLS_AES_256_GCM_SHA384 | secp384r1",
             "from here encrypted", "* EncryptedExtensions --", "* Certificate --", "3 SAN",
             "* CertificateVerify  rsa_pss_rsae_sha256 --", "* Finished --", "* Finished --",
             "* NewSessionTicket x2  good for 7200 s --", '* application data  "test\\n" --',
             "* Alert  close_notify --")


@test
def ladder_shows_a_retry_and_a_resumption():
    need("openssl")
    text = ladder("-groups", "P-384", "--client",
                  "sleep 0.3 | openssl s_client -groups X25519:P-384 -connect localhost:{port}")[1]
    in_order(text, "after HelloRetryRequest", "key share x25519", "- HelloRetryRequest --",
             "asks for a key share of secp384r1", "-- ClientHello --", "key share secp384r1", "- ServerHello --")
    text = ladder("--client", "sleep 0.3 | openssl s_client -sess_out {dir}/s -connect localhost:{port}; "
                  "openssl s_client -sess_in {dir}/s -connect localhost:{port}")[1]
    in_order(text, "#1  ", "OK: full handshake in", "#2  ", "OK: resumed in", "resumes by PSK", "resumed by PSK")
    text = ladder("-tls1_2", "--client", "openssl s_client -reconnect -connect localhost:{port}")[1]
    in_order(text, "#1  ", "OK: full handshake in", "#2  ", "OK: resumed in", "resumes by ticket", "resumed")


@test
def ladder_shows_how_far_a_failed_handshake_got():
    need("openssl")
    got, text = ladder("-tls1_2", "--client", "openssl s_client -tls1_3 -connect localhost:{port}")
    check(got.returncode == 12, got)
    in_order(text, "FAILED: the server sent alert fatal protocol_version (70) after ClientHello",
             "-- ClientHello --", "offers TLS 1.3", "Alert  fatal protocol_version (70) --",
             "client: exit status 1: ", "alert protocol version", "server: unsupported protocol")
    check("ServerHello" not in text, text)


@test
def ladder_keeps_to_the_locale():
    for locale, want in (("C", "-- ClientHello --"), ("C.UTF-8", "── ClientHello ──"),
                         ("ja_JP.UTF-8", "-- ClientHello --")):
        text = lab(env={**os.environ, "LC_ALL": locale}).stdout.decode()
        check(want in text, f"{locale}: {text}")
    text = lab("--color", "always", env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode()
    check("\x1b[36mClientHello\x1b[0m" in text, text)


@test
def ladder_of_connect_goes_to_stderr():
    with Serve() as server:
        os.makedirs("temporary", exist_ok=True)
        place = {**os.environ, "TMPDIR": os.path.abspath("temporary")}
        got = connect(server.port, "--ascii", "-tls1_2", text_in=b"x\n", env=place)
        check(got.stdout == b"test\n" and got.returncode == 0, got)
        in_order(got.stderr.decode("ascii"), "#1  127.0.0.1:", "-- ClientHello --", "- ServerHello --",
                 "* Finished --", "connected: TLSv1.2")
    with Serve("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256") as server:
        got = connect(server.port, "--ascii", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
        check(got.returncode == 12, got)
        in_order(got.stderr.decode("ascii"), "FAILED: the server sent alert fatal handshake_failure (40)", "tlswire: ")
    check(os.listdir("temporary") == [], "a capture was left")


@test
def views_of_a_run_are_those_of_the_note():
    shown = {view: lab("--view", view).stdout.decode() for view in ("summary", "tcp", "hex", "verbose")}
    check("Client Hello" in shown["summary"] and "[SYN]" not in shown["summary"], shown["summary"])
    check("Client Hello" in shown["tcp"] and "[SYN]" in shown["tcp"], shown["tcp"])
    check("\n0000  " in shown["hex"] and "[SYN]" not in shown["hex"], shown["hex"])
    check("Handshake Protocol: Client Hello" in shown["verbose"], shown["verbose"])
    for view, text in shown.items():
        check("lab: " not in text, f"{view}: talk in the data")


# ---- help ----

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")


def make_certificate():
    if not os.path.exists("e.crt"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "e.key", "-out",
            "e.crt", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost")


if __name__ == "__main__":
    sys.exit(main())
