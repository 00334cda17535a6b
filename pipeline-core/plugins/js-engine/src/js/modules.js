// CommonJS for plugins that use it, and the rule by which a plugin's functions are found.
(engine) => {
    const { host } = engine;
    const loaded = new Map();
    const scheme = "weir:provided/";

    // A provided module's file holds a function of `engine` and of a `require` that knows the other
    // provided modules; it runs when the module is first asked for.
    const held = new Map();
    const underway = new Set();
    const provide = (file) => {
        if (held.has(file)) return held.get(file);
        if (underway.has(file)) throw new Error(`engine: ${file} requires itself`);
        underway.add(file);
        let exported;
        if (file.startsWith("cloud/")) {
            // These are written as CommonJS, and were tried as such beside the real clients.
            const module = { exports: {} };
            host.provided(file)(engine.provide, module, module.exports);
            exported = module.exports;
        } else {
            exported = host.provided(file)(engine, engine.provide);
        }
        underway.delete(file);
        held.set(file, exported);
        return exported;
    };
    engine.provide = (name) => {
        const file = host.providedFile(name);
        if (file === undefined) throw new Error(`engine: no provided module ${name}`);
        return provide(file);
    };

    const requireFrom = (importer) => (specifier) => {
        const path = host.resolve(importer, String(specifier));
        if (path === undefined) {
            throw new Error(
                `Cannot import '${specifier}'! This package is not provided by PostHog in plugins.`,
            );
        }
        return engine.require(path);
    };

    // Returns what the file left in `module.exports`, running it at most once.
    engine.require = (path) => {
        if (path.startsWith(scheme)) return provide(path.slice(scheme.length));
        const known = loaded.get(path);
        if (known !== undefined) return known.exports;
        const module = { exports: {} };
        loaded.set(path, module);
        if (path.endsWith(".json")) {
            module.exports = engine.parse(host.fileCode(path));
        } else {
            module.topLevel = host.evaluate(path)(module.exports, requireFrom(path), module);
        }
        return module.exports;
    };
    engine.topLevel = (path) => loaded.get(path)?.topLevel ?? {};
    Object.defineProperty(globalThis, Symbol.for("weir.require"), { value: engine.require });

    // A module may use the CommonJS names as well, as transpiled plugins do.
    engine.openCommonJs = (entry) => {
        const module = { exports: {} };
        Object.assign(globalThis, { module, exports: module.exports, require: requireFrom(entry) });
        return module;
    };

    const known = [
        "setupPlugin", "teardownPlugin", "processEvent", "processEventBatch",
        "onEvent", "onSnapshot", "exportEvents", "composeWebhook", "getSettings",
    ];
    const schedules = ["runEveryMinute", "runEveryHour", "runEveryDay"];

    // Exports first, then the default export, then `module.exports`; plain top-level functions only if
    // none of these holds anything.
    engine.adopt = (namespace, module, topLevel) => {
        const names = [...known, ...schedules, "jobs"];
        const pick = (places) => {
            const found = {};
            for (const name of names) {
                const place = places.find((place) => place?.[name] !== undefined && place[name] !== null);
                if (place) found[name] = place[name];
            }
            return found;
        };
        let methods = pick([namespace, namespace?.default, module.exports, module.exports?.default]);
        if (Object.keys(methods).length === 0) methods = pick([topLevel]);
        if (methods.processEvent === undefined && typeof methods.processEventBatch === "function") {
            const batch = methods.processEventBatch;
            methods.processEvent = (event, meta) => {
                const result = batch([event], meta);
                return typeof result?.then === "function" ? result.then((list) => list?.[0]) : result?.[0];
            };
        }
        engine.methods = methods;
        return [
            Object.keys(methods).filter((name) => known.includes(name) && typeof methods[name] === "function"),
            schedules.filter((name) => typeof methods[name] === "function"),
            Object.keys(methods.jobs ?? {}),
        ];
    };
}
