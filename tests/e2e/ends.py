"""What the tests of the two ends share: running programs, a server on a free port, certificates, TAP."""
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

TLSWIRE = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "tlswire"
TESTS = []
LIMIT = 60  # seconds; nothing here may take longer


def test(function):
    TESTS.append(function)
    return function


class Skip(Exception):
    pass


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(*arguments, text_in=None, limit=LIMIT, **more):
    if text_in is None:
        more.setdefault("stdin", subprocess.DEVNULL)
    else:
        more["input"] = text_in
    return subprocess.run([str(a) for a in arguments], capture_output=True, timeout=limit, check=False, **more)


def until(condition, what, limit=LIMIT):
    """Waits for something that another process does."""
    end = time.monotonic() + limit
    while not condition():
        check(time.monotonic() < end, f"not within {limit} s: {what}")
        time.sleep(0.02)


class Serve:
    """tlswire serve on a free port; its lines on stderr are in `lines`, its output in `out`."""

    def __init__(self, *options, **more):
        self.process = subprocess.Popen([TLSWIRE, "serve", "--port", "0", *[str(o) for o in options]],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **more)
        self.lines, self.out = [], []
        self.port = None
        while self.port is None:
            line = self.process.stderr.readline().decode("utf-8", "replace")
            if not line:
                raise AssertionError(f"no server: {self.lines} status {self.process.wait()}")
            self.lines.append(line)
            found = re.search(r"serving on (?:127\.0\.0\.1|\[::1\]):(\d+)", line)
            self.port = int(found.group(1)) if found else None
        self.readers = [threading.Thread(target=self.gather, args=(stream, lines)) for stream, lines in
                        ((self.process.stderr, self.lines), (self.process.stdout, self.out))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def gather(stream, lines):
        for line in stream:
            lines.append(line.decode("utf-8", "replace"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.status = self.process.wait(LIMIT)
        finally:
            self.process.kill()
            for reader in self.readers:
                reader.join()
            self.process.stderr.close()
            self.process.stdout.close()

    def text(self):
        return "".join(self.lines)

    def says(self, text):
        """Waits until the log has it."""
        until(lambda: text in self.text(), f"{text!r} in the log: {self.text()[-3000:]}", 20)


def insecure(**more):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in more.items():
        setattr(context, name, value)
    return context


class Peer:
    """A client that tells a clean end from a torn one."""

    def __init__(self, port, name="localhost", context=None, alpn=None, session=None, host="127.0.0.1"):
        context = context or insecure()
        if alpn:
            context.set_alpn_protocols(alpn)
        plain = socket.create_connection((host, port), timeout=LIMIT)
        self.tls = context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False, session=session)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, data):
        self.tls.sendall(data)

    def rest(self):
        pieces = []
        while piece := self.tls.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)

    def exchange(self, data, size):
        """Sends all of DATA while it reads SIZE bytes."""
        self.tls.setblocking(False)
        got, sent = bytearray(), 0
        end = time.monotonic() + LIMIT
        while len(got) < size or sent < len(data):
            check(time.monotonic() < end, f"{sent} bytes sent, {len(got)} read in {LIMIT} s")
            moved = False
            try:
                sent += self.tls.send(data[sent:sent + 16384]) if sent < len(data) else 0
                moved = True
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            try:
                piece = self.tls.recv(65536)
                check(piece, f"the end after {len(got)} of {size} bytes")
                got += piece
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if not moved or sent == len(data):
                    select.select([self.tls], [self.tls] if sent < len(data) else [], [], 1)
        self.tls.settimeout(LIMIT)
        return bytes(got)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.tls.recv(size - len(data))
            check(piece, f"the end after {len(data)} of {size} bytes")
            data += piece
        return data


def fetch(port, send=b"", **more):
    """All that the server says, to its close_notify."""
    with Peer(port, **more) as peer:
        if send:
            peer.send(send)
        return peer.rest()


def openssl(*arguments, text_in=None, **more):
    need("openssl")
    return run("openssl", *arguments, text_in=text_in, **more)


def s_client(port, *options, text_in=None, wait=True, **more):
    """What s_client says; it reads on until the server closes, unless told not to wait."""
    if wait:
        options = ["-ign_eof", *options]
    done = openssl("s_client", "-connect", f"127.0.0.1:{port}", *options, text_in=text_in, **more)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def certificate(name, algorithm="ec", subject="localhost", names="DNS:localhost,IP:127.0.0.1", ca=None, usage=None):
    """NAME.crt and NAME.key in the current folder, self-signed or by CA (a name made before)."""
    need("openssl")
    if os.path.exists(f"{name}.crt"):
        return
    kind = ["-newkey", "rsa:2048"] if algorithm == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    by = ["-CA", f"{ca}.crt", "-CAkey", f"{ca}.key"] if ca else []
    more = ["-addext", f"basicConstraints={usage}"] if usage else []
    done = run("openssl", "req", "-x509", *kind, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days",
               "9", "-subj", f"/CN={subject}", "-addext", f"subjectAltName={names}", *by, *more)
    check(done.returncode == 0, done.stderr.decode())
    os.chmod(f"{name}.key", 0o600)


def listed(words, exact):
    """The tests that the command line asks for: by name, or by a part of it."""
    return [t for t in TESTS if not words or t.__name__ in words or
            (not exact and any(word in t.__name__ for word in words))]


def attempt(function):
    """Runs a test in the present folder; what its line of TAP adds, or None after a failure."""
    try:
        function()
        return ""
    except Skip as reason:
        return f" # SKIP {reason}"
    except Exception as problem:  # pylint: disable=broad-except
        for line in f"{type(problem).__name__}: {problem}".splitlines():
            print(f"# {line}")
        return None


def title(function):
    return getattr(function, "title", function.__name__.replace("_", " "))


def main(own_folders=False, prepare=None):
    """OWN_FOLDERS: an empty folder for each test, and no local CA but what a test sets; else they share one.

    PREPARE is called first, in the folder that is made."""
    failed = 0
    tests = listed(sys.argv[2:], not own_folders)
    print(f"1..{len(tests)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        if not own_folders:
            os.environ["XDG_STATE_HOME"] = folder  # where the local CA is made
        if prepare:
            prepare()
        for number, function in enumerate(tests, 1):
            if own_folders:
                os.mkdir(f"{folder}/{number}", 0o755)
                os.chdir(f"{folder}/{number}")
            said = attempt(function)
            failed += said is None
            print(f"{'not ok' if said is None else 'ok'} {number} - {title(function)}{said or ''}", flush=True)
        os.chdir("/")
    return 1 if failed else 0
