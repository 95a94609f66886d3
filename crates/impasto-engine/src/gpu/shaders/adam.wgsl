// Adam on arrays of an image's length.

struct Params {
    // Values of an array, four at a time.
    quads: u32,
    // Sums, one for each workgroup.
    sums: u32,
    unused: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
// The parts of the two means that stay, and the length of a step.
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial_sums: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>;
// The point that walks.
@group(0) @binding(4) var<storage, read_write> walker: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> root_mean_square: array<vec4<f32>>;

const LOW: vec4<f32> = vec4<f32>(0.0);
const HIGH: vec4<f32> = vec4<f32>(255.0);

// sum gradient²
@compute @workgroup_size(64)
fn square(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var sum = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            sum += dot(gradient[quad], gradient[quad]);
        }
    }
    let total = add_up(vec4<f32>(sum), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}

// Adds the gradient to the running means.
@compute @workgroup_size(64)
fn update_means(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let quad = (group.y * groups.x + group.x) * 64u + thread;
    if quad < params.quads {
        let g = gradient[quad];
        let r = root_mean_square[quad];
        mean[quad] = fma(vec4<f32>(numbers[0]), mean[quad], (1.0 - numbers[0]) * g);
        root_mean_square[quad] = sqrt(fma(vec4<f32>(numbers[1]), r * r, (1.0 - numbers[1]) * g * g));
    }
}

// walker = clamp(walker - scale · mean / root mean square), with the number of values that changed.
@compute @workgroup_size(64)
fn walk(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.y * groups.x + group.x;
    var changed = 0.0;
    for (var i = 0u; i < 4u; i++) {
        let quad = number * 256u + i * 64u + thread;
        if quad < params.quads {
            let x = walker[quad];
            let r = root_mean_square[quad];
            // If the root is 0, so is the mean.
            let way = mean[quad] / select(vec4<f32>(1.0), r, r > vec4<f32>(0.0));
            let there = clamp(x - numbers[2] * way, LOW, HIGH);
            walker[quad] = there;
            changed += dot(select(vec4<f32>(0.0), vec4<f32>(1.0), there != x), vec4<f32>(1.0));
        }
    }
    let total = add_up(vec4<f32>(changed), thread, 64u);
    if thread == 0u && number < params.sums {
        partial_sums[number] = total.x;
    }
}
