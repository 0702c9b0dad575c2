//! The CPU's instruction set, detected once at run time.

use std::sync::OnceLock;

/// An instruction set that the kernels are compiled for.
///
/// A value other than the portable one only comes from [`Isa::available`] or [`Isa::best`], which return what this
/// machine supports; the kernels rely on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(super) IsaLevel);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsaLevel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// With AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Every instruction set that this machine supports, slowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)] // only x86-64 adds to it
        let mut all = vec![Self(IsaLevel::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(IsaLevel::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    all.push(Self(IsaLevel::Avx512));
                }
            }
        }
        all
    }

    /// Whether it includes AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn has_avx2(self) -> bool {
        self.0 != IsaLevel::Portable
    }

    /// The fastest of [`Isa::available`].
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            Self::available()
                .last()
                .copied()
                .unwrap_or(Self(IsaLevel::Portable))
        })
    }
}

/// Compiles one plain loop for each instruction set and chooses at run time, so that LLVM can vectorise it with the
/// widest registers. The body is ordinary safe Rust.
macro_rules! multiversion {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(isa: $crate::nn::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }

            #[cfg(target_arch = "x86_64")]
            if isa.has_avx2() {
                // SAFETY: an `Isa` is only constructed after these features were detected.
                return unsafe { avx2($($arg),*) };
            }
            // Other targets have only the portable version.
            let _ = isa;
            body($($arg),*)
        }
    };
}

pub(crate) use multiversion;
