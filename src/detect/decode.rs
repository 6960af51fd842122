//! A detector's outputs as boxes.

use crate::model::{BoxCode, DetectorHead, InputConfig, Level, ScoreCode};

/// More than people stand in any view; the best are taken.
const MOST: usize = 1000;

/// Somebody in a view: a box in pixels of the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// `[x, y, width, height]`
    pub area: [f32; 4],
    pub score: f32,
}

/// What a detector gives is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotANumber;

/// What a level gives for an image.
#[derive(Clone, Copy, Debug)]
struct Outputs<'a> {
    /// People's alone, `[places]`.
    scores: &'a [f32],
    /// `[places]`
    objectness: Option<&'a [f32]>,
    /// `[places, channels]`
    boxes: &'a [f32],
}

/// The people in an image of which the network gave `outputs`, as [`Level::outputs`] orders them, where the scores are people's
/// alone; those of `min_score` and more.
pub(super) fn decode(
    head: &DetectorHead,
    input: &InputConfig,
    outputs: &[&[f32]],
    min_score: f32,
) -> Result<Vec<Found>, NotANumber> {
    let (mut found, mut rest) = (Vec::new(), outputs.iter());
    for level in &head.levels {
        let mut next = || rest.next().copied().unwrap_or_default();
        let (scores, boxes) = (next(), next());
        let objectness = level.objectness.as_ref().map(|_| next());
        places(head, level, input, Outputs { scores, objectness, boxes }, min_score, &mut found)?;
    }
    if found.len() > MOST {
        found.sort_by(|a: &Found, b| b.score.total_cmp(&a.score));
        found.truncate(MOST);
    }
    Ok(found)
}

fn places(
    head: &DetectorHead,
    level: &Level,
    input: &InputConfig,
    outputs: Outputs,
    min_score: f32,
    found: &mut Vec<Found>,
) -> Result<(), NotANumber> {
    let probability = |value: f32| match head.scores {
        ScoreCode::Probability => value,
        ScoreCode::Logit => 1.0 / (1.0 + (-value).exp()),
    };
    let [_, columns] = level.grid(input);
    let boxes = outputs.boxes.chunks_exact(head.boxes.channels().max(1));
    for (place, (&score, code)) in outputs.scores.iter().zip(boxes).enumerate() {
        let objectness = outputs.objectness.and_then(|values| values.get(place));
        let score = probability(score) * objectness.map_or(1.0, |&value| probability(value));
        if score.is_nan() {
            return Err(NotANumber);
        }
        if score < min_score {
            continue;
        }
        let point = [place % columns, place / columns].map(|cell| (cell as f32 + head.point) * level.stride as f32);
        let area = area(head.boxes, code, point, level.stride as f32);
        if area.iter().any(|side| side.is_nan()) {
            return Err(NotANumber);
        }
        found.push(Found { area, score: score.min(1.0) });
    }
    Ok(())
}

/// `[x, y, width, height]` of a place's box.
fn area(code: BoxCode, values: &[f32], [x, y]: [f32; 2], stride: f32) -> [f32; 4] {
    let from_distances = |[left, top, right, bottom]: [f32; 4]| [x - left, y - top, left + right, top + bottom];
    let four = || std::array::from_fn(|side| values[side]);
    match code {
        BoxCode::Bins { count } => {
            from_distances(std::array::from_fn(|side| expected(&values[side * count..][..count]) * stride))
        }
        BoxCode::Distances => from_distances(four()),
        BoxCode::Centre => {
            let [across, down, width, height] = four();
            let [width, height] = [width, height].map(|size| size.exp() * stride);
            [x + across * stride - width / 2.0, y + down * stride - height / 2.0, width, height]
        }
    }
}

/// The expected place among bins whose softmax says how likely each is.
fn expected(bins: &[f32]) -> f32 {
    let largest = bins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (place, bin) in bins.iter().enumerate() {
        let weight = (bin - largest).exp();
        sum += weight;
        weighted += weight * place as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grid of 2 × 3 places, 8 pixels apart.
    fn head(boxes: BoxCode, scores: ScoreCode, point: f32, has_objectness: bool) -> (DetectorHead, InputConfig) {
        let objectness = has_objectness.then(|| "objectness".to_owned());
        let level = Level { stride: 8, scores: "scores".into(), boxes: "boxes".into(), objectness };
        let input = InputConfig { height: 16, width: 24, ..InputConfig::default() };
        (DetectorHead { person: 0, levels: vec![level], boxes, scores, point }, input)
    }

    fn decoded((head, input): &(DetectorHead, InputConfig), outputs: &[&[f32]]) -> Vec<([f32; 4], f32)> {
        let found = decode(head, input, outputs, 0.5).expect("numbers");
        found.into_iter().map(|Found { area, score }| (area, score)).collect()
    }

    #[test]
    fn distances_are_from_the_places_point() {
        let mut boxes = vec![0.0; 24];
        boxes[4 * 4..5 * 4].copy_from_slice(&[3.0, 5.0, 1.0, 2.0]);
        let scores = [0.1, 0.49, 0.0, 0.2, 0.75, 0.4];
        // The second row's second place.
        let found = decoded(&head(BoxCode::Distances, ScoreCode::Probability, 0.5, false), &[&scores, &boxes]);
        assert_eq!(found, [([9.0, 7.0, 4.0, 7.0], 0.75)]);
        let found = decoded(&head(BoxCode::Distances, ScoreCode::Probability, 0.0, false), &[&scores, &boxes]);
        assert_eq!(found, [([5.0, 3.0, 4.0, 7.0], 0.75)]);
    }

    #[test]
    fn bins_are_likely_distances_in_strides() {
        let mut boxes = vec![0.0; 6 * 12];
        // Of the first place: surely 2, evenly 0 to 2, 0 or 1, surely 0.
        boxes[..12].copy_from_slice(&[-90.0, 0.0, 90.0, 4.0, 4.0, 4.0, 7.0, 7.0, -90.0, 900.0, 0.0, 0.0]);
        let scores = [0.9, 0.0, 0.0, 0.0, 0.0, 0.0];
        let found = decoded(&head(BoxCode::Bins { count: 3 }, ScoreCode::Probability, 0.5, false), &[&scores, &boxes]);
        assert_eq!(found, [([4.0 - 16.0, 4.0 - 8.0, 16.0 + 4.0, 8.0], 0.9)]);
    }

    #[test]
    fn centres_are_in_strides_and_sizes_in_logarithms() {
        let mut boxes = vec![0.0; 24];
        boxes[4..8].copy_from_slice(&[0.5, 0.25, 2_f32.ln(), 1.5_f32.ln()]);
        let (logits, objectness) = ([-9.0, 2.0, -9.0, -9.0, -9.0, 9.0], [9.0, 1.0, 9.0, 9.0, 9.0, -9.0]);
        let head = head(BoxCode::Centre, ScoreCode::Logit, 0.0, true);
        let [(area, score)] = decoded(&head, &[&logits, &boxes, &objectness])[..] else { panic!("one") };
        for (found, expected) in area.into_iter().zip([8.0 + 4.0 - 8.0, 2.0 - 6.0, 16.0, 12.0]) {
            assert!((found - expected).abs() < 1e-5, "{area:?}");
        }
        assert!((score - 0.880_797 * 0.731_059).abs() < 1e-6, "{score}");
    }

    #[test]
    fn what_is_no_number_is_said() {
        let (head, input) = head(BoxCode::Distances, ScoreCode::Probability, 0.5, false);
        let decoded = |scores: [f32; 6], boxes: [f32; 24]| decode(&head, &input, &[&scores, &boxes], 0.5);
        let mut scores = [0.0; 6];
        let mut boxes = [0.0; 24];
        boxes[23] = f32::NAN;
        assert_eq!(decoded(scores, boxes), Ok(Vec::new()), "of a place where nobody is, the box is anything");
        scores[5] = 0.6;
        assert_eq!(decoded(scores, boxes), Err(NotANumber));
        scores[5] = f32::NAN;
        assert_eq!(decoded(scores, [0.0; 24]), Err(NotANumber));
    }

    #[test]
    fn of_too_many_the_best_are_taken() {
        let level = Level { stride: 1, scores: "s".into(), boxes: "b".into(), objectness: None };
        let (boxes, scores) = (BoxCode::Distances, ScoreCode::Probability);
        let head = DetectorHead { person: 0, levels: vec![level], boxes, scores, point: 0.5 };
        let input = InputConfig { height: 40, width: 40, ..InputConfig::default() };
        let scores: Vec<f32> = (0..1600).map(|place| place as f32 / 1600.0).collect();
        let found = decode(&head, &input, &[&scores, &[1.0; 6400]], 0.0).expect("numbers");
        assert_eq!((found.len(), found[0].score), (MOST, 1599.0 / 1600.0));
    }
}
