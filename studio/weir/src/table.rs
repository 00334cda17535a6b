//! Rows in columns, for people.

use std::io::Write;

use serde_json::Value;

/// Longer cells are cut.
const WIDEST: usize = 60;

pub fn print(out: &mut impl Write, columns: &[String], rows: &[Vec<String>]) -> std::io::Result<()> {
    let cut = |cell: &String| -> String {
        if cell.chars().count() > WIDEST {
            cell.chars().take(WIDEST - 1).chain(['…']).collect()
        } else {
            cell.clone()
        }
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cut).collect()).collect();
    let width = |(column, name): (usize, &String)| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([name.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(width).collect();
    let mut line = |cells: &[String]| -> std::io::Result<()> {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(columns)?;
    line(&widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>())?;
    rows.iter().try_for_each(|row| line(row))
}

/// The same of values: text as it is, anything else as JSON.
pub fn print_values(out: &mut impl Write, columns: &[String], rows: &[Vec<Value>]) -> std::io::Result<()> {
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    print(out, columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_long_cells_are_cut() {
        let mut out = Vec::new();
        let text = |text: &str| text.to_owned();
        let rows = [vec![text("é"), text("1")], vec![text("long"), "x".repeat(80)]];
        print(&mut out, &[text("id"), text("n")], &rows).expect("memory takes it");
        let out = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines[0], lines[2]), ("id    n", "é     1"));
        assert_eq!(lines[1], format!("{}  {}", "─".repeat(4), "─".repeat(60)));
        assert!(lines[3].ends_with('…') && lines[3].chars().count() == 66, "{}", lines[3]);
    }
}
