// `@posthog/plugin-scaffold`, and `posthog-plugins` as it was called before: types, and one class.
() => ({ RetryError: globalThis.RetryError })
