"""A shop over GraphQL: the reference implementation parses, validates and answers each question; orders are kept.

The first line of the output is the port. A question needs the token `made-up`.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from graphql import GraphQLError, build_schema, graphql_sync

SCHEMA = build_schema("""
    type Query {
      orders(first: Int!, after: String, since: String): OrderConnection!
      order(id: ID!): Order
    }
    type Mutation { orderSet(input: OrderInput!): OrderPayload! }
    type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type Order { id: ID! total: Float! updatedAt: String! customer: Customer! }
    type Customer { id: ID! email: String! }
    input OrderInput { id: ID! total: Float! email: String! }
    type OrderPayload { order: Order userErrors: [UserError!]! }
    type UserError { field: [String!] message: String! }
""")


def order(number, total=None, email=None):
    return {
        "id": f"o{number:03}",
        "total": number + 0.5 if total is None else total,
        "updatedAt": f"2026-01-{number % 28 + 1:02}T08:00:00Z",
        "customer": {"id": f"c{number % 7}", "email": email or f"person{number % 7}@example.com"},
    }


ORDERS = {f"o{number:03}": order(number) for number in range(1, 26)}


class Shop:
    """What the fields of questions and changes come to."""

    def orders(self, _info, first, after=None, since=None):
        if not 1 <= first <= 10:
            raise GraphQLError("first must be between 1 and 10", extensions={"code": "BAD_USER_INPUT"})
        found = sorted(ORDERS.values(), key=lambda one: (one["updatedAt"], one["id"]))
        found = [one for one in found if since is None or one["updatedAt"] >= since]
        start = int(after) if after else 0
        end = start + first
        page = {"hasNextPage": end < len(found), "endCursor": str(end)}
        return {"nodes": found[start:end], "pageInfo": page}

    def order(self, _info, id):
        return ORDERS.get(id)

    def orderSet(self, _info, input):
        if input["total"] < 0:
            return {"order": None, "userErrors": [{"field": ["total"], "message": "Total must not be negative"}]}
        number = int(input["id"].removeprefix("o"))
        ORDERS[input["id"]] = order(number, input["total"], input["email"])
        return {"order": ORDERS[input["id"]], "userErrors": []}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization") != "Bearer made-up":
            return self.answer(401, {"errors": [{"message": "who are you?"}]})
        asked = json.loads(body)
        done = graphql_sync(SCHEMA, asked["query"], root_value=Shop(), variable_values=asked.get("variables"))
        self.answer(200, done.formatted)

    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
print(server.server_port, flush=True)
server.serve_forever()
