"""Captures of what can lie below TCP: tags, tunnels, extension headers, fragments, checksums, other links.

Each packet carries a whole TCP segment with a ClientHello, so that what a layer hides shows at once.
"""
import ipaddress
import struct

import seed
from seed import ACK, PSH, SYN, Bytes, internet_sum

ME, YOU = ipaddress.ip_address("192.0.2.1").packed, ipaddress.ip_address("198.51.100.2").packed
ME6, YOU6 = ipaddress.ip_address("2001:db8::1").packed, ipaddress.ip_address("2001:db8:1::2").packed
GATE, PEER = ipaddress.ip_address("203.0.113.1").packed, ipaddress.ip_address("203.0.113.2").packed
MACS = bytes.fromhex("020000000002020000000001")
NAT64 = bytes.fromhex("0064ff9b0000000000000000")
HELLO = bytes(seed.client_hello(seed.SHOWN_RANDOM))
TCP, UDP, GRE, AH, IPV4, IPV6, MPLS = 6, 17, 47, 51, 4, 41, 137
HOPS, ROUTING, FRAGMENT, DESTINATION, NONE = 0, 43, 44, 60, 59


def ones_sum(data):
    return internet_sum(bytes(data) + b"\0" * (len(data) % 2))


def number(size, *values):
    return bytes(Bytes().number(size, *values))


def tcp(port, data=HELLO, source=ME, target=YOU, flags=PSH | ACK, sequence=1, options=b"", checksum=None, urgent=0):
    ack = 1 if flags & ACK else 0
    head = number(2, port, 443) + number(4, sequence, ack) + number(1, (20 + len(options)) << 2, flags) + number(2, 512)
    tail = number(2, urgent) + options + data
    pseudo = source + target + (number(2, TCP, len(head + tail) + 2) if len(source) == 4 else
                                number(4, len(head + tail) + 2, TCP))
    if checksum == "partial":
        checksum = ones_sum(pseudo) ^ 0xffff
    if checksum is None:
        checksum = ones_sum(pseudo + head + b"\0\0" + tail)
    return head + number(2, checksum) + tail


def ip(payload, protocol=TCP, source=ME, target=YOU, options=b"", ident=1, fragment=0, total=None, checksum=None, ttl=64, tos=0):
    size = 20 + len(options)
    head = number(1, 0x40 | size // 4, tos) + number(2, size + len(payload) if total is None else total, ident, fragment)
    head += number(1, ttl, protocol)
    rest = source + target + options
    return head + number(2, ones_sum(head + b"\0\0" + rest) if checksum is None else checksum) + rest + payload


def ip6(payload, following=TCP, source=ME6, target=YOU6, length=None):
    return number(4, 0x60012345) + number(2, len(payload) if length is None else length) + number(1, following, 64) + source + target + payload


def tcp6(port, **more):
    return tcp(port, source=ME6, target=YOU6, **more)


def header6(following, body):
    return number(1, following, (len(body) + 2) // 8 - 1) + body


def ether(payload, kind=0x0800):
    return MACS + number(2, kind) + payload


def udp(port, payload, source=4789, source_ip=None, target_ip=None):
    if source_ip is None:
        return number(2, source, port, 8 + len(payload), 0) + payload
    pseudo = source_ip + target_ip + number(2, UDP, 8 + len(payload))
    head = number(2, source, port, 8 + len(payload))
    return head + number(2, ones_sum(pseudo + head + b"\0\0" + payload)) + payload


def outer(payload, protocol):
    return ether(ip(payload, protocol, GATE, PEER, ident=7))


def gre(kind, payload, flags=0, checksum=False, key=None, sequence=None):
    flags |= (0x8000 if checksum else 0) | (0x2000 if key is not None else 0) | (0x1000 if sequence is not None else 0)
    head, rest = number(2, flags, kind), b""
    if key is not None:
        rest += number(4, key)
    if sequence is not None:
        rest += number(4, sequence)
    if checksum:
        head += number(2, ones_sum(head + b"\0\0\0\0" + rest + payload), 0)
    return head + rest + payload


def mpls(payload, *labels):
    out = b""
    for at, label in enumerate(labels):
        out += number(4, label << 12 | 3 << 9 | (at == len(labels) - 1) << 8 | 64)
    return out + payload


def pppoe(payload, protocol=0x0021):
    return b"\x11\0" + number(2, 0x1234, len(payload) + 2, protocol) + payload


def ah(following, payload, icv=b"\xaa" * 12):
    return number(1, following, (12 + len(icv)) // 4 - 2) + number(2, 0) + number(4, 0x100, 9) + icv + payload


def snap(payload, kind=0x0800, oui=b"\0\0\0"):
    body = b"\xaa\xaa\x03" + oui + number(2, kind) + payload
    return MACS + number(2, len(body)) + body


def layers():
    """One connection each, so that the ports tell them apart."""
    def each():
        port = 20000
        while True:
            yield port
            port += 1
    ports = each()
    v4 = lambda **more: ip(tcp(next(ports), **more))  # noqa: E731
    v6 = lambda **more: ip6(tcp6(next(ports), **more))  # noqa: E731
    tag = lambda kind, ident, pcp=0: number(2, pcp << 13 | ident, kind)  # noqa: E731
    yield ether(tag(0x0800, 5, 3) + v4(), 0x8100)
    yield ether(tag(0x8100, 100) + tag(0x86dd, 200) + v6(), 0x88a8)
    yield ether(tag(0x8100, 100) + tag(0x8100, 7) + tag(0x0800, 200) + v4(), 0x9100)
    yield ether(tag(len(v4()) + 8, 5) + b"\xaa\xaa\x03\0\0\0\x08\0" + v4(), 0x8100)
    yield ether(pppoe(v4()), 0x8864)
    yield ether(pppoe(v6(), 0x0057), 0x8864)
    yield ether(tag(0x8864, 9) + pppoe(v4()), 0x8100)
    yield ether(mpls(v4(), 1000), 0x8847)
    yield ether(mpls(v6(), 16, 3), 0x8847)
    yield ether(mpls(v4(), 16, 0), 0x8848)
    yield outer(gre(0x0800, v4()), GRE)
    yield outer(gre(0x0800, v4(), checksum=True, key=0xbeef, sequence=77), GRE)
    yield outer(gre(0x86dd, v6(), key=1), GRE)
    yield outer(gre(0x6558, ether(v4())), GRE)
    yield outer(gre(0x8847, mpls(v4(), 99)), GRE)
    yield ether(ip6(gre(0x0800, v4()), GRE), 0x86dd)
    yield outer(v4(), IPV4)
    yield outer(v6(), IPV6)
    yield ether(ip6(v4(), IPV4), 0x86dd)
    yield ether(ip6(v6(), IPV6), 0x86dd)
    yield outer(mpls(v4(), 99), MPLS)
    yield outer(ip(ip(v4(), IPV4, ME, GATE), IPV4), IPV4)
    yield outer(udp(4789, b"\x08\0\0\0\0\0\x2a\0" + ether(v4())), UDP)
    yield outer(udp(4789, b"\x88\x48\0\x07\0\0\x2a\0" + ether(v6(), 0x86dd), 50000, GATE, PEER), UDP)
    yield outer(udp(6081, b"\0\0\x65\x58\0\0\x2a\0" + ether(v4()), 50002), UDP)
    yield outer(udp(6081, b"\x03\x40\x08\0\0\0\x2a\0" + b"\x01\x02\x83\x02" + b"optional" + v4(), 50001), UDP)
    yield ether(ip6(udp(4789, b"\x08\0\0\0\0\0\x2a\0" + ether(v4())), UDP), 0x86dd)
    yield ether(ip(ah(TCP, tcp(next(ports))), AH))
    yield ether(ip6(ah(TCP, tcp6(next(ports))), AH), 0x86dd)
    yield outer(ah(IPV4, v4()), AH)
    yield ether(ip6(header6(TCP, b"\x05\x02\0\0\x01\0") + tcp6(next(ports)), HOPS), 0x86dd)
    yield ether(ip6(header6(DESTINATION, b"\x01\x04\0\0\0\0") + header6(TCP, b"\x01\x04\0\0\0\0") + tcp6(next(ports)), HOPS), 0x86dd)
    yield ether(ip6(header6(TCP, b"\x04\x01\x04\x01\x01\0" + b"\x1e\x06unkown") + tcp6(next(ports)), DESTINATION), 0x86dd)
    yield ether(ip6(header6(TCP, b"\0\1\0\0\0\0" + YOU6) + tcp6(next(ports)), ROUTING), 0x86dd)
    yield ether(ip6(header6(TCP, b"\4\1\1\0\0\0" + YOU6 + ME6) + tcp6(next(ports)), ROUTING), 0x86dd)
    yield ether(ip6(header6(TCP, b"\2\1\0\0\0\0" + YOU6) + tcp6(next(ports)), ROUTING), 0x86dd)
    yield ether(ip6(number(1, TCP, 0) + number(2, 0) + number(4, 5) + tcp6(next(ports)), FRAGMENT), 0x86dd)
    yield ether(ip6(tcp(next(ports), source=NAT64 + ME, target=YOU6), source=NAT64 + ME), 0x86dd)
    yield ether(ip(tcp(next(ports)), options=b"\x07\x0b\x08" + GATE + b"\0\0\0\0" + b"\0"))
    yield ether(ip(tcp(next(ports)), options=b"\x83\x0b\x08" + GATE + PEER + b"\x01"))
    yield ether(ip(tcp(next(ports)), options=b"\x89\x07\x04" + PEER + b"\x00"))
    yield ether(ip(tcp(next(ports)), options=b"\x44\x0c\x09\x10" + number(4, 1000, 2000)))
    yield ether(ip(tcp(next(ports)), options=b"\x44\x0c\x0d\x01" + GATE + number(4, 2000)))
    yield ether(ip(tcp(next(ports)), options=b"\x94\x04\0\0"))
    yield ether(ip(tcp(next(ports)), options=b"\x88\x04\0\x09\x01\x01\x01\x01"))
    yield ether(ip(tcp(next(ports)), options=b"\x82\x0b\0\0\0\0\0\0\0\0\0\x00"))
    yield ether(ip(tcp(next(ports)), options=b"\x99\x04\0\0\x0b\x04\x05\xdc"))
    yield ether(ip(tcp(next(ports)), options=b"\x07\x20\x04\0"))
    for option in RARE_OPTIONS:
        yield ether(ip(tcp(next(ports), b"", flags=SYN, options=option + b"\1" * (-len(option) % 4))))
    yield snap(v4())
    yield snap(v6(), 0x86dd, b"\0\0\xf8")
    yield MACS + number(2, len(v4()) + 3) + b"\x06\x06\x03" + v4()
    yield ether(ip(tcp(next(ports), b"")) + b"\0" * 6)
    yield ether(ip(tcp(next(ports), b"")) + b"\1\2\3\4\5\6")
    yield ether(ip(tcp(next(ports), b"")) + b"\0" * 6 + b"\xde\xad\xbe\xef")
    yield ether(ip(tcp(next(ports))) + b"\xde\xad\xbe\xef")
    yield ether(ip(tcp(next(ports))) + b"\xde\xad\xbe\xef\1\2")
    yield ether(ip(tcp(next(ports)), total=0))
    yield ether(ip(tcp(next(ports)), total=60))
    yield ether(ip(tcp(next(ports)), total=2000))
    yield ether(ip(tcp(next(ports)), total=10))
    yield ether(ip6(tcp6(next(ports)), length=2000), 0x86dd)
    yield ether(ip(tcp(next(ports)), fragment=0x8000, ttl=1, tos=0xb9))
    yield ether(ip6(b"", NONE), 0x86dd)
    yield ether(ip(b"an unknown protocol", 253))
    yield ether(b"what is this", 0x1234)


def beyond():
    """What tshark 4.0 does not go through: Ethernet inside MPLS unless it looks like its own guess, IPv6 without a length."""
    yield ether(mpls(b"\0\0\0\0" + ether(ip(tcp(24001))), 17), 0x8847)
    yield ether(mpls(ether(ip(tcp(24002))), 18), 0x8847)
    yield ether(ip6(tcp6(24003), length=0), 0x86dd)
    yield ether(ip6(header6(TCP, b"\0\0\0\0\0\0") + tcp6(24004), HOPS), 0x86dd)


def pieces_of(payload, *cuts):
    ends = (*cuts, len(payload))
    return [(a, payload[a:b], b < len(payload)) for a, b in zip((0, *cuts), ends)]


def fragments():
    """Packets in pieces: in order, out of order, twice, with overlaps, and never whole."""
    def v4(ident, payload, at, more, **options):
        return ether(ip(payload, ident=ident, fragment=at // 8 | (0x2000 if more else 0), **options))

    def v6(ident, payload, at, more, following=TCP):
        head = number(1, following, 0) + number(2, at | more) + number(4, ident)
        return ether(ip6(head + payload, FRAGMENT), 0x86dd)

    port = 21000
    for ident, order in ((1, (0, 1)), (2, (1, 0)), (3, (2, 0, 1)), (4, (0, 0, 1)), (5, (0, 1, 1)), (6, (0, 1, 0))):
        port += 1
        parts = pieces_of(tcp(port), *((160,) if max(order) == 1 else (80, 160)))
        for which in order:
            at, data, more = parts[which]
            yield v4(ident, data, at, more)
    for ident, order in ((1, (0, 1)), (2, (1, 0)), (3, (2, 0, 1)), (4, (0, 0, 1))):
        port += 1
        parts = pieces_of(tcp6(port), *((160,) if max(order) == 1 else (80, 160)))
        for which in order:
            at, data, more = parts[which]
            yield v6(ident, data, at, more)
    whole = tcp(port + 1)
    yield v4(20, whole[:160], 0, True)       # the second overlaps the first, with the same bytes
    yield v4(20, whole[80:], 80, False)
    whole = tcp(port + 2)
    yield v4(21, whole[:160], 0, True)       # with other bytes
    yield v4(21, b"\xee" * 80 + whole[160:], 80, False)
    whole = tcp(port + 3)
    yield v4(22, whole[:160], 0, True)       # never whole
    yield v4(22, whole[200:], 200, False)
    whole = tcp(port + 4)
    yield v4(23, whole[160:], 160, False)    # two ends
    yield v4(23, whole[160:200], 160, False)
    yield v4(23, whole[:160], 0, True)
    whole = tcp(port + 5)
    yield v4(24, whole[160:200], 160, False)  # past the end
    yield v4(24, whole[:240], 0, True)
    yield v4(24, whole[:160], 0, True)
    inner = ip(tcp(port + 6))
    packet = gre(0x0800, inner)
    for at, data, more in pieces_of(packet, 160):  # a tunnel in pieces
        yield ether(ip(data, GRE, GATE, PEER, ident=30, fragment=at // 8 | (0x2000 if more else 0)))
    whole = tcp(port + 7)
    for at, data, more in pieces_of(whole, 160):   # pieces in a tunnel
        yield outer(gre(0x0800, ip(data, ident=31, fragment=at // 8 | (0x2000 if more else 0))), GRE)
    whole = tcp(port + 8)
    yield v4(1, whole[:160], 0, True)        # an identification used again
    yield v4(1, whole[160:], 160, False)
    whole = tcp(port + 9)
    yield v4(40, whole[:16], 0, True)        # the header itself is split
    yield v4(40, whole[16:], 16, False)
    hops = number(1, FRAGMENT, 0) + b"\x01\x04\0\0\0\0"
    whole = header6(TCP, b"\x01\x04\0\0\0\0") + tcp6(port + 10)
    for at, data, more in pieces_of(whole, 160):   # headers before and after the fragment header
        head = number(1, DESTINATION, 0) + number(2, at | more) + number(4, 50)
        yield ether(ip6(hops + head + data, HOPS), 0x86dd)
    whole = tcp6(port + 11)
    yield v6(60, whole[:161], 0, True)       # a length that no fragment may have
    yield v6(60, whole[161:], 160, False)
    yield v6(61, tcp6(port + 12), 0, 0)      # alone
    whole = tcp(port + 13) + b"x" * 70000
    yield v4(70, whole[:1400], 0, True)      # would be too large
    yield v4(70, whole[:1400], 65528, False)


def sums():
    """Checksums: right, wrong, left to the network card; for ip.check_checksum and tcp.check_checksum."""
    yield ether(ip(tcp(22001, b"", flags=SYN)))
    yield ether(ip(tcp(22002, b"", flags=SYN, checksum=0x1234)))
    yield ether(ip(tcp(22003, b"", flags=SYN, checksum="partial")))
    yield ether(ip(tcp(22004, b"", flags=SYN), checksum=0))
    yield ether(ip(tcp(22005, b"", flags=SYN), checksum=0x4321))
    yield ether(ip6(tcp6(22006, data=b"", flags=SYN)), 0x86dd)
    yield ether(ip6(tcp6(22007, data=b"", flags=SYN, checksum=0x1234)), 0x86dd)
    yield ether(ip6(tcp6(22008, data=b"", flags=SYN, checksum="partial")), 0x86dd)
    yield ether(ip(tcp(22009, b"odd", flags=PSH | ACK)))
    yield ether(ip(tcp(22010, HELLO, flags=PSH | ACK, checksum=1)))
    yield ether(ip(tcp(22011, b"", flags=SYN, checksum=0xffff)))
    yield ether(ip(tcp(22012), total=0))
    whole = tcp(22013)
    yield ether(ip(whole[:160], ident=9, fragment=0x2000))
    yield ether(ip(whole[160:], ident=9, fragment=20))
    yield ether(ip(tcp(22014), fragment=0x2000, ident=10))
    yield ether(ip(tcp(22015), options=b"\x83\x07\x04" + PEER + b"\0"))
    yield ether(ip6(header6(TCP, b"\0\1\0\0\0\0" + YOU6) + tcp6(22016), ROUTING), 0x86dd)
    yield outer(gre(0x0800, ip(tcp(22017)), checksum=True), GRE)
    yield outer(gre(0x0800, ip(tcp(22018)))[:2] + b"\x08\0" + ip(tcp(22018)), GRE)
    yield ether(ip(tcp(22019, b"", flags=SYN)) + b"\0" * 6)


def links():
    """(name, link type, packets)"""
    v4, v6 = ip(tcp(23001)), ip6(tcp6(23002))
    sll = lambda kind, size=6: number(2, 0, 1, size) + b"\2\0\0\0\0\1\0\0" + number(2, kind)  # noqa: E731
    sll2 = lambda kind: number(2, kind, 0) + number(4, 3) + number(2, 1) + b"\4\6\2\0\0\0\0\1\0\0"  # noqa: E731
    yield "null", 0, [struct.pack("<I", 2) + v4, struct.pack("<I", 30) + v6, struct.pack(">I", 2) + v4, struct.pack("<I", 24) + v6,
                      struct.pack("<I", 99) + v4]
    yield "loop", 108, [struct.pack(">I", 2) + v4, struct.pack(">I", 24) + v6]
    yield "raw", 101, [v4, v6]
    yield "ppp", 9, [b"\xff\x03\0\x21" + v4, b"\x21" + v4, b"\0\x57" + v6, b"\xff\x03\x21" + v4]
    yield "hdlc", 50, [b"\xff\x03\0\x21" + v4, b"\xff\x03\0\x57" + v6]
    yield "sll", 113, [sll(0x0800) + v4, sll(0x86dd, 0) + v6, sll(0x0800, 4) + v4, sll(0x8100) + number(2, 5, 0x0800) + v4]
    yield "sll2", 276, [sll2(0x0800) + v4, sll2(0x86dd) + v6]
    yield "ipv4", 228, [v4]
    yield "ipv6", 229, [v6]


def rare_options():
    """Options of IPv4 and IPv6 that few packets carry: labels of security, Quick-Start, measurements, routing in trees."""
    port = 25000
    for text in IP_OPTIONS:
        port += 1
        option = bytes.fromhex(text)
        yield ether(ip(tcp(port, b"hello"), options=option + b"\0" * (-len(option) % 4)))
    for kind, text in IP6_OPTIONS:
        port += 1
        option = bytes.fromhex(text)
        left = -(len(option) + 2) % 8
        option += b"\0" * left if left < 2 else b"\1" + number(1, left - 2) + bytes(left - 2)
        yield ether(ip6(header6(TCP, option) + tcp6(port, data=b"hello"), kind), 0x86dd)


def timed(packets):
    return list(zip(seed.clock(1700000000 * 10**9, range(0, 10**12, 10**6)), packets))


# Options of TCP: Riverbed's devices, Quick-Start.
RARE_OPTIONS = [bytes.fromhex(x) for x in ("4c0a01010a11fe440005", "4c040c21", "4c040e13", "4c08120500000007", "bb01", "4c0e11010a11fe440a0000017a7b",
                                           "4e1005000a0000010a0000021f901f91", "1b08010200000004")]

IP_OPTIONS = ("860f 00000001 0109 00 05 f8 a0 00 01 80", "8612 00000001 020c 00 05 0001 0003 0004 000a", "8610 00000001 050a 00 05 0010 0009 0003",
              "860e 00000001 050a 00 05 0010 0009", "860c 00000001 0606 00 05 f0 00", "860c 00000001 0706 01020304", "860a 00000001 0000 0000",
              "860a 00000001 0104ff05", "8608 00000001 0901", "820300", "8204ab81", "8206ab8101 00", "8206ab000001", "82045af1", "820b5d0000000000000000",
              "8505010203", "85030f", "19080102aabbccdd", "19088102aabbccdd", "190831020000 0004", "520c 0001 0002 0003 0a000001", "9506 0a000001",
              "9508 0a000001 0000")
IP6_OPTIONS = ((HOPS, "0710 00000001 02 ff 0001 0102030405060708"), (DESTINATION, "0708 00000001 0000 0000"), (HOPS, "2606 0102 aabbccdd"),
               (HOPS, "2606 8102 aabbccdd"), (DESTINATION, "2606 3102 aabbccdc"), (DESTINATION, "0f0a 11223344556677889900"),
               (HOPS, "0f0a 11223344556677889900"), (HOPS, "3004 0500 0501"), (DESTINATION, "3004 0500 0500"), (HOPS, "6304 a001 0304"),
               (DESTINATION, "6304 0001 0304"), (DESTINATION, "8b04 aabbccdd"), (HOPS, "8b04 aabbccdd"), (HOPS, "8a04 01020304"), (HOPS, "c204 00010000"),
               (DESTINATION, "c204 00010000"), (HOPS, "0401 05"), (DESTINATION, "0502 0000"), (HOPS, "c910 20010db8000000000000000000000001"),
               (HOPS, "2302 aabb"))

# name: (link type, what makes the packets)
CAPTURES = {"layers": (1, layers), "fragments": (1, fragments), "sums": (1, sums), "beyond": (1, beyond),
            "options": (1, rare_options),
            **{f"link_{name}": (link, lambda packets=packets: packets) for name, link, packets in links()}}


def write(folder):
    for name, (link, make) in CAPTURES.items():
        seed.write_pcap(folder / f"{name}.pcap", timed(make()), link)
