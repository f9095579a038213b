#!/usr/bin/env python3
"""serve as it comes, before scanners and before clients by wolfSSL.

usage: test_foreign.py TLSWIRE [TEST…]       prints TAP; a program that is not installed is a skipped test
"""
import os
import pathlib
import re
import shutil
import sys

import ends
from ends import Serve, Skip, check, need, run, test

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "foreign" / "wolf_client.c"


def state():
    """A folder for the local CA, and the environment that says so."""
    os.makedirs("state", mode=0o700, exist_ok=True)
    return {**os.environ, "XDG_STATE_HOME": os.path.abspath("state")}


def authority():
    done = run(ends.TLSWIRE, "ca", "path", env=state())
    check(done.returncode == 0, done.stderr)
    return done.stdout.decode().strip()


@test
def wolfssl_trusts_the_local_ca():
    need("cc")
    built = run("cc", "-o", "wolf_client", SOURCE, "-lwolfssl")
    if built.returncode:
        raise Skip("wolfSSL is not installed (libwolfssl-dev)")
    with Serve("-www", env=state()) as server:
        for version in ("1.2", "1.3"):
            done = run("./wolf_client", server.port, authority(), version)
            check(done.returncode == 0 and f"TLSv{version}".encode() in done.stderr, f"{done}")
            check(b"200 OK" in done.stdout and b"localhost" in done.stdout, f"{done.stdout[:300]}")
        server.says("TLSv1.3")


@test
def wolfssl_refuses_what_is_wrong():
    need("cc")
    if not os.path.exists("wolf_client"):
        raise Skip("wolfSSL is not installed (libwolfssl-dev)")
    for name in ("expired", "wrong-host", "untrusted-root"):
        with Serve("-break", name, env=state()) as server:
            done = run("./wolf_client", server.port, authority(), "1.3")
            check(done.returncode == 1 and b"handshake" in done.stderr, f"{name}: {done}")


@test
def sslscan_has_nothing_to_say():
    need("sslscan")
    with Serve("-www", env=state()) as server:
        done = run("sslscan", "--no-colour", f"localhost:{server.port}", limit=120)
        text = done.stdout.decode()
        check(done.returncode == 0, f"{done}")
        for line in ("SSLv2     disabled", "SSLv3     disabled", "TLSv1.0   disabled", "TLSv1.1   disabled", "TLSv1.2   enabled",
                     "TLSv1.3   enabled", "supports TLS Fallback SCSV", "Session renegotiation not supported"):
            check(line in text, f"{line!r} in {text}")
        suites = re.findall(r"^(?:Preferred|Accepted)\s+(TLSv1\.[23])\s+\d+ bits\s+(\S+)", text, re.M)
        check(len(suites) >= 6 and all(re.search("GCM|POLY1305", name) for _, name in suites), f"{suites}")
        check(all(name.startswith(("ECDHE-", "TLS_")) for _, name in suites), f"{suites}")


@test
def testssl_has_nothing_to_say():
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if not program:
        raise Skip("testssl is not installed")
    with Serve("-www", env=state()) as server:
        done = run(program, "--quiet", "--color", "0", "--warnings", "off", "--fast", "--ip", "one", "-p", "-s", "-f", "-C", "-R",
                   "-H", "-I", "-T", "-Z", "-O", "-L", f"localhost:{server.port}", limit=200)
        text = done.stdout.decode("utf-8", "replace")
        check("Done 20" in text, text[-500:])
        check("TLS 1.3    offered (OK)" in text, text[:2000])
        for complaint in ("NOT ok", "VULNERABLE", "vulnerable (NOT", "Fatal error", "Oops"):
            check(complaint not in text, f"{complaint!r}: {[line for line in text.splitlines() if complaint in line]}")


if __name__ == "__main__":
    sys.exit(ends.main())
