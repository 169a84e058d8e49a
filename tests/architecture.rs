//! The picture in `src/lib.rs`, held against the `use` lines: arrows between rooms point one way, and
//! inside a room no circle is larger than a file and its children.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking, in its helping functions too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// A module by its crate and path: `["tableferry", "work", "start"]`.
type Module = Vec<String>;

/// The crates and where their sources are.
const CRATES: [(&str, &str); 3] = [
    ("tableferry", "src"),
    ("tableferry_policy", "crates/policy/src"),
    ("tableferry_sandbox", "crates/sandbox/src"),
];

/// Each room of the program, and the rooms that it may name.
const ARROWS: [(&str, &[&str]); 16] = [
    ("nearest", &[]),
    ("sanitize", &[]),
    ("regular_file", &[]),
    ("private_file", &["regular_file"]),
    ("text_file", &["regular_file"]),
    ("job", &["nearest", "sanitize", "text_file"]),
    ("archive", &["job"]),
    ("assess", &["job", "sanitize"]),
    ("diagnosis", &["assess", "job", "sanitize"]),
    (
        "aws",
        &[
            "archive",
            "assess",
            "job",
            "regular_file",
            "sanitize",
            "text_file",
        ],
    ),
    ("journal", &["archive", "assess", "job", "private_file"]),
    (
        "work",
        &[
            "assess",
            "archive",
            "aws",
            "diagnosis",
            "job",
            "journal",
            "private_file",
            "text_file",
        ],
    ),
    ("config", &["assess", "aws", "nearest", "text_file", "work"]),
    ("args", &["archive", "job", "work"]),
    (
        "tui",
        &[
            "assess",
            "aws",
            "diagnosis",
            "journal",
            "job",
            "regular_file",
            "sanitize",
            "work",
        ],
    ),
    (
        "commands",
        &[
            "archive",
            "assess",
            "args",
            "aws",
            "config",
            "diagnosis",
            "journal",
            "job",
            "private_file",
            "regular_file",
            "sanitize",
            "text_file",
            "tui",
            "work",
        ],
    ),
];

/// The rooms that name the sandbox.
const NAME_THE_SANDBOX: [&str; 2] = ["args", "commands"];

/// The rooms and crates without a circle that is larger than a file and its children.
const WITHOUT_CIRCLES: [&str; 12] = [
    "job",
    "archive",
    "assess",
    "aws",
    "journal",
    "config",
    "diagnosis",
    "tui",
    "commands",
    "tableferry_policy",
    "tableferry_sandbox",
    "work",
];

/// The files of the workspace as modules, with the modules that each of them names outside its tests.
fn arrows() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    for (name, folder) in CRATES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        collect(&folder, &[name.to_owned()], &mut files);
    }
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    files
        .iter()
        .map(|(module, path)| (module.clone(), named(module, path, &modules)))
        .collect()
}

fn collect(folder: &Path, prefix: &[String], files: &mut BTreeMap<Module, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if stem == "tests" || stem == "main" {
            continue;
        }
        let mut module = prefix.to_vec();
        if stem != "lib" {
            module.push(stem);
        }
        if path.is_dir() {
            collect(&path, &module, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(module, path);
        }
    }
}

fn named(module: &Module, path: &Path, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let file = syn::parse_file(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader {
        module: module.clone(),
        modules,
        found: BTreeSet::new(),
    };
    reader.visit_file(&file);
    reader.found.remove(module);
    reader.found
}

/// Reads the paths of one file.
struct Reader<'m> {
    /// The module that is read, deeper inside a module within the file.
    module: Module,
    modules: &'m BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        let Some(mut absolute) = self.absolute(path) else {
            return;
        };
        while !self.modules.contains(&absolute) {
            absolute.pop();
        }
        // The crate's root names nothing by itself.
        if absolute.len() > 1 || absolute.first() != self.module.first() {
            self.found.insert(absolute);
        }
    }

    /// A path from the crate's root on; `None` where it leads out of the workspace.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut absolute = match first.as_str() {
            "crate" => vec![self.module.first()?.clone()],
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            name if CRATES.iter().any(|(known, _)| *known == name) => vec![name.to_owned()],
            _ => return None,
        };
        for part in rest {
            if part == "super" {
                absolute.pop();
            } else {
                absolute.push(part.clone());
            }
        }
        (!absolute.is_empty()).then_some(absolute)
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            path.push(name.to_string());
            path
        };
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.note(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(before, tree);
                }
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|name| name == "test")
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test(&item.attrs) || item.content.is_none() {
            return;
        }
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        let parts: Vec<String> = parts.collect();
        if parts.len() > 1 {
            self.note(&parts);
        }
        syn::visit::visit_path(self, path);
    }
}

/// The room of a module: a room of the program, or a crate.
fn room(module: &Module) -> &str {
    let krate = module.first().expect("a module has a crate");
    match module.get(1) {
        Some(room) if krate == "tableferry" => room,
        _ => krate,
    }
}

#[test]
fn arrows_between_rooms_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for (from, targets) in arrows() {
        for to in targets {
            let (from_room, to_room) = (room(&from), room(&to));
            let is_right = from_room == to_room
                || match to_room {
                    "tableferry_policy" => true,
                    "tableferry_sandbox" => NAME_THE_SANDBOX.contains(&from_room),
                    _ => allowed
                        .get(from_room)
                        .is_some_and(|rooms| rooms.contains(&to_room)),
                };
            if !is_right {
                wrong.push(format!("{} -> {}", from.join("::"), to.join("::")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows against the picture:\n{}",
        wrong.join("\n")
    );
}

/// The modules that can be reached from one.
fn reached<'a>(
    from: &'a Module,
    arrows: &'a BTreeMap<Module, BTreeSet<Module>>,
) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut left = vec![from];
    while let Some(module) = left.pop() {
        for next in arrows.get(module).into_iter().flatten() {
            if found.insert(next) {
                left.push(next);
            }
        }
    }
    found
}

#[test]
fn no_circle_is_larger_than_a_file_and_its_children() {
    let arrows = arrows();
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = arrows
        .keys()
        .map(|module| (module, reached(module, &arrows)))
        .collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, others) in &reach {
        if !WITHOUT_CIRCLES.contains(&room(module)) {
            continue;
        }
        let mut circle: Vec<&Module> = others
            .iter()
            .copied()
            .filter(|other| reach.get(other).is_some_and(|back| back.contains(module)))
            .collect();
        circle.push(module);
        let has_parent = circle
            .iter()
            .any(|parent| circle.iter().all(|other| other.starts_with(parent)));
        if !has_parent {
            let mut names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            names.sort();
            names.dedup();
            circles.insert(names);
        }
    }
    let told: Vec<String> = circles.iter().map(|circle| circle.join(", ")).collect();
    assert!(told.is_empty(), "circles:\n{}", told.join("\n"));
}

/// The files under the sources and assets that hold a text, without tests.
fn holders(text: &str) -> BTreeSet<String> {
    let mut pending: Vec<PathBuf> = ["src", "crates/policy/src", "crates/sandbox/src", "assets"]
        .into_iter()
        .map(PathBuf::from)
        .collect();
    let mut found = BTreeSet::new();
    while let Some(path) = pending.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                pending.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        } else if name != "tests.rs"
            && fs::read_to_string(&path).is_ok_and(|file| file.contains(text))
        {
            let _ = found.insert(path.to_str().unwrap().to_owned());
        }
    }
    found
}

/// The table "Where a change goes" of CONTRIBUTING.md.
#[test]
fn a_change_touches_the_files_that_contributors_are_told() {
    let page = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [change, files, texts] = cells.as_slice() else {
            panic!("{row}");
        };
        let told: BTreeSet<String> = files.split_whitespace().map(str::to_owned).collect();
        let marks = texts.split('`').skip(1).step_by(2);
        let found: BTreeSet<String> = marks.flat_map(holders).collect();
        assert_eq!(found, told, "{change}");
        count += 1;
    }
    assert_eq!(count, 10);
}
