// How a point moves between its bounds, on arrays of an image's length.

struct Params {
    // Values of an array, four at a time.
    quads: u32,
    // Sums, one for each workgroup.
    sums: u32,
    unused: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
// Eight numbers of the host.
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
// Of `compare` four for each workgroup, else one.
@group(0) @binding(2) var<storage, read_write> partial_sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> point: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> trial: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> trial_gradient: array<vec4<f32>>;
// Of `stretch` and `go` the direction, of `accept` the change of the point.
@group(0) @binding(7) var<storage, read_write> way: array<vec4<f32>>;
// Of `accept` the change of the gradient.
@group(0) @binding(8) var<storage, read_write> change: array<vec4<f32>>;

const LENGTH: u32 = 2u;
const FACTOR: u32 = 3u;

const LOW: vec4<f32> = vec4<f32>(0.0);
const HIGH: vec4<f32> = vec4<f32>(255.0);

// way *= the factor.
@compute @workgroup_size(64)
fn stretch(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = (group.y * groups.x + group.x) * 64u + thread;
    if quad < params.quads {
        way[quad] *= numbers[FACTOR];
    }
}

// trial = clamp(point + length · way), with the sum of gradient · (trial - point).
@compute @workgroup_size(64)
fn go(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let x = point[quad];
            let d = way[quad];
            let there = clamp(fma(vec4<f32>(numbers[LENGTH]), d, x), LOW, HIGH);
            trial[quad] = there;
            // A direction that is no number has a slope that is none, wherever it was clamped to.
            sum += dot(gradient[quad], there - x) + dot(d, vec4<f32>(0.0));
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}

// Sums over the way from the point to the trial: of the squared gradient there, of s · y, and of
// the squares of both.
@compute @workgroup_size(64)
fn compare(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sums = vec4<f32>(0.0);
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let there = trial_gradient[quad];
            let s = trial[quad] - point[quad];
            let y = there - gradient[quad];
            sums += vec4<f32>(dot(there, there), dot(s, y), dot(s, s), dot(y, y));
        }
    }
    let total = add_up(sums, thread, 64u);
    if thread == 0u && number < params.sums {
        for (var i = 0u; i < 4u; i++) {
            partial_sums[4u * number + i] = total[i];
        }
    }
}

// Moves the point to the trial, and writes down the way.
@compute @workgroup_size(64)
fn accept(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = (group.y * groups.x + group.x) * 64u + thread;
    if quad < params.quads {
        let there = trial[quad];
        let slope = trial_gradient[quad];
        way[quad] = there - point[quad];
        change[quad] = slope - gradient[quad];
        point[quad] = there;
        gradient[quad] = slope;
    }
}
