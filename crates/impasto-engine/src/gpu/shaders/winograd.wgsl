// The transforms of a convolution (3x3, stride 1, padding of 1) by Winograd's minimal filtering
// F(4x4, 3x3). Between them are 36 matrix products, which `product.wgsl` makes.
//
// `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for every tile of 4x4 outputs, from 6x6 inputs (Lavin and Gray,
// CVPR 2016). The points are those of the CPU: 0, ±1/√2, ±√2 and infinity. Tiles are in raster
// order from row 0 and column 0 of the map. A thread takes four channels of a tile.

override CHANNELS: u32;
// Whether the map continues at its opposite side. Otherwise zeros are read beyond it.
override WRAPS: bool;
// Whether negative outputs become 0.
override RECTIFIES: bool;

struct Params {
    // Of the map.
    height: u32,
    width: u32,
    // The tiles of this round.
    first_tile: u32,
    tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// [H, W, C], or the products [36][tiles][K].
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// [K]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
// [36][tiles][C], or [H, W, K].
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

override QUADS: u32 = CHANNELS / 4u;
const SMALL_POINT: f32 = 0.70710678118654752;
const LARGE_POINT: f32 = 1.41421356237309505;

struct Four {
    v0: vec4<f32>,
    v1: vec4<f32>,
    v2: vec4<f32>,
    v3: vec4<f32>,
}

struct Six {
    v0: vec4<f32>,
    v1: vec4<f32>,
    v2: vec4<f32>,
    v3: vec4<f32>,
    v4: vec4<f32>,
    v5: vec4<f32>,
}

// `Bᵀ d`. Both signs of a point share the sums over even and over odd powers.
fn transform_input(
    d0: vec4<f32>,
    d1: vec4<f32>,
    d2: vec4<f32>,
    d3: vec4<f32>,
    d4: vec4<f32>,
    d5: vec4<f32>,
) -> Six {
    let small_even = fma(vec4<f32>(-2.0), d2, d4);
    let small_odd = fma(vec4<f32>(-2.0), d1, d3);
    let large_even = fma(vec4<f32>(-0.5), d2, d4);
    let large_odd = fma(vec4<f32>(-0.5), d1, d3);
    return Six(
        fma(vec4<f32>(-2.5), d2, d4) + d0,
        fma(vec4<f32>(SMALL_POINT), small_odd, small_even),
        fma(vec4<f32>(-SMALL_POINT), small_odd, small_even),
        fma(vec4<f32>(LARGE_POINT), large_odd, large_even),
        fma(vec4<f32>(-LARGE_POINT), large_odd, large_even),
        fma(vec4<f32>(-2.5), d3, d5) + d1,
    );
}

// `Aᵀ m`
fn transform_output(
    m0: vec4<f32>,
    m1: vec4<f32>,
    m2: vec4<f32>,
    m3: vec4<f32>,
    m4: vec4<f32>,
    m5: vec4<f32>,
) -> Four {
    let small_even = m1 + m2;
    let small_odd = SMALL_POINT * (m1 - m2);
    let large_even = m3 + m4;
    let large_odd = LARGE_POINT * (m3 - m4);
    return Four(
        m0 + small_even + large_even,
        small_odd + large_odd,
        fma(vec4<f32>(2.0), large_even, 0.5 * small_even),
        fma(vec4<f32>(2.0), large_odd, 0.5 * small_odd) + m5,
    );
}

fn number(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
    return (group.y * groups.x + group.x) * 64u + thread;
}

// Row and column of the first output of a tile.
fn corner(tile: u32) -> vec2<u32> {
    let across = (params.width + 3u) / 4u;
    let place = params.first_tile + tile;
    return 4u * vec2<u32>(place / across, place % across);
}

// Index of four channels of a tile in one of the 36 matrices.
fn in_matrix(matrix: u32, tile: u32, quad: u32) -> u32 {
    return (matrix * params.tiles + tile) * QUADS + quad;
}

// Reads a position of the map. The first row and the first column have the number 1.
fn load(at: vec2<u32>, quad: u32) -> vec4<f32> {
    let size = vec2<u32>(params.height, params.width);
    if !WRAPS && any((at < vec2<u32>(1u)) | (at > size)) {
        return vec4<f32>(0.0);
    }
    var inside = at - 1u;
    if WRAPS {
        inside = (at + size - 1u) % size;
    }
    return source[(inside.x * params.width + inside.y) * QUADS + quad];
}

fn input_column(first: vec2<u32>, column: u32, quad: u32) -> Six {
    let top = first + vec2<u32>(0u, column);
    return transform_input(
        load(top, quad),
        load(top + vec2<u32>(1u, 0u), quad),
        load(top + vec2<u32>(2u, 0u), quad),
        load(top + vec2<u32>(3u, 0u), quad),
        load(top + vec2<u32>(4u, 0u), quad),
        load(top + vec2<u32>(5u, 0u), quad),
    );
}

fn store_inputs(row: u32, tile: u32, quad: u32, values: Six) {
    output[in_matrix(6u * row, tile, quad)] = values.v0;
    output[in_matrix(6u * row + 1u, tile, quad)] = values.v1;
    output[in_matrix(6u * row + 2u, tile, quad)] = values.v2;
    output[in_matrix(6u * row + 3u, tile, quad)] = values.v3;
    output[in_matrix(6u * row + 4u, tile, quad)] = values.v4;
    output[in_matrix(6u * row + 5u, tile, quad)] = values.v5;
}

// `Bᵀ d B` of the tiles of a round.
@compute @workgroup_size(64)
fn transform_inputs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let tile = number(group, groups, thread) / QUADS;
    let quad = number(group, groups, thread) % QUADS;
    if tile >= params.tiles {
        return;
    }
    // In the numbers of `load`, the inputs begin where the outputs do.
    let first = corner(tile);
    let c0 = input_column(first, 0u, quad);
    let c1 = input_column(first, 1u, quad);
    let c2 = input_column(first, 2u, quad);
    let c3 = input_column(first, 3u, quad);
    let c4 = input_column(first, 4u, quad);
    let c5 = input_column(first, 5u, quad);
    store_inputs(0u, tile, quad, transform_input(c0.v0, c1.v0, c2.v0, c3.v0, c4.v0, c5.v0));
    store_inputs(1u, tile, quad, transform_input(c0.v1, c1.v1, c2.v1, c3.v1, c4.v1, c5.v1));
    store_inputs(2u, tile, quad, transform_input(c0.v2, c1.v2, c2.v2, c3.v2, c4.v2, c5.v2));
    store_inputs(3u, tile, quad, transform_input(c0.v3, c1.v3, c2.v3, c3.v3, c4.v3, c5.v3));
    store_inputs(4u, tile, quad, transform_input(c0.v4, c1.v4, c2.v4, c3.v4, c4.v4, c5.v4));
    store_inputs(5u, tile, quad, transform_input(c0.v5, c1.v5, c2.v5, c3.v5, c4.v5, c5.v5));
}

fn product_column(column: u32, tile: u32, quad: u32) -> Four {
    return transform_output(
        source[in_matrix(column, tile, quad)],
        source[in_matrix(column + 6u, tile, quad)],
        source[in_matrix(column + 12u, tile, quad)],
        source[in_matrix(column + 18u, tile, quad)],
        source[in_matrix(column + 24u, tile, quad)],
        source[in_matrix(column + 30u, tile, quad)],
    );
}

fn store(row: u32, column: u32, quad: u32, sum: vec4<f32>) {
    if row >= params.height || column >= params.width {
        return;
    }
    var value = sum + bias[quad];
    if RECTIFIES {
        value = max(value, vec4<f32>(0.0));
    }
    output[(row * params.width + column) * QUADS + quad] = value;
}

fn store_outputs(row: u32, column: u32, quad: u32, values: Four) {
    store(row, column, quad, values.v0);
    store(row, column + 1u, quad, values.v1);
    store(row, column + 2u, quad, values.v2);
    store(row, column + 3u, quad, values.v3);
}

// `Aᵀ m A` of the tiles of a round, with the bias.
@compute @workgroup_size(64)
fn transform_outputs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let tile = number(group, groups, thread) / QUADS;
    let quad = number(group, groups, thread) % QUADS;
    if tile >= params.tiles {
        return;
    }
    let c0 = product_column(0u, tile, quad);
    let c1 = product_column(1u, tile, quad);
    let c2 = product_column(2u, tile, quad);
    let c3 = product_column(3u, tile, quad);
    let c4 = product_column(4u, tile, quad);
    let c5 = product_column(5u, tile, quad);
    let first = corner(tile);
    store_outputs(first.x, first.y, quad, transform_output(c0.v0, c1.v0, c2.v0, c3.v0, c4.v0, c5.v0));
    store_outputs(first.x + 1u, first.y, quad, transform_output(c0.v1, c1.v1, c2.v1, c3.v1, c4.v1, c5.v1));
    store_outputs(first.x + 2u, first.y, quad, transform_output(c0.v2, c1.v2, c2.v2, c3.v2, c4.v2, c5.v2));
    store_outputs(first.x + 3u, first.y, quad, transform_output(c0.v3, c1.v3, c2.v3, c3.v3, c4.v3, c5.v3));
}
