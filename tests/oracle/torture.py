#!/usr/bin/env python3
"""Runs the sanitized tlswire over captures, as they are and damaged, and looks for crashes, hangs and memory.

usage: torture.py [--bin TLSWIRE] [--seeds N] [--every N] PATH...

Each capture is read with all fields on, whole and in N copies whose packets' bytes were changed at random
(editcap -E 0.02 --seed).  A finding is a signal, a sanitizer's report, or a run of over 60 seconds.
Findings are kept in build/findings.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURE = re.compile(r"\.(pcap|pcapng|cap|ntar)(\.gz|\.zst|\.lz4)?$")
LIMIT = 60
VIEWS = [["-V"], ["-T", "json"]]
ENVIRONMENT = dict(os.environ, TZ="UTC", ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1",
                   UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")


def captures(paths):
    for path in map(pathlib.Path, paths):
        yield from sorted(p for p in path.rglob("*") if CAPTURE.search(p.name)) if path.is_dir() else [path]


def run(program, capture, view):
    """What went wrong, or None."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([program, "-n", "-r", str(capture), *view], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors, env=ENVIRONMENT)
        try:
            child.wait(LIMIT)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return f"no end after {LIMIT} s"
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
    if child.returncode < 0 or "Sanitizer" in text or "runtime error" in text:
        return f"status {child.returncode}\n{text[-3000:]}"
    return None


def torture(job):
    program, capture, seed = job
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        given = capture
        if seed:
            given = pathlib.Path(folder) / "damaged.pcapng"
            done = subprocess.run(["editcap", "-E", "0.02", "--seed", str(seed), str(capture), str(given)],
                                  capture_output=True, check=False)
            if done.returncode or not given.exists():
                return job, None
        for view in VIEWS:
            finding = run(program, given, view)
            if finding:
                findings.append(f"{' '.join(view)}: {finding}")
                kept = ROOT / "build" / "findings"
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(given, kept / f"torture-{capture.name}-{seed}")
    return job, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build" / "fuzz" / "tlswire"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    jobs = [(options.bin, capture, seed) for capture in list(captures(options.paths))[::options.every]
            for seed in range(options.seeds + 1)]
    count = bad = unreadable = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (_, capture, seed), findings in pool.map(torture, jobs):
            count += 1
            unreadable += findings is None
            for finding in findings or []:
                bad += 1
                print(f"FAILED {capture} seed {seed}: {finding}", flush=True)
    print(f"{count} inputs, {unreadable} that editcap could not read, {bad} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
