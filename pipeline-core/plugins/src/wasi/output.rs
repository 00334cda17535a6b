//! Standard output and standard error of a component, as lines.

/// A longer line is told in parts.
const LINE_BYTES: usize = 16 << 10;

/// What a component has written to one of its outputs since its last line ended.
#[derive(Debug, Default)]
pub struct Output(Vec<u8>);

impl Output {
    /// The lines that these bytes complete.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.take_in(&bytes[..end], &mut lines);
            lines.push(self.text());
            bytes = &bytes[end + 1..];
        }
        self.take_in(bytes, &mut lines);
        lines
    }

    /// The line that was begun and will not be ended.
    pub fn rest(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.text())
    }

    fn take_in(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        self.0.extend(bytes);
        while self.0.len() > LINE_BYTES {
            let after = self.0.split_off(LINE_BYTES);
            lines.push(self.text());
            self.0 = after;
        }
    }

    fn text(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.0).into_owned();
        self.0.clear();
        text
    }
}

/// The last words of Rust code that panicked: `message (file:line:column)`.
#[derive(Debug, Default)]
pub struct LastWords {
    place: String,
    message: Vec<String>,
}

impl LastWords {
    /// Rust writes where, then what, then a note on backtraces.
    pub fn hear(&mut self, line: &str) {
        if let Some((who, place)) = line.split_once("panicked at ")
            && who.trim_start().starts_with("thread ")
        {
            place.trim_end_matches(':').clone_into(&mut self.place);
            self.message.clear();
        } else if !self.place.is_empty() && !line.starts_with("note: ") && self.message.len() < 20 {
            self.message.push(line.to_owned());
        }
    }

    pub fn take(&mut self) -> Option<String> {
        let place = std::mem::take(&mut self.place);
        let message = std::mem::take(&mut self.message).join("\n");
        (!place.is_empty()).then(|| format!("panic: {} ({place})", message.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_however_they_are_cut() {
        let mut output = Output::default();
        assert!(output.push(b"he").is_empty());
        assert_eq!(output.push(b"llo\n\nwor"), ["hello", ""]);
        assert_eq!(output.rest().as_deref(), Some("wor"));
        assert_eq!(output.rest(), None);
        let parts = output.push(&vec![b'x'; 40_000]);
        assert_eq!(parts.iter().map(String::len).sum::<usize>() + output.rest().map_or(0, |rest| rest.len()), 40_000);
        assert!(parts.iter().all(|part| part.len() <= LINE_BYTES));
    }

    #[test]
    fn a_panic_is_told_with_its_place() {
        let mut words = LastWords::default();
        for line in ["thread '<unnamed>' (1) panicked at src/lib.rs:5:9:", "index out of bounds", "note: run with"] {
            words.hear(line);
        }
        assert_eq!(words.take().as_deref(), Some("panic: index out of bounds (src/lib.rs:5:9)"));
        assert_eq!(words.take(), None);
    }
}
