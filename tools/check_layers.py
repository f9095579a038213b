#!/usr/bin/env python3
"""Holds the rooms of src/ to their order: a file includes only its own floor or lower ones.

  tools/check_layers.py [ROOT]     exit 1 and one line for each breach

Also: includes are written from src/ ("base/slice.h"), public headers include nothing of ours, and rooms
up to floor 3 (and print) know no file, socket, clock or standard stream: formatting a number or an
address into memory is all they may ask of the C library's impure headers.
"""
import pathlib
import re
import sys

FLOORS = {"base": 0, "schema": 1, "dissect": 2, "stream": 3, "crypto": 3, "filter": 3,
          "print": 4, "stats": 4, "capture": 4, "endpoint": 4, "engine": 5, "lib": 5, "cli": 6}
PURE = {"base", "schema", "dissect", "stream", "crypto", "filter", "print", "stats"}
IMPURE_HEADERS = re.compile(r"^(fcntl|unistd|poll|signal|pthread|uv|pcap(/.*)?|netdb|"
                            r"sys/(socket|stat|mman|time|wait|epoll))\.h$")
IMPURE_CALLS = re.compile(r"(?<![\w.>(])(?:(printf|fprintf|puts|putchar|fputs|fputc|fopen|fread|fwrite|fclose|open|close|"
                          r"read|write|time|clock|clock_gettime|gettimeofday|getenv|exit|abort|perror)\s*\(|"
                          r"(stdout|stderr|stdin)\b)")
CODE_ONLY = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def room_of(path, src):
    """The room of a file below src/, or of an include path such as "base/slice.h"."""
    parts = path.relative_to(src).parts if isinstance(path, pathlib.Path) else pathlib.PurePath(path).parts
    return parts[0] if len(parts) > 1 else pathlib.PurePath(parts[0]).stem


def check(root):
    src, breaches = root / "src", []
    for path in sorted([*src.rglob("*.[ch]"), *src.rglob("*.def")]):
        room = room_of(path, src)
        where = path.relative_to(root)
        if room not in FLOORS:
            breaches.append(f"{where}: room {room} has no floor in tools/check_layers.py")
            continue
        text = path.read_text(encoding="utf-8")
        if room in PURE and path.suffix == ".c":
            code = CODE_ONLY.sub(lambda m: "\n" * m.group(0).count("\n"), text)
            for number, line in enumerate(code.split("\n"), 1):
                if call := IMPURE_CALLS.search(line):
                    breaches.append(f"{where}:{number}: {room} must not use {call.group(1) or call.group(2)}")
        for style, name in INCLUDE.findall(text):
            if style == "<":
                if room in PURE and IMPURE_HEADERS.match(name):
                    breaches.append(f"{where}: {room} must not know <{name}>")
                continue
            if name.startswith("tlswire/"):
                if room not in ("lib", "cli"):
                    breaches.append(f"{where}: the public header is for src/lib.c and src/cli only")
                continue
            other = room_of(name, src)
            if not (src / name).is_file():
                breaches.append(f'{where}: "{name}" is not a path from src/')
            elif other not in FLOORS:
                breaches.append(f'{where}: "{name}" is in no known room')
            elif FLOORS[other] > FLOORS[room]:
                breaches.append(f"{where}: {room} (floor {FLOORS[room]}) includes {name} (floor {FLOORS[other]})")
    for path in sorted((root / "include").rglob("*.h")):
        for style, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if style == '"' and not name.startswith("tlswire/"):
                breaches.append(f'{path.relative_to(root)}: a public header includes "{name}"')
    return breaches


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if len(sys.argv) > 1 else root.parent.parent
    breaches = check(root)
    print("\n".join(breaches), end="\n" if breaches else "")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
