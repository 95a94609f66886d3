//! The network on a graphics card, through wgpu: Vulkan or Metal, on any vendor's card.
//!
//! - [`adapters`]: the cards of the machine
//! - `device`: an open card, its shaders and its buffers
//! - `passes`: dispatches that are prepared once and run in every evaluation
//! - `times`: how long passes take, by the card's own clock
//! - `winograd`: convolutions by Winograd's minimal filtering
//! - `filters`: the weights on the card
//! - `maps`: the maps of a band, and the order of the passes through the network
//! - `terms`: sums and gradients of the terms
//! - `workspace`: bands and terms behind the seam
//! - `optimizer`: a point that stays on the card, with the arrays of its optimiser
//!
//! Everything is f32. Each value of a matrix product is one chain of multiply-adds in a fixed
//! order, and sums are trees of a fixed shape. So one card with one driver returns the same bits
//! for the same calls. Chunks of 512 positions are summed in f32. The card adds these up 16 at a
//! time until at most 4 are left, and the CPU adds those in f64.
//!
//! An image is evaluated in the bands of [`plan::card`](crate::plan::card), of which the first part
//! of its layout gives the rows. Convolutions use Winograd's minimal filtering in blocks 1 to 4.
//! The first one and those of block 5 have their direct form. The search for matches is on the CPU.

mod adapters;
mod backend;
mod device;
mod filters;
mod maps;
mod optimizer;
mod passes;
mod terms;
#[cfg(test)]
mod testing;
mod times;
mod winograd;
mod workspace;

pub use adapters::{GpuAdapter, GpuKind, adapters};
pub use backend::GpuBackend;
