// Matrix products over the positions of a map, [positions, TAPS * C] times [TAPS * C, K].
//
// With nine taps this is a convolution (3x3, stride 1, padding of 1) in its direct form: the rows
// of the left matrix are the neighbourhoods of the positions, which are read where they lie. With
// one tap it is the gradient of a style term, or the products between the transforms of
// `winograd.wgsl`. A workgroup makes TILE positions of 64 channels. Every output is one chain of
// multiply-adds, tap by tap and channel by channel, so the tile changes no bit.
//
// Several products can be made in one dispatch. Each has its own filters, and its window lies one
// row below that of the product before it.

// Positions of a workgroup, which has as many threads: 16, 32, 64 or 128.
override TILE: u32;
override CHANNELS_IN: u32;
override CHANNELS_OUT: u32;
// 9 or 1.
override TAPS: u32;
// Whether the map continues at its opposite side. Otherwise zeros are read beyond it.
override WRAPS: bool;
// Whether negative outputs become 0.
override RECTIFIES: bool;
// Whether the outputs are added to what is there, each position with its weight.
override ADDS: bool;
// Whether the positions have weights. Otherwise each counts 1.
override WEIGHTED: bool;

struct Params {
    // Of the map.
    height: u32,
    width: u32,
    // The positions: a window of the map.
    top: u32,
    left: u32,
    columns: u32,
    positions: u32,
    // The first tile of this dispatch.
    first_tile: u32,
    // Number of the first position among the weights.
    first_weight: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// [H, W, C]
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// [products][TAPS, C, K]
@group(0) @binding(2) var<storage, read> filters: array<vec4<f32>>;
// [K]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
// [positions]
@group(0) @binding(4) var<storage, read> weights: array<f32>;
// [H, W, K]
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

const DEPTH: u32 = 16u;
// Four positions a value, and one value of padding against bank conflicts.
override ROW: u32 = TILE / 4u + 1u;
const RIGHT: u32 = 256u;

// [DEPTH][TILE], four positions a value.
var<workgroup> left_tile: array<vec4<f32>, DEPTH * ROW>;
// [DEPTH][64], four channels a value.
var<workgroup> right_tile: array<vec4<f32>, RIGHT>;

// Row and column in the map of a position of a product's window.
fn place(position: u32, number: u32) -> vec2<i32> {
    let inside = min(position, params.positions - 1u);
    let row = params.top + number + inside / params.columns;
    return vec2<i32>(vec2<u32>(row, params.left + inside % params.columns));
}

fn load(at: vec2<i32>, quad: u32) -> vec4<f32> {
    let size = vec2<i32>(vec2<u32>(params.height, params.width));
    var inside = at;
    if WRAPS {
        inside = (at + size) % size;
    } else if TAPS > 1u && (any(at < vec2<i32>(0)) || any(at >= size)) {
        return vec4<f32>(0.0);
    }
    return source[(u32(inside.x) * params.width + u32(inside.y)) * (CHANNELS_IN / 4u) + quad];
}

// A value of the right tile, of which the first one is in this row.
fn load_filter(row: u32, first_quad: u32, i: u32) -> vec4<f32> {
    return filters[(row + i / 16u) * (CHANNELS_OUT / 4u) + first_quad + i % 16u];
}

fn store(position: u32, number: u32, quad: u32, sum: vec4<f32>) {
    if position >= params.positions {
        return;
    }
    let at = vec2<u32>(place(position, number));
    let index = (at.x * params.width + at.y) * (CHANNELS_OUT / 4u) + quad;
    var value = sum + bias[quad];
    if RECTIFIES {
        value = max(value, vec4<f32>(0.0));
    }
    if WEIGHTED {
        value *= weights[params.first_weight + position];
    }
    if ADDS {
        value += output[index];
    }
    output[index] = value;
}

@compute @workgroup_size(TILE)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first = (group.x + params.first_tile) * TILE;
    let first_quad = group.y * 16u;
    let number = group.z;

    // Each thread reads four channels of four positions.
    let read_quad = thread % 4u;
    let read_row = thread / 4u;
    let p0 = place(first + read_row * 4u, number);
    let p1 = place(first + read_row * 4u + 1u, number);
    let p2 = place(first + read_row * 4u + 2u, number);
    let p3 = place(first + read_row * 4u + 3u, number);

    // Each thread makes eight channels of eight positions.
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

    for (var tap = 0u; tap < TAPS; tap++) {
        var offset = vec2<i32>(0);
        if TAPS == 9u {
            offset = vec2<i32>(vec2<u32>(tap / 3u, tap % 3u)) - 1;
        }
        for (var channel = 0u; channel < CHANNELS_IN; channel += DEPTH) {
            let quad = channel / 4u + read_quad;
            let a0 = load(p0 + offset, quad);
            let a1 = load(p1 + offset, quad);
            let a2 = load(p2 + offset, quad);
            let a3 = load(p3 + offset, quad);
            let filter_row = (number * TAPS + tap) * CHANNELS_IN + channel;
            let b0 = load_filter(filter_row, first_quad, thread);
            let b1 = load_filter(filter_row, first_quad, thread + TILE);
            workgroupBarrier();
            left_tile[(read_quad * 4u) * ROW + read_row] = vec4<f32>(a0.x, a1.x, a2.x, a3.x);
            left_tile[(read_quad * 4u + 1u) * ROW + read_row] = vec4<f32>(a0.y, a1.y, a2.y, a3.y);
            left_tile[(read_quad * 4u + 2u) * ROW + read_row] = vec4<f32>(a0.z, a1.z, a2.z, a3.z);
            left_tile[(read_quad * 4u + 3u) * ROW + read_row] = vec4<f32>(a0.w, a1.w, a2.w, a3.w);
            right_tile[thread] = b0;
            right_tile[thread + TILE] = b1;
            for (var i = thread + 2u * TILE; i < RIGHT; i += TILE) {
                right_tile[i] = load_filter(filter_row, first_quad, i);
            }
            workgroupBarrier();
            for (var k = 0u; k < DEPTH; k++) {
                let l0 = left_tile[k * ROW + row * 2u];
                let l1 = left_tile[k * ROW + row * 2u + 1u];
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
    }

    let position = first + row * 8u;
    let quad = first_quad + column * 2u;
    store(position, number, quad, s00); store(position, number, quad + 1u, s01);
    store(position + 1u, number, quad, s10); store(position + 1u, number, quad + 1u, s11);
    store(position + 2u, number, quad, s20); store(position + 2u, number, quad + 1u, s21);
    store(position + 3u, number, quad, s30); store(position + 3u, number, quad + 1u, s31);
    store(position + 4u, number, quad, s40); store(position + 4u, number, quad + 1u, s41);
    store(position + 5u, number, quad, s50); store(position + 5u, number, quad + 1u, s51);
    store(position + 6u, number, quad, s60); store(position + 6u, number, quad + 1u, s61);
    store(position + 7u, number, quad, s70); store(position + 7u, number, quad + 1u, s71);
}
