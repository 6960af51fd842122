//! The best rates that WGSL of our own reaches: of a matrix product, in several forms, and of a copy.

use std::error::Error;
use std::time::{Duration, Instant};

use half::f16;
use webreid::graph::frozen::GpuDevice;
use wgpu::util::DeviceExt;
use wgpu::{BufferUsages, PollType};

use crate::networks::devices;
use crate::report::{Peak, Row};
use crate::section::Context;

/// Rows, columns and depth of the product, a multiple of every form.
const SIZE: usize = 2048;
const QUICK_SIZE: usize = 512;
/// Bytes of each of the two buffers of a copy.
const BYTES: u64 = 256 << 20;
const QUICK_BYTES: u64 = 16 << 20;
/// How long one measurement takes, and how many there are.
const MEASURE: Duration = Duration::from_millis(60);
const TIMES: usize = 3;
/// What a GPU is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a product is cut up: rows and `vec4`s of columns of a thread, threads along both, with how much depth of both factors
/// in workgroup memory (0: both are read from where they are), and how many `vec4`s of depth are summed in f16, where it is f16,
/// before they are added in f32.
#[derive(Clone, Copy)]
struct Form {
    rows: usize,
    columns: usize,
    threads: [usize; 2],
    depth: usize,
    half_sums: usize,
}

const fn form(rows: usize, columns: usize, threads: [usize; 2], depth: usize) -> Form {
    Form { rows, columns, threads, depth, half_sums: 1 }
}

/// The same in f16 alone.
const fn half_form(rows: usize, columns: usize, threads: [usize; 2], depth: usize, half_sums: usize) -> Form {
    Form { rows, columns, threads, depth, half_sums }
}

/// The first are those of the browser's bench (`www/src/bench/gpu/product.ts`).
const FORMS: [Form; 30] = [
    form(1, 1, [8, 8], 0),
    form(4, 1, [8, 8], 0),
    form(8, 1, [8, 8], 0),
    form(4, 2, [8, 8], 0),
    form(8, 2, [8, 8], 0),
    form(8, 2, [64, 1], 0),
    form(8, 2, [16, 4], 0),
    form(8, 4, [8, 8], 0),
    form(16, 2, [4, 8], 0),
    form(4, 1, [16, 16], 16),
    form(4, 1, [16, 16], 32),
    form(8, 1, [16, 16], 16),
    form(8, 2, [16, 16], 8),
    form(8, 2, [16, 16], 16),
    form(8, 2, [8, 8], 16),
    form(4, 2, [8, 8], 16),
    form(4, 2, [16, 16], 16),
    form(8, 2, [16, 8], 16),
    form(8, 2, [8, 16], 16),
    form(8, 2, [8, 8], 32),
    form(8, 4, [8, 8], 8),
    form(4, 4, [16, 8], 16),
    half_form(8, 2, [8, 8], 0, 2),
    half_form(8, 2, [8, 8], 0, 4),
    half_form(8, 2, [8, 8], 16, 2),
    half_form(8, 2, [8, 8], 16, 4),
    half_form(8, 2, [8, 8], 32, 8),
    half_form(8, 2, [16, 16], 16, 2),
    half_form(8, 2, [16, 16], 16, 4),
    half_form(8, 4, [8, 8], 16, 4),
];

pub fn run(context: &Context) -> Result<(), Box<dyn Error>> {
    for (precision, gpu) in devices(context)? {
        if precision == "f32" {
            context.tell(Row::Peak(copy(context, &gpu)?));
        }
        for form in FORMS.iter().filter(|form| form.half_sums == 1 || gpu.is_half()) {
            let name = form.name();
            if context.cuts(|| format!("the product in {precision} of {name}, and what comes after it")) {
                return Ok(());
            }
            match product(context, &gpu, *form) {
                Ok((rate, right)) => context.tell(Row::Peak(Peak {
                    what: "product".to_owned(),
                    precision: precision.to_owned(),
                    how: name,
                    rate,
                    right,
                })),
                Err(error) => context.tell(Row::Note(format!("the product in {precision} of {name}: {error}"))),
            }
        }
    }
    Ok(())
}

fn copy(context: &Context, gpu: &GpuDevice) -> Result<Peak, String> {
    let (device, _) = gpu.wgpu();
    let limits = device.limits();
    let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    let bytes = if context.quick { QUICK_BYTES } else { BYTES };
    let bytes = bytes.min(1 << most.ilog2());
    // 4 vec4s of a thread.
    let groups = (bytes / 16 / 256 / 4) as u32;
    let wgsl = "
@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group.x + group.y * groups.x) * 1024u + lane;
    for (var i = 0u; i < 4u; i++) {
        b[first + i * 256u] = a[first + i * 256u];
    }
}";
    let make = |usage| {
        let usage = usage | BufferUsages::STORAGE;
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false })
    };
    let (from, to) = (make(BufferUsages::COPY_DST), make(BufferUsages::COPY_SRC));
    let last: [u8; 4] = [1, 2, 3, 4];
    gpu.wgpu().1.write_buffer(&from, bytes - 4, &last);
    let launch = Launch::new(gpu, wgsl, &[&from, &to], [groups.min(32_768), groups.div_ceil(32_768)]);
    let seconds = launch.seconds(gpu)?;
    let right = read(gpu, &to, bytes - 4, 4)? == last;
    let how = format!("{} MiB", bytes >> 20);
    Ok(Peak { what: "copy".to_owned(), precision: "f32".to_owned(), how, rate: 2.0 * bytes as f64 / seconds, right })
}

/// Whole numbers, so small that sums of their products have no rounding.
fn factor(row: usize, column: usize) -> f32 {
    ((row * 7 + column * 3) % 5) as f32 - 2.0
}

/// Its FLOP/s, and whether it is right where it is looked at.
fn product(context: &Context, gpu: &GpuDevice, form: Form) -> Result<(f64, bool), String> {
    let size = if context.quick { QUICK_SIZE } else { SIZE };
    let (device, _) = gpu.wgpu();
    let values: Vec<f32> = (0..size * size).map(|i| factor(i / size, i % size)).collect();
    let bytes: Vec<u8> = if gpu.is_half() {
        values.iter().flat_map(|&value| f16::from_f32(value).to_ne_bytes()).collect()
    } else {
        bytemuck::cast_slice(&values).to_vec()
    };
    let make = |usage| {
        let descriptor = wgpu::util::BufferInitDescriptor { label: None, contents: &bytes, usage };
        device.create_buffer_init(&descriptor)
    };
    let [a, b] = [0, 1].map(|_| make(BufferUsages::STORAGE));
    let c = make(BufferUsages::STORAGE | BufferUsages::COPY_SRC);
    let [down, across] = form.threads;
    let groups = [size / (4 * form.columns * across), size / (form.rows * down)].map(|groups| groups as u32);
    let launch = Launch::new(gpu, &form.wgsl(size, gpu.is_half()), &[&a, &b, &c], groups);
    let seconds = launch.seconds(gpu)?;
    let length = bytes.len() / values.len();
    let is_right = |place: usize| -> Result<bool, String> {
        let (row, column) = (place / size, place % size);
        let expected: f32 = (0..size).map(|k| factor(row, k) * factor(k, column)).sum();
        let expected = if gpu.is_half() { f16::from_f32(expected).to_f32() } else { expected };
        // Both at once: what is read is 4 bytes at the least.
        let first = place & !1;
        let found = read(gpu, &c, (first * length) as u64, 2 * length as u64)?;
        let found = &found[(place - first) * length..][..length];
        let found = match *found {
            [a, b] => f16::from_ne_bytes([a, b]).to_f32(),
            [a, b, c, d] => f32::from_ne_bytes([a, b, c, d]),
            _ => f32::NAN,
        };
        Ok(found == expected)
    };
    let mut right = true;
    for place in [0, 1, size + 5, size * size / 2 + 77, size * size - 1] {
        right &= is_right(place)?;
    }
    Ok((2.0 * (size as f64).powi(3) / seconds, right))
}

impl Form {
    fn name(self) -> String {
        let Self { rows, columns, threads: [down, across], depth, half_sums } = self;
        let memory = if depth > 0 { format!(", {depth} deep in workgroup memory") } else { String::new() };
        let sums = if half_sums > 1 { format!(", {} summed in f16", 4 * half_sums) } else { String::new() };
        format!("{rows}×{columns} by {down}×{across}{memory}{sums}")
    }

    /// `c = a · b`, all in rows of `vec4`s; everything is a multiple of the form.
    fn wgsl(self, size: usize, half: bool) -> String {
        let Self { rows, columns, threads: [down, across], depth, half_sums } = self;
        let real = if half { "f16" } else { "f32" };
        let vecs = size / 4;
        let mut s = if half { "enable f16;\n".to_owned() } else { String::new() };
        let mut line = |text: String| {
            s.push_str(&text);
            s.push('\n');
        };
        for (binding, access, name) in [(0, "read", "a"), (1, "read", "b"), (2, "read_write", "c")] {
            line(format!("@group(0) @binding({binding}) var<storage, {access}> {name}: array<vec4<{real}>>;"));
        }
        let threads = down * across;
        // vec4s of both factors in workgroup memory.
        let (a_vecs, b_vecs) = (rows * down * depth / 4, depth * columns * across);
        if depth > 0 {
            line(format!("var<workgroup> a_part: array<vec4<{real}>, {a_vecs}>;"));
            line(format!("var<workgroup> b_part: array<vec4<{real}>, {b_vecs}>;"));
        }
        line(format!("@compute @workgroup_size({threads})"));
        line(
            "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {".to_owned(),
        );
        // Neighbours take neighbouring columns where both are in workgroup memory, and neighbouring rows where they are not.
        let (my_row, my_column) = if depth > 0 {
            (format!("lane / {across}u"), format!("lane % {across}u"))
        } else {
            (format!("lane % {down}u"), format!("lane / {down}u"))
        };
        line(format!("let my_row = {my_row}; let my_column = {my_column};"));
        line(format!(
            "let first_row = group.y * {}u; let first_column = group.x * {}u;",
            rows * down,
            columns * across
        ));
        for (r, k) in pairs(rows, columns) {
            line(format!("var sum_{r}_{k} = vec4<f32>();"));
        }
        let step = if depth > 0 { depth / 4 } else { half_sums };
        line(format!("for (var i = 0u; i < {vecs}u; i += {step}u) {{"));
        if depth > 0 {
            line("workgroupBarrier();".to_owned());
            line(format!("for (var at = lane; at < {a_vecs}u; at += {threads}u) {{"));
            line(format!("a_part[at] = a[(first_row + at / {step}u) * {vecs}u + i + at % {step}u]; }}"));
            let width = columns * across;
            line(format!("for (var at = lane; at < {b_vecs}u; at += {threads}u) {{"));
            line(format!("b_part[at] = b[(i * 4u + at / {width}u) * {vecs}u + first_column + at % {width}u]; }}"));
            line("workgroupBarrier();".to_owned());
            line(format!("for (var j = 0u; j < {step}u; j += {half_sums}u) {{"));
        }
        for (r, k) in pairs(rows, columns).filter(|_| half) {
            line(format!("var p_{r}_{k} = vec4<f16>();"));
        }
        for n in 0..half_sums {
            line("{".to_owned());
            for r in 0..rows {
                line(if depth > 0 {
                    format!("let a_{r} = a_part[(my_row + {}u) * {step}u + j + {n}u];", r * down)
                } else {
                    format!("let a_{r} = a[(first_row + my_row * {rows}u + {r}u) * {vecs}u + i + {n}u];")
                });
            }
            for (d, k) in pairs(4, columns) {
                line(if depth > 0 {
                    let width = columns * across;
                    let row = format!("(j + {n}u) * 4u + {d}u");
                    format!("let b_{d}_{k} = b_part[({row}) * {width}u + my_column + {}u];", k * across)
                } else {
                    let row = format!("(i + {n}u) * 4u + {d}u");
                    format!("let b_{d}_{k} = b[({row}) * {vecs}u + first_column + my_column * {columns}u + {k}u];")
                });
            }
            let (sum, real) = if half { ("p", "f16") } else { ("sum", "f32") };
            for (d, (r, k)) in (0..4).flat_map(|d| pairs(rows, columns).map(move |pair| (d, pair))) {
                line(format!("{sum}_{r}_{k} = fma(vec4<{real}>(a_{r}[{d}]), b_{d}_{k}, {sum}_{r}_{k});"));
            }
            line("}".to_owned());
        }
        // As our kernels do it.
        for (r, k) in pairs(rows, columns).filter(|_| half) {
            line(format!("sum_{r}_{k} += vec4<f32>(p_{r}_{k});"));
        }
        if depth > 0 {
            line("}".to_owned());
        }
        line("}".to_owned());
        for (r, k) in pairs(rows, columns) {
            let (row, column) = if depth > 0 {
                (format!("my_row + {}u", r * down), format!("my_column + {}u", k * across))
            } else {
                (format!("my_row * {rows}u + {r}u"), format!("my_column * {columns}u + {k}u"))
            };
            line(format!("c[(first_row + {row}) * {vecs}u + first_column + {column}] = vec4<{real}>(sum_{r}_{k});"));
        }
        line("}".to_owned());
        s
    }
}

fn pairs(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..a).flat_map(move |a| (0..b).map(move |b| (a, b)))
}

/// A shader with what it binds.
struct Launch {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    groups: [u32; 2],
    refused: Option<String>,
}

impl Launch {
    fn new(gpu: &GpuDevice, wgsl: &str, buffers: &[&wgpu::Buffer], groups: [u32; 2]) -> Self {
        let (device, _) = gpu.wgpu();
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let source = wgpu::ShaderSource::Wgsl(wgsl.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let entries: Vec<_> = buffers
            .iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = &pipeline.get_bind_group_layout(0);
        let bind_group =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        let refused = pollster::block_on(scope.pop()).map(|error| error.to_string());
        Self { pipeline, bind_group, groups, refused }
    }

    /// Of one launch, at best.
    fn seconds(&self, gpu: &GpuDevice) -> Result<f64, String> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        // The first compiles, and the second tells how many make a measurement.
        self.time(gpu, 1)?;
        let once = self.time(gpu, 1)?;
        let count = (MEASURE.as_secs_f64() / once.max(1e-6)).clamp(1.0, 1000.0) as usize;
        let mut best = f64::INFINITY;
        for _ in 0..TIMES {
            best = best.min(self.time(gpu, count)? / count as f64);
        }
        Ok(best)
    }

    fn time(&self, gpu: &GpuDevice, count: usize) -> Result<f64, String> {
        let (device, queue) = gpu.wgpu();
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bind_group, &[]);
            for _ in 0..count {
                pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
            }
        }
        let commands = encoder.finish();
        let start = Instant::now();
        queue.submit([commands]);
        wait(gpu)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

fn wait(gpu: &GpuDevice) -> Result<(), String> {
    let all = PollType::Wait { submission_index: None, timeout: Some(PATIENCE) };
    gpu.wgpu().0.poll(all).map(drop).map_err(|error| error.to_string())
}

fn read(gpu: &GpuDevice, buffer: &wgpu::Buffer, first: u64, size: u64) -> Result<Vec<u8>, String> {
    let (device, queue) = gpu.wgpu();
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let readback =
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(buffer, first, &readback, 0, size);
    queue.submit([encoder.finish()]);
    readback.map_async(wgpu::MapMode::Read, .., |_| {});
    wait(gpu)?;
    let bytes = readback.get_mapped_range(..).map_err(|error| error.to_string())?.to_vec();
    Ok(bytes)
}
