//! Features of a larger model for the images of a training set, as `reid extract` writes them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::training_set::TrainingSet;
use crate::extract::normalise;
use crate::weights::{Checkpoint, WeightsError};

/// What a teacher makes of the images of a [`TrainingSet`].
#[derive(Clone, Debug)]
pub struct Teacher {
    dim: usize,
    /// `[n, dim]` in the order of the set; zeros where the files have no row.
    rows: Vec<f32>,
    matched: usize,
}

/// Why files are no features of these images.
#[derive(Debug, thiserror::Error)]
pub enum TeacherError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: WeightsError },
    #[error("{} holds no features of images ({reason}): write it with reid extract", path.display())]
    NotFeatures { path: PathBuf, reason: String },
    #[error("{} has features of {found} values, and those before it have {expected}", path.display())]
    Dim { path: PathBuf, found: usize, expected: usize },
    #[error("{} and {} hold features of two models: extract both with one", .0.display(), .1.display())]
    OtherModel(PathBuf, PathBuf),
    #[error("{} and {} cannot be told apart by folder and name, and only one of them has features", .0.display(), .1.display())]
    Ambiguous(PathBuf, PathBuf),
    #[error(
        "not one training image is among the teacher's, which have names like {}: extract features of these folders",
        .0.display()
    )]
    NoMatch(PathBuf),
}

/// How rows and images find each other when the folders have moved in between: by the folder's and the file's name.
fn key(path: &Path) -> PathBuf {
    let parts: Vec<_> = path.components().rev().take(2).collect();
    parts.into_iter().rev().collect()
}

impl Teacher {
    /// Reads safetensors files with a tensor `features` `[n, dim]` and the images' paths as JSON under `names` in the
    /// metadata. Rows are scaled to length 1; with `centre`, the mean of the rows that belong to training images is taken
    /// away before.
    ///
    /// # Errors
    /// When a file is none of those, the files differ in `dim` or in the `fingerprint` of the model that their metadata tell,
    /// or no image has a row.
    pub fn read(files: &[PathBuf], set: &TrainingSet, centre: bool) -> Result<Self, TeacherError> {
        let mut places: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        for (index, image) in set.images.iter().enumerate() {
            places.entry(key(&image.path)).or_default().push(index);
        }
        let mut teacher = Self { dim: 0, rows: Vec::new(), matched: 0 };
        // Which row an image has.
        let mut sources: Vec<Option<PathBuf>> = vec![None; set.images.len()];
        let mut example = PathBuf::new();
        // The first file that says of which model its features are.
        let mut model: Option<(&PathBuf, String)> = None;
        for file in files {
            let Features { names, values, fingerprint } = read(file)?;
            if let Some(fingerprint) = fingerprint {
                let (first, expected) = model.get_or_insert_with(|| (file, fingerprint.clone()));
                if fingerprint != *expected {
                    return Err(TeacherError::OtherModel(first.clone(), file.clone()));
                }
            }
            let dim = values.len() / names.len();
            if teacher.dim == 0 {
                teacher.dim = dim;
                teacher.rows = vec![0.0; set.images.len() * dim];
            }
            if dim != teacher.dim {
                return Err(TeacherError::Dim { path: file.clone(), found: dim, expected: teacher.dim });
            }
            for (name, row) in names.into_iter().zip(values.chunks_exact(dim)) {
                let candidates = places.get(&key(&name)).map_or(&[][..], Vec::as_slice);
                // Several images of one key need the whole path.
                let index = match candidates {
                    [index] => Some(*index),
                    _ => candidates.iter().copied().find(|&index| set.images[index].path == name),
                };
                match (index, candidates) {
                    (Some(index), _) => {
                        // The same path again is the same picture.
                        if let Some(before) = sources[index].replace(name.clone()).filter(|before| *before != name) {
                            return Err(TeacherError::Ambiguous(before, name));
                        }
                        teacher.rows[index * dim..][..dim].copy_from_slice(row);
                    }
                    (None, [first, second, ..]) => {
                        let path = |index: &usize| set.images[*index].path.clone();
                        return Err(TeacherError::Ambiguous(path(first), path(second)));
                    }
                    _ => example = name,
                }
            }
        }
        let matched: Vec<bool> = sources.iter().map(Option::is_some).collect();
        teacher.matched = matched.iter().filter(|matched| **matched).count();
        if teacher.matched == 0 {
            return Err(TeacherError::NoMatch(example));
        }
        if centre {
            teacher.centre(&matched);
        }
        teacher.rows.chunks_exact_mut(teacher.dim).for_each(normalise);
        Ok(teacher)
    }

    fn centre(&mut self, matched: &[bool]) {
        let dim = self.dim;
        let mut mean = vec![0.0_f64; dim];
        for (row, _) in self.rows.chunks_exact(dim).zip(matched).filter(|(_, matched)| **matched) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / self.matched as f64);
        }
        for (row, _) in self.rows.chunks_exact_mut(dim).zip(matched).filter(|(_, matched)| **matched) {
            row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= *mean as f32);
        }
    }

    /// The length of a feature.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many images have a feature.
    pub fn matched(&self) -> usize {
        self.matched
    }

    /// The feature of the image at that place of the set: of length 1, or zeros.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.dim..][..self.dim]
    }
}

/// What a file holds.
struct Features {
    /// At least one.
    names: Vec<PathBuf>,
    /// `[names.len(), dim]`
    values: Vec<f32>,
    /// The model's, where the file tells it.
    fingerprint: Option<String>,
}

fn read(path: &Path) -> Result<Features, TeacherError> {
    let bytes = fs::read(path).map_err(|source| TeacherError::Read { path: path.into(), source })?;
    let mut checkpoint = Checkpoint::read(&bytes).map_err(|source| TeacherError::File { path: path.into(), source })?;
    let invalid = |reason: String| TeacherError::NotFeatures { path: path.into(), reason };
    let names = checkpoint.metadata.get("names").ok_or_else(|| invalid("its metadata has no names".into()))?;
    let names: Vec<PathBuf> = serde_json::from_str(names).map_err(|error| invalid(error.to_string()))?;
    let features = checkpoint.tensors.remove("features").ok_or_else(|| invalid("it has no tensor features".into()))?;
    match features.shape[..] {
        [rows, dim] if rows == names.len() && rows > 0 && dim > 0 => {}
        _ => return Err(invalid(format!("{} names do not fit features of shape {:?}", names.len(), features.shape))),
    }
    if features.values.iter().any(|value| !value.is_finite()) {
        return Err(invalid("some values are not numbers".into()));
    }
    Ok(Features { names, values: features.values, fingerprint: checkpoint.metadata.remove("fingerprint") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::fixture::folder;
    use crate::training::data::training_set::Folder;
    use safetensors::tensor::{Dtype, TensorView, serialize};
    use tempfile::TempDir;

    fn set(root: &TempDir) -> TrainingSet {
        TrainingSet::read(&[Folder { path: root.path().into(), validation_people: 0 }], 0).expect("reads")
    }

    /// A file of features that does not say of which model they are.
    fn write(root: &TempDir, file: &str, rows: &[(&str, [f32; 2])]) -> PathBuf {
        write_of(None, root, file, rows)
    }

    /// A file as `reid extract` writes it with the model of that fingerprint.
    fn write_of(model: Option<&str>, root: &TempDir, file: &str, rows: &[(&str, [f32; 2])]) -> PathBuf {
        let bytes: Vec<u8> = rows.iter().flat_map(|(_, row)| row).flat_map(|value| value.to_le_bytes()).collect();
        let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
        let mut metadata = HashMap::from([("names".to_owned(), serde_json::json!(names).to_string())]);
        metadata.extend(model.map(|model| ("fingerprint".to_owned(), model.to_owned())));
        let view = TensorView::new(Dtype::F32, vec![rows.len(), 2], &bytes).expect("a tensor");
        let path = root.path().join(file);
        fs::write(&path, serialize([("features", view)], Some(metadata)).expect("serialises")).expect("writes");
        path
    }

    const IMAGES: [(&str, u8); 3] = [("anna/1.png", 0), ("anna/2.png", 0), ("bert/1.png", 0)];

    #[test]
    fn rows_find_their_images_by_folder_and_name() {
        let root = folder(&IMAGES);
        let first = write(&root, "a", &[("/far/bert/1.png", [0.0, -2.0]), ("anna/3.png", [1.0, 1.0])]);
        let second = write(&root, "b", &[("elsewhere/anna/1.png", [3.0, 4.0]), ("/far/bert/1.png", [0.0, -2.0])]);
        let teacher = Teacher::read(&[first, second], &set(&root), false).expect("reads");
        assert_eq!((teacher.dim(), teacher.matched()), (2, 2));
        assert_eq!(teacher.row(0), [0.6, 0.8]);
        assert_eq!(teacher.row(1), [0.0, 0.0]);
        assert_eq!(teacher.row(2), [0.0, -1.0]);
    }

    #[test]
    fn centring_takes_the_mean_of_the_training_images_away() {
        let root = folder(&IMAGES);
        // The mean of the two that are trained on is (2, 1).
        let rows = [("anna/2.png", [5.0, 5.0]), ("bert/1.png", [-1.0, -3.0]), ("other/1.png", [90.0, 90.0])];
        let file = write(&root, "a", &rows);
        let teacher = Teacher::read(&[file], &set(&root), true).expect("reads");
        assert_eq!(teacher.row(1), [0.6, 0.8]);
        assert_eq!(teacher.row(2), [-0.6, -0.8]);
        assert_eq!(teacher.row(0), [0.0, 0.0]);
    }

    #[test]
    fn what_is_no_teacher_is_named() {
        let root = folder(&IMAGES);
        let error = |files: &[PathBuf]| Teacher::read(files, &set(&root), false).expect_err("refused");
        let foreign = write(&root, "a", &[("carl/1.png", [1.0, 1.0])]);
        assert!(matches!(error(&[foreign]), TeacherError::NoMatch(name) if name == Path::new("carl/1.png")));
        let two = write(&root, "b", &[("x/anna/1.png", [1.0, 1.0]), ("y/anna/1.png", [1.0, 1.0])]);
        assert!(matches!(error(&[two]), TeacherError::Ambiguous(..)));
        let broken = write(&root, "c", &[("anna/1.png", [1.0, f32::NAN])]);
        assert!(matches!(error(&[broken]), TeacherError::NotFeatures { .. }));
        assert!(matches!(error(&[root.path().join("gone")]), TeacherError::Read { .. }));
        assert!(matches!(error(&[root.path().join("anna/1.png")]), TeacherError::File { .. }));
    }

    #[test]
    fn features_of_two_models_are_no_teacher() {
        let root = folder(&IMAGES);
        let file = |name: &str, model| write_of(model, &root, name, &[("anna/1.png", [1.0, 0.0])]);
        let [a, b] = ["a", "b"].map(|name| file(name, Some("1f")));
        let (unknown, other) = (file("unknown", None), file("other", Some("2e")));
        let read = |files: &[&PathBuf]| {
            let files: Vec<PathBuf> = files.iter().copied().cloned().collect();
            Teacher::read(&files, &set(&root), false).map(|teacher| teacher.matched())
        };
        assert!(matches!(read(&[&a, &unknown, &b]), Ok(1)));
        let error = read(&[&unknown, &a, &b, &other]).expect_err("refused");
        assert!(
            matches!(&error, TeacherError::OtherModel(first, second) if (first, second) == (&a, &other)),
            "{error}"
        );
    }

    #[test]
    fn folders_of_one_name_are_told_apart_by_the_whole_path() {
        let root =
            folder(&[("x/a/0001_c1.png", 0), ("x/a/0002_c1.png", 0), ("y/a/0001_c1.png", 0), ("y/a/0003_c1.png", 0)]);
        let of = |name: &str| Folder { path: root.path().join(name), validation_people: 0 };
        let set = TrainingSet::read(&[of("x/a"), of("y/a")], 0).expect("reads");
        let whole = |index: usize| set.images[index].path.to_str().expect("plain").to_owned();
        let file = write(&root, "f", &[(&whole(2), [0.0, 1.0]), (&whole(0), [1.0, 0.0])]);
        let teacher = Teacher::read(&[file], &set, false).expect("reads");
        assert_eq!((teacher.row(0), teacher.row(2)), (&[1.0, 0.0][..], &[0.0, 1.0][..]));
        let file = write(&root, "g", &[("a/0001_c1.png", [0.0, 1.0])]);
        assert!(matches!(Teacher::read(&[file], &set, false), Err(TeacherError::Ambiguous(..))));
    }
}
