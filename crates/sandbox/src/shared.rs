//! What all clones of a sandbox share: the world, how it is played, and the file that keeps it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::call::Play;
use super::context::{ExportAcl, SourceAddress};
use super::faults::Faults;
use super::world::World;
use super::{Options, SandboxError};

/// The world and how it is played.
pub(super) struct Shared {
    world: Mutex<World>,
    faults: Mutex<Faults>,
    /// What is played of the things that AWS leaves open.
    open_ends: Mutex<(SourceAddress, ExportAcl)>,
    options: Options,
    /// Held for as long as this process plays the world of the state file.
    _lock: Option<File>,
    /// Held while the state file is written, so that an older world never replaces a newer one.
    saving: Mutex<()>,
}

impl Shared {
    pub(super) fn open(options: Options) -> Result<Self, SandboxError> {
        let lock = options.state.as_deref().map(lock).transpose()?;
        let kept = options.state.as_deref().map(read).transpose()?.flatten();
        let is_new = kept.is_none();
        let mut world = match kept {
            Some(world) => world,
            None => World::fresh(Timestamp::now())?,
        };
        world.is_changed = is_new;
        Self::with(world, options, lock)
    }

    pub(super) fn of_world(world: &str, options: Options) -> Result<Self, SandboxError> {
        let mut world = World::begin(world, Timestamp::now())?;
        world.is_changed = true;
        let lock = options.state.as_deref().map(lock).transpose()?;
        Self::with(world, options, lock)
    }

    fn with(world: World, options: Options, lock: Option<File>) -> Result<Self, SandboxError> {
        let shared = Self {
            world: Mutex::new(world),
            faults: Mutex::new(options.faults.clone()),
            open_ends: Mutex::new((options.source_address, options.export_acl)),
            options,
            _lock: lock,
            saving: Mutex::new(()),
        };
        // A file that cannot be written shows now, and not when something is lost.
        shared.save_now()?;
        Ok(shared)
    }

    /// The world; it is never held across an await.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *self.faults() = faults;
    }

    pub(super) fn set_open_ends(&self, source_address: SourceAddress, export_acl: ExportAcl) {
        *self
            .open_ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = (source_address, export_acl);
    }

    pub(super) fn play(&self) -> Play {
        let (source_address, export_acl) = *self
            .open_ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Play {
            job_length: self.options.job_length,
            policy_delay: self.faults().policy_delay,
            source_address,
            export_acl,
        }
    }

    /// Takes the steps of jobs that are due; off the runtime's threads, since files are compressed.
    pub(super) async fn advance(self: &Arc<Self>, now: Timestamp) {
        if !self.world().has_due_steps(now) {
            return;
        }
        let shared = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || shared.world().advance(now));
        if let Err(error) = work.await {
            tracing::error!(%error, "the sandbox could not advance its jobs");
        }
    }

    /// Writes the world into the state file, if it changed since.
    pub(super) async fn save(self: &Arc<Self>) -> Result<(), SandboxError> {
        if self.options.state.is_none() {
            return Ok(());
        }
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || shared.save_now())
            .await
            .map_err(|error| SandboxError::Task(error.to_string()))?
    }

    /// The same, on a thread that may block.
    fn save_now(&self) -> Result<(), SandboxError> {
        let Some(path) = &self.options.state else {
            return Ok(());
        };
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let text = {
            let mut world = self.world();
            if !std::mem::take(&mut world.is_changed) {
                return Ok(());
            }
            serde_json::to_string(&*world).map_err(SandboxError::World)?
        };
        write(path, &text).map_err(|source| {
            self.world().touch();
            state_error("write", path, source)
        })
    }
}

fn state_error(deed: &'static str, path: &Path, source: std::io::Error) -> SandboxError {
    SandboxError::State {
        deed,
        path: PathBuf::from(path),
        source,
    }
}

/// Takes the state file for this process alone: the whole world is kept in memory and written as a
/// whole, so that two processes would undo each other's changes without a word. The lock is a file
/// beside it, since the state file itself is replaced at every write. The operating system gives it up
/// when its holder ends, however it ends.
fn lock(path: &Path) -> Result<File, SandboxError> {
    let beside = beside(path, ".lock");
    let told = |source| state_error("write", path, source);
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&beside).map_err(told)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(told(source)),
    }
}

/// A file beside another.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Reads a state file; `None` where there is none.
fn read(path: &Path) -> Result<Option<World>, SandboxError> {
    match std::fs::read_to_string(path) {
        Ok(text) => World::read(&text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(state_error("read", path, error)),
    }
}

/// Writes a state file beside the old one and puts it in its place; it holds secrets, so nobody
/// else may read it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = beside(path, ".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
