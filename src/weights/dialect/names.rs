//! How a dialect names what we name `backbone.*`, `pool.*`, `bottleneck.*` and `head.*`.

/// The way from our names to a file's.
pub(super) struct Names {
    /// Our prefix and theirs; the first that fits counts.
    pub prefixes: Vec<(&'static str, String)>,
    /// What stands before every name of the network.
    pub wrappers: String,
}

impl Names {
    pub fn ours() -> Self {
        Self { prefixes: Vec::new(), wrappers: String::new() }
    }

    pub fn theirs(&self, ours: &str) -> String {
        let found = self.prefixes.iter().find_map(|(prefix, theirs)| Some((theirs, ours.strip_prefix(prefix)?)));
        found.map_or_else(|| ours.to_owned(), |(theirs, rest)| format!("{theirs}{rest}"))
    }

    /// Whether no feature depends on a tensor that the network has no place for. `idle` lists the dialect's names of such,
    /// or their beginnings up to a `.`; losses are so everywhere. A wrapper may have left such names alone.
    pub fn is_idle(&self, name: &str, idle: &[&str]) -> bool {
        let inner = name.strip_prefix(self.wrappers.as_str()).unwrap_or(name);
        let is = |listed: &&str| inner == *listed || listed.ends_with('.') && inner.starts_with(listed);
        idle.iter().any(is) || is_of_training(inner)
    }

    /// Whether `list` has this name without the wrappers that it must have.
    pub fn is_listed(&self, name: &str, list: &[&str]) -> bool {
        name.strip_prefix(self.wrappers.as_str()).is_some_and(|inner| list.contains(&inner))
    }
}

/// What only training needs, by the words that every project has for it.
fn is_of_training(name: &str) -> bool {
    let (first, last) = (name.split('.').next().unwrap_or(name), name.rsplit('.').next().unwrap_or(name));
    let mut words = first.split('_');
    let is_loss = words.any(|word| word.ends_with("loss") || word == "losses" || word.starts_with("criterion"));
    is_loss || last == "centers"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_or_of_training_is_idle() {
        let names = Names { prefixes: Vec::new(), wrappers: "module.".into() };
        let idle = ["classifier.weight", "fc."];
        for (name, expected) in [
            ("module.classifier.weight", true),
            ("module.classifier.weight2", false),
            ("module.classifier.0.weight", false),
            ("module.fc.weight", true),
            ("module.fc", false),
            ("classifier.weight", true),
            ("center_loss.centers", true),
            ("module.criterion_id.weight", true),
            ("module.glossary.weight", false),
            ("module.neck.weight", false),
        ] {
            assert_eq!(names.is_idle(name, &idle), expected, "{name}");
        }
    }
}
