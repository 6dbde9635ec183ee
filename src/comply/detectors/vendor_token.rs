//! Tokens and keys of services.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{is_word, skip};

pub(super) static DETECTOR: Detector = Detector {
    name: "vendor_token",
    class: "secret.token",
    about: "Tokens and keys of services: the beginnings and lengths that their makers chose (as gitleaks and the makers document them).",
    looks: &[
        Looks::Prefix { prefixes: || RULES.iter().map(|rule| rule.prefix).collect(), check },
        Looks::Word { lengths: &[34], alone: true, check: twilio },
    ],
    words: &["token", "api key", "apikey", "access key", "secret"],
    null_rate: 1.0e-06,
    shows: Shows::Nothing,
    finds: &[
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "key=AKIAIOSFODNN7ABCDEF2",
        "glpat-Zx81kPq02LmN7vTr3sYw",
        "-H \"Authorization: token ghp_16C7e42F292c6912E7710c838347Ae178B4a\"",
    ],
    finds_if_named: &[],
    passes: &[
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4",
        "AKIAIOSFODNN7EXAMPLE",
        "xghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk-learn",
    ],
};

/// How a service's tokens look.
struct Rule {
    #[cfg_attr(not(test), expect(dead_code, reason = "names the line of the list"))]
    vendor: &'static str,
    prefix: &'static str,
    body: Body,
    least: usize,
    most: usize,
}

/// What stands behind the prefix.
#[derive(Clone, Copy)]
enum Body {
    Alphanumeric,
    Letters,
    Lower,
    Upper,
    Hex,
    Base32,
    Base64,
    /// Letters, digits and low lines.
    Word,
    /// As `Word`, and hyphens.
    Token,
    /// As `Token`, and points.
    Dotted,
}

impl Body {
    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Lower => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base32 => byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Token => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'='),
        }
    }
}

fn check(site: &Site<'_>) -> Option<Found> {
    let rest = &site.text[site.start..];
    RULES.iter().filter(|rule| rest.starts_with(rule.prefix.as_bytes())).find_map(|rule| judge(rule, site))
}

/// Two letters alone are too few to look for: these by their length.
fn twilio(site: &Site<'_>) -> Option<Found> {
    let (prefix, body) = site.word().split_at_checked(2)?;
    let hex = body.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    (prefix == b"SK" && hex && is_random(body)).then(|| site.found(Grade::Strong))?
}

fn judge(rule: &Rule, site: &Site<'_>) -> Option<Found> {
    let from = site.start + rule.prefix.len();
    let end = skip(site.text, from, |byte| rule.body.holds(byte));
    let body = &site.text[from..end];
    // What ends a sentence is no part of it.
    let body = if let [front @ .., b'.'] = body { front } else { body };
    let fits = (rule.least..=rule.most).contains(&body.len()) && !is_word(site.text, from + body.len());
    (fits && is_random(body)).then_some(Found { start: site.start, end: from + body.len(), grade: Grade::Certain })
}

/// Whether nobody wrote it to stand for one: enough different characters, and not "example".
fn is_random(body: &[u8]) -> bool {
    let mut seen = 0_u128;
    body.iter().for_each(|byte| seen |= 1 << (byte & 127));
    let placeholder =
        body.windows(7).any(|part| part.eq_ignore_ascii_case(b"example") || part.eq_ignore_ascii_case(b"xxxxxxx"));
    seen.count_ones() as usize >= (body.len() / 3).clamp(4, 8) && !placeholder
}

/// Longer prefixes before those that they begin with.
const RULES: &[Rule] = &[
    Rule { vendor: "slack", prefix: "hooks.slack.com/services/", body: Body::Base64, least: 40, most: 100 },
    Rule { vendor: "slack", prefix: "hooks.slack.com/workflows/", body: Body::Base64, least: 40, most: 100 },
    Rule { vendor: "slack", prefix: "hooks.slack.com/triggers/", body: Body::Base64, least: 40, most: 100 },
    Rule { vendor: "aws", prefix: "AKIA", body: Body::Base32, least: 16, most: 16 },
    Rule { vendor: "aws", prefix: "ASIA", body: Body::Base32, least: 16, most: 16 },
    Rule { vendor: "aws", prefix: "ABIA", body: Body::Base32, least: 16, most: 16 },
    Rule { vendor: "aws", prefix: "ACCA", body: Body::Base32, least: 16, most: 16 },
    Rule { vendor: "aws_bedrock", prefix: "ABSK", body: Body::Base64, least: 109, most: 273 },
    Rule { vendor: "github", prefix: "ghp_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "github", prefix: "gho_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "github", prefix: "ghu_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "github", prefix: "ghs_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "github", prefix: "ghr_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "github", prefix: "github_pat_", body: Body::Word, least: 82, most: 82 },
    Rule { vendor: "gitlab", prefix: "glpat-", body: Body::Token, least: 20, most: 300 },
    Rule { vendor: "gitlab", prefix: "gldt-", body: Body::Token, least: 20, most: 20 },
    Rule { vendor: "gitlab", prefix: "glft-", body: Body::Token, least: 20, most: 20 },
    Rule { vendor: "gitlab", prefix: "glffct-", body: Body::Token, least: 20, most: 20 },
    Rule { vendor: "gitlab", prefix: "glptt-", body: Body::Hex, least: 40, most: 40 },
    Rule { vendor: "gitlab", prefix: "glrt-", body: Body::Token, least: 20, most: 300 },
    Rule { vendor: "gitlab", prefix: "glimt-", body: Body::Token, least: 25, most: 25 },
    Rule { vendor: "gitlab", prefix: "glagent-", body: Body::Token, least: 50, most: 50 },
    Rule { vendor: "gitlab", prefix: "gloas-", body: Body::Token, least: 64, most: 64 },
    Rule { vendor: "gitlab", prefix: "glcbt-", body: Body::Token, least: 20, most: 70 },
    Rule { vendor: "gitlab", prefix: "glsoat-", body: Body::Token, least: 20, most: 20 },
    Rule { vendor: "gitlab", prefix: "GR1348941", body: Body::Token, least: 20, most: 20 },
    Rule { vendor: "slack", prefix: "xoxb-", body: Body::Token, least: 20, most: 120 },
    Rule { vendor: "slack", prefix: "xoxp-", body: Body::Token, least: 20, most: 120 },
    Rule { vendor: "slack", prefix: "xoxe-", body: Body::Token, least: 20, most: 200 },
    Rule { vendor: "slack", prefix: "xoxe.xoxb-", body: Body::Token, least: 100, most: 200 },
    Rule { vendor: "slack", prefix: "xoxe.xoxp-", body: Body::Token, least: 100, most: 200 },
    Rule { vendor: "slack", prefix: "xoxa-", body: Body::Token, least: 8, most: 64 },
    Rule { vendor: "slack", prefix: "xoxr-", body: Body::Token, least: 8, most: 64 },
    Rule { vendor: "slack", prefix: "xoxo-", body: Body::Token, least: 16, most: 120 },
    Rule { vendor: "slack", prefix: "xoxs-", body: Body::Token, least: 16, most: 120 },
    Rule { vendor: "slack", prefix: "xapp-", body: Body::Token, least: 20, most: 150 },
    Rule { vendor: "stripe", prefix: "sk_live_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "sk_test_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "sk_prod_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "rk_live_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "rk_test_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "rk_prod_", body: Body::Alphanumeric, least: 10, most: 99 },
    Rule { vendor: "stripe", prefix: "whsec_", body: Body::Alphanumeric, least: 32, most: 64 },
    Rule { vendor: "google", prefix: "AIza", body: Body::Token, least: 35, most: 35 },
    Rule { vendor: "google_oauth", prefix: "ya29.", body: Body::Token, least: 20, most: 2000 },
    Rule { vendor: "google_oauth", prefix: "GOCSPX-", body: Body::Token, least: 28, most: 28 },
    Rule { vendor: "anthropic", prefix: "sk-ant-api03-", body: Body::Token, least: 95, most: 95 },
    Rule { vendor: "anthropic", prefix: "sk-ant-admin01-", body: Body::Token, least: 95, most: 95 },
    Rule { vendor: "openai", prefix: "sk-proj-", body: Body::Token, least: 40, most: 200 },
    Rule { vendor: "openai", prefix: "sk-svcacct-", body: Body::Token, least: 40, most: 200 },
    Rule { vendor: "openai", prefix: "sk-admin-", body: Body::Token, least: 40, most: 200 },
    Rule { vendor: "openai", prefix: "sk-", body: Body::Alphanumeric, least: 48, most: 48 },
    Rule { vendor: "perplexity", prefix: "pplx-", body: Body::Alphanumeric, least: 48, most: 48 },
    Rule { vendor: "huggingface", prefix: "hf_", body: Body::Letters, least: 34, most: 34 },
    Rule { vendor: "huggingface", prefix: "api_org_", body: Body::Letters, least: 34, most: 34 },
    Rule { vendor: "npm", prefix: "npm_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "pypi", prefix: "pypi-AgEIcHlwaS5vcmc", body: Body::Token, least: 50, most: 1000 },
    Rule { vendor: "rubygems", prefix: "rubygems_", body: Body::Hex, least: 48, most: 48 },
    Rule { vendor: "clojars", prefix: "CLOJARS_", body: Body::Alphanumeric, least: 60, most: 60 },
    Rule { vendor: "crates_io", prefix: "cio", body: Body::Alphanumeric, least: 32, most: 32 },
    Rule { vendor: "nuget", prefix: "oy2", body: Body::Lower, least: 43, most: 43 },
    Rule { vendor: "docker", prefix: "dckr_pat_", body: Body::Token, least: 27, most: 27 },
    Rule { vendor: "digitalocean", prefix: "dop_v1_", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "digitalocean", prefix: "doo_v1_", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "digitalocean", prefix: "dor_v1_", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "shopify", prefix: "shpat_", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "shopify", prefix: "shpca_", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "shopify", prefix: "shppa_", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "shopify", prefix: "shpss_", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "sendgrid", prefix: "SG.", body: Body::Dotted, least: 66, most: 66 },
    Rule { vendor: "sendinblue", prefix: "xkeysib-", body: Body::Token, least: 64, most: 90 },
    Rule { vendor: "mailgun", prefix: "key-", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "mailgun", prefix: "pubkey-", body: Body::Hex, least: 32, most: 32 },
    Rule { vendor: "square", prefix: "EAAA", body: Body::Token, least: 56, most: 64 },
    Rule { vendor: "square", prefix: "sq0atp-", body: Body::Token, least: 22, most: 60 },
    Rule { vendor: "square", prefix: "sq0csp-", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "databricks", prefix: "dapi", body: Body::Hex, least: 32, most: 34 },
    Rule { vendor: "doppler", prefix: "dp.pt.", body: Body::Alphanumeric, least: 43, most: 43 },
    Rule { vendor: "duffel", prefix: "duffel_test_", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "duffel", prefix: "duffel_live_", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "dynatrace", prefix: "dt0c01.", body: Body::Dotted, least: 89, most: 89 },
    Rule { vendor: "easypost", prefix: "EZAK", body: Body::Alphanumeric, least: 54, most: 54 },
    Rule { vendor: "easypost", prefix: "EZTK", body: Body::Alphanumeric, least: 54, most: 54 },
    Rule { vendor: "facebook", prefix: "EAAM", body: Body::Alphanumeric, least: 100, most: 400 },
    Rule { vendor: "facebook", prefix: "EAAC", body: Body::Alphanumeric, least: 100, most: 400 },
    Rule { vendor: "flutterwave", prefix: "FLWSECK_TEST-", body: Body::Token, least: 12, most: 34 },
    Rule { vendor: "flutterwave", prefix: "FLWPUBK_TEST-", body: Body::Token, least: 32, most: 34 },
    Rule { vendor: "flyio", prefix: "fo1_", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "flyio", prefix: "fm1r_", body: Body::Base64, least: 100, most: 500 },
    Rule { vendor: "flyio", prefix: "fm1a_", body: Body::Base64, least: 100, most: 500 },
    Rule { vendor: "flyio", prefix: "fm2_", body: Body::Base64, least: 100, most: 800 },
    Rule { vendor: "frameio", prefix: "fio-u-", body: Body::Token, least: 64, most: 64 },
    Rule { vendor: "grafana", prefix: "glc_", body: Body::Base64, least: 32, most: 403 },
    Rule { vendor: "grafana", prefix: "glsa_", body: Body::Word, least: 41, most: 41 },
    Rule { vendor: "grafana", prefix: "eyJrIjoi", body: Body::Base64, least: 70, most: 403 },
    Rule { vendor: "harness", prefix: "pat.", body: Body::Dotted, least: 68, most: 68 },
    Rule { vendor: "harness", prefix: "sat.", body: Body::Dotted, least: 68, most: 68 },
    Rule { vendor: "heroku", prefix: "HRKU-AA", body: Body::Token, least: 58, most: 58 },
    Rule { vendor: "infracost", prefix: "ico-", body: Body::Alphanumeric, least: 32, most: 32 },
    Rule { vendor: "intra42", prefix: "s-s4t2ud-", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "intra42", prefix: "s-s4t2af-", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "linear", prefix: "lin_api_", body: Body::Alphanumeric, least: 40, most: 40 },
    Rule { vendor: "maxmind", prefix: "mmk_", body: Body::Alphanumeric, least: 29, most: 40 },
    Rule { vendor: "newrelic", prefix: "NRJS-", body: Body::Hex, least: 19, most: 19 },
    Rule { vendor: "newrelic", prefix: "NRII-", body: Body::Token, least: 32, most: 32 },
    Rule { vendor: "newrelic", prefix: "NRAK-", body: Body::Alphanumeric, least: 27, most: 27 },
    Rule { vendor: "notion", prefix: "ntn_", body: Body::Alphanumeric, least: 46, most: 46 },
    Rule { vendor: "octopus", prefix: "API-", body: Body::Upper, least: 26, most: 26 },
    Rule { vendor: "openshift", prefix: "sha256~", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "planetscale", prefix: "pscale_tkn_", body: Body::Dotted, least: 32, most: 64 },
    Rule { vendor: "planetscale", prefix: "pscale_oauth_", body: Body::Dotted, least: 32, most: 64 },
    Rule { vendor: "planetscale", prefix: "pscale_pw_", body: Body::Dotted, least: 32, most: 64 },
    Rule { vendor: "postman", prefix: "PMAK-", body: Body::Token, least: 59, most: 59 },
    Rule { vendor: "prefect", prefix: "pnu_", body: Body::Alphanumeric, least: 36, most: 36 },
    Rule { vendor: "pulumi", prefix: "pul-", body: Body::Hex, least: 40, most: 40 },
    Rule { vendor: "readme", prefix: "rdme_", body: Body::Lower, least: 70, most: 70 },
    Rule { vendor: "scalingo", prefix: "tk-us-", body: Body::Token, least: 48, most: 48 },
    Rule { vendor: "sentry", prefix: "sntryu_", body: Body::Hex, least: 64, most: 64 },
    Rule { vendor: "sentry", prefix: "sntrys_", body: Body::Base64, least: 80, most: 500 },
    Rule { vendor: "settlemint", prefix: "sm_aat_", body: Body::Alphanumeric, least: 16, most: 16 },
    Rule { vendor: "settlemint", prefix: "sm_pat_", body: Body::Alphanumeric, least: 16, most: 16 },
    Rule { vendor: "settlemint", prefix: "sm_sat_", body: Body::Alphanumeric, least: 16, most: 16 },
    Rule { vendor: "shippo", prefix: "shippo_live_", body: Body::Hex, least: 40, most: 40 },
    Rule { vendor: "shippo", prefix: "shippo_test_", body: Body::Hex, least: 40, most: 40 },
    Rule { vendor: "sourcegraph", prefix: "sgp_", body: Body::Word, least: 40, most: 60 },
    Rule { vendor: "vault", prefix: "hvs.", body: Body::Token, least: 90, most: 120 },
    Rule { vendor: "vault", prefix: "hvb.", body: Body::Token, least: 138, most: 300 },
    Rule { vendor: "age", prefix: "AGE-SECRET-KEY-1", body: Body::Upper, least: 58, most: 58 },
    Rule { vendor: "1password", prefix: "ops_eyJ", body: Body::Base64, least: 250, most: 2000 },
    Rule { vendor: "1password", prefix: "A3-", body: Body::Token, least: 30, most: 40 },
    Rule { vendor: "alibaba", prefix: "LTAI", body: Body::Alphanumeric, least: 20, most: 20 },
    Rule { vendor: "artifactory", prefix: "AKCp", body: Body::Alphanumeric, least: 69, most: 69 },
    Rule { vendor: "artifactory", prefix: "cmVmd", body: Body::Alphanumeric, least: 59, most: 59 },
    Rule { vendor: "atlassian", prefix: "ATATT3", body: Body::Token, least: 180, most: 200 },
    Rule { vendor: "adobe", prefix: "p8e-", body: Body::Lower, least: 32, most: 32 },
    Rule { vendor: "clickhouse", prefix: "4b1d", body: Body::Alphanumeric, least: 38, most: 38 },
    Rule { vendor: "cloudflare", prefix: "v1.0-", body: Body::Token, least: 171, most: 171 },
    Rule { vendor: "dropbox", prefix: "sl.", body: Body::Token, least: 130, most: 1200 },
    Rule { vendor: "yandex", prefix: "t1.", body: Body::Dotted, least: 90, most: 400 },
    Rule { vendor: "yandex", prefix: "AQVN", body: Body::Token, least: 35, most: 38 },
    Rule { vendor: "supabase", prefix: "sbp_", body: Body::Hex, least: 40, most: 40 },
    Rule { vendor: "figma", prefix: "figd_", body: Body::Token, least: 40, most: 40 },
    Rule { vendor: "tailscale", prefix: "tskey-auth-", body: Body::Token, least: 20, most: 80 },
    Rule { vendor: "tailscale", prefix: "tskey-api-", body: Body::Token, least: 20, most: 80 },
    Rule { vendor: "ngrok", prefix: "ngrok_", body: Body::Token, least: 40, most: 60 },
    Rule { vendor: "resend", prefix: "re_", body: Body::Word, least: 33, most: 36 },
    Rule { vendor: "contentful", prefix: "CFPAT-", body: Body::Token, least: 43, most: 43 },
    Rule { vendor: "dockerhub", prefix: "dckr_oat_", body: Body::Token, least: 32, most: 32 },
    Rule { vendor: "posthog", prefix: "phc_", body: Body::Alphanumeric, least: 43, most: 43 },
    Rule { vendor: "posthog", prefix: "phx_", body: Body::Alphanumeric, least: 43, most: 50 },
    Rule { vendor: "confluent", prefix: "cflt", body: Body::Alphanumeric, least: 60, most: 60 },
    Rule { vendor: "typeform", prefix: "tfp_", body: Body::Dotted, least: 59, most: 59 },
    Rule { vendor: "lob", prefix: "live_pub_", body: Body::Hex, least: 31, most: 31 },
    Rule { vendor: "lob", prefix: "test_pub_", body: Body::Hex, least: 31, most: 31 },
    Rule { vendor: "kubernetes_sa", prefix: "k8s-aws-v1.", body: Body::Token, least: 100, most: 2000 },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sound() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(rule.least <= rule.most && rule.most > 0 && !rule.vendor.is_empty(), "{}", rule.prefix);
            assert!(rule.prefix.len() >= 3, "{}", rule.prefix);
            let twice = RULES[..at].iter().any(|other| other.prefix == rule.prefix);
            assert!(!twice, "{} twice", rule.prefix);
        }
    }
}
