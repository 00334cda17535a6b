//! The little Markdown of `plugin.json`: hints and blocks of text, as pieces to render. Links, code and
//! bold are known; everything else stays the text it is.

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Bold(String),
    Code(String),
    /// Only `http` and `https`: a plugin must not put a script behind a word.
    Link {
        text: String,
        url: String,
    },
}

pub fn pieces(markdown: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = markdown;
    while let Some(letter) = rest.chars().next() {
        let found = match letter {
            '[' => link(rest),
            '`' => between(rest, "`").map(|(text, rest)| (Piece::Code(text), rest)),
            '*' => between(rest, "**").map(|(text, rest)| (Piece::Bold(text), rest)),
            _ => None,
        };
        if let Some((piece, after)) = found {
            if !plain.is_empty() {
                out.push(Piece::Text(std::mem::take(&mut plain)));
            }
            out.push(piece);
            rest = after;
        } else {
            plain.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        out.push(Piece::Text(plain));
    }
    out
}

fn between<'a>(text: &'a str, mark: &str) -> Option<(String, &'a str)> {
    let (inner, rest) = text.strip_prefix(mark)?.split_once(mark)?;
    (!inner.is_empty()).then(|| (inner.to_owned(), rest))
}

fn link(text: &str) -> Option<(Piece, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, rest) = rest.split_once(')')?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_one_link = !label.contains(['[', '\n']);
    (is_web && is_one_link).then(|| (Piece::Link { text: label.to_owned(), url: url.to_owned() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_marks_become_pieces() {
        let found = pieces("Get a **key** [here](https://example.com/a), as `id`.");
        let text = |text: &str| Piece::Text(text.into());
        let link = Piece::Link { text: "here".into(), url: "https://example.com/a".into() };
        let want = [
            text("Get a "),
            Piece::Bold("key".into()),
            text(" "),
            link,
            text(", as "),
            Piece::Code("id".into()),
            text("."),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn the_rest_stays_text() {
        for text in ["[x](javascript:alert(1))", "2 * 3 ** 4", "`open", "[a] (b)", "é[", "****"] {
            assert_eq!(pieces(text), [Piece::Text(text.into())], "{text}");
        }
    }
}
