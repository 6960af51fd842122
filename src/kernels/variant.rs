//! A shader made for a case: its constants get their values for it, and loops that they bound are written out.
//!
//! A line `const NAME = 1u;` is a constant that may get another value. A loop whose first line ends in `// unroll` is
//! replaced by its body, once for each value of its variable: only then do arrays become registers, on whatever does not
//! unroll by itself. Of an `if NAME == 1u { // choose` with its `else` the branch that a constant does not take is left out.
//! Where `real` is another name of `f32`, a variant may make it one of `f16`. The shader as it stands in its file is valid too.

use std::collections::BTreeMap;

use super::Kernel;

/// A kernel with the values of its constants: what a pipeline is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variant {
    pub kernel: Kernel,
    constants: Vec<(&'static str, usize)>,
    half: bool,
}

/// What a shader calls the numbers that it stores.
const REAL: &str = "alias real = f32;";

impl From<Kernel> for Variant {
    fn from(kernel: Kernel) -> Self {
        Self { kernel, constants: Vec::new(), half: false }
    }
}

impl Variant {
    /// # Panics
    /// When the shader has no such constant.
    pub fn new(kernel: Kernel, constants: &[(&'static str, usize)]) -> Self {
        for (name, _) in constants {
            assert!(kernel.wgsl.contains(&format!("const {name} = ")), "{} has a constant {name}", kernel.name);
        }
        Self { kernel, constants: constants.to_vec(), half: false }
    }

    /// The same for buffers of f16, where `real` is what they hold.
    ///
    /// # Panics
    /// When the shader does not know `real`.
    pub fn half(mut self) -> Self {
        assert!(self.kernel.wgsl.contains(REAL), "{} knows real", self.kernel.name);
        self.half = true;
        self
    }

    /// The shader.
    pub fn source(&self) -> String {
        let mut known = BTreeMap::new();
        let mut lines = Vec::new();
        if self.half {
            lines.push("enable f16;".to_owned());
        }
        for line in self.kernel.wgsl.lines() {
            if self.half && line == REAL {
                lines.push(REAL.replace("f32", "f16"));
                continue;
            }
            let Some((name, value)) = constant(line) else {
                lines.push(line.to_owned());
                continue;
            };
            let given = self.constants.iter().find(|(given, _)| *given == name);
            let value = given.map_or(value, |&(_, value)| value);
            let value = if self.half && name == "HALF" { 1 } else { value };
            known.insert(name, value);
            lines.push(format!("const {name} = {value}u;"));
        }
        let mut source = String::new();
        unroll(&lines, &known, &mut source);
        source
    }
}

/// `const NAME = 1u;`
fn constant(line: &str) -> Option<(&str, usize)> {
    let (name, value) = line.strip_prefix("const ")?.split_once(" = ")?;
    Some((name, value.strip_suffix("u;")?.parse().ok()?))
}

/// `for (var NAME = 0u; NAME < BOUND; NAME++) { // unroll`
fn unrolled<'a>(line: &'a str, known: &BTreeMap<&str, usize>) -> Option<(&'a str, usize)> {
    let (name, rest) = line.trim_start().strip_prefix("for (var ")?.split_once(" = 0u; ")?;
    let (bound, rest) = rest.strip_prefix(name)?.strip_prefix(" < ")?.split_once("; ")?;
    rest.ends_with("{ // unroll").then_some(())?;
    let literal = bound.strip_suffix('u').and_then(|bound| bound.parse().ok());
    Some((name, literal.or_else(|| known.get(bound).copied())?))
}

/// `if NAME == 1u { // choose`: whether it is.
fn chosen(line: &str, known: &BTreeMap<&str, usize>) -> Option<bool> {
    let name = line.trim_start().strip_prefix("if ")?.strip_suffix(" == 1u { // choose")?;
    Some(*known.get(name)? == 1)
}

fn unroll(lines: &[String], known: &BTreeMap<&str, usize>, source: &mut String) {
    let mut lines = lines;
    while let Some((line, rest)) = lines.split_first() {
        lines = rest;
        if let Some(first) = chosen(line, known) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let place = |line: String| rest.iter().position(|other| *other == line).unwrap_or(rest.len());
            let (middle, end) = (place(format!("{indent}}} else {{")), place(format!("{indent}}}")));
            let branch = if first { 0..middle } else { (middle + 1).min(end)..end };
            unroll(&rest[branch], known, source);
            lines = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let Some((name, count)) = unrolled(line, known) else {
            source.push_str(line);
            source.push('\n');
            continue;
        };
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let length = rest.iter().position(|line| *line == end).unwrap_or(rest.len());
        for value in 0..count {
            let body: Vec<String> = rest[..length].iter().map(|line| replaced(line, name, value)).collect();
            source.push_str("{\n");
            unroll(&body, known, source);
            source.push_str("}\n");
        }
        lines = rest.get(length + 1..).unwrap_or_default();
    }
}

/// The line with a variable's value for its name.
fn replaced(line: &str, name: &str, value: usize) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut replaced = String::new();
    let mut rest = line;
    while let Some(found) = rest.find(name) {
        let (before, after) = (&rest[..found], &rest[found + name.len()..]);
        replaced.push_str(before);
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word) && !before.ends_with('.');
        if whole {
            replaced.push_str(&format!("{value}u"));
        } else {
            replaced.push_str(name);
        }
        // What is left must know what stands before it.
        if whole || !after.starts_with(is_word) {
            rest = after;
        } else {
            let word = after.find(|c| !is_word(c)).unwrap_or(after.len());
            replaced.push_str(&after[..word]);
            rest = &after[word..];
        }
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::{Kernel, Variant};

    const KERNEL: Kernel = Kernel {
        name: "a",
        wgsl: "const N = 3u;\nconst M = N * 2u;\n    for (var p = 0u; p < N; p++) { // unroll\n        a[p] = pp + p.x + b.p;\n    }\nend\n",
    };

    #[test]
    fn constants_get_their_values_and_bound_loops_are_written_out() {
        let head = "const N = 2u;\nconst M = N * 2u;\n";
        let body = |p: &str| format!("{{\n        a[{p}] = pp + {p}.x + b.p;\n}}\n");
        let source = Variant::new(KERNEL, &[("N", 2)]).source();
        assert_eq!(source, format!("{head}{}{}end\n", body("0u"), body("1u")));
        assert_eq!(Variant::from(KERNEL).source().matches("pp").count(), 3);
    }

    #[test]
    fn only_the_branch_that_is_taken_is_left() {
        let wgsl =
            "const N = 0u;\nif N == 1u { // choose\n    a\n    if b {\n    } else {\n    }\n} else {\n    c\n}\nend\n";
        let kernel = Kernel { name: "b", wgsl };
        assert_eq!(Variant::from(kernel).source(), "const N = 0u;\n    c\nend\n");
        let taken = Variant::new(kernel, &[("N", 1)]).source();
        assert_eq!(taken, "const N = 1u;\n    a\n    if b {\n    } else {\n    }\nend\n");
    }

    #[test]
    fn half_stores_f16_and_says_so_to_the_shader() {
        let wgsl = "alias real = f32;\nconst HALF = 0u;\n";
        let kernel = Kernel { name: "c", wgsl };
        assert_eq!(Variant::from(kernel).source(), wgsl);
        assert_eq!(Variant::from(kernel).half().source(), "enable f16;\nalias real = f16;\nconst HALF = 1u;\n");
    }

    #[test]
    #[should_panic(expected = "a has a constant X")]
    fn only_constants_that_are_there_get_values() {
        Variant::new(KERNEL, &[("X", 2)]);
    }
}
