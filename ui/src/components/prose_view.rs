//! Text of a plugin's author, with its links.

use leptos::prelude::*;

use crate::prose::{Piece, pieces};

#[component]
pub fn Prose(text: String) -> impl IntoView {
    let piece = |piece| match piece {
        Piece::Text(text) => text.into_any(),
        Piece::Bold(text) => view! { <b>{text}</b> }.into_any(),
        Piece::Code(text) => view! { <code>{text}</code> }.into_any(),
        Piece::Link { text, url } => view! { <a href=url target="_blank" rel="noreferrer">{text}</a> }.into_any(),
    };
    pieces(&text).into_iter().map(piece).collect_view()
}
