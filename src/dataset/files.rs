//! Which files in a folder are pictures. Links to folders are followed, as torchvision's `ImageFolder` follows them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::DatasetError;

/// The endings of pictures. Some cannot be read here: better that decoding says so than that they are passed over.
const ENDINGS: [&str; 14] =
    ["avif", "bmp", "gif", "heic", "heif", "jfif", "jpe", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp"];

/// The pictures that a path stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFiles {
    /// Sorted.
    pub images: Vec<PathBuf>,
    /// What was passed over: links that lead nowhere, folders that were met before. A sentence each.
    pub words: Vec<String>,
}

/// Every picture under a folder by the ending of its name; a path that is no folder stands for itself.
/// Hidden files are passed over. Links are followed, but for those back to a folder that they are in, and a folder that links
/// lead to more than once is read once.
///
/// # Errors
/// When a folder cannot be read.
pub fn image_files(path: &Path) -> Result<ImageFiles, DatasetError> {
    if !path.is_dir() {
        return Ok(ImageFiles { images: vec![path.into()], words: Vec::new() });
    }
    let (tree, words) = Tree::read(path)?;
    let mut images: Vec<PathBuf> = tree.files().cloned().collect();
    images.sort();
    Ok(ImageFiles { images, words })
}

/// A folder with all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub path: PathBuf,
    /// The pictures directly in it, sorted.
    pub images: Vec<PathBuf>,
    /// The folders directly in it, sorted.
    pub folders: Vec<Tree>,
    /// Links to folders that are not yet followed.
    links: Vec<PathBuf>,
}

impl Tree {
    /// Reads a folder, and says what was passed over.
    pub fn read(path: &Path) -> Result<(Self, Vec<String>), DatasetError> {
        let mut walk = Walk::default();
        let mut tree = walk.folder(path, canonical(path)?)?;
        walk.follow(&mut tree)?;
        Ok((tree, walk.words))
    }

    /// The last part of its path.
    pub fn name(&self) -> String {
        name(&self.path)
    }

    /// Every picture at any depth, those of a folder before those of the folders in it.
    pub fn files(&self) -> Box<dyn Iterator<Item = &PathBuf> + '_> {
        Box::new(self.images.iter().chain(self.folders.iter().flat_map(Self::files)))
    }

    pub fn has_images(&self) -> bool {
        self.files().next().is_some()
    }
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The folders directly in a folder, sorted; links to folders are among them.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The links directly in a folder that lead nowhere, and where they should lead.
pub(super) fn broken_links(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, DatasetError> {
    let broken = |path: PathBuf| Some((fs::read_link(&path).ok().filter(|_| !path.exists())?, path));
    Ok(entries(folder)?.into_iter().filter_map(broken).map(|(target, path)| (path, target)).collect())
}

/// Reads what is there before it follows a link, so that a folder keeps the name that it has.
#[derive(Default)]
struct Walk {
    /// The folders that were read: where they are, and by which path they were met.
    read: BTreeMap<PathBuf, PathBuf>,
    words: Vec<String>,
}

impl Walk {
    fn folder(&mut self, path: &Path, canonical: PathBuf) -> Result<Tree, DatasetError> {
        self.read.insert(canonical.clone(), path.into());
        let mut tree = Tree { path: path.into(), ..Tree::default() };
        for entry in entries(path)? {
            if entry.is_dir() {
                if entry.is_symlink() {
                    tree.links.push(entry);
                    continue;
                }
                let canonical = canonical.join(entry.file_name().unwrap_or_default());
                if let Some(folder) = self.first(&entry, canonical)? {
                    tree.folders.push(folder);
                }
            } else if is_image(&entry) {
                tree.images.push(entry);
            } else if let Some(target) = fs::read_link(&entry).ok().filter(|_| !entry.exists()) {
                self.words.push(format!(
                    "{} is a link to {}, which is not there: it is passed over",
                    entry.display(),
                    target.display()
                ));
            }
        }
        Ok(tree)
    }

    fn follow(&mut self, tree: &mut Tree) -> Result<(), DatasetError> {
        let inside = canonical(&tree.path)?;
        for link in std::mem::take(&mut tree.links) {
            let target = canonical(&link)?;
            // Back to a folder that the link is in: a loop.
            if inside.starts_with(&target) {
                continue;
            }
            if let Some(folder) = self.first(&link, target)? {
                tree.folders.push(folder);
            }
        }
        tree.folders.sort_by(|a, b| a.path.cmp(&b.path));
        tree.folders.iter_mut().try_for_each(|folder| self.follow(folder))
    }

    /// The folder, unless it was read before or cannot be read, which leaves the others.
    fn first(&mut self, path: &Path, canonical: PathBuf) -> Result<Option<Tree>, DatasetError> {
        match self.read.get(&canonical) {
            None => match self.folder(path, canonical) {
                Err(DatasetError::Read { path, source }) => {
                    self.words.push(format!("{} cannot be read ({source}): it is left out", path.display()));
                    Ok(None)
                }
                read => read.map(Some),
            },
            Some(before) => {
                let (path, before) = (path.display(), before.display());
                self.words.push(format!("{path} is the same folder as {before}: it is read once"));
                Ok(None)
            }
        }
    }
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

fn canonical(path: &Path) -> Result<PathBuf, DatasetError> {
    fs::canonicalize(path).map_err(|source| DatasetError::Read { path: path.into(), source })
}

/// What is directly in a folder, sorted, but for what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let failed = |source| DatasetError::Read { path: folder.into(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::fixture::files;

    #[test]
    fn pictures_at_any_depth_sorted() {
        let root = files(&["z.JPG", "b/deep/1.webp", "b/2.heic", "a.txt", ".hidden.png", "c.png", "d.Jfif", "e.jpe"]);
        let found = image_files(root.path()).expect("reads");
        let expected = ["b/2.heic", "b/deep/1.webp", "c.png", "d.Jfif", "e.jpe", "z.JPG"];
        assert_eq!(found.images, expected.map(|name| root.path().join(name)));
        assert_eq!(found.words, [""; 0]);
        assert_eq!(image_files(Path::new("gone.png")).expect("itself").images, [PathBuf::from("gone.png")]);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_left_out() {
        let mut walk = Walk::default();
        let gone = Path::new("gone");
        assert!(walk.first(gone, gone.into()).expect("goes on").is_none());
        assert!(walk.words[0].starts_with("gone cannot be read ("), "{:?}", walk.words);
        assert!(walk.folder(gone, gone.into()).is_err(), "the folder that was asked for is no other's part");
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_once_and_never_in_circles() {
        use std::os::unix::fs::symlink;

        let elsewhere = files(&["anna/1.png", "anna/more/2.png", "bert/3.png"]);
        let root = files(&["real/4.png", "5.png"]);
        let link = |target: &Path, name: &str| symlink(target, root.path().join(name)).expect("links");
        // In the order of names, the link comes before what it leads to.
        link(&root.path().join("real"), "again");
        link(&elsewhere.path().join("anna"), "anna");
        link(&elsewhere.path().join("anna"), "anna2");
        link(&elsewhere.path().join("bert"), "real/bert");
        link(root.path(), "real/loop");
        link(Path::new("."), "self");
        link(root.path().parent().expect("has one"), "up");
        link(Path::new("nowhere"), "gone");
        link(Path::new("nowhere.png"), "gone.png");
        let ImageFiles { images, words } = image_files(root.path()).expect("reads");
        let expected = ["5.png", "anna/1.png", "anna/more/2.png", "gone.png", "real/4.png", "real/bert/3.png"];
        assert_eq!(images, expected.map(|name| root.path().join(name)));
        let said = |path: &str, words: &str| format!("{} {words}", root.path().join(path).display());
        let same = |path: &str| format!("is the same folder as {}: it is read once", root.path().join(path).display());
        assert_eq!(
            words,
            [
                said("gone", "is a link to nowhere, which is not there: it is passed over"),
                said("again", &same("real")),
                said("anna2", &same("anna")),
            ]
        );
    }
}
