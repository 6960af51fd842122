//! Why an index cannot be filled or searched.

use std::error::Error;

use postgres::error::SqlState;

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("--postgres: {0}; give postgres://USER@HOST:PORT/NAME")]
    Url(String),
    #[error(
        "no connection to PostgreSQL at {place} ({reason}); check that the server runs there and lets this user in"
    )]
    Unreachable { place: String, reason: String },
    #[error(
        "PostgreSQL at {place} has no pgvector; install it on that machine (Debian and Ubuntu: postgresql-NN-pgvector for server \
         version NN, macOS: brew install pgvector, Docker: the image pgvector/pgvector), then start again"
    )]
    NoPgvector { place: String },
    #[error(
        "this user may not do that in the database at {place} ({reason}); have an administrator run CREATE EXTENSION vector there, \
         and GRANT CREATE ON SCHEMA public to the user"
    )]
    MayNot { place: String, reason: String },
    #[error("there is no index in the database at {place}; `reid index add` makes one")]
    NoIndex { place: String },
    #[error(
        "the index holds features of {known} (fingerprint {known_fingerprint}), and these are of {found} (fingerprint \
         {found_fingerprint}): they cannot be compared; take that model, or another database for this one"
    )]
    OtherModel { known: String, known_fingerprint: String, found: String, found_fingerprint: String },
    #[error("PostgreSQL at {place}: {reason}")]
    Database { place: String, reason: String },
}

impl IndexError {
    /// What an error of the database at `place` means.
    pub fn of(error: &postgres::Error, place: &str) -> Self {
        let place = place.to_owned();
        match error.code() {
            Some(code) if *code == SqlState::UNDEFINED_TABLE => Self::NoIndex { place },
            // `CREATE EXTENSION` finds no control file.
            Some(code) if *code == SqlState::UNDEFINED_FILE || *code == SqlState::FEATURE_NOT_SUPPORTED => {
                Self::NoPgvector { place }
            }
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::MayNot { place, reason: reason(error) },
            _ => Self::Database { place, reason: reason(error) },
        }
    }
}

/// The innermost cause, which names the fault.
pub fn reason(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
