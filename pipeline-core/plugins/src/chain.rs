//! Which versions events meet, in order.

use weir_event::journal::ChainMember;

use crate::version::Version;

pub fn members<'a>(versions: impl Iterator<Item = &'a Version>) -> Vec<ChainMember> {
    let is_deferred =
        |version: &Version| ["onEvent", "exportEvents", "onSnapshot"].iter().any(|method| version.has_method(method));
    versions
        .map(|version| ChainMember {
            plugin_id: version.identity.plugin_id.clone(),
            name: version.identity.name.clone(),
            version: version.identity.version.clone(),
            is_deferred: is_deferred(version),
        })
        .collect()
}

/// Equal for equal chains only.
pub fn hash(chain: &[ChainMember]) -> String {
    let mut hasher = blake3::Hasher::new();
    for member in chain {
        for part in [&member.plugin_id, &member.name, &member.version] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
