#!/usr/bin/env python3
"""Writes what `--break NAME` can ask for, from src/endpoint/breakages.def and spoken.def, into
docs/breakages.md and into the manual, between two comments there.

  tools/gen_breakages.py           write them
  tools/gen_breakages.py --check   exit 1 when they are not what would be written
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r'^(HEADING|BREAKAGE|FAMILY)\("([^"]*)"(?:, "([^"]*)")?', re.M)
SPOKEN = re.compile(r'^SPOKEN\(\w+, "(\w+)"\)', re.M)
BEGIN, END = "; tools/gen_breakages.py writes what follows\n", "; … to here\n"


def table():
    """(heading, [(name, sentence)]) in order."""
    found = []
    for kind, first, second in ROW.findall((ROOT / "src/endpoint/breakages.def").read_text(encoding="utf-8")):
        if kind == "HEADING":
            found.append((first, []))
        else:
            found[-1][1].append((first + (":MESSAGE" if kind == "FAMILY" else ""), second))
    return found


def messages():
    return SPOKEN.findall((ROOT / "src/endpoint/spoken.def").read_text(encoding="utf-8"))


def markdown():
    lines = ["# Servers that misbehave on purpose", "",
             "`tlswire serve --break NAME` is a server that …, and `tlswire lab --break NAME` shows what it and a client make of",
             "it: the ladder, and both ends' errors. `--break list` prints this table. Certificates of all but `self-signed` and",
             "`untrusted-root` come from the local CA (`tlswire ca path`), so that nothing but what is broken on purpose is wrong.",
             "What OpenSSL cannot be made to do is done between it and the socket; protected messages are opened with the",
             "connection's own keys, changed, and protected anew, which is done with AES-GCM and ChaCha20-Poly1305 in TLS 1.2",
             "and 1.3. Options such as `-tls1_2`, `-cipher` and `-www` go with all of it where they do not contradict it.",
             "<!-- written by tools/gen_breakages.py -->"]
    for heading, rows in table():
        lines += ["", f"## {heading}", "", "| name | a server that … |", "|---|---|"]
        lines += [f"| `{name}` | {sentence} |" for name, sentence in rows]
    lines += ["", f"MESSAGE is one of: {', '.join(messages())}. One that is never sent is never broken.", ""]
    return "\n".join(lines)


def manual():
    lines = []
    for heading, rows in table():
        lines += [f"## {heading}", ""]
        for name, sentence in rows:
            head, _, tail = name.partition(":")
            lines += [f"*{head}*" + (f"*:*_{tail}_" if tail else ""), "\t" + sentence.replace("_", "\\_"), ""]
    lines += [f"_MESSAGE_ is one of {', '.join(messages())}.", ""]
    return "\n".join(lines)


def main():
    page = ROOT / "man/tlswire.1.scd"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    wanted = {ROOT / "docs/breakages.md": markdown(), page: before + BEGIN + "\n" + manual() + "\n" + END + after}
    if "--check" in sys.argv:
        old = [str(path.relative_to(ROOT)) for path, new in wanted.items()
               if not path.exists() or path.read_text(encoding="utf-8") != new]
        print("\n".join(f"{path}: run tools/gen_breakages.py" for path in old), end="\n" if old else "")
        return 1 if old else 0
    for path, new in wanted.items():
        path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
