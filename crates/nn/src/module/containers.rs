//! Modules made of others: lists name theirs `0`, `1`, … as PyTorch's `ModuleList` does, maps by their keys as
//! `ModuleDict` does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Field, Module, Visitor};

fn list<'a, T: Field + 'a>(fields: impl IntoIterator<Item = &'a T>, visitor: &mut dyn Visitor) {
    for (i, field) in fields.into_iter().enumerate() {
        field.visit_field(&i.to_string(), visitor);
    }
}

impl<T: Field> Module for Vec<T> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        list(self, visitor);
    }
}

impl<T: Field, const N: usize> Module for [T; N] {
    fn visit(&self, visitor: &mut dyn Visitor) {
        list(self, visitor);
    }
}

impl<T: Field> Module for BTreeMap<String, T> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        for (name, field) in self {
            field.visit_field(name, visitor);
        }
    }
}

impl<M: Module + ?Sized> Module for Box<M> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        (**self).visit(visitor);
    }
}

impl<M: Module + ?Sized> Module for Arc<M> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        (**self).visit(visitor);
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+))+) => {
        $(
            impl<$($t: Field),+> Module for ($($t,)+) {
                fn visit(&self, visitor: &mut dyn Visitor) {
                    $(self.$i.visit_field(stringify!($i), visitor);)+
                }
            }
        )+
    };
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
