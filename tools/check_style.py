#!/usr/bin/env python3
"""What the compiler and clang-format do not say about our sources.

  tools/check_style.py [ROOT]     exit 1 when a rule is broken; warnings alone exit 0

Rules     banned functions; bytes from outside read by other means than base/slice.h (RAW_ALLOWED has the
          exceptions); marks of unfinished work; paths of somebody's machine; files over 800 lines
Warnings  files over 600 lines, functions over 100

A line that must break a rule says why: `/* style: REASON */` on the same line.
"""
import pathlib
import re
import sys

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|atoi|atol|strtok|rand|srand|system|setjmp|longjmp)\s*\(")
# Files, or rooms, that touch such bytes by other means than base/slice.h, and why that is in order.
RAW_ALLOWED = {
    "src/base/": "the reader itself",
    "src/capture/source.c": "moves the window of a file within its own memory and looks at no byte of it",
    "src/crypto/": "OpenSSL takes pointers; every length is tested before, and copies go to arrays of that size",
    "src/endpoint/link.c": "copies whole buffers of our own for libuv to send",
    "src/cli/recording.c": "entries that the program wrote itself, of one fixed size",
    "src/engine.c": "addresses of 4, 6 or 16 bytes, the length tested in the line above",
    "src/dissect/x509_facts.c": "a name cut to the array that it is copied to",
    "src/dissect/x509_names.c": "a name cut to the array that it is copied to",
    "src/print/hexdump.c": "shows each byte, by an index below the length",
    "src/print/text.c": "escapes each byte, by an index below the length",
}
# Output buffers of ours (struct buf), which have a member of the same name.
OWN = r"(?!(?:b|out|escaped|constants|text|names)\b)"
RAW = [
    (re.compile(r"\b(memcpy|memmove)\s*\(.*\b" + OWN + r"\w+(\(.*\))?\s*(\.|->)data\b"),
     "memcpy on bytes from outside: use base/slice.h or base/buf.h"),
    (re.compile(r"\b" + OWN + r"\w+(\.|->)data\s*(\[|\+(?!\+))"), "pointer arithmetic on bytes from outside: use base/slice.h"),
    (re.compile(r"\(\s*(const\s+)?struct\s+\w+\s*\*\s*\)\s*\w+(\.|->)data\b"), "a struct laid over bytes from outside"),
]
BYTE_ORDER = re.compile(r"\b(ntohs|ntohl|htons|htonl|be(16|32|64)toh|le(16|32|64)toh)\s*\(")
BYTE_ORDER_ROOMS = ("endpoint", "cli")  # addresses of the socket interface
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
FOREIGN = re.compile(r"(/(work|home|Users)/[A-Za-z0-9_.]|/tmp/[a-z0-9]+/)")
FUNCTION = re.compile(r"^(?!static const|static struct|const |struct |enum |union |typedef )[A-Za-z_][^;=]*\)\s*\n\{\n", re.M)
WARN_FILE, MAX_FILE, WARN_FUNCTION = 600, 800, 100
TEXT = {".c", ".h", ".def", ".py", ".sh", ".md", ".scd", ".build", ".txt", ".fish", ".bash", ""}


def without_comments(text):
    """The code with comments and literals blanked, line numbers kept."""
    def blank(match):
        body = match.group(0)
        if body[0] in "\"'":
            return body[0] + " " * (len(body) - 2) + body[-1]
        return re.sub(r"[^\n]", " ", body)
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def check_source(where, text, room):
    errors, warnings = [], []
    code, lines = without_comments(text), text.split("\n")
    generated = ".gen." in where.name or where.name == "registries.h"
    for number, line in enumerate(code.split("\n"), 1):
        if "/* style:" in lines[number - 1]:
            continue
        if banned := BANNED.search(line):
            errors.append(f"{where}:{number}: {banned.group(1)}() is banned")
        if where.parts[0] != "src":
            continue
        if not str(where).startswith(tuple(RAW_ALLOWED)):
            errors += [f"{where}:{number}: {why}" for pattern, why in RAW if pattern.search(line)]
        if room not in BYTE_ORDER_ROOMS and BYTE_ORDER.search(line):
            errors.append(f"{where}:{number}: byte order by hand: use slice_u16() and its like")
    count = text.count("\n")
    if not generated and where.suffix != ".def" and where.parts[0] == "src":
        if count > MAX_FILE:
            errors.append(f"{where}: {count} lines (at most {MAX_FILE})")
        elif count > WARN_FILE:
            warnings.append(f"{where}: {count} lines (aim at {WARN_FILE} or fewer)")
        for match in FUNCTION.finditer(code):
            end = code.find("\n}", match.end())
            length = code.count("\n", match.start(), end) + 1
            if length > WARN_FUNCTION:
                number = code.count("\n", 0, match.start()) + 1
                warnings.append(f"{where}:{number}: a function of {length} lines (aim at {WARN_FUNCTION} or fewer)")
    return errors, warnings


def check(root):
    errors, warnings = [], []
    skip = {"build", ".git", "data", "LICENSE"}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        where = path.relative_to(root)
        if where.parts[0] in skip or "__pycache__" in where.parts or path.suffix not in TEXT:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if where.name != "check_style.py":
            for number, line in enumerate(text.split("\n"), 1):
                if UNFINISHED.search(line):
                    errors.append(f"{where}:{number}: a mark of unfinished work: {line.strip()[:60]}")
                if FOREIGN.search(line):
                    errors.append(f"{where}:{number}: a path of one machine: {line.strip()[:60]}")
        if path.suffix in (".c", ".h", ".def"):
            room = where.parts[1] if where.parts[0] == "src" and len(where.parts) > 2 else ""
            more_errors, more_warnings = check_source(where, text, room)
            errors += more_errors
            warnings += more_warnings
    return errors, warnings


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    errors, warnings = check(root.resolve())
    for line in warnings:
        print(f"warning: {line}")
    for line in errors:
        print(line)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
