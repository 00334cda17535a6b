//! Which chains of plugins the model can run for itself.
//!
//! A chain is predicted when each of its plugins has a twin of its very files. A twin that keeps something from event
//! to event goes on with it as long as its version stays; begun in the middle it would know less than its plugin.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use weir_event::journal::ChainMember;
use weir_oracle::{Oracle, Twin, twins};
use weir_plugins::PluginHost;

type Version = (String, String);

#[derive(Default)]
pub struct Prediction {
    /// The chain whose twins the model has now, and whether it can be predicted.
    current: Option<(String, bool)>,
    /// Whose twins those are.
    members: Vec<Version>,
    /// Twins that wait for a chain that has them.
    spare: HashMap<Version, Box<dyn Twin>>,
    /// Plugins that have met events.
    met: HashSet<String>,
}

impl Prediction {
    /// Whether the model runs the plugins of this chain itself.
    pub fn follows(&mut self, oracle: &mut Oracle, host: &PluginHost, hash: &str, chain: &[ChainMember]) -> bool {
        if let Some((known, is_predicted)) = &self.current
            && known == hash
        {
            return *is_predicted;
        }
        let before = std::mem::take(&mut self.members).into_iter().zip(oracle.set_twins(Vec::new()));
        self.spare.extend(before);
        let twins = self.twins_of(host, chain);
        self.met.extend(chain.iter().map(|member| member.plugin_id.clone()));
        let is_predicted = twins.is_some();
        let (members, twins) = twins.unwrap_or_default().into_iter().unzip();
        self.members = members;
        oracle.set_twins(twins);
        self.current = Some((hash.to_owned(), is_predicted));
        is_predicted
    }

    fn twins_of(&mut self, host: &PluginHost, chain: &[ChainMember]) -> Option<Vec<(Version, Box<dyn Twin>)>> {
        let views = host.views();
        let mut twins = Vec::new();
        for member in chain {
            let view = views.iter().find(|view| view.id == member.plugin_id && view.version == member.version)?;
            if !view.methods.iter().any(|method| method == "processEvent") {
                continue;
            }
            let version = (member.plugin_id.clone(), member.version.clone());
            let twin = if let Some(twin) = self.spare.remove(&version) {
                twin
            } else {
                let (_, config) = host.configuration(&member.plugin_id).ok()?;
                let dir = Path::new(&view.dir);
                let twin = twins::twin(|path| std::fs::read_to_string(dir.join(path)).ok(), &config)?;
                if twin.keeps_state() && self.met.contains(&member.plugin_id) {
                    return None;
                }
                twin
            };
            twins.push((version, twin));
        }
        Some(twins)
    }
}
