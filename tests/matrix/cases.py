"""What the matrix runs: one Case is one or more connections of one client to one server."""
import dataclasses
import itertools

import peers

AES_SHA, AES_SHA256, CAMELLIA = 0x002f, 0x003d, 0x00c0
ECDHE_GCM, CHACHA, CCM_8, ECDHE_SHA, DHE_SHA = 0xc02b, 0xccaa, 0xc0a1, 0xc014, 0x0033
TLS13 = (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)
OLD = (10, 11, 12)
PSK_SERVER = ("-psk", peers.PSK, "-psk_identity", "user")


@dataclasses.dataclass
class Case:
    group: str
    code: int
    version: int
    server: tuple  # stack, options, kind
    client: str
    options: tuple = ()
    flags: str = ""
    traits: frozenset = frozenset()  # what the connection that is asked about has to show, see matrix.traits_of
    without: frozenset = frozenset()
    name: str = ""
    steps: tuple = ()  # (who, what to write, whose output to wait for, what): none: one line and its answer
    first: tuple = None  # options of a connection before, for a session to resume
    interactive: bool = False
    environment: tuple = ()
    early: bytes = b""
    connections: int = 1
    quiet: bool = False  # no application data in the first of two connections
    unchecked_answer: bool = False


def openssl(*options):
    return ("OpenSSL", (*PSK_SERVER, "-client_renegotiation", "-dhparam", "dh.parameters", *options), None)


def gnutls(*options):
    return ("GnuTLS", (*options,) if "-r" in options else ("-a", *options), None)


def gnutls_13(*options):
    return gnutls("--priority", peers.GNUTLS_13, *options)


def plain_server(stack, version):
    return {"OpenSSL": openssl(), "GnuTLS": gnutls_13() if version == 13 else gnutls(), "NSS": ("NSS", (), None)}[stack]


# Stacks whose servers or clients fail at a kind of suite, whatever the other side is; each tried by hand.
def able(stack, name, is_server):
    if "SRP" in name:
        return not (stack == "OpenSSL" and is_server)  # s_server -rev with SRP looks the user up in freed memory
    if stack == "NSS":
        return "_anon_" not in name and "EXPORT" not in name
    return True


def pairs(place, code, version):
    """(server, client) that can speak this suite in this version: different stacks first."""
    name = place.names.get(code, "")
    able_to = [s for s in place.have if place.supports(s, code, version)]
    # Debian's NSS writes no key log: alone it leaves only what the server's RSA key opens.
    closed = ("NSS", "NSS") if not name.startswith("TLS_RSA_WITH") else None
    found = [(s, c) for s, c in itertools.product(able_to, repeat=2)
             if able(s, name, True) and able(c, name, False) and (s, c) != closed]
    order = {"OpenSSL": 0, "GnuTLS": 1, "NSS": 2}
    turn = code & 1
    return sorted(found, key=lambda p: (p[0] == p[1], p[1] == "NSS", p[0] == "NSS", order[p[0]] ^ turn))


def base(place, every_pair):
    """Every suite that two ends can speak, in every version: lists of cases, of which one has to work, or each."""
    for code in sorted({code for known in place.suites.values() for code in known}):
        for version in peers.VERSIONS:
            found = [Case("suites", code, version, plain_server(s, version), c) for s, c in pairs(place, code, version)]
            if found:
                yield from ([[case] for case in found] if every_pair else [found])


def resumed(place):
    for code, version in itertools.product((AES_SHA, ECDHE_SHA, AES_SHA256, CAMELLIA, ECDHE_GCM, CHACHA, CCM_8), OLD):
        if not place.supports("OpenSSL", code, version):
            continue
        for way, option in (("ticket", ()), ("id", ("-no_ticket",))):
            for server in (openssl(*option), gnutls(*(["--noticket"] if option else []))):
                if not place.supports(server[0], code, version):
                    continue
                yield Case(f"resumption by {way}", code, version, server, "OpenSSL", ("-sess_in", "session.pem"),
                           traits=frozenset({"resumed"}), first=("-sess_out", "session.pem"), connections=2)
        yield Case("resumption by ticket", code, version, openssl(), "GnuTLS", ("-r",), traits=frozenset({"resumed"}),
                   connections=2, quiet=True) if place.supports("GnuTLS", code, version) else None
    for code in TLS13:
        for server in (openssl(), gnutls_13()):
            yield Case("resumption by PSK", code, 13, server, "OpenSSL", ("-sess_in", "session.pem"),
                       traits=frozenset({"psk"}), first=("-sess_out", "session.pem"), connections=2)
    yield Case("resumption by PSK", 0x1302, 13, openssl(), "GnuTLS", ("-r", "--waitresumption"), traits=frozenset({"psk"}),
               connections=2, quiet=True)
    yield Case("resumption by PSK", 0x1301, 13, openssl("-allow_no_dhe_kex"), "OpenSSL",
               ("-sess_in", "session.pem", "-allow_no_dhe_kex"), traits=frozenset({"psk"}),
               first=("-sess_out", "session.pem", "-allow_no_dhe_kex"), connections=2, name="psk_ke allowed")


def outside_psk(place):
    for code in (0x1301, 0x1303):
        yield Case("PSK from outside", code, 13, openssl(), "OpenSSL", PSK_SERVER, traits=frozenset({"psk"}))
    for kind in ("+PSK", "+DHE-PSK"):
        yield Case("PSK from outside", 0x1301, 13, gnutls_13(), "GnuTLS", ("--pskusername", "user", "--pskkey", peers.PSK),
                   flags=f":-KX-ALL:{kind}", traits=frozenset({"psk"}), name=kind[1:])


def ems_etm(place):
    for code, version in itertools.product((AES_SHA, DHE_SHA, ECDHE_SHA, AES_SHA256, CAMELLIA, ECDHE_GCM), OLD):
        for ems, etm in itertools.product((True, False), repeat=2):
            if not place.supports("OpenSSL", code, version) or not place.supports("GnuTLS", code, version):
                continue
            want = {"ems"} if ems else set()
            want |= {"etm"} if etm and code != ECDHE_GCM else set()
            traits, without = frozenset(want), frozenset({"ems", "etm"} - want)
            yield Case("EMS × EtM", code, version, gnutls(), "OpenSSL", () if etm else ("-no_etm",), traits=traits,
                       without=without, environment=() if ems else (("OPENSSL_CONF", "openssl-no-ems.cnf"),))
            flags = ("" if ems else ":%NO_SESSION_HASH") + ("" if etm else ":%NO_ETM")
            yield Case("EMS × EtM", code, version, openssl(), "GnuTLS", flags=flags, traits=traits, without=without)


def client_auth(place):
    for code, version in [*itertools.product((AES_SHA, ECDHE_SHA), OLD), (ECDHE_GCM, 12), (CHACHA, 12), (0x1301, 13), (0x1302, 13)]:
        for key in ("rsa", "ec", "dsa", "ed25519", "pss"):
            if (key == "dsa" and version == 13) or (key in ("ed25519", "pss") and version < 12):
                continue
            for server in (openssl("-verify", "1", "-verify_quiet"), gnutls_13("-r") if version == 13 else gnutls("-r")):
                # GnuTLS takes no DSA below 2048 bits as a client's
                if server[0] == "GnuTLS" and key in ("dsa", "pss"):
                    continue
                yield Case("client auth", code, version, server, "OpenSSL", ("-cert", f"{key}.crt", "-key", f"{key}.key"),
                           traits=frozenset({"client certificate"}), name=key)
    steps = (("client", b"before\n", "server", b"before"), ("server", b"c\n", "server", b"SSL_do_handshake -> 1"),
             ("client", b"after\n", "server", b"after"), ("server", b"answer\n", "client", b"answer"))
    for code in (0x1301, 0x1302):
        yield Case("post-handshake auth", code, 13, (*openssl("-verify", "1")[:2], "told"), "OpenSSL",
                   ("-enable_pha", "-cert", "rsa.crt", "-key", "rsa.key"), steps=steps, traits=frozenset({"certificate request later"}))


def early(place):
    steps = (("client", b"later\n", "server", b"later"), ("server", b"answer\n", "client", b"answer"))
    ticket = (("client", b"first\n", "server", b"first"), ("server", b"ticket\n", "client", b"ticket"))
    for code in TLS13:
        server = (*openssl("-early_data", "-max_early_data", "16384", "-no_anti_replay")[:2], "told")
        yield Case("early data", code, 13, server, "OpenSSL", ("-sess_in", "session.pem", "-early_data", "early.data"),
                   first=("-sess_out", "session.pem"), steps=(ticket, steps), connections=2, early=b"early question\n",
                   traits=frozenset({"psk", "early data"}))
    for code in (0x1301, 0x1302):
        yield Case("early data", code, 13, gnutls_13("--earlydata", "--maxearlydata=16384"), "GnuTLS",
                   ("-r", "--waitresumption", "--earlydata=early.data"), connections=2, quiet=True, early=b"early question\n",
                   traits=frozenset({"psk", "early data"}), unchecked_answer=True)
    # The server has another group than the client's share: HelloRetryRequest, and what came early is refused.
    server = (*openssl("-early_data", "-max_early_data", "16384", "-no_anti_replay", "-groups", "P-384")[:2], "told")
    yield Case("early data refused", 0x1301, 13, server, "OpenSSL",
               ("-sess_in", "session.pem", "-early_data", "early.data", "-groups", "X25519:P-384"),
               first=("-sess_out", "session.pem", "-groups", "P-384"), steps=(ticket, steps), connections=2,
               early=b"early question\n", traits=frozenset({"psk", "hrr"}), without=frozenset({"early data"}))


def retry(place):
    for code in TLS13:
        yield Case("HelloRetryRequest", code, 13, openssl("-groups", "P-384"), "OpenSSL", ("-groups", "X25519:P-384"),
                   traits=frozenset({"hrr"}))
    yield Case("HelloRetryRequest", 0x1302, 13, openssl("-groups", "P-521"), "GnuTLS", ("--single-key-share",),
               traits=frozenset({"hrr"}))
    yield Case("HelloRetryRequest", 0x1302, 13, openssl("-groups", "P-384"), "OpenSSL",
               ("-sess_in", "session.pem", "-groups", "X25519:P-384"), first=("-sess_out", "session.pem", "-groups", "P-384"),
               connections=2, traits=frozenset({"hrr", "psk"}), name="resumed")


def key_updates(place):
    ask = (("client", b"one\n", "client", b"eno\n"),)
    for code in TLS13:
        for letter in (b"k\n", b"K\n"):
            steps = ask
            for round_ in (b"two", b"three", b"four"):
                steps += (("client", letter, "client", b"KEYUPDATE"), ("client", round_ + b"\n", "client", round_[::-1]))
            want = {"key update by client"} | ({"key update by server"} if letter == b"K\n" else set())
            yield Case("key update", code, 13, openssl(), "OpenSSL", steps=steps, interactive=True, traits=frozenset(want))
    steps = (("client", b"one\n", "server", b"one"), ("server", b"K\n", None, b""), ("server", b"two\n", "client", b"two"),
             ("client", b"three\n", "server", b"three"), ("server", b"k\n", None, b""), ("server", b"four\n", "client", b"four"))
    for code in (0x1301, 0x1303):
        yield Case("key update", code, 13, (*openssl()[:2], "told"), "OpenSSL", steps=steps,
                   traits=frozenset({"key update by server"}), name="by the server")


def renegotiation(place):
    steps = (("client", b"one\n", "client", b"eno\n"), ("client", b"R\n", "client", b"RENEGOTIATING"),
             ("client", b"two\n", "client", b"owt\n"), ("client", b"R\n", "client", b"RENEGOTIATING"),
             ("client", b"three\n", "client", b"eerht\n"))
    for code, version in [*itertools.product((AES_SHA, ECDHE_SHA), OLD), (ECDHE_GCM, 12), (CHACHA, 12), (CCM_8, 12)]:
        yield Case("renegotiation", code, version, openssl(), "OpenSSL", steps=steps, interactive=True,
                   traits=frozenset({"renegotiated"}))


def records(place):
    long = bytes(65 + at % 26 for at in range(9000)) + b"\n"
    one = (("client", long, "client", long[:-1][::-1] + b"\n"),)
    for code, version in [*itertools.product((AES_SHA,), OLD), (ECDHE_GCM, 12), (0x1301, 13), (0x1303, 13)]:
        yield Case("record sizes", code, version, openssl("-max_send_frag", "700"), "OpenSSL", ("-max_send_frag", "512"), steps=one)
        if version == 13:
            yield Case("record padding", code, version, openssl("-record_padding", "300"), "OpenSSL",
                       ("-record_padding", "512"), steps=one)


def groups(place):
    for group in ("X25519", "X448", "P-256", "P-384", "P-521", "ffdhe2048", "ffdhe3072"):
        yield Case("groups", 0x1301, 13, openssl("-groups", group), "OpenSSL", ("-groups", group), name=group)
        if not group.startswith("ffdhe"):
            yield Case("groups", 0xc02f, 12, openssl("-groups", group), "OpenSSL", ("-groups", group), name=group)
    for key in ("rsa", "ec", "p384", "p521", "ed25519", "ed448", "pss"):
        server = ("OpenSSL", ("-cert", f"{key}.crt", "-key", f"{key}.key"), None)
        yield Case("signatures", 0x1302, 13, server, "OpenSSL", name=key)
        yield Case("signatures", 0xc02f if key in ("rsa", "pss") else ECDHE_GCM, 12, server, "OpenSSL", name=key)


DIMENSIONS = (resumed, outside_psk, ems_etm, client_auth, early, retry, key_updates, renegotiation, records, groups)


def everything(place, full):
    """Lists of cases: the first that works of a list is enough."""
    yield from base(place, full)
    for dimension in DIMENSIONS:
        kept = [case for case in dimension(place) if case is not None and case.server[0] in place.have
                and case.client in place.have and place.supports(case.client, case.code, case.version)
                and place.supports(case.server[0], case.code, case.version)]
        # The quick form takes every third of what a dimension repeats over suites and versions.
        for at, case in enumerate(kept):
            if full or len(kept) < 12 or at % 3 == 0:
                yield [case]
