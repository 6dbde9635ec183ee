"""Customers of a shop as lines of JSON, about 700 bytes each, the same each time: customers.py COUNT > customers.ndjson.

Three of a hundred have a card number among their notes, two a number that only looks like one."""
import json
import random
import sys

FIRST = "Anna Ben Carla David Elena Farid Greta Hugo Ines Liam Miyu Noah Olga Pedro Rosa Tariq Uma Wendy Yara Zoé".split()
LAST = "Brown Dubois García Hansen Ivanova Kowalska Moreau Müller Nguyen Novák Rossi Santos Silva Smith Tanaka".split()
TOWNS = [("Berlin", "DE"), ("Kraków", "PL"), ("Lyon", "FR"), ("Porto", "PT"), ("Gent", "BE"), ("Leeds", "GB")]
WORDS = ("asks whether the second parcel was left with the neighbour and wants the invoice corrected before friday "
         "as it came without the gift that was ordered please call in the evening").split()


def moment(chance):
    zone = "Z" if chance.random() < 0.6 else chance.choice(["+02:00", "-05:00", "+05:30"])
    day = (chance.randrange(2019, 2026), chance.randrange(1, 13), chance.randrange(1, 29))
    return "%04d-%02d-%02dT%02d:%02d:%02d%s" % (*day, *(chance.randrange(top) for top in (24, 60, 60)), zone)


def check_digit(digits):
    doubled = [int(digit) * (2 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits))]
    return -sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10


def card(chance, good):
    digits = chance.choice("3456") + "".join(chance.choice("0123456789") for _ in range(14))
    number = digits + str((check_digit(digits) + (0 if good else chance.randrange(1, 9))) % 10)
    return chance.choice(["", " ", "-"]).join(number[at:at + 4] for at in range(0, 16, 4))


def customer(number, chance):
    first, last, (town, country) = chance.choice(FIRST), chance.choice(LAST), chance.choice(TOWNS)
    notes = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(6, 24)))
    kind = chance.random()
    if kind < 0.03:
        notes += f" card {card(chance, True)} on file"
    elif kind < 0.05:
        notes += f" see {card(chance, False)}"
    orders = [
        {"id": f"ORD-{number:07}-{at}", "amount": chance.randrange(100, 250_000) / 100,
         "currency": chance.choice(["EUR", "USD", "PLN", "CHF"]), "items": chance.randrange(1, 9), "placed_at": moment(chance)}
        for at in range(chance.randrange(6))
    ]
    return {
        "id": f"CUST-{number:07}", "first_name": first, "last_name": last,
        "email": f"{first}.{last}{chance.randrange(1000)}@example.com".lower(),
        "phone": f"+{chance.randrange(1, 99)}{chance.randrange(10**9):09}",
        "consent_marketing": chance.random() < 0.7, "created_at": moment(chance),
        "address": {
            "street": f"{chance.randrange(1, 400)} {chance.choice(WORDS)} street", "city": town,
            "postcode": f"{chance.randrange(10**5):05}", "country": country,
            "geo": {"lat": chance.randrange(-900_000, 900_000) / 10_000, "lon": chance.randrange(-1_800_000, 1_800_000) / 10_000},
        },
        "orders": orders, "tags": chance.sample(["vip", "newsletter", "b2b", "returns", "late"], chance.randrange(4)),
        "notes": notes,
    }


chance = random.Random(20_261_122)
for number in range(int(sys.argv[1])):
    sys.stdout.write(json.dumps(customer(number, chance), ensure_ascii=False, separators=(",", ":")) + "\n")
