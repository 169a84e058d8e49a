//! What the keys of the Encryption step do, and what is suggested.

use super::state::{Suggestion, key_text, kms};
use crate::assess::facts::Fact;
use crate::job::{Encryption, KeyRef};
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::Model;
use crate::tui::popups::state::{Popup, TypedPurpose};
use crate::tui::services::ShownProblem;
use crate::work::event::Side;
use tableferry_policy::arn::Arn;

/// What the bucket's own default encryption suggests.
pub(crate) fn suggestion(model: &Model) -> Suggestion {
    if model.flow.leaves_encryption {
        return Suggestion {
            encryption: Some(Encryption::BucketDefault),
            why: "The bucket's default is suggested: what names no encryption gets it. Name \
                  another only where it is sent."
                .to_owned(),
        };
    }
    let Some(facts) = model.destination.facts.value() else {
        return Suggestion {
            encryption: Some(Encryption::Aes256),
            why: "The bucket could not be read, so its default encryption is unknown. AES256 is \
                  DynamoDB's default; a bucket that demands KMS refuses it."
                .to_owned(),
        };
    };
    let default = match &facts.encryption {
        Fact::Known { value, .. } => value,
        other => {
            let why = other.obstacle("s3:GetEncryptionConfiguration");
            let why = why.map_or_else(String::new, |error| error.code_or_detail().to_owned());
            return Suggestion {
                encryption: Some(Encryption::Aes256),
                why: format!(
                    "The bucket's default encryption is unknown ({why}). AES256 is DynamoDB's \
                     default; a bucket that demands KMS refuses it."
                ),
            };
        }
    };
    if !default.algorithm.starts_with("aws:kms") {
        return Suggestion {
            encryption: Some(Encryption::Aes256),
            why: "AES256 is suggested: it is what the bucket encrypts with by default, and needs \
                  no permission on a key."
                .to_owned(),
        };
    }
    match &default.key {
        Some(key) => default_key(model, key),
        None => Suggestion {
            encryption: Some(Encryption::Aes256),
            why: "AES256 is suggested: the bucket's default is the AWS managed key aws/s3, which \
                  cannot be used from another account."
                .to_owned(),
        },
    }
}

fn default_key(model: &Model, key: &str) -> Suggestion {
    match resolve(model, key) {
        Some(arn) => Suggestion {
            encryption: Some(kms(arn)),
            why: "KMS is suggested: the bucket encrypts with this key by default. The exporting \
                  principal needs kms:GenerateDataKey and kms:Decrypt on it, in its own policy and \
                  in the key's."
                .to_owned(),
        },
        None => Suggestion {
            encryption: None,
            why: format!(
                "The bucket encrypts with the key {key} by default, whose full ARN could not be \
                 read. Type it with t, or choose AES256 if the bucket takes it."
            ),
        },
    }
}

/// The full ARN of a key that a bucket names by ARN, id or alias.
fn resolve(model: &Model, key: &str) -> Option<KeyRef> {
    let is_key_arn = |arn: &Arn| arn.resource.starts_with("key/");
    if key.parse::<Arn>().is_ok_and(|arn| is_key_arn(&arn)) {
        return key.parse().ok();
    }
    let name = key.rsplit_once(':').map_or(key, |(_, name)| name);
    let keys = model.encryption.keys.value()?;
    keys.iter()
        .find(|known| {
            known.aliases.iter().any(|alias| alias == name)
                || known.arn.resource_after("key") == Some(name)
        })
        .map(|known| (&known.arn).into())
}

/// Drops what another identity, bucket or flow stood for.
pub(crate) fn drop_outdated(model: &mut Model) -> Vec<Effect> {
    let basis = (
        model.accounts.destination.revision,
        model.destination.revision,
        model.flow_revision,
    );
    model.encryption.offers_default = model.flow.leaves_encryption;
    if std::mem::replace(&mut model.encryption.basis, basis) == basis {
        return Vec::new();
    }
    model.encryption.forget();
    vec![Effect::Cancel(QueryGroup::Keys)]
}

/// What entering the step sets off.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    suggest(model);
    if model.encryption.keys.is_not_asked() {
        reload(model)
    } else {
        Vec::new()
    }
}

fn reload(model: &mut Model) -> Vec<Effect> {
    let Some(region) = model.destination.region().cloned() else {
        return Vec::new();
    };
    if model.identified(Side::Destination).is_none() {
        return Vec::new();
    }
    let request = model.request();
    model.encryption.keys.ask(request);
    vec![Effect::Ask(request, QueryGroup::Keys, Query::Keys(region))]
}

/// Takes over the suggestion where nothing was chosen.
pub(crate) fn suggest(model: &mut Model) {
    if model.encryption.choice.is_none() {
        model.encryption.choice = suggestion(model).encryption;
    }
    model.encryption.place_cursor();
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let step = &model.encryption;
    match action {
        Action::Choose => step
            .row()
            .is_some_and(|row| Some(row.encryption()) != step.choice),
        Action::Reload => model.identified(Side::Destination).is_some(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Choose => {
            if let Some(row) = model.encryption.row() {
                model.encryption.choice = Some(row.encryption());
                model.encryption.place_cursor();
            }
        }
        Action::Type => {
            let key = model.encryption.choice.as_ref().and_then(Encryption::key);
            let popup = Popup::typed(TypedPurpose::Key, key.unwrap_or_default());
            model.open(popup);
        }
        Action::Reload => return reload(model),
        _ => {}
    }
    Vec::new()
}

/// What is wrong with the choice.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    let blocked = |what: String, hint: &str| {
        Err(ShownProblem {
            what,
            hint: hint.to_owned(),
        })
    };
    let key = match &model.encryption.choice {
        None => return blocked("nothing is chosen yet".to_owned(), "choose with Enter"),
        Some(Encryption::Aes256 | Encryption::BucketDefault) => return Ok(()),
        Some(Encryption::Kms { key }) => key_text(key.as_ref()),
    };
    let Some(arn) = key
        .parse::<Arn>()
        .ok()
        .filter(|arn| arn.resource.starts_with("key/"))
    else {
        if model.is_cross_account() == Some(false) {
            return Ok(());
        }
        return blocked(
            format!("{key} is no key's full ARN"),
            "an alias or id means a key of the exporting account; type the ARN with t",
        );
    };
    if let Some(region) = model
        .destination
        .region()
        .filter(|region| region.as_str() != arn.region)
    {
        return blocked(
            format!("the key is in {}, the bucket in {region}", arn.region),
            "choose a key of the bucket's Region",
        );
    }
    match model.encryption.key(key) {
        Some(known) if known.is_aws_managed && model.is_cross_account() != Some(false) => blocked(
            "an AWS managed key cannot be used from another account".to_owned(),
            "choose a customer managed key, or AES256",
        ),
        Some(known) if known.state != "Enabled" => blocked(
            format!("the key's state is {}", known.state),
            "enable it, then press r; or choose another",
        ),
        _ => Ok(()),
    }
}
