#!/usr/bin/env python3
"""What `tlswire serve` answers, and what its options do on the wire, seen by clients of others: openssl, curl,
gnutls-cli, NSS, Python's ssl.

usage: test_serve.py TLSWIRE [TEST...]      prints TAP; a client that is not installed is a skipped test
"""
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ends import *  # noqa: E402,F403 pylint: disable=wildcard-import,unused-wildcard-import,wrong-import-position


# ---- answers ----

@test
def echo_sends_back_all_of_much_data():
    with Serve("--echo") as server:
        data = os.urandom(3 << 20)
        with Peer(server.port) as peer:
            got = peer.exchange(data, len(data))
        check(got == data, "other bytes came back")


@test
def echo_does_not_gather_for_a_peer_that_does_not_read():
    with Serve("--echo") as server:
        with Peer(server.port) as peer:
            peer.tls.settimeout(1)
            sent = 0
            try:
                while sent < 256 << 20:
                    peer.send(bytes(1 << 20))
                    sent += 1 << 20
            except TimeoutError:
                pass
            with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
                peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
            check(sent < 200 << 20, f"{sent} bytes were taken from a peer that reads nothing")
            check(peak < 64 << 10, f"{peak} KiB of memory")


@test
def rev_turns_lines_as_s_server_does():
    with Serve("-rev") as server:
        with Peer(server.port) as peer:
            peer.send(b"abc\r\nde")
            check(peer.exactly(5) == b"cba\r\n", "not turned")
            peer.send(b"f\n\n")
            check(peer.exactly(5) == b"fed\n\n", "not turned")
            peer.send(b"CLOSE\n")
            check(peer.rest() == b"", "no close")
        out = s_client(server.port, "-quiet", text_in=b"hello\nCLOSE\n")
        check("olleh" in out, out)


@test
def two_answers_are_an_error():
    done = run(TLSWIRE, "serve", "-www", "-rev")
    check(done.returncode == 2 and b"-www and -rev are two answers" in done.stderr, done)


# ---- certificates ----

def shown(port, *options):
    """Subject of the certificate that the server shows, and the kind of its key."""
    text = s_client(port, *options)
    subject = re.search(r"^ 0 s:(.*)$", text, re.M)
    check(subject, text[-1500:])
    return subject.group(1), "ec" if "id-ecPublicKey" in text else "rsa"


@test
def certificates_go_by_server_name():
    for name, subject in (("a", "a.example"), ("b", "b"), ("star", "star"), ("own", "own")):
        certificate(name, subject=subject, names=f"DNS:{subject}")
    with Serve("-cert", "own.crt", "-key", "own.key", "-servername", "a.example", "-cert2", "a.crt", "-key2",
               "a.key", "--sni", "b.example=b.crt,b.key", "--sni=*.example=star.crt,star.key") as server:
        for asked, want in (("a.example", "a.example"), ("B.EXAMPLE", "b"), ("c.example", "star"),
                            ("c.d.example", "own"), ("example", "own")):
            for version in ("-tls1_2", "-tls1_3"):
                got = shown(server.port, "-servername", asked, version)[0]
                check(got == f"CN = {want}", f"{asked}: {got}")
        check(shown(server.port, "-noservername")[0] == "CN = own", "no name, other certificate")
    with Serve("-cert", "own.crt", "-key", "own.key", "-servername", "a.example", "-servername_fatal") as server:
        check("alert number 112" in s_client(server.port, "-servername", "x.example"), "no unrecognized_name")
        check(shown(server.port, "-servername", "a.example")[0] == "CN = own", "its own name is refused")
    for options, says in ((["-cert2", "a.crt"], "-servername"), (["--sni", "a.example"], "NAME=CERTIFICATE"),
                          (["--sni", "x=nothing.crt"], "nothing.crt")):
        done = run(TLSWIRE, "serve", "-port", "0", *options)
        check(done.returncode in (1, 2) and says.encode() in done.stderr, done)


@test
def two_kinds_of_key_side_by_side():
    certificate("ec")
    certificate("rsa", algorithm="rsa")
    with Serve("-cert", "ec.crt", "-key", "ec.key", "-dcert", "rsa.crt", "-dkey", "rsa.key") as server:
        check(shown(server.port, "-sigalgs", "ECDSA+SHA256")[1] == "ec", "not ECDSA")
        check(shown(server.port, "-sigalgs", "RSA-PSS+SHA256")[1] == "rsa", "not RSA")
        check(shown(server.port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")[1] == "rsa", "not RSA")


@test
def certificates_are_read_in_every_form():
    certificate("ec")
    openssl("x509", "-in", "ec.crt", "-outform", "DER", "-out", "ec.der")
    openssl("pkey", "-in", "ec.key", "-outform", "DER", "-out", "eckey.der")
    openssl("pkcs12", "-export", "-in", "ec.crt", "-inkey", "ec.key", "-passout", "pass:secret", "-out", "ec.p12")
    openssl("ec", "-in", "ec.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    with open("both.pem", "w", encoding="ascii") as both:
        both.write(open("ec.crt", encoding="ascii").read() + open("ec.key", encoding="ascii").read())
    with open("word", "w", encoding="ascii") as word:
        word.write("secret\n")
    for path in ("eckey.der", "ec.p12", "locked.key", "both.pem"):
        os.chmod(path, 0o600)
    for options in (["-cert", "ec.der", "-key", "eckey.der", "-certform", "DER", "-keyform", "der"],
                    ["-cert", "ec.p12", "-pass", "pass:secret"], ["-cert", "both.pem"],
                    ["-cert", "ec.crt", "-key", "locked.key", "-pass", "file:word"]):
        with Serve(*options) as server:
            check(fetch(server.port) == b"test\n", options)
    os.environ["WORD"] = "secret"
    with Serve("-cert", "ec.crt", "-key", "ec.p12", "-pass", "env:WORD") as server:
        check(fetch(server.port) == b"test\n", "a key in PKCS #12")
    os.chmod("ec.key", 0o640)
    refused = ((["-cert", "ec.crt", "-key", "locked.key"], "needs a passphrase"),
               (["-cert", "ec.crt", "-key", "locked.key", "-pass", "pass:wrong"], "not with this passphrase"),
               (["-cert", "ec.p12", "-pass", "pass:wrong"], "another passphrase"),
               (["-cert", "ec.crt", "-key", "eckey.der", "-keyform", "PEM"], "not PEM"),
               (["-cert", "ec.crt", "-key", "ec.key"], "open to others (mode 0640)"))
    for options, says in refused:
        done = run(TLSWIRE, "serve", "-port", "0", *options)
        check(done.returncode == 1 and says in done.stderr.decode() and b"secret" not in done.stderr, done)
    with Serve("-cert", "ec.crt", "-key", "ec.key", "--insecure-key-perms") as server:
        check(fetch(server.port) == b"test\n", "--insecure-key-perms")
    os.chmod("ec.key", 0o600)


@test
def chain_of_cert_chain_is_sent():
    certificate("ec")
    certificate("more", subject="more")
    with Serve("-cert", "ec.crt", "-key", "ec.key", "-cert_chain", "more.crt") as server:
        text = s_client(server.port)
        check(" 1 s:CN = more" in text, text[:1500])


@test
def client_certificates_are_asked_for_and_judged():
    certificate("ca", subject="our CA", names="DNS:ca", usage="critical,CA:TRUE")
    certificate("ec")
    certificate("alice", subject="alice\\/x", names="DNS:alice", ca="ca", usage="CA:FALSE")
    certificate("mallory", subject="mallory", names="DNS:mallory")
    files = ["-cert", "ec.crt", "-key", "ec.key", "-CAfile", "ca.crt"]
    alice, mallory = ["-cert", "alice.crt", "-key", "alice.key"], ["-cert", "mallory.crt", "-key", "mallory.key"]
    with Serve(*files, "-verify", "3") as server:
        text = s_client(server.port, *alice)
        check("Acceptable client certificate CA names\nCN = our CA" in text, text)
        s_client(server.port)
        s_client(server.port, *mallory, "-tls1_2")
        server.says("certificate=trusted")
        server.says("client=CN=mallory certificate=")
        server.says("self-signed certificate")
        until(lambda: server.text().count(" ok\n") == 3, server.text())
    with Serve(*files, "-Verify", "3", "-verify_return_error") as server:
        for version in ("-tls1_2", "-tls1_3"):
            check("test" in s_client(server.port, "-quiet", version, *alice), "a trusted one is refused")
            check("test" not in s_client(server.port, "-quiet", version), "without a certificate")
            check("test" not in s_client(server.port, "-quiet", version, *mallory), "with any certificate")
        server.says("peer did not return a certificate")
        server.says("not trusted: self-signed certificate")
    with Serve(*files, "-verify", "1", "-no_ca_names") as server:
        check("No client certificate CA names sent" in s_client(server.port, *alice), "names were sent")


@test
def nocert_serves_those_who_have_the_key():
    for version in ("-tls1_2", "-tls1_3"):
        with Serve("-nocert", "-psk", "c0ffee", "-psk_identity", "me", "-psk_hint", "ask me") as server:
            text = s_client(server.port, version, "-psk", "c0ffee", "-psk_identity", "me")
            check("\ntest\n" in text and "Peer certificate" not in text, text)
            if version == "-tls1_2":
                check("PSK identity hint: ask me" in text, text)
            check("test\n" not in s_client(server.port, version, "-psk", "c0ffee", "-psk_identity", "you"),
                  "another identity is taken")
            check("test\n" not in s_client(server.port, version, "-psk", "beef", "-psk_identity", "me"),
                  "another key is taken")
    with Serve("-nocert", "-cipher", "aNULL:@SECLEVEL=0", "-no_tls1_3") as server:
        check("ADH-" in s_client(server.port, "-cipher", "aNULL:@SECLEVEL=0"), "not anonymous")


# ---- sessions ----

def resumes(port, *options):
    """Whether a second connection resumes the first one's session, in each version."""
    for version in ("-tls1_2", "-tls1_3"):
        if os.path.exists("session"):
            os.unlink("session")
        s_client(port, version, "-sess_out", "session", *options)
        if not os.path.exists("session"):
            yield None
            continue
        yield "Reused, TLS" in s_client(port, version, "-sess_in", "session", *options)


@test
def sessions_as_asked_for():
    for options, want in (([], [True, True]), (["-no_ticket"], [True, True]),
                          (["-no_ticket", "-no_cache"], [None, False]),
                          (["-num_tickets", "0"], [True, None])):
        with Serve(*options) as server:
            got = list(resumes(server.port))
            check(got == want, f"{options}: {got}, not {want}")
    with Serve("-num_tickets", "4") as server:
        text = s_client(server.port, "-msg", "-tls1_3")
        check(text.count("<<< TLS 1.3, Handshake [length 00") >= 4 and text.count(", NewSessionTicket") == 4, text)


@test
def early_data_comes_once_and_is_marked():
    with Serve("--echo", "-early_data") as server:
        with open("early", "wb") as file:
            file.write(b"early bird")
        if os.path.exists("session"):
            os.unlink("session")  # another test's
        with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-sess_out", "session",
                               "-tls1_3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as first:
            until(lambda: os.path.exists("session") and os.path.getsize("session"), "a ticket")
            first.stdin.write(b"Q\n")
            first.stdin.flush()
            text = first.stdout.read()
        check(b"Max Early Data: 16384" in text, text)
        client = ["-sess_in", "session", "-early_data", "early", "-ign_eof"]
        with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *client],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
            seen = b""
            while b"early bird" not in seen:
                piece = os.read(first.stdout.fileno(), 65536)
                check(piece, seen)
                seen += piece
            first.kill()
        check(b"Early data was accepted" in seen, seen)
        server.says("early-data=10")
        text = s_client(server.port, *client[:4], wait=False, text_in=b"Q\n")
        check("Early data was rejected" in text, f"a ticket serves twice: {text}")
    with Serve("-early_data", "-max_early_data", "99") as server:
        check("Max Early Data: 99" in s_client(server.port, "-tls1_3"), "another maximum")
    done = run(TLSWIRE, "serve", "-early_data", "-no_cache", "-port", "0")
    check(done.returncode == 2 and b"replayed" in done.stderr, done)


@test
def ocsp_response_is_stapled():
    certificate("ca", subject="our CA", names="DNS:ca", usage="critical,CA:TRUE")
    certificate("leaf", ca="ca", usage="CA:FALSE")
    serial = openssl("x509", "-in", "leaf.crt", "-noout", "-serial").stdout.decode().strip().split("=")[1]
    with open("index.txt", "w", encoding="ascii") as index:
        index.write(f"V\t351231235959Z\t\t{serial}\tunknown\t/CN=localhost\n")
    made = openssl("ocsp", "-index", "index.txt", "-rsigner", "ca.crt", "-rkey", "ca.key", "-CA", "ca.crt", "-issuer",
                   "ca.crt", "-cert", "leaf.crt", "-respout", "response.der", "-ndays", "2")
    check(os.path.exists("response.der"), made.stderr)
    with Serve("-cert", "leaf.crt", "-key", "leaf.key", "-status", "-status_file", "response.der") as server:
        for version in ("-tls1_2", "-tls1_3"):
            text = s_client(server.port, "-status", version, "-CAfile", "ca.crt")
            check("OCSP Response Status: successful" in text and "Cert Status: good" in text, text)
        check("OCSP response: no response sent" not in text, text)
    for options, says in ((["-status"], "-status_file"), (["-status_file", "ca.crt"], "no OCSP response")):
        done = run(TLSWIRE, "serve", "-port", "0", *options)
        check(done.returncode in (1, 2) and says.encode() in done.stderr, done)


@test
def what_openssl_does_by_name():
    two = ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "-tls1_2"]
    other = ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"]
    with Serve(*two) as server:
        check("Cipher is ECDHE-ECDSA-AES128" in s_client(server.port, *other), "the client's order")
    with Serve(*two, "-serverpref") as server:
        check("Cipher is ECDHE-ECDSA-AES256" in s_client(server.port, *other), "the server's order")
    with Serve("-tls1_2", "-echo") as server:
        text = s_client(server.port, "-msg", text_in=b"R\n", wait=False)
        check("RENEGOTIATING" in text and "no_renegotiation" in text, text)
    with Serve("-tls1_2", "-echo", "-client_renegotiation") as server:
        text = s_client(server.port, "-msg", text_in=b"R\n", wait=False)
        check("RENEGOTIATING" in text and "no_renegotiation" not in text and text.count(", ServerHelloDone") == 2, text)
    with Serve("-record_padding", "512", "-tls1_3") as server:
        text = s_client(server.port, "-msg")
        check("17 03 03 02 10" in text and "17 03 03 04 10" in text, text[:3000])  # multiples, and 16 for the tag
    for option, says in (("-dhparam=x", "does not take -dhparam"),
                         ("-verfy", "did you mean -verify"), ("-tlsextdebug", "not there yet"),
                         ("-verify=x", "how many certificates"), ("-psk=xyz", "hexadecimal")):
        done = run(TLSWIRE, "serve", "-port", "0", option)
        check(done.returncode == 2 and says.encode() in done.stderr, done)


# ---- HTTP ----

def curl(server, path="/", *options):
    need("curl")
    done = run("curl", "-sk", "--path-as-is", "-m", "30", *options, f"https://localhost:{server.port}{path}")
    check(done.returncode == 0, f"curl {options} {path}: {done}")
    return done.stdout.decode("utf-8", "replace")


@test
def status_page_in_three_forms_over_three_versions_of_http():
    with Serve("-www") as server:
        for version, carried in (("--http1.0", "HTTP/1.0"), ("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")):
            page = curl(server, "/", version)
            check(f"Request         {carried}" in page and "JA4             t13d" in page, page)
            check("── ClientHello ──" in page and "decrypted with the keys from this server" in page, page)
            data = json.loads(curl(server, "/x?y", version, "-H", "Accept: application/json"))
            check(data["protocol"] == "TLSv1.3" and re.fullmatch("[0-9a-f]{32}", data["ja3"]), data)
            check({"number": 4865, "name": "TLS_AES_128_GCM_SHA256"} in data["offer"]["cipher_suites"], data)
            check(any("ClientHello" in line for line in data["ladder"]), data)
            html = curl(server, "/", version, "-H", "Accept: text/html,*/*;q=0.8")
            check(html.startswith("<!DOCTYPE html>") and "<h2>What was said</h2>" in html, html)
        check(curl(server, "/", "-I", "--http1.1").startswith("HTTP/1.1 200"), "HEAD")
        check(curl(server, "/", "-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}") == "405", "PUT")
        check(curl(server, "/", "-X", "PUT", "--http1.1", "-i").startswith("HTTP/1.1 405"), "PUT")
    check("FAILED" not in server.text() and server.text().count(" ok\n") >= 11, server.text())


@test
def status_page_escapes_what_the_client_says():
    with Serve("-www") as server:
        for accept, never in (("text/html", b"<script"), ("*/*", b"\x1b")):
            head = f"GET / HTTP/1.0\r\nAccept: {accept}\r\n\r\n".encode()
            context = insecure()
            context.set_alpn_protocols(["<script>\x1b[31m", "http/1.1"])
            page = fetch(server.port, head, context=context)
            check(b"[31m" in page and never not in page, page)


@test
def requests_of_one_connection_are_answered_in_order():
    with Serve("-www") as server:
        with Peer(server.port) as peer:
            one = b"GET /1 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n"
            peer.send(one * 3 + b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            data = peer.rest()
        check(data.count(b"\r\nDate: ") == 4 and data.count(b"Connection: keep-alive") == 3, data)
        for request, status in ((b"GET / HTTP/3.0\r\n\r\n", b"505"), (b"GET x HTTP/1.1\r\n\r\n", b"400"),
                                (b"GET /%zz HTTP/1.1\r\n\r\n", b"400"), (b"GET / HTTP/1.1\nX: y\n\n", b"200"),
                                (b"GET /" + b"x" * 20000, b"400"),
                                (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405")):
            if status == b"200":
                request = request.replace(b"X: y", b"Connection: close")
            got = fetch(server.port, request)
            check(got.split(b" ")[1] == status and got.count(b"\r\nDate: ") == 1, (request[:40], got[:200]))


@test
def other_clients_read_the_page():
    with Serve("-www") as server:
        need("gnutls-cli")
        done = run("gnutls-cli", "--insecure", "-p", server.port, "localhost", text_in=b"GET / HTTP/1.0\r\n\r\n")
        check(done.returncode == 0 and b"Cipher suite" in done.stdout, done)
        for version in ("-tls1_2", "-tls1_3"):
            text = s_client(server.port, version, "-quiet", text_in=b"GET / HTTP/1.0\r\n\r\n")
            check(f"Protocol        TLSv1.{version[-1]}" in text, text)
    with Serve("-www", "-tls1", "-cipher", "ALL:@SECLEVEL=0") as server:
        text = s_client(server.port, "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-quiet", text_in=b"GET / HTTP/1.0\r\n\r\n")
        check("Protocol        TLSv1\n" in text, text)


@test
def nss_reads_the_page():
    need("tstclnt", "certutil")
    os.mkdir("nss")
    run("certutil", "-N", "-d", "sql:nss", "--empty-password")
    with Serve("-www") as server:
        # It does not end by itself when its input is over.
        with subprocess.Popen(["tstclnt", "-d", "sql:nss", "-h", "127.0.0.1", "-p", str(server.port), "-o", "-V",
                               "tls1.2:tls1.3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as client:
            client.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
            client.stdin.flush()
            seen = b""
            while b"Finished" not in seen:
                piece = os.read(client.stdout.fileno(), 65536)
                check(piece, seen)
                seen += piece
            client.kill()
        check(b"Protocol        TLSv1.3" in seen, seen)


@test
def files_of_one_folder_and_no_others():
    os.makedirs("root/sub/deep")
    for path, text in (("root/index.html", "<p>home"), ("root/sub/index.html", "sub"), ("root/a b.txt", "spaces"),
                       ("root/sub/deep/x.json", "{}"), ("secret", "not yours")):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    big = os.urandom(5 << 20)
    with open("root/big", "wb") as file:
        file.write(big)
    os.symlink("../secret", "root/out")
    os.symlink("/etc/passwd", "root/passwd")
    os.symlink("a b.txt", "root/in")
    os.mkfifo("root/fifo")
    os.symlink("/dev/zero", "root/zero")
    open("root/empty", "w", encoding="ascii").close()
    with Serve("-WWW", "root") as server:
        for version in ("--http1.0", "--http1.1", "--http2"):
            check(curl(server, "/", version) == "<p>home", "index.html")
            check(curl(server, "/a%20b.txt?query", version) == "spaces", "a name with a space")
            check(curl(server, "/in", version) == "spaces", "a link that stays inside")
            check(curl(server, "/sub/", version) == "sub", "a folder's index.html")
            check(curl(server, "/empty", version) == "", "an empty file")
            check(curl(server, "/sub/deep/x.json", version, "-o", "/dev/null", "-w", "%{content_type}") ==
                  "application/json", "type")
            head = curl(server, "/sub", version, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
            check(head == f"301 https://localhost:{server.port}/sub/", head)
            for path in ("/nothing", "/../secret", "/..%2fsecret", "/sub/../../secret", "/%2e%2e/secret", "/out", "/passwd",
                         "/fifo", "/zero", "//etc/passwd", "/sub/deep/", "/./../secret"):
                code = curl(server, path, version, "-w", "\n%{http_code}").splitlines()
                check(code[-1] in ("403", "404") and "yours" not in code[0] and "root:" not in code[0], (path, code))
            run("curl", "-sk", version, "-o", "got", f"https://localhost:{server.port}/big")
            with open("got", "rb") as got:
                check(got.read() == big, f"another file came: {version}")
        done = run("curl", "-sk", "--http2", "-Z", *[f"https://localhost:{server.port}/big?{i}" for i in range(8)],
                   *["-o/dev/null"] * 8, "-w", "%{size_download} ")
        check(done.stdout.split() == [b"5242880"] * 8, done)
    done = run(TLSWIRE, "serve", "-port", "0", "-WWW", "no-such-folder")
    check(done.returncode == 1 and b"no-such-folder" in done.stderr, done)


@test
def files_for_a_slow_reader_take_no_memory():
    os.makedirs("slow", exist_ok=True)
    with open("slow/huge", "wb") as file:
        file.truncate(300 << 20)
    with Serve("-WWW=slow") as server:
        with Peer(server.port) as peer:
            peer.send(b"GET /huge HTTP/1.0\r\n\r\n")
            peer.exactly(100000)
            time.sleep(0.5)
            with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
                peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
            check(peak < 64 << 10, f"{peak} KiB of memory")
            check(fetch(server.port, b"GET /none HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404"), "the others wait")


@test
def whole_responses_come_as_they_are():
    os.makedirs("raw", exist_ok=True)
    with open("raw/tea", "wb") as file:
        file.write(b"HTTP/1.0 418 I'm a teapot\r\nX-Tea: yes\r\n\r\nshort and stout")
    with Serve("-HTTP", "raw") as server:
        check(fetch(server.port, b"GET /tea HTTP/1.0\r\n\r\n").endswith(b"X-Tea: yes\r\n\r\nshort and stout"), "changed")
        check(curl(server, "/tea", "-w", " %{http_code}") == "short and stout 418", "curl")


# ---- programs and proxies ----

def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@test
def a_program_for_each_connection():
    with Serve("--exec", "read line; echo got $line $TLSWIRE_VERSION $TLSWIRE_SNI; exit 3") as server:
        with Peer(server.port, name="b.example") as peer:
            peer.send(b"hello\n")
            check(peer.rest() == b"got hello TLSv1.3 b.example\n", "no answer, or another")
        server.says("program=exit 3")
    with Serve("--exec", "echo $$; sleep 1000 & echo $!; wait") as server:
        with Peer(server.port) as peer:
            data = b""
            while data.count(b"\n") < 2:
                data += peer.tls.recv(100)
            pids = [int(pid) for pid in data.split()]
            check(not any(gone(pid) for pid in pids), "no program")
        until(lambda: all(gone(pid) for pid in pids), "the program ends with its connection")


@test
def a_program_and_its_reader_wait_for_each_other():
    with Serve("--exec", "cat") as server:
        data = os.urandom(3 << 20)
        with Peer(server.port) as peer:
            check(peer.exchange(data, len(data)) == data, "other bytes came back")
    with Serve("--exec", "head -c 300000000 /dev/zero") as server:
        with Peer(server.port) as peer:
            peer.exactly(100000)
            time.sleep(0.5)
            with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
                peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
            check(peak < 64 << 10, f"{peak} KiB of memory")


class Plain:
    """A TCP server in a thread: HANDLER gets each connection."""

    def __init__(self, handler):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.handler = handler
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(LIMIT)
                self.handler(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def echo_all(connection):
    try:
        while data := connection.recv(65536):
            connection.sendall(data)
    except OSError:
        pass


@test
def proxy_forwards_plain_bytes():
    with Plain(echo_all) as behind, Serve("--proxy", f"127.0.0.1:{behind.port}") as server:
        data = os.urandom(3 << 20)
        with Peer(server.port) as peer:
            check(peer.exchange(data, len(data)) == data, "other bytes came back")

        def speak(connection):
            connection.sendall(b"hello")
        behind.handler = speak
        check(fetch(server.port) == b"hello", "the end of the server behind")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Serve("--proxy", f"localhost:{port}") as server:
        try:
            fetch(server.port)
        except OSError:
            pass
        server.says("cannot connect to the server behind the proxy: connection refused")
    for where in ("nowhere", "host:0", "no.such.host.invalid:1"):
        done = run(TLSWIRE, "serve", "-port", "0", "--proxy", where)
        check(done.returncode in (1, 2) and done.stderr, done)


@test
def proxy_tls_forwards_to_another_server():
    certificate("ca", subject="our CA", names="DNS:ca", usage="critical,CA:TRUE")
    certificate("behind", ca="ca", usage="CA:FALSE")
    own = ["-cert", "behind.crt", "-key", "behind.key"]
    with Serve("--echo", *own) as behind, Serve("--proxy-tls", f"localhost:{behind.port}", "-CAfile", "ca.crt") as server:
        data = os.urandom(2 << 20)
        with Peer(server.port) as peer:
            check(peer.exchange(data, len(data)) == data, "other bytes came back")
        behind.says("sni=localhost")
    with Serve("-www", *own) as behind, Serve("--proxy-tls", f"localhost:{behind.port}", "-CAfile", "ca.crt", "-alpn",
                                              "h2,http/1.1") as server:
        for version, alpn in (("--http2", "h2"), ("--http1.1", "http/1.1")):
            check(f"ALPN            {alpn}" in curl(server, "/", version), alpn)
    certificate("mallory", subject="mallory", names="DNS:mallory")
    with Serve("-www", "-cert", "mallory.crt", "-key", "mallory.key") as behind:
        with Serve("--proxy-tls", f"localhost:{behind.port}", "-CAfile", "ca.crt") as server:
            try:
                fetch(server.port, b"GET / HTTP/1.0\r\n\r\n")
            except OSError:
                pass
            server.says("server behind the proxy: the peer's certificate is not trusted: self-signed certificate")
        with Serve("--proxy-tls", f"localhost:{behind.port}") as server:
            check("is not checked" in server.text(), server.text())
            check(b"Protocol" in fetch(server.port, b"GET / HTTP/1.0\r\n\r\n"), "no answer")


# ---- what is seen ----

@test
def capture_has_all_connections_and_their_keys():
    with Serve("--capture", "all.pcapng") as server:
        fetch(server.port)
        s_client(server.port, "-tls1_2")
    check(server.status == 0, server.text())
    check(os.stat("all.pcapng").st_mode & 0o777 == 0o600, "others may read the keys")
    out = run(TLSWIRE, "-r", "all.pcapng", "-T", "fields", "-e", "tcp.stream", "-e", "tls.handshake.type", "-Y",
              "tls.handshake.type == 20").stdout.decode().split()
    check("0" in out and "1" in out, out)
    text = run(TLSWIRE, "-r", "all.pcapng", "-z", "follow,tls,ascii,0", "-q").stdout.decode()
    check("test\n" in text, text)
    done = run(TLSWIRE, "serve", "-port", "0", "--capture", "/nonexistent/x")
    check(done.returncode == 1 and b"/nonexistent/x" in done.stderr, done)


@test
def messages_are_told_decrypted():
    with Serve("-msg") as server:
        fetch(server.port)
        server.says(" ok\n")
    check("#1 <<< TLSv1  Client Hello" in server.text() or "#1 <<< TLSv1.3  Client Hello" in server.text(), server.text())
    check("#1 >>> TLSv1.3  Server Hello, Change Cipher Spec, Encrypted Extensions, Certificate" in server.text(),
          server.text())
    with Serve("-trace") as server:
        fetch(server.port, name="trace.example")
        server.says(" ok\n")
    for want in ("Server Name: trace.example", "Handshake Protocol: Encrypted Extensions", "Verify Data"):
        check(want in server.text(), f"{want}: {server.text()[:3000]}")


@test
def more_is_told_when_asked_for():
    with Serve("-brief", "-state", "-debug", "-keymatexport", "EXPORTER-test", "-keymatexportlen", "33") as server:
        text = s_client(server.port, "-keymatexport", "EXPORTER-test", "-keymatexportlen", "33", "-alpn", "x")
        server.says(" ok\n")
    secret = re.search(r"Keying material: ([0-9A-F]{66})", text).group(1)
    for want in (f"#1 Keying material: {secret.lower()}", "#1 Protocol version: TLSv1.3", "#1 No peer certificate",
                 "#1 Ciphersuite: TLS_AES_256_GCM_SHA384", "#1 SSL_accept: SSLv3/TLS write server hello",
                 "#1 alert write: warning close notify", "#1 read 2", "0000 - 16 03 01 "):
        check(want in server.text(), f"{want}: {server.text()[:4000]}")
    with Serve("-quiet") as server:
        fetch(server.port)
        fetch(server.port)
    check(len(server.lines) == 1, server.lines)


@test
def it_ends_after_naccept_connections():
    for more in ([], ["--workers", "3"]):
        with Serve("-naccept", "3", "-echo", *more) as server:
            with Peer(server.port) as first:
                for _ in range(2):
                    with Peer(server.port) as peer:
                        peer.send(b"x")
                        peer.exactly(1)
                with socket.create_connection(("127.0.0.1", server.port)) as fourth:
                    fourth.settimeout(0.5)
                    fourth.sendall(b"GET / HTTP/1.0\r\n\r\n")  # would get an alert
                    try:
                        check(fourth.recv(10) == b"", "a fourth connection")
                    except (TimeoutError, ConnectionResetError):
                        pass
                first.send(b"still here")
                check(first.exactly(10) == b"still here", "the first is gone")
            server.process.wait(20)
        check(server.status == 0, server.text())


@test
def chromium_opens_the_status_page():
    need("chromium", "certutil")
    os.makedirs("home/.pki/nssdb", exist_ok=True)
    run("certutil", "-N", "-d", "sql:home/.pki/nssdb", "--empty-password")
    with Serve("-www") as server:
        profile = os.path.join("home", "profile")
        ca = re.search(r"by the CA (\S+ca\.pem)", server.text()).group(1)
        run("certutil", "-A", "-d", "sql:home/.pki/nssdb", "-n", "local", "-t", "C,,", "-i", ca)
        done = run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
                   f"--user-data-dir={os.path.abspath(profile)}", f"https://localhost:{server.port}/", limit=120,
                   env={**os.environ, "HOME": os.path.abspath("home")})
        page = done.stdout.decode("utf-8", "replace")
        check("<h1>This connection</h1>" in page and "GREASE" in page and "ClientHello" in page,
              (page[-2000:], done.stderr[-1500:]))
        check("alpn=h2" in server.text() or "<td>h2</td>" in page, page)


if __name__ == "__main__":
    sys.exit(main())
