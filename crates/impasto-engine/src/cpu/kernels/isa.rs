//! The instruction set that the kernels use, chosen when the program runs.

use std::fmt;

use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// Environment variable that forces an instruction set: `portable`, `avx2` or `avx512`.
const VARIABLE: &str = "IMPASTO_ISA";

/// An instruction set that this CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Isa(pub(super) Token);

/// Proves that the CPU has the instruction set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Runs an expression with the token of an [`Isa`] bound to a name.
macro_rules! dispatch {
    ($isa:expr, $s:ident => $work:expr) => {
        match $isa.0 {
            $crate::cpu::kernels::isa::Token::Portable($s) => $work,
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::kernels::isa::Token::Avx2($s) => $work,
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::kernels::isa::Token::Avx512($s) => $work,
        }
    };
}
pub(super) use dispatch;

/// The error about an instruction set that the CPU does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}={name}: this CPU has {available}; unset it to take the fastest")]
pub struct IsaError {
    /// The name that was asked for.
    pub name: String,
    /// The names that the CPU has, separated by commas.
    pub available: String,
}

impl Isa {
    /// The names of all instruction sets that this program has kernels for, slowest first.
    pub const NAMES: &[&str] =
        if cfg!(target_arch = "x86_64") { &["portable", "avx2", "avx512"] } else { &["portable"] };

    /// Returns all instruction sets that this CPU has, slowest first.
    pub fn available() -> Vec<Isa> {
        let mut tokens = vec![Token::Portable(Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            tokens.extend(Avx2::detect().map(Token::Avx2));
            tokens.extend(Avx512::detect().map(Token::Avx512));
        }
        tokens.into_iter().map(Isa).collect()
    }

    /// Returns the instruction set that `IMPASTO_ISA` names. Without that variable it is the
    /// fastest.
    ///
    /// # Errors
    /// The CPU does not have the instruction set, or none has that name.
    pub fn select() -> Result<Isa, IsaError> {
        // A name that is not Unicode is refused like any other, with its odd characters replaced.
        Self::named(std::env::var_os(VARIABLE).map(|name| name.to_string_lossy().into_owned()).as_deref())
    }

    /// Returns the instruction set of that name, or the fastest without a name.
    fn named(name: Option<&str>) -> Result<Isa, IsaError> {
        let available = Self::available();
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(available[available.len() - 1]);
        };
        let found = available.iter().find(|isa| isa.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
            IsaError { name: name.to_owned(), available: names.join(", ") }
        })
    }

    /// Names the bits that the kernels compute with the instruction set: `cpu avx512`.
    pub(crate) fn identity(self) -> &'static str {
        match self.0 {
            Token::Portable(_) => "cpu portable",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "cpu avx2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "cpu avx512",
        }
    }

    /// Returns the name that `IMPASTO_ISA` takes.
    pub fn name(self) -> &'static str {
        match self.0 {
            Token::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "avx512",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_set_is_found_by_name_or_refused() {
        for isa in Isa::available() {
            assert_eq!(Isa::named(Some(isa.name())).unwrap().name(), isa.name());
        }
        let error = Isa::named(Some("avx1024")).unwrap_err();
        assert!(error.to_string().starts_with("IMPASTO_ISA=avx1024: this CPU has portable"), "{error}");
        assert!(Isa::named(None).is_ok());
    }
}
