//! Guesses how to sign in, from what a description says of it: a way for each choice that its calls give.

use serde_json::Value as Json;

use super::describe::{members, resolved, snake};
use super::openapi::text;
use super::paging::quoted;

/// What a connector gives.
struct Need {
    name: String,
    about: String,
    secret: bool,
}

/// A way of signing in.
struct Way {
    name: String,
    lines: Vec<String>,
    needs: Vec<Need>,
}

/// One choice: the schemes that go together, the scopes that calls want, and how many calls take it.
struct Choice {
    schemes: Vec<String>,
    scopes: Vec<String>,
    calls: usize,
}

/// Lines of `auth` for these calls; none if the description says nothing. `keys`: headers and parameters
/// of calls that look like a key.
pub(super) fn guess(document: &Json, calls: &[&Json], keys: &[(String, String)]) -> Vec<String> {
    let mut ways: Vec<Way> = Vec::new();
    let mut choices = choices(document, calls);
    choices.sort_by_key(|choice| std::cmp::Reverse(choice.calls));
    for choice in &choices {
        for way in made(document, choice) {
            if !ways.iter().any(|known| known.name == way.name) {
                ways.push(way);
            }
        }
    }
    if ways.is_empty() && !keys.is_empty() {
        let send = |(place, name): &(String, String)| sent(place, name, &snake(name));
        let mut lines = vec!["kind: key".to_owned(), "send:".into()];
        lines.extend(keys.iter().map(send));
        let needs = keys.iter().map(|(_, name)| need(&snake(name), &format!("What `{name}` holds."), true)).collect();
        ways.push(Way { name: "key".into(), lines, needs });
    }
    // Who has a token already needs no client.
    let tokens = |way: &Way| way.lines.iter().any(|line| line == "kind: oauth2");
    if ways.iter().any(tokens) && !ways.iter().any(|way| way.name == "token") {
        ways.push(bearer());
    }
    written(&ways)
}

/// A token, where nothing is known.
pub(super) fn unknown() -> Vec<String> {
    let mut lines = written(&[bearer()]);
    lines.insert(0, "# guessed: nothing is known of how to sign in".into());
    lines
}

fn written(ways: &[Way]) -> Vec<String> {
    if ways.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["needs:".to_owned()];
    let mut said: Vec<&str> = Vec::new();
    for need in ways.iter().flat_map(|way| &way.needs) {
        if said.contains(&need.name.as_str()) {
            continue;
        }
        said.push(&need.name);
        let required = if ways.len() == 1 { ", required: true" } else { "" };
        lines.push(format!("  {}: {{ about: {}, secret: {}{required} }}", need.name, quoted(&need.about), need.secret));
    }
    lines.push("ways:".into());
    for way in ways {
        lines.push(format!("  {}:", way.name));
        if ways.len() > 1 {
            let names: Vec<&str> = way.needs.iter().map(|need| need.name.as_str()).collect();
            lines.push(format!("    needs: [{}]", names.join(", ")));
        }
        lines.extend(way.lines.iter().map(|line| format!("    {line}")));
    }
    lines
}

fn choices(document: &Json, calls: &[&Json]) -> Vec<Choice> {
    let mut made: Vec<Choice> = Vec::new();
    let mut see = |ways: &Json| {
        for way in ways.as_array().into_iter().flatten().filter_map(Json::as_object).filter(|way| !way.is_empty()) {
            let mut schemes: Vec<String> = way.keys().cloned().collect();
            schemes.sort();
            let at = made.iter().position(|known| known.schemes == schemes).unwrap_or_else(|| {
                made.push(Choice { schemes, scopes: Vec::new(), calls: 0 });
                made.len() - 1
            });
            made[at].calls += 1;
            for scope in way.values().filter_map(Json::as_array).flatten().filter_map(Json::as_str) {
                if !made[at].scopes.iter().any(|known| known == scope) {
                    made[at].scopes.push(scope.to_owned());
                }
            }
        }
    };
    for call in calls {
        if let Some(ways) = call.get("security").or_else(|| document.get("security")) {
            see(ways);
        }
    }
    if made.is_empty() {
        let schemes = members(document.pointer("/components/securitySchemes"));
        made.extend(schemes.map(|(name, _)| Choice { schemes: vec![name.clone()], scopes: Vec::new(), calls: 0 }));
    }
    made
}

/// The ways of a choice: one, or one for each flow.
fn made(document: &Json, choice: &Choice) -> Vec<Way> {
    let scheme = |name: &String| {
        let of = document.pointer("/components/securitySchemes")?.get(name)?;
        Some((name.clone(), resolved(document, of)))
    };
    let schemes: Vec<(String, &Json)> = choice.schemes.iter().filter_map(scheme).collect();
    let word = |of: &Json, key: &str| of.get(key).and_then(Json::as_str).unwrap_or_default().to_lowercase();
    let (keys, others): (Vec<_>, Vec<_>) = schemes.iter().partition(|(_, of)| word(of, "type") == "apikey");
    let key_lines: Vec<String> = keys
        .iter()
        .map(|(name, of)| sent(&word(of, "in"), &text(of.get("name")).unwrap_or_default(), &snake(name)))
        .collect();
    let key_needs = || keys.iter().map(|(name, _)| need(&snake(name), "A key of the system.", true));
    let Some((name, of)) = others.first() else {
        if keys.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["kind: key".to_owned(), "send:".into()];
        lines.extend(key_lines);
        return vec![Way { name: "key".into(), lines, needs: key_needs().collect() }];
    };
    let mut ways = match (word(of, "type").as_str(), word(of, "scheme").as_str()) {
        ("oauth2", _) => flows(name, of, &choice.scopes),
        ("http", "basic") => vec![Way {
            name: "basic".into(),
            lines: vec![
                "kind: basic".into(),
                "user: \"{{ secrets.user }}\"".into(),
                "password: \"{{ secrets.password }}\"".into(),
            ],
            needs: vec![need("user", "The user's name.", false), need("password", "The password.", true)],
        }],
        ("http", "bearer") | ("openidconnect", _) => vec![bearer()],
        _ => Vec::new(),
    };
    // Keys that go with it, beside what is usual for it.
    for way in ways.iter_mut().filter(|_| !key_lines.is_empty()) {
        let usual = match way.lines.iter().any(|line| line == "kind: basic") {
            true => "Basic {{ auth.credentials }}",
            false => "Bearer {{ auth.token }}",
        };
        way.lines.push("send:".into());
        way.lines.push(format!("  - {{ header: Authorization, value: \"{usual}\" }}"));
        way.lines.extend(key_lines.iter().cloned());
        way.needs.extend(key_needs());
    }
    ways
}

fn flows(scheme: &str, of: &Json, scopes: &[String]) -> Vec<Way> {
    let known: Vec<(&str, &Json)> = [
        ("clientCredentials", "client_credentials"),
        ("authorizationCode", "authorization_code"),
        ("deviceAuthorization", "device_code"),
    ]
    .into_iter()
    .filter_map(|(flow, grant)| Some((grant, of.get("flows")?.get(flow)?)))
    .collect();
    let one = known.len() == 1;
    let way = |(grant, of): (&'static str, &Json)| {
        let url = |key: &str| {
            text(of.get(key))
                .filter(|url| url.contains("://"))
                .unwrap_or_else(|| format!("https://CHANGE-ME.example.com/{key}"))
        };
        let mut lines = vec!["kind: oauth2".to_owned(), format!("grant: {grant}")];
        lines.push(format!("token_url: {}", quoted(&url("tokenUrl"))));
        if grant == "authorization_code" {
            lines.push(format!("authorize_url: {}", quoted(&url("authorizationUrl"))));
        }
        if grant == "device_code" {
            lines.push(format!("device_url: {}", quoted(&url("deviceAuthorizationUrl"))));
        }
        lines.push("client_id: \"{{ secrets.client_id }}\"".into());
        lines.push("client_secret: \"{{ secrets.client_secret }}\"".into());
        let all: Vec<String> = match scopes {
            [] => members(of.get("scopes")).map(|(scope, _)| scope.clone()).collect(),
            wanted => wanted.to_vec(),
        };
        if !all.is_empty() {
            lines.push(format!("scope: {}   # guessed: all that its calls name", quoted(&all.join(" "))));
        }
        Way {
            name: if one {
                snake(scheme)
            } else {
                format!("{}_{}", snake(scheme), grant.split('_').next().unwrap_or(grant))
            },
            lines,
            needs: vec![
                need("client_id", "The client's id.", false),
                need("client_secret", "The client's secret.", true),
            ],
        }
    };
    known.into_iter().map(way).collect()
}

fn bearer() -> Way {
    Way {
        name: "token".into(),
        lines: vec!["kind: bearer".into(), "token: \"{{ secrets.token }}\"".into()],
        needs: vec![need("token", "A token of the system.", true)],
    }
}

fn need(name: &str, about: &str, secret: bool) -> Need {
    Need { name: name.to_owned(), about: about.to_owned(), secret }
}

fn sent(place: &str, name: &str, secret: &str) -> String {
    let place = if matches!(place, "query" | "cookie") { place } else { "header" };
    format!("  - {{ {place}: {}, value: \"{{{{ secrets.{secret} }}}}\" }}", quoted(name))
}
