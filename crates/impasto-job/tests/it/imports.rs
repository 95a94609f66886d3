//! The files of a crate do not import each other in a circle.
//!
//! A file in a circle cannot be read, tested or moved without the others. The compiler accepts
//! circles inside a crate, so this test looks for them.
//!
//! Each source file is a module. An arrow leads from a file to each file that a path in it names.
//! Paths are resolved by their text, without looking at what a module holds:
//!
//! - `crate::loss::gram::Gram` leads to `loss/gram.rs`, the last file on the way.
//! - `crate::loss::Gram`, a re-export, leads to `loss/mod.rs`.
//! - `pub use gram::Gram` leads from `loss/mod.rs` to `loss/gram.rs`.
//!
//! If a parent re-exports from its child, the child must therefore take nothing from the parent.
//! The same holds for the crate's root, which may use all modules as long as none uses the root.
//!
//! Paths in macros and attributes count. Code under `#[cfg(test)]`, doc comments, visibilities and
//! `mod child;` do not.
//!
//! Limits: the test does not follow names that a glob brings in. It does not know `#[path]`, and
//! inside macros it does not know the braces of `use`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::{fs, mem};

use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ItemMod, ItemUse, Macro, Meta, UseTree, VisRestricted};

/// Crates that are checked: folders beside this package's own.
const CRATES: [&str; 4] = ["impasto", "impasto-job", "impasto-cli", "impasto-studio"];

/// Components that may stay.
const EXCEPTIONS: &[Exception] = &[];

/// A crate, all files of a component, in order of name, and the reason why they need each other.
type Exception = (&'static str, &'static [&'static str], &'static str);

/// For each file, the files that it imports.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// A strongly connected component of more than one file: each of them leads to all others.
struct Component {
    files: Vec<String>,
    /// One of its shortest circles. The first file is also the last.
    circle: Vec<String>,
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for name in CRATES {
        let mut files = Vec::new();
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"), "", &mut files);
        found.extend(components(&arrows(&files)).into_iter().map(|component| (name, component)));
    }
    let complaints = complaints(&found, EXCEPTIONS);
    assert!(
        complaints.is_empty(),
        "files import each other in a circle; move what they share to a file of its own:\n{}",
        complaints.join("\n")
    );
}

/// Adds the Rust files below `folder` to `files`, each as its name and its text.
fn read_sources(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of the folder").path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().display());
        if path.is_dir() {
            read_sources(&path, &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(&path).expect("a source file")));
        }
    }
}

/// Returns a line for each component without an exception and for each exception without a
/// component.
fn complaints(found: &[(&str, Component)], exceptions: &[Exception]) -> Vec<String> {
    let excepted = |name: &str, component: &Component, exception: &Exception| {
        exception.0 == name && component.files.iter().eq(exception.1)
    };
    let mut lines = Vec::new();
    for (name, component) in found {
        if !exceptions.iter().any(|exception| excepted(name, component, exception)) {
            let others: Vec<&str> =
                component.files.iter().filter(|file| !component.circle.contains(file)).map(String::as_str).collect();
            let entangled =
                if others.is_empty() { String::new() } else { format!(" (entangled with {})", others.join(", ")) };
            lines.push(format!("{name}: {}{entangled}", component.circle.join(" -> ")));
        }
    }
    for exception in exceptions {
        if !found.iter().any(|(name, component)| excepted(name, component, exception)) {
            lines.push(format!("{}: no component is {}; remove the exception", exception.0, exception.1.join(", ")));
        }
    }
    lines
}

/// Finds the components of more than one file.
fn components(arrows: &Arrows) -> Vec<Component> {
    let reached: BTreeMap<&str, _> = arrows.keys().map(|file| (file.as_str(), reach(arrows, file))).collect();
    let mut components = Vec::new();
    for (&file, before) in &reached {
        let files: Vec<&str> = before.keys().copied().filter(|other| reached[other].contains_key(file)).collect();
        // Every file of a component finds it; the first one keeps it.
        if files.first() == Some(&file) {
            let circles = files.iter().map(|file| circle(&reached[file], file));
            components.push(Component {
                circle: circles.min_by_key(Vec::len).unwrap_or_default(),
                files: files.into_iter().map(str::to_owned).collect(),
            });
        }
    }
    components
}

/// Finds the files that arrows lead to from `start`, each with the file before it on a shortest
/// way. They include `start` if it is in a circle.
fn reach<'a>(arrows: &'a Arrows, start: &'a str) -> BTreeMap<&'a str, &'a str> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in &arrows[file] {
            if !before.contains_key(next.as_str()) {
                before.insert(next.as_str(), file);
                queue.push_back(next);
            }
        }
    }
    before
}

/// Reads a shortest circle through `start` from the result of [`reach`] for `start`.
fn circle(before: &BTreeMap<&str, &str>, start: &str) -> Vec<String> {
    let mut files = vec![start.to_owned()];
    let mut file = before[start];
    while file != start {
        files.push(file.to_owned());
        file = before[file];
    }
    files.push(start.to_owned());
    files.reverse();
    files
}

/// Finds the arrows between the files of a crate. `files`: names, from `src` on, and texts.
fn arrows(files: &[(String, String)]) -> Arrows {
    let mut modules = BTreeMap::new();
    for (file, _) in files {
        let twice = modules.insert(module_of(file), file.as_str());
        assert!(twice.is_none(), "{file} and {} are the same module", twice.unwrap_or_default());
    }
    assert!(modules.contains_key("crate"), "no lib.rs or main.rs");

    let mut arrows = Arrows::new();
    let mut test_modules = BTreeSet::new();
    for (file, text) in files {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut imports = Imports {
            modules: &modules,
            module: module_of(file),
            in_test: false,
            names: BTreeMap::new(),
            found: BTreeSet::new(),
            test_modules: &mut test_modules,
        };
        // Twice, because a path may stand above the `use` that explains its first name.
        imports.visit_file(&syntax);
        imports.visit_file(&syntax);
        imports.found.remove(file);
        arrows.insert(file.clone(), imports.found);
    }
    for (module, file) in &modules {
        if test_modules.iter().any(|test: &String| format!("{module}::").starts_with(&format!("{test}::"))) {
            arrows.insert((*file).to_owned(), BTreeSet::new());
        }
    }
    arrows
}

/// Names the module that a file is: `crate::loss` for `loss.rs` and for `loss/mod.rs`.
fn module_of(file: &str) -> String {
    let path = file.trim_end_matches(".rs");
    match path {
        "lib" | "main" => "crate".to_owned(),
        _ => format!("crate::{}", path.trim_end_matches("/mod").replace('/', "::")),
    }
}

/// Takes one step of a path, from `module`.
fn join(module: &str, step: &str) -> String {
    match step {
        "self" => module.to_owned(),
        "super" => module.rsplit_once("::").map_or(module, |(parent, _)| parent).to_owned(),
        _ => format!("{module}::{step}"),
    }
}

/// Collects what one file imports. All modules are written from `crate` on.
struct Imports<'a> {
    /// The crate's files by their modules.
    modules: &'a BTreeMap<String, &'a str>,
    /// The module that is being visited: the file's or one inside it.
    module: String,
    /// Whether the code being visited exists in tests only.
    in_test: bool,
    /// The path behind each name that `use` brings in. The name is written as if its module had it.
    names: BTreeMap<String, String>,
    found: BTreeSet<String>,
    /// The modules of the crate that exist in tests only.
    test_modules: &'a mut BTreeSet<String>,
}

impl Imports<'_> {
    /// Returns the path from `crate` on, or `None` if it begins with another crate or an item.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut steps = path.split("::");
        let first = steps.next()?;
        let start = match first {
            "crate" => first.to_owned(),
            "self" | "super" => join(&self.module, first),
            name => {
                let child = join(&self.module, name);
                if self.modules.contains_key(&child) { child } else { self.names.get(&child)?.clone() }
            }
        };
        Some(steps.fold(start, |module, step| join(&module, step)))
    }

    /// Adds the file that `path` leads to.
    fn import(&mut self, path: &str) {
        let mut module = if self.in_test { None } else { self.resolve(path) };
        while let Some(path) = module {
            if let Some(file) = self.modules.get(&path) {
                self.found.insert((*file).to_owned());
                return;
            }
            module = path.rsplit_once("::").map(|(parent, _)| parent.to_owned());
        }
    }

    /// Does the same for a path outside of `use`. A single name, such as `self` or that of a
    /// method, is no module there.
    fn mention(&mut self, path: &str) {
        if path.trim_end_matches("::").contains("::") {
            self.import(path);
        }
    }

    /// Adds the files that a tree of `use` leads to. `prefix`: the path before it, `crate::loss::`.
    fn import_tree(&mut self, tree: &UseTree, prefix: &str) {
        match tree {
            UseTree::Path(path) => self.import_tree(&path.tree, &format!("{prefix}{}::", path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import_tree(tree, prefix)),
            UseTree::Name(name) => self.import_name(&format!("{prefix}{}", name.ident), None),
            UseTree::Rename(name) => self.import_name(&format!("{prefix}{}", name.ident), Some(&name.rename)),
            UseTree::Glob(_) => self.import(prefix.trim_end_matches("::")),
        }
    }

    /// Adds the file that a path of `use` leads to, and remembers the name that it brings in.
    fn import_name(&mut self, path: &str, rename: Option<&Ident>) {
        self.import(path);
        if let Some(meaning) = self.resolve(path) {
            let last = meaning.rsplit("::").next().unwrap_or_default();
            let name = rename.map_or(last.to_owned(), Ident::to_string);
            self.names.insert(join(&self.module, &name), meaning);
        }
    }

    /// Mentions the paths among the tokens of a macro or an attribute. Those in strings count too,
    /// as in `#[serde(with = "crate::hex")]`.
    fn mention_tokens(&mut self, tokens: &impl ToString) {
        let text = tokens.to_string().replace(" ::", "::").replace(":: ", "::");
        text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').for_each(|path| self.mention(path));
    }
}

/// Ends the effect of `#[cfg(test)]` at the end of the node that has the attribute. It begins in
/// time because a node's attributes are visited first.
macro_rules! end_tests_with {
    ($($visit:ident: $node:ident,)*) => {$(
        fn $visit(&mut self, node: &'ast syn::$node) {
            let in_test = self.in_test;
            visit::$visit(self, node);
            self.in_test = in_test;
        }
    )*};
}

impl<'ast> Visit<'ast> for Imports<'_> {
    end_tests_with! {
        visit_arm: Arm, visit_expr: Expr, visit_field: Field, visit_field_value: FieldValue, visit_file: File,
        visit_impl_item: ImplItem, visit_item: Item, visit_stmt: Stmt, visit_trait_item: TraitItem,
        visit_variant: Variant,
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.in_test |= list.path.is_ident("cfg") && list.parse_args::<Ident>().is_ok_and(|what| what == "test");
            self.mention_tokens(&list.tokens);
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let inside = join(&self.module, &item.ident.to_string());
        let outside = mem::replace(&mut self.module, inside);
        visit::visit_item_mod(self, item);
        let inside = mem::replace(&mut self.module, outside);
        if self.in_test {
            self.test_modules.insert(inside);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        if item.leading_colon.is_none() && !self.in_test {
            self.import_tree(&item.tree, "");
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.mention_tokens(&call.tokens);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let steps: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(&steps.join("::"));
        }
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

/// Returns the complaints about a crate of these files.
fn lines(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let found: Vec<_> = components(&arrows(&files)).into_iter().map(|component| ("demo", component)).collect();
    complaints(&found, &[])
}

const NONE: [&str; 0] = [];

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let chain =
        [("lib.rs", "mod a; mod b; mod c; pub use a::f;"), ("a.rs", "use crate::b::g;"), ("b.rs", "use crate::c;")];
    assert_eq!(lines(&[&chain[..], &[("c.rs", "fn h() { g() }")]].concat()), NONE);
    assert_eq!(
        lines(&[&chain[..], &[("c.rs", "fn h() -> Option<crate::a::T> { None }")]].concat()),
        ["demo: a.rs -> b.rs -> c.rs -> a.rs"]
    );
}

#[test]
fn of_a_component_a_shortest_circle_is_shown() {
    let files = [
        ("main.rs", "fn main() { a::run() }"),
        ("a.rs", "use crate::b;"),
        ("b.rs", "use crate::{c, d};"),
        ("c.rs", "use crate::a;"),
        ("d.rs", "use crate::b;"),
    ];
    assert_eq!(lines(&files), ["demo: b.rs -> d.rs -> b.rs (entangled with a.rs, c.rs)"]);
}

#[test]
fn a_re_export_leads_to_the_parent() {
    let parent = ("loss/mod.rs", "mod gram; pub use gram::{Gram as Loss};");
    let sister = ("loss/tv.rs", "use super::gram::Gram;");
    let files = |child| [("lib.rs", "pub mod loss;"), parent, sister, ("loss/gram.rs", child)];
    for child in ["use super::tv;", "use crate::loss::tv::T;"] {
        assert_eq!(lines(&files(child)), ["demo: loss/gram.rs -> loss/tv.rs -> loss/gram.rs"]);
    }
    for child in
        ["use super::Loss;", "use super::*;", "use crate::loss::{self, tv as other};", "type T = super::Loss<u8>;"]
    {
        assert_eq!(
            lines(&files(child))[0].split(" (").next(),
            Some("demo: loss/gram.rs -> loss/mod.rs -> loss/gram.rs")
        );
    }
    assert_eq!(lines(&files("mod inside { use super::super::Loss; }")).len(), 1);
    assert_eq!(lines(&files("pub(in crate::loss) struct Gram; mod inside { use super::Gram; }")), NONE);
}

#[test]
fn the_root_may_call_its_modules_but_not_the_other_way() {
    let files = |child| [("main.rs", "mod a; use a::T; fn main() { a::run() }"), ("a.rs", child)];
    assert_eq!(lines(&files("use std::fmt; fn run() { self::go() }")), NONE);
    assert_eq!(lines(&files("fn run() { crate::main() }")), ["demo: a.rs -> main.rs -> a.rs"]);
}

#[test]
fn a_name_from_use_is_followed() {
    let files = |text| [("lib.rs", ""), ("a/mod.rs", ""), ("a/b.rs", "use crate::c::f;"), ("c.rs", text)];
    for text in ["use crate::a; fn f() { a::b::g() }", "type T = l::b::T; use crate::a::{self as l};"] {
        assert_eq!(lines(&files(text)), ["demo: a/b.rs -> c.rs -> a/b.rs"], "{text}");
    }
    assert_eq!(lines(&files("fn f() { a::b::g() } mod inside { use crate::a; }")), NONE);
}

#[test]
fn tests_do_not_count() {
    let lines_with = |text: &str| lines(&[("lib.rs", ""), ("a.rs", text), ("b.rs", "use crate::a;")]);
    for text in [
        "#[cfg(test)] use crate::b;",
        "#[cfg(test)] mod tests { use crate::b; }",
        "impl T { #[cfg(test)] fn f() { crate::b::f() } }",
        "fn f() { #[cfg(test)] crate::b::f(); }",
        "struct S { #[cfg(test)] s: crate::b::T }",
        "#![cfg(test)] use crate::b;",
    ] {
        assert_eq!(lines_with(text), NONE, "{text}");
        assert_eq!(lines_with(&text.replace("test", "unix")).len(), 1, "{text}");
    }
    for text in [
        "#[cfg(test)] use std::fs; use crate::b;",
        "impl T { #[cfg(test)] fn f() {} fn g() { crate::b::g() } }",
        "fn f() { #[cfg(test)] let x = 1; crate::b::g(); }",
        "struct S { #[cfg(test)] s: u8, t: crate::b::T }",
    ] {
        assert_eq!(lines_with(text).len(), 1, "{text}");
    }
}

#[test]
fn files_of_tests_do_not_count() {
    for text in ["#[cfg(test)] mod a;", "#[cfg(test)] mod a { mod b; mod c; }", "mod a;"] {
        let files =
            [("lib.rs", text), ("a.rs", "mod b; mod c;"), ("a/b.rs", "use super::c;"), ("a/c.rs", "use super::b;")];
        assert_eq!(lines(&files).is_empty(), text.contains("test"), "{text}");
    }
}

#[test]
fn other_names_do_not_count() {
    for text in [
        "mod b;",
        "use ::b::T; use std::b;",
        "fn f() { ::b::g(b, x.b, x.b::<u8>()) }",
        "fn f() { println!(\"{}\", ::b::g(b, x.b, x.b::<u8>())) }",
        "pub(in crate::a::b) struct S;",
        "//! See [`b::T`].\n/** See [`b::T`]. */ struct S;",
    ] {
        assert_eq!(lines(&[("lib.rs", ""), ("a/mod.rs", text), ("a/b.rs", "use super::S;")]), NONE, "{text}");
    }
}

#[test]
fn paths_in_macros_and_attributes_count() {
    let files = |text| [("lib.rs", ""), ("a.rs", "use crate::b;"), ("b.rs", text)];
    for text in [
        "fn f() { crate::a::say!() }",
        "fn f() { format!(\"{} {}\", 1, [g(x.y, crate::a::f::<u8>())]) }",
        "macro_rules! m { () => { $crate::a::f() } }",
        "struct S { #[arg(value_parser = crate::a::count)] s: u8 }",
        "struct S { #[serde(with = \"crate::a\")] s: u8 }",
    ] {
        assert_eq!(lines(&files(text)), ["demo: a.rs -> b.rs -> a.rs"], "{text}");
    }
}

#[test]
fn an_exception_holds_for_its_component_only() {
    let component = || Component {
        files: ["a.rs", "b.rs"].map(str::to_owned).to_vec(),
        circle: ["a.rs", "b.rs", "a.rs"].map(str::to_owned).to_vec(),
    };
    let found = [("demo", component())];
    assert_eq!(complaints(&found, &[("demo", &["a.rs", "b.rs"], "a reason")]), NONE);
    for (name, files) in [("demo", &["a.rs", "c.rs"]), ("other", &["a.rs", "b.rs"])] {
        let unused = format!("{name}: no component is {}; remove the exception", files.join(", "));
        assert_eq!(complaints(&found, &[(name, files, "a reason")]), ["demo: a.rs -> b.rs -> a.rs", &unused]);
    }
}
