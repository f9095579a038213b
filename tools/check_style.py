#!/usr/bin/env python3
"""What the compiler and clang-format do not say about our sources.

  tools/check_style.py [ROOT]     exit 1 when a rule is broken; warnings alone exit 0

Rules     banned functions; packet bytes read by other means than base/slice.h in the rooms that see untrusted
          bytes; marks of unfinished work; paths of somebody's machine; files over 800 lines
Warnings  files over 600 lines, functions over 100

A line that must break a rule says why: `/* style: REASON */` on the same line.
"""
import pathlib
import re
import sys

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|atoi|atol|strtok|rand|srand|system|setjmp|longjmp)\s*\(")
# Rooms in which every byte may come from an attacker.
SLICE_ROOMS = ("schema", "dissect", "stream", "filter", "print", "capture", "crypto")
# Keeps the window of a file in memory and looks at no byte of it.
RAW_EXEMPT = {"src/capture/source.c"}
RAW = [
    (re.compile(r"\b(ntohs|ntohl|htons|htonl|be16toh|be32toh)\s*\("), "byte order by hand: use slice_u16() and its like"),
    (re.compile(r"\b(memcpy|memmove)\s*\([^;]*\b(bytes|slice|window|payload|body)\s*(\.|->)\s*(p|data|ptr)\b"),
     "memcpy on packet bytes: use base/slice.h or base/buf.h"),
    (re.compile(r"\(\s*(const\s+)?struct\s+\w+\s*\*\s*\)\s*\w*(bytes|slice|window)"), "a struct laid over packet bytes"),
    (re.compile(r"\b(slice|bytes|window|payload|body)\.(p|data|ptr)\s*\+(?!\+)"), "pointer arithmetic on packet bytes"),
]
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
        if room in SLICE_ROOMS and str(where) not in RAW_EXEMPT:
            errors += [f"{where}:{number}: {why}" for pattern, why in RAW if pattern.search(line)]
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
