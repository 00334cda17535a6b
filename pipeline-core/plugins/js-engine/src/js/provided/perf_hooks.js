// `perf_hooks`: only the clock.
() => ({ performance: globalThis.performance, constants: {} })
