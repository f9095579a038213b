#!/usr/bin/env python3
"""Keys: RSA private keys, pre-shared keys, key logs.  The traffic is openssl's and GnuTLS's, made here over loopback.

usage: test_keys.py TLSWIRE [TEST...]     prints TAP; what a missing program would have made is skipped
"""
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import test_front as front
from test_front import ENV, Skip, check, refused, run

front.TESTS.clear()
test = front.test
PSK = "00112233445566778899aabbccddeeff"
MESSAGE = b"what the client says\n"
BY_KEY = ["-o", 'uat:rsa_keys:"rsa.key",""']
BY_PSK = ["-o", f"tlswire.psk:me={PSK}"]


# ---- traffic -----------------------------------------------------------------------------------------------

class Recorder:
    """Between a client and a server: what passes becomes a capture, without privileges."""

    def __init__(self, server_port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server_port = server_port
        self.parts = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port))
        except OSError:  # it is not there yet
            client.close()
            return
        other = threading.Thread(target=self.copy, args=(server, client, 1), daemon=True)
        other.start()
        self.copy(client, server, 0)
        other.join(5)
        client.close()
        server.close()

    def copy(self, source, to, direction):
        source.settimeout(10)
        try:
            while data := source.recv(4096):
                with self.lock:
                    self.parts.append((direction, data))
                    to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def write(self, path):
        self.thread.join(10)
        self.listener.close()
        write_capture(path, [self.parts])


def write_capture(path, connections):
    """A pcap of IPv4 packets, one for each part that was read."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for index, parts in enumerate(connections):
            sent = [0, 0]
            for direction, data in [(0, None), *parts]:
                ports = (40000 + index, 443) if direction == 0 else (443, 40000 + index)
                flags, payload = (2, b"") if data is None else (0x18, data)
                tcp = struct.pack(">HHIIBBHHH", *ports, sent[direction], sent[1 - direction], 0x50, flags, 65535, 0, 0)
                addresses = bytes([10, 0, 0, 1 + direction, 10, 0, 0, 2 - direction])
                ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0) + addresses
                frame = ip + tcp + payload
                out.write(struct.pack("<IIII", 1700000000, 0, len(frame), len(frame)) + frame)
                sent[direction] += 1 if data is None else len(payload)


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not here")


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=30, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, f"openssl {arguments}: {done.stderr.decode()}")


def make_keys():
    need("openssl")
    if pathlib.Path("rsa.key").exists():
        return
    for name in ("rsa", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj",
                "/CN=localhost", "-days", "2")
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "ec.key")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def traffic(name, server_options, client_options):
    """One connection of openssl's in NAME.pcap, its key log in NAME.log; made once."""
    make_keys()
    if pathlib.Path(name + ".pcap").exists():
        return
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-rev", *server_options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = None
    try:
        for _ in range(100):
            try:
                recorder = Recorder(port)
                client = subprocess.Popen(
                    ["openssl", "s_client", "-connect", f"127.0.0.1:{recorder.port}", "-keylogfile", name + ".log", "-quiet",
                     *client_options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                client.stdin.write(MESSAGE)
                client.stdin.flush()
                answer = client.stdout.readline()
                if answer:
                    break
                client.kill()
                client.communicate()
            except BrokenPipeError:
                client.kill()
                client.communicate()
            time.sleep(0.1)
        check(answer.strip() == MESSAGE.strip()[::-1], f"{name}: the server answered {answer!r}")
        client.kill()
        client.communicate()
        recorder.write(name + ".pcap")
    finally:
        server.kill()
        server.wait()


RSA = ["-cert", "rsa.crt", "-key", "rsa.key", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
SHARED = ["-psk_identity", "me", "-psk", PSK]


def with_rsa(suite="AES128-GCM-SHA256", version="-tls1_2"):
    name = f"rsa{version}-{suite}"
    traffic(name, RSA, [version, "-cipher", suite + ":@SECLEVEL=0"])
    return name


def with_psk(suite):
    name = "psk-" + suite
    traffic(name, [*SHARED, *RSA], ["-tls1_2", "-cipher", suite + ":@SECLEVEL=0", *SHARED])
    return name


def data_of(name, *options):
    """What was decrypted, and what was said."""
    out, err, status = run("-n", "-r", name + ".pcap", *options, "-Y", "data.data", "-T", "fields", "-e", "data.data")
    check(status == 0, f"{name}: exit status {status}: {err}")
    return b"".join(bytes.fromhex(line.replace(",", "")) for line in out.splitlines()), err


def opens(name, *options):
    data, err = data_of(name, *options)
    check(data == MESSAGE + MESSAGE.strip()[::-1] + b"\n" and not err, f"{name} {options}: {data!r} {err!r}")


def opens_not(name, *options, says=()):
    data, err = data_of(name, *options)
    check(data == b"", f"{name} {options}: {data!r}")
    for word in says:
        check(err.count(word) == 1, f"{name} {options}: {word!r} is not once in {err!r}")
    check(PSK not in err and "hunter2" not in err, f"{name}: secrets are told: {err!r}")


# ---- private keys ------------------------------------------------------------------------------------------

@test
def a_private_key_opens_what_was_encrypted_for_it():
    for suite, version in (("AES128-GCM-SHA256", "-tls1_2"), ("AES256-SHA256", "-tls1_2"), ("AES128-SHA", "-tls1_1"),
                           ("AES256-SHA", "-tls1")):
        opens(with_rsa(suite, version), *BY_KEY)
        opens(with_rsa(suite, version), "-2", *BY_KEY)


@test
def private_keys_come_in_all_their_forms():
    name = with_rsa()
    secret = ["-passout", "pass:hunter2"]
    openssl("pkcs12", "-export", "-in", "rsa.crt", "-inkey", "rsa.key", *secret, "-out", "store.p12")
    openssl("pkcs12", "-export", "-legacy", "-in", "rsa.crt", "-inkey", "rsa.key", *secret, "-out", "old.p12")
    openssl("pkcs8", "-topk8", "-in", "rsa.key", *secret, "-out", "sealed.pem")
    openssl("pkcs8", "-topk8", "-in", "rsa.key", "-outform", "DER", *secret, "-out", "sealed.der")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", "rsa.key", "-outform", "DER", "-out", "plain8.der")
    openssl("rsa", "-in", "rsa.key", "-traditional", "-outform", "DER", "-out", "plain1.der")
    pathlib.Path("both.pem").write_bytes(pathlib.Path("rsa.crt").read_bytes() + pathlib.Path("ec.key").read_bytes() +
                                         pathlib.Path("rsa.key").read_bytes())
    pathlib.Path("password").write_text("hunter2\n")
    for file in ("plain8.der", "plain1.der", "both.pem"):
        opens(name, "-o", f'uat:rsa_keys:"{file}",""')
    for file in ("store.p12", "old.p12", "sealed.pem", "sealed.der"):
        opens(name, "-o", f'uat:rsa_keys:"{file}","hunter2"')
        opens(name, "-o", "tlswire.key_password_file:password", "-o", f'uat:rsa_keys:"{file}",""')
        opens_not(name, "-o", f'uat:rsa_keys:"{file}","hunter3"', says=[file, "its password is another one"])
        opens_not(name, "-o", f'uat:rsa_keys:"{file}",""', says=[file, "is missing"])


@test
def lists_of_keys_take_the_forms_of_tshark():
    name = with_rsa()
    opens(name, "-o", "tls.keys_list:127.0.0.1,443,http,rsa.key")
    opens(name, "-o", "ssl.keys_list:0.0.0.0,1,data,other.key,;any,443,http,rsa.key,")
    opens(name, "-o", 'uat:ssl_keys:"any","443","http","rsa.key",""')
    opens(name, "-o", 'uat:rsa_keys:"\\x72sa.key",""')
    opens_not(name, "-o", "tls.keys_list:rsa.key", says=["IP,PORT,PROTOCOL,FILE"])
    refused(["-r", name + ".pcap", "-o", "uat:rsa_keys:rsa.key"], 1, "the form is", "PASSWORD")
    refused(["-r", name + ".pcap", "-o", 'uat:rsa_keys:"rsa.key"'], 1, "the form is")
    refused(["-r", name + ".pcap", "-o", 'uat:ssl_keys:"rsa.key",""'], 1, "the form is")


@test
def a_key_that_cannot_help_is_told():
    name = with_rsa()
    opens_not(name, "-o", 'uat:rsa_keys:"other.key",""', says=["1 of 1 connections", "is for another key"])
    opens_not(name, "-o", 'uat:rsa_keys:"ec.key",""', says=["is no RSA key"])
    opens_not(name, "-o", 'uat:rsa_keys:"rsa.crt",""', says=["holds no private key"])
    opens_not(name, "-o", 'uat:rsa_keys:"missing",""', says=["missing", "No such file"])
    opens_not(with_rsa("ECDHE-RSA-AES128-GCM-SHA256"), *BY_KEY, says=["1 of 1 connections", "only signs"])
    traffic("new", RSA, ["-tls1_3"])
    opens_not("new", *BY_KEY, says=["1 of 1 connections", "only signs"])
    opens("new", *BY_KEY, "-o", "tls.keylog_file:new.log")


@test
def suites_that_tshark_cannot_open():
    opens(with_rsa("ARIA256-GCM-SHA384"), *BY_KEY)
    for suite in ("ECDHE-ARIA128-GCM-SHA256", "DHE-RSA-ARIA256-GCM-SHA384"):
        name = with_rsa(suite)
        opens(name, "-o", f"tls.keylog_file:{name}.log")


@test
def keys_stay_when_a_client_proves_who_it_is_later():
    make_keys()
    pathlib.Path("later.log").unlink(missing_ok=True)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.post_handshake_auth = True
    client.keylog_filename = "later.log"
    server.verify_mode = ssl.CERT_REQUIRED
    server.post_handshake_auth = True
    server.load_verify_locations("rsa.crt")
    for context in (server, client):
        context.load_cert_chain("rsa.crt", "rsa.key")
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(there, here), server.wrap_bio(here, there, server_side=True)]
    parts = []

    def step(side, work):
        """What the end does, and what it sends then."""
        try:
            result = work()
        except ssl.SSLWantReadError:
            result = None
        out = (here, there)[side]
        if out.pending:
            data = out.read()
            parts.append((side, data))
            out.write(data)
        return result

    for _ in range(2):
        step(0, ends[0].do_handshake)
        step(1, ends[1].do_handshake)
    step(0, lambda: ends[0].write(b"before"))
    step(1, lambda: ends[1].read(100))
    ends[1].verify_client_post_handshake()
    step(1, lambda: ends[1].write(b"asked"))
    step(0, lambda: ends[0].read(100))
    step(1, lambda: ends[1].read(100))
    step(0, lambda: ends[0].write(b"after"))
    write_capture("later.pcap", [parts])
    keys = ["-o", "tls.keylog_file:later.log"]
    out, _, _ = run("-n", "-r", "later.pcap", *keys, "-T", "fields", "-e", "tls.handshake.type")
    check(["11", "15", "20"] in [line.split(",") for line in out.split()], out)
    check(data_of("later", *keys)[0] == b"beforeaskedafter", data_of("later", *keys))


# ---- pre-shared keys ---------------------------------------------------------------------------------------

@test
def a_pre_shared_key_opens_tls_1_2():
    name = with_psk("PSK-AES128-GCM-SHA256")
    opens(name, *BY_PSK)
    opens(name, "-o", f"tls.psk:{PSK}")
    opens(name, "-o", f"ssl.psk:{PSK.upper()}")
    pathlib.Path("psk.txt").write_text(f"# made by psktool\nyou:0011\nme:{PSK}\n")
    opens(name, "-o", "tlswire.psk_file:psk.txt")
    opens(with_psk("RSA-PSK-AES128-CBC-SHA256"), *BY_PSK, *BY_KEY)
    opens_not(name, "-o", "tlswire.psk:me=0011")
    opens_not(name, "-o", f"tlswire.psk:you={PSK}", says=["1 of 1 connections", "for another identity"])
    opens_not(with_psk("DHE-PSK-AES128-GCM-SHA256"), *BY_PSK, says=["1 of 1 connections", "Diffie-Hellman goes into"])
    opens_not(with_psk("ECDHE-PSK-AES128-CBC-SHA256"), *BY_PSK, says=["Diffie-Hellman goes into"])
    opens_not(with_psk("RSA-PSK-AES128-CBC-SHA256"), *BY_PSK)
    opens_not(name, "-o", "tls.psk:nonsense", says=["-o tls.psk", "hexadecimal"])
    refused(["-r", name + ".pcap", "-o", "tlswire.psk:me=xyz"], 1, "-o tlswire.psk", "hexadecimal")
    refused(["-r", name + ".pcap", "-o", "tlswire.psk:0011"], 1, "IDENTITY=HEX")
    refused(["-r", name + ".pcap", "-o", "tlswire.psk_file:missing.txt"], 1, "missing.txt", "No such file")
    pathlib.Path("bad.txt").write_text("me:0011\nhalf a line\n")
    refused(["-r", name + ".pcap", "-o", "tlswire.psk_file:bad.txt"], 1, "bad.txt:2")


@test
def a_pre_shared_key_opens_tls_1_3_without_diffie_hellman():
    # No group in common leaves the two nothing but psk_ke.
    traffic("psk_ke", ["-nocert", *SHARED, "-allow_no_dhe_kex", "-groups", "P-521"],
            ["-tls1_3", *SHARED, "-allow_no_dhe_kex", "-groups", "X25519"])
    opens("psk_ke", *BY_PSK)
    opens("psk_ke", "-o", f"tls.psk:{PSK}")
    opens_not("psk_ke", "-o", "tlswire.psk:me=0011", says=["1 of 1 connections", "for another identity"])
    out, _, _ = run("-n", "-r", "psk_ke.pcap", *BY_PSK, "-T", "fields", "-e", "tls.handshake.type")
    check([w for line in out.split() for w in line.split(",")] == ["1", "2", "8", "20", "20", "4"], out)
    traffic("psk_dhe", ["-nocert", *SHARED], ["-tls1_3", *SHARED])
    opens_not("psk_dhe", *BY_PSK, says=["1 of 1 connections", "Diffie-Hellman goes into"])


@test
def the_pre_shared_key_of_gnutls():
    need("gnutls-serv")
    need("gnutls-cli")
    make_keys()
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"
    port = free_port()
    pathlib.Path("gnutls.psk").write_text(f"me:{PSK}\n")
    server = subprocess.Popen(["gnutls-serv", "--echo", "-p", str(port), "--pskpasswd", "gnutls.psk", "--priority", priority],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
    try:
        time.sleep(0.5)
        recorder = Recorder(port)
        client = subprocess.run(["gnutls-cli", "127.0.0.1", "-p", str(recorder.port), "--pskusername", "me", "--pskkey", PSK,
                                 "--priority", priority], input=MESSAGE, capture_output=True, check=False, timeout=20, env=ENV)
        recorder.write("gnutls.pcap")
    finally:
        server.kill()
        server.wait()
    data, err = data_of("gnutls", *BY_PSK)
    check(data.startswith(MESSAGE) and not err, f"{data!r} {err} {client.stderr}")


# ---- proofs ------------------------------------------------------------------------------------------------

CHECKS = ("finished", "certificate_verify", "key_exchange", "psk_binder", "chain", "hello_retry", "offered")


def proofs_of(name, *options):
    """{check: what is said of it, in the order of the messages}"""
    wanted = [word for check_name in CHECKS for word in ("-e", "tlswire.verify." + check_name)]
    out, err, status = run("-n", "-r", name + ".pcap", *options, "-T", "fields", *wanted, "-e", "tlswire.verify.failed")
    check(status == 0, f"{name}: exit status {status}: {err}")
    rows = [line.split("\t") for line in out.splitlines()]
    failed = {word for row in rows for word in row[-1].split(",")} - {"", "Certificate Dates"}  # the capture's clock is made up
    check(not failed, f"{name}: failed: {failed}")
    return {check_name: ",".join(row[i] for row in rows if row[i]) for i, check_name in enumerate(CHECKS)}


@test
def what_was_opened_is_proved():
    for suite, version in (("AES128-GCM-SHA256", "-tls1_2"), ("AES128-SHA", "-tls1_1"), ("AES256-SHA", "-tls1")):
        proofs = proofs_of(with_rsa(suite, version), *BY_KEY)
        check(proofs["finished"] == "ok,ok" and proofs["chain"] == "ok" and proofs["offered"] == "ok", proofs)
    both = [*RSA, "-Verify", "1"], ["-cert", "rsa.crt", "-key", "rsa.key"]
    for version, suite in (("-tls1_3", None), ("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"), ("-tls1_2", "DHE-RSA-AES128-SHA"),
                           ("-tls1_1", "ECDHE-RSA-AES128-SHA"), ("-tls1", "DHE-RSA-AES128-SHA")):
        name = f"both{version}-{suite}"
        traffic(name, both[0], [version, *(["-cipher", suite + ":@SECLEVEL=0"] if suite else []), *both[1]])
        proofs = proofs_of(name, "-o", f"tls.keylog_file:{name}.log")
        check(proofs["finished"] == "ok,ok" and proofs["chain"] == "ok,ok", (name, proofs))
        out, _, _ = run("-n", "-q", "-z", "tls,sessions,json", "-r", name + ".pcap", "-o", f"tls.keylog_file:{name}.log")
        check('"verified":"Finished ok ok;' in out, out)
        check(proofs["certificate_verify"] == ("ok,ok" if suite is None else "ok"), (name, proofs))
        check(proofs["key_exchange"] == ("" if suite is None else "ok"), (name, proofs))
        proofs = proofs_of(name)
        check(set(proofs["finished"].split(",")) <= {"", "not checkable"}, (name, proofs))


@test
def binders_are_proved_by_the_key():
    traffic("psk_ke", ["-nocert", *SHARED, "-allow_no_dhe_kex", "-groups", "P-521"],
            ["-tls1_3", *SHARED, "-allow_no_dhe_kex", "-groups", "X25519"])
    traffic("psk_dhe", ["-nocert", *SHARED], ["-tls1_3", *SHARED])
    proofs = proofs_of("psk_ke", *BY_PSK)
    check(proofs["psk_binder"] == "ok" and proofs["finished"] == "ok,ok", proofs)
    check(proofs_of("psk_dhe", *BY_PSK)["psk_binder"] == "ok", "the binder of a key with Diffie-Hellman")
    check(proofs_of("psk_dhe")["psk_binder"] == "not checkable", "a binder without its key")
    out, _, _ = run("-n", "-r", "psk_dhe.pcap", "-o", "tlswire.psk:me=0011", "-T", "fields", "-e", "tlswire.verify.psk_binder",
                    "-e", "tlswire.verify.reason", "-Y", 'tlswire.verify.failed == "PSK Binder"')
    check(out.startswith("failed\t") and "binder 1 does not fit" in out, out)


# ---- key logs ----------------------------------------------------------------------------------------------

def log_of(name):
    return pathlib.Path(name + ".log").read_text()


@test
def several_key_logs_do_not_mix():
    traffic("new", RSA, ["-tls1_3"])
    name = with_rsa("ECDHE-RSA-AES128-GCM-SHA256")
    lines = log_of("new").splitlines()
    # Neither file ends with a line's end, and the second begins in no new line of the first.
    pathlib.Path("one.log").write_text("\n".join(lines[:3]))
    pathlib.Path("two.log").write_text("\n".join(lines[3:]))
    logs = ["-o", "tls.keylog_file:one.log", "-o", "tls.keylog_file:two.log"]
    opens("new", *logs)
    opens(name, *logs, "-o", f"tls.keylog_file:{name}.log")
    opens_not("new", *logs, "-o", "tls.keylog_file:")


@test
def premaster_secrets_are_used():
    name = with_rsa()
    by_name = [line for line in log_of(name).splitlines() if line.startswith("RSA ")]
    check(by_name, "openssl logs the premaster secret of an RSA key exchange")
    pathlib.Path("rsa.log").write_text(by_name[0] + "\r\n")
    opens(name, "-o", "tls.keylog_file:rsa.log")
    random = next(line.split()[1] for line in log_of(name).splitlines() if line.startswith("CLIENT_RANDOM "))
    pathlib.Path("pms.log").write_text(f"PMS_CLIENT_RANDOM {random} {by_name[0].split()[2]}")
    opens(name, "-o", "tls.keylog_file:pms.log")
    # The half of a premaster secret that is not the pre-shared key.
    name = with_psk("RSA-PSK-AES128-CBC-SHA256")
    random = next(line.split()[1] for line in log_of(name).splitlines() if line.startswith("CLIENT_RANDOM "))
    rsa = [line.split()[2] for line in log_of(name).splitlines() if line.startswith("RSA ")]
    if rsa:
        pathlib.Path("half.log").write_text(f"PMS_CLIENT_RANDOM {random} {rsa[0][:96]}\n")
        opens(name, *BY_PSK, "-o", "tls.keylog_file:half.log")


@test
def a_large_key_log_is_read_for_what_is_needed():
    traffic("new", RSA, ["-tls1_3"])
    others = "".join(f"CLIENT_TRAFFIC_SECRET_0 {i:064x} {i + 1:064x}\n" for i in range(1000, 2000))
    with open("large.log", "w", encoding="ascii") as out:
        while out.tell() < 20 << 20:
            out.write(others)
        out.write(log_of("new"))
        out.write(others)
    opens("new", "-o", "tls.keylog_file:large.log")
    opens("new", "-2", "-o", "tls.keylog_file:large.log")
    name = with_rsa()
    by_name = [line for line in log_of(name).splitlines() if line.startswith("RSA ")]
    with open("large.log", "a", encoding="ascii") as out:
        out.write(by_name[0] + "\n")
    opens(name, "-o", "tls.keylog_file:large.log")
    opens_not(with_rsa("AES256-SHA256"), "-o", "tls.keylog_file:large.log", says=["open 0 of 1 connections"])
    pathlib.Path("large.log").unlink()


def wait_until(what, path, word):
    for _ in range(100):
        if word in pathlib.Path(path).read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: {word!r} is not in {pathlib.Path(path).read_text()!r}")


@test
def a_key_log_is_followed_also_when_it_is_replaced():
    traffic("new", RSA, ["-tls1_3"])
    names = ["new", with_rsa("ECDHE-RSA-AES128-GCM-SHA256"), with_rsa("ECDHE-RSA-AES256-GCM-SHA384")]
    log = pathlib.Path("growing.log")
    log.write_text("# nothing yet\n" * 400)
    with open("live.out", "wb") as out:
        live = subprocess.Popen([front.TLSWIRE, "-n", "-l", "-i", "-", "-o", "tls.keylog_file:growing.log", "-Y", "data.data",
                                 "-T", "fields", "-e", "frame.number"], stdin=subprocess.PIPE, stdout=out,
                                stderr=subprocess.DEVNULL, env=ENV)
    frames = 0
    try:
        for step, name in enumerate(names):
            text = log_of(name)
            if step == 0:
                with open(log, "a", encoding="ascii") as file:  # grown
                    file.write(text[:-20])
                    file.flush()
                    time.sleep(0.3)
                    file.write(text[-20:])
            elif step == 1:
                log.write_text(text)  # emptied, and written anew: it is shorter now
            else:
                pathlib.Path("growing.new").write_text(text)
                pathlib.Path("growing.new").rename(log)
            time.sleep(0.4)
            data = pathlib.Path(name + ".pcap").read_bytes()
            data = bytearray(data if step == 0 else data[24:])
            port = (40000).to_bytes(2, "big")  # of each connection its own
            data = bytes(data).replace(b"\x0a\x00\x00\x01\x0a\x00\x00\x02" + port,
                                       b"\x0a\x00\x00\x01\x0a\x00\x00\x02" + (40000 + step).to_bytes(2, "big"))
            data = data.replace(b"\x0a\x00\x00\x02\x0a\x00\x00\x01\x01\xbb" + port,
                                b"\x0a\x00\x00\x02\x0a\x00\x00\x01\x01\xbb" + (40000 + step).to_bytes(2, "big"))
            live.stdin.write(data)
            live.stdin.flush()
            out, _, _ = run("-n", "-r", name + ".pcap", "-o", f"tls.keylog_file:{name}.log", "-Y", "data.data", "-T", "fields",
                            "-e", "frame.number")
            last = int(out.split()[-1]) + frames
            wait_until(name, "live.out", f"{last}\n")
            frames += len(run("-n", "-r", name + ".pcap")[0].splitlines())
    finally:
        live.stdin.close()
        live.kill()
        live.wait()


# ---- tlswire keys ------------------------------------------------------------------------------------------

@test
def keys_match_inject_and_strip():
    traffic("new", RSA, ["-tls1_3"])
    other = with_rsa("ECDHE-RSA-AES128-GCM-SHA256")
    pathlib.Path("mixed.log").write_text(log_of("new") + log_of(other) + "no key at all\n")
    out, err, status = run("keys", "match", "new.pcap", "mixed.log")
    check(status == 0 and not err and out.startswith("mixed.log opens 1 of 1 connections\n"), out + err)
    check("10.0.0.1:40000 → 10.0.0.2:443  opened · 5 lines" in out and "1 of 6 key lines" in out, out)
    out, err, status = run("keys", "match", "new.pcap", f"{other}.log")
    check(status == 1 and "opens 0 of 1" in out and "client random " + log_of("new").split()[-2] in out, out + err)
    done = run("keys", "inject", "new.pcap", "mixed.log", "-w", "inside.pcapng")
    check(done == ("", "", 0), done)
    data = pathlib.Path("inside.pcapng").read_bytes()
    check(pathlib.Path("inside.pcapng").stat().st_mode & 0o777 == 0o600, "others may read the keys")
    check(b"CLIENT_TRAFFIC_SECRET_0" in data and b"CLIENT_RANDOM" not in data, "only the lines that are needed")
    with_all = run("keys", "inject", "new.pcap", "mixed.log", "-w", "all.pcapng", "--all")
    check(with_all == ("", "", 0) and b"CLIENT_RANDOM" in pathlib.Path("all.pcapng").read_bytes(), with_all)
    out, err, _ = run("-n", "-r", "inside.pcapng", "-Y", "data.data")
    check(len(out.splitlines()) == 2 and not err, out + err)
    check(run("keys", "strip", "inside.pcapng", "-w", "bare.pcapng") == ("", "", 0), "strip")
    check(b"TRAFFIC_SECRET" not in pathlib.Path("bare.pcapng").read_bytes(), "keys are left")
    check(run("-n", "-r", "bare.pcapng")[0] == run("-n", "-r", "new.pcap")[0], "the packets are the same")
    refused(["keys", "strip", "bare.pcapng", "-w", "bare.pcapng"], 2, "overwrite")
    refused(["keys", "inject", "new.pcap", f"{other}.log", "-w", "none.pcapng"], 1, "no line of the key log")
    check(not pathlib.Path("none.pcapng").exists(), "a capture without keys was made")
    refused(["keys", "inject", "new.pcap", "mixed.log"], 2, "-w")
    refused(["keys"], 2, "match", "inject", "strip")
    refused(["keys", "match", "missing.pcap", "mixed.log"], 2, "missing.pcap")
    out, err, status = run("keys", "--help")
    check(status == 0 and "--all" in out and not err, out)


if __name__ == "__main__":
    sys.exit(front.main())
