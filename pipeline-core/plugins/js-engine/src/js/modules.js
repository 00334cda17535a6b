// CommonJS for plugins that use it, and the rule by which a plugin's functions are found.
(engine) => {
    const { host } = engine;
    const { keys } = engine.kept;
    const loaded = engine.kept.map();
    const scheme = "weir:provided/";

    // A provided module's file holds a function of `engine` and of a `require` that knows the other
    // provided modules; it runs when the module is first asked for.
    const held = engine.kept.map();
    const underway = engine.kept.map();
    const provide = (file) => {
        if (held.has(file)) return held.get(file);
        if (underway.has(file)) throw new Error(`engine: ${file} requires itself`);
        underway.set(file, true);
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

    const first = async (list) => (await list)?.[0];

    // Exports first, then the default export, then `module.exports`; plain top-level functions only if
    // none of these holds anything.
    const names = [...known, ...schedules, "jobs"];
    engine.adopt = (namespace, module, topLevel) => {
        // The plugin's top level has run: from here on nothing is certain but what was kept.
        const pick = (places) => {
            const found = { __proto__: null };
            for (let at = 0; at < names.length; at++) {
                for (let place = 0; place < places.length; place++) {
                    const value = places[place]?.[names[at]];
                    if (value === undefined || value === null) continue;
                    found[names[at]] = value;
                    break;
                }
            }
            return found;
        };
        const own = module.exports;
        let methods = pick([namespace, namespace?.default, own, own?.default]);
        if (keys(methods).length === 0) methods = pick([topLevel]);
        if (methods.processEvent === undefined && typeof methods.processEventBatch === "function") {
            const batch = methods.processEventBatch;
            methods.processEvent = (event, meta) => {
                const result = batch([event], meta);
                return typeof result?.then === "function" ? first(result) : result?.[0];
            };
        }
        engine.methods = methods;
        const functions = (names) => {
            let found = "";
            for (let at = 0; at < names.length; at++) {
                if (typeof methods[names[at]] === "function") found += `${names[at]}\n`;
            }
            return found;
        };
        const jobs = keys(methods.jobs ?? {});
        let jobNames = "";
        for (let at = 0; at < jobs.length; at++) jobNames += `${engine.text(jobs[at])}\n`;
        return [functions(known), functions(schedules), jobNames];
    };
}
