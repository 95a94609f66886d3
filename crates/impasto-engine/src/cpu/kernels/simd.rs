//! The operations that a kernel needs from an instruction set.

/// `C (+)= A * B` for `rows` x `depth` times `depth` x `cols`.
///
/// `A[r][k]` is at `a + r * a_row + k % LINE * a_col + k / LINE * a_line`. Row `k` of `B` is at `b
/// + k * b_row`, row `r` of `C` at `c + r * c_row`, and both are contiguous. `cols` is a multiple
/// of `LANES`. Every element is one chain of fused multiply-adds over `k` in order, in whatever
/// tile it is. So its bits depend neither on `rows` nor on how the caller cuts the work.
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
    /// Whether the product is added to `C`. Otherwise it overwrites `C`.
    pub accumulate: bool,
}

/// A piece of work that is written once for every instruction set. It runs inside a function that
/// is compiled for one of them.
pub(crate) trait Kernel {
    /// Does the work. It must be `#[inline(always)]`, and so must everything that it calls, down to
    /// the vector operations. Only code that is inlined into [`Simd::vectorize`] is compiled for
    /// the instruction set.
    fn run<S: Simd>(self, simd: S);
}

/// A token that proves that the CPU has an instruction set, with the operations on its vectors of
/// `LANES` f32.
///
/// Implementations are zero-sized. A value exists only on a CPU that has the instructions. Loads
/// and stores do not have to be aligned.
pub(crate) trait Simd: Copy + Send + Sync {
    /// One vector.
    type F: Copy;

    /// f32 in a vector: a multiple of 8, because a vector's bit mask is whole bytes.
    const LANES: usize;

    /// Columns of a packed panel of the right-hand matrix, which one register tile of
    /// [`Simd::gemm`] covers. It divides 64.
    const NR: usize;

    /// Returns a vector of `x` in all lanes.
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

    /// `a * b + c`, rounded once if the instruction set can do that.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// `c - a * b`, rounded once if the instruction set can do that.
    fn neg_mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// The larger value in each lane. If either is NaN, it is `b`.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;

    /// Bit `i`: lane `i` of `a` is at least that of `b`.
    fn at_least(self, a: Self::F, b: Self::F) -> u32;

    /// Bit `i`: lane `i` of `a` is greater than that of `b`.
    fn greater(self, a: Self::F, b: Self::F) -> u32;

    /// Lane `i` is that of `v` if bit `i` is set, otherwise 0.
    fn keep(self, v: Self::F, bits: u32) -> Self::F;

    /// Asks for the cache line at `p`, to write to it. The pointer does not have to be valid.
    fn prefetch_for_writing(self, p: *mut f32);

    /// Asks for the cache line at `p`, to read it. The pointer does not have to be valid.
    fn prefetch(self, p: *const f32);

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
