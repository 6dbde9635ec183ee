//! Streams of packs through the whole program: killed at each step of a run, what a far side gave is in
//! the target once, and a job that was ordered is not ordered again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::support::consign;

const POINTS: &[&str] =
    &["before_intent", "after_intent", "mid_write", "after_write", "inside_settle", "after_settle", "after_finish"];

/// Records that the far side has.
const ALL: usize = 230;

/// A far side that answers by method, path and query, and what it was asked.
struct Far {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Far {
    fn start(
        act: impl Fn(&str, &str, &dyn Fn(&str) -> Option<String>) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, act) = (Arc::clone(&asked), Arc::new(act));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, act) = (Arc::clone(&seen), Arc::clone(&act));
                std::thread::spawn(move || serve(&stream, &seen, &*act));
            }
        });
        Self { port, asked }
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|line| line.starts_with(what)).count()
    }
}

type Act = dyn Fn(&str, &str, &dyn Fn(&str) -> Option<String>) -> (u16, String);

fn serve(stream: &TcpStream, seen: &Mutex<Vec<String>>, act: &Act) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            match header.trim().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?
                }
                Some(_) => {}
                None => break,
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        seen.lock().unwrap().push(format!("{method} {target}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let get = |name: &str| {
            let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name);
            found.map(|(_, value)| value.replace("%3A", ":"))
        };
        let (status, body) = act(method, path, &get);
        let mut out = stream;
        write!(
            out,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
    }
}

/// Records: ten share each second.
fn record(id: usize) -> Json {
    json!({ "id": id, "at": format!("2026-01-01T00:{:02}:{:02}Z", id / 600, id / 10 % 60), "name": format!("thing {id}") })
}

fn far() -> Far {
    Far::start(|method, path, get| match (method, path) {
        ("GET", "/changes") => {
            let since = get("since").unwrap_or_default();
            let all: Vec<Json> =
                (0..ALL).map(record).filter(|record| record["at"].as_str() >= Some(since.as_str())).collect();
            let from = get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
            let to = (from + 17).min(all.len());
            (200, json!({ "items": all[from..to], "next": (to < all.len()).then_some(to) }).to_string())
        }
        ("GET", "/list") => {
            let page: usize = get("page").and_then(|text| text.parse().ok()).unwrap_or(1);
            let items: Vec<Json> = ((page - 1) * 20..(page * 20).min(ALL)).map(record).collect();
            (200, json!(items).to_string())
        }
        ("POST", "/jobs") => (202, json!({ "id": "j1" }).to_string()),
        ("GET", "/jobs/j1") => (200, json!({ "state": "done", "files": [0, 1, 2, 3, 4] }).to_string()),
        ("DELETE", "/jobs/j1") => (204, String::new()),
        ("GET", path) if path.starts_with("/files/") => {
            let part: usize = path[7..].parse().unwrap();
            let lines: Vec<String> =
                (part * ALL / 5..(part + 1) * ALL / 5).map(|id| format!("{}\n", record(id))).collect();
            (200, lines.concat())
        }
        _ => (404, String::new()),
    })
}

const STREAMS: &str = r#"
        changes:
          key: id
          fields: { id: int, at: string, name: string }
          read:
            path: /changes
            records: items
            pages: { kind: token, next: answer.body.next, send: { query: after } }
            cursor: { field: at, order: ascending, send: { query: since } }
        list:
          key: id
          fields: { id: int, at: string, name: string }
          read:
            path: /list
            pages: { kind: page, send: { query: page }, size: 20 }
        export:
          key: id
          fields: { id: int, at: string, name: string }
          read:
            path: "/files/{{ job.part }}"
            format: ndjson
            job:
              submit: { method: POST, path: /jobs, capture: { id: "{{ answer.body.id }}" } }
              poll: { path: "/jobs/{{ job.id }}", done: 'answer.body.state == "done"', capture: { files: "{{ answer.body.files }}" }, every: 1s }
              parts: job.files
              clean: { method: DELETE, path: "/jobs/{{ job.id }}" }
"#;

struct Project {
    folder: tempfile::TempDir,
    append: bool,
}

impl Project {
    fn new(far: &Far, stream: &str, append: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("mappings")).unwrap();
        let out = match append {
            true => "use: file\n    streams:\n      items: { path: out.ndjson, format: ndjson }",
            false => "use: sqlite\n    with: { path: out.db, busy_timeout: 0 }",
        };
        let connectors = format!(
            "version: 1\nconnectors:\n  far:\n    definition:\n      pack: far\n      about: \"A far side.\"\n      transport: {{ base: \"http://127.0.0.1:{}\" }}\n      streams:{STREAMS}  out:\n    {out}\n",
            far.port
        );
        std::fs::write(folder.path().join("connectors.yaml"), connectors).unwrap();
        let sync = if append { "mode: append" } else { "mode: upsert\n  key: [id]" };
        let mapping = format!(
            "version: 1\nname: items\nfrom: far.{stream}\nto: out.items\nsync:\n  {sync}\n  batch: {{ records: 50 }}\nfields:\n  - {{ target: id, source: id, required: true }}\n  - {{ target: name, source: name }}\n"
        );
        std::fs::write(folder.path().join("mappings/items.yaml"), mapping).unwrap();
        if !append {
            let database = rusqlite::Connection::open(folder.path().join("out.db")).unwrap();
            database.execute_batch("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)").unwrap();
        }
        Self { folder, append }
    }

    fn run(&self, point: Option<String>) -> Output {
        let mut command = consign(self.folder.path());
        command.args(["sync", "run", "items"]).stdin(Stdio::null());
        if let Some(point) = point {
            command.env("CONSIGN_FAILPOINT", point);
        }
        command.output().unwrap()
    }

    fn must(&self, context: &str) -> String {
        let output = self.run(None);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{context}\n{said}");
        said
    }

    fn delivered(&self) -> Vec<i64> {
        let mut ids = match self.append {
            true => lines(&self.folder.path().join("out.ndjson")),
            false => {
                let database = rusqlite::Connection::open(self.folder.path().join("out.db")).unwrap();
                let mut asked = database.prepare("SELECT id FROM items").unwrap();
                asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
        };
        ids.sort_unstable();
        ids
    }
}

fn lines(path: &Path) -> Vec<i64> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["id"].as_i64().unwrap()).collect()
}

#[test]
fn killed_at_each_point_everything_is_there_once() {
    let wanted: Vec<i64> = (0..ALL as i64).collect();
    for (stream, append) in
        [("changes", true), ("changes", false), ("list", false), ("export", true), ("export", false)]
    {
        for point in POINTS {
            for nth in [1, 2] {
                let context = format!("{stream}, append {append}, killed {point} for the {nth}. time");
                let far = far();
                let project = Project::new(&far, stream, append);
                let killed = project.run(Some(format!("{point}:{nth}")));
                let once = matches!(*point, "after_settle" | "after_finish");
                assert!(once && nth > 1 || killed.status.code().is_none(), "{context}: the point was not reached");
                project.must(&context);
                assert_eq!(project.delivered(), wanted, "{context}");
                let settled = matches!(*point, "after_settle" | "after_finish");
                if stream == "export" && !settled {
                    assert_eq!(far.asked("POST /jobs"), 1, "{context}: the job was ordered again");
                }
            }
        }
    }
}

#[test]
fn what_is_new_comes_once_and_bounds_are_asked_for() {
    let far = far();
    let project = Project::new(&far, "changes", false);
    project.must("first");
    let before = far.asked("GET /changes");
    let again = project.must("again");
    assert!(
        far.asked("GET /changes") > before && far.asked("GET /changes?since=2026-01-01T00%3A00%3A22Z") == 1,
        "{again}"
    );
    let output = {
        let mut command = consign(project.folder.path());
        command.args(["sync", "run", "items", "--since", "2026-01-01T00:00:20Z", "--until", "2026-01-01T00:00:21Z"]);
        command.output().unwrap()
    };
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(project.delivered().len(), ALL);
    let mut command = consign(project.folder.path());
    command.args([
        "sync",
        "state",
        "set",
        "items",
        "changes",
        "--cursor",
        "2026-01-01T00:00:10Z",
        "--reason",
        "a test",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    project.must("from a point");
    assert!(far.asked("GET /changes?since=2026-01-01T00%3A00%3A10Z") >= 1, "it begins at the point that was set");
}
