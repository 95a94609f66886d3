//! What a kernel needs of an instruction set.

/// `C (+)= A * B` for `rows` x `depth` times `depth` x `cols`.
///
/// `A[r][k]` is at `a + r * a_row + k % LINE * a_col + k / LINE * a_line`; `B` row `k` at `b + k * b_row`, `C` row `r` at `c + r * c_row`, both contiguous.
/// `cols` is a multiple of `LANES`. Every element is one chain of fused multiply-adds over `k` in order, whatever tile it falls
/// into: its bits depend neither on `rows` nor on how the caller cuts the work.
///
/// Contract of [`Simd::gemm`]: all these places are valid, and no other thread touches `C`.
#[derive(Clone, Copy)]
pub(crate) struct Gemm {
    pub rows: usize,
    pub cols: usize,
    pub depth: usize,
    pub a: *const f32,
    pub a_row: usize,
    pub a_col: usize,
    pub a_line: usize,
    pub b: *const f32,
    pub b_row: usize,
    pub c: *mut f32,
    pub c_row: usize,
    /// Add to what is in `C`, else overwrite it.
    pub accumulate: bool,
}

/// A piece of work written once for every instruction set, run inside a function that is compiled for one of them.
pub(crate) trait Kernel {
    /// Must be `#[inline(always)]`, as everything that it calls down to the vector operations: only what is inlined into
    /// [`Simd::vectorize`] is compiled for the instruction set.
    fn run<S: Simd>(self, simd: S);
}

/// A token that proves that the CPU has an instruction set, and the operations on its vectors of `LANES` f32.
///
/// Implementations are zero-sized; a value exists only where the instructions do. Loads and stores need not be aligned.
pub(crate) trait Simd: Copy + Send + Sync {
    /// One vector.
    type F: Copy;

    /// f32 in a vector; a multiple of 8, so that a vector's bit mask is whole bytes.
    const LANES: usize;

    /// Columns of a packed panel of the right-hand matrix, which one register tile of [`Simd::gemm`] covers; divides 64.
    const NR: usize;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F;

    /// # Safety
    /// `p` is valid for reading `LANES` values.
    unsafe fn load(self, p: *const f32) -> Self::F;

    /// # Safety
    /// `p` is valid for writing `LANES` values.
    unsafe fn store(self, p: *mut f32, v: Self::F);

    /// `a + b`
    fn add(self, a: Self::F, b: Self::F) -> Self::F;

    /// `a - b`
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;

    /// `a * b`
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;

    /// `a * b + c`, rounded once where the instruction set can.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// `c - a * b`, rounded once where the instruction set can.
    fn neg_mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// The larger of each lane; `b` where either is NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;

    /// Bit `i`: lane `i` of `a` is at least that of `b`.
    fn at_least(self, a: Self::F, b: Self::F) -> u32;

    /// Bit `i`: lane `i` of `a` is greater than that of `b`.
    fn greater(self, a: Self::F, b: Self::F) -> u32;

    /// Lane `i` of `v` where bit `i` is set, else 0.
    fn keep(self, v: Self::F, bits: u32) -> Self::F;

    /// Asks for the cache line at `p` to write to it. It need not be valid.
    fn prefetch_for_writing(self, p: *mut f32);

    /// `C (+)= A * B`, see [`Gemm`].
    ///
    /// # Safety
    /// As [`Gemm`] states.
    unsafe fn gemm(self, g: Gemm);

    /// Runs `kernel` compiled for this instruction set.
    fn vectorize<K: Kernel>(self, kernel: K);

    /// Reads a vector's bit mask.
    ///
    /// # Safety
    /// `p` is valid for reading `LANES / 8` bytes.
    #[inline(always)]
    unsafe fn load_bits(self, p: *const u8) -> u32 {
        // SAFETY: the caller's promise.
        unsafe {
            match Self::LANES {
                16 => p.cast::<u16>().read_unaligned().into(),
                _ => p.read().into(),
            }
        }
    }

    /// Writes a vector's bit mask.
    ///
    /// # Safety
    /// `p` is valid for writing `LANES / 8` bytes.
    #[inline(always)]
    unsafe fn store_bits(self, p: *mut u8, bits: u32) {
        // SAFETY: the caller's promise.
        unsafe {
            match Self::LANES {
                16 => p.cast::<u16>().write_unaligned(bits as u16),
                _ => p.write(bits as u8),
            }
        }
    }
}
