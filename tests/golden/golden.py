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


# --- golden lines: one extension or one message each ------------------------------------------------------

LINES = {"extensions.tsv": [], "messages.tsv": [], "more.tsv": ["-o", "tlswire.dissect_more:TRUE"]}
TLS12, TLS13 = 0x0303, 0x0304


def lines(file="extensions.tsv"):
    """(line number, kind, its bytes, [expected lines])"""
    for number, line in enumerate((HERE / file).read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            kind, body, *want = line.split("\t")
            yield number, kind, bytes.fromhex(body), want[0].split(" | ") if want else []


def hello(kind, extension, suite=0x1301, version=TLS12):
    """A ClientHello (CH), ServerHello (SH), or HelloRetryRequest (HRR) with this extension alone."""
    random = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c") if kind == "HRR" else bytes(range(32))
    body = seed.Bytes().number(2, version) + random + b"\0"
    if kind == "CH":
        body = seed.Bytes(body).counted(2, b"\x13\x01").counted(1, b"\0").counted(2, extension)
        return seed.record(22, seed.message(1, body), 0x0301)
    if version >> 8 == 0x7F:  # a draft of TLS 1.3 up to the 21st
        return seed.record(22, seed.message(2, seed.Bytes(body[:-1]).number(2, suite).counted(2, extension)), 0x0301)
    body = seed.Bytes(body).number(2, suite).number(1, 0).counted(2, extension)
    return seed.record(22, seed.message(2, body), version)


# The other messages that carry extensions, after a ServerHello of TLS 1.3: type, and the body before them.
CARRIERS = {"EE": (8, b""), "CR": (13, b"\0"), "CT": (11, b"\0"), "NST": (4, bytes(8) + b"\0\0\1t")}


def flights(kind, body):
    """[(who, bytes)] of a connection whose last record is the line's."""
    if kind in ("CH", "SH", "HRR"):
        return [("client" if kind == "CH" else "server", hello(kind, body))]
    suite, version = 0x1301, TLS13
    if kind in CARRIERS:
        number, before = CARRIERS[kind]
        extensions = seed.Bytes().counted(2, body)
        if kind == "CT":
            extensions = seed.Bytes().counted(3, seed.Bytes().counted(3, seed.CERTIFICATE) + extensions)
        kind, body = "S", before + extensions
    else:  # S12@c02f/0303: sender, type, suite, version
        kind, _, rest = kind.partition("@")
        number, kind = int(kind[1:]), kind[0]
        suite, _, version = rest.partition("/")
        suite, version = int(suite or "c02f", 16), int(version or "0303", 16)
    supported = seed.extension(43, b"\x03\x04") if version == TLS13 else b""
    draft = version >> 8 == 0x7F
    record = seed.record(22, seed.message(number, body), 0x0301 if draft else min(version, TLS12))
    return [("server", hello("SH", supported, suite, version if draft else min(version, TLS12))), ("server" if kind == "S" else "client", record)]


def line_capture(path, file="extensions.tsv"):
    """A connection for each golden line of FILE.  Returns the number of the frame that holds it, for each."""
    packets, frames = [], []
    for at, (_, kind, body, _) in enumerate(lines(file)):
        sent = {"client": 1, "server": 1}
        for who, data in flights(kind, body):
            ends, other = ((10000 + at, 443), "server") if who == "client" else ((443, 10000 + at), "client")
            packet = seed.packet(*ends, sent[who], sent[other], seed.PSH | seed.ACK, 512, b"", data)
            sent[who] += len(data)
            packets.append(((1700000000 + len(packets), 0), packet))
        frames.append(len(packets))
    seed.write_pcap(path, packets)
    return frames


def line_texts(tree, frames, file="extensions.tsv"):
    """From -V output, for each of FRAMES the lines of its last extension or message, without indentation."""
    out, parts = [], tree.decode("utf-8", "replace").split("\nFrame ")
    for frame in frames:
        kinds = ("Handshake Protocol: ",) if file == "messages.tsv" else ("Extension: ", "Handshake Protocol: ")
        start = next((k for k in kinds if "\n" in parts[frame - 1] and f" {k}" in parts[frame - 1]), kinds[0])
        found, depth = [], None
        for line in parts[frame - 1].split("\n"):
            indent = len(line) - len(line.lstrip())
            if line.lstrip().startswith(start):
                depth, found = indent, [line.strip()]
            elif depth is not None:
                if indent <= depth:
                    depth = None
                else:
                    found.append(line.strip())
        out.append(found)
    return out
