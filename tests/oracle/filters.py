#!/usr/bin/env python3
"""Compares the display filters of tlswire with those of tshark: exit status, frames that match, error text.

  filters.py --bin CMD [--list FILE] [--show N] [--errors] CAPTURE...

For each capture and each filter, both programs run `-n -r CAPTURE -Y FILTER -T fields -e frame.number`.  A
filter agrees when the exit statuses are equal and, where that is 0, the frame numbers too.  With --errors the
message and the mark under the place must be equal as well (lines after them are tlswire's own advice).  FILE
has one filter a line; without it the list below is used.  TSHARK names another tshark, with arguments.
The figure is at the end; the status is 0 when all agree.
"""
import argparse, os, shlex, subprocess, sys

FILTERS = r'''
tls
ssl
.tls
tcp
!tcp
not tls
not not tls
tls and tcp
tls or tcp and ipv6
(tls or ipv6) and tcp
tls && !(tls.record.content_type == 23)
tcp.port == 443
tcp.port==443
tcp.port != 443
any tcp.port != 443
all tcp.port > 1000
all tcp.port in {443}
tcp.port === 443
tcp.port !== 443
tcp.port ~= 443
tcp.port any_eq 443
tcp.port all_ne 443
tcp.port in {443, 4433, 8443}
tcp.port in {400..500}
tcp.port in {400 .. 500, 8443}
tcp.port not in {443}
not tcp.port in {443}
tcp.port in {tcp.srcport}
tcp.port == 0x1bb
tcp.port == 0673
tcp.port == -1
tcp.srcport == tcp.port == 443
tcp.srcport == tcp.dstport
tcp.srcport < tcp.dstport
tcp.srcport - tcp.dstport > 0
abs(tcp.srcport - tcp.dstport) > 1000
max(tcp.srcport, tcp.dstport) > 50000
min(tcp.port) == 443
max(tcp.port, 50000) == 50000
tcp.flags & 0x02
tcp.flags & 0x12 == 0x12
{tcp.flags & 0x12} == 0x12
tcp.flags bitwise_and 2
tcp.flags & 2 + 1
tcp.flags.syn == 1 and not tcp.flags.ack == 1
tcp.flags.syn == True
tcp.flags.syn == "Set"
tcp.flags.syn != TRUE
tcp.flags.syn == 2
tcp.len > 0
tcp.len * 2 > 1000
tcp.len + 1 * 2 == 2
{tcp.len + 1} * 2 == 2
tcp.len - 1 < 0
tcp.len - 1 == -1
-tcp.len < 0
tcp.len % 3 == 1
tcp.len / 0 == 1
tcp.len > -1
tcp.len in {0..100}
tcp.stream eq 0
frame.number >= 3 && frame.number <= 9
frame.number in {1..3, 5}
frame.number & 1
frame.len > 500
frame.time_relative < 0.01
frame.time_relative in {0 .. 0.01}
frame.time_relative + 1 > 1
frame.time_delta >= 0.000001
frame.time > "2020-01-01 00:00:00"
frame.time > 2020-01-01
frame.time > "2020-01-01T00:00:00Z"
frame.time > "Jan 1, 2020 00:00:00"
frame.time_epoch > 1577836800
frame.protocols contains "tls"
frame.protocols matches "TLS$"
frame.protocols ~ r"tls$"
frame.protocols > "eth:ethertype:ip:tcp"
frame.protocols[0:3] == "eth"
upper(frame.protocols) contains "TLS"
upper(frame.protocols)[0:3] == "ETH"
len(frame.protocols) > 20
frame contains 16:03:01
frame contains "http"
frame[12:2] == 08:00
frame[-2:] contains 00
frame[0:200] contains 00
eth contains 16:03:01
ip contains 16:03:03
tcp contains 17:03:03
tcp[13] & 2
tcp[12:2] & 2
len(tcp) == 32
tls contains 16:03
tls[0] == 16
tls[0] == 0x17
tls[0:3,1] == 16:03:01:03
tls[9000]
tls matches "\x16\x03"
len(tls) > 1000
ip.addr == 127.0.0.0/8
ip.addr != 127.0.0.0/8
ip.src == 127.0.0.1
ip.src > 100.0.0.0
ip.src[0] == 7f
ip.src & 255.0.0.0
ip.src == ip.dst
ip.src in {10.0.0.0 .. 10.255.255.255}
string(ip.src) matches "^1"
string(tcp.srcport) contains "44"
ip#1
ip#2
ip.src#[-1] == 127.0.0.1
ipv6.addr == ::1
ipv6.addr == fe80::/10
eth.src == 00:00:00:00:00:00
eth.src[0:3] == 00:00:00
eth.src contains 00:00
eth.src == 0000.0000.0000
tcp.payload[0:2] == 16:03
tcp.payload[0] in {16}
tcp.payload[-1] > 80
tcp.payload > 16
tls.handshake
tls.handshake.type == 1
tls.handshake.type == "Client Hello"
tls.handshake.type in {1, 2, 11}
tls.handshake.type != 1
tls.handshake.type > "Client Hello"
tls.handshake.ciphersuite == TLS_AES_256_GCM_SHA384
tls.handshake.ciphersuite in {0x1301..0x1303}
count(tls.handshake.ciphersuite) > 10
count(tls.record) > 1
max(tls.record.length) > 500
tls.record.length - tls.handshake.length == 4
all tls.record.length >= tls.handshake.length
tls.record.version == tls.handshake.version
tls.handshake.version == "TLS 1.2"
tls.handshake.extension.type == "supported_versions"
tls.handshake.extensions_server_name matches "\\.com$"
lower(tls.handshake.extensions_server_name) contains "example"
tls.handshake.random[0:2] > 80:00
tls.handshake.random[40] != 00
tls.handshake.certificate[0:2] == 30:82
x509ce.dNSName matches "^\\*\\."
x509af.algorithm.id == 1.2.840.113549.1.1.11
x509af.serialNumber[0] == 08
_ws.expert.severity == "Warning"
tls.bogus == 1
tls.bogus
.bogus
tcp.port ==
== 1
tcp.port == abc
tcp.port == "abc"
tcp.port == 99999
tcp.port = 443
tcp.port 443
tcp.port in {}
tcp.port in 443
tcp.port in {443,}
(tcp
tcp)
&& tcp
tls xor tcp
@tcp.port == 1
1 == 1
"abc"
"abc
ip.addr == 300.1.1.1
ip.addr == 10.0.0.0/33
ip.addr contains 1
eth.src == 00:00
tcp.port matches "4"
frame.protocols matches "("
frame.protocols matches x
frame.protocols == "\q"
foo(tcp.port)
len(tcp.port)
count() == 1
upper(tcp.port) == "x"
string(tls) == "a"
abs(frame.protocols) == 5
tcp.port[0] == 1
tcp.payload[0:0] == 1
tcp.payload[] == 1
tcp.payload[0:2 == 1
tcp.payload == zz
tls.handshake == 1
tls.handshake.type == "Bogus"
tls.handshake.type == 300
tls[0:2] == 0x1603
tcp.flags.syn == yes
tcp.flags.syn + 1 == 2
frame.time == "bogus"
frame.time_relative == abc
frame.number == ip.src
1 + tcp.len == 1
ip.src + 1 == 127.0.0.2
(tcp.len + 1) * 2 == 2
all tcp.port
x509af.algorithm.id == bogus
'''


def run(command, capture, text):
    environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    done = subprocess.run(command + ["-n", "-r", capture, "-Y", text, "-T", "fields", "-e", "frame.number"],
                          env=environment, capture_output=True, text=True, errors="replace", timeout=300)
    words = [line for line in done.stderr.split("\n") if line and not line.startswith(("Running as", " **"))]
    return done.returncode, done.stdout.split(), words


def message(lines):
    """The first line without the program's name, and the two that show the place."""
    shown = [line.rstrip() for line in lines[:3]]
    if shown and ": " in shown[0]:
        shown[0] = shown[0].split(": ", 1)[1]
    place = len(shown) == 3 and shown[2].lstrip().startswith("^")
    return shown if place else shown[:1]


def difference(want, got, errors):
    if want[0] != got[0]:
        return f"exit status {got[0]}, tshark's is {want[0]}; {' '.join(got[2][:1])}"
    if want[0] == 0 and want[1] != got[1]:
        missing = [n for n in want[1] if n not in got[1]]
        extra = [n for n in got[1] if n not in want[1]]
        return f"missing {' '.join(missing[:12]) or '-'}; too many {' '.join(extra[:12]) or '-'}"
    if want[0] != 0 and errors and message(want[2]) != message(got[2]):
        return f"says {message(got[2])}, tshark {message(want[2])}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, help="command to compare, e.g. build/tlswire")
    parser.add_argument("--list", help="file with one filter a line, # for remarks")
    parser.add_argument("--show", type=int, default=20, help="differences shown (20)")
    parser.add_argument("--errors", action="store_true", help="compare error messages too")
    parser.add_argument("captures", nargs="+")
    options = parser.parse_args()
    text = open(options.list, encoding="utf-8").read() if options.list else FILTERS
    filters = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    tshark = shlex.split(os.environ.get("TSHARK", "tshark -o tcp.reassemble_out_of_order:TRUE"))
    agree = total = shown = 0
    for capture in options.captures:
        for one in filters:
            total += 1
            told = difference(run(tshark, capture, one), run(shlex.split(options.bin), capture, one),
                              options.errors)
            agree += told is None
            if told and shown < options.show:
                shown += 1
                print(f"{capture}: {one}\n    {told}")
    print(f"filters: {agree} of {total} agree")
    return 0 if agree == total else 1


if __name__ == "__main__":
    sys.exit(main())
