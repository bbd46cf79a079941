//! [`Guards`]: a setting of a thread that lasts as long as guards live, whatever the order in which they are dropped.

use std::cell::{Cell, RefCell};

/// The guards of one setting that live on this thread, oldest first, each with the value that it set. The youngest of
/// them counts.
pub(super) struct Guards {
    alive: RefCell<Vec<(u64, bool)>>,
    made: Cell<u64>,
}

impl Guards {
    pub(super) const fn new() -> Guards {
        Guards { alive: RefCell::new(Vec::new()), made: Cell::new(0) }
    }

    /// Takes in a new guard; its number.
    pub(super) fn begin(&self, value: bool) -> u64 {
        let number = self.made.get();
        self.made.set(number + 1);
        self.alive.borrow_mut().push((number, value));
        number
    }

    /// Lets a guard go; the value that counts then, if another is left.
    pub(super) fn end(&self, number: u64) -> Option<bool> {
        let mut alive = self.alive.borrow_mut();
        // Mostly the last.
        if let Some(place) = alive.iter().rposition(|&(other, _)| other == number) {
            alive.remove(place);
        }
        alive.last().map(|&(_, value)| value)
    }
}
