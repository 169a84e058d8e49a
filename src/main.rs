//! Arguments, configuration, a front end, an exit code.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use mimalloc::MiMalloc;
use tableferry::args::{Args, Command, InventoryCommand, Output, PolicyCommand, SandboxCommand};
use tableferry::commands::{self, Exit, output};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let parsed = Args::try_parse().and_then(|args| args.check().map(|()| args));
    let args = match parsed {
        Ok(args) => args,
        // It quotes what was given, which may be anything.
        Err(error) if error.use_stderr() => {
            output::print_error(error.render().to_string().trim_end());
            return Exit::Usage.into();
        }
        Err(help) => help.exit(),
    };
    match start(args) {
        Ok(exit) => exit.into(),
        Err(error) => commands::failed(&error).into(),
    }
}

/// Commands that need no account are answered at once; the others on a runtime.
fn start(mut args: Args) -> anyhow::Result<Exit> {
    match args.command.take() {
        Some(Command::Completions { shell }) => {
            // Into memory first: the generator panics where it cannot write.
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "tableferry", &mut text);
            print(&text)
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut text)?;
            print(&text)
        }
        Some(Command::Simulate { file }) => {
            commands::simulate::run(file.as_deref(), output::json())
        }
        Some(Command::Explain(explain)) if !explain.needs_work() => {
            commands::explain::run(&explain, &args.global)
        }
        Some(Command::Policy(PolicyCommand::Lint { file, kind })) => {
            commands::lint::run(&file, kind, output::words())
        }
        Some(Command::Changes(changes)) if !changes.events.is_empty() && !changes.live => {
            Ok(commands::changes::changes_files(&changes))
        }
        Some(Command::Inventory(InventoryCommand::Show(show))) => {
            Ok(commands::inventory::show_configuration(&show))
        }
        Some(Command::Config(config)) => Ok(commands::config::config(&config, &args.global)),
        // Facts in a file are judged without an account.
        Some(Command::Check(check)) if check.facts.file.is_some() => Ok(
            match commands::open::limits(&args.global, check.output.output) {
                Ok(limits) => commands::check::check_file(&check, &limits),
                Err(exit) => exit,
            },
        ),
        Some(Command::Policies(policies)) if policies.facts.file.is_some() => {
            Ok(match commands::open::limits(&args.global, Output::Text) {
                Ok(limits) => commands::policies::policies_file(&policies, &limits),
                Err(exit) => exit,
            })
        }
        command => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            let exit = runtime.block_on(dispatch(command, args));
            // A question left open on the terminal must not keep the process.
            runtime.shutdown_background();
            exit
        }
    }
}

fn print(text: &[u8]) -> anyhow::Result<Exit> {
    let mut out = output::words();
    out.write_all(text)?;
    out.flush()?;
    Ok(Exit::Done)
}

async fn dispatch(command: Option<Command>, args: Args) -> anyhow::Result<Exit> {
    if let Some(Command::Sandbox(SandboxCommand::Serve {
        port,
        state,
        items,
        write_files,
    })) = command
    {
        let cancel = commands::cut_off_token()?;
        let global = &args.global;
        let world = (state, items);
        return Ok(commands::sandbox::serve(global, port, world, write_files, cancel).await);
    }
    if command.is_none() && !(std::io::stdin().is_terminal() && output::is_terminal()) {
        anyhow::bail!(
            "the wizard needs a terminal\n  hint: without one, `tableferry run PLAN --yes` runs a plan"
        );
    }
    let output = command.as_ref().map_or(Output::Text, Command::output);
    let work = match commands::open::open(&args.global, output) {
        Ok(work) => work,
        Err(exit) => return Ok(exit),
    };
    match command {
        Some(Command::Run(run)) => {
            Ok(commands::run::run(&work, &run, commands::cut_off_token()?).await)
        }
        Some(Command::Check(check)) => {
            Ok(commands::check::check(&work, &check, commands::cut_off_token()?).await)
        }
        Some(Command::Policies(policies)) => {
            let cancel = commands::cut_off_token()?;
            Ok(commands::policies::policies(&work, &policies, cancel).await)
        }
        Some(Command::Survey(survey)) => {
            Ok(commands::survey::survey(&work, &survey, commands::cut_off_token()?).await)
        }
        Some(Command::Apply(apply)) => {
            Ok(commands::apply::apply(&work, &apply, commands::cut_off_token()?).await)
        }
        Some(Command::Undo(undo)) => {
            Ok(commands::undo::undo(&work, &undo, commands::cut_off_token()?).await)
        }
        Some(Command::Resume(resume)) => {
            Ok(commands::resume::resume(&work, &resume, commands::cut_off_token()?).await)
        }
        Some(Command::Exports(exports)) => {
            Ok(commands::exports::exports(&work, &exports, commands::cut_off_token()?).await)
        }
        Some(Command::Watch(watch)) => {
            Ok(commands::watch::watch(&work, &watch, commands::cut_off_token()?).await)
        }
        Some(Command::Verify(verify)) => {
            Ok(commands::verify::verify(&work, &verify, commands::cut_off_token()?).await)
        }
        Some(Command::Explain(explain)) => {
            commands::explain::explain_live(&work, &explain, commands::cut_off_token()?).await
        }
        Some(Command::Changes(changes)) => {
            Ok(commands::changes::changes(&work, &changes, commands::cut_off_token()?).await)
        }
        Some(Command::History(history)) => Ok(commands::history::history(&work, &history).await),
        Some(Command::Report(report)) => commands::audit_report::audit_report(&work, &report),
        Some(Command::Archives(archives)) => {
            let cancel = commands::cut_off_token()?;
            Ok(commands::archives::archives(&work, &archives, cancel).await)
        }
        Some(Command::Athena(athena)) => {
            commands::athena::athena(&work, &athena, commands::cut_off_token()?).await
        }
        Some(Command::Fetch(fetch)) => {
            Ok(commands::fetch::fetch(&work, &fetch, commands::cut_off_token()?).await)
        }
        Some(Command::Inventory(command)) => {
            let cancel = commands::cut_off_token()?;
            Ok(commands::inventory::inventory(&work, &command, cancel).await)
        }
        Some(Command::Profiles(output)) => Ok(commands::profiles::profiles(&work, output)),
        _ => commands::wizard::wizard(work, args.plan).await,
    }
}
