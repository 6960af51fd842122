//! What a file of the ISO base media kind is: HEIC, AVIF or a video, which share a container and differ in their brands.
//! The package asks the same of a file, in `npm/src/brand.ts`.

/// Names what the brands of a file's first box say (ISO 14496-12, section 4.3), if it is such a file.
pub fn iso_media(bytes: &[u8]) -> Option<&'static str> {
    let size = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let header = bytes.get(..12).filter(|header| &header[4..8] == b"ftyp")?;
    // The major brand, a version, and the brands that the file is compatible with.
    let compatible = bytes.get(16..size.clamp(16, bytes.len().max(16))).unwrap_or_default().as_chunks::<4>().0;
    let brands = || std::iter::once(&header[8..12]).chain(compatible.iter().map(|brand| &brand[..]));
    // Both are HEIF's: the brand that names the codec decides, the major one first.
    let name = |brand: &[u8]| match brand {
        b"avif" | b"avis" => Some("an AVIF image"),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"hevm" | b"hevs" => Some("a HEIC photo"),
        _ => None,
    };
    let is_heif = |brand: &[u8]| matches!(brand, b"heif" | b"mif1" | b"mif2" | b"msf1" | b"miaf");
    let heif = || brands().any(is_heif).then_some("a HEIC photo");
    brands().find_map(name).or_else(heif).or(Some("a video"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of that major brand and those that it is compatible with.
    fn file(major: &str, compatible: &str) -> Vec<u8> {
        let size = 16 + compatible.len() as u32;
        [&size.to_be_bytes(), &b"ftyp"[..], major.as_bytes(), &[0; 4], compatible.as_bytes(), &[0; 40]].concat()
    }

    #[test]
    fn brands_tell_them_apart() {
        for brand in ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "heif", "mif1", "msf1"] {
            assert_eq!(iso_media(&file(brand, "mif1")), Some("a HEIC photo"), "{brand}");
        }
        for (major, compatible) in [("avif", "mif1miaf"), ("avis", ""), ("mif1", "mif1avifmiafMA1B"), ("msf1", "avis")]
        {
            assert_eq!(iso_media(&file(major, compatible)), Some("an AVIF image"), "{major} {compatible}");
        }
        assert_eq!(iso_media(&file("heic", "mif1heicavif")), Some("a HEIC photo"));
        assert_eq!(iso_media(&file("isom", "isomiso2avc1mp41")), Some("a video"));
        assert_eq!(iso_media(&file("qt  ", "")), Some("a video"));
        // Beyond the box stands something else, and a size may lie.
        assert_eq!(iso_media(&[&file("isom", "mp41")[..20], b"avif"].concat()), Some("a video"));
        assert_eq!(iso_media(b"\xff\xff\xff\xffftypmif1\0\0\0\0avif"), Some("an AVIF image"));
        assert_eq!(iso_media(b"\0\0\0\x18ftypmif1"), Some("a HEIC photo"));
        assert_eq!(iso_media(b"\0\0\0\x18ftyp"), None);
        assert_eq!(iso_media(b"hello, I am a text"), None);
    }
}
