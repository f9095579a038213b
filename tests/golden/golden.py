"""The golden cases and the golden lines: what they are and how one is run."""
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import agree  # noqa: E402
import seed  # noqa: E402


def cases():
    """(name, [arguments]) in order."""
    for line in (HERE / "cases").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, capture, arguments = (part.strip() for part in line.split("|", 2))
            yield name, ["-n", "-r", capture, *shlex.split(arguments)]


def expected(name):
    return HERE / "expected" / f"{name}.txt"


def run(program, arguments, environment):
    done = subprocess.run([*program, *arguments], cwd=HERE, capture_output=True, stdin=subprocess.DEVNULL,
                          env=environment, timeout=60, check=False)
    return agree.plain(done.stdout), done.stderr.decode("utf-8", "replace").strip(), done.returncode


# --- golden lines: one extension each ---------------------------------------------------------------------

def lines():
    """(line number, message, hex of the extension, [expected lines])"""
    for number, line in enumerate((HERE / "extensions.tsv").read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            message, body, *want = line.split("\t")
            yield number, message, bytes.fromhex(body), want[0].split(" | ") if want else []


def hello(kind, extension):
    """A ClientHello (CH), ServerHello (SH), or HelloRetryRequest (HRR) with this extension alone."""
    random = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c") if kind == "HRR" else bytes(range(32))
    body = seed.Bytes().number(2, 0x0303) + random + b"\0"
    if kind == "CH":
        body = seed.Bytes(body).counted(2, b"\x13\x01").counted(1, b"\0").counted(2, extension)
        return seed.record(22, seed.message(1, body), 0x0301)
    body = seed.Bytes(body + b"\x13\x01\0").counted(2, extension)
    return seed.record(22, seed.message(2, body))


def line_capture(path):
    """One packet for each golden line, each of a connection of its own."""
    packets = []
    for at, (_, kind, extension, _) in enumerate(lines()):
        ends = (10000 + at, 443) if kind == "CH" else (443, 10000 + at)
        data = seed.packet(*ends, 1, 1, seed.PSH | seed.ACK, 512, b"", hello(kind, extension))
        packets.append(((1700000000 + at, 0), data))
    seed.write_pcap(path, packets)


def extension_texts(tree):
    """From -V output, for each frame the lines of its first extension, without indentation."""
    out = []
    for frame in tree.decode("utf-8", "replace").split("\nFrame ")[0:]:
        found, depth = [], None
        for line in frame.split("\n"):
            indent = len(line) - len(line.lstrip())
            if depth is None and line.lstrip().startswith("Extension: "):
                depth, found = indent, [line.strip()]
            elif depth is not None:
                if indent <= depth:
                    break
                found.append(line.strip())
        out.append(found)
    return out
