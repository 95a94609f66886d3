// The first convolution with the preprocessing, and the gradient with respect to the image.

// What is read beyond the image. 0: zeros. 1: the border's own pixels. 2: the opposite border.
override PADDING: u32;
// Whether negative values of the map become 0.
override RECTIFIES: bool;

struct Params {
    height: u32,
    width: u32,
    // Threads that have something to do.
    count: u32,
    // Of `add_values`: where the values begin in the output.
    first: u32,
    // The network's input is `x * scale - offset`, by RGB channel.
    scale: vec4<f32>,
    offset: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
// Of `convolve` the image [H, W, 3], of `image_gradient` the gradient [H, W, 64], of `add_values`
// the gradient of a band.
@group(0) @binding(1) var<storage, read> source: array<f32>;
// [9, 3, 64], by RGB channel.
@group(0) @binding(2) var<storage, read> filters: array<vec4<f32>>;
// [64]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
// Of `convolve` [H, W, 64], of `image_gradient` [H, W, 3], of `add_values` the gradient of the
// whole image.
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

// The pixel that is seen at a place of an axis of `len` pixels, or -1 for zero.
fn pixel(at: i32, len: i32) -> i32 {
    if at >= 0 && at < len {
        return at;
    }
    if PADDING == 1u {
        return clamp(at, 0, len - 1);
    }
    if PADDING == 2u {
        return (at + len) % len;
    }
    return -1;
}

// Each thread makes four channels of a position.
@compute @workgroup_size(64)
fn convolve(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number >= params.count {
        return;
    }
    let position = number / 16u;
    let quad = number % 16u;
    let row = i32(position / params.width);
    let column = i32(position % params.width);
    var sum = vec4<f32>(0.0);
    for (var tap = 0u; tap < 9u; tap++) {
        let y = pixel(row + i32(tap / 3u) - 1, i32(params.height));
        let x = pixel(column + i32(tap % 3u) - 1, i32(params.width));
        if y < 0 || x < 0 {
            continue;
        }
        let at = (u32(y) * params.width + u32(x)) * 3u;
        for (var channel = 0u; channel < 3u; channel++) {
            let value = source[at + channel] * params.scale[channel] - params.offset[channel];
            sum = fma(vec4<f32>(value), filters[(tap * 3u + channel) * 16u + quad], sum);
        }
    }
    sum += bias[quad];
    if RECTIFIES {
        sum = max(sum, vec4<f32>(0.0));
    }
    output[number * 4u] = sum.x;
    output[number * 4u + 1u] = sum.y;
    output[number * 4u + 2u] = sum.z;
    output[number * 4u + 3u] = sum.w;
}

// The gradient with respect to what the convolution reads at a place, one pixel beyond the image
// included.
fn gradient_at(y: i32, x: i32) -> vec3<f32> {
    var sum = vec3<f32>(0.0);
    for (var tap = 0u; tap < 9u; tap++) {
        let row = y - (i32(tap / 3u) - 1);
        let column = x - (i32(tap % 3u) - 1);
        if row < 0 || row >= i32(params.height) || column < 0 || column >= i32(params.width) {
            continue;
        }
        let at = (u32(row) * params.width + u32(column)) * 64u;
        for (var quad = 0u; quad < 16u; quad++) {
            let gradient = vec4<f32>(
                source[at + quad * 4u],
                source[at + quad * 4u + 1u],
                source[at + quad * 4u + 2u],
                source[at + quad * 4u + 3u],
            );
            for (var channel = 0u; channel < 3u; channel++) {
                sum[channel] += dot(gradient, filters[(tap * 3u + channel) * 16u + quad]);
            }
        }
    }
    return sum;
}

// Each thread makes the gradient of a pixel. The places beyond the image that read the pixel add
// theirs.
@compute @workgroup_size(64)
fn image_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number >= params.count {
        return;
    }
    let size = vec2<i32>(vec2<u32>(params.height, params.width));
    let here = vec2<i32>(vec2<u32>(number / params.width, number % params.width));
    // The pixel itself, and the places before and behind each axis.
    var sum = vec3<f32>(0.0);
    for (var i = 0u; i < 3u; i++) {
        let y = select(select(size.x, -1, i == 1u), here.x, i == 0u);
        if i != 0u && pixel(y, size.x) != here.x {
            continue;
        }
        for (var j = 0u; j < 3u; j++) {
            let x = select(select(size.y, -1, j == 1u), here.y, j == 0u);
            if j == 0u || pixel(x, size.y) == here.y {
                sum += gradient_at(y, x);
            }
        }
    }
    for (var channel = 0u; channel < 3u; channel++) {
        output[number * 3u + channel] = sum[channel] * params.scale[channel];
    }
}

// Adds the gradient of a band to that of the image. Each thread adds a value.
@compute @workgroup_size(64)
fn add_values(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number < params.count {
        output[params.first + number] += source[number];
    }
}
