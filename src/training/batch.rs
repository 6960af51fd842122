//! What one optimiser step learns from, and where it comes from.

/// Images with the people on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub input: Input,
    /// Labels, `0..classes`, one an image.
    pub people: Vec<usize>,
    /// `[n, teacher_dim]`, another network's features, L2-normalised. A row of zeros: that image has no teacher.
    pub teacher: Option<Vec<f32>>,
}

/// Where the forward pass begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The network's normalised input, `[n, 3, height, width]`.
    Images { values: Vec<f32>, shape: [usize; 4] },
    /// `[n, dim]`: what the frozen backbone gave for the images (`Outputs::feature`, in evaluation mode); only with
    /// [`Depth::Quick`](super::Depth::Quick).
    Features { values: Vec<f32>, dim: usize },
}

/// A batch that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} cannot be trained on: {reason}")]
pub struct BatchError {
    /// The image, as its owner knows it.
    pub file: String,
    pub reason: String,
}

/// Where batches come from.
///
/// A source has no state that a run depends on: after [`BatchSource::start_epoch`] it gives what any source with the same
/// settings gives, so that a run can be continued exactly.
pub trait BatchSource {
    /// The next batch of the epoch; `None` when it is over.
    ///
    /// # Errors
    /// When an image cannot be read.
    fn next_batch(&mut self) -> Result<Option<Batch>, BatchError>;

    /// The batches of each epoch.
    fn batches_per_epoch(&self) -> usize;

    /// Begins an epoch, from 0, after so many of its batches. Also called before the first.
    fn start_epoch(&mut self, epoch: usize, skip_batches: usize);
}
