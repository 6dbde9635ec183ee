"""Serves AWS's services as moto plays them, each request checked against its access key, its signature and its policy.

Two things are set right first. moto signs a request that has no body as if its query were one, which no client
does; and it fails with a fault of its own where nothing is signed, in place of refusing.
"""

import sys

from moto.core.exceptions import InvalidClientTokenIdError
from moto.iam.access_control import IAMRequestBase
from moto.server import main

as_moto_makes_it = IAMRequestBase._create_aws_request
as_moto_begins = IAMRequestBase.__init__


def made(self):
    if self._method == "POST" or self._body:
        return as_moto_makes_it(self)
    query, self._data = self._data, {}
    try:
        return as_moto_makes_it(self)
    finally:
        self._data = query


def begun(self, account_id, method, path, data, body, headers, action):
    if "Credential=" not in headers.get("Authorization", ""):
        raise InvalidClientTokenIdError()
    as_moto_begins(self, account_id, method, path, data, body, headers, action)


IAMRequestBase._create_aws_request = made
IAMRequestBase.__init__ = begun
main(sys.argv[1:])
