// Sums over a workgroup. This stands before the shaders that need it.

var<workgroup> tree: array<vec4<f32>, 256>;

// The sum of what the first `threads` threads have, in the first of them. Their number is a power
// of two, at most 256. A function calls it once.
fn add_up(value: vec4<f32>, thread: u32, threads: u32) -> vec4<f32> {
    tree[thread] = value;
    for (var half = threads / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            tree[thread] += tree[thread + half];
        }
    }
    return tree[0];
}

