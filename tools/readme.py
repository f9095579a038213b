#!/usr/bin/env python3
"""Fills the two parts of README.md that come from this machine, between their marks.

  tools/readme.py screen     what `tlswire lab` prints, from a run of build/tlswire
  tools/readme.py versions   the versions of the installed packages (dpkg)

Look at `git diff README.md` afterwards.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
LIBRARIES = {"OpenSSL (libssl, libcrypto)": "libssl3", "libpcap": "libpcap0.8", "libuv": "libuv1", "zlib": "zlib1g",
             "zstd": "libzstd1", "lz4": "liblz4-1", "brotli": "libbrotli1", "jansson": "libjansson4", "PCRE2": "libpcre2-8-0",
             "xxHash": "libxxhash0", "libseccomp": "libseccomp2", "nghttp2": "libnghttp2-14"}
TOOLS = {"gcc": "gcc-12", "meson": "meson", "ninja": "ninja-build", "scdoc": "scdoc", "clang, clang-format, clang-tidy": "clang-14",
         "tshark": "tshark", "openssl": "openssl", "curl": "curl", "GnuTLS (gnutls-bin)": "gnutls-bin",
         "tcpdump": "tcpdump", "ssldump": "ssldump", "Python": "python3"}


def version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"readme: {package} is not installed")
    return done.stdout


def versions():
    rows = ["On Debian 12, with these versions:", "", "| library | | for tests and building only | |", "|---|---|---|---|"]
    left, right = list(LIBRARIES.items()), list(TOOLS.items())
    for at in range(max(len(left), len(right))):
        cells = []
        for column in (left, right):
            cells += [column[at][0], version(column[at][1])] if at < len(column) else ["", ""]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def screen():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([ROOT / "build" / "tlswire", "lab"], cwd=folder, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"})
        if done.returncode:
            sys.exit(f"readme: lab failed: {done.stderr}")
        return "```console\n$ tlswire lab\n" + done.stdout.replace(folder + "/", "") + "```"


def main():
    parts = {"screen": screen, "versions": versions}
    text = README.read_text(encoding="utf-8")
    for name in sys.argv[1:] or ["versions"]:
        if name not in parts:
            sys.exit(__doc__)
        made = parts[name]()
        text, count = re.subn(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)",
                              lambda m: m.group(1) + made + "\n" + m.group(2), text, flags=re.S)
        if count != 1:
            sys.exit(f"readme: no marks for {name} in README.md")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
