//! What a generic struct's type parameters must be.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Ident, Path, Type, WhereClause, parse_quote};

/// The struct's own conditions, and that each field whose type depends on a type parameter can be a field:
/// so `PhantomData<T>` asks nothing of `T`.
///
/// A field that contains the struct itself is left out, as its condition would be that of the whole.
pub(crate) fn conditions(
    generics: &Generics,
    this: &Ident,
    fields: &[&Type],
    path: &Path,
) -> Option<WhereClause> {
    let parameters: HashSet<String> = generics.type_params().map(|p| p.ident.to_string()).collect();
    let mut generics = generics.clone();
    for ty in fields {
        let mut words = HashSet::new();
        collect(ty.to_token_stream(), &mut words);
        if !words.is_disjoint(&parameters) && !words.contains(&this.to_string()) && !words.contains("Self") {
            generics.make_where_clause().predicates.push(parse_quote!(#ty: #path::Field));
        }
    }
    generics.where_clause
}

/// All identifiers in a type.
fn collect(tokens: TokenStream, words: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                words.insert(word.to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), words),
            _ => {}
        }
    }
}

/// `impl … Trait for Struct … where … {`, without the braces.
pub(crate) fn head(generics: &Generics, this: &Ident, fields: &[&Type], path: &Path) -> TokenStream {
    let conditions = conditions(generics, this, fields, path);
    let (before, after, _) = generics.split_for_impl();
    quote!(impl #before #path::Module for #this #after #conditions)
}
