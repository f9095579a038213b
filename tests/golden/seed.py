#!/usr/bin/env python3
"""The three captures that every view was first checked with, built packet by packet.

They are the handshake of a note of 2017 on watching TLS with tshark: OpenSSL 1.0's s_client and a small
server on port 4433, TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384, as far as the note prints it.
What it does not print (the tails of keys, of signatures and of encrypted records) is zero.

  seed_summary.pcap   16 packets: a refused attempt over ::1, then the connection; one clock jumps
  seed_verbose.pcap   the same exchange on another day, with the checksums that the note shows
  seed_hexdump.pcap   one ClientHello

usage: seed.py FOLDER
"""
import base64
import ipaddress
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import certificates  # noqa: E402

CIPHER_SUITES = """
    c030 c02c c028 c024 c014 c00a 00a5 00a3 00a1 009f 006b 006a 0069 0068 0039 0038 0037 0036 0088 0087 0086 0085
    c032 c02e c02a c026 c00f c005 009d 003d 0035 0084 c02f c02b c027 c023 c013 c009 00a4 00a2 00a0 009e 0067 0040
    003f 003e 0033 0032 0031 0030 009a 0099 0098 0097 0045 0044 0043 0042 c031 c02d c029 c025 c00e c004 009c 003c
    002f 0096 0041 c012 c008 0016 0013 0010 000d c00d c003 000a 0007 c011 c007 c00c c002 0005 0004 00ff"""

CERTIFICATE = base64.b64decode("""
    MIIDADCCAegCCQDbRBwU17EebDANBgkqhkiG9w0BAQUFADBCMQswCQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQK
    DBNEZWZhdWx0IENvbXBhbnkgTHRkMB4XDTE2MTEyNzE1MDEyNFoXDTI2MTEyNTE1MDEyNFowQjELMAkGA1UEBhMCWFgxFTATBgNVBAcMDERl
    ZmF1bHQgQ2l0eTEcMBoGA1UECgwTRGVmYXVsdCBDb21wYW55IEx0ZDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBANl/L8DBf1pB
    zZW1ZRu/D6VwxKdOEn5k8ccKuF7eFA/4wTgI5GhNs6zM+lEB5LHRYedl8CaOWHgPBGJXeJdEU7otcZQHNv/DtHJcmRNipXqIF863PaEq3xY+
    xPPePl5C/Y3yvUjAvryNwMydhF4JYpDMGXIYLCvfikeVHXU9BQVkedXOO678GnS3PCkcpNy3Btymo+hqga8Xs3VXYteDt1OdLtflpVOqEPgX
    AoxQdgqz82eiPh3uhhTU2qwuAWclXRvJXkarxMTNwlnFU3JE0ozuRfKaZIZp+qdc4c0K+qPdWQ1tnZADvs7jTcUjneqMX8Cn+XbZ9d98doN6
    IB8HTF0CAwEAATANBgkqhkiG9w0BAQUFAAOCAQEAXaDunSjZqHQK/1cN6iy3fhTPY/p72toNvBwlqUjS9Bt5mLs04F48tqvBbJgedtzL4xrt
    CURQcH5P5y5NdIAfjnsie+4sAUdvdudUPlHRFr9TyBLG4F73g/V9+1q1rEqG8Mtgkh2YbBm/WyThRnxYogUkl42IMA2ucQqGHRIJPc5J0Cow
    +lcxA7K+QCatQlw4/Y6sC8jfPTXYknlE8Zwl0Y3EBaaXROAeM+p97v8aqYw0ISi//YCGOFgmGWyx87W1zw8PC4Fz7PeDCG8FM9QKqIdIARKq
    vcqdwrisVekiihpW3X8lmZylSMlxptXFHLk/d6j9KDvVteokO+iaeFaV0A==""")


class Bytes(bytearray):
    """A little writer: numbers in network order, and prefixes that count what follows."""

    def __add__(self, more):
        return Bytes(bytes(self) + bytes(more))

    def number(self, size, *values):
        for value in values:
            self.extend(value.to_bytes(size, "big"))
        return self

    def zeros_to(self, size, start=""):
        self.extend(bytes.fromhex(start).ljust(size, b"\0"))
        return self

    def counted(self, size, body):
        self.number(size, len(body)).extend(body)
        return self


def extension(number, body=b""):
    return Bytes().number(2, number).counted(2, body)


def message(kind, body):
    return Bytes().number(1, kind).counted(3, body)


def record(kind, body, version=0x0303):
    return Bytes().number(1, kind).number(2, version).counted(2, body)


POINT_FORMATS = extension(11, Bytes().counted(1, b"\0\1\2"))
SESSION_TICKET = extension(35)
HEARTBEAT = extension(15, b"\1")


def client_hello(random):
    groups = Bytes().counted(2, Bytes().number(2, 23, 25, 24, 22))
    schemes = Bytes().counted(2, Bytes().number(2, *(h << 8 | s for h in range(6, 1, -1) for s in (1, 2, 3))))
    extensions = POINT_FORMATS + extension(10, groups) + SESSION_TICKET + extension(13, schemes) + HEARTBEAT
    body = Bytes().number(2, 0x0303) + random + b"\0"
    body.counted(2, bytes.fromhex(CIPHER_SUITES)).counted(1, b"\0").counted(2, extensions)
    return record(22, message(1, body), 0x0301)


def server_flight():
    hello = Bytes().number(2, 0x0303).number(4, 510749474)
    hello.zeros_to(28, "715a37150c7058ab323b138a5d1e286a0b0f03c89ffcb5d4").number(1, 0).number(2, 0xc030).number(1, 0)
    hello.counted(2, extension(0xff01, b"\0") + POINT_FORMATS + SESSION_TICKET + HEARTBEAT)
    point = Bytes().zeros_to(65, "04fb9cf7ecd302437309429607a8104efa4c9eb4bb72a2ef")
    signature = Bytes().zeros_to(256, "12944e097b2a7d7896ae94ec276df67045c3e3ec08ef1e88")
    key = Bytes().number(1, 3).number(2, 23).counted(1, point).number(2, 0x0601).counted(2, signature)
    chain = Bytes().counted(3, Bytes().counted(3, CERTIFICATE))
    return b"".join(record(22, message(*m)) for m in ((2, hello), (11, chain), (12, key), (14, b"")))


def encrypted(size, start=""):
    return Bytes().zeros_to(size, start)


FINISHED = record(20, b"\1") + record(22, encrypted(40))
CLIENT_KEY = message(16, Bytes().counted(
    1, Bytes().zeros_to(65, "04c16700c65276b9a5f4dfa1d63c189e6933d7ea3764b8f8")))
TICKET = message(4, Bytes().number(4, 300).counted(
    2, Bytes().zeros_to(160, "80cf708d161123437ef8fda3d59ef6b102353e3f4c513e07")))
CLIENT_FINISH = record(22, CLIENT_KEY) + FINISHED
SERVER_FINISH = record(22, TICKET) + FINISHED
TEST_LINE = record(23, encrypted(29, "28e55c90589588c95e8f2a922ac6dc8551e1f4efc4d0d36b"))
CLOSE = record(21, encrypted(26))

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SERVER_PORT = 4433
CLIENT_START, SERVER_START = 0x5af7fb5c, 0xbe3d3bbb


def internet_sum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def packet(source, target, sequence, acknowledged, flags, window, options=b"", data=b"", ip_id=0, checksum=0, ip=4):
    header = Bytes().number(2, source, target).number(4, sequence, acknowledged)
    header.number(1, (20 + len(options)) << 2, flags).number(2, window, checksum, 0)
    segment = header + options + data
    if ip == 6:
        me = ipaddress.ip_address("::1").packed
        return Bytes(12).number(2, 0x86dd).number(4, 0x60000000).number(2, len(segment)).number(1, 6, 64) + me + me + segment
    me = ipaddress.ip_address("127.0.0.1").packed
    head = Bytes(b"\x45\0").number(2, 20 + len(segment), ip_id, 0x4000).number(1, 64, 6)
    head = head + Bytes().number(2, internet_sum(head + b"\0\0" + me + me)) + me + me
    return Bytes(12).number(2, 0x0800) + head + segment


def stamps(mine, echoed):
    return Bytes(b"\1\1\x08\x0a").number(4, mine, echoed)


def opening(segment_size, mine, echoed=0):
    return Bytes(b"\2\4").number(2, segment_size) + b"\4\2" + stamps(mine, echoed)[2:] + b"\1\3\3\7"


# After the three-way handshake: who, flags, window, what, and the relative sequence numbers seen by both.
EXCHANGE = (
    ("client", PSH | ACK, 342, "hello", 1, 1),
    ("server", ACK, 350, b"", 1, 290),
    ("server", PSH | ACK, 350, server_flight(), 1, 290),
    ("client", ACK, 1365, b"", 290, 1206),
    ("client", PSH | ACK, 1365, CLIENT_FINISH, 290, 1206),
    ("server", ACK, 350, b"", 1206, 416),
    ("server", PSH | ACK, 350, SERVER_FINISH, 1206, 416),
    ("server", FIN | PSH | ACK, 350, TEST_LINE, 1432, 416),
    ("client", ACK, 1384, b"", 416, 1467),
    ("client", PSH | ACK, 1384, CLOSE, 416, 1467),
)


def exchange(port, port6, random, ticks, ids, sums):
    """16 packets.  TICKS: the timestamps option's clock, at the start and for each row of EXCHANGE."""
    start, later = ticks
    yield packet(port6, SERVER_PORT, 0x1000, 0, SYN, 43690, opening(65476, start), ip=6)
    yield packet(SERVER_PORT, port6, 0, 0x1001, RST | ACK, 0, ip=6)
    yield packet(port, SERVER_PORT, CLIENT_START, 0, SYN, 43690, opening(65495, start), ip_id=ids[0])
    yield packet(SERVER_PORT, port, SERVER_START, CLIENT_START + 1, SYN | ACK, 43690, opening(65495, start, start))
    yield packet(port, SERVER_PORT, CLIENT_START + 1, SERVER_START + 1, ACK, 342, stamps(start, start), ip_id=ids[1])
    for row, stamp, ip_id, checksum in zip(EXCHANGE, later, ids[2:], sums):
        who, flags, window, data, sequence, acknowledged = row
        data = client_hello(random) if data == "hello" else data
        if who == "client":
            ends = (port, SERVER_PORT, CLIENT_START + sequence, SERVER_START + acknowledged)
        else:
            ends = (SERVER_PORT, port, SERVER_START + sequence, CLIENT_START + acknowledged)
        yield packet(*ends, flags, window, stamps(*stamp), data, ip_id, checksum)
    yield packet(SERVER_PORT, port, SERVER_START + 1467, 0, RST, 0)


SHOWN_RANDOM = bytes.fromhex("fcb1cb1142f2bc5051300eee05f389b5de3e1fa92f5543438a577e05c7f46dd4")
SECOND_RANDOM = Bytes().number(4, 1625585019).zeros_to(28, "57962d9c3b93e913ae683a289b4d2c4e4476e59d284ddf59")


def clock(start, offsets):
    return [divmod(start + offset, 10**9) for offset in offsets]


def summary_capture():
    a, b, c, d, e, f = 6752698, 6752752, 6752754, 6752755, 6752756, 6752759
    ticks = (a, [(a, a), (a, a), (b, a), (b, b), (c, b), (d, c), (e, c), (e, c), (f, e), (f, e)])
    packets = exchange(45964, 33492, SHOWN_RANDOM, ticks, [1, 2, *range(6, 16)], [0] * 10)
    times = clock(1511372849 * 10**9, (
        0, 22924, 150640, 0, 191406, 927580, 984864, 53686752, 53764314, 55201353, 55512637, 59203914, 59264491,
        60353267, 60408794, 60426631))
    times[3] = (29003240, 216732102)  # this is how the note has it: the reader must not stumble
    return list(zip(times, packets))


def verbose_capture():
    v = 7373971
    ticks = (v, [(v + 1, v), (v + 1, v + 1), (v + 61, v + 1), (v + 61, v + 61), (v + 61, v + 61), (v + 62, v + 61),
                 (v + 64, v + 61), (v + 64, v + 61), (v + 67, v + 64), (v + 68, v + 64)])
    ids = [0xa781, 0xa782, 0xa783, 0x71bf, 0x71c0, 0xa784, 0xa785, 0x71c1, 0x71c2, 0x71c3, 0xa786, 0xa787]
    sums = [0xff49, 0, 0x02de, 0, 0xfea6, 0, 0xff0a, 0xfe4a, 0, 0xfe47]
    packets = exchange(45992, 33494, SECOND_RANDOM, ticks, ids, sums)
    times = clock(1511372849 * 10**9, (
        378355399, 378385399, 378755399, 378855399, 378952777, 380677469, 380756648, 440494267, 440571909, 441894244,
        442582413, 446291888, 446352528, 447966644, 448074263, 448094263))
    return list(zip(times, packets))


def hexdump_capture():
    hello = packet(45996, SERVER_PORT, CLIENT_START + 1, SERVER_START + 1, PSH | ACK, 342, stamps(0x742207, 0x742207),
                   client_hello(SHOWN_RANDOM), 0xd95d, 0xff49)
    return [((1511372900, 0), hello)]


def pieces_capture():
    """Messages over many records, records over many segments; segments late, twice, and split inside a header."""
    hello, flight = client_hello(SHOWN_RANDOM), server_flight()
    body, port = hello[5:], [50000]
    offset = {}

    def send(data, at=None, server=False):
        """One segment; AT: its place in the stream when that is not the end of what was sent."""
        end = offset.setdefault((port[0], server), 1)
        start = end if at is None else 1 + at
        offset[port[0], server] = max(end, start + len(data))
        ends = (SERVER_PORT, port[0]) if server else (port[0], SERVER_PORT)
        return packet(*ends, (2000 if server else 1000) + start, (1000 if server else 2000) + 1, PSH | ACK, 512, b"", data)

    def begin():
        port[0] += 1
        return [packet(port[0], SERVER_PORT, 1000, 0, SYN, 512), packet(SERVER_PORT, port[0], 2000, 1001, SYN | ACK, 512),
                packet(port[0], SERVER_PORT, 1001, 2001, ACK, 512)]

    def cut(data, *places):
        return [data[a:b] for a, b in zip((0, *places), (*places, len(data)))]

    packets = begin() + [send(record(22, part)) for part in cut(body, 2, 50)]
    packets += begin() + [send(b"".join(record(22, part) for part in cut(body, 1, 3, 90)))]
    packets += begin() + [send(record(22, body + body[:20])), send(record(22, body[20:] + body)), send(record(21, b"\2\50"))]
    packets += begin() + [send(part) for part in cut(hello, 3, 5, 60)]
    packets += begin() + [send(part) for part in cut(hello + hello, len(hello) + 2)]
    a, b, c = cut(hello, 40, 100)
    packets += begin() + [send(a), send(c, at=100), send(b, at=40), send(b, at=40)]
    packets += begin() + [send(c, at=100), send(b, at=40), send(a, at=0), send(hello, at=0)]
    parts = cut(flight, 100, 700)
    packets += begin() + [send(hello)] + [send(part, server=True) for part in parts] + [send(b"\x17\3\3\0\4late" * 2)]
    return list(zip(clock(1700000000 * 10**9, range(0, 10**9, 10**6)), packets))


def write_pcap(path, packets, link_type=1, snaplen=262144):
    """PACKETS: ((seconds, nanoseconds), bytes).  Classic pcap with nanosecond times."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, snaplen, link_type))
        for (seconds, nanoseconds), data in packets:
            file.write(struct.pack("<IIII", seconds, nanoseconds, min(len(data), snaplen), len(data)) + data[:snaplen])


def certificates_capture():
    """Certificates and OCSP responses of every kind, each in a connection of its own."""
    return [((1700000000 + at, 0), packet(443, 10000 + at, 1, 1, PSH | ACK, 512, b"", record(22, body)))
            for at, (_, body) in enumerate(certificates.messages())]


CAPTURES = {"seed_summary": summary_capture, "seed_verbose": verbose_capture, "seed_hexdump": hexdump_capture,
            "pieces": pieces_capture, "certificates": certificates_capture}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, make in CAPTURES.items():
        write_pcap(folder / f"{name}.pcap", make())


if __name__ == "__main__":
    main()
