//! [`Case`]: a call with its choices, and what is looked at after it.

use std::fmt;

use chainrule::autograd::GradOptions;
use chainrule::{Result, Tensor};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::draw::Draw;

/// A call of a public function with drawn arguments. An error is as good as a result.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

type Run = Box<dyn Fn(&mut Draw) -> Result<()> + Send + Sync>;

/// A call that is looked at only for how it ends.
pub(crate) fn call<R: Results>(
    name: &'static str,
    run: impl Fn(&mut Draw) -> Result<R> + Send + Sync + 'static,
) -> Call {
    Call { name, run: Box::new(move |draw| run(draw)?.look_at()) }
}

/// What calls give.
pub(crate) trait Results {
    /// Does what a program would do next: prints tensors, and goes back through them.
    fn look_at(&self) -> Result<()>;
}

/// More elements than these are not summed.
const FEW: usize = 1 << 16;

impl Results for Tensor {
    fn look_at(&self) -> Result<()> {
        _ = format!("{self} {self:?}");
        if self.requires_grad() && self.numel() <= FEW {
            let options = GradOptions { retain_graph: true, ..Default::default() };
            options.backward(self, Some(&Tensor::ones_like(self)?))?;
            let create_graph = GradOptions { create_graph: true, ..options };
            create_graph.backward(self, Some(&Tensor::ones_like(self)?))?;
        }
        Ok(())
    }
}

impl Results for () {
    fn look_at(&self) -> Result<()> {
        Ok(())
    }
}

impl<T: Results> Results for Vec<T> {
    fn look_at(&self) -> Result<()> {
        // Of a million views of a huge tensor the first are like the others.
        self.iter().take(8).try_for_each(Results::look_at)
    }
}

impl<T: Results> Results for Option<T> {
    fn look_at(&self) -> Result<()> {
        self.iter().try_for_each(Results::look_at)
    }
}

impl<A: Results, B: Results> Results for (A, B) {
    fn look_at(&self) -> Result<()> {
        self.0.look_at()?;
        self.1.look_at()
    }
}

/// One of a family's calls, with its choices.
pub(crate) struct Case {
    family: &'static str,
    call: usize,
    choices: Vec<u16>,
}

/// Shows what was drawn, and what replays it.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choices: Vec<String> = self.choices.iter().map(u16::to_string).collect();
        write!(f, "CHAINRULE_HOSTILE={}:{}:{}", self.family, self.call, choices.join(","))
    }
}

impl Clone for Case {
    fn clone(&self) -> Self {
        Case { family: self.family, call: self.call, choices: self.choices.clone() }
    }
}

/// Cases of a family's calls; with `CHAINRULE_HOSTILE_ONLY`, of those whose names begin with it.
pub(crate) fn cases(family: &'static str, calls: &[Call]) -> impl Strategy<Value = Case> {
    let only = std::env::var("CHAINRULE_HOSTILE_ONLY").unwrap_or_default();
    let these: Vec<usize> = (0..calls.len()).filter(|&i| calls[i].name.starts_with(&only)).collect();
    let these = if these.is_empty() { (0..calls.len()).collect() } else { these };
    (prop::sample::select(these), vec(any::<u16>(), 0..64)).prop_map(move |(call, choices)| Case {
        family,
        call,
        choices,
    })
}

impl Case {
    /// Runs the case. A panic says what was drawn.
    pub(crate) fn run(&self, calls: &[Call]) {
        let call = &calls[self.call];
        let mut draw = Draw::new(&self.choices);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (call.run)(&mut draw)));
        match ended {
            // Whoever gets an error reads it.
            Ok(result) => _ = result.map_err(|error| error.to_string()),
            Err(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("?");
                panic!("{} panics with {:?} drawn: {text}", call.name, draw.drawn);
            }
        }
    }

    /// The case that `CHAINRULE_HOSTILE=family:call:choices` names, if it is of this family. It says what it draws
    /// before it runs, so that an abort can be looked into.
    pub(crate) fn from_environment(family: &'static str, calls: &[Call]) -> Option<Case> {
        let text = std::env::var("CHAINRULE_HOSTILE").ok()?;
        let mut parts = text.split(':');
        if parts.next() != Some(family) {
            return None;
        }
        let call = parts.next()?.parse().ok()?;
        let choices = parts.next()?.split(',').filter_map(|choice| choice.parse().ok()).collect();
        let case = Case { family, call, choices };
        eprintln!("{}: {case:?}", calls[call].name);
        Some(case)
    }
}
