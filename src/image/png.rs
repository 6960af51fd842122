//! The end of a PNG file. A file that lost it may still have every pixel, and Pillow and browsers show it then.

/// The chunk that ends every file.
const IEND: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// A file that is cut off, with an end: the chunks that are whole, what there is of pixels in the last one, and `IEND`.
/// `None` where the file has an end already. Whether the pixels are all there is for the decoder to say.
pub fn with_end(file: &[u8]) -> Option<Vec<u8>> {
    let mut at = 8;
    while let Some(head) = file.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = (at + 12).checked_add(length)?;
        if &head[4..] == b"IEND" && file.len() >= end {
            return None;
        }
        if end > file.len() {
            let mut whole = file[..at].to_vec();
            if &head[4..] == b"IDAT" {
                let data = &file[at + 8..file.len().min(at + 8 + length)];
                whole.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
                whole.extend(b"IDAT");
                whole.extend(data);
                whole.extend(crc32(&[b"IDAT", data].concat()).to_be_bytes());
            }
            whole.extend(IEND);
            return Some(whole);
        }
        at = end;
    }
    Some([&file[..at.min(file.len())], &IEND].concat())
}

/// The checksum of a chunk's name and data (PNG, third edition, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
}
