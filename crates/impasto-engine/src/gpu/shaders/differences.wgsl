// Differences of a map from the reference, or from the matches of its positions in a style.

override CHANNELS: u32;
// What is subtracted. 0: nothing. 1: the same position of the reference. 2: the match.
override TARGET: u32;
// Whether the positions have weights. Otherwise each counts 1.
override WEIGHTED: bool;

struct Params {
    // Values that count, four at a time.
    quads: u32,
    // Where they begin in the map, four at a time.
    first_quad: u32,
    // Number of their first position among the weights and the matches.
    first_position: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// [H, W, C]
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
// The reference, of the values that count, or the candidates [n, C].
@group(0) @binding(2) var<storage, read> targets: array<vec4<f32>>;
// Number of the candidate for each position.
@group(0) @binding(3) var<storage, read> matches: array<u32>;
// [H, W]
@group(0) @binding(4) var<storage, read> weights: array<f32>;
// Of `squares`: a sum for each workgroup. Of `add_gradient`: the gradient, [H, W, C].
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;
// Of `add_gradient`: the factor of the term.
@group(0) @binding(6) var<storage, read> factor: array<f32>;

fn difference(quad: u32) -> vec4<f32> {
    let value = source[params.first_quad + quad];
    if TARGET == 0u {
        return value;
    }
    if TARGET == 1u {
        return value - targets[quad];
    }
    let position = params.first_position + quad / (CHANNELS / 4u);
    return value - targets[matches[position] * (CHANNELS / 4u) + quad % (CHANNELS / 4u)];
}

fn weight(quad: u32) -> f32 {
    if WEIGHTED {
        return weights[params.first_position + quad / (CHANNELS / 4u)];
    }
    return 1.0;
}

// sum w |difference|^2 of 1,024 values for each workgroup, which writes it to a value of its own, in
// the first lane.
@compute @workgroup_size(64)
fn squares(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let d = difference(quad);
            sum = fma(weight(quad), dot(d, d), sum);
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number * 256u < params.quads {
        output[number] = vec4<f32>(total.x, 0.0, 0.0, 0.0);
    }
}

// gradient += w factor difference
@compute @workgroup_size(64)
fn add_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = (group.y * groups.x + group.x) * 64u + thread;
    if quad < params.quads {
        output[params.first_quad + quad] += weight(quad) * factor[0] * difference(quad);
    }
}
