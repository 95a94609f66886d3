//! Every choice has the words written down here, in files, on a command line and in reports.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use impasto::picture::{BitDepth, Format};
use impasto::{
    ColorMode, Layer, Objective, OptimizerKind, Order, Padding, Pooling, Preset, Scales, StopReason, StyleLossKind,
    WeightedLayer,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json, to_value};

/// Checks that each value has this text and this JSON, both ways.
fn check<T>(values: &[(T, &str, Value)])
where
    T: Debug + Display + PartialEq + FromStr<Err: Debug> + Serialize + DeserializeOwned,
{
    for (value, word, json) in values {
        assert_eq!(value.to_string(), *word);
        assert_eq!(word.parse::<T>().unwrap(), *value);
        assert_eq!(to_value(value).unwrap(), *json);
        assert_eq!(from_value::<T>(json.clone()).unwrap(), *value);
    }
}

/// Checks values whose JSON is the word.
fn check_words<T>(values: &[(T, &str)])
where
    T: Clone + Debug + Display + PartialEq + FromStr<Err: Debug> + Serialize + DeserializeOwned,
{
    let values: Vec<_> = values.iter().map(|(value, word)| (value.clone(), *word, json!(word))).collect();
    check(&values);
}

fn refusal<T: Debug + DeserializeOwned>(value: Value) -> String {
    from_value::<T>(value).unwrap_err().to_string()
}

#[test]
fn choices_have_their_words() {
    check_words(&[(Preset::Draft, "draft"), (Preset::Standard, "standard"), (Preset::Fine, "fine")]);
    check_words(&[(Objective::Balanced, "balanced"), (Objective::Paper, "paper")]);
    check_words(&[(StyleLossKind::Moments, "moments"), (StyleLossKind::Gram, "gram")]);
    check_words(&[(OptimizerKind::Lbfgs, "lbfgs"), (OptimizerKind::Adam, "adam")]);
    check_words(&[(Pooling::Max, "max"), (Pooling::Average, "avg")]);
    check_words(&[(Padding::Replicate, "replicate"), (Padding::Zero, "zero")]);
    check_words(&[
        (ColorMode::Style, "style"),
        (ColorMode::Content, "content"),
        (ColorMode::Luminance, "luminance"),
        (ColorMode::Matched, "matched"),
    ]);
    check_words(&[(Format::Png, "png"), (Format::Jpeg, "jpeg"), (Format::Tiff, "tiff"), (Format::WebP, "webp")]);
    check_words(&[(Order::Strength, "strength"), (Order::Channel, "channel")]);
    check_words(&[
        (StopReason::Completed, "completed"),
        (StopReason::Interrupted, "interrupted"),
        (StopReason::Converged, "converged"),
    ]);
    let message = refusal::<Pooling>(json!("mean"));
    assert!(message.contains("`max`") && message.contains("`avg`"), "{message}");
    assert_eq!("mean".parse::<Pooling>().unwrap_err().to_string(), "needs max or avg, not `mean`");
}

#[test]
fn formats_have_second_words() {
    for (word, format) in [("jpg", Format::Jpeg), ("tif", Format::Tiff)] {
        assert_eq!(word.parse(), Ok(format));
        assert_eq!(from_value::<Format>(json!(word)).unwrap(), format);
    }
}

#[test]
fn nobody_chooses_a_torus_by_its_word() {
    assert_eq!(to_value(Padding::Circular).unwrap(), json!("circular"));
    assert!(refusal::<Padding>(json!("circular")).contains("unknown variant `circular`"));
}

#[test]
fn numbers_and_layers_are_written_as_they_are_given() {
    check(&[(Scales::Auto, "auto", json!("auto")), (Scales::Count(3), "3", json!(3))]);
    let needs = "needs auto or a whole number of at least 1, not ";
    for wrong in [json!(0), json!(-1), json!("many")] {
        let found = wrong.to_string().replace('"', "");
        assert_eq!(refusal::<Scales>(wrong), format!("{needs}`{found}`"));
    }
    check(&[(BitDepth::Eight, "8", json!(8)), (BitDepth::Sixteen, "16", json!(16))]);
    assert_eq!(refusal::<BitDepth>(json!(12)), "needs 8 or 16, not `12`");

    let (layer, weighted) = (|name: &str| name.parse::<Layer>().unwrap(), |name: &str| name.parse().unwrap());
    check_words(&[(layer("relu4_1"), "relu4_1"), (layer("conv1_2"), "conv1_2")]);
    check_words::<WeightedLayer>(&[(weighted("relu4_1:2.5"), "relu4_1:2.5"), (weighted("conv1_1"), "conv1_1")]);
    assert_eq!(refusal::<Layer>(json!("relu6_1")), "no layer `relu6_1` in VGG-19; did you mean `relu5_1`?");
    assert!(refusal::<WeightedLayer>(json!("relu4_1:0")).starts_with("the weight of relu4_1 is `0`"));
}

/// The values of a command line's option are the words that serde reads.
#[cfg(feature = "clap")]
#[test]
fn a_command_line_has_the_same_words() {
    use clap::ValueEnum;

    fn check<T: ValueEnum + Debug + PartialEq + DeserializeOwned>() {
        assert!(!T::value_variants().is_empty());
        for value in T::value_variants() {
            let shown = value.to_possible_value().unwrap();
            assert!(shown.get_help().is_some(), "{value:?}");
            for word in shown.get_name_and_aliases() {
                assert_eq!(from_value::<T>(json!(word)).unwrap(), *value);
            }
        }
    }
    check::<Preset>();
    check::<Objective>();
    check::<StyleLossKind>();
    check::<OptimizerKind>();
    check::<Pooling>();
    check::<Padding>();
    check::<ColorMode>();
    check::<Format>();
    check::<Order>();
    check::<StopReason>();
    assert_eq!(Padding::value_variants(), [Padding::Replicate, Padding::Zero]);
    assert_eq!(<Format as ValueEnum>::from_str("jpg", false), Ok(Format::Jpeg));
}

/// Words in a schema are those that serde reads.
#[cfg(feature = "schema")]
#[test]
fn a_schema_has_the_same_words() {
    use schemars::JsonSchema;
    use schemars::schema_for;

    fn words<T: JsonSchema>() -> Vec<Value> {
        let schema = schema_for!(T);
        let listed = schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        let described = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
        listed.into_iter().chain(described.iter().map(|one| one["const"].clone())).collect()
    }
    assert_eq!(words::<Pooling>(), ["max", "avg"]);
    assert_eq!(words::<Padding>(), ["replicate", "zero"]);
    assert_eq!(words::<Format>(), ["png", "jpeg", "tiff", "webp"]);
    assert_eq!(words::<StopReason>(), ["completed", "interrupted", "converged"]);
    assert_eq!(words::<BitDepth>(), [json!(8), json!(16)]);
    assert_eq!(words::<Scales>()[0], "auto");
    let layers: Vec<Value> = Layer::all().map(|layer| json!(layer)).collect();
    assert_eq!(words::<Layer>(), layers);
}
