"""The captures that bench/run measures with.

Real handshakes, which `tlswire lab` makes, are the patterns; each connection is a copy with an address, a
port, and randoms of its own, and checksums that are right.
"""
import pathlib
import random
import ssl
import struct
import subprocess

SERVER_PORT = 443
TOGETHER = 16  # connections that go on at the same time
SEGMENT = 1448
RECORD = 16384 + 17


def sum16(data):
    """The ones' complement sum of big-endian 16-bit words."""
    return int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big") % 0xffff


def checksum_with(old, removed, added):
    """The checksum after REMOVED became ADDED (RFC 1624)."""
    return 0xffff - (0xffff - old - sum16(removed) + sum16(added)) % 0xffff


def pcapng_packets(data):
    """(link type, bytes) of the enhanced packet blocks of a little-endian pcapng."""
    at, links = 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 1:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
        elif kind == 6:
            interface, _, _, size = struct.unpack_from("<IIII", data, at + 8)
            yield links[interface], data[at + 28:at + 28 + size]
        at += length


class Pattern:
    """A packet of IPv4 and TCP as parts: what stays, and what each copy changes."""

    def __init__(self, link, frame, server_port):
        self.link, self.ip = link, {1: 14, 101: 0, 228: 0}[link]
        frame = bytearray(frame)
        self.tcp = self.ip + (frame[self.ip] & 15) * 4
        ports = struct.unpack_from(">HH", frame, self.tcp)
        self.from_server = ports[0] == server_port
        struct.pack_into(">H", frame, self.tcp + (0 if self.from_server else 2), SERVER_PORT)
        self.data = self.tcp + (frame[self.tcp + 12] >> 4) * 4
        hello = frame[self.data:self.data + 1] == b"\x16" and frame[self.data + 5:self.data + 6] in (b"\1", b"\2")
        self.random = self.data + 11 if hello else 0
        self.frame = bytes(frame)
        self.fill_sums(frame)
        self.frame = bytes(frame)

    def fill_sums(self, frame):
        struct.pack_into(">H", frame, self.ip + 10, 0)
        struct.pack_into(">H", frame, self.ip + 10, 0xffff - sum16(frame[self.ip:self.tcp]))
        struct.pack_into(">H", frame, self.tcp + 16, 0)
        pseudo = frame[self.ip + 12:self.ip + 20] + struct.pack(">HH", 6, len(frame) - self.tcp)
        struct.pack_into(">H", frame, self.tcp + 16, 0xffff - sum16(pseudo + frame[self.tcp:]))

    def copy(self, address, port, randoms):
        """The packet of the client ADDRESS and PORT (bytes); RANDOMS: the client's and the server's."""
        frame, old = bytearray(self.frame), self.frame
        at = self.ip + (16 if self.from_server else 12)
        port_at = self.tcp + (2 if self.from_server else 0)
        removed, added = old[at:at + 4], address
        ip_sum = checksum_with(struct.unpack_from(">H", old, self.ip + 10)[0], removed, added)
        removed, added = removed + old[port_at:port_at + 2], added + port
        frame[at:at + 4], frame[port_at:port_at + 2] = address, port
        if self.random:
            mine = randoms[self.from_server]
            # An odd offset in the segment puts each byte into the other half of its word.
            shift = b"\0" if (self.random - self.tcp) % 2 else b""
            removed = removed + shift + old[self.random:self.random + 32] + shift
            added = added + shift + mine + shift
            frame[self.random:self.random + 32] = mine
        struct.pack_into(">H", frame, self.ip + 10, ip_sum)
        struct.pack_into(">H", frame, self.tcp + 16,
                         checksum_with(struct.unpack_from(">H", old, self.tcp + 16)[0], removed, added))
        return frame


def handshake(tlswire, folder, *options):
    """The packets of one lab run as patterns."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(tlswire), "lab", "-4", "--no-capture", "--port", "0", "--dir", str(folder), "-servername",
                           "www.example.com", "-view", "summary", *options], capture_output=True, check=False)
    packets = list(pcapng_packets((folder / "lab.pcapng").read_bytes())) if done.returncode == 0 else []
    if not packets:
        raise RuntimeError(f"tlswire lab gave no handshake: {done.stderr.decode('utf-8', 'replace').strip()}")
    link, first = packets[0]
    ip = 14 if link == 1 else 0
    server_port = struct.unpack_from(">H", first, ip + (first[ip] & 15) * 4 + 2)[0]
    return [Pattern(link, frame, server_port) for link, frame in packets]


class Writer:
    """Classic pcap, microseconds."""

    def __init__(self, path, link):
        self.file, self.count, self.time = open(path, "wb", 1 << 20), 0, 1700000000 * 10**6
        self.file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def add(self, frame):
        self.time += 7
        self.count += 1
        self.file.write(struct.pack("<IIII", *divmod(self.time, 10**6), len(frame), len(frame)))
        self.file.write(frame)


def identity(number, chance):
    """Address, port, and randoms of connection NUMBER."""
    address = struct.pack(">I", 0x0a000001 + number // 50000)
    return address, struct.pack(">H", 10000 + number % 50000), (chance.randbytes(32), chance.randbytes(32))


def many(path, patterns, packets):
    """PATTERNS: several connections.  Many short handshakes, TOGETHER at a time."""
    chance, number = random.Random(1), 0
    with Writer(path, patterns[0][0].link) as writer:
        while writer.count < packets:
            group = [(patterns[n % len(patterns)], identity(n, chance)) for n in range(number, number + TOGETHER)]
            number += TOGETHER
            for row in range(max(len(p) for p, _ in group)):
                for pattern, who in group:
                    if row < len(pattern):
                        writer.add(pattern[row].copy(*who))
        return writer.count


def data_packet(pattern, sequence, data):
    frame = bytearray(pattern.frame[:pattern.data]) + data
    struct.pack_into(">H", frame, pattern.ip + 2, len(frame) - pattern.ip)
    struct.pack_into(">I", frame, pattern.tcp + 4, sequence & 0xffffffff)
    pattern.fill_sums(frame)
    return frame


def bulk(path, pattern, megabytes):
    """One connection: its handshake, then application data in the largest records over full segments."""
    chance = random.Random(2)
    talk = [p for p in pattern if p.from_server and len(p.frame) > p.data]
    last = talk[-2]  # the one after it says goodbye
    start = pattern.index(last)
    ack = [p for p in pattern[:start] if not p.from_server and len(p.frame) == p.data][-1]
    sequence = struct.unpack_from(">I", last.frame, last.tcp + 4)[0] + len(last.frame) - last.data
    with Writer(path, ack.link) as writer:
        for packet in pattern[:start + 1]:
            writer.add(packet.frame)
        stream, sent = b"", 0
        while sent < megabytes * 10**6:
            while len(stream) < SEGMENT:
                stream += b"\x17\3\3" + struct.pack(">H", RECORD) + chance.randbytes(RECORD)
            writer.add(data_packet(last, sequence, stream[:SEGMENT]))
            sequence, stream, sent = sequence + SEGMENT, stream[SEGMENT:], sent + SEGMENT
            if writer.count % 3 == 0:
                reply = bytearray(ack.frame)
                struct.pack_into(">I", reply, ack.tcp + 8, sequence & 0xffffffff)
                ack.fill_sums(reply)
                writer.add(reply)
        return writer.count


class _End:
    def __init__(self, context, server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server)

    def shakes(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return True
        return False


def sealed(path, folder, megabytes):
    """One connection that sends bulk data under AES-256-GCM, and its key log: (packets, key log)"""
    log, pem = folder / "sealed.keys", folder / "sealed.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench.example", "-days", "30",
                    "-keyout", pem, "-out", folder / "sealed.crt"], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (folder / "sealed.crt").read_bytes())
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts[0].check_hostname, contexts[0].verify_mode = False, ssl.CERT_NONE
    contexts[1].load_cert_chain(pem)
    log.unlink(missing_ok=True)
    contexts[0].keylog_filename = str(log)
    ends = [_End(context, server) for server, context in enumerate(contexts)]
    seqs, count = [1001, 5001], 0

    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))

        def send(server, data):
            nonlocal count
            ports = (SERVER_PORT, 50000) if server else (50000, SERVER_PORT)
            hosts = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
            tcp = struct.pack(">HHIIBBHHH", *ports, seqs[server], seqs[1 - server], 0x50, 0x18, 512, 0, 0)
            ip = struct.pack(">BBHIBBH", 0x45, 0, 40 + len(data), 0x4000, 64, 6, 0) + hosts[server] + hosts[1 - server]
            packet = bytes(12) + b"\x08\0" + ip + tcp + data
            seqs[server] += len(data)
            count += 1
            file.write(struct.pack("<IIII", count // 10000, count % 10000 * 100, len(packet), len(packet)) + packet)

        def flush(at):
            data = ends[at].outgoing.read()
            for i in range(0, len(data), SEGMENT):
                send(at, data[i:i + SEGMENT])
            ends[1 - at].incoming.write(data)

        shaking = True
        while shaking:
            shaking = False
            for at in (0, 1):
                shaking |= ends[at].shakes()
                flush(at)
        block = bytes(range(256)) * 4096
        for _ in range(megabytes):
            ends[1].tls.write(block)
            flush(1)
            while ends[0].incoming.pending:
                try:
                    ends[0].tls.read(1 << 20)
                except ssl.SSLWantReadError:
                    break
    return count, log


def make(tlswire, folder, packets, megabytes):
    """{name: (path, packets)}: many short handshakes, one of bulk data, one of 13 packets."""
    folder = pathlib.Path(folder)
    newer = handshake(tlswire, folder / "tls13", "-tls1_3")
    older = handshake(tlswire, folder / "tls12", "-tls1_2")
    paths = {name: folder / f"{name}.pcap" for name in ("many", "bulk", "few")}
    counts = {"many": many(paths["many"], [newer, older, newer], packets), "bulk": bulk(paths["bulk"], newer, megabytes),
              "few": 13}
    with Writer(paths["few"], newer[0].link) as writer:
        for packet in (newer + older)[:13]:
            writer.add(packet.frame)
    return {name: (path, counts[name]) for name, path in paths.items()}
