//! The index in PostgreSQL: what is asked of the database, and nothing else.
//!
//! `reid_index` has one row, the model whose features the index holds. `reid_cameras` has each camera's mean feature and of how
//! many photos it is, which changes in the transaction that adds photos; the camera '' stands for photos of which none is known.
//! `reid_photos` has a row for each photo, known by the hash of its content.

use std::collections::{BTreeMap, HashMap};

use pgvector::Vector;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls, Row};

use super::IndexError;
use super::error::reason;
use super::source::ModelName;

/// The most values of a vector that pgvector's HNSW takes.
const HNSW_VALUES: usize = 2000;
/// Features stay in their rows, up to a page of 8 kB. PostgreSQL would put those of more than 2 kB elsewhere, where comparing with
/// every photo has to fetch each.
const IN_ROWS: &str = "WITH (toast_tuple_target = 8160)";
/// The fewest and the most candidates that a search in HNSW keeps; 1,000 is pgvector's limit.
const CANDIDATES: (usize, usize) = (100, 1000);

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS reid_index (
        single boolean PRIMARY KEY DEFAULT true CHECK (single), model text NOT NULL, fingerprint text NOT NULL, dim integer NOT NULL
    );
    CREATE TABLE IF NOT EXISTS reid_cameras (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE NOT NULL, photos bigint NOT NULL,
        mean double precision[] NOT NULL
    );";

/// A connection to the database.
pub struct Store {
    client: Client,
    /// Host, port and database, for messages.
    place: String,
}

/// A photo to add.
pub struct Photo<'a> {
    pub name: &'a str,
    pub hash: [u8; 32],
    /// What its camera is called.
    pub camera: Option<&'a str>,
    pub person: Option<&'a str>,
    pub feature: &'a [f32],
}

/// A camera of the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    pub id: i32,
    /// Empty where none is known.
    pub name: String,
    pub photos: u64,
    /// The mean of its photos' features.
    pub mean: Vec<f64>,
}

/// A photo that looks like the query.
pub struct Found {
    pub name: String,
    pub person: Option<String>,
    pub similarity: f32,
}

/// What is taken off the features of each camera's photos before they are compared.
pub struct Shifts {
    pub cameras: Vec<i32>,
    pub means: Vec<Vector>,
}

impl Store {
    /// Connects to the database of a URL, or of `key=value` pairs.
    pub fn connect(url: &str) -> Result<Self, IndexError> {
        let mut config: Config = url.parse().map_err(|error| IndexError::Url(reason(&error)))?;
        if let (None, Ok(password)) = (config.get_password(), std::env::var("PGPASSWORD")) {
            config.password(password);
        }
        let host = match config.get_hosts().first() {
            Some(postgres::config::Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(postgres::config::Host::Unix(folder)) => folder.display().to_string(),
            None => return Err(IndexError::Url("it names no host".into())),
        };
        let port = config.get_ports().first().map_or(5432, |port| *port);
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
        let place = format!("{host}:{port}/{database}");
        match config.connect(NoTls) {
            Ok(client) => Ok(Self { client, place }),
            Err(error) => Err(IndexError::Unreachable { place, reason: reason(&error) }),
        }
    }

    /// Makes the tables where there are none, for features of this model.
    pub fn create(&mut self, model: &ModelName) -> Result<(), IndexError> {
        let Self { client, place } = self;
        let error = |error| IndexError::of(&error, place);
        let dim = i32::try_from(model.dim).unwrap_or(i32::MAX);
        client.batch_execute("SET client_min_messages = warning").map_err(error)?;
        let mut transaction = client.transaction().map_err(error)?;
        // Two that start at once would both make them.
        transaction.batch_execute("SELECT pg_advisory_xact_lock(hashtext('reid_index'))").map_err(error)?;
        transaction.batch_execute("CREATE EXTENSION IF NOT EXISTS vector").map_err(error)?;
        transaction.batch_execute(TABLES).map_err(error)?;
        transaction
            .batch_execute(&format!(
                "CREATE TABLE IF NOT EXISTS reid_photos (
                    hash bytea PRIMARY KEY, name text NOT NULL, camera integer NOT NULL REFERENCES reid_cameras, person text,
                    feature vector({dim}) NOT NULL
                ) {IN_ROWS}"
            ))
            .map_err(error)?;
        transaction
            .execute(
                "INSERT INTO reid_index (model, fingerprint, dim) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                &[&model.architecture, &model.fingerprint, &dim],
            )
            .map_err(error)?;
        transaction.commit().map_err(error)?;
        self.check(model)
    }

    /// Whether the index holds features of this model.
    pub fn check(&mut self, model: &ModelName) -> Result<(), IndexError> {
        let row = self.client.query_opt("SELECT model, fingerprint FROM reid_index", &[]);
        let Some(row) = row.map_err(|error| IndexError::of(&error, &self.place))? else {
            return Err(IndexError::NoIndex { place: self.place.clone() });
        };
        let (known, known_fingerprint): (String, String) = (row.get(0), row.get(1));
        if known_fingerprint == model.fingerprint {
            return Ok(());
        }
        let (found, found_fingerprint) = (model.architecture.clone(), model.fingerprint.clone());
        Err(IndexError::OtherModel { known, known_fingerprint, found, found_fingerprint })
    }

    /// Which of these photos are in the index.
    pub fn known(&mut self, hashes: &[[u8; 32]]) -> Result<Vec<bool>, IndexError> {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
        let statement = "SELECT EXISTS (SELECT FROM reid_photos WHERE hash = wanted)
            FROM unnest($1::bytea[]) WITH ORDINALITY AS list (wanted, place) ORDER BY place";
        let rows = self.query(statement, &[&hashes])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Adds photos and moves their cameras' means, all or nothing; how many there were that the index had not.
    pub fn add(&mut self, photos: &[Photo]) -> Result<usize, IndexError> {
        let Self { client, place } = self;
        add(client, photos).map_err(|error| IndexError::of(&error, place))
    }

    /// Builds the HNSW index where it is missing; `false` where vectors are too long for one. Photos that are added later go
    /// into it one by one, which takes longer than to build it once.
    pub fn index(&mut self, dim: usize) -> Result<bool, IndexError> {
        let hnsw = dim <= HNSW_VALUES;
        let index =
            "CREATE INDEX IF NOT EXISTS reid_photos_feature ON reid_photos USING hnsw (feature vector_cosine_ops)";
        // In the server's usual 64 MB the graph of more than some 25,000 photos would be built on the disk. Who has set more keeps it.
        let memory = "SELECT set_config('maintenance_work_mem', '512MB', false)
            WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('512MB')";
        let index = if hnsw { format!("{memory}; {index}; ") } else { String::new() };
        let all = format!("{index}ANALYZE reid_photos");
        let built = match self.client.batch_execute(&all) {
            // Workers share memory, of which a container has 64 MB unless told otherwise: without them then.
            Err(error) if error.code() == Some(&SqlState::DISK_FULL) => {
                self.client.batch_execute(&format!("SET max_parallel_maintenance_workers = 0; {all}"))
            }
            built => built,
        };
        built.map_err(|error| IndexError::of(&error, &self.place))?;
        Ok(hnsw)
    }

    /// The cameras and their means.
    pub fn cameras(&mut self) -> Result<Vec<Camera>, IndexError> {
        let rows = self.query("SELECT id, name, photos, mean FROM reid_cameras ORDER BY id", &[])?;
        Ok(rows.iter().map(camera).collect())
    }

    /// Says how the searches to come are done: for so many photos, over all of the table or through its HNSW index.
    pub fn prepare(&mut self, top: usize, exact: bool) -> Result<(), IndexError> {
        let (fewest, most) = CANDIDATES;
        let settings = if exact || top > most {
            "SET enable_indexscan = off".to_owned()
        } else {
            // Four candidates for each photo that is wanted.
            format!("SET hnsw.ef_search = {}", top.saturating_mul(4).clamp(fewest, most))
        };
        self.client.batch_execute(&settings).map_err(|error| IndexError::of(&error, &self.place))
    }

    /// The photos most like a feature, best first. With `shifts` the feature has its camera's mean off already.
    pub fn nearest(&mut self, feature: &[f32], top: usize, shifts: Option<&Shifts>) -> Result<Vec<Found>, IndexError> {
        let feature = Vector::from(feature.to_vec());
        let top = i64::try_from(top).unwrap_or(i64::MAX);
        let rows = match shifts {
            None => self.query(
                "SELECT name, person, 1 - (feature <=> $1) FROM reid_photos ORDER BY feature <=> $1 LIMIT $2",
                &[&feature, &top],
            ),
            Some(Shifts { cameras, means }) => self.query(
                "SELECT name, person, 1 - ((feature - mean) <=> $1) AS similarity
                    FROM reid_photos JOIN unnest($3::integer[], $4::vector[]) AS shift (id, mean) ON id = camera
                    ORDER BY similarity DESC LIMIT $2",
                &[&feature, &top, cameras, means],
            ),
        };
        let found = |row: &Row| {
            // A feature of zeros is like none.
            let similarity = Some(row.get::<_, f64>(2) as f32).filter(|similarity| !similarity.is_nan());
            Found { name: row.get(0), person: row.get(1), similarity: similarity.unwrap_or(0.0).clamp(-1.0, 1.0) }
        };
        Ok(rows?.iter().map(found).collect())
    }

    fn query(&mut self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, IndexError> {
        self.client.query(statement, parameters).map_err(|error| IndexError::of(&error, &self.place))
    }
}

fn camera(row: &Row) -> Camera {
    Camera { id: row.get(0), name: row.get(1), photos: row.get::<_, i64>(2).unsigned_abs(), mean: row.get(3) }
}

fn add(client: &mut Client, photos: &[Photo]) -> Result<usize, postgres::Error> {
    let mut transaction = client.transaction()?;
    // Means are read, moved and written: by one at a time. Searches go on.
    transaction.batch_execute("LOCK TABLE reid_cameras IN SHARE ROW EXCLUSIVE MODE")?;
    let mut cameras: BTreeMap<String, Camera> = BTreeMap::new();
    for photo in photos {
        let name = photo.camera.unwrap_or_default();
        if !cameras.contains_key(name) {
            transaction.execute(
                "INSERT INTO reid_cameras (name, photos, mean) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
                &[&name, &vec![0.0; photo.feature.len()]],
            )?;
            let row =
                transaction.query_one("SELECT id, name, photos, mean FROM reid_cameras WHERE name = $1", &[&name])?;
            cameras.insert(name.to_owned(), camera(&row));
        }
    }
    // By way of a table that may have doubles.
    let stage = format!("CREATE TEMPORARY TABLE reid_stage (LIKE reid_photos) {IN_ROWS} ON COMMIT DROP");
    transaction.batch_execute(&stage)?;
    let vector = transaction.prepare("SELECT feature FROM reid_stage")?.columns()[0].type_().clone();
    let types = [Type::BYTEA, Type::TEXT, Type::INT4, Type::TEXT, vector];
    let copy = transaction.copy_in("COPY reid_stage (hash, name, camera, person, feature) FROM STDIN BINARY")?;
    let mut copy = BinaryCopyInWriter::new(copy, &types);
    for photo in photos {
        let camera = cameras[photo.camera.unwrap_or_default()].id;
        let feature = Vector::from(photo.feature.to_vec());
        copy.write(&[&&photo.hash[..], &photo.name, &camera, &photo.person, &feature])?;
    }
    copy.finish()?;
    let new = transaction.query(
        "INSERT INTO reid_photos (hash, name, camera, person, feature)
            SELECT hash, name, camera, person, feature FROM reid_stage ON CONFLICT DO NOTHING RETURNING hash",
        &[],
    )?;
    let by_hash: HashMap<&[u8], &Photo> = photos.iter().rev().map(|photo| (&photo.hash[..], photo)).collect();
    for row in &new {
        let photo = by_hash[row.get::<_, &[u8]>(0)];
        if let Some(camera) = cameras.get_mut(photo.camera.unwrap_or_default()) {
            camera.photos += 1;
            let share = 1.0 / camera.photos as f64;
            let values = camera.mean.iter_mut().zip(photo.feature);
            values.for_each(|(mean, &value)| *mean += (f64::from(value) - *mean) * share);
        }
    }
    for camera in cameras.values() {
        transaction.execute(
            "UPDATE reid_cameras SET photos = $2, mean = $3 WHERE id = $1",
            &[&camera.id, &(camera.photos as i64), &camera.mean],
        )?;
    }
    transaction.commit()?;
    Ok(new.len())
}
