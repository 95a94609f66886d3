// Sums over the positions of a map, in chunks of at most 512 positions, and sums of these.

override CHANNELS: u32;
// Whether the positions have weights. Otherwise each counts 1.
override WEIGHTED: bool;

struct Params {
    // Columns of the map.
    width: u32,
    // The positions: a window of the map.
    top: u32,
    left: u32,
    columns: u32,
    positions: u32,
    // Of `add_up`: sums that come in, and values of each.
    count: u32,
    values: u32,
    // Number of the first position among the weights.
    first_weight: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// [H, W, C]
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// [positions]: weights, or their roots for `products`.
@group(0) @binding(2) var<storage, read> weights: array<f32>;
// Of `products` [chunks, C, C], of `features` [chunks, C].
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

const CHUNK: u32 = 512u;
const DEPTH: u32 = 16u;

// Four channels of a position of the window, times its weight.
fn load(position: u32, end: u32, quad: u32) -> vec4<f32> {
    if position >= end {
        return vec4<f32>(0.0);
    }
    let row = params.top + position / params.columns;
    let column = params.left + position % params.columns;
    let value = source[(row * params.width + column) * (CHANNELS / 4u) + quad];
    if WEIGHTED {
        return value * weights[params.first_weight + position];
    }
    return value;
}

// [DEPTH][64], four channels a value.
var<workgroup> left_tile: array<vec4<f32>, 256>;
var<workgroup> right_tile: array<vec4<f32>, 256>;

// sum f f^T of a chunk. A workgroup makes 64x64 values. Those below the diagonal are left out: the
// matrix is symmetric.
@compute @workgroup_size(64)
fn products(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    if group.x > group.y {
        return;
    }
    let first = group.z * CHUNK;
    let end = min(first + CHUNK, params.positions);
    let row = thread / 8u;
    let column = thread % 8u;
    var s00 = vec4<f32>(0.0); var s01 = vec4<f32>(0.0);
    var s10 = vec4<f32>(0.0); var s11 = vec4<f32>(0.0);
    var s20 = vec4<f32>(0.0); var s21 = vec4<f32>(0.0);
    var s30 = vec4<f32>(0.0); var s31 = vec4<f32>(0.0);
    var s40 = vec4<f32>(0.0); var s41 = vec4<f32>(0.0);
    var s50 = vec4<f32>(0.0); var s51 = vec4<f32>(0.0);
    var s60 = vec4<f32>(0.0); var s61 = vec4<f32>(0.0);
    var s70 = vec4<f32>(0.0); var s71 = vec4<f32>(0.0);
    for (var start = first; start < end; start += DEPTH) {
        workgroupBarrier();
        for (var i = 0u; i < 4u; i++) {
            let value = i * 64u + thread;
            left_tile[value] = load(start + value / 16u, end, group.x * 16u + value % 16u);
            right_tile[value] = load(start + value / 16u, end, group.y * 16u + value % 16u);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let l0 = left_tile[k * 16u + row * 2u];
            let l1 = left_tile[k * 16u + row * 2u + 1u];
            let r0 = right_tile[k * 16u + column * 2u];
            let r1 = right_tile[k * 16u + column * 2u + 1u];
            s00 = fma(vec4<f32>(l0.x), r0, s00); s01 = fma(vec4<f32>(l0.x), r1, s01);
            s10 = fma(vec4<f32>(l0.y), r0, s10); s11 = fma(vec4<f32>(l0.y), r1, s11);
            s20 = fma(vec4<f32>(l0.z), r0, s20); s21 = fma(vec4<f32>(l0.z), r1, s21);
            s30 = fma(vec4<f32>(l0.w), r0, s30); s31 = fma(vec4<f32>(l0.w), r1, s31);
            s40 = fma(vec4<f32>(l1.x), r0, s40); s41 = fma(vec4<f32>(l1.x), r1, s41);
            s50 = fma(vec4<f32>(l1.y), r0, s50); s51 = fma(vec4<f32>(l1.y), r1, s51);
            s60 = fma(vec4<f32>(l1.z), r0, s60); s61 = fma(vec4<f32>(l1.z), r1, s61);
            s70 = fma(vec4<f32>(l1.w), r0, s70); s71 = fma(vec4<f32>(l1.w), r1, s71);
        }
    }
    let stride = CHANNELS / 4u;
    let at = (group.z * CHANNELS + group.x * 64u + row * 8u) * stride + group.y * 16u + column * 2u;
    output[at] = s00; output[at + 1u] = s01;
    output[at + stride] = s10; output[at + stride + 1u] = s11;
    output[at + 2u * stride] = s20; output[at + 2u * stride + 1u] = s21;
    output[at + 3u * stride] = s30; output[at + 3u * stride + 1u] = s31;
    output[at + 4u * stride] = s40; output[at + 4u * stride + 1u] = s41;
    output[at + 5u * stride] = s50; output[at + 5u * stride + 1u] = s51;
    output[at + 6u * stride] = s60; output[at + 6u * stride + 1u] = s61;
    output[at + 7u * stride] = s70; output[at + 7u * stride + 1u] = s71;
}

// sum f of a chunk. Each thread makes four channels.
@compute @workgroup_size(64)
fn features(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let quad = group.x * 64u + thread;
    if quad >= CHANNELS / 4u {
        return;
    }
    let first = group.y * CHUNK;
    let end = min(first + CHUNK, params.positions);
    var sum = vec4<f32>(0.0);
    for (var position = first; position < end; position++) {
        sum += load(position, end, quad);
    }
    output[group.y * (CHANNELS / 4u) + quad] = sum;
}

const FAN: u32 = 16u;

// The sums of up to 16 consecutive sums, [count, values] to [count / 16, values].
@compute @workgroup_size(64)
fn add_up(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let quads = params.values / 4u;
    let quad = group.x * 64u + thread;
    if quad >= quads {
        return;
    }
    var sum = vec4<f32>(0.0);
    let end = min((group.y + 1u) * FAN, params.count);
    for (var i = group.y * FAN; i < end; i++) {
        sum += source[i * quads + quad];
    }
    output[group.y * quads + quad] = sum;
}
