"""Verifies what `consign report evidence` packs, as a stranger would: with the archive, the key that was handed over
before, Python's own library and openssl. `verify_evidence.py ARCHIVE KEY` ends with 0, or tells what is wrong.

What it goes by is public: RFC 6962, and signed-note, tlog-checkpoint and tlog-proof of c2sp.org.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile


def sha256(data):
    return hashlib.sha256(data).digest()


def signed(note, key):
    """The text of a note that this key (`name+id+base64`) signed."""
    name, number, encoded = key.split("+", 2)
    algorithm, public = (lambda raw: (raw[0], raw[1:]))(base64.b64decode(encoded))
    assert algorithm == 1 and len(public) == 32, "the key is no Ed25519 key"
    assert sha256(name.encode() + b"\n" + bytes([1]) + public)[:4].hex() == number, "the key's number is not its own"
    text, _, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    for line in signatures.decode().splitlines():
        dash, by, made = line.split(" ")
        made = base64.b64decode(made)
        if dash == "\u2014" and by == name and made[:4].hex() == number:
            with tempfile.TemporaryDirectory() as folder:
                # An Ed25519 key as RFC 8410 wraps it.
                files = {"key": bytes.fromhex("302a300506032b6570032100") + public, "text": text, "made": made[4:]}
                for file, data in files.items():
                    with open(f"{folder}/{file}", "wb") as out:
                        out.write(data)
                words = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile made".split()
                done = subprocess.run(words, cwd=folder, capture_output=True, check=False)
                assert done.returncode == 0, f"the signature does not hold: {done.stdout + done.stderr}"
            return text.decode()
    raise AssertionError(f"{name} did not sign it")


def root(leaf, index, size, path):
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2)."""
    assert index < size, "the event stands behind the checkpoint"
    here, last = index, size - 1
    for step in path:
        assert last > 0, "the proof is too long"
        if here % 2 or here == last:
            leaf = sha256(b"\x01" + step + leaf)
            while here % 2 == 0 and here:
                here, last = here >> 1, last >> 1
        else:
            leaf = sha256(b"\x01" + leaf + step)
        here, last = here >> 1, last >> 1
    assert last == 0, "the proof is too short"
    return leaf


def verify(archive, key):
    files = {name: archive.read(name) for name in archive.namelist()}
    sums = files.pop("manifest.sha256").decode()
    note = signed(files.pop("manifest.note"), key)
    assert note.split("\n", 1)[1] == sums, "the signed list is not the list"
    listed = dict(reversed(line.split("  ", 1)) for line in sums.splitlines())
    assert set(listed) == set(files), f"files that are not listed, or missing: {set(listed) ^ set(files)}"
    for name, data in files.items():
        assert hashlib.sha256(data).hexdigest() == listed[name], f"{name} was changed"
    assert files["public-key.txt"].decode().strip() == key, "the key in it is another one"
    population = set(files["population/events.ndjson"].splitlines())
    proofs = [name for name in files if name.startswith("proofs/")]
    for name in proofs:
        head, _, checkpoint = files[name].partition(b"\n\n")
        form, extra, index, *path = head.decode().splitlines()
        assert form == "c2sp.org/tlog-proof@v1", form
        event = base64.b64decode(extra.removeprefix("extra "))
        assert event in population, f"{name}: its event is not one of the population"
        number = int(index.removeprefix("index "))
        assert json.loads(event)["seq"] == number + 1, f"{name}: it is of another event"
        _, size, said = signed(checkpoint, key).splitlines()[:3]
        made = root(sha256(b"\x00" + event), number, int(size), [base64.b64decode(step) for step in path])
        assert made == base64.b64decode(said), f"{name}: the proof does not lead to the checkpoint"
    return len(population), len(proofs)


if __name__ == "__main__":
    try:
        with zipfile.ZipFile(sys.argv[1]) as file:
            print("%d events, %d of them proved" % verify(file, sys.argv[2]))
    except (AssertionError, ValueError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"{type(error).__name__}: {error}")
