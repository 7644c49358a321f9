//! Whisper weights from CTranslate2's file (f16) to whisper.cpp's (ggml, q8_0).
//!
//! The order of the output is fixed by [`plan`] and the arithmetic is plain IEEE, so equal weights give equal bytes
//! whichever package they came from; the catalogue pins the digest. Layout: whisper.cpp, `whisper_model_load`.

use std::io::{self, Read, Seek, Write};

use half::f16;

use super::{
    ct2::{Reader, invalid},
    vocabulary,
};
use crate::local::mel;

/// Converts `weights` with the vocabulary file that came with them.
///
/// # Errors
/// `InvalidData` when the input is not a Whisper model of the expected shape; otherwise what reading or writing gave.
pub(super) fn whisper(weights: impl Read + Seek, vocabulary: &str, out: &mut impl Write) -> io::Result<()> {
    let mut model = Reader::open(weights)?;
    let shape = Shape::of(&mut model)?;
    header(&shape, vocabulary, out)?;
    for tensor in plan(&shape) {
        write(&mut model, &tensor, out)?;
    }
    Ok(())
}

/// The sizes that tell one Whisper from another.
struct Shape {
    vocabulary: usize,
    width: usize,
    audio: usize,
    text: usize,
    encoder: Stack,
    decoder: Stack,
}

struct Stack {
    heads: usize,
    layers: usize,
}

impl Shape {
    fn of<R: Read + Seek>(model: &mut Reader<R>) -> io::Result<Self> {
        let side = |model: &Reader<R>, name: &str, at: usize| {
            let entry = model.entry_of(name)?;
            entry.shape.get(at).copied().ok_or_else(|| invalid(format!("{name} has too few dimensions")))
        };
        Ok(Self {
            vocabulary: side(model, "decoder/embeddings/weight", 0)?,
            width: side(model, "encoder/layer_norm/gamma", 0)?,
            audio: side(model, "encoder/position_encodings/encodings", 0)?,
            text: side(model, "decoder/position_encodings/encodings", 0)?,
            encoder: Stack::of(model, "encoder")?,
            decoder: Stack::of(model, "decoder")?,
        })
    }

    /// Text tokens; what lies beyond are control tokens, which whisper.cpp names itself.
    fn words(&self) -> usize {
        if self.vocabulary >= 51_865 { 50_257 } else { 50_256 }
    }
}

impl Stack {
    fn of<R: Read + Seek>(model: &mut Reader<R>, side: &str) -> io::Result<Self> {
        let heads = model.scalar(&format!("{side}/num_heads"))? as usize;
        let norm = |name: &&str| name.starts_with(side) && name.ends_with("/ffn/layer_norm/gamma");
        Ok(Self { heads, layers: model.names().filter(norm).count() })
    }
}

fn header(shape: &Shape, vocabulary: &str, out: &mut impl Write) -> io::Result<()> {
    const MAGIC: u32 = 0x6767_6d6c;
    // 7 is q8_0, 2000 the version of the quantisation format.
    const Q8_0: usize = 2_007;
    out.write_all(&MAGIC.to_le_bytes())?;
    let Shape { width, encoder, decoder, .. } = shape;
    let numbers = [
        shape.vocabulary,
        shape.audio,
        *width,
        encoder.heads,
        encoder.layers,
        shape.text,
        *width,
        decoder.heads,
        decoder.layers,
        mel::BANDS,
        Q8_0,
        mel::BANDS,
        mel::BINS,
    ];
    numbers.iter().try_for_each(|number| int(out, *number))?;
    for weight in mel::filters().iter().flatten() {
        out.write_all(&weight.to_le_bytes())?;
    }
    let words = vocabulary::words(vocabulary)?;
    let words = words.get(..shape.words()).ok_or_else(|| invalid("the vocabulary is too short"))?;
    int(out, words.len())?;
    for word in words {
        int(out, word.len())?;
        out.write_all(word)?;
    }
    Ok(())
}

/// One tensor of the output and where it comes from.
struct Tensor {
    to: String,
    from: String,
    /// Of the source's rows, take this third or half: `(index, of)`. Attention weights are stored fused.
    part: (usize, usize),
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// f32 in the source's shape.
    Float,
    /// f32 vector as one column.
    Column,
    /// f16 in the source's shape.
    Half,
    /// Blocks of 32 values with a common scale.
    Q8,
}

fn plan(shape: &Shape) -> Vec<Tensor> {
    let mut plan = Plan(Vec::new());
    plan.whole("encoder.positional_embedding", "encoder/position_encodings/encodings", Form::Float);
    for conv in ["conv1", "conv2"] {
        plan.whole(&format!("encoder.{conv}.weight"), &format!("encoder/{conv}/weight"), Form::Half);
        plan.whole(&format!("encoder.{conv}.bias"), &format!("encoder/{conv}/bias"), Form::Column);
    }
    for layer in 0..shape.encoder.layers {
        plan.block(&format!("encoder.blocks.{layer}"), &format!("encoder/layer_{layer}"));
    }
    plan.norm("encoder.ln_post", "encoder/layer_norm");
    plan.whole("decoder.positional_embedding", "decoder/position_encodings/encodings", Form::Float);
    plan.whole("decoder.token_embedding.weight", "decoder/embeddings/weight", Form::Q8);
    for layer in 0..shape.decoder.layers {
        let (to, from) = (format!("decoder.blocks.{layer}"), format!("decoder/layer_{layer}"));
        plan.block(&to, &from);
        plan.cross(&to, &from);
    }
    plan.norm("decoder.ln", "decoder/layer_norm");
    plan.0
}

struct Plan(Vec<Tensor>);

impl Plan {
    fn part(&mut self, to: String, from: String, part: (usize, usize), form: Form) {
        self.0.push(Tensor { to, from, part, form });
    }

    fn whole(&mut self, to: &str, from: &str, form: Form) {
        self.part(to.into(), from.into(), (0, 1), form);
    }

    fn norm(&mut self, to: &str, from: &str) {
        self.whole(&format!("{to}.weight"), &format!("{from}/gamma"), Form::Float);
        self.whole(&format!("{to}.bias"), &format!("{from}/beta"), Form::Float);
    }

    fn linear(&mut self, to: &str, from: &str) {
        self.whole(&format!("{to}.weight"), &format!("{from}/weight"), Form::Q8);
        self.whole(&format!("{to}.bias"), &format!("{from}/bias"), Form::Float);
    }

    /// What encoder and decoder layers share: attention to itself, then two linear maps.
    fn block(&mut self, to: &str, from: &str) {
        self.norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"));
        self.linear(&format!("{to}.mlp.0"), &format!("{from}/ffn/linear_0"));
        self.linear(&format!("{to}.mlp.2"), &format!("{from}/ffn/linear_1"));
        self.norm(&format!("{to}.attn_ln"), &format!("{from}/self_attention/layer_norm"));
        self.split(&format!("{to}.attn"), &format!("{from}/self_attention/linear_0"), &["query", "key", "value"]);
        self.linear(&format!("{to}.attn.out"), &format!("{from}/self_attention/linear_1"));
    }

    /// A decoder layer's attention to what was heard.
    fn cross(&mut self, to: &str, from: &str) {
        self.norm(&format!("{to}.cross_attn_ln"), &format!("{from}/attention/layer_norm"));
        self.linear(&format!("{to}.cross_attn.query"), &format!("{from}/attention/linear_0"));
        self.split(&format!("{to}.cross_attn"), &format!("{from}/attention/linear_1"), &["key", "value"]);
        self.linear(&format!("{to}.cross_attn.out"), &format!("{from}/attention/linear_2"));
    }

    fn split(&mut self, to: &str, from: &str, roles: &[&str]) {
        for (index, role) in roles.iter().enumerate() {
            let part = (index, roles.len());
            self.part(format!("{to}.{role}.weight"), format!("{from}/weight"), part, Form::Q8);
            // Whisper's keys have no bias; CTranslate2 stores zeros.
            if *role != "key" {
                self.part(format!("{to}.{role}.bias"), format!("{from}/bias"), part, Form::Float);
            }
        }
    }
}

fn write<R: Read + Seek>(model: &mut Reader<R>, tensor: &Tensor, out: &mut impl Write) -> io::Result<()> {
    let (index, of) = tensor.part;
    let mut shape = model.entry_of(&tensor.from)?.shape.clone();
    let rows = shape.first_mut().ok_or_else(|| invalid(format!("{} is a scalar", tensor.from)))?;
    *rows /= of;
    let values = model.read(&tensor.from)?;
    let size = values.len() / of;
    let values = &values[index * size..(index + 1) * size];
    let kind = match tensor.form {
        Form::Float => 0,
        Form::Column => {
            shape.push(1);
            0
        }
        Form::Half => 1,
        Form::Q8 => 8,
    };
    if tensor.form == Form::Q8 && shape.last().is_none_or(|side| side % BLOCK != 0) {
        return Err(invalid(format!("rows of {} do not divide into blocks of {BLOCK}", tensor.from)));
    }
    int(out, shape.len())?;
    int(out, tensor.to.len())?;
    int(out, kind)?;
    shape.iter().rev().try_for_each(|side| int(out, *side))?;
    out.write_all(tensor.to.as_bytes())?;
    match tensor.form {
        Form::Float | Form::Column => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes())),
        Form::Half => values.iter().try_for_each(|value| out.write_all(&f16::from_f32(*value).to_le_bytes())),
        Form::Q8 => values.as_chunks().0.iter().try_for_each(|block| out.write_all(&q8(block))),
    }
}

/// Values that share a scale.
const BLOCK: usize = 32;

/// ggml's q8_0: the scale as f16, then the values in units of it.
fn q8(values: &[f32; BLOCK]) -> [u8; BLOCK + 2] {
    let scale = values.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / 127.0;
    let units = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let mut block = [0; BLOCK + 2];
    block[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (byte, value) in block[2..].iter_mut().zip(values) {
        *byte = ((value * units).round_ties_even() as i8).cast_unsigned();
    }
    block
}

fn int(out: &mut impl Write, number: usize) -> io::Result<()> {
    let number = u32::try_from(number).map_err(|_| invalid("a size beyond 32 bits"))?;
    out.write_all(&number.to_le_bytes())
}
