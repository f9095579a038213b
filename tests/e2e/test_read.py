#!/usr/bin/env python3
"""tlswire read: hex dumps in all their forms, TLS records, certificates, what openssl and curl tell of a connection.

usage: test_read.py TLSWIRE [TEST...]     prints TAP; forms whose program is missing are skipped
"""
import base64
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import test_front as front
from test_front import ENV, LIMIT, ROOT, Skip, TLSWIRE, check, refused, run

front.TESTS.clear()
test = front.test
LAB = ROOT / "tests" / "golden" / "lab_tls12.pcapng"
RAW = ["-T", "fields", "-e", "tcp.payload"]


def sides(path):
    """What each side of the first connection of a capture sent: (client, server), records by record."""
    rows = run("-n", "-r", path, "-Y", "tcp.len > 0", "-T", "fields", "-e", "tcp.dstport", "-e", "tcp.payload")[0].splitlines()
    first = rows[0].split("\t")[0]
    out = ([], [])
    for row in rows:
        port, payload = row.split("\t")
        out[port != first].append(bytes.fromhex(payload.replace(":", "")))
    return out


def hello():
    return sides(LAB)[0][0]


def payload_of(*arguments, data=None):
    done = subprocess.run([TLSWIRE, "read", *map(str, arguments), *RAW], input=data, capture_output=True, env=ENV,
                          timeout=LIMIT, check=False)
    check(done.returncode == 0 and not done.stderr, f"{arguments}: {done.returncode} {done.stderr.decode()}")
    return bytes.fromhex(done.stdout.decode().replace("\n", "").replace(":", ""))


def with_two(data):
    """A record of repeated bytes, so that dumps shorten it with an asterisk; of an odd length."""
    body = data[5:40] + bytes(131)
    return b"\x17\x03\x03" + len(body).to_bytes(2, "big") + body


def forms(data):
    digits = data.hex()
    pairs = [digits[i:i + 2] for i in range(0, len(digits), 2)]
    yield "digits", digits
    yield "capitals", digits.upper()
    yield "spaces", " ".join(pairs)
    yield "colons", ":".join(pairs)
    yield "commas", ", ".join("0x" + p for p in pairs)
    yield "lines", "\n".join(digits[i:i + 64] for i in range(0, len(digits), 64))
    yield "an array of C", "static const uint8_t x[] = {\n" + ",\n".join(
        ", ".join("0x" + p for p in pairs[i:i + 12]) for i in range(0, len(pairs), 12)) + "\n};\nint x_len = 12;\n"
    yield "a string of C", 'char x[] =\n' + "\n".join(
        '    "' + "".join("\\x" + p for p in pairs[i:i + 12]) + '"' for i in range(0, len(pairs), 12)) + ";\n"
    yield "bytes of Python", f"data = {data!r}\n"
    yield "base64", base64.encodebytes(data).decode()


PROGRAMS = ["xxd", "xxd -c 8", "xxd -g 1", "xxd -g 4", "xxd -u", "xxd -p", "xxd -i", "hexdump", "hexdump -C", "od", "od -t x1",
            "od -A x -t x1z", "od -A x -t x2", "od -x", "od -v -x"]


@test
def hex_in_every_form():
    for data in (hello(), with_two(hello())):
        for name, text in forms(data):
            check(payload_of("--hex", "-", data=text.encode()) == data, name)
            check(payload_of("-", data=text.encode().replace(b"\n", b"\r\n")) == data, f"{name}, without --hex")


@test
def dumps_of_other_programs():
    missing = set()
    for data in (hello(), with_two(hello())):
        pathlib.Path("bytes.bin").write_bytes(data)
        for command in PROGRAMS:
            words = command.split()
            if not shutil.which(words[0]):
                missing.add(words[0])
                continue
            if words == ["od"]:
                continue  # octal: not hexadecimal
            text = subprocess.run([*words, "bytes.bin"], capture_output=True, check=True).stdout
            check(payload_of("--hex", "-", data=text) == data, f"{command}: {text[-200:]}")
    if missing == {"xxd", "hexdump", "od"}:
        raise Skip("none of them is there")


def tcpdump_text(frame, verbose):
    """As tcpdump -X prints a frame without its link header."""
    lines = ["20:08:28.457751 IP 192.0.2.1.54804 > 192.0.2.2.443: Flags [P.], length 9"]
    if verbose:
        lines = ["20:08:28.457751 IP (tos 0x0, ttl 64, id 0, offset 0, flags [DF], proto TCP (6), length 9)",
                 "    192.0.2.1.54804 > 192.0.2.2.443: Flags [P.], cksum 0x1234 (correct), seq 1:10, ack 1, length 9"]
    for at in range(0, len(frame), 16):
        row = frame[at:at + 16]
        pairs = " ".join(row[i:i + 2].hex() for i in range(0, len(row), 2))
        letters = "".join(chr(c) if 0x20 < c < 0x7f else "." for c in row)
        lines.append(f"\t0x{at:04x}:  {pairs:<39}  {letters}")
    return "\n".join(lines) + "\n"


@test
def dumps_of_tcpdump_and_in_mails():
    frames = [bytes.fromhex(packet["_source"]["layers"]["frame_raw"][0])
              for packet in json.loads(run("-r", LAB, "-Y", "tls", "-T", "jsonraw")[0])]
    check(len(frames) > 3, "frames of the capture")
    fields = ["-T", "fields", "-e", "ip.src", "-e", "tcp.seq_raw", "-e", "tcp.payload"]
    want = run("-r", LAB, "-Y", "tls", *fields)[0]
    for verbose in (False, True):
        text = "".join(tcpdump_text(frame[14:], verbose) for frame in frames)
        pathlib.Path("tcpdump.txt").write_text(text)
        check(run("read", "--hex", "tcpdump.txt", *fields)[0] == want, f"tcpdump -X{'v' * verbose}")
    quoted = "".join("> > " + line for line in dict(forms(hello()))["lines"].splitlines(True))
    check(payload_of("--hex", "-", data=quoted.encode()) == hello(), "quoted in a mail")


@test
def what_is_no_certificate():
    pathlib.Path("request.der").write_bytes(bytes.fromhex("303e" "303c" "020100" "3037" "3135" + "00" * 53))
    out, err, status = run("read", "request.der")
    check(out == "" and status == 2 and "a request for a certificate" in err, f"{out} {err}")
    pathlib.Path("short.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    out, err, status = run("read", "short.pem")
    check(out == "" and status == 2 and "cut short or damaged" in err, f"{out} {err}")


@test
def the_reader_s_own_dump_comes_back():
    """-x of a capture, read again, is the capture; what was reassembled or decrypted is not taken twice."""
    wanted = ["-n", "-r", LAB, "-Y", "tls"]
    pathlib.Path("own.txt").write_text(run(*wanted, "-x")[0])
    fields = ["-T", "fields", "-e", "ip.src", "-e", "tcp.srcport", "-e", "frame.len", "-e", "tcp.payload"]
    want = run(*wanted, *fields)[0]
    check(want.count("\n") > 3 and run("read", "--hex", "own.txt", *fields)[0] == want, "-x and back")


@test
def records_of_one_side_or_of_both():
    client, server = sides(LAB)
    pathlib.Path("client.bin").write_bytes(b"".join(client))
    pathlib.Path("server.bin").write_bytes(b"".join(server))
    types = ["-T", "fields", "-e", "tcp.dstport", "-e", "tls.handshake.type"]
    out = run("read", "--raw-records", "client.bin", *types)[0]
    check(out.startswith("443\t1\n") and {line.split("\t")[0] for line in out.splitlines()} == {"443"}, out)
    out = run("read", "--raw-records", "server.bin", *types)[0]
    check(out.startswith("49152\t2") and {line.split("\t")[0] for line in out.splitlines()} == {"49152"}, out)
    keys = pathlib.Path("keys.log")
    data, at, text = LAB.read_bytes(), 0, b""
    while at < len(data):
        kind, size = int.from_bytes(data[at:at + 4], "little"), int.from_bytes(data[at + 4:at + 8], "little")
        if kind == 10:
            text += data[at + 16:at + 16 + int.from_bytes(data[at + 12:at + 16], "little")]
        at += size
    keys.write_bytes(text)
    both = run("read", "--raw-records", "client.bin", "server.bin", "-o", f"tls.keylog_file:{keys}")[0]
    check(both.count("Finished") == 2 and "Close Notify" in both and "Server Hello Done" in both, both)
    check(run("read", "client.bin")[0].count("Client Hello") == 1, "known by its bytes")
    mixed = client[0] + b"".join(server)
    pathlib.Path("mixed.bin").write_bytes(mixed)
    out = run("read", "--raw-records", "mixed.bin", "-T", "fields", "-e", "tcp.dstport")[0].split()
    check(out[0] == "443" and set(out[1:]) == {"49152"}, out)


def make_certificate():
    if not shutil.which("openssl"):
        raise Skip("openssl is not there")
    subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 9 "
                   "-subj /CN=localhost/O=Read -addext subjectAltName=DNS:read.example".split(), capture_output=True, check=True)
    subprocess.run("openssl x509 -in c.pem -outform der -out c.der".split(), check=True)


@test
def certificates():
    make_certificate()
    wanted = ["-T", "fields", "-e", "tls.handshake.type", "-e", "x509ce.dNSName", "-e", "tls.handshake.certificate"]
    der = pathlib.Path("c.der").read_bytes()
    pem = pathlib.Path("c.pem").read_text()
    pathlib.Path("chain.pem").write_text("subject=CN = localhost\n" + pem + "issuer=…\n" + pem)
    for name, times in (("c.pem", 1), ("c.der", 1), ("chain.pem", 2)):
        out, err, status = run("read", name, *wanted)
        kind, names, bodies = out.rstrip("\n").split("\t")
        check(status == 0 and kind == "11" and names == ",".join(["read.example"] * times), f"{name}: {out}{err}")
        check([bytes.fromhex(b.replace(":", "")) for b in bodies.split(",")] == [der] * times, name)
    check("rdnSequence: 2 items (id-at-organizationName=Read,id-at-commonName=localhost)" in run("read", "c.pem", "-V")[0], "-V")
    refused(["read", "k.pem"], 2, 'PEM with "PRIVATE KEY"')


@test
def what_openssl_and_curl_tell():
    make_certificate()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", "c.pem", "-key", "k.pem", "-www", "-quiet"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        for version in ("-tls1_2", "-tls1_3"):
            for how in ("-msg", "-debug"):
                told = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, how],
                                      stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False).stdout
                pathlib.Path("told.txt").write_bytes(told)
                out, err, status = run("read", "told.txt")
                lines = out.splitlines()
                check(status == 0 and "Client Hello" in lines[0] and "Server Hello" in lines[1], f"{version} {how}: {out}{err}")
                check(("Certificate" in out) == (how == "-msg" or version == "-tls1_2"), f"{version} {how}: {out}")
                check(re.search(r"192\.0\.2\.1 → 192\.0\.2\.2", lines[0]) and "192.0.2.2 → 192.0.2.1" in lines[1], out)
                check("Malformed" not in out, out)
        if shutil.which("curl"):
            subprocess.run(["curl", "-sk", "--trace", "trace.txt", "-o", "page", f"https://127.0.0.1:{port}/"], check=False)
            out, err, status = run("read", "trace.txt")
            for word in ("Client Hello", "Server Hello", "Encrypted Extensions", "Certificate Verify", "Change Cipher Spec",
                         "New Session Ticket"):
                check(word in out, f"{word}: {out}{err}")
            check(out.count("Finished") == 2 and "Malformed" not in out, out)
    finally:
        server.kill()
        server.wait()


@test
def it_takes_the_options_of_the_reader():
    pathlib.Path("hello.bin").write_bytes(hello())
    check(run("read", "-V", "hello.bin")[0] == run("read", "hello.bin", "-V")[0] != "", "the file before or behind")
    check(run("read", "hello.bin", "-Y", "tls.handshake.type == 2") == ("", "", 0), "-Y")
    check(run("read", "hello.bin", "-w", "made.pcapng") == ("", "", 0), "-w")
    check(run("-n", "-r", "made.pcapng", *RAW)[0] == run("read", "hello.bin", *RAW)[0], "the file that -w made")
    check(b"made up" in pathlib.Path("made.pcapng").read_bytes(), "the file says that its packets are made up")
    check(run("read", LAB)[0] == run("-r", LAB)[0], "a capture is read as one")
    out, err, status = run("read", "--help")
    check(status == 0 and "--raw-records" in out and not err, out)
    if not front.MISSING:
        theirs = subprocess.run(["tshark", "-n", "-r", "made.pcapng"], capture_output=True, text=True, env=ENV, check=False)
        check("Client Hello" in theirs.stdout and "[" not in theirs.stdout, theirs.stdout)


@test
def what_cannot_be_read():
    refused(["read"], 1, "name a file")
    refused(["read", "a", "b"], 1, "one file at a time")
    refused(["read", "--raw-records", "a", "b", "c"], 1, "more than two files")
    refused(["read", "-r", "a", "b"], 1, "without -r")
    refused(["read", "missing"], 2, "doesn't exist")
    pathlib.Path("empty").write_bytes(b"")
    refused(["read", "empty"], 2, "it is empty")
    pathlib.Path("letter").write_text("Dear reader, here is no TLS.\n")
    refused(["read", "letter"], 2, "no TLS was found in it")
    refused(["read", "--hex", "letter"], 2, "no TLS was found in it")
    refused(["read", "letter", "--nosuch"], 1, "unrecognized option")
    with open("large", "wb") as file:
        file.truncate(17 << 20)
    refused(["read", "--raw-records", "large"], 2, "more than 16 MiB")


if __name__ == "__main__":
    sys.exit(front.main())
