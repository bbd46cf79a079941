//! How often the training steps that are benchmarked ask the system for memory once they have found their stride: not at
//! all for tensors and graphs, and a small number of times for all else. One test in a process of its own, since the
//! counters are the process's.

// The workloads themselves, so that none of them can be left out here.
#[path = "../benches/workloads/data.rs"]
mod data;
#[path = "../benches/workloads/training/mod.rs"]
mod training;

use chainrule::memory::{CountingAllocator, stats};
use chainrule::{Result, Tensor, set_num_threads};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

// What the workloads are made of.
type Step = Box<dyn FnMut(bool) -> Result<Vec<Tensor>>>;
type Workload = (&'static str, fn() -> Result<Step>);

/// How often a step may ask for memory: for lists of operands and results, mostly, of which each layer has a few.
const MOST_CALLS: [(&str, u64); 6] =
    [("tiny_mlp", 32), ("mlp", 48), ("cnn", 96), ("resblock", 80), ("gpt", 400), ("lstm", 100)];

/// With a second thread, so many steps in a row that ask for no block have to come ...
const QUIET_STEPS: u64 = 5;
/// ... within so many. A task's own memory is taken and given back on one thread. So each thread comes to have one small
/// block for each kind of task, and there come to be two large ones; when is chance, for which thread takes which task
/// differs from step to step. But a block that is lost in each step leaves none quiet.
const STEPS_OF_TWO_THREADS: u64 = 60;
/// How many blocks may be asked for until then.
const MOST_FOR_A_SECOND_THREAD: u64 = 40;

#[test]
fn a_training_step_asks_the_system_for_next_to_nothing() -> Result<()> {
    for (name, workload) in training::WORKLOADS {
        let mut step = workload()?;
        set_num_threads(1);
        // What the first leaves behind is freed in the second.
        for _ in 0..3 {
            step(false)?;
        }
        let most_calls = MOST_CALLS.iter().find(|(of, _)| of == name).expect("a bound for each workload").1;
        let blocks = stats();
        for _ in 0..3 {
            let before = CountingAllocator::calls();
            step(false)?;
            let calls = CountingAllocator::calls() - before;
            assert!(calls <= most_calls, "{name}: {calls} calls for memory in a step");
        }
        assert_eq!(
            stats().system_allocations,
            blocks.system_allocations,
            "{name}: blocks asked of the system"
        );
        assert_eq!(stats().in_use_bytes, blocks.in_use_bytes, "{name}: bytes in use");

        set_num_threads(2);
        let mut quiet = 0;
        for _ in 0..STEPS_OF_TWO_THREADS {
            let before = stats().system_allocations;
            step(false)?;
            quiet = if stats().system_allocations == before { quiet + 1 } else { 0 };
            if quiet == QUIET_STEPS {
                break;
            }
        }
        assert_eq!(quiet, QUIET_STEPS, "{name}: steps of two threads in a row that asked for no block");
        let asked = stats().system_allocations - blocks.system_allocations;
        assert!(
            asked <= MOST_FOR_A_SECOND_THREAD,
            "{name}: {asked} blocks asked of the system by two threads"
        );
        assert_eq!(stats().in_use_bytes, blocks.in_use_bytes, "{name}: bytes in use with two threads");
    }
    Ok(())
}
