//! [`Field`]: what a field of a derived module can be.

use std::marker::PhantomData;

use chainrule_tensor::{DType, Parameter, Result, Shape, Tensor};

use super::{Buffer, Module, Training, Visitor};

/// What a field of a struct with `#[derive(Module)]` can be: a [`Parameter`], a [`Buffer`], a [`Training`] flag,
/// any [`Module`], an `Option`, and plain configuration, of which there is nothing to visit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a module",
    label = "not a parameter, buffer, module or plain configuration",
    note = "derive `Module` for `{Self}`, or mark the field `#[module(skip)]`",
    note = "a constant `Tensor` belongs into a `Buffer` (saved) or a field marked `#[module(skip)]` (not saved)"
)]
pub trait Field {
    /// Shows the field to a visitor under its name.
    fn visit_field(&self, name: &str, visitor: &mut dyn Visitor);
}

impl<M: Module> Field for M {
    fn visit_field(&self, name: &str, visitor: &mut dyn Visitor) {
        visitor.module(name, self);
    }
}

impl Field for Parameter {
    fn visit_field(&self, name: &str, visitor: &mut dyn Visitor) {
        visitor.parameter(name, self);
    }
}

impl Field for Buffer {
    fn visit_field(&self, name: &str, visitor: &mut dyn Visitor) {
        visitor.buffer(name, self);
    }
}

impl Field for Training {
    fn visit_field(&self, _: &str, visitor: &mut dyn Visitor) {
        visitor.training(self);
    }
}

impl<T: Field> Field for Option<T> {
    fn visit_field(&self, name: &str, visitor: &mut dyn Visitor) {
        if let Some(field) = self {
            field.visit_field(name, visitor);
        }
    }
}

/// Types of which there is nothing to visit.
macro_rules! configuration {
    ($($t:ty),+ $(,)?) => {
        $(impl Field for $t { fn visit_field(&self, _: &str, _: &mut dyn Visitor) {} })+
    };
}
configuration!(
    (),
    bool,
    char,
    String,
    &'static str,
    DType,
    Shape,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    fn(&Tensor) -> Result<Tensor>,
);

impl<T: ?Sized> Field for PhantomData<T> {
    fn visit_field(&self, _: &str, _: &mut dyn Visitor) {}
}
