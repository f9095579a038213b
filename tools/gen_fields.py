#!/usr/bin/env python3
"""Writes docs/fields.md, the manual of all fields, from what `tlswire -G manual` prints.

usage: tools/gen_fields.py [--check] [--bin PROGRAM]

--check: writes nothing; exit status 1 when the file is not what it should be.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "fields.md"
HEAD = """# Fields

Every field that tlswire knows: for `-e`, for display filters (`-Y`), and as they stand in `-T json` and its like. Names
are tshark's; those that begin with `tlswire.`, and others marked †, are tlswire's own, and its formats that are
tshark's show them with `-o tlswire.dissect_more:TRUE` only. `tlswire -G values` lists the names of numbers.

This page is made by [tools/gen_fields.py](../tools/gen_fields.py) from the tables in `src/schema`, which say the same to
the program.
"""
TYPES = {"FT_NONE": "mark", "FT_PROTOCOL": "protocol", "FT_BOOLEAN": "flag", "FT_ABSOLUTE_TIME": "time", "FT_RELATIVE_TIME": "span",
         "FT_STRING": "text", "FT_BYTES": "bytes", "FT_IPv4": "IPv4", "FT_IPv6": "IPv6", "FT_ETHER": "MAC", "FT_OID": "OID",
         "FT_FRAMENUM": "frame"}


def shown_type(name):
    number = re.fullmatch(r"FT_U?INT(\d+)", name)
    return TYPES.get(name) or (f"{number.group(1)} bits" if number else name)


def cell(text):
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def anchor(text):
    return re.sub(r"[^a-z0-9 _-]", "", text.lower()).replace(" ", "-")


def page(program):
    rows = [line.split("\t") for line in subprocess.run([program, "-G", "manual"], capture_output=True, text=True, encoding="utf-8",
                                                        check=True).stdout.splitlines()]
    protocols = {name: label for name, kind, _, label, *_ in rows if kind == "FT_PROTOCOL"}
    sections = collections.defaultdict(list)
    for row in rows:
        name, kind, protocol = row[:3]
        home = name if name in protocols else protocol if protocol in protocols else name.split(".")[0]
        sections[home].append(row)
    out = [HEAD, f"{len(rows)} fields in {len(sections)} groups: " + ", ".join(
        f"[{name}](#{anchor((name + ' ' + protocols.get(name, '')).strip())})" for name in sections) + ".\n"]
    for home, fields in sections.items():
        out.append(f"## {home} {protocols.get(home, '')}".rstrip() + "\n")
        out.append("| name | type | label | meaning | where |\n|---|---|---|---|---|")
        for name, kind, _, label, by, meaning, where in sorted(fields, key=lambda row: row[1] != "FT_PROTOCOL"):
            out.append(f"| `{name}`{' †' if by == 'tlswire' else ''} | {shown_type(kind)} | {cell(label)} | {cell(meaning)} | {cell(where)} |")
        out.append("")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--bin", default=ROOT / "build" / "tlswire")
    options = parser.parse_args()
    text = page(options.bin)
    if not options.check:
        MANUAL.write_text(text, encoding="utf-8")
    elif not MANUAL.exists() or MANUAL.read_text(encoding="utf-8") != text:
        sys.exit("docs/fields.md is not what tools/gen_fields.py writes: please run it")


if __name__ == "__main__":
    main()
