//! The whole page when this browser has no session.

use leptos::prelude::*;

use crate::components::topbar::Logo;

#[component]
pub fn Locked() -> impl IntoView {
    view! {
        <main class="locked" data-testid="locked">
            <div class="locked-card">
                <Logo/>
                <h1>"This studio is locked"</h1>
                <p>
                    "Open the link that " <code>"weir"</code>
                    " printed in the terminal. It looks like this and holds a one-time code:"
                </p>
                <pre class="code-line">{format!("{}/#code=…", location().origin().unwrap_or_default())}</pre>
                <p class="muted">
                    "Used the code already, or lost the line? Start "
                    <code>"weir"</code> " again and it prints a fresh link. "
                    "Once the link is open in this browser, this page unlocks by itself."
                </p>
            </div>
        </main>
    }
}
