//! Labelled folders as what training draws its batches from.

mod image_store;
mod loader;
mod teacher;
mod training_set;

pub use image_store::{ImageStore, ImageStoreError, Unreadable};
pub use loader::{Loader, LoaderConfig, LoaderError};
pub use teacher::{Teacher, TeacherError};
pub use training_set::{Folder, FolderSummary, TrainingImage, TrainingSet, TrainingSetError};
