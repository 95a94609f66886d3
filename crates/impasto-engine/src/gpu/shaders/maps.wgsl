// What happens to maps between the convolutions: rectifiers, their masks, and poolings.

override CHANNELS: u32;
// Whether a pooling takes the mean of a window. Otherwise it takes the maximum.
override AVERAGES: bool;

struct Params {
    // Of the larger map.
    height: u32,
    width: u32,
    // Threads that have something to do.
    count: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// One bit a value of a rectified map: whether it is above 0. Or two bits a value of a pooled map:
// which of the window's values it is.
@group(0) @binding(2) var<storage, read_write> bits: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

fn number(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
    return (group.y * groups.x + group.x) * 64u + thread;
}

// The rectified map of a map.
@compute @workgroup_size(64)
fn rectify(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = number(group, groups, thread);
    if quad < params.count {
        output[quad] = max(source[quad], vec4<f32>(0.0));
    }
}

// The mask of a rectified map. Each thread makes the bits of 32 channels.
@compute @workgroup_size(64)
fn make_mask(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let word = number(group, groups, thread);
    if word >= params.count {
        return;
    }
    var mask = 0u;
    for (var i = 0u; i < 8u; i++) {
        let positive = source[word * 8u + i] > vec4<f32>(0.0);
        let four = dot(select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), positive), vec4<u32>(1u));
        mask |= four << (4u * i);
    }
    bits[word] = mask;
}

// Puts 0 where a rectifier let nothing through.
@compute @workgroup_size(64)
fn apply_mask(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = number(group, groups, thread);
    if quad >= params.count {
        return;
    }
    let four = vec4<u32>(bits[quad / 8u] >> (4u * (quad % 8u)));
    let passes = (four & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u);
    output[quad] = select(vec4<f32>(0.0), output[quad], passes);
}

// Halves a map. Each thread makes 16 channels. Of equal values, the first of a window is taken.
@compute @workgroup_size(64)
fn pool(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let word = number(group, groups, thread);
    if word >= params.count {
        return;
    }
    let quads = CHANNELS / 4u;
    let position = word / (CHANNELS / 16u);
    let columns = params.width / 2u;
    let corner = (position / columns) * 2u * params.width + (position % columns) * 2u;
    var choice = 0u;
    for (var i = 0u; i < 4u; i++) {
        let quad = word % (CHANNELS / 16u) * 4u + i;
        let a = source[corner * quads + quad];
        let b = source[(corner + 1u) * quads + quad];
        let c = source[(corner + params.width) * quads + quad];
        let d = source[(corner + params.width + 1u) * quads + quad];
        if AVERAGES {
            output[word * 4u + i] = 0.25 * ((a + b) + (c + d));
        } else {
            var best = a;
            var which = vec4<u32>(0u);
            which = select(which, vec4<u32>(1u), b > best);
            best = max(best, b);
            which = select(which, vec4<u32>(2u), c > best);
            best = max(best, c);
            which = select(which, vec4<u32>(3u), d > best);
            best = max(best, d);
            output[word * 4u + i] = best;
            choice |= dot(which << vec4<u32>(0u, 2u, 4u, 6u), vec4<u32>(1u)) << (8u * i);
        }
    }
    if !AVERAGES {
        bits[word] = choice;
    }
}

// The gradient of a map from that of its half. A last odd row or column has none.
@compute @workgroup_size(64)
fn unpool(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let value = number(group, groups, thread);
    if value >= params.count {
        return;
    }
    let quads = CHANNELS / 4u;
    let position = value / quads;
    let quad = value % quads;
    let row = position / params.width;
    let column = position % params.width;
    let rows = params.height / 2u;
    let columns = params.width / 2u;
    if row / 2u >= rows || column / 2u >= columns {
        output[value] = vec4<f32>(0.0);
        return;
    }
    let half_at = ((row / 2u) * columns + column / 2u) * quads + quad;
    if AVERAGES {
        output[value] = 0.25 * source[half_at];
        return;
    }
    let choice = (vec4<u32>(bits[half_at / 4u] >> (8u * (half_at % 4u))) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
    let here = vec4<u32>((row % 2u) * 2u + column % 2u);
    output[value] = select(vec4<f32>(0.0), source[half_at], choice == here);
}
