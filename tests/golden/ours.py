"""Where tlswire says more than tshark, or is right where tshark is wrong: docs/differences.md, held line by line.

A case: its name, the packets, the arguments after -n -r CAPTURE, what must be in the output, what must not.
"""
import certificates
import layers
from der import certificate, extension as certificate_extension, sequence, tlv
from records import CHANGE, CHOSEN, DATA, RETRY_RANDOM, VERSIONS, Talk, bare, client_hello, heartbeat, record, server_hello
from seed import ACK, FIN, SYN, Bytes, extension, message, packet
import multipath
import sealed

HELLOS = record(22, client_hello()), record(22, server_hello())


def begun(**kind):
    return Talk(**kind).begin().client(HELLOS[0]).server(HELLOS[1])


def begun_13():
    return Talk().begin().client(record(22, client_hello(VERSIONS))).server(record(22, server_hello(CHOSEN)))


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
    alert = Talk(server_port=4000).begin().client(b"\1").server(record(21, b"\2\62"))
    yield ("an alert that answers what is no TLS, on any port", alert, [], ["TLSv1.2 61 Alert (Level: Fatal, Description: Decode Error)"], [])
    for name, body in (("of another length", b"\2\62\0"), ("of an unknown level", b"\3\50"), ("that nobody knows", b"\2\7")):
        alert = Talk(server_port=4000).begin().client(b"\1").server(record(21, body))
        yield (f"no TLS: an alert {name}", alert, ["-Y", "tls"], [], ["TLS"])
    cut_short = Talk().begin().client(record(22, client_hello(extension(4)))).server(record(22, server_hello(extension(4), suite=2)), CHANGE)
    yield ("a suite that encrypts nothing, with truncated HMAC", cut_short.server(bare(23, b"hello", 10)),
           ["-T", "fields", "-e", "data.data"], ["\n68656c6c6f\n"], [])
    integrity = Talk().begin().client(record(22, client_hello(VERSIONS))).server(record(22, server_hello(CHOSEN, suite=0xc0b4)))
    yield ("a suite of TLS 1.3 that encrypts nothing, without keys", integrity.server(bare(23, message(8, b"\0\0") + b"\26\0\0", 32)),
           [], ["Encrypted Extensions"], ["Application Data"])
    ticket = record(22, message(4, b"\0\0\0\x10\0\5abcde"))
    yield ("bytes that are no record, in TLS 1.3", begun_13().server(b"\xff" * 16), ["-V"], ["Ignored Unknown Record"], ["Continuation Data"])
    yield ("a message in the clear where the capture begins", Talk().begin(False).server(ticket, CHANGE, record(22, bytes(40))), [],
           ["New Session Ticket, Change Cipher Spec, Encrypted Handshake Message"], [])
    yield ("an empty heartbeat", begun().client(record(24, b"")), [], ["[Malformed Packet]"], ["Encrypted Heartbeat"])

    # As tshark has it: the module that met the end is named.
    for name, kind, body in (
            ("an extension", 11, certificate([certificate_extension("2.5.29.30", sequence(tlv(0xa0, sequence(tlv(0x9f, b"\x1f")))))])),
            ("an OCSP response", 22, certificates.RESPONSES[0][:90]), ("a certificate that is cut", 11, certificate([])[:90])):
        said = Bytes().counted(3, body)
        said = message(22, b"\1" + said) if kind == 22 else message(11, Bytes().counted(3, said))
        module = {"an extension": "X509CE", "an OCSP response": "OCSP"}.get(name, "TLS")
        yield (f"what is malformed: {name}", begun().server(record(22, said)), ["-V"], [f"\n[Malformed Packet: {module}]\n"], [])

    key, done = message(16, b"\x41" + bytes(20)), record(22, message(14, b""))
    agreed = Talk().begin().client(HELLOS[0]).server(record(22, server_hello(suite=0xc02f)))
    yield ("a message that ends too early, and what follows", agreed.client(record(22, key + message(14, b"")), done), ["-V"],
           ["Pubkey Length: 65", "Dissector processed too much data (45 bytes)", "Handshake Protocol: Server Hello Done", "\n[Malformed Packet: TLS]\n"], [])
    yield ("the records behind it", begun().client(record(22, key), done), ["-T", "fields", "-e", "tls.handshake.type"], ["\n16,14\n"], [])
    long = bytes(client_hello(extension(22), extension(23)))
    yield ("an extension that is longer than the list, and what follows", Talk().begin().client(record(22, long[:-1] + b"\7"), done, done), ["-V"],
           ["Vector length 7 is too large, truncating it to 0", "JA3 Fullstring: 771,4865-49199,22-23,,", "Server Hello Done"], ["Malformed Packet"])
    # What is cut inside is marked where it stands; extensions and certificates behind it are read.
    names = sequence(tlv(0x82, b"first.example"), b"\x82\x20cut.example")
    basic = certificate_extension("2.5.29.19", sequence(b"\1\1\xff"))
    chain = b"".join(Bytes().counted(3, certificate([certificate_extension("2.5.29.17", value), basic])) for value in (names, sequence(tlv(0x82, b"other.example"))))
    yield ("a certificate with a name that is longer than what holds it, and what follows", begun().server(record(22, message(11, Bytes().counted(3, chain)))),
           ["-V"], ["dNSName: first.example", "BER Error: length of item (32) is more than what holds it", "cA: True", "dNSName: other.example",
                    "\n[Malformed Packet: X509CE]\n"], [])
    yield ("what follows a cut name, by byte", begun().server(record(22, message(11, Bytes().counted(3, chain)))),
           ["-T", "fields", "-e", "x509ce.dNSName", "-e", "x509ce.cA"], ["first.example,cut.example,other.example\t1,1\n"], [])

    raw = Bytes().counted(3, Bytes().counted(3, certificates.KEYS[0]))
    yield ("a raw public key in a list", Talk().begin().client(HELLOS[0]).server(
        record(22, server_hello(extension(20, b"\2"), suite=0xc02f)), record(22, message(11, raw))), ["-V"],
        ["Certificates Length: 94", "subjectPublicKey: 0400"], ["BER Error"])
    yield ("a raw public key alone, its negotiation not seen", Talk().begin().server(record(22, message(11, Bytes().counted(3, certificates.KEYS[0])))),
           ["-V"], ["Certificate Length: 91", "subjectPublicKey: 0400"], ["Certificates Length"])
    pgp = b"\2" + Bytes().counted(1, bytes(range(8))).counted(3, b"packet")
    yield ("an OpenPGP certificate", Talk().begin().client(HELLOS[0]).server(
        record(22, server_hello(extension(9, b"\1"), suite=0xc02f)), record(22, message(11, pgp))), ["-V"],
        ["OpenPGP Descriptor Type: subkey_cert (2)", "Key ID: 0001020304050607", "Certificate: 7061636b6574"], ["Certificates Length"])
    yield ("a certificate of IEEE 1609.2", Talk().begin().client(HELLOS[0]).server(
        record(22, server_hello(extension(20, b"\3"), suite=0xc02f)), record(22, message(11, Bytes().counted(3, Bytes().counted(3, b"\x30\1\0"))))),
        ["-V"], ["Certificate: 300100"], ["BER Error", "signedCertificate", "Malformed"])
    yield ("a record of DTLS alone", begun().client(record(25, b"\1\2\3")), ["-T", "fields", "-e", "tlswire.tls12_cid"], ["\n010203\n"], [])

    cut, big = begun(), record(23, bytes(1000))
    cut.snaplen = 300
    cut.server(big[:900]).server(big[900:]).server(DATA)
    yield ("the rest of a record that was not captured whole", cut, ["-T", "fields", "-E", "separator=;", "-e", "frame.number", "-e", "tls.record.length",
           "-e", "tls.ignored_unknown_record", "-e", "tcp.segment_data"], ["6;1000;;\n7;;;" + "00" * 105 + "\n8;64;;\n"], [])

    def ended(*alert, version=(), suite=0xc02f):
        t = Talk().begin().client(HELLOS[0]).server(record(22, server_hello(*version, suite=suite))).server(CHANGE, DATA, *alert)
        t.packets.append(packet(443, t.port, 2000 + t.sent[True], 1000 + t.sent[False], FIN | ACK, 512, b"", b""))
        return t

    remarks = ["-Y", "tlswire.remark", "-T", "fields", "-e", "frame.number", "-e", "tlswire.remark"]
    cut_off = "7\tthe stream ends without close_notify: it may have been cut\n"
    yield "the end of a stream without close_notify", ended(), remarks, [cut_off], []
    yield "-V has no remarks", ended(), ["-V"], ["Application Data"], ["it may have been cut"]
    yield "the end of a stream with an alert", ended(record(21, bytes(40))), remarks, [], ["close_notify"]
    yield "the end of TLS 1.3, encrypted", ended(version=(CHOSEN,), suite=0x1301), remarks, [], ["close_notify"]
    yield ("an encrypted record as long as an alert", begun_13().server(record(23, bytes(19)), record(23, bytes(20))), remarks,
           ["6\tas long as an alert: probably one\n"], ["one,"])
    retry = record(22, server_hello(CHOSEN, extension(51, b"\0\x1d"), random=RETRY_RANDOM))
    asked = Talk().begin().client(record(22, client_hello(VERSIONS))).server(retry)
    yield ("a second HelloRetryRequest", asked.client(record(22, client_hello(VERSIONS))).server(retry), remarks,
           ["7\ta second HelloRetryRequest in one handshake\n"], ["5\t"])
    share = extension(51, b"\0\x17\0\1\4")
    for text, answer in (("another cipher suite than", server_hello(CHOSEN, extension(51, b"\0\x1d\0\1\4"), suite=0x1302)),
                         ("of another group than", server_hello(CHOSEN, share))):
        asked = Talk().begin().client(record(22, client_hello(VERSIONS))).server(retry).client(record(22, client_hello(VERSIONS)))
        yield f"a ServerHello with something {text} was agreed", asked.server(record(22, answer)), remarks, [text], ["second"]
    empty = record(22, server_hello(CHOSEN, random=RETRY_RANDOM))
    yield ("a HelloRetryRequest that asks for nothing", Talk().begin().client(record(22, client_hello(VERSIONS))).server(empty), remarks,
           ["5\ta HelloRetryRequest that asks for no change\n"], [])

    yield ("a HelloRetryRequest without extensions", Talk().begin().client(record(22, client_hello(VERSIONS))).server(record(22, server_hello(random=RETRY_RANDOM))),
           ["-V"], ["Record Layer: Handshake Protocol: Hello Retry Request\n", "Handshake Type: Server Hello (2)\n"], ["Handshake Protocol: Server Hello\n"])
    wrong = record(22, server_hello(CHOSEN)) + record(22, message(8, Bytes().counted(2, extension(27, b"\2\0\1"))))
    yield ("an extension in a message where it may not stand", Talk().begin().client(record(22, client_hello(VERSIONS))).server(wrong), ["-V"],
           ["Handshake Protocol: Encrypted Extensions\n", "Algorithms Length: 2\n", "Algorithm: zlib (1)\n"], ["unprocessed"])
    yield ("an empty list of ways to compress certificates", Talk().begin().client(record(22, client_hello(extension(27, b"\0")))), ["-V"],
           ["Vector length 0 is smaller than minimum 2"], [])
    update = Talk().begin().client(record(22, client_hello(VERSIONS))).server(record(22, server_hello(CHOSEN, suite=0xc0b4)))
    update.server(bare(23, message(24, b"\1") + b"\26", 32))
    yield ("the request of a KeyUpdate stands in the message", update, ["-V"],
           ["        Handshake Protocol: Key Update\n            Handshake Type: Key Update (24)\n            Length: 1\n"
            "            Key Update Request: update_requested (1)\n"], [])
    yield ("the request of a KeyUpdate stands at its byte", update, ["-T", "pdml"],
           ['showname="Key Update Request: update_requested (1)" size="1" pos="4" '], [])
    for name, begun_record in (("no record", b""), ("a record that waits", DATA[:20])):
        t = begun().server(begun_record) if begun_record else begun()
        for flags, data in ((FIN | ACK, b""), (ACK, b"\0"), (ACK, b"\0")):
            t.packets.append(packet(443, t.port, 2000 + t.sent[True], 1000 + t.sent[False], flags, 512, b"", data))
        yield (f"a keep-alive behind FIN: its byte is data ({name})", t, ["-Y", "data", "-T", "fields", "-e", "frame.number", "-e", "data.data"],
               [f"{len(t.packets) - 1}\t00\n"], [f"{len(t.packets)}\t"])
        yield (f"a keep-alive behind FIN is no part of a record ({name})", t, ["-Y", "tcp.analysis.keep_alive"],
               ["Len=1"], ["reassembled PDU"] if not begun_record else [])
    yield ("-2 -R: what a packet that does not pass acknowledged is not the next one's", begun(),
           ["-2", "-R", "tcp.len>0", "-T", "fields", "-E", "separator=;", "-e", "frame.number", "-e", "tcp.analysis.acks_frame"], ["1;\n"], ["1;1", "1;2"])
    yield ("the numbers of compression methods", Talk().begin().client(record(22, client_hello(compressions=b"\0\x40\x41\xc1\xff"))), ["-V"],
           [f"Compression Method: {name}\n" for name in ("null (0)", "LZS (64)", "Unknown (65)", "Unknown (193)", "Unknown (255)")],
           ["Reserved - to be", "Private use"])
    short = record(22, client_hello(extension(1), extension(13, b"\0\2\4"), extension(58, b"\2\1")), 0x0301)
    yield ("extensions that are too short", Talk().begin().client(short, DATA), ["-V"],
           ["Dissector processed too much data (1 byte)", "Extension: ticket_request (len=2)"], ["Maximum Fragment Length:", "[Malformed Packet"])
    none = record(22, message(1, b"\3\1" + bytes(32) + b"\0\0\4\0\4\0\5\1\0"), 0x0301)
    yield ("JA3 of a ClientHello without extensions", Talk().begin().client(none), ["-T", "fields", "-e", "tls.handshake.ja3_full"],
           ["769,4-5,,,"], [])
    yield ("what looks like the message of another protocol", Talk().begin().client(HELLOS[0]).server(record(22, b"\t\0\0\40" + bytes(32))),
           [], ["Encrypted Handshake Message"], ["Request Connection ID"])

    counts = Talk()
    counts.packets.append(packet(1025, 443, 1, 0, SYN, 512, b"\x0c\6\0\0\0\1\x0d\6\0\0\0\2", b""))
    yield ("TCP options CC.NEW and CC.ECHO", counts, ["-V"], ["TCP Option - CC.NEW\n", "TCP Option - CC.ECHO\n"], ["TCP Option - CC\n"])

    many = Talk()
    many.packets = [data for _, data in multipath.ours()]
    cells = [part for name in "mptcp.ack mptcp.dss.dsn mptcp.expected_token tcp.options.mptcp.checksum".split() for part in ("-e", name)]
    yield ("multipath TCP: numbers from the right end, a checksum", many, ["-T", "fields", "-e", "frame.number", "-E", "separator=;", *cells],
           ["\n4;1;1;;0xbeef\n", "\n5;4294967295;;;\n", "\n12;;60;;\n", "\n20;;;86479499;\n", "\n23;;;;\n", "\n25;;;;\n"], [])
    yield ("multipath TCP: options that are too short, and what follows them", many, ["-Y", "tlswire.mptcp.short && data", "-T", "fields", "-e", "frame.number"],
           ["26\n27\n28\n29\n30\n31\n32\n33\n"], ["25\n"])
    yield ("multipath TCP: news is no duplicate, a flag no algorithm", many, ["-Y", "tcp.analysis.duplicate_ack || mptcp.connection.unsupported_algorithm"],
           ["   8 "], ["   6 ", "   7 ", "  13 "])

    odd = Talk()
    odd.packets = [layers.ether(layers.ip(layers.tcp(1025, b"hello"), options=b"\x52\6\0\1\0\2\0\0")),
                   layers.ether(layers.ip6(layers.header6(layers.TCP, b"\7\1\xaa\1\1\0") + layers.tcp6(1026, data=b"hello"), layers.HOPS), 0x86dd)]
    yield ("options of IP with a length that is not theirs", odd, ["-V"],
           ["Invalid length for option", "Unknown Option Payload: aa\n", "Src Port: 1025", "Src Port: 1026"], ["[Malformed", "Outbound Hop Count", "CALIPSO Domain"])

    asks = Talk().begin().client(record(22, client_hello(extension(58, b"\2\1"))))
    yield ("-T jsonl has what tshark has not", asks, ["-T", "jsonl"], ['"field":"tlswire.ticket_request.new","value":2'], [])
    cells = ["-Y", "tlswire.http", "-T", "fields", "-E", "separator=;", "-E", "aggregator=,"]
    for field in "method authority uri".split():
        cells += ["-e", f"tlswire.http.request.{field}"]
    for field in "response.code content_type body".split():
        cells += ["-e", f"tlswire.http.{field}"]
    yield ("what HTTP asks and answers", sealed.http(), cells,
           ["GET;h.example;/first?a=b;;;\n;;;200;text/html;1000\n;;;;;4120\nHEAD,POST;;", "404,100,500;;10\n", ";;;101;;3\n",
            ";;;200;image/png;3\n;;;;;2\n"], ["hidden", "\x1b", "\x09"])
    yield ("what was asked, for each session", sealed.http(), ["-q", "-z", "tls,sessions"],
           ["GET /first?a=b -> 200, text/html, 5,120 bytes | HEAD /\\x1b[31m -> 404, 0 bytes | POST /form -> 500, 10 bytes\n",
            "GET /chat -> 101\n",
            "GET /\\xc3\\xa4\\x7c\\x09 -> 200, image/png, 5 bytes | GET /\\xc3\\xa4\\x7c\\x09 -> no answer seen | "
            "GET /\\xc3\\xa4\\x7c\\x09 -> no answer seen\n"], ["hidden", "\x1b"])
    yield ("after a lost record of HTTP/2", sealed.http(), ["-Y", "tlswire.http.note", "-T", "fields", "-e", "tlswire.http.note"],
           ["lengths that contradict each other", "from here on another protocol", "a head that cannot be read: what it refers to was lost"],
           [])
    inner = ["-Y", "tlswire.ech.status", "-T", "fields", "-E", "separator=;"]
    for field in "tlswire.ech.inner.server_name tlswire.ech.inner.alpn tlswire.ech.status tlswire.verify.ech".split():
        inner += ["-e", field]
    yield ("the hello inside an encrypted one, and what became of it", "ech.pcapng", inner,
           ["hidden.example;h2;opened;\n;;accepted;ok\nhidden.example;h2;opened;\n;;opened;\nhidden.example;h2;opened;\n;;accepted;ok\n"
            "hidden.example;h2;opened;\n;;rejected: the outer hello counts;failed\n;;not opened: the keys do not fit;\n"], [])
    yield ("keys and proofs of the inner hello", "ech.pcapng", ["-Y", "tls.handshake.type == 20", "-T", "fields", "-e", "tlswire.verify.finished"],
           ["ok\nok\n"], [])
    yield ("the tree of the inner hello", "ech.pcapng", ["-V", "-o", "tlswire.dissect_more:TRUE", "-Y", "frame.number == 4"],
           ["Inner Server Name: hidden.example", "Server Name: hidden.example", "Server Name: public.example"], [])
    yield ("-V has no inner hello", "ech.pcapng", ["-V", "-x"], ["public.example"], ["hidden.example", "Decrypted ECH"])
    yield ("a stream to its end, the answer that only the end ends included", sealed.http(), ["-q", "-z", "follow,tls,ascii,0"],
           ["GET /first?a=b HTTP/1.1", "HTTP/1.1 500 No\r\n\r\nto the end\n"], [])
    yield ("-T json has no HTTP", sealed.http(), ["-T", "json"], ["data.data"], ["tlswire.http"])
    yield ("-T json has not", asks, ["-T", "json"], ["ticket_request"], ["tlswire.ticket_request.new"])

    huge = message(11, b"\1\0\0" + b"\0\0\3abc" * 11000)
    yield ("a Certificate of more than 64 KiB in the clear", begun().server(*(record(22, huge[at:at + 16000]) for at in range(0, 48000, 16000)))
           .server(*(record(22, huge[at:at + 16000]) for at in range(48000, len(huge), 16000))), ["-V"],
           ["Handshake Protocol: Certificate (fragment)", "Handshake Protocol: Certificate (last fragment)", "Handshake Protocol: Certificate\n"],
           ["Encrypted Handshake Message"])

    hello, answer = HELLOS
    ldap = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
    mysql = b"\x20\0\0\1" + bytes.fromhex("0faabeff00000040ff") + bytes(23)
    socks5 = b"\5\1\0\3\x0bexample.com\1\xbb"
    rdp = bytes.fromhex("030000130ee000000000000100080003000000")
    proxy2 = b"\r\n\r\n\0\r\nQUIT\n" + bytes.fromhex("2111000c7f0000017f000001c35001bb")
    # what asks for TLS | its port | the client's bytes before its hello | the server's before its own
    for name, port, asking, agreeing in (
            ("SMTP", 25, b"STARTTLS\r\n", b"220 Ready to start TLS\r\n"), ("LMTP", 2003, b"STARTTLS\r\n", b"220 go ahead\r\n"),
            ("IMAP", 143, b"a STARTTLS\r\n", b"a OK Begin TLS\r\n"), ("POP3", 110, b"STLS\r\n", b"+OK Begin TLS\r\n"),
            ("FTP", 21, b"AUTH TLS\r\n", b"234 Proceed\r\n"), ("NNTP", 119, b"STARTTLS\r\n", b"382 Continue\r\n"),
            ("Sieve", 4190, b'STARTTLS\r\n', b'OK "Begin TLS"\r\n'), ("IRC", 6667, b"STARTTLS\r\n", b":irc 670 x :go\r\n"),
            ("XMPP", 5222, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"<proceed/>"),
            ("LDAP", 389, ldap, bytes.fromhex("300c02010178070a010004000400")), ("PostgreSQL", 5432, bytes.fromhex("0000000804d2162f"), b"S"),
            ("MySQL", 3306, mysql, b""), ("HTTP CONNECT", 3128, b"CONNECT a:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
            ("PROXY 1", 8443, b"PROXY TCP4 127.0.0.1 127.0.0.1 50000 8443\r\n", b""), ("PROXY 2", 8443, proxy2, b""),
            ("SOCKS 4", 1080, b"\4\1\1\xbb\x7f\0\0\1me\0", b""), ("SOCKS 5", 1080, socks5, b"\5\0\0\1\x7f\0\0\1\1\xbb"),
            ("remote desktop", 3389, rdp, bytes.fromhex("030000130ed000001234000209080001000000"))):
        fields = ["-T", "fields", "-e", "frame.number", "-e", "tls.handshake.type", "-e", "data.len"]
        apart = Talk(server_port=port).begin().client(asking)
        rows = ["4\t\t%d" % len(asking)]
        if agreeing:
            apart.server(agreeing)
            rows.append("5\t\t%d" % len(agreeing))
        at = 4 + len(rows)
        yield (f"{name}, then TLS", apart.client(hello).server(answer), fields, [*rows, f"{at}\t1\t", f"{at + 1}\t2\t"], [])
        yield (f"{name}, then TLS, said to be TLS", apart, [*fields, "-d", f"tcp.port=={port},tls"], [*rows, f"{at}\t1\t", f"{at + 1}\t2\t"], [])
        yield (f"{name} and TLS in one segment", Talk(server_port=port).begin().client(asking, hello).server(agreeing, answer), fields,
               ["4\t1\t%d" % len(asking), "5\t2\t%s" % (len(agreeing) or "")], [])
        cut = asking + hello
        yield (f"{name} and TLS in one segment, cut", Talk(server_port=port).begin().client(cut[:-9]).client(cut[-9:]).server(answer),
               fields, ["4\t\t%d" % len(asking), "5\t1\t", "6\t2\t"], [])
    yield ("plain HTTP spoken to a TLS port", Talk().begin().client(b"GET / HTTP/1.0\r\n\r\n").server(record(21, b"\2\50")), ["-V"],
           ["Plain HTTP spoken to a TLS port", "Alert (Level: Fatal, Description: Handshake Failure)"], [])
    yield ("plain HTTP from a TLS port", Talk().begin().client(hello).server(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
           ["-Y", "tls.plain_http", "-T", "fields", "-e", "frame.number"], ["5"], ["4"])
    yield ("text on a port that is not TLS", Talk(server_port=80).begin().client(b"GET / HTTP/1.0\r\n\r\n"), ["-V"], ["Data (18 bytes)"],
           ["Plain HTTP"])
    yield ("a file with a hello inside", Talk(server_port=80).begin().server(b"HTTP/1.1 200 OK\r\n\r\n\0\1\2" + hello), ["-V"], [], ["Client Hello"])
