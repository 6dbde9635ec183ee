//! The numbers of the last run in the text format of Prometheus, for node_exporter's textfile
//! collector: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use crate::config::Mapping;
use crate::error::{Exit, Result};
use crate::record::Totals;
use crate::store::{LetterFilter, LetterState, RunFilter, Store};

/// How the command ended that the numbers are told after.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its exit code.
    pub exit: Exit,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// When it ended, nanoseconds since 1970.
    pub at_ns: i64,
}

/// What is known of one route.
#[derive(Clone, Debug, Default)]
struct Numbers {
    route: String,
    enabled: bool,
    exit: Option<u8>,
    seconds: Option<f64>,
    last_success_ns: Option<i64>,
    last_start_ns: Option<i64>,
    letters: u64,
    totals: Totals,
    runs: u64,
}

/// The whole file: every route of the project, whether it ran this time or not, so that replacing
/// the file forgets none.
///
/// # Errors
/// If the state cannot be read.
pub fn metrics(mappings: &[Mapping], store: Option<&Store>, ended: &Ended) -> Result<String> {
    let mut routes = Vec::new();
    for mapping in mappings {
        let route = mapping.name.value.clone();
        let Some(store) = store else { continue };
        let state = store.route(&route)?;
        let last = store.runs(&RunFilter { route: Some(route.clone()), limit: 1, ..RunFilter::default() })?.pop();
        let filter =
            LetterFilter { route: Some(route.clone()), states: vec![LetterState::Open], ..LetterFilter::default() };
        let (runs, totals) = store.run_sums(&route)?;
        routes.push(Numbers {
            enabled: state.enabled,
            exit: last.as_ref().and_then(|run| run.exit),
            seconds: last.as_ref().and_then(|run| Some((run.ended_ns? - run.started_ns) as f64 / 1e9)),
            last_success_ns: state.last_success_ns,
            last_start_ns: state.last_start_ns,
            letters: store.count_dead_letters(&filter)?,
            totals,
            runs,
            route,
        });
    }
    Ok(text(&routes, ended))
}

fn text(routes: &[Numbers], ended: &Ended) -> String {
    let mut out = Text(String::new());
    let seconds = |ns: i64| ns as f64 / 1e9;
    out.family("consign_build_info", "gauge", "The version of consign that wrote this file.");
    out.sample("consign_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    out.family("consign_run_exit_code", "gauge", "Exit code of the last sync run; 0 is success.");
    out.sample("consign_run_exit_code", &[], f64::from(ended.exit.number()));
    out.family("consign_run_duration_seconds", "gauge", "Duration of the last sync run.");
    out.sample("consign_run_duration_seconds", &[], ended.seconds);
    out.family("consign_run_end_timestamp_seconds", "gauge", "When the last sync run ended, seconds since 1970.");
    out.sample("consign_run_end_timestamp_seconds", &[], seconds(ended.at_ns));
    let mut each = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Numbers) -> Option<f64>| {
        out.family(name, kind, help);
        for of in routes {
            if let Some(value) = value(of) {
                out.sample(name, &[("route", &of.route)], value);
            }
        }
    };
    each("consign_route_enabled", "gauge", "Whether the route may run.", &|of| Some(f64::from(u8::from(of.enabled))));
    each("consign_route_exit_code", "gauge", "Exit code of the route's last run; 0 is success.", &|of| {
        of.exit.map(f64::from)
    });
    each("consign_route_duration_seconds", "gauge", "Duration of the route's last run.", &|of| of.seconds);
    each(
        "consign_route_last_start_timestamp_seconds",
        "gauge",
        "When the route's last run began, seconds since 1970.",
        &|of| of.last_start_ns.map(seconds),
    );
    each(
        "consign_route_last_success_timestamp_seconds",
        "gauge",
        "When a run of the route last did everything, seconds since 1970; time() minus this is its age.",
        &|of| of.last_success_ns.map(seconds),
    );
    each("consign_route_dead_letters_open", "gauge", "Dead letters of the route that wait.", &|of| {
        Some(of.letters as f64)
    });
    each("consign_route_runs_total", "counter", "Runs of the route that are on record.", &|of| Some(of.runs as f64));
    each("consign_route_read_bytes_total", "counter", "Bytes read by all runs of the route.", &|of| {
        Some(of.totals.bytes_read as f64)
    });
    let name = "consign_route_records_total";
    out.family(name, "counter", "Records of all runs of the route, by what became of them.");
    for of in routes {
        let t = &of.totals;
        for (outcome, number) in [
            ("read", t.read),
            ("filtered", t.filtered),
            ("rejected", t.rejected),
            ("withheld", t.withheld),
            ("written", t.written),
            ("unchanged", t.unchanged),
            ("deleted", t.deleted),
            ("refused", t.refused),
        ] {
            out.sample(name, &[("route", &of.route), ("outcome", outcome)], number as f64);
        }
    }
    out.0
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                format!("{name}=\"{value}\"")
            })
            .collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.0.push_str(&format!("{name}{labels} {value}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample: name, labels, value.
    type Sample = (String, Vec<(String, String)>, f64);

    /// A strict reader of the format: every sample belongs to the family declared before it, names
    /// and labels are well formed, no sample and no family comes twice, counters end in `_total`.
    fn parse(text: &str) -> Vec<Sample> {
        let name_ok = |name: &str, colon: bool| {
            !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':'))
        };
        assert!(text.ends_with('\n'), "the last line is not ended");
        let (mut samples, mut families): (Vec<Sample>, Vec<(String, String)>) = (Vec::new(), Vec::new());
        let mut help: Option<String> = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, about) = rest.split_once(' ').expect("a help text");
                assert!(!about.is_empty() && help.is_none());
                help = Some(name.to_string());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a type");
                assert_eq!(help.take().as_deref(), Some(name), "HELP goes before TYPE");
                assert!(matches!(kind, "counter" | "gauge") && name_ok(name, true), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(families.iter().all(|(known, _)| known != name), "{name} twice");
                families.push((name.to_string(), kind.to_string()));
            } else {
                let end = line.find(['{', ' ']).expect("a value");
                let (name, mut rest) = line.split_at(end);
                assert_eq!(families.last().map(|(name, _)| name.as_str()), Some(name), "outside of its family: {line}");
                let mut labels = Vec::new();
                if let Some(inside) = rest.strip_prefix('{') {
                    rest = inside;
                    loop {
                        let (label, quoted) = rest.split_once("=\"").expect("a label");
                        assert!(name_ok(label, false), "{line}");
                        let (mut value, mut escaped, mut close) = (String::new(), false, None);
                        for (at, c) in quoted.char_indices() {
                            match (escaped, c) {
                                (true, 'n') => value.push('\n'),
                                (true, '\\' | '"') => value.push(c),
                                (true, other) => panic!("\\{other} in {line}"),
                                (false, '\\') => {}
                                (false, '"') => {
                                    close = Some(at);
                                    break;
                                }
                                (false, c) => value.push(c),
                            }
                            escaped = !escaped && c == '\\';
                        }
                        labels.push((label.to_string(), value));
                        rest = &quoted[close.expect("a closing quote") + 1..];
                        match rest.strip_prefix(',') {
                            Some(more) => rest = more,
                            None => break,
                        }
                    }
                    rest = rest.strip_prefix('}').expect("a closing brace");
                }
                let value = rest.strip_prefix(' ').expect("one blank").parse::<f64>().expect("a number");
                assert!(samples.iter().all(|(n, l, _)| n != name || *l != labels), "twice: {line}");
                samples.push((name.to_string(), labels, value));
            }
        }
        assert!(help.is_none());
        samples
    }

    #[test]
    fn the_file_is_well_formed_whatever_a_route_is_called() {
        let odd = "a\"b\\c\nd é";
        let totals = Totals { read: 12, written: 9, rejected: 3, ..Totals::default() };
        let routes = [
            Numbers {
                route: odd.into(),
                enabled: true,
                exit: Some(5),
                totals,
                letters: 3,
                runs: 2,
                ..Numbers::default()
            },
            Numbers { route: "never".into(), enabled: true, ..Numbers::default() },
        ];
        let ended = Ended { exit: Exit::Partial, seconds: 1.25, at_ns: 1_700_000_000_500_000_000 };
        let samples = parse(&text(&routes, &ended));
        let value = |name: &str, labels: &[(&str, &str)]| {
            let found = samples.iter().find(|(n, l, _)| {
                n == name && l.iter().map(|(a, b)| (a.as_str(), b.as_str())).eq(labels.iter().copied())
            });
            found.map(|(.., value)| *value)
        };
        assert_eq!(value("consign_run_exit_code", &[]), Some(5.0));
        assert_eq!(value("consign_run_end_timestamp_seconds", &[]), Some(1_700_000_000.5));
        assert_eq!(value("consign_route_exit_code", &[("route", odd)]), Some(5.0));
        assert_eq!(value("consign_route_exit_code", &[("route", "never")]), None, "a route that never ran has none");
        assert_eq!(value("consign_route_records_total", &[("route", odd), ("outcome", "rejected")]), Some(3.0));
        assert_eq!(value("consign_route_dead_letters_open", &[("route", odd)]), Some(3.0));
    }
}
