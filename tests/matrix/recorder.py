"""A TCP relay that keeps what it passes on as packets: a capture of foreign peers without any privilege."""
import select
import socket
import struct
import threading
import time

SEGMENT = 1400
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SERVER_PORT = 4433
FIRST_PORT = 10000
LIMIT = 30  # seconds; no connection here may last longer


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ethernet(segment, from_client):
    ends = (b"\x0a\0\0\1", b"\x0a\0\0\2") if from_client else (b"\x0a\0\0\2", b"\x0a\0\0\1")
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0, *ends)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + head + segment


class Connection:
    """One connection's packets, and the bytes of each direction."""

    def __init__(self, port):
        self.port, self.next = port, {True: 1000, False: 2000}
        self.sent = {True: bytearray(), False: bytearray()}
        self.packets, self.ended = [], set()
        for from_client, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            self.add(from_client, flags)

    def add(self, from_client, flags, data=b""):
        ports = (self.port, SERVER_PORT) if from_client else (SERVER_PORT, self.port)
        acknowledged = self.next[not from_client] if flags & ACK else 0
        header = struct.pack(">HHIIBBHHH", *ports, self.next[from_client], acknowledged, 0x50, flags, 65535, 0, 0)
        self.packets.append((time.time_ns(), ethernet(header + data, from_client)))
        self.next[from_client] += len(data) + (1 if flags & (SYN | FIN) else 0)

    def data(self, from_client, data):
        self.sent[from_client] += data
        for at in range(0, len(data), SEGMENT):
            self.add(from_client, PSH | ACK, data[at:at + SEGMENT])

    def end(self, from_client, flags=FIN | ACK):
        if from_client not in self.ended:
            self.ended.add(from_client)
            self.add(from_client, flags)

    def records(self, from_client):
        """Content types of the records that one side sent, in order."""
        stream, at, kinds = bytes(self.sent[from_client]), 0, []
        while at + 5 <= len(stream):
            kinds.append(stream[at])
            at += 5 + int.from_bytes(stream[at + 3:at + 5], "big")
        return kinds


class Recorder:
    def __init__(self):
        self.connections, self.lock = [], threading.Lock()

    def connection(self):
        with self.lock:
            self.connections.append(Connection(FIRST_PORT + len(self.connections)))
            return self.connections[-1]

    def relay(self, server_port):
        return Relay(self, server_port)

    def write(self, path, connections=None):
        """A pcap file with nanosecond times, in the order of time."""
        with self.lock:
            chosen = list(self.connections if connections is None else connections)
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
            for when, data in sorted(((when, data) for c in chosen for when, data in c.packets), key=lambda p: p[0]):
                file.write(struct.pack("<IIII", *divmod(when, 10**9), len(data), len(data)) + data)


class Relay:
    """Passes on to SERVER_PORT what comes to its own port, for as long as the `with` block lasts."""

    def __init__(self, recorder, server_port):
        self.recorder, self.server_port = recorder, server_port
        self.connections, self.threads = [], []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads.append(threading.Thread(target=self.accept, daemon=True))
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for thread in self.threads:
            thread.join(3)
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            connection = self.recorder.connection()
            self.connections.append(connection)
            thread = threading.Thread(target=self.carry, args=(client, connection), daemon=True)
            self.threads.append(thread)
            thread.start()

    def carry(self, client, connection):
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            other, open_ends, until = {client: server, server: client}, {client, server}, time.monotonic() + LIMIT
            while open_ends and time.monotonic() < until:
                for end in select.select(list(open_ends), [], [], 1)[0]:
                    try:
                        data = end.recv(65536)
                        if data:
                            connection.data(end is client, data)
                            other[end].sendall(data)
                            continue
                        connection.end(end is client)
                        other[end].shutdown(socket.SHUT_WR)
                    except OSError:
                        connection.end(end is client, RST | ACK)
                        return
                    open_ends.discard(end)
