//! Which way up a picture is, by its EXIF block: in a file's own bytes, whichever decoder reads its pixels.

use image::metadata::Orientation;

/// The tag of the orientation (EXIF 2.32, section 4.6.4).
const ORIENTATION: u16 = 0x0112;

/// The orientation that a JPEG, PNG or WebP file asks for; none where it says nothing that makes sense.
pub fn orientation(file: &[u8]) -> Orientation {
    let block = match file {
        [0xff, 0xd8, ..] => in_jpeg(file),
        [0x89, b'P', b'N', b'G', ..] => in_png(file),
        [b'R', b'I', b'F', b'F', ..] => in_webp(file),
        _ => None,
    };
    block.and_then(read).and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// The orientation, 1…8, in a block of TIFF tags. As Pillow does, any whole number is taken, not only the SHORT that the
/// standard asks for.
fn read(block: &[u8]) -> Option<u8> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let big_endian = match block.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    // A number of so many bytes at that place.
    let number = |at: usize, size: usize| {
        let bytes = block.get(at..at.checked_add(size)?)?;
        let join = |number, byte: &u8| number << 8 | u32::from(*byte);
        Some(if big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) })
    };
    let tags = usize::try_from(number(4, 4)?).ok()?;
    for tag in 0..number(tags, 2)? as usize {
        let tag = tags + 2 + 12 * tag;
        if number(tag, 2)? == u32::from(ORIENTATION) {
            let size = match number(tag + 2, 2)? {
                // SBYTE; SHORT, SSHORT; LONG, SLONG, IFD.
                6 => 1,
                3 | 8 => 2,
                4 | 9 | 13 => 4,
                _ => return None,
            };
            return number(tag + 8, size)?.try_into().ok();
        }
    }
    None
}

/// The APP1 segment that is EXIF's, among the segments before the image.
fn in_jpeg(file: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        match file.get(at..at + 2)? {
            // Fill bytes.
            [0xff, 0xff] => at += 1,
            // The image begins, or is over.
            [0xff, 0xda | 0xd9] => return None,
            // Markers without a segment.
            [0xff, 0x01 | 0xd0..=0xd8] => at += 2,
            [0xff, marker] => {
                let length = usize::from(u16::from_be_bytes([*file.get(at + 2)?, *file.get(at + 3)?]));
                let segment = file.get(at + 4..at + 2 + length)?;
                if *marker == 0xe1 && segment.starts_with(b"Exif\0\0") {
                    return Some(segment);
                }
                at += 2 + length;
            }
            _ => return None,
        }
    }
}

/// The `eXIf` chunk, which may stand before the pixels or after them.
fn in_png(file: &[u8]) -> Option<&[u8]> {
    let mut at = 8;
    loop {
        let length = usize::try_from(u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?)).ok()?;
        let (name, data) = (file.get(at + 4..at + 8)?, file.get(at + 8..(at + 8).checked_add(length)?)?);
        if name == b"eXIf" {
            return Some(data);
        }
        // And the checksum.
        at += 12 + length;
    }
}

/// The `EXIF` chunk.
fn in_webp(file: &[u8]) -> Option<&[u8]> {
    let mut at = 12;
    loop {
        let length = usize::try_from(u32::from_le_bytes(file.get(at + 4..at + 8)?.try_into().ok()?)).ok()?;
        let (name, data) = (file.get(at..at + 4)?, file.get(at + 8..(at + 8).checked_add(length)?)?);
        if name == b"EXIF" {
            return Some(data);
        }
        // Padded to an even length.
        at = (at + 8 + length).checked_add(length % 2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of two tags, the second of which is the orientation, with a value of that type.
    fn block(big_endian: bool, kind: u16, value: u32) -> Vec<u8> {
        let short = |number: u16| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        let long = |number: u32| if big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        let field = match kind {
            1 | 6 | 7 => [value as u8, 0, 0, 0],
            3 | 8 => [short(value as u16), [0, 0]].concat().try_into().expect("four"),
            _ => long(value),
        };
        let head: &[u8] = if big_endian { b"MM\0*" } else { b"II*\0" };
        let tag = |tag: u16, kind: u16, field: [u8; 4]| [&short(tag)[..], &short(kind), &long(1), &field].concat();
        [head, &long(10), b"--", &short(2), &tag(0x0100, 4, long(24)), &tag(ORIENTATION, kind, field), &long(0)]
            .concat()
    }

    #[test]
    fn any_whole_number_in_either_order_of_bytes() {
        for big_endian in [false, true] {
            for kind in [3, 4, 6, 8, 9, 13] {
                assert_eq!(read(&block(big_endian, kind, 6)), Some(6), "type {kind}, big endian {big_endian}");
            }
            // Bytes and what is undefined are no numbers to Pillow either.
            assert_eq!([1, 7, 2, 5].map(|kind| read(&block(big_endian, kind, 6))), [None; 4]);
            assert_eq!(read(&block(big_endian, 4, 65_542)), None);
            assert_eq!(read(&[b"Exif\0\0", &block(big_endian, 3, 8)[..]].concat()), Some(8));
        }
    }

    #[test]
    fn found_in_each_container() {
        let block = block(false, 4, 3);
        let exif = [b"Exif\0\0", &block[..]].concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        let jpeg = [b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xe1", &length[..], &exif].concat();
        let chunk = |name: &[u8], data: &[u8]| [&(data.len() as u32).to_be_bytes(), name, data, b"crc?"].concat();
        let png = [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IDAT", b"pixels"), chunk(b"eXIf", &block)].concat();
        let chunk = |name: &[u8], data: &[u8]| [name, &(data.len() as u32).to_le_bytes(), data].concat();
        let webp = [b"RIFF____WEBP".to_vec(), chunk(b"VP8L", b"odd\0"), chunk(b"EXIF", &exif)].concat();
        for file in [jpeg, png, webp] {
            assert_eq!(orientation(&file), Orientation::Rotate180, "{file:?}");
            for end in 0..file.len() - 4 {
                assert_eq!(orientation(&file[..end]), Orientation::NoTransforms, "cut at {end}");
            }
        }
        assert_eq!(orientation(b"BM"), Orientation::NoTransforms);
    }
}
