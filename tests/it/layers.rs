//! The structure of the code: a module uses only lower layers, no files use each other in a circle, and each library has its
//! owners.

mod graph;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

use crate::support::files_below;

/// The modules of the crate by layer; a module may use those above it in this table, and itself.
const LAYERS: &[&[&str]] = &[
    &[
        "operation",
        "email",
        "timestamp",
        "clock_skew",
        "reason",
        "snapshot",
        "deadline",
        "diagnosis",
        "label",
        "build_info",
        "document",
        "ongoing_failure",
    ],
    &["clock", "http", "rotation", "systemd"],
    &["config", "exposition", "simulator", "store"],
    &["mx"],
    &["twilio", "registry", "delivery", "sources", "web_config"],
    &["collector"],
    &["reload"],
    &["web", "watch"],
    &["check"],
    &["app"],
    &["cli"],
    // What fuzz targets call; no part of the program.
    &["fuzzing"],
];

/// What the modules of values must not use.
const WITHOUT_CLOCK: &str = "SystemTime::now";

/// A library and the modules that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    (
        "rustls",
        &["http", "twilio", "sources", "web", "web_config"],
    ),
    ("tokio_rustls", &["http", "web"]),
    ("hyper", &["http", "twilio", "sources", "web"]),
    ("h2", &["http", "web"]),
    ("flate2", &["http", "simulator", "web"]),
    ("zstd", &["web"]),
    ("zlib_rs", &["web"]),
    ("tower", &["simulator"]),
    ("tower_service", &["http"]),
    ("http_body_util", &["http"]),
    ("prometheus", &["exposition"]),
    ("maud", &["web"]),
    ("strsim", &["document"]),
    ("tokio_util", &["web", "app"]),
    ("axum", &["web", "simulator", "app", "cli"]),
    ("hyper_util", &["http", "web"]),
    ("listenfd", &["web"]),
    ("sd_notify", &["systemd"]),
    ("clap", &["cli"]),
    ("console", &["watch"]),
    ("indicatif", &["watch"]),
    ("anyhow", &["app", "cli"]),
    ("serde_saphyr", &["document"]),
    ("tracing_subscriber", &["cli"]),
    ("idna", &["email"]),
    ("hickory_resolver", &["mx"]),
    ("jiff", &["timestamp"]),
    ("memchr", &["exposition", "twilio"]),
    ("redb", &["store"]),
    ("bcrypt", &["web_config"]),
    ("x509_cert", &["web_config"]),
];

/// What the simulator may use of the crate: it is written from Twilio's documents, without the client's types.
const SIMULATOR_MAY_USE: &[&str] = &["operation", "timestamp", "simulator"];

/// The maximum number of lines of a source file. A longer one has more than one subject.
const MOST_LINES: usize = 400;

struct Source {
    module: String,
    path: PathBuf,
    /// Without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files_below(&root, "rs") {
        let inside = path.strip_prefix(&root).unwrap();
        let first = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = first.strip_suffix(".rs").unwrap_or(first).to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        found.push(Source { module, path, code });
    }
    assert!(found.len() > 20, "only {} source files found", found.len());
    found
}

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|layer| layer.contains(&module));
    found.unwrap_or_else(|| {
        panic!("module `{module}` has no layer; give it one in tests/it/layers.rs")
    })
}

/// The modules that follow `crate::` in `code`, those inside braces included.
fn used(code: &str) -> Vec<String> {
    names_after(code, "crate::")
}

/// The names that follow `prefix` in `code`, those inside braces included.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':')) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let list = rest.strip_prefix('{').map_or(rest, |inner| {
            &inner[..inner.find('}').unwrap_or(inner.len())]
        });
        let paths: Vec<&str> = if rest.starts_with('{') {
            list.split(',').collect()
        } else {
            vec![rest]
        };
        for path in paths {
            let name: String = path
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

#[test]
fn a_module_uses_only_lower_layers() {
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !["lib", "main"].contains(&source.module.as_str()))
    {
        for name in used(&source.code) {
            let is_self = name == source.module;
            let same_values = layer(&name) == 0 && layer(&source.module) == 0;
            if !is_self && !same_values && layer(&name) >= layer(&source.module) {
                wrong.push(format!(
                    "{}: `{}` uses `{name}`",
                    source.path.display(),
                    source.module
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_library_is_named_by_its_owners_alone() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (library, owners) in OWNERS {
            if source.code.contains(&format!("{library}::"))
                && !owners.contains(&source.module.as_str())
            {
                wrong.push(format!(
                    "{}: names `{library}`, which belongs to {owners:?}",
                    source.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_simulator_does_not_use_the_clients_types() {
    for source in sources()
        .iter()
        .filter(|source| source.module == "simulator")
    {
        for name in used(&source.code) {
            assert!(
                SIMULATOR_MAY_USE.contains(&name.as_str()),
                "{}: uses `{name}`",
                source.path.display()
            );
        }
    }
}

#[test]
fn the_time_of_day_is_read_in_one_place() {
    for source in sources() {
        let reads = source.code.contains(WITHOUT_CLOCK);
        assert!(
            !reads || source.module == "clock",
            "{} reads the time of day",
            source.path.display()
        );
    }
}

#[test]
fn paths_inside_braces_are_found() {
    assert_eq!(
        used("use crate::{app, web::router};\nlet x = crate::config::Y; my_crate::z()"),
        ["app", "web", "config"]
    );
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: Vec<(String, String)> = sources()
        .into_iter()
        .filter(|source| source.module != "main")
        .map(|source| {
            let inside = source.path.strip_prefix(&root).unwrap();
            (inside.to_str().unwrap().to_owned(), source.code)
        })
        .collect();
    let graph = Graph::of(sources.iter().map(|(name, code)| (&name[..], &code[..])));
    let edges: usize = graph.edges.values().map(BTreeSet::len).sum();
    assert!(edges > 3 * sources.len() / 2, "only {edges} uses found");
    let circles: Vec<String> = graph
        .circles()
        .into_iter()
        .map(|circle| format!("{} -> {}", circle.join(" -> "), circle[0]))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn circles_are_found_by_the_file_that_defines_a_name() {
    let circles = |files: &[(&str, &str)]| -> Vec<String> {
        let graph = Graph::of(files.iter().copied());
        let circles = graph.circles();
        circles.iter().map(|circle| circle.join(" -> ")).collect()
    };
    // `b` uses `C` through the re-export of `mod.rs`, which takes no part itself.
    let through = [
        ("lib.rs", "pub mod m;"),
        (
            "m/mod.rs",
            "mod a; mod b; pub use a::{A, inner::{self, C as D}};",
        ),
        (
            "m/a.rs",
            "use super::b; fn f() { b::g() } pub struct A; pub mod inner { pub struct C; }",
        ),
        ("m/b.rs", "use crate::{m::{D, E}}; pub fn g() {}"),
    ];
    assert_eq!(circles(&through), ["m/a.rs -> m/b.rs"]);
    // A module that is imported and not used, a comment, a string and tests are no uses.
    let apart = [
        ("lib.rs", "pub mod a; pub mod b;"),
        ("a.rs", "use crate::b::B; const C: &str = \"crate::b::B\";"),
        (
            "b.rs",
            "pub struct B; // crate::a::A\nuse super::a; mod tests { use super::a::A; }",
        ),
    ];
    assert_eq!(circles(&apart), [""; 0]);
    // A `mod.rs` with code of its own is a file like others; three are a circle as well.
    let three = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod c; pub struct A; fn f() { self::c::g() }"),
        ("a/c.rs", "pub fn g() -> super::super::b::B { 'x'; '\\''; }"),
        ("b.rs", "use crate::a; pub struct B(a::A);"),
    ];
    assert_eq!(circles(&three), ["a/c.rs -> b.rs -> a/mod.rs"]);
}

#[test]
fn no_source_file_exceeds_the_line_limit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].map(|folder| files_below(&root.join(folder), "rs"));
    let mut long = Vec::new();
    for path in files.iter().flatten() {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        if lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
