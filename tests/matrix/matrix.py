#!/usr/bin/env python3
"""Traffic of foreign TLS stacks, made now, has to be opened: every record, with the bytes that were sent.

usage: matrix.py TLSWIRE [--full] [--write] [--keep FOLDER] [GROUP…]
       --full   every pair of stacks for each suite and version, and all of every dimension
       --write  puts the table into docs/decryption.md
       --keep   leaves capture and keys of what fails in FOLDER
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
import peers  # noqa: E402
import recorder  # noqa: E402

DOCUMENT = peers.ROOT / "docs" / "decryption.md"
FIELDS = ("tcp.srcport", "tcp.dstport", "tls.handshake.type", "data.data", "tls.record.content_type", "_ws.col.Info",
          "tls.handshake.extension.type", "tls.handshake.random", "tls.handshake.ciphersuite")
RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
UNREAD = ("Encrypted Handshake Message", "Encrypted Alert", "Ignored Unknown Record")
# Fields of other parts of the program, asked for when they are there, and what they may say.
VERDICT = "tlswire.decrypt.status"
NOT_CHECKS = ("tlswire.verify.reason", "tlswire.verify.failed")


class Run:
    """One attempt at a case: what was written, what went over the wire."""

    def __init__(self, case, number):
        self.case, self.number = case, number
        self.asked, self.answered, self.problem, self.connections, self.keys = [], [], "", [], None


class Matrix:
    def __init__(self, folder, full):
        self.place, self.full = peers.Place(folder), full
        self.folder, self.recorder, self.servers = pathlib.Path(folder), recorder.Recorder(), {}
        (self.folder / "early.data").write_bytes(b"early question\n")
        if "OpenSSL" in self.place.have:
            self.place.run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out",
                           "dh.parameters")

    def server(self, wanted):
        if wanted not in self.servers:
            self.servers[wanted] = peers.Server(self.place, *wanted)
        return self.servers[wanted]

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def client(self, run, relay, server, options, steps):
        case = run.case
        plain = case.client == "OpenSSL" and not case.interactive
        extra = ("-quiet", "-no_ign_eof") if plain else ()
        extra += ("-keylogfile", run.keys) if case.client == "OpenSSL" else ()
        arguments = peers.client_arguments(self.place, case.client, case.code, case.version, relay.port, (*options, *extra),
                                           case.flags)
        talker = peers.Talker(self.place, arguments, dict(case.environment, SSLKEYLOGFILE=str(run.keys)))
        talkers = {"client": talker, "server": server.talker}
        asked, answered = b"", b""
        for who, data, where, wanted in steps:
            time.sleep(0.03 if case.interactive or server.kind == "told" else 0)
            talkers[who].write(data)
            if where and not talkers[where].wait_for(wanted):
                talker.drain()
                run.problem = f"{where} did not show {wanted!r}: {bytes(talkers[where].output[-400:])!r}"
                break
            command = len(data) == 2 and (case.interactive or (server.kind == "told" and who == "server"))
            if who == "client" and not command:
                asked += data
                answered += server.answer(data) if server.kind != "told" else b""
            elif who == "server" and not command:
                answered += data
        if server.kind == "told":
            time.sleep(0.02)
        if case.client == "NSS":
            talker.process.terminate()
        talker.finish()
        run.asked.append(asked)
        run.answered.append(None if server.kind == "http" or case.unchecked_answer else answered)

    def line_of(self, run, server):
        if server.kind == "http":
            request = b"GET /matrix-%d HTTP/1.0\r\n\r\n" % run.number
            return (("client", request, "client", b"/matrix-%d" % run.number), )
        line = b"question %d of the matrix\n" % run.number
        return (("client", line, "client", server.answer(line)),)

    def attempt(self, case, number):
        run = Run(case, number)
        run.keys = self.folder / f"client-{number}.keys"
        try:
            server = self.server(case.server)
        except RuntimeError as problem:
            run.problem = str(problem)
            return run
        session = f"session-{number}.pem"
        case_options = tuple(session if o == "session.pem" else o for o in case.options)
        with server.lock, self.recorder.relay(server.port) as relay:
            server.talker.drain()
            server.talker.seen = len(server.talker.output)
            rounds = [tuple(session if o == "session.pem" else o for o in case.first)] if case.first else []
            for at, options in enumerate([*rounds, case_options]):
                steps = case.steps or self.line_of(run, server)
                if steps and isinstance(steps[0][0], tuple):
                    steps = steps[at]
                if not run.problem:
                    self.client(run, relay, server, options, steps)
        run.connections = relay.connections
        if case.quiet:
            run.asked.insert(0, b"")
            run.answered.insert(0, b"")
        if not run.problem and len(run.connections) != case.connections:
            run.problem = f"{len(run.connections)} connections instead of {case.connections}"
        return run

    def first_that_works(self, numbered):
        number, several = numbered
        for at, case in enumerate(several):
            run = self.attempt(case, number * 10 + at)
            if not run.problem:
                break
        return run

    def run_all(self, wanted):
        lists = [several for several in cases.everything(self.place, self.full) if not wanted or several[0].group in wanted]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            return list(pool.map(self.first_that_works, enumerate(lists)))

    def keys(self):
        return b"".join(p.read_bytes() for p in sorted(self.folder.glob("*.keys")))


def reading(tlswire, capture, keys, fields):
    private = f'uat:rsa_keys:"{keys.parent / "rsa.key"}",""'
    done = subprocess.run([tlswire, "-n", "-r", capture, "-o", f"tls.keylog_file:{keys}", "-o", private, "-T", "fields", "-E", "separator=/t",
                           *(word for field in fields for word in ("-e", field))], capture_output=True, check=False, timeout=300)
    rows = [dict(zip(fields, line.split("\t"))) for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return rows, done


def numbers(text):
    return [int(n) for n in text.split(",") if n]


def traits_of(rows, version):
    """What a connection's messages show that it has."""
    found, finished = set(), 0
    for row in rows:
        kinds, extensions = numbers(row["tls.handshake.type"]), numbers(row["tls.handshake.extension.type"])
        from_client = int(row["tcp.dstport"]) == recorder.SERVER_PORT
        if 2 in kinds and RETRY in row["tls.handshake.random"]:
            found.add("hrr")
        elif 2 in kinds:
            found |= {name for number, name in ((23, "ems"), (22, "etm"), (41, "psk")) if number in extensions}
        if 8 in kinds and 42 in extensions:
            found.add("early data")
        if from_client and 15 in kinds:
            found.add("client certificate")
        if 13 in kinds and finished >= 2:
            found.add("certificate request later")
        if 16 in kinds:
            found.add("full")
        if 25 in kinds:
            found.add("compressed certificate")
        if 24 in kinds:
            found.add("key update by client" if from_client else "key update by server")
        finished += kinds.count(20)
    if version < 13 and finished and "full" not in found:
        found.add("resumed")
    if version < 13 and finished > 2:
        found.add("renegotiated")
    return found


def bytes_of(rows, from_client):
    mine = [r for r in rows if (int(r["tcp.dstport"]) == recorder.SERVER_PORT) == from_client]
    return bytes.fromhex("".join(r["data.data"].replace(",", "").replace(":", "") for r in mine))


def wrong_with(run, at, connection, rows):
    """What is not as it must be in one connection of a run."""
    case, wrong = run.case, []
    last = at == len(run.connections) - 1
    for from_client, who in ((True, "client"), (False, "server")):
        mine = [r for r in rows if (int(r["tcp.dstport"]) == recorder.SERVER_PORT) == from_client]
        if not any(20 in numbers(r["tls.handshake.type"]) for r in mine):
            wrong.append(f"no Finished of the {who}")
        wanted = (run.asked if from_client else run.answered)[at]
        got = bytes_of(rows, from_client)
        if wanted is not None and from_client and last and case.early and (
                "early data" not in case.without or got.startswith(case.early)):
            wanted = case.early + wanted
        if wanted is not None and got != wanted:
            wrong.append(f"data of the {who}: {got[:60]!r} ({len(got)}) instead of {wanted[:60]!r} ({len(wanted)})")
        if wanted is None and not got:
            wrong.append(f"no data of the {who}")
        sent = len(connection.records(from_client))
        opened = sum(len(numbers(r["tls.record.content_type"])) for r in mine)
        # Early data that was refused may stay closed: its key is in no log.
        refused = 1 if from_client and last and case.early and "early data" in case.without else 0
        if case.version == 13 and not sent - refused <= opened <= sent:
            wrong.append(f"{opened} of the {who}'s {sent} records read")
    for row in rows:
        wrong += [f"shown as {text}" for text in UNREAD if text in row["_ws.col.Info"]]
    if case.group == "suites" or last:
        suites = [int(n, 0) for row in rows if 2 in numbers(row["tls.handshake.type"])
                  for n in row["tls.handshake.ciphersuite"].split(",")[-1:] if n]
        if case.code not in suites:
            wrong.append(f"suites {suites} instead of {case.code}")
    if last:
        found = traits_of(rows, case.version)
        wrong += [f"not {trait}" for trait in sorted(case.traits - found)] if case.traits - found else []
        wrong += [f"{trait} although switched off" for trait in sorted(case.without & found)]
    for field, text in ((f, row[f]) for row in rows for f in row if f.startswith("tlswire.")):
        if (field == VERDICT and text and not text.startswith("opened") and not (
                "early data" in case.without and "early" in text)):
            wrong.append(f"{field}: {text}")
        elif field.startswith("tlswire.verify.") and field not in NOT_CHECKS and "failed" in text:
            wrong.append(f"{field}: {text}")
    return wrong


def title(run):
    case = run.case
    about = f" {case.name}" if case.name else ""
    return (f"{case.group}{about}: {run.suite} {peers.VERSIONS[case.version]}, {case.client} → {case.server[0]}")


def optional_fields(tlswire):
    """The verdict and the results of verification, where the program has them."""
    glossary = subprocess.run([tlswire, "-G", "fields"], capture_output=True, text=True, check=False, timeout=60).stdout
    names = [line.split("\t")[2] for line in glossary.splitlines() if line.startswith("F\t")]
    return [n for n in names if n == VERDICT or re.fullmatch(r"tlswire\.verify\.\w+", n)]


def judge(tlswire, matrix, runs, folder, keep=None):
    """(ok, name, text) for every run; ok None: the stacks did not come to an exchange."""
    capture, keys = folder / "matrix.pcap", folder / "all.keylog"
    matrix.recorder.write(capture)
    keys.write_bytes(matrix.keys())
    keys.chmod(0o600)
    optional = optional_fields(tlswire)
    rows, done = reading(tlswire, capture, keys, (*FIELDS, *optional))
    if done.returncode:
        yield False, "reads the matrix's capture", done.stderr.decode("utf-8", "replace")
        return
    of_port = collections.defaultdict(list)
    for row in rows:
        of_port[max(int(row["tcp.srcport"]), int(row["tcp.dstport"]))].append(row)
    for run in runs:
        run.suite = matrix.place.names.get(run.case.code, f"0x{run.case.code:04x}")
        run.state = "skipped"
        if run.problem:
            yield None, title(run), run.problem
            continue
        wrong = [text for at, c in enumerate(run.connections) for text in wrong_with(run, at, c, of_port[c.port])]
        run.state = "failed" if wrong else "opened"
        if wrong and keep:
            keep.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^A-Za-z0-9.]+", "-", title(run))
            matrix.recorder.write(keep / f"{name}.pcap", run.connections)
            (keep / f"{name}.keys").write_bytes(keys.read_bytes())
            (keep / f"{name}.txt").write_text("\n".join(wrong) + "\n")
        yield not wrong, title(run), "\n".join(wrong)


def everything(tlswire, full=False, wanted=(), keep=None):
    """(results, the runs, the matrix's place)"""
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(folder, full)
        if not matrix.place.have:
            return [(None, "matrix", "; ".join(f"{s}: {why}" for s, why in matrix.place.missing))], [], matrix.place
        try:
            runs = matrix.run_all(wanted)
        finally:
            matrix.stop()
            peers.Talker.end_all()
        results = [(None, f"matrix with {stack}", why) for stack, why in matrix.place.missing]
        results += judge(str(tlswire), matrix, runs, pathlib.Path(folder), keep)
        return results, runs, matrix.place


def grouped(results):
    """The results, with one line for each reason why stacks did not come to an exchange."""
    reasons = collections.defaultdict(list)
    for ok, name, text in results:
        if ok is None and ": TLS_" in name:
            pair = name.rsplit(", ", 1)[1]
            why = re.findall(r"alert \w+ ?\w*|SSL_ERROR_\w+|Fatal error: [^.]*", text)
            reasons[pair, why[0] if why else "ends without a word"].append(name.rsplit(",", 1)[0])
        else:
            yield ok, name, text
    for (pair, why), names in reasons.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield None, f"{len(names)} of {pair}", f"the stacks do not come to an exchange ({why}): {shown}"


def table(runs):
    """The counts as Markdown."""
    lines = ["| what | TLS 1.0 | TLS 1.1 | TLS 1.2 | TLS 1.3 | between |", "|---|---:|---:|---:|---:|---|"]
    done = [run for run in runs if run.state == "opened"]
    for group in dict.fromkeys(run.case.group for run in done):
        mine = [run for run in done if run.case.group == group]
        pairs = collections.Counter(f"{run.case.client} → {run.case.server[0]}" for run in mine)
        counts = [sum(run.case.version == version for run in mine) or "" for version in peers.VERSIONS]
        about = f"{len({run.case.code for run in mine})} suites" if group == "suites" else group
        lines.append(f"| {about} | {' | '.join(map(str, counts))} | {', '.join(f'{p} {n}' for p, n in sorted(pairs.items()))} |")
    failed = sum(run.state == "failed" for run in runs)
    lines += ["", f"{sum(len(run.connections) for run in done)} connections in {len(done)} runs; "
              f"{failed or 'no'} exception{'' if failed == 1 else 's'}."]
    return "\n".join(lines)


BEGIN, END = "<!-- table: made by tests/matrix/matrix.py --full --write -->", "<!-- end of table -->"


def write(text):
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tlswire")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("groups", nargs="*")
    options = parser.parse_args()
    start = time.monotonic()
    results, runs, _ = everything(os.path.abspath(options.tlswire), options.full, options.groups, options.keep)
    for ok, name, text in grouped(results):
        if ok is not True:
            print("skipped" if ok is None else "FAILED", name, "\n   ", text[:700])
    print(table(runs))
    if options.write:
        write(table(runs))
    print(collections.Counter(getattr(run, "state", "") for run in runs), f"{time.monotonic() - start:.1f} s")
    return 1 if any(ok is False for ok, _, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
