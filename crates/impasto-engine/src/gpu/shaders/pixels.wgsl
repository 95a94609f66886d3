// The terms that concern pixels alone: total variation, and the part of a picture that stays.

// Whether the image continues at its opposite side.
override WRAPS: bool;
// Whether a part of the picture stays.
override KEEPS: bool;

struct Params {
    height: u32,
    width: u32,
    // Factor of the differences from the neighbours.
    variation: f32,
    // Sums, one for each workgroup.
    sums: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Of `compose`: what is painted, [H, W, 3].
@group(0) @binding(1) var<storage, read> point: array<f32>;
// [H, W, 3]
@group(0) @binding(2) var<storage, read_write> image: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
// [H, W, 3], and how much of it stays, [H, W].
@group(0) @binding(4) var<storage, read> content: array<f32>;
@group(0) @binding(5) var<storage, read> keep: array<f32>;
@group(0) @binding(6) var<storage, read_write> partial_sums: array<f32>;

// image = keep · content + (1 - keep) · point
@compute @workgroup_size(64)
fn compose(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number < 3u * params.height * params.width {
        let stays = keep[number / 3u];
        image[number] = fma(stays, content[number], (1.0 - stays) * point[number]);
    }
}

// The value `by` pixels further along an axis of `len` pixels, or this one beyond the border.
fn neighbour(number: u32, at: u32, len: u32, by: i32, step: u32) -> f32 {
    var there = i32(at) + by;
    if WRAPS {
        there = (there + i32(len)) % i32(len);
    } else {
        there = clamp(there, 0, i32(len) - 1);
    }
    return image[i32(number) + (there - i32(at)) * i32(step)];
}

// Adds the gradient of the total variation, and leaves the gradient of what is painted. The sums
// are of the squared differences from the pixels to the right and below.
@compute @workgroup_size(64)
fn add_terms(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group_number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 16u; i++) {
        let number = group_number * 1024u + i * 64u + thread;
        if number < 3u * params.height * params.width {
            let row = number / (3u * params.width);
            let column = (number / 3u) % params.width;
            let x = image[number];
            let right = neighbour(number, column, params.width, 1, 3u) - x;
            let below = neighbour(number, row, params.height, 1, 3u * params.width) - x;
            let left = x - neighbour(number, column, params.width, -1, 3u);
            let above = x - neighbour(number, row, params.height, -1, 3u * params.width);
            sum += right * right + below * below;
            var value = fma(params.variation, (above - below) + (left - right), gradient[number]);
            if KEEPS {
                value *= 1.0 - keep[number / 3u];
            }
            gradient[number] = value;
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && group_number < params.sums {
        partial_sums[group_number] = total.x;
    }
}
