//! The whole public surface with hostile arguments: empty, 0-d and huge sizes, negative and repeated dimensions, NaN,
//! infinities and the ends of each dtype, views that are not contiguous or larger than memory.
//!
//! A call may give a result or an error. A panic, an abort, more than ten seconds or the need for more than a gigabyte is
//! a finding. Each family runs in a process of its own, so that an abort is seen and shrunk too; `PROPTEST_CASES` sets
//! how many cases it runs, and a finding says how it is replayed with `CHAINRULE_HOSTILE`. Seeds of findings are kept in
//! `proptest-regressions/`.
#![cfg(all(feature = "csv", feature = "image"))]

mod case;
mod creation;
mod data;
mod draw;
mod graphs;
mod layers;
mod losses;
mod operations;
mod optimizers;
mod surface;

use std::sync::OnceLock;

use case::{Call, Case, cases};
use chainrule::memory::CountingAllocator;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A gigabyte. Beyond it there is no memory, which a call may report and must survive.
const MEMORY: usize = 1 << 30;

fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig {
        // The same cases each time, unless more are asked for: a check must not fail by chance.
        rng_seed: if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) },
        fork: true,
        timeout: 10_000,
        max_shrink_time: 60_000,
        cases: asked.unwrap_or(1000),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/hostile.txt",
        ))),
        ..ProptestConfig::default()
    }
}

macro_rules! families {
    ($($name:ident: $calls:path;)+) => {
        $(mod $name {
            use super::*;

            fn calls() -> &'static [Call] {
                static CALLS: OnceLock<Vec<Call>> = OnceLock::new();
                CountingAllocator::limit(MEMORY);
                CALLS.get_or_init($calls)
            }

            proptest! {
                #![proptest_config(config())]
                #[test]
                fn gives_a_result_or_an_error(case in cases(stringify!($name), calls())) {
                    case.run(calls());
                }
            }

            /// Runs what `CHAINRULE_HOSTILE` names, if it is of this family, in this process.
            #[test]
            fn replays() {
                if let Some(case) = Case::from_environment(stringify!($name), calls()) {
                    case.run(calls());
                }
            }
        })+
    };
}

/// The tests.
mod family {
    use super::*;

    families! {
        table: crate::operations::table;
        methods: crate::operations::methods;
        creation: crate::creation::calls;
        layers: crate::layers::calls;
        losses: crate::losses::calls;
        optimizers: crate::optimizers::calls;
        graphs: crate::graphs::calls;
        data: crate::data::calls;
    }
}
