//! Shaders as they are compiled in: without the lines that are comments, which would be a quarter of what shaders add to a module
//! in a browser.

/// The text of shader files, one after the other.
macro_rules! wgsl {
    ($($file:literal),+ $(,)?) => {{
        const FILES: &str = concat!($(include_str!(concat!("../../../shaders/", $file, ".wgsl"))),+);
        const CODE: [u8; $crate::kernels::shader::code_length(FILES)] = $crate::kernels::shader::code(FILES);
        const TEXT: &str = match str::from_utf8(&CODE) {
            Ok(text) => text,
            Err(_) => panic!("what is left of lines is text"),
        };
        TEXT
    }};
}

pub(crate) use wgsl;

/// Where the line ends that begins at `start`, with its newline, and whether it is nothing but a comment.
const fn line(text: &[u8], start: usize) -> (usize, bool) {
    let mut first = start;
    while first < text.len() && text[first] == b' ' {
        first += 1;
    }
    let is_comment = first + 1 < text.len() && text[first] == b'/' && text[first + 1] == b'/';
    let mut end = first;
    while end < text.len() && text[end] != b'\n' {
        end += 1;
    }
    (if end < text.len() { end + 1 } else { end }, is_comment)
}

/// The bytes of a shader without its lines of comments.
pub(crate) const fn code_length(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut length, mut start) = (0, 0);
    while start < text.len() {
        let (end, is_comment) = line(text, start);
        if !is_comment {
            length += end - start;
        }
        start = end;
    }
    length
}

/// A shader without its lines of comments, of which there are `LENGTH` bytes.
pub(crate) const fn code<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let text = text.as_bytes();
    let mut code = [0; LENGTH];
    let (mut length, mut start) = (0, 0);
    while start < text.len() {
        let (end, is_comment) = line(text, start);
        while !is_comment && start < end {
            code[length] = text[start];
            length += 1;
            start += 1;
        }
        start = end;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::{code, code_length};

    #[test]
    fn lines_of_comments_are_left_out_and_nothing_else() {
        const TEXT: &str = "// a\nb // unroll\n    // c\n\n  / d\n//";
        const LENGTH: usize = code_length(TEXT);
        assert_eq!(code::<LENGTH>(TEXT), *b"b // unroll\n\n  / d\n");
    }
}
