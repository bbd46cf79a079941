//! [`Gradient`]: a gradient on its way, whole or only the parts of it that are not zero.

use super::hooks::untracked;
use super::is_grad_enabled;
use super::leaf::storable;
use super::parts::Parts;
use crate::falling::{Falling, fall};
use crate::{Result, Tensor};

/// A gradient between two operations, or in a slot.
#[derive(Clone)]
pub(crate) enum Gradient {
    /// All of it.
    Dense(Tensor),
    /// The few parts of it that are not zero: what a slice or a row of a table hands back.
    Parts(Box<Parts>),
}

impl From<Tensor> for Gradient {
    fn from(grad: Tensor) -> Self {
        Gradient::Dense(grad)
    }
}

impl Gradient {
    /// All of it. What there were parts of is put together.
    pub(crate) fn into_dense(self) -> Result<Tensor> {
        match self {
            Gradient::Dense(grad) => Ok(grad),
            Gradient::Parts(parts) => parts.to_dense(),
        }
    }

    /// All of it, which stays here in this form.
    pub(crate) fn dense(&mut self) -> Result<&Tensor> {
        if let Gradient::Parts(parts) = self {
            *self = Gradient::Dense(parts.to_dense()?);
        }
        match self {
            Gradient::Dense(grad) => Ok(grad),
            Gradient::Parts(_) => unreachable!("the parts were put together"),
        }
    }

    /// Adds another gradient: in place where nobody else can see one of them, and parts in time in proportion to them.
    pub(super) fn add(&mut self, grad: Gradient) -> Result<()> {
        if is_grad_enabled() {
            *self = Gradient::Dense(self.dense()?.add(&grad.into_dense()?)?);
            return Ok(());
        }
        match (&mut *self, grad) {
            (Gradient::Dense(sum), Gradient::Dense(grad)) => add_dense(sum, grad)?,
            (Gradient::Dense(sum), Gradient::Parts(parts)) => match parts.merged()? {
                Gradient::Dense(grad) => add_dense(sum, grad)?,
                Gradient::Parts(parts) => parts.add_to(sum)?,
            },
            (Gradient::Parts(parts), Gradient::Dense(mut sum)) => {
                match parts.clone().merged()? {
                    Gradient::Dense(grad) => add_dense(&mut sum, grad)?,
                    Gradient::Parts(parts) => parts.add_to(&mut sum)?,
                }
                *self = Gradient::Dense(sum);
            }
            (Gradient::Parts(sum), Gradient::Parts(parts)) => match parts.merged()? {
                Gradient::Dense(grad) => return self.add(Gradient::Dense(grad)),
                Gradient::Parts(parts) => {
                    sum.append(*parts);
                    if !sum.are_few() {
                        *self = sum.clone().merged()?;
                    }
                }
            },
        }
        Ok(())
    }

    /// What a slot keeps: a whole gradient in row-major order, or rows with memory of their own.
    pub(super) fn at_rest(self) -> Result<Gradient> {
        match self {
            Gradient::Dense(grad) => grad.contiguous().map(Gradient::Dense),
            Gradient::Parts(parts) => match parts.to_rows()? {
                Some(rows) => Ok(Gradient::Parts(Box::new(rows))),
                None => parts.to_dense().map(Gradient::Dense),
            },
        }
    }

    /// Without a graph, where the pass is not recorded; parts have none.
    pub(super) fn untracked(self) -> Gradient {
        match self {
            Gradient::Dense(grad) => Gradient::Dense(untracked(grad)),
            parts => parts,
        }
    }

    /// As it is stored; see [`storable`].
    pub(super) fn storable(self) -> Result<Gradient> {
        match self {
            Gradient::Dense(grad) => storable(grad).map(Gradient::Dense),
            parts => Ok(parts),
        }
    }

    /// Lets go of it; what it holds may hold anything.
    pub(super) fn let_go(self) {
        if let Gradient::Dense(grad) = self {
            fall(Falling::Gradient(grad));
        }
    }

    /// Whether [`add`](Gradient::add) of a gradient [at rest](Gradient::at_rest) takes no memory, and so cannot fail.
    pub(super) fn takes(&self, grad: &Gradient) -> bool {
        !is_grad_enabled()
            && match (self, grad) {
                (Gradient::Dense(sum), _) => sum.is_updatable(),
                (Gradient::Parts(sum), Gradient::Parts(parts)) => sum.have_room_for(parts),
                (Gradient::Parts(_), Gradient::Dense(_)) => false,
            }
    }
}

/// Adds a gradient to a sum: in place where nobody else can see one of them.
fn add_dense(sum: &mut Tensor, mut grad: Tensor) -> Result<()> {
    if sum.add_in_place(&grad)? {
    } else if grad.add_in_place(sum)? {
        *sum = grad;
    } else {
        *sum = sum.add(&grad)?;
    }
    Ok(())
}
