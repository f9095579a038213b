"""-T jsonl holds what docs/jsonl.schema.json promises: on the golden captures, and the promise is no empty one."""
import copy
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"$schema", "title", "description", "$defs", "$ref", "type", "required", "oneOf", "additionalProperties", "properties",
         "items", "minimum", "pattern", "const"}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def object_faults(schema, value, root, where):
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", []):
        if key not in value:
            yield f"{where}: {key} is missing"
    for key, below in value.items():
        if key in properties:
            yield from faults(properties[key], below, root, f"{where}/{key}")
        elif others is False:
            yield f"{where}: {key} is not known"
        elif isinstance(others, dict):
            yield from faults(others, below, root, f"{where}/{key}")


def faults(schema, value, root, where=""):
    """What of VALUE is not as SCHEMA wants it: the part of JSON Schema 2020-12 that the schema uses."""
    if strange := set(schema) - KNOWN:
        yield f"the schema says {strange}, which this check does not know"
    if "$ref" in schema:
        yield from faults(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, root, where)
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        yield f"{where}: {value!r:.60} is no {' or '.join(names)}"
        return
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        yield f"{where}: {value!r:.60} is not {schema['const']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: {value} is below {schema['minimum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r:.60} does not match {schema['pattern']}"
    if "oneOf" in schema and sum(not any(faults(one, value, root, where)) for one in schema["oneOf"]) != 1:
        yield f"{where}: not exactly one of {schema['oneOf']}"
    if isinstance(value, dict):
        yield from object_faults(schema, value, root, where)
    elif isinstance(value, list) and "items" in schema:
        for index, below in enumerate(value):
            yield from faults(schema["items"], below, root, f"{where}/{index}")


def all_items(items):
    for item in items:
        yield item
        yield from all_items(item.get("items", []))


def places(packet):
    """What of the places in a packet lies outside of its source, or before it."""
    for item in all_items(packet["layers"]):
        if "offset" in item and item.get("source", 0) >= len(packet["sources"]):
            yield f"{item['field']}: there is no source {item['source']}"


def broken(line):
    """(what was done, the line) for changes that the schema must refuse."""
    for what, change in (
            ("a key more", lambda p: p.update(surplus=1)),
            ("no frame", lambda p: p.pop("frame")),
            ("a frame that is text", lambda p: p.update(frame="1")),
            ("a length below zero", lambda p: p.update(length=-1)),
            ("a flag for a number", lambda p: p.update(captured=True)),
            ("a time of another form", lambda p: p.update(time="Nov 23, 2026")),
            ("fields besides layers", lambda p: p.update(fields={})),
            ("neither fields nor layers", lambda p: p.pop("layers")),
            ("an item without a name", lambda p: p["layers"][0]["items"][0].pop("field")),
            ("an item with value and label", lambda p: p["layers"][0].update(value=1)),
            ("a value that is a list", lambda p: p["layers"][0]["items"][0].update(value=[1])),
            ("an item that is not generated", lambda p: p["layers"][0].update(generated=False)),
            ("bytes that are none", lambda p: p["sources"][0].update(bytes="0x1"))):
        packet = copy.deepcopy(line)
        change(packet)
        yield what, packet


def lines_of(tlswire, capture, *more):
    done = subprocess.run([tlswire, "-n", "-r", capture, "-T", "jsonl", *more], capture_output=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, TZ="UTC"))
    return done.returncode, [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


ASKED = ["frame.number", "tls.handshake.type", "tcp.flags.syn", "ip.src", "frame.time", "tcp.time_delta", "tls", "_ws.col.Info"]


def everything(tlswire):
    """(ok, name, text) of each test."""
    schema = json.loads((ROOT / "docs/jsonl.schema.json").read_text(encoding="utf-8"))
    for capture in sorted((ROOT / "tests/golden").glob("*.pcap*")):
        for more in ([], ["-x"], ["-j", "tcp tls"], [part for field in ASKED for part in ("-e", field)]):
            status, lines = lines_of(tlswire, capture, *more)
            found = [f"line {number}{fault}" for number, line in enumerate(lines, 1) for fault in faults(schema, line, schema)]
            found += [fault for line in lines if "layers" in line for fault in places(line)]
            yield status == 0 and lines and not found, f"{capture.name} {' '.join(more)[:40]} fits the schema", "\n".join(found[:10])
    _, lines = lines_of(tlswire, ROOT / "tests/golden/lab_tls13.pcapng", "-x")
    for what, packet in broken(lines[3]):
        yield any(faults(schema, packet, schema)), f"the schema refuses {what}", "it took it"
    hello = {item["field"]: item for item in all_items(lines[3]["layers"])}
    want = {"tls.handshake.type": {"field": "tls.handshake.type", "value": 1, "name": "Client Hello", "offset": 71, "length": 1},
            "tcp.flags.syn": {"field": "tcp.flags.syn", "value": False, "offset": 47, "length": 1}}
    for field, item in want.items():
        yield hello.get(field) == item, f"the item {field}", f"want {item}\ngot  {hello.get(field)}"
    _, lines = lines_of(tlswire, ROOT / "tests/golden/lab_tls13.pcapng", "-Y", "frame.number==4",
                        *[part for field in ASKED for part in ("-e", field)])
    fields = {"frame.number": [4], "tls.handshake.type": [1], "tcp.flags.syn": [False], "ip.src": ["127.0.0.1"],
              "frame.time": ["2026-11-23T18:33:44.740223208Z"], "tcp.time_delta": [0.00317015], "tls": [True],
              "_ws.col.Info": ["Client Hello"]}
    yield lines[0]["fields"] == fields, "-e gives typed values", f"want {fields}\ngot  {lines[0]['fields']}"
