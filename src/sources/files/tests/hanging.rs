//! A disk that does not respond: a mount whose server is down.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::*;

const HANGS: &str = "reading it takes longer than 1 s; check the disk or mount it is on";

/// The machine's disk, parts of which hang on demand.
#[derive(Debug, Default)]
struct Stuck {
    hanging: Mutex<Vec<PathBuf>>,
    changed: Condvar,
    /// Calls that have begun, by path.
    began: Mutex<Vec<PathBuf>>,
}

impl Stuck {
    /// From now on calls about these paths hang, and no others.
    fn hangs(&self, paths: &[PathBuf]) {
        *self.hanging.lock().unwrap() = paths.to_vec();
        self.changed.notify_all();
    }

    fn wait(&self, path: &Path) {
        self.began.lock().unwrap().push(path.to_owned());
        let hanging = self.hanging.lock().unwrap();
        let hangs = |hanging: &mut Vec<PathBuf>| hanging.iter().any(|each| each == path);
        drop(self.changed.wait_while(hanging, hangs));
    }

    fn calls(&self, path: &Path) -> usize {
        let began = self.began.lock().unwrap();
        began.iter().filter(|each| *each == path).count()
    }
}

impl Disk for Stuck {
    fn paths_of(&self, pattern: &FilePattern) -> Result<Vec<PathBuf>, SourceError> {
        self.wait(pattern.directory());
        System.paths_of(pattern)
    }

    fn find(&self, path: &Path, known: Option<Fingerprint>) -> Result<Found, SourceError> {
        self.wait(path);
        System.find(path, known)
    }
}

impl Scene {
    /// Replaces the disk with one that hangs on demand.
    fn stuck(&mut self) -> Arc<Stuck> {
        let disk = Arc::new(Stuck::default());
        self.files.disk = Arc::clone(&disk) as Arc<dyn Disk>;
        disk
    }
}

#[test]
fn a_file_that_hangs_is_down_and_others_are_read() {
    let mut scene = Scene::new("['*.yml', z.json]");
    scene.write("a.yml", A);
    scene.write("b.yml", B);
    assert_eq!(scene.reread(), ["a.yml: 41", "b.yml: 42"]);
    let disk = scene.stuck();
    disk.hangs(&[scene.path("a.yml")]);
    scene.write("b.yml", BOTH);
    let began = Instant::now();
    assert_eq!(
        scene.reread(),
        [
            format!("a.yml: broken ({HANGS})"),
            "b.yml: 41 42".to_owned()
        ]
    );
    assert!(began.elapsed() < 2 * LIMIT, "{:?}", began.elapsed());
    assert_eq!(
        scene.metrics("a.yml")[..2],
        [Some(0.0), Some(1.0)],
        "what it listed stays"
    );
    assert_eq!(scene.metrics("b.yml")[..2], [Some(1.0), Some(2.0)]);
    for content in [B, BOTH, B] {
        scene.write("b.yml", content);
        let began = Instant::now();
        assert_eq!(scene.reread().len(), 1, "b.yml alone");
        assert!(
            began.elapsed() < LIMIT / 2,
            "nobody waits: {:?}",
            began.elapsed()
        );
    }
    assert_eq!(
        disk.calls(&scene.path("a.yml")),
        1,
        "and it is not read again"
    );
    assert!(!scene.incomplete, "every file is known");
    disk.hangs(&[]);
    let mut reported = Vec::new();
    while reported.is_empty() {
        reported = scene.reread();
    }
    assert_eq!(reported, ["a.yml: 41"]);
    assert_eq!(scene.metrics("a.yml")[0], Some(1.0));
}

#[test]
fn a_file_that_hangs_and_is_removed_is_gone() {
    let mut scene = Scene::new("['*.yml']");
    scene.write("a.yml", A);
    scene.reread();
    let disk = scene.stuck();
    disk.hangs(&[scene.path("a.yml")]);
    assert_eq!(scene.reread(), [format!("a.yml: broken ({HANGS})")]);
    fs::remove_file(scene.path("a.yml")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: gone"]);
    disk.hangs(&[]);
    for _ in 0..20 {
        assert_eq!(
            scene.reread(),
            nothing(),
            "what the read found is of no use"
        );
        std::thread::yield_now();
    }
    assert_eq!(scene.metrics("a.yml"), [None; 3]);
}

#[test]
fn a_directory_that_hangs_keeps_its_files_and_not_the_others() {
    let mut scene = Scene::new("['d/*.yml', 'd/*.json', 'e/*.yml']");
    for directory in ["d", "e"] {
        fs::create_dir(scene.path(directory)).unwrap();
    }
    scene.write("d/a.yml", A);
    scene.write("e/b.yml", B);
    assert_eq!(scene.reread(), ["a.yml: 41", "b.yml: 42"]);
    let disk = scene.stuck();
    // As the pattern spells it, with a slash at its end.
    disk.hangs(&[scene.path("d")]);
    scene.write("e/b.yml", BOTH);
    let began = Instant::now();
    assert_eq!(
        scene.reread(),
        [
            "b.yml: 41 42".to_owned(),
            format!("a.yml: broken ({HANGS})")
        ]
    );
    assert!(began.elapsed() < 2 * LIMIT, "{:?}", began.elapsed());
    assert!(scene.incomplete, "there may be files that are not known");
    assert_eq!(scene.metrics("d/a.yml")[..2], [Some(0.0), Some(1.0)]);
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(scene.reread(), nothing());
        assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
    }
    assert_eq!(disk.calls(&scene.path("d")), 1, "for both patterns");
    disk.hangs(&[]);
    let mut reported = Vec::new();
    while reported.is_empty() || scene.incomplete {
        reported.extend(scene.reread());
    }
    assert_eq!(reported, ["a.yml: 41"]);
}

#[test]
fn a_thousand_files_that_hang_take_few_threads() {
    let mut scene = Scene::new("['d/*.yml', e.yml]");
    fs::create_dir(scene.path("d")).unwrap();
    let paths: Vec<_> = (0..500)
        .map(|n| scene.path(&format!("d/{n:04}.yml")))
        .collect();
    for path in &paths {
        fs::write(path, A).unwrap();
    }
    scene.write("e.yml", B);
    let disk = scene.stuck();
    disk.hangs(&paths);
    for wanted in [501, 0, 0] {
        assert_eq!(scene.reread().len(), wanted);
        assert_eq!(scene.metrics("e.yml")[0], Some(1.0));
        assert_eq!(scene.metrics("d/0499.yml")[0], Some(0.0));
    }
    let read: usize = paths.iter().map(|path| disk.calls(path)).sum();
    assert_eq!(read, HANGING_IN_DIRECTORY);
    disk.hangs(&[]);
}
