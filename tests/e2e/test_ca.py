#!/usr/bin/env python3
"""tlswire ca, and the certificates that serve makes for the names that clients ask for.

usage: test_ca.py TLSWIRE       prints TAP; a peer that is not installed is a skipped test
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

from ends import LIMIT, TLSWIRE, check, main, need, test


def environment(**more):
    return {**{k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_STATE_HOME")}, **more}


def run(*arguments, **more):
    more.setdefault("env", environment(XDG_STATE_HOME=os.getcwd() + "/state"))
    return subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                          text=True, check=False, **more)


class Serve:
    def __init__(self, *options, env=None):
        self.process = subprocess.Popen([TLSWIRE, "serve", "-port", "0", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env=env or environment(XDG_STATE_HOME=os.getcwd() + "/state"))
        self.first = ""
        for line in self.process.stderr:
            self.first += line
            if found := re.search(r"serving on 127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        self.reader = threading.Thread(target=lambda: list(self.process.stderr))
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT)
        self.reader.join()

    def certificate(self, name, host="127.0.0.1", **more):
        """The verified certificate that a client sees; a failure is an exception."""
        context = ssl.create_default_context(cafile="state/tlswire/ca.pem", **more)
        context.check_hostname = name is not None
        with socket.create_connection((host, self.port), timeout=LIMIT) as plain:
            with context.wrap_socket(plain, server_hostname=name) as tls:
                return tls.getpeercert(), tls.getpeercert(True), tls.cipher()[0]


@test
def made_once_and_private():
    first = run(TLSWIRE, "ca", "show")
    check(first.returncode == 0 and "CN=tlswire local CA" in first.stdout, first)
    check(run(TLSWIRE, "ca", "show").stdout == first.stdout, "another one at the second call")
    path = run(TLSWIRE, "ca", "path")
    check(path.stdout == os.path.join(os.getcwd(), "state/tlswire/ca.pem\n") and not path.stderr, path)
    for name, mode in (("", 0o700), ("ca-key.pem", 0o600)):
        found = stat.S_IMODE(os.stat("state/tlswire/" + name).st_mode)
        check(found == mode, f"{name}: {found:o}")
    check(sorted(os.listdir("state/tlswire")) == ["ca-key.pem", "ca.pem"], os.listdir("state/tlswire"))
    os.unlink("state/tlswire/ca.pem")
    check(run(TLSWIRE, "ca", "show").stdout == first.stdout, "not the same without ca.pem")
    check(os.path.exists("state/tlswire/ca.pem"), "ca.pem is not written again")
    renewed = run(TLSWIRE, "ca", "new")
    check(renewed.returncode == 0 and renewed.stdout != first.stdout, renewed)
    check(run(TLSWIRE, "ca", "show").stdout == renewed.stdout, "the new one is not kept")


@test
def many_processes_at_once_agree_on_one():
    calls = [subprocess.Popen([TLSWIRE, "ca", "show"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              env=environment(HOME=os.getcwd() + "/home")) for _ in range(8)]
    shown = {call.communicate(timeout=LIMIT)[0] for call in calls}
    check(len(shown) == 1 and all(call.returncode == 0 for call in calls), shown)
    folder = "home/.local/state/tlswire"
    check(sorted(os.listdir(folder)) == ["ca-key.pem", "ca.pem"], os.listdir(folder))


@test
def what_others_could_have_touched_is_refused():
    def refused(words):
        got = run(TLSWIRE, "ca", "path")
        check(got.returncode == 1 and words in got.stderr and not got.stdout and got.stderr.count("\n") == 1, got)
    run(TLSWIRE, "ca", "show")
    os.chmod("state/tlswire", 0o770)
    refused("others may write to")
    os.chmod("state/tlswire", 0o700)
    os.chmod("state/tlswire/ca-key.pem", 0o640)
    refused("others can read the key")
    os.chmod("state/tlswire/ca-key.pem", 0o600)
    check(run(TLSWIRE, "ca", "path").returncode == 0, "still refused")
    with open("state/tlswire/ca-key.pem", "w") as key:
        key.write("nothing\n")
    refused("does not hold a CA and its key")
    os.rename("state/tlswire/ca-key.pem", "elsewhere")
    os.symlink(os.getcwd() + "/elsewhere", "state/tlswire/ca-key.pem")
    refused("cannot open")
    check(run(TLSWIRE, "ca", "new").returncode == 0 and run(TLSWIRE, "ca", "path").returncode == 0, "not renewed")
    if os.geteuid() == 0:
        os.chown("state/tlswire", 65534, 65534)
        refused("belongs to somebody else")


@test
def certificates_for_others():
    need("openssl")
    for name, host in (("db.example", True), ("192.0.2.1", True), ("A User", False), ("a@b.example", False)):
        got = run(TLSWIRE, "ca", "issue", name)
        check(got.returncode == 0 and got.stdout.startswith(f"{name}.pem   "), got)
        check(stat.S_IMODE(os.stat(name + ".pem").st_mode) == 0o600, "not private")
        purpose = "sslserver" if host else "sslclient"
        got = run("openssl", "verify", "-CAfile", "state/tlswire/ca.pem", "-purpose", purpose, name + ".pem")
        check(got.returncode == 0, got)
        again = run(TLSWIRE, "ca", "issue", name)
        check(again.returncode == 1 and "File exists" in again.stderr and again.stderr.count("\n") == 1, again)
    for name in ("", "../x", "a/b", ".hidden", "-x", "a\nb", "x" * 65, "\u00e9"):
        got = run(TLSWIRE, "ca", "issue", name)
        check(got.returncode == 2 and got.stderr.count("\n") == 1, (name, got))
    with Serve("--break", "client-certificate") as server:
        for certificate, wanted in ((["-cert", "A User.pem"], True), ([], False)):
            got = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{server.port}", "-CAfile", "state/tlswire/ca.pem",
                                  "-ign_eof", *certificate], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=LIMIT, check=False)
            check(("alert certificate required" not in got.stderr) == wanted, (certificate, got.stdout, got.stderr))


@test
def words_that_are_none():
    for arguments, status, words in (((), 2, "usage:"), (("shwo",), 2, "did you mean show?"), (("path", "x"), 2, "want show"),
                                     (("-help",), 0, "")):
        got = run(TLSWIRE, "ca", *arguments)
        check(got.returncode == status and words in got.stderr, got)


@test
def certificates_for_the_names_that_clients_ask_for():
    with Serve() as server:
        check("certificates by the CA " + os.getcwd() + "/state/tlswire/ca.pem" in server.first, server.first)
        for name in ("localhost", "a.example", "_x.b-c.example", "xn--bcher-kva.example", "127.0.0.1", "l" * 63 + ".example" * 8):
            shown, der, suite = server.certificate(name)
            again = server.certificate(name)[1]
            check(der == again, f"{name}: a new certificate for each connection")
            days = (ssl.cert_time_to_seconds(shown["notAfter"]) - ssl.cert_time_to_seconds(shown["notBefore"])) / 86400
            check(days <= 398, days)
        shown, _, _ = server.certificate(None)
        check(("IP Address", "127.0.0.1") in shown["subjectAltName"] and ("DNS", "localhost") in shown["subjectAltName"], shown)


@test
def names_that_are_no_names_stay_out_of_certificates():
    need("openssl")
    with Serve() as server:
        for name in ("a,DNS:evil.example", "*.example", "a..b", "-a.example", "a\nb", "a b", "\u00e9.example", "a" * 64):
            shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name, "-CAfile",
                        "state/tlswire/ca.pem", "-verify_return_error", "-verify_hostname", "localhost")
            check(shown.returncode == 0 and "Verification: OK" in shown.stdout, (name, shown.stdout[-300:], shown.stderr))
        server.certificate("still.example")


@test
def rsa_for_clients_that_know_no_other():
    need("openssl")
    with Serve() as server:
        for options, kind in ((["-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"], "RSA-PSS"), (["-tls1_2", "-cipher", "aRSA"], "RSA"),
                              (["-tls1_2"], "ECDSA"), ([], "ECDSA")):
            shown = run("openssl", "s_client", "-connect", f"localhost:{server.port}", "-CAfile", "state/tlswire/ca.pem",
                        "-verify_return_error", *options)
            check(shown.returncode == 0 and f"Peer signature type: {kind}" in shown.stdout, (options, shown.stdout[-900:]))
    with Serve("-rsa") as server:
        check("RSA" in server.certificate("localhost", )[2] or b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" in
              server.certificate("localhost")[1], "no RSA key with -rsa")


@test
def curl_trusts_it():
    need("curl")
    with Serve("-www") as server:
        path = run(TLSWIRE, "ca", "path").stdout.strip()
        page = run("curl", "-s", "--cacert", path, f"https://localhost:{server.port}/")
        check(page.returncode == 0 and "TLSv1.3" in page.stdout, page)
    with Serve("-www") as server:  # another server, the same CA
        page = run("curl", "-s", "--cacert", path, f"https://127.0.0.1:{server.port}/")
        check(page.returncode == 0, page)


@test
def without_a_home_the_ca_is_temporary():
    for variables in ({}, {"HOME": "relative"}, {"HOME": "/proc/nowhere"}):
        with Serve(env=environment(**variables)) as server:
            check("so the CA is a temporary one" in server.first and server.first.count("\n") == 3, server.first)
            with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as plain:
                with ssl._create_unverified_context().wrap_socket(plain, server_hostname="a.example") as tls:
                    check(tls.recv(10) == b"test\n", "no answer")
        got = run(TLSWIRE, "ca", "path", env=environment(**variables))
        check(got.returncode == 1 and got.stderr.startswith("tlswire: ") and got.stderr.count("\n") == 1, got)


if __name__ == "__main__":
    sys.exit(main(own_folders=True))
