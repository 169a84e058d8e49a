//! `policies` against the sandbox: what it writes is taken by AWS, and fixes the plan.

mod documents;
mod principals;
mod scripts;
