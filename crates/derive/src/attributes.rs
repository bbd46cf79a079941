//! What `#[module(…)]` says.

use syn::{Attribute, Error, LitStr, Path, Result};

/// The options of a struct: where the traits are found, if it says so.
pub(crate) fn of_struct(attributes: &[Attribute]) -> Result<Option<Path>> {
    let mut path = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("a struct takes #[module(crate = \"…\")] only"));
            }
            path = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            Ok(())
        })?;
    }
    Ok(path)
}

/// The options of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) skip: bool,
    pub(crate) rename: Option<LitStr>,
}

impl Field {
    pub(crate) fn new(attributes: &[Attribute]) -> Result<Field> {
        let mut field = Field::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("skip") {
                    field.skip = true;
                    Ok(())
                } else if meta.path.is_ident("rename") {
                    let name: LitStr = meta.value()?.parse()?;
                    if name.value().is_empty() || name.value().contains('.') {
                        return Err(Error::new(name.span(), "a name is not empty and has no dots"));
                    }
                    field.rename = Some(name);
                    Ok(())
                } else {
                    Err(meta.error("a field takes #[module(skip)] or #[module(rename = \"…\")]"))
                }
            })?;
        }
        Ok(field)
    }
}
