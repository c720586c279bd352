//! The loops over samples, written once and compiled for each instruction set that is worth it. Must not know what the
//! samples mean.
//!
//! A kernel is a plain loop; the compiler vectorises it as wide as the function allows that it is inlined into, and for
//! that there is one function for each instruction set. The plain text is the specification: no path rounds
//! differently (nothing here contracts a multiplication and an addition), and reductions go through the same 32 lanes
//! everywhere, so that all paths agree bit for bit.
#![expect(unsafe_code, reason = "a function for an instruction set may be called only where the CPU has it")]

/// Independent lanes let the compiler vectorise a reduction, which it may not reorder by itself; two registers of the
/// widest instruction set hide the latency of an addition.
const LANES: usize = 32;

/// The instruction set that kernels use. Can be had only for what the CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path(Isa);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    /// What every CPU of the architecture has.
    Baseline,
    /// No wider than the baseline of the targets that we know, which have it.
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Path {
    /// The widest that the CPU has. Cheap enough to ask each time: std remembers what the CPU said.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            return Self(Isa::Avx512);
        } else if is_x86_feature_detected!("avx2") {
            return Self(Isa::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(Isa::Neon);
        }
        Self(Isa::Baseline)
    }

    /// All that the CPU has, the narrowest first.
    pub fn available() -> Vec<Self> {
        let mut paths = vec![Self(Isa::Baseline)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            paths.push(Self(Isa::Avx2));
        }
        if !paths.contains(&Self::best()) {
            paths.push(Self::best());
        }
        paths
    }

    /// `out = a + b`.
    pub fn add(self, out: &mut [f32], a: &[f32], b: &[f32]) {
        self.run(Add { out, a, b });
    }

    /// `out = pcm * gain`.
    pub fn scale(self, out: &mut [f32], pcm: &[f32], gain: f32) {
        self.run(Scale { out, pcm, gain });
    }

    /// `pcm *= gain`.
    pub fn amplify(self, pcm: &mut [f32], gain: f32) {
        self.run(Amplify { pcm, gain });
    }

    /// Mono to interleaved stereo, with an amplitude for each side.
    pub fn pan(self, out: &mut [f32], pcm: &[f32], left: f32, right: f32) {
        self.run(Pan { out, pcm, left, right });
    }

    /// The sum of squares.
    pub fn energy(self, pcm: &[f32]) -> f32 {
        self.run(Energy { pcm })
    }

    /// The largest magnitude.
    pub fn peak(self, pcm: &[f32]) -> f32 {
        self.run(Peak { pcm })
    }

    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Isa::Baseline => kernel.run(),
            #[cfg(target_arch = "aarch64")]
            // SAFETY: a path for NEON exists only where the CPU has it.
            Isa::Neon => unsafe { neon(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a path for AVX2 exists only where the CPU has it.
            Isa::Avx2 => unsafe { avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a path for AVX-512 exists only where the CPU has both parts of it.
            Isa::Avx512 => unsafe { avx512(kernel) },
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Isa::Baseline => "baseline",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
        })
    }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// One loop. Its `run` must be `#[inline(always)]`, or every path is the baseline.
trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

struct Add<'a> {
    out: &'a mut [f32],
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, a), b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *out = a + b;
        }
    }
}

struct Scale<'a> {
    out: &'a mut [f32],
    pcm: &'a [f32],
    gain: f32,
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, sample) in self.out.iter_mut().zip(self.pcm) {
            *out = sample * self.gain;
        }
    }
}

struct Amplify<'a> {
    pcm: &'a mut [f32],
    gain: f32,
}

impl Kernel for Amplify<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for sample in self.pcm {
            *sample *= self.gain;
        }
    }
}

struct Pan<'a> {
    out: &'a mut [f32],
    pcm: &'a [f32],
    left: f32,
    right: f32,
}

impl Kernel for Pan<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (pairs, _) = self.out.as_chunks_mut::<2>();
        for (pair, sample) in pairs.iter_mut().zip(self.pcm) {
            *pair = [sample * self.left, sample * self.right];
        }
    }
}

struct Energy<'a> {
    pcm: &'a [f32],
}

impl Kernel for Energy<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        reduce(self.pcm, |sum, sample| sum + sample * sample, |a, b| a + b)
    }
}

struct Peak<'a> {
    pcm: &'a [f32],
}

impl Kernel for Peak<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        // Not `f32::max`, which pays for what it does with NaN.
        let max = |a: f32, b: f32| if b > a { b } else { a };
        reduce(self.pcm, |peak, sample| max(peak, sample.abs()), max)
    }
}

/// Sample i goes into lane i modulo [`LANES`]; then the upper half of the lanes joins the lower until one is left.
#[inline(always)]
fn reduce(pcm: &[f32], step: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = pcm.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &sample) in lanes.iter_mut().zip(chunk) {
            *lane = step(*lane, sample);
        }
    }
    for (lane, &sample) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, sample);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}
