"""Captures, made while the tests run, that reach the rows of the schema which no golden file does.

Each is compared with tshark as well, but for those of DIFFERENT (docs/differences.md).
"""
import struct

import certificates
import layers
import records
import seed
from certificates import PKIX
from der import (algorithm, arcs, bits, certificate, explicit, extension, implicit, integer, name, null, octets, oid, printable,
                 sequence, tlv, utf8)
from layers import DESTINATION, HOPS, FRAGMENT, TCP, YOU6, ether, gre, ip, ip6, number, outer, tcp, tcp6
from records import Talk, client_hello, record, server_hello
from seed import ACK, FIN, PSH, RST, SYN, Bytes, packet

URG, ECE, CWR = 32, 64, 128


class Wire:
    """Segments at times, the numbers relative to the ends' first."""

    def __init__(self):
        self.port, self.packets = 30000, []

    def at(self, ms, data):
        self.packets.append((divmod(1700000000 * 10**9 + (self.port * 10000 + ms) * 10**6, 10**9), data))

    def begin(self):
        self.port += 1
        return self.send("c", 0, 0, 0, SYN).send("s", 10, 0, 1, SYN | ACK).send("c", 20, 1, 1)

    def send(self, who, ms, sequence, acknowledged, flags=ACK, window=1000, size=0, options=b"", data=None):
        own, other = (1000, 5000) if who == "c" else (5000, 1000)
        ends = (self.port, 443) if who == "c" else (443, self.port)
        data = bytes(100 + n % 100 for n in range(size)) if data is None else data
        self.at(ms, packet(*ends, own + sequence, other + acknowledged if flags & ACK else 0, flags, window, options, data))
        return self


def analysis():
    """What TCP's analysis tells, a connection each."""
    w = Wire()
    w.begin().send("c", 30, 1, 1, size=100).send("c", 330, 1, 1, size=100)                                # retransmission
    w.begin().send("c", 30, 1, 1, size=100).send("s", 40, 1, 201)                                         # acknowledged, never seen
    w.begin().send("c", 30, 1, 1, size=100).send("s", 40, 1, 101).send("c", 50, 100, 1).send("s", 60, 1, 101)  # keep-alive
    w.begin().send("c", 30, 1, 1, size=100).send("s", 40, 1, 101).send("s", 41, 1, 101)                   # duplicate ACK
    w.begin().send("c", 30, 1, 1, size=100).send("s", 40, 1, 101, window=0).send("c", 50, 101, 1, size=1)  # zero window, probe
    w.send("s", 60, 1, 101, window=0)
    w.begin().send("c", 30, 1, 1, size=100).send("s", 31, 1, 101).send("c", 32, 201, 1, size=100)         # fast retransmission
    w.send("s", 33, 1, 101).send("s", 34, 1, 101).send("c", 35, 101, 1, size=100)
    w.begin().send("s", 30, 1, 1, window=2000)                                                            # window update
    w.begin().send("c", 30, 1, 1, size=1000)                                                              # window full
    w.begin().send("c", 9000, 70000, 0, SYN)                                                              # ports used again
    w.begin().send("c", 30, 1, 1, size=100).send("s", 40, 1, 101).send("c", 50, 1, 1, size=100)           # spurious retransmission
    w.begin().send("c", 30, 1, 1, FIN | ACK).send("s", 35, 1, 2, FIN | ACK).send("c", 500, 1, 1, FIN | ACK)  # FIN again
    w.begin().send("c", 30, 1, 1, RST | ACK, data=b"gone away")                                           # the reason of a reset
    return w.packets


def options():
    """Each option of TCP, whole and wrong; bits that should not be set."""
    w, pad = Wire(), lambda o: o + b"\1" * (-len(o) % 4)  # noqa: E731
    mss = b"\2\4\5\xb4"

    def syn(option):
        w.port += 1
        w.send("c", 0, 0, 0, SYN, options=pad(option))

    def later(option):
        w.begin().send("s", 30, 1, 1, options=pad(option))

    for body in (b"\6\6abcd", b"\x0b\6\0\0\0\1", b"\x13\x12" + bytes(range(16)),
                 b"\x1c\4\x80\x05", b"\x1d\4\1\2", b"\x1d\x10\1\2" + bytes(12), b"\xac\x0b" + bytes(8) + b"\5", b"\xae\x0b" + bytes(8) + b"\6",
                 b"\xfd\6\x12\x34ab", b"\xfe\4\x12\x34", b"\xfd\5\0\xac\x03", b"\x63\4ab", b"\x63\2", b"\x1d\3\1", b"\xfd\3\1"):
        syn(mss + body)
        later(body)
    syn(b"\4\2\1\1")                                # no MSS
    later(mss)                                      # MSS, but not in a SYN
    syn(mss + b"\3\3\x0f")                          # a shift that is too large
    syn(mss + b"\1\1\1\1")                          # four times nothing
    syn(mss + b"\0\1\2\3")                          # bytes behind the end
    syn(mss + b"\0\0\0\0")
    syn(mss + b"\3\4\7\0")                          # a length that the option does not have
    syn(mss + b"\1\1\1\3")                          # no room for a length
    syn(mss + b"\1\1\3\1")                          # too short
    syn(mss + b"\1\1\3\x20")                        # too long
    w.begin().send("c", 30, 1, 1, size=100)         # selective and duplicate acknowledgements
    w.send("s", 40, 1, 1, options=b"\1\1\5\x0a" + number(4, 1201, 1301)).send("c", 45, 101, 1, size=100)
    w.send("s", 50, 1, 201, options=b"\1\1\5\x0a" + number(4, 1001, 1101))
    w.send("s", 60, 1, 201, options=b"\1\1\5\x12" + number(4, 1001, 1051, 1001, 1201))
    return w.packets


def named_options():
    """Options that tshark gives the name of another one: the reply to an echo, CC.NEW, CC.ECHO."""
    w = Wire()
    for body in (b"\7\6abcd", b"\x0c\6\0\0\0\2", b"\x0d\6\0\0\0\3"):
        w.begin().send("s", 30, 1, 1, options=body + b"\1\1")
    return w.packets


def fast_open():
    """Data with the SYN, taken up, and not."""
    w = Wire()
    for option in (b"\x22\x0a" + b"cookiecc" + b"\1\1", b"\xfd\x0c\xf9\x89" + b"cookiecc"):
        for taken in (6, 1):
            w.port += 1
            w.send("c", 0, 0, 0, SYN, options=b"\2\4\5\xb4" + option, data=b"early")
            w.send("s", 10, 0, taken, SYN | ACK, options=b"\2\4\5\xb4").send("c", 20, taken, 1)
    w.port += 1
    w.send("c", 0, 0, 0, SYN, options=b"\2\4\5\xb4\x22\2\1\1")
    w.port += 1
    w.send("c", 0, 0, 0, SYN, options=b"\2\4\5\xb4\xfe\4\xf9\x89")
    return w.packets


def multipath_ours():
    """Multipath TCP, where tshark reads it otherwise."""
    import multipath  # it needs the Wire above
    return multipath.ours()


def headers():
    """Headers of TCP and below that say what cannot be."""
    def changed(data, at, value):
        return bytes(data[:at]) + value + bytes(data[at + len(value):])

    plain = tcp(26000)
    yield ether(ip(changed(plain, 12, b"\x10")))                     # a header that is too short
    yield ether(ip(changed(tcp(26001, b""), 12, b"\xf0")))           # one that is longer than the segment
    yield ether(ip(tcp(26002, urgent=9)))                            # urgent without the flag
    yield ether(ip(changed(tcp(26003, b"", flags=SYN), 8, b"\0\0\0\7")))
    yield ether(ip(changed(tcp(26004), 12, b"\x5f\xff")))            # every flag
    zero = struct.unpack(">H", tcp(26005, b"\0\0")[16:18])[0]
    yield ether(ip(tcp(26005, number(2, zero), checksum=0xffff)))    # 0, written as the other zero
    yield b"\xff" * 6 + b"\x01\0\0\0\0\1" + b"\x08\0" + ip(tcp(26006))  # a group that sends
    yield layers.MACS + number(2, 1400) + b"\xaa\xaa\x03\0\0\0\x08\0" + ip(tcp(26007))
    yield layers.MACS + number(2, 60) + b"\xaa\xaa\x03\x01\x02\x03\x12\x34" + bytes(52)  # a SNAP protocol of somebody else
    yield ether(number(2, 5, 0x0800) + ip(tcp(26008)) + b"behind", 0x8100)
    yield ether(ip(tcp(26009), options=b"\x83\x0b\x04" + layers.GATE + layers.PEER + b"\x01"))
    yield ether(ip(tcp(26010), options=b"\x83\x0b\x03" + layers.GATE + layers.PEER + b"\x01"))
    yield ether(ip(tcp(26011), options=b"\x83\x0b\x06" + layers.GATE + layers.PEER + b"\x01"))
    yield ether(ip(tcp(26012), options=b"\x0c\x04\x05\xdc"))
    yield ether(ip(tcp(26013), options=b"\x94\x05\0\0\0\0\0\0"))
    yield ether(ip(tcp(26014), options=b"\x89\x0b\x04" + layers.GATE + layers.PEER + b"\x01"))
    slaac = layers.ME6[:8] + bytes.fromhex("020000fffe000002")
    yield ether(ip6(tcp(26015, source=slaac, target=YOU6), source=slaac), 0x86dd)
    yield ether(ip6(tcp(26016, source=layers.ME6, target=slaac), target=slaac), 0x86dd)
    yield ether(ip6(tcp(26017, source=layers.ME6, target=layers.NAT64 + layers.ME), target=layers.NAT64 + layers.ME), 0x86dd)
    for port, option in ((26018, b"\x3f\4abcd"), (26019, b"\xc9\x10" + YOU6)):
        body = option + b"\1" + bytes([(-len(option) - 4) % 8]) + bytes((-len(option) - 4) % 8)
        yield ether(ip6(layers.header6(TCP, body) + tcp6(port), DESTINATION), 0x86dd)
    yield ether(ip6(layers.header6(TCP, b"\xc2\4\0\0\1\0") + tcp6(26020), HOPS), 0x86dd)
    yield ether(ip6(layers.header6(TCP, b"\x2a\1" + bytes(20)) + tcp6(26021), layers.ROUTING), 0x86dd)
    yield outer(number(2, 0x3081, 0x880b) + number(2, 4, 7) + number(4, 1, 2) + b"\xff\x03\0\x21", layers.GRE)  # of PPTP
    yield outer(gre(0x0800, ip(tcp(26022)), checksum=True)[:4] + b"\1\2\0\0" + ip(tcp(26022)), layers.GRE)
    whole = tcp6(26023)

    def piece(payload, at, more, ident):
        return ether(ip6(number(1, TCP, 0) + number(2, at | more) + number(4, ident) + payload, FRAGMENT), 0x86dd)

    yield piece(whole[160:], 160, 0, 90)           # two ends
    yield piece(whole[160:200], 160, 0, 90)
    yield piece(whole[:160], 0, 1, 90)
    yield piece(whole[160:200], 160, 0, 91)        # past the end
    yield piece(whole[:240], 0, 1, 91)
    yield piece(whole[:160], 0, 1, 91)


def cooked():
    head = number(2, 0, 1, 8) + b"\2\0\0\0\0\1\2\3" + number(2, 0x0800)
    yield head + ip(tcp(27001))
    yield number(2, 0, 1, 6) + b"\2\0\0\0\0\1\0\0" + number(2, 0x0800) + ip(tcp(27002)) + b"behind"


def compressed(algorithm_number, body):
    return bytes(Bytes().number(2, algorithm_number).number(3, 1).counted(3, body))


def messages():
    """Records and handshakes of TLS and SSL."""
    t = Talk()
    hello, answer = record(22, client_hello()), record(22, server_hello())
    begun = lambda: t.begin().client(hello).server(answer)  # noqa: E731
    begun().client(records.heartbeat(1, 0x4000, b""))
    t.begin().client(record(22, client_hello(records.VERSIONS))).server(record(22, server_hello(records.CHOSEN)), record(23, bytes(18000)))
    begun().server(record(22, seed.message(22, b"\1" + Bytes().counted(3, b"\x30\3\x0a\1\1"))))
    t.begin().client(b"GET / HTTP/1.0\r\n\r\n")
    t.begin().client(records.ssl2_hello(2)).client(records.ssl2(2, b"\7\0\xc0" + Bytes().number(2, 4, 4, 0) + b"cleakeyd"))
    key = b"\2\7\0\xc0" + Bytes().number(2, 4, 4, 0) + b"cleakeyd"
    said = records.ssl2(4, Bytes().number(1, 0, 1).number(2, 2, 0, 3, 16) + b"\7\0\xc0" + bytes(16))
    t.begin().client(records.ssl2_hello(2)).server(said).client(Bytes().number(2, len(key)).number(1, 2) + key)
    split = seed.message(11, Bytes().counted(3, Bytes().counted(3, seed.CERTIFICATE)))
    begun().server(record(22, split[:300]), record(22, split[300:600])).server(record(22, split[600:]))
    begun().server(record(22, split)[:300]).server(record(22, split)[300:])
    t.begin().client(record(22, client_hello(seed.extension(13, b"\0\3\4\3\5")))).client(hello[:40])
    t.packets.append(packet(t.port, 443, 1000 + t.sent[False], 2001, PSH | ACK, 512, b"", hello[40:]))
    again = Talk(first_port=51000).begin().client(hello[:60])
    again.sent[False] -= 20
    again.client(b"x" * 20 + hello[60:])
    return t.capture() + [((1700000001, n), data) for n, (_, data) in enumerate(again.capture())]


def keys():
    """Raw public keys where certificates would be, as negotiated for each direction."""
    t, key = Talk(first_port=53000), certificates.KEYS[0]
    offer = [seed.extension(19, b"\1\2"), seed.extension(20, b"\2\2\0")]
    single = record(22, seed.message(11, Bytes().counted(3, key)))
    chosen = [seed.extension(19, b"\2"), seed.extension(20, b"\2")]
    t.begin().client(record(22, client_hello(*offer))).server(record(22, server_hello(*chosen, suite=0xc02f)), single).client(single)
    listed = record(22, seed.message(11, b"\0" + Bytes().counted(3, Bytes().counted(3, key).number(2, 0))))
    t.begin().client(record(22, client_hello(*offer, records.VERSIONS))).server(record(22, server_hello(records.CHOSEN)))
    t.server(record(22, seed.message(8, Bytes().counted(2, b"".join(chosen))))).server(listed).client(listed)
    t.begin().client(record(22, client_hello())).client(record(25, bytes(range(40))))  # of DTLS alone
    return t.capture()


def other_certificates():
    """OpenPGP in its three forms, and certificates of IEEE 1609.2."""
    t = Talk(first_port=54000)
    for body in (b"\1\0\0\0", b"\2" + Bytes().counted(1, bytes(8)).counted(3, b"packet"),
                 b"\3" + Bytes().counted(1, bytes(8)).counted(1, bytes(20))):
        t.begin().client(record(22, client_hello(seed.extension(9, b"\2\1\0"))))
        t.server(record(22, server_hello(seed.extension(9, b"\1"), suite=0xc02f)), record(22, seed.message(11, body)))
    t.begin().client(record(22, client_hello(seed.extension(20, b"\1\3"))))
    t.server(record(22, server_hello(seed.extension(20, b"\3"), suite=0xc02f)),
             record(22, seed.message(11, Bytes().counted(3, Bytes().counted(3, b"certificate")))))
    return t.capture()


def ours():
    """What tshark does not show, or shows otherwise."""
    t = Talk(first_port=52000)
    t.begin().client(record(22, client_hello(seed.extension(1), seed.extension(58, b"\2\1"))))  # too short, not the last
    for said in (b"\1\1", b""):  # ChangeCipherSpec
        t.begin().client(record(22, client_hello())).server(record(22, server_hello())).client(record(20, said))
    t.begin().client(record(22, client_hello(records.VERSIONS))).server(record(22, server_hello(records.CHOSEN, random=records.RETRY_RANDOM)))
    session = bytes(range(32))
    for offered in (b"", session):  # the second takes up the session of the first
        t.begin().client(record(22, client_hello(session=offered))).server(record(22, server_hello(suite=0xc02f, session=session)))
    return t.capture()


def odd_certificates():
    """DER that is wrong at one place, and types that few certificates have."""
    prime = sequence(integer(1), sequence(oid("1.2.840.10045.1.1"), integer(23)), sequence(octets(b"\1"), octets(b"\2")),
                     octets(b"\4" + bytes(64)), integer(7), integer(1))
    yield certificate(key=sequence(algorithm("1.2.840.10045.2.1", prime), bits(b"\4" + bytes(64))))
    yield certificate(key=sequence(algorithm("1.2.840.10046.2.1", sequence(*(integer(n) for n in (23, 5, 11)))), bits(integer(9))))
    yield certificate(key=sequence(algorithm("2.16.840.1.101.2.1.1.22", octets(b"kea")), bits(bytes(8))))
    others = [tlv(0xa0, oid(f"{PKIX}.8.5"), explicit(0, utf8("a@example.org"))), tlv(0xa0, oid(f"{PKIX}.8.7"), explicit(0, tlv(22, b"_xmpp.example.org"))),
              tlv(0xa3, tlv(0x30, b"\x30\0"))]
    yield certificate([extension("2.5.29.17", sequence(*others))])
    yield certificate(subject=name(("2.5.4.49", certificates.NAME), ("2.5.4.50", sequence(certificates.NAME, bits(b"\xa5"))),
                                   ("2.5.4.23", sequence(printable("1 2"), bits(b"\x80", 7))),
                                   ("2.5.13.8", tlv(18, b"123")), ("2.16.840.1.101.2.2.1.107", tlv(25, b"graphic"))))
    yield certificate([extension(f"{PKIX}.1.7", certificates.addresses()), extension(f"{PKIX}.1.8", certificates.numbers()),
                       extension(f"{PKIX}.1.14", sequence(integer(3), sequence(oid(f"{PKIX}.21.0"), octets(b"policy")))),
                       extension(f"{PKIX}.1.7", sequence(sequence(octets(b"\0\1"), sequence(sequence(bits(b"\1"), bits(b"\2"))))))])
    yield certificate([extension("2.23.140.3.1", sequence(printable("NTR"), printable("US"), implicit(0, b"Utah"), utf8("1")))])
    wrong = [("2.5.29.30", sequence(tlv(0xa0, sequence(tlv(0x9f, b"\x1f"))))), ("2.5.29.17", sequence(tlv(0x8b, b"?"))),
             ("2.5.29.31", sequence(sequence(tlv(0xa0)))), ("2.5.29.37", integer(1)), ("2.5.29.14", integer(1)), ("2.5.29.15", integer(1)), ("2.5.29.23", integer(1)), ("2.5.29.24", integer(1)),
             ("2.5.29.37", sequence(integer(1))), ("2.5.29.16", sequence(implicit(7, b"x"))), ("2.5.29.15", tlv(3)),
             ("2.5.29.9", sequence(sequence(oid(f"{PKIX}.9.3"), sequence()))), ("2.5.29.54", octets(b"")), ("2.5.29.19", integer(1)),
             (f"{certificates.MICROSOFT}.21.4", integer(1)), (f"{certificates.MICROSOFT}.20.2", integer(1)),
             ("2.5.29.36", sequence(integer(1))), ("2.16.840.1.113730.1.2", integer(1))]
    for kind, value in wrong:
        yield certificate([extension(kind, value)])
    yield certificate([extension("2.5.29.19", sequence())], subject=sequence(sequence(sequence(oid("2.5.4.3"), utf8("a")))))
    yield certificate(times=sequence(tlv(23, b"\1"), integer(1)))
    yield certificate(times=sequence(integer(1), integer(1)))
    deep = certificates.NAME
    for _ in range(30):
        deep = name(("2.5.4.49", deep))
    yield certificate(subject=deep)
    yield sequence(integer(1), integer(2))


def wrong_certificates():
    return [((1700000000 + at, 0), packet(443, 10000 + at, 1, 1, PSH | ACK, 512, b"", record(22, certificates.message(one))))
            for at, one in enumerate(odd_certificates())]


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def write_pcapng(path, cut):
    """What pcapng says of packets: comments, flags, numbers, queues, losses; and a packet that was cut short."""
    said = option(1, "schön".encode()) + option(2, struct.pack("<I", 0xff00fe86)) + option(4, struct.pack("<Q", 3))
    said += option(5, struct.pack("<Q", 77)) + option(6, struct.pack("<I", 2)) + option(0, b"")
    plain = option(2, struct.pack("<I", 1)) + option(0, b"")
    with open(path, "wb") as file:
        file.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
        file.write(block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"eth9") + option(3, b"the ninth") + option(0, b"")))
        for at, (some, taken) in enumerate(((said, None), (plain, None), (b"", cut))):
            data = ether(ip(tcp(28000 + at))) + (b"\1\2\3\4" if at == 0 else b"")  # the flags say: four check bytes
            taken = len(data) if taken is None else taken
            head = struct.pack("<IIIII", 0, 0x60a24, at, taken, len(data))
            file.write(block(6, head + data[:taken] + bytes(-taken % 4) + some))


def resumed():
    """A session that a second connection takes up by its name."""
    t, name_ = Talk(first_port=31000), bytes(range(64, 96))
    full = [record(22, server_hello(suite=0xc02f, session=name_)), record(22, seed.message(14, b""))]
    t.begin().client(record(22, client_hello())).server(*full)
    t.client(record(22, seed.message(16, b"\1\4")), records.CHANGE).server(records.CHANGE)
    t.begin().client(record(22, client_hello(session=name_)))
    t.server(record(22, server_hello(suite=0xc02f, session=name_)), records.CHANGE)
    return t.capture()


CAPTURES = {"analysis": analysis, "options": options, "fast_open": fast_open, "multipath": multipath_ours, "messages": messages, "resumed": resumed,
            "wrong_certificates": wrong_certificates, "ours": ours,
            "named_options": named_options, "keys": keys, "other_certificates": other_certificates, "headers": lambda: layers.timed(headers())}
DIFFERENT = {f"rows_{name_}.pcap" for name_ in ("ours", "multipath", "other_certificates", "named_options", "wrong_certificates",
                                                 "messages", "headers", "options")} | {"rows_cut_12.pcapng"}


def write(folder):
    """Returns the files."""
    made = []
    for name_, make in CAPTURES.items():
        made.append(folder / f"rows_{name_}.pcap")
        seed.write_pcap(made[-1], make())
    for cut in (36, 48, 58):  # inside the header of TCP
        made.append(folder / f"rows_snap_{cut}.pcap")
        seed.write_pcap(made[-1], fast_open() + (analysis() if cut < 54 else []), snaplen=cut)
    made.append(folder / "rows_cooked.pcap")
    seed.write_pcap(made[-1], layers.timed(cooked()), 113)
    for cut in (12, 40, 60, 200):
        made.append(folder / f"rows_cut_{cut}.pcapng")
        write_pcapng(made[-1], cut)
    return made
