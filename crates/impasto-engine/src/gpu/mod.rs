//! The network on a graphics card, through wgpu: Vulkan or Metal, on any vendor's card.
//!
//! - [`adapters`]: the cards of the machine
//! - `device`: an open card, its shaders and its buffers
//! - `passes`: dispatches that are prepared once and run in every evaluation
//! - `winograd`: convolutions by Winograd's minimal filtering
//! - `filters`: the weights on the card
//! - `terms`: sums and gradients of the terms
//! - `workspace`: maps, terms, and the order of the passes
//!
//! Everything is f32. Each value of a matrix product is one chain of multiply-adds in a fixed
//! order, and sums are trees of a fixed shape. So one card with one driver returns the same bits
//! for the same calls. Chunks of 512 positions are summed in f32 on the card. The CPU adds at most
//! 16 such sums in f64. Beyond 8,192 positions the card first adds them up in f32, 16 at a time,
//! which is less than [`StyleSums`](crate::network::StyleSums) promises.
//!
//! An image is evaluated whole, whatever its layout says. Convolutions use Winograd's minimal
//! filtering in blocks 1 to 4. The first one and those of block 5 have their direct form.

mod adapters;
mod backend;
mod device;
mod filters;
mod passes;
mod terms;
mod winograd;
mod workspace;

pub use adapters::{GpuAdapter, adapters};
pub use backend::GpuBackend;
