//! BufferPages on cache-line boundaries.

use std::alloc::{Layout, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

/// f32 values in a cache line.
pub(crate) const LINE: usize = 16;

/// One cache line, which is also one AVX-512 register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct CacheLine([f32; LINE]);

/// Buffers of at least this many bytes are mapped from the operating system on huge pages where it has them: the transforms write to
/// dozens of places at a time, more than the first level of the address translation holds of ordinary pages.
const MAPPED: usize = 1 << 20;

/// A buffer of f32 that begins on a 64-byte boundary: with an ordinary `Vec<f32>` nearly every 64-byte load would cross a cache
/// line, at half the speed. Pages of a large buffer that are never touched cost no memory.
pub(crate) struct AlignedBuffer {
    memory: BufferPages,
    len: usize,
}

enum BufferPages {
    Heap(Vec<CacheLine>),
    Mapped(MmapMut),
}

impl AlignedBuffer {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let lines = len.div_ceil(LINE);
        let layout = Layout::array::<CacheLine>(lines).expect("a buffer fits the address space");
        let memory = if layout.size() < MAPPED {
            BufferPages::Heap(vec![CacheLine([0.0; LINE]); lines])
        } else {
            let Ok(map) = MmapMut::map_anon(layout.size()) else { handle_alloc_error(layout) };
            #[cfg(target_os = "linux")]
            // A kernel without huge pages refuses, and gives ordinary ones.
            let _ = map.advise(memmap2::Advice::HugePage);
            BufferPages::Mapped(map)
        };
        Self { memory, len }
    }

    /// Makes the buffer `len` long, on the same memory where it is large enough. The content is then unspecified.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.capacity() < len {
            // Freed first, so that the two are never there together.
            *self = Self::default();
            *self = Self::zeros(len);
        }
        self.len = len;
    }

    /// Makes room for `most` values and the buffer `len` long, of which the first `kept` stay what they are. The others are unspecified.
    pub(crate) fn grow(&mut self, len: usize, kept: usize, most: usize) {
        let most = most.max(len);
        if self.capacity() < most {
            if kept == 0 {
                self.resize(most);
            } else {
                let mut larger = Self::zeros(most);
                larger[..kept].copy_from_slice(&self[..kept]);
                *self = larger;
            }
        }
        self.len = len;
    }

    /// Values that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        match &self.memory {
            BufferPages::Heap(lines) => lines.len() * LINE,
            BufferPages::Mapped(map) => map.len() / size_of::<f32>(),
        }
    }
}

impl Default for AlignedBuffer {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Clone for AlignedBuffer {
    fn clone(&self) -> Self {
        let mut clone = Self::zeros(self.len);
        clone.copy_from_slice(self);
        clone
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let start: *const f32 = match &self.memory {
            BufferPages::Heap(lines) => lines.as_ptr().cast(),
            BufferPages::Mapped(map) => map.as_ptr().cast(),
        };
        // SAFETY: both kinds of memory begin on a cache line at least and hold initialised bytes, any of which are an f32; `len` is
        // not beyond them.
        unsafe { std::slice::from_raw_parts(start, self.len) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        let start: *mut f32 = match &mut self.memory {
            BufferPages::Heap(lines) => lines.as_mut_ptr().cast(),
            BufferPages::Mapped(map) => map.as_mut_ptr().cast(),
        };
        // SAFETY: as in `deref`, and the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(start, self.len) }
    }
}

/// The start of memory that several threads write to, each its own part.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(*mut T);

// SAFETY: the pointer is only used through `at`, whose callers answer for what they do with it.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The start of `slice`.
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// The place `offset` values on.
    ///
    /// # Safety
    /// It lies inside the slice.
    #[inline(always)]
    pub(crate) unsafe fn at(&self, offset: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

/// Scratch memory of a network's convolutions, made once and reused: one part that the threads share, one for each thread.
#[derive(Default)]
pub(crate) struct Scratch {
    shared: AlignedBuffer,
    threads: Vec<Mutex<AlignedBuffer>>,
}

impl Scratch {
    /// `shared` values for all, `each` for every thread of the current pool.
    pub(crate) fn parts(&mut self, shared: usize, each: usize) -> (Shared<f32>, ThreadScratch<'_>) {
        self.shared.resize(shared);
        while self.threads.len() < rayon::current_num_threads() {
            self.threads.push(Mutex::default());
        }
        (Shared::new(&mut self.shared), ThreadScratch { threads: &self.threads, len: each })
    }
}

/// See [`Scratch::parts`].
pub(crate) struct ThreadScratch<'a> {
    threads: &'a [Mutex<AlignedBuffer>],
    len: usize,
}

impl ThreadScratch<'_> {
    /// Calls `work` with the start of this thread's part, whose content is unspecified.
    pub(crate) fn with(&self, work: impl FnOnce(*mut f32)) {
        // A single task runs on the calling thread, which may be of no pool; the lock makes any part do.
        let index = rayon::current_thread_index().unwrap_or(0);
        // The content means nothing between two calls, so what a panic left behind does no harm.
        let mut buffer = self.threads[index].lock().unwrap_or_else(PoisonError::into_inner);
        buffer.resize(self.len);
        work(buffer.as_mut_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero() {
        for len in [0, 1, 15, 16, 17, 1000, MAPPED / 4 - 1, MAPPED / 4, MAPPED / 2 + 3] {
            let mut buffer = AlignedBuffer::zeros(len);
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&v| v == 0.0));
            assert_eq!(buffer.as_ptr() as usize % 64, 0);
            buffer.fill(1.0);
            assert_eq!(buffer.iter().sum::<f32>(), len as f32);
        }
    }
}
