#!/usr/bin/env python3
"""What `tlswire serve` answers, and what its options do on the wire, seen by clients of others: openssl, curl,
gnutls-cli, NSS, Python's ssl.

usage: test_serve.py TLSWIRE [TEST...]      prints TAP; a client that is not installed is a skipped test
"""
import os
import re
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ends import *  # noqa: E402,F403 pylint: disable=wildcard-import,unused-wildcard-import,wrong-import-position


# ---- answers ----

@test
def echo_sends_back_all_of_much_data():
    with Serve("--echo") as server:
        data = os.urandom(3 << 20)
        with Peer(server.port) as peer:
            sender = threading.Thread(target=lambda: peer.send(data))
            sender.start()
            got = peer.exactly(len(data))
            sender.join()
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


if __name__ == "__main__":
    sys.exit(main())
