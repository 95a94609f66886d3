//! The threads that a run works on.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// No machine has more cores. A larger number is a slip of the finger.
const MAX_THREADS: usize = 1024;

/// Refuses a number of threads that no machine has. `None` stands for one for each core.
pub(crate) fn check_threads(threads: Option<usize>) -> Result<()> {
    match threads {
        Some(n) if !(1..=MAX_THREADS).contains(&n) => {
            let problem = format!("is {n}; give 1 to {MAX_THREADS}, or none for one per core");
            Err(Error::option("threads", problem))
        }
        _ => Ok(()),
    }
}

/// Starts a pool of so many threads, one for each core if it is `None`.
///
/// Errors: the operating system does not give them.
pub(crate) fn thread_pool(threads: Option<usize>) -> Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .thread_name(|i| format!("impasto-{i}"))
        .build()
        .map_err(|e| Error::Threads { reason: e.to_string() })
}
