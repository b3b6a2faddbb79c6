//! Which source file uses which, read from the paths in the code, and the circles among them.
//!
//! A path that begins with `crate::`, `super::`, `self::`, a child module or an imported name leads to the file that defines its
//! item. A name that a module only imports or re-exports (`pub use`) leads on to where it is defined, so a `mod.rs` that
//! declares and re-exports takes no part in circles; one with code of its own is a file like any other. Importing a module
//! (`use super::list`) uses nothing yet, `list::page` does. A glob (`use super::*`) uses the file of that module. Modules named
//! `tests` are left out: a unit test may use whatever it needs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A chain of re-exports is not longer than this; it ends one that leads back to itself.
const LONGEST_CHAIN: usize = 10;

type Path = Vec<String>;

/// The files of a crate, by their names relative to its `src`.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) edges: BTreeMap<String, BTreeSet<String>>,
}

/// A file, with the names and paths in it.
struct File {
    name: String,
    /// Of each module in it, what its `use` statements import.
    imports: Vec<Import>,
    /// Other paths, made absolute.
    paths: Vec<Path>,
    /// Every word outside `use` statements.
    words: BTreeSet<String>,
}

struct Import {
    /// The module that contains it.
    inside: Path,
    /// The name there; `*` for a glob.
    name: String,
    target: Path,
    exported: bool,
}

impl Graph {
    /// The graph of `sources`: names relative to `src`, and texts.
    pub(crate) fn of<'a>(sources: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let mut modules = BTreeMap::new();
        for (name, text) in sources.clone() {
            let mut reader = Reader::new(name, text);
            reader.read();
            for module in reader.modules {
                modules.insert(module, name.to_owned());
            }
        }
        let files: Vec<File> = sources
            .map(|(name, text)| {
                let mut reader = Reader::new(name, text);
                reader.read();
                reader.finish(&modules)
            })
            .collect();
        let mut imports = BTreeMap::new();
        for import in files.iter().flat_map(|file| &file.imports) {
            let key = [&import.inside[..], std::slice::from_ref(&import.name)].concat();
            imports.insert(key, import.target.clone());
        }
        let resolve = |path: &Path| resolve(path, &modules, &imports);
        let mut edges = BTreeMap::new();
        for file in &files {
            let used = file.imports.iter().filter(|import| {
                !import.exported || file.words.contains(&import.name) || import.name == "*"
            });
            let paths = used.map(|import| &import.target).chain(&file.paths);
            let mut targets: BTreeSet<String> = paths.filter_map(resolve).collect();
            targets.remove(&file.name);
            edges.insert(file.name.clone(), targets);
        }
        Self { edges }
    }

    /// For each file that uses itself by way of others, the shortest way round; each circle once.
    pub(crate) fn circles(&self) -> BTreeSet<Vec<String>> {
        let mut circles = BTreeSet::new();
        for start in self.edges.keys() {
            if let Some(mut circle) = self.way_back(start) {
                let first = (0..circle.len()).min_by_key(|at| &circle[*at]).unwrap_or(0);
                circle.rotate_left(first);
                circles.insert(circle);
            }
        }
        circles
    }

    fn way_back(&self, start: &str) -> Option<Vec<String>> {
        let mut from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(file) = queue.pop_front() {
            for next in self.edges.get(file).into_iter().flatten() {
                if next == start {
                    let mut way = vec![file.to_owned()];
                    while let Some(before) = from.get(way.last()?.as_str()) {
                        way.push(String::from(*before));
                    }
                    way.reverse();
                    return Some(way);
                }
                if !from.contains_key(next.as_str()) {
                    from.insert(next, file);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// The file that defines what `path` names; none for a module and for what is no part of the crate.
fn resolve(
    path: &Path,
    modules: &BTreeMap<Path, String>,
    imports: &BTreeMap<Path, Path>,
) -> Option<String> {
    let mut path = path.clone();
    for _ in 0..LONGEST_CHAIN {
        let deepest = (0..=path.len())
            .rev()
            .find(|length| modules.contains_key(&path[..*length]))?;
        if deepest == path.len() {
            return None;
        }
        match imports.get(&path[..=deepest]) {
            Some(target) => path = [&target[..], &path[deepest + 1..]].concat(),
            None => return modules.get(&path[..deepest]).cloned(),
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Then,
    Other(char),
}

/// Reads one file: its modules first, and what they use once all modules of the crate are known.
struct Reader<'a> {
    name: &'a str,
    tokens: Vec<Token<'a>>,
    /// Those that this file defines, its own first.
    modules: Vec<Path>,
    /// With the module that contains them; `bool`: re-exported.
    uses: Vec<(Path, Vec<String>, String, bool)>,
    paths: Vec<(Path, Vec<String>)>,
    words: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &'a str) -> Self {
        let path = name.trim_end_matches(".rs").split('/').map(str::to_owned);
        let mut module: Path = path.collect();
        if module
            .last()
            .is_some_and(|last| last == "mod" || last == "lib")
        {
            module.pop();
        }
        Self {
            name,
            tokens: tokens(text),
            modules: vec![module],
            uses: Vec::new(),
            paths: Vec::new(),
            words: BTreeSet::new(),
        }
    }

    fn read(&mut self) {
        use Token::{Other, Then, Word};
        let mut module = self.modules[0].clone();
        let mut depth = 0;
        let mut inline = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            match self.tokens[at..] {
                [Word("mod"), Word(name), Other('{'), ..] => {
                    inline.push(depth);
                    module.push(name.to_owned());
                    self.modules.push(module.clone());
                    depth += 1;
                    at += 3;
                    continue;
                }
                [Other('{'), ..] => depth += 1,
                [Other('}'), ..] => {
                    depth -= 1;
                    if inline.last() == Some(&depth) {
                        inline.pop();
                        module.pop();
                    }
                }
                [Word("use"), Word(_), ..] => {
                    let exported = matches!(
                        self.tokens[..at],
                        [.., Word("pub")] | [.., Other('('), Word(_), Other(')')]
                    );
                    at += 1;
                    self.tree(&mut at, &module, &[], exported);
                    continue;
                }
                [Word(head), Then, Word(_), ..] => {
                    let mut path = vec![head.to_owned()];
                    self.words.insert(head.to_owned());
                    while let [Then, Word(next), ..] = self.tokens[at + 1..] {
                        path.push(next.to_owned());
                        at += 2;
                    }
                    self.paths.push((module.clone(), path));
                }
                [Word(word), ..] => {
                    self.words.insert(word.to_owned());
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads one tree of a `use` statement, up to what ends it.
    fn tree(&mut self, at: &mut usize, module: &Path, before: &[String], exported: bool) {
        let mut path = before.to_vec();
        let mut name = None;
        while let Some(token) = self.tokens.get(*at).copied() {
            match token {
                Token::Word("as") => {
                    if let Some(Token::Word(alias)) = self.tokens.get(*at + 1) {
                        name = Some((*alias).to_owned());
                    }
                    *at += 1;
                }
                Token::Word(word) => path.push(word.to_owned()),
                Token::Then => {}
                Token::Other('*') => path.push("*".to_owned()),
                Token::Other('{') => {
                    while self
                        .tokens
                        .get(*at)
                        .is_some_and(|t| *t != Token::Other('}'))
                    {
                        *at += 1;
                        self.tree(at, module, &path, exported);
                    }
                    *at += 1;
                    return;
                }
                Token::Other(_) => break,
            }
            *at += 1;
        }
        // `use a::{self}` imports `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if path.len() > before.len() || path == before && !path.is_empty() {
            let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
            self.uses.push((module.clone(), path, name, exported));
        }
    }

    fn finish(self, modules: &BTreeMap<Path, String>) -> File {
        let counts = |inside: &Path| !inside.iter().any(|module| module == "tests");
        let mut imports: Vec<Import> = Vec::new();
        for (inside, path, name, exported) in &self.uses {
            if !counts(inside) {
                continue;
            }
            if let Some(target) = absolute(path, inside, modules, &[]) {
                imports.push(Import {
                    inside: inside.clone(),
                    name: name.clone(),
                    target,
                    exported: *exported,
                });
            }
        }
        let paths = self.paths.iter().filter(|(inside, _)| counts(inside));
        let paths = paths.filter_map(|(inside, path)| absolute(path, inside, modules, &imports));
        File {
            name: self.name.to_owned(),
            paths: paths.collect(),
            imports,
            words: self.words,
        }
    }
}

/// `path`, written in the module `inside`, from the root of the crate; none if it leads out of it.
fn absolute(
    path: &[String],
    inside: &Path,
    modules: &BTreeMap<Path, String>,
    imports: &[Import],
) -> Option<Path> {
    let (head, rest) = path.split_first()?;
    let mut base = match head.as_str() {
        "crate" => Vec::new(),
        "self" => inside.clone(),
        "super" => inside.split_last()?.1.to_vec(),
        name => {
            let child = [&inside[..], &[name.to_owned()]].concat();
            let import = imports.iter().find(|import| import.name == name);
            if modules.contains_key(&child) {
                child
            } else {
                import?.target.clone()
            }
        }
    };
    let mut rest = rest;
    while let [first, others @ ..] = rest
        && first == "super"
    {
        base.pop();
        rest = others;
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// The words and signs of `text`, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r\"") || rest.starts_with("r#\"") {
            let marks = &rest[1..rest.find('"').unwrap_or(rest.len())];
            let end = format!("\"{marks}");
            let begin = 2 + marks.len();
            let inner = rest[begin..].find(&end).unwrap_or(rest.len() - begin);
            (begin + inner + end.len()).min(rest.len())
        } else if first == '"' {
            quoted(rest)
        } else if rest.starts_with("'\\") {
            3 + rest[3..].find('\'').unwrap_or(0) + 1
        } else if first == '\'' && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at)
        } else if rest.starts_with("::") {
            tokens.push(Token::Then);
            2
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..end]));
            end
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Other(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the string that `text` begins with, quotes included.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}
