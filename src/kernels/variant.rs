//! A shader made for a case: its constants get their values for it, and loops that they bound are written out.
//!
//! A line `const NAME = 1u;` is a constant that may get another value. A loop whose first line ends in `// unroll` is
//! replaced by its body, once for each value of its variable: only then do arrays become registers, on whatever does not
//! unroll by itself. Of an `if NAME == 1u { // choose` with its `else` the branch that a constant does not take is left out.
//! Where `real` is another name of `f32`, a variant may make it one of `f16`. The shader as it stands in its file is valid too,
//! so a marker that did nothing would show in the speed alone: one that is not understood is an error.

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
            let is_there = kernel.wgsl.lines().filter_map(constant).any(|(found, _)| found == *name);
            assert!(is_there, "{} has a constant {name}", kernel.name);
        }
        Self { kernel, constants: constants.to_vec(), half: false }
    }

    /// The same for buffers of f16, where `real` is what they hold.
    ///
    /// # Panics
    /// When the shader does not know `real`.
    pub fn half(mut self) -> Self {
        assert!(self.kernel.wgsl.lines().any(|line| line == REAL), "{} knows real", self.kernel.name);
        self.half = true;
        self
    }

    /// The shader.
    ///
    /// # Panics
    /// When a marker is not understood: another word, another form of loop or `if`, a bound that is no constant, no end.
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
        expand(&lines, &known, &mut source).unwrap_or_else(|line| {
            panic!("{}: the marker of this line is not understood: {}", self.kernel.name, line.trim())
        });
        source
    }
}

/// `const NAME = 1u;`
fn constant(line: &str) -> Option<(&str, usize)> {
    let (name, value) = line.strip_prefix("const ")?.split_once(" = ")?;
    Some((name, value.strip_suffix("u;")?.parse().ok()?))
}

/// A line's marker and what stands before it: any comment behind an opening brace, and `unroll` and `choose` elsewhere.
fn marker(line: &str) -> Option<(&str, &str)> {
    let (code, comment) = line.split_once("//")?;
    let (code, comment) = (code.trim(), comment.trim());
    (code.ends_with('{') || ["unroll", "choose"].contains(&comment)).then_some((code, comment))
}

/// `for (var NAME = 0u; NAME < BOUND; NAME++) {`: the name and the bound.
fn unrolled<'a>(code: &'a str, known: &BTreeMap<&str, usize>) -> Option<(&'a str, usize)> {
    let (name, rest) = code.strip_prefix("for (var ")?.split_once(" = 0u; ")?;
    let (bound, rest) = rest.strip_prefix(name)?.strip_prefix(" < ")?.split_once("; ")?;
    (rest.strip_prefix(name)? == "++) {").then_some(())?;
    let literal = bound.strip_suffix('u').and_then(|bound| bound.parse().ok());
    Some((name, literal.or_else(|| known.get(bound).copied())?))
}

/// `if NAME == 1u {`: whether it is.
fn chosen(code: &str, known: &BTreeMap<&str, usize>) -> Option<bool> {
    let name = code.strip_prefix("if ")?.strip_suffix(" == 1u {")?;
    Some(*known.get(name)? == 1)
}

/// Appends the lines to `source`, without their markers.
///
/// # Errors
/// The first line whose marker is not understood.
fn expand(lines: &[String], known: &BTreeMap<&str, usize>, source: &mut String) -> Result<(), String> {
    let mut lines = lines;
    while let Some((line, rest)) = lines.split_first() {
        lines = rest;
        let Some((code, word)) = marker(line) else {
            source.push_str(line);
            source.push('\n');
            continue;
        };
        let misunderstood = || line.clone();
        let indent = &line[..line.len() - line.trim_start().len()];
        let place = |end: &str| rest.iter().position(|other| other.strip_prefix(indent) == Some(end));
        let end = place("}").ok_or_else(misunderstood)?;
        match word {
            "unroll" => {
                let (name, count) = unrolled(code, known).ok_or_else(misunderstood)?;
                for value in 0..count {
                    let body: Vec<String> = rest[..end].iter().map(|line| replaced(line, name, value)).collect();
                    source.push_str("{\n");
                    expand(&body, known, source)?;
                    source.push_str("}\n");
                }
            }
            "choose" => {
                let first = chosen(code, known).ok_or_else(misunderstood)?;
                let middle = place("} else {").filter(|&middle| middle < end).ok_or_else(misunderstood)?;
                expand(&rest[if first { 0..middle } else { middle + 1..end }], known, source)?;
            }
            _ => return Err(misunderstood()),
        }
        lines = &rest[end + 1..];
    }
    Ok(())
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

    #[test]
    #[should_panic(expected = "a has a constant M")]
    fn what_is_worked_out_from_constants_gets_no_value() {
        Variant::new(KERNEL, &[("M", 2)]);
    }

    #[test]
    fn a_marker_that_is_not_understood_is_an_error() {
        let understood = |wgsl: &'static str| {
            let source = std::panic::catch_unwind(|| Variant::from(Kernel { name: "d", wgsl }).source());
            source.map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
        };
        let whole = "const N = 1u;\nfor (var i = 0u; i < N; i++) { // unroll\n}\nif N == 1u { // choose\n} else {\n}\n";
        assert_eq!(understood(whole).unwrap(), "const N = 1u;\n{\n}\n");
        for (right, wrong, line) in [
            ("// unroll", "// unrol", "for (var i = 0u; i < N; i++) { // unrol"),
            ("i < N", "i < M", "for (var i = 0u; i < M; i++) { // unroll"),
            ("i < N", "i <= N", "for (var i = 0u; i <= N; i++) { // unroll"),
            ("i = 0u", "i = 1u", "for (var i = 1u; i < N; i++) { // unroll"),
            ("i++", "i += 2u", "for (var i = 0u; i < N; i += 2u) { // unroll"),
            (&whole[whole.find("}\n").unwrap()..], "", "for (var i = 0u; i < N; i++) { // unroll"),
            ("// choose", "// chosen", "if N == 1u { // chosen"),
            ("if N", "if M", "if M == 1u { // choose"),
            ("N == 1u", "N != 1u", "if N != 1u { // choose"),
            ("} else {\n", "", "if N == 1u { // choose"),
            ("const N = 1u;\n", "const N = 1u;\nx(); // unroll\n}\n", "x(); // unroll"),
        ] {
            let wgsl = whole.replacen(right, wrong, 1).leak();
            let error = understood(wgsl).unwrap_err();
            assert_eq!(error, format!("d: the marker of this line is not understood: {line}"));
        }
    }
}
