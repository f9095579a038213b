"""The foreign TLS stacks of the matrix: OpenSSL, GnuTLS and NSS as servers and clients, with a key log each."""
import csv
import ctypes
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 12  # seconds that one exchange may take
PSK = "0123456789abcdef0123456789abcdef"
VERSIONS = {10: "TLS 1.0", 11: "TLS 1.1", 12: "TLS 1.2", 13: "TLS 1.3"}
CERTIFICATES = {
    "rsa": ("rsa", "rsa_keygen_bits:2048"), "ec": ("ec", "ec_paramgen_curve:P-256"), "p384": ("ec", "ec_paramgen_curve:P-384"),
    "p521": ("ec", "ec_paramgen_curve:P-521"), "ed25519": ("ed25519", None), "ed448": ("ed448", None),
    "pss": ("rsa-pss", "rsa_keygen_bits:2048"),
}
CONFIGURATION = """openssl_conf = init
[init]
providers = providers
ssl_conf = tls
[providers]
default = on
legacy = on
[on]
activate = 1
[tls]
system_default = all
server = certificates
[all]
CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0
Ciphersuites = TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256
MinProtocol = TLSv1
{more}
[certificates]
RSA.Certificate = rsa.crt
RSA.PrivateKey = rsa.key
EC.Certificate = ec.crt
EC.PrivateKey = ec.key
DSA.Certificate = dsa.crt
DSA.PrivateKey = dsa.key
"""
# What gnutls-cli's priority string can name; SIGN-ALL leaves out what is weak.
GNUTLS_REST = ("+SIGN-ALL:+SIGN-RSA-SHA1:+SIGN-DSA-SHA1:+SIGN-DSA-SHA256:+SIGN-ECDSA-SHA1:+GROUP-ALL:+COMP-NULL:+CTYPE-ALL:"
               "%VERIFY_ALLOW_BROKEN")
GNUTLS_ALL = ("NONE:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+CIPHER-ALL:+ARCFOUR-128:+3DES-CBC:+CAMELLIA-128-CBC:"
              "+CAMELLIA-256-CBC:+CAMELLIA-128-GCM:+CAMELLIA-256-GCM:+NULL:+MAC-ALL:+MD5:+SHA384:+KX-ALL:+RSA:+DHE-DSS:"
              "+DHE-RSA:+ANON-DH:+ANON-ECDH:+PSK:+DHE-PSK:+ECDHE-PSK:+RSA-PSK:+SRP:+SRP-RSA:+SRP-DSS:" + GNUTLS_REST)
GNUTLS_13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+PSK:+DHE-PSK:+ECDHE-PSK:+AES-128-CCM:+AES-128-CCM-8:+GROUP-ALL"
GNUTLS_CIPHERS = {"ARCFOUR_128": "ARCFOUR-128", "3DES_EDE_CBC": "3DES-CBC", "NULL": "NULL"}


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False, **more)


class Place:
    """A folder with certificates, databases and configurations for every stack."""

    def __init__(self, folder):
        self.folder, self.programs, self.missing = pathlib.Path(folder), {}, []
        self.names = {}
        with open(ROOT / "data" / "iana" / "cipher_suites.csv", encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for code, name in zip(row, row[1:]):
                    if re.fullmatch(r"0x[0-9a-fA-F]{4}", code) and re.fullmatch(r"[A-Z0-9_a-z]+", name):
                        self.names[int(code, 16)] = name
        (self.folder / "openssl.cnf").write_text(CONFIGURATION.format(more=""))
        (self.folder / "openssl-no-ems.cnf").write_text(CONFIGURATION.format(more="Options = -ExtendedMasterSecret"))
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                            "OPENSSL_CONF": str(self.folder / "openssl.cnf"), "GNUTLS_SYSTEM_PRIORITY_FILE": "/nonexistent"}
        for stack, programs in {"OpenSSL": ["openssl"], "GnuTLS": ["gnutls-serv", "gnutls-cli", "srptool"],
                                "NSS": ["selfserv", "tstclnt", "certutil", "pk12util"]}.items():
            lacking = [p for p in programs if not shutil.which(p)]
            if lacking:
                self.missing.append((stack, f"{' '.join(lacking)} not installed"))
        self.have = [s for s in ("OpenSSL", "GnuTLS", "NSS") if s not in dict(self.missing)]
        if "OpenSSL" in self.have:
            self.certificates()
        if "GnuTLS" in self.have:
            self.passwords()
        if "NSS" in self.have:
            self.database()
        self.suites = {"OpenSSL": self.openssl_suites, "GnuTLS": self.gnutls_suites, "NSS": self.nss_suites}
        self.suites = {stack: self.suites[stack]() for stack in self.have}

    def run(self, *arguments, **more):
        return run(*arguments, cwd=self.folder, env=self.environment, **more)

    def certificates(self):
        for name, (kind, option) in CERTIFICATES.items():
            self.run("openssl", "genpkey", "-algorithm", kind, *(["-pkeyopt", option] if option else []), "-out", f"{name}.key")
        self.run("openssl", "dsaparam", "-out", "dsa.parameters", "1024")
        self.run("openssl", "gendsa", "-out", "dsa.key", "dsa.parameters")
        for name in (*CERTIFICATES, "dsa"):
            self.run("openssl", "req", "-x509", "-new", "-key", f"{name}.key", "-out", f"{name}.crt", "-days", "30", "-subj",
                     f"/CN=localhost/OU={name}", "-addext", "subjectAltName=DNS:localhost")

    def passwords(self):
        (self.folder / "psk.passwords").write_text(f"user:{PSK}\n")
        self.run("srptool", "--create-conf", "srp.conf")
        subprocess.run(["srptool", "--passwd", "srp.passwords", "--passwd-conf", "srp.conf", "-u", "user"], input=b"secret\n",
                       cwd=self.folder, env=self.environment, capture_output=True, check=False, timeout=60)

    def database(self):
        (self.folder / "nss").mkdir()
        self.run("certutil", "-N", "-d", "sql:nss", "--empty-password")
        for name in ("rsa", "ec", "dsa"):
            self.run("openssl", "pkcs12", "-export", "-in", f"{name}.crt", "-inkey", f"{name}.key", "-out", f"{name}.p12",
                     "-passout", "pass:x", "-name", name)
            self.run("pk12util", "-i", f"{name}.p12", "-d", "sql:nss", "-W", "x", "-K", "")

    # code → (the stack's own name, lowest version)

    def openssl_suites(self):
        lowest = {"SSLv3": 10, "TLSv1": 10, "TLSv1.2": 12, "TLSv1.3": 13}
        found = {}
        for line in self.run("openssl", "ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").stdout.splitlines():
            code, _, name, version = line.split()[:4]
            found[int(code.replace(",0x", ""), 16)] = (name, lowest[version])
        return found

    def gnutls_suites(self):
        lines = re.findall(r"^(TLS_\S+)\s+0x(..), 0x(..)\s+TLS1\.(\d)", self.run("gnutls-cli", "-l").stdout, re.M)
        return {int(a + b, 16): (name, 10 + int(minor)) for name, a, b, minor in lines if "GOST" not in name}

    def nss_suites(self):
        try:
            library = ctypes.CDLL("libssl3.so")
        except OSError:
            return {}
        library.SSL_GetImplementedCiphers.restype = ctypes.POINTER(ctypes.c_uint16)
        codes = library.SSL_GetImplementedCiphers()
        found = {}
        for code in (codes[i] for i in range(library.SSL_GetNumImplementedCiphers())):
            name = self.names.get(code, "")
            new = name.endswith(("_SHA256", "_SHA384")) or "CHACHA" in name
            found[code] = (f":{code:04X}", 13 if code >> 8 == 0x13 else 12 if new else 10)
        return found

    def supports(self, stack, code, version):
        _, lowest = self.suites.get(stack, {}).get(code, (None, 99))
        return lowest == 13 if version == 13 else lowest <= version


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    """Asked of the kernel: a connection to try would be one of the server's connections."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            with open(table, encoding="ascii") as file:
                if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in file):
                    return True
    return False


class Talker:
    """A program whose output is read all the time and whose input is ours."""

    started = []  # all processes, for end_all()

    @classmethod
    def end_all(cls):
        """Nothing may be left running, whatever went wrong."""
        for process in cls.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        cls.started.clear()

    def __init__(self, place, arguments, environment):
        self.process = subprocess.Popen([str(a) for a in arguments], cwd=place.folder, env={**place.environment, **environment},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.started.append(self.process)
        self.output, self.seen = bytearray(), 0

    def write(self, data):
        try:
            self.process.stdin.write(data)
        except OSError:
            pass

    def wait_for(self, wanted, limit=LIMIT):
        """Whether WANTED came, after what was waited for before."""
        until = time.monotonic() + limit
        while True:
            at = self.output.find(wanted, self.seen)
            if at >= 0:
                self.seen = at + len(wanted)
                return True
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return False
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return False
            self.output += data

    def drain(self):
        while select.select([self.process.stdout], [], [], 0)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            self.output += data

    def finish(self, patience=2.0):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        until = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < until:
            if select.select([self.process.stdout], [], [], 0.02)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                self.output += data
                if not data:
                    break
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Server:
    """STACK's server with OPTIONS; KIND says what it does with what it gets: reverse, echo, http, or as told."""

    def __init__(self, place, stack, options=(), kind=None, environment=None):
        self.place, self.stack, self.lock, self.port = place, stack, threading.Lock(), free_port()
        self.keys = place.folder / f"server-{self.port}.keys"
        self.kind = kind or {"OpenSSL": "reverse", "GnuTLS": "echo", "NSS": "http"}[stack]
        environment = dict(environment or {})
        if stack == "OpenSSL":
            given = list(options)
            if "-cert" not in given:
                given += ["-ssl_config", "server", "-cert", "rsa.crt", "-key", "rsa.key"]
            arguments = ["openssl", "s_server", "-accept", self.port, "-keylogfile", self.keys, *given]
            arguments += ["-rev"] if self.kind == "reverse" else []
        elif stack == "GnuTLS":
            environment["SSLKEYLOGFILE"] = str(self.keys)
            given = list(options)
            if "--priority" not in given:
                given += ["--priority", GNUTLS_ALL]
            arguments = ["gnutls-serv", "-p", self.port, "--echo", "--pskpasswd", "psk.passwords", "--srppasswd",
                         "srp.passwords", "--srppasswdconf", "srp.conf", *given]
            for name in ("rsa", "ec", "dsa"):
                arguments += ["--x509keyfile", f"{name}.key", "--x509certfile", f"{name}.crt"]
        else:
            environment["SSLKEYLOGFILE"] = str(self.keys)
            codes = "".join(name for name, _ in place.suites["NSS"].values())
            arguments = ["selfserv", "-d", "sql:nss", "-n", "rsa", "-e", "ec", "-S", "dsa", "-p", self.port, "-V",
                         "tls1.0:tls1.3", "-H", "1", "-W", "1", "-c", codes, *options]
        self.talker = Talker(place, arguments, environment)
        until = time.monotonic() + LIMIT
        while not listening(self.port):
            if time.monotonic() > until or self.talker.process.poll() is not None:
                self.talker.drain()
                raise RuntimeError(f"{stack} server does not start: {bytes(self.talker.output[-300:])!r}")
            time.sleep(0.01)

    def answer(self, line):
        """What comes back for LINE (with its end of line)."""
        return {"reverse": line[:-1][::-1] + b"\n", "echo": line, "http": b""}[self.kind]

    def stop(self):
        self.talker.process.kill()
        self.talker.process.wait()
        for pipe in (self.talker.process.stdin, self.talker.process.stdout):
            pipe.close()


def gnutls_priority(name, version, flags=""):
    """The priority string that allows exactly the suite that GnuTLS calls NAME."""
    exchange = next(k for k in ("SRP_SHA_RSA", "SRP_SHA_DSS", "SRP_SHA", "ECDHE_ECDSA", "ECDHE_RSA", "ECDHE_PSK", "ECDH_ANON",
                                "DHE_DSS", "DHE_RSA", "DHE_PSK", "DH_ANON", "RSA_PSK", "PSK", "RSA", "")
                    if name.startswith(f"TLS_{k}"))
    rest = name[len(f"TLS_{exchange}"):].strip("_")
    kx = {"DH_ANON": "ANON-DH", "ECDH_ANON": "ANON-ECDH", "SRP_SHA": "SRP", "SRP_SHA_RSA": "SRP-RSA",
          "SRP_SHA_DSS": "SRP-DSS"}.get(exchange, exchange.replace("_", "-"))
    aead = any(word in rest for word in ("GCM", "CCM", "CHACHA"))
    if aead:
        cipher, mac = re.sub(r"_SHA(256|384)$", "", rest), "AEAD"
    else:
        cipher, mac = rest.rsplit("_", 1)
    cipher = GNUTLS_CIPHERS.get(cipher, cipher).replace("_", "-")
    if version == 13:
        return f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}{flags}"
    return f"NONE:+VERS-TLS1.{version - 10}:+{cipher}:+{mac}:+{kx}:{GNUTLS_REST}{flags}"


def client_arguments(place, stack, code, version, port, options=(), flags=""):
    """The command of STACK's client that offers just this suite in just this version; FLAGS: of a priority string."""
    name = place.suites[stack][code][0]
    if stack == "OpenSSL":
        suite = ["-ciphersuites", name] if version == 13 else ["-cipher", f"{name}:@SECLEVEL=0"]
        secret = ["-psk", PSK, "-psk_identity", "user"] if "PSK" in name else []
        secret += ["-srpuser", "user", "-srppass", "pass:secret"] if name.startswith("SRP") else []
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                {10: "-tls1", 11: "-tls1_1", 12: "-tls1_2", 13: "-tls1_3"}[version], *suite, *secret, *options]
    if stack == "GnuTLS":
        secret = ["--pskusername", "user", "--pskkey", PSK] if "PSK" in name else []
        secret += ["--srpusername", "user", "--srppasswd", "secret"] if "SRP" in name else []
        return ["gnutls-cli", "127.0.0.1", "-p", port, "--insecure", "--sni-hostname", "localhost", "--priority",
                gnutls_priority(name, version, flags), *secret, *options]
    return ["tstclnt", "-h", "127.0.0.1", "-p", port, "-a", "localhost", "-o", "-d", "sql:nss", "-V",
            f"tls1.{version - 10}:tls1.{version - 10}", "-c", name, *options]
