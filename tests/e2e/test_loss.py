#!/usr/bin/env python3
"""What is decrypted when a packet is missing, cut short or late: any single one of an exchange of 200 records.

usage: test_loss.py TLSWIRE [TEST...]     prints TAP

One capture holds a connection for each packet that something happens to; all are the same exchange, so that one key
log opens them.
"""
import collections
import pathlib
import ssl
import struct
import subprocess
import sys
import tempfile

import test_front as front
from test_front import Skip, check, run

front.TESTS.clear()
test = front.test
RECORDS, SERVER_PORT, AFTER, HELD, CUT = 200, 443, 3, 7, 60
Segment = collections.namedtuple("Segment", "server data plain")


def certificate(folder):
    pem = folder / "server.pem"
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=loss.example", "-days", "30",
                           "-keyout", pem, "-out", folder / "cert.pem"], capture_output=True)
    if done.returncode:
        raise Skip("openssl makes no certificate")
    pem.write_bytes(pem.read_bytes() + (folder / "cert.pem").read_bytes())
    return pem


class End:
    def __init__(self, context, server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server,
                                    server_hostname=None if server else "loss.example")

    def shake(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False


def exchange(folder, version, ciphers=None):
    """(segments of one connection, key log)"""
    log = folder / "keys.log"
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    for context in (server, client):
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
    server.load_cert_chain(certificate(folder))
    client.keylog_filename = str(log)
    ends = [End(client, False), End(server, True)]
    segments, done = [], [False, False]

    def flush(at, plain=None):
        data = ends[at].outgoing.read()
        parts = [data[i:i + 1400] for i in range(0, len(data), 1400)]
        for part in parts:
            segments.append(Segment(at == 1, part, plain if part is parts[-1] else None))
        ends[1 - at].incoming.write(data)

    while not all(done):
        for at in (0, 1):
            done[at] = ends[at].shake()
            flush(at)
    flush(1)
    for i in range(RECORDS):
        at = 1 if i % 5 else 0
        plain = b"%4d " % i + bytes([65 + i % 26]) * (700 + 37 * i % 600)
        ends[at].tls.write(plain)
        flush(at, plain)
        try:
            ends[1 - at].tls.read(65536)
        except ssl.SSLWantReadError:
            pass
    return segments, log


def frame(port, segment, seqs):
    """Ethernet, IPv4, TCP, acknowledging all that came before; SEQS go on."""
    at = int(segment.server)
    ports = (SERVER_PORT, port) if segment.server else (port, SERVER_PORT)
    tcp = struct.pack(">HHIIBBHHH", *ports, seqs[at], seqs[1 - at], 0x50, 0x18, 512, 0, 0)
    seqs[at] += len(segment.data)
    ends = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
    ip = struct.pack(">BBHIBBH", 0x45, 0, 40 + len(segment.data), 0x4000, 64, 6, 0) + ends[at] + ends[1 - at]
    return bytes(12) + b"\x08\0" + ip + tcp + segment.data


def connection(port, segments, harm, which):
    """The packets of one connection of which packet WHICH suffers: (bytes kept, whole length)"""
    seqs = [1001, 5001]
    packets, sent, answers = [], [], []
    for flags, server in ((2, False), (0x12, True)):
        ports = (SERVER_PORT, port) if server else (port, SERVER_PORT)
        tcp = struct.pack(">HHIIBBHHH", *ports, seqs[server] - 1, seqs[1 - server] if server else 0, 0x50, flags, 512, 0, 0)
        ends = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
        ip = struct.pack(">BBHIBBH", 0x45, 0, 40, 0x4000, 64, 6, 0) + ends[server] + ends[1 - server]
        whole = bytes(12) + b"\x08\0" + ip + tcp
        packets.append((whole, len(whole)))
    for segment in segments:
        whole = frame(port, segment, seqs)
        answers.append(frame(port, Segment(not segment.server, b"", None), seqs))
        sent.append((whole, len(whole)))
    whole = sent[which][0]
    if harm == "drop":
        sent[which] = None
    elif harm == "cut":
        sent[which] = whole[:CUT], len(whole)
    elif harm == "swap" and which + 1 < len(sent):
        sent[which:which + 2] = reversed(sent[which:which + 2])
    for packet, answer in zip(sent, answers):
        packets += [packet] if packet else []
        packets.append((answer, len(answer)))
    return packets


def write_capture(path, segments, harm, count):
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)]
    number = 0
    for which in range(count):
        for kept, size in connection(10000 + which, segments, harm, which):
            number += 1
            out.append(struct.pack("<IIII", number // 1000, number % 1000, len(kept), size) + kept)
    path.write_bytes(b"".join(out))


def opened(path, log):
    """{port: {plaintext}} of all connections."""
    text, _, _ = run("-n", "-r", path, "-o", f"tls.keylog_file:{log}", "-Y", "data && tls", "-T", "fields", "-e", "tcp.srcport", "-e",
                     "tcp.dstport", "-e", "data.data")
    found = collections.defaultdict(set)
    for line in text.splitlines():
        source, destination, data = line.split("\t")
        port = int(source) if int(source) != SERVER_PORT else int(destination)
        found[port].update(bytes.fromhex(part) for part in data.split(","))
    return found


def all_goes_on(version, ciphers=None, hopeless=lambda segment: False):
    """HOPELESS: without this segment nobody could go on."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        segments, log = exchange(folder, version, ciphers)
        capture = folder / "loss.pcap"
        for harm in ("drop", "cut", "swap"):
            write_capture(capture, segments, harm, len(segments))
            found = opened(capture, log)
            for which, segment in enumerate(segments):
                if harm != "swap" and hopeless(segment):
                    continue
                have = found[10000 + which]
                wrong = [i for i, s in enumerate(segments) if s.plain and s.plain not in have]
                if harm == "swap":
                    check(wrong == [], f"{harm} {which}: not opened: {wrong}")
                    continue
                same = [i for i, s in enumerate(segments) if s.plain and s.server == segment.server and i >= which]
                # The last ones are held back: nothing after them says that the hole stays.
                allowed = set(same[:AFTER + 1]) | (set(same) if len(same) <= HELD else set())
                check(set(wrong) <= allowed, f"{harm} {which}: not opened: {wrong}")


@test
def tls_1_3():
    all_goes_on(ssl.TLSVersion.TLSv1_3)


def has_server_hello(segment):
    return segment.server and segment.data[:1] == b"\x16" and segment.data[5:6] == b"\2"


@test
def tls_1_2_with_gcm():
    all_goes_on(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256", has_server_hello)


@test
def tls_1_2_with_chacha20():
    all_goes_on(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-CHACHA20-POLY1305", has_server_hello)


@test
def tls_1_2_with_cbc():
    all_goes_on(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-SHA384", has_server_hello)


def verdicts(path, log):
    """What tlswire.decrypt.status says, in order."""
    text, _, _ = run("-n", "-r", path, "-o", f"tls.keylog_file:{log}", "-Y", "tlswire.decrypt.status", "-T", "fields", "-e",
                     "tlswire.decrypt.status")
    return [word for line in text.splitlines() for word in line.split("\t")]


@test
def the_verdict_says_why():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        segments, log = exchange(folder, ssl.TLSVersion.TLSv1_3)
        whole, lossy, headless = folder / "whole.pcap", folder / "lossy.pcap", folder / "headless.pcap"
        write_capture(whole, segments, "none", 1)
        write_capture(headless, segments[5:], "none", 1)
        write_capture(lossy, segments, "drop", 60)
        check(verdicts(whole, log) == ["opened"], verdicts(whole, log))
        text = log.read_text()
        other = folder / "other.log"
        other.write_text(text.replace(text.split()[1], "00" * 32) if not text.startswith("#") else
                         "\n".join(line if line.startswith("#") else " ".join([line.split()[0], "00" * 32, line.split()[2]])
                                   for line in text.splitlines() if line) + "\n")
        check(verdicts(whole, other) == ["no key for this client random"], verdicts(whole, other))
        wrong = folder / "wrong.log"
        wrong.write_text("\n".join(line if line.startswith("#") else line[:-4] + ("0000" if line[-4:] != "0000" else "1111")
                                   for line in text.splitlines()) + "\n")
        got = verdicts(whole, wrong)
        check(got == ["key present but wrong: the tag of record 0 does not match"], got)
        got = verdicts(headless, wrong)
        check(got == ["handshake not captured"], got)
        got = verdicts(headless, log)
        check(got and got[-1].startswith(("opened", "resynchronised")) and "found by trying" in got[-1], got)
        marks, _, _ = run("-n", "-r", lossy, "-o", f"tls.keylog_file:{log}", "-Y", "tlswire.decrypt.resync", "-T", "fields", "-e",
                          "tcp.srcport", "-e", "tcp.dstport", "-e", "tlswire.decrypt.resync", "-e", "tlswire.decrypt.lost_bytes")
        found = dict()
        for line in marks.splitlines():
            source, destination, records, lost = line.split("\t")
            found[max(int(source), int(destination))] = int(records), int(lost)
        plain = [i for i, s in enumerate(segments[:50]) if s.plain]
        for which in plain[10:]:
            check(found.get(10000 + which) == (1, len(segments[which].data)), f"{which}: {found.get(10000 + which)}")


@test
def hellos_that_are_cut_name_their_keys():
    """The random stands in the first 43 bytes of the record, the server's choice soon after."""
    for version, server_part in ((ssl.TLSVersion.TLSv1_2, 90), (ssl.TLSVersion.TLSv1_3, 90)):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            segments, log = exchange(folder, version)
            packets = connection(10000, segments, "none", 0)
            # More than are tried where no hello says whose they are.
            others = [f"CLIENT_RANDOM {i:064x} {i:096x}\nCLIENT_TRAFFIC_SECRET_0 {i:064x} {i:096x}\n" for i in range(600)]
            log.write_text("".join(others) + log.read_text())
            for cut_server in (False, True):
                left = {"\x01": 54 + 43, "\x02": 54 + server_part} if cut_server else {"\x01": 54 + 43}
                out, cut = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)], 0
                for number, (kept, size) in enumerate(packets):
                    if kept[54:55] == b"\x16" and chr(kept[59]) in left and kept[60:61] == b"\0":
                        kept = kept[:left[chr(kept[59])]]
                        cut += 1
                    out.append(struct.pack("<IIII", 0, number, len(kept), size) + kept)
                path = folder / "cut.pcap"
                path.write_bytes(b"".join(out))
                check(cut == len(left), f"{cut} packets were cut")
                text, err, _ = run("-n", "-r", path, "-o", f"tls.keylog_file:{log}", "-Y", "data.data", "-T", "fields", "-e",
                                   "data.data")
                seen = b"".join(bytes.fromhex(line.replace(",", "")) for line in text.splitlines())
                wanted = b"".join(s.plain for s in segments if s.plain)
                check(seen == wanted, f"{version} {left}: {len(seen)} of {len(wanted)} bytes {err}")
                check("found by trying" not in " ".join(verdicts(path, log)), verdicts(path, log))


@test
def nothing_is_decrypted_for_nobody():
    """The output is the same whether or not there are keys, and no word is said of keys that are wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        segments, log = exchange(folder, ssl.TLSVersion.TLSv1_3)
        capture = folder / "whole.pcap"
        write_capture(capture, segments, "none", 1)
        view = ["-n", "-r", capture, "-T", "fields", "-e", "ip.src", "-e", "tcp.len"]
        check(run(*view) == run(*view, "-o", f"tls.keylog_file:{log}"), "fields below TLS")
        text, _, _ = run(*view, "-e", "_ws.col.Info", "-o", f"tls.keylog_file:{log}")
        check("Finished" in text, "columns need what is inside")


@test
def lines_alone_need_no_application_data():
    """Before TLS 1.3 a summary line is the same whatever the data is: its records go by unopened, damaged ones too, and what
    is no data is opened behind them, and behind packets that are lost."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        segments, log = exchange(folder, ssl.TLSVersion.TLSv1_2)
        columns = ["-o", 'gui.column.format:"I","%i"']
        for harm, which in (("none", 1), ("drop", len(segments) // 2), ("cut", len(segments) // 2)):
            write_capture(folder / "some.pcap", segments, harm, which)
            view = ["-n", "-r", folder / "some.pcap", "-o", f"tls.keylog_file:{log}"]
            lines = run(*view, *columns)[0].splitlines()
            opened = run(*view, "-T", "fields", "-e", "_ws.col.Info", "-e", "data.len")[0].splitlines()
            check(any(line.split("\t")[1:] > [""] for line in opened), "nothing was decrypted where data is asked for")
            check([line.strip() for line in lines] == [line.split("\t")[0].strip() for line in opened], harm)
            check(run(*view, *columns)[1] == "", "keys that open are not told of")
            check(any("Finished" in line for line in lines), "handshake messages are opened")


if __name__ == "__main__":
    sys.exit(front.main())
