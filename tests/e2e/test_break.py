#!/usr/bin/env python3
"""serve --break NAME and lab --break NAME: what two independent clients, OpenSSL and GnuTLS, make of each.

usage: test_break.py TLSWIRE [WORD…]       prints TAP
"""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from ends import LIMIT, TLSWIRE

PATIENCE = 3  # for a server that is to say nothing
OK = "OK"      # the client is content, and has the server's answer
HANGS = "HANGS"  # it waits

BAD = "certificate verify failed"
ALERT_40 = r"alert handshake failure", r"Received alert \[40\]"
UNEXPECTED = "An unexpected TLS packet was received"
EITHER = "ok$|FAILED"  # its part of the handshake was over; whether it hears of the end is a race
ENDED = "unexpected eof while reading", "non-properly terminated"

# name: what openssl s_client says, what gnutls-cli says, and what the server's lines have in common.  "odd" servers
# are those that these two take: others need not.
EXPECTED = {
    "expired": ("certificate has expired", "uses expired certificate", "FAILED: .*(45|42)"),
    "not-yet-valid": ("certificate is not yet valid", "uses not yet valid certificate", "FAILED: .*42"),
    "self-signed": ("self-signed certificate", "issuer is unknown", "FAILED: .*(48|42)"),
    "untrusted-root": ("unable to get local issuer", "issuer is unknown", "FAILED: .*(48|42)"),
    "wrong-host": ("hostname mismatch", "name in the certificate does not match", "FAILED: .*42"),
    "missing-intermediate": ("unable to get local issuer", "issuer is unknown", "FAILED: .*(48|42)"),
    "expired-intermediate": ("certificate has expired", "uses expired certificate", "FAILED: .*(45|42)"),
    "not-a-ca": ("invalid CA certificate", "issuer is not a CA", "FAILED: .*(48|42)"),
    "no-signing": ("invalid CA certificate", "violates the signer's constraints", "FAILED: .*(48|42)"),
    "path-length": ("path length constraint exceeded", "violates the signer's constraints", "FAILED: .*(48|42)"),
    "name-constraints": ("permitted subtree violation", "violates the signer's constraints", "FAILED: .*(46|42)"),
    "revoked": ("OK, Cert Status: revoked", "certificate chain is revoked", "ok$|FAILED: .*42"),
    "old-ocsp": ("OK, Cert Status: good", "OCSP data are old", "ok$|FAILED: .*42"),
    "sha1": ("digest algorithm too weak", "uses insecure algorithm", "FAILED: .*42"),
    "md5": ("digest algorithm too weak", "uses insecure algorithm", "FAILED: .*42"),
    "rsa-1024": ("EE certificate key too weak", OK, "FAILED: .*42|ok$"),
    "no-san": (OK, OK, "ok$"),
    "x509-v1": (OK, OK, "ok$"),
    "key-usage": (OK, "Key usage violation", "ok$|FAILED: .*80"),
    "extended-key-usage": ("unsuitable certificate purpose", "does not match the intended purpose", "FAILED: .*(43|42)"),
    "critical-extension": ("unhandled critical extension", "unknown critical extension", "FAILED: .*(46|42)"),
    "damaged-certificate": ("certificate signature failure", "signature in the certificate is invalid", "FAILED: .*(51|42)"),
    "wrong-key": ("cert_verify:bad signature", "signature verification has failed", "FAILED: .*51"),
    "huge-chain": ("excessive message size", "handshake data size is too large", "FAILED: .*(47|50)"),
    "no-certificate": ("server_certificate:length mismatch", "No certificate was found", "FAILED: .*50"),
    "intermediate": (OK, OK, "ok$"),
    "long-lived": (OK, OK, "ok$"),
    "root-sent": (OK, OK, "ok$"),
    "wrong-order": (OK, OK, "ok$"),
    "tls1.0": ("legacy sigalg disallowed", OK, "FAILED: .*80|TLSv1 .* ok$"),
    "tls1.1": ("legacy sigalg disallowed", OK, "FAILED: .*80|TLSv1.1 .* ok$"),
    "tls1.2": (OK, OK, "TLSv1.2 .* ok$"),
    "tls1.3": (OK, OK, "TLSv1.3 .* ok$"),
    "old": (OK, OK, "AES256-SHA .* ok$"),
    "cbc": (OK, OK, "ECDHE-ECDSA-AES256-SHA.* ok$"),
    "rsa-key-exchange": (OK, OK, " AES256-GCM-SHA384 .* ok$"),
    "null": (*ALERT_40, "FAILED: no shared cipher"),
    "anonymous": (*ALERT_40, "FAILED: no shared cipher"),
    "rc4": (*ALERT_40, "FAILED: .*sent alert 40"),
    "3des": (*ALERT_40, "FAILED: .*sent alert 40"),
    "export": (*ALERT_40, "FAILED: .*sent alert 40"),
    "dh-512": ("dh key too small", "prime sent by the server is not acceptable", "FAILED: .*(40|71)"),
    "dh-1024": ("dh key too small", OK, "FAILED: .*40|DHE-RSA.* ok$"),
    "no-shared-cipher": (*ALERT_40, "FAILED: no shared cipher"),
    "no-shared-group": (*ALERT_40, "FAILED: no suitable key share"),
    "no-shared-signature": (*ALERT_40, "FAILED: no suitable signature algorithm"),
    "fallback": ("alert inappropriate fallback", r"Received alert \[86\]", "FAILED: .*86: inappropriate fallback"),
    "no-extended-master-secret": (OK, OK, "ok$"),
    "hello-retry": (OK, OK, "secp384r1 .* ok$"),
    "hello-retry-twice": ("server_hello:unexpected message", UNEXPECTED, "FAILED"),
    "alpn-unasked": ("stoc_alpn:bad extension", OK, "FAILED: .*50|alpn=unasked/1 ok$"),
    "alpn-refused": ("alert no application protocol", r"Received alert \[120\]", "FAILED: .*sent alert 120"),
    "unrecognized-name": ("unrecognized name", r"Received alert \[112\]", "FAILED: .*sent alert 112"),
    "unrecognized-name-warning": (OK, OK, "ok$"),
    "client-certificate": ("alert certificate required", r"Received alert \[116\]", "FAILED: .*sent alert 116: certificate required"),
    "many-tickets": (OK, OK, "ok$"),
    "ssl3": ("choose_client_version:unsupported protocol", "illegal or unsupported version", "FAILED"),
    "unoffered-suite": ("wrong cipher returned", "Could not negotiate a supported cipher suite", "FAILED: .*(47|40)"),
    "compression": ("invalid compression algorithm", "An illegal parameter", "FAILED: .*received alert 47"),
    "unasked-extension": ("collect_extensions:bad extension", "An illegal TLS extension", "FAILED: .*received alert (47|110)"),
    "session-id": ("invalid session id", "Decryption has failed", "FAILED"),
    "key-share": ("bad key share", "An illegal parameter", "FAILED: .*received alert 47"),
    "downgrade": ("inappropriate fallback", "An illegal parameter", "FAILED: .*received alert 47"),
    "no-renegotiation-info": ("unsafe legacy renegotiation disabled", r"Received alert \[20\]", "FAILED: .*(40|20)"),
    "bad-signature": ("cert_verify:bad signature", "signature verification has failed", "FAILED: .*received alert 51"),
    "bad-key-exchange": ("key_exchange:bad signature", "signature verification has failed", "FAILED: .*received alert 51"),
    "bad-finished": ("finished:digest check failed", "Finished packet calculation", "FAILED: .*received alert 51"),
    "message-too-long": ("excessive message size", UNEXPECTED, "FAILED: .*(47|10)"),
    "record-version": ("get_record:wrong version number", "illegal or unsupported version", "FAILED"),
    "record-too-long": ("packet length too long", "TLS record packet with invalid length", "FAILED"),
    "unknown-record": ("read_bytes:unexpected message", UNEXPECTED, "FAILED"),
    "empty-records": ("record too small", UNEXPECTED, "FAILED"),
    "empty-data": ("record too small", OK, EITHER),
    "warning-alerts": ("too many warn alerts", "Fatal error: GnuTLS internal error", "FAILED"),
    "change-cipher-specs": ("unexpected ccs message", OK, "FAILED: .*received alert 10|ok$"),
    "early-data": ("read_bytes:unexpected message", UNEXPECTED, "FAILED"),
    "key-updates": (OK, "Too many handshake packets", EITHER),
    "bad-record": ("decryption failed or bad record mac", "Decryption has failed", EITHER),
    "fragments": (OK, OK, "ok$"),
    "segments": (OK, OK, "ok$"),
    "joined": (OK, OK, "ok$"),
    "http": ("wrong version number", UNEXPECTED, "FAILED: broken on purpose: http"),
    "smtp": ("wrong version number", UNEXPECTED, "FAILED: broken on purpose: smtp"),
    "garbage": ("wrong version number", UNEXPECTED, "FAILED: broken on purpose: garbage"),
    "silent": (HANGS, HANGS, "FAILED: broken on purpose: silent"),
    "no-close-notify": (*ENDED, "ok$"),
    "end": (*ENDED, "FAILED: broken on purpose: end"),
    "reset": ("errno=104|status 1", "Error in the pull function", "FAILED: broken on purpose: reset"),
}

DAMAGED = "decryption failed or bad record mac", "Decryption has failed"
# Families, at a message, with a version: the same three.
FAMILIES = {
    ("stall:ServerHello", "-tls1_2"): (HANGS, HANGS, "FAILED: broken on purpose: stall:ServerHello"),
    ("stall:Finished", "-tls1_3"): (HANGS, HANGS, "FAILED: broken on purpose: stall:Finished"),
    ("stall:ApplicationData", "-tls1_3"): (HANGS, HANGS, "FAILED: broken on purpose: stall:ApplicationData"),
    ("end:Certificate", "-tls1_3"): (*ENDED, "FAILED: broken on purpose: end:Certificate"),
    ("end:CloseNotify", "-tls1_2"): (*ENDED, "FAILED: broken on purpose: end:CloseNotify"),
    ("reset:Finished", "-tls1_2"): ("status 1", "Error in the pull function", "FAILED: broken on purpose: reset:Finished"),
    ("alert:ServerHello", "-tls1_2"): ("alert internal error", r"Received alert \[80\]", "FAILED: broken on purpose: alert:ServerHello"),
    ("alert:EncryptedExtensions/49", "-tls1_3"): ("alert access denied", r"Received alert \[49\]", "FAILED: broken on purpose"),
    ("alert:Finished/71", "-tls1_3"): ("alert insufficient security", r"Received alert \[71\]", "FAILED: broken on purpose"),
    ("alert:ApplicationData/90", "-tls1_2"): ("alert user cancelled", r"Received alert \[90\]", "FAILED: broken on purpose"),
    ("cut:Certificate", "-tls1_2"): (ENDED[0], "Error decoding the received TLS packet", "FAILED: broken on purpose: cut:Certificate"),
    ("cut:CertificateVerify", "-tls1_3"): (ENDED[0], "Error decoding the received TLS packet", "FAILED: broken on purpose: cut:CertificateVerify"),
    ("drop:Certificate", "-tls1_3"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("drop:CertificateVerify", "-tls1_3"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("drop:ServerKeyExchange", "-tls1_2"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("drop:NewSessionTicket", "-tls1_3"): (OK, OK, "ok$"),
    ("repeat:Certificate", "-tls1_3"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("repeat:ServerHello", "-tls1_2"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("swap:Certificate", "-tls1_2"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("swap:CertificateVerify", "-tls1_3"): ("unexpected message", "unexpected TLS", "FAILED: .*alert 10"),
    ("corrupt:Finished", "-tls1_2"): ("digest check failed", "Finished packet calculation", EITHER),
    ("corrupt:EncryptedExtensions", "-tls1_3"): ("length mismatch", "Fatal error", "FAILED: .*received alert (50|51)"),
    ("garble:EncryptedExtensions", "-tls1_3"): (*DAMAGED, "FAILED: .*received alert 20"),
    ("garble:Finished", "-tls1_2"): (*DAMAGED, EITHER),
    ("split:Certificate", "-tls1_3"): (OK, OK, "ok$"),
    ("split:ServerKeyExchange", "-tls1_2"): (OK, OK, "ok$"),
    ("split:Finished", "-tls1_2"): (OK, OK, "ok$"),
    ("segments:ServerHello", "-tls1_3"): (OK, OK, "ok$"),
    ("segments:Certificate", "-tls1_2"): (OK, OK, "ok$"),
}

# What the clients must be told to do, to see it.
CHACHA = ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]
MORE = {
    ("bad-finished", *CHACHA): ("finished:digest check failed", "Finished packet calculation", "FAILED: .*received alert 51"),
    ("fragments", *CHACHA): (OK, OK, "CHACHA20.* ok$"),
    ("fragments", "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"): (OK, OK, "CHACHA20.* ok$"),
    ("joined", "-tls1_2"): (OK, OK, "TLSv1.2 .* ok$"),
    ("bad-finished", "-tls1_2"): ("finished:digest check failed", "Finished packet calculation", EITHER),
    ("empty-data", "-tls1_2"): ("record too small|too many empty", OK, EITHER),
    ("bad-finished", "-cipher", "AES128-SHA", "-rsa", "-tls1_2"): (ENDED[0], ENDED[1], "FAILED: --break bad-finished: .*protected anew"),
    ("expired", "-www"): ("certificate has expired", "uses expired certificate", "FAILED"),
}


def environment(folder):
    return {**os.environ, "XDG_STATE_HOME": folder + "/state", "LC_ALL": "C.UTF-8"}


class Serve:
    def __init__(self, folder, *options):
        self.process = subprocess.Popen([TLSWIRE, "serve", "-port", "0", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(folder))
        self.first = self.process.stderr.readline()
        found = re.search(r"serving on 127\.0\.0\.1:(\d+)", self.first)
        if not found:
            raise AssertionError(f"{options}: {self.first}")
        self.port = found.group(1)
        self.second = self.process.stderr.readline()
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.reader.join()
            self.process.stderr.close()


def talk(arguments, patience):
    """(status, output); the input stays open until the client has ended.  Status None: it waits."""
    client = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = []
        reader = threading.Thread(target=lambda: output.append(client.stdout.read()))
        reader.start()
        status = client.wait(patience)
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()
        status = None
    reader.join()
    client.stdin.close()
    client.stdout.close()
    return status, output[0].decode("utf-8", "replace")


def openssl(port, ca, *more, patience=LIMIT):
    return talk(["openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", "localhost", "-verify_hostname", "localhost",
                 "-CAfile", ca, "-verify_return_error", "-alpn", "h2", "-status", *more], patience)


def gnutls(port, ca, *more, patience=LIMIT):
    return talk(["gnutls-cli", "--x509cafile", ca, "-p", port, "--sni-hostname", "localhost", "--verify-hostname", "localhost",
                 "127.0.0.1", "--alpn", "h2", *more], patience)


def said(status, output):
    if status is None:
        return HANGS
    if status == 0 and re.search(r"test\r?$", output, re.M):
        found = re.findall(r"Cert Status: \w+", output)
        return ", ".join([OK, *found])
    found = re.findall(r"verify error:num=\d+:(.*)|:error:\w+:[^:]*:([^:]*:[^:]*):|^\*\*\* (.*)|Status: (.*NOT.*)|(errno=\d+)",
                       output, re.M)
    return f"status {status}: " + "; ".join("".join(parts) for parts in found)


def attempt(folder, name, options, patience):
    """What the two clients say, and the server that heard them."""
    with Serve(folder, "--break", name, *options) as server:
        ca = folder + "/state/tlswire/ca.pem"
        first = said(*openssl(server.port, ca, patience=patience))
        second = said(*gnutls(server.port, ca, patience=patience))
    return first, second, server


def judge(folder, name, options, expected):
    """What is wrong; nothing when all is as it should be."""
    patience = PATIENCE if HANGS in expected else LIMIT
    first, second, server = attempt(folder, name, options, patience)
    wrong = [f"{who}: {what!r}, not {want!r}" for who, what, want in (("openssl", first, expected[0]), ("gnutls", second, expected[1]))
             if not (re.match(want, what) if want in (OK, HANGS) or want.startswith(OK) else re.search(want, what))]
    if len(server.lines) != 2 or not all(re.search(expected[2], line.rstrip("\n")) for line in server.lines):
        wrong.append(f"the server's lines: {server.lines}, not {expected[2]!r}")
    if not server.second.startswith(f"broken on purpose: {name}: "):
        wrong.append(f"it does not say what it does: {server.second!r}")
    if server.process.returncode != 0:
        wrong.append(f"exit status {server.process.returncode}")
    return wrong


# ---- other tests: functions of a folder that return what is wrong ----

def run(folder, *arguments):
    return subprocess.run([TLSWIRE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, cwd=folder,
                          env=environment(folder), check=False)


def the_list_names_what_is_tested(folder):
    listed = [run(folder, command, "--break", "list") for command in ("serve", "lab")]
    names = re.findall(r"^  ([a-z0-9][\w.-]*) ", listed[0].stdout, re.M)
    families = re.findall(r"^  ([a-z]+):MESSAGE ", listed[0].stdout, re.M)
    wrong = [] if listed[0].stdout == listed[1].stdout and listed[0].returncode == 0 else ["serve and lab differ"]
    wrong += [f"not tested: {n}" for n in names if n not in EXPECTED] + [f"not there: {n}" for n in EXPECTED if n not in names]
    wrong += [f"not tested: {f}:" for f in families if not any(name.startswith(f + ":") for name, _ in FAMILIES)]
    return wrong + ([] if len(names) >= 40 else [f"only {len(names)}"])


def what_is_not_there_is_an_error(folder):
    wrong = []
    for arguments, words in ((["expird"], "is not there"), (["stall"], "is not there"), (["expired:Finished"], "is not there"),
                             (["stall:Hello"], "want a message of the server's: ServerHello"), (["alert:Finished/300"], "up to 255"),
                             (["alert:Finished/"], "up to 255"), (["stall:Finished/3"], "with alert: only"), ([""], "is not there"),
                             (["\x1b[1m"], r"\x1b"), (["expired", "-cert", "x.pem"], "leave out -cert"),
                             (["tls1.0", "-tls1_3"], "not for the TLS version"), (["bad-finished", "-tls1_1"], "not for the TLS version")):
        for command in ("serve", "lab"):
            got = run(folder, command, "-port", "0", "--break", *arguments)
            if got.returncode != 2 or words not in got.stderr or got.stderr.count("\n") != 1:
                wrong.append(f"{command} {arguments}: {got}")
    return wrong


def lab_shows_the_failure_and_both_ends_errors(folder):
    wrong = []
    for name, status, words in (("expired", 12, ["FAILED: the client sent alert fatal certificate_expired (45)", "dates FAILED",
                                                 "client: the peer's certificate is not trusted: certificate has expired",
                                                 "server: sslv3 alert certificate expired"]),
                                ("alert:Finished/49", 12, ["* Alert  fatal access_denied (49)", "client: tlsv1 alert access denied",
                                                           "server: broken on purpose: alert:Finished"]),
                                ("bad-finished", 12, ["Finished FAILED", "client: digest check failed"]),
                                ("reset", 12, ["reset by the server", "client: the connection broke: connection reset",
                                               "server: broken on purpose: reset"]),
                                ("revoked", 12, ["client: the peer's certificate is not trusted: certificate revoked",
                                                 "received alert 113"]),
                                ("old-ocsp", 12, ["client: the peer's certificate is not trusted: OCSP verification failed"]),
                                ("fragments", 0, ["OK: full handshake", "Finished ok"]),
                                ("joined", 0, ["OK: full handshake", "Finished ok"])):
        for more in ([], ["--no-capture"]):
            got = run(folder, "lab", "-port", "0", "--ascii", "--break", name, "-dir", "lab-" + name.replace(":", "-").replace("/", "-"), *more)
            missing = [w for w in ["lab: broken on purpose: " + name, "ca.crt", *words] if w not in got.stdout]
            if got.returncode != status or missing:
                wrong.append(f"{name}: status {got.returncode}, not there: {missing}\n{got.stdout}{got.stderr}")
    return wrong


def a_client_certificate_of_the_local_ca_will_do(folder):
    """The server trusts its own CA, and names it."""
    with Serve(folder, "--break", "client-certificate") as server:
        _, output = openssl(server.port, folder + "/state/tlswire/ca.pem")
    return [] if "Acceptable client certificate CA names\nCN = tlswire local CA" in output else [output[-2000:]]


OTHERS = [the_list_names_what_is_tested, what_is_not_there_is_an_error, lab_shows_the_failure_and_both_ends_errors,
          a_client_certificate_of_the_local_ca_will_do]


def tests(folder):
    clients = all(shutil.which(name) for name in ("openssl", "gnutls-cli"))
    for function in OTHERS:
        yield function.__name__.replace("_", " "), lambda f=function: f(folder)
    rows = [*(((name,), want) for name, want in EXPECTED.items()), *FAMILIES.items(), *MORE.items()]
    for (name, *options), expected in rows:
        title = " ".join(["what clients make of", name, *options])
        yield title, (lambda n=name, o=options, e=expected: judge(folder, n, o, e)) if clients else None


def guarded(test):
    try:
        return test() if test else None
    except Exception as problem:  # pylint: disable=broad-except
        return [f"{type(problem).__name__}: {problem}"]


def main():
    failed = 0
    wanted = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        os.chmod(folder, 0o755)
        run(folder, "ca", "show")
        listed = [(title, test) for title, test in tests(folder) if not wanted or any(w in title for w in wanted)]
        print(f"1..{len(listed)}", flush=True)
        results = pool.map(guarded, [test for _, test in listed])
        for number, ((title, _), wrong) in enumerate(zip(listed, results), 1):
            failed += bool(wrong)
            for line in "\n".join(wrong or []).splitlines():
                print(f"# {line}")
            skip = " # SKIP openssl or gnutls-cli is not installed" if wrong is None else ""
            print(f"{'not ' if wrong else ''}ok {number} - {title}{skip}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
