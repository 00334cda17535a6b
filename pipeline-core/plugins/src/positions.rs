//! From a position in the code that runs to the position in the text its author wrote.

use std::collections::HashMap;

use weir_api::plugin::Diagnostic;

/// Frames of files with this prefix belong to the engine.
const ENGINE_FILES: &str = "weir:";

/// How one file was changed on its way into the engine.
#[derive(Debug, Clone, Default)]
pub struct FileMap {
    /// Lines put before the text.
    pub lines_before: u32,
    /// (generated line, column, original line, column), from 0, in order; `None` when the text is as
    /// written.
    pub table: Option<Vec<[u32; 4]>>,
}

impl FileMap {
    /// Positions from 1, as people and engines write them.
    fn original(&self, line: u32, column: u32) -> (u32, u32) {
        let line = line.saturating_sub(self.lines_before).max(1);
        let Some(table) = &self.table else { return (line, column) };
        let wanted = (line - 1, column.saturating_sub(1));
        let next = table.partition_point(|entry| (entry[0], entry[1]) <= wanted);
        match next.checked_sub(1).and_then(|at| table.get(at)) {
            Some(entry) => (entry[2] + 1, entry[3] + 1),
            None => (line, column),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

/// The files of one version, with their text for excerpts.
#[derive(Debug, Default)]
pub struct Positions {
    files: HashMap<String, (FileMap, String)>,
}

impl Positions {
    pub fn insert(&mut self, path: &str, map: FileMap, text: String) {
        self.files.insert(path.to_owned(), (map, text));
    }

    /// The stack as its author would expect it: original positions, no frames of the engine.
    pub fn stack(&self, stack: &str) -> (String, Option<Place>) {
        let mut first = None;
        let mut lines = Vec::new();
        for line in stack.lines() {
            let Some((before, place, after)) = split_frame(line) else {
                lines.push(line.to_owned());
                continue;
            };
            if place.file.starts_with(ENGINE_FILES) {
                continue;
            }
            let place = self.place(place);
            lines.push(format!("{before}{}:{}:{}{after}", place.file, place.line, place.column));
            first.get_or_insert(place);
        }
        (lines.join("\n"), first)
    }

    fn place(&self, generated: Place) -> Place {
        let Some((map, _)) = self.files.get(&generated.file) else { return generated };
        let (line, column) = map.original(generated.line, generated.column);
        Place { file: generated.file, line, column }
    }

    /// `message (file:line:column)`, and the stack below it.
    pub fn describe(&self, message: &str, stack: &str) -> (String, String) {
        let (stack, first) = self.stack(stack);
        let short = match first {
            Some(place) => format!("{message} ({}:{}:{})", place.file, place.line, place.column),
            None => message.to_owned(),
        };
        let long = if stack.is_empty() { message.to_owned() } else { format!("{message}\n{stack}") };
        (short, long)
    }

    pub fn diagnostic(&self, message: String, stack: &str, entry: &str) -> Diagnostic {
        let place = self.stack(stack).1.unwrap_or(Place { file: entry.to_owned(), line: 0, column: 0 });
        let text = self.files.get(&place.file).map_or("", |(_, text)| text);
        Diagnostic {
            message,
            excerpt: excerpt(text, place.line),
            file: place.file,
            line: place.line,
            column: place.column,
            hint: None,
        }
    }
}

/// Line `line` (from 1) of `text`, without the white space around it.
pub fn excerpt(text: &str, line: u32) -> String {
    let index = (line as usize).wrapping_sub(1);
    text.lines().nth(index).map_or_else(String::new, |line| line.trim().chars().take(200).collect())
}

/// (line, column), both from 1, of a byte offset; columns count characters.
pub fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() as u32 + 1, before[line_start..].chars().count() as u32 + 1)
}

/// Splits `    at name (file:1:2)` or `    at file:1:2` around the position.
fn split_frame(line: &str) -> Option<(&str, Place, &str)> {
    let body_at = line.find("at ")? + 3;
    let (start, end) = match line.rfind('(') {
        Some(open) if line.ends_with(')') => (open + 1, line.len() - 1),
        _ => (body_at, line.len()),
    };
    let mut parts = line[start..end].rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    let file = parts.next()?.to_owned();
    Some((&line[..start], Place { file, line: number, column }, &line[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_mapped_and_engine_frames_left_out() {
        let mut positions = Positions::default();
        let map = FileMap { lines_before: 1, table: Some(vec![[0, 0, 4, 0], [2, 0, 9, 3], [2, 8, 9, 20]]) };
        positions.insert("index.ts", map, "\n".repeat(20));
        let stack = "    at f (index.ts:4:5)\n    at <anonymous> (weir:engine/run.js:40:3)\n";
        let (stack, first) = positions.stack(stack);
        assert_eq!(stack, "    at f (index.ts:10:4)");
        assert_eq!(first, Some(Place { file: "index.ts".into(), line: 10, column: 4 }));
    }

    #[test]
    fn offsets_become_lines_and_columns() {
        assert_eq!(line_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_column("ab", 0), (1, 1));
    }
}
