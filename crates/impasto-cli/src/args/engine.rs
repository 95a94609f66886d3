//! Arguments of commands that look through the network without making a picture.

use std::path::Path;

use clap::Args;
use impasto::{Network, Pooling};
use impasto_job::device::{self, TakenDevice};
use impasto_job::job::values::Count;
use impasto_job::machine::{Compute, DeviceOptions, Limits};
use impasto_job::pictures;

use crate::args::inputs::WeightsArgs;
use crate::failure::Failure;

/// The network and how it halves its maps.
#[derive(Args, Debug)]
pub struct NetworkArgs {
    /// How the network halves its maps: by the largest of four values, or by their mean.
    #[arg(long, value_enum, default_value_t, help_heading = "Network")]
    pooling: Pooling,

    #[command(flatten)]
    weights: WeightsArgs,
}

/// The network, and what computes it.
#[derive(Args, Debug)]
pub struct EngineArgs {
    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    device: DeviceOptions,

    /// Threads to compute with. [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Machine")]
    threads: Option<Count>,
}

impl NetworkArgs {
    /// How the network halves its maps.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// The file of the weights, if one is given.
    pub fn weights(&self) -> Option<&Path> {
        self.weights.weights.as_deref()
    }

    /// The network that is asked for.
    pub fn network(&self) -> Result<Network, Failure> {
        let weights = self.weights.weights.clone().map(Into::into);
        Ok(pictures::network(weights.as_ref())?)
    }

    /// The network that is asked for, on a device.
    pub fn network_on(&self, limits: &Limits) -> Result<(Network, TakenDevice), Failure> {
        Ok(device::taken(&self.network()?, limits)?)
    }
}

impl EngineArgs {
    /// How the network halves its maps.
    pub fn pooling(&self) -> Pooling {
        self.network.pooling
    }

    /// Threads to compute with; `None`: one for each core.
    pub fn threads(&self) -> Option<usize> {
        self.threads.map(Count::get)
    }

    /// The network that is asked for, on the device that is asked for.
    pub fn network(&self) -> Result<(Network, TakenDevice), Failure> {
        let compute = Compute { device: self.device.clone(), threads: self.threads, memory: None };
        self.network.network_on(&compute.measure())
    }
}
