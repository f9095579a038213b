"""Where tlswire says more than tshark, or is right where tshark is wrong: docs/differences.md, held line by line.

A case: its name, the packets, the arguments after -n -r CAPTURE, what must be in the output, what must not.
"""
from records import CHANGE, DATA, Talk, client_hello, heartbeat, record, server_hello
from seed import message

HELLOS = record(22, client_hello()), record(22, server_hello())


def begun(**kind):
    return Talk(**kind).begin().client(HELLOS[0]).server(HELLOS[1])


def cases():
    yield ("a ChangeCipherSpec that is not the byte 1", begun().client(record(20, b"\1\1")), ["-O", "tls"],
           ["ChangeCipherSpec is not the one byte 1"], [])
    yield ("an empty ChangeCipherSpec", begun().client(record(20, b"")), ["-O", "tls"],
           ["Zero-length Change Cipher Spec fragments are not allowed", "ChangeCipherSpec is not the one byte 1"], [])
    yield ("bytes behind the end of a message", begun().server(record(22, message(14, b"12"))), ["-O", "tls"],
           ["2 trailing bytes were unprocessed"], [])
    yield ("a heartbeat that claims more than it sends", begun().client(heartbeat(1, 0x4000, b"")), ["-V"],
           ["Heartbeat Request", "Payload Length: 16384 (invalid, using 0 to decode payload)",
            "Invalid heartbeat payload length (16384)"], ["Encrypted Heartbeat"])
    yield ("a heartbeat behind the change of keys", begun().client(CHANGE, record(24, b"\1\0\10" + bytes(40))), [],
           ["Encrypted Heartbeat"], ["Heartbeat Request"])
    yield ("an empty heartbeat", begun().client(record(24, b"")), [], ["[Malformed Packet]"], ["Encrypted Heartbeat"])
