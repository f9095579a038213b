"""Certificates and OCSP responses for the golden captures: every extension, attribute, and kind of key that has a
table row, one connection a message, and bytes that are wrong on purpose."""
from der import (COMMON_NAME, COUNTRY, ECDSA_SHA256, NAME, ORGANIZATION, RSA, RSA_KEY, SHA256_RSA, algorithm, arcs, attribute,
                 bits, boolean, certificate, explicit, extension, generalized_time, ia5, implicit, integer, name, null,
                 octets, oid, printable, sequence, set_of, tlv, utc_time, utf8)

PKIX = "1.3.6.1.5.5.7"
MICROSOFT = "1.3.6.1.4.1.311"
SHA1 = algorithm("1.3.14.3.2.26", null())
URI = implicit(6, b"http://example.org/crl")
LOG = bytes.fromhex("ee4bbdb775ce60bae142691fabe19e66a30f7e5fb072d88300c47b897aa8fdcb")


def general_names():
    other = tlv(0xa0, oid(f"{MICROSOFT}.20.2.3"), explicit(0, utf8("u@example.org")))
    party = tlv(0xa5, explicit(0, utf8("registry")), explicit(1, utf8("party")))
    return [other, implicit(1, b"a@example.org"), implicit(2, b"*.example.org"), explicit(4, NAME), party, URI,
            implicit(7, bytes([192, 0, 2, 1])), implicit(7, bytes(15) + b"\1"), implicit(8, arcs("1.2.3.4"))]


def timestamp(log=LOG, more=b""):
    body = b"\0" + log + (1700000000123).to_bytes(8, "big") + len(more).to_bytes(2, "big") + more
    body += b"\4\3" + b"\0\4" + b"\1\2\3\4"
    return len(body).to_bytes(2, "big") + body


def timestamps(*some):
    body = b"".join(some)
    return octets(len(body).to_bytes(2, "big") + body)


def points(tag=0):
    full = sequence(explicit(0, tlv(0xa0, URI, explicit(4, NAME))), implicit(1, b"\7\x60\x80"), tlv(0xa2, explicit(4, NAME)))
    relative = sequence(explicit(0, tlv(0xa1, attribute(COMMON_NAME, utf8("relative")))))
    return sequence(full, relative)


def logotype():
    hashed = sequence(sequence(SHA1, octets(b"hash")))
    details = sequence(ia5("image/png"), hashed, sequence(ia5("http://example.org/logo")))
    image = sequence(details, sequence(implicit(0, b"\1"), integer(1000), integer(20), integer(30), implicit(1, b"\x08"),
                                       implicit(4, b"en")))
    table = sequence(details, sequence(integer(1000), integer(20), integer(30), implicit(2, b"\x10")))
    audio = sequence(details, sequence(integer(1000), integer(20), integer(2), implicit(3, b"\x10"), implicit(4, b"en")))
    direct = tlv(0xa0, sequence(image, table), tlv(0xa1, audio))
    indirect = tlv(0xa1, hashed, sequence(ia5("http://example.org/indirect")))
    return sequence(explicit(0, sequence(direct, indirect)), explicit(1, direct), explicit(2, indirect),
                    explicit(3, sequence(sequence(oid(f"{PKIX}.20.1"), direct))))


def policies():
    notice = sequence(sequence(utf8("Example"), sequence(integer(1), integer(2))), utf8("nothing to see"))
    words = [tlv(26, b"visible"), ia5("ia5"), tlv(30, "bmp".encode("utf-16-be"))]
    return sequence(
        sequence(oid("2.5.29.32.0")),
        sequence(oid("2.23.140.1.2.1"), sequence(sequence(oid(f"{PKIX}.2.1"), ia5("http://example.org/cps")),
                                                 sequence(oid(f"{PKIX}.2.2"), notice),
                                                 *(sequence(oid(f"{PKIX}.2.2"), sequence(word)) for word in words))),
        sequence(oid("1.2.3.4"), sequence(sequence(oid("1.2.3.5"), ia5("unknown qualifier")))))


def addresses():
    ranges = sequence(bits(b"\x0a"), sequence(bits(b"\xc0\x00\x02"), bits(b"\xc0\x00\x03", 1)))
    return sequence(sequence(octets(b"\0\1"), ranges), sequence(octets(b"\0\2\1"), null()))


def numbers():
    return sequence(explicit(0, sequence(integer(64500), sequence(integer(64501), integer(4200000000)))), explicit(1, null()))


def statements():
    meaning = sequence(oid("0.4.0.194121.1.1"), sequence(URI))
    return sequence(sequence(oid("0.4.0.1862.1.1")), sequence(oid(f"{PKIX}.11.2"), meaning), sequence(oid(f"{PKIX}.11.1")),
                    sequence(oid("0.4.0.1862.1.2"), sequence(printable("EUR"), integer(20), integer(3))),
                    sequence(oid("0.4.0.1862.1.3"), integer(10)), sequence(oid("0.4.0.1862.1.4")),
                    sequence(oid("0.4.0.1862.1.5"), sequence(sequence(ia5("https://example.org/pds"), printable("en")))),
                    sequence(oid("0.4.0.1862.1.6"), sequence(oid("0.4.0.1862.1.6.3"))),
                    sequence(oid("0.4.0.1862.1.7"), sequence(printable("DE"), printable("FR"))))


EXTENSIONS = [
    ("2.5.29.3", policies()),
    ("2.5.29.9", sequence(sequence(oid(f"{PKIX}.9.1"), set_of(generalized_time("19700102000000Z"))),
                          sequence(oid(f"{PKIX}.9.3"), set_of(printable("F"))), sequence(oid(COUNTRY), set_of(printable("XX"))))),
    ("2.5.29.14", octets(bytes(range(20)))),
    ("2.5.29.15", bits(b"\xfe\x80", 7)),
    ("2.5.29.15", bits(b"\x06", 1)),
    ("2.5.29.15", bits(b"\x07", 1)),
    ("2.5.29.15", bits(b"")),
    ("2.5.29.16", sequence(implicit(0, b"20240101000000Z"), implicit(1, b"20340101000000.5Z"))),
    ("2.5.29.17", sequence(*general_names())),
    ("2.5.29.18", sequence(*general_names())),
    ("2.5.29.19", sequence(boolean(1), integer(3))),
    ("2.5.29.19", sequence()),
    ("2.5.29.19", sequence(boolean(1), integer(1 << 70))),
    ("2.5.29.20", integer(77)),
    ("2.5.29.21", integer(4, 10)),
    ("2.5.29.23", oid("1.2.840.10040.2.2")),
    ("2.5.29.24", generalized_time("20240101000000Z")),
    ("2.5.29.27", integer(78)),
    ("2.5.29.28", sequence(explicit(0, tlv(0xa0, URI)), implicit(1, b"\xff"), implicit(2, b"\0"), implicit(3, b"\6\x40"),
                           implicit(4, b"\xff"))),
    ("2.5.29.29", sequence(explicit(4, NAME))),
    ("2.5.29.30", sequence(tlv(0xa0, sequence(implicit(2, b".example.org"), implicit(0, b"\0"), implicit(1, b"\5")),
                               sequence(implicit(7, bytes([10, 0, 0, 0, 255, 0, 0, 0])))),
                           tlv(0xa1, sequence(explicit(4, NAME))))),
    ("2.5.29.31", points()),
    ("2.5.29.32", policies()),
    ("2.5.29.33", sequence(sequence(oid("1.2.3.4"), oid("1.2.3.5")))),
    ("2.5.29.35", sequence(implicit(0, bytes(range(20))), tlv(0xa1, explicit(4, NAME)), implicit(2, b"\1\2\3"))),
    ("2.5.29.36", sequence(implicit(0, b"\0"), implicit(1, b"\1"))),
    ("2.5.29.37", sequence(*(oid(f"{PKIX}.3.{n}") for n in (1, 2, 3, 4, 8, 9)), oid("2.5.29.37.0"), oid("1.2.3.4"))),
    ("2.5.29.40", integer(1)),
    ("2.5.29.46", points()),
    ("2.5.29.47", integer(1, 10)),
    ("2.5.29.51", generalized_time("20240101000000Z")),
    ("2.5.29.53", sequence(URI, generalized_time("20240101000000Z"))),
    ("2.5.29.54", integer(2)),
    ("2.5.29.60", generalized_time("20240101000000Z")),
    ("2.5.29.61", sequence(explicit(0, tlv(0xa0, URI)), implicit(1, b"\6\x40"), implicit(2, b"\xff"), implicit(3, b"\0"),
                           implicit(4, b"\xff"), implicit(5, b"\0"))),
    (f"{PKIX}.1.1", sequence(sequence(oid(f"{PKIX}.48.1"), URI), sequence(oid(f"{PKIX}.48.2"), URI))),
    (f"{PKIX}.1.2", sequence(sequence(integer(1), SHA1, octets(b"hash"), ia5("http://example.org/photo")),
                             sequence(oid("1.2.3.4"), SHA1, octets(b"hash")))),
    (f"{PKIX}.1.3", statements()),
    (f"{PKIX}.1.7", addresses()),
    (f"{PKIX}.1.8", numbers()),
    (f"{PKIX}.1.11", sequence(sequence(oid(f"{PKIX}.48.5"), URI))),
    (f"{PKIX}.1.12", logotype()),
    (f"{PKIX}.1.14", sequence(integer(1), sequence(oid(f"{PKIX}.21.1")))),
    (f"{PKIX}.1.14", sequence(sequence(oid(f"{PKIX}.21.0"), octets(b"policy")))),
    (f"{PKIX}.1.24", sequence(integer(5), integer(17), integer(70000))),
    (f"{PKIX}.1.31", octets(bytes(32))),
    (f"{PKIX}.3.1", null()),
    (f"{PKIX}.48.1.5", null()),
    (f"{PKIX}.48.1.5", integer(1)),
    ("1.2.840.113533.7.65.0", sequence(tlv(27, b"V7.1"), bits(b"\xa0", 2))),
    ("1.2.840.113549.1.9.14", sequence(sequence(oid("2.5.29.14"), boolean(1), octets(octets(b"id"))))),
    (f"{MICROSOFT}.20.2", tlv(30, "WebServer".encode("utf-16-be"))),
    (f"{MICROSOFT}.21.1", integer(65537)),
    (f"{MICROSOFT}.21.2", octets(b"hash of the certificate before")),
    (f"{MICROSOFT}.21.3", integer(3)),
    (f"{MICROSOFT}.21.4", utc_time("240101000000Z")),
    (f"{MICROSOFT}.21.7", sequence(oid(f"{MICROSOFT}.21.8.1.2.3"), integer(100), integer(7))),
    (f"{MICROSOFT}.21.10", sequence(sequence(oid(f"{PKIX}.3.1")))),
    (f"{MICROSOFT}.25.2", sequence(tlv(0xa0, oid(f"{MICROSOFT}.25.2.1"), explicit(0, octets(b"S-1-5-21-1"))))),
    ("1.3.6.1.4.1.11129.2.4.2", timestamps(timestamp(), timestamp(bytes(32), b"more"))),
    ("1.3.6.1.4.1.11129.2.4.3", null()),
    ("1.3.6.1.4.1.44363.44", null()),
    ("2.16.840.1.113730.1.1", bits(b"\xff")),
    *((f"2.16.840.1.113730.1.{n}", ia5(f"netscape {n}")) for n in (2, 3, 4, 7, 8, 12, 13)),
    ("2.23.140.3.1", sequence(printable("VAT"), printable("DE"), utf8("123456789"))),
    ("1.2.3.4.5", utf8("nobody knows")),
]

CURVE = sequence(integer(1), sequence(oid("1.2.840.10045.1.1"), integer(1 << 255 | 19)),
                 sequence(octets(b"\1" * 32), octets(b"\2" * 32), bits(b"seed")), octets(b"\4" + bytes(64)),
                 integer(1 << 255 | 7), integer(1))
DSA = sequence(integer(0xfedc << 48 | 1), integer(0xabcd << 24 | 1), integer(2))
PSS = sequence(explicit(0, algorithm("2.16.840.1.101.3.4.2.1", null())),
               explicit(1, algorithm("1.2.840.113549.1.1.8", algorithm("2.16.840.1.101.3.4.2.1", null()))),
               explicit(2, integer(32)), explicit(3, integer(1)))
GOST = sequence(oid("1.2.643.2.2.35.1"), oid("1.2.643.2.2.30.1"))
POINT = b"\4" + bytes(range(64))

KEYS = [
    sequence(algorithm("1.2.840.10045.2.1", oid("1.2.840.10045.3.1.7")), bits(POINT)),
    sequence(algorithm("1.2.840.10045.2.1", CURVE), bits(POINT)),
    sequence(algorithm("1.2.840.10045.2.1", null()), bits(POINT)),
    sequence(algorithm("1.2.840.10045.2.1", oid("1.2.156.10197.1.301")), bits(POINT)),
    sequence(algorithm("1.3.132.1.12", oid("1.3.132.0.34")), bits(POINT)),
    *(sequence(algorithm(f"1.3.101.{n}"), bits(bytes(size))) for n, size in ((110, 32), (111, 56), (112, 32), (113, 57))),
    sequence(algorithm("1.2.840.10040.4.1", DSA), bits(integer(0xdead << 40 | 1))),
    sequence(algorithm("1.2.840.10046.2.1", sequence(integer(23 << 64), integer(5), integer(11 << 64), integer(2),
                                                     sequence(bits(b"seed"), integer(9)))), bits(integer(99))),
    sequence(algorithm("1.2.840.113549.1.3.1", sequence(integer(23 << 64), integer(5), integer(128))), bits(integer(99))),
    sequence(algorithm("1.2.840.113549.1.1.10", PSS), bits(sequence(integer(1 << 2047 | 1), integer(65537)))),
    sequence(algorithm("1.2.643.2.2.19", GOST), bits(octets(bytes(64)))),
    sequence(algorithm("1.2.643.7.1.1.1.1", sequence(oid("1.2.643.2.2.36.0"))), bits(octets(bytes(64)))),
    *(sequence(algorithm(f"2.16.840.1.101.3.4.3.{n}"), bits(bytes(32))) for n in (17, 18, 19, 20, 31)),
    sequence(algorithm(RSA, null()), bits(b"no key")),
    sequence(algorithm(RSA, null()), bits(sequence(integer(15)))),
]

SIGNATURES = [
    algorithm(ECDSA_SHA256), algorithm("1.2.840.113549.1.1.10", PSS), algorithm("1.2.840.113549.1.1.10", sequence()),
    algorithm("1.3.101.112"), algorithm("1.2.840.10040.4.3"), algorithm("2.16.840.1.101.3.4.3.2"),
    algorithm("1.2.643.7.1.1.3.2"), algorithm("1.2.156.10197.1.501", null()), algorithm("2.16.840.1.101.3.4.3.18"),
    algorithm("2.16.840.1.101.3.4.3.20"), algorithm("1.2.3.4", octets(b"parameters")),
]

ATTRIBUTES = [
    *((f"2.5.4.{n}", utf8("text")) for n in (2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 15, 17, 18, 19, 41, 42, 43, 44, 51, 54, 65, 97)),
    *((f"2.5.4.{n}", printable("text")) for n in (5, 6, 20, 27, 46)),
    *((f"2.5.4.{n}", tlv(18, b"123 456")) for n in (24, 25)),
    *((f"2.5.4.{n}", oid("2.5.6.0")) for n in (0, 30, 52)),
    *((f"2.5.4.{n}", NAME) for n in (1, 31, 32, 33, 34, 49)),
    *((f"2.5.4.{n}", sequence(utf8("line 1"), utf8("line 2"))) for n in (16, 26)),
    ("2.5.4.21", sequence(printable("1"), printable("2"), printable("3"))),
    ("2.5.4.23", sequence(printable("1 2"), bits(b"\x80", 7))),
    ("2.5.4.28", sequence(integer(1), integer(9))),
    ("2.5.4.35", octets(b"secret")),
    ("2.5.4.45", bits(b"\xa5")),
    ("2.5.4.50", sequence(NAME, bits(b"\xa5"))),
    ("0.9.2342.19200300.100.1.1", utf8("user")),
    ("0.9.2342.19200300.100.1.25", ia5("example")),
    ("1.2.840.113549.1.9.1", ia5("a@example.org")),
    ("1.2.840.113549.1.9.2", utf8("unstructured")),
    ("1.2.840.113549.1.9.7", utf8("challenge")),
    ("1.2.840.113549.1.9.20", tlv(30, "friendly".encode("utf-16-be"))),
    ("1.2.840.113549.1.9.21", octets(b"key")),
    (f"{MICROSOFT}.60.2.1.1", utf8("Town")),
    (f"{MICROSOFT}.60.2.1.2", utf8("State")),
    (f"{MICROSOFT}.60.2.1.3", printable("XX")),
    (f"{PKIX}.9.1", generalized_time("19700102000000Z")),
    (f"{PKIX}.9.2", utf8("Here")),
    (f"{PKIX}.9.3", printable("F")),
    ("2.5.18.9", boolean(1)),
    ("2.5.18.17", integer(1)),
    ("2.5.18.18", boolean(1)),
    ("1.2.3.4", utf8("unknown type")),
]

STRINGS = [utf8("\u00e4\u20ac\U0001f600"), tlv(20, b"\xc8a\xe4"), tlv(30, "b\u00e4".encode("utf-16-be")),
           tlv(28, "\U0001f600".encode("utf-32-be")), printable("p"), ia5("not a directory string"), tlv(12, b"\xff\xfe"),
           tlv(12, b"a\0b"), utf8(""), utf8("tab\there\x01"), utf8("a" * 300), integer(1)]

TIMES = [generalized_time("20500101000000Z"), generalized_time("99991231235959Z"), generalized_time("22630101000000Z"),
         utc_time("491231235959Z"), utc_time("500101000000Z"), utc_time("2401010000Z"), utc_time("240101000000+0130"),
         generalized_time("20240101000000.123Z"), generalized_time("202401010000Z"), utc_time("991332256199Z"),
         utc_time("24"), generalized_time("2024"), utc_time("24010100000"), generalized_time("20241301000000Z"), integer(1)]


def message(*some):
    listed = b"".join(len(one).to_bytes(3, "big") + one for one in some)
    return b"\x0b" + (len(listed) + 3).to_bytes(3, "big") + len(listed).to_bytes(3, "big") + listed


def response(*basic, status=0, kind=f"{PKIX}.48.1.1"):
    return sequence(integer(status, 10), *([explicit(0, sequence(oid(kind), octets(sequence(*basic))))] if basic else []))


def single(status, *more):
    return sequence(sequence(SHA1, octets(bytes(20)), octets(bytes(range(20))), integer(0x1234)), status,
                    generalized_time("20240101000000Z"), *more)


def basic(responder, singles, *more, certificates=(), version=None):
    data = sequence(*([] if version is None else [explicit(0, integer(version))]), responder,
                    generalized_time("20240101000000Z"), sequence(*singles), *more)
    return [data, algorithm(SHA256_RSA, null()), bits(bytes(8)),
            *([explicit(0, sequence(*certificates))] if certificates else [])]


OCSP_EXTENSIONS = [
    extension(f"{PKIX}.48.1.2", octets(b"nonce")),
    extension(f"{PKIX}.48.1.3", sequence(explicit(0, ia5("http://example.org/crl")), explicit(1, integer(7)),
                                         explicit(2, generalized_time("20240101000000Z")))),
    extension(f"{PKIX}.48.1.4", sequence(oid(f"{PKIX}.48.1.1"))),
    extension(f"{PKIX}.48.1.6", generalized_time("20000101000000Z"), True),
    extension(f"{PKIX}.48.1.7", sequence(NAME, sequence(sequence(oid(f"{PKIX}.48.1"), URI)))),
    extension("1.3.6.1.4.1.11129.2.4.5", timestamps(timestamp())),
    extension("1.2.3.4", utf8("unknown")),
]

BY_KEY, BY_NAME = explicit(2, octets(bytes(range(20)))), explicit(1, NAME)
GOOD, UNKNOWN = implicit(0), implicit(2)
REVOKED = tlv(0xa1, generalized_time("20240101000000Z"), explicit(0, integer(1, 10)))
NEXT = explicit(0, generalized_time("20240108000000Z"))

RESPONSES = [
    response(*basic(BY_KEY, [single(GOOD, NEXT)])),
    response(*basic(BY_NAME, [single(REVOKED, NEXT, explicit(1, sequence(*OCSP_EXTENSIONS))), single(UNKNOWN)],
                    explicit(1, sequence(*OCSP_EXTENSIONS)), certificates=[certificate(), certificate()], version=0)),
    *(response(status=number) for number in (1, 2, 3, 4, 5, 6)),
    response(utf8("unknown kind"), kind="1.2.3.4"),
    b"\x30\x80" + integer(0, 10) + b"\0\0",
    utf8("not a response"),
    response(*basic(BY_KEY, [single(GOOD, NEXT)]))[:60],
]


# What tshark 4.0.17 gets wrong or does not know (docs/differences.md): not in the golden capture.
OTHERWISE = {"2.5.4.23", "2.5.4.50", f"{PKIX}.1.7", f"{PKIX}.1.8", f"{PKIX}.1.14", *(f"2.5.4.{n}" for n in (1, 31, 32, 33, 34, 49))}


def groups(rows, size):
    rows = [row for row in rows if row[0] not in OTHERWISE]
    return [rows[at:at + size] for at in range(0, len(rows), size)]


def certificates():
    """(what it is about, certificate)"""
    for some in groups(EXTENSIONS, 8):
        yield f"extensions from {some[0][0]}", certificate([extension(*one, critical=at == 3 or None) for at, one in enumerate(some)])
    for at, key in enumerate(KEYS):
        if at != 20:
            yield f"key {at}", certificate(key=key)
    for at, kind in enumerate(SIGNATURES):
        yield f"signature {at}", certificate(signature=kind)
    for some in groups(ATTRIBUTES, 8):
        yield f"attributes from {some[0][0]}", certificate(subject=name(*some))
    for at, text in enumerate(STRINGS):
        yield f"string {at}", certificate(subject=name((COMMON_NAME, text), (ORGANIZATION, text)))
    for at, time in enumerate(TIMES):
        yield f"time {at}", certificate(times=sequence(time, time))
    yield "version 1", certificate(version=None)
    yield "version 2", certificate(version=1, more=implicit(1, b"\0\1\2") + implicit(2, b"\0\3\4"))
    yield "unused bits that are set", certificate(version=1, more=implicit(1, b"\3\xff"), value=b"\1\2\xff", unused=2)
    yield "too many unused bits", certificate(version=1, more=implicit(1, b"\x0b\xff"), value=b"\1\2\xff", unused=9)
    yield "version 5", certificate(version=4)
    yield "negative serial", certificate(serial=integer(-5))
    yield "long serial", certificate(serial=tlv(2, b"\x7f" * 40))
    yield "empty serial", certificate(serial=tlv(2))
    yield "no subject", certificate(subject=sequence())
    yield "two in one part", certificate(subject=name([(COMMON_NAME, utf8("a")), (ORGANIZATION, utf8("b"))], (COUNTRY, printable("XX"))))
    yield "empty", sequence()
    yield "no sequence", integer(1)
    whole = certificate([extension("2.5.29.17", sequence(*general_names()))])
    yield "bytes behind it", whole + b"more"
    yield "indefinite length", b"\x30\x80" + whole[4:] + b"\0\0"


def responses():
    return RESPONSES[:-1]  # the last one is cut short


def messages():
    """(what it is about, handshake message), one a packet"""
    for about, one in certificates():
        yield about, message(one)
    for at, one in enumerate(responses()):
        yield f"response {at}", b"\x16" + (len(one) + 4).to_bytes(3, "big") + b"\1" + len(one).to_bytes(3, "big") + one
