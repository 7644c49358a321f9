//! Pictures.

use image::{ImageFormat, RgbImage};

use super::*;

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn a_picture_is_measured_and_made_small() {
    for (kind, format) in [
        (Kind::Png, ImageFormat::Png),
        (Kind::Jpeg, ImageFormat::Jpeg),
        (Kind::Gif, ImageFormat::Gif),
        (Kind::WebP, ImageFormat::WebP),
    ] {
        let read = read(&picture(600, 300, format), kind).unwrap();
        assert_eq!((read.metadata.width, read.metadata.height), (Some(600), Some(300)), "{kind}");
        let small = image::load_from_memory_with_format(&read.thumbnail.unwrap(), ImageFormat::Png).unwrap();
        assert_eq!((small.width(), small.height()), (256, 128), "{kind}");
    }
}

#[test]
fn a_small_picture_is_its_own_preview() {
    let read = read(&picture(20, 10, ImageFormat::Png), Kind::Png).unwrap();
    let small = image::load_from_memory(&read.thumbnail.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (20, 10));
}

#[test]
fn a_picture_too_large_is_refused_by_its_header() {
    // 100 000 by 100 000 pixels, and no data at all.
    let mut file = picture(1, 1, ImageFormat::Png);
    file[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let checksum = {
        let mut sum = u32::MAX;
        for byte in &file[12..29] {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
            }
        }
        !sum
    };
    file[29..33].copy_from_slice(&checksum.to_be_bytes());
    let refused = read(&file, Kind::Png).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the file is too large to read: it has 100000 × 100000 pixels; 50 megapixels are the limit"
    );
}

#[test]
fn a_picture_cut_short_is_damaged() {
    let whole = picture(64, 64, ImageFormat::Png);
    assert!(matches!(read(&whole[..whole.len() / 2], Kind::Png), Err(Failed::Damaged(_))));
    assert!(matches!(read(&whole[..10], Kind::Png), Err(Failed::Damaged(_))));
}
