//! Pictures: their size, a preview, and the words in them if `tesseract` is installed.
//!
//! The size is known from the header and held against the limit before a pixel is decoded. Tesseract gets the pixels as we
//! decoded them, never the file.

use std::{
    fs::File,
    io::{BufReader, Cursor},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};

use super::{
    Extracted, Failed, Limits, Metadata, THUMBNAIL_SIDE,
    program::{self, Outcome},
    prose::Prose,
};
use crate::documents::kind::Kind;

pub(super) fn read(path: &Path, kind: Kind, limits: &Limits) -> Result<Extracted, Failed> {
    let file = BufReader::new(File::open(path)?);
    let format = ImageFormat::from_extension(kind.name());
    let format = format.ok_or_else(|| Failed::Unsupported(format!("{kind} files are no pictures")))?;
    let mut reader = ImageReader::with_format(file, format);
    let mut allowed = image::Limits::no_limits();
    // Eight bytes a pixel is a picture of 16 bits a channel; decoders need a little beside.
    allowed.max_alloc = Some(limits.pixels.saturating_mul(8).saturating_add(64 << 20));
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels {
        let limit = limits.pixels / 1_000_000;
        return Err(Failed::TooLarge(format!("it has {width} × {height} pixels; {limit} megapixels are the limit")));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let (width, height) = match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
    };
    let thumbnail = thumbnail(&picture, orientation)?;
    let mut warnings = Vec::new();
    let text = words(picture, orientation, limits, &mut warnings)?;
    let metadata = Metadata { width: Some(width), height: Some(height), ..Metadata::default() };
    Ok(Extracted { text, metadata, thumbnail: Some(thumbnail), warnings })
}

/// A smaller picture, upright, as PNG; one that is small already stays as large as it is.
fn thumbnail(picture: &DynamicImage, orientation: Orientation) -> Result<Vec<u8>, Failed> {
    let fits = picture.width() <= THUMBNAIL_SIDE && picture.height() <= THUMBNAIL_SIDE;
    let mut small = if fits { picture.clone() } else { picture.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE) };
    small.apply_orientation(orientation);
    png(&DynamicImage::ImageRgba8(small.into_rgba8()))
}

/// The words in a picture.
fn words(
    picture: DynamicImage,
    orientation: Orientation,
    limits: &Limits,
    warnings: &mut Vec<String>,
) -> Result<String, Failed> {
    if !program::is_installed("tesseract") {
        warnings.push("Words in pictures are not read: tesseract is not installed on this server.".into());
        return Ok(String::new());
    }
    let mut grey = DynamicImage::ImageLuma8(picture.into_luma8());
    grey.apply_orientation(orientation);
    let page = png(&grey)?;
    drop(grey);
    let mut prose = Prose::new(limits.text_bytes);
    match program::run("tesseract", &["stdin".as_ref(), "stdout".as_ref()], page, limits) {
        Outcome::Done(output) => prose.push(&String::from_utf8_lossy(&output)),
        Outcome::TooLong => warnings.push("Reading the words in the picture took too long.".into()),
        Outcome::Failed => warnings.push("The words in the picture could not be read.".into()),
    }
    Ok(prose.finish(warnings))
}

fn png(picture: &DynamicImage) -> Result<Vec<u8>, Failed> {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(broken)?;
    Ok(png.into_inner())
}

fn broken(error: ImageError) -> Failed {
    match error {
        ImageError::Limits(_) => Failed::TooLarge("it has too many pixels".into()),
        ImageError::IoError(error) => error.into(),
        ImageError::Unsupported(error) => Failed::Unsupported(format!("this picture cannot be read: {error}")),
        error @ (ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_)) => {
            Failed::damaged(error)
        }
    }
}
