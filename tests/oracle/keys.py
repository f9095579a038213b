#!/usr/bin/env python3
"""What tlswire opens of captures that have keys, beside what is known to be in them.

usage: keys.py --bin TLSWIRE CORPUS     CORPUS/keys.tsv: capture, key, options, frames with decrypted data, first bytes

Prints a line for each row that has fewer frames with decrypted data than listed, or other first bytes; then the sums.
"""
import argparse
import pathlib
import shlex
import subprocess
import sys


def unescape(text):
    return text.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")


def opened(binary, corpus, row):
    """(frames with decrypted application data, the first bytes of it, what was said)"""
    key = corpus / row[1]
    options = [] if row[2].startswith("(none") else shlex.split(row[2].replace("{key}", str(key)))
    done = subprocess.run([binary, "-n", "-r", corpus / row[0], *options, "-Y", "tls && data.data", "-T", "fields", "-E",
                           "occurrence=f", "-e", "data.data"], capture_output=True, check=False, timeout=300)
    lines = done.stdout.split()
    return len(lines), bytes.fromhex(lines[0].decode()) if lines else b"", done.stderr.decode(errors="replace").strip()


def has_tls(binary, capture):
    """Whether there is TLS over TCP at all: the others are DTLS and QUIC."""
    done = subprocess.run([binary, "-n", "-r", capture, "-Y", "tls", "-c", "100000"], capture_output=True, check=False, timeout=300)
    return bool(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/tlswire")
    parser.add_argument("corpus", type=pathlib.Path)
    arguments = parser.parse_args()
    rows = apart = fewer = other = more = frames = wanted = 0
    for line in (arguments.corpus / "keys.tsv").read_text().splitlines():
        row = line.split("\t")
        if len(row) < 5 or not row[3].isdigit():
            continue
        rows += 1
        count, first, said = opened(arguments.bin, arguments.corpus, row)
        listed, begin = int(row[3]), unescape(row[4])
        frames, wanted = frames + count, wanted + listed
        less, differs = count < listed, listed > 0 and first[:len(begin)] != begin[:len(first)]
        fewer, other, more = fewer + less, other + differs, more + (count > listed)
        if less and count == 0 and not has_tls(arguments.bin, arguments.corpus / row[0]):
            apart, fewer, other, wanted = apart + 1, fewer - 1, other - differs, wanted - listed
            continue
        if less or differs:
            print(f"{row[0]} {row[2]}: {count} frames of {listed}, {first[:24]!r} for {begin[:24]!r} {said[:200]}")
    print(f"{rows} rows, {apart} without TLS over TCP: {fewer} with fewer frames, {other} with other first bytes, {more} with more frames; "
          f"{frames} frames, listed {wanted}")
    return 1 if fewer or other else 0


if __name__ == "__main__":
    sys.exit(main())
