//! What is changed of an ONNX file, with the rest as it is (onnx.proto3 of onnx/onnx).

use bytes::Bytes;
use prost::Message;

/// `TensorProto.DataType` of 32-bit floats and 8-bit integers.
pub(super) const FLOAT: i32 = 1;
pub(super) const INT8: i32 = 3;

/// `ModelProto`: the version of the format, that of the operators, and the graph.
#[derive(Message)]
pub(super) struct Model {
    #[prost(int64, tag = "1")]
    pub(super) format: i64,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
    #[prost(bytes = "bytes", repeated, tag = "8")]
    pub(super) operators: Vec<Bytes>,
}

/// `GraphProto`
#[derive(Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(super) nodes: Vec<Node>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(super) initializers: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "11")]
    pub(super) inputs: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "12")]
    pub(super) outputs: Vec<Bytes>,
}

/// `NodeProto`
#[derive(Clone, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) outputs: Vec<String>,
    #[prost(string, tag = "4")]
    pub(super) operator: String,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(super) attributes: Vec<Bytes>,
}

/// `AttributeProto` of an integer.
#[derive(Message)]
struct Integer {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    value: i64,
    #[prost(int32, tag = "20")]
    kind: i32,
}

/// `TensorProto` without its numbers.
#[derive(Message)]
pub(super) struct TensorHead {
    #[prost(int64, repeated, tag = "1")]
    pub(super) shape: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) kind: i32,
    #[prost(string, tag = "8")]
    pub(super) name: String,
}

/// The attribute of a `Cast` to floats.
pub(super) fn to_floats() -> Bytes {
    Integer { name: "to".to_owned(), value: FLOAT.into(), kind: 2 }.encode_to_vec().into()
}
