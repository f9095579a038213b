"""A capture with names of addresses inside: name resolution blocks (pcapng), before and amid the packets."""
import struct


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def record(kind, value):
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


def names(*records):
    return block(4, b"".join(record(*one) for one in records) + record(0, b""))


def syn(source, destination, port):
    tcp = struct.pack(">HHIIBBHHH", port, 443, 1, 0, 0x50, 2, 1000, 0, 0)
    if len(source) == 4:
        return struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + source + destination + tcp
    return struct.pack(">IHBB", 6 << 28, 20, 6, 64) + source + destination + tcp


def write(path):
    client, server, other = bytes((10, 0, 0, 1)), bytes((192, 0, 2, 1)), bytes((10, 0, 0, 2))
    client6, server6 = bytes(15) + b"\1", bytes.fromhex("20010db8000000000000000000000001")
    packets = [syn(client, server, 50000), syn(client6, server6, 50001), syn(other, server, 50002), syn(client, server, 50003)]
    blocks = {0: names((1, client + b"client.example\0also.example\0"), (9, b"abc"), (2, server6 + b"server6.example\0")),
              2: names((1, server + b"server.example\0"), (1, other + b"a-name-that-is-longer-than-sixty-three-bytes-and-is-therefore-cut.example\0")),
              3: names((1, client + b"renamed.example\0"))}
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 65535))
    for i, packet in enumerate(packets):
        out += blocks.get(i, b"") + block(6, struct.pack("<IIIII", 0, 0, i * 1000, len(packet), len(packet)) + packet)
    path.write_bytes(out)
