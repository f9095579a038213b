"""The commands that the documents show, and the options that they name, against the program."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import golden  # found by tests/run

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "man" / "tlswire.1.scd"
# Stands where ./dev is called: runs what is quick, and holds the rest to ./dev's own list.
DEV = """#!/bin/sh
case $1 in
lab) shift; exec tlswire lab "$@" ;;
*) sh '{dev}' help | grep -q "^  $1 " ;;
esac
"""
LIMIT = 60


def markdown():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def shell_blocks(path):
    """(line number, script): fenced `sh` blocks of Markdown, and all fenced blocks of the manual's examples."""
    text = path.read_text(encoding="utf-8")
    if path == MANUAL:
        start = text.index("\n# EXAMPLES")
        end = text.find("\n# ", start + 1)
        spans = [(start, end if end > 0 else len(text))]
        fence = r"^```\n(.*?)^```$"
    else:
        spans, fence = [(0, len(text))], r"^```sh\n(.*?)^```$"
    for start, end in spans:
        for match in re.finditer(fence, text[start:end], re.M | re.S):
            script = "\n".join(line.strip().removeprefix("$ ") for line in match.group(1).splitlines())
            yield text.count("\n", 0, start + match.start()) + 1, script


def run_script(script, folder, environment, limit=LIMIT):
    """Its status and output; what it started in the background is ended."""
    with tempfile.TemporaryFile() as output:  # a pipe would fill up while only the shell is waited for
        process = subprocess.Popen(["sh", "-eu", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = 124
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        process.wait()
        output.seek(0)
        return status, output.read().decode("utf-8", "replace")


def scratch(folder, tlswire):
    """A folder with a lab run's files and a ./dev; the environment in which `tlswire` is found."""
    (folder / "bin").mkdir(parents=True)
    os.symlink(tlswire, folder / "bin" / "tlswire")
    (folder / "dev").write_text(DEV.format(dev=ROOT / "dev"))
    os.chmod(folder / "dev", 0o755)
    (folder / "hello.bin").write_bytes(golden.hello("CH", bytes.fromhex("00170000")))
    environment = dict(os.environ, PATH=f"{folder / 'bin'}:{os.environ['PATH']}", TZ="UTC", NO_COLOR="1",
                       XDG_STATE_HOME=str(folder / "state"))
    for name in ("SSLKEYLOGFILE", "TLSWIRE"):
        environment.pop(name, None)
    subprocess.run([tlswire, "lab", "-port", "0", "-dir", folder / "tlswire-lab"], env=environment, check=False,
                   capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
    return environment


def may_capture(tlswire):
    done = subprocess.run([tlswire, "-i", "lo", "-a", "duration:0.1", "-q"], capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=LIMIT)
    return done.returncode == 0


def commands(tlswire, folder):
    """(ok, test, text); ok None means skipped."""
    environment = scratch(folder, tlswire)
    capturing = may_capture(tlswire)
    for path in [*markdown(), MANUAL]:
        for line, script in shell_blocks(path) if path.exists() else []:
            name = f"{path.relative_to(ROOT)}:{line}: {script.splitlines()[0] if script else ''}"
            if " -i " in script and not capturing:
                yield None, name, "capturing is not allowed here"
                continue
            endless = " -b " in script  # a ring of files goes on until it is stopped
            status, output = run_script(script, folder, environment, 2 if endless else LIMIT)
            yield status == 0 or (endless and status == 124), name, f"status {status}\n{output}"


def help_options(tlswire, *command):
    """The option words in the left column of a help text."""
    done = subprocess.run([tlswire, *command, "--help"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    words = set()
    for line in done.stdout.splitlines():
        if match := re.match(r"  (-[^ ]+(?:, --[^ ]+)?)", line):
            words.update(match.group(1).replace(",", "").split())
        elif match := re.match(r"  (-\w) .*, (--[\w-]+)$", line):
            words.update(match.groups())
    return words


def option_names(tlswire):
    """Every option of the program is in the manual, and completion offers it."""
    manual = MANUAL.read_text(encoding="utf-8").replace("\\", "")
    for command in ((), ("lab",), ("serve",), ("connect",)):
        options = help_options(tlswire, *command)
        yield len(options) > 10, f"{' '.join(('tlswire', *command))} --help names options", str(options)
        missing = sorted(o for o in options if not re.search(rf"(?<![\w-]){re.escape(o)}(?![\w-])", manual))
        yield not missing, f"{' '.join(('tlswire', *command))}: every option is in the manual", f"not there: {missing}"


def completed(tlswire, *words):
    """What bash offers for the last of WORDS."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; '
              '_tlswire; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", ROOT / "completion" / "tlswire.bash", tlswire, *words],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=LIMIT)
    return set(done.stdout.split()), done.stderr


def completion(tlswire):
    for words, wanted in ((("",), {"lab", "serve", "connect"}), (("l",), {"lab"}), (("-",), {"-r", "-Y", "-T", "--help"}),
                          (("lab", "-"), {"-client", "-view", "-tls1_3"}), (("lab", "-view", ""), {"ladder", "hex"}),
                          (("serve", "-break", "ex"), {"expired", "export"}), (("ca", ""), {"show", "path", "new"}),
                          (("-T", ""), {"text", "fields", "pdml"}), (("-e", "tcp.srcp"), {"tcp.srcport"})):
        offered, messages = completed(tlswire, *words)
        yield wanted <= offered and not messages, f"bash completes {' '.join(words) or 'nothing'}", f"{offered} {messages}"
    for shell, file in (("zsh", "_tlswire"), ("fish", "tlswire.fish")):
        if not shutil.which(shell):
            yield None, f"{shell} reads {file}", f"{shell} is not installed"
            continue
        done = subprocess.run([shell, "-n", ROOT / "completion" / file], capture_output=True, text=True, check=False)
        yield done.returncode == 0, f"{shell} reads {file}", done.stderr


def links():
    """Files that Markdown points at."""
    for path in markdown():
        text = path.read_text(encoding="utf-8")
        targets = re.findall(r"\]\(([^)#:]+)\)", text)
        bad = [t for t in targets if not (path.parent / t).exists()]
        yield not bad, f"{path.relative_to(ROOT)}: its links lead somewhere", f"not there: {bad}"


def screen():
    """The README shows a real screen of lab, of a size that fits."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- screen: [^\n]*-->\n```console\n(.*?)```\n<!-- end of screen -->", text, re.S)
    lines = found.group(1).splitlines() if found else []
    good = any("ClientHello" in line for line in lines) and len(lines) <= 40
    yield good, "README.md shows a screen of lab", f"{len(lines)} lines; make one with tools/readme.py screen"


def everything(tlswire, folder):
    yield from links()
    yield from screen()
    yield from option_names(tlswire)
    yield from completion(tlswire)
    yield from commands(tlswire, pathlib.Path(folder) / "scratch")
