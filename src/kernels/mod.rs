//! Our WGSL kernels, apart from who launches them: one file a shader, of the same name, with what it computes, its
//! parameters, its dispatch and its twin — the same computation on slices, which is the fallback where there is no GPU
//! and what the tests hold the shader against.
//!
//! Every shader binds its storage buffers in the order of its file, inputs first, and last of all a uniform `Params`.

mod finish;
pub mod frozen;
pub mod parallel;
pub(crate) mod shader;
pub(crate) mod simd;
#[cfg(feature = "train")]
pub mod training;
pub mod variant;

/// A shader's name, which is also its file's, and its source without comments; the entry point is `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kernel {
    pub name: &'static str,
    pub wgsl: &'static str,
}

/// What one launch of a kernel needs besides its buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The words of the uniform buffer.
    pub params: Vec<u32>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
}

/// WebGPU's default limit of workgroups in one dimension.
pub const MAX_WORKGROUPS: u32 = 65_535;

/// Threads of a workgroup where a thread makes one element.
const THREADS: usize = 64;

impl Dispatch {
    /// At least `threads` threads, in workgroups of [`THREADS`].
    fn threads(params: Vec<u32>, threads: usize) -> Self {
        Self::new(params, threads.div_ceil(THREADS))
    }

    /// At least `workgroups` workgroups, split into y where x cannot hold them; the kernel skips the surplus.
    fn new(params: Vec<u32>, workgroups: usize) -> Self {
        let workgroups = workgroups as u32;
        let y = workgroups.div_ceil(MAX_WORKGROUPS).max(1);
        Self { params, workgroups: [workgroups.div_ceil(y), y, 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::Dispatch;

    #[test]
    fn many_workgroups_are_split_into_y() {
        assert_eq!(Dispatch::new(vec![], 65_535).workgroups, [65_535, 1, 1]);
        assert_eq!(Dispatch::new(vec![], 65_536).workgroups, [32_768, 2, 1]);
        let [x, y, _] = Dispatch::new(vec![], 5_000_011).workgroups;
        assert!(x <= 65_535 && x * y >= 5_000_011 && x * (y - 1) < 5_000_011);
    }
}
