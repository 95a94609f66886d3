//! Tests of the library by its public interface, in one program that is linked once.

#[cfg(feature = "gpu")]
mod cards;
mod devices;
mod harness;
mod hostile;
mod metadata;
mod modern;
mod others;
mod outputs;
mod picture;
mod session;
mod state;
mod strokes;
mod styles;
mod synthesis;
mod tiff;
mod tiff_file;
mod words;
