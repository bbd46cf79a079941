//! From a struct to its implementation.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Index, Member, Path, Result, Type, parse2};

use crate::{attributes, bounds};

pub(crate) fn module(input: TokenStream, path: Path) -> TokenStream {
    parse2(input).and_then(|input| expand(&input, path)).unwrap_or_else(Error::into_compile_error)
}

fn expand(input: &DeriveInput, path: Path) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        let text = "Module can be derived for structs; for an enum, implement it by hand: \
                    `fn visit` with a `match` that visits the fields of each variant";
        return Err(Error::new(input.ident.span(), text));
    };
    let path = attributes::of_struct(&input.attrs)?.unwrap_or(path);

    let mut names = HashSet::new();
    let mut types: Vec<&Type> = Vec::new();
    let mut visits = Vec::new();
    for (i, field) in data.fields.iter().enumerate() {
        let options = attributes::Field::new(&field.attrs)?;
        if options.skip {
            continue;
        }
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(Index::from(i)),
        };
        let name = match (&options.rename, &field.ident) {
            (Some(name), _) => name.value(),
            (None, Some(name)) => name.unraw().to_string(),
            (None, None) => i.to_string(),
        };
        if !names.insert(name.clone()) {
            let span = options.rename.map_or_else(|| member.span(), |name| name.span());
            return Err(Error::new(span, format!("two fields are called {name:?}")));
        }
        types.push(&field.ty);
        // At the type's place in the source, so that an error of the compiler points there.
        let place = field.ty.span().resolved_at(Span::call_site());
        visits.push(quote_spanned! {place=>
            #path::Field::visit_field(&self.#member, #name, visitor);
        });
    }

    let head = bounds::head(&input.generics, &input.ident, &types, &path);
    Ok(quote! {
        #[automatically_derived]
        #head {
            #[allow(unused_variables)]
            fn visit(&self, visitor: &mut dyn #path::Visitor) {
                #(#visits)*
            }
        }
    })
}
