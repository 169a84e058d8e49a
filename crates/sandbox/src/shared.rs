//! What all clones of a sandbox share: the world, how it is played, and the file that keeps it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::clock::Clock;
use super::faults::Faults;
use super::open_questions::{AclContext, ExportAcl, OpenQuestions, SourceAddress};
use super::state_file::StateFile;
use super::world::World;
use super::{Options, SandboxError};
use tableferry_policy::arn::Partition;

/// The world and how it is played.
pub(super) struct Shared {
    pub(super) clock: Clock,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    /// What is played of the things that AWS leaves open.
    open_ends: Mutex<(SourceAddress, ExportAcl, AclContext)>,
    options: Options,
    /// Where the world is kept, for as long as this process plays it.
    state: Option<StateFile>,
    /// Held while the state file is written, so that an older world never replaces a newer one.
    saving: Mutex<()>,
}

impl Shared {
    pub(super) fn open(options: Options) -> Result<Self, SandboxError> {
        let clock = Clock::new(&options.clock_offset)?;
        let (state, kept) = take_state(&options)?;
        let is_new = kept.is_none();
        let mut world = if let Some(text) = kept {
            World::read(&text)?
        } else {
            let partition = options.partition.unwrap_or(Partition::Aws);
            let mut world = World::fresh(partition, clock.now())?;
            if let Some(items) = options.generated_items {
                world.add_generated_table(items);
            }
            world.add_bulk_tables(options.bulk_tables);
            world
        };
        check_partition(&world, &options)?;
        world.is_changed = is_new;
        Self::with(world, options, clock, state)
    }

    pub(super) fn of_world(world: &str, options: Options) -> Result<Self, SandboxError> {
        let clock = Clock::new(&options.clock_offset)?;
        let mut world = World::begin(world, clock.now())?;
        world.is_changed = true;
        let (state, _) = take_state(&options)?;
        Self::with(world, options, clock, state)
    }

    fn with(
        mut world: World,
        options: Options,
        clock: Clock,
        state: Option<StateFile>,
    ) -> Result<Self, SandboxError> {
        world.unprocessed_items = options.faults.unprocessed_items;
        let shared = Self {
            clock,
            world: Mutex::new(world),
            faults: Mutex::new(options.faults.clone()),
            open_ends: Mutex::new((
                options.source_address,
                options.export_acl,
                AclContext::default(),
            )),
            options,
            state,
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
        self.world().unprocessed_items = faults.unprocessed_items;
        *self.faults() = faults;
    }

    pub(super) fn set_open_ends(&self, source_address: SourceAddress, export_acl: ExportAcl) {
        let mut open_ends = self.open_ends();
        open_ends.0 = source_address;
        open_ends.1 = export_acl;
    }

    pub(super) fn set_acl_context(&self, acl_context: AclContext) {
        self.open_ends().2 = acl_context;
    }

    fn open_ends(&self) -> MutexGuard<'_, (SourceAddress, ExportAcl, AclContext)> {
        self.open_ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open_questions(&self) -> OpenQuestions {
        let (source_address, export_acl, acl_context) = *self.open_ends();
        OpenQuestions {
            job_length: self.options.job_length,
            most_exports: self.options.most_exports,
            policy_delay: self.faults().policy_delay,
            source_address,
            export_acl,
            acl_context,
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
        if self.state.is_none() {
            return Ok(());
        }
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || shared.save_now())
            .await
            .map_err(|error| SandboxError::Task(error.to_string()))?
    }

    /// The same, on a thread that may block.
    fn save_now(&self) -> Result<(), SandboxError> {
        let Some(state) = &self.state else {
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
        state.write(&text).inspect_err(|_| self.world().touch())
    }
}

/// Whether a world lies where the options want it.
fn check_partition(world: &World, options: &Options) -> Result<(), SandboxError> {
    match (options.partition, &options.state) {
        (Some(asked), Some(path)) if asked != world.partition => {
            Err(SandboxError::OtherPartition {
                path: path.clone(),
                kept: world.partition,
                asked,
            })
        }
        _ => Ok(()),
    }
}

/// The state file that the options name, and the text in it.
fn take_state(options: &Options) -> Result<(Option<StateFile>, Option<String>), SandboxError> {
    let Some(path) = &options.state else {
        return Ok((None, None));
    };
    let (state, text) = StateFile::open(path)?;
    Ok((Some(state), text))
}
