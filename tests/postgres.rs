//! `reid index` on a PostgreSQL server of its own, which the test starts from the programs in `POSTGRES_BIN`
//! (`make test-postgres` gets them).

#![cfg(not(target_arch = "wasm32"))]

#[path = "common/command.rs"]
mod command;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use command::{Run, reid};
use postgres::{Client, NoTls};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;
use tempfile::TempDir;
use webreid::ranking::{Cameras, Centring, Features, nearest};

const DIM: usize = 64;

/// A server with an empty database; it ends with the value.
struct Server {
    folder: TempDir,
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let bin = std::env::var_os("POSTGRES_BIN").expect("POSTGRES_BIN; run make test-postgres");
        Self::start_from(Path::new(&bin), tempfile::tempdir().unwrap())
    }

    fn start_from(bin: &Path, folder: TempDir) -> Self {
        // PostgreSQL does not run as root: as nobody then, in a folder that is nobody's.
        let root = run(Command::new("id").arg("-u")).0 == "0\n";
        let command = |program: &str| {
            let program = bin.join(program);
            if !root {
                return Command::new(program);
            }
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
            command
        };
        if root {
            run(Command::new("chown").arg("65534:65534").arg(folder.path()));
        }
        let data = folder.path().join("data");
        run(command("initdb").arg("-D").arg(&data).args(["-U", "reid", "-A", "trust", "-E", "UTF8", "--no-locale"]));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = command("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { folder, child, url: format!("postgres://reid@127.0.0.1:{port}/postgres") };
        let start = Instant::now();
        while Client::connect(&server.url, NoTls).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "the server does not start");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn client(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }

    fn count(&self) -> i64 {
        self.client().query_one("SELECT count(*) FROM reid_photos", &[]).unwrap().get(0)
    }

    fn index(&self, what: &str, arguments: &[&str]) -> Run {
        reid(&[&["index", what, "--postgres", &self.url], arguments].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A fast shutdown, which takes its processes along.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

fn run(command: &mut Command) -> (String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.success(), "{command:?}: {stdout}{stderr}");
    (stdout, stderr)
}

impl Run {
    /// The names, people and similarities that each query found.
    fn matches(&self) -> Vec<Vec<(String, Value, f64)>> {
        let all = self.json();
        let hit = |hit: &Value| {
            (hit["image"].as_str().unwrap().to_owned(), hit["person"].clone(), hit["similarity"].as_f64().unwrap())
        };
        let ranking = |ranking: &Value| ranking["matches"].as_array().unwrap().iter().map(hit).collect();
        all.as_array().unwrap().iter().map(ranking).collect()
    }
}

/// Photos of people by cameras that each add something of their own, named as Market-1501's.
struct Photos {
    names: Vec<String>,
    cameras: Vec<Option<i32>>,
    values: Vec<f32>,
}

fn photos(count: usize, seed: u32) -> Photos {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    // What a person looks like and what a camera adds is the same for every seed.
    let trait_of = |kind: usize, value: usize| ((kind * DIM + value) as f32 * 12.9898).sin() * 43_758.547 % 1.0;
    let mut photos = Photos { names: Vec::new(), cameras: Vec::new(), values: Vec::new() };
    for photo in 0..count {
        let (person, camera) = (1 + photo % 200, photo % 3);
        photos.names.push(format!("{person:04}_c{}s1_{photo:06}_{seed:02}.jpg", camera + 1));
        photos.cameras.push(Some(camera as i32));
        let value = |value| trait_of(person, value) + 0.8 * trait_of(1000 + camera, value) + 0.5 * uniform();
        photos.values.extend((0..DIM).map(value));
    }
    photos
}

impl Photos {
    fn write(&self, path: &Path, fingerprint: &str) -> String {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let names = serde_json::to_string(&self.names).unwrap();
        let metadata = HashMap::from([
            entry("names", &names),
            entry("model", "a test's model"),
            entry("fingerprint", fingerprint),
        ]);
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![self.names.len(), DIM], &bytes).unwrap();
        fs::write(path, serialize([("features", view)], Some(metadata)).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The ten most like each query, and how much, by comparing with all in memory.
    fn nearest(&self, queries: &Self) -> Vec<Vec<(String, f64)>> {
        let (gallery, queries) = [&self.values, &queries.values].map(|rows| Features::new(rows, DIM).unwrap()).into();
        let ranked = |query: usize| {
            let dot = |(a, b): (&f32, &f32)| f64::from(*a) * f64::from(*b);
            let similarity: Vec<f64> = (0..gallery.count())
                .map(|row| queries.row(query).iter().zip(gallery.row(row)).map(dot).sum())
                .collect();
            let distances: Vec<f32> = similarity.iter().map(|similarity| (1.0 - similarity) as f32).collect();
            nearest(&distances, 10).into_iter().map(|hit| (self.names[hit].clone(), similarity[hit])).collect()
        };
        (0..queries.count()).map(ranked).collect()
    }
}

#[track_caller]
fn same(found: &[Vec<(String, Value, f64)>], expected: &[Vec<(String, f64)>]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), 10);
        for ((name, person, similarity), (expected, expected_similarity)) in found.iter().zip(expected) {
            assert_eq!(name, expected);
            assert_eq!(person.as_str(), Some(expected[..4].trim_start_matches('0')));
            assert!((similarity - expected_similarity).abs() < 1e-5, "{similarity} {expected_similarity}");
        }
    }
}

#[test]
fn the_index_finds_what_memory_finds() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let (gallery, queries) = (photos(3000, 1), photos(60, 2));
    let gallery_file = gallery.write(&folder.path().join("gallery.safetensors"), "one");
    let query_file = queries.write(&folder.path().join("queries.safetensors"), "one");

    server.index("search", &["--features", &query_file]).ends(1).says(&["there is no index", "reid index add"]);
    let added = server.index("add", &["--features", &gallery_file]).ends(0);
    assert!(added.stdout.contains("3000 photos of 3000 added"), "{}", added.stdout);
    let again = server.index("add", &["--features", &gallery_file]).ends(0);
    assert!(again.stdout.contains("0 photos of 3000 added, 3000 were in the index already"), "{}", again.stdout);
    assert_eq!(server.count(), 3000);

    // Each camera's mean, to the last photo.
    let rows = server.client().query("SELECT name, photos, mean FROM reid_cameras ORDER BY name", &[]).unwrap();
    for (camera, row) in (0..).zip(&rows) {
        let mean: Vec<f64> = row.get(2);
        assert_eq!((row.get(0), row.get(1)), (format!("c{}", camera + 1), 1000_i64));
        let mine = gallery.values.chunks_exact(DIM).zip(&gallery.cameras).filter(|(_, of)| **of == Some(camera));
        let first = mine.map(|(row, _)| f64::from(row[0])).sum::<f64>() / 1000.0;
        assert!((mean[0] - first).abs() < 1e-9, "{} {first}", mean[0]);
    }
    assert_eq!(rows.len(), 3);

    let expected = gallery.nearest(&queries);
    let exact = server.index("search", &["--features", &query_file, "--exact", "--json"]).ends(0).matches();
    same(&exact, &expected);

    // Through the index, which the server must be made to use for so few photos.
    server.client().batch_execute("ALTER ROLE reid SET enable_seqscan = off").unwrap();
    let quick = server.index("search", &["--features", &query_file, "--json"]).ends(0).matches();
    let names = |hits: &[(String, Value, f64)]| hits.iter().map(|hit| hit.0.clone()).collect::<BTreeSet<_>>();
    let common: usize = quick.iter().zip(&exact).map(|(a, b)| names(a).intersection(&names(b)).count()).sum();
    assert!(common >= 570, "{common} of 600 found");
    let plan: Vec<String> = server
        .client()
        .query("EXPLAIN SELECT name FROM reid_photos ORDER BY feature <=> (SELECT feature FROM reid_photos LIMIT 1) LIMIT 10", &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(plan.join("\n").contains("reid_photos_feature"), "{plan:?}");

    let other = queries.write(&folder.path().join("other.safetensors"), "two");
    let refused = ["a test's model", "fingerprint one", "fingerprint two", "cannot be compared"];
    server.index("search", &["--features", &other]).ends(1).says(&refused);
    server.index("add", &["--features", &other]).ends(1).says(&refused);
    assert_eq!(server.count(), 3000);
}

#[test]
fn cameras_are_centred_as_in_memory() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let (mut gallery, mut queries) = (photos(1200, 1), photos(60, 2));
    // One photo tells no camera, in the index and among the queries.
    for photos in [&mut gallery, &mut queries] {
        photos.names[0] = "0001_someone.jpg".into();
        photos.cameras[0] = None;
    }
    let gallery_file = gallery.write(&folder.path().join("gallery.safetensors"), "one");
    let query_file = queries.write(&folder.path().join("queries.safetensors"), "one");
    // In two parts, of which the second moves the means of the first.
    let (half, part) = (500 * DIM, folder.path().join("part.safetensors"));
    let first = Photos {
        names: gallery.names[..500].to_vec(),
        cameras: gallery.cameras[..500].to_vec(),
        values: gallery.values[..half].to_vec(),
    };
    server.index("add", &["--features", &first.write(&part, "one")]).ends(0);
    server.index("add", &["--features", &gallery_file]).ends(0);
    assert_eq!(server.count(), 1200);

    let centring = Centring::fit(&gallery.values, DIM, &gallery.cameras, &[true; 1200], Cameras::Centre).unwrap();
    let plain = gallery.nearest(&queries);
    centring.apply(&mut gallery.values, &gallery.cameras).unwrap();
    centring.apply(&mut queries.values, &queries.cameras).unwrap();
    let expected = gallery.nearest(&queries);
    assert_ne!(
        plain[1].iter().map(|hit| &hit.0).collect::<Vec<_>>(),
        expected[1].iter().map(|hit| &hit.0).collect::<Vec<_>>()
    );
    let found = server.index("search", &["--features", &query_file, "--cameras", "centre", "--json"]).ends(0).matches();
    for (found, expected) in found.iter().zip(&expected) {
        for ((name, _, similarity), (expected, expected_similarity)) in found.iter().zip(expected) {
            assert_eq!(name, expected);
            assert!((similarity - expected_similarity).abs() < 1e-4, "{similarity} {expected_similarity}");
        }
    }
    server.index("search", &["--features", &query_file, "--cameras", "standardise"]).ends(2).says(&["none or centre"]);
}

#[test]
fn pictures_go_through_the_model_once() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let model = path("model.safetensors");
    fs::write(&model, webreid::weights::untrained("osnet_x0_25", 1).unwrap()).unwrap();
    fs::create_dir(path("photos")).unwrap();
    for shade in [10_u8, 120, 240] {
        // An uncompressed picture of 2 × 2 pixels, in a shade of its own.
        let mut bmp =
            b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0\0\0\0\0\x10\0\0\0".to_vec();
        bmp.extend([0; 16]);
        bmp.extend([shade, 0, 0, 0, shade, 0, 0, 0, 255 - shade, 9, shade, 3, shade, 7, 0, 0]);
        fs::write(path(&format!("photos/{shade}.bmp")), bmp).unwrap();
    }
    fs::write(path("photos/torn.bmp"), b"BM").unwrap();
    let add = |from: &str| {
        let photos = path("photos");
        server.index("add", &["--device", "cpu", "--weights", &model, "--camera-from", from, &photos])
    };
    add("name:cam([0-9])").ends(1).says(&["matches none of the 4 file names"]);
    let added = add("folder").ends(3);
    added.says(&["torn.bmp"]);
    assert!(added.stdout.contains("3 photos of 4 added, 0 were"), "{}", added.stdout);
    assert_eq!(server.count(), 3);
    let camera = server.client().query_one("SELECT name, photos FROM reid_cameras", &[]).unwrap();
    assert_eq!((camera.get(0), camera.get(1)), (path("photos"), 3_i64));
    // Copies elsewhere are the same photos.
    fs::rename(path("photos"), path("moved")).unwrap();
    fs::remove_file(path("moved/torn.bmp")).unwrap();
    let again = server.index("add", &["--device", "cpu", "--weights", &model, &path("moved")]).ends(0);
    assert!(again.stdout.contains("0 photos of 3 added, 3 were"), "{}", again.stdout);

    let query = path("moved/120.bmp");
    let found =
        server.index("search", &["--device", "cpu", "--weights", &model, "--json", "--top", "1", &query]).ends(0);
    let (name, person, similarity) = found.matches()[0][0].clone();
    assert_eq!((name, person), (path("photos/120.bmp"), Value::Null));
    assert!((similarity - 1.0).abs() < 1e-5, "{similarity}");
    // Features that were extracted before, of the same model.
    reid(&["extract", "--device", "cpu", "--weights", &model, "--out", &path("f.safetensors"), &query]).ends(0);
    let text = server.index("search", &["--features", &path("f.safetensors"), "--top", "2"]).ends(0).stdout;
    assert!(text.contains("1.0000") && text.lines().count() == 3, "{text}");
}

#[test]
fn an_add_that_stops_leaves_whole_batches() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let file = photos(20_000, 1).write(&folder.path().join("gallery.safetensors"), "one");
    // Runs it until it has added some, and ends it; how many there are then.
    let stopped = |before: i64, end: &dyn Fn(&mut Client, u32), code: i32| {
        let arguments = ["index", "add", "--postgres", &server.url, "--features", &file];
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_reid")).args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut client = server.client();
        let table = "SELECT to_regclass('reid_photos') IS NOT NULL";
        while !client.query_one(table, &[]).unwrap().get::<_, bool>(0) || server.count() == before {
            assert!(child.try_wait().unwrap().is_none(), "it has ended");
            thread::sleep(Duration::from_millis(5));
        }
        end(&mut client, child.id());
        let output = child.wait_with_output().unwrap();
        let (words, count) = (String::from_utf8(output.stderr).unwrap(), server.count());
        assert_eq!(output.status.code(), Some(code), "{words}");
        let added = |count: i64, batch: &str| {
            words.contains(&format!("{} photos were added, the batch at hand is {batch}", count - before))
        };
        // A commit whose answer was lost may have been done.
        let unsure = "in the index as a whole or not at all";
        let told =
            if code == 130 { added(count, "not in") } else { added(count, unsure) || added(count - 512, unsure) };
        assert!(told, "{count} {before}: {words}");
        assert!(count % 512 == 0 && (before + 1..20_000).contains(&count), "{count}");
        count
    };
    let lose = |client: &mut Client, _: u32| {
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        client.query(others, &[]).unwrap();
    };
    let interrupt = |_: &mut Client, child: u32| {
        run(Command::new("kill").args(["-INT", &child.to_string()]));
    };
    let count = stopped(0, &lose, 1);
    let count = stopped(count, &interrupt, 130);
    let rest = server.index("add", &["--features", &file]).ends(0).stdout;
    assert!(rest.contains(&format!("{} photos of 20000 added, {count} were", 20_000 - count)), "{rest}");
    assert_eq!(server.count(), 20_000);
}

#[test]
fn what_is_wrong_with_the_database_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = photos(3, 1).write(&folder.path().join("photos.safetensors"), "one");
    let add = |url: &str| reid(&["index", "add", "--postgres", url, "--features", &file]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("postgres://reid:secret@127.0.0.1:{port}/photos");
    let run = add(&nobody).ends(1);
    run.says(&["no connection", &format!("127.0.0.1:{port}/photos"), "refused", "check that"]);
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    add("mysql://localhost").ends(1).says(&["--postgres", "postgres://USER@HOST"]);
    reid(&["index", "add", "--postgres", &nobody]).ends(2).says(&["PATH"]);

    let broken = folder.path().join("broken.safetensors");
    fs::write(&broken, b"nothing").unwrap();
    let server = Server::start();
    server
        .index("add", &["--features", broken.to_str().unwrap()])
        .ends(1)
        .says(&["broken.safetensors", "reid extract"]);
    server.client().batch_execute("CREATE ROLE guest LOGIN").unwrap();
    add(&server.url.replace("reid@", "guest@")).ends(1).says(&["may not", "administrator"]);
}

#[test]
fn a_server_without_pgvector_is_told() {
    let bin = PathBuf::from(std::env::var_os("POSTGRES_BIN").expect("POSTGRES_BIN; run make test-postgres"));
    let install = bin.parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // With the libraries beside it that the programs look for.
    let package = install.parent().unwrap();
    let libraries = package.with_extension("libs");
    let copy = folder.path().join(package.file_name().unwrap());
    fs::create_dir(&copy).unwrap();
    run(Command::new("cp").arg("-r").arg(install).arg(&copy));
    if libraries.is_dir() {
        run(Command::new("cp").arg("-r").arg(libraries).arg(folder.path()));
    }
    run(Command::new("chmod").arg("-R").arg("a+rX").arg(folder.path()));
    let copy = copy.join(install.file_name().unwrap());
    fs::remove_file(copy.join("share/postgresql/extension/vector.control")).unwrap();
    let server = Server::start_from(&copy.join("bin"), tempfile::tempdir().unwrap());
    let file = photos(3, 1).write(&server.folder.path().join("photos.safetensors"), "one");
    server.index("add", &["--features", &file]).ends(1).says(&["has no pgvector", "postgresql-NN-pgvector"]);
}
