//! Memory that begins on a cache line, and memory that several threads write to.

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

/// Buffers of at least this many bytes are mapped from the operating system, on huge pages if it
/// has them. The transforms write to dozens of places at a time. So many ordinary pages do not fit
/// the first level of the address translation.
const MAPPED: usize = 1 << 20;

/// A buffer of f32 that begins on a 64-byte boundary. In an ordinary `Vec<f32>` nearly every
/// 64-byte load would cross a cache line, at half the speed. Pages of a large buffer that are never
/// touched cost no memory.
pub(crate) struct AlignedBuffer {
    memory: BufferPages,
    len: usize,
}

enum BufferPages {
    Heap(Vec<CacheLine>),
    Mapped(MmapMut),
}

impl AlignedBuffer {
    /// Returns `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let lines = len.div_ceil(LINE);
        let layout = Layout::array::<CacheLine>(lines).expect("a buffer fits the address space");
        let memory = if layout.size() < MAPPED {
            BufferPages::Heap(vec![CacheLine([0.0; LINE]); lines])
        } else {
            let Ok(map) = MmapMut::map_anon(layout.size()) else { handle_alloc_error(layout) };
            #[cfg(target_os = "linux")]
            // An operating system without huge pages refuses, and gives ordinary ones.
            let _ = map.advise(memmap2::Advice::HugePage);
            BufferPages::Mapped(map)
        };
        Self { memory, len }
    }

    /// Makes the buffer `len` long, on the same memory if that is large enough. The content is
    /// unspecified afterwards.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.capacity() < len {
            // Freed first: the two never exist together.
            *self = Self::default();
            *self = Self::zeros(len);
        }
        self.len = len;
    }

    /// Makes room for `most` values and makes the buffer `len` long. The first `kept` values stay,
    /// the others are unspecified.
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

    /// Returns how many values there is room for.
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
        // SAFETY: both kinds of memory begin on a cache line, hold initialised bytes, and have room
        // for `len` values. Any bytes are an f32.
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

/// The start of memory that several threads write to, each to its own part.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(*mut T);

// SAFETY: the pointer is only used through `at`, and its callers promise that it is valid.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Returns the start of `slice`.
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// Returns the place `offset` values on.
    ///
    /// # Safety
    /// The place is inside the slice.
    #[inline(always)]
    pub(crate) unsafe fn at(&self, offset: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

/// Scratch memory of a network's convolutions, made once and reused. Threads share one part of it,
/// and each thread has one of its own.
#[derive(Default)]
pub(crate) struct Scratch {
    shared: AlignedBuffer,
    threads: Vec<Mutex<AlignedBuffer>>,
}

impl Scratch {
    /// Returns `shared` values for all threads, and `each` values for every thread of the current
    /// pool.
    pub(crate) fn parts(&mut self, shared: usize, each: usize) -> (Shared<f32>, ThreadScratch<'_>) {
        self.shared.resize(shared);
        while self.threads.len() < rayon::current_num_threads() {
            self.threads.push(Mutex::default());
        }
        (Shared::new(&mut self.shared), ThreadScratch { threads: &self.threads, len: each })
    }
}

/// The part of each thread; see [`Scratch::parts`].
pub(crate) struct ThreadScratch<'a> {
    threads: &'a [Mutex<AlignedBuffer>],
    len: usize,
}

impl ThreadScratch<'_> {
    /// Calls `work` with the start of this thread's part, whose content is unspecified.
    pub(crate) fn with(&self, work: impl FnOnce(*mut f32)) {
        // A single task runs on the calling thread, which may belong to no pool. The lock makes any
        // part usable.
        let index = rayon::current_thread_index().unwrap_or(0);
        // The content means nothing between two calls, so a panic cannot leave anything harmful
        // behind.
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
