//! Which lines of a plugin's log are shown.

use weir_api::plugin::PluginLogLine;

/// The least severe level that is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    All,
    Info,
    Warn,
    Error,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::All, Self::Info, Self::Warn, Self::Error];

    pub const fn title(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Info => "Info and up",
            Self::Warn => "Warnings and errors",
            Self::Error => "Errors",
        }
    }

    /// `console.log` counts as information.
    fn of(name: &str) -> Self {
        match name {
            "ERROR" => Self::Error,
            "WARN" => Self::Warn,
            "DEBUG" => Self::All,
            _ => Self::Info,
        }
    }
}

/// `search` is in any letter case.
pub fn fits(line: &PluginLogLine, least: Level, search: &str) -> bool {
    Level::of(&line.level) >= least
        && (search.is_empty() || line.message.to_lowercase().contains(&search.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_shows_itself_and_what_is_worse() {
        let line = |level: &str| PluginLogLine { level: level.into(), ..PluginLogLine::default() };
        let shown = |least| ["DEBUG", "LOG", "INFO", "WARN", "ERROR"].map(|level| fits(&line(level), least, ""));
        assert_eq!(shown(Level::All), [true; 5]);
        assert_eq!(shown(Level::Info), [false, true, true, true, true]);
        assert_eq!(shown(Level::Warn), [false, false, false, true, true]);
        assert_eq!(shown(Level::Error), [false, false, false, false, true]);
    }

    #[test]
    fn search_ignores_case() {
        let line = PluginLogLine { message: "Rate LIMIT hit".into(), ..PluginLogLine::default() };
        assert!(fits(&line, Level::All, "limit") && !fits(&line, Level::All, "limits"));
    }
}
