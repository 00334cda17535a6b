// `console` as a module.
() => globalThis.console
