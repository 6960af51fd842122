//! From the bytes of a file to pixels, upright, within limits.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use image::{ColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use libjpeg_turbo_rs::{JpegError, PixelFormat, Subsampling};

use super::Picture;

use super::brand::iso_media;
use super::exif::orientation;
use super::png;

/// The largest picture that is decoded, in pixels (64 megapixels): what a phone takes fits, a decompression bomb does not.
pub const MAX_PIXELS: u64 = 64_000_000;

/// What a decoder may take beside the pixels, in bytes: a colour profile of a few kB can unpack to gigabytes.
const BESIDE_PIXELS: u64 = 1 << 26;

/// Above, it is worth some time that a picture takes less memory.
const LARGE_PIXELS: u64 = 16_000_000;

/// A decoded picture, upright: 8-bit R, G, B, A, row by row from the top left. Alpha is 255 everywhere:
/// it is dropped without blending, as Pillow's `convert("RGB")` drops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    pub width: u32,
    pub height: u32,
    /// `width · height · 4` bytes.
    pub pixels: Vec<u8>,
}

/// Why bytes are not a picture that we can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the file is empty (0 bytes): copy or export the picture again")]
    Empty,
    #[error("this is {found}, not an image that is read here: give a PNG, JPEG, WebP or BMP, or convert it to one")]
    UnknownFormat { found: String },
    #[error(
        "the image is {width}×{height} = {:.1} megapixels and the limit is {}: crop it to the person or make it smaller",
        *width as f64 * *height as f64 / 1e6,
        MAX_PIXELS / 1_000_000
    )]
    TooLarge { width: u32, height: u32 },
    #[error("the {format} data ends too early (the file is cut off): copy or export the picture again")]
    Truncated { format: &'static str },
    #[error("the {format} data is broken ({reason}): export the picture again, or convert it to PNG")]
    Broken { format: &'static str, reason: String },
}

impl ImageError {
    /// The stable name of the error: `image-too-large` or `bad-image`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "image-too-large",
            Self::Empty | Self::UnknownFormat { .. } | Self::Truncated { .. } | Self::Broken { .. } => "bad-image",
        }
    }
}

/// Decodes a PNG, JPEG, WebP or BMP (told by its first bytes, not by a name) of any bit depth and colour type, and turns it
/// upright as its EXIF orientation says. Of an animation, the first frame. The size is checked before anything is allocated.
///
/// # Errors
/// [`ImageError::TooLarge`] above [`MAX_PIXELS`]; the other variants when the bytes are not a whole picture.
pub fn decode(bytes: &[u8]) -> Result<Rgba, ImageError> {
    Ok(decode_picture(bytes)?.to_rgba())
}

/// [`decode`] without the copy that turning a picture upright takes.
///
/// # Errors
/// As [`decode`].
pub fn decode_picture(bytes: &[u8]) -> Result<Picture, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    let format = image::guess_format(bytes).map_err(|_| unknown(bytes))?;
    let name = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => return Err(unknown(bytes)),
    };
    // The JPEG decoder paints what is missing grey and says nothing; the WebP decoder takes it for damage.
    let whole = match format {
        ImageFormat::Jpeg => jpeg_is_whole(bytes),
        ImageFormat::WebP => webp_chunks(bytes).is_some(),
        _ => true,
    };
    if !whole {
        return Err(ImageError::Truncated { format: name });
    }
    if format == ImageFormat::WebP {
        // The decoder believes what a chunk says of its length, and a frame of its size.
        check_webp_chunks(webp_chunks(bytes).unwrap_or_default(), false)?;
    }
    if format == ImageFormat::Png && !png_palette_is_read(bytes) {
        return Err(ImageError::Broken { format: name, reason: "its palette is none".into() });
    }
    if format == ImageFormat::Jpeg {
        return decode_jpeg(bytes);
    }
    // A PNG that is cut off may have all of its pixels.
    let mended = if format == ImageFormat::Png { png::with_end(bytes) } else { None };
    let failed = |error| match mended {
        Some(_) => ImageError::Truncated { format: name },
        None => classify(error, name),
    };
    let bytes = mended.as_deref().unwrap_or(bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(BESIDE_PIXELS);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, name)?;
    let color = decoder.color_type();
    // Within the limits, as the size is.
    let mut pixels = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut pixels).map_err(failed)?;
    Picture::new([width, height], color, pixels, orientation(bytes))
        .ok_or_else(|| ImageError::Broken { format: name, reason: "pixels are missing".to_owned() })
}

/// To the bit as libjpeg-turbo (and so Pillow and OpenCV) decodes.
fn decode_jpeg(bytes: &[u8]) -> Result<Picture, ImageError> {
    let broken = |reason: String| ImageError::Broken { format: "JPEG", reason };
    if !jpeg_colours_are_read(bytes) {
        return Err(broken("the first or the last of its four colours is coarser than another".into()));
    }
    let info = libjpeg_turbo_rs::probe(bytes).map_err(|error| broken(error.to_string()))?;
    let size = |size: usize| u32::try_from(size).map_err(|error| broken(error.to_string()));
    let (width, height) = (size(info.width)?, size(info.height)?);
    check_size(width, height, "JPEG")?;
    let is_hungry = info.progressive && info.components == 3 && info.subsampling == Subsampling::S444;
    let sequential = (is_hungry && u64::from(width) * u64::from(height) > LARGE_PIXELS).then(|| sequential(bytes));
    let sequential = sequential.transpose().map_err(|error| broken(error.to_string()))?;
    let image = libjpeg_turbo_rs::decompress_to(sequential.as_deref().unwrap_or(bytes), PixelFormat::Rgb)
        .map_err(|error| broken(error.to_string()))?;
    Picture::new([width, height], ColorType::Rgb8, image.data, orientation(bytes))
        .ok_or_else(|| broken("pixels are missing".into()))
}

/// A progressive JPEG as a sequential one of the same coefficients, as `jpegtran` makes it. A progressive one's coefficients,
/// planes and pixels take up to 12 bytes a pixel, nine of them together: this way it is six at a time.
fn sequential(bytes: &[u8]) -> Result<Vec<u8>, JpegError> {
    libjpeg_turbo_rs::write_coefficients(&libjpeg_turbo_rs::read_coefficients(bytes)?)
}

fn check_size(width: u32, height: u32, format: &'static str) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Broken { format, reason: format!("its size is {width}×{height}") });
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge { width, height });
    }
    Ok(())
}

fn classify(error: image::ImageError, format: &'static str) -> ImageError {
    let ends_early = |e: &std::io::Error| e.kind() == ErrorKind::UnexpectedEof;
    // The wrapped error is not among the sources.
    let mut truncated = matches!(&error, image::ImageError::IoError(e) if ends_early(e));
    let mut cause = error.source();
    while let Some(error) = cause {
        truncated |= error.downcast_ref().is_some_and(ends_early);
        cause = error.source();
    }
    if truncated { ImageError::Truncated { format } } else { ImageError::Broken { format, reason: error.to_string() } }
}

/// Names what the bytes are, as far as a user can act on it.
fn unknown(bytes: &[u8]) -> ImageError {
    // HEIC is what an iPhone's camera writes.
    let found = match (iso_media(bytes), image::guess_format(bytes)) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(format)) => format!("a file in the {} format", format!("{format:?}").to_ascii_uppercase()),
        (None, Err(_)) if bytes.starts_with(b"%PDF") => "a PDF document".to_owned(),
        (None, Err(_)) if is_text(&bytes[..bytes.len().min(64)]) => "text".to_owned(),
        (None, Err(_)) => "data of an unknown kind".to_owned(),
    };
    ImageError::UnknownFormat { found }
}

/// Whether the beginning of a file is text, of which a character may be cut at its end.
fn is_text(start: &[u8]) -> bool {
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.len() + 4 > start.len() && !valid.contains(|c: char| c.is_control() && !c.is_whitespace())
}

/// The markers of a JPEG with their segments, up to the end of the image or of the bytes (ITU T.81, annex B).
fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        // Outside a segment only fill bytes and entropy-coded data stand before the next marker:
        // FF 00 is a stuffed data byte, FF D0–D7 a restart, FF 01 temporary.
        while !matches!(bytes.get(at..at + 2), Some([0xff, 0x02..=0xcf | 0xd8..=0xfe]) | None) {
            at += 1;
        }
        let marker = *bytes.get(at + 1)?;
        at += 2;
        if matches!(marker, 0xd8 | 0xd9) {
            return Some((marker, Default::default()));
        }
        let length = bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)?.max(2);
        let segment = bytes.get(at + 2..at + usize::from(length)).unwrap_or_default();
        at += usize::from(length);
        Some((marker, segment))
    })
}

/// Whether marker segments and entropy-coded data lead to an end-of-image marker.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    jpeg_segments(bytes).any(|(marker, _)| marker == 0xd9)
}

/// Whether the decoder has room for the colours. Of four it takes the first and the last for as fine as any, and otherwise
/// panics (libjpeg-turbo-rs 0.9.0); nobody writes such files.
fn jpeg_colours_are_read(bytes: &[u8]) -> bool {
    let is_frame = |marker: u8| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
    jpeg_segments(bytes).filter(|(marker, _)| is_frame(*marker)).all(|(_, frame)| {
        let Some((&[.., count], colours)) = frame.split_first_chunk::<6>() else { return true };
        let colours = colours.as_chunks::<3>().0.iter().take(count.into());
        let factors: Vec<[u8; 2]> = colours.map(|[_, factors, _]| [factors >> 4, factors & 15]).collect();
        let finest = |axis: usize| factors.iter().map(|factors| factors[axis]).max().unwrap_or(0);
        let finest = [finest(0), finest(1)];
        factors.len() < 4 || (factors[0] == finest && factors[3] == finest)
    })
}

/// Whether the decoder has room for the palette. It panics where that is more than 256 colours, or a part of one (png 0.18.1).
fn png_palette_is_read(bytes: &[u8]) -> bool {
    let mut at = 8_usize;
    while let Some(&[a, b, c, d, ref kind @ ..]) = bytes.get(at..).and_then(|chunk| chunk.first_chunk::<8>()) {
        let length = u32::from_be_bytes([a, b, c, d]);
        if kind == b"PLTE" && !(length % 3 == 0 && length <= 3 * 256) {
            return false;
        }
        at = at.saturating_add(length as usize).saturating_add(12);
    }
    true
}

/// What the RIFF chunk of a WebP holds (RFC 9649, section 2.4), where all of it is there; the byte that pads it to an even
/// length may be missing.
fn webp_chunks(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    bytes.get(12..end.min(bytes.len())).filter(|_| bytes.len() + 1 >= end)
}

/// That every chunk (RFC 9649, section 2.3) lies within those around it, and no frame is too large. Frames of an animation
/// have chunks of their own, `of_frame`, but no frames.
fn check_webp_chunks(mut chunks: &[u8], of_frame: bool) -> Result<(), ImageError> {
    while let Some((header, rest)) = chunks.split_first_chunk::<8>() {
        let (name, length) = header.split_at(4);
        let length = length.try_into().map_or(0, u32::from_le_bytes) as usize;
        let content = rest.get(..length).ok_or(ImageError::Truncated { format: "WebP" })?;
        match (name, content) {
            // The place and size of a frame of an animation, then its chunks.
            (b"ANMF", [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, chunks @ ..]) if !of_frame => {
                check_webp_chunks(chunks, true)?;
            }
            (b"VP8 ", [_, _, _, _, _, _, w0, w1, h0, h1, ..]) => {
                let [width, height] = [[*w0, *w1], [*h0, *h1]].map(|side| u32::from(u16::from_le_bytes(side) & 0x3fff));
                check_size(width, height, "WebP")?;
            }
            _ => {}
        }
        chunks = rest.get(length + length % 2..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, codecs};

    /// A 16×24 picture with detail, so that every format has some data to lose.
    fn rgb() -> (u32, u32, Vec<u8>) {
        let (width, height) = (16, 24);
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x * 15, y * 10, (x * 7) ^ (y * 5)]));
        (width, height, pixels.map(|v| v as u8).collect())
    }

    fn encode(format: ImageFormat, width: u32, height: u32, color: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match format {
            ImageFormat::Jpeg => {
                let (width, height) = (width as usize, height as usize);
                let sampling = Subsampling::S420;
                out =
                    libjpeg_turbo_rs::compress(pixels, width, height, PixelFormat::Rgb, 95, sampling).expect("encodes");
                return out;
            }
            ImageFormat::WebP => {
                codecs::webp::WebPEncoder::new_lossless(&mut out).write_image(pixels, width, height, color)
            }
            ImageFormat::Bmp => codecs::bmp::BmpEncoder::new(&mut out).write_image(pixels, width, height, color),
            _ => codecs::png::PngEncoder::new(&mut out).write_image(pixels, width, height, color),
        }
        .expect("encodes");
        out
    }

    fn files() -> Vec<(ImageFormat, Vec<u8>)> {
        let (width, height, pixels) = rgb();
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp]
            .map(|format| (format, encode(format, width, height, ExtendedColorType::Rgb8, &pixels)))
            .into()
    }

    fn rgb_of(image: &Rgba) -> Vec<u8> {
        image.pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
    }

    #[test]
    fn every_format_gives_its_pixels() {
        let (width, height, pixels) = rgb();
        for (format, bytes) in files() {
            let image = decode(&bytes).unwrap_or_else(|e| panic!("{format:?}: {e}"));
            assert_eq!((image.width, image.height), (width, height), "{format:?}");
            assert!(image.pixels.chunks_exact(4).all(|p| p[3] == 255), "{format:?}");
            let worst = rgb_of(&image).iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
            let mean = rgb_of(&image).iter().zip(&pixels).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>()
                / pixels.len() as f64;
            if format == ImageFormat::Jpeg {
                assert!(mean < 12.0, "{mean}");
            } else {
                assert_eq!(worst, Some(0), "{format:?}");
            }
        }
    }

    #[test]
    fn depths_greys_palettes_and_alpha_become_eight_bit_colours() {
        let png = |color, pixels: &[u8]| encode(ImageFormat::Png, 2, 1, color, pixels);
        let colours = |bytes: &[u8]| rgb_of(&decode(bytes).expect("decodes"));
        assert_eq!(colours(&png(ExtendedColorType::L8, &[7, 200])), [7, 7, 7, 200, 200, 200]);
        let native = |values: &[u16]| values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        assert_eq!(colours(&png(ExtendedColorType::L16, &native(&[0, 65535]))), [0, 0, 0, 255, 255, 255]);
        let deep = native(&[257, 514, 771, 65535, 0, 25700]);
        assert_eq!(colours(&png(ExtendedColorType::Rgb16, &deep)), [1, 2, 3, 255, 0, 100]);
        // Fully transparent pixels keep their colour.
        let clear = png(ExtendedColorType::Rgba8, &[9, 8, 7, 0, 1, 2, 3, 128]);
        assert_eq!(colours(&clear), [9, 8, 7, 1, 2, 3]);
        assert_eq!(decode(&clear).expect("decodes").pixels, [9, 8, 7, 255, 1, 2, 3, 255]);
        assert_eq!(colours(&png(ExtendedColorType::La8, &[50, 0, 60, 255])), [50, 50, 50, 60, 60, 60]);

        assert_eq!(colours(&palette_png()), [40, 50, 60, 10, 20, 30]);
    }

    #[test]
    fn a_jpeg_of_four_colours_may_have_coarse_ones_in_the_middle_alone() {
        let frame = |factors: [u8; 4]| {
            let colours = factors.map(|factors| [1, factors, 0]).concat();
            [&[0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 16, 0, 16, 4], &colours[..], &[0xff, 0xd9]].concat()
        };
        let is_refused = |factors| {
            let error = decode(&frame(factors)).expect_err("it has no data");
            error.to_string().contains("the first or the last of its four colours")
        };
        assert!(!is_refused([0x11, 0x11, 0x11, 0x11]) && !is_refused([0x22, 0x11, 0x11, 0x22]));
        assert!(is_refused([0x12, 0x11, 0x11, 0x11]) && is_refused([0x11, 0x11, 0x11, 0x31]));
    }

    #[test]
    fn a_chunk_of_a_webp_that_is_longer_than_the_file_is_no_reason_to_make_room_for_it() {
        let (width, height, pixels) = rgb();
        let mut webp = encode(ImageFormat::WebP, width, height, ExtendedColorType::Rgb8, &pixels);
        webp.extend(b"EXIF\x2e\0\xd7\xd7MM\0*");
        let length = u32::try_from(webp.len() - 8).expect("short").to_le_bytes();
        webp[4..8].copy_from_slice(&length);
        assert_eq!(decode(&webp), Err(ImageError::Truncated { format: "WebP" }));
    }

    /// Two pixels of two bits, entries 1 and 0 of a palette whose entry 0 is transparent.
    fn palette_png() -> Vec<u8> {
        let chunk = |name: &[u8], data: &[u8]| {
            let length = u32::try_from(data.len()).expect("short").to_be_bytes();
            let body = [name, data].concat();
            [&length[..], &body, &crc32(&body).to_be_bytes()].concat()
        };
        // zlib, one stored block: filter 0, then the pixels.
        let data = [0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0, 0b0100_0000, 0, 0x42, 0, 0x41];
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 0, 0, 0]),
            chunk(b"PLTE", &[10, 20, 30, 40, 50, 60]),
            chunk(b"tRNS", &[0]),
            chunk(b"IDAT", &data),
            chunk(b"IEND", &[]),
        ]
        .concat()
    }

    #[test]
    fn a_palette_of_no_whole_colours_is_refused() {
        let whole = palette_png();
        for length in [0, 1, 4, 5, 3 * 257] {
            let entries = vec![7; length];
            let size = u32::try_from(length).expect("short").to_be_bytes();
            let body = [b"PLTE", &entries[..]].concat();
            let chunk = [&size[..], &body, &crc32(&body).to_be_bytes()].concat();
            // Behind the header; the palette that was there is 18 bytes.
            let file = [&whole[..33], &chunk, &whole[33 + 18..]].concat();
            assert!(matches!(decode(&file), Err(ImageError::Broken { .. })), "{length}: {:?}", decode(&file));
        }
    }

    #[test]
    fn exif_turns_the_picture_upright() {
        // 24×16 (wide), left half black, right half white; orientation 6: the top is at the right.
        let pixels: Vec<u8> = (0..16).flat_map(|_| (0..24).flat_map(|x| [if x < 12 { 0 } else { 255 }; 3])).collect();
        let exif: &[u8] = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let plain = encode(ImageFormat::Jpeg, 24, 16, ExtendedColorType::Rgb8, &pixels);
        let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
        let tagged = [&plain[..2], &[0xff, 0xe1], &length, exif, &plain[2..]].concat();
        let image = decode(&tagged).expect("decodes");
        assert_eq!((image.width, image.height), (16, 24));
        // Turned clockwise, the left half comes up.
        assert!(image.pixels[0] < 20 && image.pixels[image.pixels.len() - 4] > 235);
    }

    #[test]
    fn a_progressive_jpeg_made_sequential_has_the_same_pixels() {
        // Sides that are no whole blocks.
        let (width, height) = (61, 43);
        let pixels: Vec<u8> = (0..width * height * 3).map(|at| (at * at % 241) as u8).collect();
        let progressive =
            libjpeg_turbo_rs::compress_progressive(&pixels, width, height, PixelFormat::Rgb, 92, Subsampling::S444)
                .expect("encodes");
        let made = sequential(&progressive).expect("coefficients");
        assert!(!libjpeg_turbo_rs::probe(&made).expect("a JPEG").progressive);
        let decoded = |bytes| libjpeg_turbo_rs::decompress_to(bytes, PixelFormat::Rgb).expect("decodes").data;
        assert_eq!(decoded(&made), decoded(&progressive));
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let fails = |bytes: &[u8]| decode(bytes).expect_err("no picture");
        assert_eq!(fails(b""), ImageError::Empty);
        assert_eq!(fails(b"hello, I am a text"), ImageError::UnknownFormat { found: "text".into() });
        let found = |bytes: &[u8]| match fails(bytes) {
            ImageError::UnknownFormat { found } => found,
            error => panic!("{error}"),
        };
        assert_eq!(found(b"\0\0\0\x18ftyphevc\0\0\0\0mif1heic"), "a HEIC photo");
        assert_eq!(found(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B"), "an AVIF image");
        assert_eq!(found(b"\0\0\0\x18ftypisom\0\0\0\0isommp41"), "a video");
        assert_eq!(found(&[b"na\xc3\xafve ".repeat(7), b"\xc3\xaf".repeat(9)].concat()), "text");
        assert_eq!(found(b"\0\0\0\x18 nothing known"), "data of an unknown kind");
        assert!(fails(b"GIF89a\x01\0\x01\0").to_string().contains("GIF"));
        assert!(matches!(fails(&[0xfe, 0x01, 0x80, 0x90]), ImageError::UnknownFormat { .. }));
        assert_eq!(fails(b"").code(), "bad-image");
    }

    #[test]
    fn cut_off_files_are_refused_wherever_the_cut_is() {
        for (format, bytes) in files() {
            for percent in [3, 10, 25, 50, 75, 90, 96] {
                let cut = &bytes[..bytes.len() * percent / 100];
                let error = decode(cut).expect_err(&format!("{format:?} cut at {percent} % of {}", bytes.len()));
                assert_eq!(error.code(), "bad-image");
                assert!(
                    matches!(error, ImageError::Truncated { .. }) || percent < 50,
                    "{format:?} cut at {percent} %: {error}"
                );
            }
        }
    }

    #[test]
    fn a_png_that_lost_its_end_is_shown_if_every_pixel_is_there() {
        let (width, height, pixels) = rgb();
        let png = encode(ImageFormat::Png, width, height, ExtendedColorType::Rgb8, &pixels);
        let (whole, palette) = (decode(&png).expect("decodes"), palette_png());
        // 12 bytes of the last chunk and, as Pillow has it, the checksums of the one before and of its data.
        for cut in 1..=20 {
            assert_eq!(decode(&png[..png.len() - cut]).expect("decodes"), whole, "without {cut} bytes");
            assert_eq!(decode(&palette[..palette.len() - cut]), decode(&palette), "without {cut} bytes");
        }
        for cut in 21..png.len() {
            let result = decode(&png[..png.len() - cut]);
            let refused = matches!(result, Err(ImageError::Truncated { .. })) || png.len() - cut < 8;
            assert!(refused || result.as_ref() == Ok(&whole), "without {cut} bytes: {:?}", result.err());
        }
        // What comes after the end is nobody's business.
        assert_eq!(decode(&[&png[..], b"more"].concat()).expect("decodes"), whole);
    }

    #[test]
    fn a_header_that_claims_too_much_is_refused_before_decoding() {
        let mut bytes = encode(ImageFormat::Png, 1, 1, ExtendedColorType::L8, &[0]);
        bytes[16..24].copy_from_slice(&[0, 0, 0x7d, 0, 0, 0, 0x7d, 0]);
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decode(&bytes).expect_err("too large");
        assert_eq!(error, ImageError::TooLarge { width: 32_000, height: 32_000 });
        assert_eq!(error.code(), "image-too-large");
        let message = error.to_string();
        assert!(message.contains("32000×32000 = 1024.0 megapixels") && message.contains("limit is 64"), "{message}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
        })
    }

    #[test]
    fn damaged_bytes_never_panic() {
        // A fixed linear congruential sequence: the same damage on every run.
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize
        };
        for (_, bytes) in files() {
            for _ in 0..300 {
                let mut damaged = bytes.clone();
                for _ in 0..=next() % 4 {
                    let at = next() % damaged.len();
                    damaged[at] = next() as u8;
                }
                if let Ok(image) = decode(&damaged) {
                    assert_eq!(image.pixels.len(), image.width as usize * image.height as usize * 4);
                }
            }
        }
    }
}
