// The two-loop recursion of L-BFGS on arrays of an image's length. The factors are made on the
// card, so nothing waits for a sum.

struct Params {
    // Values of an array, four at a time.
    quads: u32,
    // Of `update`: places of the two factors among the numbers.
    first: u32,
    second: u32,
    // The pair that a sum or a factor belongs to.
    pair: u32,
    // Sums of a pair, one for each workgroup.
    sums: u32,
    // Pairs that there can be.
    pairs: u32,
    min_cosine: f32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Eight numbers: four of the host and the factor of P. Then for each pair its curvature, alpha,
// factor and norms.
@group(0) @binding(1) var<storage, read_write> numbers: array<f32>;
// Of `curvature` [pairs, sums], else [sums] or [sums, 2].
@group(0) @binding(2) var<storage, read_write> partial_sums: array<f32>;
// Four bits for four values: whether each is free.
@group(0) @binding(3) var<storage, read_write> free: array<u32>;
@group(0) @binding(4) var<storage, read_write> to: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> from_array: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> with_array: array<vec4<f32>>;

const ZERO: u32 = 0u;
const SCALE: u32 = 4u;
const FIRST_PAIR: u32 = 8u;

const LOW: f32 = 0.0;
const HIGH: f32 = 255.0;

fn curvature_at(pair: u32) -> u32 {
    return FIRST_PAIR + pair;
}

fn alpha_at(pair: u32) -> u32 {
    return FIRST_PAIR + params.pairs + pair;
}

fn factor_at(pair: u32) -> u32 {
    return FIRST_PAIR + 2u * params.pairs + pair;
}

fn norms_at(pair: u32) -> u32 {
    return FIRST_PAIR + 3u * params.pairs + pair;
}

fn only_free(value: vec4<f32>, quad: u32) -> vec4<f32> {
    let bits = vec4<u32>(free[quad]) & vec4<u32>(1u, 2u, 4u, 8u);
    return select(vec4<f32>(0.0), value, bits != vec4<u32>(0u));
}

// to = -gradient where a variable is free, else 0, with the sum of the magnitudes. `from_array` is
// the point, `with_array` the gradient.
@compute @workgroup_size(64)
fn face_downhill(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let x = from_array[quad];
            let g = with_array[quad];
            let at_low = (x <= vec4<f32>(LOW)) & (g > vec4<f32>(0.0));
            let at_high = (x >= vec4<f32>(HIGH)) & (g < vec4<f32>(0.0));
            let is_frozen = at_low | at_high;
            let bits = select(vec4<u32>(1u, 2u, 4u, 8u), vec4<u32>(0u), is_frozen);
            free[quad] = bits.x | bits.y | bits.z | bits.w;
            let down = select(-g, vec4<f32>(0.0), is_frozen);
            to[quad] = down;
            sum += dot(abs(down), vec4<f32>(1.0));
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}

// sum from · with on the free variables, for one pair.
@compute @workgroup_size(64)
fn curvature(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            sum += dot(only_free(from_array[quad], quad), with_array[quad]);
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[params.pair * params.sums + number] = total.x;
    }
}

// to = first · to + second · from on the free variables, else 0, with sum to · with.
@compute @workgroup_size(64)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            var value = vec4<f32>(0.0);
            if params.second != ZERO {
                value = numbers[params.second] * from_array[quad];
            }
            // What is there may be anything if its factor is 0.
            if params.first != ZERO {
                value = fma(vec4<f32>(numbers[params.first]), to[quad], value);
            }
            value = only_free(value, quad);
            to[quad] = value;
            sum += dot(value, with_array[quad]);
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}

// sum from² and sum with² on all variables.
@compute @workgroup_size(64)
fn squares(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sums = vec4<f32>(0.0);
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let s = from_array[quad];
            let y = with_array[quad];
            sums += vec4<f32>(dot(s, s), dot(y, y), 0.0, 0.0);
        }
    }
    let total = add_up(sums, thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[2u * number] = total.x;
        partial_sums[2u * number + 1u] = total.y;
    }
}

// Adds up every 256th sum from this thread's on. Sums are `stride` values apart.
fn own_sum(first: u32, stride: u32, thread: u32) -> f32 {
    var sum = 0.0;
    for (var i = thread; i < params.sums; i += 256u) {
        sum += partial_sums[first + stride * i];
    }
    return sum;
}

// Makes the curvature of each pair, or 0 if it is of no use. A workgroup makes one.
@compute @workgroup_size(256)
fn finish_curvatures(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let pair = group.x;
    let sum = add_up(vec4<f32>(own_sum(pair * params.sums, 1u, thread)), thread, 256u).x;
    if thread == 0u {
        let is_useful = sum > params.min_cosine * numbers[norms_at(pair)];
        numbers[curvature_at(pair)] = select(0.0, sum, is_useful);
    }
}

// Makes the norms |s| |y| of a pair.
@compute @workgroup_size(256)
fn finish_norms(@builtin(local_invocation_index) thread: u32) {
    let sums = add_up(vec4<f32>(own_sum(0u, 2u, thread), own_sum(1u, 2u, thread), 0.0, 0.0), thread, 256u);
    if thread == 0u {
        // The product of the squares could leave the range.
        numbers[norms_at(params.pair)] = sqrt(sums.x) * sqrt(sums.y);
    }
}

// On the way down: alpha = sum / curvature, and the factor of y.
@compute @workgroup_size(256)
fn finish_alpha(@builtin(local_invocation_index) thread: u32) {
    let sum = add_up(vec4<f32>(own_sum(0u, 1u, thread)), thread, 256u).x;
    if thread == 0u {
        let curvature = numbers[curvature_at(params.pair)];
        var alpha = 0.0;
        if curvature > 0.0 {
            alpha = sum / curvature;
        }
        numbers[alpha_at(params.pair)] = alpha;
        numbers[factor_at(params.pair)] = -alpha;
    }
}

// The factor of P that makes H agree with a pair: yᵀ H y = sᵀ y.
@compute @workgroup_size(256)
fn finish_scale(@builtin(local_invocation_index) thread: u32) {
    let sum = add_up(vec4<f32>(own_sum(0u, 1u, thread)), thread, 256u).x;
    if thread == 0u {
        numbers[SCALE] = numbers[curvature_at(params.pair)] / sum;
    }
}

// On the way up: the factor of s, alpha - sum / curvature.
@compute @workgroup_size(256)
fn finish_beta(@builtin(local_invocation_index) thread: u32) {
    let sum = add_up(vec4<f32>(own_sum(0u, 1u, thread)), thread, 256u).x;
    if thread == 0u {
        let curvature = numbers[curvature_at(params.pair)];
        var factor = 0.0;
        if curvature > 0.0 {
            factor = numbers[alpha_at(params.pair)] - sum / curvature;
        }
        numbers[factor_at(params.pair)] = factor;
    }
}
