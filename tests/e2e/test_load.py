#!/usr/bin/env python3
"""serve under load, under attack, and while it is told to change: nothing is lost, nothing leaks, nothing spins.

usage: test_load.py TLSWIRE [TEST…]       prints TAP; bench/load is built beside the program
"""
import ctypes
import mmap
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import ends
from ends import LIMIT, Peer, Serve, Skip, certificate, check, fetch, insecure, need, run, test, until

LOAD = os.path.join(os.path.dirname(ends.TLSWIRE), "bench", "load")


def load(*arguments, **more):
    if not os.path.exists(LOAD):
        raise Skip(f"{LOAD} is not built: ninja -C build bench/load")
    done = run(LOAD, *arguments, **more)
    return {key: float(value) for key, value in re.findall(rb"(\w+)=([\d.]+)", done.stdout)}


def number(result, name):
    return result.get(name.encode(), -1)


def hold(*arguments):
    """Connections that stay until the process gets the end of its input."""
    if not os.path.exists(LOAD):
        raise Skip(f"{LOAD} is not built: ninja -C build bench/load")
    process = subprocess.Popen([LOAD, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return process, {key: float(value) for key, value in re.findall(rb"(\w+)=([\d.]+)", process.stdout.readline())}


def pem(*names):
    for name in names:
        certificate(name)
    return ["-cert", f"{names[0]}.crt", "-key", f"{names[0]}.key"]


def files():
    if not os.path.exists("files"):
        os.mkdir("files")
        pathlib.Path("files/small").write_text("test\n")
        with open("files/big", "wb") as out:
            out.truncate(64 << 20)
    return ["-WWW", "files"]


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def status(process):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines())


def resident(process):
    return int(status(process)["VmRSS"].split()[0])


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reset(plain):
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()


def hello():
    """The bytes of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = insecure().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def shown_certificate(port):
    with Peer(port) as peer:
        return ssl.DER_cert_to_PEM_cert(peer.tls.getpeercert(True))


@test
def certificates_are_read_again_a_hundred_times_under_load():
    certificate("one")
    certificate("two")
    shutil.copy("one.crt", "now.crt")
    shutil.copy("one.key", "now.key")
    with Serve("-cert", "now.crt", "-key", "now.key", *files(), "-quiet", "--no-drop") as server:
        results = []
        worker = threading.Thread(target=lambda: results.append(load("handshake", server.port, 3, 8, "/small")))
        worker.start()
        for count in range(100):
            name = ("one", "two")[count % 2]
            # The pair is never half there: the server reads it only after the signal.
            shutil.copy(f"{name}.crt", "now.crt")
            shutil.copy(f"{name}.key", "now.key")
            server.process.send_signal(signal.SIGHUP)
            until(lambda n=count: server.text().count("read again") > n, "the certificate is read again")
        worker.join()
        check(results and number(results[0], "failed") == 0 and number(results[0], "done") > 20, f"{results}")
        check(shown_certificate(server.port).strip() == pathlib.Path("two.crt").read_text().strip(), "the last one is shown")
        pathlib.Path("now.key").write_text("no key\n")
        server.process.send_signal(signal.SIGHUP)
        server.says("stays as it was")
        check(shown_certificate(server.port).strip() == pathlib.Path("two.crt").read_text().strip(), "the old one is kept")


@test
def a_session_is_resumed_after_the_certificate_was_read_again():
    with Serve(*pem("one"), "-echo", "--no-drop") as server:
        context = insecure(maximum_version=ssl.TLSVersion.TLSv1_2)
        with Peer(server.port, context=context) as peer:
            session = peer.tls.session
        server.process.send_signal(signal.SIGHUP)
        server.says("read again")
        with Peer(server.port, context=context, session=session) as peer:
            check(peer.tls.session_reused, "resumed")


@test
def tickets_outlive_a_change_of_keys():
    with Serve(*pem("one"), "-echo", "--ticket-rotation", "1") as server:
        context = insecure(maximum_version=ssl.TLSVersion.TLSv1_2)
        with Peer(server.port, context=context) as peer:
            session = peer.tls.session
        time.sleep(1.1)
        with Peer(server.port, context=context, session=session) as peer:
            check(peer.tls.session_reused, "the key before is taken")
        time.sleep(3.5)
        with Peer(server.port, context=context, session=session) as peer:
            check(not peer.tls.session_reused, "a key that was forgotten is not")


@test
def told_to_stop_it_finishes_what_is_under_way():
    with Serve(*pem("one"), *files()) as server:
        with Peer(server.port) as peer:
            peer.send(b"GET /big HTTP/1.0\r\n\r\n")
            head = peer.exactly(1000)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: socket.socket().connect_ex(("127.0.0.1", server.port)) != 0, "no new connections")
            body = (head + peer.rest()).split(b"\r\n\r\n", 1)[1]
        check(len(body) == 64 << 20, f"{len(body)} bytes came")
        check(server.process.wait(LIMIT) == 0, "exit code 0")


@test
def told_to_stop_it_says_close_notify_to_idle_ones():
    with Serve(*pem("one"), "-echo") as server:
        with Peer(server.port) as peer:
            peer.send(b"hello")
            peer.exactly(5)
            server.process.send_signal(signal.SIGTERM)
            check(peer.rest() == b"", "close_notify, not a torn end")
        check(server.process.wait(LIMIT) == 0, "exit code 0")


@test
def told_twice_it_stops_at_once():
    with Serve(*pem("one"), *files(), "--drain-limit", "600") as server:
        with Peer(server.port) as peer:
            peer.send(b"GET /big HTTP/1.0\r\n\r\n")
            peer.exactly(1000)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: socket.socket().connect_ex(("127.0.0.1", server.port)) != 0, "no new connections")
            check(server.process.poll() is None, "it waits for the download")
            server.process.send_signal(signal.SIGTERM)
            check(server.process.wait(LIMIT) == 0, "exit code 0")


@test
def stalled_handshakes_do_not_stop_the_others_and_end():
    with Serve(*pem("one"), *files(), "-quiet", "--handshake-limit", "5") as server:
        before = descriptors(server.process)
        stalled, result = hold("stall", server.port, 600)
        check(number(result, "done") == 600, f"{result}")
        good = load("probe", server.port, 50, 0, "/small")
        check(number(good, "done") == 50 and number(good, "failed") == 0, f"{good}")
        until(lambda: descriptors(server.process) <= before + 2, "the stalled ones are closed")
        stalled.communicate(b"")


@test
def idle_connections_end():
    with Serve(*pem("one"), "-echo", "--idle-limit", "1") as server:
        with Peer(server.port) as peer:
            check(peer.rest() == b"", "close_notify comes")


@test
def more_than_the_limit_wait():
    with Serve(*pem("one"), "-echo", "--max-connections", "5") as server:
        first = [Peer(server.port) for _ in range(5)]
        waiting = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)
        waiting.sendall(hello())
        waiting.settimeout(0.5)
        try:
            check(not waiting.recv(1), "nothing is answered")
        except TimeoutError:
            pass
        for peer in first:
            peer.tls.close()
        waiting.settimeout(LIMIT)
        check(waiting.recv(1) == b"\x16", "now it is its turn")
        waiting.close()


@test
def one_peer_cannot_take_all():
    with Serve(*pem("one"), "-echo", "--max-per-address", "3") as server:
        with Peer(server.port), Peer(server.port), Peer(server.port):
            try:
                Peer(server.port)
                raise AssertionError("a fourth connection was taken")
            except (ssl.SSLError, OSError):
                pass
            server.says("it has 3 connections already")
        until(lambda: works(server.port), "later it may")


def works(port):
    try:
        with Peer(port) as peer:
            peer.send(b"x")
            return peer.exactly(1) == b"x"
    except (ssl.SSLError, OSError):
        return False


@test
def without_descriptors_it_waits_and_does_not_spin():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
    with Serve(*pem("one"), "-echo", preexec_fn=few) as server:
        crowd = []
        for _ in range(150):
            plain = socket.socket()
            plain.settimeout(LIMIT)
            plain.connect(("127.0.0.1", server.port))
            crowd.append(plain)
        time.sleep(0.5)
        began = processor_seconds(server.process)
        time.sleep(2)
        check(processor_seconds(server.process) - began < 1, "the processor is not kept busy by waiting")
        for plain in crowd:
            plain.close()
        until(lambda: works(server.port), "it serves again")


@test
def a_peer_that_does_not_read_is_cut_off():
    with Serve(*pem("one"), *files(), "--write-limit", "1") as server:
        before, memory = descriptors(server.process), resident(server.process)
        with Peer(server.port) as peer:
            peer.send(b"GET /big HTTP/1.0\r\n\r\n")
            server.says("does not read")
            check(resident(server.process) - memory < 8 << 10, f"{resident(server.process) - memory} kB for one slow reader")
        until(lambda: descriptors(server.process) <= before, "it is closed")


@test
def a_reset_at_any_byte_is_survived():
    with Serve(*pem("one"), "-echo") as server:
        before, bytes_ = descriptors(server.process), hello()
        for cut in range(0, len(bytes_), 7):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)
            plain.sendall(bytes_[:cut])
            reset(plain)
        for read in range(1, 900, 40):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=0.5)
            plain.sendall(bytes_)
            try:
                while read > 0 and (piece := plain.recv(read)):
                    read -= len(piece)
            except TimeoutError:
                pass  # the flight was shorter
            reset(plain)
        check(works(server.port), "it serves on")
        until(lambda: descriptors(server.process) <= before + 1, f"{before} descriptors at first, {descriptors(server.process)} now")


@test
def a_flood_of_failures_does_not_fill_the_log():
    for more in ([], ["--workers", "3"]):
        with Serve(*pem("one"), "-echo", "--log-limit", "5", *more) as server:
            for _ in range(300):
                plain = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT)
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                plain.close()
            def left_out():
                return sum(map(int, re.findall(r"^tlswire: (\d+) more connections? failed", server.text(), re.M)))
            def told():
                return re.findall(r"^(\S+)\.\d+ #\d+ .*FAILED", server.text(), re.M)
            until(lambda: len(told()) + left_out() == 300, "each is told or counted while it runs")
            each = [told().count(second) for second in set(told())]
            check(max(each) <= 5, f"lines a second: {each}")
            check(works(server.port), "it serves on")
            server.says(" ok\n")
        check(server.status == 0 and len(told()) + left_out() == 300, f"the same at the end: {server.text()[-800:]}")


@test
def what_a_peer_sends_is_cut_and_escaped_in_the_log():
    need("openssl")
    with Serve(*pem("one"), "-quiet") as quiet, Serve(*pem("one")) as server:
        for port in (quiet.port, server.port):
            run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "\x1b" * 250, "-quiet")
        server.says(" sni=" + "\\x1b" * 64 + "… ok\n")
        check("\x1b" not in server.text(), "no control character")
    check(" sni=" not in quiet.text(), "and no line where there is nothing to say")


@test
def key_updates_without_end_are_refused():
    with Serve(*pem("one"), "-echo") as server:
        few = load("updates", server.port, 100)
        check(number(few, "sent") == 100 and number(few, "ended") == 0, f"a hundred are fine: {few}")
        many = load("updates", server.port, 3000)
        check(number(many, "ended") == 1, f"three thousand are not: {many}")
        server.says("too many key updates")


@test
def renegotiation_is_refused():
    with Serve(*pem("one"), "-echo") as server:
        need("openssl")
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(1)
        client.stdin.write(b"R\n")
        client.stdin.flush()
        out = client.communicate(timeout=LIMIT)[0].decode("utf-8", "replace")
        check("no renegotiation" in out.lower(), out[-600:])
        check(works(server.port), "it serves on")


@test
def memory_does_not_grow_with_connections():
    with Serve(*pem("one"), *files(), "-quiet") as server:
        before = descriptors(server.process)
        warm = load("handshake", server.port, 2, 8, "/small")
        first = resident(server.process)
        more = load("resume", server.port, 2, 8, "/small")
        more2 = load("handshake", server.port, 2, 8, "/small")
        check(all(number(r, "failed") == 0 for r in (warm, more, more2)), f"{warm} {more} {more2}")
        check(number(more, "resumed") > 0, f"sessions were resumed: {more}")
        check(resident(server.process) - first < 4 << 10, f"{first} kB, then {resident(server.process)} kB")
        until(lambda: descriptors(server.process) <= before, "all descriptors are back")


@test
def idle_connections_are_small():
    with Serve(*pem("one"), "-echo", "-quiet", "--max-connections", "3000") as server:
        before = resident(server.process)
        client, result = hold("idle", server.port, 900)
        check(number(result, "done") == 900, f"{result}")
        each = (resident(server.process) - before) / 900
        check(each < 32, f"{each:.1f} KiB each")
        client.communicate(b"")


MANY = 1 << 40


@test
def an_allocation_that_fails_costs_one_connection():
    need("cc")
    source = os.path.join(os.path.dirname(os.path.abspath(ends.__file__)), "scarce.c")
    check(run("cc", "-O", "-shared", "-fPIC", "-o", "scarce.so", source).returncode == 0, "scarce.c compiles")
    pathlib.Path("scarce").write_bytes(bytes(4096))
    folder = os.getcwd()
    environment = {**os.environ, "LD_PRELOAD": f"{folder}/scarce.so", "SCARCE_COUNT": f"{folder}/scarce"}
    with open("scarce", "r+b") as file, mmap.mmap(file.fileno(), 4096) as page, \
            Serve(*pem("one"), "-quiet", env=environment) as server:
        def asks(left):
            page[:8] = struct.pack("q", left)
            try:
                with Peer(server.port) as peer:
                    return peer.rest() == b"test\n"
            except TimeoutError:
                raise  # it must not be left waiting
            except (ssl.SSLError, OSError):
                return False
            finally:
                left_over.append(struct.unpack("q", page[:8])[0])
                page[:8] = bytes(8)
        left_over = []
        check(asks(0) and asks(0) and asks(MANY), "it serves")
        count = MANY - left_over[-1]
        check(count > 100, f"{count} allocations for one answer")
        before, failed, tried = descriptors(server.process), 0, 0
        end = time.monotonic() + (600 if os.environ.get("FULL") else 6)
        for i in range(count):
            if time.monotonic() > end:
                break
            left = i * 7919 % count + 1  # a prime: all of them, far ones first
            tried += 1
            failed += not asks(left)
            check(server.process.poll() is None, f"alive after allocation {left} failed: {server.text()[-800:]}")
            check(asks(0), f"the next one is served after allocation {left} failed: {server.text()[-800:]}")
        check(failed > 0, f"{failed} of {tried} were refused")
        print(f"# {failed} of {tried} of {count} allocations were missed", flush=True)
        until(lambda: descriptors(server.process) <= before, "all descriptors are back")
    check(server.status == 0, f"exit code {server.status}")


@test
def workers_share_the_work():
    with Serve(*pem("one"), *files(), "--workers", "3", "-quiet", "--no-drop") as server:
        threads = len(os.listdir(f"/proc/{server.process.pid}/task"))
        check(threads >= 3, f"{threads} threads")
        full = load("handshake", server.port, 2, 16, "/small")
        again = load("resume", server.port, 2, 16, "/small")
        check(number(full, "failed") == 0 and number(again, "failed") == 0, f"{full} {again}")
        check(number(again, "resumed") > number(again, "done") * 0.9, f"a ticket is good at every worker: {again}")
        server.process.send_signal(signal.SIGHUP)
        server.says("read again")
        check(load("probe", server.port, 20, 0, "/small")[b"failed"] == 0, "after the signal, too")
    check(server.status == 0, f"exit code {server.status}")


@test
def workers_end_in_order():
    with Serve(*pem("one"), *files(), "--workers", "2") as server:
        peers = [Peer(server.port) for _ in range(6)]
        for peer in peers:
            peer.send(b"GET /big HTTP/1.0\r\n\r\n")
            peer.exactly(1000)
        server.process.send_signal(signal.SIGTERM)
        for peer in peers:
            check(len(peer.rest()) > 63 << 20, "the whole file")
        check(server.process.wait(LIMIT) == 0, "exit code 0")
        ids = re.findall(r" #(\d+) ", server.text())
        check(len(ids) == 6 and len(set(ids)) == 6, f"a line each, each with its number: {server.text()}")


@test
def a_key_that_only_root_reads_can_be_replaced():
    if os.geteuid() != 0:
        raise Skip("not started as root")
    for name in ("one", "two"):
        certificate(name)
    for end in ("crt", "key"):
        shutil.copy(f"one.{end}", f"kept.{end}")
        os.chmod(f"kept.{end}", 0o600)
    with Serve("-cert", "kept.crt", "-key", "kept.key", "-echo") as server:
        for end in ("crt", "key"):
            os.rename(shutil.copy(f"two.{end}", f"new.{end}"), f"kept.{end}")
            os.chmod(f"kept.{end}", 0o600)
        server.process.send_signal(signal.SIGHUP)
        server.says("read again")
        check(shown_certificate(server.port).strip() == pathlib.Path("two.crt").read_text().strip(), "the new one is shown")
        check(status(server.process)["Uid"].split() == ["65534"] * 4, "by a server that is not root")
        children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        check(len(children) == 1, f"one keeper: {children}")
        keeper = pathlib.Path(f"/proc/{children[0]}")
        check("Seccomp:\t2" in (keeper / "status").read_text(), "which is confined")
        check(len(os.listdir(keeper / "fd")) <= 4, "and has no socket of the server")
    until(lambda: not keeper.exists(), "it ends with the server")


@test
def root_is_given_up():
    if os.geteuid() != 0:
        raise Skip("not started as root")
    with Serve(*pem("one"), "-echo") as server:
        check(works(server.port), "it serves")
        now = status(server.process)
        check(now["Uid"].split() == ["65534"] * 4 and now["Gid"].split() == ["65534"] * 4, f"{now['Uid']} {now['Gid']}")
        check(int(now["CapEff"], 16) == 0 and int(now["CapPrm"], 16) == 0 and int(now["CapBnd"], 16) == 0, f"{now}")
        check(now["Groups"].split() == [], f"groups {now['Groups']}")
        check(now["NoNewPrivs"] == "1" and now["Seccomp"] == "2", f"{now['NoNewPrivs']} {now['Seccomp']}")
    with Serve(*pem("one"), "-echo", "--no-drop", "--sandbox", "off") as server:
        check(status(server.process)["Uid"].split() == ["0"] * 4 and status(server.process)["Seccomp"] == "0", "unless told")


@test
def keys_that_others_can_read_are_refused():
    certificate("open")
    os.chmod("open.key", 0o644)
    done = run("timeout", "10", ends.TLSWIRE, "serve", "--port", "0", "-cert", "open.crt", "-key", "open.key")
    check(done.returncode != 0 and b"--insecure-key-perms" in done.stderr and b"chmod" in done.stderr, f"{done}")


if __name__ == "__main__":
    sys.exit(ends.main())
