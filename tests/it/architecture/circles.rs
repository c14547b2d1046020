//! Which source file names which: every path in the code (`use`, calls, types) is followed through the modules it goes
//! through to the last one, whose file is what is imported.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Of each file below `src`, the files it imports, each with a path that does.
pub type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// What of Rust's text matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Colons,
    Sign(char),
}

/// Reads the crate whose root is `lib.rs` in this folder. A path through the variable `$stem` of a macro goes to each of
/// `stems`.
pub fn graph(src: &Path, stems: &[&str]) -> Graph {
    let mut crate_ = Crate { src, modules: BTreeMap::new(), tokens: BTreeMap::new() };
    crate_.walk(&[], "lib.rs");
    let mut graph = Graph::new();
    for (module, file) in &crate_.modules {
        let imports = graph.entry(file.clone()).or_default();
        for (from, path) in paths(&crate_.tokens[file]) {
            let at: Vec<String> = module.iter().cloned().chain(from).collect();
            for path in of_each(stems, path) {
                if let Some(named) = crate_.resolve(&at, &path).filter(|named| named != file) {
                    imports.entry(named).or_insert_with(|| path.join("::"));
                }
            }
        }
    }
    graph
}

/// A path, or one for each of `stems` in place of `$stem`.
fn of_each(stems: &[&str], path: Vec<String>) -> Vec<Vec<String>> {
    let Some(at) = path.iter().position(|name| name == "$stem") else { return vec![path] };
    let with = |stem: &&str| {
        let mut path = path.clone();
        (*stem).clone_into(&mut path[at]);
        path
    };
    stems.iter().map(with).collect()
}

/// Every circle of a graph: files of which each comes to each other by imports.
pub fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            for to in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to.clone()) {
                    next.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|file| (file, reach(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reaches) in &reached {
        if reaches.contains(*file) {
            let back = |to: &&String| reached.get(to).is_some_and(|reaches| reaches.contains(*file));
            circles.insert(reaches.iter().filter(back).cloned().collect::<BTreeSet<_>>());
        }
    }
    circles.into_iter().collect()
}

struct Crate<'a> {
    src: &'a Path,
    modules: BTreeMap<Vec<String>, String>,
    tokens: BTreeMap<String, Vec<Token>>,
}

impl Crate<'_> {
    /// Reads a module's file and those that it declares.
    fn walk(&mut self, module: &[String], file: &str) {
        let tokens = tokens(&fs::read_to_string(self.src.join(file)).unwrap());
        for (child, named) in declared(&tokens, || self.beside(module)) {
            let path: Vec<String> = module.iter().cloned().chain([child]).collect();
            let beside = |name| Path::new(file).parent().unwrap().join(name).to_str().unwrap().to_owned();
            let found = named.map_or_else(
                || {
                    let stem = path.join("/");
                    let flat = format!("{stem}.rs");
                    if self.src.join(&flat).is_file() { flat } else { format!("{stem}/mod.rs") }
                },
                beside,
            );
            self.walk(&path, &found);
        }
        self.modules.insert(module.to_vec(), file.to_owned());
        self.tokens.insert(file.to_owned(), tokens);
    }

    /// The names of the files in a module's folder.
    fn beside(&self, module: &[String]) -> Vec<String> {
        let files = fs::read_dir(self.src.join(module.join("/"))).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
            .filter(|stem| stem != "mod")
            .collect()
    }

    /// The file of the last module that a path goes through, seen from a module; `None`: it is none of the crate's.
    fn resolve(&self, from: &[String], path: &[String]) -> Option<String> {
        let (mut base, mut rest) = (from.to_vec(), path);
        match path.first()?.as_str() {
            "crate" | "benefactor" => (base, rest) = (vec![], &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            first => {
                base.push(first.to_owned());
                if !self.modules.contains_key(&base) {
                    return None;
                }
                base.pop();
            }
        }
        while let Some((first, others)) = rest.split_first() {
            if first == "super" {
                base.pop();
            } else {
                base.push(first.clone());
                if !self.modules.contains_key(&base) {
                    base.pop();
                    break;
                }
            }
            rest = others;
        }
        // A module within a file is the file's.
        while !self.modules.contains_key(&base) {
            base.pop();
        }
        self.modules.get(&base).cloned()
    }
}

/// The modules that a file declares as files, with the file where one is named. A macro that declares `$some` declares
/// those that are in the folder and are declared by nobody else.
fn declared(tokens: &[Token], beside: impl Fn() -> Vec<String>) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut named = None;
    for (at, token) in tokens.iter().enumerate() {
        match (token, tokens.get(at + 1), tokens.get(at + 2)) {
            (Token::Name(path), Some(Token::Sign('=')), Some(Token::Text(text))) if path == "path" => {
                named = Some(text.clone());
            }
            (Token::Name(word), Some(Token::Name(name)), Some(Token::Sign(';'))) if word == "mod" => {
                found.push((name.clone(), named.take()));
            }
            _ => {}
        }
    }
    if found.iter().any(|(name, _)| name.starts_with('$')) {
        found.retain(|(name, _)| !name.starts_with('$'));
        let others = beside().into_iter().filter(|other| found.iter().all(|(name, _)| name != other));
        let others: Vec<_> = others.map(|other| (other, None)).collect();
        found.extend(others);
    }
    found
}

/// Every path of at least two names, with the modules within the file that it stands in.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, Vec<String>)> {
    let (mut found, mut within, mut depth) = (Vec::new(), Vec::<(String, usize)>::new(), 0_usize);
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                depth = depth.saturating_sub(1);
                if within.last().is_some_and(|(_, open)| *open == depth) {
                    within.pop();
                }
            }
            Token::Name(word) if word == "mod" => {
                if let (Some(Token::Name(name)), Some(Token::Sign('{'))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    within.push((name.clone(), depth));
                }
            }
            Token::Name(_) if tokens.get(at + 1) == Some(&Token::Colons) => {
                let mut all = Vec::new();
                at = tree(tokens, at, &[], &mut all);
                let modules: Vec<String> = within.iter().map(|(name, _)| name.clone()).collect();
                found.extend(all.into_iter().map(|path| (modules.clone(), path)));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads a path that may branch (`a::{b, c::d}`) from `at` on, and says where it ends.
fn tree(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while let Some(Token::Name(name)) = tokens.get(at) {
        path.push(name.clone());
        at += 1;
        if tokens.get(at) != Some(&Token::Colons) {
            break;
        }
        at += 1;
        if tokens.get(at) == Some(&Token::Sign('{')) {
            at += 1;
            while at < tokens.len() && tokens[at] != Token::Sign('}') {
                let next = tree(tokens, at, &path, found);
                at = next.max(at + 1);
                // What follows a name in a group: `as other`, a comma.
                while at < tokens.len() && !matches!(tokens[at], Token::Sign(',' | '}')) {
                    at += 1;
                }
                at += usize::from(tokens.get(at) == Some(&Token::Sign(',')));
            }
            return at + 1;
        }
    }
    found.push(path);
    at
}

/// The words and signs of a file; comments are none.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
        } else if c == '/' && is(at + 1, '/') {
            at += chars[at..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - at);
        } else if c == '"' {
            let from = at + 1;
            at = from;
            while !is(at, '"') {
                at += if is(at, '\\') { 2 } else { 1 };
            }
            tokens.push(Token::Text(chars[from..at].iter().collect()));
            at += 1;
        } else if c == 'r' && (is(at + 1, '"') || is(at + 1, '#') && (is(at + 2, '"') || is(at + 2, '#'))) {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            at += hashes + 2;
            while !(is(at, '"')
                && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes)
            {
                at += 1;
            }
            at += hashes + 1;
            tokens.push(Token::Text(String::new()));
        } else if c == '\'' && (is(at + 1, '\\') || is(at + 2, '\'')) {
            at += if is(at + 1, '\\') { 3 } else { 2 };
            while !is(at, '\'') {
                at += 1;
            }
            at += 1;
        } else if c.is_alphanumeric() || c == '_' || c == '$' {
            let from = at;
            at += usize::from(c == '$');
            while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            tokens.push(Token::Name(chars[from..at].iter().collect()));
        } else if c == ':' && is(at + 1, ':') {
            tokens.push(Token::Colons);
            at += 2;
        } else {
            tokens.push(Token::Sign(c));
            at += 1;
        }
    }
    tokens
}
