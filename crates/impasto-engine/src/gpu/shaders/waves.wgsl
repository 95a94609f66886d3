// An image as three planes of colours, whose sides are filled up with zeros, and what is done to
// its waves. The transforms between are products (`product.wgsl`).

struct Params {
    // Of the image.
    height: u32,
    width: u32,
    // Values of a plane's row.
    row: u32,
    // Threads that have something to do, or values of all planes.
    count: u32,
    // Sums, one for each workgroup.
    sums: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
    // The basis of colours.
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
// [H, W, 3]
@group(0) @binding(1) var<storage, read_write> image: array<f32>;
// [rows, 3, columns]
@group(0) @binding(2) var<storage, read_write> planes: array<f32>;
// As the planes.
@group(0) @binding(3) var<storage, read> gains: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial_sums: array<f32>;

// The image in the basis of colours. Each thread makes a pixel.
@compute @workgroup_size(64)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number >= params.count {
        return;
    }
    let pixel = vec3<f32>(image[3u * number], image[3u * number + 1u], image[3u * number + 2u]);
    let at = (number / params.width) * 3u * params.row + number % params.width;
    planes[at] = dot(params.first.xyz, pixel);
    planes[at + params.row] = dot(params.second.xyz, pixel);
    planes[at + 2u * params.row] = dot(params.third.xyz, pixel);
}

// The other way.
@compute @workgroup_size(64)
fn unpack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number >= params.count {
        return;
    }
    let at = (number / params.width) * 3u * params.row + number % params.width;
    let pixel = planes[at] * params.first.xyz
        + planes[at + params.row] * params.second.xyz
        + planes[at + 2u * params.row] * params.third.xyz;
    image[3u * number] = pixel.x;
    image[3u * number + 1u] = pixel.y;
    image[3u * number + 2u] = pixel.z;
}

// planes *= gains
@compute @workgroup_size(64)
fn gain(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (group.y * groups.x + group.x) * 64u + thread;
    if number < params.count {
        planes[number] *= gains[number];
    }
}

// sum gains · planes²
@compute @workgroup_size(64)
fn square(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 16u; i++) {
        let at = number * 1024u + i * 64u + thread;
        if at < params.count {
            sum = fma(gains[at] * planes[at], planes[at], sum);
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}
