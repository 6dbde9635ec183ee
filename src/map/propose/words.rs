//! The words in names of fields, and how alike two names are: abbreviations, synonyms and the habits of
//! people who name columns, as data.

/// The words of a name, each as its usual form.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// Of the last step of the path.
    own: Vec<String>,
    /// Of the steps before it.
    around: Vec<String>,
}

/// Words that are one word: the usual form first.
const SAME: &[&[&str]] = &[
    &["number", "no", "nr", "num", "nbr", "nummer", "numero"],
    &["id", "key", "ident", "identifier", "uid", "guid", "uuid", "pk"],
    &["quantity", "qty", "qnt", "amt", "menge", "anzahl", "cantidad", "quantite", "pieces"],
    &["price", "preis", "prix", "precio", "rate"],
    &["amount", "betrag", "sum", "montant", "importe"],
    &["cost", "kosten", "cogs"],
    &["customer", "cust", "kunde", "client", "buyer", "kd"],
    &["supplier", "vendor", "lieferant", "supp", "seller"],
    &["product", "prod", "item", "article", "artikel", "sku", "part"],
    &["order", "ord", "bestellung", "po"],
    &["company", "organisation", "organization", "org", "firm", "firma", "business", "employer"],
    &["given", "first", "vorname", "fname", "forename", "firstname"],
    &["family", "last", "surname", "nachname", "lname", "lastname"],
    &["name", "nm", "nombre", "nom"],
    &["postal", "zip", "postcode", "plz", "zipcode"],
    &["street", "strasse", "address", "addr", "line", "rue", "calle"],
    &["city", "town", "ort", "stadt", "ville", "ciudad", "locality", "municipality"],
    &["region", "state", "province", "county", "bundesland"],
    &["country", "ctry", "land", "pays", "nation"],
    &["phone", "tel", "telephone", "telefon", "mobile", "cell", "phonenumber"],
    &["email", "mail", "emailaddress", "e-mail"],
    &["date", "datum", "day", "fecha", "dt", "time", "timestamp", "ts", "at", "on", "when", "moment"],
    &["birth", "dob", "born", "birthdate", "birthday", "geburt"],
    &["description", "desc", "beschreibung", "details", "text", "about", "note", "comment", "remark", "memo"],
    &["title", "titel", "titre", "heading", "label"],
    &["category", "cat", "kind", "type", "group", "class", "typ", "kategorie"],
    &["status", "stat", "condition", "stage"],
    &["currency", "ccy", "curr", "cur", "waehrung"],
    &["transaction", "txn", "trx", "tx"],
    &["account", "acct", "acc", "konto", "iban"],
    &["balance", "bal", "saldo"],
    &["department", "dept", "abteilung"],
    &["employee", "emp", "staff", "worker"],
    &["manager", "mgr"],
    &["reference", "ref"],
    &["stock", "inventory", "onhand", "warehouse", "bestand", "lager"],
    &["unit", "units", "uom", "einheit"],
    &["weight", "wt", "gewicht"],
    &["height", "ht"],
    &["discount", "disc", "rabatt", "rebate"],
    &["total", "tot", "gesamt", "grand"],
    &["tax", "vat", "gst", "mwst", "steuer"],
    &["ship", "shipment", "delivery", "deliver", "dispatch", "lieferung"],
    &["invoice", "inv", "bill", "rechnung"],
    &["sex", "gender", "geschlecht"],
    &["language", "lang", "sprache", "locale"],
    &["create", "created", "creation", "added", "inserted"],
    &["update", "updated", "modified", "changed", "modification"],
    &["active", "enabled", "isactive"],
    &["minimum", "min"],
    &["maximum", "max"],
    &["latitude", "lat"],
    &["longitude", "lon", "lng"],
    &["url", "link", "website", "homepage", "web", "page"],
    &["vin", "chassis"],
    &["patient", "pat", "subject"],
    &["mrn", "chart"],
    &["consent", "optin", "opt"],
];

/// Words that often stand for each other, and how much.
const CLOSE: &[(&str, &str, f64)] = &[
    ("title", "role", 0.7),
    ("title", "name", 0.7),
    ("position", "role", 0.8),
    ("job", "role", 0.8),
    ("price", "cost", 0.6),
    ("amount", "total", 0.7),
    ("amount", "quantity", 0.5),
    ("amount", "value", 0.7),
    ("price", "amount", 0.6),
    ("code", "id", 0.5),
    ("number", "id", 0.7),
    ("code", "number", 0.5),
    ("make", "brand", 0.8),
    ("brand", "manufacturer", 0.8),
    ("make", "manufacturer", 0.8),
    ("packing", "quantity", 0.5),
    ("packing", "unit", 0.5),
    ("package", "packing", 0.8),
    ("colour", "color", 1.0),
    ("mark", "score", 0.6),
    ("customer", "account", 0.4),
    ("description", "title", 0.5),
    ("category", "status", 0.3),
    ("update", "create", 0.2),
];

/// Words that say little by themselves.
const WEAK: &[&str] = &["id", "number", "code", "name", "date", "value", "category", "title", "description", "unit"];
/// Words that say nothing.
const NONE: &[&str] = &["the", "of", "in", "per", "is", "has", "and", "a", "to", "for", "new", "old", "data", "field"];

/// Takes a path apart.
pub(super) fn of(path: &str) -> Words {
    let mut steps: Vec<&str> = path.split(['.', '[', ']']).filter(|step| !matches!(*step, "" | "*")).collect();
    let own = steps.pop().map(split).unwrap_or_default();
    Words { own, around: steps.into_iter().flat_map(split).collect() }
}

/// Words that more than half of the names of a side hold: they tell them apart from nothing.
pub(super) fn shared(side: &[Words]) -> Vec<String> {
    let mut found: Vec<String> = side.iter().flat_map(|words| words.own.clone()).collect();
    found.sort();
    found.dedup();
    let many = |word: &String| side.len() > 2 && side.iter().filter(|w| w.own.contains(word)).count() * 2 > side.len();
    found.into_iter().filter(many).collect()
}

/// How alike two names are, from 0 to 1, and what makes them so.
pub(super) fn similarity(source: (&Words, &Vec<String>), target: (&Words, &Vec<String>)) -> (f64, &'static str) {
    let (one, other) = (source.0, target.0);
    if !one.own.is_empty() && one.own == other.own {
        let apart = one.around != other.around && !one.around.is_empty() && !other.around.is_empty();
        return if apart { (0.9, "same name elsewhere") } else { (1.0, "same name") };
    }
    let weights = |words: &Words, shared: &[String]| {
        let weight = |word: &String| match word.as_str() {
            word if shared.iter().any(|known| known == word) => 0.3,
            word if WEAK.contains(&word) => 0.5,
            _ => 1.0,
        };
        let own = words.own.iter().map(|word| (word.clone(), weight(word)));
        own.chain(words.around.iter().map(|word| (word.clone(), 0.25))).collect::<Vec<_>>()
    };
    let (left, right) = (weights(one, source.1), weights(other, target.1));
    let best = |(word, _): &(String, f64), side: &[(String, f64)]| {
        side.iter().map(|(known, _)| alike(word, known)).fold(0.0, f64::max)
    };
    let met = |a: &[(String, f64)], b: &[(String, f64)]| a.iter().map(|word| word.1 * best(word, b)).sum::<f64>();
    let whole: f64 = left.iter().chain(&right).map(|(_, weight)| weight).sum();
    if whole == 0.0 {
        return (0.0, "");
    }
    let mut score = (met(&left, &right) + met(&right, &left)) / whole;
    // Names that share words of little weight alone are hardly alike: `customer_id`, `order_id`.
    let telling = left.iter().any(|word| word.1 == 1.0 && best(word, &right) > 0.45);
    let only_weak = [&left, &right].iter().any(|side| side.iter().all(|(_, weight)| *weight < 1.0));
    if !telling && !only_weak {
        score *= 0.4;
    }
    (score.min(0.98), "like name")
}

/// How alike two words are.
fn alike(one: &str, other: &str) -> f64 {
    if one == other {
        return 1.0;
    }
    let pair = |(a, b, _): &&(&str, &str, f64)| (*a == one && *b == other) || (*a == other && *b == one);
    if let Some((_, _, score)) = CLOSE.iter().find(pair) {
        return *score;
    }
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if short.len() >= 3 && long.starts_with(short) {
        return 0.85;
    }
    let near = strsim::normalized_damerau_levenshtein(one, other);
    if short.len() >= 4 && near >= 0.75 { near * 0.95 } else { 0.0 }
}

/// The words of one step: parted at capitals, digits and signs, each in its usual form.
fn split(step: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut last = ' ';
    let chars: Vec<char> = step.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let next_small = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let opens = !last.is_alphanumeric()
            || (c.is_uppercase() && (last.is_lowercase() || (last.is_uppercase() && next_small)))
            || (c.is_ascii_digit() != last.is_ascii_digit());
        if c.is_alphanumeric() {
            if opens {
                parts.push(String::new());
            }
            if let Some(part) = parts.last_mut() {
                part.extend(c.to_lowercase());
            }
        }
        last = c;
    }
    let mut words = Vec::with_capacity(parts.len());
    for part in parts {
        if NONE.contains(&part.as_str()) {
            continue;
        }
        let word = usual(&part);
        // `shipped`, `ordered`: what was done, and when.
        let stem = part.strip_suffix("ed").filter(|stem| stem.len() > 3);
        match stem {
            Some(stem) if word == part => {
                let stem = match stem.as_bytes() {
                    [.., a, b] if a == b => &stem[..stem.len() - 1],
                    _ => stem,
                };
                words.push(usual(stem));
                words.push("date".into());
            }
            _ => words.push(word),
        }
    }
    words.dedup();
    words
}

/// The usual form of a word.
fn usual(word: &str) -> String {
    let known = |word: &str| SAME.iter().find(|forms| forms.contains(&word)).map(|forms| forms[0].to_string());
    let single =
        || word.strip_suffix('s').filter(|stem| stem.len() > 3 && !stem.ends_with(['s', 'u'])).map(str::to_owned);
    known(word).or_else(|| single().map(|stem| known(&stem).unwrap_or(stem))).unwrap_or_else(|| word.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        let check = |name: &str, expected: &str| assert_eq!(of(name).own.join(" "), expected, "{name}");
        check("SupplierID", "supplier id");
        check("custNo", "customer number");
        check("HTTPServer2", "http server 2");
        check("units_in_stock", "unit stock");
        check("shipped", "ship date");
        check("ShippedDate", "ship date");
        check("addresses[*].plz", "postal");
        check("größe", "größe");
        check("", "");
        check("status", "status");
    }

    #[test]
    fn the_tables_name_each_word_once() {
        let mut seen = Vec::new();
        for word in SAME.iter().flat_map(|forms| forms.iter()) {
            assert!(!seen.contains(word), "{word} twice");
            seen.push(word);
        }
    }
}
