"""A little writer of DER (X.690), and certificates and OCSP responses made with it."""


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def sequence(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def octets(*parts):
    return tlv(4, *parts)


def bits(body, unused=0):
    return tlv(3, bytes([unused]), body)


def integer(value, tag=2):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return tlv(1, b"\xff" if value else b"\0")


def null():
    return tlv(5)


def arcs(dotted):
    numbers = [int(n) for n in dotted.split(".")]
    out = bytearray()
    for number in [numbers[0] * 40 + numbers[1], *numbers[2:]]:
        some = [number & 127]
        while number := number >> 7:
            some.append(128 | number & 127)
        out += bytes(reversed(some))
    return bytes(out)


def oid(dotted):
    return tlv(6, arcs(dotted))


def utf8(text):
    return tlv(12, text.encode())


def printable(text):
    return tlv(19, text.encode())


def ia5(text):
    return tlv(22, text.encode())


def utc_time(text):
    return tlv(23, text.encode())


def generalized_time(text):
    return tlv(24, text.encode())


def explicit(number, *parts):
    return tlv(0xa0 | number, *parts)


def implicit(number, *parts):
    """[NUMBER] IMPLICIT of a primitive type: the content alone."""
    return tlv(0x80 | number, *parts)


def attribute(kind, value):
    return sequence(oid(kind), value)


def name(*parts):
    """A distinguished name of (type, value) pairs, one a part; a list makes one part of several."""
    return sequence(*(set_of(*(attribute(*one) for one in (part if isinstance(part, list) else [part])))
                      for part in parts))


COMMON_NAME, COUNTRY, ORGANIZATION = "2.5.4.3", "2.5.4.6", "2.5.4.10"
RSA, SHA256_RSA, ECDSA_SHA256 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"


def algorithm(kind, *parameters):
    return sequence(oid(kind), *parameters)


RSA_KEY = sequence(algorithm(RSA, null()), bits(sequence(integer(0xc0ffee << 40 | 1), integer(65537))))
NAME = name((COMMON_NAME, utf8("example.org")))
TIMES = sequence(utc_time("240101000000Z"), utc_time("340101000000Z"))


def extension(kind, value, critical=None):
    return sequence(oid(kind), *([] if critical is None else [boolean(critical)]), octets(value))


def certificate(extensions=(), issuer=NAME, subject=NAME, key=RSA_KEY, times=TIMES, serial=None, version=2,
                signature=None, value=b"\1\2\3\4", unused=0, more=b""):
    signature = signature or algorithm(SHA256_RSA, null())
    signed = sequence(*([] if version is None else [explicit(0, integer(version))]), serial or integer(1), signature,
                      issuer, times, subject, key, more,
                      *([explicit(3, sequence(*extensions))] if extensions else []))
    return sequence(signed, signature, bits(value, unused))
