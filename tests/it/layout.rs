//! Rules of the code that the compiler does not check: imports between modules, the first line and the size of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files of more than 600 lines, each with a reason. Adding one is a decision.
const LARGE: &[(&str, &str)] = &[];

/// The page whose table says which module may name which.
const PAGE: &str = "docs/ARCHITECTURE.md";

/// The rows of the table of modules: a module, and the modules that it may name.
fn table(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (_, table) = page.split_once("| module | what it holds | may name |\n").expect("a table of modules");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let in_code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [module, _, named] = cells[..] else { panic!("{PAGE}: a row without three cells: {row}") };
        let [module] = &in_code(module)[..] else { panic!("{PAGE}: a row of no module: {row}") };
        let named = in_code(named);
        let is_nothing = named.is_empty() && cells[2].trim() == "nothing of ours";
        assert!(is_nothing || !named.is_empty(), "{PAGE}: {module} may name {:?}", cells[2]);
        (module.clone(), named.into_iter().collect())
    })
    .collect()
}

/// The modules, and the modules that each names outside its tests.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources("src") {
        let Some(module) = module_of(&file) else { continue };
        let named = imports.entry(module.clone()).or_default();
        if !is_test(&file) {
            named.extend(modules_named_in(&without_tests(&read(&file))));
            named.remove(&module);
        }
    }
    imports
}

#[test]
fn the_table_of_modules_in_the_architecture_equals_the_imports() {
    let (told, real) = (table(&read(Path::new(PAGE))), imports());
    let differences = differences(&told, &real);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// The differences between a table and the imports.
fn differences(
    told: &BTreeMap<String, BTreeSet<String>>,
    real: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let none = BTreeSet::new();
    let modules: BTreeSet<&String> = told.keys().chain(real.keys()).collect();
    let mut differences = Vec::new();
    for module in modules {
        match (told.get(module), real.get(module)) {
            (None, _) => differences.push(format!("{PAGE} does not show the module {module}")),
            (_, None) => differences.push(format!("{PAGE} shows the module {module}, which is not there")),
            _ => {}
        }
        let (told, real) = (told.get(module).unwrap_or(&none), real.get(module).unwrap_or(&none));
        differences.extend(real.difference(told).map(|named| format!("{module} may not name {named}")));
        differences.extend(told.difference(real).map(|named| format!("{module} does not name {named}")));
    }
    differences
}

#[test]
fn a_table_with_too_many_or_too_few_modules_is_found() {
    let page = "| module | what it holds | may name |\n|---|---|---|\n| `a` | `x`: one | nothing of ours |\n\
                | `b` | two | `a`, `c` |\n\nText with `d`.\n";
    let told = table(page);
    let real = |named: &[&str]| {
        let named = named.iter().map(|&name| name.to_owned()).collect();
        BTreeMap::from([("a".to_owned(), BTreeSet::new()), ("b".to_owned(), named)])
    };
    assert_eq!(differences(&told, &real(&["a", "c"])), Vec::<String>::new());
    assert_eq!(differences(&told, &real(&["a", "c", "e"])), ["b may not name e"]);
    assert_eq!(differences(&told, &real(&["c"])), ["b does not name a"]);
    let mut more = real(&["a", "c"]);
    more.insert("f".to_owned(), BTreeSet::new());
    more.remove("a");
    let [gone, missing] = &differences(&told, &more)[..] else { panic!("two differences") };
    assert!(gone.contains("shows the module a") && missing.contains("does not show the module f"));
}

#[test]
fn the_files_of_the_scheduler_name_each_other_without_a_cycle() {
    let folder = Path::new("src/scheduler");
    let named: BTreeMap<String, BTreeSet<String>> = sources("src/scheduler")
        .into_iter()
        .filter(|file| !file.ends_with("mod.rs"))
        .map(|file| {
            let name = file.strip_prefix(folder).unwrap().with_extension("").display().to_string();
            (name, named_after("super::", &without_tests(&read(&file))))
        })
        .collect();
    assert_eq!(cycle(&named), None);
    let front = without_tests(&read(&folder.join("mod.rs")));
    assert!(
        !front.contains("fn ") && !front.contains("struct "),
        "the front page of the scheduler has logic"
    );
}

/// The names on a path from one file back to itself, if there is one.
fn cycle(named: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left: BTreeMap<_, _> = named.clone();
    loop {
        let open: BTreeSet<String> = left.keys().cloned().collect();
        let done: Vec<String> = left
            .iter()
            .filter(|(_, named)| named.intersection(&open).next().is_none())
            .map(|(file, _)| file.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        left.retain(|file, _| !done.contains(file));
    }
    // Each remaining file names another remaining one.
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let next = left[way.last()?].iter().find(|named| left.contains_key(*named))?.clone();
        let back = way.contains(&next);
        way.push(next);
        if back {
            return Some(way);
        }
    }
}

#[test]
fn a_cycle_is_found_and_a_tree_has_none() {
    let graph = |arrows: &[(&str, &str)]| {
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    };
    assert_eq!(cycle(&graph(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    let found = cycle(&graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")])).unwrap();
    assert_eq!(found.first(), Some(&"a".to_owned()));
    assert!(found.ends_with(&["b".to_owned()]) || found.ends_with(&["c".to_owned()]));
}

#[test]
fn the_inner_modules_use_no_io_clock_or_serialization() {
    let forbidden =
        ["std::fs", "std::net", "tokio::", "serde::", "reqwest", "rusqlite", "async fn", "::now()"];
    let mut faults = Vec::new();
    for module in ["src/domain", "src/policy"] {
        for file in sources(module) {
            let text = read(&file);
            for word in forbidden.iter().filter(|word| text.contains(**word)) {
                faults.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_starts_with_its_purpose() {
    let silent: Vec<_> = all_sources().into_iter().filter(|file| !read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "these do not open with //!: {silent:?}");
}

#[test]
fn no_file_is_longer_than_600_lines_without_a_reason() {
    for file in all_sources() {
        let lines = read(&file).lines().count();
        let name = file.display().to_string();
        let excused = LARGE.iter().any(|(large, _)| name == *large);
        assert!(lines <= 600 || excused, "{name} has {lines} lines");
        assert!(lines > 600 || !excused, "{name} has {lines} lines and needs no reason any more");
    }
}

#[test]
fn no_code_is_unfinished_or_silenced() {
    let words = [
        concat!("FIX", "ME"),
        concat!("XX", "X "),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ig", "nore"),
        concat!("#[should", "_panic"),
        concat!("#[al", "low("),
    ];
    for file in all_sources() {
        let text = read(&file);
        for word in words {
            assert!(!text.contains(word), "{} contains {word}", file.display());
        }
    }
}

#[test]
fn no_test_sleeps_or_counts_polls() {
    for file in sources("tests") {
        let text = read(&file);
        for word in [concat!("time::", "sleep("), concat!("thread::", "sleep("), concat!("yield_", "now(")] {
            assert!(!text.contains(word), "{} contains {word}", file.display());
        }
    }
}

#[test]
fn the_docs_name_files_that_exist() {
    let mut missing = Vec::new();
    let mut docs: Vec<PathBuf> = vec!["README.md".into()];
    docs.extend(files("docs", "md"));
    for doc in docs {
        for name in read(&doc).split('`').skip(1).step_by(2) {
            let is_path =
                ["src/", "docs/", "tests/", "twiml/", "benches/"].iter().any(|top| name.starts_with(top));
            if is_path && !name.contains(['*', '<', ' ', '{']) && !Path::new(name).exists() {
                missing.push(format!("{} names {name}", doc.display()));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[cfg(feature = "failpoints")]
#[test]
fn the_page_of_reliability_names_every_failpoint() {
    let page = read(Path::new("docs/RELIABILITY.md"));
    let missing: Vec<_> =
        ringmaster::failpoint::PLACES.iter().filter(|place| !page.contains(&format!("`{place}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn all_sources() -> Vec<PathBuf> {
    ["src", "tests", "benches"].into_iter().flat_map(sources).collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    files(folder, "rs")
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// `src/policy/window.rs` and `src/clock.rs` are in the modules `policy` and `clock`.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(module, "lib" | "main")).then(|| module.to_owned())
}

fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs")
}

/// The part of a file before its tests.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// Every `crate::module` in the text, also inside braces of a `use`.
fn modules_named_in(text: &str) -> BTreeSet<String> {
    named_after("crate::", text)
}

fn named_after(path: &str, text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (index, _) in text.match_indices(path) {
        let rest = &text[index + path.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for letter in list.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => named.extend(word(&std::mem::take(&mut item))),
                    _ if depth == 0 => item.push(letter),
                    _ => {}
                }
            }
            named.extend(word(&item));
        } else {
            named.extend(word(rest));
        }
    }
    named
}

fn word(text: &str) -> Option<String> {
    let word: String = text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (!word.is_empty() && word.chars().next().is_some_and(char::is_lowercase)).then_some(word)
}

#[test]
fn the_reader_of_imports_reads_lists_too() {
    let text = "use crate::{domain::{Phone, Pair}, store};\nlet x = crate::policy::Rules;\nuse crate::Thing;";
    let named: Vec<_> = modules_named_in(text).into_iter().collect();
    assert_eq!(named, ["domain", "policy", "store"]);
}
