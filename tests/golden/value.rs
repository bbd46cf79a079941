//! The values that cases write down: Python's arguments.

use std::collections::HashMap;

use chainrule::{DType, Scalar, Tensor};
use serde_json::Value as Json;

use crate::directory::Case;
use crate::stop::{Outcome, Stop, mismatch};

/// A Python value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A tensor, and the name that the case has for it.
    Tensor(Tensor, String),
    Scalar(Scalar),
    None,
    Str(String),
    DType(String),
    /// A list or tuple.
    Sequence(Vec<Value>),
    Slice([Option<i64>; 3]),
    Ellipsis,
    MemoryFormat,
    Function(String),
    Dict(Vec<(String, Value)>),
}

/// The tensors of a case: each name is one leaf, however often it occurs.
pub(crate) struct Leaves<'a> {
    case: &'a Case<'a>,
    by_name: HashMap<String, Tensor>,
}

impl<'a> Leaves<'a> {
    pub(crate) fn new(case: &'a Case<'a>) -> Leaves<'a> {
        Leaves { case, by_name: HashMap::new() }
    }

    /// The leaf of this name.
    pub(crate) fn get(&self, name: &str) -> Outcome<&Tensor> {
        self.by_name.get(name).ok_or_else(|| Stop::Mismatch(format!("no input is called {name}")))
    }

    /// The value that is written down.
    pub(crate) fn decode(&mut self, json: &Json) -> Outcome<Value> {
        let Some(fields) = json.as_object() else { return mismatch(format!("not a value: {json}")) };
        let text = |key: &str| fields.get(key).and_then(Json::as_str).map(str::to_string);
        if let Some(name) = text("tensor") {
            let tensor = self.tensor(&name, json)?;
            return Ok(Value::Tensor(tensor, name));
        }
        let all = |this: &mut Self, list: &Json| {
            list.as_array().into_iter().flatten().map(|item| this.decode(item)).collect::<Outcome<Vec<_>>>()
        };
        let (tag, content) = match fields.iter().find(|(key, _)| *key != "kind") {
            Some(entry) => entry,
            None => return mismatch("an empty value"),
        };
        Ok(match tag.as_str() {
            "scalar" => Value::Scalar(scalar(content, text("kind").as_deref().unwrap_or("float"))?),
            "none" => Value::None,
            "str" => Value::Str(text("str").unwrap_or_default()),
            "dtype" => Value::DType(text("dtype").unwrap_or_default()),
            "ints" => Value::Sequence(scalars(content, "int")?),
            "floats" => Value::Sequence(scalars(content, "float")?),
            "list" | "tuple" => Value::Sequence(all(self, content)?),
            "slice" => Value::Slice([0, 1, 2].map(|i| content[i].as_i64())),
            "ellipsis" => Value::Ellipsis,
            "memory_format" => Value::MemoryFormat,
            "fn" => Value::Function(text("fn").unwrap_or_default()),
            "dict" => Value::Dict(self.named(content)?),
            _ => return mismatch(format!("not a value: {json}")),
        })
    }

    /// The values of an object, by name.
    pub(crate) fn named(&mut self, json: &Json) -> Outcome<Vec<(String, Value)>> {
        let entries = json.as_object().into_iter().flatten();
        entries.map(|(name, value)| Ok((name.clone(), self.decode(value)?))).collect()
    }

    fn tensor(&mut self, name: &str, json: &Json) -> Outcome<Tensor> {
        if let Some(known) = self.by_name.get(name) {
            return Ok(known.clone());
        }
        let mut tensor = self.case.tensor(name)?;
        if let Some(strides) = json["strides"].as_array() {
            tensor = lay_out(&tensor, &strides.iter().filter_map(Json::as_i64).collect::<Vec<_>>())?;
        }
        if json["grad"] == true {
            tensor = tensor.requires_grad_(true)?;
        }
        self.by_name.insert(name.to_string(), tensor.clone());
        Ok(tensor)
    }
}

/// The same values in a memory layout like that of the strides: expanded where they are 0, and with the
/// dimensions in memory in the order of the strides.
fn lay_out(tensor: &Tensor, strides: &[i64]) -> Outcome<Tensor> {
    let mut small = tensor.clone();
    for (dim, (&size, &stride)) in tensor.shape().iter().zip(strides).enumerate() {
        if stride == 0 && size > 1 {
            small = small.narrow(dim as isize, 0, 1)?;
        }
    }
    let mut order: Vec<isize> = (0..strides.len() as isize).collect();
    order.sort_by_key(|&dim| std::cmp::Reverse(strides[dim as usize]));
    let mut back = order.clone();
    back.sort_by_key(|&dim| order[dim as usize]);
    Ok(small.permute(order)?.contiguous()?.permute(back)?.expand(tensor.shape())?)
}

/// A number or truth value of a kind; those that JSON cannot hold are spelled out.
pub(crate) fn scalar(json: &Json, kind: &str) -> Outcome<Scalar> {
    let value = match kind {
        "int" => json.as_i64().map(Scalar::Int),
        "bool" => json.as_bool().map(Scalar::Bool),
        _ => float(json).map(Scalar::Float),
    };
    value.ok_or_else(|| Stop::Mismatch(format!("not of kind {kind}: {json}")))
}

/// A floating-point number, which may be written `"inf"`, `"-inf"` or `"nan"`.
pub(crate) fn float(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.parse().ok())
}

fn scalars(list: &Json, kind: &str) -> Outcome<Vec<Value>> {
    list.as_array().into_iter().flatten().map(|x| Ok(Value::Scalar(scalar(x, kind)?))).collect()
}

/// A dtype by PyTorch's name; `int32` is read as `int64`.
pub(crate) fn dtype(name: &str) -> Outcome<DType> {
    match name {
        "float32" => Ok(DType::F32),
        "float64" => Ok(DType::F64),
        "int64" | "int32" => Ok(DType::I64),
        "bool" => Ok(DType::Bool),
        other => Err(Stop::NotBuilt(format!("dtype not built: {other}"))),
    }
}
