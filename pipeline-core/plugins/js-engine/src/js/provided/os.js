// `os`: the same everywhere, whatever the host is.
() => ({
    EOL: "\n", devNull: "/dev/null",
    arch: () => "x64", platform: () => "linux", type: () => "Linux", release: () => "5.10.0", version: () => "#1", machine: () => "x86_64",
    hostname: () => "localhost", homedir: () => "/", tmpdir: () => "/tmp", endianness: () => "LE",
    cpus: () => [], loadavg: () => [0, 0, 0], networkInterfaces: () => ({}), totalmem: () => 0, freemem: () => 0, uptime: () => 0,
    userInfo: () => ({ uid: -1, gid: -1, username: "plugin", homedir: "/", shell: null }),
    constants: { signals: {}, errno: {} },
})
