"""A FHIR server whose resources, bundles and answers are held against `fhir.resources`, and whose sign-in is that of
SMART backend services, with assertions verified by `joserfc`. What it knows is kept in memory.

The argument is the file of the client's JWK Set. The first line of the output is the port.
"""

import itertools
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from fhir.resources.R4B import get_fhir_model_class
from joserfc import jwt
from joserfc.jwk import KeySet

KEYS = KeySet.import_key_set(json.load(open(sys.argv[1])))
SEARCHABLE = {
    "Patient": {"_count", "_lastUpdated", "_id", "identifier", "birthdate", "name"},
    "Observation": {"_count", "_lastUpdated", "_id", "patient", "code", "date"},
}
SCOPE = "system/*.rs"

kept = {}  # (type, id): resource
used, tokens, pages, exports = set(), set(), {}, {}
numbers = itertools.count(1)


class Refused(Exception):
    def __init__(self, status, code, why):
        super().__init__(why)
        self.status, self.code, self.why = status, code, why

    def outcome(self):
        issue = {"severity": "error", "code": self.code, "diagnostics": self.why}
        return {"resourceType": "OperationOutcome", "issue": [issue]}


def valid(resource, kind):
    """The resource, if it is one of that kind."""
    if resource.get("resourceType") != kind:
        raise Refused(400, "structure", f"this is no {kind}")
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except Exception as wrong:
        first = wrong.errors()[0]
        raise Refused(422, "invalid", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return resource


def put(kind, name, resource):
    if kind not in SEARCHABLE:
        raise Refused(404, "not-supported", f"no {kind} here")
    valid(resource, kind)
    if resource.get("id") != name:
        raise Refused(400, "value", "the id is not that of the address")
    version = int(kept.get((kind, name), {}).get("meta", {}).get("versionId", 0)) + 1
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": now}
    kept[(kind, name)] = {**resource, "meta": meta}
    return 201 if version == 1 else 200


def entry(asked):
    """One entry of a batch: its answer."""
    try:
        kind, _, name = asked["request"]["url"].partition("/")
        if asked["request"]["method"] == "PUT":
            return {"response": {"status": str(put(kind, name, asked["resource"]))}}
        if asked["request"]["method"] == "DELETE":
            kept.pop((kind, name), None)
            return {"response": {"status": "204"}}
        raise Refused(405, "not-supported", asked["request"]["method"])
    except Refused as refused:
        return {"response": {"status": str(refused.status), "outcome": refused.outcome()}}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def do_DELETE(self):
        self.serve("DELETE")

    def serve(self, method):
        self.base = f"http://127.0.0.1:{self.server.server_port}/fhir"
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query, keep_blank_values=True)
        try:
            self.route(method, parts.path)
        except Refused as refused:
            self.answer(refused.status, refused.outcome())

    def route(self, method, path):
        if path == "/fhir/.well-known/smart-configuration":
            return self.answer(200, {"token_endpoint": self.base + "/token"})
        if path == "/fhir/token":
            return self.token()
        if path == "/fhir/metadata":
            return self.answer(200, {
                "resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
                "fhirVersion": "4.0.1", "format": ["json"], "software": {"name": "Held against models"},
            })
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            raise Refused(401, "login", "no token, or not one of ours")
        if path == "/fhir" and method == "POST":
            asked = valid(json.loads(self.body), "Bundle")
            return self.answer(200, {
                "resourceType": "Bundle", "type": "batch-response", "entry": [entry(one) for one in asked["entry"]],
            })
        if path == "/fhir/pages":
            return self.page(*pages[self.query["at"][0]])
        if path == "/fhir/$export":
            return self.export()
        if path.startswith("/fhir/exports/"):
            return self.exported(method, path.rpartition("/")[2])
        kind, _, name = path.removeprefix("/fhir/").partition("/")
        if kind not in SEARCHABLE:
            raise Refused(404, "not-supported", f"no {kind} here")
        if method == "POST":
            name = f"made-{next(numbers)}"
            put(kind, name, {**json.loads(self.body), "id": name})
            return self.answer(201, kept[(kind, name)])
        if name.endswith("/$everything"):
            patient = name.removesuffix("/$everything")
            about = f"Patient/{patient}"
            found = [one for one in kept.values() if one["id"] == patient or one.get("subject", {}).get("reference") == about]
            return self.page(found, 0, 100)
        if name:
            if (kind, name) not in kept:
                raise Refused(404, "not-found", f"no {kind} {name}")
            return self.answer(200, kept[(kind, name)])
        self.search(kind)

    def search(self, kind):
        unknown = set(self.query) - SEARCHABLE[kind]
        if unknown:
            raise Refused(400, "not-supported", f"{kind} cannot be searched by {', '.join(sorted(unknown))}")
        found = [one for (of, _), one in sorted(kept.items()) if of == kind]
        for since in self.query.get("_lastUpdated", []):
            if not since.startswith("ge"):
                raise Refused(400, "value", f"_lastUpdated={since}")
            # Its own parser: an instant as FHIR writes it.
            get_fhir_model_class("Meta").model_validate({"lastUpdated": since[2:]})
            found = [one for one in found if one["meta"]["lastUpdated"][:19] >= since[2:21]]
        for patient in self.query.get("patient", []):
            found = [one for one in found if one["subject"]["reference"] == f"Patient/{patient}"]
        self.page(found, 0, min(int(self.query.get("_count", ["10"])[0]), 10))

    def page(self, found, start, size):
        links = [{"relation": "self", "url": self.base + self.path.removeprefix("/fhir")}]
        if start + size < len(found):
            opaque = f"p{next(numbers)}"
            pages[opaque] = (found, start + size, size)
            links.append({"relation": "next", "url": f"{self.base}/pages?at={opaque}"})
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
        entries = [{"fullUrl": f"{self.base}/{one['resourceType']}/{one['id']}", "resource": one} for one in found[start : start + size]]
        self.answer(200, {**bundle, "entry": entries} if entries else bundle)

    def export(self):
        if self.headers.get("prefer") != "respond-async":
            raise Refused(400, "required", "an export wants `Prefer: respond-async`")
        unknown = set(self.query) - {"_outputFormat", "_since", "_type"}
        if unknown or self.query.get("_outputFormat", ["application/fhir+ndjson"]) != ["application/fhir+ndjson"]:
            raise Refused(400, "not-supported", self.path)
        number = f"x{next(numbers)}"
        exports[number] = {"polls": 0, "since": self.query.get("_since", [""])[0]}
        self.answer(202, None, {"content-location": f"{self.base}/exports/{number}"})

    def exported(self, method, name):
        number, _, kind = name.partition(".")
        if number not in exports:
            raise Refused(404, "not-found", "no such export")
        if method == "DELETE":
            del exports[number]
            return self.answer(202, None)
        since = exports[number]["since"][:19]
        if kind:
            of_kind = [one for (of, _), one in sorted(kept.items()) if of == kind and one["meta"]["lastUpdated"][:19] >= since]
            return self.answer(200, "".join(json.dumps(one) + "\n" for one in of_kind))
        exports[number]["polls"] += 1
        if exports[number]["polls"] < 2:
            return self.answer(202, None, {"x-progress": "half of it", "retry-after": "0"})
        kinds = sorted({of for (of, _), one in kept.items() if one["meta"]["lastUpdated"][:19] >= since})
        self.answer(200, {
            "transactionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "requiresAccessToken": True,
            "request": f"{self.base}/$export", "error": [],
            "output": [{"type": of, "url": f"{self.base}/exports/{number}.{of}"} for of in kinds],
        })

    def token(self):
        form = parse_qs(self.body.decode())
        try:
            assert form["grant_type"] == ["client_credentials"] and form["scope"] == [SCOPE], "the grant"
            assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
            said = jwt.decode(form["client_assertion"][0], KEYS, algorithms=["ES384", "RS384"])
            claims = said.claims
            assert said.header["typ"] == "JWT" and said.header["kid"], "the header"
            assert claims["iss"] == claims["sub"] == "tea-house", "the client"
            assert claims["aud"] == self.base + "/token", "the audience"
            assert 0 < claims["exp"] - time.time() <= 300, "five minutes at most"
            assert claims["jti"] not in used, "used before"
            used.add(claims["jti"])
        except Exception as wrong:
            return self.answer(400, {"error": "invalid_client", "error_description": str(wrong)})
        token = f"token-{next(numbers)}"
        tokens.add(token)
        self.answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 300, "scope": SCOPE})

    def answer(self, status, said, headers=()):
        """Sends it; a resource only if it is one."""
        if isinstance(said, dict) and "resourceType" in said:
            get_fhir_model_class(said["resourceType"]).model_validate(said)
        kind = "application/fhir+ndjson" if isinstance(said, str) else "application/fhir+json"
        body = b"" if said is None else (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
print(server.server_port, flush=True)
server.serve_forever()
