//! The studio as a program: what the guide shows, kills, and many machines.

mod browser;
mod contract;
mod fleet;
mod guide;
mod kills;
mod program;
mod servers;
