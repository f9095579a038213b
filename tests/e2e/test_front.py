#!/usr/bin/env python3
"""The command line as tshark's: every option, bad input, exit codes; what is printed, byte for byte.

usage: test_front.py TLSWIRE [TEST...]     prints TAP; where tshark 4.0 is missing, its part is skipped
"""
import gzip
import json
import os
import pathlib
import pty
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from ends import TESTS, TLSWIRE, Skip, check, main, test

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "oracle")]
import agree  # noqa: E402
sys.path[:0] = [str(ROOT / "tests" / "golden")]
import golden  # noqa: E402

GOLDEN = ROOT / "tests" / "golden"
SEED = str(GOLDEN / "seed_summary.pcap")
LIMIT = 40  # seconds; nothing here may take longer
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1")
ORACLE = agree.Oracle("oracle")
MISSING = agree.Oracle.missing()


def run(*arguments, stdout=subprocess.PIPE, **more):
    done = subprocess.run([TLSWIRE, *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE, env=ENV,
                          stdin=subprocess.DEVNULL, timeout=LIMIT, check=False, **more)
    return (done.stdout or b"").decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), done.returncode


def refused(arguments, status, *words):
    """One clear message, the right exit status, nothing on stdout."""
    out, err, got = run(*arguments)
    check(got == status, f"{arguments}: exit status {got}, not {status}: {err}")
    check(out == "", f"{arguments}: printed {out[:80]!r}")
    check(err.startswith("tlswire: ") and err.endswith("\n"), f"{arguments}: said {err!r}")
    for word in words:
        check(word in err, f"{arguments}: {word!r} is not in {err!r}")
    return err


# ---- captures made here ------------------------------------------------------------------------------------

def seed_bytes():
    return pathlib.Path(SEED).read_bytes()


def first_record(data):
    captured = struct.unpack_from("<I", data, 24 + 8)[0]
    return data[:24 + 16 + captured]


def make_bad_captures():
    data = seed_bytes()
    one = first_record(data)
    cut = one + data[len(one):len(one) + 50]
    absurd = one + struct.pack("<IIII", 1, 1, 0x7fffffff, 0x7fffffff) + b"x" * 100
    for name, content in {"cut.pcap": cut, "absurd.pcap": absurd, "empty.pcap": b"", "tiny.pcap": data[:10],
                          "garbage.pcap": b"this is a letter, not a capture\n" * 20}.items():
        pathlib.Path(name).write_bytes(content)
    pathlib.Path("folder.pcap").mkdir(exist_ok=True)


def pcapng_block(kind, body, length=None, again=None):
    size = 12 + len(body)
    return struct.pack("<II", kind, length or size) + body + struct.pack("<I", again or size)


def make_bad_blocks():
    """pcapng with one good packet, and a block after it that is wrong in one way each."""
    section = pcapng_block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    interface = pcapng_block(1, struct.pack("<HHI", 1, 0, 0))
    frame = first_record(seed_bytes())[40:]
    frame += bytes(-len(frame) % 4)

    def packet(index=0, captured=len(frame), **more):
        return pcapng_block(6, struct.pack("<IIIII", index, 0, 5, captured, captured) + frame, **more)
    start = section + interface + packet()
    for name, content in {
            "good": start, "trailer": start + packet(again=99), "short": start + packet(length=7),
            "huge": start + packet(length=0x7ffffff0), "interface": start + packet(index=9),
            "captured": start + packet(captured=999), "captured-more": start + packet(captured=0x7fffffff),
            "cut": start + packet()[:50], "version": section.replace(b"\x01\0\0\0\xff", b"\x03\0\0\0\xff") + interface,
            "simple": section + pcapng_block(3, struct.pack("<I", 4) + b"1234"), "unknown": start + pcapng_block(77, b"what")
            + packet()}.items():
        pathlib.Path(name + ".pcapng").write_bytes(content)


# ---- options that print ------------------------------------------------------------------------------------

@test
def help_and_version():
    for word in ("-h", "--help", "help"):
        out, err, status = run(word)
        check(status == 0 and not err and "tlswire lab" in out and "-Y <filter>" in out, f"{word}: {out[:200]}{err}")
    for word in ("-v", "--version"):
        out, err, status = run(word)
        check(status == 0 and not err and out.startswith("tlswire "), f"{word}: {out}{err}")


@test
def combined_short_options():
    plain, _, _ = run("-n", "-r", SEED, "-c", "2", "-V", "-x")
    check(plain.count("Frame ") >= 2, "nothing to compare")
    check(run("-nr", SEED, "-c2", "-Vx")[0] == plain, "-nr FILE -c2 -Vx")
    check(run("-nxVc2", "--read-file", SEED)[0] == plain, "--read-file FILE")
    check(run("-nxVc2", f"--read-file={SEED}")[0] == plain, "--read-file=FILE")


@test
def quiet_and_write_print_nothing():
    for options in (["-q"], ["-Q"], ["-w", "copy.pcapng"]):
        out, err, status = run("-n", "-r", SEED, *options)
        check((out, err, status) == ("", "", 0), f"{options}: {out[:80]!r} {err!r} {status}")
    for options in (["-q", "-P"], ["-q", "-V"], ["-q", "-x"], ["-q", "-T", "text"], ["-w", "copy2.pcapng", "-P"],
                    ["-w", "copy3.pcapng", "-O", "tcp"]):
        out, _, status = run("-n", "-r", SEED, *options)
        check(status == 0 and out, f"{options}: printed nothing, status {status}")


@test
def count_is_of_packets_read():
    check(run("-n", "-r", SEED, "-c", "3", "-Y", "frame.number > 2")[0].count("\n") == 1, "-c 3 with a filter")
    check(run("-n", "-r", SEED, "-c", "3")[0].count("\n") == 3, "-c 3")


@test
def a_copy_holds_what_passed():
    for kind in ("pcapng", "pcap", "nsecpcap"):
        out, err, status = run("-r", SEED, "-F", kind, "-w", f"some.{kind}", "-Y", "tcp.flags.reset == 1")
        check((out, err, status) == ("", "", 0), f"{kind}: {out}{err}{status}")
        listed = run("-n", "-r", f"some.{kind}", "-T", "fields", "-e", "tcp.flags.reset")[0].split()
        check(listed and set(listed) == {"1"}, f"{kind}: {listed}")
    piped = subprocess.run([TLSWIRE, "-r", SEED, "-w", "-"], capture_output=True, env=ENV, timeout=LIMIT, check=True)
    again = subprocess.run([TLSWIRE, "-n", "-r", "-"], input=piped.stdout, capture_output=True, env=ENV, timeout=LIMIT,
                           check=True)
    check(again.stdout.count(b"\n") == run("-r", SEED, "-n")[0].count("\n"), "-w - | -r -")


@test
def trailing_words_are_a_filter():
    want = run("-n", "-r", SEED, "-Y", "frame.number == 2")[0]
    check(want.count("\n") == 1, want)
    check(run("-n", "-r", SEED, "frame.number", "==", "2")[0] == want, "frame.number == 2")


@test
def ports_as_tls():
    for value in ("tcp.port==4433,tls", "tcp.port==4433,ssl", "tcp.port==4430-4440,tls", "tcp.port==4433:2,tls",
                  "tcp.port==0x1151,tls", "tcp.port==70000,tls"):
        out, err, status = run("-n", "-r", SEED, "-c", "1", "-d", value)
        check(status == 0 and out and not err, f"{value}: {err}")
    refused(["-r", SEED, "-d", "tcp.port==x,tls"], 1, "Invalid selector number \"x\"")
    refused(["-r", SEED, "-d", "tcp.port==5-1,tls"], 1, "5-1")
    refused(["-r", SEED, "-d", "tcp.port"], 1, "doesn't follow the template")
    refused(["-r", SEED, "-d", "udp.port==1,tls"], 1, "Unknown layer type", "tcp.port")
    refused(["-r", SEED, "-d", "tcp.port==1,http"], 1, "Unknown protocol", "tls")


@test
def preferences():
    for value in ("tcp.reassemble_out_of_order:TRUE", "tls.desegment_ssl_records:true", "tls.keylog_file:",
                  "ssl.desegment_ssl_records: TRUE"):
        out, err, status = run("-n", "-r", SEED, "-c", "1", "-o", value)
        check(status == 0 and out and not err, f"{value}: {err}")
    out, err, status = run("-n", "-r", SEED, "-c", "1", "-o", "dtls.psk:abcd")
    check(status == 0 and out and "DTLS is not decrypted" in err, f"{err}")
    refused(["-r", SEED, "-o", "tls.keylog_fil:x"], 1, "unknown preference", "tls.keylog_file")
    refused(["-r", SEED, "-o", "nothing"], 1, "Invalid -o flag")
    for value, want in (("TRUE", "0"), ("FALSE", "2")):  # bad, as offloading leaves it; unverified
        out, err, status = run("-n", "-r", SEED, "-c", "1", "-o", f"tcp.check_checksum:{value}", "-T", "fields", "-e",
                               "tcp.checksum.status")
        check((out, err, status) == (f"{want}\n", "", 0), f"{value}: {out!r} {err}")


@test
def fields_and_their_options():
    base = ["-n", "-r", SEED, "-c", "2", "-T", "fields", "-e", "frame.number", "-e", "tcp.port"]
    for options, want in ((["-E", "header=y"], "frame.number\ttcp.port\n1\t33492,4433\n2\t4433,33492\n"),
                          (["-E", "separator=/s", "-E", "occurrence=f"], "1 33492\n2 4433\n"),
                          (["-E", "separator=;", "-E", "occurrence=l"], "1;4433\n2;33492\n"),
                          (["-E", "aggregator=/t", "-E", "separator=,"], "1,33492\t4433\n2,4433\t33492\n"),
                          (["-E", "aggregator=/s", "-E", "quote=d"], '"1"\t"33492 4433"\n"2"\t"4433 33492"\n'),
                          (["-E", "quote=s", "-E", "bom=y"], "\ufeff'1'\t'33492,4433'\n'2'\t'4433,33492'\n")):
        out, err, status = run(*base, *options)
        check((out, err, status) == (want, "", 0), f"{options}: {out!r} {err}")
    refused([*base, "-E", "nothing=y"], 1, "nothing=y", "header=y|n")
    for option in ("separator=", "aggregator=", "quote=", "header=1"):
        refused([*base, "-E", option], 1, option, "header=y|n")
    out, err, status = run("-n", "-r", SEED, "-c", "1", "-T", "fields", "-e", "ssl.handshake.type", "-e", "frame.number")
    check((out, err, status) == ("\t1\n", "", 0), f"{out!r} {err}")
    many = [word for _ in range(16384) for word in ("-e", "ip.id")]
    out, err, status = run("-n", "-r", SEED, "-c", "1", "-T", "fields", *many)
    check((out.count("\t"), err, status) == (16383, "", 0), f"{err}")
    refused(["-r", SEED, "-T", "fields", *many, "-e", "ip.ttl"], 1, "-e ip.ttl: there are too many fields", "16384")
    err = refused(["-r", SEED, "-T", "fields", "-e", "tls.handshake.typ", "-e", "zzzz"], 1,
                  "Some fields aren't valid:\n\tzzzz\n\ttls.handshake.typ", "did you mean tls.handshake.type?")
    check(err.count("\n") == 3, err)
    refused(["-r", SEED, "-T", "fields"], 1, "no fields were specified with \"-e\"")
    refused(["-r", SEED, "-e", "ip.src"], 1, "was not specified")
    refused(["-r", SEED, "-T", "fields", "-e", "ip.src", "-x"], 1, "Raw packet hex data")


@test
def formats():
    refused(["-r", SEED, "-T", "foo"], 1, "Invalid -T parameter \"foo\"")
    refused(["-r", SEED, "-t", "foo"], 1, "Invalid time stamp type \"foo\"")
    refused(["-r", SEED, "-u", "foo"], 1, "Invalid seconds type")
    refused(["-r", SEED, "-F", "foo", "-w", "x"], 1, "pcapng")


@test
def numbers():
    refused(["-r", SEED, "-c", "0"], 1, "packet count is zero")
    refused(["-r", SEED, "-c", "x"], 1, "isn't a decimal number")
    refused(["-r", SEED, "-c", "-5"], 1, "is a negative number")
    refused(["-r", SEED, "-c", "99999999999999999999"], 1, "too large")
    refused(["-r", SEED, "-a", "duration:1"], 1, "a capture isn't being done")
    refused(["-i", "lo", "-a", "duration:-1"], 1, "negative")
    refused(["-i", "lo", "-a", "duration:x"], 1, "isn't a number")
    refused(["-a", "foo"], 1, "unknown -a flag")
    for kind, name in (("-a", "packets"), ("-a", "filesize"), ("-a", "files"), ("-b", "packets"), ("-b", "filesize"),
                       ("-b", "files"), ("-b", "interval")):
        refused(["-i", "lo", kind, f"{name}:0"], 1, "is zero")
        refused(["-i", "lo", kind, f"{name}:x"], 1, "isn't a decimal number")
    refused(["-i", "lo", "-b", "duration:x"], 1, "isn't a number")
    refused(["-i", "lo", "-b", "nametimenum:3"], 1, "too large")
    refused(["-b", "foo"], 1, 'Invalid or unknown -b arg "foo"')
    refused(["-r", SEED, "-M", "0"], 1, "epan reset count is zero")


@test
def statistics_and_their_names():
    out, err, status = run("-z", "help")
    check(status == 0 and out == "", f"{status} {out!r}")
    names = [line.strip() for line in err.splitlines()[1:]]
    check(names == sorted(names) and {"conv,tcp", "expert", "io,phs"} <= set(names), err)
    for wrong in ("conv", "conv,tcpx", "nothing", "", "conv,\x1b[31m"):
        err = refused(["-r", SEED, "-z", wrong], 1, "Invalid -z argument", "     io,phs\n")
        check("\x1b" not in err, f"{err!r}")
    refused(["-r", SEED, "-z", "flow,tcp"], 1, "flow - Invalid address type")
    refused(["-r", SEED, "-z", "plen,tree,bad["], 1, "stats_tree for: Packet Lengths failed to attach", "bad[")
    refused(["-r", SEED, "-z", "io,phs,tcp.foo"], 1, "io,phs tap", "tcp.foo", "is neither a field nor a protocol name")
    shown, _, _ = run("-n", "-r", SEED)
    with_it, _, status = run("-n", "-r", SEED, "-z", "conv,tcp")
    check(status == 0 and with_it.startswith(shown) and "TCP Conversations" in with_it[len(shown):], with_it)
    first = run("-n", "-q", "-r", SEED, "-z", "conv,tcp", "-z", "io,phs")[0]
    check(first.index("Protocol Hierarchy") < first.index("TCP Conversations"), "the last -z comes first")
    all_of_it = run("-n", "-q", "-r", SEED, "-z", "conv,tcp")[0]
    check(run("-n", "-q", "-r", SEED, "-Y", "ipv6", "-z", "conv,tcp")[0] == all_of_it, "-Y must not change them")


@test
def fields_behind_the_info_column():
    lab = GOLDEN / "lab_tls13.pcapng"

    def tails(argument, *more):
        out, err, status = run("-n", "-r", lab, "-z", f"proto,colinfo,{argument}", *more)
        check(status == 0 and not err, (argument, err))
        return [line.partition("  tcp.len")[2] for line in out.splitlines()]
    plain = tails("tcp.len,tcp.len")
    check(plain[:4] == [" == 0", " == 0", " == 0", " == 243"] and all(plain), plain)
    check(tails("tcp,tcp.len") == plain, "the filter need not name the field")
    check(tails("tcp.len in {0,1},tcp.len") == [p if p in (" == 0", " == 1") else "" for p in plain], "commas in the filter")
    check(run("-n", "-r", lab, "-c", "4", "-z", "proto,colinfo,tls,tls.handshake")[0].endswith("Client Hello  tls.handshake\n"), "a heading")
    many = ["-z", "proto,colinfo,frame,tcp.payload"] * 4
    line = run("-n", "-r", GOLDEN / "certificates.pcap", "-Y", "tcp.len > 600", *many)[0].splitlines()[0]
    check(len(line) > 7000 and line.count("  tcp.payload == ") == 4, line)
    refused(["-r", lab, "-z", "proto,colinfo,tls"], 1, 'invalid "-z proto,colinfo,<filter>,<field>" argument')
    refused(["-r", lab, "-z", "proto,colinfo"], 1, 'invalid "-z proto,colinfo,<filter>,<field>" argument')
    refused(["-r", lab, "-z", "proto,colinfo,tls,no\x1bfield"], 1, 'Field "no\\x1bfield" doesn\'t exist.')
    refused(["-r", lab, "-z", "proto,colinfo,tls ==,tcp.len"], 1, "Couldn't register proto,colinfo tap")
    for more in (["-V"], ["-x"], ["-T", "json"], ["-q"], ["-w", "/dev/null"]):
        refused(["-r", lab, "-z", "proto,colinfo,tls,tcp.len", *more], 1, "the INFO column isn't being printed")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hostile.pcap")
        hostile_sessions(path)
        out = run("-n", "-r", path, "-z", "proto,colinfo,tls,tls.handshake.extensions_server_name")[0]
        columns = ["-o", 'gui.column.format:"SNI","%Cus:tls.handshake.extensions_server_name:0:R"']
        for form in ("text", "tabs", "psml", "fields"):
            shown = run("-n", "-r", path, "-T", form, *columns, *(["-e", "_ws.col.SNI"] if form == "fields" else []))[0]
            check("a\\033[31m\\t" in shown and "\x1b" not in shown and "\t" not in shown, (form, shown))
        check("extensions_server_name == \"" in out and not any(c in out for c in "\x1b\x07\x00"), repr(out[:500]))


@test
def statistics_of_tls_sessions():
    lab = ROOT / "tests" / "golden" / "lab_tls13.pcapng"
    out, err, status = run("-q", "-r", lab, "-z", "tls,sessions")
    check(status == 0 and err == "", err)
    for word in ("TLS 1.3", "TLS_AES_256_GCM_SHA384", "x25519", "localhost", "established; closed by the server", "opened"):
        check(word in out, f"{word!r} is not in {out!r}")
    out = run("-q", "-r", lab, "-z", "tls,sessions,zeek")[0]
    lines = out.splitlines()
    names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
    rows = [dict(zip(names, line.split("\t"))) for line in lines if not line.startswith("#")]
    check(len(rows) == 1 and rows[0]["version"] == "TLSv13" and rows[0]["established"] == "T", out)
    check(rows[0]["ssl_history"].startswith("CsioxyfIF") and rows[0]["sni_matches_cert"] == "T", out)
    check(run("-q", "-r", lab, "-z", "tls,sessions,zeek")[0] == out, "the uid must not change")
    one = json.loads(run("-q", "-r", lab, "-z", "tls,sessions,json")[0])
    check(one["uid"] == rows[0]["uid"] and len(one["cert_chain_fps"]) == 1, one)
    for table, word in (("versions", "TLS 1.3"), ("ciphers", "TLS_AES_256"), ("sni", "localhost"), ("ja3", "f146948b"),
                        ("alerts", "Close Notify"), ("certs", "ECDSA P-256"), ("timing", "both Finished")):
        out, err, status = run("-q", "-r", lab, "-z", f"tls,{table}")
        check(status == 0 and word in out, f"{table}: {out!r} {err!r}")
    check("localhost" not in run("-q", "-r", lab, "-z", "tls,sni,ipv6")[0], "the filter must hold")
    refused(["-r", SEED, "-z", "tls,sni,tcp.foo"], 1, "tls tap", "tcp.foo")


@test
def statistics_follow():
    lab = ROOT / "tests" / "golden" / "lab_tls13.pcapng"
    rule = "=" * 67
    head = f"\n{rule}\nFollow: tls,%s\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:4433\nNode 1: 127.0.0.1:53924\n"
    for form, body in (("ascii", "5\ntest\n\n"), ("hex", "00000000  74 65 73 74 0a" + " " * 36 + "test.\n"),
                       ("raw", "746573740a\n"), ("utf-8", "5\ntest\n\n")):
        got = run("-q", "-r", lab, "-z", f"follow,tls,{form},0")
        check(got == (head % form + body + rule + "\n", "", 0), f"{form}: {got}")
    yaml = run("-q", "-r", lab, "-z", "follow,tls,yaml,0")[0]
    check("    host: 127.0.0.1\n    port: 53924\n" in yaml and "timestamp: 1795458824.745571" in yaml and "      dGVzdAo=\n" in yaml, yaml)
    check(run("-q", "-r", lab, "-z", "follow,ssl,raw,0") == run("-q", "-r", lab, "-z", "follow,tls,raw,0"), "ssl is tls")
    for wrong, word in (("follow,tcp", "display mode"), ("follow,tcp,foo,0", "display mode"), ("follow,tcp,hex", "address"),
                        ("follow,tcp,hex,x", "address"), ("follow,tcp,hex,1.2.3.4:1", "address"),
                        ("follow,tcp,hex,0,x", "range")):
        refused(["-r", SEED, "-z", wrong], 1, f"Invalid {word}")


def many_connections(path, count):
    """A capture of COUNT connections that are opened and no more."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        server = bytes((192, 0, 2, 1))
        for i in range(count):
            client = struct.pack(">I", 10 << 24 | i)
            for k, (source, sport, seq, ack, flags) in enumerate(((client, 50000, 1, 0, 2), (server, 443, 9, 2, 18), (client, 50000, 2, 10, 16))):
                ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + source + (server if source == client else client)
                tcp = struct.pack(">HHIIBBHHH", sport, 50443 - sport, seq, ack, 0x50, flags, 1000, 0, 0)
                f.write(struct.pack("<IIII", i, k, 40, 40) + ip + tcp)


@test
def statistics_share_their_memory():
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "many.pcap")
        many_connections(capture, 30000)
        asked = [word for name in ("conv,tcp", "conv,ip", "endpoints,tcp", "ip_hosts,tree", "dests,tree", "flow,any,standard", "flow,tcp,standard")
                 for word in ("-z", name)]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen([TLSWIRE, "-n", "-q", "-r", capture, *asked], stdout=out, stderr=err, env=ENV, stdin=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            text, said = out.read(), err.read().decode()
        check(child.returncode == 0, said)
        check("the statistics hold the 32 MiB that they may" in said, f"nothing said of the limit: {said!r}")
        check(b" packets more of " in text or b" packets more, past the first " in text, "no mark where something is missing")
        check(len(text) > 20 << 20, f"only {len(text)} bytes were written")
        if "ASAN_OPTIONS" not in os.environ:
            check(usage.ru_maxrss < 72 << 10, f"{usage.ru_maxrss} kB were used")
        for name in ("conv,tcp", "plen,tree"):
            check(run("-n", "-q", "-r", capture, "-z", name)[1] == "", f"{name} alone fits")


def damaged(data, seed):
    """The same capture with a byte in every thousand changed, headers of packets left alone: lengths and types that cannot be."""
    random.seed(seed)
    out, at = bytearray(data), 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        for place in range(at + 16 + 66, at + 16 + size):
            if random.randrange(1000) < 3:
                out[place] = random.choice((0, 1, 255, random.randrange(256)))
        at += 16 + size
    return bytes(out)


@test
def wanting_fields_changes_no_line():
    """What nobody asks for is passed over; lines are the same, of damaged messages, too, when all of it is read."""
    line = ["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"]
    more = [word for name in ("_ws.expert", "tcp.analysis.flags", "tls.handshake.extension.type", "x509sat.uTF8String", "frame.protocols")
            for word in ("-e", name)]
    malformed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lab_tls12.pcapng", "lab_tls13.pcapng", "certificates.pcap", "beyond.pcap"):
            plain = os.path.join(folder, "plain.pcap")
            run("-r", GOLDEN / name, "-F", "pcap", "-w", plain)
            data = pathlib.Path(plain).read_bytes()
            for seed in range(12):
                path = pathlib.Path(folder, "damaged.pcap")
                path.write_bytes(damaged(data, seed) if seed else data)
                few, many = run("-n", "-r", path, *line)[0].splitlines(), run("-n", "-r", path, *line, *more)[0].splitlines()
                check(len(few) == len(many), f"{name}, {seed}: {len(few)} lines and {len(many)}")
                for a, b in zip(few, many):
                    check(b.split("\t")[:3] == a.split("\t"), f"{name}, {seed}: {a!r} and {b!r}")
                    malformed += "[Malformed" in a
    check(malformed > 20, f"only {malformed} lines show the damage")


@test
def names_of_addresses():
    names, hosts = GOLDEN / "names.pcapng", GOLDEN / "hosts"
    head = f"# TShark hosts output\n#\n# Host data gathered from {names}\n\n"
    four = ["10.0.0.1\trenamed.example", "10.0.0.2\ta-name-that-is-longer-than-sixty-three-bytes-and-is-therefore-cut",
            "127.0.0.1\tlocal.example", "192.0.2.1\tserver.example"]
    four[1] = four[1][:four[1].index("\t") + 64]
    six = ["::1\tsix.example", "2001:db8::1\tserver6.example"]
    for form, lines in (("hosts", four + six), ("hosts,ip", four), ("hosts,ipv4", four), ("hosts,ipv6", six), ("hosts,ipv6,ip", four + six)):
        got = run("-n", "-q", "-r", names, "-H", hosts, "-z", form)
        check(got == (head + "".join(line + "\n" for line in lines), "", 0), f"{form}: {got}")
    refused(["-r", names, "-z", "hosts,foo"], 1, "invalid \"-z hosts[,ip][,ipv4][,ipv6]\" argument")
    check("example" not in run("-n", "-H", hosts, "-r", names)[0], "names only with -N n")
    check("example" not in run("-N", "n", "-n", "-H", hosts, "-r", names)[0], "-n takes -N back")
    check(run("-o", "nameres.network_name:TRUE", "-r", names) == run("-N", "mn", "-r", names), "the preference")
    refused(["-o", "nameres.network_name:x", "-r", names], 1, "TRUE or FALSE")
    both = [run("-N", "n", *more, "-r", names)[0] for more in ([], ["-M", "1"])]
    check("renamed.example → server.example" in both[1].splitlines()[-1], f"-M keeps names: {both[1]}")
    with tempfile.TemporaryDirectory() as folder:
        cut = os.path.join(folder, "cut.pcapng")
        pathlib.Path(cut).write_bytes(names.read_bytes().replace(b"server.example\0", b"server.example!"))
        out, err, status = run("-r", cut)
        check(status == 2 and out.count("\n") == 2 and "NRB record has non-null-terminated host name" in err, (out, err))


@test
def names_in_copies():
    names, hosts = str(GOLDEN / "names.pcapng"), str(GOLDEN / "hosts")
    shown = run("-N", "n", "-r", names, "-H", hosts)[0]
    check("server6.example" in shown and "six.example" in shown, shown)
    with tempfile.TemporaryDirectory() as folder:
        def copy(*more):
            path = os.path.join(folder, f"{len(os.listdir(folder))}.pcapng")
            check(run("-r", names, "-w", path, *more) == ("", "", 0), more)
            return path
        check(run("-N", "n", "-r", copy())[0] == run("-n", "-r", names)[0], "no names without -W")
        with_hosts = copy("-H", hosts)
        listed = run("-q", "-r", with_hosts, "-z", "hosts")[0]
        check("::1\tsix.example\n" in listed and "local.example" not in listed, f"those of packets, and no others: {listed}")
        one = run("-q", "-r", copy("-W", "n", "-Y", "frame.number == 1"), "-z", "hosts")[0]
        check("10.0.0.1\t" in one and "server6" not in one, one)
        printed = os.path.join(folder, "printed.pcapng")
        check(run("-r", names, "-W", "n", "-P", "-w", printed)[2] == 0, "-P")
        check(run("-q", "-r", printed, "-z", "hosts")[0].splitlines()[4:] == run("-q", "-r", copy("-W", "n"), "-z", "hosts")[0].splitlines()[4:], "-P")
        refused(["-r", names, "-w", os.path.join(folder, "x"), "-F", "pcap", "-W", "n"], 1, "doesn't support name resolution information")
        refused(["-r", names, "-W", "\x1bx"], 1, 'Invalid -W argument "\\x1bx"', "'n' write network")
        if MISSING:
            raise Skip(MISSING)
        theirs = subprocess.run(["tshark", "-q", "-z", "hosts", "-r", with_hosts], capture_output=True, text=True, check=True, env=ENV).stdout
        check(sorted(theirs.splitlines()[4:]) == sorted(listed.splitlines()[4:]), f"{theirs} {listed}")


def hostile_sessions(path):
    """Connections whose names hold what a table, a terminal or JSON could choke on; the last one fails with an alert."""
    hostile = b'a\x1b[31m\t"b\\\n\xff|,-'
    connections = []
    for name in (hostile, b"-", b"(empty)"):
        sni = golden.seed.extension(0, golden.seed.Bytes().counted(2, golden.seed.Bytes(b"\0").counted(2, name)))
        alpn = golden.seed.extension(16, golden.seed.Bytes().counted(2, golden.seed.Bytes().counted(1, name)))
        connections.append([("client", golden.hello("CH", sni + alpn)), ("server", golden.hello("SH", alpn, suite=0xC02F))])
    connections[-1].append(("server", golden.seed.record(21, bytes((2, 40)))))
    packets = []
    for at, connection in enumerate(connections):
        sent = {"client": 1, "server": 1}
        for who, data in connection:
            ends, other = ((10000 + at, 443), "server") if who == "client" else ((443, 10000 + at), "client")
            packet = golden.seed.packet(*ends, sent[who], sent[other], golden.seed.PSH | golden.seed.ACK, 512, b"", data)
            sent[who] += len(data)
            packets.append(((1700000000 + len(packets), 0), packet))
    golden.seed.write_pcap(path, packets)


@test
def statistics_of_hostile_sessions():
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "hostile.pcap")
        hostile_sessions(capture)
        for table in ("sessions", "sni", "versions", "ciphers", "ja3", "ja4", "alerts", "certs", "timing", "sessions,zeek", "sessions,json"):
            out, err, status = run("-q", "-r", capture, "-z", f"tls,{table}")
            check(status == 0 and err == "", f"{table}: {err}")
            wild = [c for c in out if (ord(c) < 32 and c not in "\n\t") or c in "\x7f\ufffd"]
            check(not wild, f"{table}: {wild} in {out!r}")
            check("\t" not in out or "zeek" in table, f"{table}: a tab in {out!r}")
        text = run("-q", "-r", capture, "-z", "tls,sessions")[0]
        check("a\\x1b[31m\\x09\"b" in text and "the server sent Handshake Failure (40)" in text, text)
        lines = run("-q", "-r", capture, "-z", "tls,sessions,zeek")[0].splitlines()
        names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        check(len(rows) == 3 and all(len(row) == len(names) for row in rows), f"a cell is cut in two: {rows}")
        check([row[names.index("server_name")] for row in rows][1] == "\\x2d", f"a name that looks like none: {rows[1]}")
        objects = [json.loads(line) for line in run("-q", "-r", capture, "-z", "tls,sessions,json")[0].splitlines()]
        check(len(objects) == 3 and objects[1]["server_name"] == "-" and objects[0]["server_name"].startswith("a\\x1b[31m\\x09\"b"), objects)


@test
def statistics_in_two_passes_and_sessions():
    for capture in ("lab_tls13.pcapng", "lab_retry.pcapng", "pieces.pcap"):
        for asked in ("tls,sessions", "tls,versions", "conv,tcp", "io,phs", "flow,tcp,standard", "plen,tree", "expert"):
            one = run("-q", "-r", GOLDEN / capture, "-z", asked)
            two = run("-q", "-2", "-r", GOLDEN / capture, "-z", asked)
            same = two == one or (asked == "io,phs" and two[0])  # it tells what was put together, which -2 knows sooner
            check(one[2] == 0 and one[0] and same, f"{capture}, {asked}: -2 changes {one} to {two}")
            out, err, status = run("-q", "-M", "5", "-r", GOLDEN / capture, "-z", asked)
            check(status == 0 and out and set(err.splitlines()) == {"resetting session."}, f"{capture}, {asked} with -M: {out!r} {err!r}")


@test
def statistics_in_time():
    for wrong, word in (("io,stat", "invalid"), ("io,stat,x", "invalid"), ("io,stat,0.0000001", ">=0.000001"),
                        ("io,stat,1,SUM(tcp.len", "Closing parenthesis"), ("io,stat,1,SUM()tcp", "didn't specify a field"),
                        ("io,stat,1,SUM(foo)foo", "no field named 'foo'"), ("io,stat,1,LOAD(tcp.len)tcp", "relative-time"),
                        ("io,stat,1,SUM(ip.src)ip", "integral values"), ("io,stat,1,FRAMES(ip)ip", "does not require"),
                        ("io,stat,1,tcp.foo", "io,stat tap")):
        refused(["-r", SEED, "-z", wrong], 1, word)
    refused(["-r", SEED, "-t", "d", "-z", "io,stat,1"], 1, "invalid -t operand")
    out = run("-q", "-r", ROOT / "tests/golden/lab_tls13.pcapng", "-z", "io,stat,0.002,LOAD(frame.time_delta)frame.time_delta")[0]
    check(out.count("| 1.000000 |") == 5, out)
    out = run("-q", "-r", SEED, "-z", "io,stat,0,COUNT(tcp.len)tls")[0]
    check("|     6 |" in out, out)
    out = run("-q", "-r", SEED, "-t", "u", "-z", "io,stat,0.02")[0]
    check(len({len(line) for line in out.splitlines() if line}) == 1, out)


@test
def what_is_not_there_says_so():
    for options in (["-K", "x"], ["-U", "x"], ["-X", "x:y"], ["--export-objects", "http,x"],
                    ["--log-file", "x"], ["--log-domains", "x"], ["--log-debug", "x"], ["--log-noisy", "x"],
                    ["--log-fatal", "x"]):
        refused(["-r", SEED, *options], 1, f"the option {options[0]} is not there: ")
    refused(["-r", SEED, "--log-level", "debug"], 1, "no log")
    refused(["-r", SEED, "--log-level", "x"], 1, 'Invalid log level "x".')
    refused(["-r", SEED, "--disable-protocol", "tls"], 1, "always dissected")
    refused(["-r", SEED, "--enable-protocol", "sip"], 1, "not dissected here")
    refused(["-r", SEED, "--disable-heuristic", "tls_tcp"], 1, "always known")
    refused(["-r", SEED, "--enable-heuristic", "nosuch"], 1, "No such protocol nosuch, can't enable")
    for options in (["--disable-protocol", "sip"], ["--enable-protocol", "tls"], ["--enable-heuristic", "tls_tcp"],
                    ["--log-level", "warning"], ["--temp-dir", "/tmp"]):
        check(run("-n", "-r", SEED, "-c", "1", *options)[1:] == ("", 0), options)
    refused(["-Z"], 1, "unrecognized option: Z")
    refused(["--displayfilter=tcp"], 1, "unrecognized option", "--display-filter")
    refused(["-r"], 1, "option requires an argument: r")
    refused(["--read-file"], 1, "option requires an argument")


@test
def followed_text_in_ebcdic():
    """tshark has a dot for every letter."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "ebcdic.pcap")
        text = "HELLO World 0123456789 <(+|&!$*);-/,%_>?:#@'=\"~{}\\[]^\n".replace("\n", "\x85")
        bytes_ = text.encode("cp037") + b"\x00\xff\x25"
        tcp = struct.pack(">HHIIBBHHH", 1111, 2222, 1, 1, 0x50, 0x18, 1000, 0, 0) + bytes_
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, b"\1\2\3\4", b"\1\2\3\5") + tcp
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) +
                         struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet)
        out = run("-r", path, "-q", "-z", "follow,tcp,ebcdic,0")[0]
        want = text.replace("\x85", "\n") + "..\n"
        check(f"Follow: tcp,ebcdic\n" in out and f"\n{len(bytes_)}\n{want}\n=====" in out, out)


@test
def session_keys_are_exported():
    """What is exported opens the records again, and holds nothing of sessions that were not seen."""
    with tempfile.TemporaryDirectory() as folder:
        kept, plain = pathlib.Path(folder, "kept.log"), pathlib.Path(folder, "plain.pcapng")
        kept.write_text("an old text that is longer than the keys, " * 100)
        kept.chmod(0o644)
        for name, lines in (("lab_tls12", ["CLIENT_RANDOM"]),
                            ("lab_tls13", ["SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                           "EXPORTER_SECRET", "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0"])):
            capture = str(GOLDEN / (name + ".pcapng"))
            check(run("-r", capture, "-q", "--export-tls-session-keys", kept) == ("", "", 0), name)
            text = kept.read_text()
            check([line.split()[0] for line in text.splitlines()] == lines, text)
            check(kept.stat().st_mode & 0o777 == 0o600, oct(kept.stat().st_mode))
            # Without the secrets of the capture, the exported ones open it, and are exported again from there.
            run("-r", capture, "-F", "pcap", "-w", plain)
            follow = ("-z", "follow,tls,ascii,0", "-q")
            opened = run("-r", plain, "-o", f"tls.keylog_file:{kept}", *follow)[0]
            check(opened == run("-r", capture, *follow)[0] != run("-r", plain, *follow)[0], opened)
            other = str(GOLDEN / "lab_chacha.pcapng")
            more = pathlib.Path(folder, "more.log")
            more.write_text(text + f"CLIENT_RANDOM {1:064x} {2:096x}\n")
            run("-2", "-r", plain, "-o", f"tls.keylog_file:{more}", "-q", "--export-tls-session-keys", more)
            check(more.read_text() == text, more.read_text())
            more.write_text(text)
            run("-r", SEED, "-o", f"tls.keylog_file:{more}", "--export-tls-session-keys", kept)
            check(kept.read_text() == "", "keys of a session that was not seen")
            run("-r", other, "-c", "3", "-q", "--export-tls-session-keys", kept)
            check(kept.read_text() == "", "keys of a session of which only the beginning was read")
        capture = str(GOLDEN / "lab_tls12.pcapng")
        if not MISSING:
            theirs = pathlib.Path(folder, "theirs.log")
            ORACLE.tshark("-r", capture, "--export-tls-session-keys", str(theirs))
            run("-r", capture, "-q", "--export-tls-session-keys", kept)
            check(theirs.read_text() == kept.read_text() != "", "other keys than tshark's")
        refused(["-r", SEED, "--export-tls-session-keys", f"{folder}/none/keys"], 2, "cannot open the file for the session keys",
                "/none/keys", "No such file")
        refused(["-r", SEED, "--export-tls-session-keys", folder], 2, "cannot open", "Is a directory")
        refused(["-r", capture, "-q", "--export-tls-session-keys", "/dev/full"], 2, "cannot write the file", "No space left")


# What tshark has and this does not yet: each goes when its option comes.
@test
def every_option_of_tshark_is_known():
    """Each does something here, or is refused with the reason."""
    if MISSING:
        raise Skip(MISSING)
    listed = subprocess.run(["tshark", "--help"], capture_output=True, text=True, check=False).stdout
    options = {}
    for line in listed.splitlines():
        words = line[:27].strip() if line.startswith("  -") and "  " in line[2:27].strip() + "  " else line.strip()
        for word in line.strip().split("  ")[0].split(", ") if line.startswith("  -") else ():
            name = word.split()[0].split("<")[0]
            options[name] = "<" in word or "|" in word or "[" in word.replace("[report]", "[")
        del words
    check(len(options) > 60 and options["-Y"] and not options["-V"], options)
    for name, takes in sorted(options.items()):
        out, err, _ = run(name, *(["-5"] if takes else []), "-n", "-r", SEED, "-c", "0")
        del out
        check("unrecognized option" not in err, f"{name}: {err}")
        check("requires an argument" not in err, f"{name}: {err}")
        check("not there yet" not in err, f"{name}: {err}")
        check(err.startswith("tlswire: ") or name in ("-h", "--help", "-v", "--version", "-G"), f"{name}: {err}")


@test
def options_that_exclude_each_other():
    refused(["-r", SEED, "-f", "tcp"], 1, "Only read filters, not capture filters")
    refused(["-r", SEED, "-Y", "tcp", "tcp"], 1, "both with \"-Y\"")
    refused(["-i", "lo", "-f", "tcp", "tcp"], 1, "both with \"-f\"")
    refused(["-i", "lo", "-Y", "tls", "-w", "x.pcapng"], 1, "Display filters aren't supported")
    refused(["-r", SEED, "-w", "-", "-P"], 1, "standard output")
    refused(["-r", SEED, "-b", "packets:1", "-w", "x"], 1, "Multiple capture files requested, but a capture isn't")


@test
def subcommands_by_their_nearest_name():
    refused([str(ROOT / "tests" / "golden" / "lab_tls12.pcapng")], 2, "to read the file: tlswire read")
    refused(["lba"], 2, "\"lba\"", "did you mean lab?")
    refused(["conect", "localhost:1"], 2, "did you mean connect?")
    refused(["\x1b[31mred"], 2, "\\x1b")


@test
def glossaries():
    out, err, status = run("-G", "fields")
    rows = [line.split("\t") for line in out.splitlines()]
    check(status == 0 and not err and len(rows) > 200, f"{status} {err} {len(rows)} rows")
    check(all(len(row) == (3 if row[0] == "P" else 8) for row in rows), "the number of columns")
    by_name = {row[2]: row for row in rows}
    check(len(by_name) == len(rows), "a name twice")
    check(by_name["tcp"] == ["P", "Transmission Control Protocol", "tcp"], by_name["tcp"])
    check(by_name["tcp.flags.syn"][3:7] == ["FT_BOOLEAN", "tcp", "12", "0x2"], by_name["tcp.flags.syn"])
    check(by_name["ip.src"][3:7] == ["FT_IPv4", "ip", "", "0x0"], by_name["ip.src"])
    check(by_name["eth.type"][5] == "BASE_HEX", by_name["eth.type"])
    values = run("-G", "values")[0]
    check("V\tip.proto\t6\tTCP\n" in values, "the value of ip.proto 6")
    check("Transmission Control Protocol\t" in run("-G", "protocols")[0], "-G protocols")
    refused(["-G", "field"], 1, "did you mean \"fields\"")
    check(run("-G") == (out, "", 0), "-G alone is -G fields")
    said = run("-G", "help")[0]
    names = re.findall(r"^  -G ([a-z-]+) ", said, re.M)
    check("folders" in names and len(names) > 12, said)
    for name in names:
        out, err, status = run("-G", name)
        check(status == 0 and not err and (out or name == "plugins"), (name, err))
    if not MISSING:
        theirs = subprocess.run(["tshark", "-G", "help"], capture_output=True, text=True, check=True).stdout
        check(not set(re.findall(r"^  -G ([a-z-]+) ", theirs, re.M)) - set(names), "a report of tshark's")


@test
def colours_in_xml():
    lab = GOLDEN / "lab_tls13.pcapng"
    for form in ("pdml", "psml"):
        out, err, status = run("-n", "-r", lab, "-T", form, "--color")
        check(status == 0 and not err and "\x1b" not in out, (form, err))
        check(out.count("<packet foreground='#12272e' background='#a0a0a0'>") == 4, form)
        check(out.count("<packet foreground='#12272e' background='#e7e6ff'>") == 12, form)
        check(re.sub("<packet [^>]*>", "<packet>", out.split("\n", 5)[5]) == run("-n", "-r", lab, "-T", form)[0].split("\n", 5)[5], form)


@test
def decryption_goes_on_after_a_reset():
    lab = GOLDEN / "lab_tls13.pcapng"
    lines = run("-n", "-r", lab, "-M", "5")[0].splitlines()
    check(lines[5].startswith("    1 ") and "Encrypted Extensions, Certificate" in lines[5], lines[5])
    tree = run("-n", "-r", lab, "-M", "5", "-V", "-Y", "frame.number == 1")[0]
    check("previous captured frame: 0.000486277 seconds" in tree, "the time since the packet before")


@test
def layers_that_ports_do_not_choose():
    for what in ("tls.port==4433,data", "ethertype==2048,ip", "ip.proto==6,tls"):
        refused(["-r", SEED, "-d", what], 1, "Unknown layer type")
    refused(["-r", SEED, "--enable-protocol", "http"], 1, "not dissected here")
    check(run("-n", "-r", SEED, "-T", "fields", "-e", "ssl.record.version") == run("-n", "-r", SEED, "-T", "fields", "-e", "tls.record.version"), "ssl.")
    refused(["-r", SEED, "-T", "fields", "-e", "text"], 1, "aren't valid")
    with tempfile.TemporaryDirectory() as folder:
        out = run("-n", "-r", SEED, "-w", os.path.join(folder, "x"), "-T", "json")[0]
        check(len(json.loads(out)) == len(json.loads(run("-n", "-r", SEED, "-T", "json")[0])), "the JSON that was asked for, also with -w")


@test
def preferences_as_a_report():
    usual = run("-G", "defaultprefs")[0]
    settings = [line for line in usual.splitlines() if line and not line.startswith("# ") and line != "#"]
    check(len(settings) > 30 and all(line.startswith("#") for line in settings), settings)
    now, _, status = run("-o", "tcp.check_checksum:TRUE", "-o", "tls.keylog_file:a\x1b.keys", "-o", "ssl.desegment_ssl_records:TRUE", "-G", "currentprefs")
    changed = [line for line in now.splitlines() if line and not line.startswith("#")]
    check(status == 0 and changed == ["tls.keylog_file: a\\x1b.keys", "tcp.check_checksum: TRUE"], changed)
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder, "tlswire", "profiles", "mine")
        profile.mkdir(parents=True)
        (profile / "preferences").write_text(run("-o", "tcp.check_checksum:TRUE", "-G", "currentprefs")[0], encoding="utf-8")
        again = subprocess.run([TLSWIRE, "-C", "mine", "-G", "currentprefs"], capture_output=True, text=True, check=True,
                               env=dict(ENV, XDG_CONFIG_HOME=folder), timeout=LIMIT).stdout
        check("\ntcp.check_checksum: TRUE\n" in again, again)
        folders = subprocess.run([TLSWIRE, "-G", "folders"], capture_output=True, text=True, check=True,
                                 env=dict(ENV, XDG_CONFIG_HOME=folder), timeout=LIMIT).stdout
        check(f"Personal configuration:\t{folder}/tlswire\n" in folders, folders)


@test
def a_mapping_for_elasticsearch():
    out, err, status = run("-G", "elastic-mapping")
    layers = json.loads(out)["mappings"]["properties"]["layers"]["properties"]
    check(status == 0 and not err and layers["tls"]["properties"]["tls_tls_record_version"] == {"type": "integer"}, out[:500])
    check(layers["ip"]["properties"]["ip_ip_src"] == {"type": "ip"} and "tls_tls_handshake_ja3" not in layers["tls"]["properties"], "ip.src, ja3")
    two = json.loads(run("-G", "elastic-mapping", "--elastic-mapping-filter", "tls,vlan")[0])["mappings"]["properties"]["layers"]["properties"]
    check(set(two) == {"tls", "vlan"} and two["tls"] == layers["tls"], list(two))
    none = run("-G", "elastic-mapping", "--elastic-mapping-filter", "nosuch")[0]
    if MISSING:
        raise Skip(MISSING)
    asked = ["tshark", "-G", "elastic-mapping", "--elastic-mapping-filter"]
    check(subprocess.run([*asked, "nosuch"], capture_output=True, text=True, check=True).stdout == none, none)
    theirs = json.loads(subprocess.run([*asked, "tls,vlan,ip,tcp"], capture_output=True, text=True, check=True).stdout)
    for name, layer in theirs["mappings"]["properties"]["layers"]["properties"].items():
        same = {field: kind for field, kind in layers[name]["properties"].items() if not field.startswith(f"{name}_tlswire")}
        for field in set(same) & set(layer["properties"]):
            check(same[field] == layer["properties"][field], f"{field}: {same[field]}, tshark has {layer['properties'][field]}")


@test
def hex_dumps_in_other_forms():
    out, err, status = run("--hexdump", "help")
    check(status == 0 and not err and "noascii" in out, out)
    refused(["-r", SEED, "--hexdump", "frames,noascii"], 1, '"frames,noascii" is an invalid value for --hexdump')


@test
def fields_of_other_formats():
    few = ["-n", "-r", SEED, "-c", "6"]
    refused([*few, "-T", "fields", "-e", "_ws.col.Foo"], 1, "Some fields aren't valid:\n\t_ws.col.Foo")
    refused([*few, "-T", "fields", "-e", "tcp.por"], 1, "did you mean tcp.port?")
    refused([*few, "-T", "jsonraw", "-e", "tcp.port"], 1, "Output fields were specified with \"-e\"")
    refused([*few, "-T", "ek", "--no-duplicate-keys"], 1, "--no-duplicate-keys can only be used with")
    refused([*few, "-T", "psml", "-x"], 1, "Raw packet hex data can only be printed as")
    refused([*few, "-T", "json", "-T", "text"], 1, "Multiple -T parameters are unsupported")
    refused([*few, "-T", "ps"], 1, "is not there")
    refused([*few, "-N", "mx"], 1, "-N specifies unknown resolving option 'x'", "'v' to enable")
    refused([*few, "-N", "mt"], 1, "names of ports (t) are not there")
    check(run(*few, "-N", "dmnv") == run(*few), "-N with letters that change nothing")
    check(run(*few, "-V", "-N", "m") == run(*[word for word in few if word != "-n"], "-V"), "makers are named when nothing is said")
    check("Src: 00:00:00_00:00:00 (00:00:00:00:00:00)" in run("-N", "m", "-r", SEED, "-c", "1", "-V")[0], "-N m")
    refused([*few, "-H", "nosuch"], 1, "Can't read host entries from \"nosuch\"")
    refused([*few, "-T", "jsn"], 1, "Invalid -T parameter \"jsn\"", "\"json\"", "\"jsonl\"", "\"ek\"", "\"psml\"")
    refused([*few, "-o", "gui.column.format:\"No.\",\"%zz\""], 1, "Invalid -o flag", "-G column-formats")
    out, err, status = run(*few, "-T", "json", "-Y", "frame.number == 99")
    check((out, err, status) == ("[]\n", "", 0), f"no packets are an empty array: {out!r} {err} {status}")


def on_a_terminal(*arguments, **environment):
    ours, theirs = pty.openpty()
    env = {key: value for key, value in ENV.items() if key != "NO_COLOR"}
    done = subprocess.run([TLSWIRE, *arguments], stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          env={**env, **environment}, timeout=LIMIT, check=False)
    os.close(theirs)
    text = os.read(ours, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
    os.close(ours)
    check(done.returncode == 0, done.stderr)
    return text


@test
def colours():
    few = ["-n", "-r", SEED, "-c", "2", "--color"]
    plain = run("-n", "-r", SEED, "-c", "2")[0]
    check(run(*few)[0] == plain, "no colours where there is no terminal")
    check(on_a_terminal(*few, COLORTERM="truecolor", NO_COLOR="1") == plain, "NO_COLOR")
    check(on_a_terminal(*few, COLORTERM="") == plain, "a terminal of few colours")
    lines = plain.splitlines()
    want = ("\x1b[38;2;18;39;46m\x1b[48;2;160;160;160m" + lines[0] + "\x1b[K\n\x1b[0m"
            "\x1b[38;2;255;252;156m\x1b[48;2;164;0;0m" + lines[1] + "\x1b[K\n\x1b[0m\x1b[0m")
    got = on_a_terminal(*few, COLORTERM="24bit")
    check(got == want, f"want {want!r}\ngot  {got!r}")
    tree = on_a_terminal("-n", "-r", SEED, "-c", "1", "-O", "none", "--color", COLORTERM="truecolor")
    check(tree == run("-n", "-r", SEED, "-c", "1", "-O", "none")[0] + "\x1b[0m", "the tree has no colours")


# ---- bad input ----------------------------------------------------------------------------------------------

@test
def bad_captures():
    make_bad_captures()
    for name in ("cut.pcap", "absurd.pcap"):
        out, err, status = run("-n", "-r", name)
        check(out.count("\n") == 1 and " TCP " in out, f"{name}: the packet before the damage: {out!r}")
        check(status == 2 and err.startswith(f'tlswire: The file "{name}" appears to ') and err.count("\n") <= 3,
              f"{name}: {status} {err!r}")
        check("1 packet was read before it" in err, f"{name}: {err!r}")
    for name in ("tiny.pcap", "garbage.pcap", "folder.pcap", "missing.pcap"):
        refused(["-n", "-r", name], 2, name)
    check(run("-n", "-r", "empty.pcap") == ("", "", 0), "an empty file has no packets")
    refused(["-r", "folder.pcap"], 2, "directory")
    refused(["-r", "missing.pcap"], 2, 'The file "missing.pcap" doesn\'t exist.')


@test
def what_does_not_pass_the_first_filter_leaves_no_traces():
    """-2 -R numbers what passes anew, and says of it what -2 -Y says."""
    lab = ROOT / "tests" / "golden" / "lab_tls13.pcapng"
    infos = ["-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info", "-e", "tcp.seq", "-e", "tcp.segment.count"]
    for expression in ("tls", "tcp.len > 0", "tcp.srcport == 4433"):
        passed, chosen = (run("-n", "-2", option, expression, "-r", lab, *infos)[0] for option in ("-R", "-Y"))
        check(passed.count("\n") > 2 and passed == chosen, f"{expression}: {passed} is not {chosen}")
    later = run("-n", "-2", "-R", "frame.number > 3", "-r", lab, *infos)[0]
    check(later == run("-n", "-2", "-Y", "frame.number > 3", "-r", lab, *infos)[0] and "Client Hello" in later, later)


@test
def the_frame_of_the_rest_stands_at_what_begins():
    """With -2, a segment that ends one record and begins another names the frame of the other's rest between them."""
    record = b"\x17\3\3\0\x14" + bytes(20)
    stream = record + record
    with open("between.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for start, end in ((0, 10), (10, 35), (35, 50)):
            data = stream[start:end]
            packet = struct.pack(">BBHIBBH4s4s", 0x45, 0, 40 + len(data), 0, 64, 6, 0, b"\n\0\0\1", b"\n\0\0\2")
            packet += struct.pack(">HHIIBBHI", 443, 5000, 1 + start, 1, 0x50, 0x18, 512, 0) + data
            file.write(struct.pack("<IIII", start, 0, len(packet), len(packet)) + packet)
    lines = run("-n", "-2", "-r", "between.pcap", "-Y", "frame.number == 2", "-V", "-O", "tcp")[0].splitlines()
    at = lines.index("    [Reassembled PDU in frame: 3]")
    check([lines[at - 1], lines[at + 1]] == ["    TCP segment data (15 bytes)", "    TCP segment data (10 bytes)"], str(lines))


@test
def a_capture_is_not_written_onto_itself():
    data = (ROOT / "tests" / "golden" / "lab_tls13.pcapng").read_bytes()
    pathlib.Path("onto.pcapng").write_bytes(data)
    pathlib.Path("alias.pcapng").symlink_to("onto.pcapng")
    for name in ("onto.pcapng", "alias.pcapng", "./onto.pcapng"):
        for more in ([], ["-2", "-Y", "tls"]):
            refused(["-r", "onto.pcapng", "-w", name, *more], 2, "would be overwritten")
            check(pathlib.Path("onto.pcapng").read_bytes() == data, f"{name} {more}: the capture is gone")


def read_times(name, data):
    """What is said of the capture's packets' times, on stderr, and the status."""
    pathlib.Path(name).write_bytes(data)
    return run("-n", "-r", name, "-T", "fields", "-e", "frame.time_epoch")


@test
def captures_that_tshark_misreads():
    """Rows of docs/differences.md on formats."""
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    packet = struct.pack("<IIII", 5, 1999999, 60, 60) + bytes(60)
    good = ("6.999999000\n", "", 0)
    check(read_times("late.pcap", head + packet) == good, "more than a second of microseconds")
    zipped = gzip.compress(head + packet)
    check(read_times("trail.pcap.gz", zipped + b"garbage!") == good, "bytes behind a gzip stream")
    # RFC 8878: a frame of one block that is not compressed, and that is not the last one.
    frame = b"\x28\xb5\x2f\xfd\x00\x50" + (len(head + packet) << 3).to_bytes(3, "little") + head + packet
    out, err, status = read_times("cut.pcap.zst", frame)
    check(status == 2 and "cut short" in err, f"zstd without an end: {out!r} {err!r} {status}")
    for name, data in (("three.pcap", head[:3]), ("four.ng", b"\n\r\r\n"), ("few.ng", b"\n\r\r\n\x1c\0\0\0\x4d\x3c")):
        out, err, status = read_times(name, data)
        check(out == "" and status == 2 and err.startswith(f'tlswire: The file "{name}" '), f"{name}: {out!r} {err!r}")
    section = struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)
    for option in (struct.pack("<HH", 2, 400), struct.pack("<HH3sx", 7, 3, b"\1ab")):
        body = struct.pack("<IIIII", 0, 0, 6999999, 60, 60) + bytes(60) + option
        data = section + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
        data += struct.pack("<II", 6, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        check(read_times("option.ng", data) == good, f"an option that is wrong: {run('-n', '-r', 'option.ng')}")


@test
def damage_is_told_in_tshark_s_words():
    """All that tshark says, and at most one line of ours after it."""
    if MISSING:
        raise Skip(MISSING)
    make_bad_captures()
    make_bad_blocks()
    names = ["cut.pcap", "absurd.pcap", "empty.pcap", "tiny.pcap", "garbage.pcap", "folder.pcap", "missing.pcap"]
    for name in names + sorted(str(path) for path in pathlib.Path().glob("*.pcapng")):
        theirs = subprocess.run(["tshark", "-n", "-r", name], capture_output=True, text=True, env=ENV, check=False)
        want = [line.replace("tshark: ", "tlswire: ", 1).replace("TShark", "tlswire")
                for line in theirs.stderr.splitlines() if "Running as user" not in line]
        out, err, status = run("-n", "-r", name)
        check((out, status) == (theirs.stdout, theirs.returncode), f"{name}: {status}, not {theirs.returncode}: {out}")
        ours = err.splitlines()
        check(ours[:len(want)] == want and len(ours) <= len(want) + (len(want) > 0), f"{name}: {ours} is not {want}")


@test
def keys_behind_the_packets_decrypt():
    """One pass over a file decrypts wherever its secrets stand; a pipe has to be read in order."""
    data = (ROOT / "tests" / "golden" / "lab_tls13.pcapng").read_bytes()
    blocks, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        blocks.append(data[at:at + size])
        at += size
    secrets = [block for block in blocks if block[:4] == b"\x0a\0\0\0"]
    check(len(secrets) >= 1, "no secrets to move")
    late = b"".join([block for block in blocks if block not in secrets] + secrets)
    pathlib.Path("late.pcapng").write_bytes(late)
    fields = ["-n", "-T", "fields", "-e", "tls.handshake.type"]
    want = run("-r", ROOT / "tests" / "golden" / "lab_tls13.pcapng", *fields)[0]
    check("11" in want and run("-r", "late.pcapng", *fields)[0] == want, "keys at the end of a file")
    with open("late.pcapng", "rb") as file, subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
        piped = subprocess.run([TLSWIRE, "-r", "-", *fields], stdin=cat.stdout, capture_output=True, text=True, env=ENV,
                               timeout=LIMIT, check=True).stdout
    check("11" not in piped, "keys from the end of a pipe")
    out, err, status = run("-r", "late.pcapng", "-w", "early.pcapng")
    check((out, status) == ("", 0), err)
    copy = pathlib.Path("early.pcapng").read_bytes()
    check(copy.count(secrets[0][12:]) == 1 and run("-r", "early.pcapng", *fields)[0] == want, "the copy has them once")


@test
def every_way_to_cut_a_capture():
    data = first_record(seed_bytes())
    for size in range(len(data)):
        pathlib.Path("short.pcap").write_bytes(data[:size])
        out, err, status = run("-n", "-r", "short.pcap")
        want = 0 if size in (0, 24) else 2
        check(status == want and out == "" and bool(err) == bool(want), f"{size} bytes: {status} {out!r} {err!r}")


@test
def a_file_that_may_not_be_read():
    if os.getuid() == 0:
        if subprocess.run(["setpriv", "--version"], capture_output=True, check=False).returncode != 0:
            raise Skip("setpriv is not there to become somebody else")
        lower = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    else:
        lower = []
    path = pathlib.Path("secret.pcap").absolute()
    path.write_bytes(seed_bytes())
    path.chmod(0)
    done = subprocess.run([*lower, TLSWIRE, "-r", str(path)], capture_output=True, text=True, check=False)
    if "setpriv" in done.stderr or (lower and done.returncode in (126, 127)):
        raise Skip(f"cannot run it as somebody else: {done.stderr.strip()}")
    check(done.returncode == 2 and "have permission to read the file" in done.stderr, f"{done.returncode} {done.stderr}")


@test
def filters_that_are_wrong():
    refused(["-r", SEED, "-Y", "tls.handshake.typ"], 2, "tls.handshake.typ", "tls.handshake.type")
    refused(["-r", SEED, "-Y", "bad filter ("], 2, "filter")
    refused(["-r", SEED, "tcp", "and"], 2)
    refused(["-r", SEED, "-Y", "http.request"], 2, "no fields of http")
    place = "    tcp.port == abc\n" + " " * 16 + "^~~\n"
    _, err, status = run("-r", SEED, "-Y", "tcp.port == abc")
    check(status == 2 and err == 'tlswire: "abc" is not a valid number.\n' + place, f"{status} {err!r}")


@test
def filters_that_cost_too_much():
    out, err, status = run("-n", "-r", SEED, "-Y", 'frame.protocols matches "^(([a-z:]+)+)+[0-9]$"')
    check(status == 0 and out == "" and err.count("\n") == 1 and "given up" in err, f"{status} {err!r}")
    _, err, status = run("-n", "-r", SEED, "-Y", 'frame.protocols matches "^([a-z0-9]+:)+[0-9]$"')
    check(status == 0 and err == "", f"{status} {err!r}")


@test
def key_logs_that_are_none():
    pathlib.Path("letter.txt").write_text("dear reader\nthese are no keys\n")
    want = run("-n", "-r", SEED)[0]
    for name, words in (("missing.keys", "is not there"), ("letter.txt", "no line"), (".", "directory")):
        out, err, status = run("-n", "-r", SEED, "-o", f"tls.keylog_file:{name}")
        check(out == want and status == 0, f"{name}: {status}")
        check(err.count("\n") == 1 and name in err and words in err.lower(), f"{name}: {err!r}")
    pathlib.Path("good.keys").write_text("# a comment\nCLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n")
    _, err, status = run("-n", "-r", SEED, "-o", "tls.keylog_file:good.keys")
    check(status == 0 and err.count("\n") == 1 and "open 0 of 1 connections; they are for 1 other, last written " in err
          and "other side of a proxy?" in err, f"keys of another run: {err!r}")
    os.utime("good.keys", (1, 1))
    _, err, _ = run("-n", "-r", SEED, "-o", "tls.keylog_file:good.keys")
    check("last written 1970-01-01 " in err and ": the log of an earlier run (first client random " in err, err)


def without_secrets(capture):
    """(the pcapng without its Decryption Secrets Blocks, their key-log text)"""
    data, out, keys, at = pathlib.Path(capture).read_bytes(), b"", b"", 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 10:
            keys += data[at + 16:at + 16 + struct.unpack_from("<I", data, at + 12)[0]]
        else:
            out += data[at:at + length]
        at += length
    return out, keys.decode()


@test
def keys_that_do_not_fit():
    bare, keys = without_secrets(GOLDEN / "lab_tls13.pcapng")
    pathlib.Path("bare.pcapng").write_bytes(bare)
    random = keys.split()[1]
    wrong = "".join(f"{label} {client} {int(secret, 16) ^ 1:0{len(secret)}x}\n"
                    for label, client, secret in map(str.split, keys.strip().splitlines()))
    for text, words in ((keys, None), (wrong, "the secrets are wrong"),
                        (keys.replace(random, "5a" * 32), "open 0 of 1 connections")):
        pathlib.Path("some.keys").write_text(text)
        out, err, status = run("-n", "-r", "bare.pcapng", "-o", "tls.keylog_file:some.keys")
        check(status == 0, f"{status} {err!r}")
        if words:
            check(err.count("\n") == 1 and words in err and random in err and "some.keys" in err, f"{err!r}")
            check("Application Data" in out and "Finished" not in out, "the packets are shown all the same")
        else:
            check(err == "" and "Finished" in out, f"keys that fit: {err!r}")


@test
def printing_beside_reading():
    """Files of many packets are printed by two threads, pipes by one: the text is the same."""
    pieces = (GOLDEN / "pieces.pcap").read_bytes()
    many = pieces[:24] + pieces[24:] * 40
    pathlib.Path("many.pcap").write_bytes(many)
    for options in (["-V"], ["-x"], ["-T", "json"], ["-T", "jsonraw"], ["-T", "ek"], ["-T", "jsonl"], ["-T", "psml", "-V"],
                    ["-V", "-Y", "tls"]):
        beside, err, status = run("-n", "-r", "many.pcap", *options)
        check(status == 0 and not err and beside.count("\n") > 400, f"{options}: {status} {err}")
        direct = subprocess.run([TLSWIRE, "-n", "-r", "-", *options], input=many, capture_output=True, env=ENV,
                                timeout=LIMIT, check=True).stdout.decode("utf-8", "replace")
        check(beside == direct, f"{options}: a file is printed otherwise than a pipe")


def interleaved(copies):
    """The packets of pieces.pcap as so many connections of other ports, sixteen at a time; some in VLANs, some in fragments."""
    data, at, packets = (GOLDEN / "pieces.pcap").read_bytes(), 24, []
    head = data[:24]
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        packets.append((data[at:at + 8], data[at + 16:at + 16 + size]))
        at += 16 + size
    out = [head]

    def put(when, packet):
        out.append(when + struct.pack("<II", len(packet), len(packet)) + packet)
    for first in range(0, copies, 16):
        for when, packet in packets:
            for k in range(first, min(first + 16, copies)):
                ports = [port + k if port > 49000 else port for port in struct.unpack_from(">HH", packet, 34)]
                mine = packet[:26] + struct.pack(">I", 10 << 24 | k % 3) + packet[30:34] + struct.pack(">HH", *ports) + packet[38:]
                if ports[0] < ports[1]:
                    mine = packet[:30] + struct.pack(">I", 10 << 24 | k % 3) + struct.pack(">HH", *ports) + packet[38:]
                if k % 5 == 0:
                    put(when, mine[:12] + b"\x81\0\0\7" + mine[12:])
                elif k % 7 == 0 and len(mine) > 34 + 64:
                    for more, start, end in ((0x2000, 34, 34 + 64), (8, 34 + 64, len(mine))):
                        put(when, mine[:16] + struct.pack(">HHH", 20 + end - start, k, more) + mine[22:34] + mine[start:end])
                else:
                    put(when, mine)
    return b"".join(out)


@test
def reading_by_halves():
    """Long files are read by two threads, each of which follows half of the connections; pipes by one."""
    whole = interleaved(512)
    for end, ending in ((len(whole), ""), (len(whole) - 7, "cut short")):
        data = whole[:end]
        check(len(data) > 2 << 20, f"{len(data)} bytes are too few")
        pathlib.Path("halves.pcap").write_bytes(data)
        fields = ["-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "tls.handshake.type", "-E", "header=y"]
        for options in ([], ["-t", "dd"], ["-T", "tabs"], ["-Y", "tls"], ["-Y", "tcp.stream % 3 == 1"], ["-Y", "tls", "-t", "dd"],
                        ["-c", "9000"], ["-o", "tcp.check_checksum:TRUE"], ["-T", "psml"], [*fields, "-e", "_ws.col.Info"],
                        [*fields, "-Y", "tcp.analysis.flags || tls.handshake.type == 1"], [*fields, "-e", "tcp.stream"]):
            said = run("-n", "-r", "halves.pcap", *options)
            direct = subprocess.run([TLSWIRE, "-n", "-r", "-", *options], input=data, capture_output=True, env=ENV, timeout=LIMIT, check=False)
            check(said[0] == direct.stdout.decode("utf-8", "replace"), f"{options}: a file is read otherwise than a pipe")
            check(said[2] == direct.returncode and said[0].count("\n") > 1000, f"{options}: {said[1:]}")
            check("-c" in options or ending in said[1], f"{options}: {said[1]!r}")
    with open("/dev/full", "wb") as full:
        _, err, status = run("-n", "-r", "halves.pcap", stdout=full)
        check(status == 2 and "no space left" in err and err.count("\n") == 1, f"{status} {err!r}")


@test
def printing_what_was_compressed():
    """Decompressed packets do not stay, so nobody may look at them later."""
    pieces = (GOLDEN / "pieces.pcap").read_bytes()
    many = pieces[:24] + pieces[24:] * 400
    pathlib.Path("compressed.pcap").write_bytes(many)
    pathlib.Path("compressed.pcap.gz").write_bytes(gzip.compress(many, 1))
    for options in (["-x"], ["-V"]):
        plain = run("-n", "-r", "compressed.pcap", *options)[0]
        check(plain == run("-n", "-r", "compressed.pcap.gz", *options)[0], f"{options}: compressed, it is printed otherwise")


@test
def outputs_that_fail():
    with open("/dev/full", "wb") as full:
        for options in ([], ["-V"], ["-T", "pdml"], ["-x"]):
            _, err, status = run("-n", "-r", SEED, *options, stdout=full)
            check(status == 2 and "no space left" in err and err.count("\n") == 1, f"{options}: {status} {err!r}")
    refused(["-r", SEED, "-w", "/dev/full"], 2, "/dev/full")
    refused(["-r", SEED, "-w", "/nowhere/x.pcapng"], 2, "/nowhere/x.pcapng")
    pathlib.Path("a_folder").mkdir()
    refused(["-r", SEED, "-w", "a_folder"], 2, "a_folder")


@test
def a_reader_that_goes_away():
    big = pathlib.Path("big.pcap")
    data = seed_bytes()
    big.write_bytes(data[:24] + data[24:] * 400)
    with subprocess.Popen([TLSWIRE, "-n", "-r", str(big), "-V"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV) as process:
        process.stdout.read(100)
        process.stdout.close()
        err = process.stderr.read()
        check(process.wait(LIMIT) == 2 and err == b"", f"{process.returncode} {err!r}")


@test
def a_reading_that_is_stopped():
    # Shells start what runs in the background with the signal ignored.
    with subprocess.Popen([TLSWIRE, "-n", "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=ENV,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        process.stdin.write(first_record(seed_bytes()))
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()
        check(process.wait(LIMIT) == -signal.SIGINT and err == b"" and out.count(b"\n") == 1,
              f"{process.returncode} {out!r} {err!r}")


@test
def progress_on_a_terminal_only():
    big = pathlib.Path("bigger.pcap")
    data = seed_bytes()
    big.write_bytes(data[:24] + data[24:] * 12000)
    check(run("-n", "-r", big, "-V", "-q", stdout=subprocess.DEVNULL)[1] == "", "no progress where nobody looks")
    ours, theirs = pty.openpty()
    with subprocess.Popen([TLSWIRE, "-n", "-r", str(big), "-V"], stdout=subprocess.DEVNULL, stderr=theirs, env=ENV) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        check(process.wait(LIMIT) == 0, "exit status")
    os.close(ours)
    big.unlink()
    check(seen == b"" or (b"%" in seen and seen.endswith(b"\r     \r")), f"{seen[-60:]!r}")


# ---- live -------------------------------------------------------------------------------------------------

class Live:
    """A capture on lo, and connections to make it see something."""

    def __init__(self, *options):
        self.process = subprocess.Popen([TLSWIRE, "-n", "-i", "lo", *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=ENV)
        self.first = self.process.stderr.readline()
        if "permission" in self.first:
            self.process.communicate()
            raise Skip("capturing is not allowed here")

    def finish(self, knocks=0, stop=None):
        for _ in range(knocks):
            with socket.socket() as s:
                s.settimeout(1)
                try:
                    s.connect(("127.0.0.1", 9))
                except OSError:
                    pass
            time.sleep(0.02)
        if stop:
            self.process.send_signal(stop)
        out, err = self.process.communicate(timeout=LIMIT)
        return out, err, self.process.returncode


@test
def live_until_a_count():
    live = Live("-c", "2", "-f", "tcp port 9")
    check(live.first == "Capturing on 'Loopback: lo'\n", live.first)
    out, err, status = live.finish(knocks=3)
    check(out.count("\n") == 2 and err == "2 packets captured\n" and status == 0, f"{out!r} {err!r} {status}")


@test
def live_until_interrupted():
    for number in (signal.SIGINT, signal.SIGTERM):
        live = Live("-f", "tcp port 9")
        time.sleep(0.2)
        out, err, status = live.finish(knocks=1, stop=number)
        check(err.endswith(" captured\n") and status == 0, f"{out!r} {err!r} {status}")


@test
def live_until_a_time_and_to_a_file():
    live = Live("-a", "duration:0.5", "-w", "live.pcapng", "-P", "tcp", "port", "9")
    out, err, status = live.finish(knocks=2)
    check(status == 0 and err.endswith(" captured\n"), f"{err!r} {status}")
    read = run("-n", "-r", "live.pcapng")[0]
    check(read == out and out.count("\n") >= 2, f"{out!r}\n{read!r}")


@test
def live_and_bad_words():
    err = run("-i", "nosuch", "-c", "1")
    check(err[2] == 1 and "nosuch" in err[1], err)
    if "permission" in run("-i", "lo", "-a", "duration:0.1")[1]:
        raise Skip("capturing is not allowed here")
    err = run("-i", "lo", "-f", "bad filter (", "-c", "1")
    check(err[2] == 1 and "bad filter (" in err[1], err)
    check(run("-i", "lo", "-Q", "-a", "duration:0.2") == ("", "", 0), "-Q")


@test
def interfaces_in_the_order_of_tshark():
    out, err, status = run("-D")
    check(status == 0 and not err and "lo (Loopback)\n" in out, f"{out} {err}")
    if MISSING:
        raise Skip(MISSING)
    want = ORACLE.tshark("-D")[0].decode()
    check(want.startswith(out), f"want {want}\ngot {out}")  # it goes on with programs of its own


# ---- beside tshark -------------------------------------------------------------------------------------------

FEW = ["-n", "-r", SEED, "-c", "4"]
BESIDE = [
    FEW, [*FEW, "-V"], [*FEW, "-x"], [*FEW, "-P", "-V"], [*FEW, "-P", "-x"], [*FEW, "-V", "-x"], [*FEW, "-P", "-V", "-x"],
    [*FEW, "-O", "tcp"], [*FEW, "-O", "ip,nosuch"], [*FEW, "-O", "tcp", "-P"], [*FEW, "-q"], [*FEW, "-q", "-V"],
    [*FEW, "-Q"], [*FEW, "-T", "text"], [*FEW, "-T", "text", "-q"], [*FEW, "-T", "pdml"], [*FEW, "-T", "pdml", "-V"],
    [*FEW, "-S", "---", "-V"], [*FEW, "-S", "---", "-x"], [*FEW, "-u", "hms"], [*FEW, "-l"],
    [*FEW, "-Y", "frame.number > 2"], [*FEW, "-Y", ""], [*FEW, "tcp.port", "==", "4433"], [*FEW, "-d", "tcp.port==4433,ssl"],
    *[[*FEW, "-t", t] for t in ("a", "ad", "adoy", "d", "dd", "e", "r", "u", "ud", "udoy", "ad.3", "e.0", ".6", "foo")],
    *[[*FEW, "-T", "fields", "-e", "frame.number", "-e", "tcp.port", "-e", "_ws.col.Info", *e] for e in (
        [], ["-E", "header=y"], ["-E", "separator=/s"], ["-E", "separator=,"], ["-E", "occurrence=f"],
        ["-E", "occurrence=l"], ["-E", "aggregator=/s"], ["-E", "aggregator=;"], ["-E", "quote=d"], ["-E", "quote=s"],
        ["-E", "quote=n"], ["-E", "bom=y"], ["-E", "header=y", "-E", "bom=y", "-E", "quote=d"])],
    ["-r", "missing.pcap"], ["-r", "tiny.pcap"], ["-r", "garbage.pcap"], ["-r", "empty.pcap"], ["-n", "-r", "cut.pcap"],
    ["-n", "-r", "absurd.pcap"], ["-r", "folder.pcap"], [*FEW, "-Y", "bad filter ("], [*FEW, "-Y", "no.such.field"],
    [*FEW, "-T", "fields"], [*FEW, "-T", "fields", "-e", "nosuch"], [*FEW, "-e", "ip.src"], [*FEW, "-T", "foo"],
    [*FEW, "-T", "pdml", "-x"], [*FEW, "-E", "bad=y"], [*FEW, "-o", "foo.bar:1"], [*FEW, "-o", "foo"], [*FEW, "-c", "0"],
    [*FEW, "-c", "x"], [*FEW, "-c", "-5"], [*FEW, "-a", "foo"], [*FEW, "-a", "duration:1"], [*FEW, "-d", "foo"],
    [*FEW, "-d", "tcp.port==x,tls"], [*FEW, "-d", "tcp.port==5-1,tls"], [*FEW, "-d", "tcp.port==1,nosuch"],
    [*FEW, "-d", "tcp.port==1-5,tls"], [*FEW, "-d", "tcp.port==1:3,tls"], [*FEW, "-Z"], ["-r"], [*FEW, "-f", "tcp"],
    [*FEW, "-Y", "tcp", "tcp"], [*FEW, "-u", "x"], [*FEW, "-w", "/nowhere/x"], [*FEW, "-w", "folder.pcap"],
    [*FEW, "-w", "-", "-P"], [*FEW, "-o", "tls.keylog_file:missing.keys"], [*FEW, "-G", "foo"], ["-r", SEED, "-w", "/dev/full"],
    ["-i", "nosuch", "-c", "1"], ["-i", "lo", "-f", "tcp", "udp"], ["-i", "lo", "-Y", "tls", "-w", "x.pcapng"],
    ["-i", "lo", "-a", "duration:-1"], ["-i", "lo", "-Y", "bad filter ("],
    ["-i", "lo", "-a", "filesize:5"], ["-i", "lo", "-a", "files:3"], ["-i", "lo", "-b", "files:2"],
    ["-i", "lo", "-b", "filesize:10"], ["-i", "lo", "-w", "x", "-b", "files:2"], ["-i", "lo", "-w", "-", "-b", "packets:1"],
    ["-i", "lo", "-w", "x", "-a", "files:2"], ["-r", SEED, "-w", "x", "-b", "packets:1"], ["-i", "99"], ["-i", "0"],
    ["-i", "lo", "-y", "FOO"], ["-i", "lo", "-y", "NULL", "-c", "1"], ["-i", "lo", "-I", "-c", "1"], ["-L", "-i", "lo"],
    ["-L", "-i", "nosuch"], ["--list-time-stamp-types", "-i", "lo"], ["-F"], ["-F", "foo", "-r", SEED],
    ["-i", "lo", "-F", "nsecpcap", "-w", "x"], ["-i", "lo", "--time-stamp-type", "foo", "-c", "1"],
    [*FEW, "-M", "0"], [*FEW, "-C", "nosuch"], [*FEW, "-C", "Default"], [*FEW, "--temp-dir", "/nosuch"],
    *[[*FEW, "-T", "fields", "-e", "tcp.port", "-E", e] for e in ("separator=", "aggregator=", "header=", "=")],
    ["-L", "-r", SEED], ["--list-time-stamp-types", "-r", SEED], [*FEW, "-H", "/dev/null"], [*FEW, "-T", "psml", "-O", "tls"],
    [*FEW, "-2", "-M", "3"], [*FEW, "-q", "-z", "io,stat,1,"], [*FEW, "-q", "-z", "conv,tcp,"], [*FEW, "-q", "-z", "endpoints,ip,"],
    [*FEW, "-T", "psml", "--color"], [*FEW, "-N", "dmNv"],
    *[[*FEW, "-V", "-o", o] for o in ("tcp.fastrt_supersedes_ooo:TRUE", "ip.use_geoip:FALSE", "ip.use_geoip:TRUE", "tcp.try_heuristic_first:TRUE",
                                      "nameres.network_name:FALSE", "frame.generate_bits_field:TRUE", "eth.padding:Zeros",
                                      "vlan.qinq_ethertype:0x9100", "name_resolve:FALSE", "nameres.nosuch:TRUE")],
    [*FEW, "--capture-comment", "foo"], [*FEW, "--capture-comment", "foo", "-w", "x", "-F", "pcap"], [*FEW, "-p"], [*FEW, "-g"],
    [*FEW, "-s", "10"], [*FEW, "-y", "EN10MB"], [*FEW, "-i", "lo"], ["-i", "lo", "--capture-comment", "foo", "-c", "1"],
    ["-i", "-"], ["-i", SEED],
]


def beside(arguments):
    if MISSING:
        raise Skip(MISSING)
    if not os.path.exists("cut.pcap"):
        make_bad_captures()
    want, _, want_status = ORACLE.tshark(*arguments)
    got, messages, status = ORACLE.run([TLSWIRE], arguments)
    check(status == want_status, f"exit status {status}, tshark's is {want_status}: {messages}")
    check(got == want, f"{agree.describe(want, got)} {messages}")
    check(not messages or messages.startswith("tlswire: "), messages)


def beside_test(words):
    def as_tshark():
        beside(words)
    said = " ".join(os.path.basename(w) if w == SEED else w for w in words) or "(none)"
    as_tshark.title = "as tshark: " + said.replace("#", "")
    TESTS.append(as_tshark)


for given in BESIDE:
    beside_test(given)


def prepare():
    ORACLE.home = pathlib.Path.cwd() / "oracle"
    ORACLE.environment["WIRESHARK_CONFIG_DIR"] = str(ORACLE.home)


if __name__ == "__main__":
    sys.exit(main(prepare=prepare))
