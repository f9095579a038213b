#!/usr/bin/env python3
"""Capturing on lo, from pipes and into rings of files, as tshark does it; all that is sent stays on this machine.

usage: test_capturing.py TLSWIRE [TEST...]     prints TAP; without the right to capture, most is skipped
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import test_front as front
from test_front import ENV, LIMIT, SEED, Skip, TLSWIRE, check, run, seed_bytes

front.TESTS.clear()
test = front.test


def may_capture():
    done = subprocess.run([TLSWIRE, "-i", "lo", "-a", "duration:0.1", "-q"], capture_output=True, text=True, env=ENV,
                          timeout=LIMIT, check=False)
    return done.returncode == 0


def need_capture():
    if not may_capture():
        raise Skip("capturing on lo is not allowed here")


def knock(port, times, pause=0.01):
    """A SYN and a RST each on lo: the port is closed."""
    for _ in range(times):
        with socket.socket() as s:
            s.connect_ex(("127.0.0.1", port))
        time.sleep(pause)


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def capture(*options, port, times=8, pause=0.01):
    """tlswire -i lo while somebody knocks at the port."""
    with subprocess.Popen([TLSWIRE, "-i", "lo", "-f", f"tcp port {port}", *options], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=ENV) as child:
        time.sleep(0.4)
        thread = threading.Thread(target=knock, args=(port, times, pause))
        thread.start()
        try:
            out, err = child.communicate(timeout=LIMIT)
        finally:
            child.kill()
            thread.join()
    return out, err, child.returncode


def count(path):
    out, err, status = run("-n", "-r", path, "-T", "fields", "-e", "frame.number")
    check(status == 0, f"{path}: {err}")
    return len(out.split())


@test
def packets_and_messages():
    need_capture()
    port = closed_port()
    out, err, status = capture("-n", "-c", "4", port=port)
    check(status == 0 and out.count("\n") == 4 and "[RST, ACK]" in out, f"{status} {out}{err}")
    check(err == "Capturing on 'Loopback: lo'\n4 packets captured\n", err)
    out, err, status = capture("-n", "-c", "1", "-Q", port=port)
    check((out, err, status) == ("", "", 0), f"{status} {out}{err}")
    out, err, status = capture("-n", "-a", "packets:3", "-q", port=port)
    check((out, status) == ("", 0) and "3 packets captured\n" in err, f"{status} {out}{err}")


@test
def several_interfaces_each_with_its_filter():
    need_capture()
    port = closed_port()
    with subprocess.Popen([TLSWIRE, "-s", "60", "-i", "lo", "-f", f"tcp port {port} and tcp[tcpflags] & tcp-syn != 0", "-i",
                           "any", "-s", "0", "-f", f"tcp port {port} and tcp[tcpflags] & tcp-rst != 0", "-w", "two.pcapng", "-c",
                           "8"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as child:
        time.sleep(0.5)
        knock(port, 12)
        child.send_signal(signal.SIGINT)
        err = child.communicate(timeout=LIMIT)[1]
    check("Capturing on 'Loopback: lo' and 'any'\n" in err and child.returncode == 0, err)
    rows = {tuple(line.split("\t")) for line in run("-n", "-r", "two.pcapng", "-T", "fields", "-e", "frame.interface_name", "-e",
                                                    "tcp.flags.reset", "-e", "frame.interface_id")[0].splitlines()}
    check(rows == {("lo", "0", "0"), ("any", "1", "1")}, rows)
    sizes = run("-n", "-r", "two.pcapng", "-Y", "frame.interface_id == 0", "-T", "fields", "-e", "frame.cap_len")[0].split()
    check(set(sizes) == {"60"}, f"-s before the first -i is for all that follow: {sizes}")
    if shutil.which("capinfos"):
        info = subprocess.run(["capinfos", "two.pcapng"], capture_output=True, text=True, check=True).stdout
        check(f"Filter string = tcp port {port}" in info and info.count("Number of stat entries = 1") == 2, info)


@test
def rings_of_files():
    need_capture()
    port = closed_port()
    out, err, status = capture("-w", "ring.pcapng", "-b", "packets:4", "-b", "files:2", "-b", "printname:stdout", "-c", "14",
                               port=port, times=10)
    check(status == 0, err)
    names = out.split()
    check(len(names) == 4 and all(re.fullmatch(rf"ring_0000{n}_[0-9]{{14}}\.pcapng", name)
                                  for n, name in enumerate(names, 1)), names)
    kept = sorted(str(path) for path in pathlib.Path().glob("ring_*"))
    check(kept == names[-2:], f"{kept} of {names}")
    check([count(name) for name in kept] == [4, 2], [count(name) for name in kept])
    check(os.stat(kept[0]).st_mode & 0o777 == 0o600, "others may read it")
    out, err, status = capture("-w", "stem", "-b", "packets:2", "-a", "files:3", "-b", "nametimenum:2", "-g", port=port)
    kept = sorted(str(path) for path in pathlib.Path().glob("stem_*"))
    check(status == 0 and len(kept) == 3 and re.fullmatch(r"stem_[0-9]{14}_00001", kept[0]), f"{kept} {err}")
    check([count(name) for name in kept] == [2, 2, 2] and os.stat(kept[0]).st_mode & 0o777 == 0o640, kept)
    capture("-w", "big.pcap", "-F", "pcap", "-b", "filesize:1", "-c", "30", port=port, times=20)
    sizes = [path.stat().st_size for path in sorted(pathlib.Path().glob("big_*"))]
    check(len(sizes) >= 2 and all(1000 <= size < 1100 for size in sizes[:-1]), sizes)
    capture("-w", "turn.pcapng", "-b", "duration:0.5", "-a", "duration:1.8", port=port)
    check(len(list(pathlib.Path().glob("turn_*"))) in (3, 4), "-b duration:")
    capture("-w", "clock.pcapng", "-b", "interval:1", "-a", "duration:2.2", port=port)
    check(len(list(pathlib.Path().glob("clock_*"))) in (3, 4), "-b interval:")


@test
def one_file_until_it_is_full():
    need_capture()
    port = closed_port()
    out, err, status = capture("-w", "full.pcap", "-F", "pcap", "-a", "filesize:1", port=port, times=30)
    check((out, status) == ("", 0) and 1000 <= os.stat("full.pcap").st_size < 1100, f"{status} {err}")
    out, err, status = capture("-w", "said.pcapng", "--capture-comment", "one", "--capture-comment", "two", "-c", "2", "-P",
                               port=port)
    check(status == 0 and out.count("\n") == 2, f"{status} {out}{err}")
    data = pathlib.Path("said.pcapng").read_bytes()
    check(b"\x01\0\x03\0one\0" in data and b"\x01\0\x03\0two\0" in data and count("said.pcapng") == 2, "the comments")


def feed(data, *options, pieces=7):
    """tlswire -i - with the bytes coming in pieces, and the pipe left open for a while."""
    with subprocess.Popen([TLSWIRE, "-n", "-i", "-", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=ENV) as child:
        step = len(data) // pieces + 1
        for at in range(0, len(data), step):
            try:
                child.stdin.write(data[at:at + step])
                child.stdin.flush()
            except BrokenPipeError:
                break  # it had enough
            time.sleep(0.02)
        child.stdin = None if child.poll() is not None else child.stdin
        out, err = child.communicate(timeout=LIMIT)
    return out.decode(), err.decode(), child.returncode


@test
def captures_through_pipes():
    want = run("-n", "-r", SEED)[0]
    out, err, status = feed(seed_bytes())
    check((out, status) == (want, 0) and err == "Capturing on '-'\n16 packets captured\n", f"{status} {err}")
    check(run("-r", SEED, "-w", "seed.pcapng")[2] == 0, "a pcapng")
    out, err, status = feed(pathlib.Path("seed.pcapng").read_bytes(), "-c", "5")
    check(out == "".join(want.splitlines(True)[:5]) and status == 0, f"{status} {err}")
    os.mkfifo("fifo")
    with subprocess.Popen(["sh", "-c", f"cat {SEED} > fifo"]) as cat:
        out, err, status = run("-n", "-i", "fifo")
        cat.wait()
    check((out, status) == (want, 0) and "Capturing on 'fifo'" in err, f"{status} {err}")
    with subprocess.Popen(["sleep", "20"], stdout=subprocess.PIPE) as idle:
        begun = time.monotonic()
        done = subprocess.run([TLSWIRE, "-i", "-", "-a", "duration:0.5"], stdin=idle.stdout, capture_output=True, text=True,
                              env=ENV, timeout=LIMIT, check=False)
        idle.kill()
    check(time.monotonic() - begun < 5 and "0 packets captured" in done.stderr, f"{done.returncode} {done.stderr}")
    cut = feed(seed_bytes()[:-5])
    check(cut[0] == "".join(want.splitlines(True)[:-1]) and cut[2] == 2 and "The standard input appears to have been cut"
          in cut[1], cut[1:])
    check(feed(b"this is no capture at all, but a letter")[2] == 1, "text through a pipe")


@test
def keys_through_a_pipe_go_into_the_file():
    source = (pathlib.Path(front.ROOT) / "tests" / "golden" / "lab_tls13.pcapng").read_bytes()
    out, err, status = feed(source, "-w", "keyed.pcapng")
    check((out, status) == ("", 0), err)
    fields = ["-n", "-T", "fields", "-e", "frame.interface_name", "-e", "tls.handshake.type"]
    want = run("-r", pathlib.Path(front.ROOT) / "tests" / "golden" / "lab_tls13.pcapng", *fields)[0]
    check(run("-r", "keyed.pcapng", *fields)[0] == want and "11" in want, "the copy decrypts as the original")


@test
def sessions_are_reset():
    out, err, status = run("-n", "-r", SEED, "-M", "5", "-T", "fields", "-e", "frame.number", "-e", "tcp.stream")
    rows = [line.split("\t") for line in out.splitlines()]
    check(status == 0 and err == "resetting session.\n" * 3, err)
    check([row[0] for row in rows] == [str(n % 5 + 1) for n in range(16)], rows)
    check(rows[5][1] == "0" and rows[15][1] == "0", "streams are counted anew")


@test
def formats_of_pcap_read_back():
    want = run("-n", "-r", SEED, "-t", "e")[0]
    for kind in ("modpcap", "nokiapcap", "rh6_1pcap", "suse6_3pcap", "pcap", "nsecpcap"):
        check(run("-r", SEED, "-F", kind, "-w", f"as.{kind}") == ("", "", 0), kind)
        got = run("-n", "-r", f"as.{kind}", "-T", "fields", "-e", "frame.len", "-e", "tcp.seq_raw")[0]
        check(got == run("-n", "-r", SEED, "-T", "fields", "-e", "frame.len", "-e", "tcp.seq_raw")[0], kind)
        if not front.MISSING:
            theirs = subprocess.run(["capinfos", "-t", f"as.{kind}"], capture_output=True, text=True, check=True).stdout
            listed = run("-F", "")[1]
            name = next(line.split(" - ", 1)[1] for line in listed.splitlines() if line.split(" - ")[0].strip() == kind)
            check(name in theirs, f"{kind}: {theirs}")
    check(run("-n", "-r", "as.nsecpcap", "-t", "e")[0] == want, "nanoseconds")


@test
def a_profile_is_a_file_of_preferences():
    home = pathlib.Path("config").absolute()
    folder = home / "tlswire" / "profiles" / "work"
    folder.mkdir(parents=True)
    keys = pathlib.Path("keys.log").absolute()
    source = (pathlib.Path(front.ROOT) / "tests" / "golden" / "lab_tls13.pcapng").read_bytes()
    at, text = 0, b""
    while at < len(source):
        kind, size = struct.unpack_from("<II", source, at)
        if kind == 10:
            text += source[at + 16:at + 16 + struct.unpack_from("<I", source, at + 12)[0]]
        at += size
    keys.write_bytes(text)
    blocks, at = [], 0
    while at < len(source):
        kind, size = struct.unpack_from("<II", source, at)
        blocks += [source[at:at + size]] if kind != 10 else []
        at += size
    pathlib.Path("bare.pcapng").write_bytes(b"".join(blocks))
    (folder / "preferences").write_text(f"# mine\n\n  tls.keylog_file: {keys}\n")
    fields = ["-n", "-r", "bare.pcapng", "-T", "fields", "-e", "tls.handshake.type"]

    def profile(name, *more):
        done = subprocess.run([TLSWIRE, "-C", name, *fields, *more], capture_output=True, text=True, timeout=LIMIT, check=False,
                              env=dict(ENV, XDG_CONFIG_HOME=str(home)))
        return done.stdout, done.stderr, done.returncode
    check("11" not in run(*fields)[0], "it decrypts without keys")
    out, err, status = profile("work")
    check(status == 0 and "11" in out, f"{status} {err}")
    out, err, status = profile("nosuch")
    check(status == 1 and err.startswith('tlswire: Configuration Profile "nosuch" does not exist\n'), err)
    check(profile("../x")[2] == 1 and profile("Default")[2] == 0, "names of profiles")
    (folder / "preferences").write_text("tls.keylog_fil: x\n")
    out, err, status = profile("work")
    check(status == 1 and "preferences, line 1: " in err and "tls.keylog_file" in err, err)


if __name__ == "__main__":
    sys.exit(front.main())
