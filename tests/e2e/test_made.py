#!/usr/bin/env python3
"""What no packaged stack speaks, or none loses at will: connections made record by record are opened and proved.

usage: test_made.py TLSWIRE [TEST...]     prints TAP
"""
import pathlib
import sys
import tempfile

import test_front as front
from test_front import check, run

import sealing
from sealing import CLIENT, SERVER, TLCP, TLS10, TLS11, TLS12, Before13, Tls13, ccm, gcm, integrity, sealer_of
from seed import SHOWN_RANDOM, Bytes, extension

front.TESTS.clear()
test = front.test
FIELDS = ("tlswire.decrypt.status", "tlswire.verify.finished", "tlswire.verify.failed")
RANDOM = bytes(SHOWN_RANDOM).hex()


class Seen:
    """What tlswire makes of a connection."""

    def __init__(self, talk, log=None, options=()):
        with tempfile.TemporaryDirectory() as name:
            capture, keys = pathlib.Path(name, "made.pcap"), pathlib.Path(name, "made.log")
            talk.write(capture)
            keys.write_text(talk.log if log is None else log)
            wanted = [word for field in ("tcp.srcport", "data.data", *FIELDS) for word in ("-e", field)]
            out, self.err, status = run("-n", "-r", capture, "-o", f"tls.keylog_file:{keys}", *options, "-T", "fields", *wanted)
            check(status == 0, f"exit status {status}: {self.err}")
            self.ladder, _, _ = run("-n", "-q", "-z", "tls,sessions", "-r", capture, "-o", f"tls.keylog_file:{keys}", *options)
        self.plain, self.said = {CLIENT: b"", SERVER: b""}, {field: [] for field in FIELDS}
        for line in out.splitlines():
            port, data, *rest = line.split("\t")
            self.plain[port == "443"] += bytes.fromhex(data.replace(",", ""))
            for field, text in zip(FIELDS, rest):
                self.said[field] += [text] if text else []

    @property
    def status(self):
        return self.said[FIELDS[0]][-1] if self.said[FIELDS[0]] else ""


def exchange(talk):
    for i in range(4):
        talk.data(CLIENT, b"question %d, " % i * (i + 1)).data(SERVER, b"answer %d; " % i * (3 * i + 1))
    return talk


def opens(name, talk, log=None, options=()):
    """Everything is opened, and both Finished fit."""
    seen = Seen(exchange(talk.open()), log, options)
    check(seen.plain == talk.plain, f"{name}: {seen.plain} {seen.said} {seen.err}")
    check(seen.said[FIELDS[1]] == ["ok", "ok"] and not seen.said[FIELDS[2]], f"{name}: {seen.said}")
    check(seen.status == "opened", f"{name}: {seen.said}")


@test
def the_chinese_ciphers():
    """TLCP (GB/T 38636), and SM4 in TLS 1.2 and 1.3 (RFC 8998)."""
    for suite in (0xe011, 0xe013):
        opens(f"{suite:04x}", Before13(TLCP, suite, ("SM4", 16), "sm3", "sm3"))
    for suite in (0xe051, 0xe053):
        opens(f"{suite:04x}", Before13(TLCP, suite, ("SM4", 16), None, "sm3"))
    opens("e01a", Before13(TLCP, 0xe01a, ("SM4", 16), "sha1", "sha256"))
    opens("TLS_SM4_GCM_SM3", Tls13(0x00c6, "sm3", 16, sealer_of(gcm, "SM4")))
    opens("TLS_SM4_CCM_SM3", Tls13(0x00c7, "sm3", 16, sealer_of(ccm, "SM4")))


@test
def integrity_alone():
    """RFC 9150."""
    opens("TLS_SHA256_SHA256", Tls13(0xc0b4, "sha256", 32, integrity("sha256")))
    opens("TLS_SHA384_SHA384", Tls13(0xc0b5, "sha384", 48, integrity("sha384")))


@test
def chacha20_before_its_standard():
    for suite in (0xcc13, 0xcc14, 0xcc15):
        opens(f"{suite:04x}", Before13(TLS12, suite, "early", None))


@test
def records_that_were_compressed():
    """RFC 3749; the two directions are streams of their own."""
    for version in (TLS10, TLS11, TLS12):
        opens("CBC", Before13(version, 0x002f, ("AES-128", 16), "sha1", deflate=True))
    opens("RC4", Before13(TLS12, 0x0005, "rc4", "sha1", deflate=True))
    opens("GCM", Before13(TLS12, 0x009c, ("AES-128", 16), None, deflate=True))


@test
def truncated_codes():
    """RFC 6066 7: ten bytes of the MAC are sent."""
    for version in (TLS10, TLS11, TLS12):
        for suite, cipher, mac in ((0x002f, ("AES-128", 16), "sha1"), (0x0005, "rc4", "sha1"), (0x0002, "null", "sha1")):
            opens(f"{version:04x} {suite:04x}", Before13(version, suite, cipher, mac, truncated=True, extensions=extension(4)))
    opens("SHA-256", Before13(TLS12, 0x003c, ("AES-128", 16), "sha256", truncated=True, extensions=extension(4)))
    # A client that offers it and a server that does not take it
    opens("refused", Before13(TLS12, 0x002f, ("AES-128", 16), "sha1", client_extensions=extension(4)))


@test
def static_diffie_hellman():
    """Suites that no packaged stack speaks with a key log."""
    for suite, hash_ in ((0xc031, "sha256"), (0xc02d, "sha256"), (0x00a0, "sha256"), (0x00a4, "sha256")):
        opens(f"{suite:04x}", Before13(TLS12, suite, ("AES-128", 16), None, hash_))
    for version in (TLS10, TLS11, TLS12):
        for suite, size in ((0xc00e, 16), (0xc00f, 32), (0xc004, 16), (0x0030, 16), (0x0031, 16)):
            opens(f"{version:04x} {suite:04x}", Before13(version, suite, (f"AES-{8 * size}", size), "sha1"))
        opens(f"{version:04x} c00c", Before13(version, 0xc00c, "rc4", "sha1"))


def joined(other, psk):
    return bytes(Bytes().counted(2, other).counted(2, psk))


@test
def keys_that_were_agreed_on_with_a_pre_shared_one():
    """DHE_PSK and ECDHE_PSK: the log has the premaster secret, whole (RFC 4279 2, RFC 5489 2) or the agreed half."""
    psk, agreed = bytes(range(16)), bytes(range(50, 82))
    whole = joined(agreed, psk)
    exchange_ = bytes(Bytes().counted(2, b"me").counted(2, bytes(range(64))))
    for suite, hash_ in ((0x00aa, "sha256"), (0xd001, "sha256")):
        master = sealing.prf(TLS12, hash_, whole, b"master secret", SHOWN_RANDOM + sealing.SERVER_RANDOM, 48)

        def talk():
            return Before13(TLS12, suite, ("AES-128", 16), None, hash_, master=master, exchange=exchange_)
        opens(f"{suite:04x}, whole", talk(), f"PMS_CLIENT_RANDOM {RANDOM} {whole.hex()}\n")
        opens(f"{suite:04x}, half", talk(), f"PMS_CLIENT_RANDOM {RANDOM} {agreed.hex()}\n", ["-o", f"tlswire.psk:me={psk.hex()}"])
        seen = Seen(exchange(talk().open()), f"PMS_CLIENT_RANDOM {RANDOM} {agreed.hex()}\n", ["-o", f"tlswire.psk:me={'00' * 16}"])
        check(seen.status == "key present but wrong: the tag of record 0 does not match", seen.said)


@test
def a_pre_shared_key_alone_behind_a_retry():
    """psk_ke: no key log at all; the transcript begins with the hash of the first hello (RFC 9846 4.4.1)."""
    psk = bytes(range(7, 39))
    for retry in (False, True):
        for suite, hash_, seal, size in ((0x1301, "sha256", gcm, 16), (0x1302, "sha384", gcm, 32), (0x1304, "sha256", ccm, 16)):
            name = "AES-128" if size == 16 else "AES-256"
            talk = Tls13(suite, hash_, size, sealer_of(seal, name), psk=psk, retry=retry)
            opens(f"{suite:04x} {retry}", talk, "", ["-o", f"tlswire.psk:me={psk.hex()}"])


# ---- what is lost ------------------------------------------------------------------------------------------

def behind(name, seen, server, text):
    check(seen.plain[server].endswith(text), f"{name}: {len(seen.plain[server])} bytes {seen.said} {seen.err}")


LONG = b"x" * 6000  # enough for a hole to be given up


def gap(talk, lost):
    """A connection that loses packets in the middle: LOST are the sizes of the server's data in them."""
    talk.open()
    talk.data(CLIENT, b"one ").data(SERVER, b"first ")
    for size in lost:
        talk.seal(SERVER, 23, b"-" * size).lose()
    kept = []
    for i in range(4):
        text = b"later %d " % i + LONG[:3000]
        talk.seal(SERVER, 23, text).data(CLIENT, b"ack %d " % i)
        kept.append(text)
    return talk, b"".join(kept)


@test
def what_follows_a_gap_is_opened():
    """Of streams (RC4 goes on with each byte), of numbers (the tag says which), with the bytes that were lost."""
    for lost in ((700,), (700, 1, 4000), (30,) * 40):
        for name, make in (("RC4", lambda: Before13(TLS12, 0x0005, "rc4", "sha1")),
                           ("RC4, TLS 1.0", lambda: Before13(TLS10, 0x0005, "rc4", "sha1")),
                           ("RC4, truncated", lambda: Before13(TLS12, 0x0005, "rc4", "sha1", truncated=True, extensions=extension(4))),
                           ("ChaCha20", lambda: Before13(TLS12, 0xcc13, "early", None)),
                           ("CBC", lambda: Before13(TLS12, 0x002f, ("AES-128", 16), "sha1")),
                           ("NULL", lambda: Before13(TLS12, 0x003b, "null", "sha256")),
                           ("SM4", lambda: Before13(TLCP, 0xe013, ("SM4", 16), "sm3", "sm3")),
                           ("integrity", lambda: Tls13(0xc0b4, "sha256", 32, integrity("sha256")))):
            talk, text = gap(make(), lost)
            seen = Seen(talk)
            behind(f"{name} {lost}", seen, SERVER, text)
            check(seen.status == f"resynchronised after {talk.lost} bytes lost", f"{name} {lost}: {seen.status}")


@test
def a_key_update_that_was_lost():
    for count in (1, 2):
        for more in (0, 1):
            talk = Tls13(0x1301, "sha256", 16, sealer_of(gcm, "AES-128")).open()
            talk.data(CLIENT, b"one ").data(SERVER, b"first ")
            for _ in range(count):
                talk.update(SERVER).lose()
                for _ in range(more):
                    talk.seal(SERVER, 23, b"lost").lose()
            text = b""
            for i in range(4):
                part = b"later %d " % i + LONG[:2000]
                talk.seal(SERVER, 23, part).data(CLIENT, b"ack ")
                text += part
            seen = Seen(talk)
            behind(f"{count} {more}", seen, SERVER, text)
            check(seen.status.startswith("resynchronised after "), seen.status)


@test
def the_bytes_that_were_lost_are_counted():
    talk = Before13(TLS12, 0x009c, ("AES-128", 16), None).open()
    talk.data(SERVER, b"first ")
    talk.seal(SERVER, 23, b"-" * 700).lose()
    check(talk.lost == 700 + 5 + 8 + 16, talk.lost)
    for i in range(4):
        talk.seal(SERVER, 23, LONG[:3000]).data(CLIENT, b"ack ")
    seen = Seen(talk)
    check(seen.status == f"resynchronised after {talk.lost} bytes lost", seen.status)
    check(f"resynchronised after {talk.lost} bytes lost" in seen.ladder, seen.ladder)


@test
def a_hole_is_given_up_when_its_sender_is_done():
    """Too little comes behind it to give it up before; the receiver has acknowledged it."""
    def lossy():
        talk = Before13(TLS12, 0x009c, ("AES-128", 16), None).open()
        talk.data(SERVER, b"first ").data(CLIENT, b"go on ").seal(SERVER, 23, b"-" * 300).lose()
        return talk.data(SERVER, b"last words ")
    with_data = lossy().acknowledge(CLIENT).data(SERVER, b"and the end").end(SERVER)
    without = lossy().acknowledge(CLIENT).acknowledge(SERVER).end(SERVER)
    late = lossy().data(SERVER, b"and the end").end(SERVER).acknowledge(CLIENT).end(CLIENT).acknowledge(SERVER)
    for name, talk in (("FIN with data", with_data), ("FIN alone", without), ("acknowledged after it", late)):
        seen = Seen(talk)
        check(seen.plain == talk.plain, f"{name}: {seen.plain} {seen.said}")
        check(seen.status == f"resynchronised after {talk.lost} bytes lost", f"{name}: {seen.said}")
    # What nobody acknowledged may still come: late, and behind the FIN.
    seen = Seen(lossy().acknowledge(SERVER).end(SERVER))
    check(seen.plain[SERVER] == b"first " and seen.status == "opened", f"not acknowledged: {seen.plain} {seen.said}")
    talk = Before13(TLS12, 0x009c, ("AES-128", 16), None).open()
    talk.data(SERVER, b"first ").data(CLIENT, b"go on ").data(SERVER, b"second ").data(SERVER, b"third ")
    talk.acknowledge(SERVER).end(SERVER)
    talk.packets[-3:] = [talk.packets[-2], talk.packets[-1], talk.packets[-3]]
    seen = Seen(talk)
    check(seen.plain == talk.plain and seen.status == "opened", f"late: {seen.plain} {seen.said}")


@test
def what_is_opened_in_part_is_told():
    """The log has the server's secrets alone."""
    talk = exchange(Tls13(0x1301, "sha256", 16, sealer_of(gcm, "AES-128")).open())
    log = "".join(line + "\n" for line in talk.log.splitlines() if line.startswith("SERVER"))
    seen = Seen(talk, log)
    check(seen.plain == {CLIENT: b"", SERVER: talk.plain[SERVER]}, seen.plain)
    check(seen.said[FIELDS[0]] == ["opened", "partly: 2 of 3 protected records, the first one in frame 6"], seen.said)
    check("partly: 6 of 11 protected records" in seen.ladder, seen.ladder)


if __name__ == "__main__":
    sys.exit(front.main())
