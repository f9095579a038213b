"""Captures that the tests make themselves: `tlswire lab` runs, and what tshark says of their files."""
import os
import pathlib
import shutil
import struct
import subprocess

SECRETS_BLOCK = 10
S_CLIENT = "openssl s_client -connect localhost:{port} -CAfile {cert}"
# name: options of lab
RUNS = {
    "TLS 1.3, own client": ["-tls1_3"],
    "TLS 1.2, own client": ["-tls1_2"],
    "TLS 1.3, openssl s_client": ["-tls1_3", "-client", S_CLIENT],
    "TLS 1.2, openssl s_client": ["-tls1_2", "-client", S_CLIENT],
    "TLS 1.3, sockets' bytes": ["-tls1_3", "-no-capture", "-alpn", "h2,http/1.1", "-servername", "www.example.com"],
    "TLS 1.2, sockets' bytes": ["-tls1_2", "-no-capture", "-rsa", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"],
    "TLS 1.3, ChaCha20": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-rsa"],
}
# What the summary of a decrypted capture must name.
DECRYPTED = {"1.3": ["Encrypted Extensions", "Certificate Verify", "Finished", "New Session Ticket", "Close Notify"],
             "1.2": ["Server Key Exchange", "Finished", "New Session Ticket", "Close Notify"]}
UNWELL = "_ws.malformed or tcp.analysis.flags or tcp.checksum.status == 0 or ip.checksum.status == 0"


def without_secrets(path, to):
    """A copy of a little-endian pcapng without its Decryption Secrets Blocks; how many there were."""
    data, at, found, kept = path.read_bytes(), 0, 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == SECRETS_BLOCK:
            found += 1
        else:
            kept.append(data[at:at + length])
        at += length
    to.write_bytes(b"".join(kept))
    return found


def run(command, environment=None, limit=60):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, stdin=subprocess.DEVNULL,
                              env=environment, timeout=limit, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return 124, "", f"no end after {limit} s"


def lab(tlswire, folder, options, before=()):
    return run([*before, tlswire, "lab", "-port", "0", "-dir", folder, "-view", "summary", *options])


def decrypted(oracle, capture, version):
    """What is wrong with tshark's view of the file with the keys inside; "" when nothing is."""
    _, text, _ = run(["tshark", "-n", "-r", capture], oracle.environment)
    missing = [word for word in DECRYPTED[version] if word not in text]
    return f"tshark shows no {', '.join(missing)} in\n{text}" if missing else ""


def unwell(oracle, capture):
    """Packets that tshark finds fault with, checksums counted, and what it says on stderr."""
    status, text, messages = run(["tshark", "-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r",
                                  capture, "-Y", UNWELL], oracle.environment)
    messages = "\n".join(line for line in messages.splitlines() if "Running as user" not in line)
    return (text + messages).strip() if status == 0 else f"status {status} {messages}"


def one_run(name, options, tlswire, oracle, compare, modes, folder):
    """(ok, test, text) of one lab run and its file."""
    status, shown, messages = lab(tlswire, folder, options)
    yield status == 0 and "lab.pcapng" in messages, f"lab runs: {name}", f"status {status}\n{messages}{shown}"
    capture, keys, plain = folder / "lab.pcapng", folder / "keys.log", folder / "plain.pcapng"
    if status != 0 or not capture.exists():
        return
    yield without_secrets(capture, plain) == 1, f"{name}: the keys are in the file", ""
    yield keys.stat().st_mode & 0o777 == 0o600, f"{name}: keys.log is the user's alone", oct(keys.stat().st_mode)
    if oracle is None:
        return
    trouble = decrypted(oracle, capture, name[4:7])
    yield not trouble, f"{name}: tshark decrypts the file without options", trouble
    if "-no-capture" in options:
        trouble = unwell(oracle, capture)
        yield not trouble, f"{name}: tshark finds nothing wrong in the made packets", trouble
    for how, file, more in (("keys inside", capture, []), ("no keys", plain, []),
                            ("keys by option", plain, ["-o", f"tls.keylog_file:{keys}"])):
        for mode in modes:
            equal, text, _, _ = compare(oracle, str(tlswire), file, mode, more)
            yield equal, f"{name}, {how}: agrees on {mode}", text


def stripped():
    """Words before a command that take all privileges away; None when that cannot be done."""
    if os.getuid() != 0:
        return []
    if not shutil.which("setpriv"):
        return None
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]


def ordinary_user(tlswire, oracle, folder):
    """The same without privileges: (ok, test, text); ok None means skipped."""
    before = stripped()
    if before is None:
        yield None, "lab as an ordinary user", "setpriv is not there to drop root's privileges"
        return
    folder.mkdir()
    os.chmod(folder, 0o777)
    program = shutil.copy(tlswire, folder / "tlswire")  # the build folder may be out of that user's reach
    status, shown, messages = lab(program, folder / "run", [], before)
    yield status == 0, "lab as an ordinary user runs", f"status {status}\n{messages}{shown}"
    capture = folder / "run" / "lab.pcapng"
    if status != 0 or not capture.exists():
        return
    says = "captured on lo" in messages or "synthetic" in messages
    yield says, "lab as an ordinary user says how it captured", messages
    if oracle:
        trouble = unwell(oracle, capture)
        yield "synthetic" not in messages or not trouble, "tshark finds nothing wrong in the ordinary user's file", trouble
        trouble = decrypted(oracle, capture, "1.3")
        yield not trouble, "tshark decrypts the ordinary user's file", trouble


def everything(tlswire, oracle, compare, modes, folder, keep):
    """(ok, test, text) of all; the captures' paths are added to KEEP."""
    folder = pathlib.Path(folder)
    os.chmod(folder, 0o755)
    for number, (name, options) in enumerate(RUNS.items()):
        if "-client" in options and not shutil.which("openssl"):
            yield None, f"lab runs: {name}", "openssl is not installed"
            continue
        place = folder / str(number)
        yield from one_run(name, options, tlswire, oracle, compare, modes, place)
        if (place / "lab.pcapng").exists():
            keep.append(place / "lab.pcapng")
    yield from ordinary_user(tlswire, oracle, folder / "user")
