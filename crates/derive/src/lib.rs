//! `#[derive(Module)]`, as `chainrule::nn` and `chainrule_nn` export it.

mod attributes;
mod bounds;
mod expand;

use proc_macro::TokenStream;
use proc_macro2::Span;
use syn::parse_quote_spanned;

/// Implements `chainrule::nn::Module` for a struct: a visit of each field under the field's name.
///
/// Fields need no attributes: parameters, buffers, modules, `Option`s, `Vec`s, arrays and tuples of these, and
/// plain configuration (numbers, strings, …) are told apart by their types. A field of a type that is none of
/// them does not compile.
///
/// - `#[module(skip)]` on a field leaves it out.
/// - `#[module(rename = "…")]` on a field gives it another name in state dicts.
/// - `#[module(crate = "…")]` on the struct is the path of `chainrule::nn`, where the crate was renamed.
#[proc_macro_derive(Module, attributes(module))]
pub fn module_of_chainrule(input: TokenStream) -> TokenStream {
    let path = parse_quote_spanned!(Span::call_site()=> ::chainrule::nn);
    expand::module(input.into(), path).into()
}

/// As `Module`, for crates that depend on `chainrule-nn` itself.
#[proc_macro_derive(ModuleOfNn, attributes(module))]
pub fn module_of_nn(input: TokenStream) -> TokenStream {
    let path = parse_quote_spanned!(Span::call_site()=> ::chainrule_nn);
    expand::module(input.into(), path).into()
}
