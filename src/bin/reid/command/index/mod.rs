//! `reid index`: features in PostgreSQL, for galleries that outgrow memory and are searched again and again.

mod add;
mod error;
mod labels;
mod search;
mod source;
mod store;

pub use error::IndexError;

use crate::command::Outcome;
use crate::command::error::CliError;

#[derive(clap::Subcommand)]
pub enum Index {
    /// Put photos into the index; those that are in it already are passed over
    ///
    /// Makes the tables (reid_index, reid_cameras, reid_photos) where there are none, and once all photos are in an HNSW index
    /// over them. Photos go in by batches, each whole or not at all: what was added before a Ctrl-C stays.
    Add(add::Add),
    /// Find the photos of the index that look most like each query
    ///
    /// Similarities are cosines, as those of `reid match`.
    Search(search::Search),
}

impl Index {
    pub async fn run(self) -> Result<Outcome, CliError> {
        match self {
            Self::Add(command) => command.run().await,
            Self::Search(command) => command.run().await,
        }
    }
}

/// The database.
#[derive(clap::Args)]
struct Database {
    /// The database: postgres://USER@HOST:PORT/NAME, or host=… port=… user=… dbname=…; the password may stand in PGPASSWORD.
    /// The connection is not encrypted: reach a server elsewhere through a tunnel
    #[arg(long, value_name = "URL")]
    postgres: String,
}
