//! A page to make pictures with, an API, and a queue that loses nothing, on one machine or many.
//!
//! A server ([`server`]) takes uploads and jobs, and workers ([`worker`]) make the pictures. They
//! share a [`database`](database::Database) and a [`store`](store::Store), and know nothing else of
//! each other: a server with a worker in its own process is the smallest studio, and any number of
//! machines with PostgreSQL and S3 is the same program. What is asked for is a
//! [`Job`](impasto_job::job::Job), as everywhere.
//!
//! | room | what it knows |
//! |---|---|
//! | [`database`] | jobs, the queue, events, files, in SQLite or PostgreSQL |
//! | [`store`] | the bytes of uploads, checkpoints and results, in a folder or in S3 |
//! | [`worker`] | taking jobs and making them so that nothing is lost |
//! | [`server`] | the API, the page, and what guards them |
//! | [`studio`] | the parts put together, their beginning and their end |
//! | [`submit`] | putting jobs into the queue from a shell |
//! | [`model`] | what the API says and hears |

mod command;
pub mod database;
pub mod error;
mod folder;
mod gallery;
pub mod live;
pub mod model;
mod names;
pub mod server;
pub mod store;
pub mod studio;
pub mod submit;
mod sweep;
mod thumbnails;
mod uploads;
pub mod worker;
mod workplace;
