#!/usr/bin/env python3
"""Compares tlswire's output with tshark's, byte for byte.

usage: agree.py [--bin FILE] [--modes LIST] [--show N] [--keep FOLDER] [--] PATH... [: ARGUMENT...]

PATH is a capture or a folder of captures; the ARGUMENTs after a lone `:` go to both programs (such as
`-o tls.keylog_file:keys.log` or `-Y ssl`).  tshark runs with a profile of its own in which only the protocols
are enabled that tlswire claims, with names resolved by nobody (-n), in UTC, and with out-of-order TCP segments
put in order.  Modes: summary tree hex pdml fields (the default: all).

A capture whose name has a `.keys` file beside it (x.pcap, x.keys) is read with these keys.
Exit status: 0 all equal, 1 differences, 2 a program failed, 3 no tshark 4.0.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CLAIMED = {"frame", "eth", "ethertype", "sll", "sllv2", "null", "raw", "ip", "ipv6", "vlan", "mptcp", "tcp", "tls", "ber", "data",
           "x509af", "x509ce", "x509if", "x509sat", "pkcs-1", "pkix1explicit", "pkix1implicit", "pkixqualified", "ocsp",
           "ns_cert_exts", "logotypecertextn", "ieee8021ad", "llc", "pppoe", "pppoes", "ppp", "ppp_hdlc", "mpls", "gre", "udp",
           "vxlan", "geneve", "ah"}
CLAIMED_PREFIXES = ("ip.options", "ipv6.", "tcp.options", "_ws.", "fake-field")
FIELDS = """frame.number frame.time_epoch frame.time_relative frame.len frame.protocols eth.type ip.src ip.dst ip.id ip.ttl
    ip.checksum ip.flags ipv6.src ipv6.dst ipv6.hlim tcp.srcport tcp.dstport tcp.stream tcp.seq tcp.seq_raw tcp.nxtseq
    tcp.ack tcp.len tcp.hdr_len tcp.flags tcp.flags.str tcp.window_size_value tcp.window_size tcp.checksum
    tcp.options.mss_val tcp.options.timestamp.tsval tcp.completeness tcp.time_relative tcp.analysis.acks_frame
    tcp.analysis.ack_rtt tcp.analysis.initial_rtt tcp.analysis.bytes_in_flight tls.record.content_type tls.record.version
    tls.record.length tls.handshake.type tls.handshake.length tls.handshake.version tls.handshake.random
    tls.handshake.session_id tls.handshake.ciphersuite tls.handshake.extension.type tls.handshake.extensions_server_name
    tls.handshake.extensions_supported_group tls.handshake.extensions_alpn_str
    tls.handshake.extensions.supported_version tls.handshake.sig_hash_alg tls.handshake.extensions_key_share_group
    tls.handshake.ja3 tls.handshake.ja3_full tls.handshake.ja3s tls.handshake.certificate tls.handshake.server_point
    tls.handshake.sig tls.handshake.session_ticket tls.handshake.verify_data tls.alert_message.level
    tls.alert_message.desc tls.app_data x509af.serialNumber x509af.utcTime x509ce.dNSName x509sat.uTF8String""".split()
MODES = {
    "summary": [],
    "tree": ["-V"],
    "hex": ["-x"],
    "pdml": ["-T", "pdml"],
    "json": ["-T", "json", "-x"],
    "jsonraw": ["-T", "jsonraw", "--no-duplicate-keys"],
    "ek": ["-T", "ek", "-x", "-P", "-V"],
    "psml": ["-T", "psml"],
    "fields": ["-T", "fields", "-E", "header=y", *(part for field in FIELDS for part in ("-e", field))],
}
# Formats that show the same in another way: in the quick tests on these captures alone.
ONLY = {"jsonraw": ["pieces.pcap", "fragments.pcap"], "psml": ["seed_summary.pcap"],
        "ek": ["pieces.pcap", "layers.pcap", "fragments.pcap", "sums.pcap", "lab_tls12.pcapng"],
        "json": ["lab_tls13.pcapng", "pieces.pcap", "records.pcap", "ssl2.pcap", "layers.pcap", "extensions.pcap"]}
CAPTURES = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")
LIMIT = 300  # seconds


class Oracle:
    """tshark as these tests ask it.  FOLDER keeps its profile."""

    def __init__(self, folder=None):
        self.home = pathlib.Path(folder or tempfile.mkdtemp(prefix="tlswire-oracle-"))
        self.environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1",
                                WIRESHARK_CONFIG_DIR=str(self.home))

    @staticmethod
    def missing():
        """Why there is no oracle; None when there is."""
        if not shutil.which("tshark"):
            return "tshark is not installed"
        first = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
        return None if " 4.0." in first else f"the oracle is tshark 4.0, this is {first}"

    def profile(self):
        folder = self.home / "profiles" / "claimed"
        claimed = " ".join(sorted(CLAIMED) + sorted(CLAIMED_PREFIXES))
        of = folder / "made_of"  # a profile kept from before may be of another list
        if not of.exists() or of.read_text() != claimed:
            folder.mkdir(parents=True, exist_ok=True)
            rows = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, check=True,
                                  env=self.environment).stdout.splitlines()
            names = {row.split("\t")[2] for row in rows if row.count("\t") >= 2}
            off = sorted(n for n in names - CLAIMED if not n.startswith(CLAIMED_PREFIXES))
            (folder / "disabled_protos").write_text("\n".join(off) + "\n")
            of.write_text(claimed)

    def tshark(self, *arguments):
        self.profile()
        return self.run(["tshark", "-C", "claimed", "-o", "tcp.reassemble_out_of_order:TRUE"], arguments)

    def run(self, program, arguments):
        """(output, messages, status)"""
        done = subprocess.run([*program, *map(str, arguments)], capture_output=True, env=self.environment,
                              stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)
        return plain(done.stdout), done.stderr.decode("utf-8", "replace").strip(), done.returncode


def plain(output):
    """The output without what can never be equal: when a PDML file was made."""
    return re.sub(rb'(<(?:pdml|psml) [^>]*?creator=")[^"]*("[^>]*? time=")[^"]*(")', rb"\1\2\3", output, count=1)


def first_difference(want, got):
    """Line number and the two lines."""
    want_lines, got_lines = want.split(b"\n"), got.split(b"\n")
    for number, (a, b) in enumerate(zip(want_lines, got_lines), 1):
        if a != b:
            return number, a, b
    number = min(len(want_lines), len(got_lines))
    return number + 1, b"\n".join(want_lines[number:number + 1]), b"\n".join(got_lines[number:number + 1])


def describe(want, got):
    number, a, b = first_difference(want, got)
    return f"line {number}\n    want {a[:300].decode('utf-8', 'replace')}\n    got  {b[:300].decode('utf-8', 'replace')}"


def compare(oracle, tlswire, capture, mode, extra=()):
    """(equal, text about the first difference, the two outputs)"""
    arguments = ["-n", "-r", capture, *MODES[mode], *extra]
    want, _, want_status = oracle.tshark(*arguments)
    got, messages, status = oracle.run([tlswire], arguments)
    if want == got and status == want_status:
        return True, "", want, got
    if want != got:
        text = describe(want, got)
    else:
        text = f"exit status {status}, tshark's is {want_status}"
    return False, text + (f"\n    {messages[:300]}" if messages else ""), want, got


def captures_of(paths):
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.name.endswith(CAPTURES))
        else:
            yield path


def main():
    arguments, extra = sys.argv[1:], []
    if ":" in arguments:
        at = arguments.index(":")
        arguments, extra = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/tlswire")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--show", type=int, default=20, help="how many differences to show")
    parser.add_argument("--keep", type=pathlib.Path, help="write differing outputs there")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args(arguments)
    if reason := Oracle.missing():
        print(reason, file=sys.stderr)
        return 3
    oracle, shown, failed = Oracle("build/oracle" if pathlib.Path("build").is_dir() else None), 0, 0
    tally = {mode: [0, 0] for mode in options.modes.split(",")}
    for capture in captures_of(options.paths):
        keys = capture.with_suffix(".keys")
        more = [*extra, *(["-o", f"tls.keylog_file:{keys}"] if keys.exists() else [])]
        for mode, counts in tally.items():
            try:
                equal, text, want, got = compare(oracle, options.bin, capture, mode, more)
            except (OSError, subprocess.TimeoutExpired) as problem:
                print(f"{capture} {mode}: {problem}")
                return 2
            counts[0] += equal
            counts[1] += 1
            failed += not equal
            if not equal and shown < options.show:
                shown += 1
                print(f"{capture} {mode}: {text}")
            if not equal and options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{capture.name}.{mode}.want").write_bytes(want)
                (options.keep / f"{capture.name}.{mode}.got").write_bytes(got)
    for mode, (equal, total) in tally.items():
        print(f"{mode:8} {equal} of {total} captures equal to the byte")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
