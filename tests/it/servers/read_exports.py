"""Reads exports of consign with programs and schemas that are not its own: `read_exports.py FORMAT FILE` ends with 0
where every line is what the format says, and tells on standard error which line is not, and why.

The packages stand in `requirements.txt` beside this file.
"""

import importlib
import json
import pkgutil
import sys
import types
import typing


def ocsf(lines):
    """The schema as ocsf-json-schema carries it, made a JSON Schema for each class.

    1.8.0 is the newest that it has. What 1.9 adds for us is the profile `record_integrity`: its one attribute is
    taken off before the rest is held against the schema (consign's own tests walk it from event to event).
    """
    from jsonschema import Draft202012Validator
    from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
    from ocsf_json_schema.loader import get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
    validators = {}
    before = None
    for event in map(json.loads, lines):
        (attestation,) = event.pop("attestation_list")
        assert attestation.get("prev_event", {}).get("fingerprint") == before, "the chain of attestations breaks"
        before = attestation["fingerprint"]
        event["metadata"]["profiles"].remove("record_integrity")
        kind, profiles = event["class_uid"], tuple(event["metadata"]["profiles"])
        if (kind, profiles) not in validators:
            name = schema.lookup_class_name_from_uid(kind)
            validators[kind, profiles] = Draft202012Validator(schema.get_class_schema(name, list(profiles)))
        for error in validators[kind, profiles].iter_errors(event):
            raise ValueError(f"{error.json_path}: {error.message}")
        yield


def openlineage(lines):
    """The classes that OpenLineage generates from its specification: a member that they do not know, lacks or is of
    another type is an error, and each facet must name the version that its class is of."""
    from openlineage.client import generated
    from openlineage.client.generated import base

    def resolve(kind):
        return typing.get_type_hints(kind, vars(sys.modules[kind.__module__]))

    def make(kind, value, at):
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            kind = next(one for one in typing.get_args(kind) if one is not type(None))
        if typing.get_origin(kind) is list:
            return [make(typing.get_args(kind)[0], one, f"{at}[{index}]") for index, one in enumerate(value)]
        if typing.get_origin(kind) is dict:
            inner = typing.get_args(kind)[1]
            return {name: facet(name, inner, one, f"{at}.{name}") for name, one in value.items()}
        if hasattr(kind, "__attrs_attrs__"):
            members = {one.name: one for one in kind.__attrs_attrs__}
            hints = resolve(kind)
            given = {}
            for name, one in value.items():
                assert name in members, f"{at}: {kind.__name__} has no {name}"
                made = make(hints[name], one, f"{at}.{name}")
                if members[name].init:
                    given[members[name].alias] = made
            made = kind(**given)
            for name in ("schemaURL", "_schemaURL"):
                assert name not in value or value[name] == kind._get_schema(), f"{at}: {value[name]} is of another version"
            return made
        if isinstance(kind, type):
            fits = isinstance(value, kind) if kind is not float else isinstance(value, (int, float))
            if issubclass(kind, base.EventType):
                return kind(value)
            assert fits and not (kind is int and isinstance(value, bool)), f"{at}: {value!r} is no {kind.__name__}"
        return value

    def facet(name, kind, value, at):
        """A facet is found by its name: `columnLineage` of a dataset is a ColumnLineageDatasetFacet."""
        if isinstance(kind, type) and kind.__name__.endswith("Facet"):
            wanted = f"{name}{kind.__name__}".lower()
            known = [one for one in kind.__subclasses__() if one.__name__.lower() == wanted]
            assert known, f"{at}: no facet of OpenLineage is called so"
            kind = known[0]
        return make(kind, value, at)

    for module in pkgutil.iter_modules(generated.__path__):
        importlib.import_module(f"{generated.__name__}.{module.name}")
    for event in map(json.loads, lines):
        kind = {"run": base.RunEvent, "job": base.JobEvent, "dataset": base.DatasetEvent}
        make(next(kind[name] for name in ("run", "job", "dataset") if name in event), event, "event")
        yield


def cef(lines):
    """The reader of `cefp` takes the line apart; the dictionary of ArcSight's keys, as `cefevent` has it, says of each
    key that is not our own whether it exists, of what type it is and how long it may be."""
    from cefevent import CEFEvent
    from cefp import CEFParser

    # It is in ArcSight's own table and was left out here.
    CEFEvent._extension_dictionary["outcome"] = {"full_name": "eventOutcome", "data_type": ["String"], "length": 63}
    for line in lines:
        read = CEFParser.parse(line)
        assert (read["version"], read["device"]["vendor"]) == ("0", "consign"), read
        assert 0 <= int(read["severity"]) <= 10 and read["device"]["event_class_id"] and read["name"], read
        dictionary = CEFEvent(strict=True)
        for key, value in read["extension"].items():
            if not key.startswith("consign"):
                dictionary.set_field(key, int(value) if value.isdecimal() else value)
        details = read["extension"].get("consignDetails")
        assert details is None or isinstance(json.loads(details), dict), details
        yield


def fhir(lines):
    """The classes that fhir.resources generates from HL7's own definitions of R4B, whose AuditEvent is R4's."""
    from fhir.resources.R4B.auditevent import AuditEvent

    for line in lines:
        AuditEvent.model_validate_json(line)
        yield


READERS = {"ocsf": ocsf, "openlineage": openlineage, "cef": cef, "fhir": fhir}


def main(form, path):
    # Only \n ends a line: texts may hold other ends of lines that Python knows.
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = file.read().split("\n")[:-1]
    read = 0
    try:
        for _ in READERS[form](lines):
            read += 1
    except Exception as error:  # Whatever a reader says, it could not read it.
        sys.exit(f"{form}, line {read + 1}: {type(error).__name__}: {error}\n{lines[read][:2000]}")
    if not read:
        sys.exit(f"{form}: nothing was exported")
    print(f"{read} of {form}")


if __name__ == "__main__":
    main(*sys.argv[1:])
