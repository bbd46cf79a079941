//! Movedim.

use crate::shape::{IntoDims, dim_index};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// Dimensions moved from the positions `source` to the positions `destination`; the others keep their
    /// order. A view (PyTorch: `torch.movedim`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.movedim(0, -1)?.shape(), &[3, 4, 2]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the lists differ in length, name a dimension twice, or one is out of range.
    #[track_caller]
    pub fn movedim(&self, source: impl IntoDims, destination: impl IntoDims) -> Result<Tensor> {
        let (source, destination) = (source.into_dims(), destination.into_dims());
        if source.len() != destination.len() {
            bail!(Shape, "movedim", "{source:?} and {destination:?} do not have the same length");
        }
        let mut order: Vec<Option<usize>> = vec![None; self.rank().max(1)];
        let mut moved = vec![false; order.len()];
        for (&from, &to) in source.iter().zip(&destination) {
            let (a, b) = (dim_index("movedim", from, self.rank())?, dim_index("movedim", to, self.rank())?);
            if std::mem::replace(&mut moved[a], true) || order[b].replace(a).is_some() {
                bail!(Index, "movedim", "a dimension is named twice in {source:?} or {destination:?}");
            }
        }
        let mut others = (0..self.rank()).filter(|&dim| !moved[dim]);
        let order = order.into_iter().filter_map(|dim| dim.or_else(|| others.next()));
        self.permute(order.take(self.rank()).map(|dim| dim as isize).collect::<Vec<_>>())
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[0, 1]", "[0]"], || values(1, [2, 3]).movedim([0, 1], 0)),
            Refusal::new(&["twice", "[0, 0]"], || values(1, [2, 3]).movedim([0, 0], [0, 1])),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).movedim(2, 0)),
        ]
    },
    ..Row::new("movedim", "torch.movedim", || {
        vec![
            Sample::new("one", [values(1, [2, 3, 2])], |x| x[0].movedim(0, -1)),
            Sample::new("two", [values(1, [2, 1, 3])], |x| x[0].movedim([2, 0], [0, 1])),
        ]
    })
};
