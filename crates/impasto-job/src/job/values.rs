//! Values that a job is made of: numbers with a range, sizes, rectangles.
//!
//! Every type here reads text (a command line) and JSON or TOML (a file, a request) by the same
//! rule, writes what it reads, and states the rule in its JSON Schema. The rule is written once.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use impasto::picture;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Error, Result};

/// Declares a number with a range: what it needs in words, whether a value is in the range, and the
/// range as JSON Schema.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $needs:literal, |$value:ident| $is_in_range:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name($inner);

        impl $name {
            /// What a value has to be, in words.
            pub const NEEDS: &'static str = $needs;

            /// The number.
            pub const fn get(self) -> $inner {
                self.0
            }

            /// The number, if it is in the range.
            pub fn new($value: $inner) -> Option<$name> {
                $is_in_range.then_some($name($value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> std::result::Result<$name, String> {
                // A list may have spaces after its commas.
                text.trim().parse().ok().and_then($name::new).ok_or_else(|| format!("needs {}", $needs))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                // A whole number is written as one: 70, not 70.0.
                match self.to_string().parse::<u64>() {
                    Ok(whole) => serializer.serialize_u64(whole),
                    Err(_) => self.0.serialize(serializer),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<$name, D::Error> {
                struct Number;

                impl Visitor<'_> for Number {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($needs)
                    }

                    fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<$name, E> {
                        let number = value.to_string().parse();
                        number.map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
                    }

                    fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<$name, E> {
                        let number = value.to_string().parse();
                        number.map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
                    }

                    fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<$name, E> {
                        let number = value.to_string().parse();
                        number.map_err(|_| E::invalid_value(Unexpected::Float(value), &self))
                    }
                }

                deserializer.deserialize_any(Number)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }

            fn inline_schema() -> bool {
                true
            }
        }
    };
}

number! {
    /// A number of things: steps, pixels, threads.
    Count(usize), "a whole number of at least 1", |value| value >= 1, { "type": "integer", "minimum": 1 }
}

number! {
    /// A weight of a loss.
    Weight(f64), "a finite number of at least 0", |value| value.is_finite() && value >= 0.0,
    { "type": "number", "minimum": 0 }
}

number! {
    /// A multiple of a length.
    Factor(f64), "a finite number above 0", |value| value.is_finite() && value > 0.0,
    { "type": "number", "exclusiveMinimum": 0 }
}

number! {
    /// How far the picture goes from the photo to the style.
    Strength(f64), "a number from 0 to 100", |value| (0.0..=100.0).contains(&value),
    { "type": "number", "minimum": 0, "maximum": 100 }
}

number! {
    /// How broad the strokes are.
    Brush(f64), "a number from 0 to 100", |value| (0.0..=100.0).contains(&value),
    { "type": "number", "minimum": 0, "maximum": 100 }
}

number! {
    /// Quality of a JPEG.
    Quality(u8), "a whole number from 1 to 100", |value| (1..=100).contains(&value),
    { "type": "integer", "minimum": 1, "maximum": 100 }
}

number! {
    /// Copies of a style picture that its statistics are averaged over.
    Rotations(usize), "1, 2, 4 or 8", |value| [1, 2, 4, 8].contains(&value),
    { "type": "integer", "enum": [1, 2, 4, 8] }
}

number! {
    /// A time in seconds.
    Seconds(f64), "a number of seconds of at least 0", |value| std::time::Duration::try_from_secs_f64(value).is_ok(),
    { "type": "number", "minimum": 0 }
}

/// Reads a value from the text that it prints as; numbers are taken as their text.
fn from_text<'de, D: Deserializer<'de>, T: FromStr>(
    deserializer: D,
    needs: &'static str,
) -> std::result::Result<T, D::Error> {
    struct Text<T>(&'static str, std::marker::PhantomData<T>);

    impl<T: FromStr> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<T, E> {
            text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<T, E> {
            value.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<T, E> {
            value.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<T, E> {
            value.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Float(value), &self))
        }
    }

    deserializer.deserialize_any(Text(needs, std::marker::PhantomData))
}

/// Seed of the noise. TOML has no integers of 64 bits without a sign, so digits in quotes are read
/// as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

const SEED_NEEDS: &str = "a whole number from 0 to 18446744073709551615";

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Seed, String> {
        text.parse().map(Seed).map_err(|_| format!("needs {SEED_NEEDS}"))
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Seed, D::Error> {
        from_text(deserializer, SEED_NEEDS)
    }
}

impl JsonSchema for Seed {
    fn schema_name() -> Cow<'static, str> {
        "Seed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": u64::MAX })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The size of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputSize {
    /// The content's own.
    Original,
    /// The longest side in px; both sides of a texture.
    Longest(usize),
    /// Width and height of a texture in px.
    Both(usize, usize),
}

const SIZE_NEEDS: &str = "a whole number of at least 1, `original`, or WIDTHxHEIGHT";

impl fmt::Display for OutputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputSize::Original => f.write_str("original"),
            OutputSize::Longest(size) => size.fmt(f),
            OutputSize::Both(width, height) => write!(f, "{width}x{height}"),
        }
    }
}

impl FromStr for OutputSize {
    type Err = String;

    /// `512`, `original` or `768x512`.
    fn from_str(text: &str) -> std::result::Result<OutputSize, String> {
        let side = |text: &str| text.parse().ok().filter(|&side: &usize| side > 0);
        let size = match text.split_once('x') {
            _ if text == "original" => Some(OutputSize::Original),
            Some((width, height)) => side(width).zip(side(height)).map(|(w, h)| OutputSize::Both(w, h)),
            None => side(text).map(OutputSize::Longest),
        };
        size.ok_or_else(|| format!("needs {SIZE_NEEDS}"))
    }
}

impl Serialize for OutputSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            OutputSize::Longest(size) => size.serialize(serializer),
            size => serializer.collect_str(size),
        }
    }
}

impl<'de> Deserialize<'de> for OutputSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<OutputSize, D::Error> {
        from_text(deserializer, SIZE_NEEDS)
    }
}

impl JsonSchema for OutputSize {
    fn schema_name() -> Cow<'static, str> {
        "OutputSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                { "type": "integer", "minimum": 1 },
                { "const": "original" },
                { "type": "string", "pattern": "^[1-9][0-9]*x[1-9][0-9]*$" }
            ]
        })
    }
}

/// A rectangle of a picture, in px of the file or in percent of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Left, upper, width, height.
    sides: [f64; 4],
    /// The numbers are percent of the picture's sides.
    percent: bool,
}

const CROP_NEEDS: &str = "four numbers of px, as in 100,50,300,200, or of percent, as in 10%,0%,50%,50%";

impl FromStr for Crop {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Crop, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let percent = parts.iter().all(|part| part.ends_with('%'));
        let number = |part: &str| -> Option<f64> {
            let digits = if percent { part.strip_suffix('%')? } else { part };
            let number: f64 = digits.parse().ok()?;
            (number.is_finite() && number >= 0.0 && (percent || number.fract() == 0.0)).then_some(number)
        };
        let sides: Option<Vec<f64>> = parts.iter().map(|part| number(part)).collect();
        match sides.as_deref() {
            Some(&[x, y, width, height]) if width > 0.0 && height > 0.0 => {
                Ok(Crop { sides: [x, y, width, height], percent })
            }
            _ => Err(format!("needs {CROP_NEEDS}")),
        }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.percent { "%" } else { "" };
        let [x, y, width, height] = self.sides;
        write!(f, "{x}{unit},{y}{unit},{width}{unit},{height}{unit}")
    }
}

impl Serialize for Crop {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Crop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Crop, D::Error> {
        from_text(deserializer, CROP_NEEDS)
    }
}

impl JsonSchema for Crop {
    fn schema_name() -> Cow<'static, str> {
        "Crop".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["100,50,300,200", "10%,0%,50%,50%"] })
    }
}

impl Crop {
    /// Left, upper, width, height in px of a picture of this size.
    ///
    /// Errors: the rectangle does not lie inside the picture.
    pub(crate) fn within(&self, path: &Path, width: usize, height: usize) -> Result<[usize; 4]> {
        let px = |i: usize, side: usize| {
            if self.percent { (self.sides[i] / 100.0 * side as f64).round() } else { self.sides[i] }
        };
        let [x, y, w, h] = [px(0, width), px(1, height), px(2, width), px(3, height)];
        if x + w > width as f64 || y + h > height as f64 || w < 1.0 || h < 1.0 {
            return Err(Error::user(format!(
                "`style-crop` {self} is not inside {}, which is {width}x{height} px; give less",
                path.display()
            )));
        }
        Ok([x, y, w, h].map(|v| v as usize))
    }
}

/// A change of weights in the course of a run, written `40:strength=70,tv-weight=0.1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjustment {
    /// Steps, over all scales, after which it is made.
    pub step: usize,
    /// The strength from there on; `None`: as before.
    pub strength: Option<Strength>,
    /// Weight of the total variation from there on; `None`: as before.
    pub tv_weight: Option<Weight>,
}

impl Adjustment {
    /// Adds adjustments that were made while a run went on to those that it began with. Each takes
    /// the place of those for later steps.
    pub fn add(adjust: &mut Option<Vec<Adjustment>>, made: impl IntoIterator<Item = Adjustment>) {
        for adjustment in made {
            let all = adjust.get_or_insert_default();
            all.retain(|other| other.step <= adjustment.step);
            all.push(adjustment);
        }
    }
}

const ADJUSTMENT_NEEDS: &str = "a step and what changes after it, as in 40:strength=70 or 40:strength=70,tv-weight=0.1";

impl FromStr for Adjustment {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Adjustment, String> {
        let needs = || format!("needs {ADJUSTMENT_NEEDS}");
        let (step, changes) = text.split_once(':').ok_or_else(needs)?;
        let step = step.trim().parse().map_err(|_| needs())?;
        let mut adjustment = Adjustment { step, strength: None, tv_weight: None };
        for change in changes.split(',') {
            let (name, value) = change.split_once('=').ok_or_else(needs)?;
            let of_value = |problem: String| format!("{}: {problem}", name.trim());
            match name.trim() {
                "strength" => adjustment.strength = Some(value.trim().parse().map_err(of_value)?),
                "tv-weight" => adjustment.tv_weight = Some(value.trim().parse().map_err(of_value)?),
                _ => return Err(needs()),
            }
        }
        Ok(adjustment)
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Adjustment { step, strength, tv_weight } = self;
        let strength = strength.map(|strength| format!("strength={}", strength.get()));
        let tv_weight = tv_weight.map(|weight| format!("tv-weight={}", weight.get()));
        let changes: Vec<String> = strength.into_iter().chain(tv_weight).collect();
        write!(f, "{step}:{}", changes.join(","))
    }
}

impl Serialize for Adjustment {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Adjustment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Adjustment, D::Error> {
        from_text(deserializer, ADJUSTMENT_NEEDS)
    }
}

impl JsonSchema for Adjustment {
    fn schema_name() -> Cow<'static, str> {
        "Adjustment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["40:strength=70", "40:strength=70,tv-weight=0.1"] })
    }
}

/// Memory in bytes, written `4GiB` or `800MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(pub u64);

const MEMORY_NEEDS: &str = "a size such as 4GiB or 800MB";

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<MemorySize, String> {
        let bytes = text.parse().ok().map(|size: bytesize::ByteSize| size.as_u64());
        bytes.filter(|&bytes| bytes > 0).map(MemorySize).ok_or_else(|| format!("needs {MEMORY_NEEDS}"))
    }
}

impl fmt::Display for MemorySize {
    /// The number of bytes: the only form that loses nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.0)
    }
}

impl Serialize for MemorySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemorySize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<MemorySize, D::Error> {
        from_text(deserializer, MEMORY_NEEDS)
    }
}

impl JsonSchema for MemorySize {
    fn schema_name() -> Cow<'static, str> {
        "MemorySize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["4GiB", "800MB"] })
    }
}

/// Refuses a texture of more pixels than a picture may have.
pub(crate) fn check_pixels(width: usize, height: usize) -> Result<()> {
    let most = picture::MAX_PIXELS;
    match (width as u64).checked_mul(height as u64) {
        Some(pixels) if pixels <= most => Ok(()),
        _ => Err(Error::field(
            "options.size",
            format!("is {width}x{height} px; give at most {} megapixels", most / 1_000_000),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_text_and_json_by_one_rule() {
        for text in ["0", "-1", "1.5", "many", ""] {
            assert_eq!(text.parse::<Count>().unwrap_err(), "needs a whole number of at least 1");
        }
        for (json, found) in
            [("0", "integer `0`"), ("-1", "integer `-1`"), ("1.5", "floating point `1.5`"), ("\"3\"", "string \"3\"")]
        {
            let error = serde_json::from_str::<Count>(json).unwrap_err().to_string();
            assert!(error.contains(found) && error.contains("a whole number of at least 1"), "{error}");
        }
        assert_eq!(serde_json::from_str::<Weight>("2").unwrap().get(), 2.0);
        assert_eq!(serde_json::from_str::<Strength>("12.5").unwrap().get(), 12.5);
        assert!("nan".parse::<Strength>().is_err() && "inf".parse::<Weight>().is_err());
        let seed: Seed = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(seed, "18446744073709551615".parse().unwrap());
        assert_eq!(seed, serde_json::from_str("\"18446744073709551615\"").unwrap());
    }

    #[test]
    fn sizes_print_what_they_read() {
        for text in ["512", "original", "768x512"] {
            let size: OutputSize = text.parse().unwrap();
            assert_eq!(size.to_string(), text);
            let json = serde_json::to_string(&size).unwrap();
            assert_eq!(serde_json::from_str::<OutputSize>(&json).unwrap(), size);
        }
        for text in ["0", "0x3", "3x", "512 mm", "512px", "-4"] {
            assert!(text.parse::<OutputSize>().is_err(), "{text}");
        }
        let memory: MemorySize = "1GiB".parse().unwrap();
        assert_eq!(memory, MemorySize(1 << 30));
        assert_eq!(memory.to_string().parse(), Ok(memory));
        assert!("4 lightyears".parse::<MemorySize>().is_err() && "0".parse::<MemorySize>().is_err());
    }

    #[test]
    fn adjustments_read_what_they_write() {
        for text in ["40:strength=70", "0:tv-weight=0.1", "7:strength=0.5,tv-weight=0"] {
            assert_eq!(text.parse::<Adjustment>().unwrap().to_string(), text);
        }
        let refused = |text: &str| text.parse::<Adjustment>().unwrap_err();
        for text in
            ["", "40", "40:", "x:strength=1", "-1:strength=1", "4:strength", "4:brush=1", "4:strength=1;tv-weight=2"]
        {
            assert!(refused(text).contains("40:strength=70") || refused(text).starts_with("strength: "), "{text}");
        }
        let adjustments = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Adjustment>>();
        let mut all = Some(adjustments(&["20:strength=1", "40:strength=2"]));
        Adjustment::add(&mut all, adjustments(&["30:strength=3", "35:strength=4"]));
        assert_eq!(all, Some(adjustments(&["20:strength=1", "30:strength=3", "35:strength=4"])));
        assert!(refused("4:strength=101").starts_with("strength: needs "), "{}", refused("4:strength=101"));
    }

    #[test]
    fn crops_are_in_px_or_percent_and_inside() {
        let crop: Crop = "2,1,3,2".parse().unwrap();
        assert_eq!(crop.within(Path::new("s.png"), 5, 3).unwrap(), [2, 1, 3, 2]);
        let message = crop.within(Path::new("s.png"), 4, 3).unwrap_err().to_string();
        assert_eq!(message, "`style-crop` 2,1,3,2 is not inside s.png, which is 4x3 px; give less");
        let percent: Crop = "10%,0%,50%,100%".parse().unwrap();
        assert_eq!(percent.within(Path::new("s.png"), 40, 30).unwrap(), [4, 0, 20, 30]);
        for text in ["", "1,2,3", "1,2,3,0", "1,2,3,-4", "1,2%,3,4", "1,2,3,4,5", "1.5,2,3,4", "a,b,c,d", "nan,0,1,1"] {
            assert!(text.parse::<Crop>().is_err(), "{text}");
        }
    }
}
