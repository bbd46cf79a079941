//! Every public function is called somewhere in these files, or by a row of the table, or is named below.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chainrule::table::rows;

/// Public functions that have no argument which could be hostile, or whose callers are tested instead.
const OTHERS: &[&str] = &[
    // Without arguments: what something is.
    "averages",
    "best",
    "copies_on_write",
    "default_state",
    "func_evals",
    "grad_fn",
    "id",
    "image_size",
    "initial_seed",
    "into_data",
    "is_averaging",
    "is_complete",
    "is_contiguous",
    "is_grad_enabled",
    "is_leaf",
    "last_lr",
    "message",
    "module",
    "location",
    "n_averaged",
    "n_iter",
    "num_bad_epochs",
    "options_mut",
    "param_groups",
    "pixels",
    "random64",
    "random_i64",
    "scalar",
    "strides",
    "to_float",
    "unused_parameters",
    // Any argument is as good as another: seeds, names, closures, another value of the same type.
    "at_caller",
    "at_caller_of_library",
    "drop_in_turn",
    "is_optional",
    "optional",
    "try_with_default",
    "with_seed",
    "context",
    "enable_grad",
    "in_module",
    "in_part",
    "io",
    "is_same",
    "is_tracked",
    "learn_names",
    "manual_seed",
    "named",
    "no_grad_guard",
    "per_group",
    "promote",
    "set_grad_enabled",
    "shares_memory_with",
    "to_f64",
    "when_needed",
    "with_default",
    "with_generator",
    "with_prefix",
    // Parts of operations that are called as a whole.
    "allocate",
    "elementwise",
    "multinomial_rows",
    "permutation",
    "record_many",
    "set_default_state",
    "gradgradcheck_with",
    // Of an image within a transform, which has pixels of its size.
    "chance",
    "with_area",
    // The table itself.
    "distinct",
    "fault",
    "flat",
];

/// The names behind `pub fn` in a file.
fn public_functions(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("pub fn "));
    lines.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
}

fn visit(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in
        fs::read_dir(folder).expect("a folder of the sources").map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            visit(&entry, names);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            names
                .extend(public_functions(&fs::read_to_string(&entry).expect("a source")).map(str::to_string));
        }
    }
}

#[test]
fn every_public_function_meets_hostile_arguments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for crate_name in ["tensor", "nn", "loss", "optim", "data", "train"] {
        visit(&root.join("crates").join(crate_name).join("src"), &mut names);
    }
    assert!(names.len() > 400, "only {} public functions were found", names.len());
    let calls =
        ["creation", "data", "draw", "graphs", "layers", "losses", "operations", "optimizers", "case"];
    let mut called = BTreeSet::new();
    for file in calls {
        let text =
            fs::read_to_string(root.join("tests/hostile").join(format!("{file}.rs"))).expect("a source");
        called.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_string));
    }
    called.extend(rows().into_iter().map(|row| row.name.to_string()));
    called.extend(OTHERS.iter().map(|name| name.to_string()));
    let missing: Vec<&String> = names.difference(&called).collect();
    assert!(missing.is_empty(), "no hostile call for: {missing:?}");
    let superfluous: Vec<&&str> = OTHERS.iter().filter(|&&name| !names.contains(name)).collect();
    assert!(superfluous.is_empty(), "named, but no public function: {superfluous:?}");
}
