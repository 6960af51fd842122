//! Lists of words, and what stands for them in ONNX.

/// What OpenVINO and TensorFlow call alike, as [`find`] takes it.
pub(in crate::weights) const SHARED: &str = "\
    Abs Add Equal Erf Exp Floor FloorMod=Mod Greater GreaterEqual=GreaterOrEqual Identity Less LessEqual=LessOrEqual \
    Log LogicalAnd=And LogicalNot=Not LogicalOr=Or Maximum=Max Minimum=Min Mod Range Select=Where Sigmoid Sqrt Tanh \
    Tile";

/// What a list has for a word. Blanks divide it into words that stand for themselves, and pairs `word=ONNX's`.
pub(in crate::weights) fn find(list: &'static str, word: &str) -> Option<&'static str> {
    let mut pairs = list.split(' ').map(|pair| pair.split_once('=').unwrap_or((pair, pair)));
    pairs.find(|(known, _)| *known == word).map(|(_, onnx)| onnx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_themselves_or_for_onnxs() {
        let found = ["Abs", "FloorMod", "Mod", "", "Abs Add", "FloorMod=Mod"].map(|word| find(SHARED, word));
        assert_eq!(found, [Some("Abs"), Some("Mod"), Some("Mod"), None, None, None]);
    }
}
