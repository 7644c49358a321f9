//! The network's products with its weights, in integers.
//!
//! The file keeps weights as 8-bit integers and has them turned into floats before anything is multiplied by them: a short text
//! then takes as long as reading four times the memory does. Here the file's graph (ONNX) is changed so that the integers
//! themselves are multiplied, and only those rows of the vocabulary that a text has are turned into floats. Inputs are rounded to
//! 8 bits for it, in steps that fit them (`DynamicQuantizeLinear`). In the feed-forward layers, where few inputs reach far beyond
//! the others, what that took off is multiplied as well. Beside those computed in floats, the vectors of the tests' corpus have a
//! cosine of 0.999; without that second product 0.994.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use prost::Message;
use rten_gemm::GemmExecutor;

use super::onnx::{self, FLOAT, Graph, INT8, Model, Node, TensorHead};

/// The same graph with products of integers; `None` where it has no weights of this kind, or where the processor sums such
/// products in 16 bits, which overflow (x86 without VNNI).
pub(super) fn multiplied(file: Bytes) -> Option<Vec<u8>> {
    let overflows = GemmExecutor::<u8, i8, i32>::default().may_saturate();
    let mut model = Model::decode(file).ok().filter(|_| !overflows)?;
    let graph = model.graph.as_mut()?;
    let weights = weights(graph);
    let mut writer = Writer::default();
    for node in &graph.nodes {
        let weight = |value: &String, scales| weights.get(value).filter(|weight| weight.scales_of == scales);
        match (node.operator.as_str(), &node.inputs[..], &node.outputs[..]) {
            ("MatMul", [input, value], [output]) if let Some(weight) = weight(value, Scales::Columns) => {
                writer.product(input, weight, output);
            }
            ("Gather", [value, rows], [output]) if let Some(weight) = weight(value, Scales::Rows) => {
                writer.gathered(weight, rows, output);
            }
            _ => writer.nodes.push(node.clone()),
        }
    }
    graph.nodes = writer.nodes;
    (!weights.is_empty()).then(|| model.encode_to_vec())
}

/// A weight as it is kept: in floats it is its integers times the scale of their column, or of their row.
struct Weight {
    integers: String,
    scales: String,
    scales_of: Scales,
    feeds_forward: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scales {
    Columns,
    Rows,
}

/// The weights of a graph that are kept in integers, by the value that is the weight in floats.
fn weights(graph: &Graph) -> BTreeMap<String, Weight> {
    let heads = graph.initializers.iter().filter_map(|tensor| TensorHead::decode(tensor.clone()).ok());
    let kept: BTreeMap<_, _> = heads.map(|head| (head.name, (head.kind, head.shape))).collect();
    let made: BTreeMap<&str, &Node> =
        graph.nodes.iter().filter_map(|node| Some((node.outputs.first()?.as_str(), node))).collect();
    let inputs = |value: &str, operator: &str| {
        let node = made.get(value).filter(|node| node.operator == operator)?;
        Some(node.inputs.as_slice())
    };
    let weight = |value: &str| {
        let [integers, scales] = inputs(value, "Mul")? else { return None };
        let [integers] = inputs(integers, "Cast")? else { return None };
        let ((INT8, shape), (FLOAT, scaled)) = (kept.get(integers)?, kept.get(scales)?) else { return None };
        let (&[rows, columns], &[down, across]) = (&shape[..], &scaled[..]) else { return None };
        let scales_of = match (down, across) {
            (1, across) if across == columns => Scales::Columns,
            (down, 1) if down == rows => Scales::Rows,
            _ => return None,
        };
        // Those of the attention are square.
        let feeds_forward = rows != columns;
        Some(Weight { integers: integers.clone(), scales: scales.clone(), scales_of, feeds_forward })
    };
    made.keys().filter_map(|value| Some(((*value).to_owned(), weight(value)?))).collect()
}

/// Nodes as they are added, and the values that they have rounded.
#[derive(Default)]
struct Writer {
    nodes: Vec<Node>,
    rounded: BTreeSet<String>,
}

impl Writer {
    /// `output` = `input` × the weight.
    fn product(&mut self, input: &str, weight: &Weight, output: &str) {
        self.rounded(input);
        if weight.feeds_forward {
            let rest = self.rest(input);
            self.rounded(&rest);
            let [first, second] = ["first", "second"].map(|part| format!("{output}.{part}"));
            self.scaled(input, weight, &first);
            self.scaled(&rest, weight, &second);
            self.node("Add", &[&first, &second], &[output]);
        } else {
            self.scaled(input, weight, output);
        }
    }

    /// `output` = these `rows` of the weight, which is not turned into floats as a whole for them.
    fn gathered(&mut self, weight: &Weight, rows: &str, output: &str) {
        let [integers, floats, scales] = ["integers", "floats", "scales"].map(|part| format!("{output}.{part}"));
        self.node("Gather", &[&weight.integers, rows], &[&integers]);
        self.node("Cast", &[&integers], &[&floats]);
        self.node("Gather", &[&weight.scales, rows], &[&scales]);
        self.node("Mul", &[&floats, &scales], &[output]);
    }

    /// Rounds a value to 8 bits, once.
    fn rounded(&mut self, value: &str) {
        if self.rounded.insert(value.to_owned()) {
            let [integers, step, zero] = parts(value);
            self.node("DynamicQuantizeLinear", &[value], &[&integers, &step, &zero]);
        }
    }

    /// What rounding took off a value.
    fn rest(&mut self, value: &str) -> String {
        let rest = format!("{value}.rest");
        if !self.rounded.contains(&rest) {
            let [integers, step, zero] = parts(value);
            let near = format!("{value}.near");
            self.node("DequantizeLinear", &[&integers, &step, &zero], &[&near]);
            self.node("Sub", &[value, &near], &[&rest]);
        }
        rest
    }

    /// The product of a rounded value, in floats.
    fn scaled(&mut self, rounded: &str, weight: &Weight, output: &str) {
        let [integers, step, zero] = parts(rounded);
        let [sums, floats, scales] = ["sums", "floats", "scales"].map(|part| format!("{output}.{part}"));
        self.node("MatMulInteger", &[&integers, &weight.integers, &zero], &[&sums]);
        self.node("Cast", &[&sums], &[&floats]);
        self.node("Mul", &[&step, &weight.scales], &[&scales]);
        self.node("Mul", &[&floats, &scales], &[output]);
    }

    fn node(&mut self, operator: &str, inputs: &[&str], outputs: &[&str]) {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let attributes = if operator == "Cast" { vec![onnx::to_floats()] } else { Vec::new() };
        let (inputs, outputs) = (names(inputs), names(outputs));
        self.nodes.push(Node { inputs, outputs, operator: operator.to_owned(), attributes });
    }
}

/// What a rounded value consists of: its integers, how much one of them is, and which is zero.
fn parts(value: &str) -> [String; 3] {
    ["integers", "step", "zero"].map(|part| format!("{value}.{part}"))
}
