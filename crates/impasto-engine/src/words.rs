//! Choices that have words: a command line, a file and a report all call them by the same ones.
//!
//! A choice is declared once, by [`words!`](crate::words), together with its words. Everything else
//! follows from that declaration: printing and parsing, serde, and, behind the features `clap` and
//! `schema`, the values of a command line's option and the entry in a JSON Schema. The doc comment
//! of a variant is its help in both.

/// A word that was found in place of one that means something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("needs {expected}, not `{found}`")]
pub struct UnknownWord {
    /// The word that was found.
    pub found: String,
    /// What can be given instead: `max or avg`.
    pub expected: String,
}

impl UnknownWord {
    /// An error about `found`, which is none of `words`.
    #[doc(hidden)]
    pub fn new(found: &str, words: &[&str]) -> Self {
        let expected = match words {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        };
        Self { found: found.to_owned(), expected }
    }
}

/// Declares an enum whose variants have words, and everything that follows from the words.
///
/// A variant is written `Jpeg => "jpeg" | "jpg"`: the word that is printed, then other words that
/// are read too. The crate that uses the macro needs `serde`, and features `clap` and `schema` with
/// the dependencies `clap` and `schemars`.
#[doc(hidden)]
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident => $word:literal $(| $alias:literal)*,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {
            $(
                $(#[$variant_meta])*
                #[serde(rename = $word $(, alias = $alias)*)]
                #[cfg_attr(feature = "clap", value(name = $word $(, alias = $alias)*))]
                $variant,
            )+
        }

        impl $name {
            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
                match word {
                    $($word $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord::new(word, &[$($word),+])),
                }
            }
        }
    };
}

/// Has serde write a type as the text that it prints, and read it by parsing that text.
#[doc(hidden)]
#[macro_export]
macro_rules! as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_told_what_there_is() {
        let message = |words: &[&str]| UnknownWord::new("big", words).to_string();
        assert_eq!(message(&["max", "avg"]), "needs max or avg, not `big`");
        assert_eq!(message(&["png", "jpeg", "tiff"]), "needs png, jpeg or tiff, not `big`");
    }
}
