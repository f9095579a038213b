#!/usr/bin/env python3
"""Which connection a session comes from, and what the keys of one connection open in another.

The traffic is made here: by Python's ssl module in memory, and by openssl where a pre-shared key is needed."""

import pathlib
import re
import ssl
import subprocess
import sys
import time
import warnings

import test_front as front
import test_keys as keys
from test_front import check, run

front.TESTS.clear()
test = front.test
warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


# ---- traffic -----------------------------------------------------------------------------------------------

class Pair:
    """A client's and a server's context; the log of the client."""

    def __init__(self, name, version, tickets):
        keys.make_keys()
        self.name, self.connections, self.session, self.kept = name, [], None, []
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain("rsa.crt", "rsa.key")
        self.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.client.check_hostname = False
        self.client.verify_mode = ssl.CERT_NONE
        for context in (self.server, self.client):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = VERSIONS[version]
            if not tickets:
                context.options |= ssl.OP_NO_TICKET
        pathlib.Path(name + ".log").unlink(missing_ok=True)
        self.client.keylog_filename = name + ".log"

    def talk(self, text):
        """One connection that says TEXT and hears it backwards; resumes the one before.  Returns whether it did."""
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = self.server.wrap_bio(up, down, server_side=True)
        client = self.client.wrap_bio(down_in := ssl.MemoryBIO(), up_out := ssl.MemoryBIO(), session=self.session)
        parts = []

        def pass_on():
            if data := up_out.read():
                parts.append((0, data))
                up.write(data)
            if data := down.read():
                parts.append((1, data))
                down_in.write(data)

        done = set()
        for _ in range(10):
            for end in (client, server):
                try:
                    end.do_handshake()
                    done.add(end)
                except ssl.SSLWantReadError:
                    pass
                pass_on()
        check(len(done) == 2, f"{self.name}: the handshake does not end")
        client.write(text)
        pass_on()
        server.write(server.read(100)[::-1])
        pass_on()
        check(client.read(100) == text[::-1], f"{self.name}: another answer")
        self.session = client.session
        self.kept.append((client, server))  # a connection that ends without close_notify takes its session with it
        self.connections.append(parts)
        return client.session_reused

    def write(self):
        keys.write_capture(self.name + ".pcap", self.connections)
        return self.name + ".pcap"


def chain(name, version, tickets):
    """Three connections, of which the second and the third resume the one before; a fourth that does not."""
    pair = Pair(name, version, tickets)
    reused = [pair.talk(b"number %d" % i) for i in range(3)]
    check(reused == [False, True, True], f"{name}: {reused}")
    pair.session = None
    check(not pair.talk(b"number 3"), "a session came back")
    return pair.write()


def links(path, *options):
    """{stream: the one it resumes}"""
    out, err, status = run("-n", "-r", path, *options, "-Y", "tlswire.resumes", "-T", "fields", "-e", "tcp.stream", "-e",
                           "tlswire.resumes")
    check(status == 0 and not err, err)
    return dict(map(int, line.split("\t")) for line in out.splitlines())


def data_of(path, *options):
    """{stream: what was decrypted}"""
    out, err, status = run("-n", "-r", path, *options, "-Y", "data.data", "-T", "fields", "-e", "tcp.stream", "-e", "data.data")
    check(status == 0, err)
    seen = {}
    for line in out.splitlines():
        stream, data = line.split("\t")
        seen[int(stream)] = seen.get(int(stream), b"") + bytes.fromhex(data.replace(",", ""))
    return seen


def said(number):
    text = b"number %d" % number
    return text + text[::-1]


# ---- links -------------------------------------------------------------------------------------------------

@test
def a_session_id_leads_to_its_connection():
    for version in ("1.0", "1.2"):
        path = chain("id-" + version, version, False)
        # The same name is used again and again: it is that of the first.
        check(links(path) == {1: 0, 2: 0}, (version, links(path)))


@test
def a_ticket_leads_to_its_connection():
    for version in ("1.0", "1.2"):
        path = chain("ticket-" + version, version, True)
        found = links(path)
        check(found[1] == 0 and found[2] in (0, 1) and set(found) == {1, 2}, (version, found))


@test
def a_ticket_of_tls_1_3_leads_to_its_connection_where_it_was_read():
    path = chain("psk-1.3", "1.3", True)
    check(links(path) == {}, "sealed tickets are not known")
    check(links(path, "-o", "tls.keylog_file:psk-1.3.log") == {1: 0, 2: 1}, links(path, "-o", "tls.keylog_file:psk-1.3.log"))
    out, err, _ = run("-n", "-r", path, "-o", "tls.keylog_file:psk-1.3.log", "-T", "fields", "-Y", "tlswire.verify.psk_binder",
                      "-e", "tlswire.verify.psk_binder", "-e", "tlswire.verify.reason")
    lines = out.splitlines()
    check(len(lines) == 2 and all(line.startswith("not checkable") for line in lines), out + err)
    check("ticket of connection 0, whose resumption secret no key log holds" in lines[0], out)


@test
def tables_and_pictures_show_the_link():
    path = chain("shown", "1.2", True)
    with_keys = ["-o", "tls.keylog_file:shown.log"]
    out, err, _ = run("-n", "-q", "-r", path, "-z", "tls,sessions", *with_keys)
    check("ticket of 0" in out and "Decryption" in out and "opened" in out and not err, out + err)
    out, _, _ = run("-n", "-q", "-r", path, "-z", "tls,sessions,json", *with_keys)
    check(out.count('"resumes":') == 2 and out.count('"decryption":"opened"') == 4, out)
    out, _, _ = run("-n", "-q", "-r", path, "-z", "tls,sessions,zeek", *with_keys)
    check("\tresumes\tdecryption" in out and out.count("\topened") == 4, out)
    out, _, _ = run("-n", "-r", path, "-T", "jsonl", *with_keys)
    check(out.count("tlswire.resumes") == 2 and "tlswire.decrypt.status" in out, out[:300])


# ---- keys of another connection ----------------------------------------------------------------------------

def only(name, *numbers):
    """A log with only the lines of the connections NUMBERS."""
    lines = [line for line in pathlib.Path(name + ".log").read_text().splitlines() if line.startswith("CLIENT_RANDOM")]
    check(len(lines) == 4, lines)
    pathlib.Path("part.log").write_text("".join(lines[i] + "\n" for i in numbers))
    return ["-o", "tls.keylog_file:part.log"]


@test
def the_first_connections_line_opens_those_that_resume_it():
    for name, tickets in (("line-id", False), ("line-ticket", True)):
        path = chain(name, "1.2", tickets)
        check(data_of(path, *only(name, 0)) == {i: said(i) for i in range(3)}, (name, data_of(path, *only(name, 0))))
        check(data_of(path, *only(name, 3)) == {3: said(3)}, name)


@test
def a_resumed_connections_line_opens_those_after_it():
    path = chain("later", "1.2", True)
    check(data_of(path, *only("later", 1)) == {1: said(1), 2: said(2)}, data_of(path, *only("later", 1)))


# ---- a schedule that is known whole ------------------------------------------------------------------------

def twice(name, server_options, client_options, first=(), second=()):
    """Two connections of openssl's, the second with the session of the first; their key log is NAME.log."""
    keys.make_keys()
    pathlib.Path(name + ".log").unlink(missing_ok=True)
    port = keys.free_port()
    by_hand = "-early_data" in server_options  # which excludes -rev
    server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), *([] if by_hand else ["-rev"]), *server_options],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = []
    try:
        for extra in ([*first, "-sess_out", name + ".session"], [*second, "-sess_in", name + ".session"]):
            for _ in range(100):
                recorder = keys.Recorder(port)
                client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{recorder.port}", "-ign_eof",
                                           "-keylogfile", name + ".log", *client_options, *extra], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                heard = b""
                try:
                    client.stdin.write(keys.MESSAGE)
                    client.stdin.flush()
                    if by_hand:
                        server.stdin.write(keys.MESSAGE.strip()[::-1] + b"\n")
                        server.stdin.flush()
                except BrokenPipeError:  # the server is not there yet
                    pass
                while line := client.stdout.readline():
                    heard += line
                    if line.strip() == keys.MESSAGE.strip()[::-1]:
                        break
                client.kill()
                client.communicate()
                if line:
                    break
                time.sleep(0.1)
            check(line, f"no answer: {heard.decode(errors='replace')}")
            recorder.write("one.pcap")
            parts.append(recorder.parts)
    finally:
        server.kill()
        server.communicate()
    keys.write_capture(name + ".pcap", parts)
    return name + ".pcap"


@test
def a_ticket_of_a_known_schedule_opens_the_next_connection():
    # No group in common leaves the two nothing but psk_ke.
    path = twice("psk_ke_twice", ["-nocert", *keys.SHARED, "-tls1_3", "-allow_no_dhe_kex", "-groups", "P-521"],
                 ["-tls1_3", "-allow_no_dhe_kex", "-groups", "X25519"], first=keys.SHARED)
    both = keys.MESSAGE + keys.MESSAGE.strip()[::-1] + b"\n"
    check(links(path, *keys.BY_PSK) == {1: 0}, links(path, *keys.BY_PSK))
    check(data_of(path, *keys.BY_PSK) == {0: both, 1: both}, data_of(path, *keys.BY_PSK))
    out, _, _ = run("-n", "-r", path, *keys.BY_PSK, "-T", "fields", "-Y", "tlswire.verify.psk_binder", "-e", "tcp.stream", "-e",
                    "tlswire.verify.psk_binder")
    check(re.fullmatch("0\tok\n1\tok\n", out), out)


# ---- verdicts ----------------------------------------------------------------------------------------------

def verdicts(path, *options):
    """{stream: the last verdict}, as fields and as the table say it"""
    out, err, status = run("-n", "-r", path, *options, "-Y", "tlswire.decrypt.status", "-T", "fields", "-e", "tcp.stream", "-e",
                           "tlswire.decrypt.status")
    check(status == 0, err)
    found = dict(line.split("\t") for line in out.splitlines())
    table, _, _ = run("-n", "-q", "-r", path, *options, "-z", "tls,sessions")
    for said_of in found.values():
        check(said_of.split(":")[0] in table, (said_of, table))
    return {int(stream): word for stream, word in found.items()}


@test
def early_data_without_its_key_is_told():
    pathlib.Path("early.txt").write_bytes(b"said before all else\n")
    path = twice("early", ["-cert", "rsa.crt", "-key", "rsa.key", "-early_data"], ["-tls1_3"], second=["-early_data", "early.txt"])
    log = pathlib.Path("early.log").read_text()
    check("CLIENT_EARLY_TRAFFIC_SECRET" in log, "no early data was sent")
    check(verdicts(path, "-o", "tls.keylog_file:early.log") == {0: "opened", 1: "opened"}, "with all keys")
    pathlib.Path("late.log").write_text("".join(f"{line}\n" for line in log.splitlines() if "EARLY" not in line))
    found = verdicts(path, "-o", "tls.keylog_file:late.log")
    check(found == {0: "opened", 1: "early data key absent: 1 records of early data"}, found)
    check(b"said before" in data_of(path, "-o", "tls.keylog_file:early.log")[1], "early data")
    check(b"said before" not in data_of(path, "-o", "tls.keylog_file:late.log")[1], "early data without a key")


@test
def a_suite_that_nobody_can_open_is_told():
    path = chain("suite", "1.2", True)
    data = pathlib.Path(path).read_bytes()
    suites = set(re.findall(rb"\x16\x03\x03..\x02...\x03\x03.{32}(?:\x00|\x20.{32})(..)", data, re.S))
    check(len(suites) == 1, suites)
    # TLS_GOSTR341001_WITH_28147_CNT_IMIT: Debian's OpenSSL has no GOST.
    changed = re.sub(rb"(\x16\x03\x03..\x02...\x03\x03.{32}(?:\x00|\x20.{32}))..", lambda hello: hello[1] + b"\x00\x81", data, flags=re.S)
    pathlib.Path("gost.pcap").write_bytes(changed)
    found = verdicts("gost.pcap", "-o", "tls.keylog_file:suite.log")
    check(found == dict.fromkeys(range(4), "suite not supported: TLS_GOSTR341001_WITH_28147_CNT_IMIT"), found)


if __name__ == "__main__":
    sys.exit(front.main())
