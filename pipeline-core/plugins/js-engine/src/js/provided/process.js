// `process`: what bundles look at to find out where they run. There is no process to act on.
(engine) => {
    const ignored = () => process;
    const hrtime = (before) => {
        const now = Date.now();
        const [seconds, nanoseconds] = [Math.floor(now / 1000), (now % 1000) * 1_000_000];
        if (before === undefined) return [seconds, nanoseconds];
        const passed = (seconds - before[0]) * 1_000_000_000 + nanoseconds - before[1];
        return [Math.floor(passed / 1_000_000_000), passed % 1_000_000_000];
    };
    hrtime.bigint = () => BigInt(Date.now()) * 1_000_000n;
    const begun = Date.now();
    const process = {
        title: "node",
        version: "v18.0.0",
        versions: { node: "18.0.0" },
        release: { name: "node" },
        platform: "linux",
        arch: "x64",
        pid: 1,
        ppid: 0,
        exitCode: undefined,
        env: {},
        argv: ["node", "plugin"],
        execArgv: [],
        execPath: "node",
        features: {},
        config: {},
        nextTick: (work, ...values) => {
            if (typeof work !== "function") throw new TypeError("process.nextTick expects a function");
            queueMicrotask(() => work(...values));
        },
        cwd: () => "/",
        umask: () => 0o22,
        uptime: () => (Date.now() - begun) / 1000,
        hrtime,
        memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
        cpuUsage: () => ({ user: 0, system: 0 }),
        emitWarning: (warning) => console.warn(String(warning)),
        exit: () => {
            throw new Error("process.exit is not available to plugins; return from the function instead");
        },
        stdout: { write: (line) => (console.log(String(line).replace(/\n$/, "")), true), isTTY: false },
        stderr: { write: (line) => (console.error(String(line).replace(/\n$/, "")), true), isTTY: false },
        binding: (name) => {
            throw new Error(`process.binding('${name}') is not available to plugins`);
        },
        listeners: () => [],
        listenerCount: () => 0,
        emit: () => false,
        on: ignored,
        once: ignored,
        off: ignored,
        addListener: ignored,
        removeListener: ignored,
        removeAllListeners: ignored,
        prependListener: ignored,
    };
    Object.defineProperty(process, Symbol.toStringTag, { value: "process" });
    return process;
}
