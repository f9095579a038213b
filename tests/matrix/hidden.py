"""Secrets stay where they belong: in no output that did not ask for them by name; key files are private."""
import os
import pathlib
import re
import stat
import subprocess

import peers

ROOT = peers.ROOT
LIMIT = 60
FORMATS = ([], ["-V"], ["-x"], ["-T", "json"], ["-T", "jsonl"], ["-T", "pdml"], ["-T", "ek"], ["-T", "psml"], ["-T", "jsonraw"],
           ["-q", "-z", "tls,sessions"], ["-q", "-z", "tls,sessions,json"], ["-q", "-z", "expert"], ["-q", "-z", "follow,tls,hex,0"],
           ["-o", "tlswire.dissect_more:TRUE", "-V"], ["-T", "json", "-x"])


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False,
                          **more)


def secrets_of(path):
    """Every secret of a key log: hexadecimal, not the randoms, which are public."""
    return re.findall(r"^\w+ [0-9a-fA-F]+ ([0-9a-fA-F]{64,})\s*$", pathlib.Path(path).read_text(), re.M)


def leaks(output, secrets):
    """Those of which 16 bytes in a row are in OUTPUT, as hexadecimal of any style, raw, or in base64."""
    packed = re.sub(rb"[\s:,]|\\x|0x", b"", output).lower()
    found = []
    for secret in secrets:
        raw = bytes.fromhex(secret)
        if secret[:32].lower().encode() in packed or secret[-32:].lower().encode() in packed or raw[:16] in output:
            found.append(secret[:12] + "…")
    return found


def judged(name, done, secrets, statuses=(0,)):
    found = leaks(done.stdout + done.stderr, secrets)
    said = bool(done.stdout or done.stderr)
    return (not found and said and done.returncode in statuses, f"no secret in {name}",
            f"status {done.returncode}, secrets {found}\n{done.stderr.decode('utf-8', 'replace')[:300]}")


def private(path):
    mode = stat.S_IMODE(os.stat(path).st_mode)
    return mode == 0o600, f"{pathlib.Path(path).name} is private", f"mode {mode:o}"


def everything(tlswire, folder):
    folder = pathlib.Path(folder)
    environment = {**os.environ, "TZ": "UTC", "NO_COLOR": "1"}
    environment.pop("SSLKEYLOGFILE", None)
    old = os.umask(0)  # the mode is the program's doing, not the umask's
    try:
        lab = {}
        for version in ("-tls1_2", "-tls1_3"):
            lab[version] = run(tlswire, "lab", version, "-port", "0", "-dir", folder / version[1:], env=environment)
    finally:
        os.umask(old)
    for version, done in lab.items():
        place = folder / version[1:]
        yield private(place / "keys.log")
        yield private(place / "lab.pcapng")
        secrets = secrets_of(place / "keys.log")
        yield len(secrets) >= 1, f"the key log of lab {version} holds secrets", str(secrets)
        # The check itself has to see what it looks for, in each form.
        raw = bytes.fromhex(secrets[0])
        forms = (secrets[0].encode(), raw, b":".join(b"%02x" % b for b in raw), b" ".join(b"%02X" % b for b in raw))
        yield all(leaks(b"x" + form + b"x", secrets) for form in forms), "a leak would be seen", ""
        yield judged(f"lab {version}", done, secrets)
        for words in FORMATS:
            done = run(tlswire, "-n", "-r", place / "lab.pcapng", *words, env=environment)
            yield judged(f"{' '.join(words) or 'the summary'} {version}", done, secrets)
        yield from broken(tlswire, place, secrets, environment)
    yield from endpoints(tlswire, folder, environment)


def broken(tlswire, place, secrets, environment):
    """Key logs that are wrong: the messages that name what is wrong must not quote it."""
    lines = (place / "keys.log").read_text().splitlines()
    for name, text in {
        "a cut line": "\n".join(line[:-3] for line in lines),
        "an unknown label": "\n".join("WRONG_" + line for line in lines if not line.startswith("#")),
        "no label": "\n".join(line.split(" ", 1)[-1] for line in lines),
        "other randoms": "\n".join(re.sub(r"^(\w+) [0-9a-fA-F]{8}", r"\1 00000000", line) for line in lines),
        "wrong secrets": "\n".join(line[:-2] + ("00" if line[-2:] != "00" else "11") for line in lines),
    }.items():
        log = place / "broken.log"
        log.write_text(text + "\n")
        stripped = place / "stripped.pcapng"
        if not stripped.exists():
            run(tlswire, "keys", "strip", place / "lab.pcapng", "-w", stripped, env=environment)
        capture = stripped if stripped.exists() else place / "lab.pcapng"
        done = run(tlswire, "-n", "-r", capture, "-o", f"tls.keylog_file:{log}", "-V", env=environment)
        yield judged(f"messages on a key log with {name}", done, secrets, (0, 1, 2))
    done = run(tlswire, "-n", "-r", place / "keys.log", env=environment)
    yield judged("the message on a key log taken for a capture", done, secrets, (0, 1, 2))


def endpoints(tlswire, folder, environment):
    """serve and connect with key logs of their own."""
    old = os.umask(0)
    try:
        server = subprocess.Popen([tlswire, "serve", "-port", "0", "-www", "-keylogfile", folder / "serve.keys"], text=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        try:
            first = server.stderr.readline()
            port = re.search(rb"127\.0\.0\.1:(\d+)", first).group(1).decode()
            client = run(tlswire, "connect", f"localhost:{port}", "-keylogfile", folder / "connect.keys", env=environment)
        finally:
            server.terminate()
            rest = server.stderr.read()
            server.wait(LIMIT)
            server.stderr.close()
    finally:
        os.umask(old)
    for name in ("serve.keys", "connect.keys"):
        yield private(folder / name)
    secrets = secrets_of(folder / "serve.keys")
    yield len(secrets) >= 1, "serve logs secrets", ""
    found = leaks(first + rest + client.stdout + client.stderr, secrets)
    yield not found and bool(first), "no secret in what serve and connect say", f"{found} {rest[:200]!r} {client.stderr[:200]!r}"


def main():
    import sys
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        for ok, name, text in everything(os.path.abspath(sys.argv[1]), folder):
            print("ok" if ok else "FAILED", name, "" if ok else text)


if __name__ == "__main__":
    main()
