#!/usr/bin/env python3
"""Compares the display filters of tlswire with those of tshark: exit status, frames that match, error text.

  filters.py --bin CMD [--list FILE] [--show N] [--errors] CAPTURE...

For each capture and each filter, both programs run `-n -r CAPTURE -Y FILTER -T fields -e frame.number`.  A
filter agrees when the exit statuses are equal and, where that is 0, the frame numbers too.  With --errors the
message and the mark under the place must be equal as well (lines after them are tlswire's own advice).  FILE
has one filter a line; without it those of tests/golden/filters.txt are used, except tlswire's own.  TSHARK names another tshark, with arguments.
The figure is at the end; the status is 0 when all agree.
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys

LIST = pathlib.Path(__file__).resolve().parents[1] / "golden" / "filters.txt"


def kept(mark):
    """The filters of the golden list: '>' tshark's answers, '<' tlswire's own."""
    return [line[2:] for line in LIST.read_text(encoding="utf-8").split("\n") if line.startswith(mark + " ")]


FILTERS = "\n".join(kept(">")) + "\n"


def run(command, capture, text):
    environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    done = subprocess.run(command + ["-n", "-r", capture, "-Y", text, "-T", "fields", "-e", "frame.number"],
                          env=environment, capture_output=True, text=True, errors="replace", timeout=300)
    words = [line for line in done.stderr.split("\n") if line and not line.startswith(("Running as", " **"))]
    return done.returncode, done.stdout.split(), words


def message(lines):
    """All lines, without the program's name and tlswire's advice."""
    shown = [line.split(": ", 1)[-1] if at == 0 else line for at, line in enumerate(lines)]
    while shown and shown[-1].startswith(("did you mean", "tlswire reads")):
        shown.pop()
    return shown


def difference(want, got, errors):
    if want[0] != got[0]:
        return f"exit status {got[0]}, tshark's is {want[0]}; {' '.join(got[2][:1])}"
    if want[0] == 0 and want[1] != got[1]:
        missing = [n for n in want[1] if n not in got[1]]
        extra = [n for n in got[1] if n not in want[1]]
        return f"missing {' '.join(missing[:12]) or '-'}; too many {' '.join(extra[:12]) or '-'}"
    if want[0] != 0 and errors and message(want[2]) != message(got[2]):
        return f"says {message(got[2])}, tshark {message(want[2])}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, help="command to compare, e.g. build/tlswire")
    parser.add_argument("--list", help="file with one filter a line, # for remarks")
    parser.add_argument("--show", type=int, default=20, help="differences shown (20)")
    parser.add_argument("--every", type=int, default=1, help="take each n-th filter of the list (1)")
    parser.add_argument("--errors", action="store_true", help="compare error messages too")
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    text = open(options.list, encoding="utf-8").read() if options.list else FILTERS
    filters = [line for line in text.split("\n") if line.strip() and not line.startswith("#")][:: options.every]
    tshark = shlex.split(os.environ.get("TSHARK", "tshark -o tcp.reassemble_out_of_order:TRUE"))
    agree = total = shown = 0
    for capture in options.captures:
        for one in filters:
            total += 1
            told = difference(run(tshark, capture, one), run(shlex.split(options.bin), capture, one),
                              options.errors)
            agree += told is None
            if told and shown < options.show:
                shown += 1
                print(f"{capture}: {one}\n    {told}")
    print(f"filters: {agree} of {total} agree")
    return 0 if agree == total else 1


if __name__ == "__main__":
    sys.exit(main())
