//! Icons as paths on a 16 × 16 grid, drawn with the text colour.

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Play,
    Stop,
    Pause,
    Sun,
    Moon,
    Copy,
    Check,
    Close,
    Search,
    Alert,
    Folder,
    Up,
    Down,
    Trash,
}

impl Shape {
    const fn path(self) -> &'static str {
        match self {
            Self::Play => "M5 3.2v9.6L12.8 8z",
            Self::Stop => "M4 4h8v8H4z",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Sun => {
                "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13"
            }
            Self::Moon => "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z",
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Check => "M3 8.5 6.5 12 13 4.5",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3 13.5 13.5",
            Self::Alert => "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.5v.2",
            Self::Folder => "M1.5 3.5h4.5l1.5 2h7v7.5h-13z",
            Self::Up => "M3.5 10 8 5.5l4.5 4.5",
            Self::Down => "M3.5 6 8 10.5 12.5 6",
            Self::Trash => "M2.5 4.5h11M6 4.5V2.8h4v1.7M4 4.5l.7 9h6.6l.7-9M6.8 7v4.2M9.2 7v4.2",
        }
    }

    const fn filled(self) -> bool {
        matches!(self, Self::Play | Self::Stop)
    }
}

#[component]
pub fn Icon(#[prop(into)] shape: Signal<Shape>) -> impl IntoView {
    view! {
        <svg class="icon" class:icon-filled=move || shape.get().filled() viewBox="0 0 16 16" aria-hidden="true">
            <path d=move || shape.get().path()></path>
        </svg>
    }
}
