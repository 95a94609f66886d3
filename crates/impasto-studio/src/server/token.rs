//! The token, and the hosts that a studio answers for.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The token of a studio. It is compared in constant time.
#[derive(Clone)]
pub struct Token {
    text: String,
    digest: [u8; 32],
}

impl Token {
    /// A new random token of 244 bits.
    pub fn random() -> Token {
        let [a, b] = [(); 2].map(|()| uuid::Uuid::new_v4().simple().to_string());
        Token::of(&format!("{a}{b}"))
    }

    /// This token.
    pub fn of(text: &str) -> Token {
        Token { text: text.to_owned(), digest: Sha256::digest(text).into() }
    }

    /// The token itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether that is it.
    pub(super) fn is(&self, text: &str) -> bool {
        // Digests have one length, whatever was given.
        let digest: [u8; 32] = Sha256::digest(text).into();
        digest.ct_eq(&self.digest).into()
    }
}

/// Which hosts the studio answers for.
#[derive(Clone, Debug)]
pub enum Hosts {
    /// This machine by its own names.
    Loopback,
    /// These names too.
    Named(Vec<String>),
    /// Any: it listens to others, and nobody said under which name.
    Any,
}

impl Hosts {
    /// Whether a `Host` header names one of them. The port does not matter.
    pub(super) fn allow(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "::1");
        match self {
            Hosts::Loopback => is_loopback,
            Hosts::Named(names) => is_loopback || names.iter().any(|other| other.eq_ignore_ascii_case(name)),
            Hosts::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        for host in ["localhost:8080", "127.0.0.1:80", "[::1]:8080", "localhost", "[::1]"] {
            assert!(Hosts::Loopback.allow(host), "{host}");
        }
        for host in ["example.org", "127.0.0.1.example.org:80", "localhost.example.org", "", "[::2]:80"] {
            assert!(!Hosts::Loopback.allow(host), "{host}");
        }
        assert!(Hosts::Named(vec!["Studio.lan".to_owned()]).allow("studio.LAN:8080"));
    }
}
