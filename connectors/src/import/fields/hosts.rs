//! Hosts that cannot be put together of inputs here: one input for the whole of each.

use super::Fields;
use serde_json::json;

impl Fields {
    /// Our name for the input that stands for a whole `host` with inputs. The same host has one.
    pub(in crate::import) fn whole_host(&mut self, host: &str, names: &[String]) -> String {
        if let Some((_, name, _)) = self.hosts.iter().find(|(known, ..)| known == host) {
            return name.clone();
        }
        let taken = |name: &str| {
            self.hosts.iter().any(|(_, known, _)| known == name) || self.config.keys().any(|k| super::ours(k) == name)
        };
        let name = ["host", "host_2", "host_3", "host_4"].into_iter().find(|name| !taken(name)).unwrap_or("whole_host");
        let plain = host.split(':').next().unwrap_or(host);
        let description = format!("The whole host name, of the form {plain}.");
        let variable = json!({"type": "host", "title": "Host", "description": super::line(&description, 300)});
        self.replaced.extend(names.iter().cloned());
        self.hosts.push((host.to_owned(), name.to_owned(), variable));
        name.to_owned()
    }
}
